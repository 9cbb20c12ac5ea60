"""One step of GRU."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torch import Tensor

from daneo.layers import activations
from daneo.layers.recurrent_cell import RecurrentCell, RecurrentCellConfig, linear
from daneo.settings import configured, opt


@dataclass(frozen=True, kw_only=True)
class GRUCellConfig(RecurrentCellConfig):
    """Settings of :class:`GRUCell`."""

    recurrent_activation: str | Callable[[Tensor], Tensor] | None = opt("sigmoid", "what gates pass through")
    reset_after: bool = opt(True, "let the reset gate act after the recurrent product")


class GRUCell(RecurrentCell):
    r"""One step of :class:`daneo.layers.GRU`.

    .. math::

        z_t &= \sigma(x_t W_z + h_{t-1} R_z + b_z) \\
        r_t &= \sigma(x_t W_r + h_{t-1} R_r + b_r) \\
        \tilde h_t &= \tanh(x_t W_h + b_h + r_t \odot (h_{t-1} R_h + b'_h)) \\
        h_t &= z_t \odot h_{t-1} + (1 - z_t) \odot \tilde h_t

    With ``reset_after=False`` the candidate is :math:`\tanh(x_t W_h + b_h + (r_t \odot h_{t-1}) R_h)`.

    Examples
    --------
    >>> import torch
    >>> cell = GRUCell(4)
    >>> output, states = cell(torch.ones(2, 3), [torch.zeros(2, 4)])
    >>> output.shape, len(states)
    (torch.Size([2, 4]), 1)
    """

    GATES = ("update", "reset", "candidate")
    INTERNALS = ("update_gate", "reset_gate", "candidate", "hidden_state")

    config: GRUCellConfig

    @configured(GRUCellConfig)
    def __init__(self, config: GRUCellConfig) -> None:
        super().__init__(config)
        self._recurrent_activation = activations.get(config.recurrent_activation)

    @property
    def bias_shape(self) -> tuple[int, ...]:
        """(2, 3U), a row for the input and one for the recurrent product; (3U,) with ``reset_after=False``."""
        columns = 3 * self.config.units
        return (2, columns) if self.config.reset_after else (columns,)

    @property
    def input_bias(self) -> Tensor | None:
        """The bias (3U,) that is added to the input product."""
        return self.bias[0] if self.bias is not None and self.config.reset_after else self.bias

    @property
    def recurrent_bias(self) -> Tensor | None:
        """The bias (3U,) that is added to the recurrent product; only with ``reset_after=True``."""
        return self.bias[1] if self.bias is not None and self.config.reset_after else None

    def step(
        self, projected: Tensor, states: Sequence[Tensor], recurrent_masks: Tensor | None = None
    ) -> tuple[list[Tensor], tuple[Tensor, ...]]:
        """Take one step; the internals are update gate, reset gate, candidate and hidden state."""
        before, units = states[0], self.config.units
        x_gates, x_candidate = projected[:, : 2 * units], projected[:, 2 * units :]
        if self.config.reset_after:
            product = linear(before, self.recurrent_kernel, self.recurrent_bias, recurrent_masks)
            h_gates, h_candidate = product[:, : 2 * units], product[:, 2 * units :]
            update, reset = self._recurrent_activation(x_gates + h_gates).chunk(2, 1)
            h_candidate = reset * h_candidate
        else:
            kernel = self.recurrent_kernel
            gate_masks = None if recurrent_masks is None else recurrent_masks[:2]
            candidate_mask = None if recurrent_masks is None else recurrent_masks[2]
            h_gates = linear(before, kernel[:, : 2 * units], None, gate_masks)
            update, reset = self._recurrent_activation(x_gates + h_gates).chunk(2, 1)
            h_candidate = linear(reset * before, kernel[:, 2 * units :], None, candidate_mask)
        candidate = self._activation(x_candidate + h_candidate)
        hidden = update * before + (1 - update) * candidate
        return [hidden], (update, reset, candidate, hidden)
