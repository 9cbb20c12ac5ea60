"""What a step of GloVe does, in NumPy.

A pair of words i and j with X[i, j] = exp(log_count) has the loss (Pennington et al. 2014, equation 8)

    J = f(X) / 2 * (w_i . c_j + b_i + b_j - log X)^2      f(X) = min(1, (X / x_max)^alpha)

The biases are two more columns: a word's row is (w_i, b_i, 1), a context's (c_j, 1, b_j), so that one product is the
sum in the brackets. A row goes on with the sums of its squared steps, which AdaGrad divides by (Duchi et al. 2011):

    row     = (w_1 ... w_D, b_i, 1, padding; g_1 ... g_D, g_b, 1, padding)
    step    = rate * dJ/dw        w -= step / sqrt(g)        g += step^2

`rates` has a rate for each column: the learning rate for vectors, 1 for biases, as in Stanford's program, and 0 for the
ones and the padding, which therefore stay.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]


def train_pairs(
    words: Floats,
    contexts: Floats,
    word_rates: Floats,
    context_rates: Floats,
    rows: npt.NDArray[np.uint16],
    columns: npt.NDArray[np.uint16],
    log_counts: Floats,
    first_word: int,
    first_context: int,
    stride: int,
    log_x_max: float,
    alpha: float,
) -> float:
    """Train one pair after the other.

    Parameters
    ----------
    words, contexts : float32 arrays of shape (V, 2 * width)
        Changed in place.
    word_rates, context_rates : float32 arrays of shape (1, width)
    rows, columns : uint16 arrays of shape (N,)
        Pair k is of the word first_word + rows[k] * stride and the context first_context + columns[k] * stride.
    log_counts : float32 array of shape (N,)
    log_x_max, alpha : float

    Returns
    -------
    float
        The loss, summed over the pairs, each before its step.
    """
    width = word_rates.shape[1]
    loss = 0.0
    for row, column, log_count in zip(rows.tolist(), columns.tolist(), log_counts, strict=True):
        word, context = words[first_word + row * stride], contexts[first_context + column * stride]
        w, g_w, c, g_c = word[:width], word[width:], context[:width], context[width:]
        difference = w @ c - log_count
        weighted = min(1.0, math.exp(alpha * (log_count - log_x_max))) * difference
        loss += 0.5 * weighted * difference
        word_steps, context_steps = word_rates[0] * weighted * c, context_rates[0] * weighted * w
        w -= word_steps / np.sqrt(g_w)
        c -= context_steps / np.sqrt(g_c)
        g_w += word_steps**2
        g_c += context_steps**2
    return float(loss)
