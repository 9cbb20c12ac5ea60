"""Counting the tokens of any documents: those of token lists, and what tokenizers in Python make."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from itertools import chain

import numpy as np
import numpy.typing as npt

from daneo.corpus.counted_types import CountedBlock, CountedTypes
from daneo.corpus.ordered_threads import ordered
from daneo.corpus.word_table import SURROGATE_PASS, ThreadTables

BATCH = 1 << 16  # tokens, or documents, that are counted at a time
LARGEST_BATCH = 2**31 - 1  # bytes: positions in it are int32
NEWLINE = ord("\n")

TokenLists = list[Sequence[str]]


class TokenCounter:
    """Counts the tokens of token lists.

    Parameters
    ----------
    num_threads : int
        How many tables there are.
    """

    def __init__(self, num_threads: int) -> None:
        self._num_threads = num_threads
        self._tables = ThreadTables(num_threads)

    def blocks(self, documents: Iterable[Sequence[str]]) -> Generator[CountedBlock]:
        """Read all documents and yield them block by block, counted.

        Raises
        ------
        TypeError
            A token is not a str.
        """
        return ordered(self._count, _batches(documents), self._num_threads)

    def types(self) -> CountedTypes:
        """Return what has been counted; call it once, in the end."""
        return CountedTypes(self._tables)

    def _count(self, batch: TokenLists) -> CountedBlock:
        tokens = list(chain.from_iterable(batch))
        folded, edges = lay_out(tokens)
        table = self._tables.count(folded, edges, len(tokens), 8 * folded.size)
        ends = np.cumsum(np.fromiter(map(len, batch), dtype=np.int32, count=len(batch)), dtype=np.int32)
        return CountedBlock(table, edges[: len(tokens)], ends, 0)


def lay_out(tokens: list[str]) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int32]]:
    """Write tokens behind one another, as :meth:`daneo.corpus.word_table.WordTable.count` wants them.

    Returns
    -------
    folded : uint64 array
        Their bytes.
    edges : int32 array of shape (2 len(tokens),)
        Start, end, start, end.
    """
    try:
        data = "\n".join(tokens).encode("utf-8", SURROGATE_PASS)
    except TypeError:
        wrong = next(token for token in tokens if not isinstance(token, str))
        raise TypeError(f"Expected every token to be a str, got {wrong!r} ({type(wrong).__name__}).") from None
    if len(data) > LARGEST_BATCH:
        raise ValueError(
            f"Expected tokens of at most {LARGEST_BATCH:,} bytes in all of {len(tokens)}, got {len(data):,}."
        )
    folded = np.zeros(len(data) // 8 + 3, dtype=np.uint64)
    characters = folded.view(np.uint8)[: len(data)]
    characters[:] = np.frombuffer(data, dtype=np.uint8)
    newlines = np.flatnonzero(characters == NEWLINE)
    if tokens and len(newlines) != len(tokens) - 1:  # some are inside of tokens
        sizes = [len(token.encode("utf-8", SURROGATE_PASS)) + 1 for token in tokens]
        newlines = np.cumsum(sizes[:-1], dtype=np.int64) - 1
    edges = np.empty((len(tokens), 2), dtype=np.int32)
    edges[:1, 0] = 0
    edges[1:, 0] = newlines + 1
    edges[:-1, 1] = newlines
    edges[-1:, 1] = len(data)
    return folded, edges.ravel()


def _batches(documents: Iterable[Sequence[str]]) -> Iterator[TokenLists]:
    batch: TokenLists = []
    size = 0
    for tokens in documents:
        batch.append(tokens)
        size += len(tokens) + 1
        if size >= BATCH:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
