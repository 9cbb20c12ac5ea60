"""What the functions of lanes_kernels.py mean: slices of an array's numbers, in plain NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = Any  # a NumPy array of float32 or float64
VECTOR_BYTES = 64  # of a register


def lane_count(array: Array) -> int:
    """How many numbers of the array's type a register holds."""
    return VECTOR_BYTES // int(array.itemsize)


def load(array: Array, row: int, column: int) -> Array:
    """array[row, column : column + lanes]."""
    return array[row, column : column + lane_count(array)].copy()


def store(array: Array, row: int, column: int, value: Array) -> None:
    """array[row, column : column + lanes] = value."""
    array[row, column : column + lane_count(array)] = value


def turn_block(matrix: Array, row: int, column: int, out: Array, start: int, step: int) -> None:
    """out[0, start + k * step + n] = matrix[row + n, column + k] for n and k below the number of lanes."""
    lanes = lane_count(matrix)
    for k in range(lanes):
        out[0, start + k * step : start + k * step + lanes] = matrix[row : row + lanes, column + k]


def zero(array: Array) -> Array:
    """Zeros, in the precision of `array`."""
    return np.zeros(lane_count(array), array.dtype)


def fill(like: Array, number: float) -> Array:
    """One number in every lane; `like` are lanes of the type that is wanted."""
    return np.full_like(like, number)


def sigmoid(x: Array) -> Array:
    """1 / (1 + e**-x)."""
    e = np.exp(-np.abs(x))  # which never overflows
    return np.where(x < 0, e, 1) / (1 + e)


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
