"""Vectors with n-grams that several tests make smaller."""

from __future__ import annotations

import numpy as np
import pytest

from daneo import Vocabulary
from daneo.embeddings.subword_vectors import SubwordVectors
from daneo.embeddings.subwords.ngram_vectors import NgramVectors
from daneo.embeddings.subwords.subwords import Subwords
from daneo.embeddings.subwords.word_means import WordMeans

SIZE = 12


@pytest.fixture(scope="session")
def with_ngrams() -> SubwordVectors:
    """600 words of some twenty stems and as many endings, whose n-grams have random rows: frequent words first."""
    rng = np.random.default_rng(0)
    letters = list("abcdefghijklmnop")
    stems, endings = (["".join(rng.choice(letters, size)) for _ in range(25)] for size in (5, 3))
    words = [stem + ending for stem in stems for ending in endings]
    words = [words[place] for place in rng.permutation(len(words))[:600]]
    subwords = Subwords(min_ngram=2, max_ngram=4, num_buckets=3000)
    buckets = np.unique(subwords.of_words(words)[1])
    rows = rng.standard_normal((len(buckets), SIZE)).astype(np.float32)
    ngrams = NgramVectors(subwords, rows, buckets)
    own = rng.standard_normal((len(words), SIZE)).astype(np.float32)
    return SubwordVectors(Vocabulary(words, np.arange(len(words), 0, -1) * 3), WordMeans(own, words, ngrams), ngrams)
