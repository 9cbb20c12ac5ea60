"""What word2vec learns: two matrices, padded for the vector registers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from daneo.embeddings.word2vec_config import Word2VecConfig

if TYPE_CHECKING:
    from daneo.corpus import Vocabulary
    from daneo.embeddings.word_vectors import WordVectors

LANES = 16  # floats in a vector register; rows are padded with zeros to a multiple of it
_ROWS_AT_ONCE = 1 << 14

Floats = npt.NDArray[np.float32]


def padded_rows(num_rows: int, vector_size: int) -> Floats:
    """Zeros for `num_rows` rows and a spare one, which blocks that are not full read and add nothing to.

    The memory begins at a multiple of 64 bytes: a register that lies across two cache lines costs twice, a fifth of all
    the time that training takes.
    """
    width = -(-vector_size // LANES) * LANES
    room = np.zeros((num_rows + 1) * width + LANES, np.float32)
    first = -room.ctypes.data % (4 * LANES) // 4
    return room[first : first + (num_rows + 1) * width].reshape(num_rows + 1, width)


def without_padding(padded: Floats, num_rows: int, vector_size: int) -> Floats:
    """Move the rows together, in the memory that they have, and return them as (num_rows, vector_size).

    `padded` is used up: a copy would double the memory in the moment in which it is highest.
    """
    width = padded.shape[1]
    flat = padded.reshape(-1)
    if width != vector_size:
        for first in range(0, num_rows, _ROWS_AT_ONCE):
            last = min(first + _ROWS_AT_ONCE, num_rows)
            flat[first * vector_size : last * vector_size] = padded[first:last, :vector_size].reshape(-1)
    return flat[: num_rows * vector_size].reshape(num_rows, vector_size)


def initial_vectors(num_rows: int, vector_size: int, seed: int, *, first: int = 0, scale: float = 0.5) -> Floats:
    """Uniform numbers from -scale/D to scale/D, 0.5 as word2vec.c begins; rows before `first` stay zero."""
    vectors = padded_rows(num_rows, vector_size)
    # Rows that are added later draw other numbers than the first words did.
    random = np.random.default_rng([seed, first] if first else seed)
    for start in range(first, num_rows, _ROWS_AT_ONCE):
        stop = min(start + _ROWS_AT_ONCE, num_rows)
        rows = random.random((stop - start, vector_size), dtype=np.float32)
        vectors[start:stop, :vector_size] = (rows - np.float32(0.5)) * np.float32(2 * scale) / np.float32(vector_size)
    return vectors


def updated_rows(vocabulary: Vocabulary, frozen: Sequence[str]) -> npt.NDArray[np.int32]:
    """For each word the row that its changes go to: its own, or the spare one for a frozen word."""
    rows = np.arange(len(vocabulary), dtype=np.int32)
    rows[[vocabulary.id(word) for word in frozen]] = len(vocabulary)
    return rows


def num_outputs(config: Word2VecConfig, vocabulary: Vocabulary) -> int:
    """Rows of the output matrix: one a word, or one an inner node of the Huffman tree."""
    return len(vocabulary) - (config.loss == "hierarchical_softmax")


def check_size(vectors: WordVectors, vector_size: int) -> None:
    """Refuse vectors that the rows cannot start from."""
    if vectors.vector_size != vector_size:
        raise ValueError(f"The vectors to start from have size {vectors.vector_size}; the model has {vector_size}.")


def copy_rows(vectors: WordVectors, vocabulary: Vocabulary, inputs: Floats, vector_size: int) -> None:
    """Overwrite the rows of the words that `vectors` has."""
    pairs = [(row, vectors.vocabulary.id(word)) for row, word in enumerate(vocabulary.words) if word in vectors]
    if pairs:
        to, source = np.array(pairs).T
        inputs[to, :vector_size] = vectors.matrix[source]
