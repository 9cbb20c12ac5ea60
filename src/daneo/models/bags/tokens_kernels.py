"""Tokens and their hashes, compiled: the fast copy of ``tokens_reference``.

Distinct tokens ("types") lie in the arena of a :class:`daneo.corpus.word_table.WordTable`, whose layout
``corpus/word_table_kernels.py`` describes; `places` says where each begins. Every kernel releases the GIL, trusts its
arguments, and may run in several threads at once on different arrays.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from daneo.corpus.word_table_kernels import HALF, LOWER_HALF, ONE, SEVEN, SIXTEEN, THREE, TWO, ZERO, mix

Bytes = npt.NDArray[np.uint8]
Numbers = npt.NDArray[np.uint64]
Ids = npt.NDArray[np.int32]

OFFSET, PRIME, SIGN = np.uint64(2166136261), np.uint64(16777619), np.uint64(0xFFFFFF00)

compiled = njit(nogil=True, cache=True, error_model="numpy")


@compiled
def mark_tokens(text: Bytes, stop: int, inside: Bytes) -> None:
    """Mark all but ASCII whitespace and zero bytes as being inside a token.

    text, inside: uint8 (at least stop,). Overwrites inside[:stop].
    """
    for i in range(stop):
        byte = text[i]
        inside[i] = not ((np.uint8(byte - np.uint8(9)) < np.uint8(5)) | (byte == 32) | (byte == 0))


@njit(inline="always")
def next_byte(letters: Bytes, at: np.uint64, end: np.uint64) -> tuple[np.uint64, np.uint64]:
    """The byte at a place, and the place behind it. A lone surrogate that stands for one byte is that byte."""
    byte = np.uint64(letters[at])
    if byte == 0xED and at + TWO < end and (letters[at + ONE] == 0xB2 or letters[at + ONE] == 0xB3):
        return np.uint64(0x80 | (letters[at + ONE] & 1) << 6 | letters[at + TWO] & 0x3F), at + THREE
    return byte, at + ONE


@compiled
def hash_types(arena: Numbers, places: Numbers, hashes: Ids) -> None:
    """Overwrite hashes, int32 (G,), with the hash of each type.

    A byte that was not UTF-8 ("surrogateescape") lies here as the three bytes of a surrogate; it is hashed as itself.
    """
    letters = arena.view(np.uint8)
    for i in range(len(places)):
        at = (places[i] + TWO) << THREE
        end = at + (arena[places[i]] & LOWER_HALF)
        value = OFFSET
        while at < end:
            byte, at = next_byte(letters, at, end)
            value = ((value ^ (byte | SIGN if byte > 127 else byte)) * PRIME) & LOWER_HALF
        hashes[i] = np.int32(np.uint32(value))


@compiled
def join_types(arena: Numbers, places: Numbers, text: Bytes, ends: npt.NDArray[np.int64]) -> np.uint64:
    """Overwrite text, uint8, with the bytes of the types, and ends, int64 (G,); return how many bytes there are.

    Bytes that were not UTF-8 are themselves again, as in :func:`hash_types`.
    """
    letters, free = arena.view(np.uint8), ZERO
    for i in range(len(places)):
        at = (places[i] + TWO) << THREE
        end = at + (arena[places[i]] & LOWER_HALF)
        while at < end:
            text[free], at = next_byte(letters, at, end)
            free += ONE
        ends[i] = free
    return free


@compiled
def spell_types(arena: Numbers, places: Numbers, letters: Bytes) -> None:
    """Overwrite letters, uint8, with the types, each with a newline behind it."""
    source, free = arena.view(np.uint8), ZERO
    for i in range(len(places)):
        start = (places[i] + TWO) << THREE
        for at in range(start, start + (arena[places[i]] & LOWER_HALF)):
            letters[free] = source[at]
            free += ONE
        letters[free] = 10
        free += ONE


@compiled
def begin_with(arena: Numbers, places: Numbers, prefix: Bytes, found: Bytes) -> None:
    """Overwrite found, uint8 (G,), with whether each type begins with a prefix, uint8."""
    letters = arena.view(np.uint8)
    for i in range(len(places)):
        start, same = (places[i] + TWO) << THREE, (arena[places[i]] & LOWER_HALF) >= np.uint64(prefix.size)
        if same:
            for j in range(prefix.size):
                same &= letters[start + np.uint64(j)] == prefix[j]
        found[i] = same


@compiled
def find_types(known_slots: Numbers, known_arena: Numbers, arena: Numbers, places: Numbers, ids: Ids) -> None:
    """Overwrite ids, int32 (G,), with the id of each type in a table of known ones, or -1."""
    size = np.uint64(known_slots.size)
    for i in range(len(places)):
        at = places[i]
        length = arena[at] & LOWER_HALF
        num_words = (max(length, SIXTEEN) + SEVEN) >> THREE
        value = mix(mix(ZERO, arena[at + TWO]), arena[at + THREE])
        for word in range(TWO, num_words):
            value = mix(value, arena[at + TWO + word])
        tag = value >> HALF
        slot = np.uint64(tag * size >> HALF)
        ids[i] = -1
        while known_slots[slot] != ZERO:
            entry = known_slots[slot]
            if entry >> HALF == tag:
                other = entry & LOWER_HALF
                same = known_arena[other] & LOWER_HALF == length
                for i_word in range(num_words):
                    same &= known_arena[other + TWO + i_word] == arena[at + TWO + i_word]
                if same:
                    ids[i] = known_arena[other] >> HALF
                    break
            slot = (slot + ONE) & (size - ONE)
