"""The products around a recurrence, row by row of what is given: inputs times weights, and gradients of weights.

The recurrence itself multiplies with tile_product_kernels.py step by step; here whole matrices go through the same
tiles. Rows are given by number, so that steps a mask leaves out cost nothing, and neither side is copied whole.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from daneo.layers.recurrences.lanes_kernels import compiled, lane_count, load, store, turn_block, zero
from daneo.layers.recurrences.tile_product_kernels import MAX_ROWS, MAX_WIDTH, ROWS, tile_product

entry: Any = njit(nogil=True, cache=True, error_model="numpy")
CHUNK = 496  # rows that one pass over a weight's gradient covers: they stay in the caches


@entry
def pack_panels(matrix: Any, columns: Any, ends: Any, width: int, panels: Any) -> None:
    """Lay a matrix (K, N) out in panels: each holds, for every k, `width` registers of numbers side by side.

    Register v starts at column columns[v]; what lies at or beyond column ends[v] counts as zero. The last panel may be
    narrower. `panels` has shape (1, K * len(columns) * lanes).
    """
    lanes, place = lane_count(panels), 0
    for first in range(0, len(columns), width):
        last = min(first + width, len(columns))
        for k in range(matrix.shape[0]):
            for v in range(first, last):
                column, count = columns[v], min(lanes, ends[v] - columns[v])
                if count == lanes:
                    store(panels, 0, place, load(matrix, k, column))
                else:
                    for lane in range(lanes):
                        panels[0, place + lane] = matrix[k, column + lane] if lane < count else 0
                place += lanes


@compiled
def _turn_some(matrix: Any, row: int, columns: Any, first: int, panels: Any, start: int, step: int) -> None:
    """Turn a square of as many rows and columns as a register has lanes, some of which are not there."""
    lanes = lane_count(panels)
    for k in range(lanes):
        column = columns[first + k]
        for n in range(lanes):
            given = row + n < matrix.shape[0] and column >= 0
            panels[0, start + k * step + n] = matrix[row + n, column] if given else 0


@entry
def pack_transposed(matrix: Any, columns: Any, num_registers: int, width: int, panels: Any) -> None:
    """Lay the transpose of a matrix (N, M) out in panels, N filled up with zeros to `num_registers` registers.

    k runs over `columns`, the columns of the matrix, a multiple of the lanes; a negative one stands for zeros. `panels`
    has shape (1, len(columns) * num_registers * lanes).
    """
    lanes, start = lane_count(panels), 0
    for first in range(0, num_registers, width):
        wide = min(width, num_registers - first) * lanes
        for n in range(0, wide, lanes):
            row = first * lanes + n
            for k in range(0, len(columns), lanes):
                last = columns[k + lanes - 1]
                if row + lanes <= matrix.shape[0] and columns[k] >= 0 and last == columns[k] + lanes - 1:
                    turn_block(matrix, row, columns[k], panels, start + k * wide + n, wide)
                else:
                    _turn_some(matrix, row, columns, k, panels, start + k * wide + n, wide)
        start += wide * len(columns)


@compiled
def multiply_rows(
    left: Any,
    left_rows: Any,
    panels: Any,
    columns: Any,
    width: int,
    bias: Any,
    out: Any,
    out_rows: Any,
    first: int,
    last: int,
    sums: Any,
) -> None:
    """out[out_rows[n], columns[v] + lane] = left[left_rows[n]] @ panels (+ bias), for n from first to last.

    `columns` says where in `out` each register of the packed matrix goes; one that sticks out at the right is cut.
    `bias` is a row as wide as `out`, or has no rows. `sums` is scratch of shape (MAX_ROWS, MAX_WIDTH * lanes).
    """
    lanes, length = lane_count(panels), left.shape[1]
    for panel in range(0, len(columns), width):
        wide = min(width, len(columns) - panel)
        num_tiles = -(-(last - first) // ROWS[wide - 1])
        for number in range(num_tiles):
            tile = first + number * (last - first) // num_tiles
            count = first + (number + 1) * (last - first) // num_tiles - tile
            start = panel * lanes * length
            tile_product(
                sums,
                left,
                left_rows,
                tile,
                count,
                np.int64(0),
                np.int64(0),
                panels,
                np.int64(start),
                wide * lanes,
                lanes,
                length,
                wide,
            )
            for v in range(wide):
                column = columns[panel + v]
                for i in range(count):
                    row = out_rows[tile + i]
                    if column + lanes > out.shape[1]:
                        for lane in range(out.shape[1] - column):
                            more = bias[0, column + lane] if len(bias) else sums[i, v * lanes + lane] * 0
                            out[row, column + lane] = sums[i, v * lanes + lane] + more
                    elif len(bias):
                        store(out, row, column, load(sums, i, v * lanes) + load(bias, 0, column))
                    else:
                        store(out, row, column, load(sums, i, v * lanes))


@entry
def multiply(
    left: Any, rows: Any, panels: Any, columns: Any, width: int, bias: Any, out: Any, first: int, last: int
) -> None:
    """out[rows[n]] = left[rows[n]] @ panels (+ bias), for n from first to last."""
    sums = np.empty((MAX_ROWS, MAX_WIDTH * lane_count(out)), out.dtype)
    multiply_rows(left, rows, panels, columns, np.int64(width), bias, out, rows, first, last, sums)


@compiled
def _turn(
    left: Any, length: int, rows: Any, factors: Any, factor_rows: Any, begin: int, size: int, turned: Any
) -> None:
    """turned[k, n] = left[rows[begin + n], k] for k < length, times its factor where there are factors."""
    for n in range(size):
        row = rows[begin + n]
        if len(factors):
            factor = factor_rows[begin + n]
            for k in range(length):
                turned[k, n] = left[row, k] * factors[factor, k]
        else:
            for k in range(length):
                turned[k, n] = left[row, k]


@compiled
def _add_panel(
    turned: Any, order: Any, panel: Any, size: int, wide: int, out: Any, column: int, again: bool, sums: Any
) -> None:
    """out[:, column : column + wide registers] = (+=, if again) turned @ panel."""
    lanes, length = lane_count(out), len(order)
    num_tiles = -(-length // ROWS[wide - 1])
    for number in range(num_tiles):
        tile = number * length // num_tiles
        count = (number + 1) * length // num_tiles - tile
        tile_product(
            sums,
            turned,
            order,
            tile,
            count,
            np.int64(0),
            np.int64(0),
            panel,
            np.int64(0),
            wide * lanes,
            lanes,
            size,
            wide,
        )
        for i in range(count):
            for v in range(0, wide * lanes, lanes):
                value = load(sums, i, v)
                if again:
                    value = value + load(out, tile + i, column + v)
                store(out, tile + i, column + v, value)


@compiled
def _add_chunks(
    left: Any,
    num_features: int,
    left_rows: Any,
    factors: Any,
    factor_rows: Any,
    right: Any,
    right_rows: Any,
    panels: Any,
    out: Any,
    first: int,
    last: int,
    turned: Any,
    panel: Any,
    order: Any,
    sums: Any,
) -> None:
    lanes = lane_count(right)
    for begin in range(0, len(left_rows), CHUNK):
        size = min(CHUNK, len(left_rows) - begin)
        _turn(left, num_features, left_rows, factors, factor_rows, begin, size, turned)
        for number in range(first, last):
            column, wide = panels[number, 0], panels[number, 1]
            for n in range(size):
                for v in range(wide):
                    store(panel, 0, (n * wide + v) * lanes, load(right, right_rows[begin + n], column + v * lanes))
            _add_panel(turned, order, panel, size, wide, out, column, begin > 0, sums)


@entry
def multiply_transposed(
    left: Any,
    num_features: int,
    left_rows: Any,
    factors: Any,
    factor_rows: Any,
    right: Any,
    right_rows: Any,
    panels: Any,
    out: Any,
    first: int,
    last: int,
) -> None:
    """Out = the sum over n of left[left_rows[n]], as a column, times right[right_rows[n]], as a row.

    Made for panels from first to last of `panels` (N, 2): the column of `right` and `out` where one starts, and how
    many registers wide it is. `factors` multiplies left row n by its row factor_rows[n], or has no rows. Of `left` the
    first `num_features` columns count; where `out` has one row more, it is the sum of the right rows: the gradient of a
    bias.
    """
    lanes = lane_count(right)
    sums = np.empty((MAX_ROWS, MAX_WIDTH * lanes), right.dtype)
    turned = np.ones((len(out), CHUNK), right.dtype)
    panel = np.empty((1, CHUNK * MAX_WIDTH * lanes), right.dtype)
    for number in range(first, last):
        if len(left_rows) == 0:
            out[:, panels[number, 0] : panels[number, 0] + panels[number, 1] * lanes] = 0
    _add_chunks(
        left, num_features, left_rows, factors, factor_rows, right, right_rows, panels, out, first, last, turned, panel,
        np.arange(len(out)), sums,
    )  # fmt: skip


@entry
def group_by_token(tokens: Any, order: Any, starts: Any) -> None:
    """List the places of each token n in `order`, from starts[n] to starts[n + 1]."""
    starts[:] = 0
    for token in tokens:
        starts[token + 1] += 1
    for n in range(1, len(starts)):
        starts[n] += starts[n - 1]
    following = starts[:-1].copy()
    for place in range(len(tokens)):
        token = tokens[place]
        order[following[token]] = place
        following[token] += 1


@entry
def add_up(rows: Any, order: Any, starts: Any, out: Any, first: int, last: int) -> None:
    """out[n] = the sum of rows[order[starts[n] : starts[n + 1]]], for n from first to last."""
    lanes = lane_count(out)
    for n in range(first, last):
        for j in range(0, out.shape[1], lanes):
            total = zero(out)
            for place in range(starts[n], starts[n + 1]):
                total = total + load(rows, order[place], j)
            store(out, n, j, total)
