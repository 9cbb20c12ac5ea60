"""LSTM."""

from __future__ import annotations

from dataclasses import dataclass

from daneo.layers.lstm_cell import LSTMCell, LSTMCellConfig
from daneo.layers.recurrent_layer import RecurrentLayer
from daneo.layers.rnn import RNNConfig
from daneo.settings import configured, subset


@dataclass(frozen=True, kw_only=True)
class LSTMConfig(RNNConfig, LSTMCellConfig):
    """Settings of :class:`LSTM`: those of its cell, and what it does with the steps."""


class LSTM(RecurrentLayer):
    """LSTM."""

    config: LSTMConfig
    cell: LSTMCell

    @configured(LSTMConfig)
    def __init__(self, config: LSTMConfig) -> None:
        super().__init__(LSTMCell(**subset(LSTMCellConfig, config)), config)
