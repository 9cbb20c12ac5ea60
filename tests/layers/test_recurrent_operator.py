"""Compiled layers against the plain loop of PyTorch operations, and their gradients against finite differences."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from daneo import layers
from daneo.layers import recurrent_operator
from daneo.layers.looked_up import LookedUp

from .recurrent_options import (
    KINDS,
    OPTIONS,
    B,
    D,
    T,
    U,
    assert_as_plain,
    assert_close,
    counted,
    every_option,
    layer_of,
    numbers,
    plain_loop,
    states_of,
    with_gradients,
)


@pytest.fixture(autouse=True)
def same_numbers() -> None:
    torch.manual_seed(0)


# ---------------------------------------------------------------------------------------------------- the same numbers


@st.composite
def situations(draw: st.DrawFn) -> dict[str, Any]:
    """How a layer may be called."""
    return {
        "option": draw(st.sampled_from(sorted(OPTIONS))),
        "units": draw(st.sampled_from([1, 3, 8, 17])),
        "shape": (draw(st.integers(1, 5)), draw(st.integers(1, 6)), draw(st.sampled_from([1, 4, 9]))),
        "return_sequences": draw(st.booleans()),
        "go_backwards": draw(st.booleans()),
        "zero_output_for_mask": draw(st.booleans()),
        "mask": draw(st.sampled_from(["none", "holes", "empty"])),
        "states": draw(st.booleans()),
        "looked_up": draw(st.booleans()),
        "seed": draw(st.integers(0, 2**16)),
    }


@settings(deadline=None, max_examples=100)
@given(case=situations())
def test_outputs_states_and_gradients_are_those_of_the_plain_loop(case: dict[str, Any]) -> None:
    names = ("units", "return_sequences", "go_backwards", "zero_output_for_mask")
    size, steps, features = case["shape"]
    torch.manual_seed(case["seed"])
    layer = layer_of(case["option"], features, **{name: case[name] for name in names})
    states = [one.requires_grad_() for one in states_of(layer, size)] if case["states"] else None
    kept = {"holes": 0.6, "empty": 0.0}.get(case["mask"])
    mask = None if kept is None else torch.rand(size, steps) < kept
    if case["looked_up"]:
        leaf = numbers(case["seed"], 6, features).requires_grad_()
        x: Any = LookedUp(leaf, torch.randint(6, (size, steps)))
    else:
        x = leaf = numbers(case["seed"], size, steps, features).requires_grad_()
    assert layer.explain(leaf, mask).name == "compiled"
    assert_as_plain(layer, lambda: layer(x, states, mask), [leaf, *(states or []), *layer.weights])


@pytest.mark.parametrize("merge_mode", ["concat", "mul", None])
@pytest.mark.parametrize("return_sequences", [True, False])
@every_option
def test_both_directions_are_those_of_the_plain_loop(option: str, return_sequences: bool, merge_mode: Any) -> None:
    one = layer_of(option, return_sequences=return_sequences, go_backwards=False)
    both = layers.Bidirectional(one, merge_mode=merge_mode)
    both.build((None, None, D))
    for number, weight in enumerate(both.weights):
        weight.data = 0.6 * numbers(number, *weight.shape)
    x, states = numbers(1, B, T, D).requires_grad_(), [*states_of(one), *states_of(one)]
    states = [state.clone().requires_grad_() for state in states]
    for mask in (None, torch.rand(B, T) < 0.6):
        assert_as_plain(both, lambda mask=mask: both(x, states, mask), [x, *states, *both.weights], num_calls=2)


@every_option
def test_plainly_is_the_operator_in_other_words(option: str) -> None:
    layer = layer_of(option)
    cell = layer.cell
    weights = [cell.kernel, cell.recurrent_kernel, cell.bias, getattr(cell, "peephole_kernel", None)]
    states = [*states_of(layer), None][:2]
    mask, masks = torch.rand(B, T) < 0.6, torch.rand(len(cell.GATES), B, U, dtype=torch.float64)
    product = cell.project(numbers(1, B, T, D)).detach()
    bias = cell.bias if cell.bias is not None and cell.bias.ndim == 2 else None
    rows, tokens = numbers(2, 5, D), torch.randint(5, (B, T))
    for x, places, own in (
        (numbers(1, B, T, D), None, weights),
        (rows, tokens, weights),
        (product, None, [None, weights[1], bias, weights[3]]),
    ):
        leaves = [None if one is None else one.detach().requires_grad_() for one in (x, *own, *states)]
        given = (*leaves, mask, masks, places)
        got, want = (
            with_gradients(
                lambda run=run, given=given: run(layer.plan(), cell, given), [one for one in leaves if one is not None]
            )
            for run in (recurrent_operator.run, recurrent_operator.plainly)
        )
        assert_close(got, want)


@pytest.mark.parametrize("masked", [False, True])
@every_option
def test_traces_are_those_of_the_plain_loop(option: str, masked: bool) -> None:
    layer = layer_of(option)
    x, states, mask = numbers(1, B, T, D), states_of(layer), torch.rand(B, T) < 0.6 if masked else None
    torch.manual_seed(1)
    got = layer.trace(x, states, mask)
    with plain_loop():
        torch.manual_seed(1)
        want = layer.trace(x, states, mask)
    assert list(got.internals) == list(want.internals) == list(layer.cell.INTERNALS)
    for name, values in want.internals.items():
        torch.testing.assert_close(got.internals[name], values, rtol=0, atol=1e-12, equal_nan=True)
    assert_close([got.output, *got.states], [want.output, *want.states])


# ------------------------------------------------------------------------------------------------- finite differences


def functional(layer: Any, mask: Tensor | None) -> tuple[Callable[..., Any], list[Tensor]]:
    """A function of x, the initial states and the weights, and what to call it with."""
    names, weights = zip(*layer.named_parameters(), strict=True)
    states = states_of(layer, 2)

    def run(x: Tensor, *inputs: Tensor) -> Any:
        torch.manual_seed(1)
        own = dict(zip(names, inputs[len(states) :], strict=True))
        return torch.func.functional_call(layer, own, (x, list(inputs[: len(states)]), mask))

    leaves = [numbers(9, 2, 3, 2), *states, *(weight.detach() for weight in weights)]
    return run, [leaf.clone().requires_grad_() for leaf in leaves]


@pytest.mark.parametrize("mask", [None, [[True, False, True], [False, True, True]]], ids=["all steps", "holes"])
@every_option
def test_gradients_are_those_of_finite_differences_twice(option: str, mask: Any) -> None:
    layer = layer_of(option, features=2, units=2)
    run, inputs = functional(layer, None if mask is None else torch.tensor(mask))
    with counted() as calls:
        assert torch.autograd.gradcheck(run, inputs)
        assert torch.autograd.gradgradcheck(run, inputs, fast_mode=True)
    assert len(calls) > 10


@KINDS
def test_gradients_of_gradients_in_both_directions(kind: Any) -> None:
    both = layers.Bidirectional(kind(2, dtype="float64", recurrent_dropout=0.3), merge_mode="mul")
    both.build((None, None, 2))
    x = numbers(1, 2, 3, 2).requires_grad_()

    def run(x: Tensor) -> Any:
        torch.manual_seed(1)
        return both(x, mask=torch.tensor([[True, False, True], [True, True, False]]))

    assert torch.autograd.gradcheck(run, [x])
    assert torch.autograd.gradgradcheck(run, [x])


@KINDS
def test_a_penalty_on_gradients_trains(kind: Any) -> None:
    """The gradient of a gradient's size, half of it by kernels, against the plain loop."""
    layer = kind(U, dtype="float64")
    layer.build((None, None, D))
    x = numbers(1, B, T, D).requires_grad_()

    def run() -> list[Tensor]:
        output = layer(x)
        (gradient,) = torch.autograd.grad(output.sum(), x, create_graph=True)
        return list(torch.autograd.grad((gradient**2).sum() + output.sum(), layer.weights))

    got = run()
    with plain_loop():
        want = run()
    assert_close(got, want)


