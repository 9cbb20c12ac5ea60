"""Vectors of known words: the mean of a word's own row and of its n-grams' rows, computed when asked for."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from daneo.corpus.ordered_threads import ordered
from daneo.embeddings.subwords.ngram_vectors import FEW_WORDS
from daneo.embeddings.subwords.row_means_reference import mean_of_rows
from daneo.threads import available_cores

if TYPE_CHECKING:
    from daneo.embeddings.rows import Floats, Ids, Rows
    from daneo.embeddings.subwords.ngram_vectors import NgramVectors

_CHUNK = 2048  # words whose vectors are computed and kept together


class WordMeans:
    """The vectors of V known words, as :class:`daneo.embeddings.rows.Rows`.

    A vector that is asked for reads the rows of that word's parts and no others. A slice, as searches take them,
    computes whole chunks of words and keeps them, so that a second search finds them computed.

    Parameters
    ----------
    own : Rows of shape (V, D)
        The words' own rows.
    words : sequence of str, length V
        The words.
    ngrams : NgramVectors
        The rows of their n-grams, (U, D).

    Raises
    ------
    ValueError
        There are not as many rows as words, or their sizes differ from the n-grams'.

    Notes
    -----
    Rows are added up in float32 in fastText's order, own row first, so vectors are fastText's to the last bit.
    Memory, once all have been asked for: V D numbers, and the rows of one stretch's n-grams while computing.

    Examples
    --------
    >>> from daneo.embeddings.subwords.ngram_vectors import NgramVectors
    >>> from daneo.embeddings.subwords.subwords import Subwords
    >>> subwords = Subwords(min_ngram=3, max_ngram=3, num_buckets=1)
    >>> ngrams = NgramVectors(subwords, np.array([[0, 3]], dtype=np.float32))
    >>> subwords.ngrams("a"), subwords.ngrams("ab")
    (['<a>'], ['<ab', 'ab>'])
    >>> WordMeans(np.array([[2, 0], [3, 3]], dtype=np.float32), ["a", "ab"], ngrams)[:]
    array([[1. , 1.5],
           [1. , 3. ]], dtype=float32)
    """

    def __init__(self, own: Rows, words: Sequence[str], ngrams: NgramVectors) -> None:
        if tuple(own.shape) != (len(words), ngrams.vector_size):
            raise ValueError(
                f"WordMeans expected own rows of shape ({len(words)}, {ngrams.vector_size}), one a word and as long "
                f"as the n-grams' rows; got {own.shape}."
            )
        self._own = own
        self._words = words
        self._ngrams = ngrams
        self._known: npt.NDArray[np.bool_] = np.zeros(-(-len(words) // _CHUNK), dtype=bool)

    @property
    def own(self) -> Rows:
        """The words' own rows, (V, D)."""
        return self._own

    @property
    def words(self) -> Sequence[str]:
        """The V words, spelt as their n-grams are made of them."""
        return self._words

    @property
    def ngrams(self) -> NgramVectors:
        """The rows of their n-grams."""
        return self._ngrams

    @property
    def shape(self) -> tuple[int, int]:
        """V and D."""
        return len(self._words), self._ngrams.vector_size

    def __len__(self) -> int:
        return len(self._words)

    def __getitem__(self, rows: Any) -> Floats:
        if isinstance(rows, slice):
            start, stop, step = rows.indices(len(self))
            return self._stretch(start, stop) if step == 1 else self._few(np.arange(start, stop, step))
        numbers = np.asarray(rows)
        if numbers.ndim:
            return self._few(numbers.astype(np.int64, copy=False))
        mean: Floats = self._few(np.array([operator.index(numbers.item())]))[0]
        return mean

    def _few(self, rows: Ids) -> Floats:
        """Return any rows; those that have to be computed are not kept."""
        known = self._known[rows // _CHUNK]
        means = np.empty((len(rows), self.shape[1]), dtype=np.float32)
        if known.any():
            means[known] = self._kept()[rows[known]]
        unknown = np.flatnonzero(~known)
        if len(unknown) <= FEW_WORDS:
            for place in unknown.tolist():
                means[place] = self._mean(int(rows[place]))
            return means
        for first in range(0, len(unknown), _CHUNK):
            places = unknown[first : first + _CHUNK]
            words = rows[places]
            means[places] = self._ngrams.means([self._words[word] for word in words.tolist()], self._own[words])
        return means

    def _stretch(self, start: int, stop: int) -> Floats:
        """Return rows that lie side by side, a read-only view of what is kept from now on."""
        if start >= stop:
            return np.empty((0, self.shape[1]), dtype=np.float32)
        first, last = start // _CHUNK, -(-stop // _CHUNK)
        chunks = (np.flatnonzero(~self._known[first:last]) + first).tolist()
        for _ in ordered(self._keep, chunks, max(1, min(available_cores(), len(chunks)))):
            pass
        found = self._kept()[start:stop]
        found.flags.writeable = False
        return found

    def _keep(self, chunk: int) -> None:
        """Compute the rows of a chunk."""
        start, stop = chunk * _CHUNK, min((chunk + 1) * _CHUNK, len(self))
        kept = self._kept()[start:stop]
        if len(self) <= FEW_WORDS:
            kept[:] = [self._mean(word) for word in range(start, stop)]
        else:
            kept[:] = self._ngrams.means(self._words[start:stop], self._own[start:stop])
        self._known[chunk] = True  # last, so that another thread never sees rows that are not there yet

    def _kept(self) -> Floats:
        """Return the room for all vectors, (V, D), of which pages take memory when they are written to."""
        if "_kept_rows" not in self.__dict__:
            # Of two threads that come first, both get the same array.
            self.__dict__.setdefault("_kept_rows", np.empty(self.shape, dtype=np.float32))
        kept: Floats = self.__dict__["_kept_rows"]
        return kept

    def _mean(self, word: int) -> Floats:
        """Compute one row, as the definition says."""
        rows, count = self._ngrams.rows_in_mean(self._words[word])
        parts = np.concatenate([self._own[word][None], self._ngrams.rows[rows]])
        return mean_of_rows(parts, count + 1)


def own_rows(rows: Rows, words: Sequence[str], ngrams: NgramVectors) -> Rows | None:
    """Return the words' own rows, if the vectors of these words are their means with these n-grams; otherwise None."""
    if not isinstance(rows, WordMeans) or rows.ngrams is not ngrams:
        return None
    # Words that were not UTF-8 can have got another spelling, and with it other n-grams.
    return rows.own if rows.words == words else None
