"""Epochs over stretches: each trained once, at the right learning rate, and at rest whenever something is saved."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

from daneo.corpus import Corpus, EncodedCorpus
from daneo.embeddings import text_stretches, training_run
from daneo.embeddings.text_stretches import TextPieces, TextStretches
from daneo.embeddings.training_run import Position, TrainingRun
from daneo.progress import Progress

NUM_STRETCHES = 12


@pytest.fixture(scope="module")
def corpus() -> Iterator[EncodedCorpus]:
    """12 stretches of 1000 words, in documents of 4."""
    with Corpus([["a", "b", "c", "d"]] * 250 * NUM_STRETCHES).encode(min_count=1) as encoded:
        assert len(TextStretches(encoded)) == NUM_STRETCHES
        yield encoded


class Steps:
    """A step that writes down what it was called with, and how many of it run at a time."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.calls: list[tuple[int, float]] = []
        self.running = self.most_running = 0
        self._seconds, self._lock = seconds, threading.Lock()

    def __call__(self, thread: int, ids: np.ndarray, ends: np.ndarray, learning_rate: float) -> tuple[float, int]:
        with self._lock:
            self.running += 1
            self.most_running = max(self.most_running, self.running)
        time.sleep(self._seconds)
        assert ends[-1] == len(ids) == 1000
        with self._lock:
            self.running -= 1
            self.calls.append((thread, learning_rate))
            return 2.0 * len(self.calls), 4


def position(num_threads: int = 1) -> Position:
    return Position(np.zeros(num_threads), np.zeros(num_threads))


def run(corpus: EncodedCorpus, step: Any, where: Position, **settings: Any) -> None:
    rates = {"learning_rate": 0.1, "min_learning_rate": 0.02, **settings}
    TrainingRun(TextPieces(corpus, step), where, **{"epochs": 2, **rates}).run()


def interrupt() -> None:
    """What Ctrl-C does, from any thread."""
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)


@pytest.mark.parametrize("num_threads", [1, 3])
def test_each_stretch_is_trained_once_an_epoch_at_the_learning_rate_of_its_place(
    corpus: EncodedCorpus, num_threads: int
) -> None:
    steps, where = Steps(0.001), position(num_threads)
    run(corpus, steps, where)
    places = np.arange(2 * NUM_STRETCHES) / (2 * NUM_STRETCHES)
    rates = [rate for _, rate in steps.calls]
    assert_allclose(sorted(rates, reverse=True), 0.1 - 0.08 * places, rtol=1e-12)
    assert {thread for thread, _ in steps.calls} == set(range(num_threads))
    assert steps.most_running == num_threads
    assert (where.epoch, where.stretch) == (2, 0)


def test_one_thread_goes_through_the_text_in_order(corpus: EncodedCorpus) -> None:
    steps = Steps()
    run(corpus, steps, position())
    rates = [rate for _, rate in steps.calls]
    assert rates == sorted(rates, reverse=True)


def test_losses_are_means_over_the_examples_of_each_epoch(corpus: EncodedCorpus) -> None:
    epochs, where = [], position(2)
    run(corpus, Steps(), where, on_epoch=lambda epoch, loss: epochs.append((epoch, loss)))
    # The n-th step has loss 2 n for 4 examples: over the steps 1 to 12 that is 2 * 78 / 48, over 13 to 24 2 * 222 / 48.
    assert where.losses == [3.25, 9.25]
    assert epochs == [(1, 3.25), (2, 9.25)]
    assert where.mean_loss() is None


def test_training_goes_on_where_a_position_says(corpus: EncodedCorpus) -> None:
    steps, where = Steps(), Position(np.array([7.0]), np.array([1.0]), epoch=1, stretch=10, losses=[5.0])
    run(corpus, steps, where)
    assert_allclose([rate for _, rate in steps.calls], 0.1 - 0.08 * np.array([22, 23]) / 24, rtol=1e-12)
    assert where.losses == [5.0, (7.0 + 2 + 4) / 9]


@pytest.mark.parametrize("num_threads", [1, 3])
def test_nothing_trains_while_a_checkpoint_is_saved(corpus: EncodedCorpus, num_threads: int) -> None:
    steps, where, saved = Steps(0.002), position(num_threads), []

    def save() -> None:
        done = where.epoch * NUM_STRETCHES + where.stretch
        saved.append((steps.running, len(steps.calls) - done, where.examples.sum() - 4 * where.stretch))

    run(corpus, steps, where, save=save, checkpoint_seconds=0.005)
    assert len(saved) > 1
    assert set(saved) == {(0, 0, 0)}
    assert len(steps.calls) == 2 * NUM_STRETCHES


