"""Sub-sampling of frequent words, and the random numbers of all trainers, as definitions: plain NumPy.

Mikolov et al. 2013, arXiv:1310.4546, section 2.3: words that are frequent are dropped at random, before windows are
drawn, so that windows reach further where such words stood.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]
Ids = npt.NDArray[np.integer[Any]]
Random = npt.NDArray[np.uint64]


def next_random(random: Random) -> int:
    """Advance Knuth's 64-bit linear congruential generator."""
    random[0] = (int(random[0]) * 6364136223846793005 + 1442695040888963407) % 2**64
    return int(random[0])


def subsample(ids: Ids, ends: Ids, keep: Floats, random: Random, kept: Ids, kept_ends: Ids) -> int:
    """Keep each word w with probability keep[w] (V,); fill `kept` and `kept_ends`, return how many words were kept."""
    chosen = np.array([(next_random(random) >> 40) * 2.0**-24 < keep[word] for word in ids], dtype=bool)
    count = int(chosen.sum())
    kept[:count], kept[count:] = ids[chosen], 0
    kept_ends[:] = np.concatenate([[0], np.cumsum(chosen)])[ends]
    return count
