"""The small matrix products of a training step, as definitions: plain NumPy.

A step works on a block of rows: X (M, P), the input vectors it touches, and Y (N, P), the output vectors. Everything it
does with them is three products, X @ Y.T, G @ Y and G.T @ X, and a sigmoid.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Ids = npt.NDArray[np.int64]


def zero_rows(num_rows: int, width: int) -> Floats:
    """A block of zeros."""
    return np.zeros((num_rows, width), np.float32)


def gather(matrix: Floats, rows: Ids, count: int, block: Floats) -> None:
    """Copy rows of `matrix` into `block`: block[j] = matrix[rows[j]] for j < count."""
    block[:count] = matrix[rows[:count]]


def scores(x: Floats, num_x: int, y: Floats, num_y: int, out: Floats) -> None:
    """out[j, k] = x[j] . y[k]."""
    out[:num_x, :num_y] = x[:num_x] @ y[:num_y].T


def add_products(matrix: Floats, rows: Ids, num_rows: int, factors: Floats, block: Floats, num_terms: int) -> None:
    """matrix[rows[j]] += sum over k of factors[j, k] * block[k]; a row that comes twice is added to twice."""
    np.add.at(matrix, rows[:num_rows], factors[:num_rows, :num_terms] @ block[:num_terms])


def mean_of_rows(
    matrix: Floats,
    rows: Ids,
    words: Ids,
    first: int,
    center: int,
    last: int,
    weights: Floats,
    block: Floats,
    index: int,
) -> None:
    """block[index] = the mean of matrix[rows[words[j]]] for j from first to last without center; there must be one.

    If there are weights, (W, P), each row is multiplied by weights[W // 2 + j - center].
    """
    places = np.delete(np.arange(first, last), center - first)
    weight = weights[len(weights) // 2 + places - center] if len(weights) else np.float32(1)
    block[index] = (weight * matrix[rows[words[places]]]).mean(axis=0)


def add_to_rows(
    matrix: Floats,
    rows: Ids,
    words: Ids,
    first: int,
    center: int,
    last: int,
    weights: Floats,
    block: Floats,
    index: int,
) -> None:
    """matrix[rows[words[j]]] += block[index] for j from first to last without center, one after the other.

    If there are weights, a row gets block[index] times its weights, and they get block[index] times the row's share of
    the mean.
    """
    for j in np.delete(np.arange(first, last), center - first):
        row, place = rows[words[j]], len(weights) // 2 + j - center
        before = matrix[row].copy()
        matrix[row] += block[index] * (weights[place] if len(weights) else np.float32(1))
        if len(weights):
            weights[place] += block[index] * before / (last - first - 1)


def scores_of_row(block: Floats, index: int, matrix: Floats, rows: Ids, count: int, out: Floats) -> None:
    """out[index, k] = block[index] . matrix[rows[k]]."""
    out[index, :count] = matrix[rows[:count]] @ block[index]


def update_rows_and_row(
    matrix: Floats, rows: Ids, count: int, factors: Floats, block: Floats, change: Floats, index: int
) -> None:
    """change[index] = the sum of factors[index, k] * matrix[rows[k]]; then the rows += factors * block[index].

    The rows are read before they are changed; no row comes twice but one whose factor is 0.
    """
    change[index] = factors[index, :count] @ matrix[rows[:count]]
    np.add.at(matrix, rows[:count], np.outer(factors[index, :count], block[index]))


def prefetch_row(matrix: Floats, row: int) -> None:
    """Ask for a row before it is needed: nothing, where there is no cache to fill."""


def gradients(score: Floats, weight: Floats, num_rows: int, num_columns: int) -> float:
    """Turn scores into the factors of the update, in place, and return the weighted loss.

    For one pair with score s and weight w, w > 0 for an observed pair and w < 0 for noise, with z = sign(w):
    loss = -|w| log sigmoid(z s), and the factor is minus its derivative by s, w (1 - sigmoid(z s)).
    """
    s, w = (array[:num_rows, :num_columns].astype(np.float64) for array in (score, weight))
    z = np.sign(w)
    loss = np.sum(np.abs(w) * np.logaddexp(0, -z * s))
    score[:num_rows, :num_columns] = w / (1 + np.exp(z * s))
    return float(loss)
