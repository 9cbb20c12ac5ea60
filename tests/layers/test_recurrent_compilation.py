"""A recurrent layer in PyTorch's compilers: one operator, whatever the number of steps, and the same numbers."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor
from torch._dynamo.testing import CompileCounterWithBackend, EagerAndRecordGraphs

from daneo import layers
from daneo.layers import recurrent_operator
from daneo.layers.recurrent_operator import NUM_DIFFERENTIABLE

from .recurrent_options import (
    KINDS,
    OPTIONS,
    B,
    D,
    T,
    U,
    assert_close,
    every_option,
    layer_of,
    numbers,
    states_of,
    tensors,
    with_gradients,
)


@pytest.fixture(autouse=True)
def nothing_compiled_before() -> Iterator[None]:
    torch.manual_seed(0)
    torch._dynamo.reset()
    yield
    torch._dynamo.reset()


def compiled(layer: Any, **options: Any) -> Any:
    return torch.compile(layer, fullgraph=True, **{"backend": "aot_eager", **options})


def nodes(graph: torch.fx.GraphModule) -> Counter[str]:
    return Counter(str(node.target) for node in graph.graph.nodes if node.op == "call_function")


# ----------------------------------------------------------------------------------------------------- the same numbers


@every_option
def test_outputs_states_and_gradients_are_the_same(option: str) -> None:
    layer, x = layer_of(option), numbers(1, B, T, D).requires_grad_()
    states = [one.requires_grad_() for one in states_of(layer)]
    mask = torch.rand(B, T) < 0.6
    leaves = [x, *states, *layer.weights]
    if "dropout" in option:  # a compiler draws other numbers
        inputs, recurrent = layer.cell.dropout_masks(B)
        layer.cell.dropout_masks = lambda _: (inputs, recurrent)
    run = compiled(layer)
    got = with_gradients(lambda: run(x, states, mask), leaves)
    assert_close(got, with_gradients(lambda: layer(x, states, mask), leaves), 1e-12)


@KINDS
def test_a_whole_model_trains_as_it_would(kind: Any) -> None:
    first = layers.Bidirectional(kind(U, return_sequences=True, dtype="float64"))
    model = layers.Sequential([layers.Embedding(9, D), first, kind(U, dtype="float64")]).double()
    ids = torch.randint(9, (B, T))
    model(ids)
    twin = copy.deepcopy(model)
    run = compiled(model)
    for trained, call in ((model, run), (twin, twin)):
        optimizer = torch.optim.SGD(trained.parameters(), lr=0.1)
        for _ in range(3):
            optimizer.zero_grad()
            call(ids).square().sum().backward()
            optimizer.step()
    assert_close([one.detach() for one in model.parameters()], [one.detach() for one in twin.parameters()], 1e-12)


@pytest.mark.parametrize("sequences", [True, False])
@KINDS
def test_gradients_that_nobody_asks_for_are_not_made(kind: Any, sequences: bool) -> None:
    layer = kind(U, return_sequences=sequences, return_state=True, dtype="float64")
    layer.build((None, None, D))
    layer.cell.recurrent_kernel.requires_grad_(False)
    x = numbers(1, B, T, D)
    run = compiled(layer)
    leaves = [layer.cell.kernel, layer.cell.bias]
    for number in range(2):
        got = with_gradients(lambda number=number: run(x)[number], leaves)
        assert_close(got, with_gradients(lambda number=number: layer(x)[number], leaves), 1e-12)
    assert layer.cell.recurrent_kernel.grad is None


# --------------------------------------------------------------------------------------------------------- one operator


@pytest.mark.parametrize("steps", [1, 3, 200])
@KINDS
def test_there_is_one_operator_whatever_the_number_of_steps(kind: Any, steps: int) -> None:
    layer, x = kind(U, return_sequences=True), torch.randn(B, steps, D)
    layer(x)
    recorder = EagerAndRecordGraphs()
    compiled(layer, backend=recorder)(x)
    (graph,) = recorder.graphs
    found = nodes(graph)
    assert found["daneo.recurrence"] + found["daneo.recurrence.default"] == 1
    assert sum(found.values()) < 12  # the rest picks the results apart


@KINDS
def test_lengths_and_sizes_that_change_are_compiled_once(kind: Any) -> None:
    layer = kind(U, return_sequences=True, return_state=True, dtype="float64")
    layer.build((None, None, D))
    counter = CompileCounterWithBackend("aot_eager")
    run = compiled(layer, backend=counter, dynamic=True)
    counts = []
    for size, steps in ((3, 6), (5, 7), (2, 9), (4, 30)):
        x = numbers(size, size, steps, D).requires_grad_()
        leaves = [x, *layer.weights]
        assert_close(with_gradients(lambda x=x: run(x), leaves), with_gradients(lambda x=x: layer(x), leaves), 1e-12)
        counts.append(counter.frame_count)
    assert counts[0] == counts[-1] > 0


@KINDS
def test_an_exported_program_computes_the_same(kind: Any) -> None:
    layer, x = kind(U, return_sequences=True), torch.randn(B, T, D)
    layer(x)
    steps, size = torch.export.Dim("steps", min=2), torch.export.Dim("size", min=2)
    program = torch.export.export(layer, (x,), dynamic_shapes={"x": {0: size, 1: steps}})
    assert sum("daneo.recurrence" in name for name in nodes(program.graph_module)) == 1
    other = torch.randn(B + 2, T + 3, D)
    torch.testing.assert_close(program.module()(other), layer(other), rtol=0, atol=0)


@KINDS
def test_a_stateful_layer_goes_on_where_it_stopped(kind: Any) -> None:
    layer = kind(U, stateful=True, dtype="float64")
    layer.build((None, None, D))
    twin, run = copy.deepcopy(layer), compiled(layer)
    for number in range(3):
        x = numbers(number, B, T, D)
        torch.testing.assert_close(run(x), twin(x), rtol=0, atol=1e-12)


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
@KINDS
def test_half_precision_and_no_gradients(kind: Any, mode: Any) -> None:
    layer, x = kind(U, dtype=torch.bfloat16, return_sequences=True), numbers(1, B, T, D).bfloat16()
    layer.build((None, None, D))
    run = compiled(layer)
    with mode():
        assert torch.equal(run(x), layer(x))
    leaves = [*layer.weights]
    assert_close(with_gradients(lambda: run(x), leaves), with_gradients(lambda: layer(x), leaves), 0.0)


def test_samples_have_gradients_of_their_own_in_a_compiler_too() -> None:
    layer = layers.LSTM(U, dtype="float64")
    layer.build((None, None, D))
    weights, x = dict(layer.named_parameters()), numbers(1, B, T, D)

    def loss(weights: dict[str, Tensor], one: Tensor) -> Tensor:
        return torch.func.functional_call(layer, weights, (one[None],)).sin().sum()

    each = torch.func.vmap(torch.func.grad(loss), (None, 0))
    got, want = torch.compile(each, backend="aot_eager")(weights, x), each(weights, x)
    assert_close(list(got.values()), list(want.values()), 1e-12)


# -------------------------------------------------------------------------------------- what PyTorch asks of operators


def arguments_of(layer: Any, kind: str) -> tuple[Any, ...]:
    """What the operator is given: inputs x, distinct rows, or the product itself."""
    cell, states = layer.cell, [*states_of(layer), None][:2]
    x, tokens, kernel, bias = numbers(1, B, T, D), None, cell.kernel, cell.bias
    mask, masks = torch.rand(B, T) < 0.6, torch.rand(len(cell.GATES), B, U, dtype=torch.float64)
    if kind == "rows":
        x, tokens = numbers(1, 6, D), torch.randint(6, (B, T))
    if kind == "product":
        x, kernel = cell.project(x).detach(), None
        bias = bias if bias is not None and bias.ndim == 2 else None
    given = [x, kernel, cell.recurrent_kernel, bias, getattr(cell, "peephole_kernel", None), *states]
    leaves = [None if one is None else one.detach().requires_grad_() for one in given]
    extras = (mask, masks, tokens) if kind != "x" else (None, None, None)
    return (list(layer.plan()), *leaves, *extras)


@pytest.mark.parametrize("kind", ["x", "rows", "product"])
@pytest.mark.parametrize(
    "option", ["SimpleRNN", "GRU", "GRU, reset before", "LSTM, peephole", "LSTM, no bias, backwards"]
)
def test_the_operators_are_what_pytorch_expects(option: str, kind: str) -> None:
    layer = layer_of(option, return_sequences=kind != "rows")
    arguments = arguments_of(layer, kind)
    torch.library.opcheck(torch.ops.daneo.recurrence, arguments)
    given = [one for one in arguments[1:] if one is not None]
    places = [place for place, one in enumerate(arguments[1:]) if one is not None]
    results = torch.ops.daneo.recurrence(*arguments)
    number = 3 if isinstance(layer, layers.LSTM) else 2
    gradients = [torch.randn_like(one) for one in results[:number]]
    for needs_x in (True, False):
        back = (arguments[0], needs_x, given, places, gradients, [one.detach() for one in results[-3:]])
        detached = [[one.detach() for one in part] if part is given else part for part in back]
        torch.library.opcheck(torch.ops.daneo.recurrence_backward, tuple(detached))


@pytest.mark.parametrize("kind", ["x", "rows", "product"])
@every_option
def test_the_operator_is_the_function_that_autograd_runs(option: str, kind: str) -> None:
    layer = layer_of(option)
    plan, *given = arguments_of(layer, kind)
    leaves = [one for one in given[:NUM_DIFFERENTIABLE] if one is not None]
    number = len(tensors(layer(numbers(1, B, T, D))))
    got = with_gradients(lambda: tuple(torch.ops.daneo.recurrence(plan, *given)[:number]), leaves)
    want = with_gradients(lambda: recurrent_operator.run(layer.plan(), layer.cell, tuple(given)), leaves)
    assert all(torch.equal(one, other) for one, other in zip(got, want, strict=True))


def test_every_kind_is_there() -> None:
    assert {kind for kind, _ in OPTIONS.values()} == {layers.SimpleRNN, layers.GRU, layers.LSTM}
