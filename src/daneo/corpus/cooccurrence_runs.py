"""Counts of the parts of a text, each sorted in files of its own, merged row by row."""

from __future__ import annotations

import shutil
from collections.abc import Generator
from contextlib import closing
from pathlib import Path

import numpy as np

from daneo.corpus.array_files import HEADER_SIZE
from daneo.corpus.cooccurrence_memory import MOST_ROWS, MemoryPlan
from daneo.corpus.cooccurrence_rows import (
    RUN_FILES,
    Ids,
    Longs,
    Output,
    RowBlock,
    RowThreads,
    RowWriter,
    Tables,
    read_array,
    rows_that_fit,
)
from daneo.corpus.progress_reports import ProgressReports
from daneo.progress import ProgressCallback

MOST_RUNS = 64  # that are merged at a time


class Run:
    """What was counted in a part of the text: a directory that a RowWriter without a unit wrote.

    Parameters
    ----------
    directory : Path
        Where it is.
    num_words : int
        Rows that it has.
    """

    def __init__(self, directory: Path, num_words: int) -> None:
        self.directory = directory
        self._num_words = num_words
        self._starts, self._contexts, self._totals = (directory / name for name in RUN_FILES)
        self.num_pairs = (self._contexts.stat().st_size - HEADER_SIZE) // 4

    def row_sizes(self) -> Longs:
        """Return how many pairs each row has, int64 (V,)."""
        return np.diff(self.starts(0, self._num_words))

    def starts(self, row: int, last_row: int) -> Longs:
        """Return where some rows begin, and where the last one ends."""
        starts = np.empty(last_row - row + 1, dtype=np.int64)
        read_array(self._starts, row, starts)
        return starts

    def read(self, start: int, contexts: np.ndarray, totals: np.ndarray) -> None:
        """Read pairs from position `start` on, as many as fit into the arrays."""
        read_array(self._contexts, start, contexts)
        read_array(self._totals, start, totals)

    def remove(self) -> None:
        """Free the disk."""
        shutil.rmtree(self.directory)


class Merge:
    """Makes one of several runs, in rounds if they are many.

    Parameters
    ----------
    folder : Path
        Where runs are.
    num_words : int
        Rows.
    plan : MemoryPlan
        How many pairs a thread may hold.
    progress : callable or None
    """

    def __init__(self, folder: Path, num_words: int, plan: MemoryPlan, progress: ProgressCallback | None) -> None:
        self._folder, self._num_words, self._plan, self._progress = folder, num_words, plan, progress
        self._num_made = 0

    def write(self, runs: list[Run], writer: RowWriter, unit: int) -> None:
        """Merge all runs into a result; they are removed on the way."""
        while len(groups := list(self._groups(runs))) > 1:
            runs = [self._merged_run(group) if len(group) > 1 else group[0] for group in groups]
        self._merge(runs, writer, unit)

    def _groups(self, runs: list[Run]) -> Generator[list[Run]]:
        """Divide runs so that what all of a group have in any one row fits a thread's share of memory."""
        group: list[Run] = []
        sizes = np.zeros(self._num_words, dtype=np.int64)
        for run in runs:
            sizes += run.row_sizes()
            if group and (len(group) == MOST_RUNS or sizes.max() > self._plan.merged):
                yield group
                group, sizes = [], run.row_sizes()
            group.append(run)
        yield group

    def _merged_run(self, runs: list[Run]) -> Run:
        self._num_made += 1
        directory = self._folder / f"merged-{self._num_made}"
        directory.mkdir()
        with RowWriter(directory, None) as writer:
            self._merge(runs, writer, None)
            writer.finish()
        return Run(directory, self._num_words)

    def _merge(self, runs: list[Run], writer: RowWriter, unit: int | None) -> None:
        from daneo.corpus.cooccurrence_kernels import merge_rows

        sizes = np.zeros(self._num_words, dtype=np.int64)
        for run in runs:
            sizes += run.row_sizes()
        reports = ProgressReports(self._progress, "merging", "pairs", int(sizes.sum()))
        num_done = 0

        def merge(rows: tuple[int, int], tables: Tables, output: Output) -> RowBlock:
            row, last_row = rows
            starts, contexts, totals = _read_rows(runs, row, last_row)
            merge_rows(starts, contexts, totals, *tables, output.starts, output.contexts, output.totals)
            return output.block(row, last_row, unit)

        threads = RowThreads(self._plan.num_threads, self._num_words, self._plan.merged)
        rows = rows_that_fit(sizes, self._plan.merged, min(MOST_ROWS, 8 * MOST_ROWS // len(runs)))
        with closing(threads.blocks(rows, merge)) as blocks:
            for block in blocks:
                writer.write(block)
                num_done += int(sizes[block.row : block.last_row].sum())
                reports.report(num_done)
        reports.report(num_done, finished=True)
        for run in runs:
            run.remove()


def _read_rows(runs: list[Run], row: int, last_row: int) -> tuple[Longs, Ids, Longs]:
    """Read some rows of all runs: where each begins, (runs, rows + 1), in the pairs of all."""
    starts = np.stack([run.starts(row, last_row) for run in runs])
    sizes = starts[:, -1] - starts[:, 0]
    ends = np.cumsum(sizes)
    contexts, totals = np.empty(ends[-1], dtype=np.int32), np.empty(ends[-1], dtype=np.int64)
    for run, start, end, size in zip(runs, starts[:, 0].tolist(), ends.tolist(), sizes.tolist(), strict=True):
        run.read(start, contexts[end - size : end], totals[end - size : end])
    return starts + (ends - starts[:, -1])[:, None], contexts, totals
