"""SimpleRNN."""

from __future__ import annotations

from dataclasses import dataclass

from daneo.layers.recurrent_layer import RecurrentLayer
from daneo.layers.rnn import RNNConfig
from daneo.layers.simple_rnn_cell import SimpleRNNCell, SimpleRNNCellConfig
from daneo.settings import configured, subset


@dataclass(frozen=True, kw_only=True)
class SimpleRNNConfig(RNNConfig, SimpleRNNCellConfig):
    """Settings of :class:`SimpleRNN`: those of its cell, and what it does with the steps."""


class SimpleRNN(RecurrentLayer):
    """SimpleRNN."""

    config: SimpleRNNConfig
    cell: SimpleRNNCell

    @configured(SimpleRNNConfig)
    def __init__(self, config: SimpleRNNConfig) -> None:
        super().__init__(SimpleRNNCell(**subset(SimpleRNNCellConfig, config)), config)
