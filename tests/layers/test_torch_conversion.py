"""from_torch and to_torch: torch.nn is the oracle of outputs, states and gradients, both ways."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from numpy.testing import assert_allclose
from torch import Tensor, nn

from daneo.layers import GRU, LSTM, RNN, Bidirectional, Embedding, LSTMCell, Sequential, SimpleRNN, from_torch, to_torch

ROWS, STEPS, FEATURES, UNITS = 3, 5, 4, 6
KINDS: dict[str, tuple[Any, dict[str, Any]]] = {
    "tanh": (nn.RNN, {}),
    "relu": (nn.RNN, {"nonlinearity": "relu"}),
    "gru": (nn.GRU, {}),
    "lstm": (nn.LSTM, {}),
    "projected lstm": (nn.LSTM, {"proj_size": 2}),
}


def module_of(kind: str, **options: Any) -> nn.RNNBase:
    made, own = KINDS[kind]
    torch.manual_seed(1)
    return made(FEATURES, UNITS, dtype=torch.float64, **own, **options)


def inputs_of(module: nn.RNNBase) -> tuple[Tensor, list[Tensor]]:
    """x (B, T, D), and states that are not zero, in PyTorch's form (layers * directions, B, U)."""
    torch.manual_seed(2)
    x = torch.randn(ROWS, STEPS, FEATURES, dtype=torch.float64, requires_grad=True)
    copies = module.num_layers * (2 if module.bidirectional else 1)
    sizes = [module.proj_size or UNITS, UNITS] if isinstance(module, nn.LSTM) else [UNITS]
    return x, [torch.randn(copies, ROWS, size, dtype=torch.float64, requires_grad=True) for size in sizes]


def run_module(module: nn.RNNBase, x: Tensor, states: list[Tensor]) -> list[Tensor]:
    """The output (B, T, U), then the final states."""
    if not module.batch_first:
        x = x.transpose(0, 1)
    output, finals = module(x, tuple(states) if isinstance(module, nn.LSTM) else states[0])
    output = output if module.batch_first else output.transpose(0, 1)
    return [output, *(finals if isinstance(finals, tuple) else [finals])]


def gate_columns(rows: Tensor, kind: str) -> Tensor:
    """PyTorch's gates as ours, written down once more: of a GRU, r z n become z r n."""
    if kind != "gru":
        return rows.t()
    reset, update, candidate = rows.chunk(3)
    return torch.cat([update, reset, candidate]).t()


def assert_equal_gradients(layer: Any, module: nn.RNNBase, kind: str, suffix: str) -> None:
    """The gradients of our weights are those of theirs."""
    theirs = {name: weight.grad for name, weight in module.named_parameters()}
    expected = {
        "kernel": gate_columns(theirs[f"weight_ih{suffix}"], kind),
        "recurrent_kernel": gate_columns(theirs[f"weight_hh{suffix}"], kind),
    }
    if module.bias and kind == "gru":
        expected["bias"] = torch.stack([gate_columns(theirs[f"bias_{one}{suffix}"], kind) for one in ("ih", "hh")])
    elif module.bias:
        expected["bias"] = theirs[f"bias_ih{suffix}"]
    if kind == "projected lstm":
        expected["projection_kernel"] = theirs[f"weight_hr{suffix}"].t()
    for name, gradient in expected.items():
        assert_allclose(getattr(layer.cell, name).grad, gradient, rtol=1e-10, atol=1e-10, err_msg=name)
    assert {name for name, _ in layer.cell.named_parameters()} == set(expected)


