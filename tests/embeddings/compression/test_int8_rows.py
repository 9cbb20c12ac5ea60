"""Whole numbers with a scale for each row: what is read back, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from daneo.embeddings.compression.int8_rows import Int8Rows

NUMBERS = st.floats(-3.0000000054977558e38, 3.0000000054977558e38, width=32)


@given(arrays(np.float32, st.tuples(st.integers(1, 9), st.integers(1, 6)), elements=NUMBERS))
@settings(deadline=None, max_examples=200)
def test_every_number_is_within_half_a_step(rows: np.ndarray) -> None:
    kept = Int8Rows.of(rows)
    steps = np.abs(rows).max(axis=1, keepdims=True).astype(np.float64) / 127
    normal = steps[:, 0] > 1e-37  # smaller ones have few digits in float32
    error = np.abs(kept[:].astype(np.float64) - rows)
    assert (error[normal] <= 0.5001 * steps[normal]).all()
    assert kept.numbers.min() >= -127
    assert not kept[:][~rows.any(axis=1)].any()


def test_the_largest_number_of_a_row_is_kept() -> None:
    rows = np.random.default_rng(0).standard_normal((9000, 20)).astype(np.float32)
    kept = Int8Rows.of(rows)
    places = np.abs(rows).argmax(axis=1)
    np.testing.assert_allclose(kept[:][range(9000), places], rows[range(9000), places], rtol=2e-7)
    assert (kept.shape, len(kept), kept.nbytes) == ((9000, 20), 9000, 9000 * 24)


def test_rows_are_chosen_like_an_arrays() -> None:
    kept = Int8Rows.of(np.random.default_rng(0).standard_normal((700, 10)).astype(np.float32))
    whole = kept[:]
    assert whole.dtype == np.float32
    none = np.array([], dtype=np.int64)
    for chosen in (5, -1, np.int64(7), slice(10, 400), slice(None, None, -3), [4, 4, 0], np.array([699, 0]), none):
        np.testing.assert_array_equal(kept[chosen], whole[chosen])
    with pytest.raises(IndexError):
        kept[700]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_not_finite(bad: float) -> None:
    rows = np.ones((5000, 3), np.float32)
    rows[4900, 1] = bad
    with pytest.raises(ValueError, match="int8 holds finite numbers"):
        Int8Rows.of(rows)


@pytest.mark.parametrize("numbers", [np.zeros((2, 3), np.uint8), np.zeros(3, np.int8)])
def test_numbers_of_another_kind(numbers: np.ndarray) -> None:
    with pytest.raises(ValueError, match="Int8Rows expected int8 of shape"):
        Int8Rows(numbers, np.ones(len(numbers), np.float32))
