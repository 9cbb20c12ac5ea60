"""The distinct tokens of a corpus and their counts, and the final ids that they get."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from daneo.corpus.vocabulary import Vocabulary

SPELLED = 1 << 17  # words that are spelled at a time, to keep what that takes small


@dataclass(frozen=True)
class CountedTypes:
    """Distinct tokens ("types") by number, G of them.

    Attributes
    ----------
    counts : int64 array of shape (G,)
        How often each occurs.
    spell : callable
        From an array of numbers to the list of words.
    sort : callable
        From an array of numbers to the same numbers, by falling count and then by spelling.
    numbers : list of int32 arrays
        For each table that provisional ids came from, the number of each provisional id.
    """

    counts: npt.NDArray[np.int64]
    spell: Callable[[npt.NDArray[np.int64]], list[str]]
    sort: Callable[[npt.NDArray[np.int64]], npt.NDArray[np.int64]]
    numbers: list[npt.NDArray[np.int32]]

    def spelled(self, numbers: npt.NDArray[np.int64]) -> list[str]:
        """Spell any number of words."""
        words: list[str] = []
        for start in range(0, len(numbers), SPELLED):
            words += self.spell(numbers[start : start + SPELLED])
        return words

    def frequent(self, min_count: int, max_size: int | None) -> tuple[Vocabulary, npt.NDArray[np.int32]]:
        """Choose the vocabulary, and return it with the final id of each number, -1 for a word that is left out.

        Raises
        ------
        ValueError
            No word is left.
        """
        if min_count < 1:
            raise ValueError(f"Expected min_count of at least 1, got {min_count}. 1 keeps every word.")
        if max_size is not None and max_size < 1:
            raise ValueError(f"Expected max_size of at least 1, got {max_size}. None keeps every frequent word.")
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
            words = self.spell(np.arange(start, min(start + SPELLED, len(final))))
            final[start : start + len(words)] = [index.get(word, -1) for word in words]
        return final

    def _nothing_left(self, min_count: int) -> str:
        if len(self.counts) == 0:
            return "The corpus holds no words. Check its path, and that the tokenizer suits its text."
        return (
            f"No word occurs {min_count} times (min_count): the most frequent of {len(self.counts):,} distinct words "
            f"occurs {self.counts.max():,} times. Give a smaller min_count or more text."
        )
