"""The small matrix products of a training step against their definitions."""

from __future__ import annotations

import inspect
import os
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from daneo.embeddings import block_products_kernels as kernels
from daneo.embeddings import block_products_reference as reference

COMPILED = os.environ.get("NUMBA_DISABLE_JIT") != "1"
LANES, MATRIX_ROWS = 16, 11
# Sums of up to 150 products of numbers around 1, in float32, in another order.
close = {"rtol": 2e-5, "atol": 2e-5}

widths = st.integers(1, 9 if COMPILED else 2).map(lambda registers: LANES * registers)
tiles = st.integers(1, 5 if COMPILED else 2).map(lambda number: 4 * number)
seeds = st.integers(0, 2**32)
few = settings(deadline=None, max_examples=50 if COMPILED else 5)


def floats(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return rng.standard_normal(shape).astype(np.float32)


def both(function: str, *arguments: Any) -> tuple[list[Any], list[Any]]:
    """What kernel and definition make of their arguments."""
    results = []
    for module in (kernels, reference):
        copies = [array.copy() if isinstance(array, np.ndarray) else array for array in arguments]
        getattr(module, function)(*copies)
        results.append(copies)
    return results[0], results[1]


@few
@given(width=widths, count=st.integers(0, 9), seed=seeds)
def test_gather(width: int, count: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows = rng.integers(0, MATRIX_ROWS, 12)
    got, want = both("gather", floats(rng, MATRIX_ROWS, width), rows, count, floats(rng, 12, width))
    for one, other in zip(got, want, strict=True):
        assert_array_equal(one, other)


@few
@given(width=widths, num_x=tiles, num_y=tiles, seed=seeds)
def test_scores(width: int, num_x: int, num_y: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, y, out = floats(rng, num_x + 4, width), floats(rng, num_y + 4, width), floats(rng, num_x + 4, num_y + 4)
    got, want = both("scores", x, num_x, y, num_y, out)
    assert_allclose(got[-1], want[-1], **close)


@few
@given(width=widths, num_rows=tiles, num_terms=st.integers(1, 24), seed=seeds)
def test_add_products(width: int, num_rows: int, num_terms: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows = rng.integers(0, MATRIX_ROWS, num_rows + 4)  # some come twice
    factors, block = floats(rng, num_rows + 4, num_terms + 4), floats(rng, num_terms + 4, width)
    got, want = both("add_products", floats(rng, MATRIX_ROWS, width), rows, num_rows, factors, block, num_terms)
    assert_allclose(got[0], want[0], **close)


@st.composite
def windows(draw: st.DrawFn) -> tuple[int, int, int]:
    """first <= center < last, with more than the center between first and last."""
    first = draw(st.integers(0, 5))
    last = draw(st.integers(first + 2, 12))
    return first, draw(st.integers(first, last - 1)), last


@few
@given(width=widths, window=windows(), with_weights=st.booleans(), seed=seeds)
def test_mean_of_rows(width: int, window: tuple[int, int, int], with_weights: bool, seed: int) -> None:
    rng = np.random.default_rng(seed)
    words, rows = rng.integers(0, MATRIX_ROWS, 12).astype(np.int32), rng.permutation(MATRIX_ROWS).astype(np.int32)
    weights = floats(rng, 25 if with_weights else 0, width)
    block = floats(rng, 4, width)
    got, want = both("mean_of_rows", floats(rng, MATRIX_ROWS, width), rows, words, *window, weights, block, 2)
    assert_allclose(got[-2], want[-2], **close)


@few
@given(width=widths, window=windows(), with_weights=st.booleans(), seed=seeds)
def test_add_to_rows(width: int, window: tuple[int, int, int], with_weights: bool, seed: int) -> None:
    rng = np.random.default_rng(seed)
    matrix, block = floats(rng, MATRIX_ROWS, width), floats(rng, 4, width)
    words, rows = rng.integers(0, MATRIX_ROWS, 12).astype(np.int32), rng.permutation(MATRIX_ROWS).astype(np.int32)
    weights = floats(rng, 25 if with_weights else 0, width) * np.float32(0.3)
    got, want = both("add_to_rows", matrix, rows, words, *window, weights, block, 1)
    assert_allclose(got[0], want[0], rtol=1e-4, atol=1e-4)  # a word that comes often is multiplied again and again
    assert_allclose(got[6], want[6], rtol=1e-4, atol=1e-4)


@few
@given(num_rows=st.integers(1, 9), width=widths)
def test_zero_rows_begin_with_a_cache_line(num_rows: int, width: int) -> None:
    rows = kernels.zero_rows(num_rows, width)
    assert rows.ctypes.data % 64 == 0
    assert_array_equal(rows, reference.zero_rows(num_rows, width))


@few
@given(width=widths, count=tiles, seed=seeds)
def test_scores_of_row(width: int, count: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    block, matrix, out = floats(rng, 4, width), floats(rng, MATRIX_ROWS, width), floats(rng, 4, count + 4)
    got, want = both("scores_of_row", block, 3, matrix, rng.integers(0, MATRIX_ROWS, count + 4), count, out)
    assert_allclose(got[-1], want[-1], **close)


@few
@given(width=widths, count=tiles.filter(lambda count: count <= 8), padding=st.integers(0, 3), seed=seeds)
def test_update_rows_and_row(width: int, count: int, padding: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    matrix, block, change = floats(rng, MATRIX_ROWS, width), floats(rng, 4, width), floats(rng, 4, width)
    rows, factors = rng.permutation(MATRIX_ROWS - 1)[:count], floats(rng, 4, count)
    # What fills up the path to a whole tile: one row, again and again, with factor 0.
    rows[count - padding :], factors[:, count - padding :] = MATRIX_ROWS - 1, 0
    got, want = both("update_rows_and_row", matrix, rows, count, factors, block, change, 1)
    assert_allclose(got[0], want[0], **close)
    assert_allclose(got[-2], want[-2], **close)


@few
@given(shape=st.tuples(tiles, tiles), scale=st.sampled_from([0.1, 1.0, 5.0, 30.0]), seed=seeds)
def test_gradients(shape: tuple[int, int], scale: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    score, weight = np.float32(scale) * floats(rng, *shape), floats(rng, *shape)
    weight[rng.random(shape) < 0.3] = 0
    factors = score.copy(), score.copy()
    got = kernels.gradients(factors[0], weight, *shape)
    want = reference.gradients(factors[1], weight, *shape)
    # The kernel's sigmoid is good to 2e-7 of 1, its logarithm to 2e-7 of 1 for each pair.
    assert_allclose(factors[0], factors[1], rtol=0, atol=4e-7 * np.abs(weight).max())
    assert_allclose(got, want, rtol=1e-5, atol=4e-7 * np.abs(weight).sum())


@pytest.mark.parametrize("sign", [1, -1])
def test_sigmoid_and_loss_are_right_for_every_score(sign: int) -> None:
    grid = np.concatenate([np.linspace(-20, 20, 4000), [0.0, -0.0, 1e-30, 1e5, -1e5, 3e38, -3e38]])
    score = grid.astype(np.float32).reshape(1, -1) if COMPILED else grid.astype(np.float32)[::200].reshape(1, -1)
    exact = sign * score[0].astype(np.float64)
    for column, s in enumerate(exact):
        one = score[:, [column]].copy()
        loss = kernels.gradients(one, np.full((1, 1), sign, np.float32), 1, 1)
        # 3e-7: five units in the last place of a float32 near 1.
        assert_allclose(one[0, 0], sign * np.exp(-np.logaddexp(0, s)), rtol=0, atol=3e-7)
        assert_allclose(loss, np.logaddexp(0, -s), rtol=3e-7, atol=4e-7)


def test_prefetching_changes_nothing() -> None:
    matrix = floats(np.random.default_rng(0), 3, 32)
    before = matrix.copy()
    assert kernels.prefetch_row(matrix, 2) is None
    assert_array_equal(matrix, before)


def test_definitions_and_kernels_take_the_same_arguments() -> None:
    names = [name for name, value in vars(reference).items() if inspect.isfunction(value)]
    assert len(names) >= 8
    for name in names:
        kernel = getattr(kernels, name)
        got = inspect.signature(getattr(kernel, "py_func", kernel)).parameters
        assert list(got) == list(inspect.signature(getattr(reference, name)).parameters), name
