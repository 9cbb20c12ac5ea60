"""Quality of FastText: daneo against Facebook's program, mean of several seeds, on the same tokens.

All train on the same text and the same words, and daneo measures all: analogies among the first 30,000 words, and
Spearman's correlation with WordSim-353 and SimLex-999. daneo's word2vec is measured too: what the n-grams bring and
cost. Each keeps its own defaults for the learning rate. Facebook's program runs with ten threads, because with fewer it
fills only a part of its matrix with random numbers; its runs with several threads differ whatever the seed. Writes
benchmarks/results/fasttext_quality.json, for CBOW fasttext_quality_cbow.json.

    python benchmarks/embeddings/fasttext_quality.py --corpus enwiki.txt --evaluation folder --fasttext ./fasttext
    ... --only daneo        train daneo's FastText alone; take the other runs from the file of the last time, if any
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from fasttext_speed import NGRAMS, facebook_flags
from report import RESULTS, machine, versions, write
from word2vec import SETTINGS, run_program, write_tokens

import daneo

MEASURES = ("analogies, semantic", "analogies, syntactic", "analogies", "WordSim-353", "SimLex-999")
WHO = ("daneo", "fastText", "daneo word2vec")
FACEBOOK_THREADS = 10
FIRST_WORDS = 30_000

Runs = dict[str, list[dict[str, float]]]


def main() -> None:
    """Measure and write the result."""
    options = arguments()
    name = "fasttext_quality" if options.architecture == "skipgram" else "fasttext_quality_cbow"
    asked = {
        "settings": SETTINGS | NGRAMS | {"negative": 5, "epochs": options.epochs, "architecture": options.architecture},
        "seeds": options.seeds,
        "corpus bytes": options.corpus.stat().st_size,
    }
    runs = earlier_runs(name, asked) if options.only else {}
    runs |= {who: [] for who in options.only or WHO}
    with tempfile.TemporaryDirectory() as folder:
        tokens = Path(folder) / "tokens.txt"
        write_tokens(options.corpus, tokens)
        for seed in range(1, options.seeds + 1):
            for who in options.only or WHO:
                runs[who].append(quality(trained(who, tokens, seed, options), options.evaluation))
                write(name, report_of(runs, asked, options))  # what is there is not lost if the rest is stopped


def report_of(runs: Runs, asked: dict[str, Any], options: argparse.Namespace) -> dict[str, Any]:
    """Return means and differences of the runs that are done."""
    mean = {who: {m: statistics.mean(run[m] for run in done) for m in MEASURES} for who, done in runs.items() if done}
    above = {
        f"points above {other}": {m: 100 * (mean["daneo"][m] - mean[other][m]) for m in MEASURES}
        for other in WHO[1:]
        if {"daneo", other} <= mean.keys()
    }
    return {
        "machine": machine(options.threads) | {"threads of fastText": FACEBOOK_THREADS},
        "versions": versions("daneo", "numpy", "numba"),
        **asked,
        "mean": mean,
        **above,
        "runs": runs,
    }


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, required=True, help="plain text, a document a line")
    parser.add_argument("--evaluation", type=Path, required=True, help="has questions-words.txt and the two word sets")
    parser.add_argument("--fasttext", type=Path, help="Facebook's program, built with -O3 -march=native")
    parser.add_argument("--architecture", default="skipgram", choices=("skipgram", "cbow"))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2, help="of daneo")
    parser.add_argument("--only", nargs="+", choices=WHO, help="train these again, take the others from the last time")
    options = parser.parse_args()
    if options.fasttext is None and "fastText" in (options.only or WHO):
        parser.error("--fasttext PROGRAM is needed, or --only without fastText")
    return options


def earlier_runs(name: str, asked: dict[str, Any]) -> Runs:
    """Return the runs of the last time, if there was one; they must have been of the same kind."""
    path = RESULTS / f"{name}.json"
    if not path.exists():
        return {}
    before = json.loads(path.read_text(encoding="utf-8"))
    different = [key for key, value in asked.items() if before[key] != value]
    if different:
        raise SystemExit(f"{name}.json has other {', '.join(different)}. Run without --only.")
    return before["runs"]


def trained(who: str, tokens: Path, seed: int, options: argparse.Namespace) -> daneo.WordVectors:
    """Train one model; the words and their order are the same for all."""
    if who == "fastText":
        return facebook_vectors(tokens, seed, options)
    settings = SETTINGS | {"epochs": options.epochs, "seed": seed, "num_threads": options.threads}
    settings["architecture"] = options.architecture
    model = daneo.FastText(**settings, **NGRAMS) if who == "daneo" else daneo.Word2Vec(**settings)
    return model.fit(daneo.Corpus(tokens, tokenizer="whitespace")).vectors


def facebook_vectors(tokens: Path, seed: int, options: argparse.Namespace) -> daneo.WordVectors:
    """Train with Facebook's program; without its word for the end of a line, in the order of our words."""
    output = tokens.with_suffix(".facebook")
    flags = facebook_flags(tokens, output, epochs=options.epochs, threads=FACEBOOK_THREADS)
    run_program(options.fasttext, f"{options.architecture} {flags} -seed {seed}")
    written = [output.with_suffix(f"{output.suffix}{ending}") for ending in (".vec", ".bin")]
    vectors = daneo.WordVectors.load(written[0])
    words = daneo.Vocabulary.build(daneo.Corpus(tokens, tokenizer="whitespace"), min_count=SETTINGS["min_count"]).words
    if different := set(vectors.words) ^ {*words, "</s>"}:
        raise RuntimeError(f"The words are not the same: {sorted(different)[:10]}.")
    vectors = daneo.WordVectors(words, vectors[words])
    for path in written:
        path.unlink()
    return vectors


def quality(vectors: daneo.WordVectors, folder: Path) -> dict[str, float]:
    """Return the five figures."""
    answered = vectors.evaluate_analogies(folder / "questions-words.txt", restrict_vocab=FIRST_WORDS)
    sections = (answered.semantic, answered.syntactic, answered.total)
    pairs = (vectors.evaluate_similarities(folder / f"{name}") for name in ("wordsim353.tsv", "simlex999.txt"))
    figures = (*(section.accuracy for section in sections), *(result.spearman for result in pairs))
    return dict(zip(MEASURES, figures, strict=True))


if __name__ == "__main__":
    main()
