"""Counts of word pairs: the definition, in plain Python. Tokens may be any hashable values: words or ids."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from fractions import Fraction
from typing import Any, TypeVar

T = TypeVar("T", bound=Hashable)


def count_cooccurrences(
    documents: Iterable[Sequence[T]], window: int, weighting: str = "harmonic", symmetric: bool = True
) -> dict[tuple[T, T], Fraction]:
    """X[word, context] = sum of 1 / distance, or of 1, over all that stand at most `window` apart in a document.

    A word's contexts are the words on its left; if symmetric, those on its right, too.
    """
    counts: dict[tuple[T, T], Fraction] = {}
    for tokens in documents:
        for i, word in enumerate(tokens):
            for distance in range(1, min(window, i) + 1):
                context = tokens[i - distance]
                weight = Fraction(1, distance if weighting == "harmonic" else 1)
                counts[word, context] = counts.get((word, context), Fraction(0)) + weight
                if symmetric:
                    counts[context, word] = counts.get((context, word), Fraction(0)) + weight
    return counts


def lowest(bits: Any) -> int:
    """Number of the lowest bit that is set, from 0; `bits` is not 0."""
    return (int(bits) & -int(bits)).bit_length() - 1


def prefetch(array: Any, place: int) -> None:
    """Ask the caches for array[place]: what it returns is the same without."""
