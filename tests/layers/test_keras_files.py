"""load_keras, load_keras_weights and save_keras: Keras reads what we write, and we what it wrote, 2 and 3."""

from __future__ import annotations

import gzip
import json
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from torch import nn

from daneo.layers import (
    GRU,
    LSTM,
    RNN,
    Bidirectional,
    Embedding,
    GRUCell,
    LSTMCell,
    Sequential,
    SimpleRNN,
    TimeDistributed,
    load_keras,
    load_keras_weights,
    save_keras,
)

pytest.importorskip("h5py")

KERAS_2 = Path(__file__).parent / "keras_2"
IDS = np.array([[1, 2, 3, 0, 0], [4, 0, 5, 5, 1]])
FORMS = [".keras", ".h5"]


def our_model() -> Sequential:
    """A model of all layers that Keras 3 has too."""
    model = Sequential(
        [
            Embedding(6, 4, mask_zero=True),
            LSTM(3, return_sequences=True, dropout=0.1, recurrent_dropout=0.2, unit_forget_bias=False),
            LSTM(3, return_sequences=True, activation="relu", recurrent_activation="hard_sigmoid", use_bias=False),
            nn.Dropout(0.25),
            Bidirectional(GRU(2, return_sequences=True, reset_after=False), merge_mode="mul"),
            RNN([LSTMCell(2), LSTMCell(3), GRUCell(2)], return_sequences=True),
            TimeDistributed(nn.Linear(2, 5)),
            nn.ReLU(),
            GRU(3, return_sequences=True, zero_output_for_mask=True),
            Bidirectional(SimpleRNN(2), backward_layer=SimpleRNN(2, activation="relu", go_backwards=True)),
            nn.Linear(4, 2, bias=False),
            nn.Softmax(-1),
        ]
    )
    model(IDS)
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for weight in model.parameters():
            weight.copy_(torch.randn(weight.shape, generator=generator) / 2)
    return model.eval()


def outputs(model: Any) -> np.ndarray:
    return model(IDS).detach().numpy()


def keras_model() -> Any:
    """A model of Keras 3, with names of its user's, a regularizer, a frozen layer, and weights that are not zero."""
    keras = pytest.importorskip("keras")
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((None,)),
            layers.Embedding(6, 4, mask_zero=True),
            layers.LSTM(3, return_sequences=True, name="reader", kernel_regularizer="l2"),
            layers.LSTM(3, return_sequences=True, recurrent_activation="hard_sigmoid", dropout=0.1, seed=1),
            layers.Bidirectional(layers.GRU(2, return_sequences=True)),
            layers.Dropout(0.5),
            layers.RNN([layers.LSTMCell(2), layers.GRUCell(3)], return_sequences=True),
            layers.TimeDistributed(layers.Dense(2, activation="tanh")),
            layers.Bidirectional(layers.SimpleRNN(2), merge_mode="ave", name="both"),
            layers.Dense(3),
            layers.Activation("softmax"),
        ]
    )
    rng = np.random.default_rng(1)
    model.set_weights([rng.normal(size=array.shape) / 2 for array in model.get_weights()])
    model.layers[1].trainable = False
    model.compile("adam", "mse")  # its state is in the file too
    return model


@pytest.mark.parametrize("form", FORMS)
def test_models_of_keras_are_loaded(form: str, tmp_path: Path) -> None:
    other = keras_model()
    other.save(tmp_path / f"model{form}")
    with pytest.warns(UserWarning, match=rf"model{form}: kernel_regularizer of LSTM are left out; only training"):
        model = load_keras(tmp_path / f"model{form}").eval()
    assert_allclose(outputs(model), outputs(other), rtol=1e-5, atol=1e-6)
    for ours, theirs in zip(model.get_weights(), other.get_weights(), strict=True):
        assert np.array_equal(ours, theirs)
    assert [type(layer).__name__ for layer in model] == [
        "Embedding", "LSTM", "LSTM", "Bidirectional", "Dropout", "RNN", "TimeDistributed", "Tanh", "Bidirectional",
        "Linear", "Softmax",
    ]  # fmt: skip
    assert [weight.requires_grad for weight in model[1].parameters()] == [False] * 3
    assert all(weight.requires_grad for weight in model[2].parameters())
    assert model[2].config.recurrent_activation == "hard_sigmoid"
    assert model[2].config.dropout == 0.1


