"""How the pairs of a table of counts become shuffled tiles, compiled. Meaning: glove_pairs_reference.py.

Nothing is checked. Several threads may place pairs in the same arrays, each with `places` of its own.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from daneo.embeddings.block_products_kernels import compiled, compiled_inline
from daneo.embeddings.subsampling_kernels import next_random

Ids = npt.NDArray[np.integer[Any]]
Floats = npt.NDArray[np.float32]


@compiled
def count_tiles(first_row: int, starts: Ids, contexts: Ids, symmetric: bool, num_blocks: int, sizes: Ids) -> None:
    """Add to `sizes` (P * P,) how many pairs each tile gets from some rows of the table."""
    blocks = np.uint32(num_blocks)
    for i in range(len(starts) - 1):
        word = first_row + i
        own = np.int64(np.uint32(word) % blocks)
        for k in range(starts[i], starts[i + 1]):
            other = np.int64(np.uint32(contexts[k]) % blocks)
            sizes[own * num_blocks + other] += 1
            if symmetric and contexts[k] != word:
                sizes[other * num_blocks + own] += 1


@compiled_inline
def _place(
    tile: int, row: int, column: int, log_count: float, places: Ids, rows: Ids, columns: Ids, log_counts: Floats
) -> None:
    place = places[tile]
    rows[place], columns[place], log_counts[place] = row, column, log_count
    places[tile] = place + 1


@compiled
def place_pairs(
    first_row: int,
    starts: Ids,
    contexts: Ids,
    counts: Floats,
    symmetric: bool,
    num_blocks: int,
    first_block: int,
    last_block: int,
    places: Ids,
    rows: Ids,
    columns: Ids,
    log_counts: Floats,
) -> None:
    """Write the pairs of some rows to their tiles, those of the words of blocks first_block to last_block only."""
    blocks = np.uint32(num_blocks)
    for i in range(len(starts) - 1):
        word = first_row + i
        own, row = np.int64(np.uint32(word) % blocks), np.int64(np.uint32(word) // blocks)
        takes_own = first_block <= own < last_block
        for k in range(starts[i], starts[i + 1]):
            context = np.uint32(contexts[k])
            other, column = np.int64(context % blocks), np.int64(context // blocks)
            log_count = np.float32(math.log(counts[k]))
            if takes_own:
                _place(own * num_blocks + other, row, column, log_count, places, rows, columns, log_counts)
            if symmetric and contexts[k] != word and first_block <= other < last_block:
                _place(other * num_blocks + own, column, row, log_count, places, rows, columns, log_counts)


@compiled
def shuffle_tiles(starts: Ids, random: npt.NDArray[np.uint64], rows: Ids, columns: Ids, log_counts: Floats) -> None:
    """Shuffle each tile (Fisher and Yates); random[t] (tiles, 1) is the state of tile t's generator."""
    for tile in range(len(starts) - 1):
        first, size = starts[tile] - starts[0], starts[tile + 1] - starts[tile]
        for k in range(size - 1, 0, -1):
            number = np.int64((next_random(random[tile]) >> np.uint64(33)) % np.uint64(k + 1))
            a, b = first + k, first + number
            rows[a], rows[b] = rows[b], rows[a]
            columns[a], columns[b] = columns[b], columns[a]
            log_counts[a], log_counts[b] = log_counts[b], log_counts[a]
