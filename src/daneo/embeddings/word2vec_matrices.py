"""What word2vec learns: two matrices, padded for the vector registers, and how a stretch of text changes them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from daneo.embeddings.huffman import huffman_paths
from daneo.embeddings.noise import keep_probabilities, noise_table
from daneo.embeddings.word2vec_config import Word2VecConfig

if TYPE_CHECKING:
    from daneo.corpus import Vocabulary
    from daneo.embeddings.training_run import Step
    from daneo.embeddings.word_vectors import WordVectors

LANES = 16  # floats in a vector register; rows are padded with zeros to a multiple of it
_ROWS_AT_ONCE = 1 << 14

Floats = npt.NDArray[np.float32]


def padded_rows(num_rows: int, vector_size: int) -> Floats:
    """Zeros for `num_rows` rows and a spare one, which blocks that are not full read and add nothing to."""
    return np.zeros((num_rows + 1, -(-vector_size // LANES) * LANES), np.float32)


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


def initial_vectors(num_words: int, vector_size: int, seed: int, *, first: int = 0) -> Floats:
    """Uniform numbers from -1/2D to 1/2D, as word2vec.c begins; rows before `first` stay zero."""
    vectors = padded_rows(num_words, vector_size)
    random = np.random.default_rng(seed)
    for start in range(first, num_words, _ROWS_AT_ONCE):
        stop = min(start + _ROWS_AT_ONCE, num_words)
        rows = random.random((stop - start, vector_size), dtype=np.float32)
        vectors[start:stop, :vector_size] = (rows - np.float32(0.5)) / np.float32(vector_size)
    return vectors


def updated_rows(vocabulary: Vocabulary, frozen: Sequence[str]) -> npt.NDArray[np.int32]:
    """For each word the row that its changes go to: its own, or the spare one for a frozen word."""
    rows = np.arange(len(vocabulary) + 1, dtype=np.int32)
    rows[[vocabulary.id(word) for word in frozen]] = len(vocabulary)
    return rows


def num_outputs(config: Word2VecConfig, vocabulary: Vocabulary) -> int:
    """Rows of the output matrix: one a word, or one an inner node of the Huffman tree."""
    return len(vocabulary) - (config.loss == "hierarchical_softmax")


def copy_rows(vectors: WordVectors, vocabulary: Vocabulary, inputs: Floats, vector_size: int) -> None:
    """Overwrite the rows of the words that `vectors` has."""
    if vectors.vector_size != vector_size:
        raise ValueError(f"The vectors to start from have size {vectors.vector_size}; the model has {vector_size}.")
    pairs = [(row, vectors.vocabulary.id(word)) for row, word in enumerate(vocabulary.words) if word in vectors]
    if pairs:
        to, source = np.array(pairs).T
        inputs[to, :vector_size] = vectors.matrix[source]


def random_states(seed: int, num_threads: int, table_size: int) -> npt.NDArray[np.uint64]:
    """For each thread the state of its generator and its place in the noise table, uint64 (num_threads, 2)."""
    states = np.random.SeedSequence([seed, 1]).generate_state(num_threads, np.uint64)
    places = np.arange(num_threads, dtype=np.uint64) * np.uint64(table_size // num_threads)
    return np.stack([states, places], axis=1)


def num_noise_words(negative: int) -> int:
    """How many noise words the four centers of a block share.

    Each then weighs negative / num_noise_words, so that a center meets as much noise as with `negative` words of its
    own. Three for each center in place of five was measured to cost nothing in likeness or analogies, and saves a
    third of the work; see benchmarks/embeddings/word2vec.py.
    """
    return 4 * -(-3 * negative // 5)


def make_step(
    config: Word2VecConfig,
    counts: npt.NDArray[np.int64],
    vectors: Floats,
    outputs: Floats,
    rows: npt.NDArray[np.int32],
    num_threads: int,
) -> tuple[Step, npt.NDArray[np.uint64]]:
    """Bind the kernel that the settings ask for to its arrays; also return the random states, which it advances."""
    from daneo.embeddings import word2vec_kernels as kernels

    kernel: Callable[..., tuple[float, int]]
    arguments: tuple[Any, ...]
    if config.loss == "negative_sampling":
        table = noise_table(counts, config.ns_exponent, config.seed)
        table_size = len(table)
        arguments = (table, num_noise_words(config.negative), float(config.negative))
        skipgram, cbow = kernels.skipgram_negative_sampling, kernels.cbow_negative_sampling
    else:
        paths = huffman_paths(counts)
        table_size = 0
        arguments = (paths.starts, paths.nodes, paths.signs, paths.longest)
        skipgram, cbow = kernels.skipgram_hierarchical_softmax, kernels.cbow_hierarchical_softmax
    kernel = skipgram if config.architecture == "skipgram" else cbow
    keep = keep_probabilities(counts, config.sample)
    random = random_states(config.seed, num_threads, table_size)
    slack = config.window + 2 * kernels.CENTERS + 1  # words that may be prefetched beyond the end

    def step(
        thread: int, ids: npt.NDArray[np.int32], ends: npt.NDArray[np.int64], learning_rate: float
    ) -> tuple[float, int]:
        kept, kept_ends = np.empty(len(ids) + slack, np.int32), np.empty(len(ends), np.int64)
        kernels.subsample(ids, ends, keep, random[thread], kept, kept_ends)
        window = (config.window, config.shrink_windows, learning_rate, random[thread])
        return kernel(kept, kept_ends, vectors, outputs, rows, *arguments, *window)

    return step, random
