"""TimeDistributed: Keras and a loop over the steps are the oracles."""

from __future__ import annotations

import copy
import json
import pickle
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from daneo.layers import GRU, LSTM, Bidirectional, Embedding, TimeDistributed

from .keras_in_float64 import (
    assert_all_close,
    copy_to_keras,
    keras_in_float64,
    keras_weights,
    outputs_and_gradients,
    randomise,
)


def numbers(*shape: int, seed: int = 1) -> Tensor:
    return torch.from_numpy(np.random.default_rng(seed).normal(size=shape))


@pytest.mark.parametrize("return_sequences", [True, False])
@pytest.mark.parametrize("masked", [True, False])
def test_a_recurrent_layer_equals_keras(return_sequences: bool, masked: bool) -> None:
    """Words of letters: the inner layer gets the letters' mask."""
    rng = np.random.default_rng(3)
    options = {"return_sequences": return_sequences, "dtype": "float64"}
    ours = TimeDistributed(GRU(3, **options))
    x = numbers(2, 4, 5, 2).requires_grad_()
    mask = torch.from_numpy(rng.random((2, 4, 5)) < 0.6) if masked else None
    ours.build(x.shape)
    randomise(ours.weights, rng)
    with keras_in_float64() as keras_layers:
        theirs = keras_layers.TimeDistributed(keras_layers.GRU(3, **options), dtype="float64")
        theirs.build(tuple(x.shape))
        copy_to_keras(ours.weights, theirs)
        want = outputs_and_gradients(theirs(x, mask=mask), [x, *keras_weights(theirs)], 1)
    assert_all_close(outputs_and_gradients(ours(x, mask=mask), [x, *ours.weights], 1), want)


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (nn.Linear(3, 2, dtype=torch.float64), (2, 4, 3)),
        (nn.Linear(3, 2, dtype=torch.float64), (2, 4, 5, 3)),
        (nn.Conv1d(3, 2, 2, dtype=torch.float64), (2, 4, 3, 6)),
        (nn.Flatten(), (2, 4, 3, 6)),
        (Bidirectional(LSTM(3, dtype="float64")), (2, 4, 5, 3)),
        (TimeDistributed(LSTM(3, dtype="float64")), (2, 4, 5, 6, 3)),
        (nn.Linear(3, 2, dtype=torch.float64), (0, 4, 3)),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, nn.Module) else str(value),
)
def test_any_layer_equals_a_loop_over_the_steps(layer: nn.Module, shape: tuple[int, ...]) -> None:
    x = numbers(*shape)
    distributed = TimeDistributed(layer)
    got = distributed(x)
    torch.testing.assert_close(got, torch.stack([layer(step) for step in x.unbind(1)], 1), rtol=1e-13, atol=1e-13)
    assert distributed.compute_output_shape((None, None, *shape[2:])) == (None, None, *got.shape[2:])
    assert distributed.compute_output_shape(shape) == tuple(got.shape)


def test_steps_in_any_memory_layout() -> None:
    layer = TimeDistributed(nn.Linear(3, 2, dtype=torch.float64))
    x = numbers(4, 2, 3).transpose(0, 1)
    assert torch.equal(layer(x), layer(x.contiguous()))


def test_masks() -> None:
    x, ids = numbers(2, 3, 4, 5), torch.tensor([[[1, 2, 0, 0], [3, 0, 0, 0], [0, 0, 0, 0]]])
    steps, letters = torch.tensor([[True, False, True]] * 2), ids.expand(2, 3, 4) != 0
    over_letters, last_letter = TimeDistributed(LSTM(3, return_sequences=True)), TimeDistributed(LSTM(3))
    for layer in (over_letters, last_letter, TimeDistributed(nn.Linear(5, 2))):
        assert layer.compute_mask(x) is None
        assert layer.compute_mask(x, steps) is steps
    assert torch.equal(over_letters.compute_mask(x, letters), letters)
    assert torch.equal(last_letter.compute_mask(x, letters), torch.tensor([[True, True, False]] * 2))
    assert TimeDistributed(nn.Linear(5, 2)).compute_mask(x, letters) is letters
    embedding = TimeDistributed(Embedding(4, 2, mask_zero=True))
    assert torch.equal(embedding.compute_mask(ids), ids != 0)
    assert torch.equal(embedding.compute_mask(ids, steps[:1]), (ids != 0) & steps[:1, :, None])
    assert TimeDistributed(Embedding(4, 2)).compute_mask(ids) is None


