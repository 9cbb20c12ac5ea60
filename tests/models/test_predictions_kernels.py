"""From rows to labels: the compiled kernels against their definitions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from daneo.models import predictions_kernels as kernels
from daneo.models import predictions_reference as reference
from daneo.models.label_tree import label_tree

QUICK = settings(max_examples=40, deadline=None)


def read_only(matrix: np.ndarray) -> np.ndarray:
    matrix.flags.writeable = False
    return matrix


def bags(rng: np.random.Generator, size: int, low: int, high: int) -> tuple[np.ndarray, np.ndarray]:
    lengths = rng.integers(0, 30, size)
    return np.cumsum([0, *lengths]), rng.integers(low, high, lengths.sum()).astype(np.int32)


@QUICK
@given(st.integers(1, 100), st.integers(0, 2**32))
def test_sums_of_parts(vector_size: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    matrix = read_only(rng.normal(size=(9, vector_size)).astype(np.float32))
    own, (starts, parts) = rng.integers(-2, 9, 7).astype(np.int32), bags(rng, 7, -2, 9)
    sums, sizes = np.zeros((7, -(-vector_size // 16) * 16), np.float32), np.empty(7, np.int32)
    kernels.sum_parts(own, starts, parts, matrix, sums, sizes)
    expected, expected_sizes = reference.sum_parts(own, starts, parts, matrix)
    assert_allclose(sums[:, :vector_size], expected, rtol=0, atol=1e-5)
    assert not sums[:, vector_size:].any()
    assert_array_equal(sizes, expected_sizes)


@QUICK
@given(st.integers(1, 100), st.integers(0, 2**32))
def test_means_of_texts(vector_size: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    matrix = read_only(rng.normal(size=(9, vector_size)).astype(np.float32))
    type_matrix = read_only(rng.normal(size=(6, vector_size)).astype(np.float32))
    given = (
        *bags(rng, 5, 0, 8),
        rng.integers(-2, 6, 8).astype(np.int32),
        rng.integers(0, 4, 8).astype(np.int32),
        type_matrix,
        *bags(rng, 5, -2, 9),
        matrix,
    )
    means, sizes = np.zeros((8, -(-vector_size // 16) * 16), np.float32), np.empty(5, np.int32)
    kernels.text_means(*given, means, sizes)
    expected, expected_sizes = reference.text_means(*given)
    assert_allclose(means[:5, :vector_size], expected, rtol=0, atol=1e-5)
    assert not means[5:].any()
    assert_array_equal(sizes, expected_sizes)


def empty(num_texts: int, k: int) -> tuple[np.ndarray, np.ndarray]:
    return np.full((num_texts, k), -1, np.int32), np.zeros((num_texts, k), np.float32)


@QUICK
@given(st.integers(1, 12), st.integers(1, 12), st.sampled_from([0.0, 0.3, 0.9]), st.integers(0, 2**32))
def test_best_labels(num_labels: int, k: int, threshold: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    probabilities = (rng.integers(0, 5, (6, num_labels)) / 4).astype(np.float32)  # many are equal
    labels, found = empty(6, min(k, num_labels))
    kernels.best_labels(probabilities, threshold, labels, found)
    expected_labels, expected = reference.best_labels(probabilities, min(k, num_labels), threshold)
    assert_array_equal(labels, expected_labels)
    assert_array_equal(found, expected)


@QUICK
@given(st.integers(2, 30), st.integers(1, 5), st.sampled_from([0.0, 0.2]), st.integers(0, 2**32))
def test_best_labels_of_a_tree(num_labels: int, k: int, threshold: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    tree = label_tree(np.sort(rng.integers(1, 99, num_labels))[::-1])
    means = np.zeros((4, 16), np.float32)
    means[:, :9] = rng.normal(0, 2, (4, 9))
    outputs = np.zeros((num_labels, 16), np.float32)
    outputs[:-1, :9] = rng.normal(size=(num_labels - 1, 9))
    labels, found = empty(4, min(k, num_labels))
    kernels.best_in_tree(means, outputs, tree.children, threshold, labels, found)
    expected_labels, expected = reference.best_in_tree(means, outputs, tree.children, min(k, num_labels), threshold)
    assert_array_equal(labels, expected_labels)
    assert_allclose(found, expected, rtol=1e-4)


def test_probabilities_of_a_tree_by_its_paths() -> None:
    rng = np.random.default_rng(8)
    tree = label_tree(np.array([9, 5, 4, 2, 1]))
    means, outputs = rng.normal(size=(3, 4)), rng.normal(size=(5, 4))
    found = reference.tree_probabilities(means, outputs, tree.children)
    assert_allclose(found.sum(axis=1), 1, rtol=1e-12)
    for label in range(5):
        path = slice(tree.starts[label], tree.starts[label + 1])
        scores = tree.signs[path] * (means @ outputs[tree.nodes[path]].T)
        assert_allclose(found[:, label], (1 / (1 + np.exp(-scores))).prod(axis=1), rtol=1e-12)


@pytest.mark.parametrize("kernel", ["sum_parts", "text_means"])
def test_kernels_are_compiled_for_read_only_matrices_alone(kernel: str) -> None:
    signatures = getattr(getattr(kernels, kernel), "signatures", [None])  # there are none without the JIT
    assert len(signatures) <= 1
