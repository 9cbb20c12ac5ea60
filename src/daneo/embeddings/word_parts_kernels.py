"""The means of words' parts, taken for a piece of text and given back, compiled. Meaning: word_parts_reference.py.

Rows are C-contiguous float32, a multiple of LANES wide. Nothing is checked. Several threads may take from and give to
one matrix of inputs at once, each with arrays of its own otherwise; now and then an addition is lost (Hogwild).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from daneo.embeddings.block_products_kernels import Floats, Ids, compiled, f32, prefetch_row
from daneo.embeddings.float_lanes_kernels import LANES, add, fma, increase, load, splat, store, zero

Ends = npt.NDArray[np.int64]
AHEAD = 4  # words of the text; the rows of their parts lie anywhere, and waiting for them is most of the time it takes


@compiled
def _prefetch_parts(word: int, inputs: Floats, part_starts: Ends, parts: Ids) -> None:
    for p in range(part_starts[word], part_starts[word + 1]):
        prefetch_row(inputs, parts[p])


@compiled
def _take_mean(inputs: Floats, parts: Ids, first: int, last: int, means: Floats, before: Floats, row: int) -> None:
    # Four parts at a time: a sum of one after the other would wait for each addition.
    width, fours = inputs.shape[1], first + (last - first) // 4 * 4
    for d in range(0, width, LANES):
        store(means, row, d, zero())
    for p in range(first, fours, 4):
        a, b, c, e = parts[p], parts[p + 1], parts[p + 2], parts[p + 3]
        for d in range(0, width, LANES):
            pair, other = add(load(inputs, a, d), load(inputs, b, d)), add(load(inputs, c, d), load(inputs, e, d))
            store(means, row, d, add(load(means, row, d), add(pair, other)))
    for p in range(fours, last):
        for d in range(0, width, LANES):
            store(means, row, d, add(load(means, row, d), load(inputs, parts[p], d)))
    share = splat(f32(1) / f32(last - first))
    for d in range(0, width, LANES):
        mean = fma(share, load(means, row, d), zero())
        store(means, row, d, mean)
        store(before, row, d, mean)


@compiled
def take_means(
    kept: Ids,
    count: int,
    inputs: Floats,
    part_starts: Ends,
    parts: Ids,
    row_of: Ids,
    words: Ids,
    means: Floats,
    before: Floats,
) -> int:
    """Give each word among the first `count` of `kept` a row of `means`; return how many rows there are."""
    spare, num_words = len(means) - 1, 0
    for position in range(count):
        word = kept[position]
        if position + AHEAD < count and row_of[kept[position + AHEAD]] == spare:
            _prefetch_parts(kept[position + AHEAD], inputs, part_starts, parts)
        if row_of[word] != spare:
            continue
        row_of[word], words[num_words] = num_words, word
        _take_mean(inputs, parts, part_starts[word], part_starts[word + 1], means, before, num_words)
        num_words += 1
    return num_words


@compiled
def give_shares(part_starts: Ends, parts: Ids, shares: Floats) -> None:
    """Set, for each word, what share of its change a part gets each time that it is there: 1 if none is there twice."""
    for word in range(len(shares)):
        mine = np.sort(parts[part_starts[word] : part_starts[word + 1]])
        pairs, run = 0, 0
        for p in range(len(mine)):
            run = run + 1 if p and mine[p] == mine[p - 1] else 1
            pairs += 2 * run - 1  # so that a run of m adds up to m^2
        shares[word] = f32(len(mine)) / f32(pairs)


@compiled
def give_changes(
    num_words: int,
    inputs: Floats,
    part_starts: Ends,
    parts: Ids,
    shares: Floats,
    row_of: Ids,
    words: Ids,
    means: Floats,
    before: Floats,
) -> None:
    """Add what each mean has changed by to all of its word's parts, and take the words' rows away."""
    for row in range(num_words):
        word = words[row]
        share, minus = splat(shares[word]), splat(f32(-1))
        row_of[word] = len(means) - 1
        if row + 1 < num_words:
            _prefetch_parts(words[row + 1], inputs, part_starts, parts)
        for d in range(0, inputs.shape[1], LANES):
            change = fma(minus, load(before, row, d), load(means, row, d))
            store(before, row, d, fma(share, change, zero()))
        for p in range(part_starts[word], part_starts[word + 1]):
            for d in range(0, inputs.shape[1], LANES):
                increase(inputs, parts[p], d, load(before, row, d))
