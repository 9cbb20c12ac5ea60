"""Matrices whose rows take a few bytes: product-quantised ones, and ones in half precision."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt

from daneo.embeddings.compression.product_quantizer import Codes, Floats, ProductQuantizer

if TYPE_CHECKING:
    from daneo.embeddings.rows import Rows

Chosen = int | slice | npt.NDArray[np.integer[Any]]

_BLOCK = 4096  # rows that are read together


class QuantizedRows:
    """A matrix of shape (N, D) kept as codes, one byte for each part of a row; rows are decoded when asked for.

    Parameters
    ----------
    codes : uint8 array of shape (N, M)
    quantizer : ProductQuantizer
        What the codes stand for.
    norm_codes : uint8 array of shape (N,), or None
        Codes of the rows' lengths, as fastText's ``-qnorm`` keeps them: the decoded row is multiplied by the decoded
        length.
    norm_quantizer : ProductQuantizer with vector_size 1, or None
        What the norm codes stand for. Both or neither.

    Raises
    ------
    ValueError
        The arrays do not fit each other.

    Examples
    --------
    >>> rows = QuantizedRows.learn(np.eye(3, dtype=np.float32), part_size=1)
    >>> rows.shape, rows.nbytes
    ((3, 3), 3081)
    >>> rows[1], rows[1:].shape
    (array([0., 1., 0.], dtype=float32), (2, 3))
    """

    def __init__(
        self,
        codes: Codes,
        quantizer: ProductQuantizer,
        norm_codes: Codes | None = None,
        norm_quantizer: ProductQuantizer | None = None,
    ) -> None:
        if codes.dtype != np.uint8 or codes.ndim != 2 or codes.shape[1] != quantizer.num_parts:
            raise ValueError(
                f"QuantizedRows expected codes as uint8 of shape (N, {quantizer.num_parts}), "
                f"got {codes.dtype} of shape {codes.shape}."
            )
        if (norm_codes is None) != (norm_quantizer is None):
            raise ValueError("QuantizedRows expected norm_codes and norm_quantizer together, got one of them.")
        if norm_codes is not None and (norm_codes.dtype != np.uint8 or norm_codes.shape != (len(codes),)):
            raise ValueError(
                f"QuantizedRows expected norm_codes as uint8 of shape ({len(codes)},), "
                f"got {norm_codes.dtype} of shape {norm_codes.shape}."
            )
        if norm_quantizer is not None and norm_quantizer.vector_size != 1:
            raise ValueError(
                f"QuantizedRows expected a norm_quantizer of single numbers, got vector_size "
                f"{norm_quantizer.vector_size}."
            )
        self.codes = codes
        self.quantizer = quantizer
        self.norm_codes = norm_codes
        self.norm_quantizer = norm_quantizer

    @classmethod
    def learn(
        cls,
        rows: Rows,
        part_size: int = 2,
        *,
        num_long: int | None = None,
        norms: bool = False,
        weights: npt.ArrayLike | None = None,
        seed: int = 1,
        num_threads: int | None = None,
    ) -> QuantizedRows:
        """Learn a quantizer of rows, float32 (N, D), and encode them.

        Parameters
        ----------
        rows : float32 array of shape (N, D), or any Rows
            Read block by block.
        part_size : int, default 2
            Numbers that share a byte.
        num_long : int or None
            As for :class:`ProductQuantizer`.
        norms : bool, default False
            Keep lengths apart, in one more byte a row: the quantizer then learns directions.
        weights, seed, num_threads
            As for :meth:`ProductQuantizer.learn`.

        Raises
        ------
        ValueError
            There are no rows, or a number is not finite.
        """
        from daneo.embeddings.compression.quantizing import quantize

        return cls(
            *quantize(
                rows, part_size, num_long=num_long, norms=norms, weights=weights, seed=seed, num_threads=num_threads
            )
        )

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and numbers in a row, (N, D)."""
        return len(self.codes), self.quantizer.vector_size

    @property
    def nbytes(self) -> int:
        """Bytes of the codes and the centroids."""
        total = self.codes.nbytes + self.quantizer.centroids.nbytes
        if self.norm_codes is not None and self.norm_quantizer is not None:
            total += self.norm_codes.nbytes + self.norm_quantizer.centroids.nbytes
        return total

    def __len__(self) -> int:
        return len(self.codes)

    def __getitem__(self, rows: Chosen) -> Floats:
        if isinstance(rows, int | np.integer):
            row: Floats = self[np.array([rows])][0]
            return row
        decoded = self.quantizer.decode(self.codes[rows])
        if self.norm_codes is not None and self.norm_quantizer is not None:
            decoded *= self.norm_quantizer.decode(self.norm_codes[rows, None])
        return decoded

    def __repr__(self) -> str:
        return f"<QuantizedRows of shape {self.shape}, {self.codes.shape[1]} bytes a row>"


class HalfRows:
    """A matrix kept in half precision, two bytes a number; rows become float32 when asked for.

    Parameters
    ----------
    halves : float16 array of shape (N, D)
        Kept, not copied; it may be memory-mapped.

    Raises
    ------
    ValueError
        The array is not of that shape and dtype.

    Examples
    --------
    >>> rows = HalfRows.of(np.array([[0.1, 2.0]], dtype=np.float32))
    >>> rows[0], rows.nbytes
    (array([0.09997559, 2.        ], dtype=float32), 4)
    """

    def __init__(self, halves: npt.NDArray[np.float16]) -> None:
        if halves.dtype != np.float16 or halves.ndim != 2:
            raise ValueError(f"HalfRows expected float16 of shape (N, D), got {halves.dtype} of shape {halves.shape}.")
        self.halves = halves

    @classmethod
    def of(cls, rows: Rows) -> HalfRows:
        """Round rows, float32 (N, D), to half precision, block by block.

        Raises
        ------
        ValueError
            A number is not finite, or rounds to more than 65,504, the largest that half precision holds.

        Notes
        -----
        Eleven significant bits; numbers below 6.1e-5 lose some of them, and those below 3e-8 become zero.
        """
        halves = np.empty(rows.shape, dtype=np.float16)
        for first in range(0, len(rows), _BLOCK):
            block = rows[first : first + _BLOCK]
            with np.errstate(over="ignore"):
                halves[first : first + _BLOCK] = block
            if not np.isfinite(halves[first : first + _BLOCK]).all():
                raise ValueError(
                    f"Half precision holds finite numbers up to 65,504; the rows have {block.min():g} to "
                    f"{block.max():g}. Scale the vectors down, or choose another storage."
                )
        return cls(halves)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and numbers in a row, (N, D)."""
        return cast("tuple[int, int]", self.halves.shape)

    @property
    def nbytes(self) -> int:
        """Bytes of the matrix."""
        return self.halves.nbytes

    def __len__(self) -> int:
        return len(self.halves)

    def __getitem__(self, rows: Chosen) -> Floats:
        found: Floats = self.halves[rows].astype(np.float32)
        return found

    def __repr__(self) -> str:
        return f"<HalfRows of shape {self.shape}>"
