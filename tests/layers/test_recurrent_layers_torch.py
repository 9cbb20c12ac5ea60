"""SimpleRNN, GRU and LSTM in PyTorch's world: against its modules, differentiated twice, trained by many processes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from daneo import layers

from .keras_in_float64 import assert_all_close, outputs_and_gradients, randomise

B, T, D, U = 3, 6, 4, 5


def numbers(seed: int, *shape: int) -> Tensor:
    return torch.tensor(np.random.default_rng(seed).standard_normal(shape), requires_grad=True)


def weights_from_torch(layer: Any, module: nn.RNNBase) -> list[Tensor]:
    """The module's weights (leaves) in the layout of the layer, as functions of them."""
    w, r, b, c = (module.get_parameter(f"{name}_l0") for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"))
    if isinstance(layer, layers.GRU):  # r, z, n are to be z, r, n
        w, r, b, c = (torch.cat([block[U : 2 * U], block[:U], block[2 * U :]]) for block in (w, r, b, c))
        return [w.T, r.T, torch.stack([b, c])]
    return [w.T, r.T, b + c]


@pytest.mark.parametrize(
    ("layer", "module"),
    [
        (layers.SimpleRNN(U), nn.RNN(D, U, batch_first=True)),
        (layers.SimpleRNN(U, activation="relu"), nn.RNN(D, U, batch_first=True, nonlinearity="relu")),
        (layers.GRU(U), nn.GRU(D, U, batch_first=True)),
        (layers.LSTM(U), nn.LSTM(D, U, batch_first=True)),
    ],
    ids=["tanh", "relu", "GRU", "LSTM"],
)
def test_outputs_states_and_gradients_are_those_of_torch(layer: Any, module: nn.RNNBase) -> None:
    settings = {**layer.get_config(), "return_sequences": True, "return_state": True, "dtype": "float64"}
    layer = type(layer).from_config(settings)
    module = module.double()
    randomise(list(module.parameters()), np.random.default_rng(0))
    layer.build((None, None, D))
    weights = weights_from_torch(layer, module)
    for mine, its in zip(layer.weights, weights, strict=True):
        mine.data = its.detach().clone()
    x, *states = numbers(1, B, T, D), *(numbers(seed, B, U) for seed in range(2 if isinstance(module, nn.LSTM) else 1))

    mine = outputs_and_gradients(layer(x, initial_state=states), [x, *states, *layer.weights], seed=5)
    given = tuple(state[None] for state in states)
    outputs, last = module(x, given if isinstance(module, nn.LSTM) else given[0])
    last = [state[0] for state in (last if isinstance(last, tuple) else (last,))]
    names = ["weight_ih_l0", "weight_hh_l0", "bias_ih_l0"]
    its = outputs_and_gradients((outputs, *last), [x, *states, *(module.get_parameter(name) for name in names)], seed=5)
    count = 2 + 2 * len(states)  # outputs, states, the gradients of x and of the states
    assert_all_close(mine[:count], its[:count], 1e-10)
    kernel, recurrent_kernel, bias = mine[count:]
    bias = bias[0] if isinstance(layer, layers.GRU) else bias
    order = [1, 0, 2] if isinstance(layer, layers.GRU) else range(len(kernel.T) // U)
    blocks = [slice(block * U, (block + 1) * U) for block in order]
    in_its_order = [np.concatenate([array.T[block] for block in blocks]) for array in (kernel, recurrent_kernel, bias)]
    assert_all_close(in_its_order, its[count:], 1e-10)


@pytest.mark.parametrize("mask", [None, torch.tensor([[True, False, True], [False, True, True]])], ids=["all", "mask"])
@pytest.mark.parametrize(
    "layer",
    [
        layers.SimpleRNN(2, dtype="float64"),
        layers.SimpleRNN(2, use_bias=False, activation="softplus", go_backwards=True, dtype="float64"),
        layers.GRU(2, dtype="float64"),
        layers.GRU(2, reset_after=False, zero_output_for_mask=True, dtype="float64"),
        layers.GRU(2, use_bias=False, recurrent_dropout=0.5, dropout=0.5, dtype="float64"),
        layers.GRU(2, reset_after=False, recurrent_dropout=0.5, dtype="float64"),
        layers.LSTM(2, recurrent_dropout=0.5, dropout=0.5, dtype="float64"),
        layers.LSTM(2, layer_norm=True, zoneout=0.5, dropout=0.5, dtype="float64"),
    ],
    ids=repr,
)
def test_gradients_are_those_of_finite_differences_twice(layer: Any, mask: Tensor | None) -> None:
    layer = type(layer).from_config({**layer.get_config(), "return_sequences": True, "return_state": True})
    layer.build((None, None, 3))
    names, weights = zip(*layer.named_parameters(), strict=True)

    def run(x: Tensor, *inputs: Tensor) -> tuple[Tensor, ...]:
        torch.manual_seed(0)  # the same dropout every time
        states, weights = inputs[: -len(names)], inputs[-len(names) :]
        arguments = {"initial_state": states, "mask": mask}
        return torch.func.functional_call(layer, dict(zip(names, weights, strict=True)), (x,), arguments)

    num_states = 2 if isinstance(layer, layers.LSTM) else 1
    inputs = [numbers(1, 2, 3, 3), *(numbers(seed, 2, 2) for seed in range(num_states))]
    inputs += [weight.detach().clone().requires_grad_() for weight in weights]
    assert torch.autograd.gradcheck(run, inputs)
    assert torch.autograd.gradgradcheck(run, inputs, fast_mode=True)


def test_data_parallel_training_gives_the_same_gradients(tmp_path: Path) -> None:
    layer = layers.LSTM(U, peephole=True)
    x = torch.ones(B, T, D)
    layer(x).sum().backward()
    expected = [weight.grad for weight in layer.weights]
    layer.zero_grad()
    torch.distributed.init_process_group("gloo", init_method=f"file://{tmp_path}/meeting", rank=0, world_size=1)
    try:
        parallel = nn.parallel.DistributedDataParallel(layer)
        parallel(x).sum().backward()
    finally:
        torch.distributed.destroy_process_group()
    assert all(torch.equal(weight.grad, old) for weight, old in zip(layer.weights, expected, strict=True))
