"""Vectors to states: embedding and recurrent layers, as PyTorch modules with Keras's names and semantics."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from daneo.extras import require

if TYPE_CHECKING:
    from daneo.layers.bidirectional import Bidirectional
    from daneo.layers.embedding import Embedding
    from daneo.layers.formats.keras_files import load_keras, load_keras_weights, save_keras
    from daneo.layers.formats.onnx_export import export_onnx
    from daneo.layers.formats.torch_export import to_torch
    from daneo.layers.formats.torch_import import from_torch
    from daneo.layers.gru import GRU
    from daneo.layers.gru_cell import GRUCell
    from daneo.layers.inside.gradient_flow import GradientFlow
    from daneo.layers.inside.trace import Trace
    from daneo.layers.layer import Layer
    from daneo.layers.layer_descriptions import deserialize, serialize
    from daneo.layers.lstm import LSTM
    from daneo.layers.lstm_cell import LSTMCell
    from daneo.layers.recurrent_paths import Path
    from daneo.layers.rnn import RNN
    from daneo.layers.sequential import Sequential
    from daneo.layers.simple_rnn import SimpleRNN
    from daneo.layers.simple_rnn_cell import SimpleRNNCell
    from daneo.layers.stacked_rnn_cells import StackedRNNCells
    from daneo.layers.time_distributed import TimeDistributed

__all__ = [
    "GRU",
    "LSTM",
    "RNN",
    "Bidirectional",
    "Embedding",
    "GRUCell",
    "GradientFlow",
    "LSTMCell",
    "Layer",
    "Path",
    "Sequential",
    "SimpleRNN",
    "SimpleRNNCell",
    "StackedRNNCells",
    "TimeDistributed",
    "Trace",
    "deserialize",
    "export_onnx",
    "from_torch",
    "load_keras",
    "load_keras_weights",
    "save_keras",
    "serialize",
    "to_torch",
]

_HOMES = {
    "Bidirectional": "daneo.layers.bidirectional",
    "Embedding": "daneo.layers.embedding",
    "GRU": "daneo.layers.gru",
    "GRUCell": "daneo.layers.gru_cell",
    "LSTM": "daneo.layers.lstm",
    "LSTMCell": "daneo.layers.lstm_cell",
    "GradientFlow": "daneo.layers.inside.gradient_flow",
    "Layer": "daneo.layers.layer",
    "Path": "daneo.layers.recurrent_paths",
    "RNN": "daneo.layers.rnn",
    "Sequential": "daneo.layers.sequential",
    "SimpleRNN": "daneo.layers.simple_rnn",
    "SimpleRNNCell": "daneo.layers.simple_rnn_cell",
    "StackedRNNCells": "daneo.layers.stacked_rnn_cells",
    "TimeDistributed": "daneo.layers.time_distributed",
    "Trace": "daneo.layers.inside.trace",
    "deserialize": "daneo.layers.layer_descriptions",
    "export_onnx": "daneo.layers.formats.onnx_export",
    "from_torch": "daneo.layers.formats.torch_import",
    "load_keras": "daneo.layers.formats.keras_files",
    "load_keras_weights": "daneo.layers.formats.keras_files",
    "save_keras": "daneo.layers.formats.keras_files",
    "serialize": "daneo.layers.layer_descriptions",
    "to_torch": "daneo.layers.formats.torch_export",
}


def __getattr__(name: str) -> object:
    """Import a public name from its home when it is first used."""
    if name not in _HOMES:
        raise AttributeError(f"module 'daneo.layers' has no attribute {name!r}. It offers: {', '.join(_HOMES)}.")
    require("torch", extra="neural", purpose=f"daneo.layers.{name}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
