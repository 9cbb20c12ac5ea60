"""The Huffman tree of labels: against the definition by sets, and worked by hand."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from daneo.models.label_tree import label_tree


def test_a_tree_made_by_hand() -> None:
    # 1 and 1 make 2, which is not less than the label 2's count, so that the inner node is taken before it.
    tree = label_tree(np.array([4, 2, 1, 1]))
    assert tree.children.tolist() == [[3, 2], [4, 1], [5, 0]]
    assert tree.starts.tolist() == [0, 1, 3, 6, 9]
    assert tree.nodes.tolist() == [2, 2, 1, 2, 1, 0, 2, 1, 0]
    assert tree.signs.tolist() == [1, -1, 1, -1, -1, 1, -1, -1, -1]


def test_one_label_has_no_way_to_go() -> None:
    tree = label_tree(np.array([7]))
    assert (tree.children.shape, tree.starts.tolist(), len(tree.nodes)) == ((0, 2), [0, 0], 0)


COUNTS = st.lists(st.integers(0, 20) | st.just(10**15), min_size=1, max_size=40)


@settings(max_examples=100, deadline=None)
@given(COUNTS, st.booleans())
def test_every_label_is_at_the_end_of_its_path(counts: list[int], falling: bool) -> None:
    """Whatever the counts of a strange file are, it is a tree: each path leads from the root to its label."""
    tree = label_tree(np.array(sorted(counts, reverse=True) if falling else counts))
    size = len(counts)
    assert sorted(tree.children.ravel().tolist()) == [*range(2 * size - 2)]
    for label in range(size):
        node = 2 * size - 2
        for place in range(tree.starts[label], tree.starts[label + 1]):
            assert tree.nodes[place] == node - size
            node = int(tree.children[node - size, int(tree.signs[place] > 0)])
        assert node == label


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 50), min_size=2, max_size=12))
def test_no_tree_has_shorter_paths(counts: list[int]) -> None:
    tree = label_tree(np.array(sorted(counts, reverse=True)))
    length = int((np.diff(tree.starts) * sorted(counts, reverse=True)).sum())
    shortest, heap = 0, sorted(counts)
    while len(heap) > 1:  # Huffman's algorithm as everybody knows it
        first, second, *rest = sorted(heap)
        shortest, heap = shortest + first + second, [*rest, first + second]
    assert length == shortest
