"""Phrases against gensim's: learning them from a file, and joining them in token lists. Both use one thread.

The file holds a document a line, its tokens divided by spaces; both sides read the same tokens with min_count 5 and the
score of word2phrase, and must find the same phrases.

    python benchmarks/corpus/phrases.py --corpus enwiki.tokens.txt
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from importlib.metadata import version
from itertools import islice
from pathlib import Path

import gensim.models.phrases

import daneo

RESULTS = Path(__file__).parents[1] / "results"
MIN_COUNT = 5
# gensim takes a token of the text that holds the delimiter, such as formula_1, for that phrase; no text holds this.
DELIMITER = "\u241f"


class Lines:
    """Token lists of a file, without the limit of 10,000 tokens a line that gensim's own reader has."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __iter__(self) -> Iterator[list[str]]:
        with open(self.path, encoding="utf-8") as file:
            for line in file:
                yield line.split()


def word2phrase_score(worda_count, wordb_count, bigram_count, len_vocab, min_count, corpus_word_count):
    return (bigram_count - min_count) / (worda_count * wordb_count) * corpus_word_count


def seconds(function: Callable[[], object], runs: int) -> list[float]:
    taken = []
    for _ in range(runs):
        began = time.perf_counter()
        function()
        taken.append(time.perf_counter() - began)
    return taken


def figures(ours: list[float], theirs: list[float], num_words: int) -> dict[str, object]:
    return {
        "daneo_seconds": [round(one, 3) for one in ours],
        "gensim_seconds": [round(one, 3) for one in theirs],
        "daneo_words_per_second": round(num_words / statistics.median(ours)),
        "gensim_words_per_second": round(num_words / statistics.median(theirs)),
        "ratio": round(statistics.median(theirs) / statistics.median(ours), 2),
    }


def processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []:
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor()


def measure(corpus: str, threshold: float, runs: int) -> dict[str, object]:
    def learn_ours() -> daneo.Phrases:
        return daneo.Phrases.learn(
            daneo.Corpus(corpus, "whitespace"),
            min_count=MIN_COUNT,
            threshold=threshold,
            delimiter=DELIMITER,
            num_threads=1,
        )

    def learn_theirs() -> gensim.models.phrases.Phrases:
        return gensim.models.phrases.Phrases(
            Lines(corpus),
            min_count=MIN_COUNT,
            threshold=threshold,
            scoring=word2phrase_score,
            delimiter=DELIMITER,
            max_vocab_size=10**9,
        )

    ours, theirs = learn_ours(), learn_theirs()  # the warm-up
    frozen = theirs.freeze()
    if {DELIMITER.join(phrase) for phrase in ours.scores} != frozen.phrasegrams.keys():
        raise SystemExit("The two found different phrases, so their times cannot be compared.")
    texts = list(islice(Lines(corpus), 20_000))
    if [ours(text) for text in texts] != [frozen[text] for text in texts]:
        raise SystemExit("The two joined different phrases, so their times cannot be compared.")
    num_joined = sum(map(len, texts))
    return {
        "what": "learning phrases from a file, and joining them in token lists; one thread",
        "corpus": {"name": Path(corpus).name, "bytes": os.path.getsize(corpus), "words": theirs.corpus_word_count},
        "settings": {"min_count": MIN_COUNT, "threshold": threshold, "scoring": "word2phrase", "runs": runs},
        "num_phrases": len(ours),
        "learn": figures(seconds(learn_ours, runs), seconds(learn_theirs, runs), theirs.corpus_word_count),
        "join": figures(
            seconds(lambda: [ours(text) for text in texts], runs),
            seconds(lambda: [frozen[text] for text in texts], runs),
            num_joined,
        ),
        "versions": {name: version(name) for name in ("gensim", "numpy", "numba")}
        | {"daneo": daneo.__version__, "python": platform.python_version()},
        "machine": {"processor": processor(), "cores": os.cpu_count(), "system": platform.system()},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", required=True, help="text, a document a line, tokens divided by spaces")
    parser.add_argument("--lines", type=int, help="use only so many lines")
    parser.add_argument("--threshold", type=float, default=100.0)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--output", type=Path, default=RESULTS / "phrases.json")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        corpus = options.corpus
        if options.lines:
            corpus = str(Path(folder) / Path(options.corpus).name)
            with open(options.corpus, encoding="utf-8") as full, open(corpus, "w", encoding="utf-8") as part:
                part.writelines(islice(full, options.lines))
        result = measure(corpus, options.threshold, options.runs)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=2, ensure_ascii=False))


if __name__ == "__main__":
    main()
