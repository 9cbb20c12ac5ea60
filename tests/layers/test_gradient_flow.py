"""Gradient flow: torch.autograd.grad over a loop written out here is the oracle; verdicts on weights made for them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from torch import Tensor, nn

from daneo.layers import GRU, LSTM, RNN, Bidirectional, GRUCell, SimpleRNN
from daneo.layers.inside.gradient_decline import GradientDecline

from .keras_in_float64 import randomise

T = 6


def lstm_by_hand(weights: list[Tensor], x: Tensor) -> tuple[list[Tensor], list[Tensor]]:
    kernel, recurrent_kernel, bias = (weight.detach() for weight in weights)
    h = c = torch.zeros(len(x), len(recurrent_kernel), dtype=x.dtype, requires_grad=True)
    hidden, cells = [], []
    for t in range(x.shape[1]):
        i, f, g, o = (x[:, t] @ kernel + h @ recurrent_kernel + bias).chunk(4, 1)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        h = o.sigmoid() * c.tanh()
        hidden.append(h)
        cells.append(c)
    return hidden, cells


def simple_rnn_by_hand(weights: list[Tensor], x: Tensor) -> tuple[list[Tensor], list[Tensor]]:
    kernel, recurrent_kernel, bias = (weight.detach() for weight in weights)
    h, hidden = torch.zeros(len(x), len(recurrent_kernel), dtype=x.dtype, requires_grad=True), []
    for t in range(x.shape[1]):
        h = (x[:, t] @ kernel + h @ recurrent_kernel + bias).tanh()
        hidden.append(h)
    return hidden, []


def norms_by_hand(loss: Tensor, nodes: list[Tensor]) -> np.ndarray:
    gradients = torch.autograd.grad(loss, nodes, allow_unused=True, materialize_grads=True, retain_graph=True)
    return np.stack([np.linalg.norm(gradient.numpy(), axis=1) for gradient in gradients], 1)


LOSSES: dict[str, tuple[object, Callable[[list[Tensor]], Tensor]]] = {
    "last": ("last", lambda hidden: hidden[-1].sum()),
    "sum": ("sum", lambda hidden: torch.stack(hidden).sum()),
    "of the output": (
        lambda output: (output[:, 1].square() * output[:, 4].exp()).mean(),
        lambda hidden: (hidden[1].square() * hidden[4].exp()).mean(),
    ),
}


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize(("kind", "by_hand"), [(LSTM, lstm_by_hand), (SimpleRNN, simple_rnn_by_hand)])
@pytest.mark.parametrize("backwards", [False, True])
def test_equals_autograd_by_hand(kind, by_hand, loss, training, backwards) -> None:
    ours, theirs = LOSSES[loss]
    layer = kind(4, return_sequences=True, go_backwards=backwards, dtype="float64").train(training)
    x = torch.from_numpy(np.random.default_rng(1).normal(size=(3, T, 2)))
    layer.build(x.shape)
    randomise(layer.weights, np.random.default_rng(2))
    flow = layer.gradient_flow(x, ours)
    hidden, cells = by_hand(layer.weights, x.flip(1) if backwards else x)
    value = theirs(hidden)
    assert_allclose(flow.loss, value.item(), rtol=1e-10)
    for name, nodes in (("hidden_state", hidden), ("cell_state", cells)):
        norms = getattr(flow, name)
        if not nodes:
            assert norms is None
            continue
        want = norms_by_hand(value, nodes)
        assert_allclose(norms, want[:, ::-1] if backwards else want, rtol=1e-10, atol=1e-14)
        assert_allclose(flow.over_batch()[name], np.linalg.norm(norms, axis=0), rtol=1e-12)


@pytest.mark.parametrize("kind", [LSTM, GRU, SimpleRNN])
@pytest.mark.parametrize("loss", ["last", "sum", lambda output: output[-1].square().sum()])
@pytest.mark.parametrize("return_sequences", [True, False])
def test_padded_equals_trimmed(kind, loss, return_sequences) -> None:
    layer = kind(3, return_sequences=return_sequences, dtype="float64")
    x = torch.randn(3, T, 2, dtype=torch.float64)
    padded = layer.gradient_flow(x, loss, lengths=[T, 0, 4])
    alone = layer.gradient_flow(x[2:, :4], loss)
    norms, want = padded.hidden_state[2], alone.hidden_state[0]
    if callable(loss) and return_sequences:
        want = layer.gradient_flow(
            torch.cat([x[2:, :4]]), lambda out: out.square().sum() + 2 * out[:, -1].square().sum()
        )
        want = want.hidden_state[0]  # masked steps repeat the output of the last one that counts
    torch.testing.assert_close(norms[:4], want, rtol=1e-12, atol=1e-14)
    assert norms[4:].isnan().all()
    assert padded.hidden_state[1].isnan().all()
    assert not any(values[:T].isnan().any() for values in padded.over_batch().values())
    assert padded.mask.sum(1).tolist() == [T, 0, 4]
    all_masked = layer.gradient_flow(x, lambda output: output.sum() * 0, lengths=[0, 0, 0])
    assert all_masked.over_batch()["hidden_state"].isnan().all()
    assert all_masked.verdict == (
        "The gradient is zero at every step: the loss does not depend on what the layer read."
    )


def test_bidirectional_differentiates_the_merged_output() -> None:
    both = Bidirectional(SimpleRNN(3, return_sequences=True, dtype="float64"), merge_mode="mul")
    x = torch.randn(2, T, 2, dtype=torch.float64)
    both.build(x.shape)
    flows = both.gradient_flow(x, lambda output: output[:, 2].sum())
    ahead, _ = simple_rnn_by_hand(both.forward_layer.weights, x)
    back, _ = simple_rnn_by_hand(both.backward_layer.weights, x.flip(1))
    value = (ahead[2] * back[T - 1 - 2]).sum()
    assert_allclose(flows[0].loss, value.item(), rtol=1e-10)
    assert_allclose(flows[0].hidden_state, norms_by_hand(value, ahead), rtol=1e-10)
    assert_allclose(flows[1].hidden_state, norms_by_hand(value, back)[:, ::-1], rtol=1e-10)
    assert (flows[0].hidden_state[:, 3:] == 0).all()
    assert (flows[1].hidden_state[:, :2] == 0).all()
    for layer, flow in zip((both.forward_layer, both.backward_layer), both.gradient_flow(x), strict=True):
        torch.testing.assert_close(flow.hidden_state, layer.gradient_flow(x).hidden_state)


@pytest.mark.parametrize("return_sequences", [True, False])
@pytest.mark.parametrize("merge_mode", ["concat", None])
def test_bidirectional_hands_the_loss_what_a_call_returns(return_sequences: bool, merge_mode: str | None) -> None:
    both = Bidirectional(LSTM(3, return_sequences=return_sequences, return_state=True), merge_mode=merge_mode)
    x, seen = torch.randn(2, T, 2), []

    def loss(output: object) -> Tensor:
        seen.append(output)
        return sum(part.sum() for part in (output if merge_mode is None else [output]))

    both.gradient_flow(x, loss)
    want = both(x)
    torch.testing.assert_close(seen[0], want[:2] if merge_mode is None else want[0])


# ------------------------------------------------------------------------------------------------------------ verdicts


def linear(factor: float, units: int = 3) -> SimpleRNN:
    """A layer through which a gradient goes by exactly one factor a step."""
    layer = SimpleRNN(units, activation="linear", dtype="float64")
    layer.build((None, None, 2))
    with torch.no_grad():
        layer.cell.recurrent_kernel.copy_(factor * torch.eye(units, dtype=torch.float64))
    return layer


@pytest.mark.parametrize(
    ("factor", "steps", "kind", "words"),
    [
        (0.5, 11, "vanishes", "10 steps back it is 0.000977 times what it is where the loss enters"),
        (0.5, 40, "vanishes", "and less than a thousandth from 10 steps back on. It changes by a factor of 0.5 a step"),
        (0.9, 40, "holds", "39 steps back it is 0.0164 times"),
        (0.9, 90, "vanishes", "less than a thousandth from 66 steps back on"),
        (1.0, 90, "holds", "89 steps back it is 1 times"),
        (2.0, 40, "explodes", "more than a thousandfold at 10 steps back. It changes by a factor of 2 a step."),
        (1.1, 60, "holds", "59 steps back it is 277 times"),
        (0.5, 10, "holds", "9 steps back it is 0.00195 times"),
        (0.5, 2, "holds", "1 step back it is 0.5 times"),
    ],
)
def test_verdict(factor: float, steps: int, kind: str, words: str) -> None:
    flow = linear(factor).gradient_flow(torch.ones(2, steps, 2, dtype=torch.float64))
    assert flow.verdict.startswith(f"The gradient {kind}: ")
    assert words in flow.verdict
    assert (flow.vanishes, flow.explodes) == (kind == "vanishes", kind == "explodes")
    assert_allclose(flow.rate, factor, rtol=1e-12)
    assert_allclose(flow.ratio, factor ** (steps - 1), rtol=1e-12)
    assert repr(flow) == f"GradientFlow of SimpleRNN, (B, T) = (2, {steps}): {flow.verdict}"


def test_verdict_counts_back_from_where_the_loss_enters() -> None:
    layer = SimpleRNN(3, activation="linear", return_sequences=True, dtype="float64")
    layer.build((None, None, 2))
    layer.load_state_dict(linear(0.5).state_dict())
    flow = layer.gradient_flow(torch.ones(2, 40, 2, dtype=torch.float64), lambda output: output[:, 20].sum())
    assert "20 steps back it is 9.54e-07 times" in flow.verdict
    padded = layer.gradient_flow(torch.ones(2, 40, 2, dtype=torch.float64), lengths=[21, 5])
    assert padded.verdict == flow.verdict
    backwards = linear(0.5)
    backwards.config = type(backwards.config)(**{**vars(backwards.config), "go_backwards": True})
    flow = backwards.gradient_flow(torch.ones(1, 40, 2, dtype=torch.float64))
    assert flow.go_backwards
    assert flow.hidden_state[0, 0] > flow.hidden_state[0, 39]
    assert_allclose(flow.rate, 0.5, rtol=1e-12)


def test_underflow_and_overflow_are_told() -> None:
    gone = linear(1e-20).float().gradient_flow(torch.ones(1, 5, 2))
    assert gone.hidden_state[0, 0] == 0
    assert gone.vanishes
    assert "4 steps back it is 0 times" in gone.verdict
    burst = linear(1e30).float().gradient_flow(torch.zeros(1, 5, 2))
    assert burst.explodes
    assert (
        "4 steps back it is inf times what it is where the loss enters, and more than a thousandfold at 1 step back"
        in (burst.verdict)
    )
    undefined = linear(1.0).gradient_flow(torch.ones(1, 3, 2).double(), lambda output: output.sum() * torch.inf)
    assert undefined.verdict == "The gradient is not finite where the loss enters."
    assert not undefined.vanishes
    assert not undefined.explodes
    first = linear(1.0).gradient_flow(torch.ones(1, 1, 2).double())
    assert first.verdict.startswith("The loss enters at the first step that was read")
    assert np.isnan(first.rate)


def test_rows_are_aligned_at_the_loss_and_weigh_the_same() -> None:
    decline = GradientDecline.of([torch.tensor([0.0, 100.0, 50.0, 0.0]), torch.tensor([1.0, 1.5]), torch.zeros(3)])
    assert_allclose(decline.relative, [1, 1, 0])


def test_an_lstm_that_remembers_holds_where_a_simple_rnn_vanishes() -> None:
    x = torch.randn(4, 60, 8, generator=torch.Generator().manual_seed(1))
    lstm = LSTM(16)
    lstm.build(x.shape)
    with torch.no_grad():
        lstm.cell.bias[16:32] = 6.0  # forget gates wide open
    simple = SimpleRNN(16)
    assert not lstm.gradient_flow(x).vanishes
    assert simple.gradient_flow(x).vanishes
    assert lstm.gradient_flow(x).rate > 0.97 > simple.gradient_flow(x).rate


# ------------------------------------------------------------------------------------------- leaves everything as it is


def test_touches_no_gradient_and_no_state() -> None:
    layer, head = LSTM(3, stateful=True, return_sequences=True), nn.Linear(3, 2)
    x = torch.randn(2, T, 4, requires_grad=True)
    layer(x)
    states = [state.clone() for state in layer.states]
    layer.weights[0].grad = torch.ones_like(layer.weights[0])
    embedded = x * 2  # whose graph is needed later
    flow = layer.gradient_flow(embedded, lambda output: head(output).logsumexp(-1).sum())
    assert (flow.hidden_state > 0).all()
    assert all(torch.equal(mine, its) for mine, its in zip(layer.states, states, strict=True))
    assert torch.equal(layer.weights[0].grad, torch.ones_like(layer.weights[0]))
    assert [weight.grad for weight in (*layer.weights[1:], *head.parameters(), x)] == [None] * 5
    embedded.sum().backward()
    assert layer.training


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_works_where_gradients_are_off(mode: Callable[[], object]) -> None:
    layer = GRU(3).requires_grad_(False)
    x = torch.randn(2, T, 4)
    layer.build(x.shape)
    want = layer.gradient_flow(x).hidden_state
    with mode():
        inside = x * 1
        torch.testing.assert_close(layer.gradient_flow(inside).hidden_state, want)
        torch.testing.assert_close(layer.gradient_flow(inside, initial_state=inside[:, 0, :3] * 0).hidden_state, want)


@pytest.mark.parametrize(
    ("measure", "message"),
    [
        (
            lambda layer, x: layer.gradient_flow(x, "mean"),
            "'last', 'sum' or a function of the layer's output, got 'mean'",
        ),
        (lambda layer, x: layer.gradient_flow(x, x), "or a function of the layer's output, got Tensor"),
        (lambda layer, x: layer.gradient_flow(x, lambda out: out), r"one number, got a tensor of shape \(2, 3\)"),
        (lambda layer, x: layer.gradient_flow(x, lambda out: 1.0), "a tensor with one number, got a float"),
        (
            lambda layer, x: layer.gradient_flow(x, lambda out: out.detach().sum()),
            "does not depend on the layer's output",
        ),
        (lambda layer, x: layer.gradient_flow(x[0]), r"expected x of shape \(B, T, D\), got \(6, 4\)"),
        (lambda layer, x: layer.gradient_flow(x, lengths=[7, 1]), "lengths between 0 and T = 6"),
    ],
)
def test_wrong_calls(measure: Callable[[LSTM, Tensor], object], message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        measure(LSTM(3), torch.randn(2, T, 4))
    assert "\n" not in str(caught.value)


def test_cells_of_ones_own_are_refused() -> None:
    with pytest.raises(TypeError, match="Only SimpleRNN, GRU and LSTM can be looked into"):
        Bidirectional(RNN([GRUCell(2), GRUCell(2)])).gradient_flow(torch.ones(1, 4, 5))
