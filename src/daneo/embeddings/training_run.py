"""Epochs of training: threads, progress, a clean stop and checkpoints, for any trainer."""

from __future__ import annotations

import _thread
import math
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Protocol

import numpy as np
import numpy.typing as npt

from daneo.progress import Progress, ProgressCallback

SECONDS_BETWEEN_REPORTS = 0.5


class Pieces(Protocol):
    """What an epoch goes through, in pieces that one thread trains at a time: a text, or a table of counts.

    Attributes
    ----------
    total : int
        How much an epoch is, in `unit`.
    unit : str
        What is counted, in the plural: ``"words"``.
    """

    total: int
    unit: str

    def __len__(self) -> int:
        """Return the number of pieces."""

    def train(self, thread: int, epoch: int, number: int, learning_rate: float) -> tuple[float, int, int]:
        """Train what comes as the number-th in an epoch, both from 0.

        Pieces are asked for in order, each once an epoch, by any thread, and no epoch begins before the one before it
        has ended. This must release the GIL.

        Returns
        -------
        loss : float
            Summed over the examples.
        examples : int
        size : int
            How much of `total` the piece is.
        """


@dataclass
class Position:
    """How far training has come: what a checkpoint must hold besides the matrices and the random states.

    Attributes
    ----------
    epoch, stretch : int
        Epochs finished, and pieces begun in the one that runs.
    loss, examples : float64 arrays of shape (num_threads,)
        Sums over the running epoch, by thread.
    losses : list of float
        Mean loss of an example, for each finished epoch.
    """

    loss: npt.NDArray[np.float64]
    examples: npt.NDArray[np.float64]
    epoch: int = 0
    stretch: int = 0
    losses: list[float] = field(default_factory=list)

    def mean_loss(self) -> float | None:
        """Mean loss of an example over the running epoch so far; None before the first."""
        examples = float(self.examples.sum())
        return float(self.loss.sum()) / examples if examples else None


