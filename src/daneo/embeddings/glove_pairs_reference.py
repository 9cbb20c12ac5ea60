"""How the pairs of a table of counts become shuffled tiles, in plain Python.

Words are dealt out to P blocks like cards: word w is number w // P of block w % P, so that every block has frequent and
rare words. The pair of a word in block p and a context in block q lies in tile p * P + q. Two tiles that share neither
p nor q share no word and no context, so that two threads may train them at the same time.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

Ids = npt.NDArray[np.integer[Any]]
Floats = npt.NDArray[np.float32]


def count_tiles(first_row: int, starts: Ids, contexts: Ids, symmetric: bool, num_blocks: int, sizes: Ids) -> None:
    """Add to `sizes` (P * P,) how many pairs each tile gets from some rows of the table.

    Row i of those given is of the word first_row + i, with contexts[starts[i] : starts[i + 1]]. If symmetric, a stored
    pair of two words is two pairs: each is the other's context.
    """
    for i in range(len(starts) - 1):
        word = first_row + i
        for context in contexts[starts[i] : starts[i + 1]].tolist():
            sizes[word % num_blocks * num_blocks + context % num_blocks] += 1
            if symmetric and context != word:
                sizes[context % num_blocks * num_blocks + word % num_blocks] += 1


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
    """Write the pairs of some rows to their tiles, those of the words of blocks first_block to last_block only.

    Parameters
    ----------
    first_row, starts, contexts, symmetric, num_blocks
        As in `count_tiles`.
    counts : float32 array, as long as contexts
    first_block, last_block : int
        The first block and the one after the last.
    places : int64 array of shape (P * P,)
        Where each tile's next pair goes; moved on.
    rows, columns : uint16 arrays
        Numbers of the word and of the context in their blocks.
    log_counts : float32 array
    """

    def place(word: int, context: int, log_count: float) -> None:
        if first_block <= word % num_blocks < last_block:
            tile = word % num_blocks * num_blocks + context % num_blocks
            rows[places[tile]], columns[places[tile]] = word // num_blocks, context // num_blocks
            log_counts[places[tile]] = log_count
            places[tile] += 1

    for i in range(len(starts) - 1):
        word = first_row + i
        for k in range(starts[i], starts[i + 1]):
            context, log_count = int(contexts[k]), math.log(counts[k])
            place(word, context, log_count)
            if symmetric and context != word:
                place(context, word, log_count)


def shuffle_tiles(starts: Ids, random: npt.NDArray[np.uint64], rows: Ids, columns: Ids, log_counts: Floats) -> None:
    """Shuffle each tile (Fisher and Yates); random[t] (tiles, 1) is the state of tile t's generator.

    Tile t holds the pairs starts[t] to starts[t + 1]; starts[0] is the place of rows[0].
    """
    for tile in range(len(starts) - 1):
        first, size = int(starts[tile] - starts[0]), int(starts[tile + 1] - starts[tile])
        for k in range(size - 1, 0, -1):
            random[tile, 0] = (int(random[tile, 0]) * 6364136223846793005 + 1442695040888963407) % 2**64
            a, b = first + k, first + (int(random[tile, 0]) >> 33) % (k + 1)
            for array in (rows, columns, log_counts):
                array[a], array[b] = array[b], array[a]
