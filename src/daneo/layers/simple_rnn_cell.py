"""One step of SimpleRNN."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from daneo.layers.recurrent_cell import RecurrentCell, RecurrentCellConfig, linear
from daneo.settings import configured


@dataclass(frozen=True, kw_only=True)
class SimpleRNNCellConfig(RecurrentCellConfig):
    """Settings of :class:`SimpleRNNCell`."""


class SimpleRNNCell(RecurrentCell):
    r"""One step of :class:`daneo.layers.SimpleRNN`.

    .. math:: h_t = \tanh(x_t W + b + h_{t-1} R)

    Examples
    --------
    >>> import torch
    >>> cell = SimpleRNNCell(4)
    >>> output, states = cell(torch.ones(2, 3), [torch.zeros(2, 4)])
    >>> output.shape, len(states)
    (torch.Size([2, 4]), 1)
    """

    GATES = ("hidden",)
    INTERNALS = ("hidden_state",)

    @configured(SimpleRNNCellConfig)
    def __init__(self, config: SimpleRNNCellConfig) -> None:
        super().__init__(config)

    def step(
        self, projected: Tensor, states: Sequence[Tensor], recurrent_masks: Tensor | None = None
    ) -> tuple[list[Tensor], tuple[Tensor, ...]]:
        """Take one step; the internals are the hidden state."""
        hidden = self._activation(projected + linear(states[0], self.recurrent_kernel, None, recurrent_masks))
        return [hidden], (hidden,)
