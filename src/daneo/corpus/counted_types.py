"""The distinct tokens of a corpus and their counts, and the final ids that they get."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from daneo.corpus.vocabulary import Vocabulary
from daneo.corpus.word_table import ThreadTables

SPELLED = 1 << 17  # words that are spelled at a time, to keep what that takes small


class CountedBlock(NamedTuple):
    """Tokens of a block as provisional ids: those of one table.

    Attributes
    ----------
    table : int
        Which table.
    ids : int32 array of shape (T,)
        Valid until the next block is asked for, as is `ends`.
    ends : int32 array
        For each document that ends in the block, the number of the block's tokens before that.
    num_replaced : int
        U+FFFD put in place of bytes that are not UTF-8.
    """

    table: int
    ids: npt.NDArray[np.int32]
    ends: npt.NDArray[np.int32]
    num_replaced: int


class CountedTypes:
    """Distinct tokens ("types") by number, G of them.

    Parameters
    ----------
    tables : ThreadTables
        Everything counted; they are merged.

    Attributes
    ----------
    counts : int64 array of shape (G,)
        How often each occurs.
    numbers : list of int32 arrays
        For each table that provisional ids came from, the number of each provisional id.
    """

    def __init__(self, tables: ThreadTables) -> None:
        self._table, self.numbers = tables.merge()
        self._places, self.counts = self._table.entries()

    def sort(self, numbers: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return the same numbers by falling count, equal ones by spelling."""
        return numbers[self._table.sort(self._places[numbers], self.counts[numbers])]

    def spelled(self, numbers: npt.NDArray[np.int64]) -> list[str]:
        """Spell any number of words."""
        words: list[str] = []
        for start in range(0, len(numbers), SPELLED):
            words += self._table.spell(self._places[numbers[start : start + SPELLED]])
        return words

    def frequent(self, min_count: int, max_size: int | None) -> tuple[Vocabulary, npt.NDArray[np.int32]]:
        """Choose the vocabulary, and return it with the final id of each number, -1 for a word that is left out.

        Raises
        ------
        ValueError
            No word is left.
        """
        numbers = self.sort(np.flatnonzero(self.counts >= min_count))[:max_size]
        if numbers.size == 0:
            raise ValueError(self._nothing_left(min_count))
        final = np.full(len(self.counts), -1, dtype=np.int32)
        final[numbers] = np.arange(len(numbers), dtype=np.int32)
        return Vocabulary(self.spelled(numbers), self.counts[numbers]), final

    def matched(self, vocabulary: Vocabulary) -> npt.NDArray[np.int32]:
        """Return the id of each number in a given vocabulary, -1 for a word not in it."""
        index, final = vocabulary.index, np.empty(len(self.counts), dtype=np.int32)
        for start in range(0, len(final), SPELLED):
            words = self.spelled(np.arange(start, min(start + SPELLED, len(final))))
            final[start : start + len(words)] = [index.get(word, -1) for word in words]
        return final

    def _nothing_left(self, min_count: int) -> str:
        if len(self.counts) == 0:
            return "The corpus holds no words. Check its path, and that the tokenizer suits its text."
        return (
            f"No word occurs {min_count} times (min_count): the most frequent of {len(self.counts):,} distinct words "
            f"occurs {self.counts.max():,} times. Give a smaller min_count or more text."
        )
