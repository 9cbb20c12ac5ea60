"""Calls of a recurrence drawn at random, with the gradients that come back to it, and what a module makes of them.

A call is drawn by hypothesis, for one of the layers in STATES: any mask, dropout of the state, initial states that are
not zero, either direction. `run` hands it to a module with the `forward` and `backward` of the references.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy.testing import assert_allclose

Results = dict[str, np.ndarray]

ACTIVATIONS = ("tanh", "sigmoid", "relu", "linear", "hard_sigmoid")
STATES = {"simple_rnn": ("hidden",), "gru": ("hidden",), "lstm": ("hidden", "cell")}
NUM_GATES = {"simple_rnn": 1, "gru": 3, "lstm": 4}
SETTINGS = {
    "simple_rnn": ("activation", "reverse", "zero_output"),
    "gru": ("activation", "recurrent_activation", "reset_after", "reverse", "zero_output"),
    "lstm": ("activation", "recurrent_activation", "coupled", "reverse", "zero_output"),
}
# What a call is drawn from; a test that wants less says so by name.
CHOICES: dict[str, Sequence[Any]] = {
    "num_steps": range(1, 7),
    "num_rows": range(1, 6),
    "units": range(1, 6),
    "dtype": (np.float64,),
    "mask": ("none", "right padding", "left padding", "holes", "empty"),  # as draw_mask has them
    "dropout": (False, True),
    "sequences": (True, False),  # are the outputs of all steps asked for, or the last one alone?
    "activation": ACTIVATIONS,
    "recurrent_activation": ACTIVATIONS,
    "weights_by_unit": (True, False),  # peephole of an LSTM, recurrent bias of a GRU
    "coupled": (False, True),
    "reset_after": (True, False),
    "reverse": (False, True),
    "zero_output": (False, True),
}


@dataclass(frozen=True)
class Call:
    """Arguments of a forward and a backward pass, T steps of B rows with U units and G gates."""

    layer: str
    product: np.ndarray  # (T, B, G U)
    states: list[np.ndarray]  # the initial ones, (B, U) each
    recurrent_kernel: np.ndarray  # (U, G U)
    weights_by_unit: np.ndarray | None  # LSTM: peephole (3, U); GRU: recurrent bias (3 U,)
    mask: np.ndarray | None  # bool (T, B)
    recurrent_masks: np.ndarray | None  # (G, B, U)
    d_outputs: np.ndarray | None  # (T, B, U); None: only the last output is asked for
    d_last: np.ndarray  # (B, U)
    d_states: list[np.ndarray]  # (B, U) each
    settings: dict[str, Any]  # the keyword arguments

    @property
    def sizes(self) -> tuple[int, int, int]:
        """T, B and U."""
        return (*self.product.shape[:2], len(self.recurrent_kernel))

    @property
    def lengths(self) -> np.ndarray:
        """(B,): how many steps of each row count."""
        num_steps, num_rows, _ = self.sizes
        return np.full(num_rows, num_steps) if self.mask is None else self.mask.sum(axis=0)

    def spoiled(self) -> Call:
        """The same call with no numbers in the product where it is masked, which must make no difference."""
        spoiled = self.product if self.mask is None else np.where(self.mask[..., None], self.product, np.nan)
        return replace(self, product=spoiled.astype(self.product.dtype))

    def astype(self, dtype: Any) -> Call:
        """The same call in another precision."""

        def converted(value: Any) -> Any:
            if isinstance(value, list):
                return [converted(array) for array in value]
            return value.astype(dtype) if isinstance(value, np.ndarray) and value.dtype != bool else value

        return replace(self, **{field: converted(value) for field, value in vars(self).items()})


@st.composite
def calls(draw: st.DrawFn, layer: str, **choices: Sequence[Any]) -> Call:
    """A call of `layer`; `choices` stand in for CHOICES of the same names."""
    assert choices.keys() <= CHOICES.keys()
    drawn = {name: draw(st.sampled_from(values), label=name) for name, values in (CHOICES | choices).items()}
    rng = np.random.default_rng(draw(st.integers(0, 2**32), label="seed"))
    num_steps, num_rows, units, num_gates = drawn["num_steps"], drawn["num_rows"], drawn["units"], NUM_GATES[layer]

    # Gates without an upper bound would let larger states explode within a few steps.
    scale = 0.3 if drawn["recurrent_activation"] in ("linear", "relu") else 1.0

    def normal(*shape: int) -> np.ndarray:
        return (scale * rng.standard_normal(shape)).astype(drawn["dtype"])

    reset_before = layer == "gru" and not drawn["reset_after"]
    by_unit = {"simple_rnn": None, "gru": normal(3 * units), "lstm": normal(3, units)}[layer]
    kept = rng.random((num_gates, num_rows, units)) < 0.7
    return Call(
        layer=layer,
        product=normal(num_steps, num_rows, num_gates * units),
        states=[normal(num_rows, units) for _ in STATES[layer]],
        recurrent_kernel=normal(units, num_gates * units) / np.sqrt(4 * units).astype(drawn["dtype"]),
        weights_by_unit=by_unit if drawn["weights_by_unit"] and not reset_before else None,
        mask=draw_mask(rng, drawn["mask"], num_steps, num_rows),
        recurrent_masks=(kept / 0.7).astype(drawn["dtype"]) if drawn["dropout"] else None,
        d_outputs=normal(num_steps, num_rows, units) if drawn["sequences"] else None,
        d_last=normal(num_rows, units),
        d_states=[normal(num_rows, units) for _ in STATES[layer]],
        settings={name: drawn[name] for name in SETTINGS[layer]},
    )


def draw_mask(rng: np.random.Generator, kind: str, num_steps: int, num_rows: int) -> np.ndarray | None:
    """Bool (T, B), or None for the kind "none". Every kind but the right padding may have rows without a step."""
    steps = np.arange(num_steps)[:, None]
    return {
        "none": None,
        "right padding": steps < rng.integers(1, num_steps + 1, num_rows),
        "left padding": steps >= rng.integers(0, num_steps + 1, num_rows),
        "holes": rng.random((num_steps, num_rows)) < 0.6,
        "empty": np.zeros((num_steps, num_rows), dtype=bool),
    }[kind]


def run(module: ModuleType, call: Call) -> Results:
    """All that `module.forward` and `module.backward` make, by name; what they have to fill is not a number before."""
    num_steps, num_rows, units = call.sizes
    reverse = call.settings["reverse"]
    gates = call.product.copy()
    states = [np.full_like(gates, np.nan, shape=(num_steps + 1, num_rows, units)) for _ in call.states]
    for slots, initial in zip(states, call.states, strict=True):
        slots[-1 if reverse else 0] = initial
    made = dict(zip(("hidden", "cells"), states, strict=False))
    if call.layer == "gru":
        made["candidates"] = np.full_like(gates, np.nan, shape=(num_steps, num_rows, units))
    outputs = None if call.d_outputs is None else np.full_like(call.d_outputs, np.nan)
    weights = [call.recurrent_kernel] if call.layer == "simple_rnn" else [call.recurrent_kernel, call.weights_by_unit]
    masks = call.mask, call.recurrent_masks
    last = module.forward(gates, *made.values(), outputs, *weights, *masks, **call.settings)
    gradients = module.backward(
        gates, *made.values(), *weights, *masks, call.d_outputs, call.d_last, *call.d_states, **call.settings
    )
    made |= {
        f"final_{name}": slots[0 if reverse else -1] for name, slots in zip(STATES[call.layer], states, strict=True)
    }
    made |= {"gates": gates, "outputs": outputs, "last_output": last}
    made |= dict(zip(gradient_names(call.layer), gradients, strict=True))
    return {name: array for name, array in made.items() if array is not None}


def gradient_names(layer: str) -> list[str]:
    """What a backward pass returns, in its order."""
    states = [f"d_initial_{name}" for name in STATES[layer]]
    by_unit = {"simple_rnn": [], "gru": ["d_recurrent_bias"], "lstm": ["d_peephole"]}[layer]
    return ["d_product", *states, "d_recurrent_kernel", *by_unit]


def assert_same(got: Results, want: Results, tolerance: float = 1e-10) -> None:
    """Every array of `want` is in `got`, equal up to `tolerance` times the largest number in it, or times one."""
    assert want.keys() <= got.keys()
    for name, array in want.items():
        assert np.isfinite(array).all(), name
        assert_allclose(got[name], array, rtol=0, atol=tolerance * max(1, np.abs(array).max(initial=0)), err_msg=name)
