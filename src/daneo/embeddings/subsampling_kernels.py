"""Sub-sampling of frequent words, and the random numbers of all trainers, compiled. Meaning: subsampling_reference.py.

Nothing is checked. Any thread may call them, each with a state of its own.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from daneo.embeddings.block_products_kernels import Floats, Ids, compiled

f32 = np.float32
Ends = npt.NDArray[np.int64]
Random = npt.NDArray[np.uint64]
_MULTIPLIER, _INCREMENT = np.uint64(6364136223846793005), np.uint64(1442695040888963407)


@compiled
def next_random(random: Random) -> Any:
    """Advance Knuth's 64-bit linear congruential generator; its high bits are the good ones."""
    random[0] = random[0] * _MULTIPLIER + _INCREMENT
    return random[0]


@compiled
def subsample(ids: Ids, ends: Ends, keep: Floats, random: Random, kept: Ids, kept_ends: Ends) -> int:
    """Keep each token with its word's probability; fill `kept` and its documents' ends, return how many are kept."""
    count, start = 0, 0
    for document in range(len(ends)):
        for position in range(start, ends[document]):
            word = ids[position]
            kept[count] = word
            if f32(next_random(random) >> np.uint64(40)) * f32(2.0**-24) < keep[word]:
                count += 1
        start = ends[document]
        kept_ends[document] = count
    kept[count:] = 0  # what is prefetched beyond the end must be a row
    return count
