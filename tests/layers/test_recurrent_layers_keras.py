"""SimpleRNN, GRU and LSTM against Keras: outputs, states and every gradient, from random weights and states."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from torch import Tensor

from daneo import layers

from .keras_in_float64 import (
    assert_all_close,
    copy_to_keras,
    keras_in_float64,
    keras_weights,
    outputs_and_gradients,
    randomise,
)

keras = pytest.importorskip("keras")

KINDS = ("SimpleRNN", "GRU", "LSTM")
NUM_BLOCKS = {"SimpleRNN": 1, "GRU": 3, "LSTM": 4}
MASKS = ("none", "right padding", "left padding", "holes", "lengths")
OURS_ONLY = ("dtype", "peephole", "coupled", "projection_size", "cell_clip", "projection_clip", "layer_norm", "zoneout")
OURS_ONLY += ("peephole_initializer", "projection_initializer", "zero_output_for_mask")


@pytest.fixture(autouse=True, scope="module")
def exact_keras() -> Iterator[None]:
    with keras_in_float64():
        yield


@st.composite
def cases(draw: st.DrawFn) -> dict[str, Any]:
    """A layer's settings, and how it is called."""
    kind = draw(st.sampled_from(KINDS))
    chosen = {
        "units": draw(st.integers(1, 5)),
        "activation": draw(st.sampled_from(["tanh", "relu", "linear", "softsign"])),
        "use_bias": draw(st.booleans()),
        "return_sequences": draw(st.booleans()),
        "return_state": draw(st.booleans()),
        "go_backwards": draw(st.booleans()),
        "zero_output_for_mask": draw(st.booleans()),
    }
    if kind != "SimpleRNN":
        chosen["recurrent_activation"] = draw(st.sampled_from(["sigmoid", "hard_sigmoid"]))
    if kind == "GRU":
        chosen["reset_after"] = draw(st.booleans())
    return {
        "kind": kind,
        "settings": chosen,
        "shape": (draw(st.integers(1, 4)), draw(st.integers(1, 6)), draw(st.integers(1, 4))),
        "mask": draw(st.sampled_from(MASKS)),
        "states": draw(st.booleans()),
        "dropout": draw(st.sampled_from(["none", "inputs", "states", "both"])),
        "seed": draw(st.integers(0, 2**16)),
    }


def mask_of(pattern: str, rows: int, steps: int, rng: np.random.Generator) -> tuple[dict[str, Any], np.ndarray | None]:
    """The arguments that give our layer a mask, and the same mask as an array."""
    lengths = rng.integers(0, steps + 1, rows)  # empty rows too
    right = np.arange(steps) < lengths[:, None]
    masks = {"right padding": right, "left padding": right[:, ::-1].copy(), "holes": rng.random((rows, steps)) < 0.5}
    if pattern == "none":
        return {}, None
    if pattern == "lengths":
        return {"lengths": torch.tensor(lengths)}, right
    return {"mask": torch.tensor(masks[pattern])}, masks[pattern]


def keras_twin(layer: layers.RNN, dropout: dict[str, float] | None = None) -> Any:
    """The Keras layer of the same settings and weights."""
    config = {name: value for name, value in layer.get_config().items() if name not in OURS_ONLY}
    twin = getattr(keras.layers, type(layer).__name__)(**{**config, **(dropout or {})}, dtype="float64")
    twin.zero_output_for_mask = layer.config.zero_output_for_mask  # for which only the base class has an argument
    twin.use_cudnn = False
    twin.build((None, None, layer.cell.kernel.shape[0]))
    copy_to_keras(layer.weights, twin)
    return twin


