"""The means of words' parts, taken for a piece of text and given back, as definitions: plain NumPy.

A word is the mean of its parts' rows. For a piece of text the mean of each of its words is taken once; training then
moves these means as if they were rows of their own; and what each was moved by goes to all of its parts. Adding a
change to every part moves their mean by just that change, so within the piece a mean is up to date, but for what other
words with the same parts have learned in it.

inputs : float32 (rows, D)         the rows of all parts
part_starts : int64 (V + 1,)       the parts of word w are parts[part_starts[w] : part_starts[w + 1]], one at least
parts : int32                      rows of `inputs`
row_of : int32 (V,)                the row of `means` that a word has, or the last one, which is nobody's
words : int32 (R,)                 the word of each row
means, before : float32 (R + 1, D) as they are, and as they were taken
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]
Ids = npt.NDArray[np.integer[Any]]


def take_means(
    kept: Ids,
    count: int,
    inputs: Floats,
    part_starts: Ids,
    parts: Ids,
    row_of: Ids,
    words: Ids,
    means: Floats,
    before: Floats,
) -> int:
    """Give each word among the first `count` of `kept` a row of `means`; return how many rows there are."""
    piece = list(dict.fromkeys(kept[:count].tolist()))
    for row, word in enumerate(piece):
        row_of[word], words[row] = row, word
        means[row] = before[row] = inputs[parts[part_starts[word] : part_starts[word + 1]]].mean(axis=0)
    return len(piece)


def give_changes(
    num_words: int,
    inputs: Floats,
    part_starts: Ids,
    parts: Ids,
    row_of: Ids,
    words: Ids,
    means: Floats,
    before: Floats,
) -> None:
    """Add what each mean has changed by to all of its word's parts, and take the words' rows away.

    Overwrites `before`.
    """
    before[:num_words] = means[:num_words] - before[:num_words]
    for word, change in zip(words[:num_words], before, strict=False):
        row_of[word] = len(means) - 1
        np.add.at(inputs, parts[part_starts[word] : part_starts[word + 1]], change)
