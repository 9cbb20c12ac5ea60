"""Bidirectional: Keras is the oracle of outputs, states and gradients; torch.nn of the direction of time."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable, Sequence

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from daneo.layers import GRU, LSTM, RNN, Bidirectional, Embedding, LSTMCell, SimpleRNN

from .keras_in_float64 import (
    assert_all_close,
    copy_to_keras,
    keras_in_float64,
    keras_weights,
    outputs_and_gradients,
    randomise,
)

KINDS = {"SimpleRNN": (SimpleRNN, 1), "GRU": (GRU, 1), "LSTM": (LSTM, 2)}
MERGE_MODES = ["concat", "sum", "mul", "ave", None]


def parts(outputs: Tensor | tuple[Tensor, ...]) -> list[Tensor]:
    return list(outputs) if isinstance(outputs, tuple) else [outputs]


@given(
    kind=st.sampled_from(sorted(KINDS)),
    merge_mode=st.sampled_from(MERGE_MODES),
    return_sequences=st.booleans(),
    return_state=st.booleans(),
    use_bias=st.booleans(),
    masked=st.booleans(),
    with_states=st.booleans(),
    sizes=st.tuples(st.integers(1, 3), st.integers(1, 5), st.integers(1, 4), st.integers(1, 3)),
    seed=st.integers(0, 2**31),
)
@settings(deadline=None, max_examples=60)
def test_equals_keras(
    kind: str,
    merge_mode: str | None,
    return_sequences: bool,
    return_state: bool,
    use_bias: bool,
    masked: bool,
    with_states: bool,
    sizes: tuple[int, ...],
    seed: int,
) -> None:
    rows, steps, features, units = sizes
    rng = np.random.default_rng(seed)
    make, num_states = KINDS[kind]
    options = {
        "return_sequences": return_sequences, "return_state": return_state, "use_bias": use_bias, "dtype": "float64",
    }  # fmt: skip
    ours = Bidirectional(make(units, **options), merge_mode=merge_mode)
    ours.build((None, None, features))
    randomise(ours.weights, rng)
    x = torch.from_numpy(rng.normal(size=(rows, steps, features))).requires_grad_()
    mask = torch.from_numpy(rng.random((rows, steps)) < 0.6) if masked else None
    states = [torch.from_numpy(rng.normal(size=(rows, units))).requires_grad_() for _ in range(2 * num_states)]
    arguments = {"mask": mask, "initial_state": states if with_states else None}
    with keras_in_float64() as keras_layers:
        layer = getattr(keras_layers, kind)(units, **options)
        theirs = keras_layers.Bidirectional(layer, merge_mode=merge_mode, dtype="float64")
        theirs.build((rows, steps, features))
        copy_to_keras(ours.weights, theirs)
        want = outputs_and_gradients(theirs(x, **arguments), [x, *states, *keras_weights(theirs)], seed)
    got = outputs_and_gradients(ours(x, **arguments), [x, *states, *ours.weights], seed)
    assert_all_close(got, want)


@pytest.mark.parametrize("return_sequences", [True, False])
def test_own_backward_layer_equals_keras(return_sequences: bool) -> None:
    """Other settings backwards; and the layer that reads backwards may be the first of the two."""
    rng = np.random.default_rng(5)
    x = torch.from_numpy(rng.normal(size=(3, 4, 2))).requires_grad_()
    mask = torch.from_numpy(rng.random((3, 4)) < 0.6)
    options = {"return_sequences": return_sequences, "dtype": "float64"}
    for first_is_backwards in (False, True):
        ours = Bidirectional(
            LSTM(3, go_backwards=first_is_backwards, **options),
            merge_mode="sum",
            backward_layer=GRU(3, activation="relu", go_backwards=not first_is_backwards, **options),
        )
        ours.build((None, None, 2))
        randomise(ours.weights, rng)
        with keras_in_float64() as keras_layers:
            theirs = keras_layers.Bidirectional(
                keras_layers.LSTM(3, go_backwards=first_is_backwards, **options),
                merge_mode="sum",
                backward_layer=keras_layers.GRU(3, activation="relu", go_backwards=not first_is_backwards, **options),
                dtype="float64",
            )
            theirs.build((3, 4, 2))
            copy_to_keras(ours.weights, theirs)
            want = outputs_and_gradients(theirs(x, mask=mask), [x, *keras_weights(theirs)], 1)
        assert_all_close(outputs_and_gradients(ours(x, mask=mask), [x, *ours.weights], 1), want)


def test_equals_torchs_bidirectional_lstm() -> None:
    rng = np.random.default_rng(6)
    theirs = nn.LSTM(3, 4, bidirectional=True, batch_first=True, dtype=torch.float64)
    ours = Bidirectional(LSTM(4, return_sequences=True, return_state=True, dtype="float64"))
    x = torch.from_numpy(rng.normal(size=(2, 5, 3)))
    ours.build(x.shape)
    with torch.no_grad():
        for layer, end in ((ours.forward_layer, ""), (ours.backward_layer, "_reverse")):
            input_bias, recurrent_bias = (getattr(theirs, f"bias_{side}_l0{end}") for side in ("ih", "hh"))
            layer.weights[0].copy_(getattr(theirs, f"weight_ih_l0{end}").T)
            layer.weights[1].copy_(getattr(theirs, f"weight_hh_l0{end}").T)
            layer.weights[2].copy_(input_bias + recurrent_bias)
    output, hidden, cell, hidden_back, cell_back = ours(x)
    want, (hiddens, cells) = theirs(x)
    torch.testing.assert_close(output, want, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(torch.stack([hidden, hidden_back]), hiddens, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(torch.stack([cell, cell_back]), cells, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("return_sequences", [True, False])
def test_padding_changes_nothing(return_sequences: bool) -> None:
    rng = np.random.default_rng(7)
    layer = Bidirectional(GRU(3, return_sequences=return_sequences, return_state=True, dtype="float64"))
    x = torch.from_numpy(rng.normal(size=(3, 6, 2)))
    lengths = [6, 2, 0]
    padded = parts(layer(x, lengths=lengths))
    assert_all_close(
        [part.detach().numpy() for part in padded],
        [part.detach().numpy() for part in parts(layer(x, mask=torch.arange(6) < torch.tensor(lengths)[:, None]))],
        0,
    )
    alone = parts(layer(x[1:2, :2]))
    if return_sequences:
        torch.testing.assert_close(padded[0][1:2, :2], alone[0], rtol=1e-12, atol=1e-12)
        assert not padded[0][1, 2:].any()
        assert not padded[0][2].any()
    else:
        torch.testing.assert_close(padded[0][1:2], alone[0], rtol=1e-12, atol=1e-12)
    for mine, own in zip(padded[1:], alone[1:], strict=True):
        torch.testing.assert_close(mine[1:2], own, rtol=1e-12, atol=1e-12)


def test_stateful_goes_on_where_it_stopped() -> None:
    rng = np.random.default_rng(8)
    stateful = Bidirectional(LSTM(3, stateful=True, return_sequences=True, dtype="float64"))
    stateless = Bidirectional(LSTM(3, return_state=True, return_sequences=True, dtype="float64"))
    first, second = (torch.from_numpy(rng.normal(size=(2, 4, 2))) for _ in range(2))
    stateful.build(first.shape)
    stateless.load_state_dict(stateful.state_dict())
    assert stateful.states is None
    output, *states = stateless(first)
    assert torch.equal(stateful(first), output)
    assert all(torch.equal(mine, its) for mine, its in zip(stateful.states, states, strict=True))
    assert torch.equal(stateful(second), stateless(second, initial_state=states)[0])
    stateful.reset_state()
    assert stateful.states is None
    assert torch.equal(stateful(first), output)


@pytest.mark.parametrize("merge_mode", MERGE_MODES)
def test_derivatives_of_every_order(merge_mode: str | None) -> None:
    rng = np.random.default_rng(9)
    both = Bidirectional(GRU(2, return_sequences=True, return_state=True, dtype="float64"), merge_mode)
    both.build((None, None, 2))
    randomise(both.weights, rng)
    mask = torch.tensor([[True, False, True], [False, True, True]])

    def run(x: Tensor, state: Tensor, other: Tensor) -> tuple[Tensor, ...]:
        return both(x, initial_state=[state, other], mask=mask)

    inputs = tuple(torch.from_numpy(rng.normal(size=shape)).requires_grad_() for shape in ((2, 3, 2), (2, 2), (2, 2)))
    assert torch.autograd.gradcheck(run, inputs)
    assert torch.autograd.gradgradcheck(run, inputs)


# ------------------------------------------------------------------------------------------------- making both layers


def test_both_layers_are_made_anew() -> None:
    layer = LSTM(3, return_sequences=True)
    layer.build((None, None, 2))
    before = [weight.clone() for weight in layer.weights]
    both = Bidirectional(layer)
    both.build((None, None, 2))
    assert [tuple(weight.shape) for weight in both.weights] == [(2, 12), (3, 12), (12,)] * 2
    forward, backward = both.forward_layer, both.backward_layer
    assert both.weights[:3] == forward.weights
    assert both.weights[3:] == backward.weights
    for mine, others in ((forward, before), (backward, before), (forward, backward.weights)):
        assert not torch.equal(mine.weights[0], others[0])
    both(torch.ones(1, 1, 2)).sum().backward()
    assert layer.weights[0].grad is None
    assert (forward.config.go_backwards, backward.config.go_backwards) == (False, True)
    assert list(dict(both.named_parameters()))[::3] == ["forward_layer.cell.kernel", "backward_layer.cell.kernel"]


def test_a_given_backward_layer_is_used_as_it_is() -> None:
    backward = GRU(3, go_backwards=True, return_sequences=True)
    both = Bidirectional(GRU(3, return_sequences=True), backward_layer=backward)
    assert both.backward_layer is backward
    assert backward.config.zero_output_for_mask


@pytest.mark.parametrize("return_sequences", [True, False])
def test_zero_output_for_mask_follows_return_sequences(return_sequences: bool) -> None:
    both = Bidirectional(GRU(3, return_sequences=return_sequences, zero_output_for_mask=not return_sequences))
    assert both.forward_layer.config.zero_output_for_mask == return_sequences
    assert both.backward_layer.config.zero_output_for_mask == return_sequences


def twice(x: Tensor) -> Tensor:
    return 2 * x


def test_settings_that_are_functions_and_precision_are_kept() -> None:
    both = Bidirectional(LSTM(3, activation=twice, kernel_initializer=nn.init.ones_, device="meta", dtype="float64"))
    both.build((None, None, 2))
    assert {str(weight.device) for weight in both.weights} == {"meta"}
    assert {weight.dtype for weight in both.weights} == {torch.float64}
    assert both.backward_layer.config.activation is twice
    assert Bidirectional(LSTM(3).double()).backward_layer(torch.ones(1, 1, 2).double()).dtype == torch.float64


class Sum(nn.Module):
    """A cell of a user's own."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.state_size = size

    def forward(self, x: Tensor, states: Sequence[Tensor]) -> tuple[Tensor, list[Tensor]]:
        return states[0] + x, [states[0] + x]


