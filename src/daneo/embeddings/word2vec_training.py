"""What training starts from: the text as ids, and the kernel bound to its arrays."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from daneo.embeddings.checkpoint import Checkpoint, TrainingState
from daneo.embeddings.huffman import huffman_paths
from daneo.embeddings.noise import keep_probabilities, noise_table
from daneo.embeddings.private_rows import PrivateRows
from daneo.embeddings.text_stretches import Step, TextStretches
from daneo.embeddings.training_run import Position
from daneo.embeddings.word2vec_config import Word2VecConfig
from daneo.embeddings.word2vec_matrices import Floats, num_outputs, padded_rows
from daneo.progress import ProgressCallback
from daneo.threads import available_cores

if TYPE_CHECKING:
    from daneo.corpus import Corpus, EncodedCorpus, Vocabulary

    Text = Corpus | str | os.PathLike[str] | Iterable[str] | Iterable[list[str]] | Iterable[tuple[str, ...]]


Kernel = Callable[..., tuple[float, int]]
Ids = npt.NDArray[np.int32]
Ends = npt.NDArray[np.int64]

PRIVATE_NODES = 255  # the top eight levels of a full tree
MERGES = 32  # so often in an epoch, at least, a thread's copies are averaged with the others'
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
    if encoded is not None:
        _demand_tokenizer(as_corpus(corpus), encoded)
    else:
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


def _demand_tokenizer(corpus: Corpus, encoded: EncodedCorpus) -> None:
    if corpus.tokenizer.name != encoded.tokenizer:
        raise ValueError(
            f"The run to resume cut its text with the tokenizer {encoded.tokenizer!r}, asked for is "
            f"{corpus.tokenizer.name!r}. Resume it with the same one, or remove it and start afresh."
        )


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
    own, at less work: of five words that a center should meet, three are drawn (two for CBOW, which has one prediction
    a center). benchmarks/embeddings/word2vec_quality.py compares the result with gensim, which draws all.
    """
    of_five = 3 if config.architecture == "skipgram" else 2
    return 4 * -(-of_five * config.negative // 5)


def num_private_nodes(config: Word2VecConfig, encoded: EncodedCorpus, num_nodes: int, num_threads: int) -> int:
    """Return how many of the Huffman tree's top nodes each thread trains a copy of.

    None without threads to disturb each other, and none on a text so short that the copies would seldom be averaged:
    each then counts for its share only, and the top of the tree would learn too slowly.
    """
    if config.loss == "negative_sampling" or num_threads == 1:
        return 0
    return min(num_nodes, PRIVATE_NODES) if len(TextStretches(encoded)) >= MERGES * num_threads else 0


# One piece of text for a kernel: its words and where its documents end, the matrix of input vectors, for each word the
# row that is read and the row that is changed, and the weights of places in the window.
Piece = tuple[Ids, Ends, Floats, Ids, Ids, Floats]


class Inputs(Protocol):
    """The input rows that are learned, and how a kernel gets at them."""

    @property
    def rows(self) -> Floats:
        """float32 (rows + 1, width), padded."""

    @property
    def learned(self) -> Mapping[str, npt.NDArray[Any]]:
        """What else changes in training, by name."""

    def pieces(self, thread: int, kept: Ids, ends: Ends) -> Iterator[Piece]:
        """Cut a stretch of text into pieces; what a piece has changed counts when the next one is asked for."""


def start(
    config: Word2VecConfig,
    vocabulary: Vocabulary,
    encoded: EncodedCorpus,
    inputs: Inputs,
    outputs_before: Floats | None,
) -> tuple[Step, TrainingState]:
    """Bind the kernel that the settings ask for to its arrays; return what trains a stretch, and all that it changes.

    Parameters
    ----------
    config, vocabulary, encoded
        The settings, the words and the text.
    inputs : Inputs
        The rows to begin with.
    outputs_before : float32 array of shape (at most V, D), or None
        Outputs to go on from; None begins with zeros.
    """
    from daneo.embeddings import word2vec_kernels as kernels
    from daneo.embeddings.subsampling_kernels import subsample

    num_threads = config.num_threads or available_cores()
    counts, nodes = vocabulary.counts, num_outputs(config, vocabulary)
    private = num_private_nodes(config, encoded, nodes, num_threads)
    outputs = padded_rows(nodes + num_threads * private, config.vector_size)
    if outputs_before is not None:
        outputs[: len(outputs_before), : config.vector_size] = outputs_before
    keep = keep_probabilities(counts, config.sample)
    kernel = getattr(kernels, f"{config.architecture}_{config.loss}")
    slack = config.window + 2 * kernels.CENTERS + 1  # words that may be prefetched beyond the end
    if config.loss == "negative_sampling":
        train, table_size = _sampling(kernel, config, counts)
    else:
        train, table_size = _tree(kernel, counts, outputs, private, num_threads), 0
    random = random_states(config.seed, num_threads, table_size)

    def step(
        thread: int, ids: npt.NDArray[np.int32], ends: npt.NDArray[np.int64], learning_rate: float
    ) -> tuple[float, int]:
        kept, kept_ends = np.empty(len(ids) + slack, np.int32), np.empty(len(ends), np.int64)
        subsample(ids, ends, keep, random[thread], kept, kept_ends)
        window = (config.window, config.shrink_windows, learning_rate, random[thread])
        loss, num_examples = 0.0, 0
        for words, stops, vectors, *rest in inputs.pieces(thread, kept, kept_ends):
            more_loss, more_examples = train(thread, (words, stops, vectors, outputs, *rest), window)
            loss, num_examples = loss + more_loss, num_examples + more_examples
        return loss, num_examples

    position = Position(np.zeros(num_threads), np.zeros(num_threads))
    return step, TrainingState(inputs.rows, outputs, random, position, inputs.learned)


# train(thread, (kept, ends, inputs, outputs, *arrays), (window, shrink_windows, learning rate, random state))
Train = Callable[[int, tuple[Any, ...], tuple[Any, ...]], tuple[float, int]]


def _sampling(kernel: Kernel, config: Word2VecConfig, counts: npt.NDArray[np.int64]) -> tuple[Train, int]:
    """Return what trains with negative sampling, and the length of the noise table."""
    table = noise_table(counts, config.ns_exponent, config.seed)
    noise = (table, num_noise_words(config), float(config.negative))

    def train(thread: int, text: tuple[Any, ...], window: tuple[Any, ...]) -> tuple[float, int]:
        loss, examples = kernel(*text, *noise, *window)
        return loss, examples

    return train, len(table)


def _tree(kernel: Kernel, counts: npt.NDArray[np.int64], outputs: Floats, private: int, num_threads: int) -> Train:
    """Return what trains with hierarchical softmax."""
    paths = huffman_paths(counts)
    longest, num_nodes = paths.longest, len(counts) - 1
    top = PrivateRows(outputs, num_nodes - private, num_nodes, num_nodes, num_threads)
    nodes = [top.redirect(paths.nodes, thread) if private else paths.nodes for thread in range(num_threads)]

    def train(thread: int, text: tuple[Any, ...], window: tuple[Any, ...]) -> tuple[float, int]:
        top.fetch(thread)
        loss, examples = kernel(*text, paths.starts, nodes[thread], paths.signs, longest, *window)
        top.merge(thread)
        return loss, examples

    return train
