"""What all layers share: weights that come with the first input, wherever the layer has been in the meantime."""

from __future__ import annotations

import copy
import io
import json
import pickle
from typing import Any

import pytest
import torch
from numpy.testing import assert_array_equal
from torch import nn

from daneo import layers

X = torch.randn(2, 5, 3, generator=torch.Generator().manual_seed(0))
KINDS: list[Any] = [layers.SimpleRNN, layers.GRU, layers.LSTM]
FULL = {"peephole": True, "layer_norm": True, "projection_size": 2, "cell_clip": 3.0, "projection_clip": 2.0}
every_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)


def pickled(layer: nn.Module) -> Any:
    return pickle.loads(pickle.dumps(layer))


def saved_whole(layer: nn.Module) -> Any:
    file = io.BytesIO()
    torch.save(layer, file)
    file.seek(0)
    return torch.load(file, weights_only=False)


COPIES = [copy.deepcopy, pickled, saved_whole]
every_copy = pytest.mark.parametrize("duplicate", COPIES, ids=lambda function: function.__name__)


# ------------------------------------------------------------------------------------------------------------ building


@every_kind
def test_the_first_call_and_build_make_the_same_weights(kind: Any) -> None:
    called, built, from_list = kind(4), kind(4), kind(4)
    torch.manual_seed(1)
    called(X)
    torch.manual_seed(1)
    built.build((None, None, 3))
    torch.manual_seed(1)
    from_list.build([7, 3])
    for mine, other, third in zip(called.weights, built.weights, from_list.weights, strict=True):
        assert_array_equal(mine.detach(), other.detach())
        assert_array_equal(mine.detach(), third.detach())


def test_building_again_changes_nothing() -> None:
    layer = layers.GRU(4)
    layer(X)
    before = [weight.clone() for weight in layer.weights]
    layer.build((None, None, 3))
    layer.build((None, None, 8))
    assert all(torch.equal(mine, old) for mine, old in zip(layer.weights, before, strict=True))


@pytest.mark.parametrize("ask", [lambda layer: layer.weights, lambda layer: layer.count_params()])
@pytest.mark.parametrize("layer", [layers.LSTM(4), layers.RNN([layers.GRUCell(2)]), layers.LSTMCell(3)])
def test_a_layer_that_is_not_built_says_so(layer: Any, ask: Any) -> None:
    with pytest.raises(RuntimeError, match=r"is not built.*Call it on an input, or build\(\(None, None, features\)\)"):
        ask(layer)
    assert not layer.built


def test_unbuilt_weights_cannot_be_saved_by_mistake() -> None:
    with pytest.raises(RuntimeError, match="^LSTM.state_dict: this LSTM is not built"):
        nn.Sequential(layers.LSTM(4), nn.Linear(4, 1)).state_dict()


@pytest.mark.parametrize("shape", [(None, None, None), (), (2, 5, 0)])
def test_build_needs_the_number_of_features(shape: Any) -> None:
    with pytest.raises(ValueError, match="LSTMCell.build expected a shape that ends with the number of features"):
        layers.LSTM(4).build(shape)


def test_an_optimizer_made_before_the_weights_trains_them() -> None:
    layer = layers.LSTM(4, peephole=True)
    optimizer = torch.optim.Adam(layer.parameters(), lr=0.1)
    layer(X).sum().backward()
    before = [weight.detach().clone() for weight in layer.weights]
    optimizer.step()
    assert [torch.equal(old, new) for old, new in zip(before, layer.weights, strict=True)] == [False] * 4


def test_frozen_before_the_first_call_is_frozen_after_it() -> None:
    layer = layers.GRU(4).requires_grad_(False)
    assert not layer(X).requires_grad
    assert [weight.requires_grad for weight in layer.weights] == [False] * 3


def test_weights_made_in_inference_mode_can_be_trained() -> None:
    layer = layers.LSTM(4)
    with torch.inference_mode():
        layer(X)
    layer(X).sum().backward()
    assert layer.cell.kernel.grad is not None


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("how", ["argument", "name", "to", "method", "default"])
def test_precision_is_settled_before_the_weights_are_made(dtype: torch.dtype, how: str) -> None:
    if how in ("argument", "name"):
        layer = layers.LSTM(4, layer_norm=True, dtype=dtype if how == "argument" else str(dtype).split(".")[1])
    elif how == "default":
        torch.set_default_dtype(dtype)
        try:
            layer = layers.LSTM(4, layer_norm=True)
        finally:
            torch.set_default_dtype(torch.float32)
    else:
        layer = layers.LSTM(4, layer_norm=True)
        methods = {torch.float64: layer.double, torch.bfloat16: layer.bfloat16, torch.float16: layer.half}
        layer = layer.to(dtype) if how == "to" else methods[dtype]()
    assert layer(X.to(dtype)).dtype == dtype
    assert {weight.dtype for weight in layer.weights} == {dtype}


