"""How many threads to use when the user does not say."""

from __future__ import annotations

import os


def available_cores() -> int:
    """Return the number of cores that this process may run on, at least 1."""
    if hasattr(os, "sched_getaffinity"):  # Linux: a container may grant fewer than the machine has
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
