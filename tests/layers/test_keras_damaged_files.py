"""Files of strangers: one clear error, nothing run, no memory taken on a file's word."""

from __future__ import annotations

import json
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from daneo.layers import LSTM, Embedding, Sequential, load_keras, load_keras_weights, save_keras

h5py = pytest.importorskip("h5py")

MEMORY = 64 << 20  # bytes; far more than these files need, far less than they promise


def model() -> Sequential:
    made = Sequential([Embedding(4, 3), LSTM(2)])
    made(np.array([[1, 2]]))
    return made


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """A folder with model.keras, model.h5 and model.weights.h5."""
    for form in (".keras", ".h5", ".weights.h5"):
        save_keras(model(), tmp_path / f"model{form}")
    return tmp_path


def assert_refused(load: Callable[[], object], message: str, kind: type[Exception] = ValueError) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(kind, match=message) as caught:
            load()
        assert tracemalloc.get_traced_memory()[1] < MEMORY
    finally:
        tracemalloc.stop()
    assert "\n" not in str(caught.value)


def rewritten(path: Path, change: Callable[[dict[str, Any]], None], **members: bytes) -> Path:
    """Write a .keras file again with another config, or other members."""
    with zipfile.ZipFile(path) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(content["config.json"])
    change(config)
    content["config.json"] = json.dumps(config).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in {**content, **members}.items():
            archive.writestr(name, data)
    return path


def layer(number: int, **changes: Any) -> Callable[[dict[str, Any]], None]:
    """A change of the description of one layer."""
    return lambda config: config["config"]["layers"][number].update(changes)


def setting(number: int, **changes: Any) -> Callable[[dict[str, Any]], None]:
    """A change of the settings of one layer."""
    return lambda config: config["config"]["layers"][number]["config"].update(changes)


RUN = {"class_name": "__lambda__", "config": {"value": "4wEAAAAA"}}
CONFIGS: dict[str, tuple[Callable[[dict[str, Any]], None], str]] = {
    "Lambda": (layer(1, class_name="Lambda", config={"function": RUN}), "has a Lambda layer: code of.*is not run"),
    "own class": (layer(1, registered_name="Evil>LSTM"), "a class of somebody's own, 'Evil>LSTM', which is not run"),
    "own module": (layer(1, module="os", class_name="system"), "has a layer system, which daneo does not have"),
    "unknown layer": (layer(1, class_name="Conv1D"), "has a layer Conv1D, which daneo does not have"),
    "unknown cell": (
        layer(1, class_name="RNN", config={"cell": {"class_name": "NASCell", "config": {}}}),
        "has a cell NASCell, which daneo does not have",
    ),
    "cells that are none": (
        layer(1, class_name="RNN", config={"cell": {"class_name": "StackedRNNCells", "config": {"cells": 3}}}),
        "StackedRNNCells has no list of cells",
    ),
    "no cells": (
        layer(1, class_name="RNN", config={"cell": {"class_name": "StackedRNNCells", "config": {"cells": []}}}),
        "expected at least one cell",
    ),
    "no cell": (layer(1, class_name="RNN", config={}), "expected a layer with a class_name, got 'None'"),
    "Functional": (lambda config: config.update(class_name="Functional"), "holds a Functional, and only a Sequential"),
    "no class": (lambda config: config.pop("class_name"), "expected a layer with a class_name"),
    "no config": (layer(0, config=None), "Embedding has no config"),
    "no layers": (lambda config: config["config"].update(layers=[]), "a Sequential has no list of layers"),
    "layers are none": (lambda config: config["config"].update(layers=[3, 4]), "with a class_name, got '3'"),
    "unknown setting": (setting(1, lora_rank=4), "LSTM has lora_rank=4, which daneo does not have"),
    "time first": (setting(1, time_major=True), "LSTM has time_major=True, which daneo does not have"),
    "activation": (setting(1, activation="mish"), "No activation is called 'mish'"),
    "function": (setting(1, activation=RUN), "an activation is {'class_name': '__lambda__', .*only those that have"),
    "text for units": (setting(1, units="many"), "has the size many; expected a number from 1 to"),
    "no units": (setting(1, units=0), "has the size 0; expected"),
    "endless units": (setting(1, units=10**30), "has the size 1000000000000000000000000000000; expected"),
    "text for a switch": (setting(1, return_sequences="yes"), r"LSTM\(return_sequences=...\) expected bool, got 'yes'"),
    "rate": (setting(1, dropout=7), r"LSTM\(dropout=...\) expected less than 1"),
    "rate of text": (layer(1, class_name="Dropout", config={"rate": "7"}), "model.keras: "),
    "merge": (
        layer(1, class_name="Bidirectional", config={"layer": None, "merge_mode": "concat"}),
        "model.keras: ",
    ),
    "empty": (layer(1, class_name="TimeDistributed", config={}), "with a class_name, got 'None'"),
    "a function after a Dense": (
        layer(1, class_name="Dense", config={"units": 2, "activation": "gelu"}),
        "has 'gelu'; expected one of relu, sigmoid, tanh, softmax",
    ),
    # The file holds what its config promised once; now the config promises more.
    "far more units": (setting(1, units=2**24), r"kernel expected an array of shape \(3, 67108864\), got \(3, 8\)"),
    "far more words": (setting(0, input_dim=2**31), r"expected an array of shape \(2147483648, 3\), got \(4, 3\)"),
    "another layer": (
        layer(1, class_name="GRU", config={"units": 2}),
        "has weights of embedding, lstm; the model has embedding, gru",
    ),
    "peepholes that are not there": (
        lambda config: config["config"]["layers"].__setitem__(
            1,
            {
                "class_name": "RNN",
                "config": {"cell": {"class_name": "PeepholeLSTMCell", "config": {"units": 2}}},
            },
        ),
        "the model has embedding, rnn",
    ),
}


