"""The trainers of the classifier as definitions: plain NumPy in float64, one line an equation.

Same names, arguments and random draws as in fasttext_classifier_kernels.py. The vector of a text is the weighted mean
of its rows, x = scale * sum of weight * input; its scores are s = outputs @ x, and each trainer moves outputs and
inputs down the gradient of one loss:

    softmax         -log(exp(s[target]) / sum of exp(s))
    one against all -log sigmoid(s) for the text's labels, -log sigmoid(-s) for all others, summed
    tree            -log sigmoid(sign * s), summed over the inner nodes on the way from the root to the target
    noise           -log sigmoid(s[target]), and -log sigmoid(-s) for each drawn label that is not the target

A row that counts w times in the mean of n gets w / n of the gradient. Where all labels have a score, TEXTS neighbouring
texts are scored before any of them is learned from: they share the cost of reading the outputs.

What all of them take:

texts : int64 (B,)                        which texts, in which order
starts, rows, weights, scales             the bags: text t has rows[starts[t] : starts[t + 1]], float32 weights, and
                                          scales[t], one by the number of its words and n-grams
label_starts, labels : int64, int32       the labels of text t are labels[label_starts[t] : label_starts[t + 1]]; where
                                          one target is wanted, it is drawn from them
inputs : float32 (C + 1, P)               changed in place; P, a multiple of 16, is the vectors' size and zeros
outputs : float32 (more than L, P)        changed in place; spare rows at its end, a multiple of four in all
learning_rate : float
random : uint64 (at least 1,)             state of the generator, changed in place

All return the loss, summed over the texts that have a label, and how many these are.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]
Ids = npt.NDArray[np.integer[Any]]
Random = npt.NDArray[np.uint64]

TEXTS = 4


def next_random(random: Random) -> int:
    """Advance Knuth's 64-bit linear congruential generator."""
    random[0] = (int(random[0]) * 6364136223846793005 + 1442695040888963407) % 2**64
    return int(random[0])


def draw_target(label_starts: Ids, labels: Ids, text: int, random: Random) -> int:
    """One of the labels of a text, all with equal chances."""
    own = labels[label_starts[text] : label_starts[text + 1]]
    return int(own[0] if len(own) == 1 else own[(next_random(random) >> 33) % len(own)])


def vector_of_text(text: int, starts: Ids, rows: Ids, weights: Floats, scales: Floats, inputs: Floats) -> Floats:
    """The weighted mean of a text's rows, (P,)."""
    own = slice(starts[text], starts[text + 1])
    mean: Floats = float(scales[text]) * (weights[own].astype(np.float64) @ inputs[rows[own]].astype(np.float64))
    return mean


def add_to_text(
    text: int, starts: Ids, rows: Ids, weights: Floats, scales: Floats, inputs: Floats, change: Floats
) -> None:
    """inputs[row] += scale * weight * change, for each of the text's rows."""
    own = slice(starts[text], starts[text + 1])
    factors = float(scales[text]) * weights[own].astype(np.float64)
    np.add.at(inputs, rows[own], np.outer(factors, change))


def sigmoid(score: Any) -> Any:
    """1 / (1 + exp(-score)), without overflow."""
    return np.exp(-np.logaddexp(0, -score))


def labelled(texts: Ids, label_starts: Ids) -> Ids:
    """Those texts that have a label."""
    return texts[label_starts[texts + 1] > label_starts[texts]]


def blocks(texts: Ids, label_starts: Ids) -> Iterator[Ids]:
    """The texts in groups of TEXTS; those without a label are left out of their group."""
    for first in range(0, len(texts), TEXTS):
        yield labelled(texts[first : first + TEXTS], label_starts)


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
    loss, num_examples = 0.0, 0
    for block in blocks(texts, label_starts):
        x = np.array([vector_of_text(text, starts, rows, weights, scales, inputs) for text in block])
        x = x.reshape(len(block), inputs.shape[1])
        scores = x @ outputs[:num_labels].T.astype(np.float64)
        wanted = np.zeros(scores.shape)
        for text, row in zip(block, wanted, strict=True):
            own = labels[label_starts[text] : label_starts[text + 1]]
            row[own if one_vs_all else draw_target(label_starts, labels, text, random)] = 1
        if one_vs_all:
            expected = sigmoid(scores)
            loss += np.sum(np.logaddexp(0, np.where(wanted > 0, -scores, scores)))
        else:
            log_expected = scores - np.logaddexp.reduce(scores, axis=1, keepdims=True)
            expected = np.exp(log_expected)
            loss -= np.sum(wanted * log_expected)
        factors = learning_rate * (wanted - expected)
        changes = factors @ outputs[:num_labels].astype(np.float64)
        outputs[:num_labels] += factors.T @ x
        for text, change in zip(block, changes, strict=True):
            add_to_text(text, starts, rows, weights, scales, inputs, change)
        num_examples += len(block)
    return float(loss), num_examples


def learn_from_some(
    text: int,
    bags: tuple[Ids, Ids, Floats, Floats],
    inputs: Floats,
    outputs: Floats,
    chosen: dict[int, float],
    learning_rate: float,
) -> float:
    """One step on a few outputs: chosen[row] is how often it counts, negative where sigmoid(score) should be 0."""
    some, weight = np.array([*chosen]), np.array([*chosen.values()])
    x, sign = vector_of_text(text, *bags, inputs), np.sign(weight)
    scores = outputs[some].astype(np.float64) @ x
    factors = learning_rate * weight * sigmoid(-sign * scores)
    change = factors @ outputs[some].astype(np.float64)
    outputs[some] += np.outer(factors, x)
    add_to_text(text, *bags, inputs, change)
    return float(np.sum(abs(weight) * np.logaddexp(0, -sign * scores)))


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
    """Hierarchical softmax: the text predicts the way to its label through a Huffman tree.

    path_starts int64 (L + 1,), path_nodes int32, path_signs float32: the inner nodes from the root to each label.
    """
    loss, own = 0.0, labelled(texts, label_starts)
    for text in own:
        target = draw_target(label_starts, labels, text, random)
        path = slice(path_starts[target], path_starts[target + 1])
        chosen = dict(zip(path_nodes[path].tolist(), path_signs[path].tolist(), strict=True))
        loss += learn_from_some(text, (starts, rows, weights, scales), inputs, outputs, chosen, learning_rate)
    return loss, len(own)


def draw_noise(cumulated: Floats, target: int, random: Random) -> int:
    """A label other than the target, with chances as the differences of `cumulated` (L,), whose last is 1."""
    while True:
        place = np.float32(next_random(random) >> 40) * np.float32(2.0**-24)
        label = int(np.searchsorted(cumulated[:-1], place, side="right"))
        if label != target:
            return label


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
    loss, own = 0.0, labelled(texts, label_starts)
    for text in own:
        target = draw_target(label_starts, labels, text, random)
        chosen: dict[int, float] = {target: 1.0}
        for _ in range(negative):
            label = draw_noise(cumulated, target, random)
            chosen[label] = chosen.get(label, 0.0) - 1
        loss += learn_from_some(text, (starts, rows, weights, scales), inputs, outputs, chosen, learning_rate)
    return loss, len(own)
