"""Rows of counts on their way from a thread to a file, and the tables that the threads count with."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from contextlib import closing
from pathlib import Path
from queue import SimpleQueue
from typing import Any, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from daneo.corpus.array_files import HEADER_SIZE, ArrayFile
from daneo.corpus.cooccurrence_memory import MOST_ROWS
from daneo.corpus.ordered_threads import most_taken, ordered

Item = TypeVar("Item")
Longs = npt.NDArray[np.int64]
Ids = npt.NDArray[np.int32]

RESULT_FILES = ("starts.npy", "contexts.npy", "counts.npy")
RUN_FILES = ("starts.npy", "contexts.npy", "totals.npy")


class RowBlock(NamedTuple):
    """The pairs of some rows.

    Attributes
    ----------
    row, last_row : int
        The rows, from the first to the one before the last.
    starts : int64 array of shape (last_row - row + 1,)
        Where in the other two each row begins, from 0.
    contexts : int32 array of shape (n,)
        Rising in each row.
    totals : int64 array of shape (n,)
        Sums, in units.
    counts : float32 array of shape (n,)
        The same as numbers; empty where nobody wants them yet.
    """

    row: int
    last_row: int
    starts: Longs
    contexts: Ids
    totals: Longs
    counts: npt.NDArray[np.float32]


class Tables(NamedTuple):
    """What a thread counts with; the kernels say what for."""

    sums: Longs
    touched: Ids
    marks: npt.NDArray[np.uint64]
    tops: npt.NDArray[np.uint64]


class Output:
    """Where a thread writes a block.

    Parameters
    ----------
    size : int
        Pairs that fit.
    """

    def __init__(self, size: int) -> None:
        self.starts = np.empty(MOST_ROWS + 1, dtype=np.int64)
        self.contexts = np.empty(size, dtype=np.int32)
        self.totals = np.empty(size, dtype=np.int64)
        self._counts = np.empty(size, dtype=np.float32)

    def block(self, row: int, last_row: int, unit: int | None) -> RowBlock:
        """Return what was written as a block; with a unit, sums are turned into counts."""
        starts = self.starts[: last_row - row + 1]
        size = int(starts[-1])
        counts = self._counts[: 0 if unit is None else size]
        if unit is not None:
            np.divide(self.totals[:size], unit, out=counts, casting="same_kind")
        return RowBlock(row, last_row, starts, self.contexts[:size], self.totals[:size], counts)


class RowThreads:
    """Threads that make blocks of rows, with tables and outputs of their own.

    Parameters
    ----------
    num_threads, num_words : int
    size : int
        Pairs that a block may have.

    Attributes
    ----------
    stopped : bool
        Whether nobody wants the blocks any more: Ctrl-C, or another error. Whoever makes one looks at it now and then.
    """

    def __init__(self, num_threads: int, num_words: int, size: int) -> None:
        from daneo.corpus.cooccurrence_kernels import SPARE

        self.stopped = False
        self._num_threads = num_threads
        self._tables: SimpleQueue[Tables] = SimpleQueue()
        self._outputs: SimpleQueue[Output] = SimpleQueue()
        for _ in range(num_threads):
            sums = np.zeros(num_words + SPARE, dtype=np.int64)
            sums[num_words:] = 1
            marks, tops = (np.zeros((num_words >> bits) + 1, dtype=np.uint64) for bits in (6, 12))
            self._tables.put(Tables(sums, np.empty(num_words + 1, dtype=np.int32), marks, tops))
        for _ in range(most_taken(num_threads)):
            self._outputs.put(Output(size))

    def blocks(self, items: Iterable[Item], make: Callable[[Item, Tables, Output], RowBlock]) -> Generator[RowBlock]:
        """Yield a block for each item, in order; it is overwritten when the next one is asked for."""

        def work(item: Item) -> tuple[Output, RowBlock]:
            tables, output = self._tables.get(), self._outputs.get()
            try:
                return output, make(item, tables, output)
            finally:
                self._tables.put(tables)  # whatever happened: other threads may wait for them

        with closing(ordered(work, items, self._num_threads)) as made:
            try:
                for output, block in made:
                    yield block
                    self._outputs.put(output)
            except BaseException:
                self.stopped = True
                raise


def rows_that_fit(sizes: Longs, most: int, most_rows: int = MOST_ROWS) -> Generator[tuple[int, int]]:
    """Divide all rows into ranges whose sizes (V,) add up to `most` at most, or that are single.

    Examples
    --------
    >>> list(rows_that_fit(np.array([3, 4, 9, 0, 1, 5]), 8))
    [(0, 2), (2, 3), (3, 6)]
    """
    ends = np.cumsum(sizes)
    row = before = 0
    while row < len(sizes):
        last_row = int(np.searchsorted(ends, before + most, side="right"))
        last_row = min(max(last_row, row + 1), row + most_rows)
        yield row, last_row
        row, before = last_row, int(ends[last_row - 1])


class RowWriter:
    """Writes blocks of rows behind each other: a run, or with a unit the result.

    Attributes
    ----------
    num_pairs : int
        Pairs written so far.
    num_equal : int
        Among them pairs of a word and itself; only counted where a row ends with it.
    """

    def __init__(self, directory: Path, unit: int | None) -> None:
        names = RUN_FILES if unit is None else RESULT_FILES
        kinds = (np.int64, np.int32, np.int64 if unit is None else np.float32)
        self.num_pairs = self.num_equal = 0
        self._has_counts = unit is not None
        self._files = [ArrayFile(directory / name, kind) for name, kind in zip(names, kinds, strict=True)]
        self._files[0].write(np.zeros(1))

    def write(self, block: RowBlock) -> None:
        """Write the next rows."""
        starts, contexts, values = self._files
        starts.write(block.starts[1:] + self.num_pairs)
        contexts.write(block.contexts)
        values.write(block.counts if self._has_counts else block.totals)
        rows = np.flatnonzero(np.diff(block.starts))
        self.num_equal += int(np.count_nonzero(block.contexts[block.starts[rows + 1] - 1] == rows + block.row))
        self.num_pairs += len(block.contexts)

    def finish(self) -> None:
        """Write what only the end tells."""
        for file in self._files:
            file.finish()

    def __enter__(self) -> RowWriter:
        return self

    def __exit__(self, *_: object) -> None:
        for file in self._files:
            file.__exit__(None, None, None)


def read_array(path: Path, start: int, out: npt.NDArray[Any]) -> None:
    """Read the values of an array file from position `start` on, as many as fit."""
    with open(path, "rb", buffering=0) as file:
        file.seek(HEADER_SIZE + start * out.dtype.itemsize)
        rest = out.view(np.uint8).data
        while len(rest):
            num_bytes = file.readinto(rest)
            if not num_bytes:
                raise OSError(f"{path} became shorter while it was read. Count again.")
            rest = rest[num_bytes:]
