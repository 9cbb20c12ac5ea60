"""Reading a corpus: daneo's whole pass, from raw text to ids on disk, against gensim's counting of tokenized text.

gensim's build_vocab(corpus_file=...) reads a file whose tokens are divided by spaces already, counts them, and keeps
the frequent ones. daneo reads the raw file, finds the same tokens itself, counts them, keeps the frequent ones, and
writes every id, the documents' offsets and the vocabulary to disk. Both must end with the same counts. The runs
alternate, so that both meet the same machine. Peak memory is that of a process of its own, for the whole file and for
as much of it as --part says. Writes benchmarks/results/corpus_pass.json.

    python benchmarks/corpus/corpus_pass.py --corpus enwiki-100MB.txt
"""

from __future__ import annotations

import argparse
import bz2
import gc
import gzip
import json
import lzma
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from gensim.models import Word2Vec

import daneo
import daneo.corpus

RESULTS = Path(__file__).resolve().parents[1] / "results" / "corpus_pass.json"
MIN_COUNT = 5

PEAK = """
import pathlib, re, resource, sys
import daneo
path, threads, folder = sys.argv[1:]
corpus = daneo.Corpus(path if path else ["a b a b a"] * 3)
with corpus.encode(num_threads=int(threads), path=folder) as encoded:
    for start in range(0, encoded.num_tokens, 1_000_000):
        encoded.tokens(start, min(start + 1_000_000, encoded.num_tokens)).max()
# Where there is /proc: what getrusage reports includes the process that started this one.
status = pathlib.Path("/proc/self/status")
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(re.search(r"VmHWM:\\s+(\\d+)", status.read_text())[1] if status.exists() else peak)
"""

