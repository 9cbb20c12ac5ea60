"""The definition of nearest rows: every cosine in double precision, then a sort. Slow, and easy to believe."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def cosine(x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> np.float32:
    """Return x . y / (|x| |y|), rounded to a multiple of 2^-24; 0 if x or y is a zero vector, NaN if one is not finite.

    Shapes (D,). Shorter than 1e-30 is a zero vector, 3e38 and longer is infinite.
    """
    lengths = np.sqrt(np.sum(x * x)), np.sqrt(np.sum(y * y))
    if not (lengths[0] < 3e38 and lengths[1] < 3e38):
        return np.float32(np.nan)
    if min(lengths) < 1e-30:
        return np.float32(0)
    return np.float32(np.rint(np.sum((x / lengths[0]) * (y / lengths[1])) * 2**24) / 2**24)


def cosmul(
    x: npt.NDArray[np.float64], positive: npt.NDArray[np.float64], negative: npt.NDArray[np.float64]
) -> np.float32:
    """Return the product of (1 + cos) / 2 over `positive` (P, D) by that over `negative` (N, D) plus 1e-6; x (D,)."""
    numerator = np.prod([(1 + np.float64(cosine(x, y))) / 2 for y in positive])
    denominator = np.prod([(1 + np.float64(cosine(x, y))) / 2 for y in negative])
    return np.float32(numerator / (denominator + 1e-6))


def nearest_rows(
    matrix: npt.NDArray[np.float32], queries: npt.NDArray[np.float64], count: int, start: int, stop: int
) -> list[tuple[list[int], list[np.float32]]]:
    """Return, for each query, the `count` rows from `start` to `stop` with the greatest cosine, and the cosines.

    Equal cosines come in the order of the rows; a row that is not finite is never an answer.
    matrix (V, D); queries (Q, D).
    """
    answers = []
    for query in queries:
        scores = {row: cosine(matrix[row].astype(np.float64), query) for row in range(start, stop)}
        ranked = sorted((row for row in scores if not np.isnan(scores[row])), key=lambda row: (-scores[row], row))
        answers.append((ranked[:count], [scores[row] for row in ranked[:count]]))
    return answers
