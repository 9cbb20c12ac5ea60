"""word2vec's text format, and fastText's .vec: a line of two numbers, rows and D, then a word and D numbers a line."""

from __future__ import annotations

from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from daneo.embeddings.formats.byte_source import ByteSource
from daneo.embeddings.formats.collected_rows import Rows
from daneo.embeddings.formats.text_reading import collect_text_rows
from daneo.embeddings.formats.text_writing import text_blocks
from daneo.embeddings.formats.word2vec_header import check_count, check_room, read_header


def read(source: ByteSource, *, limit: int | None = None, **options: Any) -> Rows:
    """Read the rows of a word2vec text file.

    Parameters
    ----------
    source : ByteSource
        Stands at the header.
    limit : int or None
        Read the first rows only.
    **options
        ``errors`` and ``num_threads``, as in `collect_text_rows`.

    Raises
    ------
    EOFError
        There are fewer rows than the header promises.
    ValueError
        There are more, or a row is broken.
    """
    header = num_rows, vector_size = read_header(source)
    wanted = num_rows if limit is None else min(num_rows, limit)
    capacity = check_room(source, header, wanted, 2 * vector_size)
    # One more than was promised shows that the promise is wrong.
    most = wanted + 1 if limit is None else wanted
    collected = collect_text_rows(source, vector_size, capacity=capacity, most=most, **options)
    check_count(source, header, len(collected), limit)
    return collected.finish()


def write(file: IO[bytes], words: list[str], matrix: NDArray[np.float32]) -> list[str]:
    """Write words and vectors; return what the user should be told."""
    blocks, remarks = text_blocks(words, matrix)
    file.write(b"%d %d\n" % matrix.shape)
    file.writelines(blocks)
    return remarks
