"""Words and their rows: looking them up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from daneo.corpus.vocabulary import Vocabulary
from daneo.embeddings.row_blocks import RowBlocks, unit
from daneo.embeddings.rows import Floats, Ids, Rows, is_lazy


class WordTable:
    """A vocabulary and rows, one a word, dense or sparse. :class:`daneo.WordVectors` is the public class."""

    def __init__(self, vocabulary: Vocabulary | Sequence[str], matrix: npt.ArrayLike | Rows) -> None:
        vocabulary = vocabulary if isinstance(vocabulary, Vocabulary) else Vocabulary(vocabulary)
        rows: Rows = matrix if is_lazy(matrix) else as_numbers(type(self).__name__, cast("npt.ArrayLike", matrix))
        if len(rows.shape) != 2 or len(rows) != len(vocabulary) or rows.shape[1] == 0:
            raise ValueError(
                f"{type(self).__name__} expected a matrix of shape ({len(vocabulary)}, D), one row a word, "
                f"got shape {rows.shape}."
            )
        self._vocabulary = vocabulary
        self._rows = rows
        self._blocks = RowBlocks(rows)

    @property
    def vocabulary(self) -> Vocabulary:
        """The words, each with an id (its row) and a count."""
        return self._vocabulary

    @property
    def words(self) -> list[str]:
        """The V words in the order of the rows."""
        return self._vocabulary.words

    @property
    def counts(self) -> npt.NDArray[np.int64]:
        """How often each word occurred, int64 (V,); zeros where nobody counted."""
        return self._vocabulary.counts

    @property
    def vector_size(self) -> int:
        """D, the number of columns."""
        return int(self._rows.shape[1])

    @property
    def norms(self) -> Floats:
        """Euclidean lengths of the rows, float32 (V,), read-only; NaN for a row that is not finite."""
        view = self._blocks.lengths().view()
        view.flags.writeable = False
        return view

    def __len__(self) -> int:
        return len(self._vocabulary)

    def __contains__(self, word: object) -> bool:
        return isinstance(word, str) and word in self._vocabulary

    def __iter__(self) -> Iterator[str]:
        return iter(self.words)

    def __getitem__(self, words: str | Sequence[str]) -> Floats:
        if isinstance(words, str):
            found = self._vocabulary.index.get(words)
            if found is None:
                return cast("Floats", self._unseen([words])[0])
            row = self._rows[found]
            row.flags.writeable = False
            return row
        rows = self._rows_of(words)
        is_seen = rows >= 0
        if is_seen.all():
            return self._rows[rows]
        vectors = np.empty((len(rows), self.vector_size), dtype=np.float32)
        vectors[~is_seen] = self._unseen([words[place] for place in np.flatnonzero(~is_seen).tolist()])
        vectors[is_seen] = self._rows[rows[is_seen]]
        return vectors

    def get_vector(self, word: str, *, norm: bool = False) -> Floats:
        """Return a word's vector, float32 (D,); with `norm`, scaled to length 1 (a zero vector stays zero).

        Raises
        ------
        KeyError
            The word is unknown; the message has the nearest spellings. (Vectors with n-grams know every word.)
        """
        return unit(self[[word]])[0].astype(np.float32) if norm else self[word]

    def _unseen(self, words: Sequence[str]) -> Floats:
        """Return the vectors of words that are not in the vocabulary; here, raise the KeyError for the first."""
        return self._rows[self._ids(words)]

    def _rows_of(self, words: Sequence[str]) -> Ids:
        """Return each word's row; -1 for a word that is not in the vocabulary."""
        find = self._vocabulary.index.get
        return np.array([find(word, -1) for word in words], dtype=np.int64)

    def _ids(self, words: Sequence[str]) -> Ids:
        """Return each word's row; KeyError for a word that is not in the vocabulary."""
        find = self._vocabulary.id
        return np.array([find(word) for word in words], dtype=np.int64)


def as_numbers(what: str, values: npt.ArrayLike, dtype: npt.DTypeLike = np.float32) -> npt.NDArray[Any]:
    """Return an array of real numbers, converted to `dtype` if need be; TypeError for anything else."""
    array = np.asarray(values)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{what} expected numbers, got {array.dtype}.")
    return array.astype(dtype, copy=False)
