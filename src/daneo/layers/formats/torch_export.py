"""Layers as PyTorch's own modules: the same numbers in another layout."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from daneo.layers.bidirectional import Bidirectional
from daneo.layers.embedding import Embedding
from daneo.layers.formats.torch_layout import BLOCKS, MODULES, Recurrent, copied, reordered, with_dropout
from daneo.layers.gru import GRU
from daneo.layers.lstm import LSTM
from daneo.layers.lstm_cell import LSTMCell
from daneo.layers.sequential import Sequential
from daneo.layers.simple_rnn import SimpleRNN

# What settings must be for PyTorch to have the like of a layer.
_PLAIN: dict[str, Any] = {
    "activation": "tanh",
    "recurrent_activation": "sigmoid",
    "reset_after": True,
    "stateful": False,
    "dropout": 0,
    "recurrent_dropout": 0,
    "peephole": False,
    "coupled": False,
    "cell_clip": None,
    "projection_clip": None,
    "layer_norm": False,
    "zoneout": 0,
}


def to_torch(layer: nn.Module) -> nn.Module:
    """Convert a layer into a module of PyTorch that computes the same, with a copy of its weights.

    Parameters
    ----------
    layer : SimpleRNN, GRU, LSTM, Bidirectional of one of them, Sequential of several such layers, or Embedding
        Built. A Sequential becomes one module with ``num_layers``; all its layers must return sequences (the last
        one need not), be of one kind and of as many units; ``nn.Dropout`` of one rate may stand between them.

    Returns
    -------
    nn.RNN, nn.GRU, nn.LSTM or nn.Embedding
        With ``batch_first=True``. It returns the whole sequence and the final states, whatever the layer returned.

    Raises
    ------
    TypeError
        The layer is of another kind.
    ValueError
        PyTorch has no such option; the message names it.
    RuntimeError
        The layer is not built.

    Notes
    -----
    The one bias of SimpleRNN and LSTM becomes ``bias_ih``, and ``bias_hh`` begins at zero; PyTorch trains both, so
    training goes on with twice the learning rate of the bias unless one is frozen.

    Examples
    --------
    >>> from daneo.layers import LSTM, Bidirectional
    >>> layer = Bidirectional(LSTM(4, return_sequences=True))
    >>> layer.build((None, None, 3))
    >>> to_torch(layer)
    LSTM(3, 4, batch_first=True, bidirectional=True)
    """
    if isinstance(layer, Embedding):
        return _torch_embedding(layer).train(layer.training)
    stages, dropout = _stages(layer)
    options = [_options(one, backward=k == 1) for stage in stages for k, one in enumerate(stage)]
    kinds = {type(one).__name__ for stage in stages for one in stage}
    if len(kinds) > 1 or any(other != options[0] for other in options) or len({len(stage) for stage in stages}) > 1:
        raise ValueError(
            "The layers of one module of PyTorch are of one kind, and alike in units, biases, precision and device; "
            f"got {layer!r}. Convert them one by one."
        )
    first = stages[0][0]
    module: nn.RNNBase = MODULES[type(first)](
        first.cell.kernel.shape[0],
        num_layers=len(stages),
        dropout=dropout,
        bidirectional=len(stages[0]) == 2,
        batch_first=True,
        **options[0],
    )
    for k, stage in enumerate(stages):
        for one, suffix in zip(stage, ("", "_reverse"), strict=False):
            _fill_module(module, f"_l{k}{suffix}", one)
    return module.train(layer.training)


def _torch_embedding(layer: Embedding) -> nn.Embedding:
    if layer.config.mask_zero:
        raise ValueError(
            "nn.Embedding makes no mask, so mask_zero=True cannot be converted. "
            "Convert Embedding(..., mask_zero=False) and give PyTorch's layers packed sequences."
        )
    table = layer.embeddings
    num_words, size = table.shape
    module = nn.Embedding(num_words, size, sparse=layer.config.sparse, dtype=table.dtype, device="meta")
    module.to_empty(device=table.device)
    copied(module.weight, table)
    return module


def _stages(layer: nn.Module) -> tuple[list[list[Recurrent]], float]:
    """List the recurrent layers, one or two for each layer of the module, and the dropout between them."""
    modules = list(layer) if isinstance(layer, Sequential) else [layer]
    found = [module for module in modules if not isinstance(module, nn.Dropout)]
    rates = {module.p for module in modules if isinstance(module, nn.Dropout)}
    rate = rates.pop() if rates else 0.0
    pattern = [type(module) for module in with_dropout(found, rate)] if found else []
    if not found or rates or [type(module) for module in modules] != pattern:
        raise ValueError(
            "A stack of PyTorch has one rate of dropout, between all of its layers or none; got "
            f"{', '.join(type(module).__name__ for module in modules) or 'no layer'}. Convert the layers one by one."
        )
    stages = [_directions(module) for module in found]
    if not all(one.config.return_sequences for stage in stages[:-1] for one in stage):
        raise ValueError("All layers of a stack but the last must return sequences: set return_sequences=True.")
    return stages, rate


def _directions(layer: nn.Module) -> list[Recurrent]:
    """Return the layer itself, or both layers of a Bidirectional."""
    if isinstance(layer, SimpleRNN | GRU | LSTM):
        return [layer]
    if isinstance(layer, Bidirectional) and layer.merge_mode == "concat" and layer.backward_layer.config.go_backwards:
        return [*_directions(layer.forward_layer), *_directions(layer.backward_layer)]
    if isinstance(layer, Bidirectional):
        raise ValueError(
            "PyTorch's bidirectional modules concatenate forward and backward outputs; got "
            f"merge_mode={layer.merge_mode!r}. Convert forward_layer and backward_layer one by one."
        )
    raise TypeError(
        "to_torch converts SimpleRNN, GRU, LSTM, a Bidirectional or a Sequential of them, and Embedding; got "
        f"{type(layer).__name__}."
    )


def _options(layer: Recurrent, *, backward: bool) -> dict[str, Any]:
    """Return the arguments of the module that computes what a layer computes."""
    layer.require_built("to_torch")
    name, cell = MODULES[type(layer)].__name__, layer.cell
    plain = dict(_PLAIN, go_backwards=backward)
    if isinstance(layer, SimpleRNN):
        plain["activation"] = ("tanh", "relu")
    for setting, value in plain.items():
        if (ours := getattr(layer.config, setting, value)) not in (value if isinstance(value, tuple) else (value,)):
            raise ValueError(
                f"nn.{name} knows no {setting}={ours!r}, so this {type(layer).__name__} has no like there."
            )
    options: dict[str, Any] = {"hidden_size": layer.config.units, "bias": layer.config.use_bias}
    if isinstance(layer, SimpleRNN):
        options["nonlinearity"] = layer.config.activation
    elif isinstance(layer, LSTM):
        options["proj_size"] = layer.config.projection_size or 0
    return {**options, "dtype": cell.kernel.dtype, "device": cell.kernel.device}


def _fill_module(module: nn.RNNBase, suffix: str, layer: Recurrent) -> None:
    """Copy the weights of one layer into one direction of one layer of a module."""
    cell, order = layer.cell, BLOCKS[type(layer)]
    copied(getattr(module, f"weight_ih{suffix}"), cell.kernel, order, to_rows=True)
    copied(getattr(module, f"weight_hh{suffix}"), cell.recurrent_kernel, order, to_rows=True)
    if isinstance(cell, LSTMCell) and cell.projection_kernel is not None:
        copied(getattr(module, f"weight_hr{suffix}"), cell.projection_kernel, (0,), to_rows=True)
    if cell.bias is not None:
        zeros = torch.zeros_like(cell.bias)
        rows = cell.bias if isinstance(layer, GRU) else torch.stack([cell.bias, zeros])
        for which, row in zip(("ih", "hh"), rows, strict=True):
            bias: Tensor = getattr(module, f"bias_{which}{suffix}")
            with torch.no_grad():
                bias.copy_(reordered(row, order))
            bias.requires_grad_(cell.bias.requires_grad)
