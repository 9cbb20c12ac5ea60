"""The vectors of a text's words while a window passes over them, as definitions: plain NumPy.

A word is the mean of its parts' rows. Windows overlap, so a word of the text is needed by many steps in a row: its mean
is taken once, when the window reaches it, and what the steps added to that mean goes to its parts once, when the window
has passed. Adding a change to every part moves their mean by just that change, so the mean stays up to date in between;
only other words with the same parts learn of it later.

inputs : float32 (rows, D)         the rows of all parts, changed in place
part_starts : int64 (V + 1,)       the parts of word w are parts[part_starts[w] : part_starts[w + 1]], one at least
parts : int32                      rows of `inputs`
means, before : float32 (R, D)     the words in the window: as they are, and as they were when it reached them
live : int64 (3,)                  position of row 0 of `means`; where the window begins and where it ends
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]
Ids = npt.NDArray[np.integer[Any]]


def slide(
    low: int,
    high: int,
    kept: Ids,
    inputs: Floats,
    part_starts: Ids,
    parts: Ids,
    means: Floats,
    before: Floats,
    live: Ids,
) -> int:
    """Let the window be the positions from `low` to `high` of the text `kept`; return the row of `means` of `low`.

    The bounds never go back. First the changes of the words that are passed go to their parts, then the means of the
    new ones are taken.
    """
    origin, first, last = live.tolist()
    for position in range(first, min(low, last)):
        word, row = kept[position], position - origin
        np.add.at(inputs, parts[part_starts[word] : part_starts[word + 1]], means[row] - before[row])
    if low - origin + (high - low + 3) // 4 * 4 > len(means) or low >= last:  # rows are read by fours
        moved = max(last - low, 0)
        for rows in (means, before):
            rows[:moved] = rows[low - origin : low - origin + moved].copy()
        origin = low
    for position in range(max(last, low), high):
        word, row = kept[position], position - origin
        means[row] = before[row] = inputs[parts[part_starts[word] : part_starts[word + 1]]].mean(axis=0)
    live[:] = origin, low, max(high, last)
    return int(low - origin)
