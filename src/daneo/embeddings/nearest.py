"""The rows of a matrix that are nearest to each of many queries: one blocked product, of which only the best are kept.

`nearest_reference.py` is the definition. Two steps make this one fast and still equal to it to the last bit: float32
scores, whose greatest error is known, sift out the rows that can be among the answers; those few are then scored in
double precision and sorted.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from daneo.embeddings.row_blocks import Doubles, Floats, Ids, RowBlocks, error_bound, exact_cosines

_QUERIES_AT_ONCE = 256
_COSMUL_EPSILON = 1e-6  # keeps the quotient finite where a negative word points the other way

Answer = tuple[Ids, Floats]
"""Rows, best first, and their scores."""


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
    Cost: Q (stop - start) D multiplications in float32; the sifting adds about a tenth. Memory beside the matrix:
    the scores of one block.
    """
    answers: list[Answer] = []
    for first in range(0, len(queries), _QUERIES_AT_ONCE):
        sieve = _Sieve(blocks.matrix, queries[first : first + _QUERIES_AT_ONCE], count)
        for row, scores, broken in blocks.cosines(sieve.queries.astype(np.float32), start, stop):
            scores[:, broken] = -np.inf
            sieve.add(row, scores)
        answers += sieve.answers()
    return answers


class _Sieve:
    """The rows of the blocks seen so far that can still be among the best `count` of their query.

    They lie in three flat arrays, for all queries together: `number` of the query, `row`, float32 `score`. A query's
    `threshold` is what a new row must reach: the least of its best `count` scores, less the error of both.
    """

    def __init__(self, matrix: Floats, queries: Doubles, count: int) -> None:
        self.matrix, self.queries, self.count = matrix, queries, count
        self.margin = np.float32(2 * error_bound(matrix.shape[1]))
        self.threshold = np.full(len(queries), -np.finfo(np.float32).max, dtype=np.float32)
        self.number = self.row = np.empty(0, dtype=np.int64)
        self.score = np.empty(0, dtype=np.float32)
        self.limit = 4 * count * len(queries)

    def add(self, first: int, scores: Floats) -> None:
        """Look through scores (Q, N) of the rows from `first` on."""
        if self.row.size == 0 and self.count <= scores.shape[1]:
            # Nothing is known yet and every row would pass. The best of a few rows are a threshold already.
            least = np.partition(scores[:, : 4 * self.count + 4096], -self.count, axis=1)[:, -self.count]
            self.threshold = np.maximum(self.threshold, least - self.margin)
        # Few blocks hold a new best row for a given query, and a maximum is cheap to find.
        (hopeful,) = np.nonzero(scores.max(axis=1) >= self.threshold)
        if hopeful.size == 0:
            return
        sifted = scores[hopeful]
        which, column = np.nonzero(sifted >= self.threshold[hopeful, None])
        self.number = np.concatenate([self.number, hopeful[which]])
        self.row = np.concatenate([self.row, first + column])
        self.score = np.concatenate([self.score, sifted[which, column]])
        if self.row.size > self.limit:
            self._shake()

    def _shake(self) -> None:
        """Raise the thresholds and drop what is now below them."""
        order = np.lexsort((self.row, -self.score, self.number))
        rank = self._sort(order)
        least = rank == self.count - 1
        self.threshold[self.number[least]] = self.score[least] - self.margin
        self._keep(self.score >= self.threshold[self.number])
        # Thousands of equal rows stay within the margin; only exact scores and the row order can part them.
        if self.row.size > self.limit:
            self._keep_best()

    def _keep_best(self) -> None:
        """Score all that is left in double precision; keep the best `count` of each query, sorted."""
        for number, mine in enumerate(self._spans()):
            self.score[mine] = exact_cosines(self.matrix, self.row[mine], self.queries[number])
        rank = self._sort(np.lexsort((self.row, -self.score, self.number)))
        self._keep(rank < self.count)

    def _sort(self, order: Ids) -> Ids:
        """Sort the rows by query; return each one's place among those of its query."""
        self._keep(order)
        return np.arange(len(order)) - np.searchsorted(self.number, self.number)

    def _keep(self, which: Ids | npt.NDArray[np.bool_]) -> None:
        self.number, self.row, self.score = self.number[which], self.row[which], self.score[which]

    def _spans(self) -> list[slice]:
        """Return where each query's rows lie, once they are sorted by query."""
        ends = np.searchsorted(self.number, np.arange(len(self.queries) + 1)).tolist()
        return [slice(*pair) for pair in pairwise(ends)]

    def answers(self) -> list[Answer]:
        """Return the best rows of each query and their exact scores."""
        self._shake()
        self._keep_best()
        return [(self.row[mine], self.score[mine]) for mine in self._spans()]


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
    error = error_bound(blocks.matrix.shape[1]) / 2
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
