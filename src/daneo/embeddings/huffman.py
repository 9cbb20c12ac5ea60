"""The Huffman tree of hierarchical softmax: frequent words have short paths."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class HuffmanPaths:
    """The way from the root to every word.

    Attributes
    ----------
    starts : int64 array of shape (V + 1,)
        The path of word w is at starts[w] : starts[w + 1] in the other two.
    nodes : int32 array
        Inner nodes from 0 to V - 2; V - 2 is the root.
    signs : float32 array
        +1 where the path goes to the first child (code 0), -1 to the second (code 1).
    """

    starts: npt.NDArray[np.int64]
    nodes: npt.NDArray[np.int32]
    signs: npt.NDArray[np.float32]

    @property
    def longest(self) -> int:
        """Length of the longest path."""
        return int(np.diff(self.starts).max())


def huffman_paths(counts: npt.NDArray[np.int64]) -> HuffmanPaths:
    """Build the Huffman tree over words.

    Parameters
    ----------
    counts : int64 array of shape (V,)
        Occurrences of each word, V at least 2; any order.

    Raises
    ------
    ValueError
        There are fewer than two words, so there is nothing to choose between.

    Notes
    -----
    O(V log V) for sorting, then O(V): with the words in rising order, the two least frequent nodes are always at the
    front of the words or of the inner nodes, which are made in rising order too. Of two equal ones the word is first.

    References
    ----------
    Morin and Bengio 2005; Mikolov et al. 2013, arXiv:1310.4546, section 2.1.

    Examples
    --------
    >>> paths = huffman_paths(np.array([5, 2, 1]))
    >>> paths.starts.tolist(), paths.nodes.tolist(), paths.signs.tolist()
    ([0, 1, 3, 5], [1, 1, 0, 1, 0], [-1.0, 1.0, -1.0, 1.0, 1.0])
    """
    size = len(counts)
    if size < 2:
        raise ValueError(
            f"Hierarchical softmax needs at least two words, got {size}. Lower min_count or give more text."
        )
    parents, signs = _link(counts)
    depth = np.zeros(size, np.int64)
    node = np.arange(size)
    levels = []  # from the leaf up, all words at once: (words still below the root, their parent, their sign)
    words = np.arange(size)
    while len(words):
        depth[words] += 1
        levels.append((words, parents[node] - size, signs[node]))
        node = parents[node]
        below = node != 2 * size - 2
        words, node = words[below], node[below]
    starts = np.concatenate([[0], np.cumsum(depth)])
    nodes, path_signs = np.empty(starts[-1], np.int32), np.empty(starts[-1], np.float32)
    for level, (words, inner, sign) in enumerate(levels):
        place = starts[words + 1] - 1 - level
        nodes[place], path_signs[place] = inner, sign
    return HuffmanPaths(starts, nodes, path_signs)


def _link(counts: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    """Parents and signs of all nodes: words 0 to V - 1, inner nodes V to 2 V - 2."""
    size = len(counts)
    # Rising counts; of equal ones the last word first, so that frequent-first vocabularies keep their order.
    leaves = np.lexsort((-np.arange(size), counts)).tolist()
    weight = [*counts.tolist(), *[0] * (size - 1)]
    parents, signs = np.zeros(2 * size - 1, np.int64), np.ones(2 * size - 1, np.float32)
    next_leaf, next_inner = 0, size
    for inner in range(size, 2 * size - 1):
        for sign in (1, -1):
            no_inner = next_inner == inner
            if next_leaf < size and (no_inner or weight[leaves[next_leaf]] <= weight[next_inner]):
                child, next_leaf = leaves[next_leaf], next_leaf + 1
            else:
                child, next_inner = next_inner, next_inner + 1
            parents[child], signs[child] = inner, sign
            weight[inner] += weight[child]
    return parents, signs
