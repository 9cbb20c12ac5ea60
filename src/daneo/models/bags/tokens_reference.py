"""Tokens and their hashes: the definitions, in plain Python. ``tokens_kernels`` does the same with arrays."""

from __future__ import annotations

import re
from itertools import accumulate

SPACES = re.compile(rb"[\x00\t\n\v\f\r ]+")


def mark_tokens(text: bytes) -> list[bytes]:
    """Cut a text as fastText does: at ASCII whitespace and zero bytes, and nowhere else."""
    return [token for token in SPACES.split(text) if token]


def hash_types(tokens: list[bytes]) -> list[int]:
    """FNV-1a in 32 bits of signed bytes, read as a signed number: what fastText hashes word n-grams from."""
    hashes = []
    for token in tokens:
        value = 2166136261
        for byte in memoryview(token).cast("b"):
            value = (value ^ byte) * 16777619 & 0xFFFFFFFF
        hashes.append(value - 2**32 if value >= 2**31 else value)
    return hashes


def join_types(tokens: list[bytes]) -> tuple[bytes, list[int]]:
    """The tokens one after the other, and where each ends."""
    return b"".join(tokens), list(accumulate(map(len, tokens)))


def spell_types(tokens: list[bytes]) -> bytes:
    """The tokens, each with a newline behind it."""
    return b"".join(token + b"\n" for token in tokens)


def begin_with(tokens: list[bytes], prefix: bytes) -> list[bool]:
    """Whether each token begins with a prefix."""
    return [token.startswith(prefix) for token in tokens]


def find_types(known: list[bytes], tokens: list[bytes]) -> list[int]:
    """The place of each token among the known ones, which are all different; -1 where there is none."""
    return [known.index(token) if token in known else -1 for token in tokens]
