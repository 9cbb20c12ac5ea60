"""Corpora that are iterables: of texts, which are joined into blocks of bytes, or of token lists."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Any

from daneo.corpus.sources import Errors

BATCH = 1 << 18  # characters of texts that are joined at a time


class IterableReading:
    """One pass over texts or token lists; the first item says which.

    Parameters
    ----------
    items : iterable of str, or of lists or tuples of str
        One a document.

    Attributes
    ----------
    is_text : bool
        Whether the items are texts.
    has_surrogates : bool
        True: a str may hold lone surrogates, and its bytes then do, too.
    unit : str
        What `done` counts: words, or bytes once :meth:`streams` has been called.
    done : int
        How many so far.
    total : None
        Nobody knows.
    num_replaced : int
        0: a str needs no decoding.

    Raises
    ------
    TypeError
        The first item is neither a text nor a token list.
    """

    has_surrogates = True
    total: int | None = None
    num_replaced = 0

    def __init__(self, items: Iterable[Any]) -> None:
        iterator = iter(items)
        first = list(islice(iterator, 1))
        if first and not isinstance(first[0], (str, list, tuple)):
            raise _wrong_item(first[0], 0, "a str or a list of str")
        self.is_text = not first or isinstance(first[0], str)
        self.unit = "words"
        self.done = 0
        self._items = chain(first, iterator)

    def advance(self, num_words: int) -> None:
        """Note that so many words have been read."""
        if self.unit == "words":
            self.done += num_words

    def streams(self) -> Iterator[JoinedTexts]:
        """Yield all texts as one stream of UTF-8, a line for each; progress is counted in bytes from now on."""
        self.unit = "bytes"
        return iter([JoinedTexts(self)])

    def texts(self, errors: Errors = "strict") -> Iterator[str]:
        """Yield each text on one line: what ends a line becomes a space. There is nothing to decode."""
        for number, item in enumerate(self._items):
            if not isinstance(item, str):
                raise _wrong_item(item, number, "a str, as the first item is")
            yield item.replace("\n", " ")

    def token_lists(self) -> Iterator[Sequence[str]]:
        """Yield each list or tuple of tokens, itself and no copy."""
        for number, item in enumerate(self._items):
            if not isinstance(item, (list, tuple)):
                raise _wrong_item(item, number, "a list of str, as the first item is")
            yield item

    def encoded_texts(self) -> Iterator[bytes]:
        """Yield lines of UTF-8, many texts at a time; lone surrogates are written as if they were characters."""
        batch: list[str] = []
        size = 0
        for number, text in enumerate(self._items):
            if not isinstance(text, str):
                raise _wrong_item(text, number, "a str, as the first item is")
            batch.append(text)
            size += len(text) + 1
            if size >= BATCH:
                yield _lines(batch)
                batch, size = [], 0
        if batch:
            yield _lines(batch)


class JoinedTexts:
    """The texts of an iterable as one stream of UTF-8, one a line."""

    name = "the iterable"

    def __init__(self, reading: IterableReading) -> None:
        self._reading = reading
        self._batches = reading.encoded_texts()
        self._pending = memoryview(b"")

    def readinto(self, room: memoryview) -> int:
        """Fill `room` from its beginning and return how many bytes there were; 0 at the end."""
        done = 0
        while done < len(room):
            if not self._pending:
                self._pending = memoryview(next(self._batches, b""))
                if not self._pending:
                    break
            num_bytes = min(len(room) - done, len(self._pending))
            room[done : done + num_bytes] = self._pending[:num_bytes]
            self._pending = self._pending[num_bytes:]
            done += num_bytes
        self._reading.done += done
        return done


def _lines(batch: list[str]) -> bytes:
    lines = "\n".join(batch)
    if lines.count("\n") >= len(batch):
        lines = "\n".join([text.replace("\n", " ") for text in batch])
    return (lines + "\n").encode("utf-8", "surrogatepass")


def _wrong_item(item: Any, number: int, expected: str) -> TypeError:
    hint = " Decode it first." if isinstance(item, bytes) else ""
    return TypeError(f"Item {number} of the corpus: expected {expected}, got {type(item).__name__}.{hint}")
