"""Counting the candidates for phrases in an encoded corpus, exactly and in bounded memory."""

from __future__ import annotations

import time
from collections.abc import Collection
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from daneo.progress import Progress, ProgressCallback

if TYPE_CHECKING:
    from daneo.corpus import EncodedCorpus

MAX_BETWEEN = 7  # connector words in a row; the kernel packs their numbers into seven bytes
MAX_CONNECTORS = 255
MAX_ROWS = 2**23  # of the table of candidates: 200 MB
BLOCK = 2**20  # tokens that one call of the kernel looks at


def candidate_counts(
    encoded: EncodedCorpus, min_count: int, connector_words: Collection[str], progress: ProgressCallback | None
) -> tuple[list[tuple[int, ...]], npt.NDArray[np.int64]]:
    """List the candidates that occur at least `min_count` times, as tuples of ids, and how often each does.

    A table of fixed size counts them. When it is full, the candidates are divided in two halves by their hashes,
    and each half is counted in a run of its own over the ids, and divided again if need be.
    """
    vocabulary = encoded.vocabulary
    numbered = [word for word in sorted(connector_words) if word in vocabulary]
    connector_ids = [vocabulary.id(word) for word in numbered]
    connectors = np.zeros(len(vocabulary), dtype=np.uint8)
    connectors[connector_ids] = np.arange(1, len(numbered) + 1)
    # Words are ordered by falling count, and a candidate is at most as frequent as each of its words.
    num_frequent = int(np.count_nonzero(vocabulary.counts >= min_count))
    rows = min(MAX_ROWS, max(16, 2 ** (2 * encoded.num_tokens).bit_length()))
    candidates: list[tuple[int, ...]] = []
    counts = [np.empty(0, dtype=np.int64)]
    began, num_done, parts = time.monotonic(), 0, [(0, 1)]
    while parts:
        part, num_parts = parts.pop()
        table = _count_part(encoded, connectors, num_frequent, part, num_parts, np.zeros((rows, 3), dtype=np.int64))
        if table is None:
            parts += [(part, 2 * num_parts), (part + num_parts, 2 * num_parts)]
            continue
        frequent = table[table[:, 2] >= min_count]
        counts.append(frequent[:, 2])
        candidates += [_unpacked(pair, code, connector_ids) for pair, code in frequent[:, :2].tolist()]
        num_done += 1
        if progress is not None:
            progress(_report(encoded.num_tokens, num_done, len(parts), time.monotonic() - began))
    return candidates, np.concatenate(counts)


def _count_part(
    encoded: EncodedCorpus,
    connectors: npt.NDArray[np.uint8],
    num_frequent: int,
    part: int,
    num_parts: int,
    table: npt.NDArray[np.int64],
) -> npt.NDArray[np.int64] | None:
    """Count one part of the candidates in all blocks of the corpus; None if the table is too small for them."""
    from daneo.corpus.phrases_kernels import count_candidates

    state = np.array([-1, 0], dtype=np.int64)
    num_used = 0
    for start in range(0, encoded.num_tokens, BLOCK):
        stop = min(start + BLOCK, encoded.num_tokens)
        first, last = np.searchsorted(encoded.offsets, (start, stop))
        starts = np.asarray(encoded.offsets[first:last]) - start
        ids = np.asarray(encoded.tokens(start, stop))
        num_used = count_candidates(ids, starts, state, connectors, num_frequent, part, num_parts, table, num_used)
        if num_used < 0:
            return None
    return table


def _unpacked(pair: int, code: int, connector_ids: list[int]) -> tuple[int, ...]:
    between = [connector_ids[byte - 1] for byte in code.to_bytes(8, "big") if byte]
    return (pair >> 32, *between, pair & 0xFFFFFFFF)


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
