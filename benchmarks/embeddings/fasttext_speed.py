"""Training speed of FastText: daneo against gensim and Facebook's program, and against daneo's word2vec, in turns.

Rates are words of the text a second on the same tokens, n-grams of 3 to 6 characters. Left out for all: reading the
vocabulary, hashing its n-grams, filling the matrices, writing the result, compiling. Facebook's program counts the
words that it has kept and the ends of lines; its rate is turned into words of the text, which favours it by some
percent. (With fewer than ten threads it fills only a part of its matrix. That spoils what it learns, not its speed;
fasttext_quality.py runs it with ten.) Writes benchmarks/results/fasttext.json. The script is not called fasttext.py
because the others in this folder could then not import the package of that name.

    python benchmarks/embeddings/fasttext_speed.py --corpus enwiki.txt --fasttext ./fasttext
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from gensim.models import FastText as GensimFastText
from report import machine, spread, versions, write
from word2vec import SETTINGS, run_program, write_tokens

import daneo
from daneo.progress import Progress

NGRAMS = {"min_ngram": 3, "max_ngram": 6, "num_buckets": 2_000_000}
ARCHITECTURES = ("skipgram", "cbow")


def main() -> None:
    """Measure and write the result."""
    options = arguments()
    with tempfile.TemporaryDirectory() as folder:
        tokens = Path(folder) / "tokens.txt"
        num_words = write_tokens(options.corpus, tokens)
        report: dict[str, Any] = {
            "machine": machine(options.threads),
            "versions": versions("daneo", "gensim", "numpy", "numba"),
            "settings": SETTINGS | NGRAMS | {"negative": 5, "loss": "negative_sampling"},
            "words": num_words,
        }
        for architecture in options.architectures:
            warm_up(architecture)
        for architecture in options.architectures:
            report[architecture] = compare(tokens, num_words, architecture, options)
        report["thread scaling, 1 to 2"] = {
            architecture: scaling(tokens, num_words, architecture, options.runs)
            for architecture in options.architectures
        }
    write("fasttext", report)


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, required=True, help="plain text, a document a line")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--architectures", nargs="+", default=ARCHITECTURES, choices=ARCHITECTURES)
    parser.add_argument("--fasttext", type=Path, help="Facebook's program, built with -O3 -march=native")
    return parser.parse_args()


def compare(tokens: Path, num_words: int, architecture: str, options: argparse.Namespace) -> dict[str, Any]:
    """Train an epoch with everybody in turns; return the rates, and daneo's FastText over each of the others."""
    rates: dict[str, list[float]] = {}
    known = known_words(tokens)
    for _ in range(options.runs):
        turn = {
            "daneo": daneo_rate(daneo.FastText, tokens, num_words, architecture, options.threads),
            "daneo word2vec": daneo_rate(daneo.Word2Vec, tokens, num_words, architecture, options.threads),
            "gensim": gensim_rate(tokens, num_words, architecture, options.threads),
        }
        if options.fasttext is not None:
            share = num_words / known
            turn["fastText"] = share * facebook_rate(tokens, architecture, options)
        for who, rate in turn.items():
            rates.setdefault(who, []).append(rate)
    ours = rates["daneo"]
    over = {
        f"ratio to {who}": spread([a / b for a, b in zip(ours, theirs, strict=True)])
        for who, theirs in rates.items()
        if who != "daneo"
    }
    return {who: spread(values) for who, values in rates.items()} | over


def warm_up(architecture: str) -> None:
    """Compile what is measured."""
    for trainer, more in ((daneo.FastText, {"num_buckets": 1000}), (daneo.Word2Vec, {})):
        settings = SETTINGS | {"sample": 0.0} | more
        trainer(**settings, architecture=architecture, epochs=1, num_threads=1).fit(["a b c d e f g"] * 1000)


def daneo_rate(trainer: Any, tokens: Path, num_words: int, architecture: str, threads: int) -> float:
    """Train one epoch; return words a second."""
    seconds = []

    def note(progress: Progress) -> None:
        if progress.stage == "training":
            seconds.append(progress.seconds)

    ngrams = NGRAMS if trainer is daneo.FastText else {}
    model = trainer(**SETTINGS, **ngrams, architecture=architecture, epochs=1, num_threads=threads)
    model.fit(daneo.Corpus(tokens, tokenizer="whitespace"), progress=note)
    return num_words / seconds[-1]


def gensim_rate(tokens: Path, num_words: int, architecture: str, threads: int) -> float:
    """Train one epoch with gensim, from the file as it does fastest; return words a second."""
    model = GensimFastText(
        **SETTINGS,
        min_n=NGRAMS["min_ngram"],
        max_n=NGRAMS["max_ngram"],
        bucket=NGRAMS["num_buckets"],
        sg=int(architecture == "skipgram"),
        negative=5,
        workers=threads,
    )
    model.build_vocab(corpus_file=str(tokens))
    start = time.perf_counter()
    model.train(
        corpus_file=str(tokens), total_words=model.corpus_total_words, total_examples=model.corpus_count, epochs=1
    )
    return num_words / (time.perf_counter() - start)


def facebook_flags(tokens: Path, output: Path, *, epochs: int, threads: int) -> str:
    """Return the flags with which Facebook's program does what `SETTINGS` and `NGRAMS` say."""
    return (
        f"-input {tokens} -output {output} -dim {SETTINGS['vector_size']} -ws {SETTINGS['window']} -neg 5 -loss ns "
        f"-t {SETTINGS['sample']} -minCount {SETTINGS['min_count']} -minn {NGRAMS['min_ngram']} "
        f"-maxn {NGRAMS['max_ngram']} -bucket {NGRAMS['num_buckets']} -epoch {epochs} -thread {threads} -verbose 2"
    )


def facebook_rate(tokens: Path, architecture: str, options: argparse.Namespace) -> float:
    """Train one epoch with Facebook's program; return the rate that it reports, in the words that it counts."""
    output = tokens.with_suffix(".facebook")
    flags = facebook_flags(tokens, output, epochs=1, threads=options.threads)
    said = run_program(options.fasttext, f"{architecture} {flags}")
    for ending in (".bin", ".vec"):
        output.with_suffix(f"{output.suffix}{ending}").unlink()
    return float(re.findall(r"thread: +([\d.]+)", said)[-1]) * options.threads


def known_words(tokens: Path) -> int:
    """Count what Facebook's program counts in an epoch: words that are frequent enough, and ends of lines."""
    corpus = daneo.Corpus(tokens, tokenizer="whitespace")
    vocabulary = daneo.Vocabulary.build(corpus, min_count=SETTINGS["min_count"])
    with tokens.open("rb") as file:
        lines = sum(1 for _ in file)
    return int(vocabulary.counts.sum()) + lines


def scaling(tokens: Path, num_words: int, architecture: str, runs: int) -> dict[str, float]:
    """Return how much faster two threads are than one."""
    ratios = []
    for _ in range(runs):
        one, two = (daneo_rate(daneo.FastText, tokens, num_words, architecture, threads) for threads in (1, 2))
        ratios.append(two / one)
    return spread(ratios)


if __name__ == "__main__":
    main()
