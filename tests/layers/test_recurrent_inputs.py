"""What recurrent layers refuse, and the one line that they say."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
import torch

from daneo import layers

X = torch.ones(2, 5, 3)


@pytest.fixture(params=[True, False], ids=["built", "not built"])
def layer(request: pytest.FixtureRequest) -> Any:
    lstm = layers.LSTM(4)
    if request.param:
        lstm.build((None, None, 3))
    return lstm


@pytest.mark.parametrize(
    ("x", "error", "message"),
    [
        (X[0], ValueError, "got (5, 3). For one sequence of shape (T, D) call layer(x[None])."),
        (torch.ones(2, 5, dtype=torch.int64), ValueError, "got (2, 5). Ids of words go through an Embedding first."),
        (X[:, :0], ValueError, "LSTM expected at least one step, got x of shape (2, 0, 3)."),
        (torch.ones(()), ValueError, "got ()."),
        (X[None], ValueError, "got (1, 2, 5, 3)."),
        (
            X.long(),
            TypeError,
            "LSTM expected x of floating-point numbers, got int64. Ids of words go through an Embedd",
        ),
        (X.bool(), TypeError, "LSTM expected x of floating-point numbers, got bool."),
        (X.numpy().astype(np.int32), TypeError, "LSTM expected x of floating-point numbers, got int32."),
        (X * 1j, TypeError, "LSTM expected x of floating-point numbers, got complex64."),
        (X.double(), TypeError, "LSTM has float32 weights, but x is float64: call x.to(torch.float32) or layer.to(x."),
        (X.to("meta"), ValueError, "LSTM has its weights on cpu, but x is on meta: move one of them."),
        ("words", TypeError, "LSTM expected x as a tensor or an array, got str."),
        (None, TypeError, "LSTM expected x as a tensor or an array, got NoneType."),
        ([[1.0], [2.0, 3.0]], TypeError, "LSTM expected x as a tensor or an array, got list."),
    ],
)
def test_input(layer: Any, x: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=re.escape(message)) as raised:
        layer(x)
    assert "\n" not in str(raised.value)


def test_features() -> None:
    layer = layers.GRU(4)
    layer(X)
    with pytest.raises(ValueError, match=r"^GRU expected x of shape \(B, T, 3\), got \(2, 5, 2\)\.$"):
        layer(X[..., :2])
    stack = layers.RNN([layers.GRUCell(4), layers.GRUCell(2)])
    stack(X)
    with pytest.raises(ValueError, match=r"^RNN expected x of shape \(B, T, 3\), got \(2, 5, 7\)\.$"):
        stack(torch.ones(2, 5, 7))


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"mask": torch.ones(2, 4) > 0}, ValueError, "LSTM expected a mask of shape (B, T) = (2, 5), got (2, 4)."),
        (
            {"mask": torch.ones(2, 5, 1) > 0},
            ValueError,
            "LSTM expected a mask of shape (B, T) = (2, 5), got (2, 5, 1).",
        ),
        (
            {"mask": torch.ones(2, 5)},
            TypeError,
            "LSTM expected a mask of bool, True where a step counts, got torch.flo",
        ),
        ({"lengths": [5]}, ValueError, "LSTM expected lengths of shape (B,) = (2,), got (1,)."),
        ({"lengths": [[5, 5]]}, ValueError, "LSTM expected lengths of shape (B,) = (2,), got (1, 2)."),
        ({"lengths": [6, 1]}, ValueError, "LSTM expected lengths between 0 and T = 5, got 1 to 6."),
        ({"lengths": [2, -1]}, ValueError, "LSTM expected lengths between 0 and T = 5, got -1 to 2."),
        ({"lengths": [2.0, 1.0]}, TypeError, "LSTM expected lengths of whole numbers, got torch.float32."),
        (
            {"lengths": [2, 1], "mask": torch.ones(2, 5) > 0},
            ValueError,
            "LSTM got a mask and lengths: give one of them",
        ),
        ({"initial_state": torch.ones(2, 4)}, ValueError, "LSTM expected 2 initial state(s) of shape (B, U), got 1."),
        (
            {"initial_state": [torch.ones(2, 4)] * 3},
            ValueError,
            "LSTM expected 2 initial state(s) of shape (B, U), got 3",
        ),
        (
            {"initial_state": [torch.ones(2, 4), torch.ones(2, 5)]},
            ValueError,
            "LSTM expected initial_state[1] of shape (B, U) = (2, 4), got (2, 5).",
        ),
        (
            {"initial_state": [torch.ones(1, 4), torch.ones(2, 4)]},
            ValueError,
            "LSTM expected initial_state[0] of shape (B, U) = (2, 4), got (1, 4).",
        ),
        (
            {"initial_state": [torch.ones(2, 4).double(), torch.ones(2, 4)]},
            TypeError,
            "LSTM expected initial_state[0] of torch.float32 on cpu, as x is; got torch.float64 on cpu.",
        ),
        (
            {"initial_state": [torch.ones(2, 4), torch.ones(2, 4, device="meta")]},
            TypeError,
            "LSTM expected initial_state[1] of torch.float32 on cpu, as x is; got torch.float32 on meta.",
        ),
        ({"mask": "all"}, TypeError, "LSTM expected a mask as a tensor or an array, got str."),
        ({"lengths": "all"}, TypeError, "LSTM expected lengths as a tensor or an array, got str."),
        ({"initial_state": ["a", "b"]}, TypeError, "LSTM expected initial_state[0] as a tensor or an array, got str."),
    ],
)
def test_masks_and_states(layer: Any, arguments: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=re.escape(message)) as raised:
        layer(X, **arguments)
    assert "\n" not in str(raised.value)


def test_a_refused_call_leaves_a_stateful_layer_as_it_was() -> None:
    layer = layers.GRU(4, stateful=True)
    layer(X)
    before = layer.states
    with pytest.raises(ValueError, match="mask"):
        layer(X, mask=torch.ones(1, 1) > 0)
    assert layer.states is before


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16])
def test_arrays_come_to_the_precision_of_the_weights(dtype: Any) -> None:
    for layer in (layers.LSTM(4), layers.RNN(layers.GRUCell(4))):
        assert layer(np.ones((2, 5, 3), dtype)).dtype is torch.float32
        assert torch.equal(layer(np.ones((2, 5, 3), dtype)), layer(X))
    layer = layers.LSTM(4)
    states = [np.full((2, 4), 0.5, dtype)] * 2
    assert torch.equal(layer(X, initial_state=states), layer(X, initial_state=[torch.full((2, 4), 0.5)] * 2))


def test_no_rows_are_no_error() -> None:
    assert layers.LSTM(4, return_sequences=True)(X[:0]).shape == (0, 5, 4)
    assert layers.LSTM(4)(X[:0], lengths=[]).shape == (0, 4)


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"units": 0}, ValueError, "LSTM(units=...) expected at least 1, got 0."),
        ({"units": 2.0}, TypeError, "LSTM(units=...) expected int, got 2.0 (float)."),
        ({}, TypeError, "LSTM needs units: numbers in the hidden state."),
        ({"units": 2, "dropout": 1.0}, ValueError, "LSTM(dropout=...) expected less than 1, got 1.0."),
        (
            {"units": 2, "recurrent_dropout": -0.1},
            ValueError,
            "LSTM(recurrent_dropout=...) expected at least 0, got -0.1.",
        ),
        ({"units": 2, "activation": "tan"}, ValueError, "No activation is called 'tan': give one of tanh, sigmoid,"),
        ({"units": 2, "kernel_initializer": "x"}, ValueError, "No initializer is called 'x': give one of zeros, ones,"),
        ({"units": 2, "activation": 3}, TypeError, "LSTM(activation=...) expected str or Callable, got 3 (int)."),
        ({"units": 2, "zoneout": 1.5}, ValueError, "LSTM(zoneout=...) expected a rate between 0 and 1, or two of them"),
        (
            {"units": 2, "zoneout": (0.1,)},
            ValueError,
            "LSTM(zoneout=...) expected a rate between 0 and 1, or two of them",
        ),
        (
            {"units": 2, "projection_clip": 1.0},
            ValueError,
            "LSTM(projection_clip=...) clips a projection: give projectio",
        ),
        ({"units": 2, "cell_clip": 0.0}, ValueError, "LSTM(cell_clip=...) expected more than 0, got 0.0."),
        ({"units": 2, "unroll": True}, TypeError, "LSTM has no setting 'unroll'. Known settings: units,"),
        ({"units": 2, "peepholes": True}, TypeError, "LSTM has no setting 'peepholes'. Did you mean peephole?"),
        ({"units": 2, "return_sequences": 1}, TypeError, "LSTM(return_sequences=...) expected bool, got 1 (int)."),
    ],
)
def test_settings(settings: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=re.escape(message)) as raised:
        layers.LSTM(**settings)
    assert "\n" not in str(raised.value)


def test_all_but_units_is_given_by_name() -> None:
    with pytest.raises(TypeError, match=r"^LSTM takes all but units by name, for example activation='tanh'\.$"):
        layers.LSTM(4, "tanh")  # type: ignore[misc]
    with pytest.raises(TypeError, match=r"^LSTM got units twice: by position and by name\.$"):
        layers.LSTM(4, units=5)  # type: ignore[misc]
