"""A function applied to many items by several threads, with the results in the order of the items."""

from __future__ import annotations

import _thread
from collections import deque
from collections.abc import Callable, Generator, Iterable
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

from daneo.threads import available_cores

Item = TypeVar("Item")
Result = TypeVar("Result")

MOST_THREADS = 8  # by default; one thread reads for all others, and eight are as fast as it


def checked_threads(num_threads: int | None) -> int:
    """Return the number of threads asked for; for ``None``, that of the cores this process may use, 8 at most."""
    if num_threads is None:
        return min(available_cores(), MOST_THREADS)
    if num_threads < 1:
        raise ValueError(f"Expected num_threads of at least 1, got {num_threads}. None takes every core.")
    return num_threads


def most_taken(num_threads: int) -> int:
    """Most items that :func:`ordered` has taken and whose results the caller has not finished with."""
    return num_threads + 3


def ordered(function: Callable[[Item], Result], items: Iterable[Item], num_threads: int) -> Generator[Result]:
    """Yield ``function(item)`` for each item, in order.

    The items are taken in the caller's thread, only a few ahead; the first exception, in the order of the items, is
    raised in its place. Close the generator if it is not read to its end.

    Notes
    -----
    The threads of ``concurrent.futures`` can hang for ever if Ctrl-C comes while the caller's thread holds one of
    their locks, which are Python code. The queues here are not, and nothing else is shared.
    """
    if num_threads == 1:
        yield from map(function, items)
        return
    tasks: SimpleQueue[_Task[Item, Result] | None] = SimpleQueue()
    ended: SimpleQueue[None] = SimpleQueue()

    def work() -> None:
        while (task := tasks.get()) is not None:
            task.run(function)
        ended.put(None)

    num_started = 0
    running: deque[_Task[Item, Result]] = deque()
    try:
        for item in items:
            if num_started < num_threads:
                _thread.start_new_thread(work, ())
                num_started += 1
            running.append(_Task(item))
            tasks.put(running[-1])
            if len(running) == num_threads + 2:
                yield running.popleft().result()
        while running:
            yield running.popleft().result()
    finally:
        _clear(tasks)
        for _ in range(num_threads):
            tasks.put(None)
        for _ in range(num_started):
            ended.get()


class _Task(Generic[Item, Result]):
    """An item, and what became of it."""

    def __init__(self, item: Item) -> None:
        self._item = item
        self._outcome: SimpleQueue[tuple[Result] | BaseException] = SimpleQueue()

    def run(self, function: Callable[[Item], Result]) -> None:
        try:
            self._outcome.put((function(self._item),))
        except BaseException as error:  # the caller's thread raises it
            self._outcome.put(error)

    def result(self) -> Result:
        outcome = self._outcome.get()
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome[0]


def _clear(tasks: SimpleQueue[_Task[Item, Result] | None]) -> None:
    try:
        while True:
            tasks.get_nowait()
    except Empty:
        return
