"""Counts of word pairs: the definition, in plain Python. Tokens may be any hashable values: words or ids."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from fractions import Fraction
from typing import TypeVar

T = TypeVar("T", bound=Hashable)


def count_cooccurrences(
    documents: Iterable[Sequence[T]], window: int, weighting: str = "harmonic", symmetric: bool = True
) -> Counter[tuple[T, T]]:
    """X[word, context] = sum of 1 / distance, or of 1, over all that stand at most `window` apart in a document.

    A word's contexts are the words on its left; if symmetric, those on its right, too.
    """
    counts: Counter[tuple[T, T]] = Counter()
    for tokens in documents:
        for i, word in enumerate(tokens):
            for distance in range(1, min(window, i) + 1):
                weight = Fraction(1, distance) if weighting == "harmonic" else Fraction(1)
                counts[word, tokens[i - distance]] += weight  # type: ignore[assignment]
                if symmetric:
                    counts[tokens[i - distance], word] += weight  # type: ignore[assignment]
    return counts
