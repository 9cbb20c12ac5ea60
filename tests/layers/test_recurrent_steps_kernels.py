"""What happens around a cell's equations, function by function, against its definition."""

from __future__ import annotations

import inspect
import itertools
import os
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit
from numpy.testing import assert_allclose

from daneo.layers.recurrences import lanes_kernels
from daneo.layers.recurrences import matrix_product_kernels as products
from daneo.layers.recurrences import recurrent_steps_kernels as kernels
from daneo.layers.recurrences import recurrent_steps_reference as reference
from daneo.layers.recurrences.recurrence_buffers import layout
from daneo.layers.recurrences.tile_product_kernels import MAX_ROWS, MAX_WIDTH, ROWS

COMPILED = os.environ.get("NUMBA_DISABLE_JIT") != "1"
few = settings(deadline=None, max_examples=25 if COMPILED else 6)
NO_MASK = np.empty(0, bool)
NO_ROWS = np.empty((0, 8))
WIDTH = 16  # units, filled up


@pytest.fixture(autouse=True, scope="module")
def registers_of_this_machine() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reference, "VECTOR_BYTES", lanes_kernels.VECTOR_BYTES)
        yield


@st.composite
def runs(draw: st.DrawFn) -> tuple[Any, np.ndarray, int, int, int, np.random.Generator]:
    """Sizes, a mask or none, a step, some of the sequences, and random numbers."""
    size, steps, units = draw(st.integers(1, 9)), draw(st.integers(1, 5)), draw(st.integers(1, WIDTH))
    run = kernels.Run(size, steps, units, draw(st.integers(1, steps)), draw(st.booleans()))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    mask = rng.random(size * steps) < 0.6 if draw(st.booleans()) else NO_MASK
    first = draw(st.integers(0, size - 1))
    return run, mask, draw(st.integers(0, steps - 1)), first, draw(st.integers(first + 1, size)), rng


def both(function: str, *arguments: Any) -> tuple[list[Any], list[Any]]:
    """What kernel and definition make of their arguments, and what they return."""
    results = []
    for module in (kernels, reference):
        copies = [one.copy() if isinstance(one, np.ndarray) else one for one in arguments]
        results.append([*copies, getattr(module, function)(*copies)])
    return results[0], results[1]


def assert_same(got: list[Any], want: list[Any], tolerance: float = 0.0) -> None:
    for one, other in zip(got, want, strict=True):
        if isinstance(one, np.ndarray):
            assert_allclose(one, other, rtol=tolerance, atol=tolerance)
        else:
            assert one == other


def masked(mask: np.ndarray, run: Any) -> np.ndarray:
    """The same mask, or one that leaves nothing out."""
    return mask if len(mask) else np.ones(run.num_sequences * run.num_steps, bool)


# ---------------------------------------------------------------------------------------------------- times and slots


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("num_steps", [1, 2, 5])
def test_every_step_begins_where_the_one_before_it_ended(num_steps: int, reverse: bool) -> None:
    run = kernels.Run(1, num_steps, 3, 1, reverse)
    time_of, slot_before, first_row = kernels.time_of, kernels.slot_before, kernels.first_row

    @njit
    def compiled(run: Any, step: int, slots: int) -> Any:
        return time_of(run, step), slot_before(run, step, slots), first_row(step, 7, 30)

    for slots in (2, num_steps + 1):
        visited = [reference.slot_before(run, step, slots) for step in range(num_steps + 1)]
        for step in range(num_steps + 1):
            want = (
                reference.time_of(run, step),
                reference.slot_before(run, step, slots),
                reference.first_row(step, 7, 30),
            )
            assert compiled(run, step, slots) == want
        assert all(one != other for one, other in itertools.pairwise(visited))
        assert set(visited) == set(range(min(slots, num_steps + 1)))
    # Of all slots, those before and after a time lie on its two sides.
    for step in range(num_steps):
        slots_around = {reference.slot_before(run, step + k, num_steps + 1) for k in (0, 1)}
        assert slots_around == {reference.time_of(run, step), reference.time_of(run, step) + 1}


# -------------------------------------------------------------------------------------------------------------- masks


@few
@given(given=runs())
def test_active_sequences(given: Any) -> None:
    run, mask, step, first, last, _ = given
    got, want = both("active_sequences", run, mask, step, first, last, np.full(run.num_sequences, -1))
    assert_same(got, want)
    is_used = masked(mask, run).reshape(run.num_sequences, -1)[:, step]
    assert got[5][: got[6]].tolist() == [b for b in range(first, last) if is_used[b]]


