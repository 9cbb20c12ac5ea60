"""Products in registers against their definitions, and against NumPy's product of whole matrices."""

from __future__ import annotations

import inspect
import os
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from daneo.layers.recurrences import lanes_kernels, tile_product_kernels, tile_product_reference
from daneo.layers.recurrences import matrix_product_kernels as kernels
from daneo.layers.recurrences import matrix_product_reference as reference
from daneo.layers.recurrences.recurrence_buffers import layout

COMPILED = os.environ.get("NUMBA_DISABLE_JIT") != "1"
MAX_WIDTH, ROWS = tile_product_kernels.MAX_WIDTH, tile_product_kernels.ROWS
few = settings(deadline=None, max_examples=25 if COMPILED else 6)
dtypes = st.sampled_from([np.float32, np.float64])
seeds = st.integers(0, 2**32)
widths = st.integers(1, MAX_WIDTH)
sizes = st.integers(1, 40)


@pytest.fixture(autouse=True, scope="module")
def registers_of_this_machine() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for module in (reference, tile_product_reference):
            patch.setattr(module, "VECTOR_BYTES", lanes_kernels.VECTOR_BYTES)
        yield


def lanes_of(dtype: type) -> int:
    return int(lanes_kernels.VECTOR_BYTES // np.dtype(dtype).itemsize)


def layout_of(units: int, num_gates: int, dtype: type, first_gate: int = 0) -> Any:
    return layout(units, first_gate, num_gates, lanes_of(dtype), 64 // np.dtype(dtype).itemsize, MAX_WIDTH)


def normal(rng: np.random.Generator, dtype: type, *shape: int) -> np.ndarray:
    return rng.standard_normal(shape).astype(dtype)


def both(function: str, *arguments: Any, modules: Any = (kernels, reference)) -> tuple[list[Any], list[Any]]:
    """What kernel and definition make of their arguments."""
    results = []
    for module in modules:
        copies = [one.copy() if isinstance(one, np.ndarray) else one for one in arguments]
        getattr(module, function)(*copies)
        results.append(copies)
    return results[0], results[1]


def assert_close(got: np.ndarray, want: np.ndarray, num_terms: int = 40) -> None:
    """Equal, but for the roundings of sums of so many products of numbers around 1 in another order."""
    bound = 4 * num_terms * np.finfo(want.dtype).eps
    assert_allclose(got, want, rtol=bound, atol=bound)


# -------------------------------------------------------------------------------------------------------------- tiles


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("width", range(1, MAX_WIDTH + 1))
def test_tiles_of_every_shape(width: int, dtype: type) -> None:
    lanes, rng = lanes_of(dtype), np.random.default_rng(width)
    for count in range(1, ROWS[width - 1] + 1):
        for length in (0, 1, 3, 8, 21):
            k_step = (width + count % 2) * lanes  # of a wider panel, some registers are left out
            panel = normal(rng, dtype, 1, 5 + length * k_step)
            left, rows = normal(rng, dtype, 30, length + 9), rng.permutation(20)
            sums = np.full((tile_product_kernels.MAX_ROWS, MAX_WIDTH * lanes), 7, dtype)
            got, want = both(
                *("tile_product", sums, left, rows, 3, count, 10, 4, panel, 5, k_step, lanes, length, width),
                modules=(tile_product_kernels, tile_product_reference),
            )
            assert_close(got[0], want[0])
            assert (got[0][count:] == 7).all()
            assert (got[0][:, width * lanes :] == 7).all()


def test_no_tile_needs_more_registers_than_there_are() -> None:
    assert len(ROWS) == MAX_WIDTH
    for width, rows in enumerate(ROWS, 1):
        assert 1 <= rows <= tile_product_kernels.MAX_ROWS
        # Its sums, as many registers of the panel, and one for the factor.
        assert rows * width + width + 1 <= (32 if lanes_kernels.VECTOR_BYTES == 64 else 17)


# ------------------------------------------------------------------------------------------------------------- panels


@few
@given(length=sizes, units=sizes, num_gates=st.integers(1, 4), width=widths, dtype=dtypes, seed=seeds)
def test_pack_panels(length: int, units: int, num_gates: int, width: int, dtype: type, seed: int) -> None:
    rng, where = np.random.default_rng(seed), layout_of(units, num_gates, dtype)
    matrix = normal(rng, dtype, length, num_gates * units)
    panels = np.full((1, length * len(where.registers) * lanes_of(dtype)), np.nan, dtype)
    got, want = both("pack_panels", matrix, where.registers, where.ends, width, panels)
    assert_array_equal(got[-1], want[-1])
    # Each column is found again where the layout says, and the rest are zeros.
    unpacked = reference.unpacked(want[-1], length, len(where.registers), width)
    places = (where.columns[:, None] + np.arange(lanes_of(dtype))).ravel()
    wide = np.zeros((length, num_gates, where.width), dtype)
    wide[:, :, :units] = matrix.reshape(length, num_gates, units)
    assert_array_equal(unpacked, wide.reshape(length, -1)[:, places])


@few
@given(num_rows=sizes, units=sizes, gates=st.sampled_from([(0, 1), (0, 4), (0, 2), (2, 1)]), dtype=dtypes, seed=seeds)
def test_pack_transposed(num_rows: int, units: int, gates: tuple[int, int], dtype: type, seed: int) -> None:
    rng, lanes, (first, count) = np.random.default_rng(seed), lanes_of(dtype), gates
    where = layout_of(units, count, dtype, first)
    matrix = normal(rng, dtype, num_rows, (first + count) * units)
    num_registers = -(-num_rows // lanes) + int(rng.integers(0, 2))
    panels = np.full((1, len(where.turned) * num_registers * lanes), np.nan, dtype)
    got, want = both("pack_transposed", matrix, where.turned, num_registers, MAX_WIDTH, panels)
    assert_array_equal(got[-1], want[-1])
    unpacked = reference.unpacked(want[-1], len(where.turned), num_registers, MAX_WIDTH)
    wide = np.zeros((count, where.width, num_registers * lanes), dtype)
    wide[:, :units, :num_rows] = matrix.T.reshape(-1, units, num_rows)[first:]
    assert_array_equal(unpacked, wide.reshape(-1, num_registers * lanes))


# ----------------------------------------------------------------------------------------------------------- products


@few
@given(
    num_rows=st.integers(1, 20),
    length=sizes,
    units=sizes,
    num_gates=st.integers(1, 4),
    bias=st.booleans(),
    dtype=dtypes,
    seed=seeds,
)
def test_multiply(num_rows: int, length: int, units: int, num_gates: int, bias: bool, dtype: type, seed: int) -> None:
    """A product of some rows with a weight in panels, filled up or, where rows end before a register does, cut."""
    rng, where = np.random.default_rng(seed), layout_of(units, num_gates, dtype)
    width = num_gates if num_gates > 1 else MAX_WIDTH
    matrix = normal(rng, dtype, length, num_gates * units)
    panels = np.empty((1, length * len(where.registers) * lanes_of(dtype)), dtype)
    kernels.pack_panels(matrix, where.registers, where.ends, width, panels)
    num_columns = units if num_gates == 1 else num_gates * where.width
    out = np.full((num_rows, num_columns), 7, dtype)
    added = normal(rng, dtype, int(bias), num_columns)
    rows, first = rng.permutation(num_rows), int(rng.integers(0, num_rows))
    left = normal(rng, dtype, num_rows, length)
    columns = where.columns[where.columns < num_columns]
    if len(columns) < len(where.columns):  # registers that are filling alone
        kernels.pack_panels(matrix, columns, where.ends[: len(columns)], width, panels)
    got, want = both("multiply", left, rows, panels, columns, width, added, out, first, num_rows)
    assert_close(got[6], want[6])
    assert (got[6][rows[:first]] == 7).all()
    exact = (left @ matrix).reshape(num_rows, num_gates, units)[rows[first:]]
    found = got[6][rows[first:]] - (added if bias else 0)
    assert_close(found.reshape(len(exact), num_gates, -1)[:, :, :units], exact)


@few
@given(
    num_rows=st.sampled_from([0, 1, 2, 30, kernels.CHUNK, kernels.CHUNK + 3]),
    features=st.integers(1, 30),
    units=st.integers(1, 40 if COMPILED else 9),
    dropout=st.booleans(),
    bias=st.booleans(),
    dtype=dtypes,
    seed=seeds,
)
def test_multiply_transposed(
    num_rows: int, features: int, units: int, dropout: bool, bias: bool, dtype: type, seed: int
) -> None:
    rng, where = np.random.default_rng(seed), layout_of(units, 2, dtype)
    left, right = normal(rng, dtype, num_rows + 3, features + 2), normal(rng, dtype, num_rows + 5, 2 * where.width)
    left_rows, right_rows = rng.permutation(num_rows + 3)[:num_rows], rng.permutation(num_rows + 5)[:num_rows]
    factors = normal(rng, dtype, 4 if dropout else 0, features)
    factor_rows = rng.integers(0, 4, num_rows if dropout else 0)
    out, last = np.full((features + bias, 2 * where.width), np.nan, dtype), len(where.blocks)
    first = int(rng.integers(0, last))
    got, want = both(
        *("multiply_transposed", left, features, left_rows, factors, factor_rows, right, right_rows, where.blocks),
        *(out, first, last),
    )
    assert_close(got[8], want[8], num_terms=num_rows + 1)
    assert np.isfinite(got[8][:, where.blocks[first, 0] :]).all()
    assert np.isnan(got[8][:, : where.blocks[first, 0]]).all()


@few
@given(num_tokens=st.integers(1, 9), count=st.integers(1, 40), dtype=dtypes, seed=seeds)
def test_rows_are_added_up_by_token(num_tokens: int, count: int, dtype: type, seed: int) -> None:
    rng = np.random.default_rng(seed)
    tokens = rng.integers(0, num_tokens, count)
    order, starts = np.full(count, -1), np.full(num_tokens + 1, -1)
    got, want = both("group_by_token", tokens, order, starts)
    for one, other in zip(got, want, strict=True):
        assert_array_equal(one, other)
    order, starts = got[1:]
    rows, out = normal(rng, dtype, count, 64 // np.dtype(dtype).itemsize * 2), None
    out, first = np.full((num_tokens, rows.shape[1]), 7, dtype), int(rng.integers(0, num_tokens))
    got, want = both("add_up", rows, order, starts, out, first, num_tokens)
    assert_close(got[3], want[3])
    assert (got[3][:first] == 7).all()
    exact = np.zeros_like(out)
    np.add.at(exact, tokens, rows)
    assert_close(got[3][first:], exact[first:])


def test_definitions_and_kernels_take_the_same_arguments() -> None:
    for module, definitions in ((kernels, reference), (tile_product_kernels, tile_product_reference)):
        functions = {name for name, value in vars(definitions).items() if inspect.isfunction(value)}
        names = functions - {"lane_count", "unpacked"}
        assert names
        for name in names:
            kernel = getattr(module, name)
            got = inspect.signature(getattr(kernel, "py_func", kernel)).parameters
            assert list(got) == list(inspect.signature(getattr(definitions, name)).parameters), name
