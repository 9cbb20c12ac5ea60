"""Counting the tokens of any documents in Python: a dictionary gives each its id."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt

from daneo.corpus.counted_types import CountedTypes
from daneo.corpus.text_counter import CountedBlock

BLOCK = 1 << 17  # tokens


class TokenCounter:
    """Counts the tokens of token lists."""

    def __init__(self) -> None:
        self._ids = _NumberedTokens()
        self._counts = np.zeros(0, dtype=np.int64)

    def blocks(self, documents: Iterable[list[str]]) -> Generator[CountedBlock]:
        """Number the tokens and yield them block by block.

        Raises
        ------
        TypeError
            A token is not a str.
        """
        batch: list[list[str]] = []
        size = 0
        for tokens in documents:
            batch.append(tokens)
            size += len(tokens)
            if size + len(batch) >= BLOCK:
                yield self._count(batch, size)
                batch, size = [], 0
        if batch:
            yield self._count(batch, size)

    def types(self) -> CountedTypes:
        """Return what has been counted."""
        words, counts = list(map(str, self._ids)), self._counts

        def sort(numbers: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
            spelled = np.array(sorted(numbers.tolist(), key=words.__getitem__), dtype=np.int64)
            return spelled[np.argsort(-counts[spelled], kind="stable")]

        return CountedTypes(
            counts,
            spell=lambda numbers: [words[number] for number in numbers.tolist()],
            sort=sort,
            numbers=[np.arange(len(words), dtype=np.int32)],
        )

    def _count(self, batch: list[list[str]], size: int) -> CountedBlock:
        numbered = map(self._ids.__getitem__, chain.from_iterable(batch))
        try:
            ids = np.fromiter(numbered, dtype=np.int32, count=size)
        except TypeError:
            # A list cannot be looked up, so it never gets to where the other wrong types are found.
            wrong = next((token for token in chain.from_iterable(batch) if not isinstance(token, str)), None)
            if wrong is None:
                raise
            raise _wrong_token(wrong) from None
        counts = np.bincount(ids, minlength=len(self._counts))
        counts[: len(self._counts)] += self._counts
        self._counts = counts
        ends = np.cumsum(np.fromiter(map(len, batch), dtype=np.int32, count=len(batch)), dtype=np.int32)
        return CountedBlock(0, ids, ends, 0)


class _NumberedTokens(dict[str, int]):
    """Gives each new token the next number."""

    def __missing__(self, token: Any) -> int:
        if not isinstance(token, str):
            raise _wrong_token(token)
        number = self[token] = len(self)
        return number


def _wrong_token(token: Any) -> TypeError:
    return TypeError(f"Expected every token to be a str, got {token!r} ({type(token).__name__}).")
