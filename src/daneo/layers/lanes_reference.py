"""What the functions of lanes_kernels.py mean: slices of eight numbers of an array, in plain NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = Any  # a NumPy array of float32 or float64
LANES = 8


def load(array: Array, row: int, column: int) -> Array:
    """array[row, column : column + lanes]."""
    return array[row, column : column + LANES].copy()


def store(array: Array, row: int, column: int, value: Array) -> None:
    """array[row, column : column + lanes] = value."""
    array[row, column : column + LANES] = value


def splat(array: Array, number: float) -> Array:
    """One number in every lane, in the precision of `array`."""
    return np.full(LANES, number, array.dtype)


def lane_count(array: Array) -> int:
    """How many numbers a register holds."""
    return LANES


def sigmoid(x: Array) -> Array:
    """1 / (1 + e**-x)."""
    return 1 / (np.expm1(-np.clip(x, -80, 80)) + 2)


def tanh(x: Array) -> Array:
    """(e**2x - 1) / (e**2x + 1)."""
    return np.tanh(x)


def maximum(a: Array, b: Array) -> Array:
    """Return the larger of two numbers; NaN in `a` stays."""
    return np.where(a < b, b, a)


def minimum(a: Array, b: Array) -> Array:
    """Return the smaller of two numbers; NaN in `a` stays."""
    return np.where(a > b, b, a)


def where_between(y: Array, low: Array, high: Array, value: Array) -> Array:
    """`value` where low < y < high, elsewhere 0."""
    return np.where((y > low) & (y < high), value, np.zeros_like(value))
