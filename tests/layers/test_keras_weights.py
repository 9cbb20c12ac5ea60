"""get_weights and set_weights: the lists of Keras, both ways, with Keras as the oracle of what they mean."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from torch import nn

from daneo.layers import (
    GRU,
    LSTM,
    RNN,
    Bidirectional,
    Embedding,
    GRUCell,
    LSTMCell,
    Sequential,
    SimpleRNN,
    TimeDistributed,
)

from .keras_in_float64 import keras_in_float64, randomise

KINDS: dict[str, tuple[Callable[..., Any], Callable[[Any], Any]]] = {
    "simple": (lambda **o: SimpleRNN(4, **o), lambda k: k.SimpleRNN(4, return_sequences=True, dtype="float64")),
    "no bias": (
        lambda **o: LSTM(4, use_bias=False, **o),
        lambda k: k.LSTM(4, use_bias=False, return_sequences=True, dtype="float64"),
    ),
    "gru": (lambda **o: GRU(4, **o), lambda k: k.GRU(4, return_sequences=True, dtype="float64")),
    "gru, reset before": (
        lambda **o: GRU(4, reset_after=False, **o),
        lambda k: k.GRU(4, reset_after=False, return_sequences=True, dtype="float64"),
    ),
    "lstm": (lambda **o: LSTM(4, **o), lambda k: k.LSTM(4, return_sequences=True, dtype="float64")),
    "bidirectional": (
        lambda **o: Bidirectional(GRU(4, **o)),
        lambda k: k.Bidirectional(k.GRU(4, return_sequences=True, dtype="float64"), dtype="float64"),
    ),
    "cells": (
        lambda **o: RNN([LSTMCell(4, dtype="float64"), GRUCell(3, dtype="float64")], return_sequences=True),
        lambda k: k.RNN(
            k.StackedRNNCells([k.LSTMCell(4, dtype="float64"), k.GRUCell(3, dtype="float64")], dtype="float64"),
            return_sequences=True,
            dtype="float64",
        ),
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_lists_are_those_of_keras(kind: str) -> None:
    ours, theirs = KINDS[kind]
    x = np.random.default_rng(1).normal(size=(2, 5, 3))
    layer = ours(return_sequences=True, dtype="float64")
    layer(x)
    randomise(layer.weights, np.random.default_rng(2))
    with keras_in_float64() as keras:
        other = theirs(keras)
        other.build((None, None, 3))
        other.set_weights(layer.get_weights())
        want = other(torch.from_numpy(x)).detach().numpy()
        assert_allclose(layer(x).detach().numpy(), want, rtol=1e-10, atol=1e-12)
        back = ours(return_sequences=True, dtype="float64")
        back.set_weights(other.get_weights())  # it builds the layer
    assert_allclose(back(x).detach().numpy(), want, rtol=1e-10, atol=1e-12)


def test_models_and_dense_layers() -> None:
    model = Sequential([Embedding(5, 3), Bidirectional(LSTM(2)), nn.Linear(4, 1), nn.Sigmoid()])
    ids = np.array([[1, 4, 2]])
    output = model(ids)
    with keras_in_float64() as layers:
        keras = pytest.importorskip("keras")
        other = keras.Sequential(
            [layers.Embedding(5, 3), layers.Bidirectional(layers.LSTM(2)), layers.Dense(1, activation="sigmoid")]
        )
        other(ids)
        other.set_weights(model.get_weights())
        assert_allclose(other(ids).detach().numpy(), output.detach().numpy(), rtol=1e-6)
        other.set_weights([array + 0.25 for array in other.get_weights()])
        model.set_weights(other.get_weights())
        assert_allclose(other(ids).detach().numpy(), model(ids).detach().numpy(), rtol=1e-6)


def test_peepholes_are_three_vectors() -> None:
    layer = LSTM(2, peephole=True)
    layer.build((None, None, 3))
    arrays = layer.get_weights()
    assert [array.shape for array in arrays] == [(3, 8), (2, 8), (8,), (2,), (2,), (2,)]
    assert np.array_equal(np.stack(arrays[3:]), layer.cell.peephole_kernel.detach().numpy())
    i, f, o = np.array([1.0, 2.0]), np.array([3.0, 4.0]), np.array([5.0, 6.0])
    layer.set_weights([*arrays[:3], i, f, o])
    assert layer.cell.peephole_kernel.tolist() == [[1, 2], [3, 4], [5, 6]]
    assert layer.cell.peephole_kernel.requires_grad


def test_copies_and_not_views() -> None:
    layer = TimeDistributed(nn.Linear(3, 2))
    kernel, bias = layer.get_weights()
    assert np.array_equal(kernel, layer.layer.weight.detach().numpy().T)
    kernel += 1
    assert not np.array_equal(kernel, layer.get_weights()[0])
    layer.set_weights([kernel.astype(np.float16), bias])
    assert_allclose(layer.get_weights()[0], kernel, rtol=1e-3)
    assert layer.layer.weight.dtype == torch.float32
    kernel += 1
    assert not np.array_equal(kernel, layer.get_weights()[0])


def test_arrays_of_any_order_and_byte_order() -> None:
    layer = GRU(2, use_bias=False)
    kernel = np.asfortranarray(np.arange(18, dtype=">f8").reshape(3, 6))
    kernel.flags.writeable = False
    layer.set_weights([kernel, np.arange(12).reshape(2, 6)[::-1]])
    assert layer.weights[0].tolist() == kernel.tolist()
    assert layer.weights[1][0].tolist() == [6, 7, 8, 9, 10, 11]


def test_mistakes_are_named_and_change_nothing() -> None:
    layer = LSTM(2)
    with pytest.raises(RuntimeError, match=r"LSTM.get_weights: this LSTM is not built"):
        layer.get_weights()
    with pytest.raises(ValueError, match=r"cell/kernel expected an array of shape \(features, 8\), got \(3, 6\)"):
        layer.set_weights([np.zeros((3, 6)), np.zeros((2, 8)), np.zeros(8)])
    assert not layer.built
    layer.build((None, None, 3))
    before = layer.get_weights()
    with pytest.raises(ValueError, match=r"expected 3 arrays, cell/kernel, cell/recurrent_kernel, cell/bias; got 2"):
        layer.set_weights(before[:2])
    with pytest.raises(ValueError, match=r"cell/bias expected an array of shape \(8,\), got \(2, 8\)"):
        layer.set_weights([before[0] + 1, before[1], np.zeros((2, 8))])
    with pytest.raises(ValueError, match="cell/bias expected real numbers, got complex128"):
        layer.set_weights([before[0] + 1, before[1], np.zeros(8, complex)])
    assert all(np.array_equal(one, other) for one, other in zip(before, layer.get_weights(), strict=True))
    with pytest.raises(TypeError, match=r"NumPy has no bfloat16, which kernel has: convert the layer with .float\(\)"):
        layer.to(torch.bfloat16).get_weights()
    with pytest.raises(TypeError, match="Keras has nothing like Conv1d, which has weights"):
        Sequential([nn.Conv1d(2, 2, 1)]).get_weights()
