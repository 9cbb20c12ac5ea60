"""Keras as an oracle that is exact to the last digits of float64, outputs and gradients."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from unittest import mock

import numpy as np
import pytest
import torch
from torch import Tensor


@contextmanager
def keras_in_float64() -> Iterator[Any]:
    """Give `keras.layers`, which within this context multiplies matrices of float64 in float64."""
    layers = pytest.importorskip("keras").layers
    promotion = importlib.import_module("keras.src.backend.common.dtypes")
    # Outside of TensorFlow, Keras multiplies matrices of float64 in float32, layers of dtype float64 included.
    with mock.patch.dict(promotion.BIT64_TO_BIT32_DTYPE, float64="float64"):
        yield layers


def randomise(weights: Sequence[Tensor], rng: np.random.Generator) -> None:
    """Give every weight, biases too, a random value other than zero."""
    with torch.no_grad():
        for weight in weights:
            weight.copy_(torch.from_numpy(rng.normal(size=tuple(weight.shape))) / 2)


def copy_to_keras(weights: Sequence[Tensor], layer: Any) -> None:
    """Give a Keras layer the weights of ours: the order and the shapes are the same."""
    layer.set_weights([weight.detach().numpy() for weight in weights])


def outputs_and_gradients(outputs: Any, sources: Sequence[Tensor], seed: int) -> list[np.ndarray]:
    """Return all outputs, and the gradients of a random sum of them by all sources."""
    outputs = list(outputs) if isinstance(outputs, tuple | list) else [outputs]
    rng = np.random.default_rng(seed)
    loss = sum((out * torch.from_numpy(rng.normal(size=tuple(out.shape)))).sum() for out in outputs)
    gradients = torch.autograd.grad(loss, list(sources), materialize_grads=True)
    return [part.detach().numpy() for part in (*outputs, *gradients)]


def keras_weights(layer: Any) -> list[Tensor]:
    """Return a Keras layer's weights as the tensors that they are on PyTorch."""
    return [variable.value for variable in layer.trainable_variables]


def assert_all_close(got: Sequence[np.ndarray], want: Sequence[np.ndarray], tolerance: float = 1e-10) -> None:
    """Compare two lists of arrays, number by number."""
    assert len(got) == len(want)
    for mine, theirs in zip(got, want, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=tolerance, atol=tolerance)
