"""What each of Unicode's code points is to a compiled tokenizer: outside a token, inside, and its lower case."""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from daneo.corpus.tokenizers import mark_ranges

NUM_CODE_POINTS = 0x110000

SEPARATOR = 0  # stands between tokens
INSIDE = 1  # belongs to a token as it is
MARK = 2  # belongs to a token that has begun, but does not begin one
FOLDED = 3  # belongs to a token, in lower case, which takes as many bytes in UTF-8
RESIZED = 4  # the same, but its lower case takes more bytes or fewer: some twenty letters in all


class CodePoints(NamedTuple):
    """One tokenizer's view of Unicode.

    Attributes
    ----------
    kinds : uint8 array of shape (0x110000,)
        SEPARATOR, INSIDE, MARK, FOLDED or RESIZED, by code point.
    lower : uint32 array of shape (0x110000,)
        UTF-8 bytes of the lower case of FOLDED and RESIZED code points, the first byte in the lowest eight bits. Never
        more than four: only İ becomes two characters, of one and two bytes.
    """

    kinds: npt.NDArray[np.uint8]
    lower: npt.NDArray[np.uint32]


@functools.cache
def word_code_points() -> CodePoints:
    """Tables of the tokenizer ``words``, built in some 20 milliseconds."""
    characters = _characters()
    kinds = np.strings.isalnum(characters).astype(np.uint8)
    kinds[ord("_")] = INSIDE
    for first, last in mark_ranges():
        kinds[first : last + 1] = MARK
    lower = np.zeros(NUM_CODE_POINTS, dtype=np.uint32)
    for code in np.flatnonzero(np.strings.isupper(characters) | np.strings.istitle(characters)).tolist():
        # One code point at a time, so Σ is σ everywhere; and only characters that belong to words matter.
        before, after = chr(code).encode(), chr(code).lower().encode()
        if kinds[code] == INSIDE and before != after:
            kinds[code] = FOLDED if len(before) == len(after) else RESIZED
            lower[code] = int.from_bytes(after, "little")
    return CodePoints(kinds, lower)


@functools.cache
def whitespace_code_points() -> CodePoints:
    """Tables of the tokenizer ``whitespace``."""
    kinds = (~np.strings.isspace(_characters())).astype(np.uint8)
    return CodePoints(kinds, np.zeros(NUM_CODE_POINTS, dtype=np.uint32))


def _characters() -> npt.NDArray[np.str_]:
    return np.arange(NUM_CODE_POINTS, dtype=np.uint32).view("U1")