@pytest.mark.parametrize("name", CONFIGS)
def test_configs(name: str, saved: Path) -> None:
    change, message = CONFIGS[name]
    path = rewritten(saved / "model.keras", change)
    assert_refused(lambda: load_keras(path), message)


def test_regularizers_and_constraints_are_left_out_with_a_warning(saved: Path) -> None:
    path = rewritten(saved / "model.keras", setting(1, kernel_regularizer="l2", bias_constraint={"class_name": "X"}))
    with pytest.warns(UserWarning, match="bias_constraint of LSTM, kernel_regularizer of LSTM are left out") as caught:
        load_keras(path)
    assert caught[0].filename == __file__


def test_hard_sigmoid_of_keras_2_is_another_function(saved: Path) -> None:
    path = rewritten(saved / "model.keras", setting(1, recurrent_activation="hard_sigmoid"))
    assert load_keras(path)[1].config.recurrent_activation == "hard_sigmoid"
    rewritten(path, lambda config: None, **{"metadata.json": b'{"keras_version": "2.15.0"}'})
    assert_refused(lambda: load_keras(path), r"has a hard_sigmoid of Keras 2, clip\(0.2 x \+ 0.5, 0, 1\).*another func")


def test_archives(saved: Path) -> None:
    path, same = saved / "model.keras", lambda config: None
    content = path.read_bytes()
    broken = {
        "config.json": [(b"[" * 100_000, "is damaged: maximum recursion"), (b"{", "a config that is not JSON")],
        "model.weights.h5": [(b"\x89HDF\r\n\x1a\n" + bytes(100), "is not a sound HDF5 file")],
    }
    for member, cases in broken.items():
        for data, message in cases:
            path.write_bytes(content)
            rewritten(path, same, **{member: data})
            assert_refused(lambda: load_keras(path), message)
    for start in (4, 40, 1000, len(content) - 30):
        path.write_bytes(content[:start])
        assert_refused(lambda: load_keras(path), "is damaged: .*zip|begins with b'PK|is damaged")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", "{}")
    assert_refused(lambda: load_keras(path), "an archive with 0 members metadata.json; expected one")
    path.write_bytes(content)
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(path, "a") as archive:
        archive.writestr("config.json", "{}")
    assert_refused(lambda: load_keras(path), "an archive with 2 members config.json; expected one")


