"""Matrices whose rows need not lie in memory: read from a file, taken apart into codes, or computed when asked for."""

from __future__ import annotations

from typing import Any, Protocol, TypeGuard

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Ids = npt.NDArray[np.int64]


class Rows(Protocol):
    """A matrix of float32 rows, of shape (N, D): an array, or anything that hands out rows as arrays.

    ``rows[3]`` is one row (D,); ``rows[2:5]`` and ``rows[[4, 4, 0]]`` are several, (M, D). Numbers are from 0 to
    N - 1, as an array's are. What comes back is to be read, not written to: it may be the matrix itself.
    """

    @property
    def shape(self) -> tuple[int, int]:
        """N and D."""

    def __len__(self) -> int: ...

    def __getitem__(self, rows: Any, /) -> Floats: ...


def is_lazy(matrix: object) -> TypeGuard[Rows]:
    """Whether these are rows of another kind than an array, or than what NumPy makes an array of.

    Examples
    --------
    >>> is_lazy(ChosenRows(np.eye(2, dtype=np.float32), range(1))), is_lazy(np.eye(2)), is_lazy([[1, 0]])
    (True, False, False)
    """
    return hasattr(matrix, "shape") and hasattr(matrix, "__getitem__") and not hasattr(matrix, "__array__")


def whole(rows: Rows) -> Floats:
    """Return all rows as one array, read-only; an array itself is not copied."""
    view = rows[:].view()
    view.flags.writeable = False
    return view


class ChosenRows:
    """Some of the rows of a matrix, in any order, without a copy of them.

    Parameters
    ----------
    rows : Rows of shape (N, D)
    chosen : int array of shape (M,), or range
        Which ones, from 0 to N - 1; repeats are allowed. A range costs no memory, and one of steps of 1 is read in
        one piece.

    Examples
    --------
    >>> rows = ChosenRows(np.array([[1, 1], [2, 2], [3, 3]], dtype=np.float32), [2, 0])
    >>> rows.shape, rows[0].tolist(), rows[:].tolist()
    ((2, 2), [3.0, 3.0], [[3.0, 3.0], [1.0, 1.0]])
    """

    def __init__(self, rows: Rows, chosen: npt.ArrayLike | range) -> None:
        self._rows = rows
        self._chosen = chosen if isinstance(chosen, range) else np.asarray(chosen, dtype=np.int64).reshape(-1)

    @property
    def shape(self) -> tuple[int, int]:
        """M and D."""
        return len(self), self._rows.shape[1]

    def __len__(self) -> int:
        return len(self._chosen)

    def __getitem__(self, rows: int | slice | npt.ArrayLike) -> Floats:
        if isinstance(rows, slice):
            chosen = self._chosen[rows]
            if isinstance(chosen, range) and chosen.step == 1:
                return self._rows[chosen.start : chosen.stop]
            return self._rows[np.asarray(chosen, dtype=np.int64)]
        numbers = np.asarray(rows)
        if isinstance(self._chosen, range):
            if numbers.size and not (-len(self) <= numbers.min() and numbers.max() < len(self)):
                raise IndexError(f"Expected rows from 0 to {len(self) - 1}, got {rows}.")
            found = self._chosen.start + self._chosen.step * (numbers % len(self) if numbers.size else numbers)
        else:
            found = self._chosen[numbers]
        return self._rows[int(found)] if found.ndim == 0 else self._rows[found]
