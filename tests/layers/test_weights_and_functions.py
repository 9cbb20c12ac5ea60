"""Initializers and activations against those of Keras."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from daneo.layers import activations, initializers

keras = pytest.importorskip("keras")
SCALED = ["glorot_uniform", "glorot_normal", "he_uniform", "he_normal", "lecun_uniform", "lecun_normal"]


@pytest.mark.parametrize("name", activations.ACTIVATIONS)
def test_activation(name: str) -> None:
    x = torch.linspace(-5, 5, 41, dtype=torch.float64)
    expected = keras.activations.get(name)(x)
    assert_allclose(activations.get(name)(x), expected, rtol=1e-12, atol=1e-12)


def test_activations_that_have_no_name() -> None:
    x = torch.linspace(-5, 5, 41)
    assert activations.get(None)(x) is x
    assert activations.get(torch.sin) is torch.sin
    with pytest.raises(ValueError, match="^No activation is called 'sinus': give one of tanh, sigmoid"):
        activations.get("sinus")


def test_hard_sigmoid_is_exact_in_float64() -> None:
    x = torch.tensor([-4.0, 0.5, 4.0], dtype=torch.float64, requires_grad=True)
    activations.get("hard_sigmoid")(x).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [0.0, 1 / 6, 0.0]


def drawn(name: str, shape: tuple[int, ...]) -> np.ndarray:
    torch.manual_seed(0)
    return initializers.initialized(shape, name, dtype=torch.float64, device=torch.device("cpu")).numpy()


@pytest.mark.parametrize("name", [*SCALED, "random_normal", "random_uniform", "uniform"])
def test_random_initializers_spread_as_in_keras(name: str) -> None:
    shape = (150, 400)
    keras.utils.set_random_seed(0)  # one draw in a hundred would be further off than the quantiles allow
    its = np.asarray(keras.initializers.get(name)(shape).detach())
    mine = drawn(name, shape)
    # Both of 60,000 numbers, so that each deviation is sure to some 0.3 %, each quantile to some 2 %.
    assert_allclose(mine.std(), its.std(), rtol=0.02)
    assert_allclose(mine.mean(), 0, atol=4 * its.std() / 60_000**0.5)
    for share in (0.1, 0.5, 0.9, 0.999):  # not 1: once in a while Keras lets a number beyond the cut through
        assert_allclose(np.quantile(np.abs(mine), share), np.quantile(np.abs(its), share), rtol=0.05)


@pytest.mark.parametrize("name", ["zeros", "ones", "identity"])
def test_fixed_initializers(name: str) -> None:
    shape = (4, 6)
    assert_allclose(drawn(name, shape), keras.initializers.get(name)(shape).detach(), rtol=0, atol=0)


@pytest.mark.parametrize("shape", [(4, 9), (9, 4), (5, 5)])
def test_orthogonal(shape: tuple[int, int]) -> None:
    matrix = drawn("orthogonal", shape)
    short = matrix if shape[0] <= shape[1] else matrix.T
    assert_allclose(short @ short.T, np.eye(min(shape)), atol=1e-12)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_orthogonal_in_half_precision(dtype: torch.dtype) -> None:
    matrix = initializers.initialized((8, 8), "orthogonal", dtype=dtype, device=torch.device("cpu"))
    assert matrix.dtype is dtype
    assert_allclose(matrix.float() @ matrix.float().T, np.eye(8), atol=0.02)


def test_a_function_fills_the_tensor_itself() -> None:
    def fill(weight: Any) -> None:
        weight.fill_(3.0)

    made = initializers.initialized((2,), fill, dtype=torch.float32, device=torch.device("cpu"))
    assert made.tolist() == [3.0, 3.0]
