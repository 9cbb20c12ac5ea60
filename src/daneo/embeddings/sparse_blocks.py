"""Cosines between a few queries and all rows of a sparse matrix, by sparse products: nothing is made dense."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from daneo.embeddings.row_blocks import RowBlocks, error_bound, unit, with_limits
from daneo.embeddings.rows import Floats, Ids
from daneo.embeddings.sparse_rows import SparseRows

_SCORE_BYTES = 8 << 20  # of a block's scores
_MOST_ROWS = 1 << 16
_QUERIES_MADE_DENSE = 16


class SparseBlocks(RowBlocks):
    """Sparse rows that are read in blocks, and their lengths, measured when they are first asked for.

    Parameters
    ----------
    rows : SparseRows of shape (V, C)
        Kept, not copied.
    """

    matrix: SparseRows

    def __init__(self, rows: SparseRows) -> None:
        super().__init__(rows)
        # A cosine sums up as many products as the row has numbers.
        self.error = error_bound(int(np.diff(rows.starts).max(initial=0)))
        self._measured: Floats | None = None

    def lengths(self, start: int = 0, stop: int | None = None, rows: Floats | None = None) -> Floats:
        """Return the Euclidean lengths of rows: as for :class:`RowBlocks`, but the first question measures all."""
        if self._measured is None:
            squares = np.zeros(len(self.matrix))
            for first, last in self.matrix.ranges():
                block = self.matrix.block(first, last)
                filled = np.flatnonzero(np.diff(block.indptr))
                if len(filled):
                    with np.errstate(all="ignore"):
                        squares[first + filled] = np.add.reduceat(
                            block.data.astype(np.float64) ** 2, block.indptr[filled]
                        )
            self._measured = with_limits(np.sqrt(squares)).astype(np.float32)
        return self._measured[start:stop]

    def cosines(self, queries: Floats, start: int, stop: int) -> Iterator[tuple[int, Floats, Ids]]:
        """Compare every query (Q, C) with rows `start` to `stop`: see :meth:`RowBlocks.cosines`."""
        return self._products(np.ascontiguousarray(queries.T), start, stop)

    def cosines_of(self, rows: Ids, start: int, stop: int) -> Iterator[tuple[int, Floats, Ids]]:
        """Compare rows of the matrix itself with rows `start` to `stop`; takes memory for Q C float32 numbers."""
        columns = np.empty((self.matrix.shape[1], len(rows)), dtype=np.float32)
        for first in range(0, len(rows), _QUERIES_MADE_DENSE):
            part = slice(first, first + _QUERIES_MADE_DENSE)
            columns[:, part] = unit(self.matrix[rows[part]]).T
        return self._products(columns, start, stop)

    def _products(self, columns: Floats, start: int, stop: int) -> Iterator[tuple[int, Floats, Ids]]:
        num_queries = columns.shape[1]
        size = min(max(1, _SCORE_BYTES // (4 * max(1, num_queries))), _MOST_ROWS)
        for first in range(start, stop, size):
            last = min(first + size, stop)
            lengths = self.lengths(first, last)
            with np.errstate(all="ignore"):
                # One query as a vector: SciPy has a faster loop for it.
                products = self.matrix.block(first, last) @ (columns[:, 0] if num_queries == 1 else columns)
                scores = np.ascontiguousarray(products.reshape(last - first, num_queries).T)
                scores *= np.where(lengths > 0, 1 / lengths, np.float32(0))
            yield first, scores, np.flatnonzero(np.isnan(lengths))
