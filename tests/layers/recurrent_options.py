"""Layers that have a compiled path, with every option, and what they compute beside the plain loop."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
import torch
from torch import Tensor

from daneo import layers
from daneo.layers import recurrent_operator

B, T, D, U = 3, 5, 4, 3
# What a layer may be, with a compiled path.
OPTIONS: dict[str, tuple[Any, dict[str, Any]]] = {
    "SimpleRNN": (layers.SimpleRNN, {}),
    "SimpleRNN, sigmoid, no bias": (layers.SimpleRNN, {"activation": "sigmoid", "use_bias": False}),
    "SimpleRNN, relu, backwards": (layers.SimpleRNN, {"activation": "relu", "go_backwards": True}),
    "SimpleRNN, dropout": (layers.SimpleRNN, {"dropout": 0.4, "recurrent_dropout": 0.4}),
    "GRU": (layers.GRU, {}),
    "GRU, no bias": (layers.GRU, {"use_bias": False}),
    "GRU, reset before": (layers.GRU, {"reset_after": False}),
    "GRU, reset before, no bias, backwards": (
        layers.GRU,
        {"reset_after": False, "use_bias": False, "go_backwards": True},
    ),
    "GRU, others": (layers.GRU, {"activation": "linear", "recurrent_activation": "hard_sigmoid"}),
    "GRU, dropout": (layers.GRU, {"dropout": 0.4, "recurrent_dropout": 0.4}),
    "GRU, reset before, dropout": (layers.GRU, {"reset_after": False, "dropout": 0.4, "recurrent_dropout": 0.4}),
    "LSTM": (layers.LSTM, {}),
    "LSTM, no bias, backwards": (layers.LSTM, {"use_bias": False, "go_backwards": True}),
    "LSTM, peephole": (layers.LSTM, {"peephole": True}),
    "LSTM, coupled": (layers.LSTM, {"coupled": True}),
    "LSTM, coupled peephole": (layers.LSTM, {"coupled": True, "peephole": True}),
    "LSTM, others": (layers.LSTM, {"activation": "hard_sigmoid", "recurrent_activation": "tanh"}),
    "LSTM, input dropout": (layers.LSTM, {"dropout": 0.4}),
    "LSTM, recurrent dropout": (layers.LSTM, {"recurrent_dropout": 0.4}),
    "LSTM, peephole, dropout": (layers.LSTM, {"peephole": True, "dropout": 0.4, "recurrent_dropout": 0.4}),
}
every_option = pytest.mark.parametrize("option", OPTIONS)
KINDS = pytest.mark.parametrize("kind", [layers.SimpleRNN, layers.GRU, layers.LSTM])


def numbers(seed: int, *shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def layer_of(option: str, features: int = D, **changes: Any) -> Any:
    """A layer in float64 with random weights, biases too."""
    kind, chosen = OPTIONS[option]
    layer = kind(
        **{"units": U, "dtype": "float64", "return_sequences": True, "return_state": True, **chosen, **changes}
    )
    layer.build((None, None, features))
    for number, weight in enumerate(layer.weights):
        weight.data = 0.6 * numbers(number, *weight.shape)
    return layer


def states_of(layer: Any, size: int = B) -> list[Tensor]:
    sizes = layer.cell.state_size
    return [numbers(50 + n, size, units) for n, units in enumerate([sizes] if isinstance(sizes, int) else sizes)]


@contextlib.contextmanager
def plain_loop() -> Iterator[None]:
    """Let no layer take a compiled path."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(layers.RNN, "plan", lambda layer: "nobody asks for anything else")
        yield


@contextlib.contextmanager
def counted() -> Iterator[list[str]]:
    """List the calls of the operator."""
    calls: list[str] = []
    run = recurrent_operator.run

    def spy(*arguments: Any, **named: Any) -> Any:
        calls.append("run")
        return run(*arguments, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recurrent_operator, "run", spy)
        yield calls


def tensors(results: Any) -> list[Tensor]:
    return list(results) if isinstance(results, tuple) else [results]


def with_gradients(run: Callable[[], Any], leaves: Sequence[Tensor], seed: int = 7) -> list[Tensor]:
    """The results, and the gradients by `leaves` of a sum of them all, each number weighed by chance."""
    torch.manual_seed(seed)  # the same dropout every time
    results = tensors(run())
    weighing = [numbers(seed + n, *one.shape).to(one.dtype) for n, one in enumerate(results)]
    loss = torch.stack([(one * weights).sum() for one, weights in zip(results, weighing, strict=True)]).sum()
    gradients = torch.autograd.grad(loss, list(leaves), materialize_grads=True)
    return [*(one.detach() for one in results), *gradients]


def assert_close(got: Sequence[Tensor], want: Sequence[Tensor], tolerance: float = 1e-10) -> None:
    assert len(got) == len(want)
    for number, (one, other) in enumerate(zip(got, want, strict=True)):
        bound = tolerance * max(1.0, float(other.detach().abs().max()) if other.numel() else 0.0)
        torch.testing.assert_close(one, other, rtol=0, atol=bound, msg=lambda text, n=number: f"{n}: {text}")


def assert_as_plain(layer: Any, run: Callable[[], Any], leaves: Sequence[Tensor], num_calls: int = 1) -> None:
    with counted() as calls:
        got = with_gradients(run, leaves)
    assert len(calls) == num_calls
    with plain_loop(), counted() as calls:
        want = with_gradients(run, leaves)
    assert not calls
    assert_close(got, want)
