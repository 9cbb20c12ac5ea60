"""One row of a text file of vectors in plain Python: the definition that the kernel must equal."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

# What C, Python and Java print for a number. Each character has one way to match, so a long field costs no more.
NUMBER = re.compile(rb"[+-]?(?:(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|(?i:nan|inf|infinity))")

# word2vec.c and fastText end a row with a space, Windows with \r. Only ASCII: U+00A0 and its like belong to words.
TRAILING = b" \t\r\v\f"


def split_row(line: bytes, vector_size: int) -> tuple[bytes, list[bytes]]:
    """Split a line into the word and the last `vector_size` fields; the word may hold spaces and tabs itself."""
    line = line.rstrip(TRAILING)
    # A tab separates as well as a space. Replacing one by the other keeps every position.
    word, *fields = line.replace(b"\t", b" ").rsplit(b" ", vector_size)
    if len(fields) != vector_size:
        raise ValueError(f"expected a word and {vector_size} numbers, got {len(fields)} fields after the first")
    return line[: len(word)], fields


def parse_row(line: bytes, vector_size: int) -> tuple[bytes, NDArray[np.float32]]:
    """Return the word and the vector, each number rounded first to float64 and then to float32."""
    word, fields = split_row(line, vector_size)
    for field in fields:
        if not NUMBER.fullmatch(field):
            raise ValueError(f"expected a word and {vector_size} numbers, got {field[:40]!r} for a number")
    with np.errstate(over="ignore"):  # 1e39 is inf in float32: reported by the caller, with the word
        return word, np.array([float(field) for field in fields]).astype(np.float32)
