"""Shares of a computation on several threads: PyTorch's own, and a pool where those cannot be had."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest
import torch

from daneo.layers.recurrences import worker_threads
from daneo.layers.recurrences.worker_threads import in_shares


@pytest.fixture(params=["PyTorch's own", "a pool"], autouse=True)
def kind_of_threads(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    if request.param == "a pool":
        monkeypatch.setattr(worker_threads, "_openmp_of_torch", lambda: None)
    elif worker_threads._openmp_of_torch() is None:
        pytest.skip("this PyTorch brings no OpenMP of GNU's")
    yield
    worker_threads._pools.clear()


@pytest.mark.parametrize("num_threads", [1, 2, 3, 5])
@pytest.mark.parametrize("total", [0, 1, 2, 7, 100])
def test_everything_is_done_once(total: int, num_threads: int) -> None:
    shares: list[tuple[int, int]] = []
    in_shares(lambda first, last: shares.append((first, last)), total, num_threads)
    assert sorted(n for first, last in shares for n in range(first, last)) == list(range(total))
    assert len(shares) <= max(1, min(num_threads, total))
    lengths = [last - first for first, last in shares]
    assert max(lengths) - min(lengths) <= 1


def test_shares_run_side_by_side() -> None:
    """Each of two waits until the other is there, too."""
    meeting = threading.Barrier(2, timeout=20)
    names: list[int] = []

    def work(first: int, last: int) -> None:
        names.append(threading.get_ident())
        meeting.wait()

    in_shares(work, 2, 2)
    assert len(set(names)) == 2
    assert threading.get_ident() in names


@pytest.mark.parametrize("failing", [0, 1, 2])
def test_an_error_in_one_share_comes_out_after_all_are_done(failing: int) -> None:
    done: list[int] = []

    def work(first: int, last: int) -> None:
        if first == failing:
            raise ArithmeticError(f"in share {first}")
        time.sleep(0.05)
        done.append(first)

    with pytest.raises(ArithmeticError, match=f"in share {failing}"):
        in_shares(work, 3, 3)
    assert sorted([*done, failing]) == [0, 1, 2]
    in_shares(lambda first, last: done.append(10 + first), 3, 3)  # and the threads go on working
    assert sorted(done[2:]) == [10, 11, 12]


def test_an_interrupt_comes_out() -> None:
    def work(first: int, last: int) -> None:
        if first:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        in_shares(work, 2, 2)


def test_several_threads_share_out_at_once() -> None:
    found: dict[int, list[tuple[int, int]]] = {number: [] for number in range(6)}

    def caller(number: int) -> None:
        for _ in range(20):
            in_shares(lambda first, last: found[number].append((first, last)), 4, 2)

    callers = [threading.Thread(target=caller, args=(number,)) for number in found]
    for one in callers:
        one.start()
    for one in callers:
        one.join(timeout=30)
        assert not one.is_alive()
    assert all(sorted(shares) == [(0, 2)] * 20 + [(2, 4)] * 20 for shares in found.values())


def test_the_pool_stays() -> None:
    if worker_threads._openmp_of_torch() is not None:
        pytest.skip("PyTorch keeps its own")
    for _ in range(3):
        in_shares(lambda first, last: None, 8, 3)
    assert [pool._max_workers for pool in worker_threads._pools.values()] == [2]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_after_a_fork() -> None:
    """The parent's threads are gone; OpenMP would wait for them forever."""
    code = """
import os, sys, torch
from daneo import layers
torch.set_num_threads(2)
layer, x = layers.LSTM(64), torch.randn(32, 40, 32)
expected = layer(x)
child = os.fork()
if not child:
    got = layer(x)
    got.sum().backward()
    os._exit(0 if torch.equal(got, expected) else 3)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.stdout.strip(), done.stderr) == ("0", "")


def test_work_is_on_as_many_threads_as_pytorch_has(monkeypatch: pytest.MonkeyPatch) -> None:
    from daneo import layers
    from daneo.layers.recurrences import lstm_passes

    asked: list[int] = []

    def spy(work: worker_threads.Work, total: int, num_threads: int) -> None:
        asked.append(num_threads)
        in_shares(work, total, num_threads)

    monkeypatch.setattr(lstm_passes, "in_shares", spy)
    before, layer = torch.get_num_threads(), layers.LSTM(64)
    layer.build((None, None, 8))
    try:
        torch.set_num_threads(2)
        layer(torch.randn(32, 40, 8))
        layer(torch.randn(1, 5, 8))  # too little to be shared
        torch.set_num_threads(1)
        layer(torch.randn(32, 40, 8))
    finally:
        torch.set_num_threads(before)
    assert asked == [2, 1, 1]
