"""The Huffman tree over labels, built exactly as Facebook's program builds it, so that models move both ways."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

_UNFINISHED = 10**15  # what an inner node that has no children yet weighs


class LabelTree(NamedTuple):
    """A binary tree with L labels as its leaves and L - 1 inner nodes, of which the last is the root.

    Attributes
    ----------
    children : int32 array of shape (L - 1, 2)
        The two children of each inner node: below L a label, from L on the inner node of that number less L.
    starts : int64 array of shape (L + 1,)
        The way from the root to label i is at starts[i] : starts[i + 1] in the other two.
    nodes : int32 array
        Inner nodes, from 0 to L - 2.
    signs : float32 array
        +1 where the way goes to the second child, which sigmoid(output of the node @ text) is the probability of;
        -1 where it goes to the first.
    """

    children: npt.NDArray[np.int32]
    starts: npt.NDArray[np.int64]
    nodes: npt.NDArray[np.int32]
    signs: npt.NDArray[np.float32]


def label_tree(counts: npt.NDArray[np.int64]) -> LabelTree:
    """Build the tree.

    Parameters
    ----------
    counts : int64 array of shape (L,)
        How often each label occurs, falling. Another order makes a tree, too, but not the best one.

    Notes
    -----
    Of two equally frequent ones the inner node is joined before the label, and the right child is that of code 1: both
    the other way round than in :func:`daneo.embeddings.huffman.huffman_paths`.

    Examples
    --------
    >>> tree = label_tree(np.array([5, 2, 1]))
    >>> tree.children.tolist()
    [[2, 1], [3, 0]]
    >>> tree.starts.tolist(), tree.nodes.tolist(), tree.signs.tolist()
    ([0, 1, 3, 5], [1, 1, 0, 1, 0], [1.0, -1.0, 1.0, -1.0, -1.0])
    """
    size = len(counts)
    children, parents, signs = _join(counts)
    node, labels = np.arange(size), np.arange(size)
    depth, levels = np.zeros(size, dtype=np.int64), []  # a level: the labels still below the root, their node, its sign
    while len(labels := labels[node < 2 * size - 2]):
        node = node[node < 2 * size - 2]
        levels.append((labels, parents[node] - size, signs[node]))
        depth[labels] += 1
        node = parents[node]
    starts = np.concatenate([[0], np.cumsum(depth)])
    nodes, path_signs = np.empty(starts[-1], dtype=np.int32), np.empty(starts[-1], dtype=np.float32)
    for level, (labels, inner, sign) in enumerate(levels):
        place = starts[labels + 1] - 1 - level
        nodes[place], path_signs[place] = inner, sign
    return LabelTree(children, starts, nodes, path_signs)


def _join(
    counts: npt.NDArray[np.int64],
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    """Children of the inner nodes; parents and signs of all nodes, labels first."""
    size = len(counts)
    weight = [*counts.tolist(), *[_UNFINISHED] * (size - 1)]
    children = np.zeros((max(size - 1, 0), 2), dtype=np.int32)
    leaf, inner = size - 1, size
    for node in range(size, 2 * size - 1):
        for side in (0, 1):
            # A node is never its own child, whatever the counts of a strange file are.
            if leaf >= 0 and (inner == node or weight[leaf] < weight[inner]):
                children[node - size, side], leaf = leaf, leaf - 1
            else:
                children[node - size, side], inner = inner, inner + 1
        first, second = children[node - size].tolist()
        weight[node] = weight[first] + weight[second]
    parents, signs = np.zeros(2 * size - 1, dtype=np.int64), np.ones(2 * size - 1, dtype=np.float32)
    parents[children.ravel()] = np.repeat(np.arange(size, 2 * size - 1), 2)
    signs[children[:, 0]] = -1
    return children, parents, signs