# --------------------------------------------------------------------------------------------- graphs, kept and spoiled


@pytest.mark.parametrize("option", ["SimpleRNN", "GRU", "GRU, reset before", "LSTM, peephole"])
def test_a_graph_that_is_kept_gives_the_same_gradients_again(option: str) -> None:
    layer, x = layer_of(option), numbers(1, B, T, D).requires_grad_()
    leaves = [x, *layer.weights]
    loss = torch.stack([one.sin().sum() for one in layer(x)]).sum()
    first = torch.autograd.grad(loss, leaves, retain_graph=True)
    second = torch.autograd.grad(loss, leaves, retain_graph=True)
    plain = torch.autograd.grad(loss, leaves, create_graph=True)
    last = torch.autograd.grad(loss, leaves)
    for gradients in (second, last):
        assert all(torch.equal(one, other) for one, other in zip(gradients, first, strict=True))
    assert_close([one.detach() for one in plain], first)
    with pytest.raises(RuntimeError, match="backward through the graph a second time"):
        torch.autograd.grad(loss, leaves)


@KINDS
def test_outputs_written_to_before_their_gradient_are_noticed(kind: Any) -> None:
    layer = kind(U, return_sequences=True)
    x = torch.randn(B, T, D, requires_grad=True)
    output = layer(x)
    output[:, 1] *= 2
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        output.sum().backward()
    output = layer(x)
    with torch.no_grad():
        layer.cell.recurrent_kernel.mul_(2)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        output.sum().backward()


