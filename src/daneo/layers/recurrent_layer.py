"""What SimpleRNN, GRU and LSTM share: an RNN whose settings are also those of its cell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from torch import nn

from daneo.layers.inside.gradient_flow import GradientFlow, Loss, gradient_flow
from daneo.layers.inside.trace import Trace, trace
from daneo.layers.layer import Layer
from daneo.layers.recurrent_cell import RecurrentCell
from daneo.layers.rnn import RNN, RNNConfig
from daneo.settings import subset


class RecurrentLayer(RNN):
    """An RNN that makes its own cell, and shows and writes down the cell's settings as its own."""

    takes_custom_objects: ClassVar[bool] = False
    cell: RecurrentCell

    def __init__(self, cell: RecurrentCell, config: RNNConfig) -> None:
        super().__init__(cell, **subset(RNNConfig, config))
        self.config = config
        self.plan()  # now: a compiler would compile again after a call that changes the layer

    def get_config(self) -> dict[str, Any]:
        """Return the settings as JSON can hold them.

        Raises
        ------
        TypeError
            A setting is a function: only those given by name can be written down.
        """
        return Layer.get_config(self)

    @classmethod
    def from_config(
        cls, config: Mapping[str, Any], custom_objects: Mapping[str, type[nn.Module]] | None = None
    ) -> Self:
        """Make a layer, with fresh weights, from what :meth:`get_config` returned."""
        return cls(**config)

    def settings_text(self) -> str:
        """Return the settings that differ from their defaults, as ``units=64, return_sequences=True``."""
        return Layer.settings_text(self)

    # ------------------------------------------------------------------------------------------------- to see inside

    def trace(self, x: Any, initial_state: Any = None, mask: Any = None, lengths: Any = None) -> Trace:
        """Read sequences as a call does, and return every gate, candidate and state at every step.

        Parameters
        ----------
        x, initial_state, mask, lengths
            As a call takes them.

        Returns
        -------
        Trace
            Without gradients.

        Notes
        -----
        The layer stays as it is: a stateful one begins with the states that it has, and keeps them. In training, what
        dropout and zoneout leave out is drawn anew.

        Examples
        --------
        >>> import torch
        >>> from daneo.layers import LSTM
        >>> LSTM(64).trace(torch.ones(1, 5, 100)).forget_gate.shape
        torch.Size([1, 5, 64])
        """
        return trace(self, x, initial_state, mask, lengths)

    def gradient_flow(
        self, x: Any, loss: Loss = "last", initial_state: Any = None, mask: Any = None, lengths: Any = None
    ) -> GradientFlow:
        """Measure how much of a loss's gradient reaches the states of each step.

        Parameters
        ----------
        x, initial_state, mask, lengths
            As a call takes them.
        loss : {"last", "sum"} or callable, default "last"
            A function of the output that a call returns, without states, which gives a tensor of one number: for
            example ``lambda output: cross_entropy(head(output), labels)``. "last" is the sum of the numbers in the last
            hidden state, the question how far back the end of the sequence sees; "sum" is that of the hidden states at
            all steps that count.

        Returns
        -------
        GradientFlow
            Norms (B, T), whether they vanish or explode, and a figure.

        Raises
        ------
        ValueError
            The loss is no such function, or does not depend on the output.

        Notes
        -----
        The gradient is PyTorch's own, through all steps. The layer stays as it is: ``grad`` of all parameters and the
        states of a stateful layer are untouched. It is measured in the mode that the layer is in, and inside
        ``torch.no_grad()`` and ``torch.inference_mode()`` too; in training, what dropout and zoneout leave out is drawn
        anew. It takes the memory and the time of a plain loop of PyTorch operations in training.

        Examples
        --------
        >>> import torch
        >>> from daneo.layers import LSTM
        >>> flow = LSTM(64).gradient_flow(torch.randn(2, 30, 100))
        >>> flow.hidden_state.shape, flow.cell_state.shape
        (torch.Size([2, 30]), torch.Size([2, 30]))
        >>> flow.hidden_state[:, -1]  # 64 ones have the norm 8
        tensor([8., 8.], dtype=torch.float64)
        """
        return gradient_flow(self, x, loss, initial_state, mask, lengths)
