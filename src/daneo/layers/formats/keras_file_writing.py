"""A model as the bytes of a file of Keras."""

from __future__ import annotations

import io
import itertools
import json
import zipfile
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from daneo.extras import require
from daneo.layers.embedding import Embedding
from daneo.layers.formats.input_features import input_features
from daneo.layers.formats.keras_config_export import sequential_config
from daneo.layers.formats.keras_weights import arrays_of, keras_class, variables
from daneo.layers.formats.layer_names import numbered
from daneo.layers.sequential import Sequential

# What the files say wrote them: the first version whose form they have, and whose hard_sigmoid is ours.
_KERAS_VERSION = "3.0.0"


def weights_file(model: Sequential) -> bytes:
    """Return a ``.weights.h5`` file: arrays alone, in groups that are named after the layers' classes."""
    parts = list(variables(model))
    buffer = io.BytesIO()
    with _h5py().File(buffer, "w") as file:
        for path in _objects(model, [part.path for part in parts]):
            file.create_group(f"{path}/vars")
        for part in parts:
            for number, array in enumerate(arrays_of(part)):
                file[f"{part.path}/vars"].create_dataset(str(number), data=array)
    return buffer.getvalue()


def _objects(model: Sequential, paths: Iterable[str]) -> list[str]:
    """List the paths of all that Keras 2 looks for a group of: also what has no weights, and what is around others."""
    names = numbered(map(keras_class, model))
    found = {"": None, **{f"layers/{name}": None for name in names}}
    for path in paths:
        steps = path.split("/")
        for length in range(2, len(steps) + 1):
            prefix = "/".join(steps[:length])
            found[prefix] = None
            if "/forward_layer" in prefix:  # its Bidirectional keeps the layer that it was made from, without weights
                found[prefix.replace("/forward_layer", "/layer")] = None
    return list(found)


def keras_file(model: Sequential) -> bytes:
    """Return a ``.keras`` file: an archive of the config and a weights file."""
    config = _config(model)
    saved = datetime.now(UTC).strftime("%Y-%m-%d@%H:%M:%S")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("metadata.json", json.dumps({"keras_version": _KERAS_VERSION, "date_saved": saved}))
        archive.writestr("config.json", json.dumps(config))
        archive.writestr("model.weights.h5", weights_file(model))
    return buffer.getvalue()


def older_file(model: Sequential) -> bytes:
    """Return a ``.h5`` file: the config as an attribute, and the layers in a list, each with a list of weights."""
    config = _config(model)
    names = [layer["config"]["name"] for layer in config["config"]["layers"]]
    parts = {name: list(own) for name, own in itertools.groupby(variables(model), lambda part: part.path.split("/")[1])}
    buffer = io.BytesIO()
    with _h5py().File(buffer, "w") as file:
        file.attrs["model_config"] = json.dumps({"class_name": "Sequential", "config": config["config"]})
        root = file.create_group("model_weights")
        root.attrs["layer_names"] = [name.encode() for name in names]
        for attributes in (file.attrs, root.attrs):
            attributes["keras_version"] = _KERAS_VERSION
            attributes["backend"] = "torch"
        for name in names:
            group = root.create_group(name)
            # A cell's path is its layer's with what is within, which tells the weights of one layer apart.
            arrays = {
                f"{part.path.removeprefix('layers/')}/{weight}:0": array
                for part in parts.get(name, [])
                for weight, array in zip(part.names, arrays_of(part), strict=True)
            }
            group.attrs["weight_names"] = [path.encode() for path in arrays]
            for path, array in arrays.items():
                group.create_dataset(path, data=array)
    return buffer.getvalue()


def _config(model: Sequential) -> dict[str, Any]:
    first = next(iter(model), None)
    shape = (None, None) if isinstance(first, Embedding) else (None, None, input_features(model))
    return sequential_config(model, shape)


def _h5py() -> Any:
    return require("h5py", extra="hdf5", purpose="Writing Keras's files")
