"""How many numbers the vectors have that a layer reads."""

from __future__ import annotations

from torch import nn

from daneo.layers.bidirectional import Bidirectional
from daneo.layers.rnn import RNN
from daneo.layers.sequential import Sequential
from daneo.layers.time_distributed import TimeDistributed


def input_features(module: nn.Module) -> int:
    """Tell the size of the vectors that a built layer reads.

    Raises
    ------
    ValueError
        The layer takes vectors of any size, or none.

    Examples
    --------
    >>> input_features(TimeDistributed(nn.Linear(100, 3)))
    100
    """
    if isinstance(module, nn.Linear):
        return module.in_features
    if isinstance(module, Sequential) and len(module):
        return input_features(module[0])
    if isinstance(module, TimeDistributed):
        return input_features(module.layer)
    layer = module.forward_layer if isinstance(module, Bidirectional) else module
    kernel = getattr(layer.cell, "first_kernel", None) if isinstance(layer, RNN) else None
    if kernel is None:
        raise ValueError(f"A model's first layer says what its input is; {type(module).__name__} does not.")
    return int(kernel.shape[0])
