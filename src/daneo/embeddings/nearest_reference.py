"""The definition of nearest rows: every cosine in double precision, then a sort. Slow, and easy to believe."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def cosine(x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> np.float32:
    """Return x . y / (|x| |y|) as a float32; 0 if x or y is a zero vector, NaN if either is not finite. Shapes (D,)."""
    lengths = np.sqrt(np.sum(x * x)), np.sqrt(np.sum(y * y))
    if not np.all(np.isfinite(lengths)):
        return np.float32(np.nan)
    if 0.0 in lengths:
        return np.float32(0)
    return np.float32(np.sum((x / lengths[0]) * (y / lengths[1])))


def cosmul(
    x: npt.NDArray[np.float64], positive: npt.NDArray[np.float64], negative: npt.NDArray[np.float64]
) -> np.float32:
    """Return the product of (1 + cos) / 2 over `positive` by that over `negative` plus 1e-6; cosines as float32."""
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
