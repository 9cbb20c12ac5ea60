"""What SimpleRNN, GRU and LSTM share: an RNN whose settings are also those of its cell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from torch import nn

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
