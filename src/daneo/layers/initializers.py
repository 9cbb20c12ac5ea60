"""How weights begin: Keras's initializers by their names."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

Initializer = Callable[[Tensor], object]


def _variance_scaling(scale: float, mode: str, distribution: str) -> Initializer:
    """Draw numbers of variance ``scale / fan``, where fan is the number of inputs, of outputs or their mean."""

    def initialize(weight: Tensor) -> None:
        rows, columns = weight.shape if weight.ndim == 2 else (weight.numel(), weight.numel())
        fan = {"in": rows, "out": columns, "mean": (rows + columns) / 2}[mode]
        deviation = math.sqrt(scale / max(fan, 1))
        if distribution == "uniform":
            weight.uniform_(-math.sqrt(3) * deviation, math.sqrt(3) * deviation)
        else:  # a normal that is cut at two deviations has 0.8796 of the deviation
            full = deviation / 0.87962566103423978
            torch.nn.init.trunc_normal_(weight, std=full, a=-2 * full, b=2 * full)

    return initialize


INITIALIZERS: dict[str, Initializer] = {
    "zeros": lambda weight: weight.zero_(),
    "ones": lambda weight: weight.fill_(1.0),
    "identity": torch.nn.init.eye_,
    "orthogonal": torch.nn.init.orthogonal_,
    "random_normal": lambda weight: weight.normal_(0.0, 0.05),
    "random_uniform": lambda weight: weight.uniform_(-0.05, 0.05),
    "uniform": lambda weight: weight.uniform_(-0.05, 0.05),
    "glorot_uniform": _variance_scaling(1.0, "mean", "uniform"),
    "glorot_normal": _variance_scaling(1.0, "mean", "normal"),
    "he_uniform": _variance_scaling(2.0, "in", "uniform"),
    "he_normal": _variance_scaling(2.0, "in", "normal"),
    "lecun_uniform": _variance_scaling(1.0, "in", "uniform"),
    "lecun_normal": _variance_scaling(1.0, "in", "normal"),
}


def get(initializer: str | Initializer) -> Initializer:
    """Return the initializer of that name; a function that fills a tensor, as those of ``torch.nn.init``, stays itself.

    Raises
    ------
    ValueError
        There is no initializer of that name.

    Examples
    --------
    >>> float(get("ones")(torch.empty(2)).sum())
    2.0
    """
    if not isinstance(initializer, str):
        return initializer
    if initializer not in INITIALIZERS:
        raise ValueError(
            f"No initializer is called {initializer!r}: give one of {', '.join(INITIALIZERS)}, "
            "or a function that fills a tensor, such as torch.nn.init.xavier_uniform_."
        )
    return INITIALIZERS[initializer]


def initialized(
    shape: tuple[int, ...], initializer: str | Initializer, *, dtype: torch.dtype, device: torch.device
) -> Tensor:
    """Make a tensor of `shape` and let `initializer` fill it.

    Half precisions are filled in float32 first: an orthogonal matrix cannot be made in them.
    """
    working = torch.promote_types(dtype, torch.float32)
    values = torch.empty(shape, dtype=working, device=device)
    with torch.no_grad():
        get(initializer)(values)
    return values.to(dtype)
