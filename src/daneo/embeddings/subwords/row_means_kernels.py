"""Means of rows, compiled: same names, arguments, order and bits as in `row_means_reference.py`."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

Floats = npt.NDArray[np.float32]
Ids = npt.NDArray[np.int64]


@njit(nogil=True, cache=True)
def means_of_rows(own: Floats, rows: Floats, numbers: Ids, starts: Ids, counts: Ids, means: Floats) -> None:
    """Write the mean of each word's own row and of its n-grams' rows.

    Overwrites `means`, float32 (N, D), alone; threads may share all else. Trusts that numbers are below ``len(rows)``
    and counts above 0. Give `own` and `rows` read-only: for others Numba compiles anew.
    """
    for word in range(len(own)):
        mean = means[word]
        mean[:] = own[word]
        for place in range(starts[word], starts[word + 1]):
            number = numbers[place]
            if number >= 0:
                row = rows[number]
                for d in range(len(mean)):
                    mean[d] += row[d]
        share = np.float32(1 / counts[word])
        for d in range(len(mean)):
            mean[d] *= share
