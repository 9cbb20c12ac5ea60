"""The coarse sift: the kernels equal their references, compiled or not, and what they sift out loses no answer."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from daneo.embeddings import coarse_sift, nearest, nearest_kernels, nearest_reference
from daneo.embeddings.nearest import nearest_rows
from daneo.embeddings.row_blocks import RowBlocks, unit

COMPILED = os.environ.get("NUMBA_DISABLE_JIT") != "1"
many = settings(deadline=None, max_examples=100 if COMPILED else 5)


def pairs(rng: np.random.Generator, *shape: int, most: int) -> np.ndarray:
    return rng.integers(-most, most, (*shape, 2), endpoint=True).astype(np.int16).view(np.int32)[..., 0]


@pytest.mark.parametrize("num_pairs", [1, 2, 150])
@pytest.mark.parametrize("most", [1, 2_000, 32_767])
def test_tile_is_the_product(num_pairs: int, most: int) -> None:
    rng = np.random.default_rng(num_pairs)
    rows = pairs(rng, nearest_kernels.TILE_ROWS, num_pairs, most=min(most, 32_767 if num_pairs == 1 else 2_600))
    queries = pairs(rng, num_pairs, nearest_kernels.TILE_QUERIES, most=min(most, 32_767 if num_pairs == 1 else 2_600))
    got, want = np.full((2, nearest_kernels.TILE_ROWS, nearest_kernels.TILE_QUERIES), -1, dtype=np.int32)
    call_tile(rows, queries, got)
    nearest_reference.dot_tile(rows, queries, want, rows)
    np.testing.assert_array_equal(got, want)


def call_tile(rows: np.ndarray, queries: np.ndarray, dots: np.ndarray) -> None:
    if not COMPILED:
        nearest_kernels.dot_tile(rows, queries, dots, rows)
        return
    from numba import njit

    njit(lambda rows, queries, dots: nearest_kernels.dot_tile(rows, queries, dots, rows))(rows, queries, dots)


@st.composite
def sifts(draw):
    """Rows of odd and even sizes, fewer and more than a tile holds; one panel or two; thresholds that some pass."""
    shape = draw(st.tuples(st.integers(1, 14), st.integers(1, 7)))
    matrix = draw(hnp.arrays(np.float32, shape, elements=st.floats(-8, 8, width=16)))
    scales = draw(hnp.arrays(np.float32, shape[0], elements=st.sampled_from([0.0, 0.5, 1.0, 900.0])))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    num_panels = draw(st.integers(1, 2))
    queries = pairs(rng, num_panels, -(-shape[1] // 2), nearest_kernels.TILE_QUERIES, most=3_000)
    thresholds = rng.integers(-(10**6), 10**6, (num_panels, nearest_kernels.TILE_QUERIES)).astype(np.int32)
    return matrix, scales, queries, thresholds


@given(sifts())
@many
def test_sift_is_its_reference(arguments) -> None:
    results = []
    for sift_rows in (nearest_kernels.sift_rows, nearest_reference.sift_rows):
        most = len(arguments[0]) * arguments[3].size
        found, scores = np.empty(most, dtype=np.int64), np.empty(most, dtype=np.int32)
        count = sift_rows(*arguments, found, scores)
        results.append(sorted(zip(found[:count].tolist(), scores[:count].tolist(), strict=True)))
    assert results[0] == results[1]


def test_rows_that_are_not_finite_stand_for_zeros() -> None:
    matrix = np.array([[np.nan, 1], [np.inf, 0], [2, 1]], dtype=np.float32)
    queries = np.full((1, 1, nearest_kernels.TILE_QUERIES), 3 + (5 << 16), dtype=np.int32)
    found, scores = (
        np.empty(3 * nearest_kernels.TILE_QUERIES, dtype=np.int64),
        np.empty(3 * nearest_kernels.TILE_QUERIES, dtype=np.int32),
    )
    thresholds = np.zeros((1, nearest_kernels.TILE_QUERIES), dtype=np.int32)
    scales = np.array([0, 0, 1], dtype=np.float32)
    count = nearest_kernels.sift_rows(matrix, scales, queries, thresholds, found, scores)
    assert found[:count].tolist() == list(range(3 * nearest_kernels.TILE_QUERIES))
    assert scores[:count].tolist() == [0] * (2 * nearest_kernels.TILE_QUERIES) + [11] * nearest_kernels.TILE_QUERIES


@pytest.fixture
def always_coarse(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sift in whole numbers also where there is little to do, in pieces of 500 rows."""
    monkeypatch.setattr(nearest, "LEAST_QUERIES", 1)
    monkeypatch.setattr(nearest, "LEAST_WORK", 0)
    monkeypatch.setattr(coarse_sift, "_PIECE", 500)


@pytest.mark.usefixtures("always_coarse")
@pytest.mark.parametrize(("num_queries", "vector_size"), [(1, 1), (3, 7), (64, 20), (70, 33), (300, 2)])
@pytest.mark.filterwarnings("error")
def test_the_sift_loses_no_answer(monkeypatch: pytest.MonkeyPatch, num_queries: int, vector_size: int) -> None:
    rng = np.random.default_rng(vector_size)
    matrix = rng.standard_normal((6_000, vector_size)).astype(np.float32)
    matrix *= 10.0 ** rng.integers(-28, 28, (6_000, 1))
    matrix[7::7] = matrix[6:-1:7][: len(matrix[7::7])]  # equal rows
    matrix[::11] = 0
    matrix[5::90] = np.nan
    matrix[6::90, 0] = np.inf
    queries = unit(rng.standard_normal((num_queries, vector_size)))
    queries[0] = 0
    got = nearest_rows(RowBlocks(matrix), queries, 9, 10, 5_900)
    monkeypatch.setattr(nearest, "LEAST_QUERIES", 10**9)
    want = nearest_rows(RowBlocks(matrix), queries, 9, 10, 5_900)
    assert [(rows.tolist(), scores.tolist()) for rows, scores in got] == [
        (rows.tolist(), scores.tolist()) for rows, scores in want
    ]


@pytest.mark.usefixtures("always_coarse")
def test_differences_that_rounding_hides_are_found() -> None:
    rng = np.random.default_rng(7)
    # 3000 rows whose cosines differ by less than a 32000th: the coarse scores cannot order them.
    matrix = (rng.standard_normal(50) + rng.normal(0, 1e-5, (3_000, 50))).astype(np.float32)
    queries = rng.standard_normal((2, 50))
    got = nearest_rows(RowBlocks(matrix), unit(queries), 5, 0, 3_000)
    want = nearest_reference.nearest_rows(matrix, queries, 5, 0, 3_000)
    assert [(rows.tolist(), scores.tolist()) for rows, scores in got] == want


def test_coarse_error_holds_and_is_not_loose_by_much() -> None:
    rng = np.random.default_rng(2)
    for size in (3, 300):
        rows, queries = unit(rng.standard_normal((2_000, size))), unit(rng.standard_normal((40, size)))
        whole = [np.rint(one * coarse_sift._UNIT) / coarse_sift._UNIT for one in (rows, queries)]
        worst = np.abs(whole[0] @ whole[1].T - rows @ queries.T).max()
        assert worst < coarse_sift.coarse_error(size) < 1e-3


@pytest.mark.skipif(not COMPILED, reason="this is the run that the test below starts")
def test_kernels_without_the_compiler() -> None:
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        __file__,
        "-k",
        "tile or reference or zeros",
    ]
    done = subprocess.run(command, env={**os.environ, "NUMBA_DISABLE_JIT": "1"}, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout
