"""The n-grams of a vocabulary's words, to be searched by a vector and spelt out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from daneo.embeddings.nearest import nearest_rows
from daneo.embeddings.row_blocks import Doubles, RowBlocks
from daneo.embeddings.rows import ChosenRows

if TYPE_CHECKING:
    from daneo.embeddings.subwords.ngram_vectors import NgramVectors

_WORDS_AT_ONCE = 1 << 16


class UsedNgrams:
    """The rows of n-grams that some words use.

    Parameters
    ----------
    ngrams : NgramVectors
    words : sequence of str, length V
        The most frequent ones first.
    """

    def __init__(self, ngrams: NgramVectors, words: Sequence[str]) -> None:
        self._ngrams = ngrams
        self.words = words
        self._used = _used_rows(ngrams, words)
        self._blocks = RowBlocks(ChosenRows(ngrams.rows, self._used))

    def nearest(self, query: Doubles, topn: int) -> list[tuple[str, float]]:
        """Return the n-grams whose rows have the greatest cosine with `query`, of length 1 or 0, and the cosines.

        Each row is named after the n-gram of the first word that uses it.
        """
        num_rows = len(self._used)
        if num_rows == 0:
            return []
        ((places, cosines),) = nearest_rows(self._blocks, query[None], min(topn, num_rows), 0, num_rows)
        rows = self._used[places]
        buckets = (rows if self._ngrams.buckets is None else self._ngrams.buckets[rows]).tolist()
        names: dict[int, str] = {}
        for bucket, ngram in self._ngrams.subwords.ngrams_in(buckets, self.words):
            names.setdefault(bucket, ngram)
            if len(names) == len(buckets):  # the other words would only add n-grams that share a row
                break
        return [(names[bucket], score) for bucket, score in zip(buckets, cosines.tolist(), strict=True)]


def _used_rows(ngrams: NgramVectors, words: Sequence[str]) -> npt.NDArray[np.int64]:
    is_used = np.zeros(len(ngrams), dtype=bool)
    for first in range(0, len(words), _WORDS_AT_ONCE):
        _, buckets = ngrams.subwords.of_words(words[first : first + _WORDS_AT_ONCE])
        rows = ngrams.rows_of(buckets)
        is_used[rows[rows >= 0]] = True
    return np.flatnonzero(is_used)
