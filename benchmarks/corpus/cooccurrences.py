"""Counting pairs: daneo against Stanford's cooccur and shuffle, in turns, on the same tokens, words and memory.

The programs get a file whose tokens are divided by spaces already, and the vocabulary. daneo starts from the ids of the
same tokens ("counts"), and also from the raw text, which it cuts, counts and encodes first ("counts from text"). What
shuffle is to cooccur, dealing the pairs out to shuffled tiles is to daneo's counts: with it, either can train GloVe.
All write their results to disk. Both must end with the same pairs and counts. Peak memory is that of a process of its
own, for the text and for the same text five times over. Writes benchmarks/results/cooccurrences.json.

    python benchmarks/corpus/cooccurrences.py --corpus enwiki.txt --programs GloVe/build
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "embeddings"))

import glove_programs
from report import machine, spread, versions, write

import daneo
from daneo.corpus import Cooccurrences, EncodedCorpus, count_cooccurrences
from daneo.embeddings.glove_pairs_writing import write_pairs

RECORD = np.dtype([("word", "<i4"), ("context", "<i4"), ("count", "<f8")])
BUDGETS = (300, 600)  # megabytes
COUNT = """
import pathlib, re, sys
from daneo.corpus import EncodedCorpus, count_cooccurrences
corpus, memory, window, threads, folder = sys.argv[1:]
encoded = EncodedCorpus.open(corpus)
count_cooccurrences(
    encoded, window=int(window), memory=int(memory), num_threads=int(threads), path=f"{folder}/peak"
).close()
# What getrusage reports includes the process that started this one.
print(re.search(r"VmHWM:\\s+(\\d+)", pathlib.Path("/proc/self/status").read_text())[1])
"""


def main() -> None:
    """Measure and write the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, required=True, help="plain text, a document a line")
    parser.add_argument("--programs", type=Path, required=True, help="built with -O3 -march=native")
    parser.add_argument("--window", type=int, default=10)
    parser.add_argument("--memory", type=int, default=4, help="gigabytes for either")
    parser.add_argument("--threads", type=int, default=2, help="of daneo's; the programs have one")
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--folder", type=Path, help="where to make the temporary folder")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        write("cooccurrences", measure(options, Path(name)))


