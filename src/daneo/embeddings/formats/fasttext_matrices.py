"""The matrices of a fastText model: plain float32, or product-quantised."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from daneo.embeddings.formats.fasttext_fields import Fields

if TYPE_CHECKING:
    from daneo.embeddings.compression.product_quantizer import ProductQuantizer
    from daneo.embeddings.compression.quantized_rows import QuantizedRows
    from daneo.embeddings.rows import Rows

NUM_CENTROIDS = 256


def read_matrix(fields: Fields, field: str, shape: tuple[int, int], *, quantised: bool) -> Rows:
    """Take a matrix that must be of `shape`; error messages call it `field`.

    Raises
    ------
    EOFError
        The file is too short for it.
    ValueError
        A number in it is not what `shape` asks for.
    """
    return _read_quantised(fields, field, shape) if quantised else _read_plain(fields, field, shape)


def _read_plain(fields: Fields, field: str, shape: tuple[int, int]) -> Rows:
    _expect_shape(fields, field, shape)
    rows: Rows = fields.array("<f4", shape, field)
    return rows


def _read_quantised(fields: Fields, field: str, shape: tuple[int, int]) -> QuantizedRows:
    from daneo.embeddings.compression.quantized_rows import QuantizedRows

    has_norms = fields.flag(f"the mark of lengths in {field}")
    _expect_shape(fields, field, shape)
    (num_codes,) = fields.numbers("i", f"the number of codes of {field}")
    num_parts = num_codes // shape[0] if shape[0] else 0
    if num_codes != num_parts * shape[0] or not 0 < num_parts <= shape[1]:
        raise fields.wrong(
            f"the number of codes of {field}", num_codes, f"1 to {shape[1]} for each of {shape[0]} rows", 4
        )
    codes = fields.array("|u1", (shape[0], num_parts), f"the codes of {field}")
    quantizer = _read_quantizer(fields, field, shape[1], num_parts)
    if not has_norms:
        return QuantizedRows(codes, quantizer)
    norm_codes = fields.array("|u1", (shape[0],), f"the codes of lengths in {field}")
    return QuantizedRows(codes, quantizer, norm_codes, _read_quantizer(fields, f"lengths in {field}", 1, 1))


def _expect_shape(fields: Fields, field: str, shape: tuple[int, int]) -> None:
    found = fields.numbers("2q", f"the shape of {field}")
    if found != shape:
        raise fields.wrong(f"the shape of {field}", found, f"{shape} by its settings and its dictionary", 16)


def _read_quantizer(fields: Fields, field: str, vector_size: int, num_parts: int) -> ProductQuantizer:
    from daneo.embeddings.compression.product_quantizer import ProductQuantizer

    found = fields.numbers("4i", f"the quantizer of {field}")
    part_size = found[2]
    expected = quantizer_sizes(vector_size, part_size) if part_size > 0 else None
    if found != expected or found[1] != num_parts:
        raise fields.wrong(
            f"the quantizer of {field}",
            found,
            f"{vector_size} numbers in {num_parts} parts, their length, and that of the last",
            16,
        )
    centroids = fields.array("<f4", (NUM_CENTROIDS * vector_size,), f"the centroids of {field}")
    # A few kilobytes, copied because they can lie at any byte. fastText lets a part be longer than the vector.
    return ProductQuantizer(np.array(centroids, np.float32), min(part_size, vector_size))


def quantizer_sizes(vector_size: int, part_size: int) -> tuple[int, int, int, int]:
    """Return the four numbers that a quantizer begins with: D, the number of parts, their length, that of the last."""
    num_parts = -(-vector_size // part_size)
    return vector_size, num_parts, part_size, vector_size % part_size or part_size
