"""Matrices of whole numbers from -127 to 127 with a scale for each row: a quarter of float32, hardly a difference."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from daneo.embeddings.rows import Floats, Rows

_LARGEST = 127
_BLOCK = 4096  # rows that are read together


class Int8Rows:
    """A matrix of shape (N, D) kept as whole numbers, one byte each; rows become float32 when asked for.

    Parameters
    ----------
    numbers : int8 array of shape (N, D)
        Kept, not copied; it may be memory-mapped.
    scales : float32 array of shape (N,)
        Row i is ``numbers[i] * scales[i]``.

    Raises
    ------
    ValueError
        The arrays are not of these shapes and dtypes.

    Examples
    --------
    >>> rows = Int8Rows.of(np.array([[0.5, -1.27], [0, 0]], dtype=np.float32))
    >>> rows.numbers.tolist(), rows[0], rows.nbytes
    ([[50, -127], [0, 0]], array([ 0.5 , -1.27], dtype=float32), 12)
    """

    def __init__(self, numbers: npt.NDArray[np.int8], scales: npt.NDArray[np.float32]) -> None:
        if numbers.dtype != np.int8 or numbers.ndim != 2:
            raise ValueError(f"Int8Rows expected int8 of shape (N, D), got {numbers.dtype} of shape {numbers.shape}.")
        if scales.dtype != np.float32 or scales.shape != (len(numbers),):
            raise ValueError(
                f"Int8Rows expected scales as float32 of shape ({len(numbers)},), one a row; "
                f"got {scales.dtype} of shape {scales.shape}."
            )
        self.numbers = numbers
        self.scales = scales

    @classmethod
    def of(cls, rows: Rows) -> Int8Rows:
        """Round rows, float32 (N, D), to 127 steps on either side of 0, block by block; a zero row stays zero.

        Raises
        ------
        ValueError
            A number is not finite.

        Notes
        -----
        A row's largest number is kept to float32's precision, and every number to within half a step: 1/254 of it.
        Numbers below 1.4e-45 times 127 have no scale in float32 and become zero.
        """
        numbers, scales = np.empty(rows.shape, dtype=np.int8), np.empty(len(rows), dtype=np.float32)
        for first in range(0, len(rows), _BLOCK):
            part = slice(first, first + _BLOCK)
            block = rows[part]
            scales[part] = np.maximum(block.max(axis=1), -block.min(axis=1)) / np.float32(_LARGEST)
            if not np.isfinite(scales[part]).all():
                raise ValueError(
                    f"int8 holds finite numbers; the rows have {block.min():g} to {block.max():g}. "
                    "Drop or mend these rows first."
                )
            steps = np.where(scales[part] > 0, scales[part], 1)[:, None].astype(np.float64)
            # A scale that float32 rounds down, as only the smallest ones are by much, would make more than 127 steps.
            numbers[part] = np.clip(np.rint(block / steps), -_LARGEST, _LARGEST)
        return cls(numbers, scales)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and numbers in a row, (N, D)."""
        return cast("tuple[int, int]", self.numbers.shape)

    @property
    def nbytes(self) -> int:
        """Bytes of the numbers and the scales."""
        return self.numbers.nbytes + self.scales.nbytes

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, rows: int | slice | npt.NDArray[np.integer[Any]]) -> Floats:
        found: Floats = self.numbers[rows] * self.scales[rows, None]
        return found

    def __repr__(self) -> str:
        return f"<Int8Rows of shape {self.shape}>"
