"""The blocked, sifting search against the definition: the same rows, in the same order, with the same scores."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_allclose, assert_array_equal

from daneo.embeddings import nearest_reference, row_blocks
from daneo.embeddings.nearest import nearest_by_product, nearest_rows
from daneo.embeddings.row_blocks import RowBlocks, error_bound, row_lengths, unit

# Small whole numbers make equal rows, right angles and ties; the others leave float32's squares, or its range.
ENTRIES = st.one_of(
    st.integers(-2, 2).map(float),
    st.floats(-4, 4, width=32),
    st.sampled_from([0.0, 1e-25, 1e25, 3e38, float("nan"), float("inf")]),
)


@st.composite
def searches(draw, finite: bool = False):
    """A matrix, some of its finite rows as queries, how many answers, and a range of rows."""
    shape = draw(st.tuples(st.integers(1, 40), st.integers(1, 5)))
    entries = st.integers(-3, 3).map(float) if finite else ENTRIES
    matrix = draw(hnp.arrays(np.float32, shape, elements=entries))
    good = [row for row in matrix if np.isfinite(row).all() and np.linalg.norm(row.astype(float)) < 3e38]
    picks = draw(st.lists(st.sampled_from(good), min_size=1, max_size=6)) if good else [np.ones(shape[1])]
    start = draw(st.integers(0, shape[0] - 1))
    stop = draw(st.integers(start + 1, shape[0]))
    return matrix, np.array(picks, dtype=np.float64), draw(st.integers(1, stop - start)), start, stop


@pytest.fixture
def tiny_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of 4 rows, so that a small matrix has many."""
    monkeypatch.setattr(row_blocks, "_CHUNK", 4)
    monkeypatch.setattr(row_blocks, "_SCORE_BYTES", 1)


@given(searches())
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.filterwarnings("error")
@pytest.mark.usefixtures("tiny_blocks")
def test_nearest_rows_are_those_of_the_definition(search) -> None:
    matrix, queries, count, start, stop = search
    got = nearest_rows(RowBlocks(matrix), unit(queries), count, start, stop)
    want = nearest_reference.nearest_rows(matrix, queries, count, start, stop)
    assert [(rows.tolist(), scores.tolist()) for rows, scores in got] == want


