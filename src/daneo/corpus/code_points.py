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
RESIZED = 4  # the same, but its lower case takes more bytes or fewer


class CodePoints(NamedTuple):
    """One tokenizer's view of Unicode.

    Attributes
    ----------
    kinds : uint8 array of shape (0x110000,)
        SEPARATOR, INSIDE, MARK, FOLDED or RESIZED, by code point.
    lower : uint32 array of shape (0x110000,)
        UTF-8 bytes of the lower case of FOLDED code points, the first byte in the lowest eight bits.
    resized : dict of str to str
        Lower case of the RESIZED characters; there are some twenty of them in all of Unicode.
    """

    kinds: npt.NDArray[np.uint8]
    lower: npt.NDArray[np.uint32]
    resized: dict[str, str]


@functools.cache
def word_code_points() -> CodePoints:
    """Tables of the tokenizer ``words``, built in some 20 milliseconds."""
    characters = _characters()
    kinds = np.strings.isalnum(characters).astype(np.uint8)
    kinds[ord("_")] = INSIDE
    for first, last in mark_ranges():
        kinds[first : last + 1] = MARK
    lower = np.zeros(NUM_CODE_POINTS, dtype=np.uint32)
    resized = {}
    for code in np.flatnonzero(np.strings.isupper(characters) | np.strings.istitle(characters)).tolist():
        # Only characters that belong to words matter; one code point at a time, so Σ is σ everywhere.
        before, after = chr(code), chr(code).lower()
        if kinds[code] != INSIDE or before == after:
            continue
        if len(before.encode()) == len(after.encode()):
            kinds[code] = FOLDED
            lower[code] = int.from_bytes(after.encode(), "little")
        else:
            kinds[code] = RESIZED
            resized[before] = after
    return CodePoints(kinds, lower, resized)


@functools.cache
def whitespace_code_points() -> CodePoints:
    """Tables of the tokenizer ``whitespace``."""
    kinds = (~np.strings.isspace(_characters())).astype(np.uint8)
    return CodePoints(kinds, np.zeros(NUM_CODE_POINTS, dtype=np.uint32), {})


def _characters() -> npt.NDArray[np.str_]:
    return np.arange(NUM_CODE_POINTS, dtype=np.uint32).view("U1")
