"""Counting pairs of words, row by row: each word's occurrences are visited, and what stands around them is added up."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

compiled: Any = njit(nogil=True, cache=True, error_model="numpy")

Ids = npt.NDArray[np.int32]
Longs = npt.NDArray[np.int64]


@compiled
def sort_places(text: Ids, edges: Longs, first: int, last: int, window: int, nexts: Longs, places: Longs) -> None:
    """Sort the positions first to last of a text by the word that stands there, with how far its windows reach."""
    document = 0
    for i in range(first, last):
        while edges[document + 1] <= i:
            document += 1
        left = min(window, i - edges[document])
        right = min(window, edges[document + 1] - 1 - i)
        word = text[i]
        places[nexts[word]] = (np.int64(i) << 32) | (left << 16) | right
        nexts[word] += 1


@compiled
def count_rows(
    text: Ids,
    places: Longs,
    place_starts: Longs,
    weights: Longs,
    symmetric: bool,
    row: int,
    last_row: int,
    sums: Longs,
    touched: Ids,
    starts: Longs,
    contexts: Ids,
    counts: Longs,
) -> int:
    """Count the pairs of the rows `row` to `last_row`; returns how many different ones there are."""
    size = 0
    for word in range(row, last_row):
        starts[word - row] = size
        num_touched = 0
        for k in range(place_starts[word], place_starts[word + 1]):
            place = places[k]
            i = place >> 32
            for d in range(1, ((place >> 16) & 0xFFFF) + 1):
                context = text[i - d]
                if context <= word or not symmetric:
                    if sums[context] == 0:
                        touched[num_touched] = context
                        num_touched += 1
                    sums[context] += weights[d]
            if symmetric:
                for d in range(1, (place & 0xFFFF) + 1):
                    context = text[i + d]
                    if context <= word:
                        if sums[context] == 0:
                            touched[num_touched] = context
                            num_touched += 1
                        sums[context] += weights[d]
        found = np.sort(touched[:num_touched])
        for k in range(num_touched):
            contexts[size] = found[k]
            counts[size] = sums[found[k]]
            sums[found[k]] = 0
            size += 1
    starts[last_row - row] = size
    return size
