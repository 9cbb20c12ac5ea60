"""Tokens to ids: the definition, in plain Python. ``word_table_kernels`` does the same with arrays.

A table of counted tokens is a dict from the token to [id, count].
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Table = dict[str, list[int]]


def count_tokens(tokens: list[str], table: Table) -> list[int]:
    """Look up each token, count it and return its id; a new one gets the next id."""
    for token in tokens:
        table.setdefault(token, [len(table), 0])[1] += 1
    return [table[token][0] for token in tokens]


def add(other: Table, table: Table) -> list[int]:
    """Add the counts of another table to this one, as ``WordTable.add`` does; return the id here for each id there."""
    mapping = []
    for token, (_, count) in other.items():
        entry = table.setdefault(token, [len(table), 0])
        entry[1] += count
        mapping.append(entry[0])
    return mapping


def remap(
    ids: npt.NDArray[np.int32], ends: npt.NDArray[np.int64], mapping: npt.NDArray[np.int32]
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64]]:
    """Replace ids by mapping[id], leaving out those mapped to -1; ends then count the ids that are left before them."""
    new = mapping[ids]
    kept_before = np.concatenate([[0], np.cumsum(new >= 0)])
    return new[new >= 0], kept_before[ends]
