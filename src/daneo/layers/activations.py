"""The functions that gates and candidates pass through, by Keras's names."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

Activation = Callable[[Tensor], Tensor]


def linear(x: Tensor) -> Tensor:
    """Let x through as it is."""
    return x


def hard_sigmoid(x: Tensor) -> Tensor:
    """Return relu6(x + 3) / 6, as Keras 3 does; Keras 2 had clip(0.2 x + 0.5, 0, 1).

    PyTorch's own has 1/6 rounded to float32 for its derivative, in float64 too.
    """
    return functional.relu6(x + 3) / 6


ACTIVATIONS: dict[str, Activation] = {
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "hard_sigmoid": hard_sigmoid,
    "relu": torch.relu,
    "relu6": functional.relu6,
    "elu": functional.elu,
    "selu": functional.selu,
    "gelu": functional.gelu,
    "silu": functional.silu,
    "softplus": functional.softplus,
    "softsign": functional.softsign,
    "exponential": torch.exp,
    "linear": linear,
}


def get(activation: str | Activation | None) -> Activation:
    """Return the function of that name; ``None`` is linear, and a function stays itself.

    Raises
    ------
    ValueError
        There is no activation of that name.

    Examples
    --------
    >>> get("hard_sigmoid")(torch.tensor([-4.0, 0.0, 1.5]))
    tensor([0.0000, 0.5000, 0.7500])
    """
    if activation is None:
        return linear
    if not isinstance(activation, str):
        return activation
    if activation not in ACTIVATIONS:
        raise ValueError(
            f"No activation is called {activation!r}: give one of {', '.join(ACTIVATIONS)}, or a function of a tensor."
        )
    return ACTIVATIONS[activation]
