"""What training starts from: the text as ids, and the kernel bound to its arrays."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from daneo.embeddings.checkpoint import Checkpoint, TrainingState
from daneo.embeddings.huffman import huffman_paths
from daneo.embeddings.noise import keep_probabilities, noise_table
from daneo.embeddings.training_run import Position, Step
from daneo.embeddings.word2vec_config import Word2VecConfig
from daneo.embeddings.word2vec_matrices import Floats, updated_rows
from daneo.progress import ProgressCallback
from daneo.threads import available_cores

if TYPE_CHECKING:
    from daneo.corpus import Corpus, EncodedCorpus, Vocabulary

    Text = Corpus | str | os.PathLike[str] | Iterable[str] | Iterable[list[str]] | Iterable[tuple[str, ...]]


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
    if encoded.num_tokens == 0:
        encoded.close()
        raise ValueError("No word of the text is in the vocabulary, so there is nothing to learn from.")
    return encoded


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
