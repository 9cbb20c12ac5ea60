"""The definition of nearest rows: every cosine in double precision, then a sort. Slow, and easy to believe.

Also that of the coarse sift, which `nearest_kernels.py` has fast.
"""

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


def sift_rows(
    matrix: npt.NDArray[np.float32],
    scales: npt.NDArray[np.float32],
    queries: npt.NDArray[np.int32],
    thresholds: npt.NDArray[np.int32],
    found: npt.NDArray[np.int64],
    scores: npt.NDArray[np.int32],
) -> int:
    """Find the rows whose products with a query, in whole numbers, reach the query's threshold.

    Row r stands for the whole numbers rint(matrix[r] * scales[r]), or for zeros where its scale is not above 0.
    matrix (N, D); scales (N,); queries (P, ceil(D / 2), W): P panels of W queries, each number two int16 that follow
    each other in a query; thresholds (P, W), below 2**31 - 2**30.
    found, scores (at least N P W,): for each product that passes, in any order, (row P + panel) W + query, and the
    product. Returns how many there are.
    """
    num_panels, num_pairs, width = queries.shape
    whole = np.zeros((len(matrix), 2 * num_pairs), dtype=np.int64)
    is_scaled = scales > 0
    whole[is_scaled, : matrix.shape[1]] = np.rint(matrix[is_scaled] * scales[is_scaled, None])
    pairs = queries.view(np.int16).reshape(num_panels, num_pairs, width, 2)
    one_by_one = pairs.transpose(0, 2, 1, 3).reshape(num_panels * width, 2 * num_pairs)
    products = whole @ one_by_one.astype(np.int64).T
    rows, columns = np.nonzero(products >= thresholds.reshape(-1))
    count = len(rows)
    found[:count] = rows * (num_panels * width) + columns
    scores[:count] = products[rows, columns]
    return count


def dot_tile(
    rows: npt.NDArray[np.int32],
    queries: npt.NDArray[np.int32],
    dots: npt.NDArray[np.int32],
    ahead: npt.NDArray[np.float32],
) -> None:
    """Overwrite dots (R, Q) with rows (R, N) . queries (N, Q), where a number is a pair of int16, the lower half first.

    The product of two pairs is the sum of the products of their parts.

    `ahead` is what the caller will read next; it changes nothing.
    """
    left = rows.view(np.int16).reshape(*rows.shape, 2).astype(np.int32)
    right = queries.view(np.int16).reshape(*queries.shape, 2).astype(np.int32)
    dots[:] = np.einsum("rnp,nqp->rq", left, right)
