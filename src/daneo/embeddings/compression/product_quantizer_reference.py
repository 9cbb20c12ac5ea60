"""The codes of vectors in plain NumPy: the definition that `product_quantizer_kernels.py` equals.

A vector of D numbers is cut into parts of `part_size` numbers (the last one may be shorter), and each part is replaced
by the number of the nearest of 256 centroids that belong to this part. `centroids` is flat, as fastText lays it out:
part m begins at 256 * m * part_size, and within it the centroids lie one after another.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

NUM_CENTROIDS = 256


def encode(
    rows: npt.NDArray[np.float32],
    centroids: npt.NDArray[np.float32],
    part_size: int,
    codes: npt.NDArray[np.uint8],
    distances: npt.NDArray[np.float32],
) -> None:
    """Overwrite codes and distances (N, M): the nearest centroid of each part of rows (N, D), the first of equal ones.

    A distance is the square of the Euclidean one.
    """
    for m, (columns, table) in enumerate(parts(centroids, part_size)):
        squares = np.zeros((len(rows), NUM_CENTROIDS), np.float32)
        for column, values in zip(range(columns.start, columns.stop), table.T, strict=True):
            squares += (rows[:, column, None] - values) ** 2
        codes[:, m] = squares.argmin(axis=1)
        distances[:, m] = squares.min(axis=1)


def parts(centroids: npt.NDArray[np.float32], part_size: int) -> Iterator[tuple[slice, npt.NDArray[np.float32]]]:
    """Yield each part's columns and its centroids, a view of shape (256, width)."""
    vector_size = len(centroids) // NUM_CENTROIDS
    for start in range(0, vector_size, part_size):
        columns = slice(start, min(start + part_size, vector_size))
        table = centroids[NUM_CENTROIDS * columns.start : NUM_CENTROIDS * columns.stop]
        yield columns, table.reshape(NUM_CENTROIDS, -1)
