"""What the functions of matrix_product_kernels.py compute, in plain NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = Any  # a NumPy array: of float32 or float64, or of row numbers
VECTOR_BYTES = 64  # of a register


def lane_count(array: Array) -> int:
    """How many numbers of the array's type a register holds."""
    return VECTOR_BYTES // int(array.itemsize)


def pack_panels(matrix: Array, columns: Array, ends: Array, width: int, panels: Array) -> None:
    """Lay a matrix (K, N) out in panels: each holds, for every k, `width` registers of numbers side by side."""
    places = columns[:, None] + np.arange(lane_count(panels))
    numbers = matrix[:, np.minimum(places, matrix.shape[1] - 1)]  # (K, registers, lanes)
    registers = np.where(places < ends[:, None], numbers, 0)
    panels[0] = np.concatenate([registers[:, n : n + width].ravel() for n in range(0, len(columns), width)])


def pack_transposed(matrix: Array, columns: Array, num_registers: int, width: int, panels: Array) -> None:
    """Lay the transpose of a matrix (N, M) out in panels; k runs over `columns`, of which -1 stands for zeros."""
    lanes = lane_count(panels)
    transposed = np.zeros((len(columns), num_registers * lanes), panels.dtype)
    transposed[columns >= 0, : len(matrix)] = matrix[:, columns[columns >= 0]].T
    step = width * lanes
    panels[0] = np.concatenate([transposed[:, n : n + step].ravel() for n in range(0, num_registers * lanes, step)])


def unpacked(panels: Array, length: int, num_registers: int, width: int) -> Array:
    """Return the matrix (K, registers * lanes) that panels hold."""
    step, total = (count * lane_count(panels) * length for count in (width, num_registers))
    parts = [panels[0, n : min(n + step, total)] for n in range(0, total, step)]
    return np.hstack([part.reshape(length, -1) for part in parts])


def multiply_rows(
    left: Array,
    left_rows: Array,
    panels: Array,
    columns: Array,
    width: int,
    bias: Array,
    out: Array,
    out_rows: Array,
    first: int,
    last: int,
    sums: Array,
) -> None:
    """out[out_rows[n], columns[v] + lane] = left[left_rows[n]] @ panels (+ bias), for n from first to last."""
    product = left[left_rows[first:last]] @ unpacked(panels, left.shape[1], len(columns), width)
    places = (columns[:, None] + np.arange(lane_count(panels))).ravel()
    fits = places < out.shape[1]
    places, product = places[fits], product[:, fits]
    if len(bias):
        product = product + bias[0, places]
    out[out_rows[first:last, None], places] = product


def multiply(
    left: Array, rows: Array, panels: Array, columns: Array, width: int, bias: Array, out: Array, first: int, last: int
) -> None:
    """out[rows[n]] = left[rows[n]] @ panels (+ bias), for n from first to last."""
    multiply_rows(left, rows, panels, columns, width, bias, out, rows, first, last, out)


def multiply_transposed(
    left: Array,
    num_features: int,
    left_rows: Array,
    factors: Array,
    factor_rows: Array,
    right: Array,
    right_rows: Array,
    panels: Array,
    out: Array,
    first: int,
    last: int,
) -> None:
    """Out = the sum over n of left[left_rows[n]], as a column, times right[right_rows[n]], as a row.

    Made for panels from first to last of `panels` (N, 2): a column, and how many registers there are from it on. Left
    row n is multiplied by factors[factor_rows[n]], if there are any. A row more of `out` is the sum of the right rows.
    """
    turned = left[left_rows, :num_features].T
    if len(factors):
        turned = turned * factors[factor_rows, :num_features].T
    turned = np.vstack([turned, np.ones((len(out) - num_features, len(left_rows)), left.dtype)])
    for column, wide in panels[first:last]:
        panel = slice(column, column + wide * lane_count(right))
        out[:, panel] = turned @ right[right_rows, panel]


def group_by_token(tokens: Array, order: Array, starts: Array) -> None:
    """List the places of each token n in `order`, from starts[n] to starts[n + 1]."""
    order[:] = np.argsort(tokens, kind="stable")
    starts[:] = np.searchsorted(tokens[order], np.arange(len(starts)))


def add_up(rows: Array, order: Array, starts: Array, out: Array, first: int, last: int) -> None:
    """out[n] = the sum of rows[order[starts[n] : starts[n + 1]]], for n from first to last."""
    for n in range(first, last):
        out[n] = rows[order[starts[n] : starts[n + 1]]].sum(axis=0)