def test_no_other_numbers_than_floating_point_can_be_weights() -> None:
    with pytest.raises(ValueError, match="expected a dtype such as 'float32', got 'int8'"):
        layers.LSTM(4, dtype="int8")
    with pytest.raises(ValueError, match="got torch.int64"):
        layers.LSTM(4, dtype=torch.int64)


@every_kind
def test_bfloat16_by_casting_is_near(kind: Any) -> None:
    layer = kind(4, return_sequences=True)
    exact = layer(X)
    rough = layer.to(torch.bfloat16)(X.to(torch.bfloat16))
    assert rough.dtype is torch.bfloat16
    # bfloat16 has 8 bits, and each of 5 steps rounds several times.
    torch.testing.assert_close(rough.float(), exact, rtol=0.05, atol=0.05)


@every_kind
def test_autocast_computes_in_half_and_keeps_the_weights(kind: Any) -> None:
    layer = kind(4, return_sequences=True)
    exact = layer(X)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        rough = layer(X)
        torch.testing.assert_close(layer(X.bfloat16()).float(), exact, rtol=0.05, atol=0.05)
    torch.testing.assert_close(rough.float(), exact, rtol=0.05, atol=0.05)
    rough.float().sum().backward()
    assert {weight.grad.dtype for weight in layer.weights} == {torch.float32}


def test_the_device_is_settled_before_the_weights_are_made() -> None:
    for layer in (layers.LSTM(4, device="meta"), layers.LSTM(4).to("meta")):
        layer.build((None, None, 3))
        assert {weight.device.type for weight in layer.weights} == {"meta"}
        assert layer(X.to("meta")).shape == (2, 4)


@every_kind
@every_copy
def test_copies_of_a_layer_that_is_not_built(kind: Any, duplicate: Any) -> None:
    layer = duplicate(kind(4, dtype="float64"))
    assert not layer.built
    assert layer(X.double()).dtype is torch.float64


@every_kind
@every_copy
def test_copies_of_a_built_layer_are_equal_and_apart(kind: Any, duplicate: Any) -> None:
    layer = kind(4, return_sequences=True)
    expected = layer(X)
    other = duplicate(layer)
    assert torch.equal(other(X), expected)
    with torch.no_grad():
        other.weights[0].zero_()
    assert torch.equal(layer(X), expected)


# ------------------------------------------------------------------------------------------------------------- PyTorch


@pytest.mark.parametrize(
    "make",
    [
        lambda: layers.SimpleRNN(4, use_bias=False),
        lambda: layers.GRU(4, reset_after=False),
        lambda: layers.LSTM(4, **FULL),
        lambda: layers.RNN([layers.LSTMCell(4), layers.GRUCell(3)]),
    ],
)
@pytest.mark.parametrize("assign", [False, True])
def test_a_state_dict_builds_the_layer(make: Any, assign: bool) -> None:
    trained = make()
    expected = trained(X)
    fresh = make()
    report = fresh.load_state_dict(trained.state_dict(), assign=assign)
    assert report.missing_keys == report.unexpected_keys == []
    assert fresh.built
    assert torch.equal(fresh(X), expected)


def test_a_state_dict_of_another_size_is_refused() -> None:
    trained = layers.LSTM(4)
    trained(X)
    with pytest.raises(RuntimeError, match="size mismatch for cell.kernel"):
        layers.LSTM(5).load_state_dict(trained.state_dict())
    with pytest.raises(RuntimeError, match="Missing key.*peephole_kernel"):
        layers.LSTM(4, peephole=True).load_state_dict(trained.state_dict())
    with pytest.raises(RuntimeError, match="Missing key.*cell.kernel"):
        layers.LSTM(4).load_state_dict({})


@every_kind
@pytest.mark.parametrize("built", [False, True])
def test_compiled_in_one_piece(kind: Any, built: bool) -> None:
    torch._dynamo.reset()
    layer = kind(4, return_sequences=True)
    if built:
        layer(X)
    compiled = torch.compile(layer, fullgraph=True, backend="eager")
    torch.testing.assert_close(compiled(X), layer(X))


def test_gradients_of_single_samples() -> None:
    layer = layers.LSTM(4, peephole=True)
    layer(X)
    weights = {name: weight.detach() for name, weight in layer.named_parameters()}

    def loss(weights: Any, x: torch.Tensor) -> torch.Tensor:
        return torch.func.functional_call(layer, weights, (x[None],)).square().sum()

    found = torch.func.vmap(torch.func.grad(loss), (None, 0))(weights, X)
    for row in range(2):
        layer.zero_grad()
        layer(X[row : row + 1]).square().sum().backward()
        for name, weight in layer.named_parameters():
            torch.testing.assert_close(found[name][row], weight.grad)


# --------------------------------------------------------------------------------------------------- settings and text


