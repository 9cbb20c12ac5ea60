"""What FastText's words are made of, what their rows begin as, and the pieces in which a text is trained."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from daneo.embeddings import fasttext_parts
from daneo.embeddings.fasttext_parts import (
    PartRows,
    Parts,
    first_rows,
    grown_rows,
    parts_of,
    pieces_of,
)
from daneo.embeddings.rows import ChosenRows
from daneo.embeddings.subwords.subwords import Subwords

WORDS = ["the", "sea", "seaside", "</s>", "a", "바다", "é" * 9]
SUBWORDS = Subwords(min_ngram=2, max_ngram=4, num_buckets=50)


def buckets_by_word(parts: Parts) -> list[list[int]]:
    """The buckets that each word's parts stand for."""
    rows = [parts.rows[start:stop] for start, stop in zip(parts.starts, parts.starts[1:], strict=False)]
    assert [row[0] for row in rows] == list(range(len(rows)))  # a word's own row comes first
    return [parts.buckets[row[1:] - len(rows)].tolist() for row in rows]


@pytest.mark.parametrize("num_threads", [1, 2])
@pytest.mark.parametrize("subwords", [SUBWORDS, Subwords(num_buckets=1), Subwords(kind="jamo", num_buckets=10**6)])
def test_a_word_is_made_of_its_own_row_and_of_its_ngrams(subwords: Subwords, num_threads: int) -> None:
    parts = parts_of(WORDS, subwords, num_threads=num_threads)
    expected = [subwords.buckets(word).tolist() for word in WORDS]
    assert buckets_by_word(parts) == expected
    assert parts.buckets.tolist() == sorted({bucket for word in expected for bucket in word})
    assert (parts.num_words, parts.num_rows) == (len(WORDS), len(WORDS) + len(parts.buckets))
    assert (parts.starts.dtype, parts.rows.dtype, parts.buckets.dtype) == (np.int64, np.int32, np.int32)
    # The share by which parts change so that their mean changes by 1, though some are there twice.
    for share, buckets in zip(parts.shares, expected, strict=True):
        assert_allclose(share * (1 + sum(map(buckets.count, buckets))), 1 + len(buckets), rtol=1e-6)


@pytest.mark.parametrize(
    "subwords", [Subwords(num_buckets=0), Subwords(max_ngram=0), Subwords(min_ngram=30, max_ngram=40)]
)
def test_words_without_ngrams_are_themselves(subwords: Subwords) -> None:
    parts = parts_of(WORDS, subwords, num_threads=1)
    assert_array_equal(parts.starts, np.arange(len(WORDS) + 1))
    assert_array_equal(parts.rows, np.arange(len(WORDS)))
    assert len(parts.buckets) == 0


def test_more_parts_than_can_be_numbered_are_refused() -> None:
    class Endless(Subwords):
        def of_words(self, words: Sequence[str], *, num_threads: int | None = None) -> tuple[np.ndarray, np.ndarray]:
            return np.array([0, 2**31]), np.zeros(0, np.int32)

    with pytest.raises(ValueError, match=r"1 words have 2147483649 parts, .* Raise min_count or min_ngram, or lower"):
        parts_of(["sea"], Endless(), num_threads=1)


def test_buckets_that_no_word_uses_may_have_rows_too() -> None:
    also = np.arange(0, 50, 3, dtype=np.int32)
    alone, parts = parts_of(WORDS, SUBWORDS, num_threads=1), parts_of(WORDS, SUBWORDS, also=also, num_threads=1)
    assert buckets_by_word(parts) == buckets_by_word(alone)
    assert parts.buckets.tolist() == sorted({*also.tolist(), *alone.buckets.tolist()})
    assert parts.buckets.dtype == np.int32


def test_rows_begin_as_fasttexts() -> None:
    parts = parts_of(WORDS, SUBWORDS, num_threads=1)
    rows = first_rows(parts, 20, seed=3)
    assert rows.shape == (parts.num_rows + 1, 32)
    assert not rows[-1].any()
    assert not rows[:, 20:].any()
    # Uniform from -1/D to 1/D, of which the variance is a third.
    assert np.abs(rows).max() <= 1 / 20
    np.testing.assert_allclose((rows[:-1, :20] ** 2).mean(), 1 / 20**2 / 3, rtol=0.1)
    assert_array_equal(rows, first_rows(parts, 20, seed=3))
    for other in (first_rows(parts, 20, seed=4), first_rows(parts, 20, seed=3, first=2)):
        assert len(np.unique(np.vstack([rows[:-1, :20], other[:-1, :20]]), axis=0)) == 2 * parts.num_rows


