"""Guessing which word was meant by one that the vocabulary does not hold."""

from __future__ import annotations

import difflib
import heapq
from collections import Counter
from collections.abc import Container, Sequence
from itertools import islice

from daneo.corpus import hangul

MAX_SEARCHED = 50_000  # the first words are the frequent ones, and what a person meant is nearly always among them
MAX_COMPARED = 100  # only so many go through the slow, exact comparison


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
    Another case is looked for among all words; anything else among the first 50,000, first by the letters that
    they share with `word`, then by :mod:`difflib`. Hangul is compared jamo by jamo. Takes some tens of ms.

    Examples
    --------
    >>> words = ["king", "queen", "학교", "kind"]
    >>> nearest_spellings("knig", words, words)
    ['king']
    >>> nearest_spellings("핚교", words, words)
    ['학교']
    """
    found = [form for form in dict.fromkeys((word.lower(), word.capitalize(), word.upper())) if form in known]
    if not word or len(word) > 100:  # difflib's time grows with the square of the length
        return found[:num]
    letters = Counter(word)
    longest = max(2, len(word) // 3)
    similar = [one for one in islice(words, MAX_SEARCHED) if abs(len(one) - len(word)) <= longest]
    if not word.isascii():
        letters = Counter(hangul.decompose(word))
    shared = ((sum((letters & Counter(hangul.decompose(one))).values()), one) for one in similar)
    compared = [one for _, one in heapq.nlargest(MAX_COMPARED, shared, key=lambda pair: pair[0])]
    spelled = {hangul.decompose(one): one for one in compared}
    close = difflib.get_close_matches(hangul.decompose(word), spelled, n=num, cutoff=0.7)
    return list(dict.fromkeys([*found, *(spelled[one] for one in close)]))[:num]
