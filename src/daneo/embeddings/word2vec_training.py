"""What training starts from: the text as ids, and the kernel bound to its arrays."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from daneo.embeddings.checkpoint import Checkpoint, TrainingState
from daneo.embeddings.huffman import huffman_paths
from daneo.embeddings.noise import keep_probabilities, noise_table
from daneo.embeddings.private_rows import PrivateRows
from daneo.embeddings.training_run import Position, Step
from daneo.embeddings.word2vec_config import Word2VecConfig
from daneo.embeddings.word2vec_matrices import Floats, num_outputs, updated_rows
from daneo.progress import ProgressCallback
from daneo.threads import available_cores

if TYPE_CHECKING:
    from daneo.corpus import Corpus, EncodedCorpus, Vocabulary

    Text = Corpus | str | os.PathLike[str] | Iterable[str] | Iterable[list[str]] | Iterable[tuple[str, ...]]


NUM_PRIVATE_NODES = 255  # the top eight levels of a full tree
_TOKENS_AT_ONCE = 1 << 20


def as_corpus(corpus: Text) -> Corpus:
    """Return a Corpus as it is, and make one of anything that it takes."""
    from daneo.corpus import Corpus

    return corpus if isinstance(corpus, Corpus) else Corpus(corpus)


def encoded_corpus(
    config: Word2VecConfig,
    corpus: Text,
    vocabulary: Vocabulary | None,
    saved: Checkpoint | None,
    progress: ProgressCallback | None,
) -> EncodedCorpus:
    """Return the ids of the text: those of the unfinished run if there is one."""
    encoded = saved.corpus() if saved is not None else None
    if encoded is None:
        encoded = as_corpus(corpus).encode(
            vocabulary,
            min_count=config.min_count,
            max_size=config.max_size,
            path=None if saved is None else saved.corpus_path,
            num_threads=config.num_threads,
            progress=progress,
        )
        if encoded.num_replaced:
            warnings.warn(f"The text is not all UTF-8: U+FFFD stands {encoded.num_replaced} times in it.", stacklevel=3)
    if encoded.num_tokens == 0:
        encoded.close()
        raise ValueError("No word of the text is in the vocabulary, so there is nothing to learn from.")
    return encoded


def counted_vocabulary(encoded: EncodedCorpus) -> Vocabulary:
    """Return the words of a text; where they came without any counts, with those of the text."""
    words = encoded.vocabulary
    if words.counts.any():
        return words
    counts = np.zeros(len(words), np.int64)
    for first in range(0, encoded.num_tokens, _TOKENS_AT_ONCE):
        tokens = encoded.tokens(first, min(first + _TOKENS_AT_ONCE, encoded.num_tokens))
        counts += np.bincount(tokens, minlength=len(words))
    return words.extended(words.words, counts)


def random_states(seed: int, num_threads: int, table_size: int) -> npt.NDArray[np.uint64]:
    """For each thread the state of its generator and its place in the noise table: the first two numbers of a row.

    The rest of the row, uint64 (num_threads, 16), keeps the threads' states in different cache lines: each draw writes
    to its own, and neighbours would take it from each other all the time.
    """
    states = np.zeros((num_threads, 16), np.uint64)
    states[:, 0] = np.random.SeedSequence([seed, 1]).generate_state(num_threads, np.uint64)
    states[:, 1] = np.arange(num_threads, dtype=np.uint64) * np.uint64(table_size // num_threads)
    return states


def num_noise_words(config: Word2VecConfig) -> int:
    """How many noise words the four centers of a block share.

    Each then weighs negative / num_noise_words, so that a center meets as much noise as with `negative` words of its
    own. Three for each center in place of five (two for CBOW, which has one prediction a center) were measured to cost
    nothing in likeness or analogies and save a third of the work; see benchmarks/embeddings/word2vec_quality.py.
    """
    of_five = 3 if config.architecture == "skipgram" else 2
    return 4 * -(-of_five * config.negative // 5)


def num_output_rows(config: Word2VecConfig, vocabulary: Vocabulary) -> int:
    """Rows to make for the outputs: with several threads a Huffman tree needs copies of its top nodes."""
    num_threads = config.num_threads or available_cores()
    nodes = num_outputs(config, vocabulary)
    copies = num_threads > 1 and config.loss == "hierarchical_softmax"
    return nodes + copies * num_threads * min(nodes, NUM_PRIVATE_NODES)


def start(
    config: Word2VecConfig, vocabulary: Vocabulary, inputs: Floats, outputs: Floats, frozen: Sequence[str]
) -> tuple[Step, TrainingState]:
    """Return what trains a stretch of text, and all that it changes."""
    num_threads = config.num_threads or available_cores()
    rows = updated_rows(vocabulary, frozen)
    step, random = make_step(config, vocabulary.counts, inputs, outputs, rows, num_threads)
    return step, TrainingState(inputs, outputs, random, Position(np.zeros(num_threads), np.zeros(num_threads)))


def make_step(
    config: Word2VecConfig,
    counts: npt.NDArray[np.int64],
    inputs: Floats,
    outputs: Floats,
    rows: npt.NDArray[np.int32],
    num_threads: int,
) -> tuple[Step, npt.NDArray[np.uint64]]:
    """Bind the kernel that the settings ask for to its arrays; also return the random states, which it advances."""
    from daneo.embeddings import word2vec_kernels as kernels

    keep = keep_probabilities(counts, config.sample)
    slack = config.window + 2 * kernels.CENTERS + 1  # words that may be prefetched beyond the end
    train, table_size = (
        _sampling(config, counts) if config.loss == "negative_sampling" else _tree(config, counts, outputs, num_threads)
    )
    random = random_states(config.seed, num_threads, table_size)

    def step(
        thread: int, ids: npt.NDArray[np.int32], ends: npt.NDArray[np.int64], learning_rate: float
    ) -> tuple[float, int]:
        kept, kept_ends = np.empty(len(ids) + slack, np.int32), np.empty(len(ends), np.int64)
        kernels.subsample(ids, ends, keep, random[thread], kept, kept_ends)
        window = (config.window, config.shrink_windows, learning_rate, random[thread])
        return train(thread, (kept, kept_ends, inputs, outputs, rows), window)

    return step, random


# train(thread, (kept, ends, inputs, outputs, updated rows), (window, shrink_windows, learning rate, random state))
Train = Callable[[int, tuple[Any, ...], tuple[Any, ...]], tuple[float, int]]


def _sampling(config: Word2VecConfig, counts: npt.NDArray[np.int64]) -> tuple[Train, int]:
    """Return what trains with negative sampling, and the length of the noise table."""
    from daneo.embeddings import word2vec_kernels as kernels

    skipgram = config.architecture == "skipgram"
    kernel = kernels.skipgram_negative_sampling if skipgram else kernels.cbow_negative_sampling
    table = noise_table(counts, config.ns_exponent, config.seed)
    noise = (table, num_noise_words(config), float(config.negative))

    def train(thread: int, text: tuple[Any, ...], window: tuple[Any, ...]) -> tuple[float, int]:
        loss, examples = kernel(*text, *noise, *window)
        return loss, examples

    return train, len(table)


def _tree(
    config: Word2VecConfig, counts: npt.NDArray[np.int64], outputs: Floats, num_threads: int
) -> tuple[Train, int]:
    """Return what trains with hierarchical softmax; it draws no noise."""
    from daneo.embeddings import word2vec_kernels as kernels

    skipgram = config.architecture == "skipgram"
    kernel = kernels.skipgram_hierarchical_softmax if skipgram else kernels.cbow_hierarchical_softmax
    paths = huffman_paths(counts)
    if num_threads == 1:

        def train(thread: int, text: tuple[Any, ...], window: tuple[Any, ...]) -> tuple[float, int]:
            loss, examples = kernel(*text, paths.starts, paths.nodes, paths.signs, paths.longest, *window)
            return loss, examples

        return train, 0
    num_nodes = len(counts) - 1
    top = PrivateRows(outputs, max(0, num_nodes - NUM_PRIVATE_NODES), num_nodes, num_nodes, num_threads)
    nodes = [top.redirect(paths.nodes, thread) for thread in range(num_threads)]

    def train_with_private_nodes(thread: int, text: tuple[Any, ...], window: tuple[Any, ...]) -> tuple[float, int]:
        top.fetch(thread)
        loss, examples = kernel(*text, paths.starts, nodes[thread], paths.signs, paths.longest, *window)
        top.merge(thread)
        return loss, examples

    return train_with_private_nodes, 0
