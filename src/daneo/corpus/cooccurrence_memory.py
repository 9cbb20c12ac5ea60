"""How counting word pairs divides the memory that it may use."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import NamedTuple

from daneo.corpus.ordered_threads import most_taken

DEFAULT = 1 << 30  # bytes beyond what the process holds already
MEGABYTE = 10**6
RESERVE = 24 * MEGABYTE  # maps of files, and what Python and the system take besides
TOKENS_AT_ONCE = 1 << 18  # that a thread copies, sorts, and looks for documents in
LEAST_CHUNK = 1 << 17  # tokens: shorter chunks would make too many runs
MOST_CHUNK = 2**31 - 2**18  # tokens: a place has 31 bits, and the windows around the chunk are in it, too
BLOCK = 1 << 17  # pairs that one thread counts before they are written
MOST_MERGED = 1 << 20  # pairs that one thread merges before they are written, if a row of two runs has no more
MOST_ROWS = 1 << 14  # of a block
BYTES_A_TOKEN = 4 + 8 + 1  # in a chunk: the id, the place, and whether a document starts
BYTES_AN_OUTPUT = 4 + 8 + 4  # a context, its sum and its count
BYTES_AN_INPUT = 4 + 8  # of a merge: a context and its sum
BYTES_A_WORD = 16 * 8  # several arrays of numbers a word, most of them only for a moment
BYTES_A_WORD_AND_THREAD = 8 + 8 + 4 + 1  # a thread's tables


class MemoryPlan(NamedTuple):
    """How much of what is held at a time.

    Attributes
    ----------
    num_threads : int
    chunk : int
        Tokens of the text whose pairs are counted at a time.
    block : int
        Pairs that a thread counts before they are written.
    merged : int
        Pairs of all runs together that a thread merges before they are written.
    """

    num_threads: int
    chunk: int
    block: int
    merged: int


def plan_memory(
    memory: int | None, num_words: int, num_tokens: int, window: int, num_threads: int, resident: int
) -> MemoryPlan:
    """Divide the memory.

    Parameters
    ----------
    memory : int or None
        Bytes that the process may hold in all; ``None`` lets it hold a GiB more than it does.
    num_words, num_tokens, window, num_threads : int
        What there is to count.
    resident : int
        Bytes that the process holds already.

    Raises
    ------
    ValueError
        It is too little.

    Examples
    --------
    >>> plan = plan_memory(400_000_000, 70_000, 10**9, 10, 2, resident=150_000_000)
    >>> plan.chunk // 10**6, plan.merged // 10**3
    (14, 1048)
    """
    block = max(BLOCK, num_words)
    in_flight = most_taken(num_threads)
    always = RESERVE + num_words * (BYTES_A_WORD + num_threads * BYTES_A_WORD_AND_THREAD)
    outputs = in_flight * 8 * (MOST_ROWS + 1)
    counting = always + outputs + in_flight * BYTES_AN_OUTPUT * block
    counting += num_threads * 16 * TOKENS_AT_ONCE + 2 * window * BYTES_A_TOKEN
    merging = always + outputs + num_threads * 8 * 8 * MOST_ROWS
    bytes_a_merged = num_threads * BYTES_AN_INPUT + in_flight * BYTES_AN_OUTPUT
    room = DEFAULT if memory is None else memory - resident
    chunk = min(num_tokens, (room - counting) // BYTES_A_TOKEN, MOST_CHUNK)
    merged = min(max(MOST_MERGED, 2 * num_words), (room - merging) // bytes_a_merged)
    fewest = min(num_tokens, max(LEAST_CHUNK, num_words))
    least = counting + BYTES_A_TOKEN * fewest
    if fewest < num_tokens:  # there will be runs; two at least must be merged, of which a row may have every word
        least = max(least, merging + bytes_a_merged * max(2 * num_words, BLOCK))
    if room < least:
        smallest = -(-(resident + least) // MEGABYTE)
        asked = DEFAULT if memory is None else memory
        raise ValueError(
            f"Counting pairs of {num_words:,} words on {num_threads} threads expected memory of at least {smallest:,} "
            f"MB, of which this process holds {resident // MEGABYTE:,} already; got {asked / MEGABYTE:,.6g} MB. Allow "
            "more, or fewer words (min_count, max_size) or threads."
        )
    return MemoryPlan(num_threads, chunk, block, merged)


def resident_memory() -> int:
    """Return how many bytes of memory this process holds: on macOS the most so far, on Windows a guess."""
    status = Path("/proc/self/status")
    if status.exists():
        fields = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
        return int(fields["VmRSS"].split()[0]) * 1024
    if sys.platform == "win32":
        return 250 * MEGABYTE
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