class TrainingRun:
    """Trains each piece, epoch after epoch, on several threads.

    Parameters
    ----------
    pieces : Pieces
        What an epoch goes through.
    position : Position
        Where to begin; kept up to date.
    epochs : int
        How often it goes through all pieces.
    learning_rate, min_learning_rate : float
        The step size falls from one to the other in a straight line over all epochs. It depends on the number of the
        piece alone, not on time or threads.
    progress : callable or None
        Gets a `Progress` about twice a second.
    on_epoch : callable or None
        Called as on_epoch(epoch, loss) after each epoch, from 1.
    save : callable or None
        Writes a checkpoint; called while no thread trains, every `checkpoint_seconds` and when interrupted.
    """

    def __init__(
        self,
        pieces: Pieces,
        position: Position,
        *,
        epochs: int,
        learning_rate: float,
        min_learning_rate: float,
        progress: ProgressCallback | None = None,
        on_epoch: Callable[[int, float], None] | None = None,
        save: Callable[[], None] | None = None,
        checkpoint_seconds: float = 60.0,
    ) -> None:
        self._pieces, self._position = pieces, position
        self._num_threads = len(position.loss)
        self._epochs = epochs
        self._learning_rate, self._min_learning_rate = learning_rate, min_learning_rate
        self._progress, self._on_epoch, self._save = progress, on_epoch, save
        self._checkpoint_seconds = checkpoint_seconds
        self._lock = threading.Lock()
        self._pause = False
        self._error: BaseException | None = None
        self._done = 0  # in this process, for the rate

    def run(self) -> None:
        """Train to the end.

        Raises
        ------
        KeyboardInterrupt
            The user stopped it: the threads have ended, and a checkpoint has been saved.
        """
        position = self._position
        self._began = self._saved = time.monotonic()
        try:
            while position.epoch < self._epochs:
                while position.stretch < len(self._pieces):
                    self._train_until_pause()
                    self._save_if_due()
                self._end_epoch()
            if self._save is not None:  # whatever happens until the result is written, nothing need be trained again
                self._save()
        except KeyboardInterrupt:
            if self._save is not None:
                self._save()
            raise

    def _train_until_pause(self) -> None:
        """Let the threads train until the epoch is over or a checkpoint is due."""
        # Not threading.Thread: Ctrl-C during its join() marks it as ended while it still runs (in Python 3.11), so that
        # a matrix would be saved while it changes. Appending to a list is one step, which nothing interrupts.
        begun: list[int] = []
        ended: list[int] = []
        news: SimpleQueue[None] = SimpleQueue()

        def work(thread: int) -> None:
            begun.append(thread)
            try:
                self._work(thread)
            except BaseException as error:
                self._error, self._pause = error, True
            ended.append(thread)
            news.put(None)

        self._pause = False
        try:
            for thread in range(self._num_threads):
                _thread.start_new_thread(work, (thread,))
            reported = time.monotonic()
            while len(ended) < self._num_threads:
                with suppress(Empty):
                    news.get(timeout=0.05)
                now = time.monotonic()
                if now - reported >= SECONDS_BETWEEN_REPORTS:
                    reported = now
                    self._report()
                if self._checkpoint_due(now):
                    self._pause = True
        finally:  # also on Ctrl-C, and whatever comes after it: nobody may go on writing to the matrices
            self._pause = True
            while len(ended) < len(begun):
                try:
                    while len(ended) < len(begun):
                        news.get()
                except KeyboardInterrupt:
                    pass  # one more; the first is on its way already
        if self._error is not None:
            raise self._error

    def _work(self, thread: int) -> None:
        position = self._position
        while not self._pause:
            with self._lock:
                number = position.stretch
                if number >= len(self._pieces):
                    return
                position.stretch += 1
            loss, examples, size = self._pieces.train(
                thread, position.epoch, number, self._rate_at(position.epoch, number)
            )
            if not math.isfinite(loss):
                raise ValueError(
                    f"Training has diverged: in epoch {position.epoch + 1} the loss is {loss}. Train anew with a lower "
                    f"learning_rate than {self._learning_rate:g}."
                )
            position.loss[thread] += loss
            position.examples[thread] += examples
            with self._lock:
                self._done += size

    def _rate_at(self, epoch: int, number: int) -> float:
        share = (epoch + number / len(self._pieces)) / self._epochs
        return self._learning_rate + (self._min_learning_rate - self._learning_rate) * share

    def _end_epoch(self) -> None:
        position = self._position
        loss = position.mean_loss()
        if loss is None:
            raise ValueError(
                "The text has no two words side by side in one document, so there is nothing to learn from. "
                "Give more text, lower min_count or raise sample."
            )
        self._report(finished=True)  # the user's code: Ctrl-C in it must find the epoch either running or over
        position.epoch, position.stretch = position.epoch + 1, 0
        position.loss[:], position.examples[:] = 0, 0
        position.losses.append(loss)  # last: after a call Ctrl-C may strike, and then the epoch must be over as a whole
        if self._on_epoch is not None:
            self._on_epoch(position.epoch, loss)

    def _checkpoint_due(self, now: float) -> bool:
        return self._save is not None and now - self._saved >= self._checkpoint_seconds

    def _save_if_due(self) -> None:
        if self._save is not None and self._checkpoint_due(time.monotonic()):
            self._save()
            self._saved = time.monotonic()

    def _report(self, *, finished: bool = False) -> None:
        if self._progress is None:
            return
        position, seconds = self._position, time.monotonic() - self._began
        number = len(self._pieces) if finished else position.stretch
        done = round((position.epoch + number / len(self._pieces)) * self._pieces.total)
        total = self._epochs * self._pieces.total
        rate = self._done / seconds if seconds else 0.0
        self._progress(
            Progress(
                stage="training",
                done=done,
                total=total,
                unit=self._pieces.unit,
                seconds=seconds,
                rate=rate,
                seconds_left=(total - done) / rate if rate else None,
                epoch=position.epoch + 1,
                epochs=self._epochs,
                loss=position.mean_loss(),
                learning_rate=self._rate_at(position.epoch, number),
            )
        )
