"""How many of the true neighbours an index finds, and how fast, against our own exact search."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from daneo.embeddings.nearest import nearest_rows
from daneo.embeddings.row_blocks import Doubles, RowBlocks, unit
from daneo.embeddings.rows import Ids
from daneo.embeddings.sieve import Answer

NUM_NEIGHBOURS = 10
NUM_QUESTIONS = 2048
BATCH = 64
NUM_SINGLE = 64

Search = Callable[[Doubles, int], list[Answer]]
"""Directions, float64 (Q, D), and how many rows to return for each."""


@dataclass(frozen=True, eq=False)
class Questions:
    """Words and their true neighbours.

    Attributes
    ----------
    rows : int64 array of shape (Q,)
        The words.
    units : float64 array of shape (Q, D)
        Their directions.
    least : list of Q floats
        The cosine of each word's tenth neighbour; of the last one, where there are fewer.
    counts : list of Q ints
        How many neighbours there are, at most ten.
    rate : float
        Questions a second that the exact search answered, in batches.
    """

    rows: Ids
    units: Doubles
    least: list[float]
    counts: list[int]
    rate: float

    def hits(self, search: Search) -> tuple[Doubles, float]:
        """Return the share of its neighbours that each question's answer has, (Q,), and questions a second."""
        answers, rate = _timed(search, self.units, BATCH)
        shares = np.empty(len(self.rows))
        for number, ((_, scores), least, count) in enumerate(
            zip(without_own(answers, self.rows), self.least, self.counts, strict=True)
        ):
            shares[number] = np.count_nonzero(scores >= least) / count
        return shares, rate


def ask(blocks: RowBlocks, rows: Ids, report: Callable[[int], None] | None = None) -> Questions:
    """Search for the neighbours of some rows, int64 (Q,), exactly.

    Rows must have a direction, and there must be another one. `report` is told now and then how many are answered.
    """
    units = unit(blocks.matrix[rows])
    answers, rate = _timed(exact_search(blocks), units, BATCH, report)
    scores = [scores for _, scores in without_own(answers, rows)]
    return Questions(rows, units, [float(own[-1]) for own in scores], [len(own) for own in scores], rate)


def exact_search(blocks: RowBlocks) -> Search:
    """Return the search that an index is measured by."""
    num_rows = len(blocks.matrix)
    return lambda units, count: nearest_rows(blocks, units, min(count, num_rows), 0, num_rows)


def single_rate(search: Search, units: Doubles) -> float:
    """Return how many questions a second are answered one by one."""
    _, rate = _timed(search, units[:NUM_SINGLE], 1)
    return rate


def _timed(
    search: Search, units: Doubles, batch: int, report: Callable[[int], None] | None = None
) -> tuple[list[Answer], float]:
    """Ask batch by batch; the rate is that of the batch of median time, so that a pause of the machine is no matter."""
    search(units[:batch], NUM_NEIGHBOURS + 1)  # what is done once: rows are measured, kernels loaded
    answers: list[Answer] = []
    rates = []
    for first in range(0, len(units), batch):
        part = units[first : first + batch]
        began = time.perf_counter()
        answers += search(part, NUM_NEIGHBOURS + 1)
        rates.append(len(part) / (time.perf_counter() - began))
        if report is not None:
            report(len(answers))
    return answers, statistics.median(rates)


def without_own(answers: list[Answer], rows: Ids) -> list[Answer]:
    """Leave the questions' own rows out of their answers, and what is more than ten."""
    found = []
    for (near, scores), own in zip(answers, rows.tolist(), strict=True):
        others = near != own
        found.append((near[others][:NUM_NEIGHBOURS], scores[others][:NUM_NEIGHBOURS]))
    return found


def drawn_rows(blocks: RowBlocks, rng: np.random.Generator) -> tuple[Ids, Ids]:
    """Draw rows that have a direction, evenly: some to choose by and others to report of, at most 2,048 each.

    Where there are too few for both, they share some.

    Raises
    ------
    ValueError
        There are not two such rows.
    """
    lengths = blocks.lengths()
    usable = rng.permutation(np.flatnonzero(lengths > 0))  # NaN, of a row that is not finite, is not
    if len(usable) < 2:
        raise ValueError(f"An index needs at least 2 words with a direction, got {len(usable)} of {len(lengths)}.")
    # In the order of the rows, which may lie in a file.
    return np.sort(usable[:NUM_QUESTIONS]), np.sort(usable[-NUM_QUESTIONS:])


def fewest_candidates(questions: Questions, search_with: Callable[[int], Search], recall: float, most: int) -> int:
    """Return the smallest expansion with which the recall is reached; the largest one tried if none does.

    Parameters
    ----------
    questions : Questions
    search_with : callable
        Gives the search that keeps so many candidates.
    recall : float
        The mean share of true neighbours, less its standard error, must be at least this.
    most : int
        Where to give up.
    """
    expansion = min(16, most)
    while True:
        shares, _ = questions.hits(search_with(expansion))
        error = float(shares.std()) / len(shares) ** 0.5
        if shares.mean() - error >= recall or expansion >= most:
            return expansion
        expansion = min(most, expansion + max(8, expansion // 32 * 8))
