"""What the classifier's training starts from: bags of rows, labels, and the kernel bound to its arrays."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from daneo.corpus.vocabulary import Vocabulary
from daneo.embeddings.checkpoint import TrainingState
from daneo.embeddings.text_stretches import Step
from daneo.embeddings.training_run import Position
from daneo.embeddings.word2vec_matrices import Floats, initial_vectors, padded_rows
from daneo.embeddings.word2vec_training import random_states
from daneo.models.bags.shared_rows import TrainingBags, bags_of_known_rows, training_bags
from daneo.models.fasttext_classifier_config import FastTextClassifierConfig
from daneo.models.label_tree import label_tree
from daneo.models.labelled_types import LabelledTypes
from daneo.models.trained_classifier import TrainedClassifier
from daneo.threads import available_cores

_ROWS_AT_ONCE = 1 << 14
NOISE_EXPONENT = 0.5  # labels are drawn as noise with p ~ count**this, as in Facebook's program


class TrainingSet(NamedTuple):
    """What there is to learn from: N texts with labels.

    Attributes
    ----------
    bags : TrainingBags
    row_texts : int32 array of shape (C,)
        How many texts have each row.
    labels : Vocabulary
        The L labels with their counts, by falling count, equal ones by spelling.
    label_starts, label_numbers : int64 array of shape (N + 1,), int32 array
        The labels of text i are ``label_numbers[label_starts[i]:label_starts[i + 1]]``.
    """

    bags: TrainingBags
    row_texts: npt.NDArray[np.int32]
    labels: Vocabulary
    label_starts: npt.NDArray[np.int64]
    label_numbers: npt.NDArray[np.int32]

    def check_sum(self) -> int:
        """Return a number that is another one for other texts or labels."""
        value = 0
        for array in (*self.bags.bags, self.label_starts, self.label_numbers):
            value = zlib.crc32(array.tobytes(), value)
        return zlib.crc32("\n".join(self.labels.words).encode("utf-8", "surrogatepass"), value)


class TextNumbers:
    """The numbers of N texts, which `TextPieces` cuts into stretches; each is a document of its own."""

    def __init__(self, num_texts: int) -> None:
        self.num_tokens = num_texts
        self.offsets = np.arange(num_texts + 1)

    def tokens(self, start: int, stop: int) -> npt.NDArray[np.int64]:
        """Return the numbers from `start` to `stop`."""
        return np.arange(start, stop)


def training_set(labelled: LabelledTypes, config: FastTextClassifierConfig) -> TrainingSet:
    """Choose labels and words, and list the rows of each text.

    Raises
    ------
    ValueError
        There are not two labels to choose between.
    """
    counts = np.bincount(labelled.labels, minlength=len(labelled.names)).tolist()
    kept = [(-count, name) for name, count in zip(labelled.names, counts, strict=True)]
    kept = sorted(pair for pair in kept if -pair[0] >= config.min_label_count)
    if len(kept) < 2:
        raise ValueError(
            f"A classifier needs at least two labels that occur {config.min_label_count} times (min_label_count), "
            f"got {len(kept)} of {len(labelled.names)}. Check the labels."
        )
    labels = Vocabulary([name for _, name in kept], [-negative for negative, _ in kept])
    labelled = labelled.renumbered(labels.words).without_others(len(labels)).with_labels_only()
    bags = training_bags(
        labelled.types,
        min_count=config.min_count,
        label_prefix=config.label_prefix,
        subwords=config.parts,
        word_ngrams=config.word_ngrams,
        seed=config.seed,
    )
    return _training_set(bags, labels, labelled)


def training_set_of(model: TrainedClassifier, labelled: LabelledTypes, seed: int) -> TrainingSet:
    """List the rows of each text for the words, n-grams and labels that a classifier has; others do not count.

    Raises
    ------
    ValueError
        No text has a label that it knows.
    """
    labels = model.labels
    labelled = labelled.renumbered(labels.words).without_others(len(labels)).with_labels_only()
    if not len(labelled):
        raise ValueError("No text has a label that the classifier knows, so there is nothing to learn from.")
    return _training_set(bags_of_known_rows(labelled.types, model.table, seed), labels, labelled)


def _training_set(bags: TrainingBags, labels: Vocabulary, labelled: LabelledTypes) -> TrainingSet:
    row_texts = np.bincount(bags.bags.rows, minlength=len(bags.shares)).astype(np.int32)
    return TrainingSet(bags, row_texts, labels, labelled.starts, labelled.labels)


def start(
    config: FastTextClassifierConfig, data: TrainingSet, before: TrainedClassifier | None = None
) -> tuple[Step, TrainingState]:
    """Bind the kernel that the settings ask for to its arrays; return what trains a stretch, and what it changes.

    Parameters
    ----------
    config, data
        The settings, and what there is to learn from.
    before : TrainedClassifier or None
        Begin where this one ended, which must have the words, n-grams and labels of `data`; None begins anew.
    """
    num_threads, num_labels = config.num_threads or available_cores(), len(data.labels)
    outputs = padded_rows(-(-num_labels // 4) * 4, config.vector_size)
    if before is None:
        inputs = initial_vectors(len(data.bags.shares), config.vector_size, config.seed, scale=1.0)
    else:
        inputs = _rows_before(data, before)
        outputs[:num_labels, : config.vector_size] = before.outputs[:]
    position = Position(np.zeros(num_threads), np.zeros(num_threads))
    random = random_states(config.seed, num_threads, 0)
    train = _trainer(config, data, inputs, outputs)
    orders: dict[int, npt.NDArray[np.int64]] = {}

    def step(thread: int, ids: Any, ends: Any, learning_rate: float) -> tuple[float, int]:
        epoch = position.epoch
        if epoch not in orders:  # if two threads draw it at once, they draw the same
            orders[epoch] = np.random.default_rng([config.seed, 3, epoch]).permutation(len(data.label_starts) - 1)
            orders.pop(epoch - 1, None)
        return train(orders[epoch][ids], learning_rate, random[thread])

    return step, TrainingState(inputs, outputs, random, position)


def _rows_before(data: TrainingSet, before: TrainedClassifier) -> Floats:
    """The rows of a classifier in the coordinates of training: their sum by the root of how many share one."""
    shares, size = data.bags.shares, before.rows.shape[1]
    inputs = padded_rows(len(shares), size)
    for old, new in (
        (before.table.word_rows, data.bags.table.word_rows),
        (before.table.ngram_rows, data.bags.table.ngram_rows),
    ):
        assert old is not None
        assert new is not None
        for first in range(0, len(old), _ROWS_AT_ONCE):
            some = new[first : first + _ROWS_AT_ONCE]
            np.add.at(inputs[:, :size], some, before.rows[old[first : first + _ROWS_AT_ONCE]] * shares[some][:, None])
    return inputs


# train(texts, learning rate, random state) -> loss summed over the examples, number of examples
Train = Callable[[npt.NDArray[np.int64], float, npt.NDArray[np.uint64]], tuple[float, int]]


def _trainer(config: FastTextClassifierConfig, data: TrainingSet, inputs: Floats, outputs: Floats) -> Train:
    from daneo.models import fasttext_classifier_kernels as kernels

    texts = (*data.bags.bags, data.label_starts, data.label_numbers, inputs, outputs)
    kernel: Any = kernels.train_all_labels
    own: tuple[Any, ...] = (len(data.labels), config.loss == "one_vs_all")
    if config.loss == "hierarchical_softmax":
        tree = label_tree(data.labels.counts)
        kernel, own = kernels.train_tree, (tree.starts, tree.nodes, tree.signs)
    elif config.loss == "negative_sampling":
        chances = np.cumsum(data.labels.counts**NOISE_EXPONENT)
        kernel, own = kernels.train_noise, ((chances / chances[-1]).astype(np.float32), config.negative)

    def train(some: npt.NDArray[np.int64], learning_rate: float, random: npt.NDArray[np.uint64]) -> tuple[float, int]:
        loss, examples = kernel(some, *texts, *own, learning_rate, random)
        return loss, examples

    return train


def learned(config: FastTextClassifierConfig, data: TrainingSet, inputs: Floats, outputs: Floats) -> TrainedClassifier:
    """Return what has been learned so far as a classifier; the arrays are copied."""
    size = config.vector_size
    shares = data.bags.shares
    rows = np.empty((len(shares), size), dtype=np.float32)
    np.multiply(inputs[: len(shares), :size], shares[:, None], out=rows)
    return TrainedClassifier(
        table=data.bags.table,
        rows=rows,
        labels=data.labels,
        outputs=outputs[: len(data.labels), :size].copy(),
        loss=config.loss,
        tokenizer=config.tokenizer,
        row_texts=data.row_texts,
    )