class DescribedSum(Sum):
    def get_config(self) -> dict[str, int]:
        return {"size": self.state_size}

    @classmethod
    def from_config(cls, config: dict[str, int]) -> DescribedSum:
        return cls(**config)


@pytest.mark.parametrize("merge_mode", ["concat", None])
def test_cells_of_ones_own(merge_mode: str | None) -> None:
    both = Bidirectional(RNN(DescribedSum(2), return_sequences=True), merge_mode=merge_mode)
    x = torch.arange(6.0).view(1, 3, 2)
    ahead, back = x.cumsum(1), x.flip(1).cumsum(1).flip(1)
    got = both(x)
    assert torch.equal(got if merge_mode else torch.cat(got, -1), torch.cat([ahead, back], -1))
    again = Bidirectional.from_config(both.get_config(), {"DescribedSum": DescribedSum})
    assert torch.equal(parts(again(x))[0], parts(got)[0])
    with pytest.raises(TypeError, match=r"A Sum cannot be written down: it has no get_config\(\)."):
        Bidirectional(RNN(Sum(2)))


def test_stacked_cells() -> None:
    both = Bidirectional(RNN([LSTMCell(3), LSTMCell(2)], return_state=True))
    x = torch.ones(2, 3, 4)
    output, *states = both(x)
    assert [tuple(state.shape) for state in states] == [(2, 3), (2, 3), (2, 2), (2, 2)] * 2
    assert torch.equal(output, torch.cat([states[2], states[6]], -1))
    assert torch.equal(both(x, initial_state=[torch.zeros_like(state) for state in states])[0], output)


