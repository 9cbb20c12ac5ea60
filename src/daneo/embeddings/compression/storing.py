"""The ways to keep rows, how many bytes each takes, and the best of them for a given size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
import numpy.typing as npt

from daneo.embeddings.compression.int8_rows import Int8Rows
from daneo.embeddings.compression.product_quantizer import NUM_CENTROIDS, sampled
from daneo.embeddings.compression.quantized_rows import HalfRows, QuantizedRows
from daneo.embeddings.compression.quantizing import directions
from daneo.embeddings.compression.turned_rows import TurnedRows, learn_rotation

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
    norms: bool = True
    rotate: bool = True

    def __str__(self) -> str:
        return f"{self.storage}, part size {self.part_size}" if self.storage == "product_quantization" else self.storage

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
        rotation = None
        if self._turns(rows.shape):
            sample, heavy = sampled(rows, seed, weights)
            rotation = learn_rotation(directions(sample) if self.norms else sample, self.part_size, heavy)
        quantised = QuantizedRows.learn(
            rows if rotation is None else TurnedRows(rows, rotation),
            self.part_size, norms=self.norms, weights=weights, seed=seed, num_threads=num_threads,
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
        codes = num_rows * (-(-size // self.part_size) + self.norms)
        centroids = _FLOAT * NUM_CENTROIDS * (size + self.norms)
        return codes + centroids + _FLOAT * size**2 * self._turns(shape)

    def _turns(self, shape: tuple[int, int]) -> bool:
        """Whether a rotation can help: each part is of several numbers, and has fewer centroids than rows."""
        return self.rotate and 1 < self.part_size < shape[1] and shape[0] > NUM_CENTROIDS


def best_storing(shapes: Sequence[tuple[int, int]], most: float, *, norms: bool = True, rotate: bool = True) -> Storing:
    """Return the most exact way to keep rows of these shapes in at most so many bytes.

    The ways, from exact to coarse: float32, float16, int8, and product quantisation with parts of 1, 2, 3 ... numbers.

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
    product_quantization, part size 3
    """
    ways = [Storing(storage=storage, norms=norms, rotate=rotate) for storage in ("float32", "float16", "int8")]
    size = max(size for _, size in shapes)
    ways += [Storing(part_size=part_size, norms=norms, rotate=rotate) for part_size in range(1, size + 1)]
    for way in ways:
        if sum(map(way.num_bytes, shapes)) <= most:
            return way
    least = min(sum(map(way.num_bytes, shapes)) for way in ways)
    raise ValueError(
        f"No storage keeps these rows in {int(most):,} bytes; the smallest one takes {least:,}. Ask for a smaller "
        "ratio, or keep fewer words or n-grams."
    )
