"""A register in compiled code against a row of numbers in NumPy; activations to the last places, and of all numbers."""

from __future__ import annotations

import inspect
import os
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numba import njit
from numpy.testing import assert_allclose, assert_array_equal

from daneo.layers.recurrences import activations_kernels, activations_reference, recurrent_calls
from daneo.layers.recurrences import lanes_kernels as kernels
from daneo.layers.recurrences import lanes_reference as reference

COMPILED = os.environ.get("NUMBA_DISABLE_JIT") != "1"
few = settings(deadline=None, max_examples=30 if COMPILED else 10)
DTYPES = (np.float32, np.float64)
ACTIVATIONS = recurrent_calls.ACTIVATIONS
ULPS = 4  # units in the last place


@pytest.fixture(autouse=True, scope="module")
def registers_of_this_machine() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reference, "VECTOR_BYTES", kernels.VECTOR_BYTES)
        yield


def matrices(dtype: type) -> st.SearchStrategy[np.ndarray]:
    """Of shape (3, 48); a register of 64 bytes may be loaded from column 32."""
    bits = 8 * np.dtype(dtype).itemsize
    return hnp.arrays(dtype, (3, 48), elements=st.floats(-100, 100, width=bits))


either = st.sampled_from(DTYPES).flatmap(matrices)


def program(module: ModuleType) -> Any:
    """Use every function but the activations on a matrix (3, 48); return what was written to another one."""
    load, store, zero, fill = module.load, module.store, module.zero, module.fill
    maximum, minimum, where_between = module.maximum, module.minimum, module.where_between

    def run(array, number):
        out = np.full((14, 48), 7, array.dtype)
        a, b, c = load(array, 0, 0), load(array, 1, 7), load(array, 2, 32)
        store(out, 0, 0, zero(array))
        store(out, 1, 3, fill(a, number))
        store(out, 2, 0, a)
        store(out, 3, 0, b)
        store(out, 4, 0, c)
        store(out, 5, 0, a + b)
        store(out, 6, 0, a - b)
        store(out, 7, 0, a * b)
        store(out, 8, 0, a / fill(a, 3.0))
        store(out, 9, 0, maximum(a, b))
        store(out, 10, 0, minimum(a, b))
        store(out, 11, 0, where_between(a, b, c, fill(a, number)))
        store(array, 0, 1, b)  # over a part of what a was loaded from
        store(out, 12, 0, load(array, 0, 0))
        store(out, 13, 0, a)
        return out

    return run


compiled = njit(program(kernels))


