"""An Embedding in front of a recurrent layer: each distinct row is multiplied once, and nothing else is different."""

from __future__ import annotations

import copy
import warnings
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.autograd import forward_ad

from daneo import layers
from daneo.layers import sequential_stages, table_gradient
from daneo.layers.sequential_stages import distinct_rows

from .recurrent_options import KINDS, OPTIONS, B, D, T, U, assert_close, counted, every_option, layer_of, numbers

V = 7
IDS = torch.tensor([[3, 0, 3, 3, 6], [0, 0, 0, 0, 0], [2, 3, 6, 6, 0]])  # 1, 4 and 5 do not occur


@pytest.fixture(autouse=True)
def always(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look distinct rows up however few tokens there are."""
    torch.manual_seed(0)
    monkeypatch.setattr(sequential_stages, "FEW_TOKENS", 0)


def model_of(reader: Any, **settings: Any) -> layers.Sequential:
    embedding = layers.Embedding(V, D, **settings).double()
    embedding.build((None, None))
    embedding.weights[0].data = numbers(80, V, D)
    return layers.Sequential([embedding, reader])


def apart(model: Any, ids: Tensor, mask: Tensor | None = None) -> Any:
    """The same layers, called one after the other."""
    embedding, reader = model
    rows = embedding(ids)
    mask = embedding.compute_mask(ids, mask)
    return reader(rows, mask=mask)


def results(run: Any, model: Any) -> list[Tensor]:
    """Outputs and the gradients of all weights."""
    model.zero_grad()
    torch.manual_seed(3)
    outputs = run(model, IDS)
    outputs = list(outputs) if isinstance(outputs, tuple) else [outputs]
    torch.stack([(one * numbers(5, *one.shape)).sum() for one in outputs]).sum().backward()
    return [*(one.detach() for one in outputs), *(weight.grad for weight in model.parameters() if weight.requires_grad)]


def assert_the_same(model: Any, num_calls: int = 1) -> None:
    assert distinct_rows(model[0], model[1], IDS) is not None
    with counted() as calls:
        got = results(lambda model, ids: model(ids), model)
    assert len(calls) == num_calls
    assert_close([one.to_dense() for one in got], [one.to_dense() for one in results(apart, model)], 1e-12)


@pytest.mark.parametrize("mask_zero", [False, True])
@every_option
def test_results_are_those_of_the_layers_apart(option: str, mask_zero: bool) -> None:
    assert_the_same(model_of(layer_of(option), mask_zero=mask_zero))


@pytest.mark.parametrize("merge_mode", ["concat", None])
@KINDS
def test_both_directions(kind: Any, merge_mode: Any) -> None:
    reader = layers.Bidirectional(kind(U, return_sequences=True, dtype="float64"), merge_mode=merge_mode)
    reader.build((None, None, D))
    assert_the_same(model_of(reader, mask_zero=True), num_calls=2)


def test_sparse_gradients_and_rows_that_are_not_learned() -> None:
    assert_the_same(model_of(layer_of("GRU"), sparse=True))
    model = model_of(layer_of("LSTM, peephole"))
    model[0].requires_grad_(False)
    assert_the_same(model)


def test_a_large_table_has_a_gradient_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_gradient, "LARGE_TABLE", 0)
    assert_the_same(model_of(layer_of("GRU")))


def test_gradients_of_gradients() -> None:
    model = model_of(layer_of("GRU", return_state=False))
    weights = list(model.parameters())

    def twice(run: Any) -> list[Tensor]:
        gradients = torch.autograd.grad(run(model, IDS).sin().sum(), weights, create_graph=True)
        return list(torch.autograd.grad(torch.stack([one.square().sum() for one in gradients]).sum(), weights))

    assert_close(twice(lambda model, ids: model(ids)), twice(apart))


def test_rows_that_do_not_occur_may_hold_anything() -> None:
    model = model_of(layer_of("LSTM", return_state=False))
    want = results(lambda model, ids: model(ids), model)
    model[0].weights[0].data[[1, 4, 5]] = torch.nan
    got = results(lambda model, ids: model(ids), model)
    assert all(torch.equal(one, other) for one, other in zip(got, want, strict=True))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_other_precisions(dtype: torch.dtype) -> None:
    model = model_of(layer_of("LSTM", return_state=False)).to(dtype)
    with torch.no_grad():
        got, want = model(IDS), apart(model, IDS)
    assert got.dtype is dtype
    torch.testing.assert_close(got.double(), want.double(), rtol=0, atol=2 * torch.finfo(dtype).eps)


def test_ids_of_any_shape_and_kind() -> None:
    model = model_of(layer_of("GRU", return_state=False))
    with torch.no_grad():
        want = model(IDS)
        for ids in (IDS.int(), IDS.to(torch.uint8), IDS.T.contiguous().T, IDS.numpy(), IDS.tolist()):
            assert torch.equal(model(ids), want)
        assert model(IDS[:0]).shape == (0, T, U)
    with pytest.raises((ValueError, IndexError), match="7"):
        model(IDS + 5)


def test_where_it_gains_nothing_rows_are_looked_up_as_they_come(monkeypatch: pytest.MonkeyPatch) -> None:
    model = model_of(layer_of("GRU", return_state=False))
    embedding, reader = model
    assert distinct_rows(embedding, reader, torch.arange(6).reshape(2, 3)) is None
    monkeypatch.setattr(sequential_stages, "FEW_TOKENS", 64)
    assert distinct_rows(embedding, reader, IDS) is None
    assert distinct_rows(embedding, reader, torch.zeros(8, 8, dtype=torch.int64)) is not None


def test_recorded_operations_serve_other_ids() -> None:
    model = model_of(layer_of("GRU", return_state=False))
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # scripts are on their way out
        recorded = torch.jit.trace(model, (IDS,), check_trace=False)
        others = IDS.flip(0, 1)
        torch.testing.assert_close(recorded(others), model(others), rtol=0, atol=1e-12)


def test_derivatives_forwards() -> None:
    model = model_of(layer_of("GRU", return_state=False))
    table, tangent = model[0].weights[0].detach(), numbers(9, V, D)
    found = []
    for run in (lambda ids: model(ids), lambda ids: apart(model, ids)):
        with forward_ad.dual_level():
            weights = dict(model.named_parameters())
            (name,) = (name for name, one in weights.items() if one is model[0].weights[0])
            weights[name] = forward_ad.make_dual(table, tangent)
            with torch.nn.utils.stateless._reparametrize_module(model, weights):
                found.append(forward_ad.unpack_dual(run(IDS)).tangent)
    assert found[0] is not None
    torch.testing.assert_close(*found, rtol=0, atol=1e-12)


def test_copies_read_for_themselves() -> None:
    model = model_of(layer_of("LSTM", return_state=False))
    model(IDS)
    twin = copy.deepcopy(model)
    twin[0].weights[0].data.zero_()
    assert torch.equal(twin(IDS)[0], apart(twin, IDS)[0])
    assert not torch.equal(twin(IDS), model(IDS))


def test_every_kind_is_tried() -> None:
    assert {kind for kind, _ in OPTIONS.values()} == {layers.SimpleRNN, layers.GRU, layers.LSTM}
    assert IDS.shape == (B, T)