@pytest.mark.parametrize("batch_first", [True, False])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_layer_equals_module(kind: str, bias: bool, batch_first: bool) -> None:
    module = module_of(kind, bias=bias, batch_first=batch_first)
    layer = from_torch(module, return_state=True)
    x, states = inputs_of(module)
    want = run_module(module, x, states)
    got = layer(x, initial_state=[state[0] for state in states])
    torch.manual_seed(3)
    weights = [torch.randn_like(part) for part in want]
    wanted = torch.autograd.grad(want, [x, *states], weights, retain_graph=True)
    matched = [weights[0], *(weight[0] for weight in weights[1:])]
    gotten = torch.autograd.grad(got, [x, *states], matched, retain_graph=True)
    for mine, theirs in zip([*got, *gotten], [want[0], *(state[0] for state in want[1:]), *wanted], strict=True):
        assert_allclose(mine.detach(), theirs.detach(), rtol=1e-10, atol=1e-10)
    torch.autograd.backward(want, weights)
    torch.autograd.backward(got, matched)
    assert_equal_gradients(layer, module, kind, "_l0")


@pytest.mark.parametrize("return_sequences", [True, False])
@pytest.mark.parametrize("depth", [1, 2])
@pytest.mark.parametrize("kind", KINDS)
def test_bidirectional_equals_module(kind: str, depth: int, return_sequences: bool) -> None:
    module = module_of(kind, bidirectional=True, num_layers=depth, batch_first=True)
    layer = from_torch(module, return_sequences=return_sequences)
    x, _ = inputs_of(module)
    output, finals = module(x)
    hidden = finals[0] if isinstance(module, nn.LSTM) else finals
    # Without sequences: the last outputs of both directions, and not what PyTorch has at the last step.
    want = output if return_sequences else torch.cat([hidden[-2], hidden[-1]], -1)
    got = layer(x)
    assert_allclose(got.detach(), want.detach(), rtol=1e-10, atol=1e-10)
    weights = torch.linspace(-1, 1, got.numel(), dtype=torch.float64).view_as(got)
    (wanted,) = torch.autograd.grad(want, x, weights)
    (gotten,) = torch.autograd.grad(got, x, weights)
    assert_allclose(gotten, wanted, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("bidirectional", [True, False])
@pytest.mark.parametrize(("depth", "bias"), [(1, True), (3, True), (3, False)])
@pytest.mark.parametrize("kind", KINDS)
def test_there_and_back(kind: str, depth: int, bias: bool, bidirectional: bool) -> None:
    dropout = 0.25 if depth > 1 else 0.0
    module = module_of(
        kind, num_layers=depth, bias=bias, bidirectional=bidirectional, dropout=dropout, batch_first=True
    )
    module.eval()
    back = to_torch(from_torch(module))
    assert repr(back) == repr(module)
    assert not back.training
    x, states = inputs_of(module)
    for mine, theirs in zip(run_module(back, x, states), run_module(module, x, states), strict=True):
        assert_allclose(mine.detach(), theirs.detach(), rtol=1e-10, atol=1e-10)
    for name, weight in module.state_dict().items():
        if "bias" not in name or kind == "gru":
            assert torch.equal(weight, back.state_dict()[name]), name


def test_stacks_drop_out_between_their_layers() -> None:
    model = from_torch(nn.LSTM(FEATURES, UNITS, num_layers=3, dropout=0.25))
    assert isinstance(model, Sequential)
    assert [type(layer) for layer in model] == [LSTM, nn.Dropout, LSTM, nn.Dropout, LSTM]
    assert model[1].p == 0.25
    assert [layer.config.return_sequences for layer in model[::2]] == [True, True, True]
    last = from_torch(nn.LSTM(FEATURES, UNITS, num_layers=2), return_sequences=False, return_state=True)
    assert [(layer.config.return_sequences, layer.config.return_state) for layer in last] == [
        (True, False),
        (False, True),
    ]


def test_conversion_draws_no_random_numbers_and_shares_no_memory() -> None:
    module = nn.GRU(FEATURES, UNITS)
    before = torch.get_rng_state()
    layer = from_torch(module)
    assert torch.equal(torch.get_rng_state(), before)
    kernel = layer.cell.kernel.detach().clone()
    with torch.no_grad():
        module.weight_ih_l0.add_(1)
    assert torch.equal(layer.cell.kernel, kernel)
    back = to_torch(layer)
    with torch.no_grad():
        layer.cell.kernel.zero_()
    assert back.weight_ih_l0.abs().min() > 0


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_precision_mode_and_frozen_weights_are_kept(dtype: torch.dtype) -> None:
    module = nn.GRU(FEATURES, UNITS, dtype=dtype).eval()
    module.weight_hh_l0.requires_grad_(False)
    module.bias_ih_l0.requires_grad_(False)
    layer = from_torch(module)
    assert [weight.dtype for weight in layer.weights] == [dtype] * 3
    # The two rows of a GRU's bias are one weight: it is trained if either was.
    assert [weight.requires_grad for weight in layer.weights] == [True, False, True]
    assert not layer.training
    module.bias_hh_l0.requires_grad_(False)
    back = to_torch(from_torch(module))
    assert {name: weight.requires_grad for name, weight in back.named_parameters()} == {
        "weight_ih_l0": True,
        "weight_hh_l0": False,
        "bias_ih_l0": False,
        "bias_hh_l0": False,
    }
    assert from_torch(module.train()).training


def test_device_is_kept() -> None:
    layer = from_torch(nn.LSTM(FEATURES, UNITS, num_layers=2, device="meta"))
    assert {weight.device.type for weight in layer.parameters()} == {"meta"}
    assert {weight.device.type for weight in to_torch(layer).parameters()} == {"meta"}


def test_bias_of_rnn_and_lstm_is_the_sum_of_two() -> None:
    module = nn.LSTM(FEATURES, UNITS)
    layer = from_torch(module)
    assert torch.equal(layer.cell.bias, module.bias_ih_l0 + module.bias_hh_l0)
    back = to_torch(layer)
    assert torch.equal(back.bias_ih_l0, layer.cell.bias)
    assert torch.equal(back.bias_hh_l0, torch.zeros(4 * UNITS))


@pytest.mark.parametrize("sparse", [True, False])
def test_embedding_there_and_back(sparse: bool) -> None:
    module = nn.Embedding(7, 3, sparse=sparse, dtype=torch.float64)
    module.weight.requires_grad_(not sparse)
    layer = from_torch(module)
    ids = torch.tensor([[0, 6, 2]])
    assert torch.equal(layer(ids), module(ids))
    back = to_torch(layer)
    assert torch.equal(back.weight, module.weight)
    assert (back.sparse, back.weight.requires_grad) == (sparse, not sparse)
    assert (layer.config.sparse, layer.weights[0].requires_grad) == (sparse, not sparse)


@pytest.mark.parametrize(
    ("module", "error", "message"),
    [
        (nn.Embedding(4, 2, padding_idx=0), ValueError, "padding_idx=0, which changes how it is trained.*Set it to No"),
        (nn.Embedding(4, 2, max_norm=1.0), ValueError, "max_norm=1.0"),
        (nn.Embedding(4, 2, scale_grad_by_freq=True), ValueError, "scale_grad_by_freq=True.*Set it to False"),
        (nn.Linear(2, 2), TypeError, "converts nn.RNN, nn.GRU, nn.LSTM and nn.Embedding, got Linear"),
        (nn.LSTMCell(2, 2), TypeError, "got LSTMCell"),
    ],
)
def test_modules_that_are_refused(module: nn.Module, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        from_torch(module)


def built(layer: Any) -> Any:
    """Build every recurrent layer within, each for the same inputs."""
    for one in layer.modules():
        if isinstance(one, RNN):
            one.build((None, None, FEATURES))
    return layer


@pytest.mark.parametrize(
    ("layer", "setting"),
    [
        (LSTM(2, peephole=True), "peephole=True"),
        (LSTM(2, coupled=True), "coupled=True"),
        (LSTM(2, cell_clip=3.0), "cell_clip=3.0"),
        (LSTM(2, projection_size=1, projection_clip=3.0), "projection_clip=3.0"),
        (LSTM(2, layer_norm=True), "layer_norm=True"),
        (LSTM(2, zoneout=0.1), "zoneout=0.1"),
        (LSTM(2, activation="relu"), "activation='relu'"),
        (LSTM(2, recurrent_activation="hard_sigmoid"), "recurrent_activation='hard_sigmoid'"),
        (LSTM(2, dropout=0.1), "dropout=0.1"),
        (LSTM(2, recurrent_dropout=0.1), "recurrent_dropout=0.1"),
        (LSTM(2, stateful=True), "stateful=True"),
        (GRU(2, reset_after=False), "reset_after=False"),
        (GRU(2, go_backwards=True), "go_backwards=True"),
        (SimpleRNN(2, activation="sigmoid"), "activation='sigmoid'"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_settings_that_torch_lacks_are_named(layer: Any, setting: str) -> None:
    with pytest.raises(ValueError, match=f"^nn.(LSTM|GRU|RNN) knows no {setting}, so this {type(layer).__name__} has "):
        to_torch(built(layer))


@pytest.mark.parametrize(
    ("layer", "error", "message"),
    [
        (Bidirectional(LSTM(2), merge_mode="sum"), ValueError, "concatenate.*got merge_mode='sum'"),
        (Bidirectional(GRU(2, go_backwards=True), None, GRU(2)), ValueError, "concatenate"),
        (Bidirectional(GRU(2), backward_layer=GRU(3, go_backwards=True)), ValueError, "of one kind, and alike in unit"),
        (Sequential([GRU(2, return_sequences=True), GRU(3)]), ValueError, "alike in units"),
        (Sequential([GRU(2, return_sequences=True), LSTM(2)]), ValueError, "of one kind"),
        (Sequential([GRU(2, return_sequences=True), Bidirectional(GRU(2))]), ValueError, "of one kind"),
        (Sequential([GRU(2, return_sequences=True), nn.Dropout(0.1)]), ValueError, "one rate.*got GRU, Dropout"),
        (Sequential(), ValueError, "got no layer"),
        (RNN(LSTMCell(2)), TypeError, "got RNN"),
        (Sequential([Embedding(3, FEATURES)]), TypeError, "got Embedding"),
        (Embedding(3, 2, mask_zero=True), ValueError, "nn.Embedding makes no mask"),
    ],
)
def test_layers_that_torch_has_no_like_of(layer: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        to_torch(built(layer))


def test_stacks_that_torch_has_no_like_of() -> None:
    half = built(Sequential([GRU(2, return_sequences=True), nn.Dropout(0.1), GRU(2, return_sequences=True), GRU(2)]))
    with pytest.raises(ValueError, match="one rate of dropout, between all of its layers or none; got GRU, Dropout, "):
        to_torch(half)
    with pytest.raises(ValueError, match="but the last must return sequences"):
        to_torch(Sequential([built(GRU(2)), built(GRU(2))]))


def test_layer_that_is_not_built() -> None:
    with pytest.raises(RuntimeError, match=r"LSTM.to_torch: this LSTM is not built.*build\("):
        to_torch(LSTM(4))


def test_training_goes_on_where_it_stopped() -> None:
    """A step of gradient descent here is a step there; of two biases, one must be frozen for that."""
    module = module_of("lstm", batch_first=True)
    module.bias_hh_l0.requires_grad_(False)
    layer, x = from_torch(module), inputs_of(module)[0].detach()
    twin = copy.deepcopy(module)
    for model in (layer, twin):
        optimizer = torch.optim.SGD([weight for weight in model.parameters() if weight.requires_grad], lr=0.1)
        output = model(x)
        (output if isinstance(output, Tensor) else output[0]).square().sum().backward()
        optimizer.step()
    assert_allclose(layer(x).detach(), twin(x)[0].detach(), rtol=1e-10, atol=1e-10)
    assert (layer(x) - module(x)[0]).abs().max() > 1e-4
