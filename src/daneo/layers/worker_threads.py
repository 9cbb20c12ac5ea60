"""Threads that stay: a kernel call shared out over them costs microseconds, not the start of a thread."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

_pool: ThreadPoolExecutor | None = None
_size = 0


def _forget() -> None:
    """Threads do not survive a fork; the child starts its own."""
    global _pool, _size
    _pool, _size = None, 0


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


def in_shares(work: Callable[[int, int], Any], total: int, num_threads: int) -> None:
    """Call ``work(first, last)`` for even shares of range(total), one a thread, and wait for all.

    Parameters
    ----------
    work : callable
        Must release the GIL to gain anything. The first share runs in the calling thread.
    total : int
        What is shared out; no more threads are used than there is to share.
    num_threads : int

    Examples
    --------
    >>> shares = []
    >>> in_shares(lambda first, last: shares.append((first, last)), 5, num_threads=2)
    >>> sorted(shares)
    [(0, 2), (2, 5)]
    """
    global _pool, _size
    num_threads = min(num_threads, total)
    if num_threads <= 1:
        work(0, total)
        return
    pool = _pool
    if pool is None or _size < num_threads - 1:
        # An old pool ends by itself when those who still use it are done.
        pool = _pool = ThreadPoolExecutor(num_threads - 1, thread_name_prefix="daneo-layers")
        _size = num_threads - 1
    others: list[Future[Any]] = [
        pool.submit(work, n * total // num_threads, (n + 1) * total // num_threads) for n in range(1, num_threads)
    ]
    try:
        work(0, total // num_threads)
    finally:
        # Nobody may go on while a thread still writes, whatever has happened here.
        errors = [error for other in others if (error := other.exception()) is not None]
    if errors:
        raise errors[0]
