"""Texts to bags of rows, compiled: the fast copy of ``bags_reference``, same names, arguments and order.

Every kernel releases the GIL, trusts its arguments, and may run in several threads at once on different arrays.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

Bytes = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
Ids = npt.NDArray[np.int32]
Starts = npt.NDArray[np.int64]
Keys = npt.NDArray[np.uint64]

f32 = np.float32
FACTOR = np.uint64(116049371)

compiled = njit(nogil=True, cache=True, error_model="numpy")


@compiled
def list_members(
    ids: Ids,
    ends: Starts,
    end_of_line: int,
    skipped: Bytes,
    hashes: Ids,
    word_ngrams: int,
    num_buckets: int,
    starts: Starts,
    types: Ids,
    ngram_starts: Starts,
    buckets: Ids,
) -> None:
    """Write the types of each text that are no labels, with ``</s>`` at its end, and the buckets of its n-grams."""
    num_types, num_ngrams, begin = 0, 0, 0
    for text in range(len(ends)):
        first = num_types
        for position in range(begin, ends[text]):
            number = ids[position]
            if number == end_of_line:
                break
            types[num_types] = number
            num_types += not skipped[number]
        types[num_types] = end_of_line
        num_types += 1
        begin = ends[text]
        starts[text + 1] = num_types
        if word_ngrams > 1:
            for i in range(first, num_types):
                value = np.uint64(np.int64(hashes[types[i]]))
                for j in range(i + 1, min(i + word_ngrams, num_types)):
                    value = value * FACTOR + np.uint64(np.int64(hashes[types[j]]))
                    buckets[num_ngrams] = np.int32(value % np.uint64(num_buckets))
                    num_ngrams += 1
        ngram_starts[text + 1] = num_ngrams


@compiled
def add_keys(starts: Starts, members: Ids, keys: Keys, sums: Keys) -> None:
    """sums[m] += keys[i] for each member m of each bag i, modulo 2^64."""
    for i in range(len(starts) - 1):
        for position in range(starts[i], starts[i + 1]):
            sums[members[position]] += keys[i]


@compiled
def number_alike(sums: Keys, numbers: Ids) -> int:
    """Give equal sums the same number, in the order in which they come first; return how many there are."""
    size = 16
    while size < 2 * len(sums):
        size *= 2
    slots = np.full(size, -1, np.int32)
    firsts = np.empty(len(sums), np.int32)
    count = 0
    for i in range(len(sums)):
        slot = np.int64((sums[i] * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(20)) & (size - 1)
        while slots[slot] >= 0 and sums[firsts[slots[slot]]] != sums[i]:
            slot = (slot + 1) & (size - 1)
        if slots[slot] < 0:
            slots[slot], firsts[count] = count, i
            count += 1
        numbers[i] = slots[slot]
    return count


@compiled
def collect(
    starts: Starts,
    types: Ids,
    ngram_starts: Starts,
    ngrams: Ids,
    own: Ids,
    part_starts: Starts,
    parts: Ids,
    shares: Floats,
    bag_starts: Starts,
    rows: Ids,
    weights: Floats,
    scales: Floats,
) -> None:
    """Write the distinct rows of each text with their weights, and one by the number of rows that count."""
    places = np.zeros(len(shares), np.int64)  # where each row was written last
    free = 0
    for text in range(len(starts) - 1):
        begin, size = free, 0
        for position in range(starts[text], starts[text + 1]):
            number = types[position]
            if own[number] >= 0:
                free = _count(own[number], begin, free, places, shares, rows, weights)
                size += 1
            for part in range(part_starts[number], part_starts[number + 1]):
                free = _count(parts[part], begin, free, places, shares, rows, weights)
                size += 1
        for position in range(ngram_starts[text], ngram_starts[text + 1]):
            free = _count(ngrams[position], begin, free, places, shares, rows, weights)
            size += 1
        bag_starts[text + 1] = free
        scales[text] = f32(1) / f32(size) if size else f32(0)


@njit(inline="always")
def _count(row: int, begin: int, free: int, places: Starts, shares: Floats, rows: Ids, weights: Floats) -> int:
    place = places[row]
    if begin <= place < free and rows[place] == row:
        weights[place] += shares[row]
        return free
    places[row] = free
    rows[free] = row
    weights[free] = shares[row]
    return free + 1
