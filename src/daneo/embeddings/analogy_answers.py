"""Answers to thousands of analogy questions at once.

The score of a word x, cos(x, b) - cos(x, a) + cos(x, c), needs only the cosines of x with the few hundred words that
the questions are made of: one small product instead of one a question. What is left is an addition and a maximum.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from daneo.embeddings.row_blocks import RowBlocks
from daneo.embeddings.rows import Floats, Ids

_EPSILON = np.float32(1e-6)  # as in nearest_by_product


def answer_analogies(blocks: RowBlocks, questions: Ids, same_word: Ids, *, multiply: bool) -> Ids:
    """Return the row that answers each question; -1 where no row is left to answer.

    Parameters
    ----------
    blocks : RowBlocks over a matrix of shape (V, D)
    questions : int64 array of shape (N, 3)
        Rows a, b, c of "a is to b as c is to ?", below L, of finite vectors.
    same_word : int64 array of shape (L,)
        For each row that may answer, the first row of a word like its own; a, b and c are such first rows.
        Rows like a, b or c are never the answer.
    multiply : bool
        Maximise the 3CosMul quotient instead of the sum.

    Returns
    -------
    int64 array of shape (N,)
        Of equal scores, the lowest row. Scores are float32.

    Notes
    -----
    Cost: T L D multiplications for the T words that the questions are made of, and N L additions.
    """
    if len(questions) == 0:
        return np.empty(0, dtype=np.int64)
    terms, numbers = np.unique(questions, return_inverse=True)
    # Questions with the same a and b share most of the work, so they are answered together.
    order = np.lexsort(numbers.reshape(-1, 3).T[::-1])
    a, b, c = numbers.reshape(-1, 3)[order].T
    ends = np.flatnonzero(np.diff(a * len(terms) + b, prepend=-1, append=-1)).tolist()
    groups = [slice(*pair) for pair in pairwise(ends)]
    best = np.full(len(questions), -np.inf, dtype=np.float32)
    answers = np.full(len(questions), -1, dtype=np.int64)
    for first, cosines, broken in blocks.cosines_of(terms, 0, len(same_word)):
        cosines[:, broken] = 0
        plus, minus = _addends(cosines, multiply=multiply)
        alike = _columns_alike(terms, same_word[first : first + cosines.shape[1]])
        for term, columns in enumerate(alike):
            plus[term, columns] = -np.inf
        for group in groups:
            one, other = a[group.start], b[group.start]
            shared = plus[other] - minus[one]
            shared[broken] = shared[alike[one]] = -np.inf
            scores = plus[c[group]]
            scores += shared
            column = scores.argmax(axis=1)
            score = scores[np.arange(len(column)), column]
            better = score > best[group]
            best[group][better] = score[better]
            answers[group][better] = first + column[better]
    in_order = np.empty_like(answers)
    in_order[order] = answers
    return in_order


def _addends(cosines: Floats, *, multiply: bool) -> tuple[Floats, Floats]:
    """Return what a word adds to the score as b or c, and what it takes off as a. The first may be overwritten."""
    if not multiply:
        return cosines, cosines.copy()
    halves = np.maximum((1 + cosines) / 2, 0)
    with np.errstate(divide="ignore"):
        plus: Floats = np.log(halves)
    return plus, np.log(halves + _EPSILON)


def _columns_alike(terms: Ids, same_word: Ids) -> list[Ids]:
    """Return, for each term, the columns whose words are like it. `terms` is sorted."""
    place = np.searchsorted(terms, same_word).clip(max=len(terms) - 1)
    (columns,) = np.nonzero(terms[place] == same_word)
    columns = columns[np.argsort(place[columns], kind="stable")]
    return np.split(columns, np.searchsorted(place[columns], np.arange(1, len(terms))))
