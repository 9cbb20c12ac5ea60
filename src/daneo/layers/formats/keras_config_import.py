"""The config of a model, as Keras writes it, read as a Sequential of our layers. Nothing in it is imported or run."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from typing import Any

from torch import nn

from daneo.layers.bidirectional import Bidirectional
from daneo.layers.embedding import Embedding
from daneo.layers.formats.keras_weights import ACTIVATION_MODULES, PEEPHOLE_CELL
from daneo.layers.gru import GRU
from daneo.layers.gru_cell import GRUCell
from daneo.layers.layer import Layer
from daneo.layers.lstm import LSTM
from daneo.layers.lstm_cell import LSTMCell
from daneo.layers.output_shape import output_shape
from daneo.layers.rnn import RNN
from daneo.layers.sequential import Sequential
from daneo.layers.simple_rnn import SimpleRNN
from daneo.layers.simple_rnn_cell import SimpleRNNCell
from daneo.layers.time_distributed import TimeDistributed

Config = Mapping[str, Any]
Shape = tuple[int | None, ...]

_LAYERS: dict[str, Any] = {"SimpleRNN": SimpleRNN, "GRU": GRU, "LSTM": LSTM}
_CELLS: dict[str, Any] = {"SimpleRNNCell": SimpleRNNCell, "GRUCell": GRUCell, "LSTMCell": LSTMCell}
_PEEPHOLE_CELLS = {PEEPHOLE_CELL, f"Addons>{PEEPHOLE_CELL}"}
_STEPS = {"return_sequences", "return_state", "go_backwards", "stateful", "zero_output_for_mask"}
_CELL = {"units", "activation", "use_bias", "dropout", "recurrent_dropout"}
_GATES = {"GRU": {"recurrent_activation", "reset_after"}, "LSTM": {"recurrent_activation", "unit_forget_bias"}}
_ACTIVATIONS = {name: made for made, name in ACTIVATION_MODULES.items()}
# These change nothing, or say how weights begin, which the file knows better.
_WITHOUT_EFFECT = {
    "name", "dtype", "trainable", "seed", "unroll", "implementation", "use_cudnn", "input_length", "batch_input_shape",
    "batch_shape",
}  # fmt: skip
# What a layer must be for it to be what we take it for, where its config says anything about it.
_MUST_BE = {"time_major": False, "noise_shape": None, "quantization_config": None}
_LARGEST_SIZE = 2**24  # of a layer; weights of squared size can still be counted


class KerasConfig:
    """Reads the config of one file.

    Parameters
    ----------
    file : str
        What messages call the file.
    keras_2 : bool
        Whether a Keras before version 3 wrote it, to whom a hard sigmoid was another function.
    """

    def __init__(self, file: str, *, keras_2: bool) -> None:
        self._file = file
        self._keras_2 = keras_2
        self._left_out: set[str] = set()

    def sequential(self, described: Any) -> tuple[Sequential, list[nn.Module]]:
        """Make a Sequential, built, and list those of its layers that are frozen.

        Raises
        ------
        ValueError
            The config is damaged, or says something that our layers cannot do; the message names it.
        """
        name, config = self._named(described)
        if name != "Sequential":
            raise self._error(
                f"it holds a {name}, and only a Sequential can be made from a file. Make the model yourself, "
                "and fill it with load_keras_weights"
            )
        frozen: list[nn.Module] = []
        model = self._sequential(config, self._input_shape(config), frozen)
        if self._left_out:
            warnings.warn(
                f"{self._file}: {', '.join(sorted(self._left_out))} are left out; only training would feel them.",
                stacklevel=3,
            )
        return model, frozen

    def _sequential(self, config: Config, shape: Shape, frozen: list[nn.Module]) -> Sequential:
        """Make and build the layers of a Sequential, and add those that are frozen to the list."""
        modules = list[nn.Module]()
        for described in self._layers_of(config):
            name, inner = self._named(described)
            made = (
                [self._sequential(inner, shape, frozen)] if name == "Sequential" else self._layer(described, shape[-1])
            )
            for module in made:
                if isinstance(module, Layer):
                    module.build(shape)
                shape = output_shape(module, shape)
            modules += made
            if inner.get("trainable") is False:
                frozen += made
        return Sequential(modules)

    def _layers_of(self, config: Config) -> list[Any]:
        if not isinstance(config.get("layers"), list) or not config["layers"]:
            raise self._error("a Sequential has no list of layers")
        layers: list[Any] = config["layers"]
        return layers

    def _layer(self, described: Any, features: int | None) -> list[nn.Module]:
        """Make what a layer of Keras is here: one layer, an activation after a Dense one, nothing for an InputLayer."""
        name, config = self._named(described)
        if name == "InputLayer":
            return []
        if name == "Embedding":
            settings = self._settings(name, config, {"input_dim", "output_dim", "mask_zero"}, drop={"sparse"})
            self._size(settings.get("input_dim"), largest=2**31)
            self._size(settings.get("output_dim"))
            return [self._made(Embedding, settings)]
        if name == "Dropout":
            return [self._made(nn.Dropout, {"p": self._settings(name, config, {"rate"}).get("rate")})]
        if name == "Activation":
            return self._activation(self._settings(name, config, {"activation"}).get("activation"))
        if name == "Dense":
            settings = self._settings(name, config, {"units", "activation", "use_bias"})
            activation = self._activation(settings.get("activation"))
            bias = settings.get("use_bias", True)
            dense = {"in_features": features, "out_features": self._size(settings.get("units")), "bias": bias}
            return [self._made(nn.Linear, dense), *activation]
        if name == "TimeDistributed":
            inner = self._layer(self._settings(name, config, {"layer"}).get("layer"), features)
            return [self._made(TimeDistributed, {"layer": inner[0] if inner else None}), *inner[1:]]
        if name == "Bidirectional":
            settings = self._settings(name, config, {"layer", "merge_mode", "backward_layer"})
            directions = {which: self._recurrent(settings[which]) for which in ("layer", "backward_layer")
                          if settings.get(which) is not None}  # fmt: skip
            return [self._made(Bidirectional, {**settings, **directions})]
        return [self._recurrent(described)]

    def _recurrent(self, described: Any) -> RNN:
        name, config = self._named(described)
        if name == "RNN":
            steps = self._settings(name, config, {"cell", *_STEPS})
            return self._over(steps.pop("cell", None), steps)
        if name not in _LAYERS:
            raise self._error(f"it has a layer {name}, which daneo does not have")
        settings = self._settings(name, config, _STEPS | _CELL | _GATES.get(name, set()))
        layer: RNN = self._made(_LAYERS[name], self._with_defaults(name, settings))
        return layer

    def _over(self, described: Any, steps: dict[str, Any]) -> RNN:
        """Make a layer over the cell that is described; one with peepholes is an LSTM of ours."""
        name, config = self._named(described, known=_PEEPHOLE_CELLS)
        if name in _PEEPHOLE_CELLS:
            settings = self._settings(name, config, _CELL | _GATES["LSTM"])
            layer: RNN = self._made(LSTM, {**steps, **self._with_defaults("LSTM", settings), "peephole": True})
            return layer
        cells = self._settings(name, config, {"cells"}).get("cells") if name == "StackedRNNCells" else [described]
        if not isinstance(cells, list):
            raise self._error("StackedRNNCells has no list of cells")
        made = [self._cell(cell) for cell in cells]
        rnn: RNN = self._made(RNN, {"cell": made if name == "StackedRNNCells" else made[0], **steps})
        return rnn

    def _cell(self, described: Any) -> nn.Module:
        name, config = self._named(described, known=_PEEPHOLE_CELLS)
        kind = "LSTM" if name in _PEEPHOLE_CELLS else name.removesuffix("Cell")
        if name not in _CELLS and name not in _PEEPHOLE_CELLS:
            raise self._error(f"it has a cell {name}, which daneo does not have")
        settings = self._with_defaults(kind, self._settings(name, config, _CELL | _GATES.get(kind, set())))
        if name in _PEEPHOLE_CELLS:
            settings["peephole"] = True
        cell: nn.Module = self._made(_CELLS[f"{kind}Cell"], settings)
        return cell

    # ------------------------------------------------------------------------------------------------------ settings

    def _named(self, described: Any, known: Iterable[str] = ()) -> tuple[str, Config]:
        """Return a description's class name and config, if Keras itself has that class or it is among the `known`."""
        if not isinstance(described, dict) or not isinstance(described.get("class_name"), str):
            raise self._error(f"expected a layer with a class_name, got {str(described)[:80]!r}")
        name, config, own = described["class_name"], described.get("config"), described.get("registered_name")
        if own is not None and own not in known:
            raise self._error(f"it has a class of somebody's own, {own!r}, which is not run")
        if name == "Lambda":
            raise self._error("it has a Lambda layer: code of somebody's own, which is not run")
        if name == "Sequential" and isinstance(config, list):  # as Keras wrote it before 2.2.3
            config = {"layers": config}
        if not isinstance(config, dict):
            raise self._error(f"{name} has no config")
        return name, config

    def _settings(self, name: str, config: Config, wanted: set[str], drop: Iterable[str] = ()) -> dict[str, Any]:
        """Pick the settings that we have, and look at what the others say."""
        found = {}
        for key, value in config.items():
            if key in wanted:
                found[key] = value
            elif key in _MUST_BE:
                if value != _MUST_BE[key]:
                    raise self._error(f"{name} has {key}={value!r}, which daneo does not have")
            elif key.endswith(("_regularizer", "_constraint")):
                self._left_out |= {f"{key} of {name}"} if value is not None else set()
            elif not (key in _WITHOUT_EFFECT or key in drop or key.endswith("_initializer") or value is None):
                raise self._error(f"{name} has {key}={str(value)[:80]}, which daneo does not have")
        return found

    def _with_defaults(self, name: str, settings: dict[str, Any]) -> dict[str, Any]:
        """Complete the settings of a recurrent layer or cell by what Keras means where it says nothing."""
        settings = {**settings, "units": self._size(settings.get("units"))}
        for key in ("activation", "recurrent_activation"):
            if key in settings:
                settings[key] = self._function(settings[key])
        if name == "GRU" and self._keras_2:
            settings.setdefault("reset_after", False)  # Keras 2 had no other before 2.1.3, and then said it
        return settings

    def _function(self, activation: Any) -> str | None:
        """Return the name of an activation."""
        if isinstance(activation, dict) and isinstance(activation.get("config"), str):
            activation = activation["config"]  # {"class_name": "function", "config": "tanh"}
        if activation is not None and not isinstance(activation, str):
            raise self._error(f"an activation is {str(activation)[:80]}, and only those that have a name can be read")
        if activation == "hard_sigmoid" and self._keras_2:
            raise self._error(
                "it has a hard_sigmoid of Keras 2, clip(0.2 x + 0.5, 0, 1). That of Keras 3, and of daneo, is "
                "relu6(x + 3) / 6: another function"
            )
        return activation

    def _activation(self, activation: Any) -> list[nn.Module]:
        """Return the module for the activation of a Dense layer; none if it is linear."""
        name = self._function(activation)
        if name in (None, "linear"):
            return []
        if name not in _ACTIVATIONS:
            raise self._error(f"a Dense or Activation layer has {name!r}; expected one of {', '.join(_ACTIVATIONS)}")
        return [nn.Softmax(-1) if name == "softmax" else _ACTIVATIONS[name]()]

    def _size(self, value: Any, largest: int = _LARGEST_SIZE) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not 0 < value <= largest:
            raise self._error(f"a layer has the size {str(value)[:80]}; expected a number from 1 to {largest}")
        return value

    def _made(self, made: Any, settings: dict[str, Any]) -> Any:
        try:
            return made(**settings)
        except (TypeError, ValueError) as error:
            raise self._error(str(error)) from error

    def _input_shape(self, config: Config) -> Shape:
        """Find the shape of the model's input: what the first layer says, or the model itself."""
        first = self._layers_of(config)[0]
        name, inner = self._named(first)
        shape = inner.get("batch_shape") or inner.get("batch_input_shape") or config.get("build_input_shape")
        if shape is None and isinstance(first.get("build_config"), dict):
            shape = first["build_config"].get("input_shape")
        if shape is None and name == "Embedding":
            return (None, None)
        if not isinstance(shape, list) or not 2 <= len(shape) <= 4 or isinstance(shape[-1], bool):
            raise self._error(f"it does not say what its input is: expected batch_shape, got {str(shape)[:80]}")
        return (None,) * (len(shape) - 1) + (self._size(shape[-1]) if name != "Embedding" and shape[-1] else None,)

    def _error(self, what: str) -> ValueError:
        return ValueError(f"{self._file}: {what}.")
