"""What a trained classifier answers: the labels of texts, and how often they are right."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, overload

from daneo.models.classification_result import ClassificationResult, classification_result
from daneo.models.labelled_types import Labels, checked_texts, labelled_types
from daneo.models.predictions import Predictor, pairs

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Source = Sequence[str] | str | os.PathLike[str]


class PredictsLabels:
    """The answers of a bag-of-n-grams classifier.

    Parameters
    ----------
    num_threads : int or None
        How many threads :meth:`test` takes; None: one a core.
    """

    def __init__(self, num_threads: int | None) -> None:
        self._num_threads = num_threads
        self._predictor: Predictor | None = None

    @property
    def is_trained(self) -> bool:
        """Whether it can predict."""
        return self._predictor is not None

    @property
    def labels(self) -> list[str]:
        """The labels, by falling count."""
        return self._trained.model.labels.words

    @property
    def words(self) -> list[str]:
        """The words with a row of their own, by falling count; ``</s>``, the end of each text, is one of them."""
        return self._trained.model.table.words.words

    @overload
    def predict(
        self, texts: str, k: int = ..., threshold: float = ..., *, num_threads: int | None = ...
    ) -> list[tuple[str, float]]: ...
    @overload
    def predict(
        self, texts: list[str] | tuple[str, ...], k: int = ..., threshold: float = ..., *, num_threads: int | None = ...
    ) -> list[list[tuple[str, float]]]: ...
    def predict(
        self, texts: str | Sequence[str], k: int = 1, threshold: float = 0.0, *, num_threads: int | None = None
    ) -> list[tuple[str, float]] | list[list[tuple[str, float]]]:
        """Return the most likely labels of texts, with their probabilities.

        Parameters
        ----------
        texts : str, or sequence of str
            One text, or several. A newline in one is a space.
        k : int
            How many labels, at most; -1: all.
        threshold : float
            Leave out labels that are less likely.
        num_threads : int or None
            Threads; None takes every core, 8 at most. The result does not depend on it.

        Returns
        -------
        list of (label, probability), best first; for several texts, a list of such lists
            Empty where nothing in a text is known and the model does not know ``</s>``.
        """
        k = self._checked_k(k)
        if isinstance(texts, str):
            return pairs(self._trained.best([texts], k, threshold, 1), self.labels)[0]
        return pairs(self._trained.best(checked_texts(texts), k, threshold, num_threads), self.labels)

    def probabilities(self, texts: Sequence[str], *, num_threads: int | None = None) -> npt.NDArray[np.float32]:
        """Return the probability of each label, float32 (N, L), in the order of `labels`.

        With softmax and hierarchical softmax those of a text add up to 1; otherwise each label is judged by itself.
        NaN where `predict` has no label.

        Parameters
        ----------
        texts : sequence of str of length N
        num_threads : int or None
            As in `predict`.
        """
        return self._trained.probabilities(checked_texts(texts), num_threads)

    def test(
        self, texts: Source, labels: Labels | None = None, k: int = 1, threshold: float = 0.0
    ) -> ClassificationResult:
        """Predict labels and compare them with the true ones.

        Parameters
        ----------
        texts, labels
            As in `fit`. Texts without a label are left out; a label that the model does not know is never found.
        k, threshold
            As in `predict`.

        Returns
        -------
        ClassificationResult
            Precision and recall at k, of all and of each label; ``print`` shows a table.
        """
        k, model = self._checked_k(k), self._trained.model
        truth = labelled_types(texts, labels, model.tokenizer, model.table.label_prefix).renumbered(self.labels)
        best = self._trained.best_of(model.table.of_texts(truth.types), k, threshold, self._num_threads)
        return classification_result(best.labels, best.sizes, truth.starts, truth.labels, truth.names)

    @property
    def _trained(self) -> Predictor:
        if self._predictor is None:
            raise RuntimeError(
                "FastTextClassifier has learned nothing yet: call fit(texts, labels) first, or "
                "FastTextClassifier.load(path)."
            )
        return self._predictor

    def _checked_k(self, k: int) -> int:
        if k < 1 and k != -1:
            raise ValueError(f"FastTextClassifier expected k of at least 1, or -1 for all labels; got {k}.")
        return len(self.labels) if k == -1 else k
