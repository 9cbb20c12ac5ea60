"""Korean word vectors: word2vec, FastText over characters and over jamo, on words and on morphemes, several seeds.

All train on the same text with the same settings. Measured are WordSim-353 in Korean (Spearman's correlation) and the
Korean analogies, both of Park et al. (2018), and how often a word with a typing error leads to the word that was meant:

known       the pairs whose words the tokenizer's vocabulary both holds, as evaluate_similarities takes them
shared      the pairs that all vocabularies hold, so that tokenizers can be compared
all         every pair; a word never seen has the vector of its n-grams, for word2vec none, and then likeness 0
all, cut    every pair; a word never seen is cut by the tokenizer, and is the mean of what that gives
typing      of words with one wrong jamo, none of them seen: the share whose first, or first ten, neighbours hold the
            word that was meant

The text is cut once by each tokenizer, which takes some minutes for the morphemes of 100 MB; the folder keeps
that, and the runs that are done, for a next time with the same code. Writes benchmarks/results/korean.json.

    python benchmarks/embeddings/korean.py --corpus kowiki.txt --evaluation folder --folder folder
"""

from __future__ import annotations

import argparse
import hashlib
import json
import statistics
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from report import machine, versions, write
from scipy import stats

import daneo
from daneo.corpus import hangul, tokenizers
from daneo.embeddings.similarity_sets import read_similarities

SETTINGS = {"min_count": 5, "window": 5, "sample": 1e-3, "negative": 5}
MODELS: dict[str, tuple[Callable[..., Any], dict[str, Any]]] = {
    "word2vec": (daneo.Word2Vec, {}),
    "FastText, 3 to 6 characters": (daneo.FastText, {}),
    "FastText, 1 to 4 characters": (daneo.FastText, {"min_ngram": 1, "max_ngram": 4}),
    "FastText, 3 to 5 jamo": (daneo.FastText, {"subwords": "jamo"}),
    "FastText, 4 to 8 jamo": (daneo.FastText, {"subwords": "jamo", "min_jamo": 4, "max_jamo": 8}),
}
TOKENIZERS = ("words", "korean")
NUM_ERRORS, FREQUENT = 500, 20_000

Pairs = list[tuple[str, str, float]]
Figures = dict[str, float | None]


