"""The rows of a fastText matrix as they are written: own rows of words, and a row for every bucket."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from daneo.embeddings.rows import Floats, Rows
    from daneo.embeddings.subwords.ngram_vectors import NgramVectors

_BLOCK_NUMBERS = 1 << 20  # of n-grams' rows, held together


class DenseInputs:
    """Rows of words, then a row for each bucket: zeros for those that have none. Made block by block.

    Parameters
    ----------
    own : Rows of shape (V, D)
        The words' own rows.
    ngrams : Rows of shape (U, D)
        The rows of some buckets.
    buckets : int array of shape (U,), rising, or None
        Which bucket each of them is; ``None`` means that row i is bucket i.
    num_buckets : int
        B.

    Examples
    --------
    >>> ones = np.ones((2, 1), dtype=np.float32)
    >>> rows = DenseInputs(5 * ones, ones, [0, 2], 4)
    >>> rows.shape, rows[:].ravel().tolist(), rows[1:3].ravel().tolist()
    ((6, 1), [5.0, 5.0, 1.0, 0.0, 1.0, 0.0], [5.0, 1.0])
    """

    def __init__(self, own: Rows, ngrams: Rows, buckets: npt.ArrayLike | None, num_buckets: int) -> None:
        self._own, self._ngrams = own, ngrams
        self._buckets = np.arange(num_buckets) if buckets is None else np.asarray(buckets)
        self.shape = (len(own) + num_buckets, int(own.shape[1]))

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: slice) -> Floats:
        start, stop, _ = rows.indices(len(self))
        num_words = len(self._own)
        block = np.zeros((max(0, stop - start), self.shape[1]), np.float32)
        if start < num_words:
            block[: num_words - start] = self._own[start : min(stop, num_words)]
        first, last = np.searchsorted(self._buckets, [start - num_words, stop - num_words])
        block[self._buckets[first:last] + num_words - start] = self._ngrams[first:last]
        return block


class OwnRows:
    """The words' own rows, for which the mean over own row and n-grams is the given vector.

    The own row of a word with vector v and n-grams g_1 to g_N is (N + 1) v - (g_1 + ... + g_N), rounded once. N counts
    those without a row where the means do.

    Parameters
    ----------
    vectors : Rows of shape (V, D)
        The words' vectors.
    words : sequence of str, length V
    ngrams : NgramVectors
    """

    def __init__(self, vectors: Rows, words: Sequence[str], ngrams: NgramVectors) -> None:
        self._vectors, self._words, self._ngrams = vectors, words, ngrams
        self.shape = (len(words), int(vectors.shape[1]))

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: slice) -> Floats:
        start, stop, _ = rows.indices(len(self))
        starts, buckets = self._ngrams.subwords.of_words(self._words[start:stop])
        found = self._ngrams.rows_of(buckets)
        words = np.repeat(np.arange(len(starts) - 1), np.diff(starts))[found >= 0]
        found = found[found >= 0]
        counts = np.diff(starts) if self._ngrams.count_missing else np.bincount(words, minlength=len(starts) - 1)
        own = self._vectors[start:stop] * (counts + 1.0)[:, None]
        step = max(1, _BLOCK_NUMBERS // self.shape[1])
        for first in range(0, len(found), step):
            some = words[first : first + step]
            begins = np.flatnonzero(np.diff(some, prepend=-1))
            rows_of_ngrams = self._ngrams.rows[found[first : first + step]]
            own[some[begins]] -= np.add.reduceat(rows_of_ngrams, begins, axis=0, dtype=np.float64)
        return own.astype(np.float32)
