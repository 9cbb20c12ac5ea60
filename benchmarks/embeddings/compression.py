"""Compression: what smaller vectors keep of similarities, analogies and neighbours, and how much memory they take.

Trains daneo's Word2Vec, GloVe and FastText on the corpus (or takes vectors of an earlier run with --vectors) and makes
the vectors smaller in several ways, each with several seeds. Bytes are those of the rows: numbers or codes, centroids,
lengths, scales, rotation, buckets of n-grams; words take the same before and after. Vectors with n-grams lose words and
n-grams too; there, resident memory is what a process of its own takes to open the saved vectors, to search all words
and to read every row of n-grams once, so that nothing is left on the disk; imports do not count.
Writes benchmarks/results/compression.json.

    python benchmarks/embeddings/compression.py --corpus enwiki.txt --evaluation folder
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from report import machine, spread, versions, write

import daneo

PLAIN: dict[str, dict[str, Any]] = {
    "a tenth of the bytes": {"ratio": 10},
    "float16": {"storage": "float16"},
    "int8": {"storage": "int8"},
    "product quantisation, 1 number a byte": {"part_size": 1},
    "product quantisation, 2 numbers a byte": {"part_size": 2},
    "product quantisation, 3 numbers a byte": {"part_size": 3},
    "3 numbers a byte, lengths not apart": {"part_size": 3, "norms": False},
    "3 numbers a byte, not turned": {"part_size": 3, "rotate": False},
    "product quantisation, 4 numbers a byte": {"part_size": 4},
    "product quantisation, 6 numbers a byte": {"part_size": 6},
}
NGRAMS: dict[str, dict[str, Any]] = {
    "all, float16": {"storage": "float16"},
    "all, int8": {"storage": "int8"},
    "all, two numbers a byte": {"part_size": 2},
    "100,000 n-grams, two numbers a byte": {"num_ngrams": 100_000, "part_size": 2},
    "50,000 words, 50,000 n-grams, two numbers a byte": {"num_words": 50_000, "num_ngrams": 50_000, "part_size": 2},
    "20,000 words, 50,000 n-grams, two numbers a byte": {"num_words": 20_000, "num_ngrams": 50_000, "part_size": 2},
    "20,000 words, 20,000 n-grams, two numbers a byte": {"num_words": 20_000, "num_ngrams": 20_000, "part_size": 2},
    "20,000 words, 20,000 n-grams, four numbers a byte": {"num_words": 20_000, "num_ngrams": 20_000, "part_size": 4},
}
SETS = {"WordSim-353": "wordsim353.tsv", "SimLex-999": "simlex999.txt"}
NOTE = (
    "Shares are of the same vectors before. compress-fasttext's own figures, in experiments/metrics.csv of its "
    "repository, are of another model (Russian, 300 numbers; HJ and SimLex): whole .667 .332; 100,000 words and "
    "100,000 n-grams .666 .331 at 96 MB; 100,000 and 20,000 .643 .323 at 28 MB; 50,000 and none .546 .257 at 10.5 MB."
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
        report: dict[str, Any] = {
            "machine": machine(options.threads),
            "versions": versions("daneo", "numpy", "numba"),
            "seeds": options.runs,
        }
        for name, path in sources(options, folder).items():
            vectors = daneo.WordVectors.load(path)
            measure = measured_ngrams if isinstance(vectors, daneo.SubwordVectors) else measured_plain
            report[name] = measure(vectors, folder, options)
        report["WordSim-353 kept at a tenth of the bytes, mean"] = {
            name: one["points"]["a tenth of the bytes"]["kept"]["WordSim-353"]["mean"]
            for name, one in report.items()
            if isinstance(one, dict) and "a tenth of the bytes" in one.get("points", {})
        }
        write("compression", report | {"note": NOTE})


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, help="plain text, a document a line")
    parser.add_argument("--vectors", nargs="+", default=[], help="NAME=PATH of vectors, in place of training")
    parser.add_argument("--evaluation", type=Path, required=True, help="has questions-words.txt and the two word sets")
    parser.add_argument("--size", type=int, default=100, help="numbers in a vector")
    parser.add_argument("--runs", type=int, default=5, help="seeds of the compression")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    if not options.vectors and options.corpus is None:
        parser.error("give --corpus or --vectors")
    return options


def sources(options: argparse.Namespace, folder: Path) -> dict[str, Path]:
    """Return names and paths of the vectors, which are mapped, so that nothing of a training is left in memory."""
    found = {name: Path(path) for name, _, path in (one.partition("=") for one in options.vectors)}
    if found:
        return found
    settings: dict[str, Any] = {"vector_size": options.size, "num_threads": options.threads, "seed": 1}
    corpus = daneo.Corpus(options.corpus)
    for name, model in (
        ("word2vec", daneo.Word2Vec(**settings, epochs=3)),
        ("GloVe", daneo.GloVe(**settings, epochs=25)),
        ("FastText", daneo.FastText(**settings, epochs=3)),
    ):
        found[name] = folder / name
        model.fit(corpus).vectors.save(found[name])
    return found


def measured_plain(vectors: daneo.WordVectors, folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Compress vectors of words in each way, once for each seed."""
    before = quality(vectors, options.evaluation)
    points = {}
    for name, settings in PLAIN.items():
        kept: dict[str, list[float]] = {measure: [] for measure in before}
        for seed in range(1, options.runs + 1):
            smaller, report = vectors.compressed(**settings, seed=seed, num_threads=options.threads)
            for measure, value in quality(smaller, options.evaluation).items():
                kept[measure].append(value / before[measure])
            for measure in ("cosine", "pairs", "neighbours"):
                kept.setdefault(measure, []).append(getattr(report.words[0], measure))
        points[name] = {
            "settings": settings,
            "times fewer bytes": report.before.row_bytes / report.after.row_bytes,
            "kept": {measure: with_mean(values) for measure, values in kept.items()},
        }
    return {"words": len(vectors), "vector_size": vectors.vector_size, "before": before, "points": points}


