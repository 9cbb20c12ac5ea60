"""The four trainers of word2vec as definitions: plain NumPy in float64, one line an equation.

Same names, arguments and random draws as in word2vec_kernels.py. A trainer goes through a stretch of text in steps; a
step reads its rows X of input and Y of output vectors, and then moves both down the gradient of one loss,

    L = sum over j, k of weight[j, k] * -log sigmoid(sign[j, k] * x[j] . y[k]),

with sign +1 for a pair that was observed and -1 for one with noise. Skip-gram and CBOW differ in what X is, the two
losses in what Y is. With negative sampling a step takes CENTERS neighbouring centers, which share one set of noise.

What all of them take:

kept : int32 (N + slack,)          words that sub-sampling left; the slack is for the kernels, which look ahead
ends : int64 (documents,)          where each document ends in `kept`; no window reaches beyond its document
vectors : float32 (R + 1, D)       input vectors, changed in place; the last row is nobody's
outputs : float32 (V + 1, D)       output vectors, likewise; (V, D) for the inner nodes of a Huffman tree
input_rows : int32 (V,)            the row of `vectors` that is a word's
updated_rows : int32 (V,)          the row that its changes go to: the same, or nobody's for a frozen word
position_weights : float32 (2 * window + 1, D) or (0, D)    what CBOW multiplies each place in the window by, changed in
                                   place; without rows, nothing. Skip-gram does not look at it.
window, shrink_windows             each center looks 1 to `window` words to either side, drawn; or always `window`
random : uint64 (2,)               state of the generator and place in the noise table, changed in place

All return the loss, summed over examples, and how many examples there were: pairs for skip-gram, centers for CBOW.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]
Ids = npt.NDArray[np.integer[Any]]
Bools = npt.NDArray[np.bool_]
Random = npt.NDArray[np.uint64]

CENTERS = 4


def block_loss(x: Floats, y: Floats, sign: Floats, weight: Floats) -> float:
    """L as above. x (M, D); y (N, D); sign and weight (M, N) or what broadcasts to it."""
    return float(np.sum(weight * np.logaddexp(0, -sign * (x @ y.T))))


def block_gradients(x: Floats, y: Floats, sign: Floats, weight: Floats) -> tuple[Floats, Floats]:
    """dL/dX (M, D) and dL/dY (N, D)."""
    by_score = -weight * sign * np.exp(-np.logaddexp(0, sign * (x @ y.T)))  # 1 - sigmoid(s) = exp(-log(1 + exp(s)))
    return by_score @ y, by_score.T @ x


def descend(matrix: Floats, rows: Ids, gradient: Floats, learning_rate: float) -> None:
    """matrix[rows[j]] -= learning_rate * gradient[j]; a row that comes twice is changed twice."""
    np.add.at(matrix, rows, -learning_rate * gradient)


def next_random(random: Random) -> int:
    """Advance Knuth's 64-bit linear congruential generator."""
    random[0] = (int(random[0]) * 6364136223846793005 + 1442695040888963407) % 2**64
    return int(random[0])


def draw_reaches(num_centers: int, window: int, shrink_windows: bool, random: Random) -> Ids:
    """How far each center looks, from 1 to `window` with equal chances, (C,)."""
    if not shrink_windows:
        return np.full(num_centers, window)
    return np.array([window - (next_random(random) >> 33) % window for _ in range(num_centers)])


def take_noise(noise: Ids, count: int, random: Random) -> Ids:
    """The next words of the shuffled noise table, (count,); after its end it goes on at its beginning."""
    place = int(random[1])
    random[1] = (place + count) % len(noise)
    return noise[(place + np.arange(count)) % len(noise)]


def blocks(ends: Ids, size: int) -> Iterator[tuple[range, Ids]]:
    """Go through a text: the positions of a document, and those of `size` neighbouring centers in it, (C,)."""
    start = 0
    for end in ends.tolist():
        for begin in range(start, end, size):
            yield range(start, end), np.arange(begin, min(begin + size, end))
        start = end