def dropout_of(case: dict[str, Any], rng: np.random.Generator) -> tuple[dict[str, float], Any, Any]:
    """Rates for Keras, and the masks (of ones and zeros, scaled) that both are to use."""
    rows, _, features = case["shape"]
    blocks, units = NUM_BLOCKS[case["kind"]], case["settings"]["units"]
    rates, inputs, states = {}, None, None
    if case["dropout"] in ("states", "both"):
        rates["recurrent_dropout"] = 0.5
        states = torch.tensor(2.0 * rng.integers(0, 2, (blocks, rows, units)))
    if case["dropout"] in ("inputs", "both"):
        rates["dropout"] = 0.5
        apart = (blocks,) if states is not None and blocks > 1 else ()
        inputs = torch.tensor(2.0 * rng.integers(0, 2, (*apart, rows, features)))
    return rates, inputs, states


def use_masks(twin: Any, inputs: Tensor | None, states: Tensor | None) -> None:
    """Let Keras find its dropout masks drawn already."""
    several = getattr(twin.cell, "dropout_mask_count", None) is not None
    if inputs is not None:
        twin.cell._dropout_mask = list(inputs) if several else inputs
    if states is not None:
        twin.cell._recurrent_dropout_mask = list(states) if several else states[0]


def plain_loop(layer: layers.RNN) -> layers.RNN:
    """The same layer, with the same weights, on the path that any cell takes."""
    loop = copy.copy(layer)
    loop.plan = lambda: "nobody asks for anything else"  # type: ignore[method-assign]
    return loop


EVERYTHING = {
    "shape": (4, 6, 3),
    "mask": "holes",
    "states": True,
    "dropout": "both",
    "seed": 1,
}


@given(case=cases())
@example(case={"kind": "GRU", "settings": {"units": 4, "return_state": True}, **EVERYTHING})
@example(case={"kind": "GRU", "settings": {"units": 4, "reset_after": False, "return_sequences": True}, **EVERYTHING})
@example(case={"kind": "LSTM", "settings": {"units": 4, "return_sequences": True}, **EVERYTHING})
@example(case={"kind": "SimpleRNN", "settings": {"units": 4, "go_backwards": True}, **EVERYTHING})
@settings(deadline=None, max_examples=120)
def test_outputs_states_and_gradients_are_those_of_keras(case: dict[str, Any]) -> None:
    rng = np.random.default_rng(case["seed"])
    rows, steps, features = case["shape"]
    rates, input_masks, recurrent_masks = dropout_of(case, rng)
    layer = getattr(layers, case["kind"])(dtype="float64", **case["settings"])
    layer.build((None, None, features))
    randomise(layer.weights, rng)
    twin = keras_twin(layer, rates)

    x = torch.tensor(rng.standard_normal((rows, steps, features)), requires_grad=True)
    num_states = 2 if case["kind"] == "LSTM" else 1
    states = [
        torch.tensor(rng.standard_normal((rows, case["settings"]["units"])), requires_grad=True)
        for _ in range(num_states if case["states"] else 0)
    ]
    ours_of_mask, mask = mask_of(case["mask"], rows, steps, rng)

    layer.cell.dropout_masks = lambda _: (input_masks, recurrent_masks)
    use_masks(twin, input_masks, recurrent_masks)
    keras_mask = None if mask is None else torch.tensor(mask)
    outputs = twin(x, initial_state=states or None, mask=keras_mask, training=bool(rates))
    expected = outputs_and_gradients(outputs, [x, *states, *keras_weights(twin)], case["seed"])
    # PyTorch's hardsigmoid, which Keras takes, has 1/6 rounded to float32 for its derivative. Gradients may be large:
    # activations without bounds are drawn, too.
    tolerance = 1e-6 if case["settings"].get("recurrent_activation") == "hard_sigmoid" else 1e-10
    for path in (layer, plain_loop(layer)):
        outputs = path(x, initial_state=states or None, **ours_of_mask)
        found = outputs_and_gradients(outputs, [x, *states, *layer.weights], case["seed"])
        assert_all_close(found, expected, tolerance)


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_layer_begins_as_that_of_keras(kind: str) -> None:
    units, features = 32, 24
    layer = getattr(layers, kind)(units)
    layer.build((None, None, features))
    twin = getattr(keras.layers, kind)(units)
    twin.build((None, None, features))
    assert [tuple(weight.shape) for weight in layer.weights] == [tuple(weight.shape) for weight in twin.weights]
    kernel, recurrent_kernel, bias = (weight.detach().numpy() for weight in layer.weights)
    limit = np.sqrt(6 / (features + units * NUM_BLOCKS[kind]))  # of the whole matrix, not of a gate's block
    assert 0.97 * limit < np.abs(kernel).max() <= limit
    assert abs(kernel.std() - np.asarray(twin.weights[0].value.detach()).std()) < 0.1 * kernel.std()
    assert_allclose(recurrent_kernel @ recurrent_kernel.T, np.eye(units), atol=1e-5)
    assert_allclose(bias, twin.weights[2].value.detach(), rtol=0, atol=0)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "rates", [{"dropout": 0.4}, {"recurrent_dropout": 0.4}, {"dropout": 0.4, "recurrent_dropout": 0.4}]
)
def test_dropout_masks_have_the_shapes_of_keras(kind: str, rates: dict[str, float]) -> None:
    layer, twin = getattr(layers, kind)(3, **rates), getattr(keras.layers, kind)(3, **rates)
    x = torch.ones(2, 5, 4)
    layer(x)
    twin(x, training=True)
    inputs, recurrent = layer.cell.dropout_masks(2)
    its = (twin.cell.get_dropout_mask(x[:, 0]), twin.cell.get_recurrent_dropout_mask(torch.ones(2, 3)))
    for mine, other in zip((inputs, recurrent), its, strict=True):
        if other is None:
            assert mine is None
        elif isinstance(other, list):
            assert mine is not None
            assert [tuple(one.shape) for one in mine] == [tuple(one.shape) for one in other]
        else:  # one mask for all gates; SimpleRNN's mask of the state has an axis for its one block
            assert mine is not None
            assert tuple(mine.shape) in (tuple(other.shape), (1, *other.shape))


