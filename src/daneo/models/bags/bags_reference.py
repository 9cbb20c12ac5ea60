"""Texts to bags of rows: the definitions, in plain Python. ``bags_kernels`` does the same with arrays.

A text is a list of types (distinct tokens by number). A type has a row of its own, unless it is too rare, and the rows
of its character n-grams, its *parts*; runs of types are word n-grams, hashed into the same table. The bag of a text is
all these rows, with repeats.

Rows that occur in the same texts, as often in each, move together: SGD adds the same to each of them. So nothing is
lost if one row stands for all m of them: with T = (sum of the rows) / sqrt(m), which turns the coordinates and changes
no length, a text that has each of them c times has T with the weight c * sqrt(m), and SGD on T is SGD on the rows.
"""

from __future__ import annotations

import math
from collections import Counter

FACTOR = 116049371


def list_members(
    texts: list[list[int]],
    end_of_line: int,
    skipped: list[bool],
    hashes: list[int],
    word_ngrams: int,
    num_buckets: int,
) -> tuple[list[list[int]], list[list[int]]]:
    """The types of each text that are no labels, with ``</s>`` at its end, and the buckets of its word n-grams.

    A text ends at the first ``</s>`` in it. All is modulo 2^64; a negative hash counts as what it is modulo 2^64.
    """
    types, buckets = [], []
    for text in texts:
        cut = text[: text.index(end_of_line)] if end_of_line in text else text
        found = [number for number in cut if not skipped[number]] + [end_of_line]
        ngrams = []
        for i in range(len(found)):
            value = hashes[found[i]]
            for j in range(i + 1, min(i + word_ngrams, len(found))):
                value = (value * FACTOR + hashes[found[j]]) % 2**64
                ngrams.append(value % num_buckets)
        types.append(found)
        buckets.append(ngrams)
    return types, buckets


def add_keys(bags: list[list[int]], keys: list[int], sums: list[int]) -> list[int]:
    """sums[m] += keys[i] for each member m of each bag i, modulo 2^64: of random keys, equal sums mean equal bags."""
    for members, key in zip(bags, keys, strict=True):
        for member in members:
            sums[member] = (sums[member] + key) % 2**64
    return sums


def number_alike(sums: list[int]) -> list[int]:
    """Give equal sums the same number, in the order in which they come first."""
    numbers: dict[int, int] = {}
    return [numbers.setdefault(one, len(numbers)) for one in sums]


def collect(
    types: list[list[int]], ngrams: list[list[int]], own: list[int], parts: list[list[int]], shares: list[float]
) -> tuple[list[dict[int, float]], list[float]]:
    """The distinct rows of each text with their weights, and one by the number of rows that count.

    types and ngrams: the types of each text, and the rows of its word n-grams; own: the row of each type, negative
    where it has none; parts: the rows of its n-grams. shares[row], 1 / sqrt(m), is what each time adds to the weight.
    """
    bags, scales = [], []
    for text, runs in zip(types, ngrams, strict=True):
        rows = [row for number in text for row in ([own[number]] if own[number] >= 0 else []) + parts[number]] + runs
        bags.append({row: count * shares[row] for row, count in Counter(rows).items()})
        scales.append(1 / len(rows) if rows else 0.0)
    return bags, scales


def share(num_rows: int) -> float:
    """What a row that stands for `num_rows` adds to its weight, each time that one of them occurs."""
    return 1 / math.sqrt(num_rows)
