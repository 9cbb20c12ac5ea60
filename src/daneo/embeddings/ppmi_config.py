"""The settings of PPMI: names, defaults, bounds and help, in one place."""

from __future__ import annotations

from dataclasses import dataclass

from daneo.corpus.cooccurrences import MOST_WINDOW, WEIGHTINGS
from daneo.settings import check, opt


@dataclass(frozen=True, kw_only=True)
class PPMIConfig:
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
    window: int = opt(10, "largest distance from word to context, in words", minimum=1, maximum=MOST_WINDOW)
    min_count: int = opt(5, "leave out words that occur less often than this", minimum=1)
    max_size: int | None = opt(None, "keep at most so many words, the most frequent ones (none: all)", minimum=1)
    weighting: str = opt("harmonic", "what a pair counts: 1 / distance, or 1", choices=WEIGHTINGS)
    symmetric: bool = opt(True, "count contexts on both sides of a word, not on its left alone")
    alpha: float = opt(
        0.75, "contexts have p ~ count**this, so that rare ones weigh less; 1: as counted", minimum=0, maximum=1
    )
    shift: float = opt(
        1.0, "how often as by chance pairs must stand together to be more than 0; above 1 fewer are", above=0
    )
    power: float = opt(0.25, "dense columns are scaled by their singular values to the power of this", minimum=0)
    memory: int | None = opt(None, "bytes that counting may take (none: 1 GiB more than there is in use)", minimum=1)
    num_threads: int | None = opt(None, "threads (none: one a core); the result does not depend on it", minimum=1)
    seed: int = opt(1, "start of the search for singular vectors", minimum=0, maximum=2**63 - 1)

    def __post_init__(self) -> None:
        check(self)
