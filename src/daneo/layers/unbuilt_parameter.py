"""A weight whose shape is not known before the layer has seen its input."""

from __future__ import annotations

from typing import Any, Self

import torch
from torch.nn.parameter import UninitializedParameter


class UnbuiltParameter(UninitializedParameter):
    """Stands in for a weight until its layer is built, and then becomes that weight, the same object.

    So an optimizer that was given ``model.parameters()`` before the first call trains the weights all the same, and
    ``model.to(...)`` decides where and in which precision they will be made. Unlike PyTorch's own, it keeps both when
    it is pickled.

    Examples
    --------
    >>> weight = UnbuiltParameter(dtype=torch.float64)
    >>> weight.materialize((2, 3))
    >>> type(weight).__name__, tuple(weight.shape), weight.dtype
    ('Parameter', (2, 3), torch.float64)
    """

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        return type(self), (self.requires_grad, self.data.device, self.data.dtype)

    def bfloat16(self, memory_format: torch.memory_format = torch.preserve_format) -> torch.Tensor:
        """Return an unbuilt weight of that precision, as PyTorch's own can only for others."""
        return self.to(torch.bfloat16)

    def requires_grad_(self, mode: bool = True) -> Self:
        """Say whether the weight is to be trained."""
        self.requires_grad = mode
        return self
