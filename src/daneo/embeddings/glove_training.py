"""What a training of GloVe goes through: the matrices to begin with, and tiles of pairs in an order."""

from __future__ import annotations

import math
import threading

import numpy as np
import numpy.typing as npt

from daneo.embeddings.glove_config import GloVeConfig
from daneo.embeddings.glove_pairs import GlovePairs
from daneo.embeddings.word2vec_matrices import LANES, Floats, padded_rows

BIAS_RATE = 1.0  # as in Stanford's program, where only vectors take steps of the learning rate


def width_of(vector_size: int) -> int:
    """Return the columns of a row: the vector, its bias, a one, and zeros up to a multiple of LANES."""
    return -(-(vector_size + 2) // LANES) * LANES


def initial_rows(num_words: int, vector_size: int, seed: int, *, bias: int) -> Floats:
    """Return rows to begin with, (V, 2 * width): see glove_reference.py.

    Vectors and biases are uniform numbers from -0.5 / D to 0.5 / D, as in Stanford's program; squares begin with 1.

    Parameters
    ----------
    num_words, vector_size : int
    seed : int
    bias : int
        The column of the bias, D or D + 1; the other one of the two is 1.
    """
    width = width_of(vector_size)
    rows = padded_rows(num_words, 2 * width)[:-1]
    random = np.random.default_rng([seed, bias - vector_size])
    numbers = (random.random((num_words, vector_size + 1), dtype=np.float32) - np.float32(0.5)) / np.float32(
        vector_size
    )
    rows[:, :vector_size] = numbers[:, :-1]
    rows[:, bias] = numbers[:, -1]
    rows[:, 2 * vector_size + 1 - bias] = 1
    rows[:, width:] = 1
    return rows


def rates(config: GloVeConfig, *, bias: int) -> Floats:
    """Return each column's rate, (1, width)."""
    rates = np.zeros((1, width_of(config.vector_size)), np.float32)
    rates[0, : config.vector_size] = config.learning_rate
    rates[0, bias] = BIAS_RATE
    return rates


class TilePieces:
    """Tiles of pairs as `daneo.embeddings.training_run.Pieces`, in rounds whose tiles have no word in common.

    Round s has the tiles (p, p + s modulo P), p = 0 ... P - 1. A round begins when the one before it is over, so what
    is learned does not depend on how many threads share a round.

    Parameters
    ----------
    config : GloVeConfig
    pairs : GlovePairs
    words, contexts : float32 arrays of shape (V, 2 * width)
    begun : int
        Tiles trained before, in all epochs: where training goes on.
    """

    unit = "pairs"

    def __init__(self, config: GloVeConfig, pairs: GlovePairs, words: Floats, contexts: Floats, begun: int) -> None:
        self.total = pairs.num_pairs
        self._pairs, self._words, self._contexts = pairs, words, contexts
        size = config.vector_size
        self._rates = rates(config, bias=size), rates(config, bias=size + 1)
        self._curve = math.log(config.weighs_fully(pairs.num_tokens)), config.alpha
        self._ended = begun
        self._news = threading.Condition()

    def __len__(self) -> int:
        return self._pairs.num_blocks**2

    def train(self, thread: int, epoch: int, number: int, learning_rate: float) -> tuple[float, int, int]:
        """Train the number-th tile once the round before its own is over. AdaGrad has no use for the rate."""
        from daneo.embeddings.glove_kernels import train_pairs

        round, word_block = divmod(number, self._pairs.num_blocks)
        context_block = (word_block + round) % self._pairs.num_blocks
        first_of_round = epoch * len(self) + round * self._pairs.num_blocks
        with self._news:
            self._news.wait_for(lambda: self._ended >= first_of_round)
        try:
            rows, columns, log_counts = self._pairs.tile(word_block, context_block)
            tile = (rows, columns, log_counts, word_block, context_block, self._pairs.num_blocks)
            loss = train_pairs(self._words, self._contexts, *self._rates, *tile, *self._curve)
        finally:  # whoever waits for this tile must not wait for ever
            with self._news:
                self._ended += 1
                self._news.notify_all()
        return loss, len(rows), len(rows)


def learned(rows: npt.NDArray[np.float32], vector_size: int, *, bias: int) -> tuple[Floats, Floats]:
    """Return copies of the vectors (V, D) and of the biases (V,)."""
    return rows[:, :vector_size].copy(), rows[:, bias].copy()
