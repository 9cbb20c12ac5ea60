"""Quality of GloVe: daneo against Stanford's program, mean of several seeds, on the same tokens and measures.

Both take the program's defaults but for the window of 10 and vectors of 100 numbers. Analogies among the first 30,000
words, by section; Spearman's correlation with WordSim-353 and SimLex-999. Writes benchmarks/results/glove_quality.json.

    python benchmarks/embeddings/glove_quality.py --corpus enwiki.txt --evaluation folder --programs GloVe/build

Vectors of the program are kept in --folder and not trained again; how fast they were trained does not matter here, so
the programs may be built with -Ofast, three times as fast as with -O3.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import glove_programs
from report import machine, versions, write
from word2vec import write_tokens

import daneo

MEASURES = ("analogies", "semantic", "syntactic", "WordSim-353", "SimLex-999")


def main() -> None:
    """Measure and write the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, required=True, help="plain text, a document a line")
    parser.add_argument("--evaluation", type=Path, required=True, help="has questions-words.txt and the two word sets")
    parser.add_argument("--programs", type=Path, required=True, help="has vocab_count, cooccur, shuffle, glove")
    parser.add_argument("--folder", type=Path, required=True, help="for tokens, counts and the program's vectors")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=25)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    options.folder.mkdir(exist_ok=True)
    tokens = options.folder / "tokens.txt"
    if not tokens.exists():
        write_tokens(options.corpus, tokens)
    runs: dict[str, list[dict[str, float]]] = {"daneo": [], "program": []}
    for seed in range(1, options.seeds + 1):
        runs["program"].append(quality(program_vectors(tokens, seed, options), options.evaluation))
        runs["daneo"].append(quality(daneo_vectors(tokens, seed, options), options.evaluation))
    mean = {who: {m: statistics.mean(run[m] for run in figures) for m in MEASURES} for who, figures in runs.items()}
    report: dict[str, Any] = {
        "machine": machine(options.threads),
        "versions": versions("daneo", "numba") | {"program": glove_programs.ABOUT},
        "settings": glove_programs.SETTINGS | {"epochs": options.epochs, "vectors": "sum"},
        "mean": mean,
        "points above the program": {m: 100 * (mean["daneo"][m] - mean["program"][m]) for m in MEASURES},
        "runs": runs,
    }
    write("glove_quality", report)


def daneo_vectors(tokens: Path, seed: int, options: argparse.Namespace) -> daneo.WordVectors:
    """Train with daneo."""
    corpus = daneo.Corpus(tokens, tokenizer="whitespace")
    settings = {**glove_programs.SETTINGS, "epochs": options.epochs, "num_threads": options.threads}
    return daneo.GloVe(**settings, seed=seed).fit(corpus).vectors


def program_vectors(tokens: Path, seed: int, options: argparse.Namespace) -> daneo.WordVectors:
    """Train with the program, or take what it trained before."""
    folder, output = options.folder, options.folder / f"program_{seed}"
    if not output.with_suffix(".txt").exists():
        if not (folder / "shuffled.bin").exists():
            glove_programs.count_words(options.programs, tokens, folder)
            glove_programs.count_pairs(options.programs, tokens, folder)
        glove_programs.train(
            options.programs, folder, output, epochs=options.epochs, threads=options.threads, seed=seed
        )
    return daneo.WordVectors.load(output.with_suffix(".txt"))


def quality(vectors: daneo.WordVectors, folder: Path) -> dict[str, float]:
    """Return the figures."""
    analogies = vectors.evaluate_analogies(folder / "questions-words.txt", restrict_vocab=30_000)
    pairs = [vectors.evaluate_similarities(folder / name).spearman for name in ("wordsim353.tsv", "simlex999.txt")]
    return dict(
        zip(
            MEASURES,
            (analogies.accuracy, analogies.semantic.accuracy, analogies.syntactic.accuracy, *pairs),
            strict=True,
        )
    )


if __name__ == "__main__":
    main()