def test_archives_that_unpack_to_far_more(saved: Path) -> None:
    path = saved / "model.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("metadata.json", "{}")
        archive.writestr("config.json", "{}")
        archive.writestr("model.weights.h5", bytes(200 << 20))
    assert_refused(lambda: load_keras(path), "model.weights.h5 says it has 209,715,200 bytes, in 2.*fill the memory")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", bytes(200 << 20))
    assert_refused(lambda: load_keras(path), "config.json says it has 209,715,200 bytes")


def weights(path: Path, change: Callable[[Any], None]) -> Callable[[], object]:
    """Change the HDF5 file, and say how to load it."""
    with h5py.File(path, "r+") as file:
        change(file)
    return lambda: load_keras_weights(model(), path)


KERNEL = "layers/lstm/cell/vars/0"


def replaced(place: str, **made: Any) -> Callable[[Any], None]:
    def change(file: Any) -> None:
        del file[place]
        file.create_dataset(place, **made)

    return change


def linked(link: Any) -> Callable[[Any], None]:
    def change(file: Any) -> None:
        del file[KERNEL]
        file[KERNEL] = link

    return change


def virtual(file: Any) -> None:
    del file[KERNEL]
    layout = h5py.VirtualLayout((3, 8), "f4")
    layout[:] = h5py.VirtualSource("other.h5", "x", (3, 8))
    file.create_virtual_dataset(KERNEL, layout)


def ring(file: Any) -> None:
    file["layers/lstm/again"] = file["layers/lstm"]


def ladder(file: Any) -> None:
    group = file["layers/lstm"]
    for _ in range(12):
        inner = group.create_group("0")
        for number in range(1, 12):
            group[str(number)] = inner
        group = inner


