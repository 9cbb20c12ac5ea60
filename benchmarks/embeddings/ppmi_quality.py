"""Quality of PPMI, its sparse rows and their truncated SVD: the defaults, and each setting changed alone.

Analogies among the first 30,000 words (a is to b as c is to ?, by 3CosAdd; for the sparse rows also by 3CosMul), and
Spearman's correlation with WordSim-353 and SimLex-999. There is no mean of seeds: a seed only chooses where the search
for singular vectors begins, and changes the result by rounding; one other seed shows by how much. Other powers of the
singular values need no new decomposition: they scale its columns. Time is the processor's, memory the most that the
process held until the default model was there. Writes benchmarks/results/ppmi_quality.json.

    python benchmarks/embeddings/ppmi_quality.py --corpus enwiki.txt --evaluation folder
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from report import machine, versions, write
from word2vec import write_tokens

import daneo
from daneo.corpus import Cooccurrences, count_cooccurrences

COUNTING = {"window": 10, "weighting": "harmonic", "min_count": 5}
LEARNING = {"vector_size": 100, "alpha": 0.75, "shift": 1.0, "power": 0.25, "seed": 1}
CHANGES: list[dict[str, Any]] = [
    {"window": 2},
    {"window": 5},
    {"weighting": "flat"},
    {"alpha": 1.0},
    {"shift": 0.5},
    {"shift": 5.0},
]
POWERS = (0.0, 0.5, 1.0)
MEASURES = ("analogies", "semantic", "syntactic", "WordSim-353", "SimLex-999")


def main() -> None:
    """Measure and write the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, required=True, help="plain text, a document a line")
    parser.add_argument("--evaluation", type=Path, required=True, help="has questions-words.txt and the two word sets")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    report: dict[str, Any] = {
        "machine": machine(options.threads),
        "versions": versions("daneo", "numpy", "scipy"),
        "settings": COUNTING | LEARNING,
    }
    with tempfile.TemporaryDirectory() as folder:
        tokens = Path(folder) / "tokens.txt"
        write_tokens(options.corpus, tokens)
        report |= default(tokens, Path(folder), options)
        for change in CHANGES:
            model = learned(tokens, Path(folder), options.threads, **change)
            name = ", ".join(f"{key} {value}" for key, value in change.items())
            report[name] = {
                "pairs": model.sparse.rows.num_stored,
                "sparse rows": quality(model.sparse, options.evaluation),
                "SVD": quality(model.vectors, options.evaluation),
            }
        other_seed = learned(tokens, Path(folder), options.threads, seed=2)
        report["seed 2"] = {"SVD": quality(other_seed.vectors, options.evaluation)}
    write("ppmi_quality", report)


def default(tokens: Path, folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Return the figures of the default model, its cost, and what other powers make of it."""
    counting = time.process_time()
    counts_of(tokens, folder, COUNTING, options.threads).close()
    learning = time.process_time()
    model = learned(tokens, folder, options.threads)
    end = time.process_time()
    cost = {
        "seconds of the processor, counting": learning - counting,
        "seconds of the processor, PPMI and SVD": end - learning,
        "peak memory, MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    sparse = quality(model.sparse, options.evaluation)
    by_product = model.sparse.evaluate_analogies(
        options.evaluation / "questions-words.txt", restrict_vocab=30_000, method="3cosmul"
    )
    figures: dict[str, Any] = {
        "words": len(model.vocabulary),
        "pairs": model.sparse.rows.num_stored,
        "cost": cost,
        "default": {
            "sparse rows": sparse | {"analogies by 3CosMul": by_product.accuracy},
            "SVD": quality(model.vectors, options.evaluation),
        },
    }
    assert model.singular_values is not None
    for power in POWERS:
        scaled = model.vectors.matrix * model.singular_values ** (power - LEARNING["power"])
        vectors = daneo.WordVectors(model.vocabulary, scaled)
        figures[f"power {power}"] = {"SVD": quality(vectors, options.evaluation)}
    return figures


def learned(tokens: Path, folder: Path, threads: int, **change: Any) -> daneo.PPMI:
    """Learn with the defaults but for one setting."""
    settings = COUNTING | LEARNING | change
    with counts_of(tokens, folder, {key: settings[key] for key in COUNTING}, threads) as counts:
        return daneo.PPMI(**{key: settings[key] for key in LEARNING}, num_threads=threads).fit(counts)


def counts_of(tokens: Path, folder: Path, settings: dict[str, Any], threads: int) -> Cooccurrences:
    """Return counts, which are made once."""
    path = folder / "-".join(str(value) for value in settings.values())
    if path.exists():
        return Cooccurrences.open(path)
    corpus = daneo.Corpus(tokens, tokenizer="whitespace")
    return count_cooccurrences(corpus, **settings, num_threads=threads, path=path)


def quality(vectors: daneo.WordVectors | daneo.SparseVectors, folder: Path) -> dict[str, float]:
    """Return the five figures."""
    analogies = vectors.evaluate_analogies(folder / "questions-words.txt", restrict_vocab=30_000)
    shares = [part.accuracy for part in (analogies, analogies.semantic, analogies.syntactic)]
    pairs = [vectors.evaluate_similarities(folder / name).spearman for name in ("wordsim353.tsv", "simlex999.txt")]
    return dict(zip(MEASURES, shares + pairs, strict=True))


if __name__ == "__main__":
    main()