def test_checkpoints_without_a_pause_between_them_still_make_progress(corpus: EncodedCorpus) -> None:
    steps, saved = Steps(), []
    run(corpus, steps, position(), save=lambda: saved.append(len(steps.calls)), checkpoint_seconds=0.0)
    assert len(steps.calls) == 2 * NUM_STRETCHES
    assert saved


@pytest.mark.parametrize("times", [1, 3])
def test_ctrl_c_waits_for_the_running_steps_and_saves(corpus: EncodedCorpus, times: int) -> None:
    steps, where, saved, fifth = Steps(0.02), position(2), [], threading.Semaphore(1)

    def step(*arguments: Any) -> tuple[float, int]:
        if len(steps.calls) >= 4 and fifth.acquire(blocking=False):
            for _ in range(times):  # while this step still runs
                interrupt()
                time.sleep(0.04)
        return steps(*arguments)

    def save() -> None:
        saved.append((steps.running, len(steps.calls) - where.stretch))

    with pytest.raises(KeyboardInterrupt):
        run(corpus, step, where, save=save)
    assert saved == [(0, 0)]
    assert 4 <= len(steps.calls) < NUM_STRETCHES
    run(corpus, steps, where)
    assert len(steps.calls) == 2 * NUM_STRETCHES


def test_ctrl_c_while_a_checkpoint_waits_for_the_steps_is_not_lost(corpus: EncodedCorpus) -> None:
    steps, where, saved = Steps(), position(), []

    def step(*arguments: Any) -> tuple[float, int]:
        if len(steps.calls) == 4:
            time.sleep(0.2)  # a checkpoint is due: everything waits for this step
            interrupt()
            time.sleep(0.1)
        return steps(*arguments)

    with pytest.raises(KeyboardInterrupt):
        run(corpus, step, where, save=lambda: saved.append(len(steps.calls) - where.stretch), checkpoint_seconds=0.05)
    assert saved
    assert set(saved) == {0}
    assert len(steps.calls) == 5


@pytest.mark.parametrize("callback", ["progress", "on_epoch"])
def test_ctrl_c_between_two_epochs_counts_none_twice(corpus: EncodedCorpus, callback: str) -> None:
    steps, where, saved = Steps(), position(), []

    def stop(*arguments: Any) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(corpus, steps, where, save=lambda: saved.append(where.epoch), **{callback: stop})
    assert len(saved) == 1
    run(corpus, steps, where)
    assert where.losses == [3.25, 9.25]
    assert len(steps.calls) == 2 * NUM_STRETCHES


def test_an_error_in_a_thread_ends_the_run_and_is_raised(corpus: EncodedCorpus) -> None:
    steps = Steps(0.01)

    def step(thread: int, *arguments: Any) -> tuple[float, int]:
        if thread == 1:
            raise ZeroDivisionError("in a thread")
        return steps(thread, *arguments)

    num_threads = threading.active_count()
    with pytest.raises(ZeroDivisionError, match="in a thread"):
        run(corpus, step, position(2))
    assert steps.running == 0
    assert len(steps.calls) < NUM_STRETCHES
    assert threading.active_count() == num_threads


def test_a_text_without_neighbours_is_refused(corpus: EncodedCorpus) -> None:
    with pytest.raises(ValueError, match="no two words side by side in one document.* lower min_count"):
        run(corpus, lambda *arguments: (0.0, 0), position())


def test_progress_only_grows(corpus: EncodedCorpus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_run, "SECONDS_BETWEEN_REPORTS", 0.0)
    reports: list[Progress] = []
    run(corpus, Steps(0.02), position(2), progress=reports.append)
    assert len(reports) > 4
    for attribute, order in (("done", 1), ("seconds", 1), ("epoch", 1), ("learning_rate", -1)):
        values = [order * getattr(report, attribute) for report in reports]
        assert values == sorted(values), attribute
    last = reports[-1]
    assert (last.done, last.total, last.epoch, last.epochs) == (24_000, 24_000, 2, 2)
    assert (last.stage, last.unit, last.loss, last.seconds_left) == ("training", "words", 9.25, 0)
    assert_allclose(last.rate, 24_000 / last.seconds, rtol=1e-9)
    assert_allclose(last.learning_rate, 0.02)
    assert all(0 < report.done <= report.total for report in reports if report.total)


def test_a_resumed_run_reports_its_own_rate(corpus: EncodedCorpus) -> None:
    reports: list[Progress] = []
    run(corpus, Steps(), Position(np.ones(1), np.ones(1), epoch=1, stretch=10, losses=[1.0]), progress=reports.append)
    assert_allclose(reports[-1].rate * reports[-1].seconds, 2000)


def test_more_threads_than_stretches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_stretches, "SHORTEST", 10_000)
    with Corpus([["a", "b"]] * 500).encode(min_count=1) as encoded:
        steps, where = Steps(), position(8)
        run(encoded, steps, where)
    assert len(steps.calls) == 2
