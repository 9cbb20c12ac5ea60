"""Reading and writing word vectors in word2vec's formats: daneo against gensim, on files that gensim wrote.

Makes random vectors in a temporary folder (1.3 GB for the default of 300,000 x 300), which stay in the page cache.
Rates are megabytes of file a second. Writes benchmarks/results/read_text.json.

    python benchmarks/embeddings/read_text.py --threads 2
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from gensim.models import KeyedVectors

import daneo
from daneo.embeddings import formats

RESULTS = Path(__file__).resolve().parents[1] / "results" / "read_text.json"


def main() -> None:
    options = arguments()
    with tempfile.TemporaryDirectory(dir=options.folder) as temporary:
        folder = Path(temporary)
        vectors = make_vectors(options.words, options.size)
        report = {
            "name": "read_text",
            "machine": machine(options.threads),
            "words": options.words,
            "vector_size": options.size,
            **{what: report_of(*measure(folder, vectors, options)) for what, measure in MEASURES.items()},
            "first_read_of_all_seconds": round(cold_start(folder), 2),
        }
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(report, indent=2))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--words", type=int, default=300_000, help="how many vectors")
    parser.add_argument("--size", type=int, default=300, help="numbers in a vector")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2, help="of daneo's; gensim uses one")
    parser.add_argument("--folder", type=Path, help="where to make the temporary folder, such as /dev/shm")
    return parser.parse_args()


def make_vectors(num_words: int, size: int) -> KeyedVectors:
    keyed = KeyedVectors(size)
    matrix = 0.3 * np.random.default_rng(1).standard_normal((num_words, size), dtype=np.float32)
    keyed.add_vectors([f"word{number}" for number in range(num_words)], matrix)
    return keyed


Seconds = dict[str, list[float]]


def reading(folder: Path, vectors: KeyedVectors, options: argparse.Namespace, *, binary: bool) -> tuple[Seconds, int]:
    path = folder / ("vectors.bin" if binary else "vectors.txt")
    vectors.save_word2vec_format(str(path), binary=binary, sort_attr=None)
    readers: dict[str, Callable[[], Any]] = {
        "daneo": lambda: daneo.WordVectors.load(path, num_threads=options.threads).matrix,
        "daneo, 1 thread": lambda: daneo.WordVectors.load(path, num_threads=1).matrix,
        "gensim": lambda: KeyedVectors.load_word2vec_format(str(path), binary=binary).vectors,
    }
    formats.load(path, limit=1)  # the warm-up: imports and compiling
    seconds: Seconds = {name: [] for name in readers}
    for _ in range(options.runs):
        for name, read in readers.items():
            began = time.perf_counter()
            matrix = read()
            seconds[name].append(time.perf_counter() - began)
            assert np.array_equal(matrix, vectors.vectors), name
    return seconds, path.stat().st_size


def writing(folder: Path, vectors: KeyedVectors, options: argparse.Namespace) -> tuple[Seconds, int]:
    ours = daneo.WordVectors(vectors.index_to_key, vectors.vectors)
    path = folder / "written.txt"
    # gensim neither flushes the file to disk nor renames it; daneo does both.
    writers = {
        "daneo": lambda: ours.save(path, format="word2vec-text"),
        "gensim": lambda: vectors.save_word2vec_format(str(path), sort_attr=None),
    }
    ours.restricted(1).save(path, format="word2vec-text")
    seconds: Seconds = {name: [] for name in writers}
    for _ in range(options.runs):
        for name, write in writers.items():
            began = time.perf_counter()
            write()
            seconds[name].append(time.perf_counter() - began)
    return seconds, path.stat().st_size


MEASURES: dict[str, Callable[[Path, KeyedVectors, argparse.Namespace], tuple[Seconds, int]]] = {
    "reading_text": lambda *given: reading(*given, binary=False),
    "reading_binary": lambda *given: reading(*given, binary=True),
    "writing_text": writing,
}


def report_of(seconds: Seconds, num_bytes: int) -> dict[str, Any]:
    rates = {name: [num_bytes / taken / 1e6 for taken in runs] for name, runs in seconds.items()}
    medians = {name: statistics.median(runs) for name, runs in rates.items()}
    return {
        "megabytes": round(num_bytes / 1e6),
        "megabytes_per_second": {
            name: {"median": round(medians[name], 1), "lowest": round(min(runs), 1), "highest": round(max(runs), 1)}
            for name, runs in rates.items()
        },
        "ratio": {name: round(rate / medians["gensim"], 1) for name, rate in medians.items() if name != "gensim"},
    }


def cold_start(folder: Path) -> float:
    """Seconds that a new process takes to read a small file when nothing has been compiled on this machine before."""
    path = folder / "small.txt"
    path.write_text("2 2\nsea 0.5 1\nsun 1 0.25\n", encoding="utf-8")
    with tempfile.TemporaryDirectory() as cache:
        code = f"import daneo; daneo.WordVectors.load({str(path)!r})"
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, "NUMBA_CACHE_DIR": cache})
        return time.perf_counter() - began


def machine(threads: int) -> dict[str, Any]:
    cpu = platform.processor()
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        cpu = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), cpu)
    return {
        "cpu": cpu,
        "cores": os.cpu_count(),
        "threads": threads,
        "python": platform.python_version(),
        "daneo": daneo.__version__,
        **{name: importlib.metadata.version(name) for name in ("numpy", "numba", "gensim")},
    }


if __name__ == "__main__":
    main()