@pytest.mark.parametrize(
    "layer",
    [
        layers.SimpleRNN(4, activation="relu", return_sequences=True, dtype="float64"),
        layers.GRU(4, reset_after=False, go_backwards=True, recurrent_activation="hard_sigmoid"),
        layers.LSTM(4, zoneout=(0.5, 0.1), dropout=0.5, stateful=True, kernel_initializer="he_normal", **FULL),
        layers.LSTM(4, activation=None, coupled=True),
        layers.RNN([layers.LSTMCell(4, peephole=True), layers.GRUCell(3)], return_state=True),
        layers.RNN(layers.SimpleRNNCell(2), zero_output_for_mask=True),
        layers.GRUCell(3, recurrent_dropout=0.25),
    ],
    ids=repr,
)
def test_settings_survive_json(layer: Any) -> None:
    config = json.loads(json.dumps(layer.get_config()))
    twin = type(layer).from_config(config)
    assert twin.get_config() == layer.get_config()
    assert repr(twin) == repr(layer)
    again = layers.deserialize(json.loads(json.dumps(layers.serialize(layer))))
    assert type(again) is type(layer)
    assert again.get_config() == layer.get_config()


def test_the_precision_that_is_written_down_is_the_present_one() -> None:
    assert layers.LSTM(4).to(torch.float64).get_config()["dtype"] == "float64"


def test_a_function_cannot_be_written_down() -> None:
    layer = layers.LSTM(4, activation=torch.sin)
    assert layer(X).shape == (2, 4)
    with pytest.raises(TypeError, match="^LSTM.get_config cannot write down activation=.*give it by its name"):
        layer.get_config()


def test_settings_cannot_be_changed_in_vain() -> None:
    layer = layers.LSTM(4)
    for name in ("units", "return_sequences", "dropout"):
        with pytest.raises(AttributeError, match=f"^LSTM.{name} is settled when the layer is made"):
            setattr(layer, name, 1)
    layer.note = "anything else is free"
    assert layer.note == "anything else is free"


def test_settings_are_attributes() -> None:
    layer = layers.LSTM(4, return_sequences=True)
    assert (layer.units, layer.cell.units, layer.return_sequences, layer.activation) == (4, 4, True, "tanh")
    with pytest.raises(AttributeError, match="'LSTM' object has no attribute 'unitz'"):
        layer.unitz  # noqa: B018


@pytest.mark.parametrize(
    ("layer", "text"),
    [
        (layers.LSTM(64), "LSTM(units=64), not built"),
        (layers.RNN(layers.GRUCell(4), stateful=True), "RNN(GRUCell(units=4), stateful=True), not built"),
        (
            layers.RNN([layers.LSTMCell(4), layers.GRUCell(3)]),
            "RNN(StackedRNNCells([LSTMCell(units=4), GRUCell(units=3)])), not built",
        ),
    ],
)
def test_text_of_a_layer_that_is_not_built(layer: Any, text: str) -> None:
    assert repr(layer) == text


def test_text_of_a_built_layer() -> None:
    layer = layers.LSTM(64, return_sequences=True)
    layer.build((None, None, 100))
    assert repr(layer) == (
        "LSTM(units=64, return_sequences=True) 100 -> 64, "
        "42,240 parameters: kernel (100, 256), recurrent_kernel (64, 256), bias (256,)"
    )
    assert layer.count_params() == 42_240
    assert "(0): LSTM(units=64, return_sequences=True) 100 -> 64" in repr(nn.Sequential(layer))


# -------------------------------------------------------------------------------------------------------- descriptions


class Twice(nn.Module):
    state_size = 3

    def forward(self, x: torch.Tensor, states: list[torch.Tensor]) -> tuple[torch.Tensor, list[torch.Tensor]]:
        return 2 * x, states

    def get_config(self) -> dict[str, Any]:
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Twice:
        return cls(**config)


def test_a_cell_of_ones_own_is_found_where_it_is_given() -> None:
    description = layers.serialize(layers.RNN([layers.GRUCell(3), Twice()], return_sequences=True))
    layer = layers.deserialize(description, {"Twice": Twice})
    assert isinstance(layer.cell.cells[1], Twice)
    with pytest.raises(ValueError, match=r"^No layer is called 'Twice': pass its class as custom_objects="):
        layers.deserialize(description)


@pytest.mark.parametrize("name", ["os.system", "deserialize", "Layer2", "__loader__", 3, None])
def test_only_layers_are_made_from_descriptions(name: Any) -> None:
    with pytest.raises(ValueError, match="No layer is called"):
        layers.deserialize({"class_name": name, "config": {}})


@pytest.mark.parametrize("description", [{}, {"class_name": "LSTM"}, "LSTM", None])
def test_a_description_has_two_parts(description: Any) -> None:
    with pytest.raises(ValueError, match="^Expected a description of a layer, with class_name and config"):
        layers.deserialize(description)


def test_a_module_without_settings_cannot_be_described() -> None:
    with pytest.raises(TypeError, match=r"^A Linear cannot be written down: it has no get_config\(\)\.$"):
        layers.serialize(nn.Linear(2, 2))
