"""Rows that are mostly zeros, kept as their other numbers: V rows of C columns, in three arrays."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from daneo.embeddings.rows import Floats, Ids

if TYPE_CHECKING:
    from scipy import sparse

_NUMBERS_AT_ONCE = 1 << 20


class SparseRows:
    """Rows of a sparse matrix; :class:`daneo.embeddings.rows.Rows` that are made dense when asked for.

    Parameters
    ----------
    starts : int64 array of shape (V + 1,)
        Where in the other two arrays each row begins, from 0; the last is their length.
    columns : int32 array of shape (n,)
        Which columns of a row are not zero, rising in each row.
    values : float32 array of shape (n,)
        The numbers there.
    num_columns : int
        C.
    source : path or None
        The file that the arrays are mapped from, if nobody has looked at what it says: rows are checked when they are
        first read. None trusts `columns`.

    Raises
    ------
    ValueError
        The arrays do not fit each other.

    Examples
    --------
    >>> starts, columns = np.array([0, 2, 2]), np.array([0, 2], dtype=np.int32)
    >>> rows = SparseRows(starts, columns, np.array([3, 4], dtype=np.float32), 3)
    >>> rows.shape, rows[0].tolist(), rows[[1]].tolist(), rows.row(0)[0].tolist()
    ((2, 3), [3.0, 0.0, 4.0], [[0.0, 0.0, 0.0]], [0, 2])
    """

    def __init__(
        self,
        starts: npt.NDArray[Any],
        columns: npt.NDArray[Any],
        values: npt.NDArray[Any],
        num_columns: int,
        *,
        source: str | os.PathLike[str] | None = None,
    ) -> None:
        whose = "SparseRows" if source is None else f"{os.fspath(source)}:"
        for name, array, kind in (("starts", starts, "i8"), ("columns", columns, "i4"), ("values", values, "f4")):
            if array.dtype != np.dtype(kind) or array.ndim != 1:
                raise ValueError(
                    f"{whose} expected {name} to be {np.dtype(kind)} of one dimension, "
                    f"got {array.dtype} of shape {array.shape}."
                )
        if len(columns) != len(values) or not (len(starts) and starts[0] == 0 and starts[-1] == len(values)):
            raise ValueError(
                f"{whose} expected starts from 0 to the length of columns and values; got {len(starts)} starts, "
                f"{len(columns)} columns and {len(values)} values that do not fit each other."
            )
        if (starts[1:] < starts[:-1]).any():
            raise ValueError(f"{whose} expected starts that rise, got some that fall.")
        self.starts, self.columns, self.values = starts, columns, values
        self._num_columns = num_columns
        self._source = source

    @classmethod
    def of(cls, matrix: sparse.sparray | sparse.spmatrix) -> SparseRows:
        """Take the rows of a scipy.sparse matrix, without a copy where it is CSR, sorted, float32 and stores no zeros.

        Raises
        ------
        TypeError
            It is not sparse, or does not hold real numbers.
        """
        from scipy import sparse

        if not sparse.issparse(matrix) or np.dtype(matrix.dtype).kind not in "fiub":
            raise TypeError(f"Expected a scipy.sparse matrix of real numbers, got {type(matrix).__name__}.")
        rows = sparse.csr_array(matrix)
        if not rows.has_canonical_format:
            rows = rows.copy()  # what follows sorts in place, and the arrays may be the caller's
            rows.sum_duplicates()
        values = rows.data.astype(np.float32, copy=False)
        if np.count_nonzero(values) < len(values):  # stored zeros, or numbers too small for float32
            rows = sparse.csr_array((values, rows.indices, rows.indptr), shape=rows.shape, copy=True)
            rows.eliminate_zeros()
            values = rows.data
        return cls(
            rows.indptr.astype(np.int64, copy=False),
            rows.indices.astype(np.int32, copy=False),
            values,
            int(rows.shape[1]),
        )

    @property
    def shape(self) -> tuple[int, int]:
        """V and C."""
        return len(self), self._num_columns

    @property
    def num_stored(self) -> int:
        """How many numbers are kept."""
        return len(self.values)

    def __len__(self) -> int:
        return len(self.starts) - 1

    def __getitem__(self, rows: int | slice | npt.ArrayLike) -> Floats:
        if isinstance(rows, slice):
            rows = np.arange(len(self))[rows]
        numbers = np.asarray(rows)
        dense = np.zeros((numbers.size, self._num_columns), dtype=np.float32)
        for place, row in enumerate(numbers.reshape(-1).tolist()):
            columns, values = self.row(row)
            dense[place, columns] = values
        return dense[0] if numbers.ndim == 0 else dense

    def row(self, row: int) -> tuple[npt.NDArray[np.int32], Floats]:
        """Return the columns of a row that are not zero, rising, and the numbers there: views, to be read only."""
        if not 0 <= row < len(self):
            raise IndexError(f"Expected a row from 0 to {len(self) - 1}, got {row}.")
        first, last = self.starts[row : row + 2].tolist()
        if self._source is not None:
            self._check(row, row + 1)
        return self.columns[first:last], self.values[first:last]

    def block(self, start: int, stop: int) -> sparse.csr_array:
        """Return rows `start` to `stop` as a scipy.sparse matrix over the same memory: to be read only.

        Raises
        ------
        ValueError
            A file's columns are not within the matrix, or do not rise. All rows are looked at, once.
        """
        from scipy import sparse

        if self._source is not None:
            for first, last in self.ranges():
                self._check(first, last)
            self._source = None
        first, last = self.starts[[start, stop]].tolist()
        # SciPy wants one type for places and columns, which are int32.
        places = np.int32 if last - first < 1 << 31 else np.int64
        block = sparse.csr_array((stop - start, self._num_columns), dtype=np.float32)
        # Given to the constructor, arrays that are small parts of larger ones would be copied.
        block.data = self.values[first:last]
        block.indices = self.columns[first:last].astype(places, copy=False)
        block.indptr = (self.starts[start : stop + 1] - first).astype(places)
        return block

    def ranges(self, size: int = _NUMBERS_AT_ONCE) -> Iterator[tuple[int, int]]:
        """Cut the rows into ranges that hold about `size` numbers each, a row at least."""
        start = 0
        while start < len(self):
            stop = int(np.searchsorted(self.starts, self.starts[start] + size, side="right")) - 1
            stop = min(max(stop, start + 1), len(self))
            yield start, stop
            start = stop

    def _check(self, start: int, stop: int) -> None:
        """Refuse columns that would make compiled code read beside a matrix."""
        starts: Ids = self.starts[start : stop + 1] - self.starts[start]
        columns = self.columns[self.starts[start] : self.starts[stop]]
        if not len(columns):
            return
        rises = np.diff(columns) > 0
        edges = starts[(starts > 0) & (starts < len(columns))]
        rises[edges - 1] = True  # from a row to the next
        if columns.min() < 0 or columns.max() >= self._num_columns or not rises.all():
            raise ValueError(
                f"{os.fspath(self._source or '')} is damaged: expected the columns of each row to rise, "
                f"from 0 to {self._num_columns - 1}; those of rows {start} to {stop - 1} do not."
            )
