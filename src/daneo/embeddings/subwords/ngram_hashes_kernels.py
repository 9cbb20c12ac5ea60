"""The hashes of many words' n-grams, compiled: the fast copy of ``ngram_hashes_reference``.

Both kernels release the GIL, trust their arguments, and may run in several threads at once on different words.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from daneo.corpus.hangul import FINALS, FIRST_SYLLABLE, LAST_SYLLABLE, LEADS, VOWELS

Bytes = npt.NDArray[np.uint8]
Places = npt.NDArray[np.int64]

BEGIN, END = np.uint8(ord("<")), np.uint8(ord(">"))
FIRST, LAST = ord(FIRST_SYLLABLE), ord(LAST_SYLLABLE)
NUM_LEADS, NUM_VOWELS, NUM_FINALS = len(LEADS), len(VOWELS), len(FINALS)
# UTF-8 writes each of them, NO_FINAL too, with three bytes, as many as a syllable has.
JAMO = np.frombuffer((LEADS + VOWELS + FINALS).encode(), dtype=np.uint8).reshape(-1, 3)
# The row of JAMO for each conjoining jamo, -1 for those that modern syllables lack.
FIRST_CONJOINING, LAST_CONJOINING = 0x1100, 0x11C2
CONJOINING = np.full(LAST_CONJOINING - FIRST_CONJOINING + 1, -1)
CONJOINING[:NUM_LEADS] = np.arange(NUM_LEADS)
CONJOINING[0x61 : 0x61 + NUM_VOWELS] = NUM_LEADS + np.arange(NUM_VOWELS)
CONJOINING[0xA8:] = NUM_LEADS + NUM_VOWELS + np.arange(1, NUM_FINALS)

# uint64 throughout: numba turns uint64 with int64 into float64, and no product of these exceeds 64 bits.
OFFSET, PRIME, LOWER_HALF = np.uint64(2166136261), np.uint64(16777619), np.uint64(0xFFFFFFFF)
SIGN, LARGEST_POSITIVE = np.uint64(0xFFFFFF00), np.uint64(127)

compiled = njit(nogil=True, cache=True, error_model="numpy")


@compiled
def write_jamo(number: int, letters: Bytes, size: int) -> int:
    """Write JAMO[number] behind letters[:size], and return the new size."""
    for i in range(3):
        letters[size + i] = JAMO[number, i]
    return size + 3


@compiled
def spell(
    text: Bytes, start: int, end: int, spelled_in_jamo: bool, letters: Bytes, edges: Places, syllables: Places
) -> int:
    """Write ``<word>`` letter by letter, and return how many letters there are, both brackets counted.

    text[start:end] is the word; it may be any bytes. Overwritten: letters (at least 3 (end - start) + 2,), the bytes;
    edges (at least end - start + 3,), where each letter's bytes start, and where the last ones end; syllables (as
    edges), the number of the syllable that starts at a letter, -1 where none does.
    """
    letters[0], edges[0], syllables[0] = BEGIN, 0, -1
    size, num_letters, num_syllables = 1, 1, 0
    at = start
    while at < end:
        byte = text[at]
        is_first = byte & 0xC0 != 0x80  # otherwise it continues a letter, be it the bracket
        if is_first:
            edges[num_letters], syllables[num_letters] = size, num_syllables
            num_letters += 1
            num_syllables += 1
        code = 0
        if (
            spelled_in_jamo
            and byte & 0xF0 == 0xE0
            and at + 2 < end
            and text[at + 1] & 0xC0 == 0x80
            and text[at + 2] & 0xC0 == 0x80
            and (at + 3 == end or text[at + 3] & 0xC0 != 0x80)
        ):
            code = int(byte & 0x0F) << 12 | int(text[at + 1] & 0x3F) << 6 | int(text[at + 2] & 0x3F)
        if FIRST <= code <= LAST:
            number, final = (code - FIRST) // NUM_FINALS, (code - FIRST) % NUM_FINALS
            size = write_jamo(number // NUM_VOWELS, letters, size)
            edges[num_letters], syllables[num_letters] = size, -1
            size = write_jamo(NUM_LEADS + number % NUM_VOWELS, letters, size)
            edges[num_letters + 1], syllables[num_letters + 1] = size, -1
            size = write_jamo(NUM_LEADS + NUM_VOWELS + final, letters, size)
            num_letters += 2
            at += 3
        elif FIRST_CONJOINING <= code <= LAST_CONJOINING and CONJOINING[code - FIRST_CONJOINING] >= 0:
            size = write_jamo(CONJOINING[code - FIRST_CONJOINING], letters, size)
            at += 3
        else:
            letters[size] = byte
            size += 1
            at += 1
    letters[size], edges[num_letters], syllables[num_letters] = END, size, num_syllables
    num_letters += 1
    edges[num_letters], syllables[num_letters] = size + 1, -1
    return num_letters


@compiled
def is_end_of_line(letters: Bytes, size: int) -> bool:
    """Say whether the word that letters[:size] spell with its brackets is fastText's ``</s>``, which has no n-grams."""
    return size == 6 and letters[1] == 0x3C and letters[2] == 0x2F and letters[3] == 0x73 and letters[4] == 0x3E


@compiled
def hash_ngrams(
    text: Bytes,
    ends: Places,
    first_word: int,
    stop_word: int,
    num_buckets: int,
    spelled_in_jamo: bool,
    min_letters: int,
    max_letters: int,
    min_syllables: int,
    max_syllables: int,
    starts: Places,
    buckets: npt.NDArray[np.int32],
) -> None:
    """Write the buckets of the n-grams of the words from `first_word` to `stop_word`, or only count them.

    text uint8, the words one after the other, as UTF-8; ends int64 (V,), where each ends in it. If `buckets`, int32, is
    empty, starts[w + 1], int64, is overwritten with the number of n-grams of word w; otherwise
    buckets[starts[w] : starts[w + 1]] with their buckets.
    """
    longest, begin = 0, ends[first_word - 1] if first_word > 0 else 0
    start = begin
    for word in range(first_word, stop_word):
        longest = max(longest, ends[word] - start)
        start = ends[word]
    letters = np.empty(3 * longest + 2, dtype=np.uint8)
    edges, syllables = np.empty(longest + 3, dtype=np.int64), np.empty(longest + 3, dtype=np.int64)
    counts_only, modulus = buckets.size == 0, np.uint64(num_buckets)
    start = begin
    for word in range(first_word, stop_word):
        num_letters = spell(text, start, ends[word], spelled_in_jamo, letters, edges, syllables)
        start = ends[word]
        at = 0 if counts_only else starts[word]
        if is_end_of_line(letters, edges[num_letters]):
            num_letters = 0
        for first in range(num_letters):
            value = OFFSET
            own = syllables[first]
            for last in range(first, num_letters):
                length = last - first + 1
                if length > max_letters and (own < 0 or syllables[last] - own >= max_syllables):
                    break
                if length <= max_letters:
                    is_ngram = length >= min_letters and (length > 1 or 0 < first < num_letters - 1)
                else:
                    is_ngram = min_syllables <= syllables[last + 1] - own <= max_syllables and syllables[last + 1] > own
                if not counts_only:
                    for i in range(edges[last], edges[last + 1]):
                        byte = np.uint64(letters[i])
                        value = ((value ^ (byte | SIGN if byte > LARGEST_POSITIVE else byte)) * PRIME) & LOWER_HALF
                    if is_ngram:
                        buckets[at] = value % modulus
                at += is_ngram
        if counts_only:
            starts[word + 1] = at
