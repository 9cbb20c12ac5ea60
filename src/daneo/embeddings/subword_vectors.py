"""Word vectors that know the parts of words, and so have a vector for every word."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Self

import numpy.typing as npt

from daneo.corpus.vocabulary import Vocabulary
from daneo.embeddings.word_vectors import WordVectors

if TYPE_CHECKING:
    from daneo.embeddings.rows import Floats, Rows
    from daneo.embeddings.subwords.ngram_vectors import NgramVectors


class SubwordVectors(WordVectors):
    """Word vectors with n-grams: words that were never seen have vectors too.

    Parameters
    ----------
    vocabulary : Vocabulary or sequence of str
        V words that were seen; a word's id is its row.
    rows : array-like of shape (V, D), or Rows
        Their vectors, as for :class:`daneo.WordVectors`.
    ngrams : NgramVectors
        What makes the vector of a word that is not among them.

    Raises
    ------
    ValueError
        There are not as many rows as words, or their sizes differ from the n-grams'.

    Notes
    -----
    ``"word" in vectors`` says whether a word was seen. Everything that takes a word takes any: there is no KeyError.
    A word without n-grams (shorter than the shortest, or empty) has a zero vector, as in fastText, and similarity 0
    to everything. Answers to a search are always words that were seen.

    Examples
    --------
    >>> import numpy as np
    >>> from daneo.embeddings.subwords.ngram_vectors import NgramVectors
    >>> from daneo.embeddings.subwords.subwords import Subwords
    >>> subwords = Subwords(min_ngram=2, max_ngram=2, num_buckets=7)
    >>> ngrams = NgramVectors(subwords, np.array([[8, 0], [0, 4]], dtype=np.float32), [0, 6])
    >>> vectors = SubwordVectors(["sea", "sun"], [[1, 0], [0, 1]], ngrams)
    >>> "seas" in vectors, vectors["seas"]
    (False, array([1.6, 1.6], dtype=float32))
    """

    def __init__(
        self, vocabulary: Vocabulary | Sequence[str], rows: npt.ArrayLike | Rows, ngrams: NgramVectors
    ) -> None:
        super().__init__(vocabulary, rows)
        if ngrams.vector_size != self.vector_size:
            raise ValueError(
                f"SubwordVectors expected n-grams of {self.vector_size} numbers, as many as the words have; "
                f"got {ngrams.vector_size}."
            )
        self._ngrams = ngrams

    @property
    def ngrams(self) -> NgramVectors:
        """The rows of n-grams."""
        return self._ngrams

    def _unseen(self, word: str) -> Floats:
        return self._ngrams.vector(word)

    def _of_fewer(self, vocabulary: Vocabulary, rows: Rows) -> Self:
        return type(self)(vocabulary, rows, self._ngrams)

    def __repr__(self) -> str:
        return f"{super().__repr__()[:-1]}, {len(self.ngrams):,} rows of n-grams>"