@KINDS
def test_states_and_reversed_outputs_may_be_written_to(kind: Any) -> None:
    """They are copies: nothing that a backward pass needs."""
    layer = kind(U, return_sequences=True, return_state=True, go_backwards=True, dtype="float64")
    layer.build((None, None, D))
    x = numbers(1, B, T, D).requires_grad_()

    def gradients(change: float) -> Sequence[Tensor]:
        results = layer(x)
        loss = torch.stack([(3 * one).sum() for one in results]).sum()
        for one in results:
            one.detach().mul_(change)
        return torch.autograd.grad(loss, [x, *layer.weights])

    assert all(torch.equal(one, other) for one, other in zip(gradients(1.0), gradients(5.0), strict=True))


@KINDS
def test_what_was_put_out_does_not_change_with_the_next_call(kind: Any) -> None:
    layer = kind(U, return_sequences=True, return_state=True)
    with torch.no_grad():
        first = layer(torch.randn(B, T, D))
        before = copy.deepcopy(first)
        layer(torch.randn(B, T, D))
    assert all(torch.equal(one, other) for one, other in zip(first, before, strict=True))


# ------------------------------------------------------------------------------------------------- gradients wanted


@pytest.mark.parametrize(
    "option", ["SimpleRNN", "GRU", "GRU, reset before", "LSTM, peephole", "LSTM, no bias, backwards"]
)
def test_only_gradients_that_are_asked_for_are_made(option: str) -> None:
    layer, x, states = layer_of(option), numbers(1, B, T, D), states_of(layer_of(option))
    leaves = {"x": x, **{f"state {n}": one for n, one in enumerate(states)}, **dict(layer.named_parameters())}
    for one in leaves.values():
        one.requires_grad_()
    torch.stack([one.sum() for one in layer(x, states)]).sum().backward()
    expected = {name: one.grad for name, one in leaves.items()}
    for name, wanted in leaves.items():
        for one in leaves.values():
            one.grad = None
            one.requires_grad_(one is wanted)
        torch.stack([one.sum() for one in layer(x, states)]).sum().backward()
        for other, one in leaves.items():
            assert (one.grad is None) == (other != name)
        torch.testing.assert_close(wanted.grad, expected[name], rtol=1e-12, atol=1e-12)


@KINDS
def test_a_frozen_layer_needs_no_graph(kind: Any) -> None:
    layer, x = kind(U), torch.randn(B, T, D)
    layer(x)
    layer.requires_grad_(False)
    assert not layer(x).requires_grad
    assert layer(x.clone().requires_grad_()).requires_grad


@KINDS
def test_only_one_of_the_results_is_used(kind: Any) -> None:
    layer = kind(U, return_sequences=True, return_state=True, dtype="float64")
    layer.build((None, None, D))
    x = numbers(1, B, T, D).requires_grad_()
    for number in range(3 if kind is layers.LSTM else 2):
        assert_as_plain(layer, lambda number=number: layer(x)[number], [x, *layer.weights])


# -------------------------------------------------------------------------------------------- numbers without bounds


BOUNDED = [option for option, (_, chosen) in OPTIONS.items() if chosen.get("activation") not in ("relu", "linear")]


@pytest.mark.parametrize("option", BOUNDED)
def test_large_and_infinite_inputs_saturate_as_in_the_plain_loop(option: str) -> None:
    layer = layer_of(option).eval()
    x = numbers(1, 6, T, D)
    for row, value in enumerate((1e5, -1e5, 1e300, torch.inf, -torch.inf)):
        x[row, 1, row % D] = value
    with torch.no_grad():
        got = layer(x)
        with plain_loop():
            want = layer(x)
    assert_close(got, want)
    assert all(one.isfinite().all() for one in got)


@every_option
def test_what_is_no_number_stays_in_its_sequence(option: str) -> None:
    layer = layer_of(option).eval()
    x = numbers(1, 6, T, D)
    spoiled = x.clone()
    spoiled[2, 1, 0] = torch.nan
    clean = [0, 1, 3, 4, 5]
    results = []
    for inputs in (x, spoiled):
        inputs.requires_grad_()
        outputs = layer(inputs)
        (gradient,) = torch.autograd.grad(torch.stack([one.sum() for one in outputs]).sum(), inputs)
        results.append([*(one.detach() for one in outputs), gradient])
    for one, other in zip(*results, strict=True):
        assert torch.equal(one[clean], other[clean])
    with plain_loop(), torch.no_grad():
        want = layer(spoiled)
    for one, other in zip(results[1], want, strict=False):
        assert torch.equal(one.isnan(), other.isnan())
    assert results[1][0][2].isnan().any()
