"""The variants of the LSTM against PyTorch, and against the equations of their papers written down once more."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from torch import Tensor

from daneo import layers

B, T, D, U, P = 3, 6, 4, 5, 2
VARIANTS: dict[str, dict[str, Any]] = {
    "plain": {},
    "no bias": {"use_bias": False},
    "peephole": {"peephole": True},
    "coupled": {"coupled": True},
    "coupled peephole": {"coupled": True, "peephole": True},
    "projection": {"projection_size": P},
    "clips": {"projection_size": P, "cell_clip": 0.4, "projection_clip": 0.15},
    "cell clip with peepholes": {"cell_clip": 0.4, "peephole": True},
    "layer norm": {"layer_norm": True},
    "layer norm without bias": {"layer_norm": True, "use_bias": False},
    "zoneout": {"zoneout": (0.5, 0.05)},
    "all": {
        "peephole": True,
        "projection_size": P,
        "cell_clip": 0.5,
        "projection_clip": 0.2,
        "layer_norm": True,
        "zoneout": 0.1,
    },
}
every_variant = pytest.mark.parametrize("options", VARIANTS.values(), ids=VARIANTS.keys())


def layer_of(options: dict[str, Any], seed: int = 0, **settings: Any) -> Any:
    layer = layers.LSTM(U, dtype="float64", return_state=True, **options, **settings)
    layer.build((None, None, D))
    rng = np.random.default_rng(seed)
    for weight in layer.weights:
        weight.data = torch.tensor(0.7 * rng.standard_normal(weight.shape))
    return layer.eval()


def inputs_of(layer: Any, seed: int = 1) -> list[Tensor]:
    rng = np.random.default_rng(seed)
    hidden = layer.cell.output_size
    return [torch.tensor(rng.standard_normal(shape)) for shape in ((B, T, D), (B, hidden), (B, U))]


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def normalised(x: np.ndarray) -> np.ndarray:
    return (x - x.mean(1, keepdims=True)) / np.sqrt(x.var(1, keepdims=True) + 1e-5)


def by_the_papers(layer: Any, x: np.ndarray, h: np.ndarray, c: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The last states, one equation after the other, gate by gate."""
    settings, cell = layer.config, layer.cell
    w = {name: weight.detach().numpy() for name, weight in cell.named_parameters()}
    bias = w.get("bias", np.zeros(4 * U))
    p_i, p_f, p_o = w.get("peephole_kernel", np.zeros((3, U)))
    for t in range(x.shape[1]):
        from_x, from_h = x[:, t] @ w["kernel"], h @ w["recurrent_kernel"]
        if settings.layer_norm:
            from_x, from_h = normalised(from_x) * w["input_scale"], normalised(from_h) * w["recurrent_scale"]
        i, f, g, o = np.split(from_x + from_h + bias, 4, axis=1)
        i = sigmoid(i + p_i * c)
        f = 1 - i if settings.coupled else sigmoid(f + p_f * c)
        c_new = f * c + i * np.tanh(g)
        if settings.cell_clip:
            c_new = np.clip(c_new, -settings.cell_clip, settings.cell_clip)
        o = sigmoid(o + p_o * c_new)
        shown = normalised(c_new) * w["cell_scale"] + w["cell_shift"] if settings.layer_norm else c_new
        h_new = o * np.tanh(shown)
        if settings.projection_size:
            h_new = h_new @ w["projection_kernel"]
        if settings.projection_clip:
            h_new = np.clip(h_new, -settings.projection_clip, settings.projection_clip)
        zone_c, zone_h = settings.zoneout_rates
        c, h = zone_c * c + (1 - zone_c) * c_new, zone_h * h + (1 - zone_h) * h_new
    return h, c