@given(searches(finite=True))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.usefixtures("tiny_blocks")
def test_nearest_by_product_is_the_definition(search) -> None:
    matrix, queries, count, start, stop = search
    positive, negative = queries[: (len(queries) + 1) // 2], queries[(len(queries) + 1) // 2 :]
    rows, scores = nearest_by_product(RowBlocks(matrix), unit(positive), unit(negative), count, start, stop)
    want = [nearest_reference.cosmul(matrix[row].astype(float), positive, negative) for row in range(start, stop)]
    order = sorted(range(start, stop), key=lambda row: (-want[row - start], row))[:count]
    assert rows.tolist() == order
    assert scores.tolist() == [want[row - start] for row in order]


def test_float32_noise_decides_nothing() -> None:
    rng = np.random.default_rng(7)
    # 400 rows that float32 products can hardly tell apart, of which the exact scores choose 5.
    matrix = (rng.standard_normal(200) + rng.normal(0, 1e-6, (400, 200))).astype(np.float32)
    queries = rng.standard_normal((4, 200))
    want = nearest_reference.nearest_rows(matrix, queries, 5, 0, 400)
    got = nearest_rows(RowBlocks(matrix), unit(queries), 5, 0, 400)
    assert [(rows.tolist(), scores.tolist()) for rows, scores in got] == want
    products = [nearest_reference.cosmul(row, queries[:2], queries[2:]) for row in matrix.astype(float)]
    rows, _ = nearest_by_product(RowBlocks(matrix), unit(queries[:2]), unit(queries[2:]), 5, 0, 400)
    assert rows.tolist() == sorted(range(400), key=lambda row: (-products[row], row))[:5]


def test_product_search_leaves_broken_rows_out() -> None:
    matrix = np.array([[1, 0], [np.nan, 1], [0, 1], [np.inf, 0]], dtype=np.float32)
    rows, scores = nearest_by_product(RowBlocks(matrix), np.array([[1.0, 0.0]]), np.empty((0, 2)), 4, 0, 4)
    assert rows.tolist() == [0, 2]
    assert_allclose(scores, [1, 0.5], rtol=2e-6)


def test_answers_do_not_depend_on_the_batch() -> None:
    rng = np.random.default_rng(5)
    matrix = rng.standard_normal((20_000, 30)).astype(np.float32)
    matrix[10_000:] = matrix[:10_000]  # every row twice
    blocks, queries = RowBlocks(matrix), unit(rng.standard_normal((300, 30)))
    together = nearest_rows(blocks, queries, 7, 0, len(matrix))
    for number in (0, 1, 255, 256, 299):
        (rows, scores), (alone, alone_scores) = (
            together[number],
            nearest_rows(blocks, queries[[number]], 7, 0, len(matrix))[0],
        )
        assert rows.tolist() == alone.tolist()
        assert scores.tolist() == alone_scores.tolist()
        assert rows[1] == rows[0] + 10_000
        assert scores[1] == scores[0]


def test_thousands_of_equal_rows_stay_few() -> None:
    matrix = np.ones((50_000, 8), dtype=np.float32)
    tracemalloc.start()
    ((rows, scores),) = nearest_rows(RowBlocks(matrix), unit(np.ones((1, 8))), 3, 0, len(matrix))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert rows.tolist() == [0, 1, 2]
    assert scores.tolist() == [1, 1, 1]
    assert peak < 40e6


def test_search_holds_no_second_matrix() -> None:
    matrix = np.random.default_rng(1).standard_normal((300_000, 100)).astype(np.float32)
    queries = unit(matrix[:64])
    tracemalloc.start()
    nearest_rows(RowBlocks(matrix), queries, 10, 0, len(matrix))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < matrix.nbytes / 3


def test_error_bound_holds_and_is_not_loose_by_much() -> None:
    rng = np.random.default_rng(2)
    matrix = rng.standard_normal((5_000, 300)).astype(np.float32)
    queries = unit(rng.standard_normal((20, 300)))
    ((_, scores, _),) = RowBlocks(matrix).cosines(queries.astype(np.float32), 0, len(matrix))
    worst = np.abs(scores - queries @ unit(matrix).T).max()
    assert worst < error_bound(300) < 1e-4


def test_row_lengths() -> None:
    rows = np.array([[3, 4], [0, 0], [3e30, 4e30], [3e-25, 4e-25], [1e-38, 0], [np.nan, 1], [np.inf, 1], [3e38, 3e38]])
    assert_allclose(row_lengths(rows.astype(np.float32)), [5, 0, 5e30, 5e-25, 0, *[np.nan] * 3], rtol=1e-6)


@given(hnp.arrays(np.float32, st.tuples(st.integers(1, 9), st.integers(1, 4)), elements=ENTRIES))
@settings(deadline=None)
def test_unit_rows_have_length_one_or_zero(rows) -> None:
    lengths = np.linalg.norm(unit(rows), axis=1)
    whole = row_lengths(rows)
    assert_array_equal(np.isnan(lengths), np.isnan(whole))
    assert_allclose(lengths[~np.isnan(lengths)], (whole > 0)[~np.isnan(lengths)], rtol=1e-12)


def test_forgotten_lengths_are_measured_again() -> None:
    matrix = np.ones((3_000, 4), dtype=np.float32)
    blocks = RowBlocks(matrix)
    assert_array_equal(blocks.lengths(), np.full(3_000, 2))
    matrix[[5, 2_999]] = 2
    blocks.forget(np.array([5, 2_999]))
    assert blocks.lengths(2_998).tolist() == [2, 4]
    assert np.flatnonzero(blocks.lengths() == 4).tolist() == [5, 2_999]