@pytest.mark.parametrize("vector_size", [5, 16])
@pytest.mark.parametrize("lazy", [False, True])
def test_grown_rows_are_the_old_ones_and_new_ones(
    monkeypatch: pytest.MonkeyPatch, lazy: bool, vector_size: int
) -> None:
    monkeypatch.setattr(fasttext_parts, "_ROWS_AT_ONCE", 3)
    old = parts_of(WORDS[:3], SUBWORDS, num_threads=1)
    before = np.random.default_rng(0).standard_normal((old.num_rows, vector_size)).astype(np.float32)
    own, ngrams = before[:3], before[3:]
    parts = parts_of(WORDS, SUBWORDS, also=old.buckets, num_threads=1)
    given = [ChosenRows(rows, range(len(rows))) if lazy else rows for rows in (own, ngrams)]
    rows = grown_rows(old.buckets, given[0], given[1], parts, vector_size, seed=1)
    assert rows.shape == (parts.num_rows + 1, 16)
    is_old = np.isin(parts.buckets, old.buckets)
    assert 0 < is_old.sum() < len(is_old)
    assert_array_equal(rows[:3, :vector_size], own)
    assert_array_equal(rows[len(WORDS) : -1, :vector_size][is_old], ngrams)
    new = np.vstack([rows[3 : len(WORDS)], rows[len(WORDS) : -1][~is_old]])[:, :vector_size]
    assert len(np.unique(new, axis=0)) == len(new)
    assert np.abs(new).min() > 0
    assert np.abs(new).max() <= 1 / vector_size
    # What comes in later does not begin where the first words began.
    assert not np.isin(new, first_rows(parts, vector_size, seed=1)[:, :vector_size]).any()
    assert not rows[-1].any()
    assert not rows[:, vector_size:].any()


@settings(deadline=None, max_examples=100)
@given(lengths=st.lists(st.integers(0, 30), max_size=30), piece=st.integers(1, 20))
def test_every_word_is_in_one_piece(lengths: list[int], piece: int) -> None:
    ends = np.cumsum(lengths, dtype=np.int64)
    pieces = [(first, stops.tolist()) for first, stops in pieces_of(ends, piece)]
    assert all(0 <= stops[-1] <= piece and stops == sorted(stops) for _, stops in pieces)
    # Pieces lie one after the other, and cover the text.
    assert [first for first, _ in pieces] == [0, *(first + stops[-1] for first, stops in pieces)][: len(pieces)]
    cuts = [first + stop for first, stops in pieces for stop in stops]
    assert cuts[-1:] == ends[-1:].tolist()
    # They end where a document ends; only a document longer than a piece is cut.
    assert set(ends.tolist()) <= set(cuts)
    starts = ends - lengths
    for cut in set(cuts) - set(ends.tolist()):
        document = int(np.searchsorted(ends, cut, side="right"))
        assert lengths[document] > piece
        assert (cut - starts[document]) % piece == 0
    # None is shorter than it must be: the next document would not have fitted.
    for first, stops in pieces:
        following = ends[np.searchsorted(ends, first + stops[-1], side="right") :][:1]
        assert not len(following) or following[0] > first + piece or (first + stops[-1] not in ends)


def test_threads_have_means_of_their_own() -> None:
    parts = parts_of(WORDS, SUBWORDS, num_threads=1)
    rows = PartRows(parts, first_rows(parts, 16, 1), None, piece=4, num_threads=2)
    before = rows.rows.copy()
    pieces = []
    for thread in range(2):
        kept = np.array([0, 1, 2, 1], np.int32)
        pieces.append((running := rows.pieces(thread, kept, np.array([4])), next(running)))
    (first, (_, _, means, row_of, _, _)), (second, (_, _, other, _, _, _)) = pieces
    assert_array_equal(means, other)
    means[row_of[1]] += 1
    other[row_of[2]] += 2
    assert next(first, None) is None
    assert next(second, None) is None
    # Both have given their changes: to each part of word 1 a one, of word 2 a two, with the words' shares.
    expected = before.astype(np.float64)
    for word in (1, 2):
        np.add.at(expected, parts.rows[parts.starts[word] : parts.starts[word + 1]], word * parts.shares[word])
    np.testing.assert_allclose(rows.rows, expected, rtol=0, atol=1e-5)
