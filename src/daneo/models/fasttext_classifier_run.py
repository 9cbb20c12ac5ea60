"""One training of the classifier: epochs, validation, checkpoints, and what has been learned at any time."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from daneo.embeddings.checkpoint import Checkpoint
from daneo.embeddings.text_stretches import TextPieces
from daneo.embeddings.training_run import TrainingRun
from daneo.models.early_stopping import EarlyStopping, PatienceEnded
from daneo.models.fasttext_classifier_training import TextNumbers, learned, start
from daneo.progress import ProgressCallback
from daneo.threads import available_cores

if TYPE_CHECKING:
    from daneo.models.fasttext_classifier_config import FastTextClassifierConfig
    from daneo.models.fasttext_classifier_training import TrainingSet
    from daneo.models.labelled_types import LabelledTypes
    from daneo.models.trained_classifier import TrainedClassifier


class ClassifierRun:
    """A training that can be stopped and gone on with.

    Parameters
    ----------
    config : FastTextClassifierConfig
    data : TrainingSet
    validation : LabelledTypes or None
        What to score each epoch by.
    checkpoint : path or None
    resume : bool
        Go on from the checkpoint.
    before : TrainedClassifier or None
        Begin where this one ended.

    Raises
    ------
    FileExistsError, FileNotFoundError, ValueError
        The checkpoint is there though it should not, or the other way round, or of another run.
    """

    def __init__(
        self,
        config: FastTextClassifierConfig,
        data: TrainingSet,
        validation: LabelledTypes | None,
        checkpoint: str | os.PathLike[str] | None = None,
        resume: bool = False,
        *,
        before: TrainedClassifier | None = None,
    ) -> None:
        self._config, self._data = config, data
        self._step, self._state = start(config, data, before)
        self._stopping = None if validation is None else EarlyStopping(config, data, validation, self._state)
        self._saved: Checkpoint | None = None
        if checkpoint is not None:
            asked = {
                "task": "fit a classifier",
                **dataclasses.asdict(config),
                "num_threads": config.num_threads or available_cores(),
                "texts": data.check_sum(),
                "validation": None if self._stopping is None else self._stopping.check_sum(),
            }
            self._saved = Checkpoint(checkpoint, asked, resume=resume)
            if (state := self._saved.load()) is not None:
                self._state.restore(state)

    @property
    def losses(self) -> list[float]:
        """Mean loss of a text, for each finished epoch."""
        return self._state.position.losses

    @property
    def validation_scores(self) -> list[float]:
        """The score of each finished epoch; empty without validation texts."""
        return [] if self._stopping is None else self._stopping.scores

    @property
    def best_epoch(self) -> int | None:
        """The epoch with the best score, from 1."""
        return None if self._stopping is None else self._stopping.best_epoch

    def train(
        self,
        progress: ProgressCallback | None,
        on_epoch: Callable[[int, float], None] | None,
        checkpoint_seconds: float,
    ) -> None:
        """Train to the end, or until validation says that it is enough.

        Raises
        ------
        KeyboardInterrupt
            The user stopped it; a checkpoint has been saved.
        """
        try:
            if self._stopping is not None:
                self._stopping.catch_up()
            TrainingRun(
                TextPieces(TextNumbers(len(self._data.label_starts) - 1), self._step, unit="texts"),
                self._state.position,
                epochs=self._config.epochs,
                learning_rate=self._config.learning_rate,
                min_learning_rate=0.0,
                progress=progress,
                on_epoch=lambda epoch, loss: self._after_epoch(epoch, loss, on_epoch),
                save=None if self._saved is None else self._save,
                checkpoint_seconds=checkpoint_seconds,
            ).run()
        except PatienceEnded:
            if self._saved is not None:
                self._save()
        finally:  # also when interrupted
            if self._stopping is not None:
                self._stopping.restore_best()

    def learned(self) -> TrainedClassifier:
        """Return a copy of what has been learned so far; after the end that of the best epoch."""
        return learned(self._config, self._data, self._state.inputs, self._state.outputs)

    def _after_epoch(self, epoch: int, loss: float, on_epoch: Callable[[int, float], None] | None) -> None:
        if self._stopping is not None:
            self._stopping.score(epoch)
        if on_epoch is not None:
            on_epoch(epoch, loss)
        if self._stopping is not None:
            self._stopping.check(epoch)

    def _save(self) -> None:
        assert self._saved is not None
        self._saved.save(self._state.tensors())