def test_a_masked_step_in_a_word_is_left_out() -> None:
    layer = TimeDistributed(LSTM(3, dtype="float64"))
    x = numbers(2, 3, 4, 5)
    mask = torch.ones(2, 3, 4, dtype=torch.bool)
    mask[1, 2, 2:] = False
    torch.testing.assert_close(layer(x, mask=mask)[1, 2], layer(x[1:, 2:, :2])[0, 0], rtol=1e-13, atol=1e-13)
    for kind in (mask.numpy(), mask.int()):
        assert torch.equal(layer(x, mask=kind), layer(x, mask=mask))


def test_as_a_layer() -> None:
    layer = TimeDistributed(LSTM(3, use_bias=False, dtype="float64"))
    assert repr(layer) == "TimeDistributed(LSTM(units=3, use_bias=False)), not built"
    x = numbers(2, 3, 4, 5)
    output = layer(x)
    assert layer.built
    assert repr(layer).startswith(
        "TimeDistributed(LSTM(units=3, use_bias=False)) 5 -> 3, 96 parameters: kernel (5, 12)"
    )
    assert torch.equal(layer(x.numpy()), output)
    assert torch.equal(layer(x.numpy().astype(np.float32).tolist()), layer(x.float().double()))
    again = TimeDistributed.from_config(json.loads(json.dumps(layer.get_config())))
    again.load_state_dict(layer.state_dict())
    for twin in (again, copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert torch.equal(twin(x), output)
    assert repr(TimeDistributed(nn.Linear(2, 3, bias=False))).startswith(
        "TimeDistributed(Linear(in_features=2, out_features=3, bias=False)), 6 parameters"
    )
    with pytest.raises(TypeError, match="A Linear cannot be written down"):
        TimeDistributed(nn.Linear(2, 3)).get_config()


@pytest.mark.parametrize(
    ("layer", "error", "message"),
    [
        (64, TypeError, "expected a layer such as nn.Linear"),
        (LSTM, TypeError, "expected a layer such as nn.Linear"),
        (LSTM(3, stateful=True), ValueError, "this LSTM is stateful: make it with stateful=False"),
        (Bidirectional(LSTM(3, stateful=True)), ValueError, "this Bidirectional is stateful"),
    ],
)
def test_layers_that_cannot_be_distributed(layer: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        TimeDistributed(layer)


def test_wrong_calls() -> None:
    layer = TimeDistributed(nn.Linear(3, 2))
    x = torch.ones(2, 4, 3)
    with pytest.raises(ValueError, match=r"expected an input of shape \(B, T, ...\), got \(4, 3\)"):
        layer(x[0])
    with pytest.raises(ValueError, match=r"expected an input of shape \(B, T, ...\), got \(None, 3\)"):
        TimeDistributed(LSTM(3)).build((None, 3))
    for shape in ((2,), (2, 3), (3, 4), (4,)):
        with pytest.raises(ValueError, match=r"a mask that begins with \(B, T\) = \(2, 4\), got \(\d"):
            layer(x, mask=torch.ones(shape, dtype=torch.bool))
    with pytest.raises(TypeError, match="one tensor of its LSTM, got a tuple: make the layer without return_state"):
        TimeDistributed(LSTM(3, return_state=True))(torch.ones(2, 4, 5, 3))