# ---------------------------------------------------------------------------------------------------------- as a layer


@pytest.mark.parametrize("merge_mode", MERGE_MODES)
@pytest.mark.parametrize("return_sequences", [True, False])
def test_output_shape_and_mask(merge_mode: str | None, return_sequences: bool) -> None:
    both = Bidirectional(SimpleRNN(3, return_sequences=return_sequences), merge_mode=merge_mode)
    x, mask = torch.ones(2, 4, 5), torch.ones(2, 4, dtype=torch.bool)
    assert both.compute_output_shape((2, 4, 5)) == tuple(parts(both(x))[0].shape)
    assert both.compute_output_shape((None, None, 5))[0] is None
    assert both.compute_mask(x, mask) is (mask if return_sequences else None)
    assert both.compute_mask(x) is None


def test_config_copy_pickle_and_loading() -> None:
    both = Bidirectional(LSTM(3, peephole=True, return_sequences=True, dtype="float64"), merge_mode="mul")
    x = torch.from_numpy(np.random.default_rng(1).normal(size=(2, 3, 4)))
    for twin in (copy.deepcopy(both), pickle.loads(pickle.dumps(both))):
        assert repr(twin) == repr(both)
        assert "not built" in repr(both)
    output = both(x)
    config = json.loads(json.dumps(both.get_config()))
    assert config.keys() == {"layer", "merge_mode", "backward_layer"}
    again = Bidirectional.from_config(config)
    assert again.get_config() == both.get_config()
    again.load_state_dict(both.state_dict())
    for twin in (again, copy.deepcopy(both), pickle.loads(pickle.dumps(both))):
        assert torch.equal(twin(x), output)


