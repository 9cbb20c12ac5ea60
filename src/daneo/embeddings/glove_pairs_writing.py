"""From a table of counts to the pairs that GloVe trains on, within a budget of memory."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from daneo.corpus.array_files import ArrayFile
from daneo.corpus.ordered_threads import checked_threads, ordered
from daneo.embeddings.glove_pairs import ARRAYS, DIRECTORY, FILES, NUMBERS, GlovePairs
from daneo.files import new_directory
from daneo.progress import Progress, ProgressCallback

if TYPE_CHECKING:
    from daneo.corpus.cooccurrences import Cooccurrences

    Ids = npt.NDArray[np.int64]

WORDS_AT_ONCE = 4096  # of a block: their rows stay in a processor's caches while a tile is trained
FEWEST_BLOCKS, MOST_BLOCKS, LARGEST_BLOCK = 16, 256, 1 << 16
SEGMENTS = 16  # parts of the table, about, that threads place at a time: the same on every machine, for one result
BUFFER = 1 << 30  # bytes of pairs that are placed and shuffled at a time
BYTES_A_PAIR = sum(np.dtype(dtype).itemsize for dtype in ARRAYS.values())


def blocks_for(num_words: int) -> int:
    """Return the number of blocks that words are dealt out to. It does not depend on the machine.

    Examples
    --------
    >>> [blocks_for(size) for size in (5, 1_000, 400_000, 3_000_000, 20_000_000)]
    [5, 16, 98, 256, 306]
    """
    wanted = min(max(FEWEST_BLOCKS, -(-num_words // WORDS_AT_ONCE)), MOST_BLOCKS)
    return min(num_words, max(wanted, -(-num_words // LARGEST_BLOCK)))


def write_pairs(
    counts: Cooccurrences,
    path: Path | None,
    *,
    seed: int,
    buffer: int = BUFFER,
    num_threads: int | None = None,
    progress: ProgressCallback | None = None,
) -> GlovePairs:
    """Deal the pairs of a table of counts out to tiles, and shuffle each.

    Parameters
    ----------
    counts : Cooccurrences
        Read as often as the pairs are larger than the buffer, range by range.
    path : Path or None
        The directory to write; None makes a temporary one, which ``close`` removes.
    seed : int
        What the order depends on, besides the counts.
    buffer : int
        Bytes of pairs in memory at a time. The result does not depend on it.
    num_threads : int or None
        None takes every core, 8 at most. The result does not depend on it.
    progress : callable or None
        Gets a `Progress`, stage "shuffling", in pairs.
    """
    with new_directory(path, FILES, "daneo-pairs-") as directory:
        config = _write(counts, directory, seed, buffer, checked_threads(num_threads), progress)
    return GlovePairs(path or directory, config, temporary=path is None)


def _write(
    counts: Cooccurrences,
    directory: Path,
    seed: int,
    buffer: int,
    num_threads: int,
    progress: ProgressCallback | None,
) -> dict[str, Any]:
    num_blocks, began = blocks_for(len(counts.vocabulary)), time.monotonic()
    segments = list(counts.ranges(-(-counts.num_stored // SEGMENTS)))
    sizes = _tile_sizes(counts, segments, num_blocks, num_threads)
    starts = np.concatenate([[0], np.cumsum(sizes.sum(axis=0))])
    random = np.random.SeedSequence([seed, 2]).generate_state(num_blocks**2, np.uint64)[:, None].astype(np.uint64)
    with (
        ArrayFile(directory / "rows.npy", np.uint16) as rows,
        ArrayFile(directory / "columns.npy", np.uint16) as columns,
        ArrayFile(directory / "log_counts.npy", np.float32) as log_counts,
        ArrayFile(directory / "starts.npy", np.int64) as starts_file,
    ):
        starts_file.write(starts)
        starts_file.finish()
        for first, last in _groups(starts[::num_blocks], buffer // BYTES_A_PAIR):
            arrays = _placed(counts, segments, sizes, starts, (first, last), num_threads)
            _shuffle(starts, random, num_blocks, (first, last), arrays, num_threads)
            rows.write(arrays[0])
            columns.write(arrays[1])
            log_counts.write(arrays[2])
            _report(progress, int(starts[last * num_blocks]), int(starts[-1]), began)
        for file in (rows, columns, log_counts):
            file.finish()
    counts.vocabulary.save(directory / "vocabulary.txt")
    return DIRECTORY.write(directory, dict(zip(NUMBERS, (num_blocks, int(starts[-1]), counts.num_tokens), strict=True)))


def _tile_sizes(counts: Cooccurrences, segments: list[tuple[int, int]], num_blocks: int, num_threads: int) -> Ids:
    """Return how many pairs each segment has for each tile: int64 (segments, P * P)."""
    from daneo.embeddings.glove_pairs_kernels import count_tiles

    def count(segment: tuple[int, int]) -> Ids:
        sizes = np.zeros(num_blocks**2, np.int64)
        starts, contexts, _ = counts.rows(*segment)
        count_tiles(segment[0], starts, contexts, counts.symmetric, num_blocks, sizes)
        return sizes

    return np.stack(list(ordered(count, segments, num_threads)))


def _groups(starts: Ids, most: int) -> Iterator[tuple[int, int]]:
    """Yield ranges of blocks of words that have at most so many pairs together, or one block that has more."""
    first = 0
    while first < len(starts) - 1:
        last = max(int(np.searchsorted(starts, starts[first] + most, side="right")) - 1, first + 1)
        yield first, last
        first = last


def _placed(
    counts: Cooccurrences,
    segments: list[tuple[int, int]],
    sizes: Ids,
    starts: Ids,
    blocks: tuple[int, int],
    num_threads: int,
) -> tuple[npt.NDArray[np.uint16], npt.NDArray[np.uint16], npt.NDArray[np.float32]]:
    """Return the pairs of some blocks of words, tile after tile."""
    from daneo.embeddings.glove_pairs_kernels import place_pairs

    num_blocks = round(len(starts) ** 0.5)
    first, last = starts[blocks[0] * num_blocks], starts[blocks[1] * num_blocks]
    arrays = (
        np.empty(last - first, np.uint16),
        np.empty(last - first, np.uint16),
        np.empty(last - first, np.float32),
    )
    places = starts[:-1] - first + np.cumsum(sizes, axis=0) - sizes

    def place(number: int) -> None:
        stored = counts.rows(*segments[number])
        place_pairs(segments[number][0], *stored, counts.symmetric, num_blocks, *blocks, places[number], *arrays)

    for _ in ordered(place, range(len(segments)), num_threads):
        pass
    return arrays


def _shuffle(
    starts: Ids,
    random: npt.NDArray[np.uint64],
    num_blocks: int,
    blocks: tuple[int, int],
    arrays: tuple[npt.NDArray[Any], ...],
    num_threads: int,
) -> None:
    from daneo.embeddings.glove_pairs_kernels import shuffle_tiles

    base = starts[blocks[0] * num_blocks]

    def shuffle(block: int) -> None:
        tiles = slice(block * num_blocks, (block + 1) * num_blocks + 1)
        own = slice(starts[tiles.start] - base, starts[tiles.stop - 1] - base)
        shuffle_tiles(starts[tiles], random[tiles], *(array[own] for array in arrays))

    for _ in ordered(shuffle, range(*blocks), num_threads):
        pass


def _report(progress: ProgressCallback | None, done: int, total: int, began: float) -> None:
    if progress is None:
        return
    seconds = time.monotonic() - began
    rate = done / seconds if seconds else 0.0
    left = (total - done) / rate if rate else None
    progress(
        Progress(stage="shuffling", done=done, total=total, unit="pairs", seconds=seconds, rate=rate, seconds_left=left)
    )
