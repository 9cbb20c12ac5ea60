"""GRU."""

from __future__ import annotations

from dataclasses import dataclass

from daneo.layers.gru_cell import GRUCell, GRUCellConfig
from daneo.layers.recurrent_layer import RecurrentLayer
from daneo.layers.rnn import RNNConfig
from daneo.settings import configured, subset


@dataclass(frozen=True, kw_only=True)
class GRUConfig(RNNConfig, GRUCellConfig):
    """Settings of :class:`GRU`: those of its cell, and what it does with the steps."""


class GRU(RecurrentLayer):
    """GRU."""

    config: GRUConfig
    cell: GRUCell

    @configured(GRUConfig)
    def __init__(self, config: GRUConfig) -> None:
        super().__init__(GRUCell(**subset(GRUCellConfig, config)), config)