def measured_ngrams(vectors: daneo.SubwordVectors, folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Compress vectors with n-grams in each way."""
    few, whole, small = (folder / name for name in ("few", "whole", "small"))
    vectors.restricted(20).compressed(num_ngrams=20)[0].save(few)
    vectors.save(whole)
    files = [options.evaluation / file for file in SETS.values()]
    points = {}
    for name, settings in NGRAMS.items():
        kept: dict[str, list[float]] = {measure: [] for measure in SETS}
        for seed in range(1, options.runs + 1):
            smaller, report = vectors.compressed(**settings, seed=seed, similarities=files, num_threads=options.threads)
            for measure, one in zip(SETS, report.similarities, strict=True):
                kept[measure].append(one.share)
            for one in report.words:
                kept.setdefault(f"cosine of {one.name}", []).append(one.cosine)
        smaller.save(small)
        points[name] = {
            "settings": settings,
            "times fewer bytes": report.before.row_bytes / report.after.row_bytes,
            "resident, MB": resident(few, small),
            "kept": {measure: with_mean(values) for measure, values in kept.items()},
        }
    return {
        "words": len(vectors),
        "rows of n-grams": len(vectors.ngrams),
        "vector_size": vectors.vector_size,
        "resident, MB": resident(few, whole),
        "points": points,
    }


def quality(vectors: daneo.WordVectors, folder: Path) -> dict[str, float]:
    """Return Spearman's correlations, and the share of analogies among the first 30,000 words that are answered."""
    found = {name: vectors.evaluate_similarities(folder / file).spearman for name, file in SETS.items()}
    analogies = vectors.evaluate_analogies(folder / "questions-words.txt", restrict_vocab=30_000)
    return {**found, "analogies": analogies.total.accuracy}


def with_mean(values: list[float]) -> dict[str, float]:
    """Return mean, median, smallest and largest."""
    return {"mean": statistics.mean(values), **spread(values)}


def resident(few: Path, path: Path) -> float:
    """Return the MB that opened and searched vectors take, in a process of its own."""
    done = subprocess.run([sys.executable, "-c", ASK, few, path], check=True, capture_output=True, text=True)
    return int(done.stdout) / 1e6


if __name__ == "__main__":
    main()
