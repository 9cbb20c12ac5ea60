"""The settings of GloVe: names, defaults, bounds and help, in one place."""

from __future__ import annotations

from dataclasses import dataclass

from daneo.corpus.cooccurrence_config import MOST_WINDOW, WEIGHTINGS
from daneo.settings import check, opt

VECTORS = ("sum", "words", "contexts")


@dataclass(frozen=True, kw_only=True)
class GloVeConfig:
    """Settings of :class:`daneo.GloVe`; ``daneo train glove --help`` prints the same list.

    Raises
    ------
    TypeError, ValueError
        A value has the wrong type or is out of bounds; the message names it.

    Examples
    --------
    >>> GloVeConfig(x_max=10).x_max
    10
    >>> GloVeConfig(alpha=0)
    Traceback (most recent call last):
        ...
    ValueError: GloVe(alpha=...) expected more than 0, got 0.
    """

    vector_size: int = opt(100, "numbers in a word's vector", minimum=1)
    window: int = opt(10, "largest distance from word to context, in words", minimum=1, maximum=MOST_WINDOW)
    min_count: int = opt(5, "leave out words that occur less often than this", minimum=1)
    max_size: int | None = opt(None, "keep at most so many words, the most frequent ones (none: all)", minimum=1)
    weighting: str = opt("harmonic", "what a pair counts: 1 / distance, or 1", choices=WEIGHTINGS)
    symmetric: bool = opt(True, "count contexts on both sides of a word, not on its left alone")
    x_max: float = opt(100.0, "pairs that count less weigh less; 10 suits small texts", above=0)
    alpha: float = opt(0.75, "how much less: their weight is (count / x_max)**this", above=0)
    epochs: int = opt(25, "passes over the pairs", minimum=1)
    learning_rate: float = opt(0.05, "first step size, which AdaGrad lowers number by number", above=0)
    vectors: str = opt("sum", "which vectors a word gets: word plus context, or one of them", choices=VECTORS)
    memory: int | None = opt(None, "bytes that counting may take (none: 2 GiB)", minimum=1)
    num_threads: int | None = opt(None, "threads (none: one a core); the result does not depend on it", minimum=1)
    seed: int = opt(1, "start of every random draw", minimum=0, maximum=2**63 - 1)

    def __post_init__(self) -> None:
        check(self)
