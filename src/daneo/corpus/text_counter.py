"""Counting the tokens of text in compiled code: one hash table a thread, merged in the end."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import numpy as np
import numpy.typing as npt

from daneo.corpus.code_points import CodePoints, whitespace_code_points, word_code_points
from daneo.corpus.counted_types import CountedBlock, CountedTypes
from daneo.corpus.ordered_threads import most_taken, ordered
from daneo.corpus.sources import Errors, Reading, num_replaced, undecodable
from daneo.corpus.text_blocks import TextBlock, cut_blocks
from daneo.corpus.tokenizers import Tokenizer, Whitespace, Words
from daneo.corpus.word_table import ThreadTables

BLOCK_SIZE = 1 << 19  # bytes of text; more would fall out of the caches from one kernel to the next


def is_compiled(tokenizer: Tokenizer) -> bool:
    """Say whether the kernels know this tokenizer. A class that inherits from a built-in one may do anything."""
    return type(tokenizer) in (Words, Whitespace)


class TextCounter:
    """Counts what :class:`Words` or :class:`Whitespace` finds in text.

    Parameters
    ----------
    tokenizer : Words or Whitespace
    errors : "strict" or "replace"
        What to do with bytes that are not UTF-8.
    num_threads : int
        How many tables there are.
    """

    def __init__(self, tokenizer: Tokenizer, errors: Errors, num_threads: int) -> None:
        from daneo.corpus import text_tokens_kernels as kernels

        lower_cases = type(tokenizer) is Words
        self._code_points: CodePoints = word_code_points() if lower_cases else whitespace_code_points()
        self._classify_ascii: Any = kernels.lower_words if lower_cases else kernels.split_whitespace
        self._kernels = kernels
        self._errors = errors
        self._num_threads = num_threads
        self._tables = ThreadTables(num_threads)
        self._surrogates = False

    def blocks(self, reading: Reading) -> Generator[CountedBlock]:
        """Read all text and yield it block by block, counted.

        Raises
        ------
        ValueError
            Bytes are not UTF-8, and errors are strict.
        """
        self._surrogates = reading.has_surrogates
        kinds = self._code_points.kinds

        def find_cut(text: npt.NDArray[np.uint8], stop: int) -> int:
            return int(self._kernels.find_cut(text, stop, kinds, self._surrogates))

        blocks = cut_blocks(reading.streams(), find_cut, most_taken(self._num_threads), BLOCK_SIZE)
        return ordered(self._count, blocks, self._num_threads)

    def types(self) -> CountedTypes:
        """Return what has been counted; call it once, in the end."""
        return CountedTypes(self._tables)

    def _count(self, block: TextBlock) -> CountedBlock:
        kernels, points = self._kernels, self._code_points
        num_newlines, num_resized, replaced = self._classify(block)
        folded = block.folded.view(np.uint8)  # only now: replacing what is not UTF-8 may take new arrays
        num_tokens = int(kernels.find_tokens(block.inside, block.stop, block.newlines, num_newlines, block.edges))
        if num_resized:
            kernels.respell_tokens(
                block.characters,
                block.stop,
                points.kinds,
                points.lower,
                block.resized,
                num_resized,
                folded,
                block.edges,
            )
        # A letter of two bytes may become one of three.
        table = self._tables.count(block.folded, block.edges, num_tokens, 2 * block.stop)
        return CountedBlock(table, block.edges[:num_tokens], block.newlines[:num_newlines], replaced)

    def _classify(self, block: TextBlock) -> tuple[int, int, int]:
        """Fold the text and mark its tokens. Return its newlines, resized letters, and replaced characters."""
        replaced = 0
        num_newlines, num_resized, position = self._classified(block)
        if position < block.stop:
            replaced = self._replace_undecodable(block)
            num_newlines, num_resized, position = self._classified(block)
        assert position == block.stop, "the kernels disagree with Python about what is UTF-8"
        return num_newlines, num_resized, replaced

    def _classified(self, block: TextBlock) -> tuple[int, int, int]:
        points, folded = self._code_points, block.folded.view(np.uint8)
        self._classify_ascii(block.characters, block.stop, folded, block.inside)
        num_newlines, num_resized, position = self._kernels.classify_rest(
            block.characters,
            block.stop,
            points.kinds,
            points.lower,
            self._surrogates,
            folded,
            block.inside,
            block.newlines,
            block.resized,
        )
        return int(num_newlines), int(num_resized), int(position)

    def _replace_undecodable(self, block: TextBlock) -> int:
        data = bytes(block.text[: block.stop])
        try:
            data.decode()
        except UnicodeDecodeError as error:
            if self._errors == "strict":
                raise undecodable(*block.place_of(error.start), error) from None
        text = data.decode("utf-8", "replace")
        block.replace(text.encode())
        return num_replaced(data, text)
