"""A step of GloVe: the compiled one against its definition, that against finite differences and Stanford's program."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from daneo.embeddings import glove_kernels as kernels
from daneo.embeddings import glove_reference as reference
from daneo.embeddings.glove_config import GloVeConfig
from daneo.embeddings.glove_training import initial_rows, rates, width_of


def matrices(num_words: int, size: int, seed: int, dtype: Any = np.float64) -> list[np.ndarray]:
    """Rows of words and of contexts as in the middle of a training, and both rates."""
    rng, width = np.random.default_rng(seed), width_of(size)
    rows = []
    for bias in (size, size + 1):
        array = initial_rows(num_words, size, seed, bias=bias)
        array[:, :size] = 0.5 * rng.standard_normal((num_words, size))
        array[:, bias] = rng.standard_normal(num_words)
        array[:, width:] += rng.exponential(2, (num_words, width)).astype(np.float32)
        rows.append(array.astype(dtype))
    config = GloVeConfig(vector_size=size)
    return [*rows, *(rates(config, bias=bias).astype(dtype) for bias in (size, size + 1))]


def pairs_of(num_pairs: int, num_numbers: int, seed: int) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    numbers = rng.integers(0, num_numbers, (2, num_pairs)).astype(np.uint16)
    return [numbers[0], numbers[1], rng.normal(1, 3, num_pairs).astype(np.float32)]


@given(
    size=st.sampled_from([1, 14, 15, 30, 31, 50]),
    stride=st.integers(1, 3),
    num_pairs=st.integers(0, 40),
    alpha=st.sampled_from([0.5, 0.75, 1.0]),
    seed=st.integers(0, 2**32),
)
@settings(deadline=None, max_examples=30)
def test_the_kernel_is_its_definition(size: int, stride: int, num_pairs: int, alpha: float, seed: int) -> None:
    num_numbers = 4
    want = matrices(num_numbers * stride, size, seed)
    got = [array.astype(np.float32) for array in want]
    # Blocks of words and of contexts of their own, so that a wrong place shows.
    where = (stride - 1, 0, stride, math.log(20.0), alpha)
    pairs = pairs_of(num_pairs, num_numbers, seed)
    loss = reference.train_pairs(*want, *pairs, *where)
    assert_allclose(kernels.train_pairs(*got, *pairs, *where), loss, rtol=1e-4)
    for array, expected in zip(got, want, strict=True):
        assert_allclose(array, expected, rtol=1e-4, atol=1e-4)  # float32, and roots right to 5e-6, forty steps on


def loss_of(w: np.ndarray, c: np.ndarray, w_bias: float, c_bias: float, count: float) -> float:
    """Equation 8 of the paper for one pair."""
    return 0.5 * min(1.0, (count / 100) ** 0.75) * (w @ c + w_bias + c_bias - math.log(count)) ** 2


@pytest.mark.parametrize("count", [0.1, 7.0, 99.0, 101.0, 5000.0])
@pytest.mark.parametrize("size", [1, 3, 14])
def test_steps_follow_the_derivatives_of_the_loss(count: float, size: int) -> None:
    before = matrices(1, size, seed=size)
    after = [array.copy() for array in before]
    pair = [np.zeros(1, np.uint16), np.zeros(1, np.uint16), np.array([math.log(count)])]
    loss = reference.train_pairs(*after, *pair, 0, 0, 1, math.log(100), 0.75)
    width = width_of(size)
    point = np.concatenate([before[0][0, :size], before[1][0, :size], before[0][0, [size]], before[1][0, [size + 1]]])

    def at(point: np.ndarray) -> float:
        return loss_of(point[:size], point[size : 2 * size], point[-2], point[-1], count)

    assert_allclose(loss, at(point), rtol=1e-12)
    slopes = [(at(point + step) - at(point - step)) / 2e-6 for step in 1e-6 * np.eye(len(point))]
    parts = [(0, slice(size)), (1, slice(size)), (0, slice(size, size + 1)), (1, slice(size + 1, size + 2))]
    for (which, columns), slope, rate in zip(
        parts, np.split(np.array(slopes), [size, 2 * size, 2 * size + 1]), [0.05, 0.05, 1.0, 1.0], strict=True
    ):
        squares = before[which][0, width:][columns]
        step = np.float32(rate) * slope
        assert_allclose(after[which][0, columns], before[which][0, columns] - step / np.sqrt(squares), atol=1e-6)
        assert_allclose(after[which][0, width:][columns], squares + step**2, rtol=1e-6, atol=1e-6)


def test_ones_and_padding_stay() -> None:
    before = matrices(4, 5, seed=1, dtype=np.float32)
    after = [array.copy() for array in before]
    kernels.train_pairs(*after, *pairs_of(50, 4, seed=1), 0, 0, 1, math.log(100), 0.75)
    for which, one in ((0, 6), (1, 5)):
        assert_array_equal(after[which][:, one], 1)
        assert_array_equal(after[which][:, 7:16], 0)
        assert_array_equal(after[which][:, 16 + 7 :], before[which][:, 16 + 7 :])
        assert np.all(after[which][:, :5] != before[which][:, :5])


# GloVe of 2015 to 2025 (its master branch, commit 52f7dbc, built -O3), a file of the seven records below, and
# `glove -vector-size 2 -threads 1 -iter 3 -seed 7 -binary 1 -save-init-param 1`: vectors.000.bin, vectors.bin, costs.
RECORDS = [(1, 2, 3.0), (2, 1, 3.0), (1, 1, 250.0), (3, 1, 0.5), (1, 3, 0.5), (2, 3, 100.0), (3, 2, 40.25)]
COSTS = [4.140361, 4.072007, 1.626468]
BEFORE = [
    [-0.006547930304216187, 0.1839887061780266, 0.046295597123119814],
    [-0.1426450798253739, -0.24488673056237714, 0.007409280984387423],
    [0.24797412636595506, -0.23403384885007228, 0.050782639673344177],
    [-0.22232757670447584, 0.013389971928386923, -0.20531297263471082],
    [0.13221835432677453, 0.15774595151084753, 0.19448624036483758],
    [-0.1680506635075671, -0.14224779926810777, 0.14384135668810522],
]
AFTER = [
    [0.020011762110574382, 0.16136729736172215, 4.069671889232786],
    [-0.10846538681144333, -0.2213930264001059, 3.0082193491241105],
    [0.26585249230997304, -0.21849350718215566, 1.7338669363524517],
    [-0.1995938523425193, 0.0060544530655733805, 3.8119783591931826],
    [0.16021191530361223, 0.12638485659153498, 1.757717497256732],
    [-0.14867204262660091, -0.11510250742575003, 3.0596756087974804],
]


@pytest.mark.parametrize("module", [reference, kernels])
def test_it_learns_what_stanfords_program_learns(module: Any) -> None:
    exact = module is reference
    dtype, tolerance = (
        (np.float64, 1e-7) if exact else (np.float32, 5e-5)
    )  # rates are float32's 0.05; roots right to 5e-6
    words, contexts, word_rates, context_rates = matrices(3, 2, seed=0, dtype=dtype)
    for array, rows, bias in ((words, BEFORE[:3], 2), (contexts, BEFORE[3:], 3)):
        array[:, :2], array[:, bias], array[:, 16:] = np.array(rows)[:, :2], np.array(rows)[:, 2], 1
    numbers = np.array([record[:2] for record in RECORDS], np.uint16).T - 1
    logs = np.log([record[2] for record in RECORDS]).astype(dtype)
    for cost in COSTS:
        pairs = (np.ascontiguousarray(numbers[0]), np.ascontiguousarray(numbers[1]), logs)
        loss = module.train_pairs(words, contexts, word_rates, context_rates, *pairs, 0, 0, 1, math.log(100), 0.75)
        assert_allclose(loss / len(RECORDS), cost, rtol=tolerance, atol=1e-6)
    assert_allclose(words[:, :3], AFTER[:3], rtol=tolerance, atol=tolerance)
    assert_allclose(contexts[:, [0, 1, 3]], AFTER[3:], rtol=tolerance, atol=tolerance)
