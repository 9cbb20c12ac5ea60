"""GRU."""

from __future__ import annotations

from dataclasses import dataclass

from daneo.layers.gru_cell import GRUCell, GRUCellConfig
from daneo.layers.rnn import RNN, RNNConfig
from daneo.settings import configured, subset


@dataclass(frozen=True, kw_only=True)
class GRUConfig(RNNConfig, GRUCellConfig):
    """Settings of :class:`GRU`: those of its cell, and what it does with the steps."""


class GRU(RNN):
    """GRU."""

    config: GRUConfig
    cell: GRUCell

    @configured(GRUConfig)
    def __init__(self, config: GRUConfig) -> None:
        self._start(GRUCell(**subset(GRUCellConfig, config)), config)
