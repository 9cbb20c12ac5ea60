"""One step of LSTM."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from daneo.layers import activations
from daneo.layers.initializers import Initializer, initialized
from daneo.layers.layer import Shape
from daneo.layers.recurrent_cell import RecurrentCell, RecurrentCellConfig, linear
from daneo.settings import configured, opt


@dataclass(frozen=True, kw_only=True)
class LSTMCellConfig(RecurrentCellConfig):
    """Settings of :class:`LSTMCell`."""

    recurrent_activation: str | Callable[[Tensor], Tensor] | None = opt("sigmoid", "what gates pass through")
    unit_forget_bias: bool = opt(True, "let the bias of the forget gate begin at 1")
    peephole: bool = opt(False, "let the gates see the cell state")
    peephole_initializer: str | Initializer = opt("glorot_uniform", "how the peephole weights begin")
    coupled: bool = opt(False, "forget as much as is written: forget gate = 1 - input gate")
    projection_size: int | None = opt(None, "numbers in a projected hidden state (none: as units)", minimum=1)
    projection_initializer: str | Initializer = opt("glorot_uniform", "how the projection begins")
    cell_clip: float | None = opt(None, "keep the cell state between -cell_clip and cell_clip", above=0)
    projection_clip: float | None = opt(None, "keep the projected state between -projection_clip and it", above=0)
    layer_norm: bool = opt(False, "normalise both products and what the output gate lets out")
    zoneout: float | tuple[float, float] = opt(0.0, "share of the (cell, hidden) state that steps leave as it was")

    def __post_init__(self) -> None:
        if isinstance(self.zoneout, list):  # as a saved file has it
            object.__setattr__(self, "zoneout", tuple(self.zoneout))
        super().__post_init__()
        rates = self.zoneout_rates
        if len(rates) != 2 or not all(isinstance(rate, int | float) and 0 <= rate <= 1 for rate in rates):
            raise ValueError(
                "LSTM(zoneout=...) expected a rate between 0 and 1, or two of them for the cell and the hidden state; "
                f"got {self.zoneout!r}."
            )
        if self.projection_clip is not None and self.projection_size is None:
            raise ValueError("LSTM(projection_clip=...) clips a projection: give projection_size too.")

    @property
    def zoneout_rates(self) -> tuple[float, float]:
        """The rates of the cell state and of the hidden state."""
        return self.zoneout if isinstance(self.zoneout, tuple) else (self.zoneout, self.zoneout)


class LSTMCell(RecurrentCell):
    r"""One step of :class:`daneo.layers.LSTM`, which says what it computes and explains the settings.

    Parameters
    ----------
    units : int
    **settings
        As LSTM has them, without those about the sequence: ``return_sequences`` to ``zero_output_for_mask``.

    Attributes
    ----------
    kernel : Parameter of shape (D, 4U)
    recurrent_kernel : Parameter of shape (P, 4U)
        P is `projection_size`, or U.
    bias : Parameter of shape (4U,), or None
    peephole_kernel : Parameter of shape (3, U), or None
        For the input, forget and output gate.
    projection_kernel : Parameter of shape (U, P), or None
    input_scale, recurrent_scale : Parameter of shape (4U,), or None
    cell_scale, cell_shift : Parameter of shape (U,), or None
        Of layer normalisation.

    Examples
    --------
    >>> import torch
    >>> cell = LSTMCell(4, peephole=True)
    >>> output, (hidden, cell_state) = cell(torch.ones(2, 3), [torch.zeros(2, 4), torch.zeros(2, 4)])
    >>> output.shape, output is hidden, cell_state.shape
    (torch.Size([2, 4]), True, torch.Size([2, 4]))
    """

    GATES = ("input", "forget", "candidate", "output")
    INTERNALS = ("input_gate", "forget_gate", "candidate", "output_gate", "cell_state", "hidden_state")
    EPSILON = 1e-5  # keeps layer normalisation from dividing by zero

    config: LSTMCellConfig
    peephole_kernel: Tensor | None
    projection_kernel: Tensor | None
    input_scale: Tensor | None
    recurrent_scale: Tensor | None
    cell_scale: Tensor | None
    cell_shift: Tensor | None

    @configured(LSTMCellConfig)
    def __init__(self, config: LSTMCellConfig) -> None:
        super().__init__(config)
        self._recurrent_activation = activations.get(config.recurrent_activation)
        self.declare("peephole_kernel", wanted=config.peephole)
        self.declare("projection_kernel", wanted=config.projection_size is not None)
        for name in ("input_scale", "recurrent_scale", "cell_scale", "cell_shift"):
            self.declare(name, wanted=config.layer_norm)

    # --------------------------------------------------------------------------------------------------------- sizes

    @property
    def output_size(self) -> int:
        """The numbers in an output, which is the hidden state."""
        return self.config.projection_size or self.config.units

    @property
    def state_size(self) -> list[int]:
        """The numbers in the hidden state and in the cell state."""
        return [self.output_size, self.config.units]

    def make_weights(self, input_shape: Shape) -> None:
        """Make the weights; the bias of the forget gate is one."""
        super().make_weights(input_shape)
        config, units = self.config, self.config.units
        if self.bias is not None and config.unit_forget_bias:
            self.bias[units : 2 * units] = 1.0
        if config.peephole:
            # Each row is a diagonal matrix of which only the diagonal is kept: a vector, not a product of 3 numbers.
            self.make_weight("peephole_kernel", (3, units), _row_by_row(config.peephole_initializer))
        if config.projection_size is not None:
            self.make_weight("projection_kernel", (units, self.output_size), config.projection_initializer)
        if config.layer_norm:
            self.make_weight("input_scale", (4 * units,), "ones")
            self.make_weight("recurrent_scale", (4 * units,), "ones")
            self.make_weight("cell_scale", (units,), "ones")
            self.make_weight("cell_shift", (units,), "zeros")

    # --------------------------------------------------------------------------------------------------------- steps

    def project(self, x: Tensor, input_masks: Tensor | None = None) -> Tensor:
        """Multiply inputs x (B, T, D) with the kernel and add the bias: (B, T, 4U)."""
        if self.input_scale is None:
            return super().project(x, input_masks)
        product = self._normalised(linear(x, self.kernel, None, input_masks), self.input_scale)
        return product if self.bias is None else product + self.bias

    def step(
        self, projected: Tensor, states: Sequence[Tensor], recurrent_masks: Tensor | None = None
    ) -> tuple[list[Tensor], tuple[Tensor, ...]]:
        """Take one step; the internals are the three gates, the candidate, the cell state and the hidden state."""
        config, gate, peephole = self.config, self._recurrent_activation, self.peephole_kernel
        hidden_before, cell_before = states
        recurrent = linear(hidden_before, self.recurrent_kernel, None, recurrent_masks)
        if self.recurrent_scale is not None:
            recurrent = self._normalised(recurrent, self.recurrent_scale)
        input_gate, forget_gate, candidate, output_gate = (projected + recurrent).chunk(4, 1)
        if peephole is not None:
            input_gate = input_gate + cell_before * peephole[0]
            forget_gate = forget_gate + cell_before * peephole[1]
        input_gate = gate(input_gate)
        forget_gate = 1 - input_gate if config.coupled else gate(forget_gate)
        candidate = self._activation(candidate)
        cell = forget_gate * cell_before + input_gate * candidate
        if config.cell_clip is not None:
            cell = cell.clamp(-config.cell_clip, config.cell_clip)
        if peephole is not None:
            output_gate = output_gate + cell * peephole[2]
        output_gate = gate(output_gate)
        hidden = self._shown(output_gate, cell)
        if config.zoneout:
            cell_rate, hidden_rate = config.zoneout_rates
            cell = self._zoned_out(cell_rate, cell_before, cell)
            hidden = self._zoned_out(hidden_rate, hidden_before, hidden)
        return [hidden, cell], (input_gate, forget_gate, candidate, output_gate, cell, hidden)

    def _shown(self, output_gate: Tensor, cell: Tensor) -> Tensor:
        """Let the output gate pass on the cell state, normalised and projected where that is asked for."""
        if self.cell_scale is not None:
            cell = self._normalised(cell, self.cell_scale, self.cell_shift)
        hidden = output_gate * self._activation(cell)
        if self.projection_kernel is None:
            return hidden
        hidden = hidden @ self.projection_kernel
        clip = self.config.projection_clip
        return hidden if clip is None else hidden.clamp(-clip, clip)

    def _normalised(self, values: Tensor, scale: Tensor, shift: Tensor | None = None) -> Tensor:
        return functional.layer_norm(values, values.shape[-1:], scale, shift, self.EPSILON)

    def _zoned_out(self, rate: float, before: Tensor, after: Tensor) -> Tensor:
        """Leave each number as it was with probability `rate`; out of training take the mean of the two cases."""
        if not self.training:
            return rate * before + (1 - rate) * after
        return torch.where(torch.rand_like(after) < rate, before, after)


def _row_by_row(initializer: str | Initializer) -> Initializer:
    """Let an initializer fill each row as a vector of its own."""

    def initialize(weight: Tensor) -> None:
        for row in weight:
            row.copy_(initialized(tuple(row.shape), initializer, dtype=row.dtype, device=row.device))

    return initialize