def windows(document: range, centers: Ids, reaches: Ids) -> tuple[Ids, npt.NDArray[np.bool_]]:
    """Positions around some centers, (M,), and which of them are contexts of which center, (C, M)."""
    first, last = centers[0] - reaches.max(), centers[-1] + reaches.max()
    positions = np.arange(max(document.start, first), min(document.stop, last + 1))
    distance = np.abs(centers[:, None] - positions)
    return positions, (distance > 0) & (distance <= reaches[:, None])


def predictions(vectors: Floats, rows: Ids, centers: Ids, positions: Ids, near: Bools, weights: Floats) -> Floats:
    """The mean of each center's contexts, (C, D); of none it is 0. rows (M,); near (C, M).

    With position weights, (W, D), a context is first multiplied by the weights of its place: weights[W // 2] is the
    place of the center itself. Mikolov et al. 2018, arXiv:1712.09405, section 2.2.
    """
    means = np.zeros((len(centers), vectors.shape[1]))
    for mean, center, is_near in zip(means, centers, near, strict=True):
        x = vectors[rows[is_near]].astype(np.float64)
        if len(weights):
            x *= weights[len(weights) // 2 + positions[is_near] - center]
        mean[:] = x.sum(axis=0) / max(len(x), 1)
    return means


def learn(
    vectors: Floats,
    rows: Ids,
    centers: Ids,
    positions: Ids,
    near: Bools,
    weights: Floats,
    gradient: Floats,
    rate: float,
) -> None:
    """Move contexts and position weights down the gradient of the means, (C, D), one context after the other.

    To contexts it goes undivided, as in word2vec.c; to the weights as it is.
    """
    for center, is_near, by_mean in zip(centers, near, gradient, strict=True):
        if not len(weights):
            descend(vectors, rows[is_near], np.repeat(by_mean[None], is_near.sum(), axis=0), rate)
            continue
        for row, position in zip(rows[is_near], positions[is_near], strict=True):
            before, place = vectors[row].astype(np.float64), len(weights) // 2 + position - center
            vectors[row] -= rate * by_mean * weights[place]
            weights[place] -= rate * by_mean * before / is_near.sum()


def skipgram_negative_sampling(
    kept: Ids,
    ends: Ids,
    vectors: Floats,
    outputs: Floats,
    input_rows: Ids,
    updated_rows: Ids,
    position_weights: Floats,
    noise: Ids,
    num_noise: int,
    negative: float,
    window: int,
    shrink_windows: bool,
    learning_rate: float,
    random: Random,
) -> tuple[float, int]:
    """Every context predicts its center, and none of `num_noise` words that weigh as much as `negative` words do."""
    loss, num_pairs = 0.0, 0
    for document, centers in blocks(ends, CENTERS):
        drawn = take_noise(noise, num_noise, random)
        reaches = draw_reaches(len(centers), window, shrink_windows, random)
        positions, near = windows(document, centers, reaches)
        words, rows = kept[positions], np.concatenate([kept[centers], drawn])
        x, y = vectors[input_rows[words]].astype(np.float64), outputs[rows].astype(np.float64)

        is_noise = ~np.isin(drawn, kept[centers])
        noise_weight = negative / num_noise * np.outer(near.sum(axis=0), is_noise)
        weight = np.hstack([near.T, noise_weight])
        sign = np.repeat([1, -1], [len(centers), num_noise])

        loss += block_loss(x, y, sign, weight)
        x_gradient, y_gradient = block_gradients(x, y, sign, weight)
        descend(vectors, updated_rows[words], x_gradient, learning_rate)
        descend(outputs, rows, y_gradient, learning_rate)
        num_pairs += int(near.sum())
    return loss, num_pairs


def cbow_negative_sampling(
    kept: Ids,
    ends: Ids,
    vectors: Floats,
    outputs: Floats,
    input_rows: Ids,
    updated_rows: Ids,
    position_weights: Floats,
    noise: Ids,
    num_noise: int,
    negative: float,
    window: int,
    shrink_windows: bool,
    learning_rate: float,
    random: Random,
) -> tuple[float, int]:
    """The mean of its contexts predicts each center; the gradient of the mean goes undivided to every context."""
    loss, num_examples = 0.0, 0
    for document, centers in blocks(ends, CENTERS):
        drawn = take_noise(noise, num_noise, random)
        reaches = draw_reaches(len(centers), window, shrink_windows, random)
        positions, near = windows(document, centers, reaches)
        words, rows = kept[positions], np.concatenate([kept[centers], drawn])
        num_contexts = near.sum(axis=1, keepdims=True)
        x = predictions(vectors, input_rows[words], centers, positions, near, position_weights)
        y = outputs[rows].astype(np.float64)

        is_noise = drawn != kept[centers][:, None]
        weight = np.hstack([np.eye(len(centers)), negative / num_noise * is_noise]) * (num_contexts > 0)
        sign = np.repeat([1, -1], [len(centers), num_noise])

        loss += block_loss(x, y, sign, weight)
        x_gradient, y_gradient = block_gradients(x, y, sign, weight)
        learn(vectors, updated_rows[words], centers, positions, near, position_weights, x_gradient, learning_rate)
        descend(outputs, rows, y_gradient, learning_rate)
        num_examples += int(np.count_nonzero(num_contexts))
    return loss, num_examples


def skipgram_hierarchical_softmax(
    kept: Ids,
    ends: Ids,
    vectors: Floats,
    outputs: Floats,
    input_rows: Ids,
    updated_rows: Ids,
    position_weights: Floats,
    path_starts: Ids,
    path_nodes: Ids,
    path_signs: Floats,
    longest_path: int,
    window: int,
    shrink_windows: bool,
    learning_rate: float,
    random: Random,
) -> tuple[float, int]:
    """Every context predicts which way (sign) the path to its center goes on at each node; one center a step.

    The path to word w is at path_starts[w] : path_starts[w + 1]; `longest_path` is for the kernel's memory.
    """
    loss, num_pairs = 0.0, 0
    for document, center in blocks(ends, 1):
        reach = draw_reaches(1, window, shrink_windows, random)
        positions, near = windows(document, center, reach)
        words = kept[positions[near[0]]]
        path = slice(*path_starts[kept[center[0]] :][:2])
        x, y = vectors[input_rows[words]].astype(np.float64), outputs[path_nodes[path]].astype(np.float64)

        weight, sign = np.ones((len(x), len(y))), path_signs[path]

        loss += block_loss(x, y, sign, weight)
        x_gradient, y_gradient = block_gradients(x, y, sign, weight)
        descend(vectors, updated_rows[words], x_gradient, learning_rate)
        descend(outputs, path_nodes[path], y_gradient, learning_rate)
        num_pairs += len(words)
    return loss, num_pairs


def cbow_hierarchical_softmax(
    kept: Ids,
    ends: Ids,
    vectors: Floats,
    outputs: Floats,
    input_rows: Ids,
    updated_rows: Ids,
    position_weights: Floats,
    path_starts: Ids,
    path_nodes: Ids,
    path_signs: Floats,
    longest_path: int,
    window: int,
    shrink_windows: bool,
    learning_rate: float,
    random: Random,
) -> tuple[float, int]:
    """The mean of its contexts predicts the path to each center; its gradient goes undivided to every context."""
    loss, num_examples = 0.0, 0
    for document, center in blocks(ends, 1):
        reach = draw_reaches(1, window, shrink_windows, random)
        positions, near = windows(document, center, reach)
        if not near.any():
            continue
        words = kept[positions]
        path = slice(*path_starts[kept[center[0]] :][:2])
        x = predictions(vectors, input_rows[words], center, positions, near, position_weights)
        y = outputs[path_nodes[path]].astype(np.float64)

        weight, sign = np.ones((1, len(y))), path_signs[path]

        loss += block_loss(x, y, sign, weight)
        x_gradient, y_gradient = block_gradients(x, y, sign, weight)
        learn(vectors, updated_rows[words], center, positions, near, position_weights, x_gradient, learning_rate)
        descend(outputs, path_nodes[path], y_gradient, learning_rate)
        num_examples += 1
    return loss, num_examples
