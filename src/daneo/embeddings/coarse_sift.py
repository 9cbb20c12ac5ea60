"""Many rows sifted for many queries, in whole numbers and several threads.

Directions are rounded to 1/32000ths, whose products a processor adds up twice as fast as those of float32, and with
kernels of our own the product, the rounding and the comparison are one pass: nothing but the few rows that pass is
ever written. What the rounding loses is known, and far less than the distance to the hundredth neighbour.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from daneo.corpus.ordered_threads import ordered
from daneo.embeddings.row_blocks import Doubles, RowBlocks, error_bound
from daneo.embeddings.rows import Floats, Ids
from daneo.embeddings.sieve import Sieve
from daneo.threads import available_cores

_UNIT = 32_000  # what a length of 1 becomes: within int16, and the sum of all products within half of int32
_OUT_OF_REACH = 1.04  # more than any cosine, rounded or not; times _UNIT**2, twice, it still is an int32
_PIECE = 16_384  # rows that a thread sifts before it looks for higher thresholds

LEAST_QUERIES = 16
"""For fewer, most of a panel would be empty."""

LEAST_WORK = 4_000_000_000
"""Fewer multiplications than this are done in a few hundredths of a second anyway; importing Numba takes longer."""


def coarse_error(vector_size: int, *, is_turned: bool = False) -> float:
    """Return how far a coarse score can be from the true cosine, at most.

    Each number of either vector is off by up to half a unit, so a vector by half sqrt(D), and a cosine by that of
    both; their product is the second term. The lengths are those of :func:`~daneo.embeddings.row_blocks.error_bound`.
    """
    return float(vector_size**0.5 / _UNIT + vector_size / 4 / _UNIT**2 + error_bound(vector_size, is_turned=is_turned))


def sift_coarsely(sieve: Sieve, blocks: RowBlocks, start: int, stop: int) -> None:
    """Give the sieve, made with :func:`coarse_error`, every row from `start` to `stop` that may pass it."""
    from daneo.embeddings.nearest_kernels import TILE_QUERIES

    queries = _panels(sieve.queries, TILE_QUERIES)
    # All scores of the first rows, for thresholds to begin with.
    head = min(stop, start + 4 * sieve.count + 1024)
    number, row, score = _sift_piece(sieve, blocks, queries, start, head)
    scores = np.full((len(sieve.queries), head - start), -np.inf, dtype=np.float32)
    scores[number, row - start] = score
    sieve.add_block(start, scores)
    pieces = [(first, min(first + _PIECE, stop)) for first in range(head, stop, _PIECE)]
    for passed in ordered(lambda piece: _sift_piece(sieve, blocks, queries, *piece), pieces, available_cores()):
        sieve.add(*passed)


def _sift_piece(
    sieve: Sieve, blocks: RowBlocks, queries: npt.NDArray[np.int32], first: int, last: int
) -> tuple[Ids, Ids, Floats]:
    """Return what the rows from `first` to `last` have that passes: numbers of queries, rows, scores."""
    from daneo.embeddings.nearest_kernels import sift_rows

    num_panels, _, width = queries.shape
    matrix = blocks.matrix[first:last]
    lengths = blocks.lengths(first, last, matrix)
    with np.errstate(all="ignore"):
        scales = np.where(lengths > 0, np.float32(_UNIT) / lengths, np.float32(0))
    limits = np.full(num_panels * width, _OUT_OF_REACH)  # for the zeros that fill up the last panel
    limits[: len(sieve.threshold)] = sieve.threshold.clip(-_OUT_OF_REACH, _OUT_OF_REACH)
    thresholds = np.floor(limits * _UNIT**2).astype(np.int32).reshape(num_panels, width)
    matrix.flags.writeable = False  # Numba compiles anew for an array that may be written to
    found = np.empty(len(matrix) * num_panels * width, dtype=np.int64)
    scores = np.empty(len(found), dtype=np.int32)
    count = sift_rows(matrix, scales, queries, thresholds, found, scores)
    row, number = np.divmod(found[:count], num_panels * width)
    has_direction = ~np.isnan(lengths[row])
    score = (scores[:count] / _UNIT**2).astype(np.float32)
    return number[has_direction], first + row[has_direction], score[has_direction]


def _panels(queries: Doubles, width: int) -> npt.NDArray[np.int32]:
    """Round queries (Q, D), fill up to a multiple of `width`, and lay pairs of numbers side by side: (P, D / 2, W)."""
    num_queries, vector_size = queries.shape
    num_panels, num_pairs = -(-num_queries // width), -(-vector_size // 2)
    whole = np.zeros((num_panels * width, 2 * num_pairs), dtype=np.int16)
    whole[:num_queries, :vector_size] = np.rint(queries * _UNIT)
    by_pair = whole.reshape(num_panels, width, num_pairs, 2).transpose(0, 2, 1, 3)
    return np.ascontiguousarray(by_pair).view(np.int32)[..., 0]
