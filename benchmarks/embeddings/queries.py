"""Opening a large set of vectors, asking for neighbours, and answering analogies: daneo against gensim.

Makes random vectors in a temporary folder (2.5 GB for the default of 1,000,000 x 300, and as much memory again), or
in --folder, where they stay for the next run. Writes benchmarks/results/queries.json.

    python benchmarks/embeddings/queries.py --analogies questions-words.txt
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from report import machine, spread, versions, write

BLAS_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")

OPEN = {
    "daneo": "import daneo; answer = daneo.WordVectors.load(path).most_similar(word)",
    "gensim": "from gensim.models import KeyedVectors; answer = KeyedVectors.load(path, mmap='r').most_similar(word)",
}


def main() -> None:
    options = arguments()
    for name in BLAS_THREADS:  # before NumPy is imported, and inherited by the processes that open
        os.environ[name] = str(options.threads)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: options.threads])
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        paths = {"daneo": folder / "vectors", "gensim": folder / "vectors.kv"}
        make_vectors(paths, options.words, options.size)
        measured = {
            "words": options.words,
            "vector_size": options.size,
            "open_until_first_answer": measure_opening(paths, options),
            "neighbours": measure_neighbours(paths, options),
        }
    if options.analogies:
        measured["analogies"] = measure_analogies(options)
    write("queries", {"machine": machine(options.threads), "versions": versions("numpy", "gensim"), **measured})


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--words", type=int, default=1_000_000, help="how many vectors")
    parser.add_argument("--size", type=int, default=300, help="numbers in a vector")
    parser.add_argument("--batch", type=int, default=64, help="questions asked together")
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--folder", type=Path, help="existing folder that keeps the vectors for the next run")
    parser.add_argument("--analogies", type=Path, help="questions-words.txt; asked of 70,000 x 100 vectors")
    return parser.parse_args()


def make_vectors(paths: dict[str, Path], num_words: int, size: int) -> None:
    """Write the same random vectors for both, in a process of its own so that its memory is given back."""
    if all(path.exists() for path in paths.values()):
        return
    code = f"""
import numpy as np
from daneo import Vocabulary, WordVectors
from gensim.models import KeyedVectors
rng = np.random.default_rng(1)
matrix = rng.standard_normal(({num_words}, {size}), dtype=np.float32)
words = [f"word{{number}}" for number in range({num_words})]
WordVectors(Vocabulary(words, range({num_words}, 0, -1)), matrix).save({str(paths["daneo"])!r})
keyed = KeyedVectors({size})
keyed.index_to_key, keyed.key_to_index = words, dict(zip(words, range({num_words})))
keyed.vectors = matrix
keyed.save({str(paths["gensim"])!r})
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def measure_opening(paths: dict[str, Path], options: argparse.Namespace) -> dict[str, Any]:
    """Seconds from starting Python to the first answer; the files are in the page cache after the first round."""
    seconds: dict[str, list[float]] = {name: [] for name in OPEN}
    for turn in range(options.runs + 1):
        for name, code in OPEN.items():
            program = f"path, word = {str(paths[name])!r}, 'word{turn}'\n{code}\nimport time; print(time.time())"
            start = time.time()
            done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
            if turn:
                seconds[name].append(float(done.stdout) - start)
    return compared(seconds)


def measure_neighbours(paths: dict[str, Path], options: argparse.Namespace) -> dict[str, Any]:
    """Seconds a question: gensim's one by one, daneo's one by one and in batches."""
    from gensim.models import KeyedVectors

    from daneo import WordVectors

    ours, theirs = WordVectors.load(paths["daneo"]), KeyedVectors.load(str(paths["gensim"]), mmap="r")
    seconds: dict[str, list[float]] = {"gensim": [], "daneo, one by one": [], "daneo": []}
    for turn in range(options.runs + 1):
        words = [f"word{turn * options.batch + i}" for i in range(options.batch)]
        few = words[:8]
        times = {
            "gensim": timed(lambda: [theirs.most_similar(word) for word in few]) / len(few),  # noqa: B023
            "daneo, one by one": timed(lambda: [ours.most_similar(word) for word in few]) / len(few),  # noqa: B023
            "daneo": timed(lambda: ours.most_similar(words)) / len(words),  # noqa: B023
        }
        if turn:  # the first is the warm-up
            for name, value in times.items():
                seconds[name].append(value)
    same = [[word for word, _ in answers] for answers in ours.most_similar(few)]
    assert same == [[word for word, _ in theirs.most_similar(word)] for word in few]
    return {"batch": options.batch, **compared(seconds)}


def measure_analogies(options: argparse.Namespace) -> dict[str, Any]:
    """Seconds for every question of the file; gensim answers each 40th one, and its time is multiplied."""
    import numpy as np
    from gensim.models import KeyedVectors

    from daneo import WordVectors

    lines = options.analogies.read_text(encoding="utf-8").splitlines()
    asked = [line for line in lines if not line.startswith(":")]
    words = list(dict.fromkeys(word.lower() for line in asked for word in line.split()))
    words += [f"filler{number}" for number in range(70_000 - len(words))]
    matrix = np.random.default_rng(2).standard_normal((len(words), 100), dtype=np.float32)
    ours, theirs = WordVectors(words, matrix), KeyedVectors(100)
    theirs.add_vectors(words, matrix)
    seconds: dict[str, list[float]] = {"gensim": [], "daneo": []}
    with tempfile.TemporaryDirectory() as folder:
        sample = Path(folder) / "sample.txt"
        sample.write_text("\n".join([": sample", *asked[::40]]), encoding="utf-8")
        for turn in range(options.runs + 1):
            times = {
                "gensim": timed(lambda: theirs.evaluate_word_analogies(str(sample))) * len(asked) / len(asked[::40]),
                "daneo": timed(lambda: ours.evaluate_analogies(options.analogies)),
            }
            if turn:
                for name, value in times.items():
                    seconds[name].append(value)
    return {"questions": len(asked), "words": len(words), "vector_size": 100, **compared(seconds)}


def timed(action: Callable[[], object]) -> float:
    time.sleep(0.3)  # OpenBLAS's threads spin for a while after a product; nobody shall pay for the other's
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def compared(seconds: dict[str, list[float]]) -> dict[str, Any]:
    """Median and spread of each, and how many times faster daneo is than gensim, run by run."""
    ratios = [theirs / ours for theirs, ours in zip(seconds["gensim"], seconds["daneo"], strict=True)]
    return {
        "seconds": {name: spread(values) for name, values in seconds.items()},
        "times_faster": statistics.median(ratios),
    }


if __name__ == "__main__":
    main()
