"""The four trainers of FastText as definitions: plain NumPy in float64, one line an equation.

Same names, arguments and random draws as in fasttext_kernels.py. Losses, noise, windows and steps are word2vec's
(word2vec_reference.py); the input vector of a word is the mean of its parts' rows, its own and those of its n-grams:

    x = 1/|P| * sum over p in P of inputs[p],

and the gradient of x goes undivided to every part, as in Facebook's program. A word of the text keeps its x while it is
in the window and moves with each step; its parts get all of these moves together when the window has passed it.

What all of them take:

kept : int32 (N + slack,)          words that sub-sampling left; the slack is for the kernels, which look ahead
ends : int64 (documents,)          where each document ends in `kept`; no window reaches beyond its document
inputs : float32 (R + 1, D)        rows of parts, changed in place; the last row is nobody's
outputs : float32 (V + 1, D)       output vectors, likewise; (V, D) for the inner nodes of a Huffman tree
part_starts : int64 (V + 1,)       the parts of word w are parts[part_starts[w] : part_starts[w + 1]], one at least
parts : int32                      rows of `inputs`
position_weights : float32 (2 * window + 1, D) or (0, D)    CBOW: what each place in the window is multiplied by,
                                   changed in place; without rows, nothing. Skip-gram does not look at it.
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


class Words:
    """The words in the window: the mean of each one's parts as the window reached it, and as it is now."""

    def __init__(self, kept: Ids, inputs: Floats, part_starts: Ids, parts: Ids) -> None:
        self.inputs = inputs
        self.parts = [parts[part_starts[word] : part_starts[word + 1]] for word in kept]
        self.before: dict[int, Floats] = {}
        self.now: dict[int, Floats] = {}

    def slide(self, low: int, high: int) -> None:
        """Let the window be the positions from `low` to `high`: first the old words give, then the new ones take."""
        for position in [one for one in self.now if one < low]:
            change = self.now.pop(position) - self.before.pop(position)
            np.add.at(self.inputs, self.parts[position], change)
        for position in range(low, high):
            if position not in self.now:
                mean = self.inputs[self.parts[position]].astype(np.float64).mean(axis=0)
                self.before[position], self.now[position] = mean, mean.copy()

    def x(self, positions: Ids) -> Floats:
        """The vectors of some positions in the window, (M, D)."""
        return np.array([self.now[position] for position in positions.tolist()])

    def descend(self, positions: Ids, gradient: Floats, learning_rate: float) -> None:
        """Move them; gradient (M, D)."""
        for position, row in zip(positions.tolist(), gradient, strict=True):
            self.now[position] -= learning_rate * row

    def num_parts(self, positions: Ids) -> Floats:
        """How many parts each has, (M,)."""
        return np.array([len(self.parts[position]) for position in positions.tolist()], np.float64)


def block_loss(x: Floats, y: Floats, sign: Floats, weight: Floats) -> float:
    """Sum over j, k of weight[j, k] * -log sigmoid(sign[j, k] * x[j] . y[k])."""
    return float(np.sum(weight * np.logaddexp(0, -sign * (x @ y.T))))


def block_gradients(x: Floats, y: Floats, sign: Floats, weight: Floats) -> tuple[Floats, Floats]:
    """The gradient of that by x (M, D) and by y (N, D)."""
    by_score = -weight * sign * np.exp(-np.logaddexp(0, sign * (x @ y.T)))  # 1 - sigmoid(s) = exp(-log(1 + exp(s)))
    return by_score @ y, by_score.T @ x


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


def blocks(ends: Ids, size: int, window: int) -> Iterator[tuple[Ids, Ids]]:
    """Go through a text: the positions of `size` neighbouring centers, (C,), and those of all their windows, (M,)."""
    start = 0
    for end in ends.tolist():
        for begin in range(start, end, size):
            stop = min(begin + size, end)
            yield np.arange(begin, stop), np.arange(max(start, begin - window), min(end, stop + window))
        start = end


