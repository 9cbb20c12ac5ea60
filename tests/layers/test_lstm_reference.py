"""The definition of the LSTM against torch.nn.LSTM, Keras, ONNX Runtime and, with every option, torch's autograd."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from numpy.testing import assert_array_equal

from daneo.layers.recurrences import lstm_reference as reference

from . import recurrence_oracles as oracles
from .recurrences import Call, assert_same, calls, run

TORCH = {
    "mask": ("none", "right padding"),
    "dropout": (False,),
    "activation": ("tanh",),
    "recurrent_activation": ("sigmoid",),
    "weights_by_unit": (False,),
    "coupled": (False,),
    "zero_output": (True,),
}
KERAS = {"weights_by_unit": (False,), "coupled": (False,)}
ONNX = {
    "mask": ("none", "right padding"),
    "dropout": (False,),
    "sequences": (True,),
    "activation": ("tanh", "relu"),
    "recurrent_activation": ("sigmoid",),
    "zero_output": (True,),
}


@given(call=calls("lstm"))
@settings(deadline=None, max_examples=150)
def test_every_option_against_autograd(call: Call) -> None:
    assert_same(run(reference, call), oracles.autograd_loop(call))


@given(call=calls("lstm", **TORCH))
@settings(deadline=None, max_examples=50)
def test_against_torch(call: Call) -> None:
    assert_same(run(reference, call), oracles.torch_module(call))


@given(call=calls("lstm", **KERAS))
@settings(deadline=None, max_examples=50)
def test_against_keras(call: Call) -> None:
    assert_same(run(reference, call), oracles.keras_layer(call), oracles.keras_tolerance(call))


@given(call=calls("lstm", **ONNX))
@settings(deadline=None, max_examples=50)
def test_peepholes_and_coupled_gates_against_onnx_runtime(call: Call) -> None:
    assert_same(run(reference, call), oracles.onnx_lstm(call), tolerance=1e-6)  # it computes in float32


@given(call=calls("lstm", dtype=(np.float32,)))
@settings(deadline=None, max_examples=50)
def test_computes_in_the_precision_of_its_arrays(call: Call) -> None:
    made = run(reference, call)
    assert {array.dtype for array in made.values()} == {np.dtype(np.float32)}
    assert_same(made, run(reference, call.astype(np.float64)), tolerance=1e-5)  # a hundred roundings of float32


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_gates_bear_any_product(dtype: type) -> None:
    """Wide open, the cell takes on the candidate 1; shut, it keeps nothing; and no warning."""
    product = np.array([[[1000, -1000, 1000, 1000], [-1000, -1000, 1000, -1000]]], dtype)
    states = [np.ones((2, 1), dtype), np.full((2, 1), 5, dtype)]
    options = {"activation": "tanh", "recurrent_activation": "sigmoid"}
    flags = {"coupled": False, "reverse": False, "zero_output": False}
    kernel = np.ones((1, 4), dtype)
    call = Call("lstm", product, states, kernel, None, None, None, None, states[0], states, options | flags)
    with np.errstate(all="raise", under="ignore"):
        made = run(reference, call)
    assert_array_equal(made["final_cell"], [[1], [0]])
    assert_array_equal(made["final_hidden"], np.tanh(np.array([[1], [0]], dtype)))
    assert not made["d_product"][0, 1].any()


@given(call=calls("lstm"))
@settings(deadline=None, max_examples=50)
def test_what_a_masked_step_holds_makes_no_difference(call: Call) -> None:
    with np.errstate(invalid="ignore"):  # logaddexp warns of NaN
        spoiled = run(reference, call.spoiled())
    assert_same(spoiled, run(reference, call), tolerance=0)