COLD = """
import sys, time
import daneo
began = time.perf_counter()
daneo.Corpus(["a b a b a"] * 3).encode().close()
print(time.perf_counter() - began)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", required=True, type=Path, help="raw text, a document a line; .xz and the like too")
    parser.add_argument("--threads", type=int, default=2, help="of daneo's; gensim counts in one")
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--megabytes", type=int, help="use only the beginning of the file")
    parser.add_argument("--part", type=float, default=0.2, help="share of the text for the second peak of memory")
    parser.add_argument("--folder", type=Path, help="where to make the temporary folder")
    parser.add_argument("--output", type=Path, default=RESULTS)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        result = measure(options, Path(folder))
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=2))


def measure(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    raw, tokenized = folder / "raw.txt", folder / "tokenized.txt"
    write_raw(options.corpus, raw, options.megabytes)
    num_words = write_tokenized(raw, tokenized)
    texts = raw.read_text(encoding="utf-8").split("\n")
    lists = [line.split() for line in tokenized.read_text(encoding="utf-8").split("\n")]
    rivals: dict[str, Callable[[], Any]] = {
        "gensim": lambda: count_with_gensim(tokenized),
        "daneo": lambda: encode(raw, folder, options.threads),
        "daneo_one_thread": lambda: encode(raw, folder, 1),
        "daneo_strings": lambda: encode(texts, folder, options.threads),
        "daneo_token_lists": lambda: encode(lists, folder, options.threads),
    }
    found = {name: counts_of(run()) for name, run in rivals.items()}  # the warm-up
    if any(counts != found["gensim"] for counts in found.values()):
        raise SystemExit("The runs counted different words, so their times cannot be compared.")
    del found
    gc.collect()
    gc.freeze()  # else the garbage collector goes through the millions of tokens above in everybody's time
    seconds: dict[str, list[float]] = {name: [] for name in rivals}
    for _ in range(options.runs):
        for name, run in rivals.items():
            began = time.perf_counter()
            result = run()
            seconds[name].append(time.perf_counter() - began)
            counts_of(result)
    medians = {name: statistics.median(runs) for name, runs in seconds.items()}
    return {
        "what": "from raw text to ids on disk (daneo), and counting text that is tokenized already (gensim)",
        "corpus": {"name": options.corpus.name, "bytes": raw.stat().st_size, "words": num_words},
        "settings": {"tokenizer": "words", "min_count": MIN_COUNT, "threads": options.threads, "runs": options.runs},
        "seconds": {name: [round(one, 4) for one in runs] for name, runs in seconds.items()},
        "median_seconds": {name: round(one, 4) for name, one in medians.items()},
        "ratio_to_gensim": {name: round(medians["gensim"] / one, 1) for name, one in medians.items()},
        "peak_memory_megabytes": peaks(raw, folder, options),
        "first_use_seconds": {"compiling": round(cold_start(compiled=False), 2), "compiled": round(cold_start(), 2)},
        "versions": {name: version(name) for name in ("gensim", "numpy", "numba")}
        | {"daneo": daneo.__version__, "python": platform.python_version()},
        "machine": {"processor": processor(), "cores": os.cpu_count(), "system": platform.system()},
    }


def write_raw(corpus: Path, path: Path, megabytes: int | None) -> None:
    opened = {".xz": lzma.open, ".gz": gzip.open, ".bz2": bz2.open}.get(corpus.suffix, open)
    with opened(corpus, "rb") as source, open(path, "wb") as target:
        if megabytes is None:
            shutil.copyfileobj(source, target)
        else:
            text = source.read(megabytes * 10**6)
            target.write(text[: text.rfind(b"\n") + 1])


def write_tokenized(raw: Path, path: Path) -> int:
    num_words = 0
    with open(path, "w", encoding="utf-8") as file:
        for tokens in daneo.Corpus(raw):
            file.write(" ".join(tokens) + "\n")
            num_words += len(tokens)
    return num_words


def count_with_gensim(tokenized: Path) -> Word2Vec:
    model = Word2Vec(min_count=MIN_COUNT, vector_size=1)
    model.build_vocab(corpus_file=str(tokenized))
    return model


def encode(source: Any, folder: Path, threads: int) -> daneo.corpus.EncodedCorpus:
    path = Path(tempfile.mkdtemp(dir=folder)) / "encoded"
    return daneo.Corpus(source).encode(min_count=MIN_COUNT, num_threads=threads, path=path)


def counts_of(result: Word2Vec | daneo.corpus.EncodedCorpus) -> dict[str, int]:
    """Count of each word; an encoded corpus is removed."""
    if isinstance(result, Word2Vec):
        return {word: result.wv.get_vecattr(word, "count") for word in result.wv.index_to_key}
    shutil.rmtree(result.path.parent)
    return dict(zip(result.vocabulary.words, result.vocabulary.counts.tolist(), strict=True))


def peaks(raw: Path, folder: Path, options: argparse.Namespace) -> dict[str, float]:
    part = folder / "part.txt"
    with open(raw, "rb") as source, open(part, "wb") as target:
        text = source.read(int(options.part * raw.stat().st_size))
        target.write(text[: text.rfind(b"\n") + 1])
    unit = 1 if platform.system() == "Darwin" else 1024
    found = {}
    for name, path in {"a_line": "", f"{options.part:.0%}_of_the_text": part, "whole_text": raw}.items():
        command = [sys.executable, "-c", PEAK, str(path), str(options.threads), str(folder / "peak")]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        found[name] = round(int(done.stdout) * unit / 1e6, 1)
    return found


def cold_start(compiled: bool = True) -> float:
    """Seconds that a new process needs for a tiny corpus, where the kernels have (not) been compiled before."""
    with tempfile.TemporaryDirectory() as cache:
        environment = os.environ if compiled else {**os.environ, "NUMBA_CACHE_DIR": cache}
        done = subprocess.run([sys.executable, "-c", COLD], check=True, capture_output=True, text=True, env=environment)
        return float(done.stdout)


def processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []:
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor()


if __name__ == "__main__":
    main()
