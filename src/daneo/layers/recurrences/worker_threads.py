"""Shares of a computation on several threads: PyTorch's own where they can be had, else threads that stay.

The OpenMP threads of PyTorch go on spinning for milliseconds after each of its operations. Threads beside them would
have to share the cores with that; so the shares are handed to the very same threads.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import torch

Work = Callable[[int, int], Any]
_CALLBACK = ctypes.CFUNCTYPE(None, ctypes.c_void_p)
_pools: dict[int, ThreadPoolExecutor] = {}
_is_forked = False


def _after_fork() -> None:
    """Forget the threads, which do not survive a fork; GNU's OpenMP would wait for its own forever."""
    global _is_forked
    _is_forked = True
    _pools.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def in_shares(work: Work, total: int, num_threads: int) -> None:
    """Call ``work(first, last)`` for even shares of range(total), one a thread, and wait for all.

    Parameters
    ----------
    work : callable
        Must release the GIL to gain anything.
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
    num_threads = min(num_threads, total)
    if num_threads <= 1:
        work(0, total)
        return
    openmp = None if _is_forked else _openmp_of_torch()
    if openmp is None:
        _in_pool(work, total, num_threads)
    else:
        _in_openmp(openmp, work, total, num_threads)


def _in_openmp(openmp: ctypes.CDLL, work: Work, total: int, num_threads: int) -> None:
    errors: list[BaseException] = []

    def share(_: int | None) -> None:
        # There may be fewer threads than were asked for.
        n, threads = openmp.omp_get_thread_num(), openmp.omp_get_num_threads()
        try:
            work(n * total // threads, (n + 1) * total // threads)
        except BaseException as error:
            errors.append(error)  # no exception finds its way through C

    openmp.GOMP_parallel(_CALLBACK(share), None, num_threads, 0)
    if errors:
        raise errors[0]


def _in_pool(work: Work, total: int, num_threads: int) -> None:
    pool = _pools.get(num_threads)
    if pool is None:
        pool = _pools[num_threads] = ThreadPoolExecutor(num_threads - 1, thread_name_prefix="daneo-layers")
    others: list[Future[Any]] = [
        pool.submit(work, n * total // num_threads, (n + 1) * total // num_threads) for n in range(1, num_threads)
    ]
    try:
        work(0, total // num_threads)
    finally:  # nobody may go on while a thread still writes
        errors = [error for other in others if (error := other.exception()) is not None]
    if errors:
        raise errors[0]


@cache
def _openmp_of_torch() -> ctypes.CDLL | None:
    """Return the OpenMP library that PyTorch has loaded, if it is GNU's: its entry point is stable and public."""
    if not hasattr(os, "RTLD_NOLOAD"):
        return None
    for path in _libraries():
        try:
            library = ctypes.CDLL(str(path), mode=os.RTLD_NOLOAD)
        except OSError:  # there, but not what is in use
            continue
        library.GOMP_parallel.argtypes = (_CALLBACK, ctypes.c_void_p, ctypes.c_uint, ctypes.c_uint)
        library.GOMP_parallel.restype = None
        return library
    return None


def _libraries() -> Iterator[Path]:
    home = Path(torch.__file__).parent
    for folder in (home / "lib", home.parent / "torch.libs"):
        yield from sorted(folder.glob("libgomp*.so*"))
