"""GloVe's text format: a word and D numbers a line, no header. Words may hold spaces (``. . .`` does in GloVe 840B)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import chain
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from daneo.embeddings.formats.byte_source import ByteSource
from daneo.embeddings.formats.collected_rows import Rows
from daneo.embeddings.formats.text_reading import LONGEST_LINE, collect_text_rows
from daneo.embeddings.formats.text_reading_reference import NUMBER, TRAILING
from daneo.embeddings.formats.text_writing import text_blocks

SAMPLE_BYTES = 1 << 16  # looked at to find D: 20 rows of 300 numbers


def count_numbers(line: bytes) -> int:
    """Return how many fields at the end of a line are numbers; the first field is the word's whatever it is."""
    fields = line.rstrip(TRAILING).replace(b"\t", b" ").split(b" ")[1:]
    return next((n for n, field in enumerate(reversed(fields)) if not NUMBER.fullmatch(field)), len(fields))


def find_vector_size(lines: Iterable[bytes]) -> int:
    """Return D, 0 if there are no rows.

    A word such as ``10 000`` makes its line end in more than D numbers, and a damaged line ends in fewer, so the
    number that most lines have is taken; of several, the smallest.
    """
    counts = Counter(count_numbers(line) for line in lines if line.strip(TRAILING))
    return min(counts, key=lambda size: (-counts[size], size), default=0)


def read(source: ByteSource, *, limit: int | None = None, **options: Any) -> Rows:
    """Read the rows of a GloVe text file.

    Parameters
    ----------
    source : ByteSource
        Stands at its beginning.
    limit : int or None
        Read the first rows only.
    **options
        ``errors`` and ``num_threads``, as in `collect_text_rows`.

    Raises
    ------
    ValueError
        A row is broken, or most of the first lines are not rows.
    """
    vector_size = find_vector_size(source.first_lines(SAMPLE_BYTES, LONGEST_LINE))
    if vector_size == 0:
        raise ValueError(f"{source.name}: expected a word and its numbers on each line, got {source.peek(40)!r}.")
    return collect_text_rows(source, vector_size, most=limit, **options).finish()


def write(file: IO[bytes], words: list[str], matrix: NDArray[np.float32]) -> list[str]:
    """Write words and vectors; return what the user should be told.

    Raises
    ------
    ValueError
        So many of the first words end in numbers that nobody could tell them from the vectors.
    """
    blocks, remarks = text_blocks(words, matrix)
    first = next(blocks)
    found = find_vector_size(ByteSource.of_bytes(first).first_lines(SAMPLE_BYTES, LONGEST_LINE))
    if found != matrix.shape[1]:
        raise ValueError(
            f"glove-text has no header, and these words would be read as the beginning of vectors of {found} numbers "
            f"instead of {matrix.shape[1]}, such as {words[0]!r}. Save them as word2vec-text or daneo."
        )
    file.writelines(chain([first], blocks))
    return remarks
