"""LSTM."""

from __future__ import annotations

from dataclasses import dataclass

from daneo.layers.lstm_cell import LSTMCell, LSTMCellConfig
from daneo.layers.rnn import RNN, RNNConfig
from daneo.settings import configured, subset


@dataclass(frozen=True, kw_only=True)
class LSTMConfig(RNNConfig, LSTMCellConfig):
    """Settings of :class:`LSTM`: those of its cell, and what it does with the steps."""


class LSTM(RNN):
    """LSTM."""

    config: LSTMConfig
    cell: LSTMCell

    @configured(LSTMConfig)
    def __init__(self, config: LSTMConfig) -> None:
        self._start(LSTMCell(**subset(LSTMCellConfig, config)), config)
