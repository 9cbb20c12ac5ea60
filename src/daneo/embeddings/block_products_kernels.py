"""The small matrix products of a training step, on vector registers.

Same names, arguments and meaning as in block_products_reference.py. Every array is C-contiguous float32 whose rows
are a multiple of LANES wide; counts of rows are multiples of four, so that no loop has a remainder. Nothing is checked.
Any thread may call them: they write only to what they are given, and several threads may add to one matrix at once
without a lock (Hogwild, Recht et al. 2011, arXiv:1106.5730): now and then an addition is lost, which training bears.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from daneo.embeddings.float_lanes_kernels import (
    LANES,
    fma,
    increase,
    load,
    prefetch,
    splat,
    splat_fma,
    store,
    store_four_sums,
    zero,
)

f32 = np.float32
Floats = npt.NDArray[np.float32]
Ids = npt.NDArray[np.integer]

compiled: Any = njit(nogil=True, cache=True)
# Without error_model="numpy" a division checks for zero, and nothing around it becomes vector instructions.
# All of fastmath but "arcp": estimates of 1 / x differ from processor to processor, and training must not.
_FAST = {"nnan", "ninf", "nsz", "contract", "reassoc"}
compiled_fast: Any = njit(nogil=True, cache=True, fastmath=_FAST, error_model="numpy")
compiled_inline: Any = njit(nogil=True, cache=True, fastmath=_FAST, error_model="numpy", inline="always")


@compiled
def zero_rows(num_rows: int, width: int) -> Any:
    """Make a block of zeros that begins with a cache line: a register that lies across two of them costs twice."""
    room = np.zeros(num_rows * width + LANES, np.float32)
    first = -room.ctypes.data % (4 * LANES) // 4
    return room[first : first + num_rows * width].reshape(num_rows, width)


@compiled
def gather(matrix: Floats, rows: Ids, count: int, block: Floats) -> None:
    """Copy rows of a matrix into a block."""
    for j in range(count):
        for d in range(0, block.shape[1], LANES):
            store(block, j, d, load(matrix, rows[j], d))


@compiled
def scores(x: Floats, num_x: int, y: Floats, num_y: int, out: Floats) -> None:
    """out[j, k] = x[j] . y[k]."""
    # Sixteen sums at a time stay in registers: each row loaded serves four of them.
    for j in range(0, num_x, 4):
        for k in range(0, num_y, 4):
            s00 = s01 = s02 = s03 = s10 = s11 = s12 = s13 = zero()
            s20 = s21 = s22 = s23 = s30 = s31 = s32 = s33 = zero()
            for d in range(0, x.shape[1], LANES):
                y0, y1, y2, y3 = load(y, k, d), load(y, k + 1, d), load(y, k + 2, d), load(y, k + 3, d)
                a = load(x, j, d)
                s00, s01, s02, s03 = fma(a, y0, s00), fma(a, y1, s01), fma(a, y2, s02), fma(a, y3, s03)
                a = load(x, j + 1, d)
                s10, s11, s12, s13 = fma(a, y0, s10), fma(a, y1, s11), fma(a, y2, s12), fma(a, y3, s13)
                a = load(x, j + 2, d)
                s20, s21, s22, s23 = fma(a, y0, s20), fma(a, y1, s21), fma(a, y2, s22), fma(a, y3, s23)
                a = load(x, j + 3, d)
                s30, s31, s32, s33 = fma(a, y0, s30), fma(a, y1, s31), fma(a, y2, s32), fma(a, y3, s33)
            store_four_sums(out, j, k, s00, s01, s02, s03)
            store_four_sums(out, j + 1, k, s10, s11, s12, s13)
            store_four_sums(out, j + 2, k, s20, s21, s22, s23)
            store_four_sums(out, j + 3, k, s30, s31, s32, s33)


@compiled
def add_products(matrix: Floats, rows: Ids, num_rows: int, factors: Floats, block: Floats, num_terms: int) -> None:
    """matrix[rows[j]] += sum over k of factors[j, k] * block[k]."""
    width = block.shape[1]
    for j in range(0, num_rows, 4):
        r0, r1, r2, r3 = rows[j], rows[j + 1], rows[j + 2], rows[j + 3]
        for d in range(0, width - LANES, 2 * LANES):
            e = d + LANES
            a0 = a1 = a2 = a3 = b0 = b1 = b2 = b3 = zero()
            for k in range(num_terms):
                a, b = load(block, k, d), load(block, k, e)
                a0, b0 = splat_fma(factors, j, k, a, a0), splat_fma(factors, j, k, b, b0)
                a1, b1 = splat_fma(factors, j + 1, k, a, a1), splat_fma(factors, j + 1, k, b, b1)
                a2, b2 = splat_fma(factors, j + 2, k, a, a2), splat_fma(factors, j + 2, k, b, b2)
                a3, b3 = splat_fma(factors, j + 3, k, a, a3), splat_fma(factors, j + 3, k, b, b3)
            increase(matrix, r0, d, a0), increase(matrix, r0, e, b0)
            increase(matrix, r1, d, a1), increase(matrix, r1, e, b1)
            increase(matrix, r2, d, a2), increase(matrix, r2, e, b2)
            increase(matrix, r3, d, a3), increase(matrix, r3, e, b3)
        if width % (2 * LANES):
            d = width - LANES
            a0 = a1 = a2 = a3 = zero()
            for k in range(num_terms):
                a = load(block, k, d)
                a0, a1 = splat_fma(factors, j, k, a, a0), splat_fma(factors, j + 1, k, a, a1)
                a2, a3 = splat_fma(factors, j + 2, k, a, a2), splat_fma(factors, j + 3, k, a, a3)
            increase(matrix, r0, d, a0), increase(matrix, r1, d, a1)
            increase(matrix, r2, d, a2), increase(matrix, r3, d, a3)


@compiled
def mean_of_rows(
    matrix: Floats,
    rows: Ids,
    words: Ids,
    first: int,
    center: int,
    last: int,
    weights: Floats,
    block: Floats,
    index: int,
) -> None:
    """block[index] = the mean of the rows of the words from first to last without center, weighed by their places."""
    share, middle = splat(f32(1) / f32(last - first - 1)), len(weights) // 2
    for d in range(0, block.shape[1], LANES):
        total = zero()
        for j in range(first, last):
            if j != center:
                weight = share
                if len(weights):
                    weight = fma(share, load(weights, middle + j - center, d), zero())
                total = fma(weight, load(matrix, rows[words[j]], d), total)
        store(block, index, d, total)


@compiled
def add_to_rows(
    matrix: Floats,
    rows: Ids,
    words: Ids,
    first: int,
    center: int,
    last: int,
    weights: Floats,
    block: Floats,
    index: int,
) -> None:
    """Add block[index] to the rows of the words from first to last without center; with weights, to these as well."""
    share, middle = splat(f32(1) / f32(max(last - first - 1, 1))), len(weights) // 2
    for d in range(0, block.shape[1], LANES):
        change = load(block, index, d)
        part = fma(share, change, zero())
        for j in range(first, last):
            if j == center:
                continue
            if len(weights):
                row, weight = load(matrix, rows[words[j]], d), load(weights, middle + j - center, d)
                store(weights, middle + j - center, d, fma(part, row, weight))
                store(matrix, rows[words[j]], d, fma(change, weight, row))
            else:
                increase(matrix, rows[words[j]], d, change)


@compiled
def scores_of_row(block: Floats, index: int, matrix: Floats, rows: Ids, count: int, out: Floats) -> None:
    """out[index, k] = block[index] . matrix[rows[k]]."""
    for k in range(0, count, 4):
        s0 = s1 = s2 = s3 = zero()
        for d in range(0, block.shape[1], LANES):
            x = load(block, index, d)
            s0, s1 = fma(x, load(matrix, rows[k], d), s0), fma(x, load(matrix, rows[k + 1], d), s1)
            s2, s3 = fma(x, load(matrix, rows[k + 2], d), s2), fma(x, load(matrix, rows[k + 3], d), s3)
        store_four_sums(out, index, k, s0, s1, s2, s3)


@compiled
def update_rows_and_row(
    matrix: Floats, rows: Ids, count: int, factors: Floats, block: Floats, change: Floats, index: int
) -> None:
    """change[index] = the weighted sum of rows; then the same weights times block[index] go to the rows."""
    for d in range(0, block.shape[1], LANES):
        x, total = load(block, index, d), zero()
        for k in range(count):
            total = splat_fma(factors, index, k, load(matrix, rows[k], d), total)
            increase(matrix, rows[k], d, splat_fma(factors, index, k, x, zero()))
        store(change, index, d, total)


@compiled
def prefetch_row(matrix: Floats, row: int) -> None:
    """Ask for a row before it is needed."""
    for d in range(0, matrix.shape[1], LANES):
        prefetch(matrix, row, d)


@compiled_inline
def _sigmoid_of_positive(x: np.float32) -> np.float32:
    # tanh as a ratio of polynomials (odd, degree 13 over 6), good to 2e-7 where |x / 2| < 7.9; beyond, 1 - sigmoid
    # is below what float32 holds beside 1.
    t = min(f32(0.5) * x, f32(7.9))
    u = t * t
    p = f32(-2.76076847742355e-16) * u + f32(2.00018790482477e-13)
    p = (p * u + f32(-8.60467152213735e-11)) * u + f32(5.12229709037114e-08)
    p = (p * u + f32(1.48572235717979e-05)) * u + f32(6.37261928875436e-04)
    p = p * u + f32(4.89352455891786e-03)
    q = f32(1.19825839466702e-06) * u + f32(1.18534705686654e-04)
    q = (q * u + f32(2.26843463243900e-03)) * u + f32(4.89352518554385e-03)
    return f32(0.5) + f32(0.5) * t * p / q


@compiled_inline
def _log_near_one(x: np.float32) -> np.float32:
    # 2 artanh((x - 1) / (x + 1)) as a series; for x from 1/2 to 1 its argument is at most 1/3 and the rest below 2e-7.
    t = (x - f32(1)) / (x + f32(1))
    u = t * t
    p = f32(2 / 11) * u + f32(2 / 9)
    p = (p * u + f32(2 / 7)) * u + f32(2 / 5)
    return t * ((p * u + f32(2 / 3)) * u + f32(2))


@compiled_fast
def gradients(score: Floats, weight: Floats, num_rows: int, num_columns: int) -> float:
    """Turn scores into the factors of the update, in place, and return the weighted loss."""
    # All rows in one flat loop: padding has weight 0 and costs less than a remainder in each row.
    flat_score, flat_weight = score.reshape(-1), weight.reshape(-1)
    loss = f32(0)
    for t in range((num_rows - 1) * score.shape[1] + num_columns):
        w = flat_weight[t]
        s = flat_score[t] if w > 0 else -flat_score[t]
        likely = _sigmoid_of_positive(abs(s))
        loss += abs(w) * (max(-s, f32(0)) - _log_near_one(likely))
        flat_score[t] = w * (f32(1) - likely if s > 0 else likely)
    return np.float64(loss)