@pytest.mark.parametrize("kind", KINDS)
def test_stateful_goes_on_where_keras_goes_on(kind: str) -> None:
    rng = np.random.default_rng(3)
    layer = getattr(layers, kind)(3, stateful=True, return_state=True, dtype="float64")
    layer.build((2, None, 4))
    twin = getattr(keras.layers, kind)(3, stateful=True, return_state=True, dtype="float64")
    twin.build((2, 5, 4))
    copy_to_keras(layer.weights, twin)
    for call in range(4):
        x = torch.tensor(rng.standard_normal((2, 5, 4)))
        if call == 3:
            layer.reset_state()
            twin.reset_state()
        with torch.no_grad():
            for mine, its in zip(layer(x), twin(x), strict=True):
                assert_allclose(mine, its, rtol=1e-12, atol=1e-12)


def test_stacked_cells_are_those_of_keras() -> None:
    rng = np.random.default_rng(4)
    sizes = {"LSTMCell": 3, "GRUCell": 4, "SimpleRNNCell": 2}
    layer = layers.RNN(
        [getattr(layers, name)(units, dtype="float64") for name, units in sizes.items()],
        return_sequences=True,
        go_backwards=True,
    )
    layer.build((None, None, 5))
    stack = keras.layers.StackedRNNCells(
        [getattr(keras.layers, name)(units, dtype="float64") for name, units in sizes.items()], dtype="float64"
    )
    twin = keras.layers.RNN(stack, return_sequences=True, go_backwards=True, dtype="float64")
    x, mask = torch.tensor(rng.standard_normal((4, 6, 5))), torch.tensor(rng.random((4, 6)) < 0.6)
    twin.build((4, 6, 5))
    copy_to_keras(layer.weights, twin)
    with torch.no_grad():
        assert_allclose(layer(x, mask=mask), twin(x, mask=mask), rtol=1e-12, atol=1e-12)
