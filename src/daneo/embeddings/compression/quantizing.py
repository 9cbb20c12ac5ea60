"""Many rows into codes, block by block."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from daneo.corpus.ordered_threads import checked_threads, ordered
from daneo.embeddings.compression.product_quantizer import Codes, Floats, ProductQuantizer, check_finite, sampled

if TYPE_CHECKING:
    from daneo.embeddings.rows import Rows

_BLOCK = 4096  # rows that a thread encodes at a time


def quantize(
    rows: Rows,
    part_size: int,
    *,
    num_long: int | None,
    norms: bool,
    weights: npt.ArrayLike | None,
    seed: int,
    num_threads: int | None,
) -> tuple[Codes, ProductQuantizer, Codes | None, ProductQuantizer | None]:
    """Return what :class:`~daneo.embeddings.compression.quantized_rows.QuantizedRows` is made of.

    The scale that a row's norm code stands for is not its length but the factor that brings the decoded direction
    nearest to the row, <row, direction> / <direction, direction>: decoded directions are a little shorter than 1.
    """
    sample, heavy = sampled(rows, seed, weights)
    threads = checked_threads(num_threads)
    quantizer = ProductQuantizer.learn(
        directions(sample) if norms else sample,
        part_size, num_long=num_long, weights=heavy, seed=seed, num_threads=threads,
    )  # fmt: skip
    norm_quantizer = None
    if norms:
        scales = best_scales(sample, quantizer.decode(quantizer.encode(directions(sample))))
        norm_quantizer = learn_scales(scales, seed)
    codes = np.empty((len(rows), quantizer.num_parts), dtype=np.uint8)
    norm_codes = np.empty(len(rows), dtype=np.uint8) if norms else None

    def encode_block(first: int) -> None:
        part = slice(first, first + _BLOCK)
        block = rows[part]
        check_finite(block)
        codes[part] = quantizer.encode(directions(block) if norms else block)
        if norm_codes is not None and norm_quantizer is not None:
            scales = best_scales(block, quantizer.decode(codes[part]))
            norm_codes[part] = norm_quantizer.encode(scales[:, None])[:, 0]

    for _ in ordered(encode_block, range(0, len(rows), _BLOCK), threads):
        pass
    return codes, quantizer, norm_codes, norm_quantizer


def directions(rows: Floats) -> Floats:
    """Return rows (N, D) scaled to length 1; zero vectors stay zero."""
    lengths = np.sqrt(np.einsum("nd,nd->n", rows, rows, dtype=np.float64))
    scaled: Floats = (rows / np.where(lengths > 0, lengths, 1)[:, None]).astype(np.float32)
    return scaled


def best_scales(rows: Floats, decoded: Floats) -> Floats:
    """Return the factors (N,) by which decoded (N, D) comes nearest to rows (N, D), row by row; 0 for zero rows."""
    products = np.einsum("nd,nd->n", rows, decoded, dtype=np.float64)
    squares = np.einsum("nd,nd->n", decoded, decoded, dtype=np.float64)
    scales: Floats = (products / np.where(squares > 0, squares, 1)).astype(np.float32)
    return scales


def learn_scales(scales: Floats, seed: int) -> ProductQuantizer:
    """Learn 256 factors; one of them is exactly 0 where some are, so that a zero vector stays one."""
    is_zero = scales == 0
    if is_zero.all():
        return ProductQuantizer(np.zeros(256, dtype=np.float32), 1)
    quantizer = ProductQuantizer.learn(scales[~is_zero, None], 1, seed=seed)
    if is_zero.any():
        values = np.sort(quantizer.centroids)
        values[np.diff(values).argmin()] = 0  # one of the two that are most alike
        quantizer = ProductQuantizer(values, 1)
    return quantizer
