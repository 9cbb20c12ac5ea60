"""Four kinds of vectors from one text, and what each is good at: word2vec, FastText, GloVe, PPMI and its SVD.

All learn from the same tokens and the same words, 100 numbers each, one seed. Measured are:

sets         analogies among the first 30,000 words, by kind; Spearman's correlation with WordSim-353 and SimLex-999
rare words   of some frequent words a few occurrences get a name of their own, the word's letters in reverse, before
             anything learns: the share of these names that have the true word among their ten nearest, by how often
             the name stands in the text
misspelt     two neighbouring letters of a word that was learned are swapped: the share of these spellings that have
             the true word among their ten nearest
processor    seconds of all cores from text to vectors, counting included, compiling left out. They depend less on what
             else runs than the clock's seconds do, and still do: take the ratios, roughly
bytes        of the files: of the vectors, and of the whole model, with what training on or other questions need

Beside them, the neighbours of some words, and for each two kinds the share of the ten nearest words that they have in
common, mean of the 5,000 most frequent words. Writes benchmarks/results/four_kinds.json.

    python benchmarks/embeddings/four_kinds.py --corpus enwiki.txt --evaluation folder
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from report import machine, versions, write

import daneo
from daneo.embeddings import compare

SETTINGS = {"vector_size": 100, "min_count": 5, "seed": 1}
KINDS: dict[str, tuple[Any, dict[str, Any]]] = {
    "word2vec": (daneo.Word2Vec, {"window": 5, "epochs": 5}),
    "FastText": (daneo.FastText, {"window": 5, "epochs": 5}),
    "GloVe": (daneo.GloVe, {"window": 10, "epochs": 25}),
    "PPMI": (daneo.PPMI, {}),
}
TIMES_SEEN = (10, 30, 100)
NUM_RENAMED = 200  # for each of these
NUM_MISSPELT = 1_000
FIRST_WORDS = 30_000
SHOWN = ("king", "guitar", "frog", "walked", "quickly", "bank", "seoul", "evolution", "two", "violin", "iceland")
SHOWN_MISSPELT = ("guittar", "evoluton", "walkedd", "unbankable", "kingliest")

Vectors = daneo.WordVectors | daneo.SparseVectors
Names = dict[int, dict[str, str]]  # times seen -> name -> true word


def main() -> None:
    """Measure and write the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, required=True, help="plain text, a document a line")
    parser.add_argument("--evaluation", type=Path, required=True, help="has questions-words.txt and the two word sets")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        tokens = Path(folder) / "tokens.txt"
        names = write_tokens(options.corpus, tokens)
        corpus = daneo.Corpus(tokens, tokenizer="whitespace")
        spelt: dict[str, str] = {}
        learned: dict[str, daneo.WordVectors] = {}
        report: dict[str, Any] = {
            "machine": machine(options.threads),
            "versions": versions("daneo", "numpy", "scipy", "numba"),
            "settings": SETTINGS,
            "text": about(corpus),
        }
        for kind, (trainer, settings) in KINDS.items():
            trainer(**SETTINGS | settings, num_threads=options.threads).fit(warm_up())
            started = time.process_time()
            model = trainer(**SETTINGS | settings, num_threads=options.threads).fit(corpus)
            seconds = time.process_time() - started
            spelt = spelt or misspelt(model.vectors)
            report[kind] = {
                "settings": settings,
                "processor": seconds,
                **measured(model.vectors, names, spelt, options.evaluation),
                "bytes": {"vectors": saved(model.vectors), "model": saved(model)},
            }
            if isinstance(model, daneo.PPMI):
                report["PPMI, sparse rows"] = measured(model.sparse, names, spelt, options.evaluation)
                report["PPMI, sparse rows"]["bytes"] = {"vectors": saved(model.sparse)}
                report["PPMI, sparse rows"]["contexts"] = {
                    word: [context for context, _ in model.sparse.strongest_contexts(word)]
                    for word in SHOWN
                    if word in model.sparse
                }
            for before, vectors in learned.items():
                in_common = compare(vectors, model.vectors, num_words=5_000, most=0).overlap
                report.setdefault("neighbours in common", {})[f"{before}, {kind}"] = in_common
            learned[kind] = model.vectors
            write("four_kinds", report)  # what is there is not lost if the rest is stopped


