"""A search that scores the candidates of a graph instead of all rows."""

from __future__ import annotations

import numpy as np

from daneo.embeddings.nearest import nearest_rows
from daneo.embeddings.neighbour_index_candidates import CandidateGraph
from daneo.embeddings.neighbour_index_recall import Search
from daneo.embeddings.row_blocks import Doubles, RowBlocks, rounded, unit
from daneo.embeddings.sieve import Answer

_SCORED_BYTES = 8 << 20  # of candidates' vectors at a time, in double precision


class CandidateSearch:
    """Half as many candidates again as are asked for, and of these the best, with the scores of exact search.

    The graph's own scores are of rounded directions: good enough to find candidates, not to rank them.

    Parameters
    ----------
    blocks : RowBlocks over a matrix of shape (V, D)
        The rows that the graph was made of.
    graph : CandidateGraph
    num_threads : int
    """

    def __init__(self, blocks: RowBlocks, graph: CandidateGraph, num_threads: int) -> None:
        self._blocks, self._graph, self._num_threads = blocks, graph, num_threads

    def keeping(self, expansion: int) -> Search:
        """Return the search whose walks keep so many candidates."""
        return lambda queries, count: self._answers(queries, count, expansion)

    def _answers(self, queries: Doubles, count: int, expansion: int) -> list[Answer]:
        wanted = count + -(-count // 2)
        # No way leads to a zero vector; and nearly all rows may be candidates.
        is_exact = (queries == 0).all(axis=1) | (wanted >= len(self._graph))
        num_rows = len(self._blocks.matrix)
        exact = iter(nearest_rows(self._blocks, queries[is_exact], min(count, num_rows), 0, num_rows))
        scored = iter(self._all_scored(queries[~is_exact], wanted, count, expansion))
        return [next(exact if here else scored) for here in is_exact.tolist()]

    def _all_scored(self, queries: Doubles, wanted: int, count: int, expansion: int) -> list[Answer]:
        answers: list[Answer] = []
        step = max(1, _SCORED_BYTES // (8 * wanted * queries.shape[1]))
        for first in range(0, len(queries), step):
            answers += self._scored(queries[first : first + step], wanted, count, expansion)
        return answers

    def _scored(self, queries: Doubles, wanted: int, count: int, expansion: int) -> list[Answer]:
        rows, is_there = self._graph.candidates(queries, wanted, expansion, self._num_threads)
        units = unit(self._blocks.matrix[rows.reshape(-1)]).reshape(*rows.shape, -1)
        scores = rounded(np.einsum("qcd,qd->qc", units, queries))
        answers = []
        for own, near, found in zip(rows, scores, is_there.sum(axis=1).tolist(), strict=True):
            best = np.lexsort((own[:found], -near[:found]))[:count]
            answers.append((own[best], near[best]))
        return answers
