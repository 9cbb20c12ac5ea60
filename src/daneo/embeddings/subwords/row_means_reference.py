"""Means of rows, added up in float32 one after the other as fastText does: the definition."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Ids = npt.NDArray[np.int64]


def mean_of_rows(rows: Floats, count: int) -> Floats:
    """Return the sum of the rows times 1 / count, float32 (D,); zeros for a count of 0.

    rows : float32 (N, D)
    count : int, more than N where some of what is counted are zeros
    """
    total = np.zeros(rows.shape[1], dtype=np.float32)
    for row in rows:
        total += row
    return total * np.float32(1 / count) if count else total


def means_of_rows(own: Floats, rows: Floats, numbers: Ids, starts: Ids, counts: Ids, means: Floats) -> None:
    """Write the mean of each word's own row and of its n-grams' rows.

    own : float32 (N, D), the words' own rows
    rows : float32 (U, D)
    numbers : int64 (T,), rows of n-grams, word after word; a number below 0 is none
    starts : int64 (N + 1,), where each word's numbers start
    counts : int64 (N,), what each sum is divided by
    means : float32 (N, D), overwritten
    """
    for word in range(len(own)):
        mine = numbers[starts[word] : starts[word + 1]]
        means[word] = mean_of_rows(np.concatenate([own[word : word + 1], rows[mine[mine >= 0]]]), int(counts[word]))
