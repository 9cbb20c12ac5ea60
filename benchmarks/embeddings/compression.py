"""Compression of a FastText model: bytes, resident memory, likeness to before, and agreement with people's judgements.

Trains daneo's FastText on the corpus, or takes the vectors of an earlier run with --vectors, and makes them smaller in
several ways, each with several seeds. Resident memory is what a process of its own takes to open the saved vectors, to
search all words and to read every row of n-grams once, so that nothing is left on the disk; imports do not count.
Writes benchmarks/results/compression.json.

    python benchmarks/embeddings/compression.py --corpus enwiki.txt --similarities wordsim353.tsv simlex999.txt
"""

from __future__ import annotations

import argparse
import dataclasses
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from report import machine, spread, versions, write

import daneo

POINTS: dict[str, dict[str, Any]] = {
    "all, float16": {"storage": "float16"},
    "all, a number a byte": {"part_size": 1},
    "all, two numbers a byte": {"part_size": 2},
    "100,000 n-grams, two numbers a byte": {"num_ngrams": 100_000, "part_size": 2},
    "50,000 words, 50,000 n-grams, two numbers a byte": {"num_words": 50_000, "num_ngrams": 50_000, "part_size": 2},
    "20,000 words, 50,000 n-grams, two numbers a byte": {"num_words": 20_000, "num_ngrams": 50_000, "part_size": 2},
    "20,000 words, 20,000 n-grams, two numbers a byte": {"num_words": 20_000, "num_ngrams": 20_000, "part_size": 2},
    "20,000 words, 20,000 n-grams, four numbers a byte": {"num_words": 20_000, "num_ngrams": 20_000, "part_size": 4},
}
GOALS = {"28 MB": (28e6, 0.97), "100 MB": (100e6, 0.995)}  # resident memory, share of the similarity scores
NOTE = (
    "compress-fasttext's own figures, in experiments/metrics.csv of its repository, are of another model (Russian, 300 "
    "numbers; HJ and SimLex): whole .667 .332; 100,000 words and 100,000 n-grams .666 .331 at 96 MB; 100,000 and "
    "20,000 .643 .323 at 28 MB; 50,000 and none .546 .257 at 10.5 MB."
)
ASK = """
import sys
import daneo

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096

def ask(path):
    vectors = daneo.WordVectors.load(path)
    vectors.most_similar(vectors.words[0])
    for first in range(0, len(vectors.ngrams), 1024):
        vectors.ngrams.rows[first : first + 1024].sum()
    return vectors

few = ask(sys.argv[1])  # all imports
before = resident()
kept = ask(sys.argv[2])
print(resident() - before)
"""


def main() -> None:
    """Measure and write the result."""
    options = arguments()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        vectors = trained(options, folder)
        few = folder / "few"
        vectors.restricted(20).compressed(num_ngrams=20)[0].save(few)
        whole = folder / "whole"
        vectors.save(whole)
        measured = {name: point(vectors, settings, few, folder, options) for name, settings in POINTS.items()}
        write(
            "compression",
            {
                "machine": machine(options.threads),
                "versions": versions("daneo", "numpy", "numba"),
                "model": {
                    "words": len(vectors),
                    "rows of n-grams": len(vectors.ngrams),
                    "vector_size": vectors.vector_size,
                    "files, MB": megabytes_in(whole),
                    "resident, MB": resident(few, whole),
                },
                "points": measured,
                "goals": {
                    goal: {
                        name: one["share of similarity scores"]["median"]
                        for name, one in measured.items()
                        if 1e6 * one["resident, MB"] <= most and one["share of similarity scores"]["median"] >= least
                    }
                    for goal, (most, least) in GOALS.items()
                },
                "note": NOTE,
            },
        )


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--corpus", type=Path, help="plain text, a document a line")
    source.add_argument("--vectors", type=Path, help="vectors with n-grams instead, in any format")
    parser.add_argument("--similarities", type=Path, nargs="+", required=True, help="word pairs with judgements")
    parser.add_argument("--size", type=int, default=300, help="numbers in a vector")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--runs", type=int, default=3, help="seeds of the compression")
    parser.add_argument("--threads", type=int, default=2)
    return parser.parse_args()


def trained(options: argparse.Namespace, folder: Path) -> daneo.SubwordVectors:
    """Return the vectors, mapped from a file, so that nothing of the training is left in memory."""
    path = options.vectors
    if path is None:
        path = folder / "trained"
        model = daneo.FastText(
            vector_size=options.size, epochs=options.epochs, num_threads=options.threads, seed=1, min_count=5
        )
        model.fit(daneo.Corpus(options.corpus)).vectors.save(path)
    vectors = daneo.WordVectors.load(path)
    if not isinstance(vectors, daneo.SubwordVectors):
        raise SystemExit(f"{path} has no n-grams.")
    return vectors


def point(
    vectors: daneo.SubwordVectors, settings: dict[str, Any], few: Path, folder: Path, options: argparse.Namespace
) -> dict[str, Any]:
    """Compress in one way, once for each seed."""
    seconds, shares, reports = [], [], []
    for seed in range(1, options.runs + 1):
        start = time.perf_counter()
        smaller, report = vectors.compressed(
            **settings, seed=seed, similarities=options.similarities, num_threads=options.threads
        )
        seconds.append(time.perf_counter() - start)
        shares.append(sum(one.share for one in report.similarities) / len(report.similarities))
        reports.append(report)
    path = folder / "small"
    smaller.save(path)
    return {
        "settings": settings,
        "seconds, with the report": spread(seconds),
        "files, MB": megabytes_in(path),
        "resident, MB": resident(few, path),
        "share of similarity scores": spread(shares),
        "of one seed": {
            "words": [dataclasses.asdict(one) for one in reports[0].words],
            "similarities": [dataclasses.asdict(one) for one in reports[0].similarities],
        },
        "a search, milliseconds": 1000 * search_seconds(smaller),
    }


def resident(few: Path, path: Path) -> float:
    """Return the MB that opened and searched vectors take, in a process of its own."""
    done = subprocess.run([sys.executable, "-c", ASK, few, path], check=True, capture_output=True, text=True)
    return int(done.stdout) / 1e6


def megabytes_in(path: Path) -> float:
    """Return the MB of a directory's files."""
    return sum(file.stat().st_size for file in path.iterdir()) / 1e6


def search_seconds(vectors: daneo.WordVectors) -> float:
    """Return the median time of a search for the ten nearest words, one question at a time."""
    seconds = []
    for word in vectors.words[:21]:
        start = time.perf_counter()
        vectors.most_similar(word)
        seconds.append(time.perf_counter() - start)
    return spread(seconds[1:])["median"]


if __name__ == "__main__":
    main()
