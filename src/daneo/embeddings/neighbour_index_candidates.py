"""usearch's graph of directions (HNSW): built from rows, mapped from a file, asked for candidates."""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from daneo.corpus.progress_reports import ProgressReports
from daneo.embeddings.neighbour_index_graph import check_graph
from daneo.embeddings.neighbour_index_storage import STORAGE
from daneo.embeddings.row_blocks import Doubles, unit
from daneo.embeddings.rows import Ids, Rows
from daneo.extras import require
from daneo.threads import available_cores

if TYPE_CHECKING:
    from daneo.embeddings.neighbour_index_config import NeighbourIndexConfig
    from daneo.progress import ProgressCallback

_ROWS_AT_ONCE = 8192  # that are added between two reports, and two looks for Ctrl-C


class CandidateGraph:
    """Rows of a matrix, by their directions, in a graph whose walks end near a question.

    Several threads may ask; one after the other is answered, each by as many threads as it is to use.

    Parameters
    ----------
    vector_size : int
        D.
    config : NeighbourIndexConfig
        What the graph is like.
    data : uint8 array of shape (B,) or None
        A file of usearch's that :func:`~daneo.embeddings.neighbour_index_graph.check_graph` has passed. It is not
        copied, and must not change as long as this is used.
    """

    def __init__(
        self, vector_size: int, config: NeighbourIndexConfig, data: npt.NDArray[np.uint8] | None = None
    ) -> None:
        require("usearch", extra="index", purpose="An index of neighbours")
        self._storage = STORAGE[config.storage]
        self._lock = Lock()
        self._data = data
        self._index: Any = importlib.import_module("usearch.index").Index(
            ndim=vector_size,
            metric="cos",
            dtype=self._storage.dtype,
            connectivity=config.connectivity,
            expansion_add=config.expansion_add,
            enable_key_lookups=False,  # a table of all words, to find a word's place; nobody asks for it
        )
        if data is not None:
            self._index.view(data.data)

    @classmethod
    def of_rows(
        cls, rows: Rows, config: NeighbourIndexConfig, progress: ProgressCallback | None = None
    ) -> CandidateGraph:
        """Add every row that has a direction.

        Parameters
        ----------
        rows : Rows of shape (V, D)
            Read a few thousand at a time.
        config : NeighbourIndexConfig
        progress : callable or None
            Gets a :class:`daneo.progress.Progress` now and then.
        """
        graph = cls(rows.shape[1], config)
        reports = ProgressReports(progress, "indexing", "words", len(rows))
        for first in range(0, len(rows), _ROWS_AT_ONCE):
            units = unit(rows[first : first + _ROWS_AT_ONCE])
            (usable,) = np.nonzero(np.isfinite(units).all(axis=1) & units.any(axis=1))
            if usable.size:
                stored = graph._storage.stored(units[usable])
                with _interruptible():
                    graph._index.add(first + usable, stored, threads=config.num_threads or available_cores())
            reports.report(first + len(units))
        reports.report(len(rows), finished=True)
        return graph

    def __len__(self) -> int:
        return len(self._index)

    @property
    def num_bytes(self) -> int:
        """Of the file that :meth:`save` writes."""
        return int(self._index.serialized_length)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a file of usearch's."""
        self._index.save(os.fspath(path))

    def candidates(self, units: Doubles, count: int, expansion: int, num_threads: int) -> tuple[Ids, npt.NDArray[Any]]:
        """Return, for each question, rows that may be the nearest.

        Parameters
        ----------
        units : float64 array of shape (Q, D)
            Of length 1 each.
        count : int
            How many rows, at most as many as there are.
        expansion : int
            How many candidates the walk keeps; `count` if that is more.
        num_threads : int

        Returns
        -------
        rows : int64 array of shape (Q, count)
        is_there : bool array of shape (Q, count)
            False where the walk found fewer.
        """
        stored = self._storage.stored(units)
        with self._lock, _interruptible():  # a search keeps its state in the index
            self._index.expansion_search = expansion
            found = self._index.search(stored, count, threads=min(num_threads, len(units)))
        keys = found.keys.reshape(len(units), -1).astype(np.int64)
        counts = np.reshape(found.counts if len(units) > 1 else [len(found.keys)], (-1, 1))
        return keys, np.arange(keys.shape[1]) < counts


@contextmanager
def _interruptible() -> Iterator[None]:
    """Raise what Python raises after Ctrl-C: usearch looks for signals itself, and has an error of its own for them."""
    try:
        yield
    except RuntimeError as error:
        if "terminated" in str(error):
            raise KeyboardInterrupt from error
        raise


def mapped_graph(
    data: npt.NDArray[np.uint8], vector_size: int, num_rows: int, config: NeighbourIndexConfig
) -> CandidateGraph:
    """Open the content of a file, uint8 (B,), after a check of all that usearch relies on.

    Raises
    ------
    ValueError
        The file is damaged, or of other rows than (num_rows, vector_size).
    """
    storage = STORAGE[config.storage]
    check_graph(
        data, number=storage.code, number_bytes=storage.num_bytes, vector_size=vector_size, num_rows=num_rows
    )  # fmt: skip
    return CandidateGraph(vector_size, config, data)
