"""Rows of which each thread trains a copy, and whose changes are averaged."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from daneo.embeddings import Word2Vec, noise
from daneo.embeddings.private_rows import PrivateRows


@pytest.fixture
def matrix() -> np.ndarray:
    """Rows 0 to 6, of which 4 to 6 are shared; copies of those for two threads in 7 to 12; a spare row."""
    matrix = np.zeros((14, 16), np.float32)
    matrix[:7] = np.random.default_rng(0).standard_normal((7, 16))
    return matrix


def test_a_thread_changes_copies_of_its_own(matrix: np.ndarray) -> None:
    rows = PrivateRows(matrix, 4, 7, 7, 2)
    before = matrix.copy()
    numbers = np.array([0, 3, 4, 5, 6, 6, 13], np.int32)
    assert rows.redirect(numbers, 0).tolist() == [0, 3, 7, 8, 9, 9, 13]
    assert rows.redirect(numbers, 1).tolist() == [0, 3, 10, 11, 12, 12, 13]
    assert rows.redirect(numbers, 1).dtype == np.int32
    for thread in (0, 1):
        rows.fetch(thread)
    assert_array_equal(matrix[7:10], before[4:7])
    assert_array_equal(matrix[10:13], before[4:7])
    assert_array_equal(matrix[:7], before[:7])


def test_the_shared_rows_take_the_mean_of_all_changes(matrix: np.ndarray) -> None:
    rows = PrivateRows(matrix, 4, 7, 7, 2)
    before = matrix.copy()
    for thread in (0, 1):
        rows.fetch(thread)
    matrix[7:10] += 1
    matrix[10:13] -= np.arange(16)
    rows.merge(0)
    assert_allclose(matrix[4:7], before[4:7] + 0.5, rtol=0, atol=1e-6)
    rows.fetch(0)
    rows.merge(1)
    assert_allclose(matrix[4:7], before[4:7] + 0.5 - np.arange(16) / 2, rtol=0, atol=1e-6)
    # The other thread has fetched in between: what it merges is its own change, and nothing twice.
    matrix[7:10] += 2
    rows.merge(0)
    assert_allclose(matrix[4:7], before[4:7] + 1.5 - np.arange(16) / 2, rtol=0, atol=1e-6)
    assert_array_equal(matrix[:4], before[:4])
    assert not matrix[13].any()


@pytest.mark.parametrize("architecture", ["skipgram", "cbow"])
def test_two_threads_learn_the_tree_as_well_as_one(architecture: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(noise, "SMALLEST_TABLE", 1 << 14)
    rng = np.random.default_rng(0)
    halves = [[f"w{i}" for i in range(600)], [f"w{i}" for i in range(600, 1200)]]
    text = [list(rng.choice(halves[rng.integers(2)], 20)) for _ in range(4000)]
    settings = {"architecture": architecture, "loss": "hierarchical_softmax", "vector_size": 16, "epochs": 4}
    models = [Word2Vec(**settings, num_threads=number).fit(text) for number in (1, 2)]
    assert models[0].losses[-1] < 0.97 * models[0].losses[0]
    # Averaged changes are half as large: the tree learns a little later.
    assert_allclose(models[1].losses, models[0].losses, rtol=0.03)
    assert models[1].outputs.shape == models[0].outputs.shape == (1199, 16)
