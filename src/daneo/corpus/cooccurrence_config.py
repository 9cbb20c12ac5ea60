"""The settings of counting word pairs: names, defaults, bounds and help, in one place."""

from __future__ import annotations

import math
from dataclasses import dataclass

from daneo.settings import check, opt

WEIGHTINGS = ("harmonic", "flat")
MOST_WINDOW = 65_535  # a kernel has two bytes for it
_MOST_TOTAL = 2**62  # sums are int64


@dataclass(frozen=True, kw_only=True)
class CooccurrencesConfig:
    """Settings of :func:`daneo.corpus.count_cooccurrences`; ``daneo cooccur --help`` prints the same list.

    Raises
    ------
    TypeError, ValueError
        A value has the wrong type or is out of bounds; the message names it.

    Examples
    --------
    >>> CooccurrencesConfig(window=5).weighting
    'harmonic'
    >>> CooccurrencesConfig(window=0)
    Traceback (most recent call last):
        ...
    ValueError: Cooccurrences(window=...) expected at least 1, got 0.
    """

    window: int = opt(
        10, "largest distance of two words that count as a pair, in words", minimum=1, maximum=MOST_WINDOW
    )
    weighting: str = opt("harmonic", "what a pair at distance d adds: 1/d (harmonic) or 1 (flat)", choices=WEIGHTINGS)
    symmetric: bool = opt(True, "a word's contexts are the words on both sides, not only those on its left")
    min_count: int = opt(5, "leave out words that occur less often than this", minimum=1)
    max_size: int | None = opt(None, "keep at most so many words, the most frequent ones (none: all)", minimum=1)
    memory: int | None = opt(
        None,
        "memory to use in all, as 2GB, but for a text's words while it is read (none: 1 GiB more than then)",
        minimum=1,
        in_bytes=True,
    )
    num_threads: int | None = opt(
        None, "threads (none: one a core, 8 at most); the counts do not depend on it", minimum=1
    )

    def __post_init__(self) -> None:
        check(self)

    def unit(self, num_tokens: int) -> int:
        """Return what 1 is in the sums, which are whole numbers, for a text of this length.

        All weights are whole multiples of 1 / unit where that is possible, which it is up to a window of 22 in any
        text of less than a billion words. Beyond, each weight is rounded to such a multiple.

        Raises
        ------
        ValueError
            The text is so long and the window so wide that the weights of far words would be nothing.

        Examples
        --------
        >>> CooccurrencesConfig(window=10).unit(1_000_000)
        2520
        >>> CooccurrencesConfig(window=100).unit(1_000_000) == 2**38
        True
        """
        if self.weighting == "flat":
            return 1
        # The sum of 1 / d up to the window is at most the number of the window's binary digits.
        largest = _MOST_TOTAL // (2 * max(num_tokens, 1) * self.window.bit_length())
        if largest < self.window:
            raise ValueError(
                f"A window of {self.window:,} expected a text of fewer words than {num_tokens:,}, for whose sums 63 "
                "bits are too few. Count with a smaller window or with weighting flat."
            )
        exact = math.lcm(*range(1, min(self.window, 64) + 1))  # 64 is far beyond what fits
        return exact if exact <= largest else 1 << (largest.bit_length() - 1)

    def weights(self, num_tokens: int) -> list[int]:
        """Return what a pair at each distance adds to its sum, from distance 0 to the window.

        Examples
        --------
        >>> CooccurrencesConfig(window=4).weights(1_000)
        [0, 12, 6, 4, 3]
        """
        unit = self.unit(num_tokens)
        if self.weighting == "flat":
            return [0] + [unit] * self.window
        return [0, *((unit + d // 2) // d for d in range(1, self.window + 1))]