@every_variant
def test_by_the_papers(options: dict[str, Any]) -> None:
    layer = layer_of(options)
    x, h, c = inputs_of(layer)
    output, hidden, cell = (one.detach() for one in layer(x, initial_state=[h, c]))
    expected_hidden, expected_cell = by_the_papers(layer, x.numpy(), h.numpy(), c.numpy())
    assert_allclose(hidden, expected_hidden, rtol=1e-12, atol=1e-12)
    assert_allclose(cell, expected_cell, rtol=1e-12, atol=1e-12)
    assert_allclose(output, hidden, rtol=0, atol=0)


@every_variant
def test_every_option_does_something(options: dict[str, Any]) -> None:
    for name in options:
        rest = {key: other for key, other in options.items() if key != name}
        if name in ("projection_size", "use_bias"):
            continue  # the weights are others
        layer, without = layer_of(options), layer_of(rest)
        for key, weight in without.cell.named_parameters():
            weight.data = layer.cell.get_parameter(key).data
        inputs = inputs_of(layer)
        assert not torch.equal(layer(inputs[0], inputs[1:])[1], without(inputs[0], inputs[1:])[1]), name


@every_variant
def test_gradients_are_those_of_finite_differences_twice(options: dict[str, Any]) -> None:
    layer = layer_of(options, return_sequences=True)
    x, h, c = (one[:2, :2] if one.ndim == 3 else one[:2] for one in inputs_of(layer))
    names, weights = zip(*layer.named_parameters(), strict=True)

    def run(x: Tensor, h: Tensor, c: Tensor, *weights: Tensor) -> tuple[Tensor, ...]:
        mask = torch.tensor([[True, False], [True, True]])
        return torch.func.functional_call(layer, dict(zip(names, weights, strict=True)), (x, [h, c]), {"mask": mask})

    inputs = [one.detach().clone().requires_grad_() for one in (x, h, c, *weights)]
    assert torch.autograd.gradcheck(run, inputs)
    assert torch.autograd.gradgradcheck(run, inputs, fast_mode=True)


@pytest.mark.parametrize("size", [None, P], ids=["plain", "projection"])
def test_against_torch(size: int | None) -> None:
    layer = layer_of({"projection_size": size}, return_sequences=True)
    module = torch.nn.LSTM(D, U, batch_first=True, proj_size=size or 0, dtype=torch.float64)
    cell = layer.cell
    with torch.no_grad():
        module.weight_ih_l0.copy_(cell.kernel.T)
        module.weight_hh_l0.copy_(cell.recurrent_kernel.T)
        module.bias_ih_l0.copy_(cell.bias)
        module.bias_hh_l0.zero_()
        if size:
            module.weight_hr_l0.copy_(cell.projection_kernel.T)
    inputs = [one.requires_grad_() for one in inputs_of(layer)]
    x, h, c = inputs
    mine = layer(x, initial_state=[h, c])
    outputs, (hidden, last_cell) = module(x, (h[None], c[None]))
    theirs = (outputs, hidden[0], last_cell[0])
    for one, other in zip(mine, theirs, strict=True):
        assert_allclose(one.detach(), other.detach(), rtol=1e-12, atol=1e-12)
    weights = [module.weight_ih_l0, module.weight_hh_l0, module.bias_ih_l0, *([module.weight_hr_l0] if size else [])]
    weighing = [torch.randn_like(one) for one in mine]

    def gradients(results: Any, wanted: list[Tensor]) -> Any:
        return torch.autograd.grad(sum((a * b).sum() for a, b in zip(results, weighing, strict=True)), wanted)

    found, expected = gradients(mine, [*inputs, *layer.weights]), gradients(theirs, [*inputs, *weights])
    for one, other in zip(found[:3], expected[:3], strict=True):
        assert_allclose(one, other, rtol=1e-10, atol=1e-10)
    for one, other in zip(found[3:], expected[3:], strict=True):
        assert_allclose(one, other.T if other.ndim == 2 else other, rtol=1e-10, atol=1e-10)


# ------------------------------------------------------------------------------------------------------------- zoneout


