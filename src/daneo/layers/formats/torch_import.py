"""PyTorch's own modules as layers: the same numbers in another layout."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from daneo.layers.bidirectional import Bidirectional
from daneo.layers.embedding import Embedding
from daneo.layers.formats.torch_layout import BLOCKS, Recurrent, copied, reordered, with_dropout
from daneo.layers.gru import GRU
from daneo.layers.layer import Layer
from daneo.layers.lstm import LSTM
from daneo.layers.lstm_cell import LSTMCell
from daneo.layers.sequential import Sequential
from daneo.layers.simple_rnn import SimpleRNN


def from_torch(module: nn.Module, *, return_sequences: bool = True, return_state: bool = False) -> Layer:
    """Convert a module of PyTorch into a layer that computes the same, with a copy of its weights.

    ===================================  ====================================
    ``torch.nn``                         here
    ===================================  ====================================
    RNN (tanh or relu)                   :class:`SimpleRNN`
    GRU                                  :class:`GRU`, ``reset_after=True``
    LSTM, also with ``proj_size``        :class:`LSTM`, ``projection_size``
    any of them, ``bidirectional=True``  :class:`Bidirectional` of it
    any of them, ``num_layers > 1``      :class:`Sequential` of them
    Embedding                            :class:`Embedding`
    ===================================  ====================================

    Parameters
    ----------
    module : nn.RNN, nn.GRU, nn.LSTM or nn.Embedding
    return_sequences, return_state : bool
        As the arguments of the layers; PyTorch returns everything always. Of several layers, the last one gets them.

    Returns
    -------
    Layer
        Built, in the precision, on the device and in the mode (training or not) of the module; each weight is
        trained or frozen as its original was.

    Raises
    ------
    TypeError
        The module is of another kind.
    ValueError
        The module has an option that the layers lack: ``padding_idx``, ``max_norm``, ``scale_grad_by_freq``.

    Notes
    -----
    Layers take (B, T, D) whatever ``batch_first`` is. PyTorch's RNN and LSTM add two biases where one is enough;
    here it is their sum, and frozen if both were. Dropout between the layers of a stack becomes ``nn.Dropout`` in
    the Sequential, so training differs only in the numbers drawn. Without ``return_sequences``, a Bidirectional gives
    the last outputs of both directions: what PyTorch calls ``h_n``, and not ``output[:, -1]``.

    Examples
    --------
    >>> module = nn.LSTM(3, 4, batch_first=True)
    >>> layer, x = from_torch(module), torch.ones(2, 5, 3)
    >>> torch.allclose(layer(x), module(x)[0], atol=1e-6)
    True
    """
    if isinstance(module, nn.Embedding):
        layer: Layer = _embedding(module)
    elif isinstance(module, nn.RNN | nn.GRU | nn.LSTM):
        depth = module.num_layers
        last = {"return_sequences": return_sequences, "return_state": return_state}
        found = [_layer(module, k, **(last if k == depth - 1 else {"return_sequences": True})) for k in range(depth)]
        layer = found[0] if depth == 1 else Sequential(with_dropout(found, module.dropout))
    else:
        raise TypeError(
            f"from_torch converts nn.RNN, nn.GRU, nn.LSTM and nn.Embedding, got {type(module).__name__}. "
            "Other modules work in a Sequential as they are."
        )
    return layer.train(module.training)


def _embedding(module: nn.Embedding) -> Embedding:
    refused = ("padding_idx", None), ("max_norm", None), ("scale_grad_by_freq", False)
    for name, plain in refused:
        if (value := getattr(module, name)) != plain:
            raise ValueError(
                f"nn.Embedding has {name}={value!r}, which changes how it is trained; Embedding has no such option. "
                f"Set it to {plain} on the module if you can do without."
            )
    weight = module.weight
    with torch.device("meta"):
        layer = Embedding(
            input_dim=weight.shape[0], output_dim=weight.shape[1], sparse=module.sparse, dtype=weight.dtype
        )
    layer.to_empty(device=weight.device)
    copied(layer.embeddings, weight)
    return layer


def _layer(module: nn.RNNBase, depth: int, **returns: bool) -> Any:
    """Convert one of the layers of a module: a recurrent layer, or a Bidirectional of two."""
    kernel: Tensor = getattr(module, f"weight_ih_l{depth}")
    # On the meta device no memory is taken and no random number is drawn.
    with torch.device("meta"):
        one = _like(module, **returns, use_bias=module.bias, dtype=kernel.dtype)
        layer: Any = Bidirectional(one) if module.bidirectional else one
        layer.build((None, None, kernel.shape[1]))
    layer.to_empty(device=kernel.device)
    if module.bidirectional:
        _fill_cell(layer.forward_layer, module, f"_l{depth}")
        _fill_cell(layer.backward_layer, module, f"_l{depth}_reverse")
    else:
        _fill_cell(layer, module, f"_l{depth}")
    return layer


def _like(module: nn.RNNBase, **settings: Any) -> Recurrent:
    if isinstance(module, nn.RNN):
        return SimpleRNN(units=module.hidden_size, activation=module.nonlinearity, **settings)
    if isinstance(module, nn.GRU):
        return GRU(units=module.hidden_size, **settings)
    return LSTM(units=module.hidden_size, projection_size=module.proj_size or None, **settings)


def _fill_cell(layer: Recurrent, module: nn.RNNBase, suffix: str) -> None:
    """Copy the weights of one direction of one layer of a module."""
    cell, order = layer.cell, BLOCKS[type(layer)]
    copied(cell.kernel, getattr(module, f"weight_ih{suffix}"), order)
    copied(cell.recurrent_kernel, getattr(module, f"weight_hh{suffix}"), order)
    if isinstance(cell, LSTMCell) and cell.projection_kernel is not None:
        copied(cell.projection_kernel, getattr(module, f"weight_hr{suffix}"), (0,))
    if cell.bias is not None:
        theirs = [getattr(module, f"bias_{which}{suffix}") for which in ("ih", "hh")]
        rows = torch.stack([reordered(bias.detach(), order) for bias in theirs])
        with torch.no_grad():
            cell.bias.copy_(rows if isinstance(layer, GRU) else rows.sum(0))
        cell.bias.requires_grad_(any(bias.requires_grad for bias in theirs))