def near(centers: Ids, positions: Ids, reaches: Ids) -> Bools:
    """Which positions are contexts of which center, (C, M)."""
    distance = np.abs(centers[:, None] - positions)
    is_near: Bools = (distance > 0) & (distance <= reaches[:, None])
    return is_near


def predictions(
    words: Words, centers: Ids, positions: Ids, is_near: Bools, position_weights: Floats, window: int
) -> tuple[Floats, Floats, Floats]:
    """The mean of each center's contexts, h (C, D); the share of each in it (C, M, 1); its weights (C, M, D)."""
    num_parts = is_near * words.num_parts(positions)
    share = (num_parts / np.maximum(num_parts.sum(axis=1, keepdims=True), 1))[:, :, None]
    weights = np.ones((len(centers), len(positions), 1))
    if len(position_weights):
        place = np.clip(positions - centers[:, None] + window, 0, 2 * window)
        weights = position_weights[place].astype(np.float64)
    return (share * weights * words.x(positions)).sum(axis=1), share, weights


def learn(
    words: Words, centers: Ids, positions: Ids, is_near: Bools, shares: Floats, weights: Floats,
    position_weights: Floats, window: int, gradient: Floats, learning_rate: float,
) -> None:  # fmt: skip
    """Move words and position weights down the gradient of h, (C, D): one center after the other."""
    for center, contexts, share, weight, by_h in zip(centers, is_near, shares, weights, gradient, strict=True):
        at = np.flatnonzero(contexts)
        before = words.x(positions[at]) if len(at) else np.zeros((0, len(by_h)))
        if len(position_weights):
            # What this center read of the weights is not what the ones before it have made of them.
            weight = position_weights[np.clip(positions - center + window, 0, 2 * window)].astype(np.float64)
            position_weights[positions[at] - center + window] -= learning_rate * by_h * share[at] * before
        words.descend(positions[at], np.broadcast_to(by_h * weight, (len(positions), len(by_h)))[at], learning_rate)


def skipgram_negative_sampling(
    kept: Ids, ends: Ids, inputs: Floats, outputs: Floats, part_starts: Ids, parts: Ids, position_weights: Floats,
    noise: Ids, num_noise: int, negative: float, window: int, shrink_windows: bool, learning_rate: float,
    random: Random,
) -> tuple[float, int]:  # fmt: skip
    """Every context predicts its center, and none of `num_noise` words that weigh as much as `negative` words do."""
    loss, num_pairs, words = 0.0, 0, Words(kept, inputs, part_starts, parts)
    for centers, positions in blocks(ends, CENTERS, window):
        drawn = take_noise(noise, num_noise, random)
        pairs = near(centers, positions, draw_reaches(len(centers), window, shrink_windows, random))
        rows = np.concatenate([kept[centers], drawn])
        words.slide(positions[0], positions[-1] + 1)
        x, y = words.x(positions), outputs[rows].astype(np.float64)

        is_noise = ~np.isin(drawn, kept[centers])
        weight = np.hstack([pairs.T, negative / num_noise * np.outer(pairs.sum(axis=0), is_noise)])
        sign = np.repeat([1, -1], [len(centers), num_noise])

        loss += block_loss(x, y, sign, weight)
        x_gradient, y_gradient = block_gradients(x, y, sign, weight)
        words.descend(positions, x_gradient, learning_rate)
        np.add.at(outputs, rows, -learning_rate * y_gradient)
        num_pairs += int(pairs.sum())
    words.slide(len(kept), len(kept))
    return loss, num_pairs