@few
@given(given=runs(), keep=st.booleans())
def test_carry_over(given: Any, keep: bool) -> None:
    run, mask, step, first, last, rng = given
    states = rng.standard_normal((run.num_sequences * (run.num_steps + 1 if keep else 2), WIDTH))
    assert_same(*both("carry_over", run, states, masked(mask, run), step, first, last))


@few
@given(given=runs(), keep=st.booleans())
def test_clear_masked(given: Any, keep: bool) -> None:
    run, mask, step, first, last, rng = given
    gates = rng.standard_normal((run.num_sequences * (run.num_steps if keep else run.chunk), 3 * WIDTH))
    assert_same(*both("clear_masked", run, gates, masked(mask, run), step, first, last))


@few
@given(given=runs(), keep=st.booleans(), sequences=st.booleans(), zeros=st.booleans())
def test_show_outputs(given: Any, keep: bool, sequences: bool, zeros: bool) -> None:
    run, mask, step, first, last, rng = given
    hidden = rng.standard_normal((run.num_sequences * (run.num_steps + 1 if keep else 2), WIDTH))
    outputs = rng.standard_normal((run.num_sequences * (run.num_steps if sequences else 1), WIDTH))
    assert_same(*both("show_outputs", run, hidden, outputs, masked(mask, run), step, first, last, zeros))


@few
@given(given=runs(), sequences=st.booleans(), zeros=st.booleans())
def test_defer_outputs(given: Any, sequences: bool, zeros: bool) -> None:
    run, mask, step, first, last, rng = given
    d_outputs = rng.standard_normal((run.num_sequences * run.num_steps * sequences, WIDTH))
    d_last = rng.standard_normal((run.num_sequences, WIDTH))
    assert_same(*both("defer_outputs", run, d_outputs, masked(mask, run), step, first, last, d_last, zeros))


def test_rows_are_copied_and_cleared() -> None:
    source, target = np.arange(96.0).reshape(2, 48), np.ones((3, 48))
    assert_same(*both("copy_row", source, 1, target, 2))
    assert_same(*both("clear_row", target, 0))


# ----------------------------------------------------------------------------------------------------------- products


def active_rows(run: Any, mask: np.ndarray, step: int, first: int, last: int) -> tuple[np.ndarray, int]:
    active = np.zeros(run.num_sequences, np.int64)
    return active, reference.active_sequences(run, mask, reference.time_of(run, step), first, last, active)


def scratch(lanes: int) -> tuple[np.ndarray, np.ndarray]:
    return np.full((MAX_ROWS, MAX_WIDTH * lanes), np.nan), np.full((MAX_ROWS, lanes), np.nan)


def packed(matrix: np.ndarray, units: int, num_gates: int, width: int) -> tuple[Any, np.ndarray]:
    """A weight in panels, and its layout."""
    lanes = lanes_kernels.VECTOR_BYTES // 8
    where = layout(units, 0, num_gates, lanes, 8, MAX_WIDTH)
    panels = np.empty((1, len(matrix) * len(where.registers) * lanes))
    products.pack_panels(matrix, where.registers, where.ends, width, panels)
    return where, panels


