"""Words and vectors as lines of text, block by block; every number reads back as the same float32."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from daneo.embeddings.formats.text_writing_reference import format_row

_BLOCK_NUMBERS = 1 << 18  # formatted together
_LONGEST_NUMBER = 16  # bytes, with the space before it: " -0.000123456789"


def text_blocks(words: list[str], matrix: NDArray[np.float32]) -> tuple[Iterator[bytes], list[str]]:
    """Return an iterator over blocks of whole lines, a word and its vector each, and what the user should be told.

    Parameters
    ----------
    words : list of str, length V
    matrix : float32 array of shape (V, D)

    Raises
    ------
    ValueError
        A word is empty, holds a newline, or is no Unicode text. Raised before the first block.
    """
    encoded = encoded_words(words, "\n")
    return _blocks(encoded, matrix), spaces_remark(words)


def spaces_remark(words: list[str]) -> list[str]:
    """Return what the user should be told of words with spaces, if there are any."""
    spaced = [word for word in words if re.search("[ \t\r\v\f]", word)]
    if not spaced:
        return []
    return [
        f"{len(spaced)} of {len(words)} words hold spaces, the first of them {spaced[0]!r}. "
        "daneo reads them back; most other tools take the word to end at the space."
    ]


def encoded_words(words: list[str], forbidden: str) -> list[bytes]:
    """Return the words in UTF-8; bytes that ``errors="surrogateescape"`` kept are themselves again.

    Raises
    ------
    ValueError
        A word is empty, holds one of the `forbidden` characters, or is no Unicode text; the message names it.
    """
    everything = "".join(words)
    if "" in words or any(character in everything for character in forbidden):
        row = next(row for row, word in enumerate(words) if not word or set(word) & set(forbidden))
        raise ValueError(
            f"Row {row + 1} has the word {words[row][:80]!r}. This format cannot hold an empty word or one with any of "
            f"{forbidden!r}; format='daneo' can."
        )
    try:
        return [word.encode("utf-8", "surrogateescape") for word in words]
    except UnicodeEncodeError as error:
        raise ValueError(
            f"The word {error.object[:80]!r} holds half a surrogate pair, so no UTF-8 can spell it."
        ) from None


def _blocks(words: list[bytes], matrix: NDArray[np.float32]) -> Iterator[bytes]:
    num_rows = max(1, _BLOCK_NUMBERS // matrix.shape[1])
    for start in range(0, len(words), num_rows):
        yield _formatted(words[start : start + num_rows], np.ascontiguousarray(matrix[start : start + num_rows]))


def _formatted(words: list[bytes], matrix: NDArray[np.float32]) -> bytes:
    from daneo.embeddings.formats.text_writing_kernels import format_rows

    packed = np.frombuffer(b"\n".join([*words, b""]), np.uint8)
    out = np.empty(len(packed) + _LONGEST_NUMBER * matrix.size, np.uint8)
    position = row = used = 0
    while True:
        position, row, used = format_rows(packed, position, matrix, row, out, used)
        if row == len(matrix):
            return out[:used].tobytes()
        line = np.frombuffer(format_row(words[row], matrix[row]), np.uint8)
        out[used : used + len(line)] = line
        position, row, used = position + len(words[row]) + 1, row + 1, used + len(line)
