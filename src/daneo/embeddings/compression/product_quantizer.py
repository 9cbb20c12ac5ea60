"""Product quantisation: a few hundred numbers become a few dozen bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from daneo.corpus.ordered_threads import checked_threads, ordered
from daneo.embeddings.compression.centroids import NUM_CENTROIDS
from daneo.embeddings.compression.vector_parts import PartGroup, part_sizes

if TYPE_CHECKING:
    from daneo.embeddings.rows import Rows

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Codes = npt.NDArray[np.uint8]

SAMPLE = 65_536
"""Rows that the centroids are learned from, if there are more: 256 for each centroid."""

_EPOCHS = 25
_LARGEST = np.float32(1e15)  # squares of differences stay far inside float32's range
_BLOCK = 4096  # rows that are coded or decoded together


class ProductQuantizer:
    """Cuts a vector into parts and names the nearest of 256 centroids for each part: one byte a part.

    Parameters
    ----------
    centroids : float32 array of shape (256 * D,)
        As fastText lays them out: the centroids of part m begin at ``256 * m * part_size`` and follow one another. The
        last part may be shorter than the others. Kept, not copied, if it lies in memory as NumPy likes it.
    part_size : int
        Numbers in a part, from 1 to D. A vector has M codes, one a part.
    num_long : int or None
        ``None`` cuts as fastText does: all parts have `part_size` numbers, and the last one what is left. Otherwise so
        many parts have `part_size` numbers, and all that follow one fewer.

    Raises
    ------
    ValueError
        The centroids are not of that shape or dtype, or D numbers cannot be cut in this way.

    Notes
    -----
    Decoding is NumPy alone; learning and encoding load Numba.

    References
    ----------
    Jégou, Douze, Schmid: Product quantization for nearest neighbor search, 2011, https://doi.org/10.1109/TPAMI.2010.57

    Examples
    --------
    >>> rows = np.array([[1, 2, 3], [4, 5, 6]], dtype=np.float32)
    >>> quantizer = ProductQuantizer.learn(rows, part_size=2)
    >>> codes = quantizer.encode(rows)
    >>> codes.shape, codes.dtype
    ((2, 2), dtype('uint8'))
    >>> quantizer.decode(codes).tolist()
    [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]
    """

    def __init__(self, centroids: Floats, part_size: int, num_long: int | None = None) -> None:
        if centroids.dtype != np.float32 or centroids.ndim != 1 or len(centroids) % NUM_CENTROIDS or not len(centroids):
            raise ValueError(
                f"ProductQuantizer expected centroids as float32 of shape ({NUM_CENTROIDS} * D,), "
                f"got {centroids.dtype} of shape {centroids.shape}."
            )
        size = self.vector_size = len(centroids) // NUM_CENTROIDS
        if not 1 <= part_size <= size:
            raise ValueError(f"ProductQuantizer expected a part_size from 1 to the vectors' {size}, got {part_size}.")
        cut = size if num_long is None else num_long * part_size
        if not 0 < cut <= size or (cut < size and (part_size == 1 or (size - cut) % (part_size - 1))):
            raise ValueError(
                f"ProductQuantizer cannot cut {size} numbers into {num_long} parts of {part_size} and others of "
                f"{part_size - 1}."
            )
        self.centroids = np.require(centroids, requirements=["C", "A"])  # NumPy would copy others at every look
        self.part_size = int(part_size)
        self.num_long = None if cut == size else num_long
        self._groups = [PartGroup(self.centroids, 0, cut, self.part_size)]
        if cut < size:
            self._groups.append(PartGroup(self.centroids, cut, size, self.part_size - 1))
        self.num_parts = sum(group.num_parts for group in self._groups)

    def __eq__(self, other: object) -> bool:
        """Whether the same codes stand for the same numbers."""
        if not isinstance(other, ProductQuantizer):
            return NotImplemented
        same_parts = (self.part_size, self.num_long) == (other.part_size, other.num_long)
        return same_parts and np.array_equal(self.centroids, other.centroids)

    __hash__ = None  # type: ignore[assignment]

    @classmethod
    def learn(
        cls,
        rows: Rows,
        part_size: int = 2,
        *,
        num_long: int | None = None,
        weights: npt.ArrayLike | None = None,
        seed: int = 1,
        num_threads: int | None = None,
    ) -> ProductQuantizer:
        """Find the centroids by k-means, each part for itself.

        Parameters
        ----------
        rows : float32 array of shape (N, D), or any Rows
            Finite, between -1e15 and 1e15. Of more than 65,536 rows a sample is looked at.
        part_size : int, default 2
            Numbers in a part.
        num_long : int or None
            As for the class.
        weights : array-like of shape (N,), or None
            Above 0: how much it matters that a row is near to what its codes stand for. ``None`` means all the same.
        seed : int, default 1
            Draws the sample and the first centroids. The result does not depend on `num_threads`.
        num_threads : int or None
            ``None`` takes every core, 8 at most.

        Raises
        ------
        ValueError
            There are no rows, a number is not finite, a weight is out of range, or rows cannot be cut in this way.

        Notes
        -----
        Differs from fastText, which refuses fewer than 256 rows: here centroids that nothing is left for repeat others.
        A centroid that loses all its rows moves to the row that is farthest from its own one, so that no step ever
        makes the sum of squared distances larger.
        """
        from daneo.embeddings.compression.centroids import learn_centroids

        sample, heavy = sampled(rows, seed, weights)
        vector_size = sample.shape[1]
        centroids = np.zeros(NUM_CENTROIDS * vector_size, dtype=np.float32)
        quantizer = cls(centroids, part_size, num_long)

        parts = quantizer.parts()

        def learn_part(number: int) -> Floats:
            points = np.ascontiguousarray(sample[:, slice(*parts[number])])
            return learn_centroids(points, np.random.default_rng([seed, number]), _EPOCHS, heavy)

        threads = checked_threads(num_threads)
        for (start, stop), learned in zip(parts, ordered(learn_part, range(len(parts)), threads), strict=True):
            centroids[NUM_CENTROIDS * start : NUM_CENTROIDS * stop] = learned.ravel()
        return quantizer

    def parts(self) -> list[tuple[int, int]]:
        """Return where each part of a vector begins and ends."""
        stops = np.cumsum(part_sizes(self.vector_size, self.part_size, self.num_long)).tolist()
        return list(zip([0, *stops[:-1]], stops, strict=True))

    def encode(self, rows: Floats) -> Codes:
        """Return the codes, uint8 (N, M), of rows, float32 (N, D): the nearest centroid of each part.

        Raises
        ------
        ValueError
            The rows do not have D numbers, or a number is not finite.
        """
        if rows.ndim != 2 or rows.shape[1] != self.vector_size:
            raise ValueError(f"encode expected rows of shape (N, {self.vector_size}), got {rows.shape}.")
        check_finite(rows)
        codes = np.empty((len(rows), self.num_parts), dtype=np.uint8)
        for first in range(0, len(rows), _BLOCK):
            block = slice(first, first + _BLOCK)
            codes[block] = np.hstack([group.encode(rows[block]) for group in self._groups])
        return codes

    def decode(self, codes: Codes) -> Floats:
        """Return what codes, uint8 (N, M), stand for: float32 (N, D).

        Raises
        ------
        ValueError
            The codes are not of that shape and dtype.
        """
        if codes.dtype != np.uint8 or codes.ndim != 2 or codes.shape[1] != self.num_parts:
            raise ValueError(
                f"decode expected codes as uint8 of shape (N, {self.num_parts}), "
                f"got {codes.dtype} of shape {codes.shape}."
            )
        rows = np.empty((len(codes), self.vector_size), dtype=np.float32)
        for first in range(0, len(codes), _BLOCK):
            block, part = slice(first, first + _BLOCK), 0
            for group in self._groups:
                group.decode(codes[block, part : part + group.num_parts], rows[block])
                part += group.num_parts
        return rows


def sampled(rows: Rows, seed: int, weights: npt.ArrayLike | None = None) -> tuple[Floats, Doubles | None]:
    """Return at most 65,536 of the rows, in their order, checked, and the weight of each.

    Of more rows with weights, they are drawn with a chance that is their weight, and the weight is how often.

    Raises
    ------
    ValueError
        There are none, one of these is not finite, or the weights are not N numbers above 0.
    """
    if len(rows) == 0:
        raise ValueError("Expected at least one row to learn from, got none.")
    heavy = None if weights is None else _checked_weights(np.asarray(weights, np.float64), len(rows))
    rng = np.random.default_rng(seed)
    if len(rows) <= SAMPLE:
        sample = np.asarray(rows[:])
    elif heavy is None:
        sample = np.asarray(rows[np.sort(rng.choice(len(rows), SAMPLE, replace=False, shuffle=False))])
    else:
        chosen, times = np.unique(rng.choice(len(rows), SAMPLE, p=heavy / heavy.sum()), return_counts=True)
        sample, heavy = np.asarray(rows[chosen]), times.astype(np.float64)
    check_finite(sample)
    return sample, heavy


def _checked_weights(weights: Doubles, num_rows: int) -> Doubles:
    if weights.shape != (num_rows,) or not (weights > 0).all() or not np.isfinite(weights.sum()):
        raise ValueError(f"Expected {num_rows} finite weights above 0, one a row, got shape {weights.shape}.")
    return weights


def check_finite(rows: Floats) -> None:
    """Raise ValueError where a number is NaN, infinite or beyond 1e15."""
    if rows.size and not max(-rows.min(), rows.max()) <= _LARGEST:  # NaN compares as False
        raise ValueError(
            f"Expected finite numbers between -{_LARGEST:g} and {_LARGEST:g} to quantise, "
            f"got {rows.min():g} to {rows.max():g}. Drop or mend these rows first."
        )
