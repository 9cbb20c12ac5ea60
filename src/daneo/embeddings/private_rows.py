"""Rows of a matrix that every step changes: each thread trains a copy of its own, and the copies are averaged.

The nodes near the root of a Huffman tree lie on almost every path. Threads that all write to them take the cache lines
from each other at every step, and two threads were three times slower than one. They meet so many examples that a
thread's copy learns as well as the shared row would, so meeting once a stretch of text is enough.
"""

from __future__ import annotations

import itertools
import threading

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]


class PrivateRows:
    """Copies of the rows first : last of a matrix, one set a thread, kept in further rows of the same matrix.

    Parameters
    ----------
    matrix : float32 array of shape (N, P)
        Its rows from `copies` on are used for the copies: (last - first) * num_threads of them.
    first, last : int
        The shared rows.
    copies : int
        Where the copies begin.
    num_threads : int
        How many sets.
    """

    def __init__(self, matrix: Floats, first: int, last: int, copies: int, num_threads: int) -> None:
        self._first, self._copies, self._size = first, copies, last - first
        self._shared = matrix[first:last]
        ends = [copies + number * self._size for number in range(num_threads + 1)]
        self._private = [matrix[start:end] for start, end in itertools.pairwise(ends)]
        self._before = [self._shared.copy() for _ in range(num_threads)]
        self._lock = threading.Lock()

    def redirect(self, rows: npt.NDArray[np.int32], thread: int) -> npt.NDArray[np.int32]:
        """Return row numbers with those of the shared rows replaced by those of a thread's copies."""
        shift = self._copies + thread * self._size - self._first
        inside = (rows >= self._first) & (rows < self._first + self._size)
        return np.where(inside, rows + np.int32(shift), rows)

    def fetch(self, thread: int) -> None:
        """Set a thread's copies to the shared rows."""
        with self._lock:
            self._private[thread][:] = self._shared
            self._before[thread][:] = self._shared

    def merge(self, thread: int) -> None:
        """Add what a thread has learned since `fetch` to the shared rows, its share among all threads."""
        with self._lock:
            self._shared += (self._private[thread] - self._before[thread]) / np.float32(len(self._private))