def packed_transpose(matrix: np.ndarray, where: Any, num_columns: int) -> np.ndarray:
    lanes = lanes_kernels.VECTOR_BYTES // 8
    num_registers = -(-num_columns // lanes)
    panels = np.empty((1, len(where.turned) * num_registers * lanes))
    products.pack_transposed(matrix, where.turned, num_registers, MAX_WIDTH, panels)
    return panels


@few
@given(given=runs(), num_gates=st.integers(1, 4), bias=st.booleans(), keep=st.booleans())
def test_project_chunk(given: Any, num_gates: int, bias: bool, keep: bool) -> None:
    run, mask, step, first, last, rng = given
    step -= step % run.chunk
    width = num_gates if num_gates > 1 else MAX_WIDTH
    where, kernel = packed(rng.standard_normal((5, num_gates * run.units)), run.units, num_gates, width)
    x = rng.standard_normal((run.num_sequences * run.num_steps, 5))
    row = rng.standard_normal((int(bias), num_gates * where.width))
    gates = np.full((run.num_sequences * (run.num_steps if keep else run.chunk), num_gates * where.width), 7.0)
    active, _ = active_rows(run, mask, step, first, last)
    rows = np.zeros((2, run.num_sequences * run.chunk), np.int64)
    got, want = both(
        *("project_chunk", run, x, kernel, where.columns, width, row, gates, mask, step, first, last, active, rows),
        scratch(lanes_kernels.VECTOR_BYTES // 8)[0],
    )
    assert_allclose(got[6], want[6], rtol=1e-13, atol=1e-13)


@few
@given(given=runs(), num_gates=st.integers(1, 4), dropout=st.booleans(), keep=st.booleans())
def test_drop_states_and_recurrent_sums(given: Any, num_gates: int, dropout: bool, keep: bool) -> None:
    run, mask, step, first, last, rng = given
    lanes, slots = lanes_kernels.VECTOR_BYTES // 8, run.num_steps + 1 if keep else 2
    where, kernel = packed(rng.standard_normal((run.units, num_gates * run.units)), run.units, num_gates, num_gates)
    hidden = rng.standard_normal((run.num_sequences * slots, where.width))
    masks = rng.standard_normal((num_gates * run.num_sequences * dropout, where.width))
    active, count = active_rows(run, mask, step, first, last)
    states, before = active * slots, reference.slot_before(run, step, slots)
    dropped = np.full_like(masks, 7)
    got, want = both("drop_states", run, masks, hidden, states, before, active, count, np.full_like(masks, 7))
    assert_same(got, want)
    dropped, (sums, part) = got[7], scratch(lanes)
    tile = int(rng.integers(0, count)) if count else 0
    size = min(count - tile, ROWS[num_gates - 1])
    for start in range(0, num_gates * where.width * run.units, num_gates * lanes * run.units):
        got, want = both(
            *("recurrent_sums", run, sums, part, hidden, states, before, dropped, active, tile, size, kernel, start),
            num_gates,
        )
        assert_allclose(got[1], want[1], rtol=1e-13, atol=1e-13)


@few
@given(given=runs(), gates=st.sampled_from([(0, 1), (0, 4), (2, 1), (1, 2)]), dropout=st.booleans(), more=st.booleans())
def test_hand_back(given: Any, gates: tuple[int, int], dropout: bool, more: bool) -> None:
    run, mask, step, first, last, rng = given
    first_gate, num_gates = gates
    where = layout(run.units, 0, num_gates, lanes_kernels.VECTOR_BYTES // 8, 8, MAX_WIDTH)
    matrix = rng.standard_normal((run.units, num_gates * run.units))
    transposed = packed_transpose(matrix, where, where.width)
    d_gates = rng.standard_normal((run.num_sequences * run.num_steps, (num_gates + 1) * where.width))
    masks = rng.standard_normal((4 * run.num_sequences * dropout, where.width))
    active, count = active_rows(run, mask, step, first, last)
    d_hidden, time = rng.standard_normal((run.num_sequences, where.width)), reference.time_of(run, step)
    got, want = both(
        *("hand_back", run, d_gates, time, where.width, active, np.zeros_like(active), count, transposed, masks),
        *(first_gate, num_gates, d_hidden, more, scratch(lanes_kernels.VECTOR_BYTES // 8)[0]),
    )
    assert_allclose(got[11], want[11], rtol=1e-13, atol=1e-12)


@few
@given(given=runs(), features=st.integers(1, 40), num_gates=st.integers(1, 4))
def test_hand_back_inputs(given: Any, features: int, num_gates: int) -> None:
    run, mask, step, first, last, rng = given
    step -= step % run.chunk
    lanes = lanes_kernels.VECTOR_BYTES // 8
    where = layout(run.units, 0, num_gates, lanes, 8, MAX_WIDTH)
    transposed = packed_transpose(rng.standard_normal((features, num_gates * run.units)), where, features)
    d_gates = rng.standard_normal((run.num_sequences * run.num_steps, num_gates * where.width))
    active, _ = active_rows(run, mask, step, first, last)
    got, want = both(
        *("hand_back_inputs", run, d_gates, transposed, np.arange(0, features, lanes)),
        *(np.full((len(d_gates), features), 7.0), mask, step, first, last, active),
        *(np.zeros((2, run.num_sequences * run.chunk), np.int64), scratch(lanes)[0]),
    )
    assert_allclose(got[4], want[4], rtol=1e-13, atol=1e-12)


def test_definitions_and_kernels_take_the_same_arguments() -> None:
    functions = {name for name, value in vars(reference).items() if inspect.isfunction(value)}
    names = functions - {"lane_count", "unpacked", "counted", "masked"}
    assert len(names) >= 14
    for name in names:
        kernel = getattr(kernels, name)
        got = inspect.signature(getattr(kernel, "py_func", kernel)).parameters
        assert list(got) == list(inspect.signature(getattr(reference, name)).parameters), name
