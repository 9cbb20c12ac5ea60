"""Counting the candidates for phrases in an encoded corpus, exactly and in bounded memory."""

from __future__ import annotations

import time
from collections.abc import Collection
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from daneo.progress import Progress, ProgressCallback

if TYPE_CHECKING:
    from daneo.corpus import EncodedCorpus

MAX_BETWEEN = 7  # connector words in a row; the kernel packs their numbers into seven bytes
MAX_CONNECTORS = 255
MAX_ROWS = 2**23  # of the table of candidates: 200 MB
BLOCK = 2**20  # tokens that one call of the kernel looks at


class Candidates(NamedTuple):
    """Pairs of words that occur together, and how often each pair does.

    Attributes
    ----------
    firsts, lasts : int64 arrays of shape (N,)
        Ids of the words at both ends.
    codes : int64 array of shape (N,)
        The connector words between them, each a byte: its number in `connector_words`, from 1.
    counts : int64 array of shape (N,)
        How often the words stand together.
    connector_words : list of str
        The connector words that the corpus holds.
    """

    firsts: npt.NDArray[np.int64]
    lasts: npt.NDArray[np.int64]
    codes: npt.NDArray[np.int64]
    counts: npt.NDArray[np.int64]
    connector_words: list[str]

    def between(self, position: int) -> list[str]:
        """List the connector words between the ends of one candidate."""
        numbers = int(self.codes[position]).to_bytes(8, "big")
        return [self.connector_words[number - 1] for number in numbers if number]


def count_candidates(
    encoded: EncodedCorpus, min_count: int, connector_words: Collection[str], progress: ProgressCallback | None
) -> Candidates:
    """Count the candidates of a corpus; those that occur at least `min_count` times come back.

    A table of fixed size counts them. When it is full, the candidates are divided in two halves by their hashes,
    and each half is counted in a run of its own over the ids, and divided again if need be.
    """
    vocabulary = encoded.vocabulary
    connector_words = [word for word in sorted(connector_words) if word in vocabulary]
    connectors = np.zeros(len(vocabulary), dtype=np.uint8)
    connectors[[vocabulary.id(word) for word in connector_words]] = np.arange(1, len(connector_words) + 1)
    # Words are ordered by falling count, and a candidate is at most as frequent as each of its words.
    num_frequent = int(np.count_nonzero(vocabulary.counts >= min_count))
    # About a row a token: a text has less than half as many candidates, and a table that fits the cache is faster.
    num_rows = min(MAX_ROWS, 2 ** max(10, encoded.num_tokens.bit_length() - 1))
    found = [np.empty((0, 3), dtype=np.int64)]
    began, num_done, parts = time.monotonic(), 0, [(0, 1)]
    while parts:
        part, num_parts = parts.pop()
        table = np.zeros((num_rows, 3), dtype=np.int64)
        if not _count_part(encoded, connectors, num_frequent, part, num_parts, table):
            parts += [(part, 2 * num_parts), (part + num_parts, 2 * num_parts)]
            continue
        found.append(table[table[:, 2] >= min_count])
        num_done += 1
        if progress is not None:
            progress(_report(encoded.num_tokens, num_done, len(parts), time.monotonic() - began))
    pairs, codes, counts = np.concatenate(found).T
    return Candidates(pairs >> 32, pairs & 0xFFFFFFFF, codes, counts, connector_words)


def _count_part(
    encoded: EncodedCorpus,
    connectors: npt.NDArray[np.uint8],
    num_frequent: int,
    part: int,
    num_parts: int,
    table: npt.NDArray[np.int64],
) -> bool:
    """Count one part of the candidates in all blocks of the corpus; False if the table is too small for them."""
    from daneo.corpus import phrases_kernels

    state = np.array([-1, 0], dtype=np.int64)
    num_used = 0
    for start in range(0, encoded.num_tokens, BLOCK):
        stop = min(start + BLOCK, encoded.num_tokens)
        first, last = np.searchsorted(encoded.offsets, (start, stop))
        starts = np.asarray(encoded.offsets[first:last]) - start
        ids = np.asarray(encoded.tokens(start, stop))
        num_used = phrases_kernels.count_candidates(
            ids, starts, state, connectors, num_frequent, part, num_parts, table, num_used
        )
        if num_used < 0:
            return False
    return True


def _report(num_tokens: int, num_done: int, num_left: int, seconds: float) -> Progress:
    rate = num_tokens * num_done / max(seconds, 1e-9)
    return Progress(
        stage="counting phrases",
        done=num_tokens * num_done,
        total=num_tokens * (num_done + num_left),
        unit="words",
        seconds=seconds,
        rate=rate,
        seconds_left=num_tokens * num_left / rate if rate else 0.0,
    )
