"""The trainers of the classifier, compiled. Same names, arguments and draws as in fasttext_classifier_reference.py.

All update the matrices in place, without a lock: any number of threads may train the same matrices, each with `random`
and texts of its own. Nothing is checked. The rows of the next texts are prefetched during the present ones.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from daneo.embeddings.block_products_kernels import (
    Floats,
    add_products,
    compiled,
    compiled_fast,
    gradients,
    prefetch_row,
    scores,
    scores_of_row,
    update_rows_and_row,
)
from daneo.embeddings.float_lanes_kernels import LANES, fma, load, splat, store, zero

TEXTS = 4  # texts that are scored together
PREFETCHED = 64  # rows of a text: more of them would push each other out of the innermost cache
f32 = np.float32
Ids = npt.NDArray[np.integer]
Random = npt.NDArray[np.uint64]
_MULTIPLIER, _INCREMENT = np.uint64(6364136223846793005), np.uint64(1442695040888963407)
_LOG2_E = f32(1.4426950408889634)


@compiled
def _next_random(random: Random) -> Any:
    random[0] = random[0] * _MULTIPLIER + _INCREMENT
    return random[0]


@compiled
def _draw_target(label_starts: Ids, labels: Ids, text: int, random: Random) -> Any:
    first, count = label_starts[text], label_starts[text + 1] - label_starts[text]
    if count == 1:
        return labels[first]
    return labels[first + np.int64((_next_random(random) >> np.uint64(33)) % np.uint64(count))]


@compiled
def _vector_of_text(
    text: int, starts: Ids, rows: Ids, weights: Floats, scales: Floats, inputs: Floats, x: Floats, index: int
) -> None:
    # x[index] = scale * sum of weight * input, four registers of it at a time.
    begin, end, scale, width, d = starts[text], starts[text + 1], scales[text], x.shape[1], 0
    while d + 4 * LANES <= width:
        a, b, c, e = d, d + LANES, d + 2 * LANES, d + 3 * LANES
        s0 = s1 = s2 = s3 = zero()
        for place in range(begin, end):
            row, factor = rows[place], splat(scale * weights[place])
            s0, s1 = fma(factor, load(inputs, row, a), s0), fma(factor, load(inputs, row, b), s1)
            s2, s3 = fma(factor, load(inputs, row, c), s2), fma(factor, load(inputs, row, e), s3)
        store(x, index, a, s0), store(x, index, b, s1), store(x, index, c, s2), store(x, index, e, s3)
        d += 4 * LANES
    while d < width:
        s0 = zero()
        for place in range(begin, end):
            s0 = fma(splat(scale * weights[place]), load(inputs, rows[place], d), s0)
        store(x, index, d, s0)
        d += LANES


@compiled
def _add_to_text(
    text: int, starts: Ids, rows: Ids, weights: Floats, scales: Floats, inputs: Floats, change: Floats, index: int
) -> None:
    for place in range(starts[text], starts[text + 1]):
        row, factor = rows[place], splat(scales[text] * weights[place])
        for d in range(0, change.shape[1], LANES):
            store(inputs, row, d, fma(factor, load(change, index, d), load(inputs, row, d)))


@compiled
def _prefetch_text(text: int, starts: Ids, rows: Ids, inputs: Floats) -> None:
    for place in range(starts[text], min(starts[text + 1], starts[text] + PREFETCHED)):
        prefetch_row(inputs, rows[place])


@compiled_fast
def _exponentials(score: Floats, index: int, count: int, bits: npt.NDArray[np.int32]) -> Any:
    # score[index, k] = exp(score[index, k] - the largest); returns their sum. exp is a power of two, put together from
    # bits, times a series of eight terms, good to 1e-7. In loops of one thing each, which LLVM vectorises.
    largest, total, powers = score[index, 0], f32(0), bits.view(np.float32)
    for k in range(1, count):
        largest = max(largest, score[index, k])
    for k in range(count):
        power = max((score[index, k] - largest) * _LOG2_E, f32(-126))
        whole = np.floor(power + f32(0.5))
        bits[k] = (np.int32(whole) + 127) << 23
        r = (power - whole) * f32(0.6931471805599453)
        p = (r * f32(1 / 5040) + f32(1 / 720)) * r + f32(1 / 120)
        p = ((p * r + f32(1 / 24)) * r + f32(1 / 6)) * r + f32(0.5)
        score[index, k] = (p * r + f32(1)) * r + f32(1)
    for k in range(count):
        score[index, k] *= powers[k]
        total += score[index, k]
    return total


@compiled
def _softmax_factors(
    score: Floats, index: int, num_labels: int, target: int, rate: np.float32, bits: npt.NDArray[np.int32]
) -> Any:
    # Turns a row of scores into rate * (wanted - expected), and returns the loss.
    before = score[index, target]
    largest = before
    for k in range(num_labels):
        largest = max(largest, score[index, k])
    total = _exponentials(score, index, num_labels, bits)
    for k in range(num_labels):
        score[index, k] *= -rate / total
    score[index, target] += rate
    return np.log(total) + (largest - before)


@compiled
def train_all_labels(
    texts: Ids,
    starts: Ids,
    rows: Ids,
    weights: Floats,
    scales: Floats,
    label_starts: Ids,
    labels: Ids,
    inputs: Floats,
    outputs: Floats,
    num_labels: int,
    one_vs_all: bool,
    learning_rate: float,
    random: Random,
) -> tuple[float, int]:
    """Softmax, or one against all: every label has a score."""
    width, padded, rate = inputs.shape[1], (num_labels + 3) // 4 * 4, f32(learning_rate)
    x, change = np.zeros((TEXTS, width), f32), np.zeros((TEXTS, width), f32)
    score, weight = np.zeros((TEXTS, padded), f32), np.zeros((TEXTS, padded if one_vs_all else 0), f32)
    block, every, bits = np.zeros(TEXTS, np.int64), np.arange(max(padded, TEXTS)), np.empty(padded, np.int32)
    loss, num_examples = 0.0, 0
    for first in range(0, len(texts), TEXTS):
        stop = min(first + TEXTS, len(texts))
        for i in range(stop, min(stop + TEXTS, len(texts))):
            _prefetch_text(texts[i], starts, rows, inputs)
        count = 0
        for i in range(first, stop):
            block[count] = texts[i]
            count += label_starts[texts[i] + 1] > label_starts[texts[i]]
        x[count:], weight[:] = 0, 0
        for i in range(count):
            _vector_of_text(block[i], starts, rows, weights, scales, inputs, x, i)
        scores(x, TEXTS, outputs, padded, score)
        if one_vs_all:
            for i in range(count):
                weight[i, :num_labels] = -rate
                for place in range(label_starts[block[i]], label_starts[block[i] + 1]):
                    weight[i, labels[place]] = rate
            loss += gradients(score, weight, TEXTS, padded) / rate
        else:
            for i in range(count):
                target = _draw_target(label_starts, labels, block[i], random)
                loss += _softmax_factors(score, i, num_labels, target, rate, bits)
            score[count:], score[:, num_labels:] = 0, 0
        change[:] = 0
        add_products(change, every, TEXTS, score, outputs, padded)
        add_products(outputs, every, padded, score.T, x, TEXTS)
        for i in range(count):
            _add_to_text(block[i], starts, rows, weights, scales, inputs, change, i)
        num_examples += count
    return float(loss), num_examples


@compiled
def _learn_from_some(
    text: int,
    starts: Ids,
    rows: Ids,
    weights: Floats,
    scales: Floats,
    inputs: Floats,
    outputs: Floats,
    some: Ids,
    count: int,
    weight: Floats,
    score: Floats,
    x: Floats,
    change: Floats,
) -> float:
    # One step on a few outputs, filled up to a multiple of four with the spare one at a weight of 0.
    padded = (count + 3) // 4 * 4
    some[count:padded], weight[0, count:padded] = len(outputs) - 1, 0
    _vector_of_text(text, starts, rows, weights, scales, inputs, x, 0)
    scores_of_row(x, 0, outputs, some, padded, score)
    loss = gradients(score, weight, 1, padded)
    update_rows_and_row(outputs, some, padded, score, x, change, 0)
    _add_to_text(text, starts, rows, weights, scales, inputs, change, 0)
    return float(loss)


@compiled
def train_tree(
    texts: Ids,
    starts: Ids,
    rows: Ids,
    weights: Floats,
    scales: Floats,
    label_starts: Ids,
    labels: Ids,
    inputs: Floats,
    outputs: Floats,
    path_starts: Ids,
    path_nodes: Ids,
    path_signs: Floats,
    learning_rate: float,
    random: Random,
) -> tuple[float, int]:
    """Hierarchical softmax: the text predicts the way to its label through a Huffman tree."""
    width, rate, longest = inputs.shape[1], f32(learning_rate), 0
    for label in range(len(path_starts) - 1):
        longest = max(longest, path_starts[label + 1] - path_starts[label])
    columns = (longest + 3) // 4 * 4
    x, change = np.zeros((1, width), f32), np.zeros((1, width), f32)
    score, weight, some = np.zeros((1, columns), f32), np.zeros((1, columns), f32), np.zeros(columns, np.int64)
    loss, num_examples = 0.0, 0
    for i in range(len(texts)):
        text = texts[i]
        if i + 1 < len(texts):
            _prefetch_text(texts[i + 1], starts, rows, inputs)
        if label_starts[text + 1] == label_starts[text]:
            continue
        target = _draw_target(label_starts, labels, text, random)
        first, count = path_starts[target], int(path_starts[target + 1] - path_starts[target])
        for k in range(count):
            some[k], weight[0, k] = path_nodes[first + k], rate * path_signs[first + k]
        loss += _learn_from_some(
            text, starts, rows, weights, scales, inputs, outputs, some, count, weight, score, x, change
        )
        num_examples += 1
    return float(loss / rate), num_examples


@compiled
def _draw_noise(cumulated: Floats, target: int, random: Random) -> int:
    while True:
        place = f32(_next_random(random) >> np.uint64(40)) * f32(2.0**-24)
        label = int(np.searchsorted(cumulated[:-1], place, side="right"))
        if label != target:
            return label


@compiled
def train_noise(
    texts: Ids,
    starts: Ids,
    rows: Ids,
    weights: Floats,
    scales: Floats,
    label_starts: Ids,
    labels: Ids,
    inputs: Floats,
    outputs: Floats,
    cumulated: Floats,
    negative: int,
    learning_rate: float,
    random: Random,
) -> tuple[float, int]:
    """Negative sampling: the text tells its label from `negative` drawn ones. A label drawn twice counts twice."""
    width, rate, columns = inputs.shape[1], f32(learning_rate), (negative + 4) // 4 * 4
    x, change = np.zeros((1, width), f32), np.zeros((1, width), f32)
    score, weight, some = np.zeros((1, columns), f32), np.zeros((1, columns), f32), np.zeros(columns, np.int64)
    loss, num_examples = 0.0, 0
    for i in range(len(texts)):
        text = texts[i]
        if i + 1 < len(texts):
            _prefetch_text(texts[i + 1], starts, rows, inputs)
        if label_starts[text + 1] == label_starts[text]:
            continue
        some[0], weight[0, 0], count = _draw_target(label_starts, labels, text, random), rate, 1
        for _ in range(negative):
            label = _draw_noise(cumulated, some[0], random)
            k = 1
            while k < count and some[k] != label:
                k += 1
            if k == count:
                some[k], weight[0, k], count = label, 0, count + 1
            weight[0, k] -= rate
        loss += _learn_from_some(
            text, starts, rows, weights, scales, inputs, outputs, some, count, weight, score, x, change
        )
        num_examples += 1
    return float(loss / rate), num_examples
