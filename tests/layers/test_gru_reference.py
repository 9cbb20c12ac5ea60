"""The definition of the GRU against torch.nn.GRU, Keras and, with every option, torch's autograd."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings

from daneo.layers.recurrences import gru_reference as reference

from . import recurrence_oracles as oracles
from .recurrences import Call, assert_same, calls, run

TORCH = {
    "mask": ("none", "right padding"),
    "dropout": (False,),
    "activation": ("tanh",),
    "recurrent_activation": ("sigmoid",),
    "reset_after": (True,),
    "zero_output": (True,),
}


@given(call=calls("gru"))
@settings(deadline=None, max_examples=150)
def test_every_option_against_autograd(call: Call) -> None:
    assert_same(run(reference, call), oracles.autograd_loop(call))


@given(call=calls("gru", **TORCH))
@settings(deadline=None, max_examples=50)
def test_against_torch(call: Call) -> None:
    assert_same(run(reference, call), oracles.torch_module(call))


@given(call=calls("gru"))
@settings(deadline=None, max_examples=50)
def test_against_keras(call: Call) -> None:
    assert_same(run(reference, call), oracles.keras_layer(call), oracles.keras_tolerance(call))


@given(call=calls("gru", dtype=(np.float32,)))
@settings(deadline=None, max_examples=50)
def test_computes_in_the_precision_of_its_arrays(call: Call) -> None:
    made = run(reference, call)
    assert {array.dtype for array in made.values()} == {np.dtype(np.float32)}
    assert_same(made, run(reference, call.astype(np.float64)), tolerance=1e-5)  # a hundred roundings of float32


@given(call=calls("gru"))
@settings(deadline=None, max_examples=50)
def test_what_a_masked_step_holds_makes_no_difference(call: Call) -> None:
    with np.errstate(invalid="ignore"):  # logaddexp warns of NaN
        spoiled = run(reference, call.spoiled())
    assert_same(spoiled, run(reference, call), tolerance=0)
