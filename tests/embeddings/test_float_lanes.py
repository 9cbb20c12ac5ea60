"""A vector register in compiled code against sixteen numbers in NumPy."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numba import njit
from numpy.testing import assert_allclose, assert_array_equal

from daneo.embeddings import float_lanes_kernels as kernels
from daneo.embeddings import float_lanes_reference as reference

COMPILED = os.environ.get("NUMBA_DISABLE_JIT") != "1"
few = settings(deadline=None, max_examples=50 if COMPILED else 10)
matrices = hnp.arrays(np.float32, (3, 48), elements=st.floats(-100, 100, width=32))


def program(module: Any) -> Any:
    """Use every function on a matrix (3, 48) and return what was written to another one."""
    zero, splat, load, store, increase = module.zero, module.splat, module.load, module.store, module.increase
    fma, splat_fma, store_four_sums = module.fma, module.splat_fma, module.store_four_sums
    prefetch, add, multiply, fnma, lane_sum = module.prefetch, module.add, module.multiply, module.fnma, module.lane_sum

    def run(array, number):
        out = np.zeros((14, 16), np.float32)
        a, b, c = load(array, 0, 0), load(array, 1, 7), load(array, 2, 32)
        store(out, 0, 0, zero())
        store(out, 1, 0, splat(number))
        store(out, 2, 0, a)
        store(out, 3, 0, b)
        store(out, 4, 0, c)
        increase(out, 4, 0, a)
        store(out, 5, 0, fma(a, b, c))
        store(out, 6, 0, splat_fma(array, 1, 5, b, c))
        store_four_sums(out, 7, 3, a, b, c, splat(number))
        prefetch(array, 2, 16)
        store(array, 0, 1, b)  # over a part of what a was loaded from
        store(out, 8, 0, load(array, 0, 0))
        increase(array, 2, 32, c)
        store(out, 9, 0, load(array, 2, 32))
        store(out, 10, 0, add(a, b))
        store(out, 11, 0, multiply(a, b))
        store(out, 12, 0, splat(lane_sum(a)))
        store(out, 13, 0, fnma(a, b, c))
        return out

    return run


compiled = njit(program(kernels))


@few
@given(array=matrices, number=st.floats(-100, 100, width=32))
def test_every_function_does_what_its_definition_says(array: np.ndarray, number: float) -> None:
    arrays = array.copy(), array.copy()
    got, want = compiled(arrays[0], np.float32(number)), program(reference)(arrays[1], np.float32(number))
    exact = [0, 1, 2, 3, 4, 8, 9, 10, 11, 12]  # nothing is rounded differently
    assert_array_equal(got[exact], want[exact])
    assert_array_equal(arrays[0], arrays[1])
    # One rounding in place of two; sixteen numbers up to 100 in another order.
    assert_allclose(got[[5, 6, 13]], want[[5, 6, 13]], rtol=1e-6, atol=1e-3)
    assert_allclose(got[7], want[7], rtol=0, atol=1e-3)


@few
@given(numbers=hnp.arrays(np.float32, 16, elements=st.floats(2.0**-20, 2.0**60, width=32)))
def test_the_inverse_of_a_square_root_is_right_to_five_digits(numbers: np.ndarray) -> None:
    load, store, inverse_square_root = kernels.load, kernels.store, kernels.inverse_square_root

    @njit
    def inverted(array):
        out = np.zeros((1, 16), np.float32)
        store(out, 0, 0, inverse_square_root(load(array, 0, 0)))
        return out

    assert_allclose(inverted(numbers.reshape(1, 16))[0], reference.inverse_square_root(numbers), rtol=5e-6)


def test_sums_of_lanes_are_those_of_their_own_register() -> None:
    load, store_four_sums = kernels.load, kernels.store_four_sums

    @njit
    def sums(array):
        out = np.zeros((1, 4), np.float32)
        store_four_sums(out, 0, 0, load(array, 0, 0), load(array, 1, 0), load(array, 2, 0), load(array, 3, 0))
        return out

    # Powers of two: each lane of each register leaves its own mark in a sum, exactly.
    registers = np.zeros((4, 16), np.float32)
    for register in range(4):
        for lane in range(16):
            registers[:] = 0
            registers[register, lane] = 2.0**lane
            want = np.zeros(4)
            want[register] = 2.0**lane
            assert_array_equal(sums(registers)[0], want)


@pytest.mark.skipif(not COMPILED, reason="without the compiler there are no registers")
def test_a_register_is_sixteen_numbers_wide() -> None:
    assert kernels.LANES == reference.LANES == 16
    assert kernels._LANES.count == 16
