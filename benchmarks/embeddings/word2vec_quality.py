"""Quality of word2vec: daneo against gensim, mean of several seeds, on the same tokens and with the same measure.

Both train on the same text. Measured by gensim's own evaluation: analogies among the first 30,000 words, and
Spearman's correlation with WordSim-353 and SimLex-999. Writes benchmarks/results/word2vec_quality.json.

    python benchmarks/embeddings/word2vec_quality.py --corpus enwiki.txt --evaluation folder
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from gensim.models import KeyedVectors
from gensim.models import Word2Vec as GensimWord2Vec
from report import machine, versions, write
from word2vec import SETTINGS, write_tokens

import daneo

MEASURES = ("analogies", "WordSim-353", "SimLex-999")


def main() -> None:
    """Measure and write the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, required=True, help="plain text, a document a line")
    parser.add_argument("--evaluation", type=Path, required=True, help="has questions-words.txt and the two word sets")
    parser.add_argument("--architecture", default="skipgram", choices=("skipgram", "cbow"))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    results: dict[str, list[dict[str, float]]] = {"daneo": [], "gensim": []}
    with tempfile.TemporaryDirectory() as folder:
        tokens = Path(folder) / "tokens.txt"
        write_tokens(options.corpus, tokens)
        for seed in range(1, options.seeds + 1):
            results["daneo"].append(quality(daneo_vectors(tokens, seed, options), options.evaluation))
            results["gensim"].append(quality(gensim_vectors(tokens, seed, options), options.evaluation))
    mean = {who: {m: statistics.mean(run[m] for run in runs) for m in MEASURES} for who, runs in results.items()}
    name = "word2vec_quality" if options.architecture == "skipgram" else "word2vec_quality_cbow"
    report: dict[str, Any] = {
        "machine": machine(options.threads),
        "versions": versions("daneo", "gensim"),
        "settings": SETTINGS | {"negative": 5, "epochs": options.epochs, "architecture": options.architecture},
        "mean": mean,
        "points above gensim": {m: 100 * (mean["daneo"][m] - mean["gensim"][m]) for m in MEASURES},
        "runs": results,
    }
    write(name, report)


def daneo_vectors(tokens: Path, seed: int, options: argparse.Namespace) -> KeyedVectors:
    """Train with daneo."""
    model = daneo.Word2Vec(
        **SETTINGS, epochs=options.epochs, seed=seed, num_threads=options.threads, architecture=options.architecture
    ).fit(daneo.Corpus(tokens, tokenizer="whitespace"))
    vectors = KeyedVectors(100)
    vectors.add_vectors(model.vectors.words, np.array(model.vectors.matrix))
    return vectors


def gensim_vectors(tokens: Path, seed: int, options: argparse.Namespace) -> KeyedVectors:
    """Train with gensim."""
    return GensimWord2Vec(
        corpus_file=str(tokens),
        **SETTINGS,
        sg=int(options.architecture == "skipgram"),
        negative=5,
        epochs=options.epochs,
        seed=seed,
        workers=options.threads,
    ).wv


def quality(vectors: KeyedVectors, folder: Path) -> dict[str, float]:
    """Return the three figures."""
    analogies, _ = vectors.evaluate_word_analogies(str(folder / "questions-words.txt"), restrict_vocab=30_000)
    wordsim = vectors.evaluate_word_pairs(str(folder / "wordsim353.tsv"))[1][0]
    simlex = vectors.evaluate_word_pairs(str(folder / "simlex999.txt"))[1][0]
    return dict(zip(MEASURES, (float(analogies), float(wordsim), float(simlex)), strict=True))


if __name__ == "__main__":
    main()
