"""The layers of a Sequential as they run: alone, or an Embedding and the recurrent layer that reads its rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from daneo.layers.bidirectional import Bidirectional
from daneo.layers.embedding import Embedding
from daneo.layers.gru import GRU
from daneo.layers.looked_up import LookedUp
from daneo.layers.lstm import LSTM
from daneo.layers.simple_rnn import SimpleRNN

Stage = tuple[nn.Module, ...]
FEW_TOKENS = 64  # finding the distinct ones of fewer costs more than it saves
MOST_DISTINCT = 0.8  # of all tokens


def stages(layers: Sequence[nn.Module]) -> list[Stage]:
    """Group layers into what runs at once.

    Examples
    --------
    >>> from daneo.layers import GRU
    >>> [len(stage) for stage in stages([Embedding(5, 3), GRU(4, return_sequences=True), GRU(4)])]
    [2, 1]
    """
    grouped: list[Stage] = []
    for layer in layers:
        if grouped and len(grouped[-1]) == 1 and reads_rows(grouped[-1][0], layer):
            grouped[-1] = (*grouped[-1], layer)
        else:
            grouped.append((layer,))
    return grouped


def reads_rows(embedding: nn.Module, layer: nn.Module) -> bool:
    """Tell whether `layer`, in one or both directions, begins with a product of the rows that `embedding` looks up."""
    if type(embedding) is not Embedding:
        return False
    both = (layer.forward_layer, layer.backward_layer) if type(layer) is Bidirectional else (layer,)
    # A class of the user's may do anything with its input.
    return all(type(one) in (SimpleRNN, GRU, LSTM) for one in both)


def run_stage(stage: Stage, x: Tensor, mask: Tensor | None) -> tuple[Any, Tensor | None]:
    """Run the layers of a stage.

    Returns
    -------
    output : Tensor, or what else the last layer returns
    mask : Tensor or None
        The mask that goes with it; None where the output does not begin with the mask's (B, T) any more.
    """
    y: Any = x
    for layer in stage:
        after = mask_after(layer, y, mask)
        if len(stage) == 2 and layer is stage[0] and (rows := distinct_rows(layer, stage[1], y)) is not None:
            y, mask = rows, after
            continue
        y = layer(y, mask=mask) if mask is not None and getattr(layer, "takes_mask", False) else layer(y)
        mask = after
    return y, mask if mask is not None and _fits(mask, y) else None


def distinct_rows(embedding: Any, reader: nn.Module, ids: Tensor) -> LookedUp | None:
    """Look every distinct id up once, for a recurrent layer to multiply it once; None where that gains nothing.

    Text repeats its words: of 6,400 tokens some 2,000 are distinct.
    """
    modules = (embedding, *reader.modules())
    if any(module._forward_hooks or module._forward_pre_hooks or module._backward_hooks for module in modules):
        return None  # somebody waits for tensors of all rows
    if nn.modules.module._has_any_global_hook():  # type: ignore[no-untyped-call]
        return None
    if torch.compiler.is_compiling() or ids.ndim != 2 or ids.numel() < FEW_TOKENS or ids.device.type != "cpu":
        return None
    if type(ids) is not Tensor or torch._C._functorch.get_dynamic_layer_stack_depth():
        return None
    if torch._C._get_tracing_state() is not None:
        return None  # what is recorded must serve other ids
    distinct, tokens = np.unique(embedding.as_ids(ids).numpy(), return_inverse=True)
    if len(distinct) > MOST_DISTINCT * ids.numel():
        return None
    rows = embedding(torch.from_numpy(distinct))
    return LookedUp(rows, torch.from_numpy(tokens.reshape(ids.shape)))


def mask_after(layer: Any, x: Any, mask: Tensor | None) -> Tensor | None:
    """Return the mask that goes with a layer's output for input x; a module that is not daneo's lets it through."""
    after: Tensor | None = layer.compute_mask(x, mask) if hasattr(layer, "compute_mask") else mask
    return after


def _fits(mask: Tensor, y: Any) -> bool:
    """Tell whether y is (B, T, ...) of vectors or (B, T) of ids; numbers of shape (B, D) have no steps."""
    has_steps = isinstance(y, Tensor) and y.ndim >= 2 + y.is_floating_point()
    return has_steps and y.shape[:2] == mask.shape[:2]
