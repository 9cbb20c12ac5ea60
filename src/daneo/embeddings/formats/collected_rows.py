"""Rows as they arrive from a file: a matrix that grows with what was really read, and the oddities found on the way."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from daneo.embeddings.formats.text_reading_reference import NUMBER


class Rows(NamedTuple):
    """What a file of vectors held: what every reader of this package returns.

    Attributes
    ----------
    words : list of str, length V
        No word twice.
    matrix : float32 array of shape (V, D)
    remarks : list of str
        What the user should be told: one sentence a kind of oddity, with a count.
    """

    words: list[str]
    matrix: NDArray[np.float32]
    remarks: list[str]


class CollectedRows:
    """Words and their vectors, block after block.

    Parameters
    ----------
    vector_size : int
        Numbers a row, D.
    capacity : int
        Rows to make room for at once. The caller has checked that the file is long enough to hold so many.
    """

    def __init__(self, vector_size: int, capacity: int = 0) -> None:
        self.words: list[str] = []
        self._matrix = np.empty((capacity, vector_size), np.float32)
        self._num_broken = 0
        self._first_broken = ""

    def __len__(self) -> int:
        return len(self.words)

    def append(self, words: list[str], matrix: NDArray[np.float32], broken: list[int], share: float | None) -> None:
        """Add rows.

        Parameters
        ----------
        words : list of str, length N
        matrix : float32 array of shape (N, D)
            Copied.
        broken : list of int
            Those of the N rows that hold NaN or infinity.
        share : float or None
            How much of the file has been read by now, from 0 to 1; ``None`` where its length is unknown.
        """
        start, stop = len(self.words), len(self.words) + len(words)
        if stop > len(self._matrix):
            # What the whole file needs if it goes on like this, but never more than double: a lie ends early.
            expected = int(stop / share * 1.01) + 1 if share else 2 * stop
            self._resize(max(stop, min(expected, 2 * stop)))
        self._matrix[start:stop] = matrix
        if broken and not self._num_broken:
            self._first_broken = words[broken[0]]
        self._num_broken += len(broken)
        self.words += words

    def finish(self) -> Rows:
        """Return everything, of equal words the first."""
        self._resize(len(self.words))
        words, matrix, remarks = self.words, self._matrix, []
        if self._num_broken:
            remarks.append(
                f"{self._num_broken} of {len(words)} rows hold NaN or infinite numbers, "
                f"the first of them that of {self._first_broken!r}. Their likeness to other words is undefined."
            )
        numbered = [word for word in words if (" " in word or "\t" in word) and _ends_in_number(word)]
        if numbered:
            remarks.append(
                f"{len(numbered)} of {len(words)} rows have more than {matrix.shape[1]} numbers. All but the last "
                f"{matrix.shape[1]} were taken for a part of the word, first in {numbered[0]!r}."
            )
        if len(set(words)) < len(words):
            first = dict(zip(reversed(words), range(len(words) - 1, -1, -1), strict=True))
            repeated = next(word for row, word in enumerate(words) if first[word] != row)
            remarks.append(
                f"{len(words) - len(first)} of {len(words)} rows repeat a word, the first of them {repeated!r}. "
                "Of each word the first row was kept."
            )
            kept = sorted(first.values())
            words, matrix = [words[row] for row in kept], matrix[kept]
        return Rows(words, matrix, remarks)

    def _resize(self, num_rows: int) -> None:
        # In place: the allocator moves pages instead of copying them. Nobody else has seen the matrix yet.
        self._matrix.resize((num_rows, self._matrix.shape[1]), refcheck=False)


def _ends_in_number(word: str) -> bool:
    """Whether the word ``the 0.418`` is rather a word and a number too many. But ``10 000`` may well be one."""
    return NUMBER.fullmatch(word.replace("\t", " ").rpartition(" ")[2].encode("utf-8", "replace")) is not None
