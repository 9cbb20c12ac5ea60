"""RNN: any cell, run over the steps of a sequence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from daneo.layers import plain_loop, recurrent_inputs
from daneo.layers.layer import Layer, Shape
from daneo.layers.recurrent_cell import RecurrentCell
from daneo.settings import check, opt


@dataclass(frozen=True, kw_only=True)
class RNNConfig:
    """What a recurrent layer does with its steps."""

    return_sequences: bool = opt(False, "return the output of every step, not of the last one only")
    return_state: bool = opt(False, "return the last states after the output")
    go_backwards: bool = opt(False, "read the steps from the last to the first, and return outputs in that order")
    stateful: bool = opt(False, "begin each call with the states at the end of the one before")
    zero_output_for_mask: bool = opt(False, "put out zeros at masked steps, not the output before them")

    def __post_init__(self) -> None:
        check(self)


class RNN(Layer):
    """Run a cell over the steps of a sequence."""

    takes_mask = True
    config: RNNConfig
    states: list[Tensor] | None
    cell: Any

    def __init__(self, cell: nn.Module, **settings: Any) -> None:
        self._start(cell, RNNConfig(**settings))

    def _start(self, cell: nn.Module, config: RNNConfig) -> None:
        super().__init__(config)
        self.cell = cell
        self.states = None

    # ------------------------------------------------------------------------------------------------------ building

    @property
    def built(self) -> bool:
        """Whether the cell's weights have their shapes; a cell without :meth:`build` always counts as built."""
        return bool(getattr(self._modules["cell"], "built", True))

    def make_weights(self, input_shape: Shape) -> None:
        """Build the cell."""
        self.cell.build((input_shape[0], *input_shape[2:]))

    @property
    def state_sizes(self) -> list[int]:
        """The numbers in each state."""
        size = self.cell.state_size
        return [size] if isinstance(size, int) else list(size)

    @property
    def output_size(self) -> int:
        """The numbers in an output."""
        return int(getattr(self.cell, "output_size", self.state_sizes[0]))

    # ------------------------------------------------------------------------------------------------------- calling

    def forward(
        self,
        x: Tensor | Any,
        initial_state: Tensor | Sequence[Tensor] | None = None,
        mask: Tensor | None = None,
        lengths: Tensor | Sequence[int] | None = None,
    ) -> Tensor | tuple[Tensor, ...]:
        """Read sequences x (B, T, D)."""
        cell, config = self._modules["cell"], self.config
        assert cell is not None
        name = type(self).__name__
        weight = cell._parameters.get("kernel")
        if not isinstance(x, Tensor):
            like = weight if weight is not None else torch.empty(0)
            x = recurrent_inputs.as_tensor(name, x, dtype=like.dtype, device=like.device)
        if not self.built:
            recurrent_inputs.check_input(name, x, None, weight)
            self.build(x.shape)
        features = weight.shape[0] if weight is not None else None
        recurrent_inputs.check_input(name, x, features, weight)
        if mask is not None or lengths is not None:
            mask = recurrent_inputs.as_mask(name, x, mask, lengths)
        states = self._first_states(x, initial_state)
        input_masks = recurrent_masks = None
        if isinstance(cell, RecurrentCell) and self.training:
            input_masks, recurrent_masks = cell.dropout_masks(len(x))
        output, states = self._run(x, states, mask, input_masks, recurrent_masks)
        if config.stateful:
            self.states = [state.detach() for state in states]
        return (output, *states) if config.return_state else output

    def _run(
        self, x: Tensor, states: list[Tensor], mask: Tensor | None, input_masks: Any, recurrent_masks: Any
    ) -> tuple[Tensor, list[Tensor]]:
        """Take all steps: the outputs in the order of the steps, or the last one, and the last states."""
        return plain_loop.run(
            self.cell,
            x,
            states,
            mask,
            input_masks,
            recurrent_masks,
            return_sequences=self.config.return_sequences,
            go_backwards=self.config.go_backwards,
            zero_output_for_mask=self.config.zero_output_for_mask,
        )

    def _first_states(self, x: Tensor, initial_state: Any) -> list[Tensor]:
        if initial_state is not None:
            return recurrent_inputs.as_states(type(self).__name__, initial_state, self.state_sizes, x)
        if self.states is not None:
            return self.states
        return [x.new_zeros(len(x), size) for size in self.state_sizes]

    def reset_state(self) -> None:
        """Forget the states of the calls so far: the next one begins with zeros."""
        self.states = None

    # --------------------------------------------------------------------------------------------------- as in Keras

    def compute_mask(self, inputs: Any, mask: Tensor | None = None) -> Tensor | None:
        """Return the mask of the outputs: None if only the last one is returned."""
        if mask is None or not self.config.return_sequences:
            return None
        return mask.flip(1) if self.config.go_backwards else mask

    def compute_output_shape(self, input_shape: Shape) -> tuple[int | None, ...]:
        """Return (B, T, U), or (B, U) without `return_sequences`."""
        kept = input_shape[:2] if self.config.return_sequences else input_shape[:1]
        return (*kept, self.output_size)

    def sizes_text(self) -> str:
        """Return what goes in and comes out, as ``" 100 -> 64"``."""
        return self.cell.sizes_text() if isinstance(self.cell, Layer) else ""