@pytest.mark.parametrize("built", [True, False])
@pytest.mark.parametrize("form", [".weights.h5", *FORMS])
def test_weights_of_keras_fill_models(form: str, built: bool, tmp_path: Path) -> None:
    """Layers without weights may be there or not."""
    other = keras_model()
    other.save_weights(tmp_path / "x.weights.h5") if form == ".weights.h5" else other.save(tmp_path / f"x{form}")
    model = Sequential(
        [
            Embedding(6, 4, mask_zero=True),
            LSTM(3, return_sequences=True),
            LSTM(3, return_sequences=True, recurrent_activation="hard_sigmoid"),
            Bidirectional(GRU(2, return_sequences=True)),
            RNN([LSTMCell(2), GRUCell(3)], return_sequences=True),
            TimeDistributed(nn.Linear(3, 2)),
            nn.Tanh(),
            Bidirectional(SimpleRNN(2), merge_mode="ave"),
            nn.Linear(2, 3),
            nn.Softmax(-1),
        ]
    )
    if built:
        model.build((None, None))
    load_keras_weights(model, tmp_path / f"x{form}")
    assert_allclose(outputs(model), outputs(other), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("form", FORMS)
def test_keras_loads_our_models(form: str, tmp_path: Path) -> None:
    keras, model = pytest.importorskip("keras"), our_model()
    save_keras(model, tmp_path / f"model{form}")
    other = keras.saving.load_model(tmp_path / f"model{form}", compile=False)
    assert_allclose(outputs(other), outputs(model), rtol=1e-5, atol=1e-6)
    assert [layer.name for layer in other.layers[:4]] == ["embedding", "lstm", "lstm_1", "dropout"]
    assert other.layers[1].dropout == 0.1


@pytest.mark.parametrize("form", [".weights.h5", *FORMS])
def test_keras_fills_its_models_with_our_weights(form: str, tmp_path: Path) -> None:
    keras, model = pytest.importorskip("keras"), our_model()
    save_keras(model, tmp_path / "model.keras")
    other = keras.saving.load_model(tmp_path / "model.keras", compile=False)
    other.set_weights([array * 0 for array in other.get_weights()])
    save_keras(model, tmp_path / f"x{form}")
    other.load_weights(tmp_path / f"x{form}")
    assert_allclose(outputs(other), outputs(model), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
@pytest.mark.parametrize("form", FORMS)
def test_there_and_back(form: str, dtype: str, tmp_path: Path) -> None:
    model = our_model().to(getattr(torch, dtype))
    model[0].requires_grad_(False)
    save_keras(model, tmp_path / f"model{form}")
    back = load_keras(tmp_path / f"model{form}").eval()
    assert [repr(layer) for layer in back] == [repr(layer) for layer in model]
    assert [weight.dtype for weight in back.parameters()] == [weight.dtype for weight in model.parameters()]
    for ours, theirs in zip(back.get_weights(), model.get_weights(), strict=True):
        assert np.array_equal(ours, theirs)
    assert not back[0].embeddings.requires_grad
    if dtype != "float16":
        assert np.array_equal(outputs(back), outputs(model))


def test_layers_within_layers_and_first_layers_that_read_vectors(tmp_path: Path) -> None:
    keras = pytest.importorskip("keras")
    model = Sequential([nn.Linear(3, 2), Sequential([LSTM(4, return_sequences=True), GRU(2)]), nn.Linear(2, 1)])
    x = torch.randn(2, 5, 3)
    model(x)
    save_keras(model, tmp_path / "model.keras")
    other = keras.saving.load_model(tmp_path / "model.keras")
    assert_allclose(other(x).detach().numpy(), model(x).detach().numpy(), rtol=1e-5, atol=1e-6)
    again = Sequential([nn.Linear(3, 2), Sequential([LSTM(4, return_sequences=True), GRU(2)]), nn.Linear(2, 1)])
    load_keras_weights(again, tmp_path / "model.keras")
    assert torch.equal(again(x), model(x))
    back = load_keras(tmp_path / "model.keras")
    assert torch.equal(back(x), model(x))


# --------------------------------------------------------------------------------------------------------- Keras 2


@pytest.fixture
def keras_2(tmp_path: Path) -> Path:
    """The folder of files that keras_2/README.md tells of, unpacked."""
    for packed in KERAS_2.glob("*.gz"):
        (tmp_path / packed.stem).write_bytes(gzip.decompress(packed.read_bytes()))
    return tmp_path


WRITTEN_BY_KERAS_2 = [[0.26917406916618347], [0.26443132758140564]]


def like_keras_2() -> Sequential:
    return Sequential(
        [
            Embedding(6, 3, mask_zero=True),
            LSTM(2, return_sequences=True, peephole=True),
            Bidirectional(GRU(2, return_sequences=True, reset_after=False), merge_mode="sum"),
            TimeDistributed(nn.Linear(2, 3)),
            nn.ReLU(),
            LSTM(2),
            nn.Linear(2, 1),
            nn.Sigmoid(),
        ]
    )


@pytest.mark.parametrize("name", ["model.h5", "model.keras"])
def test_models_of_keras_2_with_peepholes(name: str, keras_2: Path) -> None:
    with pytest.warns(UserWarning, match="kernel_regularizer of LSTM are left out"):
        model = load_keras(keras_2 / name)
    assert_allclose(outputs(model), WRITTEN_BY_KERAS_2, rtol=1e-6)
    assert repr(model[1]).startswith("LSTM(units=2, peephole=True, return_sequences=True)")
    assert [weight.requires_grad for weight in model[2].parameters()] == [False] * 6
    assert all(weight.requires_grad for weight in model[1].parameters())


@pytest.mark.parametrize("name", ["model.h5", "model.keras", "only_weights.h5", "model.weights.h5"])
def test_weights_of_keras_2_with_peepholes(name: str, keras_2: Path) -> None:
    model = like_keras_2()
    load_keras_weights(model, keras_2 / name)
    assert_allclose(outputs(model), WRITTEN_BY_KERAS_2, rtol=1e-6)


@pytest.mark.parametrize("form", FORMS)
def test_peepholes_there_and_back(form: str, tmp_path: Path) -> None:
    """Written as TensorFlow Addons' cell in an RNN, under the name that it is registered by."""
    model = Sequential([LSTM(2, peephole=True), nn.Linear(2, 1)])
    model.build((None, None, 3))
    save_keras(model, tmp_path / f"model{form}")
    back = load_keras(tmp_path / f"model{form}")
    assert [repr(layer) for layer in back] == [repr(layer) for layer in model]
    assert all(torch.equal(*pair) for pair in zip(back.parameters(), model.parameters(), strict=True))
    if form == ".keras":
        with zipfile.ZipFile(tmp_path / "model.keras") as archive:
            layer = json.loads(archive.read("config.json"))["config"]["layers"][0]
        assert layer["class_name"] == "RNN"
        assert layer["config"]["cell"]["registered_name"] == "Addons>PeepholeLSTMCell"


def test_models_of_the_first_keras_2(tmp_path: Path) -> None:
    """Its Sequential had a list for a config, and its GRU no word of reset_after, for there was one kind only."""
    h5py = pytest.importorskip("h5py")
    model = Sequential([Embedding(6, 3), GRU(2, reset_after=False)])
    model(IDS)
    save_keras(model, tmp_path / "model.h5")
    with h5py.File(tmp_path / "model.h5", "r+") as file:
        layers = json.loads(file.attrs["model_config"])["config"]["layers"]
        del layers[1]["config"]["reset_after"]
        layers[0]["config"]["batch_input_shape"] = [None, None]
        file.attrs["model_config"] = json.dumps({"class_name": "Sequential", "config": layers})
        file.attrs["keras_version"] = "2.1.2"
    assert np.array_equal(outputs(load_keras(tmp_path / "model.h5")), outputs(model))


# ------------------------------------------------------------------------------------------------------------ writing


def small(**settings: Any) -> Sequential:
    model = Sequential([Embedding(4, 3), LSTM(2, **settings)])
    model(IDS[:, :3] % 4)
    return model


def test_a_file_is_replaced_when_all_is_written(tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    path.write_bytes(b"what stood here")
    with pytest.raises(ValueError, match="Keras has no layer_norm, and a LSTMCell has layer_norm=True"):
        save_keras(small(layer_norm=True), path)
    assert path.read_bytes() == b"what stood here"
    save_keras(small(), path)
    assert [file.name for file in tmp_path.iterdir()] == ["model.keras"]
    assert load_keras(path)[1].config.units == 2


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"coupled": True}, "has coupled=True"),
        ({"projection_size": 1}, "has projection_size=1"),
        ({"cell_clip": 1.0}, "has cell_clip=1.0"),
        ({"zoneout": 0.5}, "has zoneout=0.5"),
        ({"activation": torch.tanh}, "cannot hold the function activation=.*of a LSTMCell: give its name"),
    ],
)
def test_settings_that_keras_lacks_are_named(settings: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=message):
        save_keras(small(**settings), tmp_path / "model.keras")
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_model_of_keras(tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    with pytest.raises(TypeError, match=r"save_keras expected a Sequential, got LSTM: write Sequential\(\[layer\]\)"):
        save_keras(LSTM(2), path)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="load_keras_weights expected a Sequential, got LSTM"):
        load_keras_weights(LSTM(2), path)  # type: ignore[arg-type]
    with pytest.raises(RuntimeError, match="Sequential.save_keras: this Sequential is not built"):
        save_keras(Sequential([Embedding(3, 2), LSTM(2)]), path)
    with pytest.raises(
        ValueError, match=r"expected a name that ends in .keras, .weights.h5 or .h5; got '.*model.onnx'"
    ):
        save_keras(small(), tmp_path / "model.onnx")
    with pytest.raises(TypeError, match=r"Keras has no layer for GELU\("):
        save_keras(Sequential([Embedding(3, 2), nn.GELU()]), path)
    with pytest.raises(TypeError, match=r"Keras has no layer for Softmax\(dim=1\)"):
        save_keras(Sequential([Embedding(3, 2), nn.Softmax(1)]), path)


def test_a_missing_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = small()
    save_keras(model, tmp_path / "model.keras")
    monkeypatch.setitem(sys.modules, "h5py", None)
    for use in (load_keras, lambda path: load_keras_weights(model, path), lambda path: save_keras(model, path)):
        with pytest.raises(ImportError, match=r"needs h5py, which is not installed. Run: pip install 'daneo\[hdf5\]'"):
            use(tmp_path / "model.keras")