def write_tokens(corpus: Path, tokens: Path) -> Names:
    """Cut the text once, so that all get the same tokens, and give some occurrences a name of their own."""
    words = daneo.Vocabulary.build(daneo.Corpus(corpus), min_count=SETTINGS["min_count"])
    rng = np.random.default_rng(1)
    counts = dict(zip(words.words, words.counts.tolist(), strict=True))
    names = chosen(counts, rng)
    renamed = {
        word: (name, set(rng.choice(counts[word], times, replace=False).tolist()))
        for times, of in names.items()
        for name, word in of.items()
    }
    seen = dict.fromkeys(renamed, 0)
    with tokens.open("w", encoding="utf-8") as file:
        for document in daneo.Corpus(corpus):
            for i, token in enumerate(document):
                if token in renamed:
                    name, places = renamed[token]
                    if seen[token] in places:
                        document[i] = name
                    seen[token] += 1
            if document:
                file.write(" ".join(document) + "\n")
    return names


def warm_up() -> list[list[str]]:
    """Return a text that is enough to compile on."""
    draw = np.random.default_rng(1)
    return [[f"word{i}" for i in draw.integers(300, size=30)] for _ in range(300)]


def chosen(counts: Mapping[str, int], rng: np.random.Generator) -> Names:
    """Draw frequent words and name each by its letters in reverse, where that is no word."""
    candidates = [
        word
        for word, count in counts.items()
        if 1_000 <= count <= 20_000 and len(word) >= 5 and word.isalpha() and word[::-1] not in counts
    ]
    drawn: Iterator[str] = iter(rng.permutation(candidates).tolist())
    return {
        times: {word[::-1]: word for word, _ in zip(drawn, range(NUM_RENAMED), strict=False)} for times in TIMES_SEEN
    }


def about(corpus: daneo.Corpus) -> dict[str, int]:
    """Return how many words there are, and how many come too rarely to get a vector."""
    every = daneo.Vocabulary.build(corpus, min_count=1)
    enough = every.counts >= SETTINGS["min_count"]
    return {
        "words": int(every.counts.sum()),
        "different words": len(every),
        "different words with a vector": int(enough.sum()),
        "words without a vector": int(every.counts[~enough].sum()),
    }


def misspelt(vectors: daneo.WordVectors) -> dict[str, str]:
    """Swap two neighbouring letters of words, so that no word comes out that there is."""
    rng = np.random.default_rng(1)
    spelt: dict[str, str] = {}
    candidates = [word for word in vectors.words[:10_000] if len(word) >= 5 and word.isalpha()]
    for word in rng.permutation(candidates).tolist():
        place = int(rng.integers(len(word) - 1))
        wrong = word[:place] + word[place + 1] + word[place] + word[place + 2 :]
        if wrong not in vectors and len(spelt) < NUM_MISSPELT:
            spelt[wrong] = word
    return spelt


def measured(vectors: Vectors, names: Names, spelt: Mapping[str, str], folder: Path) -> dict[str, Any]:
    """Return every figure of one kind of vectors."""
    analogies = vectors.evaluate_analogies(folder / "questions-words.txt", restrict_vocab=FIRST_WORDS)
    takes_all = isinstance(vectors, daneo.SubwordVectors)
    shown = [word for word in SHOWN if word in vectors] + [*(SHOWN_MISSPELT if takes_all else ())]
    near = vectors.most_similar(shown, topn=6)
    return {
        "analogies": analogies.accuracy,
        "semantic": analogies.semantic.accuracy,
        "syntactic": analogies.syntactic.accuracy,
        "WordSim-353": vectors.evaluate_similarities(folder / "wordsim353.tsv").spearman,
        "SimLex-999": vectors.evaluate_similarities(folder / "simlex999.txt").spearman,
        "rare words": {f"seen {times} times": found(vectors, of) for times, of in names.items()},
        "misspelt": found(vectors, spelt) if takes_all else 0.0,
        "near": {word: [other for other, _ in of] for word, of in zip(shown, near, strict=True)},
    }


def found(vectors: Vectors, meant: Mapping[str, str]) -> float:
    """Return the share of spellings that have the meant word among their ten nearest."""
    near = vectors.most_similar(list(meant), topn=10)
    return statistics.mean(word in {other for other, _ in of} for word, of in zip(meant.values(), near, strict=True))


def saved(model: Any) -> int:
    """Return the bytes of all files of what is saved."""
    with tempfile.TemporaryDirectory() as folder:
        model.save(Path(folder) / "saved")
        return sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())


if __name__ == "__main__":
    main()
