"""A Sequential as the config that Keras makes it again from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from torch import nn

from daneo.layers.any_cell import output_size
from daneo.layers.bidirectional import Bidirectional
from daneo.layers.embedding import Embedding
from daneo.layers.formats.keras_weights import ACTIVATION_MODULES, PEEPHOLE_CELL, keras_class
from daneo.layers.formats.layer_names import numbered
from daneo.layers.output_shape import output_shape
from daneo.layers.recurrent_cell import RecurrentCell
from daneo.layers.rnn import RNN, RNNConfig
from daneo.layers.sequential import Sequential
from daneo.layers.stacked_rnn_cells import StackedRNNCells
from daneo.layers.time_distributed import TimeDistributed

Shape = tuple[int | None, ...]
Description = dict[str, Any]

_STEPS = tuple(RNNConfig.__dataclass_fields__)
_CELL = (
    "units", "activation", "recurrent_activation", "use_bias", "unit_forget_bias", "reset_after", "dropout",
    "recurrent_dropout",
)  # fmt: skip
# What Keras has no words for.
_UNKNOWN = ("coupled", "projection_size", "cell_clip", "projection_clip", "layer_norm", "zoneout")


def sequential_config(model: Sequential, input_shape: Shape) -> Description:
    """Describe a built Sequential for Keras.

    Raises
    ------
    ValueError
        A setting is unknown to Keras, or is a function without a name.
    TypeError
        A module is.
    """
    described, shape = [], input_shape
    for name, module in zip(numbered(map(keras_class, model)), model, strict=True):
        described.append(_described(module, name, shape))
        shape = output_shape(module, shape)
    config = {"name": "sequential", "layers": described, "build_input_shape": list(input_shape)}
    return {"module": "keras", "class_name": "Sequential", "config": config, "registered_name": None}


def _described(module: nn.Module, name: str, shape: Shape) -> Description:
    """Describe one layer, which reads inputs of `shape`."""
    kind, config = keras_class(module), dict[str, Any](_common(module, name))
    if isinstance(module, Embedding):
        config |= {key: getattr(module.config, key) for key in ("input_dim", "output_dim", "mask_zero")}
    elif isinstance(module, Bidirectional):
        config |= {
            "layer": _described(module.forward_layer, f"forward_{name}", shape),
            "merge_mode": module.merge_mode,
            "backward_layer": _described(module.backward_layer, f"backward_{name}", shape),
        }
    elif isinstance(module, RNN):
        config |= _steps(module)
        if kind == "RNN":
            config["cell"] = _cell(module.cell, shape)
        else:
            config |= _cell_settings(module.cell)
    elif isinstance(module, TimeDistributed):
        (inner,) = numbered([keras_class(module.layer)])
        config["layer"] = _described(module.layer, inner, (shape[0], *shape[2:]))
    elif isinstance(module, Sequential):
        described = sequential_config(module, shape)
        described["config"] |= config
        return described
    elif isinstance(module, nn.Linear):
        config |= {"units": module.out_features, "use_bias": module.bias is not None, "activation": "linear"}
    elif isinstance(module, nn.Dropout):
        config["rate"] = module.p
    elif type(module) in ACTIVATION_MODULES and getattr(module, "dim", -1) == -1:
        config["activation"] = ACTIVATION_MODULES[type(module)]
    else:
        raise TypeError(f"Keras has no layer for {module!r}.")
    build = {"input_shape": list(shape)}
    return {
        "module": "keras.layers",
        "class_name": kind,
        "config": config,
        "registered_name": None,
        "build_config": build,
    }


def _common(module: nn.Module, name: str) -> Iterator[tuple[str, Any]]:
    yield "name", name
    weight = next(module.parameters(), None)
    if weight is not None:
        yield "trainable", any(one.requires_grad for one in module.parameters())
        yield "dtype", str(weight.dtype).removeprefix("torch.")


def _steps(layer: RNN) -> Description:
    found = {key: getattr(layer.config, key) for key in _STEPS}
    # Keras 2 knows no zero_output_for_mask in a config.
    return {key: value for key, value in found.items() if value or key != "zero_output_for_mask"}


def _cell(cell: nn.Module, shape: Shape) -> Description:
    """Describe the cell of an RNN."""
    kind = keras_class(cell)
    (name,) = numbered([kind])
    described: Description = {"module": "keras.layers", "class_name": kind, "registered_name": None}
    if isinstance(cell, StackedRNNCells):
        inner = []
        for one in cell.cells:
            inner.append(_cell(one, shape))
            shape = (*shape[:-1], output_size(one))
        return {**described, "config": {**dict(_common(cell, name)), "cells": inner}}
    if not isinstance(cell, RecurrentCell):
        raise TypeError(f"Keras has no cell for {type(cell).__name__}.")
    if kind == PEEPHOLE_CELL:
        # The name that it is registered under: the older form looks for nothing else.
        registered = f"Addons>{kind}"
        described |= {
            "module": "tensorflow_addons.rnn.peephole_lstm_cell",
            "class_name": registered,
            "registered_name": registered,
        }
    config = {**dict(_common(cell, name)), **_cell_settings(cell)}
    return {**described, "config": config, "build_config": {"input_shape": [shape[0], *shape[2:]]}}


def _cell_settings(cell: RecurrentCell) -> Description:
    for key in _UNKNOWN:
        if value := getattr(cell.config, key, None):
            raise ValueError(f"Keras has no {key}, and a {type(cell).__name__} has {key}={value!r}.")
    found = {key: getattr(cell.config, key) for key in _CELL if hasattr(cell.config, key)}
    for key, value in found.items():
        if callable(value):
            raise ValueError(
                f"A file cannot hold the function {key}={value!r} of a {type(cell).__name__}: give its name."
            )
    return found
