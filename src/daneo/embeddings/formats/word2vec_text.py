"""word2vec's text format, and fastText's .vec: a line of two numbers, rows and D, then a word and D numbers a line.

Stanford's GloVe writes such files with ``-write-header 1``, and its header is not always right: it does not count the
row ``<unk>`` at the end, and with ``-model 0`` a row has 2 (D + 1) numbers, as :mod:`glove_parameters` says.
"""

from __future__ import annotations

import re
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from daneo.embeddings.formats.byte_source import ByteSource
from daneo.embeddings.formats.collected_rows import CollectedRows, Rows
from daneo.embeddings.formats.glove_binary import UNKNOWN
from daneo.embeddings.formats.glove_text import SAMPLE_BYTES, count_numbers
from daneo.embeddings.formats.text_reading import LONGEST_LINE, collect_text_rows
from daneo.embeddings.formats.text_writing import text_blocks
from daneo.embeddings.formats.word2vec_header import check_count, check_room, read_header

_SIX_DECIMALS = re.compile(rb"-?[0-9]+\.[0-9]{6}|-?nan|-?inf")  # as C's "%lf" spells numbers


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

    Returns
    -------
    Rows
        Of a file that GloVe wrote with ``-model 0``, the sum of a word's two vectors, as by default it writes them.

    Raises
    ------
    EOFError
        There are fewer rows than the header promises.
    ValueError
        There are more (but for GloVe's ``<unk>``), or a row is broken.
    """
    header = _, vector_size = read_header(source)
    if not _has_parameters(source, vector_size):
        return collect_promised(source, header, vector_size, limit=limit, **options).finish()
    rows = collect_promised(source, header, 2 * (vector_size + 1), limit=limit, **options).finish()
    summed = rows.matrix[:, :vector_size] + rows.matrix[:, vector_size + 1 : -1]
    remark = (
        f"each row has two vectors of {vector_size} numbers and a bias for each, as GloVe's -model 0 writes them. "
        "The sum of both vectors was taken; GloVe.load reads everything."
    )
    return Rows(rows.words, summed, [*rows.remarks, remark])


def collect_promised(
    source: ByteSource, header: tuple[int, int], width: int, *, limit: int | None = None, **options: Any
) -> CollectedRows:
    """Read as many rows as a header promises, each of `width` numbers; what :func:`read` says of the rest holds."""
    wanted = header[0] if limit is None else min(header[0], limit)
    capacity = check_room(source, header, wanted, 2 * width)
    # One row more than was promised can be GloVe's <unk>; any other shows that the promise is wrong.
    most = header[0] + 2 if limit is None else min(limit, header[0] + 1)
    collected = collect_text_rows(source, width, capacity=capacity, most=most, **options)
    has_unknown = len(collected) == header[0] + 1 and collected.words[-1] == UNKNOWN
    check_count(source, header, len(collected) - has_unknown, limit)
    return collected


def _has_parameters(source: ByteSource, vector_size: int) -> bool:
    """Whether the rows have 2 (D + 1) numbers, spelt as GloVe spells them."""
    width = 2 * (vector_size + 1)
    rows = [row for row in source.first_lines(SAMPLE_BYTES, LONGEST_LINE) if row.strip()]
    return bool(rows) and all(
        count_numbers(row) == width and all(map(_SIX_DECIMALS.fullmatch, row.split(b" ")[1:])) for row in rows
    )


def write(file: IO[bytes], words: list[str], matrix: NDArray[np.float32]) -> list[str]:
    """Write words and vectors; return what the user should be told."""
    blocks, remarks = text_blocks(words, matrix)
    file.write(b"%d %d\n" % matrix.shape)
    file.writelines(blocks)
    return remarks
