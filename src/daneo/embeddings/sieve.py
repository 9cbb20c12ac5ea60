"""What is left of many rows when only the best few of each query are kept."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from daneo.embeddings.row_blocks import Doubles, exact_cosines
from daneo.embeddings.rows import Floats, Ids, Rows

Answer = tuple[Ids, Floats]
"""Rows, best first, and their scores."""


class Sieve:
    """The rows seen so far that can still be among the best `count` of their query.

    They lie in three flat arrays, for all queries together: `number` of the query, `row`, float32 `score`. A query's
    `threshold` is what a new row must reach: the least of its best `count` scores, less the error of both.

    Parameters
    ----------
    matrix : float32 array of shape (V, D), or Rows
    queries : float64 array of shape (Q, D)
        Of length 1 or 0 each.
    count : int
        At least 1.
    error : float
        How far a score that is given to the sieve can be from the true cosine.
    """

    def __init__(self, matrix: Rows, queries: Doubles, count: int, error: float) -> None:
        self.matrix, self.queries, self.count = matrix, queries, count
        self.margin = np.float32(2 * error)
        self.threshold = np.full(len(queries), -np.finfo(np.float32).max, dtype=np.float32)
        self.number = self.row = np.empty(0, dtype=np.int64)
        self.score = np.empty(0, dtype=np.float32)
        self.limit = 4 * count * len(queries)

    def add_block(self, first: int, scores: Floats) -> None:
        """Look through the scores (Q, N) of all rows from `first` on; -inf bars a row."""
        if self.row.size == 0 and self.count <= scores.shape[1]:
            # Nothing is known yet and every row would pass. The best of a few rows are a threshold already.
            least = np.partition(scores[:, : 4 * self.count + 4096], -self.count, axis=1)[:, -self.count]
            self.threshold = np.maximum(self.threshold, least - self.margin)
        # Few blocks hold a new best row for a given query, and a maximum is cheap to find.
        (hopeful,) = np.nonzero(scores.max(axis=1) >= self.threshold)
        sifted = scores[hopeful]
        which, column = np.nonzero(sifted >= self.threshold[hopeful, None])
        self.add(hopeful[which], first + column, sifted[which, column])

    def add(self, number: Ids, row: Ids, score: Floats) -> None:
        """Add single rows, each with the number of its query and its score."""
        if row.size == 0:
            return
        self.number = np.concatenate([self.number, number])
        self.row = np.concatenate([self.row, row])
        self.score = np.concatenate([self.score, score])
        if self.row.size > self.limit:
            self._shake()

    def answers(self) -> list[Answer]:
        """Return the best rows of each query and their exact scores."""
        self._shake()
        self._keep_best()
        return [(self.row[mine], self.score[mine]) for mine in self._spans()]

    def _shake(self) -> None:
        """Raise the thresholds and drop what is now below them."""
        rank = self._sort()
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
        self._keep(self._sort() < self.count)

    def _sort(self) -> Ids:
        """Sort by query, then the best first, equal ones by row; return each one's place within its query."""
        self._keep(np.lexsort((self.row, -self.score, self.number)))
        return np.arange(len(self.number)) - np.searchsorted(self.number, self.number)

    def _keep(self, which: Ids | npt.NDArray[np.bool_]) -> None:
        self.number, self.row, self.score = self.number[which], self.row[which], self.score[which]

    def _spans(self) -> list[slice]:
        """Return where each query's rows lie, once they are sorted by query."""
        ends = np.searchsorted(self.number, np.arange(len(self.queries) + 1)).tolist()
        return [slice(*pair) for pair in pairwise(ends)]
