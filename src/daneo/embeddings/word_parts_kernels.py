"""The vectors of a text's words while a window passes over them, compiled. Meaning: word_parts_reference.py.

Rows are C-contiguous float32, a multiple of LANES wide. Nothing is checked. Several threads may slide over one matrix
of inputs at once, each with means of its own; now and then an addition is lost (Hogwild).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from daneo.embeddings.block_products_kernels import Floats, Ids, compiled, f32
from daneo.embeddings.float_lanes_kernels import LANES, fma, increase, load, prefetch, splat, store, zero

Ends = npt.NDArray[np.int64]
AHEAD = 1


@compiled
def prefetch_parts(word: int, inputs: Floats, part_starts: Ends, parts: Ids) -> None:
    """Ask for the rows of a word's parts before they are needed."""
    for p in range(part_starts[word], part_starts[word + 1]):
        for d in range(0, inputs.shape[1], LANES):
            prefetch(inputs, parts[p], d)


@compiled
def _take_mean(inputs: Floats, parts: Ids, first: int, last: int, means: Floats, before: Floats, row: int) -> None:
    share = splat(f32(1) / f32(last - first))
    width = inputs.shape[1]
    for d in range(0, width - 3 * LANES, 4 * LANES):
        t0 = t1 = t2 = t3 = zero()
        for p in range(first, last):
            part = parts[p]
            t0, t1 = fma(share, load(inputs, part, d), t0), fma(share, load(inputs, part, d + LANES), t1)
            t2, t3 = (
                fma(share, load(inputs, part, d + 2 * LANES), t2),
                fma(share, load(inputs, part, d + 3 * LANES), t3),
            )
        store(means, row, d, t0)
        store(before, row, d, t0)
        store(means, row, d + LANES, t1)
        store(before, row, d + LANES, t1)
        store(means, row, d + 2 * LANES, t2)
        store(before, row, d + 2 * LANES, t2)
        store(means, row, d + 3 * LANES, t3)
        store(before, row, d + 3 * LANES, t3)
    for d in range(width // (4 * LANES) * 4 * LANES, width, LANES):
        total = zero()
        for p in range(first, last):
            total = fma(share, load(inputs, parts[p], d), total)
        store(means, row, d, total)
        store(before, row, d, total)


@compiled
def _give_change(inputs: Floats, parts: Ids, first: int, last: int, means: Floats, before: Floats, row: int) -> None:
    minus = splat(f32(-1))
    width = inputs.shape[1]
    for d in range(0, width - 3 * LANES, 4 * LANES):
        c0 = fma(minus, load(before, row, d), load(means, row, d))
        c1 = fma(minus, load(before, row, d + LANES), load(means, row, d + LANES))
        c2 = fma(minus, load(before, row, d + 2 * LANES), load(means, row, d + 2 * LANES))
        c3 = fma(minus, load(before, row, d + 3 * LANES), load(means, row, d + 3 * LANES))
        for p in range(first, last):
            part = parts[p]
            increase(inputs, part, d, c0)
            increase(inputs, part, d + LANES, c1)
            increase(inputs, part, d + 2 * LANES, c2)
            increase(inputs, part, d + 3 * LANES, c3)
    for d in range(width // (4 * LANES) * 4 * LANES, width, LANES):
        change = fma(minus, load(before, row, d), load(means, row, d))
        for p in range(first, last):
            increase(inputs, parts[p], d, change)


@compiled
def slide(
    low: int,
    high: int,
    kept: Ids,
    inputs: Floats,
    part_starts: Ends,
    parts: Ids,
    means: Floats,
    before: Floats,
    live: Ends,
) -> Any:
    """Let the window be the positions from `low` to `high`; return the row of `means` of `low`."""
    origin, first, last = live[0], live[1], live[2]
    for position in range(first, min(low, last)):
        word = kept[position]
        _give_change(inputs, parts, part_starts[word], part_starts[word + 1], means, before, position - origin)
    if low - origin + (high - low + 3) // 4 * 4 > len(means) or low >= last:  # rows are read by fours
        for row in range(max(last - low, 0)):
            for d in range(0, means.shape[1], LANES):
                store(means, row, d, load(means, low - origin + row, d))
                store(before, row, d, load(before, low - origin + row, d))
        origin = low
    for position in range(max(last, low), high):
        word = kept[position]
        prefetch_parts(kept[position + AHEAD], inputs, part_starts, parts)
        _take_mean(inputs, parts, part_starts[word], part_starts[word + 1], means, before, position - origin)
    live[0], live[1], live[2] = origin, low, max(high, last)
    return low - origin
