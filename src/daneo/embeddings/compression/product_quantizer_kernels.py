"""The codes of vectors: same names, arguments and order as in `product_quantizer_reference.py`.

Nothing is checked. Several threads may call this at once, each with its own arrays to overwrite.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

NUM_CENTROIDS = 256
TILE = 64  # rows that are compared with a centroid together: a few vector registers


@njit(nogil=True, cache=True, error_model="numpy")
def encode(
    rows: npt.NDArray[np.float32],
    centroids: npt.NDArray[np.float32],
    part_size: int,
    codes: npt.NDArray[np.uint8],
    distances: npt.NDArray[np.float32],
) -> None:
    """Overwrite codes and distances (N, M) of rows (N, D); see the reference."""
    tile = np.zeros((part_size, TILE), np.float32)
    squares, least = np.empty(TILE, np.float32), np.empty(TILE, np.float32)
    nearest = np.empty(TILE, np.int32)
    for first in range(0, rows.shape[0], TILE):
        height = min(TILE, rows.shape[0] - first)
        for m in range(codes.shape[1]):
            start = m * part_size
            width = min(part_size, rows.shape[1] - start)
            for r in range(height):
                for d in range(width):
                    tile[d, r] = rows[first + r, start + d]
            least[:] = np.inf
            nearest[:] = 0
            for j in range(NUM_CENTROIDS):
                place = NUM_CENTROIDS * start + j * width
                squares[:] = 0
                for d in range(width):
                    value = centroids[place + d]
                    for r in range(TILE):
                        squares[r] += (tile[d, r] - value) ** 2
                for r in range(TILE):
                    closer = squares[r] < least[r]
                    least[r] = squares[r] if closer else least[r]
                    nearest[r] = j if closer else nearest[r]
            for r in range(height):
                codes[first + r, m] = nearest[r]
                distances[first + r, m] = least[r]
