"""Lines of text, each a word and its vector, parsed block by block by several threads."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from daneo.embeddings.formats.byte_source import ByteSource
from daneo.embeddings.formats.collected_rows import CollectedRows
from daneo.embeddings.formats.text_reading_reference import TRAILING, parse_row
from daneo.threads import available_cores

BLOCK_BYTES = 2 << 20  # parsed together; a block and its rows still fit into a core's cache
LONGEST_LINE = 16 << 20  # bytes: what a million numbers take. A longer line is not a word and its vector


@dataclass
class _Block:
    """Rows of a stretch of the file, which starts at byte `start` and ends before byte `end`."""

    start: int
    end: int
    words: list[str]
    matrix: NDArray[np.float32]
    broken: list[int]  # rows that hold NaN or infinity
    error: str | None = None  # what is wrong with the row after these


def collect_text_rows(
    source: ByteSource,
    vector_size: int,
    *,
    capacity: int = 0,
    most: int | None = None,
    errors: str = "strict",
    num_threads: int | None = None,
) -> CollectedRows:
    """Read rows of text to the end, or until there are `most` of them.

    Parameters
    ----------
    source : ByteSource
        Stands at the first row.
    vector_size : int
        D; the last D fields of a line are the vector, all before them is the word. Blank lines are passed over.
    capacity : int
        Rows to make room for beforehand.
    most : int or None
        Read no more rows than this.
    errors : "strict", "replace" or "ignore"
        What to do with a word that is not UTF-8, as in ``bytes.decode``.
    num_threads : int or None
        Threads that parse; ``None`` means one for each core, 8 at most. The result does not depend on it.

    Raises
    ------
    ValueError
        A row is broken; the message names it.
    """
    collected = CollectedRows(vector_size, capacity)
    first_byte = source.position
    for block in _parsed_blocks(source, vector_size, errors, num_threads):
        room = len(block.words) if most is None else min(len(block.words), most - len(collected))
        share = (block.end - first_byte) / (source.size - first_byte) if source.size else None
        broken = [row for row in block.broken if row < room]
        collected.append(block.words[:room], block.matrix[:room], broken, share)
        if len(collected) == most:
            break
        if block.error:
            raise ValueError(f"{source.name}: row {len(collected) + 1} {block.error}.")
    return collected


def _parsed_blocks(source: ByteSource, vector_size: int, errors: str, num_threads: int | None) -> Iterator[_Block]:
    """Parse in threads; the blocks come in the order of the file."""
    num_threads = num_threads or min(available_cores(), 8)
    if num_threads == 1:
        for start, text in _line_blocks(source):
            yield _parse_block(start, text, vector_size, errors)
        return
    with ThreadPoolExecutor(num_threads) as pool:
        pending: deque[Future[_Block]] = deque()
        for start, text in _line_blocks(source):
            pending.append(pool.submit(_parse_block, start, text, vector_size, errors))
            if len(pending) > num_threads:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()


def _line_blocks(source: ByteSource) -> Iterator[tuple[int, bytes]]:
    """Yield where each block starts and its whole lines, the last with a newline even if the file lacks it."""
    pieces: list[bytes] = []
    start, length = source.position, 0
    while chunk := source.read(BLOCK_BYTES):
        cut = chunk.rfind(b"\n") + 1
        if cut:
            text = b"".join([*pieces, memoryview(chunk)[:cut]])
            yield start, text
            start, pieces, length = start + len(text), [], 0
        pieces.append(chunk[cut:])
        length += len(chunk) - cut
        if length > LONGEST_LINE:
            raise ValueError(
                f"{source.name}: the line at byte {start} is longer than {LONGEST_LINE >> 20} MiB; "
                "expected a word and its vector on each line."
            )
    if length:
        yield start, b"".join([*pieces, b"\n"])


def _parse_block(start: int, text: bytes, vector_size: int, errors: str) -> _Block:
    from daneo.embeddings.formats.text_reading_kernels import parse_rows

    data, words = np.frombuffer(text, np.uint8), np.empty(len(text), np.uint8)
    # The shortest row is an empty word, and for each number a separator and a digit.
    matrix = np.empty((len(text) // (2 * vector_size + 1), vector_size), np.float32)
    broken, error = [], None
    position = row = used = 0
    while True:
        position, row, used = parse_rows(data, position, matrix, row, words, used)
        if position == len(text):
            break
        end = text.index(b"\n", position)
        try:
            word, vector = parse_row(text[position:end], vector_size)
        except ValueError as reason:
            error = f"(byte {start + position}): {reason}"
            break
        if not np.isfinite(vector).all():
            broken.append(row)
        matrix[row] = vector
        words[used : used + len(word) + 1] = np.frombuffer(word + b"\n", np.uint8)
        position, row, used = end + 1, row + 1, used + len(word) + 1
    block = _Block(start, start + len(text), [], matrix[:row], broken, error)
    _decode(block, words[:used].tobytes(), text, errors)
    return block


def _decode(block: _Block, packed: bytes, text: bytes, errors: str) -> None:
    """Fill in the words; where one is not UTF-8 and that is an error, end the block before its row."""
    try:
        block.words = packed.decode("utf-8", errors).split("\n")[:-1]
    except UnicodeDecodeError as found:
        row = packed.count(b"\n", 0, found.start)
        word = packed.split(b"\n")[row]
        lines = text.split(b"\n")
        line = [number for number, line in enumerate(lines) if line.strip(TRAILING)][row]
        block.error = not_utf8(block.start + sum(map(len, lines[:line])) + line, word)
        block.words = packed[: found.start].decode("utf-8").split("\n")[:row]


def not_utf8(position: int, word: bytes) -> str:
    """Return what to say of a word that is not UTF-8, after the number of its row."""
    return (
        f"(byte {position}): the word {word[:40]!r} is not UTF-8. "
        "errors='replace' or errors='ignore' reads it nevertheless"
    )