def main() -> None:
    """Measure and write the result."""
    options = arguments()
    asked = {
        "settings": SETTINGS | {"epochs": options.epochs, "vector_size": options.vector_size},
        "corpus bytes": options.corpus.stat().st_size,
    }
    sources = sorted(Path(daneo.__file__).parent.glob("embeddings/**/*.py"))
    code = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()
    done = options.folder / "runs.json"
    kept = json.loads(done.read_text(encoding="utf-8")) if done.exists() else {}
    corpora = {name: daneo.Corpus(tokens(name, options), tokenizer="whitespace") for name in options.tokenizers}
    vocabularies = {name: daneo.Vocabulary.build(corpora[name], min_count=SETTINGS["min_count"]) for name in corpora}
    shared = set.intersection(*(set(vocabulary.words) for vocabulary in vocabularies.values()))
    runs: dict[str, dict[str, list[Figures]]] = {}
    for tokenizer, corpus in corpora.items():
        runs[tokenizer] = {model: [] for model in options.models}
        for seed in range(1, options.seeds + 1):
            for model in options.models:
                key = json.dumps([code, asked, sorted(corpora), tokenizer, MODELS[model][1], model, seed])
                if key not in kept:
                    kept[key] = measured(trained(model, corpus, seed, options), tokenizer, shared, options.evaluation)
                    done.write_text(json.dumps(kept, indent=1), encoding="utf-8")
                runs[tokenizer][model].append(kept[key])
    report: dict[str, Any] = {
        "machine": machine(options.threads),
        "versions": versions("daneo", "numpy", "numba", "kiwipiepy"),
        **asked,
        "models": {name: settings for name, (_, settings) in MODELS.items() if name in options.models},
        "text": {
            name: {"words": len(words), "tokens of these": int(words.counts.sum())}
            for name, words in vocabularies.items()
        },
        "mean": {tokenizer: {model: mean(of) for model, of in models.items()} for tokenizer, models in runs.items()},
        "runs": runs,
    }
    write("korean", report)


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, required=True, help="plain text, a document a line")
    parser.add_argument("--evaluation", type=Path, required=True, help="has WS353_korean.csv, word_analogy_korean.txt")
    parser.add_argument("--folder", type=Path, required=True, help="keeps the text as ids, and the runs that are done")
    parser.add_argument("--tokenizers", nargs="+", choices=TOKENIZERS, default=TOKENIZERS)
    parser.add_argument("--models", nargs="+", choices=MODELS, default=tuple(MODELS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--vector-size", type=int, default=100)
    parser.add_argument("--threads", type=int, default=2)
    return parser.parse_args()


def tokens(tokenizer: str, options: argparse.Namespace) -> Path:
    """Cut the text into tokens once, and write them with spaces between; one within a token becomes an underscore."""
    path = options.folder / f"{options.corpus.stem}-{options.corpus.stat().st_size}-{tokenizer}.txt"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".unfinished")
        with unfinished.open("w", encoding="utf-8") as file:
            for document in daneo.Corpus(options.corpus, tokenizer=tokenizer):
                if document:
                    file.write(" ".join(token.replace(" ", "_") for token in document) + "\n")
        unfinished.rename(path)
    return path


def trained(model: str, corpus: daneo.Corpus, seed: int, options: argparse.Namespace) -> daneo.WordVectors:
    """Train one model."""
    trainer, settings = MODELS[model]
    settings = SETTINGS | settings | {"vector_size": options.vector_size, "epochs": options.epochs}
    return trainer(**settings, seed=seed, num_threads=options.threads).fit(corpus).vectors


def measured(vectors: daneo.WordVectors, tokenizer: str, shared: set[str], folder: Path) -> Figures:
    """Return every figure of one model, and how many pairs and questions it is about."""
    path = folder / "WS353_korean.csv"
    pairs = read_similarities(path)
    takes_all = hasattr(vectors, "ngrams")
    known = vectors.evaluate_similarities(path)
    both_shared = [pair for pair in pairs if shared.issuperset(pair[:2])]
    answers = vectors.evaluate_analogies(folder / "word_analogy_korean.txt")
    cut = tokenizers.get(tokenizer)

    def whole(word: str) -> Any:
        return vectors[word] if word in vectors or takes_all else np.zeros(vectors.vector_size)

    def in_parts(word: str) -> Any:
        parts = [part for part in (part.replace(" ", "_") for part in cut(word)) if part in vectors or takes_all]
        return whole(word) if word in vectors or not parts else np.mean([vectors[part] for part in parts], axis=0)

    figures: Figures = {
        "WS353-ko, known": known.spearman,
        "WS353-ko, known: pairs": known.num_pairs,
        "WS353-ko, shared": spearman(both_shared, whole),
        "WS353-ko, shared: pairs": len(both_shared),
        "WS353-ko, all": spearman(pairs, whole),
        "WS353-ko, all, cut": spearman(pairs, in_parts),
        "WS353-ko, all: pairs": len(pairs),
    }
    for section in (answers.semantic, answers.syntactic):
        figures[f"analogies, {section.name}"] = section.accuracy if section.total else None
        figures[f"analogies, {section.name}: questions"] = section.total
    return figures | typing_errors(vectors) if takes_all else figures


def spearman(pairs: Pairs, vector_of: Callable[[str], Any]) -> float | None:
    """Correlate the cosines with the judgements, by rank; a word without a vector is like none."""
    if len(pairs) < 2:
        return None
    cosines = []
    for one, other, _ in pairs:
        a, b = vector_of(one), vector_of(other)
        lengths = np.linalg.norm(a) * np.linalg.norm(b)
        cosines.append(float(a @ b / lengths) if lengths else 0.0)
    return float(stats.spearmanr([score for *_, score in pairs], cosines).statistic)


def typing_errors(vectors: daneo.WordVectors) -> Figures:
    """Ask for the neighbours of frequent words, of which one jamo is wrong."""
    rng = np.random.default_rng(1)
    frequent = [word for word in vectors.words[:FREQUENT] if len(word) >= 3 and all("가" <= c <= "힣" for c in word)]
    meant = [str(word) for word in rng.choice(frequent, min(NUM_ERRORS, len(frequent)), replace=False)]
    known = set(vectors.words)
    asked = [misspelt(word, known, rng) for word in meant]
    found = [[word for word, _ in near] for near in vectors.most_similar(asked, topn=10)]
    share = {
        top: statistics.mean(word in near[:top] for word, near in zip(meant, found, strict=True)) for top in (1, 10)
    }
    return {"typing, first": share[1], "typing, first ten": share[10], "typing: words": len(meant)}


def misspelt(word: str, known: set[str], rng: np.random.Generator) -> str:
    """Put another lead, vowel or final consonant, or none, in the place of one, so that no known word comes out."""
    sizes = (len(hangul.LEADS), len(hangul.VOWELS), len(hangul.FINALS))
    while True:
        place, which = rng.integers(len(word)), rng.integers(3)
        jamo = list(np.unravel_index(ord(word[place]) - ord(hangul.FIRST_SYLLABLE), sizes))
        jamo[which] = rng.integers(sizes[which])
        syllable = chr(ord(hangul.FIRST_SYLLABLE) + int(np.ravel_multi_index(jamo, sizes)))
        wrong = word[:place] + syllable + word[place + 1 :]
        if wrong not in known:
            return wrong


def mean(runs: list[Figures]) -> Figures:
    """Average each figure over the seeds."""
    return {name: None if runs[0][name] is None else statistics.mean(run[name] for run in runs) for name in runs[0]}


if __name__ == "__main__":
    main()
