"""Rows of n-grams: which there are, and the mean of those of a word."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from daneo.embeddings.subwords import ngram_vectors
from daneo.embeddings.subwords.ngram_vectors import NgramVectors
from daneo.embeddings.subwords.subwords import Subwords

SMALL = Subwords(min_ngram=2, max_ngram=3, num_buckets=50)


def rows(count: int, size: int = 3) -> np.ndarray:
    return np.random.default_rng(count).standard_normal((count, size)).astype(np.float32)


@settings(deadline=None)
@given(
    kept=st.sets(st.integers(0, 49)),
    wanted=st.lists(st.integers(0, 49), max_size=20),
    many=st.booleans(),
)
def test_rows_of_buckets(kept: set[int], wanted: list[int], many: bool) -> None:
    ngrams = NgramVectors(SMALL, rows(len(kept)), sorted(kept))
    place = {bucket: row for row, bucket in enumerate(sorted(kept))}
    repeats = 1 + ngram_vectors._MANY if many else 1  # many are looked up in a table
    found = ngrams.rows_of(np.array(wanted * repeats, dtype=np.int32))
    assert found.dtype == np.int64
    assert found.tolist() == [place.get(bucket, -1) for bucket in wanted] * repeats
    assert NgramVectors(SMALL, rows(50)).rows_of(wanted).tolist() == wanted


@settings(deadline=None)
@given(
    word=st.text(max_size=12),
    kept=st.none() | st.sets(st.integers(0, 49)),
    count_missing=st.booleans(),
)
def test_a_word_is_the_mean_of_its_ngrams(word: str, kept: set[int] | None, count_missing: bool) -> None:
    matrix = rows(50 if kept is None else len(kept))
    ngrams = NgramVectors(SMALL, matrix, None if kept is None else sorted(kept), count_missing=count_missing)
    place = {bucket: row for row, bucket in enumerate(sorted(range(50) if kept is None else kept))}
    parts = [matrix[place[b]] if b in place else np.zeros(3) for b in SMALL.buckets(word).tolist()]
    if not count_missing:
        parts = [matrix[place[b]] for b in SMALL.buckets(word).tolist() if b in place]
    want = np.mean(parts, axis=0) if parts else np.zeros(3)
    assert ngrams.vector(word).dtype == np.float32
    assert_allclose(ngrams.vector(word), want, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("count_missing", [False, True])
@pytest.mark.parametrize("kept", [None, [], [3, 20, 44]])
def test_many_words_are_as_one_by_one(
    kept: list[int] | None, count_missing: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    matrix = rows(50 if kept is None else len(kept))
    ngrams = NgramVectors(SMALL, matrix, kept, count_missing=count_missing)
    words = ["", "</s>", "sea", "바다", "banana", "a"] * 3
    want = [ngrams.vector(word) for word in words]
    assert_array_equal(ngrams.vectors(words), want)
    assert ngrams.vectors([]).shape == (0, 3)
    monkeypatch.setattr(ngram_vectors, "FEW_WORDS", 0)
    monkeypatch.setattr(ngram_vectors, "_WORDS_AT_ONCE", 7)
    assert_array_equal(ngrams.vectors(words), want)
    assert_array_equal(ngrams.means(words, None), want)


def test_repeated_ngrams_count_as_often_as_they_occur() -> None:
    subwords = Subwords(min_ngram=2, max_ngram=2, num_buckets=1000)
    (an,) = set(subwords.buckets("banana")[[2, 4]].tolist())
    ngrams = NgramVectors(subwords, np.array([[7]], dtype=np.float32), [an])
    assert subwords.ngrams("banana") == ["<b", "ba", "an", "na", "an", "na", "a>"]
    assert ngrams.vector("banana").tolist() == [np.float32(14 / 7)]
    assert NgramVectors(subwords, ngrams.rows, [an], count_missing=False).vector("banana").tolist() == [7]


@pytest.mark.parametrize("word", ["", "</s>", "no"])
def test_words_without_ngrams_are_zero(word: str) -> None:
    subwords = Subwords(min_ngram=5, max_ngram=6, num_buckets=10)
    assert NgramVectors(subwords, rows(10)).vector(word).tolist() == [0, 0, 0]
    assert NgramVectors(Subwords(num_buckets=0), rows(0)).vector("word").tolist() == [0, 0, 0]


def test_attributes() -> None:
    matrix = rows(3)
    ngrams = NgramVectors(SMALL, matrix, [1, 2, 40], count_missing=False)
    assert (ngrams.subwords, ngrams.rows is matrix, ngrams.count_missing) == (SMALL, True, False)
    assert (len(ngrams), ngrams.vector_size) == (3, 3)
    assert repr(ngrams) == "<NgramVectors: 3 rows, 3 dimensions>"
    assert ngrams.buckets is not None
    assert ngrams.buckets.dtype == np.int32
    assert_array_equal(ngrams.buckets, [1, 2, 40])


@pytest.mark.parametrize(
    ("count", "buckets", "complaint"),
    [
        (49, None, "a row for each of 50 buckets, got 49 rows"),
        (2, [3], r"whole numbers of shape \(2,\).*got int64 of shape \(1,\)"),
        (2, [[3], [4]], r"got int64 of shape \(2, 1\)"),
        (2, [0.0, 1.0], "got float64"),
        (2, [1, 1], "from 0 to 49 that rise"),
        (2, [2, 1], "from 0 to 49 that rise"),
        (2, [-1, 1], "from 0 to 49 that rise"),
        (2, [1, 50], "from 0 to 49 that rise"),
        (2, np.array([0, 2**63], dtype=np.uint64), "from 0 to 49 that rise"),
    ],
)
def test_what_does_not_fit(count: int, buckets: list[int] | None, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        NgramVectors(SMALL, rows(count), buckets)
    with pytest.raises(ValueError, match=r"shape \(U, D\), got \(50,\)"):
        NgramVectors(SMALL, rows(50)[:, 0])
