"""What the functions on vector registers do, in NumPy: a register is an array of sixteen float32."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

LANES = 16
Floats = npt.NDArray[np.float32]


def zero() -> Floats:
    """Sixteen zeros."""
    return np.zeros(LANES, np.float32)


def splat(number: float) -> Floats:
    """One float32, sixteen times."""
    return np.full(LANES, number, np.float32)


def load(array: Floats, row: int, column: int) -> Floats:
    """array[row, column : column + 16]."""
    return array[row, column : column + LANES].copy()


def store(array: Floats, row: int, column: int, value: Floats) -> None:
    """array[row, column : column + 16] = value."""
    array[row, column : column + LANES] = value


def increase(array: Floats, row: int, column: int, value: Floats) -> None:
    """array[row, column : column + 16] += value."""
    array[row, column : column + LANES] += value


def add(a: Floats, b: Floats) -> Floats:
    """A + b, lane by lane."""
    return a + b


def multiply(a: Floats, b: Floats) -> Floats:
    """A * b, lane by lane."""
    return a * b


def fma(a: Floats, b: Floats, c: Floats) -> Floats:
    """A * b + c, lane by lane."""
    return a * b + c


def fnma(a: Floats, b: Floats, c: Floats) -> Floats:
    """C - a * b, lane by lane."""
    return c - a * b


def inverse_square_root(a: Floats) -> Floats:
    """1 / sqrt(a), lane by lane; the compiled one is right to 5e-6."""
    return np.asarray(1 / np.sqrt(a), np.float32)


def lane_sum(a: Floats) -> np.float32:
    """The sum of the sixteen lanes, in halves."""
    for half in (8, 4, 2, 1):
        a = a[:half] + a[half:]
    return np.float32(a[0])


def splat_fma(array: Floats, row: int, column: int, b: Floats, c: Floats) -> Floats:
    """array[row, column] * b + c: one number times sixteen."""
    return np.asarray(array[row, column] * b + c)


def store_four_sums(array: Floats, row: int, column: int, a: Floats, b: Floats, c: Floats, d: Floats) -> None:
    """array[row, column : column + 4] = the sums of all lanes of a, b, c and d."""
    array[row, column : column + 4] = [lanes.sum() for lanes in (a, b, c, d)]


def prefetch(array: Floats, row: int, column: int) -> None:
    """Ask the caches for array[row, column] before it is needed: nothing to do here."""
