"""fastText's ``.vec``: word2vec's text with five digits a number, and a space after each of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, TYPE_CHECKING

from daneo.embeddings.formats.text_writing import encoded_words, spaces_remark

if TYPE_CHECKING:
    from daneo.embeddings.rows import Rows

_BLOCK_ROWS = 1024  # computed and written together


def write(file: IO[bytes], words: list[str], rows: Rows) -> list[str]:
    """Write words and vectors as fastText prints them; return what the user should be told.

    Five significant digits are left of each number: ``word2vec-text`` keeps them all.

    Raises
    ------
    ValueError
        A word is empty, holds a newline, or is no Unicode text.
    """
    encoded = encoded_words(words, "\n")
    file.write(b"%d %d\n" % rows.shape)
    file.writelines(_lines(encoded, rows))
    return spaces_remark(words)


def _lines(words: list[bytes], rows: Rows) -> Iterator[bytes]:
    template = b" ".join([b"%b", *[b"%.5g"] * rows.shape[1], b"\n"])
    for start in range(0, len(words), _BLOCK_ROWS):
        block = rows[start : start + _BLOCK_ROWS].tolist()
        for word, numbers in zip(words[start : start + _BLOCK_ROWS], block, strict=True):
            yield template % (word, *numbers)
