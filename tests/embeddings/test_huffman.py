"""The Huffman tree: a tree, a code, and none is shorter. That its paths are gensim's is in test_word2vec_gensim.py."""

from __future__ import annotations

import heapq

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from daneo.embeddings.huffman import HuffmanPaths, huffman_paths

# Few different counts, so that many sums are equal; zeros, as words have that came with given vectors.
count_lists = st.one_of(
    st.lists(st.integers(0, 5), min_size=2, max_size=40),
    st.lists(st.integers(0, 10**12), min_size=2, max_size=40),
)


def code(paths: HuffmanPaths, word: int) -> list[tuple[int, float]]:
    path = slice(*paths.starts[word : word + 2])
    return list(zip(paths.nodes[path].tolist(), paths.signs[path].tolist(), strict=True))


def least_cost(counts: list[int]) -> int:
    """Sum of count * length over all words of the best code: two least counts become one, again and again."""
    heap, cost = sorted(counts), 0
    while len(heap) > 1:
        joined = heapq.heappop(heap) + heapq.heappop(heap)
        cost += joined
        heapq.heappush(heap, joined)
    return cost


@given(count_lists)
@settings(deadline=None)
def test_paths_form_a_binary_tree(counts: list[int]) -> None:
    paths = huffman_paths(np.array(counts))
    size = len(counts)
    children: dict[tuple[int, float], set[str]] = {}
    for word in range(size):
        steps = code(paths, word)
        assert steps[0][0] == size - 2  # the root
        below = [f"node {node}" for node, _ in steps[1:]] + [f"word {word}"]
        for step, child in zip(steps, below, strict=True):
            children.setdefault(step, set()).add(child)
    # Every inner node has two children, one for each sign, and every node but the root is a child once.
    assert sorted(children) == [(node, sign) for node in range(size - 1) for sign in (-1.0, 1.0)]
    everything = [f"node {node}" for node in range(size - 2)] + [f"word {word}" for word in range(size)]
    assert sorted(child for pair in children.values() for child in pair) == sorted(everything)


@given(count_lists)
@settings(deadline=None)
def test_no_code_is_shorter(counts: list[int]) -> None:
    paths = huffman_paths(np.array(counts))
    lengths = np.diff(paths.starts)
    assert int(sum(count * int(length) for count, length in zip(counts, lengths, strict=True))) == least_cost(counts)
    assert paths.longest == lengths.max()


@given(count_lists, st.randoms(use_true_random=False))
@settings(deadline=None)
def test_the_order_of_different_counts_does_not_matter(counts: list[int], random) -> None:
    different = sorted(set(counts), reverse=True)
    if len(different) < 2:
        return
    order = random.sample(range(len(different)), len(different))
    paths, shuffled = huffman_paths(np.array(different)), huffman_paths(np.array(different)[order])
    for place, word in enumerate(order):
        assert code(shuffled, place) == code(paths, word)


def test_a_tree_by_hand() -> None:
    # 1 + 2 = 3 is node 0; 3 + 4 = 7 is node 1, of which the smaller, node 0, is the first child; 7 + 9 is node 2.
    paths = huffman_paths(np.array([9, 4, 2, 1]))
    assert code(paths, 0) == [(2, -1.0)]
    assert code(paths, 1) == [(2, 1.0), (1, -1.0)]
    assert code(paths, 2) == [(2, 1.0), (1, 1.0), (0, -1.0)]
    assert code(paths, 3) == [(2, 1.0), (1, 1.0), (0, 1.0)]


def test_the_deepest_tree() -> None:
    fibonacci = [1, 1]
    while len(fibonacci) < 60:
        fibonacci.append(fibonacci[-1] + fibonacci[-2])
    paths = huffman_paths(np.array(fibonacci[::-1]))
    assert paths.longest == 59
    assert_array_equal(np.diff(paths.starts), [*range(1, 60), 59])


def test_types_are_those_that_the_kernels_are_compiled_for() -> None:
    paths = huffman_paths(np.array([3, 2, 1]))
    assert (paths.starts.dtype, paths.nodes.dtype, paths.signs.dtype) == (np.int64, np.int32, np.float32)


@pytest.mark.parametrize("size", [0, 1])
def test_one_word_has_no_tree(size: int) -> None:
    with pytest.raises(ValueError, match=rf"needs at least two words, got {size}\. Lower min_count"):
        huffman_paths(np.ones(size, np.int64))
