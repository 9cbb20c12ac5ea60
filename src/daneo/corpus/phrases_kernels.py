"""Counting candidates for phrases: phrases_reference.count_candidates over ids, in a hash table of fixed size."""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt

MAX_CONNECTORS = 255  # one byte for each connector word in a row, seven bytes in all
_SEVEN = 48  # a code that reaches beyond this bit has all seven
_FIRST = np.uint64(0x9E3779B97F4A7C15)
_SECOND = np.uint64(0xD6E8FEB86659FD93)
_FOLD = np.uint64(32)


@numba.njit(nogil=True, cache=True)
def count_candidates(
    ids: npt.NDArray[np.int32],
    starts: npt.NDArray[np.int64],
    state: npt.NDArray[np.int64],
    connectors: npt.NDArray[np.uint8],
    num_frequent: int,
    part: int,
    num_parts: int,
    table: npt.NDArray[np.int64],
    num_used: int,
) -> int:
    """Count the candidates in a block of ids.

    Parameters
    ----------
    ids : int32 array of shape (T,)
        The block; trusted to be within the vocabulary.
    starts : int64 array, rising
        Positions in the block at which a document starts.
    state : int64 array of shape (2,)
        The open candidate's first id, or -1, and the code of the connector words after it. Read and overwritten, so
        that a document can go on in the next block.
    connectors : uint8 array of shape (V,)
        0 for an ordinary word, else the connector word's number.
    num_frequent : int
        Only candidates that start and end with words of ids below this are counted.
    part, num_parts : int
        The hash divides all candidates into `num_parts` (a power of 2); only those of this part are counted. Part p
        of n is the parts p and p + n of 2n.
    table : int64 array of shape (S, 3), S a power of 2
        Rows of pair (first id * 2**32 + second id), code, count; a count of 0 marks a free row. Overwritten.
    num_used : int
        Rows in use.

    Returns
    -------
    int
        Rows in use now, or -1 if more than three quarters are: the counts are then incomplete.
    """
    mask = np.uint64(table.shape[0] - 1)
    parts = np.uint64(num_parts - 1)
    limit = table.shape[0] // 4 * 3
    start, code = state[0], state[1]
    next_start = 0
    for t in range(ids.size):
        while next_start < starts.size and starts[next_start] == t:
            start = np.int64(-1)
            next_start += 1
        word = np.int64(ids[t])
        connector = np.int64(connectors[word])
        if connector:
            if code >> _SEVEN:
                start = np.int64(-1)
            code = (code << 8) | connector
            continue
        if word < num_frequent and 0 <= start < num_frequent:
            pair = (start << 32) | word
            mixed = np.uint64(pair) * _FIRST + np.uint64(code) * _SECOND
            mixed = (mixed ^ (mixed >> _FOLD)) * _SECOND
            if (mixed >> np.uint64(48)) & parts == np.uint64(part):
                row = np.int64((mixed >> np.uint64(16)) & mask)
                while table[row, 2] and not (table[row, 0] == pair and table[row, 1] == code):
                    row = (row + 1) & np.int64(mask)
                if table[row, 2] == 0:
                    table[row, 0], table[row, 1] = pair, code
                    num_used += 1
                    if num_used > limit:
                        return -1
                table[row, 2] += 1
        start, code = word, np.int64(0)
    state[0], state[1] = start, code
    return num_used
