"""The rows of n-grams, and what they make of a word that was never seen."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from daneo.embeddings.subwords.row_means_reference import mean_of_rows

if TYPE_CHECKING:
    from daneo.embeddings.rows import Floats, Ids, Rows
    from daneo.embeddings.subwords.subwords import Subwords

FEW_WORDS = 4096
"""So many words plain NumPy is done with in the time that it takes to load Numba."""

_WORDS_AT_ONCE = 16_384
_MANY = 10_000  # buckets that are asked for together
_BUCKETS_A_ROW = 64


class NgramVectors:
    """The rows that n-grams are hashed to; a word never seen is the mean of its n-grams' rows.

    Parameters
    ----------
    subwords : Subwords
        Which n-grams a word has, and their buckets.
    rows : Rows of shape (U, D), float32
        The rows of some buckets, or of all. Kept, not copied; they may be memory-mapped or compressed.
    buckets : int array of shape (U,), rising, or None
        Which bucket each row is of. ``None`` means that row i is bucket i, so U is ``subwords.num_buckets``.
    count_missing : bool, default True
        Whether an n-gram without a row counts in the mean, as a row of zeros: right where only those buckets are
        kept that words of the vocabulary used, for others were never trained. False leaves it out, as fastText does
        in a model that was pruned.

    Raises
    ------
    ValueError
        The buckets do not rise, lie outside the table, or are not as many as the rows.

    Examples
    --------
    >>> from daneo.embeddings.subwords.subwords import Subwords
    >>> subwords = Subwords(min_ngram=2, max_ngram=2, num_buckets=7)
    >>> subwords.ngrams("sea"), subwords.buckets("sea").tolist()
    (['<s', 'se', 'ea', 'a>'], [5, 2, 6, 3])
    >>> ngrams = NgramVectors(subwords, np.array([[8, 0], [0, 4]], dtype=np.float32), [2, 5])
    >>> ngrams.vector("sea")
    array([2., 1.], dtype=float32)
    """

    def __init__(
        self, subwords: Subwords, rows: Rows, buckets: npt.ArrayLike | None = None, *, count_missing: bool = True
    ) -> None:
        if len(rows.shape) != 2:
            raise ValueError(f"NgramVectors expected rows of shape (U, D), got {rows.shape}.")
        if buckets is None:
            if len(rows) != subwords.num_buckets:
                raise ValueError(
                    f"NgramVectors expected a row for each of {subwords.num_buckets} buckets, got {len(rows)} rows. "
                    "Say with buckets=... which ones they are."
                )
            self._buckets = None
        else:
            self._buckets = _checked_buckets(buckets, len(rows), subwords.num_buckets)
        self._subwords = subwords
        self._rows = rows
        self._count_missing = count_missing

    @property
    def subwords(self) -> Subwords:
        """Which n-grams a word has."""
        return self._subwords

    @property
    def rows(self) -> Rows:
        """The rows, (U, D)."""
        return self._rows

    @property
    def buckets(self) -> npt.NDArray[np.int32] | None:
        """The bucket of each row, int32 (U,), rising; None if row i is bucket i."""
        return self._buckets

    @property
    def count_missing(self) -> bool:
        """Whether an n-gram without a row counts in a mean."""
        return self._count_missing

    @property
    def vector_size(self) -> int:
        """D, the number of columns."""
        return int(self._rows.shape[1])

    def __len__(self) -> int:
        return len(self._rows)

    def __repr__(self) -> str:
        return f"<NgramVectors: {len(self):,} rows, {self.vector_size} dimensions>"

    def rows_of(self, buckets: npt.ArrayLike) -> Ids:
        """Return the row of each bucket, int64 (N,); -1 where there is none.

        Parameters
        ----------
        buckets : int array of shape (N,)
            From 0 to ``num_buckets - 1``.
        """
        wanted = np.asarray(buckets)
        if self._buckets is None:
            return wanted.astype(np.int64)
        if len(self._buckets) == 0:
            return np.full(wanted.shape, -1, dtype=np.int64)
        # A file may say that there are billions of buckets: the table is no larger than the rows make likely.
        if len(wanted) > _MANY and self._subwords.num_buckets <= _BUCKETS_A_ROW * len(self._rows) + (1 << 22):
            found: Ids = self._row_of_bucket[wanted].astype(np.int64)
            return found
        place = np.searchsorted(self._buckets, wanted).clip(max=len(self._buckets) - 1)
        return np.where(self._buckets[place] == wanted, place, -1)

    @functools.cached_property
    def _row_of_bucket(self) -> npt.NDArray[np.int32]:
        """The row of every bucket, (num_buckets,): ten times as fast as searching, for many at once."""
        table = np.full(self._subwords.num_buckets, -1, dtype=np.int32)
        table[self._buckets] = np.arange(len(self._rows), dtype=np.int32)
        return table

    def vector(self, word: str) -> Floats:
        """Return the mean of the rows of a word's n-grams, float32 (D,); zeros for a word without n-grams.

        The word's own row, if it has one, is not part of it.
        """
        rows, count = self.rows_in_mean(word)
        return mean_of_rows(self._rows[rows], count)

    def vectors(self, words: Sequence[str]) -> Floats:
        """Return :meth:`vector` of each word, float32 (N, D); many are computed by a kernel."""
        vectors = np.empty((len(words), self.vector_size), dtype=np.float32)
        if len(words) <= FEW_WORDS:
            for place, word in enumerate(words):
                vectors[place] = self.vector(word)
            return vectors
        for first in range(0, len(words), _WORDS_AT_ONCE):
            some = words[first : first + _WORDS_AT_ONCE]
            vectors[first : first + _WORDS_AT_ONCE] = self.means(some, None)
        return vectors

    def means(self, words: Sequence[str], own: Floats | None) -> Floats:
        """Return the mean of the rows of each word's n-grams and, if given, of its own row, compiled.

        Parameters
        ----------
        words : sequence of str, length N
        own : float32 array of shape (N, D), or None
            The words' own rows.

        Returns
        -------
        float32 array of shape (N, D)
            To the last bit what one word's mean is. Several threads may compute means at once.
        """
        from daneo.embeddings.subwords.row_means_kernels import means_of_rows

        starts, buckets = self._subwords.of_words(words, num_threads=1)
        numbers = self.rows_of(buckets)
        there = np.concatenate([[0], np.cumsum(numbers >= 0)])
        counts = np.diff(starts if self._count_missing else there[starts]) + (own is not None)
        means = np.zeros((len(words), self.vector_size), dtype=np.float32)
        rows = self._rows
        if not isinstance(rows, np.ndarray) or not rows.flags.aligned:
            # These cannot be read by a kernel: hand it a copy of those that are needed.
            wanted, places = np.unique(numbers, return_inverse=True)
            rows, numbers = rows[wanted[wanted >= 0]], places.reshape(-1) - (len(wanted) > 0 and wanted[0] < 0)
        # A word without parts has a sum of zeros, which may be divided by any count.
        means_of_rows(
            _readable(means.copy() if own is None else own),
            _readable(rows), numbers, starts, np.maximum(counts, 1), means,
        )  # fmt: skip
        return means

    def rows_in_mean(self, word: str) -> tuple[Ids, int]:
        """Return the rows of a word's n-grams, int64 (N,), in the order of ``subwords.ngrams``, and how many count."""
        rows = self.rows_of(self._subwords.buckets(word))
        there = rows[rows >= 0]
        return there, len(rows) if self._count_missing else len(there)


def _readable(rows: Floats) -> Floats:
    """Return rows as the kernel is compiled for them: contiguous, aligned and read-only."""
    view = np.require(rows, np.float32, ["C", "A"]).view()
    view.flags.writeable = False
    return view


def _checked_buckets(buckets: npt.ArrayLike, num_rows: int, num_buckets: int) -> npt.NDArray[np.int32]:
    array = np.asarray(buckets)
    if array.shape != (num_rows,) or (array.size and array.dtype.kind not in "iu"):
        raise ValueError(
            f"NgramVectors expected whole numbers of shape ({num_rows},), a bucket for each row; "
            f"got {array.dtype} of shape {array.shape}."
        )
    if array.size and not (array[0] >= 0 and array[-1] < num_buckets and bool(np.all(array[1:] > array[:-1]))):
        raise ValueError(f"NgramVectors expected buckets from 0 to {num_buckets - 1} that rise from row to row.")
    return array.astype(np.int32, copy=False)
