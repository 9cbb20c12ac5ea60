"""What a step of GloVe does, on vector registers.

Same name, arguments and meaning as in glove_reference.py. The matrices are C-contiguous float32, `width` a multiple of
LANES. Nothing is checked. Threads may train at the same time on pairs that have no word and no context in common.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from daneo.embeddings.block_products_kernels import compiled_fast, prefetch_row
from daneo.embeddings.float_lanes_kernels import (
    LANES,
    fma,
    fnma,
    inverse_square_root,
    lane_sum,
    load,
    multiply,
    splat,
    store,
    zero,
)

Floats = npt.NDArray[np.float32]

AHEAD = 4  # pairs; memory answers about as long after it was asked


@compiled_fast
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
    """Train one pair after the other."""
    width, num_pairs = word_rates.shape[1], len(rows)
    loss = 0.0
    for k in range(num_pairs):
        if k + AHEAD < num_pairs:
            prefetch_row(words, first_word + np.int64(rows[k + AHEAD]) * stride)
            prefetch_row(contexts, first_context + np.int64(columns[k + AHEAD]) * stride)
        i, j = first_word + np.int64(rows[k]) * stride, first_context + np.int64(columns[k]) * stride
        product = zero()
        for d in range(0, width, LANES):
            product = fma(load(words, i, d), load(contexts, j, d), product)
        log_count = log_counts[k]
        difference = lane_sum(product) - log_count
        weighted = difference
        if log_count < log_x_max:
            weighted *= np.float32(math.exp(alpha * (log_count - log_x_max)))
        loss += 0.5 * weighted * difference
        gradient = splat(np.float32(weighted))
        for d in range(0, width, LANES):
            w, g_w = load(words, i, d), load(words, i, width + d)
            c, g_c = load(contexts, j, d), load(contexts, j, width + d)
            word_step = multiply(multiply(gradient, load(word_rates, 0, d)), c)
            context_step = multiply(multiply(gradient, load(context_rates, 0, d)), w)
            store(words, i, d, fnma(word_step, inverse_square_root(g_w), w))
            store(contexts, j, d, fnma(context_step, inverse_square_root(g_c), c))
            store(words, i, width + d, fma(word_step, word_step, g_w))
            store(contexts, j, width + d, fma(context_step, context_step, g_c))
    return loss
