"""Words and dense rows: the matrix, changing it, choosing among it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import numpy as np
import numpy.typing as npt

from daneo.corpus.vocabulary import Vocabulary
from daneo.embeddings.row_blocks import RowBlocks, unit
from daneo.embeddings.rows import ChosenRows, Floats, Rows, is_lazy, whole
from daneo.embeddings.word_table import WordTable, as_numbers

_ROWS_AT_ONCE = 4096


class DenseTable(WordTable):
    """What needs rows that can be a matrix, or take its place. :class:`daneo.WordVectors` is the public class."""

    _ours: Floats | None = None  # the rows, once they are no more the caller's array or a memory map

    @property
    def matrix(self) -> Floats:
        """All vectors, float32 (V, D): a read-only view. Change vectors with :meth:`add_vectors`.

        Vectors that do not lie in memory (:attr:`rows`) are all computed for it, each time.
        """
        return whole(self._rows)

    @property
    def rows(self) -> Rows:
        """The vectors, (V, D), as they are kept: the matrix itself, read-only, or what computes rows when asked."""
        return self._rows if is_lazy(self._rows) else self.matrix

    def __setitem__(self, words: str | Sequence[str], vectors: npt.ArrayLike) -> None:
        if isinstance(words, str):
            self.add_vector(words, vectors)
        else:
            self.add_vectors(words, vectors, replace=True)

    def get_normed_vectors(self) -> Floats:
        """Return a new matrix, float32 (V, D), of all vectors scaled to length 1; zero vectors stay zero.

        Searches do not need it: they scale scores, not rows. It takes as much memory as the matrix.
        """
        normed = np.empty(self._rows.shape, dtype=np.float32)
        for first in range(0, len(self), _ROWS_AT_ONCE):
            part = slice(first, first + _ROWS_AT_ONCE)
            normed[part] = unit(self._rows[part])
        return normed

    def add_vector(self, word: str, vector: npt.ArrayLike) -> None:
        """Add a word, or give a word that is there another vector: :meth:`add_vectors` for one, with ``replace=True``.

        Parameters
        ----------
        word : str
        vector : array-like of shape (D,)
        """
        self.add_vectors([word], np.asarray(vector)[None], replace=True)

    def add_vectors(self, words: Sequence[str], vectors: npt.ArrayLike, *, replace: bool = False) -> None:
        """Add words after the last row; their counts are 0.

        The first change copies the matrix, so that neither a file nor the caller's array is ever written to.
        Adding copies it each time: add many words in one call.

        Parameters
        ----------
        words : sequence of str, length N
            Each once.
        vectors : array-like of shape (N, D)
            Their vectors.
        replace : bool, default False
            Give words that are there already the new vectors; otherwise they keep their own.

        Raises
        ------
        ValueError
            The shapes do not fit, or a word occurs twice.

        Examples
        --------
        >>> import daneo
        >>> vectors = daneo.WordVectors(["north"], [[0, 1]])
        >>> vectors.add_vectors(["north", "east"], [[0, 5], [1, 0]])
        >>> vectors.words, vectors.matrix.tolist()
        (['north', 'east'], [[0.0, 1.0], [1.0, 0.0]])
        """
        given = Vocabulary(words)  # refuses repeats, and what is not a str
        rows = as_numbers("add_vectors", vectors)
        if rows.shape != (len(given), self.vector_size):
            raise ValueError(
                f"add_vectors expected vectors of shape ({len(given)}, {self.vector_size}), one row a word, "
                f"got {rows.shape}."
            )
        new = np.array([word not in self for word in given], dtype=bool)
        if replace and not new.all():
            ids = self._ids([word for word in given if word in self])
            ours = self._take(np.array(self._rows[:])) if self._ours is None else self._ours
            ours[ids] = rows[~new]
            self._blocks.forget(ids)
        if new.any():
            added = [word for word in given if word not in self]
            self._vocabulary = self._vocabulary.extended(added, np.zeros(len(added), dtype=np.int64))
            self._take(np.concatenate([self._rows[:], rows[new]]))

    def unit_normalize_all(self) -> None:
        """Scale every vector to length 1, in a copy of the matrix that takes its place; zero vectors stay zero."""
        self._take(self.get_normed_vectors())

    def restricted(self, words: int | Sequence[str]) -> Self:
        """Return the vectors of fewer words; these ones stay as they are.

        Parameters
        ----------
        words : int or sequence of str
            A number keeps the first rows, which trainers order by falling count, without a copy. A list keeps these
            words, in this order except that special tokens come first.

        Raises
        ------
        KeyError
            A word is unknown.
        ValueError
            The number is not from 1 to V.

        Examples
        --------
        >>> import daneo
        >>> vectors = daneo.WordVectors(["north", "east", "south"], [[0, 1], [1, 0], [0, -1]])
        >>> vectors.restricted(2).words, vectors.restricted(["south", "north"]).words
        (['north', 'east'], ['south', 'north'])
        """
        old = self._vocabulary
        if isinstance(words, int):
            if not 1 <= words <= len(self):
                raise ValueError(f"restricted expected a number of words from 1 to {len(self)}, got {words}.")
            chosen = old.words[:words]
        else:
            chosen = list(words)
        special = [token for token in old.special_tokens if token in set(chosen)]
        kept = Vocabulary(
            chosen,
            old.counts[self._ids(chosen)],
            special_tokens=special,
            unknown=old.unknown if old.unknown in special else None,
        )
        if not isinstance(words, int):
            return self._of_fewer(kept, self._rows[self._ids(kept.words)])
        return self._of_fewer(kept, ChosenRows(self._rows, range(words)) if is_lazy(self._rows) else self._rows[:words])

    def _of_fewer(self, vocabulary: Vocabulary, rows: Rows) -> Self:
        """Return a table like this one, of other words."""
        return type(self)(vocabulary, rows)

    def _take(self, matrix: Floats) -> Floats:
        """Let a matrix that is nobody else's take the place of the rows."""
        self._rows = self._ours = matrix
        self._blocks = RowBlocks(matrix)
        return matrix
