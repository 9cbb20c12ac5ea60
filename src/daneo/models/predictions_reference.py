"""Texts to labels: the definitions, in plain NumPy. ``predictions_kernels`` is the fast copy."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]
Ids = npt.NDArray[np.integer[Any]]

NO_ROW = -1  # counts in a mean as zeros; less than that does not count


def sum_parts(own: Ids, starts: Ids, parts: Ids, matrix: Floats) -> tuple[Floats, Ids]:
    """For each type the sum of its rows, (G, D), and how many count, (G,)."""
    sums, sizes = np.zeros((len(own), matrix.shape[1])), np.zeros(len(own), dtype=np.int32)
    for i in range(len(own)):
        rows = np.append(own[i], parts[starts[i] : starts[i + 1]])
        sums[i] = matrix[rows[rows >= 0]].astype(np.float64).sum(axis=0)
        sizes[i] = np.sum(rows >= NO_ROW)
    return sums, sizes


def text_means(
    starts: Ids,
    types: Ids,
    type_rows: Ids,
    type_sizes: Ids,
    type_matrix: Floats,
    ngram_starts: Ids,
    ngrams: Ids,
    matrix: Floats,
) -> tuple[Floats, Ids]:
    """For each text the mean of its types' sums and its word n-grams' rows, (N, D), and of how many rows, (N,)."""
    num_texts = len(starts) - 1
    means, sizes = np.zeros((num_texts, matrix.shape[1])), np.zeros(num_texts, dtype=np.int32)
    for i in range(num_texts):
        own, runs = types[starts[i] : starts[i + 1]], ngrams[ngram_starts[i] : ngram_starts[i + 1]]
        rows = type_rows[own]
        total = type_matrix[rows[rows >= 0], : matrix.shape[1]].astype(np.float64).sum(axis=0)
        total += matrix[runs[runs >= 0]].astype(np.float64).sum(axis=0)
        sizes[i] = type_sizes[own].sum() + np.sum(runs >= NO_ROW)
        means[i] = total / max(sizes[i], 1)
    return means, sizes


def best_labels(probabilities: Floats, k: int, threshold: float) -> tuple[Ids, Floats]:
    """The k most likely labels of each text, (N, k), best first, equal ones as they come, and their probabilities.

    Those below the threshold are left out; -1 and 0 stand where there is none.
    """
    labels = np.full((len(probabilities), k), -1, dtype=np.int32)
    found = np.zeros((len(probabilities), k), dtype=np.float32)
    for i, row in enumerate(probabilities):
        order = np.argsort(-row, kind="stable")
        order = order[row[order] >= threshold][:k]
        labels[i, : len(order)], found[i, : len(order)] = order, row[order]
    return labels, found


def tree_probabilities(means: Floats, outputs: Floats, children: Ids) -> Floats:
    """The probability of each label of a Huffman tree, (N, L): the product over the nodes on the way to it."""
    size = len(children) + 1
    nodes = np.ones((len(means), 2 * size - 1))
    second = 1 / (1 + np.exp(-(means.astype(np.float64) @ outputs[: size - 1].T.astype(np.float64))))
    for node in range(size - 2, -1, -1):  # the root is the last, and children come before their parents
        nodes[:, children[node, 0]] = nodes[:, size + node] * (1 - second[:, node])
        nodes[:, children[node, 1]] = nodes[:, size + node] * second[:, node]
    return nodes[:, :size]


def best_in_tree(means: Floats, outputs: Floats, children: Ids, k: int, threshold: float) -> tuple[Ids, Floats]:
    """The same as `best_labels` of `tree_probabilities`."""
    return best_labels(tree_probabilities(means, outputs, children), k, threshold)
