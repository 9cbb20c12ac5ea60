"""The ways to keep rows, how many bytes each takes, and the best of them for a given size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
import numpy.typing as npt

from daneo.embeddings.compression.centroids import NUM_CENTROIDS
from daneo.embeddings.compression.int8_rows import Int8Rows
from daneo.embeddings.compression.product_quantizer import sampled
from daneo.embeddings.compression.quantized_rows import HalfRows, QuantizedRows
from daneo.embeddings.compression.quantizing import directions
from daneo.embeddings.compression.turned_rows import TurnedRows, learn_rotation
from daneo.embeddings.compression.vector_parts import part_sizes

if TYPE_CHECKING:
    from daneo.embeddings.rows import Rows

Storage = Literal["product_quantization", "int8", "float16", "float32"]
STORAGES: tuple[Storage, ...] = get_args(Storage)

_FLOAT = 4


@dataclass(frozen=True, kw_only=True)
class Storing:
    """A way to keep rows: see :func:`daneo.embeddings.compression.compressing.compress` for what the fields mean."""

    storage: Storage = "product_quantization"
    part_size: int = 2
    num_parts: int | None = None  # instead of part_size: so many, as equal as can be
    norms: bool = True
    rotate: bool = True

    def __str__(self) -> str:
        if self.storage != "product_quantization":
            return self.storage
        return f"{self.storage}, " + (f"{self.num_parts} parts" if self.num_parts else f"part size {self.part_size}")

    def of(
        self, rows: Rows, *, weights: npt.ArrayLike | None = None, seed: int = 1, num_threads: int | None = None
    ) -> Rows:
        """Return rows (N, D), kept this way.

        Parameters
        ----------
        rows : Rows of shape (N, D)
        weights : array-like of shape (N,), or None
            Above 0: how much the rows matter where some are kept better than others.
        seed, num_threads
            As for :meth:`~daneo.embeddings.compression.quantized_rows.QuantizedRows.learn`.
        """
        if self.storage == "float32" or not len(rows):
            return np.array(rows[:], np.float32)
        if self.storage != "product_quantization":
            return (HalfRows if self.storage == "float16" else Int8Rows).of(rows)
        part_size, num_long = self._cut(rows.shape[1])
        rotation = None
        if self._turns(rows.shape):
            sample, heavy = sampled(rows, seed, weights)
            sizes = part_sizes(rows.shape[1], part_size, num_long)
            rotation = learn_rotation(directions(sample) if self.norms else sample, sizes, heavy)
        quantised = QuantizedRows.learn(
            rows if rotation is None else TurnedRows(rows, rotation), part_size,
            num_long=num_long, norms=self.norms, weights=weights, seed=seed, num_threads=num_threads,
        )  # fmt: skip
        return quantised if rotation is None else TurnedRows(quantised, np.ascontiguousarray(rotation.T))

    def num_bytes(self, shape: tuple[int, int]) -> int:
        """Return the bytes that rows of shape (N, D) take: numbers or codes, centroids, lengths, scales, rotation."""
        num_rows, size = shape
        if not num_rows:
            return 0
        if self.storage != "product_quantization":
            each = {"int8": 1, "float16": 2, "float32": _FLOAT}[self.storage]
            return num_rows * (each * size + _FLOAT * (self.storage == "int8"))
        codes = num_rows * ((self.num_parts or -(-size // self.part_size)) + self.norms)
        centroids = _FLOAT * NUM_CENTROIDS * (size + self.norms)
        return codes + centroids + _FLOAT * size**2 * self._turns(shape)

    def _turns(self, shape: tuple[int, int]) -> bool:
        """Whether a rotation can help: each part is of several numbers, and has fewer centroids than rows."""
        return self.rotate and 1 < self._cut(shape[1])[0] < shape[1] and shape[0] > NUM_CENTROIDS

    def _cut(self, size: int) -> tuple[int, int | None]:
        """Return part_size and num_long, as :class:`ProductQuantizer` takes them, for vectors of this size."""
        if self.num_parts is None:
            return self.part_size, None
        longest = -(-size // self.num_parts)
        return longest, size - self.num_parts * (longest - 1)


def best_storing(shapes: Sequence[tuple[int, int]], most: float, *, norms: bool = True, rotate: bool = True) -> Storing:
    """Return the most exact way to keep rows of these shapes in at most so many bytes.

    The ways, from exact to coarse: float32, float16, int8, and product quantisation with ever fewer parts.

    Raises
    ------
    ValueError
        None of them is small enough.

    Examples
    --------
    >>> for ratio in (1, 2, 3.8, 10):
    ...     print(best_storing([(100_000, 100)], most=4 * 100_000 * 100 / ratio))
    float32
    float16
    int8
    product_quantization, 37 parts
    """
    ways = [Storing(storage=storage, norms=norms, rotate=rotate) for storage in ("float32", "float16", "int8")]
    size = max(size for _, size in shapes)
    ways += [Storing(num_parts=number, norms=norms, rotate=rotate) for number in range(size, 0, -1)]
    for way in ways:
        if sum(map(way.num_bytes, shapes)) <= most:
            return way
    least = min(sum(map(way.num_bytes, shapes)) for way in ways)
    raise ValueError(
        f"No storage keeps these rows in {int(most):,} bytes; the smallest one takes {least:,}. Ask for a smaller "
        "ratio, or keep fewer words or n-grams."
    )
