"""One step of LSTM."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torch import Tensor

from daneo.layers import activations
from daneo.layers.layer import Shape
from daneo.layers.recurrent_cell import RecurrentCell, RecurrentCellConfig, linear
from daneo.settings import configured, opt


@dataclass(frozen=True, kw_only=True)
class LSTMCellConfig(RecurrentCellConfig):
    """Settings of :class:`LSTMCell`."""

    recurrent_activation: str | Callable[[Tensor], Tensor] | None = opt("sigmoid", "what gates pass through")
    unit_forget_bias: bool = opt(True, "let the bias of the forget gate begin at 1")


class LSTMCell(RecurrentCell):
    r"""One step of :class:`daneo.layers.LSTM`.

    Examples
    --------
    >>> import torch
    >>> cell = LSTMCell(4)
    >>> output, states = cell(torch.ones(2, 3), [torch.zeros(2, 4), torch.zeros(2, 4)])
    >>> output.shape, len(states)
    (torch.Size([2, 4]), 2)
    """

    GATES = ("input", "forget", "candidate", "output")
    INTERNALS = ("input_gate", "forget_gate", "candidate", "output_gate", "cell_state", "hidden_state")

    config: LSTMCellConfig

    @configured(LSTMCellConfig)
    def __init__(self, config: LSTMCellConfig) -> None:
        super().__init__(config)
        self._recurrent_activation = activations.get(config.recurrent_activation)

    @property
    def state_size(self) -> list[int]:
        """The numbers in the hidden state and in the cell state."""
        return [self.output_size, self.config.units]

    def make_weights(self, input_shape: Shape) -> None:
        """Make the weights; the bias of the forget gate is one."""
        super().make_weights(input_shape)
        units = self.config.units
        if self.bias is not None and self.config.unit_forget_bias:
            self.bias[units : 2 * units] = 1.0

    def step(
        self, projected: Tensor, states: Sequence[Tensor], recurrent_masks: Tensor | None = None
    ) -> tuple[list[Tensor], tuple[Tensor, ...]]:
        """Take one step; the internals are the three gates, the candidate, the cell state and the hidden state."""
        before, cell = states
        product = projected + linear(before, self.recurrent_kernel, None, recurrent_masks)
        input_gate, forget_gate, candidate, output_gate = product.chunk(4, 1)
        input_gate, forget_gate = self._recurrent_activation(input_gate), self._recurrent_activation(forget_gate)
        candidate = self._activation(candidate)
        cell = forget_gate * cell + input_gate * candidate
        output_gate = self._recurrent_activation(output_gate)
        hidden = output_gate * self._activation(cell)
        return [hidden, cell], (input_gate, forget_gate, candidate, output_gate, cell, hidden)
