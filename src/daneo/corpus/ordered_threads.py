"""A function applied to many items by several threads, with the results in the order of the items."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

MOST_THREADS = 8  # by default; one thread reads for all others, and eight are as fast as it


def most_taken(num_threads: int) -> int:
    """Most items that :func:`ordered` has taken and whose results the caller has not finished with."""
    return num_threads + 3


def ordered(function: Callable[[Item], Result], items: Iterable[Item], num_threads: int) -> Generator[Result]:
    """Yield ``function(item)`` for each item, in order.

    The items are taken in the caller's thread, only a few ahead; the first exception, in the order of the items, is
    raised in its place. Close the iterator if it is not read to its end.
    """
    if num_threads == 1:
        yield from map(function, items)
        return
    running: deque[Future[Result]] = deque()
    pool = ThreadPoolExecutor(num_threads, thread_name_prefix="daneo-corpus")
    try:
        for item in items:
            running.append(pool.submit(function, item))
            if len(running) == num_threads + 2:
                yield running.popleft().result()
        while running:
            yield running.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def checked_threads(num_threads: int | None) -> int:
    """Return the number of threads asked for; for ``None``, that of the cores this process may use, 8 at most."""
    if num_threads is None:
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        return min(cores, MOST_THREADS)
    if num_threads < 1:
        raise ValueError(f"Expected num_threads of at least 1, got {num_threads}. None takes every core.")
    return num_threads
