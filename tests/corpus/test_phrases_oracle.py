"""Phrases against gensim's, which follow word2phrase too."""

from __future__ import annotations

import random

import pytest
from numpy.testing import assert_allclose

from daneo import Corpus, Phrases

gensim_phrases = pytest.importorskip("gensim.models.phrases", reason="needs gensim, the oracle")

PAIRS = [
    ("new", "york"),
    ("strong", "tea"),
    ("정말", "재미있어요"),
    ("bank", "of", "america"),
    ("end", "of", "the", "day"),
]
WORDS = [
    "the",
    "of",
    "a",
    "new",
    "tea",
    "york",
    "strong",
    "bank",
    "day",
    "end",
    "to",
    "in",
    "is",
    "was",
    "정말",
    "영화",
]
CONNECTORS = frozenset({"of", "the"})


def sentences(seed: int) -> list[list[str]]:
    generator = random.Random(seed)
    made = []
    for _ in range(400):
        pieces = [
            generator.choice(PAIRS) if generator.random() < 0.2 else (generator.choice(WORDS),) for _ in range(12)
        ]
        made.append([token for piece in pieces for token in piece])
    return made


def scored_as_word2phrase(worda_count, wordb_count, bigram_count, len_vocab, min_count, corpus_word_count):
    # gensim's own "default" has len_vocab here, where word2phrase has the number of tokens.
    return (bigram_count - min_count) / (worda_count * wordb_count) * corpus_word_count


@pytest.mark.parametrize("connectors", [frozenset(), CONNECTORS])
@pytest.mark.parametrize(
    ("scoring", "theirs", "min_count", "threshold"),
    [
        ("word2phrase", scored_as_word2phrase, 5, 2.5),
        ("word2phrase", scored_as_word2phrase, 1, 0.0),
        ("npmi", "npmi", 3, 0.2),
        ("npmi", "npmi", 1, -0.5),
    ],
)
@pytest.mark.parametrize("seed", [1, 2])
def test_same_scores_and_same_text(seed, connectors, scoring, theirs, min_count, threshold):
    texts = sentences(seed)
    oracle = gensim_phrases.Phrases(
        texts, min_count=min_count, threshold=threshold, scoring=theirs, connector_words=connectors, delimiter="+"
    )
    ours = Phrases.learn(
        Corpus(texts),
        min_count=min_count,
        threshold=threshold,
        scoring=scoring,
        connector_words=connectors,
        delimiter="+",
    )
    want = oracle.export_phrases()
    got = {"+".join(phrase): score for phrase, score in ours.scores.items()}
    assert len(want) >= 5
    assert got.keys() == want.keys()
    assert_allclose([got[phrase] for phrase in want], list(want.values()), rtol=1e-12)
    assert [ours(text) for text in texts] == [oracle[text] for text in texts]


def test_default_score_of_gensim_differs_by_a_constant():
    texts = sentences(3)
    oracle = gensim_phrases.Phrases(texts, min_count=5, threshold=0.5)
    ratio = oracle.corpus_word_count / len(oracle.vocab)
    ours = Phrases.learn(Corpus(texts), min_count=5, threshold=0.5 * ratio)
    want = oracle.export_phrases()
    assert {"_".join(phrase) for phrase in ours.scores} == want.keys()
    assert_allclose([ours.scores[tuple(phrase.split("_"))] for phrase in want], [s * ratio for s in want.values()])
