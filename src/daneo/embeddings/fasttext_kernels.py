"""The four trainers of FastText, compiled. Same names, arguments and draws as in fasttext_reference.py.

As in word2vec_kernels.py a step is three small matrix products, and neighbouring centers share their noise. What a word
gives to them is not a row but the mean of its parts' rows; `slide` (word_parts_kernels.py) takes that mean once for all
windows that a word of the text is in, and gives the changes to the parts once. Any number of threads may train the same
matrices, each with `random` and a stretch of its own. Nothing is checked.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from daneo.embeddings.block_products_kernels import (
    Floats,
    add_products,
    compiled,
    gather,
    gradients,
    prefetch_row,
    scores,
    scores_of_row,
    update_rows_and_row,
)
from daneo.embeddings.float_lanes_kernels import LANES, fma, increase, load, splat, store, zero
from daneo.embeddings.word2vec_kernels import (
    CENTERS,
    Ends,
    Ids,
    Random,
    draw_reach,
    longest_document,
    pair_weights,
    take_noise,
    take_path,
    weigh_noise,
)
from daneo.embeddings.word_parts_kernels import slide

f32 = np.float32
SPARE_STEPS = 64  # centers that the window goes on for before its rows are moved back to the start of their memory


@compiled
def _num_rows(window: int, ends: Ends) -> Any:
    return (2 * min(window, longest_document(ends)) + CENTERS + 3) // 4 * 4 + SPARE_STEPS


@compiled
def skipgram_negative_sampling(
    kept: Ids,
    ends: Ends,
    inputs: Floats,
    outputs: Floats,
    part_starts: Ends,
    parts: Ids,
    position_weights: Floats,
    noise: Ids,
    num_noise: int,
    negative: float,
    window: int,
    shrink_windows: bool,
    learning_rate: np.float32,
    random: Random,
) -> tuple[float, int]:
    """Each context word predicts its center. Returns the loss and the number of pairs."""
    width, spare = inputs.shape[1], len(outputs) - 1
    most, columns = _num_rows(window, ends), CENTERS + num_noise
    means, before = np.zeros((most, width), f32), np.zeros((most, width), f32)
    live, every = np.zeros(3, np.int64), np.arange(most)
    y, score, weight = np.zeros((columns, width), f32), np.zeros((most, columns), f32), np.zeros((most, columns), f32)
    rows = np.zeros(columns, np.int64)
    rate, noise_rate = f32(learning_rate), f32(-learning_rate * negative / num_noise)
    loss, num_pairs, start = 0.0, 0, 0
    for end in ends:
        for begin in range(start, end, CENTERS):
            stop = min(begin + CENTERS, end)
            low, high = max(start, begin - window), min(end, stop + window)
            count = high - low
            padded = (count + 3) // 4 * 4
            for i in range(stop, stop + CENTERS):
                prefetch_row(outputs, kept[i])
            take_noise(noise, random, outputs, rows, CENTERS, num_noise)
            for j in range(padded):
                weight[j] = 0
            for i in range(CENTERS):
                rows[i] = kept[begin + i] if begin + i < stop else spare
                if begin + i < stop:
                    reach = draw_reach(window, shrink_windows, random)
                    num_pairs += pair_weights(begin + i, low, count, reach, rate, noise_rate, weight, i)
            weigh_noise(rows, stop - begin, padded, columns, weight)
            gather(outputs, rows, columns, y)
            x = means[slide(low, high, kept, inputs, part_starts, parts, means, before, live) :]
            scores(x, padded, y, columns, score)
            loss += gradients(score, weight, padded, columns)
            add_products(outputs, rows, columns, score.T, x, padded)
            add_products(x, every, padded, score, y, columns)
        start = end
    slide(start, start, kept, inputs, part_starts, parts, means, before, live)
    return float(loss / learning_rate), num_pairs


@compiled
def _predict(
    kept: Ids, part_starts: Ends, x: Floats, low: int, bounds: Ends, weights: Floats, window: int, y: Floats, index: int
) -> None:
    # y[index] = the mean of all parts of the words from bounds[0] to bounds[2] without bounds[1], whose means are in x.
    first, center, last = bounds[0], bounds[1], bounds[2]
    num_parts = 0
    for j in range(first, last):
        num_parts += part_starts[kept[j] + 1] - part_starts[kept[j]] if j != center else 0
    for d in range(0, x.shape[1], LANES):
        total = zero()
        for j in range(first, last):
            if j != center:
                share = splat(f32(part_starts[kept[j] + 1] - part_starts[kept[j]]) / f32(num_parts))
                if len(weights):
                    share = fma(share, load(weights, j - center + window, d), zero())
                total = fma(share, load(x, j - low, d), total)
        store(y, index, d, total)


@compiled
def _learn(
    kept: Ids,
    part_starts: Ends,
    x: Floats,
    low: int,
    bounds: Ends,
    weights: Floats,
    window: int,
    change: Floats,
    index: int,
) -> None:
    # The change of a prediction goes undivided to all parts, and with them to the words' means.
    first, center, last = bounds[0], bounds[1], bounds[2]
    num_parts = 0
    if len(weights):
        for j in range(first, last):
            num_parts += part_starts[kept[j] + 1] - part_starts[kept[j]] if j != center else 0
    for d in range(0, x.shape[1], LANES):
        step = load(change, index, d)
        for j in range(first, last):
            if j != center:
                if len(weights):
                    share = splat(f32(part_starts[kept[j] + 1] - part_starts[kept[j]]) / f32(num_parts))
                    weight, mean = load(weights, j - center + window, d), load(x, j - low, d)
                    increase(weights, j - center + window, d, fma(fma(share, mean, zero()), step, zero()))
                    increase(x, j - low, d, fma(weight, step, zero()))
                else:
                    increase(x, j - low, d, step)


@compiled
def cbow_negative_sampling(
    kept: Ids,
    ends: Ends,
    inputs: Floats,
    outputs: Floats,
    part_starts: Ends,
    parts: Ids,
    position_weights: Floats,
    noise: Ids,
    num_noise: int,
    negative: float,
    window: int,
    shrink_windows: bool,
    learning_rate: np.float32,
    random: Random,
) -> tuple[float, int]:
    """The mean of all parts of the context words predicts the center. Returns the loss and the number of centers."""
    width, spare = inputs.shape[1], len(outputs) - 1
    most, columns = _num_rows(window, ends), CENTERS + num_noise
    means, before = np.zeros((most, width), f32), np.zeros((most, width), f32)
    live, every, bounds = np.zeros(3, np.int64), np.arange(CENTERS), np.zeros((CENTERS, 3), np.int64)
    h, y, change = np.zeros((CENTERS, width), f32), np.zeros((columns, width), f32), np.zeros((CENTERS, width), f32)
    score, weight = np.zeros((CENTERS, columns), f32), np.zeros((CENTERS, columns), f32)
    rows = np.zeros(columns, np.int64)
    rate, noise_rate = f32(learning_rate), f32(-learning_rate * negative / num_noise)
    loss, num_examples, start = 0.0, 0, 0
    for end in ends:
        for begin in range(start, end, CENTERS):
            stop = min(begin + CENTERS, end)
            low, high = max(start, begin - window), min(end, stop + window)
            for i in range(stop, stop + CENTERS):
                prefetch_row(outputs, kept[i])
            take_noise(noise, random, outputs, rows, CENTERS, num_noise)
            x = means[slide(low, high, kept, inputs, part_starts, parts, means, before, live) :]
            h[:], change[:], weight[:] = 0, 0, 0
            for i in range(CENTERS):
                center = begin + i
                rows[i] = kept[center] if center < end else spare
                bounds[i] = center
                if center < end:
                    reach = draw_reach(window, shrink_windows, random)
                    bounds[i, 0], bounds[i, 2] = max(start, center - reach), min(end, center + reach + 1)
                    if bounds[i, 2] - bounds[i, 0] == 1:
                        continue
                    _predict(kept, part_starts, x, low, bounds[i], position_weights, window, h, i)
                    num_examples += 1
                    weight[i, i] = rate
                    for k in range(CENTERS, columns):
                        weight[i, k] = 0 if rows[k] == rows[i] else noise_rate
            gather(outputs, rows, columns, y)
            scores(h, CENTERS, y, columns, score)
            loss += gradients(score, weight, CENTERS, columns)
            add_products(change, every, CENTERS, score, y, columns)
            add_products(outputs, rows, columns, score.T, h, CENTERS)
            for i in range(stop - begin):
                _learn(kept, part_starts, x, low, bounds[i], position_weights, window, change, i)
        start = end
    slide(start, start, kept, inputs, part_starts, parts, means, before, live)
    return float(loss / learning_rate), num_examples


@compiled
def skipgram_hierarchical_softmax(
    kept: Ids,
    ends: Ends,
    inputs: Floats,
    outputs: Floats,
    part_starts: Ends,
    parts: Ids,
    position_weights: Floats,
    path_starts: Ends,
    path_nodes: Ids,
    path_signs: Floats,
    longest_path: int,
    window: int,
    shrink_windows: bool,
    learning_rate: np.float32,
    random: Random,
) -> tuple[float, int]:
    """Each context word predicts the path to its center. Returns the loss and the number of pairs."""
    width, spare_node = inputs.shape[1], len(outputs) - 1
    most, columns = _num_rows(window, ends), (longest_path + 3) // 4 * 4
    means, before = np.zeros((most, width), f32), np.zeros((most, width), f32)
    live, every = np.zeros(3, np.int64), np.arange(most)
    y, score, weight = np.zeros((columns, width), f32), np.zeros((most, columns), f32), np.zeros((most, columns), f32)
    rows, rate = np.zeros(columns, np.int64), f32(learning_rate)
    loss, num_pairs, start = 0.0, 0, 0
    for end in ends:
        for center in range(start, end):
            reach = draw_reach(window, shrink_windows, random)
            low, high = max(start, center - window), min(end, center + window + 1)
            x = means[slide(low, high, kept, inputs, part_starts, parts, means, before, live) :]
            length = take_path(kept[center], path_starts, path_nodes, path_signs, spare_node, rate, rows, weight)
            padded = (high - low + 3) // 4 * 4
            for j in range(padded - 1, -1, -1):  # row 0, which the others are copied from, comes last
                is_context = j < high - low and j != center - low and abs(j - center + low) <= reach
                for k in range(columns):
                    weight[j, k] = weight[0, k] if is_context else f32(0)
                num_pairs += is_context
            gather(outputs, rows, length, y)
            scores(x, padded, y, length, score)
            loss += gradients(score, weight, padded, length)
            add_products(outputs, rows, length, score.T, x, padded)
            add_products(x, every, padded, score, y, length)
        start = end
    slide(start, start, kept, inputs, part_starts, parts, means, before, live)
    return float(loss / learning_rate), num_pairs


@compiled
def cbow_hierarchical_softmax(
    kept: Ids,
    ends: Ends,
    inputs: Floats,
    outputs: Floats,
    part_starts: Ends,
    parts: Ids,
    position_weights: Floats,
    path_starts: Ends,
    path_nodes: Ids,
    path_signs: Floats,
    longest_path: int,
    window: int,
    shrink_windows: bool,
    learning_rate: np.float32,
    random: Random,
) -> tuple[float, int]:
    """The mean of all parts of the context predicts the path to the center. Returns the loss and how many centers."""
    width, spare_node = inputs.shape[1], len(outputs) - 1
    most, columns = _num_rows(window, ends), (longest_path + 3) // 4 * 4
    means, before = np.zeros((most, width), f32), np.zeros((most, width), f32)
    live, bounds = np.zeros(3, np.int64), np.zeros(3, np.int64)
    h, change = np.zeros((1, width), f32), np.zeros((1, width), f32)
    score, weight = np.zeros((1, columns), f32), np.zeros((1, columns), f32)
    rows, rate = np.zeros(columns, np.int64), f32(learning_rate)
    loss, num_examples, start = 0.0, 0, 0
    for end in ends:
        for center in range(start, end):
            reach = draw_reach(window, shrink_windows, random)
            low, high = max(start, center - window), min(end, center + window + 1)
            x = means[slide(low, high, kept, inputs, part_starts, parts, means, before, live) :]
            bounds[0], bounds[1], bounds[2] = max(start, center - reach), center, min(end, center + reach + 1)
            if bounds[2] - bounds[0] == 1:
                continue
            length = take_path(kept[center], path_starts, path_nodes, path_signs, spare_node, rate, rows, weight)
            _predict(kept, part_starts, x, low, bounds, position_weights, window, h, 0)
            scores_of_row(h, 0, outputs, rows, length, score)
            loss += gradients(score, weight, 1, length)
            update_rows_and_row(outputs, rows, length, score, h, change, 0)
            _learn(kept, part_starts, x, low, bounds, position_weights, window, change, 0)
            num_examples += 1
        start = end
    slide(start, start, kept, inputs, part_starts, parts, means, before, live)
    return float(loss / learning_rate), num_examples
