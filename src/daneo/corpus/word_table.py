"""The hash tables in which tokens are counted, one for each thread."""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np
import numpy.typing as npt

FIRST_ENTRY = 4  # as in word_table_kernels
LOWER_HALF = np.uint64(0xFFFFFFFF)
LARGEST_ARENA = 2**32  # numbers of eight bytes: a slot has 32 bits for a place in it
LARGEST_PIECE = 2**27  # numbers of eight bytes
SURROGATE_PASS = "surrogatepass"


class WordTable:
    """Distinct tokens with their ids and counts; ``word_table_kernels`` tells how they are laid out.

    Attributes
    ----------
    num_types : int
        How many distinct tokens there are; their ids are below it.
    """

    def __init__(self) -> None:
        from daneo.corpus import word_table_kernels

        self._kernels: Any = word_table_kernels
        self._slots = np.zeros(1 << 12, dtype=np.uint64)
        self._arena = np.empty(1 << 12, dtype=np.uint64)
        self._used = FIRST_ENTRY
        self.num_types = 0

    def count(
        self, folded: npt.NDArray[np.uint64], edges: npt.NDArray[np.int32], num_tokens: int, num_bytes: int
    ) -> None:
        """Count tokens and replace their edges by their ids.

        Parameters
        ----------
        folded : uint64 array
            The tokens' bytes, somewhere, and two numbers more.
        edges : int32 array of shape (at least 2 num_tokens,)
            Where each token starts and ends. The first `num_tokens` are overwritten with the ids.
        num_tokens, num_bytes : int
            How many tokens, and a bound on how many bytes they have in all.
        """
        # As if every token were new: four numbers each, and more for those that are longer than 16 bytes.
        self._reserve(4 * num_tokens + num_bytes // 8)
        done = 0
        while done < num_tokens:
            done, self._used, self.num_types = self._kernels.count_tokens(
                folded, edges, done, num_tokens, self._slots, self._arena, self._used, self.num_types
            )
            self._grow_if_full()

    def add(self, other: WordTable) -> npt.NDArray[np.int32]:
        """Add another table's counts to this one, and return the id here for each id there; `other` is emptied."""
        places, counts = other.entries()
        lengths = (other._arena[places] & LOWER_HALF).astype(np.int64)
        numbers = np.empty(other.num_types, dtype=np.int32)
        done = 0
        while done < len(numbers):
            # The other arena is a text, too, in which tokens are found; positions in a piece of it are int32.
            begin = int(places[done])
            stop = int(np.searchsorted(places, np.uint64(begin + LARGEST_PIECE)))
            starts = 8 * (places[done:stop].astype(np.int64) + 2 - begin)
            edges = np.stack([starts, starts + lengths[done:stop]], axis=1).astype(np.int32).ravel()
            self.count(other._arena[begin:], edges, stop - done, int(lengths[done:stop].sum()))
            numbers[done:stop] = edges[: stop - done]
            done = stop
        # Each has been counted once.
        self._arena[self.entries()[0][numbers] + np.uint64(1)] += (counts - 1).view(np.uint64)
        other.__init__()  # type: ignore[misc]
        return numbers

    @property
    def arena(self) -> npt.NDArray[np.uint64]:
        """The entries, one after the other, as the kernels lay them out; valid until more is counted."""
        return self._arena

    @property
    def slots(self) -> npt.NDArray[np.uint64]:
        """What finds an entry by its hash; valid until more is counted."""
        return self._slots

    def entries(self) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64]]:
        """Place in the arena, and count, of each id."""
        places = np.empty(self.num_types, dtype=np.uint64)
        counts = np.empty(self.num_types, dtype=np.int64)
        self._kernels.list_entries(self._arena, self._used, places, counts)
        return places, counts

    def spell(self, places: npt.NDArray[np.uint64]) -> list[str]:
        """Write out the words of some entries."""
        if len(places) == 0:
            return []
        starts = places.astype(np.int64)
        sizes = (self._arena[starts] & LOWER_HALF).astype(np.int64) + 1
        ends = np.cumsum(sizes)
        source = np.repeat(8 * (starts + 2) - (ends - sizes), sizes) + np.arange(ends[-1])
        letters = self._arena.view(np.uint8)[source]
        letters[ends - 1] = ord("\n")
        text: str = letters.tobytes().decode("utf-8", SURROGATE_PASS)
        words = text.split("\n")[:-1]
        if len(words) == len(places):
            return words
        # A token of a list may hold a newline.
        edges = zip((ends - sizes).tolist(), (ends - 1).tolist(), strict=True)
        return [letters[start:end].tobytes().decode("utf-8", SURROGATE_PASS) for start, end in edges]

    def sort(self, places: npt.NDArray[np.uint64], counts: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Say in which order entries are sorted by falling count and then by spelling."""
        # As numbers whose first byte is the highest, the first 16 bytes sort as strings do.
        start, more = (self._arena[places + np.uint64(i)].byteswap() for i in (2, 3))
        order = np.lexsort((more, start, -counts))
        same = np.ones(len(order) + 1, dtype=bool)
        same[[0, -1]] = False
        for key in (counts, start, more):
            same[1:-1] &= key[order[1:]] == key[order[:-1]]
        # Runs of entries that are still equal, mostly short ones of long words, go through Python's sort.
        runs = np.flatnonzero(same[1:] != same[:-1]).reshape(-1, 2)
        tied = order[same[1:] | same[:-1]]
        words = dict(zip(tied.tolist(), self.spell(places[tied]), strict=True))
        for first, last in runs.tolist():
            order[first : last + 1] = sorted(order[first : last + 1].tolist(), key=words.__getitem__)
        return order

    def _reserve(self, num_numbers: int) -> None:
        needed = self._used + num_numbers + FIRST_ENTRY
        if needed > LARGEST_ARENA:
            raise MemoryError(f"The corpus has too many distinct words: {self.num_types:,} in one of the tables.")
        if needed > self._arena.size:
            arena = np.empty(max(needed, 2 * self._arena.size), dtype=np.uint64)
            arena[: self._used] = self._arena[: self._used]
            self._arena = arena

    def _grow_if_full(self) -> None:
        if 2 * self.num_types >= self._slots.size:
            self._slots = self._kernels.grow(self._slots)


class ThreadTables:
    """A table for each thread that counts at the same time."""

    def __init__(self, num_threads: int) -> None:
        self._tables = [WordTable() for _ in range(num_threads)]
        self._free = deque(range(num_threads))

    def count(
        self, folded: npt.NDArray[np.uint64], edges: npt.NDArray[np.int32], num_tokens: int, num_bytes: int
    ) -> int:
        """Count tokens in a table that no other thread uses now, and return its number; see :meth:`WordTable.count`."""
        number = self._free.pop()
        try:
            self._tables[number].count(folded, edges, num_tokens, num_bytes)
        finally:
            self._free.append(number)
        return number

    def merge(self) -> tuple[WordTable, list[npt.NDArray[np.int32]]]:
        """Put all tables into the first, in the end; return it, and for each table the ids there of its own ids."""
        merged, *others = self._tables
        numbers = [np.arange(merged.num_types, dtype=np.int32)]
        while others:
            numbers.append(merged.add(others.pop(0)))
        return merged, numbers
