"""Positive pointwise mutual information and its reduction: the definition, in plain NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]

NOISE = 1e-6  # counts are float32, so that a smaller value says nothing


def ppmi(counts: npt.ArrayLike, alpha: float, shift: float) -> Doubles:
    """max(0, log(P(w, c) / (P(w) P_alpha(c))) - log(shift)), with P_alpha(c) = count(c)**alpha / sum(count**alpha).

    Levy, Goldberg and Dagan (2015), sections 2.1, 3.2. counts (V, C); 0 where a pair was never seen.
    """
    X = np.asarray(counts, dtype=np.float64)
    smoothed = np.where(X.sum(axis=0) > 0, X.sum(axis=0) ** alpha, 0)
    joint, of_word, of_context = X / X.sum(), X.sum(axis=1) / X.sum(), smoothed / smoothed.sum()
    values = np.zeros(X.shape)
    for w, c in zip(*np.nonzero(X), strict=True):
        values[w, c] = np.log(joint[w, c] / (of_word[w] * of_context[c])) - np.log(shift)
    return np.where(values > NOISE, values, 0)


def reduce(matrix: npt.ArrayLike, vector_size: int, power: float) -> tuple[Doubles, Doubles]:
    """U S**power of the singular value decomposition U S V', its first columns; and S.

    A column's number of greatest size is positive. Columns beyond the matrix's rank are zeros.
    """
    U, S, _ = np.linalg.svd(np.asarray(matrix, dtype=np.float64), full_matrices=False)
    is_there = S[0] * 1e-5 < S
    largest = np.abs(U).argmax(axis=0)
    vectors = U * np.sign(U[largest, np.arange(len(S))]) * np.where(is_there, S, 0) ** power * is_there
    return _widened(vectors, vector_size), _widened(np.where(is_there, S, 0), vector_size)


def _widened(array: Doubles, size: int) -> Any:
    missing = max(0, size - array.shape[-1])
    return np.pad(array[..., :size], [(0, 0)] * (array.ndim - 1) + [(0, missing)])
