"""How PyTorch's recurrent modules lay out their weights, beside our layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from daneo.layers.gru import GRU
from daneo.layers.lstm import LSTM
from daneo.layers.simple_rnn import SimpleRNN

Recurrent = SimpleRNN | GRU | LSTM

MODULES: dict[type[Any], Any] = {SimpleRNN: nn.RNN, GRU: nn.GRU, LSTM: nn.LSTM}

BLOCKS: dict[type[Any], tuple[int, ...]] = {SimpleRNN: (0,), GRU: (1, 0, 2), LSTM: (0, 1, 2, 3)}
"""Which block of U rows of theirs each block of U columns of ours is: our GRU has z, r, h, theirs r, z, n.

Each of them is also the way back.
"""


def reordered(rows: Tensor, order: Sequence[int]) -> Tensor:
    """Cut the first axis into as many blocks as `order` has numbers, and put them in that order."""
    blocks = rows.chunk(len(order))
    return torch.cat([blocks[k] for k in order])


def copied(target: Tensor, source: Tensor, order: Sequence[int] | None = None, *, to_rows: bool = False) -> None:
    """Copy a weight's numbers, and whether it is trained.

    With an `order` the weight is one of gates: from their rows to our columns or, `to_rows`, the other way.
    """
    with torch.no_grad():
        if order is None:
            values = source
        elif to_rows:
            values = reordered(source.t(), order)
        else:
            values = reordered(source, order).t()
        target.copy_(values)
    target.requires_grad_(source.requires_grad)


def with_dropout(layers: Sequence[nn.Module], rate: float) -> list[nn.Module]:
    """Put dropout between layers: PyTorch leaves out numbers of what one layer of a stack hands to the next."""
    if not rate:
        return list(layers)
    return [layers[0], *(module for layer in layers[1:] for module in (nn.Dropout(rate), layer))]
