"""Truncated singular value decomposition: against numpy.linalg.svd, through the definition."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from daneo.embeddings import ppmi_reduction, ppmi_reference
from daneo.embeddings.ppmi_reduction import reduce
from daneo.embeddings.sparse_rows import SparseRows
from daneo.progress import Progress


@pytest.fixture
def by_products(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let small matrices be decomposed as large ones are."""
    monkeypatch.setattr(ppmi_reduction, "_SMALL", 0)


def some_rows(num_words: int, seed: int, rank: int | None = None) -> tuple[SparseRows, Any]:
    """Sparse positive rows, and the same dense ones."""
    rng = np.random.default_rng(seed)
    if rank is None:
        dense = rng.random((num_words, num_words)) * (rng.random((num_words, num_words)) < 0.3)
    else:  # products of sparse whole numbers, which float32 holds exactly
        parts = (rng.random((2, num_words, rank)) < 0.2) * rng.integers(1, 5, (2, num_words, rank))
        dense = parts[0] @ parts[1].T
    dense = dense.astype(np.float32)
    return SparseRows.of(sparse.csr_array(dense)), dense


@settings(deadline=None, max_examples=40)
@given(st.integers(2, 12), st.integers(1, 15), st.sampled_from([0.0, 0.25, 1.0]), st.integers(0, 2**32))
def test_small_ones_are_the_definition(num_words: int, vector_size: int, power: float, seed: int) -> None:
    rows, dense = some_rows(num_words, seed)
    if not dense.any():
        return
    vectors, values = reduce(rows, vector_size, power, 1, 1, None)
    assert vectors.shape == (num_words, vector_size)
    expected_vectors, expected_values = ppmi_reference.reduce(dense, vector_size, power)
    assert_allclose(values, expected_values, rtol=1e-6, atol=1e-6)
    assert_allclose(vectors, expected_vectors, rtol=1e-6, atol=1e-6)


@pytest.mark.usefixtures("by_products")
@pytest.mark.parametrize("power", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("vector_size", [1, 7])
def test_products_find_what_the_whole_decomposition_finds(vector_size: int, power: float) -> None:
    rows, dense = some_rows(150, 3)
    vectors, values = reduce(rows, vector_size, power, 1, 2, None)
    expected_vectors, expected_values = ppmi_reference.reduce(dense, vector_size, power)
    assert_allclose(values, expected_values, rtol=1e-5)
    # ARPACK computes in float32, and a vector turns by its rounding divided by the gap to the next singular value.
    assert_allclose(vectors, expected_vectors, atol=1e-4 * expected_values[0] ** power)


@pytest.mark.usefixtures("by_products")
def test_full_power_gives_the_products_of_the_rows() -> None:
    rows, dense = some_rows(120, 4, rank=6)
    vectors, _ = reduce(rows, 10, 1.0, 1, 1, None)
    gram = dense @ dense.T
    assert_allclose(vectors @ vectors.T, gram, atol=1e-5 * gram.max())


@pytest.mark.parametrize("small", [0, 1000])
@pytest.mark.parametrize("power", [0.0, 0.5])
def test_columns_beyond_the_rank_are_zeros(small: int, power: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ppmi_reduction, "_SMALL", small)
    rows, dense = some_rows(120, 5, rank=6)
    assert np.linalg.matrix_rank(dense) == 6
    vectors, values = reduce(rows, 10, power, 1, 1, None)
    assert (values[:6] > 0).all()
    assert not values[6:].any()
    assert not vectors[:, 6:].any()
    assert vectors[:, :6].any(axis=0).all()


@pytest.mark.usefixtures("by_products")
def test_threads_change_no_bit_and_seeds_only_the_rounding() -> None:
    rows, _ = some_rows(300, 6)
    vectors, values = reduce(rows, 9, 0.5, 1, 1, None)
    for num_threads in (1, 3):
        again = reduce(rows, 9, 0.5, 1, num_threads, None)
        assert_array_equal(again[0], vectors)
        assert_array_equal(again[1], values)
    assert_allclose(reduce(rows, 9, 0.5, 2, 1, None)[0], vectors, atol=1e-4)


def test_the_largest_number_of_a_column_is_positive() -> None:
    rows, _ = some_rows(40, 7)
    vectors, _ = reduce(rows, 12, 0.0, 1, 1, None)
    assert (vectors[np.abs(vectors).argmax(axis=0), np.arange(12)] > 0).all()


@pytest.mark.usefixtures("by_products")
def test_nearly_all_columns_of_a_large_matrix() -> None:
    rows, dense = some_rows(20, 8)
    for vector_size in (18, 19, 20, 21):
        vectors, values = reduce(rows, vector_size, 0.5, 1, 1, None)
        expected_vectors, expected_values = ppmi_reference.reduce(dense, vector_size, 0.5)
        assert_allclose(values, expected_values, atol=1e-5)
        assert_allclose(np.abs(vectors), np.abs(expected_vectors), atol=1e-3)


@pytest.mark.usefixtures("by_products")
def test_progress_counts_products() -> None:
    rows, _ = some_rows(100, 9)
    told: list[Progress] = []
    reduce(rows, 5, 0.5, 1, 1, told.append)
    assert (told[-1].stage, told[-1].unit, told[-1].total) == ("reducing", "products", None)
    assert told[-1].done >= 10
