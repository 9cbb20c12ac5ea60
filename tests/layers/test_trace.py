"""Traces: what a loop written out by hand gives, in the order of time, with masks, and without a trace on the layer."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from daneo.layers import GRU, LSTM, RNN, Bidirectional, GRUCell, SimpleRNN

from .keras_in_float64 import randomise

NAMES = {
    "LSTM": ("input_gate", "forget_gate", "candidate", "output_gate", "cell_state", "hidden_state"),
    "GRU": ("update_gate", "reset_gate", "candidate", "hidden_state"),
    "SimpleRNN": ("hidden_state",),
}
KINDS = {"LSTM": LSTM, "GRU": GRU, "SimpleRNN": SimpleRNN}


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def lstm_step(x, h, c, kernel, recurrent_kernel, bias, peephole=(0, 0, 0)):
    i, f, g, o = np.split(x @ kernel + h @ recurrent_kernel + bias, 4, axis=-1)
    i, f, g = sigmoid(i + c * peephole[0]), sigmoid(f + c * peephole[1]), np.tanh(g)
    c = f * c + i * g
    o = sigmoid(o + c * peephole[2])
    return i, f, g, o, c, o * np.tanh(c)


def gru_step(x, h, kernel, recurrent_kernel, bias):
    (x_z, x_r, x_h), (h_z, h_r, h_h) = np.split(x @ kernel + bias[0], 3), np.split(h @ recurrent_kernel + bias[1], 3)
    z, r = sigmoid(x_z + h_z), sigmoid(x_r + h_r)
    candidate = np.tanh(x_h + r * h_h)
    return z, r, candidate, z * h + (1 - z) * candidate


def simple_rnn_step(x, h, kernel, recurrent_kernel, bias):
    return (np.tanh(x @ kernel + h @ recurrent_kernel + bias),)


STEPS = {"LSTM": lstm_step, "GRU": gru_step, "SimpleRNN": simple_rnn_step}


def by_hand(kind, weights, x, states, mask, backwards):
    """One row: what each name of NAMES is at each step, NaN or carried where masked; and the last states."""
    found = {name: np.full((len(x), states[0].shape[0]), np.nan) for name in NAMES[kind]}
    for t in range(len(x))[:: -1 if backwards else 1]:
        if mask[t]:
            values = STEPS[kind](x[t], *states, *weights)
            for name, value in zip(NAMES[kind], values, strict=True):
                found[name][t] = value
            states = [values[-1], *([values[-2]] if kind == "LSTM" else [])]
        for name, state in zip(("hidden_state", "cell_state"), states, strict=False):
            found[name][t] = state
    return found, states


@given(
    kind=st.sampled_from(sorted(KINDS)),
    sizes=st.tuples(st.integers(1, 3), st.integers(1, 5), st.integers(1, 3), st.integers(1, 3)),
    masked=st.booleans(),
    backwards=st.booleans(),
    peephole=st.booleans(),
    flags=st.tuples(st.booleans(), st.booleans(), st.booleans()),
    training=st.booleans(),
    seed=st.integers(0, 2**31),
)
@settings(deadline=None, max_examples=80)
def test_equals_a_loop_by_hand(kind, sizes, masked, backwards, peephole, flags, training, seed) -> None:
    (rows, steps, features, units), rng = sizes, np.random.default_rng(seed)
    options = dict(zip(("return_sequences", "zero_output_for_mask", "return_state"), flags, strict=True))
    if kind == "LSTM":
        options["peephole"] = peephole
    layer = KINDS[kind](units, go_backwards=backwards, dtype="float64", **options).train(training)
    layer.build((None, None, features))
    randomise(layer.weights, rng)
    x = rng.normal(size=(rows, steps, features))
    states = [rng.normal(size=(rows, units)) for _ in range(2 if kind == "LSTM" else 1)]
    mask = rng.random((rows, steps)) < 0.6 if masked else None
    trace = layer.trace(x, initial_state=states, mask=mask)
    assert tuple(trace.internals) == NAMES[kind] == layer.cell.INTERNALS
    weights = [weight.detach().numpy() for weight in layer.weights]
    for row in range(rows):
        counted = np.ones(steps, bool) if mask is None else mask[row]
        found, last = by_hand(kind, weights, x[row], [state[row] for state in states], counted, backwards)
        for name, values in found.items():
            assert_allclose(getattr(trace, name)[row], values, rtol=1e-12, atol=1e-12)
        for mine, its in zip(trace.states, last, strict=True):
            assert_allclose(mine[row], its, rtol=1e-12, atol=1e-12)
    result = layer(x, initial_state=states, mask=mask)
    output, *last_states = result if layer.return_state else (result,)
    torch.testing.assert_close(trace.output, output.detach(), rtol=1e-12, atol=1e-12)
    for mine, its in zip(trace.states, last_states, strict=False):
        torch.testing.assert_close(mine, its.detach(), rtol=1e-12, atol=1e-12)
    assert trace.mask is None if mask is None else (trace.mask.numpy() == mask).all()


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_padded_equals_trimmed(kind: str) -> None:
    layer, x = KINDS[kind](3, dtype="float64"), torch.randn(3, 6, 2, dtype=torch.float64)
    padded = layer.trace(x, lengths=[6, 2, 0])
    alone = layer.trace(x[1:2, :2])
    for name, values in padded.internals.items():
        torch.testing.assert_close(values[1:2, :2], alone.internals[name], rtol=1e-12, atol=1e-12)
        if name.endswith("_state"):
            assert torch.equal(values[1, 2:], values[1, 1].expand(4, 3))
            assert not values[2].any()
        else:
            assert values[1, 2:].isnan().all()
            assert values[2].isnan().all()


@pytest.mark.parametrize(
    "options",
    [
        {"coupled": True},
        {"projection_size": 2, "projection_clip": 0.1, "cell_clip": 0.2},
        {"layer_norm": True, "peephole": True},
        {"zoneout": 0.3},
    ],
)
def test_lstm_with_options_goes_where_a_call_goes(options: dict[str, object]) -> None:
    layer = LSTM(3, return_sequences=True, return_state=True, dtype="float64", **options).eval()
    x = torch.randn(2, 5, 4, dtype=torch.float64)
    output, hidden, cell = layer(x, lengths=[5, 2])
    trace = layer.trace(x, lengths=[5, 2])
    torch.testing.assert_close((trace.output, *trace.states), (output.detach(), hidden.detach(), cell.detach()))
    torch.testing.assert_close(trace.hidden_state[0], output[0].detach())
    torch.testing.assert_close(trace.cell_state[:, -1], cell.detach())
    if "coupled" in options:
        assert torch.equal(trace.forget_gate[0], 1 - trace.input_gate[0])


def test_in_training_shows_what_dropout_leaves_out() -> None:
    layer, x = LSTM(4, dropout=0.5, recurrent_dropout=0.4, return_sequences=True), torch.randn(2, 5, 3)
    layer.build(x.shape)
    torch.manual_seed(3)
    output = layer(x)
    torch.manual_seed(3)
    torch.testing.assert_close(layer.trace(x).hidden_state, output.detach())
    assert not torch.allclose(layer.eval().trace(x).hidden_state, output)


def test_bidirectional_gives_a_pair_in_the_order_of_time() -> None:
    both = Bidirectional(GRU(3, return_sequences=True, dtype="float64"))
    x = torch.randn(2, 5, 4, dtype=torch.float64)
    states = [torch.randn(2, 3, dtype=torch.float64) for _ in range(2)]
    output = both(x, initial_state=states, lengths=[5, 2]).detach()
    ahead, back = both.trace(x, initial_state=states, lengths=[5, 2])
    torch.testing.assert_close(torch.cat([ahead.hidden_state, back.hidden_state], -1)[0], output[0])
    torch.testing.assert_close(torch.cat([ahead.hidden_state, back.hidden_state], -1)[1, :2], output[1, :2])
    # Backwards, a padded row begins behind its padding, which carries the initial state.
    assert torch.equal(back.hidden_state[1, 2:], states[1][1].expand(3, 3))
    assert torch.equal(back.states[0], back.hidden_state[:, 0])


def test_leaves_the_layer_as_it_is() -> None:
    layer, x = LSTM(3, stateful=True), torch.randn(2, 4, 5)
    first = layer.trace(x)
    assert layer.states is None
    layer(x)
    states = [state.clone() for state in layer.states]
    second = layer.trace(x)
    assert not torch.equal(first.hidden_state, second.hidden_state)
    assert all(torch.equal(mine, its) for mine, its in zip(layer.states, states, strict=True))
    torch.testing.assert_close(second.output, layer(x).detach())
    assert not any(values.requires_grad for values in [second.output, *second.states, *second.internals.values()])


def test_saturation_counts_the_steps_that_count() -> None:
    layer = GRU(2, dtype="float64")
    layer.build((None, None, 1))
    with torch.no_grad():
        for weight in layer.weights:
            weight.zero_()
        layer.cell.kernel[0, 0] = 1.0  # the update gate of unit 0 is sigmoid(x)
    x = torch.tensor([[3.0, -3.0, 0.0, 0.0], [3.0, 3.0, 9.0, 9.0]], dtype=torch.float64)[..., None]
    found = layer.trace(x, lengths=[4, 2]).saturation()
    assert list(found) == ["update_gate", "reset_gate"]
    assert_allclose(found["update_gate"].open, [3 / 6, 0])
    assert_allclose(found["update_gate"].closed, [1 / 6, 0])
    assert_allclose(found["reset_gate"].open, [0, 0])
    assert_allclose(layer.trace(x).saturation()["update_gate"].open, [5 / 8, 0])
    assert layer.trace(x, lengths=[0, 0]).saturation()["update_gate"].open.isnan().all()
    assert SimpleRNN(2).trace(torch.ones(1, 2, 3)).saturation() == {}


def test_is_copied_pickled_and_shows_itself() -> None:
    trace = GRU(3).trace(torch.ones(1, 2, 4))
    for twin in (copy.deepcopy(trace), pickle.loads(pickle.dumps(trace))):
        assert torch.equal(twin.update_gate, trace.update_gate)
    assert repr(trace).startswith("Trace of GRU, (B, T, U) = (1, 2, 3): update_gate, ")
    assert {"update_gate", "output", "plot"} <= set(dir(trace))
    with pytest.raises(AttributeError, match="no 'forget_gate'. It has: update_gate, reset_gate, candidate, hidden"):
        trace.forget_gate  # noqa: B018
    with pytest.raises(AttributeError):
        trace.layer = "LSTM"


@pytest.mark.parametrize(
    ("look", "error", "message"),
    [
        (lambda: LSTM(3).trace(torch.ones(4, 5)), ValueError, r"LSTM expected x of shape \(B, T, D\), got \(4, 5\)"),
        (lambda: LSTM(3).trace(torch.ones(1, 4, 5).int()), TypeError, "expected x of floating-point numbers"),
        (
            lambda: GRU(3).trace(torch.ones(1, 4, 5), mask=torch.ones(1, 3, dtype=torch.bool)),
            ValueError,
            r"expected a mask of shape \(B, T\) = \(1, 4\), got \(1, 3\)",
        ),
        (
            lambda: LSTM(3).trace(torch.ones(1, 4, 5), initial_state=[torch.ones(1, 3)]),
            ValueError,
            "expected 2 initial",
        ),
        (
            lambda: Bidirectional(RNN([GRUCell(2), GRUCell(2)])).trace(torch.ones(1, 4, 5)),
            TypeError,
            "Only SimpleRNN, GRU and LSTM can be looked into; this is an RNN over a StackedRNNCells",
        ),
    ],
)
def test_wrong_calls(look: Callable[[], object], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message) as caught:
        look()
    assert "\n" not in str(caught.value)