def test_shows_itself() -> None:
    both = Bidirectional(SimpleRNN(64, use_bias=False, return_sequences=True), merge_mode="sum")
    both.build((None, None, 100))
    layer = f"SimpleRNN({both.forward_layer.settings_text()})"
    assert repr(both).startswith(
        f"Bidirectional({layer}, merge_mode='sum') 100 -> 64, 20,992 parameters: kernel (100, "
    )
    concatenated = Bidirectional(SimpleRNN(64))
    concatenated.build((None, None, 100))
    assert repr(concatenated).startswith("Bidirectional(SimpleRNN(units=64)) 100 -> 128, 21,120 parameters")
    assert repr(Bidirectional(LSTM(64))) == "Bidirectional(LSTM(units=64)), not built"


def test_numpy_input() -> None:
    both = Bidirectional(LSTM(3))
    x = np.random.default_rng(2).normal(size=(2, 3, 4)).astype(np.float32)
    assert torch.equal(both(x), both(torch.from_numpy(x)))


# ---------------------------------------------------------------------------------------------------------- bad input

LAYER = LSTM(3, return_sequences=True)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (
            lambda: Bidirectional(nn.Linear(2, 2)),
            TypeError,
            r"expected a recurrent layer such as LSTM\(64\), got Linear",
        ),
        (lambda: Bidirectional(64), TypeError, "got int"),
        (lambda: Bidirectional(LAYER, backward_layer=Embedding(2, 2)), TypeError, "got Embedding"),
        (lambda: Bidirectional(LAYER, "add"), ValueError, "'concat', 'sum', 'mul', 'ave' or None, got 'add'"),
        (lambda: Bidirectional(LAYER, 1), ValueError, "or None, got 1"),
        (lambda: Bidirectional(LSTM(3, go_backwards=True)), ValueError, "both have go_backwards=True"),
        (lambda: Bidirectional(LAYER, backward_layer=LSTM(3, return_sequences=True)), ValueError, "go_backwards=False"),
        (
            lambda: Bidirectional(LAYER, backward_layer=LSTM(3, go_backwards=True)),
            ValueError,
            "agree in return_sequences, got True and, in backward_layer, False",
        ),
        (
            lambda: Bidirectional(LAYER, "sum", backward_layer=LSTM(4, go_backwards=True, return_sequences=True)),
            ValueError,
            "merge_mode='sum' needs outputs of one size, got 3 and 4",
        ),
    ],
)
def test_layers_that_do_not_go_together(make: Callable[[], object], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message) as caught:
        make()
    assert "\n" not in str(caught.value)


def test_wrong_calls() -> None:
    both = Bidirectional(LSTM(3))
    with pytest.raises(RuntimeError, match="Bidirectional.weights: this Bidirectional is not built"):
        both.weights  # noqa: B018
    x, state = torch.ones(2, 4, 5), torch.zeros(2, 3)
    for states, got in (([state] * 2, "2"), ([state] * 3, "3"), (state, "one tensor")):
        with pytest.raises(ValueError, match=f"a list of 4 initial states, 2 forward and then 2 backward, got {got}"):
            both(x, initial_state=states)
    with pytest.raises(ValueError, match=r"expected a mask of shape \(B, T\) = \(2, 4\), got \(2, 3\)"):
        both(x, mask=torch.ones(2, 3, dtype=torch.bool))
    with pytest.raises(ValueError, match=r"x of shape \(B, T, 5\), got \(4, 5\)"):
        both(x[0])
    both(x)
    with pytest.raises(ValueError, match=r"x of shape \(B, T, 5\), got \(2, 4, 3\)"):
        both(x[..., :3])
