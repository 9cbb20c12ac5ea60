"""The small matrix products of a training step, as definitions: plain NumPy.

A step works on a block of rows: X (M, P), the input vectors it touches, and Y (N, P), the output vectors. Everything it
does with them is three products, X @ Y.T, G @ Y and G.T @ X, and a sigmoid.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Ids = npt.NDArray[np.int64]


def gather(matrix: Floats, rows: Ids, count: int, block: Floats) -> None:
    """Copy rows of `matrix` into `block`: block[j] = matrix[rows[j]] for j < count."""
    block[:count] = matrix[rows[:count]]


def scores(x: Floats, num_x: int, y: Floats, num_y: int, out: Floats) -> None:
    """out[j, k] = x[j] . y[k]."""
    out[:num_x, :num_y] = x[:num_x] @ y[:num_y].T


def add_products(matrix: Floats, rows: Ids, num_rows: int, factors: Floats, block: Floats, num_terms: int) -> None:
    """matrix[rows[j]] += sum over k of factors[j, k] * block[k]; a row that comes twice is added to twice."""
    np.add.at(matrix, rows[:num_rows], factors[:num_rows, :num_terms] @ block[:num_terms])


def add_row(matrix: Floats, row: int, block: Floats, index: int) -> None:
    """matrix[row] += block[index]."""
    matrix[row] += block[index]


def add_scaled_row(block: Floats, index: int, matrix: Floats, row: int, scale: float) -> None:
    """block[index] += scale * matrix[row]."""
    block[index] += np.float32(scale) * matrix[row]


def prefetch_row(matrix: Floats, row: int) -> None:
    """Ask for a row before it is needed: nothing, where there is no cache to fill."""


def gradients(score: Floats, sign: Floats, weight: Floats, num_rows: int, num_columns: int) -> float:
    """Turn scores into the factors of the update, in place, and return the weighted loss.

    For one pair with score s, sign z (+1 observed, -1 noise) and weight w:
    loss = -w log sigmoid(z s), and the factor is minus its derivative by s, w z (1 - sigmoid(z s)).
    """
    s, z, w = (array[:num_rows, :num_columns].astype(np.float64) for array in (score, sign, weight))
    loss = np.sum(w * np.logaddexp(0, -z * s))
    score[:num_rows, :num_columns] = w * z / (1 + np.exp(z * s))
    return float(loss)