CHANGES: dict[str, tuple[Callable[[Any], None], str]] = {
    "soft link": (linked(h5py.SoftLink("/layers/lstm/cell/vars/1")), "0 is a link to elsewhere, which is not followed"),
    "external link": (linked(h5py.ExternalLink("/etc/passwd", "/")), "0 is a link to elsewhere"),
    "external array": (
        replaced(KERNEL, shape=(3, 8), dtype="f4", external=[("/etc/hostname", 0, 96)]),
        "vars/0 lies in another file",
    ),
    "virtual array": (virtual, "vars/0 lies in another file"),
    "promised numbers": (
        replaced(KERNEL, shape=(1 << 30, 8), dtype="f4", chunks=(1 << 10, 8)),
        r"has shape \(1073741824, 8\), and all arrays together more than 16 times the size of the file",
    ),
    "other shape": (replaced(KERNEL, data=np.zeros((3, 7))), r"expected an array of shape \(3, 8\), got \(3, 7\)"),
    "text": (replaced(KERNEL, data=np.full((3, 8), b"x")), "expected real numbers, got"),
    "structures": (replaced(KERNEL, data=np.zeros((3, 8), "f4,f4")), "expected real numbers, got"),
    "no numbers": (replaced(KERNEL, data=h5py.Empty("f4")), "vars/0 is empty"),
    "fewer": (lambda file: file.__delitem__(KERNEL), "layers/lstm/cell has 2 weights; expected kernel, recurrent_kern"),
    "a group": (lambda file: (file.__delitem__(KERNEL), file.create_group(KERNEL)), "has 2 weights"),
    "other names": (
        lambda file: file.move(KERNEL, "layers/lstm/cell/vars/7"),
        "has no array at layers/lstm/cell/vars/0",
    ),
    "more layers": (
        lambda file: file.create_dataset("layers/dense/vars/0", data=[1.0]),
        "has weights of dense, embedding, lstm; the model has embedding, lstm. Make the model of the same",
    ),
    "fewer layers": (lambda file: file["layers"].__delitem__("lstm"), "has weights of embedding; the model has embed"),
    "no layers": (lambda file: file.__delitem__("layers"), "an HDF5 file, but not of Keras: it has neither layers nor"),
    "a ring of groups": (ring, "no end of groups within groups"),
    "a ladder of groups": (ladder, "no end of groups within groups"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_weights(name: str, saved: Path) -> None:
    change, message = CHANGES[name]
    assert_refused(weights(saved / "model.weights.h5", change), message)


def test_arrays_that_are_packed_are_read(saved: Path) -> None:
    kernel = np.arange(24, dtype="f4").reshape(3, 8)
    load = weights(saved / "model.weights.h5", replaced(KERNEL, data=kernel, compression="gzip", chunks=(3, 8)))
    load()
    made = model()
    load_keras_weights(made, saved / "model.weights.h5")
    assert np.array_equal(made[1].get_weights()[0], kernel)


OLDER: dict[str, tuple[Callable[[Any], None], str]] = {
    "fewer weights": (
        lambda file: file["model_weights/lstm"].attrs.__setitem__("weight_names", [b"lstm/cell/kernel:0"]),
        "lstm has 1 weights; lstm expected kernel, recurrent_kernel, bias",
    ),
    "weights elsewhere": (
        lambda file: file["model_weights/lstm"].attrs.__setitem__("weight_names", [b"a", b"b", b"c"]),
        "has no array at model_weights/lstm/a",
    ),
    "names that are none": (
        lambda file: file["model_weights/lstm"].attrs.__setitem__("weight_names", [b"\xff\xfe", b"b", b"c"]),
        "is not a sound HDF5 file",
    ),
    "names that are numbers": (
        lambda file: file["model_weights"].attrs.__setitem__("layer_names", np.arange(3.0)),
        "has weights of no layer",
    ),
    "endless names": (
        lambda file: file.attrs.__setitem__("layer_names", np.zeros(16_000, "S1")),
        "layer_names has shape .16000,.; expected at most 10000 strings",
    ),
    "fewer layers": (
        lambda file: file["model_weights"].attrs.__setitem__("layer_names", [b"lstm"]),
        "has weights of lstm; the model has embedding, lstm",
    ),
}


@pytest.mark.parametrize("name", OLDER)
def test_older_weights(name: str, saved: Path) -> None:
    change, message = OLDER[name]
    assert_refused(weights(saved / "model.h5", change), message)


def test_long_lists_of_names_come_in_pieces(saved: Path) -> None:
    """Where a list is too long for one attribute, Keras numbers its pieces."""

    def pieces(file: Any) -> None:
        group = file["model_weights"]
        del group.attrs["layer_names"]
        group.attrs["layer_names0"], group.attrs["layer_names1"] = [b"embedding"], [b"lstm"]

    weights(saved / "model.h5", pieces)()
    assert load_keras(saved / "model.h5")[1].config.units == 2


def test_files_of_other_kinds(tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    for content in (b"", b"What time is it ?", b"\x80\x04\x95\x10\x00\x00\x00\x00"):
        path.write_bytes(content)
        assert_refused(lambda: load_keras(path), "begins with b.*: it is no file of Keras, .keras or HDF5")
    path.write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(1000))
    assert_refused(lambda: load_keras(path), "is not a sound HDF5 file")
    with h5py.File(path, "w") as file:
        file["x"] = np.zeros(3)
    assert_refused(lambda: load_keras(path), "not of Keras")
    assert_refused(lambda: load_keras(tmp_path / "nowhere.keras"), "nowhere.keras", FileNotFoundError)


def test_weights_alone_are_no_model(saved: Path) -> None:
    assert_refused(lambda: load_keras(saved / "model.weights.h5"), "holds weights without layers. Make the model your")


def test_a_file_that_does_not_fit_changes_nothing(saved: Path) -> None:
    other = Sequential([Embedding(4, 3), LSTM(3)])
    other(np.array([[1, 2]]))
    before = other.get_weights()
    assert_refused(lambda: load_keras_weights(other, saved / "model.keras"), r"layers/lstm/cell/kernel expected an arr")
    assert all(np.array_equal(one, two) for one, two in zip(before, other.get_weights(), strict=True))
    unbuilt = Sequential([Embedding(4, 3), LSTM(3)])
    assert_refused(lambda: load_keras_weights(unbuilt, saved / "model.keras"), r"of shape \(features, 12\), got \(3, 8")
    assert not unbuilt.built


@pytest.mark.parametrize("form", [".keras", ".h5", ".weights.h5"])
def test_cut_off_files(form: str, saved: Path) -> None:
    path = saved / f"model{form}"
    content = path.read_bytes()
    for share in (0.3, 0.6, 0.9, 0.99):
        path.write_bytes(content[: int(len(content) * share)])
        assert_refused(lambda: load_keras_weights(model(), path), "is damaged|not a sound HDF5 file")