@few
@given(array=either, number=st.floats(-100, 100, width=32))
def test_every_function_does_what_its_definition_says(array: np.ndarray, number: float) -> None:
    arrays = array.copy(), array.copy()
    got, want = compiled(arrays[0], number), program(reference)(arrays[1], number)
    assert_array_equal(got, want)
    assert_array_equal(arrays[0], arrays[1])


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_comparison_with_nan_keeps_the_first(dtype: type) -> None:
    maximum, minimum, load, store = kernels.maximum, kernels.minimum, kernels.load, kernels.store

    @njit
    def bounded(array: Any) -> Any:
        store(array, 2, 0, maximum(load(array, 0, 0), load(array, 1, 0)))
        store(array, 3, 0, minimum(load(array, 0, 0), load(array, 1, 0)))

    array = np.ones((4, 16), dtype)
    array[0] = np.nan
    bounded(array)
    assert np.isnan(array[2:, : kernels.VECTOR_BYTES // array.itemsize]).all()


@pytest.mark.parametrize("step", [16, 21])
@pytest.mark.parametrize("dtype", DTYPES)
def test_a_block_is_turned(dtype: type, step: int) -> None:
    turn_block = kernels.turn_block

    @njit
    def turn(matrix: Any, out: Any) -> None:
        turn_block(matrix, 2, 5, out, 3, step)

    matrix, out = np.arange(20 * 30, dtype=dtype).reshape(20, 30), np.full((1, 500), -1, dtype)
    want = out.copy()
    turn(matrix, out)
    reference.turn_block(matrix, 2, 5, want, 3, step)
    assert_array_equal(out, want)
    assert want[0, 3] == matrix[2, 5]
    assert want[0, 3 + 1] == matrix[3, 5]
    assert want[0, 3 + step] == matrix[2, 6]


@pytest.mark.parametrize("dtype", DTYPES)
def test_how_many_lanes_there_are(dtype: type) -> None:
    lane_count = kernels.lane_count
    count = njit(lambda array: lane_count(array))(np.zeros((1, 16), dtype))
    assert count == kernels.VECTOR_BYTES // np.dtype(dtype).itemsize
    assert kernels.VECTOR_BYTES in (16, 32, 64)


# -------------------------------------------------------------------------------------------------------- activations


def over_registers(function: Any) -> Any:
    """Apply a function of lanes to every number of an array."""
    load, store, lane_count = kernels.load, kernels.store, kernels.lane_count

    def run(x, out):
        for j in range(0, x.shape[1], lane_count(x)):
            store(out, 0, j, function(load(x, 0, j)))

    run = njit(run)

    def apply(x: np.ndarray) -> np.ndarray:
        padded = np.zeros((1, -(-len(x) // 16) * 16), x.dtype)
        padded[0, : len(x)] = x
        out = np.full_like(padded, np.nan)
        run(padded, out)
        return out[0, : len(x)]

    return apply


sigmoid, tanh = over_registers(kernels.sigmoid), over_registers(kernels.tanh)


def grid(limit: float, dtype: type) -> np.ndarray:
    """Numbers of both signs up to a limit: evenly spread, and of every size down to the smallest."""
    count = 20000 if COMPILED else 200
    small = np.geomspace(np.finfo(dtype).tiny, limit, count)
    return np.concatenate([np.linspace(-limit, limit, 2 * count), small, -small, [0.0]]).astype(dtype)


def exact_sigmoid(x: np.ndarray) -> np.ndarray:
    x = x.astype(np.longdouble)
    return 1 / (1 + np.exp(-x))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("limit", [1e-3, 1.0, 9.0, 80.0])
def test_tanh_is_right_to_the_last_places(dtype: type, limit: float) -> None:
    x = grid(limit, dtype)
    exact = np.tanh(x.astype(np.longdouble))
    got = tanh(x)
    assert got.dtype == dtype
    ulp = np.spacing(np.abs(exact).astype(dtype))
    assert (np.abs(got - exact) <= ULPS * ulp).all()
    assert np.abs(got).max() <= 1


@pytest.mark.parametrize("dtype", DTYPES)
def test_sigmoid_is_right_to_the_last_places(dtype: type) -> None:
    x = grid(80.0, dtype)
    exact = exact_sigmoid(x)
    got = sigmoid(x)
    assert got.dtype == dtype
    assert (np.abs(got - exact) <= ULPS * np.spacing(exact.astype(dtype))).all()
    assert_allclose(got, exact, rtol=1e-6, atol=1e-7)
    assert got.min() >= 0
    assert got.max() <= 1


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_of_numbers_without_bounds(name: str, dtype: type) -> None:
    most = np.finfo(dtype).max
    x = np.array([np.nan, np.inf, -np.inf, most, -most, 1e5, -1e5, 0.0], dtype)
    with np.errstate(over="ignore", invalid="ignore"):
        got = activation(name)(x)
        want = activations_reference.activate(ACTIVATIONS.index(name), x)
    # A sigmoid ends where e**x would leave the numbers, at e**-87 or e**-700 in place of 0.
    assert_allclose(got, want, rtol=4 * np.finfo(dtype).eps, atol=2 * np.exp(-87.0 if dtype is np.float32 else -700.0))
    assert np.isnan(got[0])


def activation(name: str) -> Any:
    activate, code = activations_kernels.activate, ACTIVATIONS.index(name)
    return over_registers(njit(lambda x: activate(code, x)))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_are_as_defined(name: str, dtype: type) -> None:
    x = grid(12.0, dtype)
    want = activations_reference.activate(ACTIVATIONS.index(name), x.astype(np.longdouble))
    # x / 6 + 0.5 is rounded at the size of 0.5; all others keep their last places wherever they are.
    atol = np.finfo(dtype).eps if name == "hard_sigmoid" else np.finfo(dtype).tiny
    assert_allclose(activation(name)(x), want, rtol=ULPS * np.finfo(dtype).eps, atol=atol)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_slopes_are_as_defined(name: str, dtype: type) -> None:
    slope, fill, code = activations_kernels.slope, kernels.fill, ACTIVATIONS.index(name)
    carried = over_registers(njit(lambda y: slope(code, y, fill(y, 3.0))))
    y = activations_reference.activate(code, grid(8.0, dtype))
    want = activations_reference.slope(code, y, np.full_like(y, 3))
    # y * y is rounded or not.
    assert_allclose(carried(y), want, rtol=ULPS * np.finfo(dtype).eps, atol=3 * np.finfo(dtype).eps)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_slopes_are_those_of_the_activations(name: str) -> None:
    """The definition's own slope, against a difference quotient."""
    code, x, step = ACTIVATIONS.index(name), np.linspace(-4.05, 4.05, 50), 1e-6
    y = activations_reference.activate(code, x)
    quotient = (activations_reference.activate(code, x + step) - activations_reference.activate(code, x - step)) / 2
    assert_allclose(activations_reference.slope(code, y, np.ones_like(y)), quotient / step, rtol=1e-8, atol=1e-8)


def test_definitions_and_kernels_take_the_same_arguments() -> None:
    for module, definitions in ((kernels, reference), (activations_kernels, activations_reference)):
        names = [name for name, value in vars(definitions).items() if inspect.isfunction(value)]
        assert len(names) >= 2
        for name in names:
            kernel = getattr(module, name)
            got = list(inspect.signature(getattr(kernel, "py_func", getattr(kernel, "_defn", kernel))).parameters)
            want = list(inspect.signature(getattr(definitions, name)).parameters)
            assert [one for one in got if one != "typing_context"] == want, name
    assert ACTIVATIONS == activations_reference.ACTIVATIONS
