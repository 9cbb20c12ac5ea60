"""Text to tokens, compiled: the fast copy of ``text_tokens_reference``.

A block of text goes through a few short loops, each of which does one thing to many bytes, because a single loop that
branches at every letter mispredicts at every word: :func:`lower_words` (or :func:`split_whitespace`) classifies ASCII
many bytes at a time, :func:`classify_rest` does newlines and the rest of Unicode, :func:`find_tokens` lists where
tokens start and end. A few letters take more bytes in lower case, or fewer; :func:`respell_tokens` then moves their
tokens to where there is room.

Every kernel releases the GIL, trusts its arguments, and may run in several threads at once on different arrays.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from daneo.corpus.code_points import FOLDED, MARK, RESIZED, SEPARATOR

# Positions are uint64: numba turns uint64 with int64 into float64 in some of its versions, and an index that cannot
# be negative spares it a branch.
ZERO, ONE, TWO, THREE, FOUR, SEVEN, EIGHT = (np.uint64(number) for number in (0, 1, 2, 3, 4, 7, 8))
EVERY_BYTE = np.uint64(0x0101010101010101)
HIGH_BITS = np.uint64(0x8080808080808080)
NEWLINES = np.uint64(0x0A0A0A0A0A0A0A0A)

Bytes = npt.NDArray[np.uint8]
Ids = npt.NDArray[np.int32]

compiled = njit(nogil=True, cache=True, error_model="numpy")


@compiled
def lower_words(text: Bytes, stop: int, folded: Bytes, inside: Bytes) -> None:
    """Lower-case ASCII, and mark its letters, digits and "_" as being inside a word.

    text, folded, inside: uint8 (at least stop,). Overwrites folded[:stop] and inside[:stop].
    """
    for i in range(stop):
        byte = text[i]
        lower = byte | np.uint8(32)
        letter = np.uint8(lower - np.uint8(97)) < np.uint8(26)
        digit = np.uint8(byte - np.uint8(48)) < np.uint8(10)
        folded[i] = lower if letter else byte
        inside[i] = letter | digit | (byte == np.uint8(95))


@compiled
def split_whitespace(text: Bytes, stop: int, folded: Bytes, inside: Bytes) -> None:
    """Copy the text, and mark all but ASCII whitespace as being inside a token. Arguments as for lower_words."""
    for i in range(stop):
        byte = text[i]
        controls = np.uint8(byte - np.uint8(9)) < np.uint8(5)
        separators = np.uint8(byte - np.uint8(28)) < np.uint8(5)  # 28 to 31 and the space
        folded[i] = byte
        inside[i] = not (controls | separators)


@compiled
def decode(text: Bytes, position: np.uint64, surrogates: bool) -> tuple[np.uint32, np.uint64]:
    """Code point at `position` and its number of bytes, 0 if they are not UTF-8. Reads up to 3 bytes further."""
    lead = np.uint32(text[position])
    if lead < 128:
        return lead, ONE
    second = np.uint32(text[position + ONE]) ^ np.uint32(0x80)
    if lead < 0xC2 or lead > 0xF4 or second > 0x3F:
        return lead, ZERO
    if lead < 0xE0:
        return (lead & np.uint32(0x1F)) << np.uint32(6) | second, TWO
    third = np.uint32(text[position + TWO]) ^ np.uint32(0x80)
    if third > 0x3F:
        return lead, ZERO
    code = (lead & np.uint32(0x0F)) << np.uint32(12) | second << np.uint32(6) | third
    if lead < 0xF0:
        right = code >= 0x800 and (surrogates or code < 0xD800 or code > 0xDFFF)
        return code, THREE if right else ZERO
    fourth = np.uint32(text[position + THREE]) ^ np.uint32(0x80)
    code = (code & np.uint32(0x7FFF)) << np.uint32(6) | fourth
    return code, FOUR if fourth <= 0x3F and 0x10000 <= code <= 0x10FFFF else ZERO


@compiled
def classify_rest(
    text: Bytes,
    stop: int,
    kinds: Bytes,
    lower: npt.NDArray[np.uint32],
    surrogates: bool,
    folded: Bytes,
    inside: Bytes,
    newlines: Ids,
    resized: Ids,
) -> tuple[np.uint64, np.uint64, np.uint64]:
    """Do what the ASCII loops cannot: list newlines, and fold and mark all other code points.

    text, folded, inside: uint8 (at least stop + 8,), text a multiple of 8 long; kinds uint8 and lower uint32, by code
    point; newlines and resized int32 (stop,). Overwrites newlines, with their positions; resized, with the positions of
    letters that :func:`respell_tokens` must fold; and what is not ASCII in folded and inside. Returns the number of
    newlines, the number of resized, and `stop`, or else the first position whose bytes are not UTF-8.
    """
    words = text.view(np.uint64)
    position, num_newlines, num_resized, end = ZERO, ZERO, ZERO, np.uint64(stop)
    while position < end:
        if position & SEVEN == ZERO:
            word = words[position >> THREE]
            other = word ^ NEWLINES
            if (word | ((other - EVERY_BYTE) & ~other)) & HIGH_BITS == ZERO:
                position += EIGHT
                continue
        if text[position] < 128:
            newlines[num_newlines] = position
            num_newlines += np.uint64(text[position] == 10)
            position += ONE
            continue
        code, width = decode(text, position, surrogates)
        if width == ZERO or position + width > end:
            return num_newlines, num_resized, position
        kind = kinds[code]
        within = np.uint8(kind != SEPARATOR)
        if kind == MARK:  # continues a word, but does not start one
            within = inside[position - ONE] if position else np.uint8(0)
        resized[num_resized] = position
        num_resized += np.uint64(kind == RESIZED)
        letters = lower[code] if kind == FOLDED else np.uint32(0)
        for _ in range(width):
            inside[position] = within
            if kind == FOLDED:
                folded[position] = letters & np.uint32(255)
                letters >>= np.uint32(8)
            position += ONE
    return num_newlines, num_resized, end


@compiled
def find_cut(text: Bytes, stop: int, kinds: Bytes, surrogates: bool) -> np.uint64:
    """Last position after 0 of a separator in text[:stop]; 0 if there is none. For text without ASCII whitespace."""
    position = np.uint64(stop)
    while position > ONE:
        position -= ONE
        # A byte that continues a character is nothing by itself; whatever precedes another byte ends there, even if
        # it is not UTF-8.
        if text[position] & 0xC0 != 0x80:
            code, width = decode(text, position, surrogates)
            if width != ZERO and position + width <= np.uint64(stop) and kinds[code] == SEPARATOR:
                return position
    return ZERO


@compiled
def find_tokens(inside: Bytes, stop: int, newlines: Ids, num_newlines: int, edges: Ids) -> np.uint64:
    """List the start and the end of each token, and for each newline the number of tokens before it.

    inside uint8 (stop,); newlines int32, overwritten with the numbers of tokens; edges int32 (stop + 2,), overwritten:
    start, end, start, end. Returns the number of tokens.
    """
    n, begin = ZERO, ZERO
    for line in range(num_newlines + 1):
        end = np.uint64(newlines[line]) if line < num_newlines else np.uint64(stop)
        before = np.uint8(0)
        for i in range(begin, end):
            now = inside[i]
            # Written in any case, kept only where something changes: no branch to mispredict.
            edges[n] = i
            n += np.uint64(now ^ before)
            before = now
        edges[n] = end
        n += np.uint64(before)
        if line < num_newlines:
            newlines[line] = n >> ONE
        begin = end + ONE
    return n >> ONE


@compiled
def respell_tokens(
    text: Bytes,
    stop: int,
    kinds: Bytes,
    lower: npt.NDArray[np.uint32],
    resized: Ids,
    num_resized: int,
    folded: Bytes,
    edges: Ids,
) -> None:
    """Write the tokens with letters whose lower case has another length behind the text, and move their edges there.

    text uint8; resized int32 (num_resized,), rising; folded uint8, with room behind `stop` for half as many bytes more
    than the text has, overwritten there; edges int32, overwritten.
    """
    free, token, moved = np.uint64(stop), ZERO, ZERO
    for i in range(num_resized):
        letter = np.uint64(resized[i])
        if letter < moved:  # another one of the token that has just been moved
            continue
        while np.uint64(edges[TWO * token + ONE]) <= letter:
            token += ONE
        position, moved = np.uint64(edges[TWO * token]), np.uint64(edges[TWO * token + ONE])
        edges[TWO * token] = free
        while position < moved:
            code, width = decode(text, position, True)
            letters = np.uint64(lower[code])
            for _ in range(width):
                if kinds[code] != RESIZED:
                    folded[free] = folded[position]
                    free += ONE
                position += ONE
            while kinds[code] == RESIZED and letters != ZERO:
                folded[free] = letters & np.uint64(255)
                letters >>= EIGHT
                free += ONE
        edges[TWO * token + ONE] = free
        token += ONE
