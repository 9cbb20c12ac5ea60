"""The settings of PPMI: those of counting, and how counts become vectors."""

from __future__ import annotations

from dataclasses import dataclass

from daneo.corpus.cooccurrence_config import CooccurrencesConfig
from daneo.settings import opt


@dataclass(frozen=True, kw_only=True)
class PPMIConfig(CooccurrencesConfig):
    """Settings of :class:`daneo.PPMI`; ``daneo train ppmi --help`` prints the same list.

    Raises
    ------
    TypeError, ValueError
        A value has the wrong type or is out of bounds; the message names it.

    Examples
    --------
    >>> PPMIConfig(shift=5).shift
    5
    >>> PPMIConfig(alpha=2)
    Traceback (most recent call last):
        ...
    ValueError: PPMI(alpha=...) expected at most 1, got 2.
    """

    vector_size: int | None = opt(
        100, "numbers in a word's dense vector (none, in Python: sparse rows alone)", minimum=1
    )
    alpha: float = opt(
        0.75, "contexts have p ~ count**this, so that rare ones weigh less; 1: as counted", minimum=0, maximum=1
    )
    shift: float = opt(1.0, "pairs must stand together so many times as often as by chance to be more than 0", above=0)
    power: float = opt(0.25, "dense columns are scaled by their singular values to the power of this", minimum=0)
    num_threads: int | None = opt(None, "threads (none: one a core); the result does not depend on it", minimum=1)
    seed: int = opt(1, "start of the search for singular vectors", minimum=0, maximum=2**63 - 1)
