"""What tile_product_kernels.py computes, in plain NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = Any  # a NumPy array: of float32 or float64, or of row numbers
VECTOR_BYTES = 64  # of a register


def tile_product(
    sums: Array,
    left: Array,
    rows: Array,
    first: int,
    count: int,
    offset: int,
    column: int,
    panel: Array,
    start: int,
    k_step: int,
    v_step: int,
    length: int,
    width: int,
) -> None:
    """Register v of sums[i] = the sum over k of left[rows[first + i] + offset, column + k] times register v of k.

    That register starts at panel[0, start + k * k_step + v * v_step]; k < length, i < count, v < width.
    """
    lanes = VECTOR_BYTES // panel.itemsize
    factors = left[rows[first : first + count] + offset, column : column + length]
    for v in range(width):
        starts = start + v * v_step + k_step * np.arange(length)
        registers = panel[0, starts[:, None] + np.arange(lanes)]
        sums[:count, v * lanes : (v + 1) * lanes] = factors @ registers
