"""Phrases: the definition, in plain Python. Tokens may be any hashable values: words or ids."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Sequence
from typing import TypeVar

T = TypeVar("T", bound=Hashable)

MAX_BETWEEN = 7  # connector words in a row


def count_candidates(documents: Iterable[Sequence[T]], connectors: Collection[T] = ()) -> Counter[tuple[T, ...]]:
    """Count every pair of neighbours; connector words may stand between them, and belong to the candidate."""
    counts: Counter[tuple[T, ...]] = Counter()
    for tokens in documents:
        candidate: list[T] = []
        for token in tokens:
            if token not in connectors:
                if candidate:
                    counts[(*candidate, token)] += 1
                candidate = [token]
            elif len(candidate) > MAX_BETWEEN:
                candidate = []
            elif candidate:
                candidate.append(token)
    return counts


def word2phrase_score(count_ab: int, count_a: int, count_b: int, min_count: int, num_tokens: int) -> float:
    """How much oftener than by chance a and b stand together, less a discount for rare pairs."""
    return (count_ab - min_count) / (count_a * count_b) * num_tokens


def npmi_score(count_ab: int, count_a: int, count_b: int, num_tokens: int) -> float:
    """Normalised pointwise mutual information, from -1 (never together) to 1 (never apart)."""
    p_a, p_b, p_ab = count_a / num_tokens, count_b / num_tokens, count_ab / num_tokens
    return math.log(p_ab / (p_a * p_b)) / -math.log(p_ab)


def join(
    tokens: Sequence[str], phrases: Collection[tuple[str, ...]], delimiter: str = "_", connectors: Collection[str] = ()
) -> list[str]:
    """Join the phrases in a text, from left to right; a token belongs to one phrase at most."""
    joined: list[str] = []
    start = 0
    while start < len(tokens):
        stop = start + 1
        if tokens[start] not in connectors:
            while stop < len(tokens) and tokens[stop] in connectors:
                stop += 1
        stop += 1
        if tuple(tokens[start:stop]) in phrases:
            joined.append(delimiter.join(tokens[start:stop]))
            start = stop
        else:
            joined.append(tokens[start])
            start += 1
    return joined
