"""Which words and n-grams stay, by hand."""

from __future__ import annotations

import numpy as np
import pytest

import daneo
from daneo.embeddings.compression.pruning import KEPT_WEIGHT, most_frequent, most_useful, ngram_shares
from daneo.embeddings.subwords.ngram_vectors import NgramVectors
from daneo.embeddings.subwords.subwords import Subwords

# With n-grams of three letters: "ab" has <ab, ab>; "abc" has <ab, abc, bc>.
SUBWORDS = Subwords(min_ngram=3, max_ngram=3, num_buckets=100_003)
BUCKETS = {
    ngram: int(bucket)
    for word in ("ab", "abc")
    for ngram, bucket in zip(SUBWORDS.ngrams(word), SUBWORDS.buckets(word), strict=True)
}


def ngrams(lengths: dict[str, float]) -> tuple[NgramVectors, list[str]]:
    """Rows (length, 0) for some n-grams, and these by row."""
    order = sorted(lengths, key=lambda ngram: BUCKETS.get(ngram, 0))
    rows = np.array([[lengths[ngram], 0] for ngram in order], dtype=np.float32)
    return NgramVectors(SUBWORDS, rows, [BUCKETS.get(ngram, 0) for ngram in order]), order


def test_no_collisions_spoil_the_example() -> None:
    assert len(set(BUCKETS.values())) == len(BUCKETS) == 4
    assert 0 not in BUCKETS.values()


def test_shares_by_hand() -> None:
    vectors, order = ngrams({"<ab": 1, "ab>": 1, "bc>": 1, "unused": 1})  # abc has no row
    shares = dict(zip(order, ngram_shares(vectors, ["ab", "abc"], np.array([1.0, 0.5])), strict=True))
    assert shares == pytest.approx({"<ab": 1 / 3 + 0.5 / 4, "ab>": 1 / 3, "bc>": 0.5 / 4, "unused": 0})


def test_an_ngram_that_a_word_has_twice_counts_twice() -> None:
    buckets = SUBWORDS.buckets("aaaa")  # <aa, aaa, aaa, aa>
    vectors = NgramVectors(SUBWORDS, np.ones((1, 2), np.float32), [buckets[1]])
    assert ngram_shares(vectors, ["aaaa"], np.ones(1)).tolist() == [2 / 5]


EVEN = {"<ab": 1.0, "ab>": 1.0, "abc": 1.0, "bc>": 1.0}


@pytest.mark.parametrize(
    ("lengths", "kept", "num_ngrams", "want"),
    [
        (EVEN | {"unused": 9}, [0, 1], None, ["<ab", "ab>", "abc", "bc>", "unused"]),
        (EVEN | {"unused": 9}, [0, 1], 4, ["<ab", "ab>", "abc", "bc>"]),
        (EVEN, [0, 1], 9, ["<ab", "ab>", "abc", "bc>"]),
        (EVEN, [0, 1], 2, ["<ab", "ab>"]),  # a quarter of 7/12, 1/3, 1/4, 1/4
        (EVEN | {"abc": 2, "bc>": 3}, [0, 1], 2, ["<ab", "bc>"]),  # a quarter of 7/12, 1/3, 1/2, 3/4
        (EVEN, [0], 3, ["<ab", "abc", "bc>"]),  # "ab" is kept: ab> is worth 1/12
        (EVEN | {"<ab": 0}, [0], 2, ["abc", "bc>"]),  # a row of zeros is worth nothing
        (EVEN, [0], 0, []),
    ],
)
def test_the_most_useful_by_hand(
    lengths: dict[str, float], kept: list[int], num_ngrams: int | None, want: list[str]
) -> None:
    vectors, order = ngrams(lengths)
    rows = most_useful(vectors, ["ab", "abc"], np.array(kept), num_ngrams)
    assert sorted(order[row] for row in rows) == sorted(want)
    assert rows.tolist() == sorted(rows.tolist())
    assert KEPT_WEIGHT == 0.25


def test_rows_of_a_whole_table_that_no_word_uses_are_dropped() -> None:
    subwords = Subwords(min_ngram=3, max_ngram=3, num_buckets=50)
    whole = NgramVectors(subwords, np.ones((50, 2), np.float32))
    want = np.unique(subwords.of_words(["ab", "abc"])[1])
    assert most_useful(whole, ["ab", "abc"], np.array([0]), None).tolist() == want.tolist()
    assert set(most_useful(whole, ["ab", "abc"], np.array([0]), 2).tolist()) < set(want.tolist())


def test_many_words_and_rows_are_taken_block_by_block(monkeypatch: pytest.MonkeyPatch, with_ngrams) -> None:
    kept = np.arange(200)
    want = most_useful(with_ngrams.ngrams, with_ngrams.words, kept, 300)
    monkeypatch.setattr("daneo.embeddings.compression.pruning._WORDS_AT_ONCE", 7)
    monkeypatch.setattr("daneo.embeddings.compression.pruning._ROWS_AT_ONCE", 7)
    np.testing.assert_array_equal(most_useful(with_ngrams.ngrams, with_ngrams.words, kept, 300), want)


def test_a_row_that_is_not_finite() -> None:
    vectors, order = ngrams({"<ab": 1, "ab>": np.nan, "bc>": 1})
    with pytest.raises(ValueError, match=f"Row {order.index('ab>')} of the n-grams is not finite"):
        most_useful(vectors, ["ab", "abc"], np.array([0]), 2)


@pytest.mark.parametrize(
    ("num_words", "want"), [(None, [0, 1, 2, 3]), (9, [0, 1, 2, 3]), (1, [0]), (2, [0, 3]), (3, [0, 1, 3])]
)
def test_the_most_frequent(num_words: int | None, want: list[int]) -> None:
    vocabulary = daneo.Vocabulary(["<pad>", "b", "c", "d"], [0, 2, 2, 7], special_tokens=["<pad>"])
    assert most_frequent(vocabulary, num_words).tolist() == want


def test_words_without_counts_stay_in_their_order() -> None:
    assert most_frequent(daneo.Vocabulary(list("dcba")), 2).tolist() == [0, 1]
