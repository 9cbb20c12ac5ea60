"""How rows are kept in a safetensors file: named arrays, and the same rows from them again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from daneo.embeddings.compression.centroids import NUM_CENTROIDS
from daneo.embeddings.compression.int8_rows import Int8Rows
from daneo.embeddings.compression.product_quantizer import ProductQuantizer
from daneo.embeddings.compression.quantized_rows import HalfRows, QuantizedRows
from daneo.embeddings.compression.turned_rows import TurnedRows

if TYPE_CHECKING:
    from daneo.embeddings.rows import Rows

Array = np.ndarray[Any, Any]


def rows_to_tensors(name: str, rows: Rows) -> dict[str, Array]:
    """Return the arrays that hold some rows.

    ===================== =========================================================================================
    rows                  tensors
    ===================== =========================================================================================
    array                 `name`, float32 (N, D)
    HalfRows              `name`, float16 (N, D)
    Int8Rows              `name`, int8 (N, D); `name`.scales, float32 (N,)
    QuantizedRows         `name`.codes, uint8 (N, M); `name`.centroids, float32 (256 * D,); `name`.part_size, int32
                          (1,), or (2,) where `num_long` is the second; with norms also `name`.norm_codes, uint8 (N,),
                          and `name`.norm_centroids, float32 (256,)
    TurnedRows            those of its rows; `name`.rotation, float32 (D, D)
    ===================== =========================================================================================

    Parameters
    ----------
    name : str
        What the tensors' names begin with.
    rows : float32 array, HalfRows, Int8Rows, QuantizedRows, or TurnedRows of one of these

    Raises
    ------
    TypeError
        The rows are of another kind; ``rows[:]`` makes an array of any.

    Examples
    --------
    >>> sorted(rows_to_tensors("vectors", QuantizedRows.learn(np.eye(2, dtype=np.float32))))
    ['vectors.centroids', 'vectors.codes', 'vectors.part_size']
    """
    if isinstance(rows, np.ndarray):
        return {name: rows.astype(np.float32, copy=False)}
    if isinstance(rows, HalfRows):
        return {name: rows.halves}
    if isinstance(rows, Int8Rows):
        return {name: rows.numbers, f"{name}.scales": rows.scales}
    if isinstance(rows, TurnedRows) and is_stored(rows):
        return {**rows_to_tensors(name, rows.rows), f"{name}.rotation": rows.rotation}
    if not isinstance(rows, QuantizedRows):
        raise TypeError(f"rows_to_tensors expected an array or compressed rows, got {type(rows).__name__}.")
    tensors: dict[str, Array] = {
        f"{name}.codes": rows.codes,
        f"{name}.centroids": rows.quantizer.centroids,
        f"{name}.part_size": np.array([rows.quantizer.part_size], dtype=np.int32),
    }
    if rows.quantizer.num_long is not None:
        tensors[f"{name}.part_size"] = np.array([rows.quantizer.part_size, rows.quantizer.num_long], dtype=np.int32)
    if rows.norm_codes is not None and rows.norm_quantizer is not None:
        tensors[f"{name}.norm_codes"] = rows.norm_codes
        tensors[f"{name}.norm_centroids"] = rows.norm_quantizer.centroids
    return tensors


def is_stored(rows: Rows) -> bool:
    """Whether rows are compressed ones that :func:`rows_to_tensors` keeps as they are."""
    kept = rows.rows if isinstance(rows, TurnedRows) else rows
    return isinstance(kept, HalfRows | Int8Rows | QuantizedRows)


def rows_from_tensors(name: str, tensors: Mapping[str, Array]) -> Rows:
    """Return the rows that :func:`rows_to_tensors` made these arrays of, without a copy.

    Parameters
    ----------
    name : str
    tensors : mapping of str to array
        It may hold others too. They may be memory-mapped, and come from anywhere: all is checked.

    Raises
    ------
    ValueError
        A tensor is missing, or does not fit the others; the message names it.

    Examples
    --------
    >>> rows_from_tensors("vectors", {"vectors": np.ones((2, 3), dtype=np.float16)})
    <HalfRows of shape (2, 3)>
    """
    rows = _unturned(name, tensors)
    if f"{name}.rotation" not in tensors:
        return rows
    try:
        return TurnedRows(rows, _expected(f"{name}.rotation", tensors, np.float32))
    except ValueError as error:
        raise ValueError(f"Tensor '{name}.rotation': {error}") from error


def _unturned(name: str, tensors: Mapping[str, Array]) -> Rows:
    plain = tensors.get(name)
    if (plain is None) == (f"{name}.codes" not in tensors):
        raise ValueError(
            f"Expected either a tensor {name!r} or a tensor '{name}.codes', got {'none' if plain is None else 'both'}."
        )
    if plain is None:
        return _quantized(name, tensors)
    if plain.ndim != 2 or plain.shape[1] == 0 or plain.dtype not in (np.float32, np.float16, np.int8):
        raise ValueError(
            f"Tensor {name!r}: expected float32, float16 or int8 of shape (N, D), "
            f"got {plain.dtype} of shape {plain.shape}."
        )
    if plain.dtype == np.int8:
        return Int8Rows(plain, _expected(f"{name}.scales", tensors, np.float32))
    return HalfRows(plain) if plain.dtype == np.float16 else plain


def _quantized(name: str, tensors: Mapping[str, Array]) -> QuantizedRows:
    codes = _expected(f"{name}.codes", tensors, np.uint8)
    centroids = _expected(f"{name}.centroids", tensors, np.float32)
    part_size = _expected(f"{name}.part_size", tensors, np.int32)
    if part_size.shape not in ((1,), (2,)):
        raise ValueError(f"Tensor '{name}.part_size': expected shape (1,) or (2,), got {part_size.shape}.")
    try:
        quantizer = ProductQuantizer(centroids, *part_size.tolist())
        norm_codes, norm_quantizer = None, None
        if f"{name}.norm_codes" in tensors or f"{name}.norm_centroids" in tensors:
            norm_codes = _expected(f"{name}.norm_codes", tensors, np.uint8)
            norm_centroids = _expected(f"{name}.norm_centroids", tensors, np.float32)
            if norm_centroids.shape != (NUM_CENTROIDS,):
                raise ValueError(f"norm_centroids: expected shape ({NUM_CENTROIDS},), got {norm_centroids.shape}.")
            norm_quantizer = ProductQuantizer(norm_centroids, 1)
        return QuantizedRows(codes, quantizer, norm_codes, norm_quantizer)
    except ValueError as error:
        raise ValueError(f"The tensors of {name!r} do not fit each other: {error}") from error


def _expected(name: str, tensors: Mapping[str, Array], dtype: type[np.generic]) -> Array:
    if name not in tensors:
        raise ValueError(f"Tensor {name!r} is missing.")
    if tensors[name].dtype != dtype:
        raise ValueError(f"Tensor {name!r}: expected {np.dtype(dtype)}, got {tensors[name].dtype}.")
    return tensors[name]
