"""What went wrong once: operands that depend on each other, hooks, pruned weights, writes in place, odd arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import prune

from daneo import layers

KINDS = (layers.SimpleRNN, layers.GRU, layers.LSTM)


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_with_a_graph_are_the_gradients(kind: Any) -> None:
    """States that come from the same x and the same weights: their part must not be counted twice."""
    layer = kind(4, dtype="float64", return_state=True)
    x = torch.randn(2, 3, 4, dtype=torch.float64, requires_grad=True)
    layer(x)

    def loss() -> Tensor:
        _, *states = layer(x)
        return layer(x, initial_state=states)[0].square().sum()

    wanted = [x, *layer.parameters()]
    for got, want in zip(
        torch.autograd.grad(loss(), wanted, create_graph=True), torch.autograd.grad(loss(), wanted), strict=True
    ):
        torch.testing.assert_close(got, want, rtol=1e-10, atol=1e-12)


def test_hooks_and_classes_of_ones_own_see_tensors() -> None:
    ids = torch.randint(0, 10, (8, 20))
    model = layers.Sequential([layers.Embedding(10, 4), layers.GRU(3)])
    without = model(ids)
    seen: list[Any] = []
    model[1].register_forward_pre_hook(lambda module, args: seen.append(args[0]))
    torch.testing.assert_close(model(ids), without)
    assert [type(one) for one in seen] == [Tensor]

    class Squashed(layers.LSTM):
        def forward(self, x: Any, *args: Any, **options: Any) -> Any:
            return super().forward(torch.tanh(x), *args, **options)

    assert layers.Sequential([layers.Embedding(10, 4), Squashed(3)])(ids).shape == (8, 3)


def test_pruned_weights_are_made_anew_for_each_call() -> None:
    layer, x = layers.GRU(3), torch.randn(2, 5, 4)
    layer.build(x.shape)
    prune.l1_unstructured(layer.cell, "recurrent_kernel", 0.5)
    before = layer(x)
    layer(x).sum().backward()
    layer(x).sum().backward()  # a pruned weight left from the call before would have no graph any more
    with torch.no_grad():
        layer.cell.recurrent_kernel_orig.mul_(-1)
    assert not torch.equal(layer(x), before)


@pytest.mark.parametrize("options", [{}, {"return_sequences": True}])
def test_writing_to_outputs_is_allowed_where_it_does_no_harm(options: dict[str, bool]) -> None:
    layer, x = layers.GRU(3, **options), torch.randn(2, 5, 4, requires_grad=True)
    output = layer(x, mask=torch.ones(2, 5, dtype=torch.bool) if options else None)
    output.mul_(2).sum().backward()
    got, x.grad = x.grad, None
    (layer(x) * 2).sum().backward()
    torch.testing.assert_close(got, x.grad)


def test_kept_arrays_pass_through_hooks_of_saved_tensors() -> None:
    layer, x = layers.LSTM(16, return_sequences=True), torch.randn(4, 50, 8, requires_grad=True)
    layer(x)
    sizes: list[int] = []

    def pack(tensor: Tensor) -> Tensor:
        sizes.append(tensor.numel())
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        layer(x)
    assert sum(sizes) >= 4 * 50 * 16 * 6  # four gates, two states


def test_a_stateful_layer_keeps_its_memory_to_itself() -> None:
    layer, x = layers.GRU(3, stateful=True, return_state=True), torch.randn(2, 5, 4)
    with torch.no_grad():
        _, state = layer(x)
        state.zero_()
    assert layer.states is not None
    assert layer.states[0].abs().sum() > 0


def test_a_large_candidate_leaves_the_state_alone_while_the_gate_is_closed() -> None:
    layer = layers.GRU(1, activation="linear", reset_after=False)
    layer.build((None, None, 1))
    with torch.no_grad():
        for weight in layer.weights:
            weight.zero_()
        layer.weights[0][0, 2] = 1.0
        layer.weights[2][0] = 60.0  # z is 1
    state = torch.full((1, 1), 0.123456)
    torch.testing.assert_close(layer(torch.full((1, 1, 1), 1e6), initial_state=[state]), state)


def test_arrays_backwards_and_of_another_byte_order() -> None:
    layer, array = layers.LSTM(5), np.random.default_rng(0).standard_normal((2, 3, 4)).astype(np.float32)
    want = layer(array[:, ::-1].copy())
    torch.testing.assert_close(layer(array[:, ::-1]), want)
    torch.testing.assert_close(layer(array[:, ::-1].astype(">f4")), want)
    assert layer(array, lengths=np.array([1, 2], np.uint64)).shape == (2, 5)


def test_functions_of_torch_are_known_by_name() -> None:
    assert layers.LSTM(3, activation=torch.tanh, recurrent_activation=torch.sigmoid).explain().name == "compiled"
    assert layers.LSTM(3, activation=nn.functional.elu).explain().name == "plain"


def test_a_cell_of_ours_runs_on_kernels_in_any_layer() -> None:
    layer = layers.RNN(layers.LSTMCell(4), return_sequences=True)
    assert layer.explain().name == "compiled"
    twin, x = layers.LSTM(4, return_sequences=True), torch.randn(2, 3, 5)
    layer(x)
    twin.build(x.shape)
    twin.load_state_dict(layer.state_dict())
    torch.testing.assert_close(layer(x), twin(x), rtol=0, atol=0)
    assert layers.RNN([layers.LSTMCell(4), layers.GRUCell(4)]).explain().name == "plain"


def test_both_directions_are_explained() -> None:
    assert [path.name for path in layers.Bidirectional(layers.GRU(3)).explain()] == ["compiled", "compiled"]


def test_per_sample_gradients_of_many_tokens() -> None:
    model = layers.Sequential([layers.Embedding(10, 4), layers.GRU(3)])
    ids = torch.randint(0, 10, (4, 100))
    model(ids)
    weights = dict(model.named_parameters())

    def loss(weights: dict[str, Tensor], row: Tensor) -> Tensor:
        return torch.func.functional_call(model, weights, (row[None],)).sum()

    got = torch.func.vmap(torch.func.grad(loss), in_dims=(None, 0))(weights, ids)
    model(ids[:1]).sum().backward()
    torch.testing.assert_close(got["0.embeddings"][0], model[0].embeddings.grad, rtol=1e-4, atol=1e-6)


def test_traces_in_half_precision_are_what_a_call_computes() -> None:
    layer, x = layers.LSTM(5, dtype="bfloat16"), torch.randn(2, 3, 4, dtype=torch.bfloat16)
    torch.testing.assert_close(layer.trace(x).output, layer(x), rtol=0, atol=0)
