"""Texts to labels: their vectors, the scores, the most likely ones."""

from __future__ import annotations

import functools
import gc
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from daneo.corpus.ordered_threads import checked_threads, ordered
from daneo.embeddings.word2vec_matrices import padded_rows
from daneo.models.bags.row_table import TextRows, TypeRows
from daneo.models.bags.tokens import TokenTypes, cut
from daneo.models.predictions_reference import tree_probabilities
from daneo.models.trained_classifier import TrainedClassifier

if TYPE_CHECKING:
    from daneo.embeddings.rows import Rows

Floats = npt.NDArray[np.float32]
Ids = npt.NDArray[np.int32]

TEXTS_AT_ONCE = 1 << 15  # many, so that words that come often are looked up once
FEWEST_AT_ONCE = 1 << 10


class Best(NamedTuple):
    """The k most likely labels of N texts, best first.

    Attributes
    ----------
    labels : int32 array of shape (N, k)
        Their numbers; -1 where there are fewer.
    probabilities : float32 array of shape (N, k)
    sizes : int32 array of shape (N,)
        How many words and n-grams of each text count. Where nothing is known there is no label.
    """

    labels: Ids
    probabilities: Floats
    sizes: Ids


class Predictor:
    """Predicts with one trained classifier.

    Parameters
    ----------
    model : TrainedClassifier

    Attributes
    ----------
    model : TrainedClassifier
    """

    def __init__(self, model: TrainedClassifier) -> None:
        self.model = model

    def best(self, texts: Sequence[str], k: int, threshold: float, num_threads: int | None) -> Best:
        """Return the `k` most likely labels of each text, of those whose probability is at least `threshold`."""
        threads = self._started(num_threads)

        def best(some: Sequence[str]) -> Best:
            return self.best_of(self.rows_of(some), k, threshold, 1)

        return self._joined(ordered(best, batches(texts, threads), threads), k)

    def probabilities(self, texts: Sequence[str], num_threads: int | None) -> Floats:
        """Return the probability of each label, float32 (N, L); NaN for a text in which nothing is known."""
        threads = self._started(num_threads)

        def probabilities(some: Sequence[str]) -> Floats:
            vectors = _TextVectors(self.model.rows, self.rows_of(some))
            means, sizes = vectors.means(0, len(some))
            found = self._probabilities(means)[: len(sizes)]
            found[sizes == 0] = np.nan
            return found

        parts = ordered(probabilities, batches(texts, threads), threads)
        return np.concatenate([np.empty((0, len(self.model.labels)), np.float32), *parts])

    def rows_of(self, texts: Sequence[str]) -> TextRows:
        """Return the rows of some texts: all of a prediction that does not depend on what the rows hold."""
        return self.model.table.of_texts(TokenTypes(cut(texts, self.model.tokenizer)))

    def best_of(self, rows: TextRows, k: int, threshold: float, num_threads: int | None) -> Best:
        """Return the `k` most likely labels of texts whose rows are known."""
        vectors, num_texts, threads = (
            _TextVectors(self.model.rows, rows),
            len(rows.starts) - 1,
            self._started(num_threads),
        )

        def best(first: int) -> Best:
            return self._best(*vectors.means(first, min(first + TEXTS_AT_ONCE, num_texts)), k, threshold)

        return self._joined(ordered(best, range(0, num_texts, TEXTS_AT_ONCE), threads), k)

    def _started(self, num_threads: int | None) -> int:
        """Return the number of threads, and make what they share, so that not each of them does."""
        self.model.table.prepare()
        _ = self._outputs
        return checked_threads(num_threads)

    def _best(self, means: Floats, sizes: Ids, k: int, threshold: float) -> Best:
        from daneo.models.predictions_kernels import best_in_tree, best_labels

        k = min(k, len(self.model.labels))
        best = Best(np.full((len(sizes), k), -1, np.int32), np.zeros((len(sizes), k), np.float32), sizes)
        if self.model.loss == "hierarchical_softmax" and k < len(self.model.labels):
            best_in_tree(means[: len(sizes)], self._outputs, self.model.tree.children, threshold, *best[:2])
        else:
            best_labels(self._probabilities(means)[: len(sizes)], threshold, *best[:2])
        best.labels[sizes == 0], best.probabilities[sizes == 0] = -1, 0
        return best

    def _joined(self, parts: Iterable[Best], k: int) -> Best:
        k = min(k, len(self.model.labels))
        nothing = Best(np.empty((0, k), np.int32), np.empty((0, k), np.float32), np.empty(0, np.int32))
        return Best(*map(np.concatenate, zip(nothing, *parts, strict=True)))

    def _probabilities(self, means: Floats) -> Floats:
        from daneo.embeddings.block_products_kernels import scores

        loss, size = self.model.loss, len(self.model.labels)
        if loss == "hierarchical_softmax":
            return tree_probabilities(means, self._outputs, self.model.tree.children).astype(np.float32)
        found = np.empty((len(means), len(self._outputs)), np.float32)
        scores(means, len(means), self._outputs, len(self._outputs), found)
        found = np.ascontiguousarray(found[:, :size])
        if loss == "softmax":
            np.exp(found - found.max(axis=1, keepdims=True), out=found)
            found /= found.sum(axis=1, keepdims=True)
            return found
        with np.errstate(over="ignore"):
            return np.float32(1) / (np.float32(1) + np.exp(-found))

    @functools.cached_property
    def _outputs(self) -> Floats:
        """The outputs, padded to a multiple of four rows and whole registers."""
        outputs = self.model.outputs
        padded = padded_rows(-(-len(outputs) // 4) * 4, outputs.shape[1])[:-1]
        padded[: len(outputs), : outputs.shape[1]] = outputs[:]
        return padded


class _TextVectors:
    """The means of the rows of texts; the sum of a word's rows is made once, however often the word comes."""

    def __init__(self, matrix: Rows, rows: TextRows) -> None:
        from daneo.models.predictions_kernels import sum_parts

        self._matrix, self._rows = _in_memory(matrix, rows)
        own, starts, parts = self._rows.type_rows
        self._type_matrix, self._type_rows, self._type_sizes = self._matrix, own, (own >= 0).astype(np.int32)
        if len(parts):
            sums = padded_rows(len(own), self._matrix.shape[1])
            sum_parts(own, starts, parts, self._matrix, sums, self._type_sizes)
            self._type_matrix, self._type_rows = _read_only(sums), np.arange(len(own), dtype=np.int32)

    def means(self, first: int, stop: int) -> tuple[Floats, Ids]:
        """Return the means for the texts from `first` to `stop`, padded to a multiple of four, and of how many rows."""
        from daneo.models.predictions_kernels import text_means

        rows, num_texts = self._rows, stop - first
        means = padded_rows(-(-num_texts // 4) * 4, self._matrix.shape[1])[:-1]
        sizes = np.empty(num_texts, dtype=np.int32)
        text_means(
            rows.starts[first : stop + 1],
            rows.types,
            self._type_rows,
            self._type_sizes,
            self._type_matrix,
            rows.ngram_starts[first : stop + 1],
            rows.ngrams,
            self._matrix,
            means,
            sizes,
        )
        return means, sizes


def batches(texts: Sequence[str], num_threads: int) -> Iterator[Sequence[str]]:
    """Cut texts into lists of some thousands, so that every thread has one."""
    size = min(max(-(-len(texts) // num_threads), FEWEST_AT_ONCE), TEXTS_AT_ONCE)
    return (texts[first : first + size] for first in range(0, len(texts), size))


def _read_only(matrix: Floats) -> Floats:
    """Return a view that cannot be written to: for Numba another type, of which there should be one."""
    view = matrix.view()
    view.flags.writeable = False
    return view


def _in_memory(matrix: Rows, rows: TextRows) -> tuple[Floats, TextRows]:
    """Return a matrix that kernels can read, and the numbers of the rows in it."""
    if isinstance(matrix, np.ndarray) and matrix.flags.c_contiguous and matrix.flags.aligned:
        return _read_only(matrix), rows
    own, starts, parts = rows.type_rows
    used = np.unique(np.concatenate([own, parts, rows.ngrams]))
    used = used[np.searchsorted(used, 0) :]  # what is negative stands for no row

    def renumbered(numbers: Ids) -> Ids:
        return np.where(numbers >= 0, np.searchsorted(used, numbers), numbers).astype(np.int32)

    type_rows = TypeRows(renumbered(own), starts, renumbered(parts))
    return _read_only(matrix[used]), rows._replace(type_rows=type_rows, ngrams=renumbered(rows.ngrams))


def pairs(best: Best, labels: Sequence[str]) -> list[list[tuple[str, float]]]:
    """Spell the labels out: for each text, pairs of a label and its probability."""
    k, names = best.labels.shape[1], [*labels, ""]  # -1 is the last one
    was_on = gc.isenabled()
    # None of these lists can be garbage yet, but their number would make Python look through all memory time and again,
    # which takes four times as long as to make them.
    gc.disable()
    try:
        spelled = map(names.__getitem__, best.labels.ravel().tolist())
        flat = zip(spelled, best.probabilities.ravel().tolist(), strict=True)
        if k == 1 and (best.labels >= 0).all():
            return [[pair] for pair in flat]
        every, counts = list(flat), (best.labels >= 0).sum(axis=1).tolist()
        return [every[text * k : text * k + count] for text, count in enumerate(counts)]
    finally:
        if was_on:
            gc.enable()
