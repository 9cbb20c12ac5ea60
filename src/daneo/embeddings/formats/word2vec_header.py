"""The first line of word2vec's files: how many rows follow, and how many numbers each has. Not to be believed."""

from __future__ import annotations

import re

from daneo.embeddings.formats.byte_source import ByteSource

LONGEST_HEADER = 256  # bytes
LONGEST_WORD = 1 << 16  # bytes of a word in a binary file; word2vec.c cuts words at 100
LARGEST_SIZE = 1 << 20  # numbers in a vector; nobody trains even a hundredth of it
# Behind a byte order mark, where a Windows editor has been at work.
_HEADER = re.compile(rb"(?:\xef\xbb\xbf)?\s*([+-]?[0-9]+)[ \t]+([+-]?[0-9]+)\s*")


def header_of(sample: bytes) -> tuple[int, int] | None:
    """Return the two numbers if the first line of `sample` is two whole numbers and nothing else."""
    match = _HEADER.fullmatch(sample[:LONGEST_HEADER].split(b"\n", 1)[0])
    return (int(match[1]), int(match[2])) if match else None


def read_header(source: ByteSource) -> tuple[int, int]:
    """Read the header and return the number of rows and D.

    Raises
    ------
    ValueError
        There is no such line, or a number is below 1.
    """
    sample = source.peek(LONGEST_HEADER)
    header = header_of(sample)
    if header is None:
        raise ValueError(
            f"{source.name}: expected a first line of two numbers, rows and vector size; got {sample[:40]!r}."
        )
    if min(header) < 1 or header[1] > LARGEST_SIZE:
        raise ValueError(
            f"{source.name}: the header promises {_promise(header)}; expected at least 1 of each and at most "
            f"{LARGEST_SIZE} numbers."
        )
    source.read(len(sample.split(b"\n", 1)[0]) + 1)
    return header


def check_room(source: ByteSource, header: tuple[int, int], num_rows: int, row_bytes: int) -> int:
    """Check that the rest of the file can hold `num_rows` rows of at least `row_bytes`; return rows to make room for.

    That is none where the length is not known, as in a compressed file: memory then grows with what arrives.

    Raises
    ------
    EOFError
        The file is too short for what its header promises.
    """
    if source.size is None:
        return 0
    left = max(0, source.size - source.position)
    if num_rows * row_bytes > left:
        raise EOFError(
            f"{source.name}: the header promises {_promise(header)}; {num_rows} of them take at least "
            f"{num_rows * row_bytes} bytes, {left} follow. The file is cut off or its header is wrong. "
            "limit=... reads the first rows."
        )
    return num_rows


def check_count(source: ByteSource, header: tuple[int, int], num_read: int, limit: int | None) -> None:
    """Check how many rows came against the header's promise.

    Raises
    ------
    EOFError
        There are fewer.
    ValueError
        There are more.
    """
    expected = header[0] if limit is None else min(header[0], limit)
    if num_read < expected:
        raise EOFError(
            f"{source.name}: the header promises {_promise(header)}, the file has {num_read}. "
            "It is cut off or its header is wrong." + (f" limit={num_read} reads what is there." if num_read else "")
        )
    if num_read > expected:
        raise ValueError(
            f"{source.name}: the header promises {_promise(header)}, the file has more. "
            f"limit={expected} reads the promised ones."
        )


def _promise(header: tuple[int, int]) -> str:
    return f"{header[0]} rows of {header[1]} numbers"
