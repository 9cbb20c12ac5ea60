"""A stream of text cut into blocks between two tokens, so that each block can be counted by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import cycle

import numpy as np
import numpy.typing as npt

from daneo.corpus.sources import TextStream

LEAST_READ = 3  # bytes; what a byte order mark takes
NEWLINE = ord("\n")
LARGEST_BLOCK = 1 << 29  # positions in a block, and behind it what lower case may add, are int32
PADDING = 32  # bytes of a block behind its text

# Finds the last place, after the first byte of text[:stop], where a block may end; 0 if there is none.
FindCut = Callable[[npt.NDArray[np.uint8], int], int]


class TextBlock:
    """A piece of text and the arrays in which the kernels work on it.

    Attributes
    ----------
    text : bytearray
        The first `stop` bytes are the text: whole lines, but for a first and last one that went on or goes on.
    places : list of (int, str, int)
        Which file, and which of its lines, begins at which position or goes on there.
    characters, folded, inside, newlines, resized, edges : arrays
        What the kernels take; `characters` is `text` as an array.
    """

    def __init__(self, size: int) -> None:
        self.places: list[tuple[int, str, int]] = []
        self.stop = 0
        self.text = bytearray()
        self.resize(size)

    def resize(self, size: int) -> None:
        """Make room for `size` bytes, keeping the text."""
        kept = self.text[: self.stop]
        self.size = size
        # The kernels read numbers of eight bytes, some of which reach beyond the text.
        padded = -(-size // 8) * 8 + PADDING
        self.text = bytearray(padded)
        self.text[: self.stop] = kept
        self.characters = np.frombuffer(self.text, dtype=np.uint8)
        # Lower case may take half as much again: see respell_tokens.
        self.folded = np.empty(padded // 8 * 5 // 2, dtype=np.uint64)
        self.inside = np.empty(padded, dtype=np.uint8)
        self.newlines = np.empty(padded, dtype=np.int32)
        self.resized = np.empty(padded, dtype=np.int32)
        self.edges = np.empty(padded, dtype=np.int32)

    def clear(self) -> None:
        """Forget the text."""
        self.stop, self.places = 0, []

    def replace(self, text: bytes | bytearray) -> None:
        """Put another text in this one's place."""
        self.stop = 0
        if len(text) > self.size:
            self.resize(len(text))
        self.stop = len(text)
        self.text[: self.stop] = text

    def place_of(self, position: int) -> tuple[str, int]:
        """Name the file at a position of the text, and the line in it."""
        start, name, line = [place for place in self.places if place[0] <= position][-1]
        # Four times as fast as bytearray.count.
        return name, line + int(np.count_nonzero(self.characters[start:position] == NEWLINE))


def cut_blocks(streams: Iterable[TextStream], find_cut: FindCut, num_blocks: int, size: int) -> Iterator[TextBlock]:
    r"""Yield the text of all streams, in order, in blocks that end between two tokens.

    Parameters
    ----------
    streams : iterable of TextStream
        Each one's last line is ended with a newline if it is not.
    find_cut : callable
        Called with a text array and its length where no space or newline shows a place to cut.
    num_blocks : int
        That many blocks are used in turn: one is overwritten when so many more have been yielded.
    size : int
        Bytes of a block; one that holds no place to cut grows until it does.

    Raises
    ------
    ValueError
        There is none in 512 MB.
    """
    ring = cycle([TextBlock(size) for _ in range(num_blocks)])
    block = next(ring)
    block.clear()
    for stream in streams:
        block.places.append((block.stop, stream.name, 1))
        ended = True
        while True:
            while block.size - block.stop < max(LEAST_READ, size // 128):
                cut = _place_to_cut(block, find_cut)
                if cut:
                    following = next(ring)
                    _move_rest(block, cut, following)
                    yield block
                    block = following
                else:
                    _check_size(block)
                    block.resize(2 * block.size)
            with memoryview(block.text) as text, text[block.stop : block.size] as room:
                num_bytes = stream.readinto(room)
            if num_bytes == 0:
                break
            block.stop += num_bytes
            ended = block.text[block.stop - 1] == NEWLINE
        if not ended:
            block.text[block.stop] = NEWLINE
            block.stop += 1
    if block.stop:
        yield block


def _check_size(block: TextBlock) -> None:
    if block.size >= LARGEST_BLOCK:
        name, line = block.place_of(0)
        raise ValueError(
            f"{name}, line {line}: {block.size:,} bytes without an end of a word. Expected text that is made of words; "
            "check the file, and the tokenizer."
        )


def _place_to_cut(block: TextBlock, find_cut: FindCut) -> int:
    text, stop = block.text, block.stop
    return max(text.rfind(b" ", 0, stop), text.rfind(b"\n", 0, stop)) + 1 or find_cut(block.characters, stop)


def _move_rest(block: TextBlock, cut: int, following: TextBlock) -> None:
    rest = block.text[cut : block.stop]
    following.clear()
    following.replace(rest)
    following.places = [(0, *block.place_of(cut))]
    following.places += [(start - cut, name, line) for start, name, line in block.places if start > cut]
    block.stop = cut
