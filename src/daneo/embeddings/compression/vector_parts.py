"""Vectors cut into parts, which have centroids of their own."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from daneo.embeddings.compression.centroids import NUM_CENTROIDS, assign

Floats = npt.NDArray[np.float32]
Codes = npt.NDArray[np.uint8]


def part_sizes(vector_size: int, part_size: int, num_long: int | None = None) -> list[int]:
    """Return how many numbers each part has of a vector that is cut as a quantizer with these arguments cuts it.

    Examples
    --------
    >>> part_sizes(8, 3), part_sizes(8, 3, num_long=2)
    ([3, 3, 2], [3, 3, 2])
    >>> part_sizes(10, 3), part_sizes(10, 3, num_long=2)
    ([3, 3, 3, 1], [3, 3, 2, 2])
    """
    if num_long is not None:
        num_short = (vector_size - num_long * part_size) // max(part_size - 1, 1)
        return [part_size] * num_long + [part_size - 1] * num_short
    rest = vector_size % part_size
    return [part_size] * (vector_size // part_size) + [rest] * bool(rest)


class PartGroup:
    """Parts side by side, all of one size but for a shorter last one, from column `start` to `stop`, with centroids.

    Parameters
    ----------
    centroids : float32 array of shape (256 * D,)
        Of all parts of the vectors, this group's and others; a view of them is kept.
    start, stop : int
        The group's columns.
    part_size : int
    """

    def __init__(self, centroids: Floats, start: int, stop: int, part_size: int) -> None:
        self._columns, self._part_size = slice(start, stop), part_size
        self._centroids = centroids[NUM_CENTROIDS * start : NUM_CENTROIDS * stop]
        num_whole = (stop - start) // part_size
        self._split = num_whole * part_size
        self._whole = self._centroids[: NUM_CENTROIDS * self._split].reshape(-1, part_size)
        self._rest = self._centroids[NUM_CENTROIDS * self._split :].reshape(NUM_CENTROIDS, -1)  # (256, 0) if none
        self._first = np.arange(num_whole) * NUM_CENTROIDS
        self.num_parts = num_whole + bool(self._rest.size)

    def encode(self, rows: Floats) -> Codes:
        """Return the codes of these parts, uint8 (N, M), of whole rows (N, D)."""
        codes = np.empty((len(rows), self.num_parts), dtype=np.uint8)
        distances = np.empty((len(rows), self.num_parts), dtype=np.float32)
        assign(rows[:, self._columns], self._centroids, self._part_size, codes, distances)
        return codes

    def decode(self, codes: Codes, rows: Floats) -> None:
        """Overwrite the columns of these parts in rows (N, D) with what codes (N, M) stand for."""
        target, num_whole = rows[:, self._columns], len(self._first)
        found = self._whole.take(codes[:, :num_whole] + self._first, axis=0)
        target[:, : self._split] = found.reshape(len(codes), -1)
        if num_whole < self.num_parts:
            target[:, self._split :] = self._rest[codes[:, -1]]
