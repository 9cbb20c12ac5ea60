"""Validation after each epoch: the best one is kept, and training ends when none has been better for a while."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import numpy as np

from daneo.embeddings.checkpoint import TrainingState
from daneo.models.fasttext_classifier_training import TrainingSet, learned
from daneo.models.predictions import Predictor

if TYPE_CHECKING:
    from daneo.models.fasttext_classifier_config import FastTextClassifierConfig
    from daneo.models.labelled_types import LabelledTypes


class PatienceEnded(Exception):
    """No epoch has been better than the best for as long as was asked for."""


class EarlyStopping:
    """Scores each epoch by validation texts and keeps the matrices of the best one.

    The score is the share of texts whose most likely label is one of theirs.

    Parameters
    ----------
    config : FastTextClassifierConfig
    data : TrainingSet
    labelled : LabelledTypes
        The validation texts.
    state : TrainingState
        What training changes. Its checkpoint gets the scores and the best matrices too.
    """

    def __init__(
        self, config: FastTextClassifierConfig, data: TrainingSet, labelled: LabelledTypes, state: TrainingState
    ) -> None:
        self._config, self._data, self._state = config, data, state
        self._labelled = labelled.renumbered(data.labels.words).with_labels_only()
        if not len(self._labelled):
            raise ValueError("No validation text has a label.")
        self._rows = data.bags.table.of_texts(self._labelled.types)
        self._scores = np.full(config.epochs, np.nan)
        self._best_inputs, self._best_outputs = np.zeros_like(state.inputs), np.zeros_like(state.outputs)
        state.learned = {
            **state.learned,
            "scores": self._scores,
            "best_inputs": self._best_inputs,
            "best_outputs": self._best_outputs,
        }

    def check_sum(self) -> int:
        """Return a number that is another one for other texts or labels."""
        arrays = (self._rows.starts, self._rows.types, self._labelled.starts, self._labelled.labels)
        return zlib.crc32(b"".join(array.tobytes() for array in arrays))

    @property
    def scores(self) -> list[float]:
        """The score of each epoch that has one."""
        return [float(score) for score in self._scores if score == score]

    @property
    def best_epoch(self) -> int | None:
        """The first epoch with the highest score, from 1; None before the first."""
        return int(np.nanargmax(self._scores)) + 1 if self.scores else None

    def catch_up(self) -> None:
        """Score the last epoch if training was stopped before that could be done.

        Raises
        ------
        PatienceEnded
            It had been enough already.
        """
        epoch = self._state.position.epoch
        if epoch > len(self.scores):
            self.score(epoch)
        self.check(epoch)

    def restore_best(self) -> None:
        """Put the matrices of the best epoch into the state."""
        if self.scores:
            self._state.inputs[:], self._state.outputs[:] = self._best_inputs, self._best_outputs

    def score(self, epoch: int) -> None:
        """Score an epoch, from 1, and keep its matrices if it is the best."""
        model = learned(self._config, self._data, self._state.inputs, self._state.outputs)
        best = Predictor(model).best_of(self._rows, 1, 0.0, self._config.num_threads).labels[:, 0]
        texts = np.repeat(np.arange(len(self._labelled)), np.diff(self._labelled.starts))
        right = np.zeros(len(self._labelled), dtype=bool)
        right[texts[self._labelled.labels == best[texts]]] = True
        score = float(right.mean())
        if not self.scores or score > np.nanmax(self._scores):
            self._best_inputs[:], self._best_outputs[:] = self._state.inputs, self._state.outputs
        self._scores[epoch - 1] = score

    def check(self, epoch: int) -> None:
        """Say whether to go on after an epoch.

        Raises
        ------
        PatienceEnded
            That was enough.
        """
        best = self.best_epoch
        if best is not None and epoch - best >= self._config.patience:
            raise PatienceEnded
