"""Tokens to ids, compiled: the fast copy of ``word_table_reference``.

The table of one thread is two arrays of uint64. ``arena`` holds an entry for each distinct token, in the order of the
ids: its id and its length in bytes (the upper and lower half of one number), its count, then its bytes, padded with
zeros to at least two numbers. ``slots`` finds the entry: the hash's upper half and the entry's place in the arena; 0 is
a free slot. An entry and what a lookup must know of it mostly share one cache line.

Every kernel releases the GIL, trusts its arguments, and may run in several threads at once on different arrays.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

# Numbers are uint64 throughout: numba turns uint64 with int64 into float64 in some of its versions, and an index that
# cannot be negative spares it a branch.
ZERO, ONE, TWO, THREE, FOUR, SEVEN, EIGHT = (np.uint64(number) for number in (0, 1, 2, 3, 4, 7, 8))
SIXTEEN, HALF, LAST = np.uint64(16), np.uint64(32), np.uint64(63)
LOWER_HALF = np.uint64(0xFFFFFFFF)
MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
# Keeps the first n bytes of a number, n from 0 to 8.
KEPT = np.array([(1 << 8 * n) - 1 for n in range(9)], dtype=np.uint64)
FIRST_ENTRY = FOUR  # slots write 0 for "free", so no entry may start there

Numbers = npt.NDArray[np.uint64]
Ids = npt.NDArray[np.int32]

compiled = njit(nogil=True, cache=True, error_model="numpy")


@compiled
def load(words: Numbers, position: np.uint64) -> np.uint64:
    """Eight bytes from any position, from an array of uint64 that has one more element than these bytes reach."""
    at, shift = position >> THREE, (position & SEVEN) << THREE
    return np.uint64(words[at] >> shift | words[at + ONE] << ONE << (LAST - shift))


@compiled
def mix(value: np.uint64, word: np.uint64) -> np.uint64:
    """Take eight more bytes into a hash."""
    return (value ^ value >> HALF ^ word) * MULTIPLIER


# Inlined because numba would count references to the arrays at each call, which takes longer than the lookup.
@njit(inline="always")
def find_slot(
    slots: Numbers,
    tag: np.uint64,
    arena: Numbers,
    length: np.uint64,
    first: np.uint64,
    second: np.uint64,
    rest: np.uint64,
    num_rest: np.uint64,
) -> np.uint64:
    """Slot of the entry with these bytes, or the free slot where it belongs.

    The bytes are given as `first`, `second` and, beyond 16, arena[rest : rest + num_rest].
    """
    mask = np.uint64(slots.size - 1)
    slot = tag * np.uint64(slots.size) >> HALF  # the upper bits of a product are its best mixed ones
    while True:
        entry = slots[slot]
        if entry == ZERO:
            break
        if entry >> HALF == tag:
            at = entry & LOWER_HALF
            if (arena[at] & LOWER_HALF == length) & (arena[at + TWO] == first) & (arena[at + THREE] == second):
                same = True
                for i in range(num_rest):
                    same &= arena[at + FOUR + i] == arena[rest + i]
                if same:
                    break
        slot = (slot + ONE) & mask
    return slot


@compiled
def grow(slots: Numbers) -> Numbers:
    """Twice as many slots, with the same entries."""
    larger = np.zeros(2 * slots.size, dtype=np.uint64)
    size = np.uint64(larger.size)
    for entry in slots:
        if entry != ZERO:
            slot = (entry >> HALF) * size >> HALF
            while larger[slot] != ZERO:
                slot = (slot + ONE) & (size - ONE)
            larger[slot] = entry
    return larger


@compiled
def count_tokens(
    folded: Numbers,
    edges: Ids,
    begin: int,
    num_tokens: int,
    slots: Numbers,
    arena: Numbers,
    used: int,
    num_types: int,
) -> tuple[np.uint64, np.uint64, int]:
    """Look up each token from number `begin` on, count it and write its id; a new one gets the next id.

    folded uint64, with two elements more than the tokens reach; edges int32 (2 num_tokens,) from find_tokens, whose
    first num_tokens elements are overwritten with the ids; slots uint64 (a power of two); arena uint64, of which the
    first `used` are taken and the rest has room for all these tokens. Stops when the slots are half full: returns the
    number of the token to go on with, used and num_types.
    """
    i, end, free = np.uint64(begin), np.uint64(num_tokens), np.uint64(used)
    most = slots.size >> 1
    while i < end and num_types < most:
        start = np.uint64(edges[TWO * i])
        length = np.uint64(edges[TWO * i + ONE]) - start
        short = min(length, EIGHT)
        first = load(folded, start) & KEPT[short]
        second = load(folded, start + EIGHT) & KEPT[min(length - short, EIGHT)]
        value = mix(mix(ZERO, first), second)
        # Longer than 16 bytes: write the rest where it belongs if the token is new.
        num_rest = ZERO
        while (num_rest + TWO) << THREE < length:
            done = (num_rest + TWO) << THREE
            word = load(folded, start + done) & KEPT[min(length - done, EIGHT)]
            arena[free + FOUR + num_rest] = word
            value = mix(value, word)
            num_rest += ONE
        tag = value >> HALF
        slot = find_slot(slots, tag, arena, length, first, second, free + FOUR, num_rest)
        if slots[slot] == ZERO:
            slots[slot] = tag << HALF | free
            arena[free] = np.uint64(num_types) << HALF | length
            arena[free + ONE] = ONE
            arena[free + TWO] = first
            arena[free + THREE] = second
            edges[i] = num_types
            num_types += 1
            free += FOUR + num_rest
        else:
            at = slots[slot] & LOWER_HALF
            arena[at + ONE] += ONE
            edges[i] = arena[at] >> HALF
        i += ONE
    return i, free, num_types


@compiled
def list_entries(arena: Numbers, used: int, places: Numbers, counts: npt.NDArray[np.int64]) -> None:
    """Overwrite places (uint64) and counts (int64), by id, with where each entry starts and its count."""
    at = FIRST_ENTRY
    while at < np.uint64(used):
        number, length = arena[at] >> HALF, arena[at] & LOWER_HALF
        places[number] = at
        counts[number] = arena[at + ONE]
        at += FOUR + ((max(length, SIXTEEN) - SIXTEEN + SEVEN) >> THREE)


@compiled
def remap(ids: Ids, ends: npt.NDArray[np.int64], mapping: Ids) -> np.uint64:
    """Replace ids by mapping[id], leaving out those mapped to -1; ends then count the ids that are left before them.

    ids int32 and ends int64, both overwritten; mapping int32. Returns the number of ids left.
    """
    kept, begin = ZERO, ZERO
    for line in range(ends.size + 1):
        end = np.uint64(ends[line]) if line < ends.size else np.uint64(ids.size)
        for i in range(begin, end):
            new = mapping[ids[i]]
            ids[kept] = new
            kept += np.uint64(new >= 0)
        if line < ends.size:
            ends[line] = kept
        begin = end
    return kept