def measure(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Prepare the same text for both, and let them run in turns."""
    encoded = daneo.Corpus(options.corpus).encode(path=folder / "encoded")
    with open(folder / "tokens.txt", "w", encoding="utf-8") as file:
        file.writelines(" ".join(tokens) + "\n" for tokens in daneo.Corpus(options.corpus))
    words = encoded.vocabulary
    lines = [f"{word} {count}\n" for word, count in zip(words.words, words.counts.tolist(), strict=True)]
    (folder / "vocab.txt").write_text("".join(lines), encoding="utf-8")
    runs: dict[str, Callable[[], dict[str, float]]] = {
        "programs": lambda: run_programs(options, folder),
        "daneo": lambda: run_daneo(encoded, options, options.threads, folder),
        "one thread": lambda: run_daneo(encoded, options, 1, folder),
        "from text": lambda: {"counts from text": timed(lambda: count(options.corpus, options, options.threads))},
    }
    seconds: dict[str, dict[str, list[float]]] = {}
    for turn in range(1 + options.turns):
        for name, run in runs.items():
            found = run()
            for part, value in found.items() if turn else ():  # the first is the warm-up
                seconds.setdefault(name, {}).setdefault(part, []).append(value)
        if turn == 0:
            check_same(encoded, options, folder)
    sums = {name: [sum(turn) for turn in zip(*parts.values(), strict=True)] for name, parts in seconds.items()}
    return {
        "what": "counting pairs and shuffling them, from tokens of the same text",
        "corpus": {"name": options.corpus.name, "bytes": options.corpus.stat().st_size, "tokens": encoded.num_tokens},
        "settings": {"window": options.window, "words": len(words), "memory": f"{options.memory} GB"},
        "machine": machine(options.threads),
        "versions": versions("daneo", "numba", "numpy") | {"programs": glove_programs.ABOUT},
        "seconds": {
            name: {part: spread(values) for part, values in parts.items()} | {"together": spread(sums[name])}
            for name, parts in seconds.items()
        },
        "times as fast as cooccur and shuffle": {
            name: spread([theirs / ours for theirs, ours in zip(sums["programs"], sums[name], strict=True)])
            for name in ("daneo", "one thread", "from text")
        },
        "times as fast as cooccur, counts alone": spread(
            [
                theirs / ours
                for theirs, ours in zip(seconds["programs"]["cooccur"], seconds["daneo"]["counts"], strict=True)
            ]
        ),
        "peak memory, MB": peaks(encoded, options, folder),
    }


def count(corpus: Any, options: argparse.Namespace, threads: int) -> Cooccurrences:
    return count_cooccurrences(corpus, window=options.window, memory=options.memory * 10**9, num_threads=threads)


def timed(run: Callable[[], Any]) -> float:
    began = time.perf_counter()
    result = run()
    seconds = time.perf_counter() - began
    result.close()
    return seconds


def run_daneo(encoded: EncodedCorpus, options: argparse.Namespace, threads: int, folder: Path) -> dict[str, float]:
    began = time.perf_counter()
    with count(encoded, options, threads) as pairs:
        counted = time.perf_counter() - began
        shuffled = timed(lambda: write_pairs(pairs, None, seed=1, num_threads=threads))
    return {"counts": counted, "tiles": shuffled}


def run_programs(options: argparse.Namespace, folder: Path) -> dict[str, float]:
    common = ("-memory", options.memory, "-verbose", 0)
    files = ("-vocab-file", folder / "vocab.txt", "-overflow-file", folder / "overflow")
    seconds = {
        "cooccur": glove_programs.run(
            *(options.programs, "cooccur", *common, "-window-size", options.window, *files),
            source=folder / "tokens.txt",
            target=folder / "counted.bin",
        ),
        "shuffle": glove_programs.run(
            *(options.programs, "shuffle", *common, "-seed", 1, "-temp-file", folder / "shuffling"),
            source=folder / "counted.bin",
            target=folder / "shuffled.bin",
        ),
    }
    (folder / "shuffled.bin").unlink()
    return seconds


def check_same(encoded: EncodedCorpus, options: argparse.Namespace, folder: Path) -> None:
    """Compare all pairs and counts: the times of runs that found different ones could not be compared."""
    theirs = np.memmap(folder / "counted.bin", dtype=RECORD, mode="r")
    with count(encoded, options, options.threads) as pairs:
        ours = pairs.matrix()
    rows = np.repeat(np.arange(1, ours.shape[0] + 1, dtype=np.int32), np.diff(ours.indptr))
    same = (
        len(theirs) == ours.nnz
        and np.array_equal(theirs["word"], rows)
        and np.array_equal(theirs["context"], ours.indices + 1)
        and np.allclose(theirs["count"], ours.data, rtol=1e-6, atol=0)
    )
    if not same:
        raise SystemExit("The runs counted different pairs, so their times cannot be compared.")


def peaks(encoded: EncodedCorpus, options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Peak memory of counting, for the text and five of it; and of cooccur, which is given the memory above."""
    with open(folder / "five.txt", "wb") as file:
        for _ in range(5):
            file.write(options.corpus.read_bytes())
    five = daneo.Corpus(folder / "five.txt").encode(encoded.vocabulary, path=folder / "five")
    found: dict[str, Any] = {}
    for budget in BUDGETS:
        found[f"daneo, allowed {budget}"] = {
            name: int(
                subprocess.run(
                    [
                        *(sys.executable, "-c", COUNT, str(corpus.path), str(budget * 10**6)),
                        *(str(options.window), str(options.threads), str(folder)),
                    ],
                    check=True,
                    capture_output=True,
                    text=True,
                ).stdout
            )
            * 1024
            / 10**6
            for name, corpus in (("the text", encoded), ("five times the text", five))
        }
    found[f"cooccur, allowed {options.memory * 1000}"] = {"the text": peak_of_program(options, folder)}
    return found


def peak_of_program(options: argparse.Namespace, folder: Path) -> float:
    files = ("-vocab-file", folder / "vocab.txt", "-overflow-file", folder / "overflow")
    command = [options.programs / "cooccur", "-memory", options.memory, "-window-size", options.window, *files]
    with open(folder / "tokens.txt", "rb") as source, open(folder / "counted.bin", "wb") as target:
        process = subprocess.Popen(list(map(str, command)), stdin=source, stdout=target, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"cooccur ended with status {status}.")
    return usage.ru_maxrss * 1024 / 10**6


if __name__ == "__main__":
    main()
