"""word2vec's binary format: a line with the number of rows and D, then each word, a space and D float32.

word2vec.c ends each row with a newline, gensim and Google do not; both are read. Words cannot hold spaces.
"""

from __future__ import annotations

from typing import IO

import numpy as np
from numpy.typing import NDArray

from daneo.embeddings.formats.byte_source import ByteSource
from daneo.embeddings.formats.collected_rows import CollectedRows, Rows
from daneo.embeddings.formats.text_reading import not_utf8
from daneo.embeddings.formats.text_writing import encoded_words
from daneo.embeddings.formats.word2vec_header import LONGEST_WORD, check_count, check_room, read_header

_BLOCK_BYTES = 1 << 20


def read(
    source: ByteSource, *, limit: int | None = None, errors: str = "strict", num_threads: int | None = None
) -> Rows:
    """Read the rows of a word2vec binary file.

    Parameters
    ----------
    source : ByteSource
        Stands at the header.
    limit : int or None
        Read the first rows only.
    errors : "strict", "replace" or "ignore"
        What to do with a word that is not UTF-8 (word2vec.c cuts long words between bytes), as in ``bytes.decode``.
    num_threads : int or None
        Not used: this reader only copies, which more threads do not speed up. All readers are called alike.

    Raises
    ------
    EOFError
        There are fewer rows than the header promises.
    ValueError
        There are more, or a word is broken.
    """
    header = num_rows, vector_size = read_header(source)
    wanted = num_rows if limit is None else min(num_rows, limit)
    first_byte, row_bytes, size = source.position, 4 * vector_size, _BLOCK_BYTES
    collected = CollectedRows(vector_size, check_room(source, header, wanted, row_bytes + 1))
    while len(collected) < wanted:
        block = source.peek(size)
        spans, end = _find_rows(block, row_bytes, wanted - len(collected))
        if spans:
            words = _decoded(block, spans, errors, source, len(collected))
            numbers = b"".join([block[space + 1 : space + 1 + row_bytes] for _, space in spans])
            matrix = np.frombuffer(numbers, "<f4").reshape(len(spans), vector_size)
            source.read(end)
            share = (source.position - first_byte) / (source.size - first_byte) if source.size else None
            collected.append(words, matrix, _broken_rows(matrix), share)
        elif len(block) >= LONGEST_WORD and b" " not in block[:LONGEST_WORD]:
            raise ValueError(
                f"{source.name}: row {len(collected) + 1} (byte {source.position}): no space ends its word within "
                f"{LONGEST_WORD} bytes. The header's vector size, {vector_size}, is wrong, or the file is damaged."
            )
        elif len(block) < size:
            break
        else:
            size *= 2
    num_more = int(limit is None and len(collected) == wanted and _anything_left(source))
    check_count(source, header, len(collected) + num_more, limit)
    return collected.finish()


def _find_rows(block: bytes, row_bytes: int, most: int) -> tuple[list[tuple[int, int]], int]:
    """Return where the word of each whole row begins and ends, and where the last of these rows ends."""
    spans: list[tuple[int, int]] = []
    end = 0
    while len(spans) < most:
        space = block.find(b" ", end, end + LONGEST_WORD)
        if space < 0 or space + 1 + row_bytes > len(block):
            break
        spans.append((end, space))
        end = space + 1 + row_bytes
    return spans, end


def _decoded(block: bytes, spans: list[tuple[int, int]], errors: str, source: ByteSource, num_before: int) -> list[str]:
    # A newline before a word belongs to the row above. No word holds a space, so all are decoded at once.
    words = [block[start:space].lstrip(b"\n") for start, space in spans]
    try:
        return b" ".join(words).decode("utf-8", errors).split(" ")
    except UnicodeDecodeError as error:
        row = error.object.count(b" ", 0, error.start)
        where = not_utf8(source.position + spans[row][0], words[row])
        raise ValueError(f"{source.name}: row {num_before + row + 1} {where}.") from None


def _broken_rows(matrix: NDArray[np.float32]) -> list[int]:
    """Return the rows that hold NaN or infinity."""
    # A sum is finite only if all of its terms are, and costs no second matrix; it can overflow, so it is not enough.
    with np.errstate(over="ignore", invalid="ignore"):
        suspects = np.flatnonzero(~np.isfinite(matrix.sum(axis=1)))
    return [int(row) for row in suspects if not np.isfinite(matrix[row]).all()]


def _anything_left(source: ByteSource) -> bool:
    while rest := source.read(_BLOCK_BYTES):
        if rest.strip():
            return True
    return False


def write(file: IO[bytes], words: list[str], matrix: NDArray[np.float32]) -> list[str]:
    """Write words and vectors as word2vec.c does, with a newline after each row.

    Raises
    ------
    ValueError
        A word is empty, holds a space or a newline, or is no Unicode text.
    """
    encoded = encoded_words(words, " \n")
    file.write(b"%d %d\n" % matrix.shape)
    num_rows = max(1, _BLOCK_BYTES // (4 * matrix.shape[1]))
    for start in range(0, len(words), num_rows):
        block = np.ascontiguousarray(matrix[start : start + num_rows], "<f4")
        file.writelines(
            part
            for word, vector in zip(encoded[start : start + num_rows], block, strict=True)
            for part in (word, b" ", vector.data, b"\n")
        )
    return []
