"""The means of words' parts, taken for a piece of text and given back, as definitions: plain NumPy.

A word is the mean of its parts' rows. For a piece of text the mean of each of its words is taken once; training then
moves these means as if they were rows of their own; and what each was moved by goes to all of its parts, so that
their mean moves by just that: within the piece a mean is up to date, but for what other words with the same parts have
learned in it. A part that is in a word m times gets the change m times, and counts m times. To move the mean by the
change and no further, each time is N / (sum of all m^2) of it, which is 1 where no part comes twice.

inputs : float32 (rows, D)         the rows of all parts
part_starts : int64 (V + 1,)       the parts of word w are parts[part_starts[w] : part_starts[w + 1]], one at least
parts : int32                      rows of `inputs`
row_of : int32 (V,)                the row of `means` that a word has, or the last one, which is nobody's
words : int32 (R,)                 the word of each row
shares : float32 (V,)              what share of its change a word gives to each of its parts
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


def give_shares(part_starts: Ids, parts: Ids, shares: Floats) -> None:
    """Set, for each word, N / (sum of m^2), where m is how often each of its different parts is among its N parts."""
    for word in range(len(shares)):
        times = np.unique(parts[part_starts[word] : part_starts[word + 1]], return_counts=True)[1]
        shares[word] = times.sum() / np.sum(times**2)


def give_changes(
    num_words: int,
    inputs: Floats,
    part_starts: Ids,
    parts: Ids,
    shares: Floats,
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
        np.add.at(inputs, parts[part_starts[word] : part_starts[word + 1]], shares[word] * change)
