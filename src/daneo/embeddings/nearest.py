"""The rows of a matrix that are nearest to each of many queries: one blocked product, of which only the best are kept.

`nearest_reference.py` is the definition. Two steps make this one fast and still equal to it to the last bit: coarse
scores, whose greatest error is known, sift out the rows that can be among the answers; those few are then scored in
double precision and sorted. Coarse scores are a float32 product, or, where there is much to do, whole numbers.
"""

from __future__ import annotations

import numpy as np

from daneo.embeddings.coarse_sift import LEAST_QUERIES, LEAST_WORK, coarse_error, sift_coarsely
from daneo.embeddings.row_blocks import Doubles, RowBlocks, exact_cosines
from daneo.embeddings.sieve import Answer, Sieve

_QUERIES_AT_ONCE = 256
_COSMUL_EPSILON = 1e-6  # keeps the quotient finite where a negative word points the other way


def nearest_rows(blocks: RowBlocks, queries: Doubles, count: int, start: int, stop: int) -> list[Answer]:
    """Return, for each query, the `count` rows from `start` to `stop` with the greatest cosine.

    Parameters
    ----------
    blocks : RowBlocks over a matrix of shape (V, D)
    queries : float64 array of shape (Q, D)
        Of length 1 or 0 each.
    count : int
        At least 1. Fewer answers come only where there are fewer rows, or rows that are not finite.
    start, stop : int
        The rows to search.

    Returns
    -------
    list of Q pairs
        Rows and cosines, best first; equal cosines in the order of the rows.

    Notes
    -----
    Cost: Q (stop - start) D multiplications, and reading the rows once for every 256 queries. Memory beside the
    matrix: the scores of one block.
    """
    answers: list[Answer] = []
    for first in range(0, len(queries), _QUERIES_AT_ONCE):
        together = queries[first : first + _QUERIES_AT_ONCE]
        answers += _sifted(blocks, together, count, start, stop).answers()
    return answers


def _sifted(blocks: RowBlocks, queries: Doubles, count: int, start: int, stop: int) -> Sieve:
    num_queries, vector_size = queries.shape
    if num_queries >= LEAST_QUERIES and num_queries * (stop - start) * vector_size >= LEAST_WORK:
        sieve = Sieve(blocks.matrix, queries, count, coarse_error(vector_size, is_turned=blocks.is_turned))
        sift_coarsely(sieve, blocks, start, stop)
        return sieve
    sieve = Sieve(blocks.matrix, queries, count, blocks.error)
    for row, scores, broken in blocks.cosines(queries.astype(np.float32), start, stop):
        scores[:, broken] = -np.inf
        sieve.add_block(row, scores)
    return sieve


def nearest_by_product(
    blocks: RowBlocks, positive: Doubles, negative: Doubles, count: int, start: int, stop: int
) -> Answer:
    """Return the `count` rows with the greatest 3CosMul score, best first.

    The score is the product of (1 + cos) / 2 over `positive`, divided by the same over `negative` plus 1e-6.

    Parameters
    ----------
    positive, negative : float64 arrays of shapes (P, D) and (N, D)
        Of length 1 or 0 each.
    blocks, count, start, stop
        As for :func:`nearest_rows`.
    """
    queries = np.concatenate([positive, negative])
    error = blocks.error / 2
    least, most = np.empty((2, stop - start))
    for first, scores, broken in blocks.cosines(queries.astype(np.float32), start, stop):
        # A small error under the fraction can be a large one of the quotient: bound it from both sides.
        halves = (1 + scores.astype(np.float64)) / 2
        low, high = np.maximum(halves - error, 0), halves + error
        part = slice(first - start, first - start + scores.shape[1])
        least[part] = _quotient(low[: len(positive)], high[len(positive) :])
        most[part] = _quotient(high[: len(positive)], low[len(positive) :])
        least[part][broken] = most[part][broken] = -np.inf
    enough = np.partition(least, -count)[-count] if count < len(least) else 0.0
    rows = np.flatnonzero(most >= max(enough, 0.0)) + start
    halves = np.array([(1 + exact_cosines(blocks.matrix, rows, query).astype(np.float64)) / 2 for query in queries])
    scores = _quotient(halves[: len(positive)], halves[len(positive) :]).astype(np.float32)
    order = np.lexsort((rows, -scores))[:count]
    return rows[order], scores[order]


def _quotient(positive: Doubles, negative: Doubles) -> Doubles:
    product: Doubles = positive.prod(axis=0) / (negative.prod(axis=0) + _COSMUL_EPSILON)
    return product
