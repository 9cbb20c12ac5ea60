"""fastText's classifier: the mean of a text's word and n-gram vectors, and one layer on top."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from daneo.models.fasttext_classifier_config import FastTextClassifierConfig
from daneo.models.fasttext_classifier_run import ClassifierRun
from daneo.models.fasttext_classifier_training import training_set, training_set_of
from daneo.models.label_predictions import PredictsLabels
from daneo.models.labelled_types import LabelledTypes, Labels, labelled_types
from daneo.models.predictions import Predictor
from daneo.progress import ProgressCallback
from daneo.settings import configured

if TYPE_CHECKING:
    from daneo.models.trained_classifier import TrainedClassifier

    EpochCallback = Callable[["FastTextClassifier", int, float], None]
    Source = Sequence[str] | str | os.PathLike[str]


class FastTextClassifier(PredictsLabels):
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

    Each text ends with the token ``</s>``, as in fastText, so that a text of which nothing is known gets an answer
    nevertheless, from that token alone. Only a model that has never seen it has none for such a text.

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
        super().__init__(config.num_threads)
        self.config = config
        self.losses: list[float] = []
        self.validation_scores: list[float] = []
        self.best_epoch: int | None = None

    def fit(
        self,
        texts: Source,
        labels: Labels | None = None,
        *,
        validation: Source | tuple[Source, Labels | None] | None = None,
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
        data = training_set(self._read((texts, labels)), config)
        held_out = None if validation is None else self._read(validation)
        run = ClassifierRun(config, data, held_out, checkpoint, resume)

        def after_epoch(epoch: int, loss: float) -> None:
            self._take(run)
            assert on_epoch is not None
            on_epoch(self, epoch, loss)

        try:
            run.train(progress, None if on_epoch is None else after_epoch, checkpoint_seconds)
        finally:
            self._take(run)
        return self

    def compressed(
        self,
        *,
        num_rows: int | None = None,
        storage: str = "product_quantization",
        part_size: int = 2,
        norms: bool = True,
        outputs: bool = False,
        retrain: Source | tuple[Source, Labels | None] | None = None,
        seed: int = 1,
    ) -> FastTextClassifier:
        """Return a smaller model that predicts nearly the same; `test` both to see what it costs.

        Parameters
        ----------
        num_rows : int or None
            Most words and n-grams to keep, together; None: all. Those are dropped whose rows are short and which few
            training texts have; they do not count any more.
        storage : {"product_quantization", "float16", "float32"}
            How numbers are kept: `part_size` of them in a byte, in two bytes each, or as they are.
        part_size : int
            Numbers that share a byte.
        norms : bool
            Keep the lengths of rows apart, in one more byte a row.
        outputs : bool
            Compress the rows of the labels, too, which pays for thousands of labels.
        retrain : path, or pair of texts and labels, or None
            Train the rows that are kept on these texts, with the model's settings, before their numbers are stored: the
            training texts, that they may learn to do without the others. It helps where few rows are kept.
        seed : int
            Draws the rows that the centroids are learned from.

        Notes
        -----
        fastText drops the rows that are shortest. How many texts have a row counts as much: of NSMC's 1.1 million words
        and pairs of words, the best 50,000 are right in 78.2 % of the test set, the 50,000 longest in 77.1 %.
        A file of fastText's does not say how many texts have a row; for such a model the length alone decides.

        References
        ----------
        Joulin et al. 2016, FastText.zip, arXiv:1612.03651.
        """
        from daneo.models.classifier_compression import compress_classifier

        def trained_further(model: TrainedClassifier) -> TrainedClassifier:
            assert retrain is not None
            run = ClassifierRun(self.config, training_set_of(model, self._read(retrain), seed), None, before=model)
            run.train(None, None, checkpoint_seconds=0.0)
            return run.learned()

        model = compress_classifier(
            self._trained.model,
            num_rows=num_rows,
            storage=storage,
            part_size=part_size,
            norms=norms,
            outputs=outputs,
            seed=seed,
            retrain=None if retrain is None else trained_further,
        )
        smaller = type(self)(**dataclasses.asdict(self.config))
        smaller.losses, smaller.validation_scores = list(self.losses), list(self.validation_scores)
        smaller.best_epoch, smaller._predictor = self.best_epoch, Predictor(model)
        return smaller

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

    def _read(self, labelled: Source | tuple[Source, Labels | None]) -> LabelledTypes:
        source, labels = labelled if isinstance(labelled, tuple) else (labelled, None)
        return labelled_types(source, labels, self.config.tokenizer, self.config.label_prefix)

    def _take(self, run: ClassifierRun) -> None:
        self.losses, self.validation_scores, self.best_epoch = run.losses, run.validation_scores, run.best_epoch
        self._predictor = Predictor(run.learned())