def test_zoneout_of_everything_stands_still() -> None:
    layer = layer_of({"zoneout": 1.0}).train()
    x, h, c = inputs_of(layer)
    _, hidden, cell = layer(x, initial_state=[h, c])
    assert torch.equal(hidden, h)
    assert torch.equal(cell, c)


def test_zoneout_leaves_numbers_or_replaces_them() -> None:
    units, rates = 400, (0.25, 0.6)
    layer = layers.LSTM(units, zoneout=rates, return_state=True)
    h, c = torch.full((8, units), 3.0), torch.full((8, units), 5.0)
    x = torch.ones(8, 1, 2)
    torch.manual_seed(0)
    _, hidden, cell = layer(x, initial_state=[h, c])
    plain = layers.LSTM(units, return_state=True)
    plain.load_state_dict(layer.state_dict())
    # In training h' comes from the c' that zoneout has not touched.
    _, new_hidden, new_cell = plain(x, initial_state=[h, c])
    for rate, old, new, got in zip(rates, (c, h), (new_cell, new_hidden), (cell, hidden), strict=True):
        stayed = got == old
        torch.testing.assert_close(torch.where(stayed, old, new), got)
        assert abs(float(stayed.float().mean()) - rate) < 5 * (rate * (1 - rate) / stayed.numel()) ** 0.5


def test_zoneout_draws_anew_at_every_step() -> None:
    layer = layers.LSTM(200, zoneout=0.5, return_sequences=True)
    torch.manual_seed(0)
    outputs = layer(torch.randn(1, 3, 2))
    moved = outputs[:, 1:] != outputs[:, :-1]
    assert not torch.equal(moved[:, 0], moved[:, 1])


# ------------------------------------------------------------------------------------------------------ how they begin


def test_new_weights_of_the_options() -> None:
    torch.manual_seed(0)
    layer = layers.LSTM(50, peephole=True, projection_size=30, layer_norm=True, bias_initializer="ones")
    layer.build((None, None, 7))
    cell = layer.cell
    shapes = [tuple(weight.shape) for weight in layer.weights]
    assert shapes == [(7, 200), (30, 200), (200,), (3, 50), (50, 30), (200,), (200,), (50,), (50,)]
    limit = (6 / (50 + 50)) ** 0.5  # a row is a vector of 50 numbers
    assert 0.95 * limit < cell.peephole_kernel.detach().abs().max() <= limit
    assert cell.bias.tolist() == [1.0] * 200
    for weight, value in ((cell.input_scale, 1), (cell.recurrent_scale, 1), (cell.cell_scale, 1), (cell.cell_shift, 0)):
        assert weight.tolist() == [value] * len(weight)


def test_the_forget_gate_begins_open() -> None:
    open_gate, closed = layers.LSTM(2), layers.LSTM(2, unit_forget_bias=False)
    for layer in (open_gate, closed):
        layer.build((None, None, 3))
    assert open_gate.cell.bias.tolist() == [0, 0, 1, 1, 0, 0, 0, 0]
    assert closed.cell.bias.tolist() == [0] * 8


def test_peepholes_begin_as_they_are_told() -> None:
    layer = layers.LSTM(4, peephole=True, peephole_initializer="zeros", kernel_initializer="orthogonal")
    layer.build((None, None, 3))
    assert layer.cell.peephole_kernel.abs().max() == 0
    assert_allclose(layer.cell.kernel.detach() @ layer.cell.kernel.detach().T, np.eye(3), atol=1e-6)


def test_the_forget_gate_of_coupled_gates_plays_no_part() -> None:
    layer = layer_of({"coupled": True, "peephole": True})
    x, h, c = inputs_of(layer)
    layer(x, initial_state=[h, c])[0].sum().backward()
    cell = layer.cell
    for gradient in (cell.kernel.grad[:, U : 2 * U], cell.bias.grad[U : 2 * U], cell.peephole_kernel.grad[1]):
        assert gradient.abs().max() == 0
