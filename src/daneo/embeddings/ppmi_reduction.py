"""Sparse rows become dense ones: truncated singular value decomposition."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from daneo.corpus.progress_reports import ProgressReports
from daneo.embeddings.rows import Floats
from daneo.embeddings.sparse_rows import SparseRows
from daneo.progress import ProgressCallback

_SMALL = 1000  # words; a whole decomposition of so few takes less than a second
_LEAST = 1e-5  # of the largest singular value: below it float32's rounding begins
_PIECES = 16  # of the rows; the same for any number of threads, for sums are rounded in their order


def reduce(
    rows: SparseRows, vector_size: int, power: float, seed: int, num_threads: int, progress: ProgressCallback | None
) -> tuple[Floats, Floats]:
    """Return dense rows, U S**power, and the singular values S of the decomposition U S V' of square sparse rows.

    Parameters
    ----------
    rows : SparseRows of shape (V, V)
    vector_size : int
        How many columns, those of the largest singular values.
    power : float
        0: U alone; 1: U S, whose products are nearest to those of the rows.
    seed : int
        Chooses the vector that the search begins with.
    num_threads : int
        Threads for products. The result does not depend on it.
    progress : callable or None
        Gets reports of the stage ``"reducing"``: how many products there have been. How many it takes is not known
        beforehand; mostly it is three or four times `vector_size`.

    Returns
    -------
    vectors : float32 array of shape (V, vector_size)
        The number of greatest size in a column is positive. Columns beyond the matrix's rank are zeros.
    singular_values : float32 array of shape (vector_size,)
        Falling; 0 where there are no more than rounding would make.

    Notes
    -----
    Up to 1000 words, or where nearly all columns are wanted, LAPACK decomposes the whole matrix, made dense, in
    float64. Otherwise ARPACK finds the few that are wanted, in float32, by products with the rows and their transpose.
    Memory: about 8 vector_size V float32 numbers.
    """
    num_words = len(rows)
    if num_words <= _SMALL or vector_size >= num_words - 1:
        left, values, _ = np.linalg.svd(rows[:].astype(np.float64), full_matrices=False)
    else:
        left, values = _largest(rows, vector_size, seed, num_threads, progress)
    left, values = left[:, :vector_size], np.where(values > _LEAST * values.max(), values, 0)[:vector_size]
    largest = np.abs(left).argmax(axis=0)
    scale = np.sign(left[largest, np.arange(len(values))]) * np.where(values > 0, values**power, 0)
    vectors, singular_values = np.zeros((num_words, vector_size), np.float32), np.zeros(vector_size, np.float32)
    vectors[:, : len(values)], singular_values[: len(values)] = left * scale, values
    return vectors, singular_values


def _largest(
    rows: SparseRows, number: int, seed: int, num_threads: int, progress: ProgressCallback | None
) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Return the largest singular values, falling, and their left vectors, by ARPACK."""
    from scipy.sparse import linalg

    num_words = len(rows)
    reports = ProgressReports(progress, "reducing", "products", None)
    edges = [start for start, _ in rows.ranges(-(-rows.num_stored // _PIECES))] + [num_words]
    pieces = [(rows.block(*edge), *edge) for edge in pairwise(edges)]
    num_products = 0

    def counted(product: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def with_report(factor: Any) -> Any:
            nonlocal num_products
            num_products += 1
            reports.report(num_products)
            return product(factor)

        return with_report

    with ThreadPoolExecutor(num_threads) as pool:

        def times(factor: Any) -> Any:
            return np.concatenate(list(pool.map(lambda piece: piece[0] @ factor, pieces)))

        def times_transposed(factor: Any) -> Any:
            return sum(pool.map(lambda piece: piece[0].T @ factor[piece[1] : piece[2]], pieces))

        operator = linalg.LinearOperator(
            shape=(num_words, num_words),
            matvec=counted(times),
            rmatvec=counted(times_transposed),
            matmat=times,
            dtype=np.float32,
        )
        begin = np.random.default_rng(seed).standard_normal(num_words).astype(np.float32)
        left, values, _ = linalg.svds(operator, k=number, v0=begin, return_singular_vectors=True)
    reports.report(num_products, finished=True)
    order = np.argsort(-values)
    return left[:, order], values[order]
