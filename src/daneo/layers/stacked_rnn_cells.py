"""Cells one above the other, as one cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import torch
from torch import Tensor, nn

from daneo.layers import any_cell
from daneo.layers.layer import Layer, Shape
from daneo.layers.layer_descriptions import deserialize, serialize


class StackedRNNCells(Layer):
    """Cells one above the other: each reads what the one below puts out.

    Parameters
    ----------
    cells : sequence of nn.Module
        The lowest first; at least one. Each is one of daneo's cells or any that :class:`daneo.layers.RNN` takes.

    Raises
    ------
    TypeError, ValueError
        There are no cells, or one of them cannot be run.

    Notes
    -----
    Keras nests the states, a list for each cell; here they are one flat list, the lowest cell's first, everywhere.

    Examples
    --------
    >>> from daneo.layers import GRUCell, LSTMCell, RNN
    >>> layer = RNN([LSTMCell(4), GRUCell(3)], return_state=True)
    >>> [tuple(tensor.shape) for tensor in layer(torch.ones(2, 5, 6))]
    [(2, 3), (2, 4), (2, 4), (2, 3)]
    """

    takes_custom_objects: ClassVar[bool] = True

    def __init__(self, cells: Sequence[nn.Module]) -> None:
        super().__init__()
        if not cells:
            raise ValueError("StackedRNNCells expected at least one cell, got none.")
        for cell in cells:
            any_cell.check_cell(cell)
        self.cells = nn.ModuleList(cells)

    @property
    def built(self) -> bool:
        """Whether all cells are built."""
        return all(any_cell.is_built(cell, self._built) for cell in self.cells)

    def make_weights(self, input_shape: Shape) -> None:
        """Build each cell for what the one below puts out."""
        for cell in self.cells:
            any_cell.build(cell, input_shape)
            input_shape = (*input_shape[:-1], any_cell.output_size(cell))

    @property
    def first_kernel(self) -> Tensor | None:
        """The weights that meet the input first, if the lowest cell is one of daneo's."""
        return getattr(self.cells[0], "first_kernel", None)

    @property
    def state_size(self) -> list[int]:
        """The numbers in each state, the lowest cell's first."""
        return [size for cell in self.cells for size in any_cell.state_sizes(cell)]

    @property
    def output_size(self) -> int:
        """The numbers in an output, which is the top cell's."""
        return any_cell.output_size(self.cells[-1])

    def split_states(self, states: Sequence[Tensor]) -> list[list[Tensor]]:
        """Return the states of each cell."""
        remaining = iter(states)
        return [[next(remaining) for _ in any_cell.state_sizes(cell)] for cell in self.cells]

    def get_initial_state(self, batch_size: int) -> list[Tensor]:
        """Return what each cell begins with."""
        like = next(self.parameters(), torch.empty(0)).new_empty(batch_size)
        return [state for cell in self.cells for state in any_cell.initial_states(cell, like)]

    def dropout_masks(self, batch_size: int) -> tuple[list[Any], list[Any]]:
        """Draw what each cell drops in one call: its input masks, and its recurrent masks."""
        drawn = [any_cell.dropout_masks(cell, batch_size) for cell in self.cells]
        return [inputs for inputs, _ in drawn], [recurrent for _, recurrent in drawn]

    def forward(self, x: Tensor, states: Sequence[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """Take one step from an input x (B, D)."""
        if not self.built:
            self.build(x.shape)
        new_states: list[Tensor] = []
        for cell, own in zip(self.cells, self.split_states(states), strict=True):
            x, own_new = cell(x, own)
            new_states += [own_new] if isinstance(own_new, Tensor) else own_new
        return x, new_states

    def compute_output_shape(self, input_shape: Shape) -> tuple[int | None, ...]:
        """Return (B, U)."""
        return (*input_shape[:-1], self.output_size)

    def get_config(self) -> dict[str, Any]:
        """Return a description of each cell."""
        return {"cells": [serialize(cell) for cell in self.cells]}

    @classmethod
    def from_config(
        cls, config: Mapping[str, Any], custom_objects: Mapping[str, type[nn.Module]] | None = None
    ) -> Self:
        """Make the cells again, with fresh weights."""
        return cls([deserialize(cell, custom_objects) for cell in config["cells"]])

    def settings_text(self) -> str:
        """Return the cells and their settings."""
        return f"[{', '.join(any_cell.text(cell) for cell in self.cells)}]"

    def sizes_text(self) -> str:
        """Return what goes in and comes out, as ``" 100 -> 64"``."""
        kernel = self.first_kernel
        return "" if kernel is None else f" {kernel.shape[0]} -> {self.output_size}"