def cbow_negative_sampling(
    kept: Ids, ends: Ids, inputs: Floats, outputs: Floats, part_starts: Ids, parts: Ids, position_weights: Floats,
    noise: Ids, num_noise: int, negative: float, window: int, shrink_windows: bool, learning_rate: float,
    random: Random,
) -> tuple[float, int]:  # fmt: skip
    """The mean of all parts of its contexts predicts each center."""
    loss, num_examples, words = 0.0, 0, Words(kept, inputs, part_starts, parts)
    for centers, positions in blocks(ends, CENTERS, window):
        drawn = take_noise(noise, num_noise, random)
        pairs = near(centers, positions, draw_reaches(len(centers), window, shrink_windows, random))
        rows = np.concatenate([kept[centers], drawn])
        words.slide(positions[0], positions[-1] + 1)
        h, shares, weights = predictions(words, centers, positions, pairs, position_weights, window)
        y = outputs[rows].astype(np.float64)

        is_noise = drawn != kept[centers][:, None]
        weight = np.hstack([np.eye(len(centers)), negative / num_noise * is_noise]) * pairs.any(axis=1, keepdims=True)
        sign = np.repeat([1, -1], [len(centers), num_noise])

        loss += block_loss(h, y, sign, weight)
        h_gradient, y_gradient = block_gradients(h, y, sign, weight)
        np.add.at(outputs, rows, -learning_rate * y_gradient)
        learn(words, centers, positions, pairs, shares, weights, position_weights, window, h_gradient, learning_rate)
        num_examples += int(pairs.any(axis=1).sum())
    words.slide(len(kept), len(kept))
    return loss, num_examples


def skipgram_hierarchical_softmax(
    kept: Ids, ends: Ids, inputs: Floats, outputs: Floats, part_starts: Ids, parts: Ids, position_weights: Floats,
    path_starts: Ids, path_nodes: Ids, path_signs: Floats, longest_path: int, window: int, shrink_windows: bool,
    learning_rate: float, random: Random,
) -> tuple[float, int]:  # fmt: skip
    """Every context predicts which way (sign) the path to its center goes on at each node; one center a step."""
    loss, num_pairs, words = 0.0, 0, Words(kept, inputs, part_starts, parts)
    for center, positions in blocks(ends, 1, window):
        pairs = near(center, positions, draw_reaches(1, window, shrink_windows, random))[0]
        path = slice(*path_starts[kept[center[0]] :][:2])
        words.slide(positions[0], positions[-1] + 1)
        x, y = words.x(positions), outputs[path_nodes[path]].astype(np.float64)

        weight, sign = np.outer(pairs, np.ones(len(y))), path_signs[path]

        loss += block_loss(x, y, sign, weight)
        x_gradient, y_gradient = block_gradients(x, y, sign, weight)
        words.descend(positions, x_gradient, learning_rate)
        np.add.at(outputs, path_nodes[path], -learning_rate * y_gradient)
        num_pairs += int(pairs.sum())
    words.slide(len(kept), len(kept))
    return loss, num_pairs


def cbow_hierarchical_softmax(
    kept: Ids, ends: Ids, inputs: Floats, outputs: Floats, part_starts: Ids, parts: Ids, position_weights: Floats,
    path_starts: Ids, path_nodes: Ids, path_signs: Floats, longest_path: int, window: int, shrink_windows: bool,
    learning_rate: float, random: Random,
) -> tuple[float, int]:  # fmt: skip
    """The mean of all parts of its contexts predicts the path to each center."""
    loss, num_examples, words = 0.0, 0, Words(kept, inputs, part_starts, parts)
    for center, positions in blocks(ends, 1, window):
        pairs = near(center, positions, draw_reaches(1, window, shrink_windows, random))
        words.slide(positions[0], positions[-1] + 1)
        if not pairs.any():
            continue
        path = slice(*path_starts[kept[center[0]] :][:2])
        h, shares, weights = predictions(words, center, positions, pairs, position_weights, window)
        y = outputs[path_nodes[path]].astype(np.float64)

        weight, sign = np.ones((1, len(y))), path_signs[path]

        loss += block_loss(h, y, sign, weight)
        h_gradient, y_gradient = block_gradients(h, y, sign, weight)
        np.add.at(outputs, path_nodes[path], -learning_rate * y_gradient)
        learn(words, center, positions, pairs, shares, weights, position_weights, window, h_gradient, learning_rate)
        num_examples += 1
    words.slide(len(kept), len(kept))
    return loss, num_examples
