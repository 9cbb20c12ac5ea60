"""fastText's classifier: the mean of a text's word and n-gram vectors, and one layer on top."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, overload

from daneo.models.classification_result import ClassificationResult, classification_result
from daneo.models.fasttext_classifier_config import FastTextClassifierConfig
from daneo.models.fasttext_classifier_run import ClassifierRun
from daneo.models.fasttext_classifier_training import training_set
from daneo.models.labelled_types import Labels, checked_texts, labelled_types
from daneo.models.predictions import Predictor, pairs
from daneo.progress import ProgressCallback
from daneo.settings import configured

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    EpochCallback = Callable[["FastTextClassifier", int, float], None]
    Source = Sequence[str] | str | os.PathLike[str]


class FastTextClassifier:
    r"""Learn to put labels on texts from the words and n-grams in them.

    The vector of a text is the mean of the rows of its n words, of the parts of its words (with `max_ngram`) and of its
    runs of words (with `word_ngrams`); the score of label l is its product with the label's row:

    .. math:: x = \frac{1}{n} \sum_{i=1}^{n} v_i, \qquad s_l = u_l \cdot x

    Softmax learns by :math:`-\log(e^{s_t} / \sum_l e^{s_l})` for the label t of the text; one-vs-all by a logistic loss
    of each label by itself, which is right for texts with several labels; hierarchical softmax by the way to the label
    through a Huffman tree, which is fast for thousands of labels; negative sampling tells the label from drawn ones.

    Parameters
    ----------
    **settings
        The fields of :class:`FastTextClassifierConfig`: ``vector_size=100, epochs=5, learning_rate=0.1,
        loss="softmax" | "hierarchical_softmax" | "one_vs_all" | "negative_sampling", word_ngrams=1, min_ngram=None,
        max_ngram=None, num_buckets=2_000_000, min_count=1, tokenizer="fasttext", patience=3, num_threads=None,
        seed=1`` and others. ``daneo train fasttext-classifier --help`` explains each.

    Attributes
    ----------
    config : FastTextClassifierConfig
        The settings.
    losses : list of float
        Mean loss of a text, for each epoch.
    validation_scores : list of float
        With validation texts, the share of them whose most likely label is right, after each epoch.
    best_epoch : int or None
        The epoch, from 1, whose weights were kept: the first with the highest score.

    Notes
    -----
    Cost: O(rows of all texts * vector_size) for each epoch; with softmax and one-vs-all O(texts * labels * vector_size)
    is added. Memory: 8 bytes for each row of a text, and the rows themselves. One thread with a seed gives the same
    bits every time on one kind of machine; several threads write to the same rows without a lock (Hogwild).

    Each text ends with the token ``</s>``, as in fastText, so that a text of which nothing is known still has the
    label that is most frequent. Only if the model has never seen that token, and nothing else is known, there is no
    label.

    Differences from fastText: words and n-grams that occur in the same training texts, and as often in each, share one
    row, because SGD would move theirs alike: the same model in a fraction of the memory. N-grams that no training text
    has are zero in the mean, not random. Texts are learned in another random order in each epoch, four at a time
    where all labels have a score. A text may be of any length. Probabilities are exact, while fastText adds 0.00001
    to each and reads a logistic one from a table of 512.

    References
    ----------
    Joulin, Grave, Bojanowski, Mikolov 2016, arXiv:1607.01759, section 2.

    Examples
    --------
    >>> texts = ["good fun", "great film", "bad film", "no fun"] * 25
    >>> labels = ["up", "up", "down", "down"] * 25
    >>> model = FastTextClassifier(vector_size=10, epochs=20, num_threads=1).fit(texts, labels)
    >>> [[label for label, probability in best] for best in model.predict(["a great film", "bad"])]
    [['up'], ['down']]
    >>> model.test(texts, labels).precision
    1.0
    """

    @configured(FastTextClassifierConfig)
    def __init__(self, config: FastTextClassifierConfig) -> None:
        self.config = config
        self.losses: list[float] = []
        self.validation_scores: list[float] = []
        self.best_epoch: int | None = None
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

    def fit(
        self,
        texts: Source,
        labels: Labels | None = None,
        *,
        validation: Source | tuple[Sequence[str], Labels] | None = None,
        progress: ProgressCallback | None = None,
        on_epoch: EpochCallback | None = None,
        checkpoint: str | os.PathLike[str] | None = None,
        checkpoint_seconds: float = 60.0,
        resume: bool = False,
    ) -> FastTextClassifier:
        """Learn from labelled texts.

        Parameters
        ----------
        texts : sequence of str, or path
            The texts; or a file of fastText's kind, or of two columns, as :func:`daneo.read_labelled` reads them.
        labels : sequence of str, or of sequences of str; or None
            The label of each text, or its labels; None with a file. Texts without a label are left out.
        validation : path, or pair of texts and labels, or None
            Texts to score each epoch by: the share of them whose most likely label is right. The weights of the best
            epoch are kept, and training ends when `patience` epochs have not been better.
        progress : callable or None
            Gets a `daneo.progress.Progress` now and then.
        on_epoch : callable or None
            Called as on_epoch(model, epoch, loss) after each epoch, from 1. The model can predict, and has its score.
        checkpoint : path or None
            A directory to go on from after a crash. It stays when training ends; remove it then.
        checkpoint_seconds : float
            Time between two checkpoints.
        resume : bool
            Go on from `checkpoint`, which must have been made by the same call.

        Returns
        -------
        FastTextClassifier
            The model itself.

        Raises
        ------
        KeyboardInterrupt
            Training was stopped with Ctrl-C. The model holds what was learned, with validation texts that of the best
            epoch, and a checkpoint has been written.
        ValueError
            There are fewer than two labels; a file is not as it should be; the checkpoint is of another run.
        TypeError
            Texts or labels are of another type.
        """
        if resume and checkpoint is None:
            raise ValueError("resume=True goes on from a checkpoint: say which with checkpoint=path.")
        config = self.config
        data = training_set(labelled_types(texts, labels, config.tokenizer, config.label_prefix), config)
        labelled = None
        if validation is not None:
            source, truth = validation if isinstance(validation, tuple) else (validation, None)
            labelled = labelled_types(source, truth, config.tokenizer, config.label_prefix)
        run = ClassifierRun(config, data, labelled, checkpoint, resume)

        def after_epoch(epoch: int, loss: float) -> None:
            self._take(run)
            assert on_epoch is not None
            on_epoch(self, epoch, loss)

        try:
            run.train(progress, None if on_epoch is None else after_epoch, checkpoint_seconds)
        finally:
            self._take(run)
        return self

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
        best = self._trained.best_of(model.table.of_texts(truth.types), k, threshold, self.config.num_threads)
        return classification_result(best.labels, best.sizes, truth.starts, truth.labels, truth.names)

    def save(self, path: str | os.PathLike[str], *, format: str = "daneo") -> None:
        """Write the model.

        Parameters
        ----------
        path : path
            A directory; for fastText's format a file.
        format : {"daneo", "fasttext-bin"}
            The latter is what Facebook's program loads, and then predicts the same: a ``.bin`` with a row for every
            bucket, so it is much larger, or a ``.ftz`` if the model is compressed.

        Raises
        ------
        FileExistsError
            The directory holds files that daneo did not write.
        ValueError
            Facebook's program has no such model: another tokenizer, jamo, labels or words with spaces.
        """
        from daneo.models.fasttext_classifier_files import SavedClassifier, write_directory
        from daneo.models.fasttext_classifier_interop import write_facebook

        if format not in ("daneo", "fasttext-bin"):
            raise ValueError(f"FastTextClassifier.save expected format daneo or fasttext-bin, got {format!r}.")
        saved = SavedClassifier(self.config, self._trained.model, self.losses, self.validation_scores, self.best_epoch)
        (write_directory if format == "daneo" else write_facebook)(path, saved)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> FastTextClassifier:
        """Open a model: a directory that `save` wrote, or a supervised ``.bin`` or ``.ftz`` of Facebook's program.

        The rows are memory-mapped: opening takes as long as reading the vocabulary.

        Raises
        ------
        FileNotFoundError
            There is nothing at `path`, or a file of the directory is missing.
        ValueError
            It is damaged, or a model of another kind.
        """
        from daneo.models.fasttext_classifier_files import read_directory
        from daneo.models.fasttext_classifier_interop import read_facebook

        saved = read_directory(path) if os.path.isdir(path) else read_facebook(path)
        classifier = cls(**dataclasses.asdict(saved.config))
        classifier.losses, classifier.validation_scores = list(saved.losses), list(saved.validation_scores)
        classifier.best_epoch = saved.best_epoch
        classifier._predictor = Predictor(saved.model)
        return classifier

    def __repr__(self) -> str:
        state = f"{len(self.labels)} labels, {len(self.words):,} words" if self.is_trained else "not trained"
        return f"<FastTextClassifier: {state}, {self.config.loss}>"

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

    def _take(self, run: ClassifierRun) -> None:
        self.losses, self.validation_scores, self.best_epoch = run.losses, run.validation_scores, run.best_epoch
        self._predictor = Predictor(run.learned())
