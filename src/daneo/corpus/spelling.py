"""Guessing which word was meant by one that the vocabulary does not hold."""

from __future__ import annotations

import heapq
from collections.abc import Container, Sequence
from itertools import islice
from operator import itemgetter

from daneo.corpus import hangul

MAX_SEARCHED = 50_000  # the first words are the frequent ones, and what a person meant is nearly always among them
MAX_COMPARED = 100  # only so many go through the exact comparison,
MAX_LENGTH = 60  # whose time grows with the square of the length


def nearest_spellings(word: str, words: Sequence[str], known: Container[str], *, num: int = 3) -> list[str]:
    """List up to `num` words that are spelled almost like `word`, the nearest first.

    Parameters
    ----------
    word : str
        The word that was asked for.
    words : sequence of str
        The vocabulary, frequent words first.
    known : container of str
        The same words, for finding one fast.
    num : int, default 3
        The most words to list.

    Notes
    -----
    Another case is looked for among all words; anything else among the first 50,000, of which those that share
    most letters with `word` are compared by :func:`edit_distance`. Hangul is compared jamo by jamo.
    Takes some tens of milliseconds.

    Examples
    --------
    >>> words = ["king", "queen", "학교", "kind"]
    >>> nearest_spellings("knig", words, words)
    ['king']
    >>> nearest_spellings("핚교", words, words)
    ['학교']
    """
    found = [form for form in dict.fromkeys((word.lower(), word.capitalize(), word.upper())) if form in known]
    target = hangul.decompose(word)
    if len(target) > MAX_LENGTH:
        return found[:num]
    allowed = max(1, len(target) // 4)
    near = [one for one in islice(words, MAX_SEARCHED) if abs(len(one) - len(word)) <= allowed and "\n" not in one]
    spelled = dict(zip(hangul.decompose("\n".join(near)).split("\n"), near, strict=True)) if near else {}
    letters = set(target)
    shared = (len(letters.intersection(one)) - abs(len(one) - len(target)) for one in spelled)
    compared = heapq.nlargest(MAX_COMPARED, zip(shared, spelled, strict=True), key=itemgetter(0))
    distances = sorted(((edit_distance(target, one), one) for _, one in compared), key=itemgetter(0))
    close = [spelled[one] for distance, one in distances if distance <= allowed]
    return list(dict.fromkeys([*found, *close]))[:num]


def edit_distance(a: str, b: str) -> int:
    """Count the letters to insert, delete, replace or swap with a neighbour that turn `a` into `b`.

    Examples
    --------
    >>> edit_distance("knig", "king"), edit_distance("colour", "color"), edit_distance("", "ab")
    (1, 1, 2)
    """
    before: list[int] = []
    above, row = before, list(range(len(b) + 1))
    for i, letter in enumerate(a, start=1):
        before, above, row = above, row, [i]
        for j, other in enumerate(b, start=1):
            cost = min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (letter != other))
            if i > 1 and j > 1 and letter == b[j - 2] and other == a[i - 2]:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
    return row[-1]
