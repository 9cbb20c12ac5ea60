"""The steps of a recurrent layer one by one, with everything in sight: what traces and gradient flows are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor

from daneo.layers import any_cell
from daneo.layers.recurrent_cell import RecurrentCell

if TYPE_CHECKING:
    from daneo.layers.rnn import RNN

STATE_NAMES = ("hidden_state", "cell_state")


class Step(NamedTuple):
    """What is to be seen after one step.

    Attributes
    ----------
    states : list of Tensor of shape (B, U)
        Where the step is masked, those before it.
    internals : tuple of Tensor of shape (B, U)
        What the cell computed, in the order of its INTERNALS, also where the step is masked.
    """

    states: list[Tensor]
    internals: tuple[Tensor, ...]


def prepared(
    layer: RNN, x: Any, initial_state: Any, mask: Any, lengths: Any
) -> tuple[Tensor, list[Tensor], Tensor | None]:
    """Check what a layer is to be looked into with, as a call of the layer does, and build the layer if need be.

    Returns
    -------
    x : Tensor of shape (B, T, D)
    states : list of Tensor of shape (B, U)
    mask : Tensor of bool of shape (B, T), or None

    Raises
    ------
    TypeError, ValueError
        As a call does; and if the cell is not one of ours.
    """
    name, cell = type(layer).__name__, layer.cell
    if not isinstance(cell, RecurrentCell):
        raise TypeError(
            f"Only SimpleRNN, GRU and LSTM can be looked into; this is an {name} over a {type(cell).__name__}, "
            "which shows no more than its states."
        )
    x, states, mask = layer._prepared(x, initial_state, mask, lengths)
    return x, any_cell.initial_states(cell, x) if states is None else states, mask


def visible_steps(layer: RNN, x: Tensor, states: list[Tensor], mask: Tensor | None) -> list[Step]:
    """Take all steps as :func:`daneo.layers.plain_loop.run` does, and keep what each of them makes.

    Parameters
    ----------
    layer : RNN over one of our cells
        In training its dropout masks are drawn, as in a call.
    x, states, mask
        What :func:`prepared` returned.

    Returns
    -------
    list of Step
        In the order of time, whichever way the layer reads.
    """
    cell = layer.cell
    input_masks, recurrent_masks = cell.dropout_masks(len(x))
    projected = cell.project(x, input_masks).unbind(1)
    times = range(len(projected))
    taken: dict[int, Step] = {}
    for time in reversed(times) if layer.config.go_backwards else times:
        new_states, internals = cell.step(projected[time], states, recurrent_masks)
        if mask is not None:
            keep = mask[:, time, None]
            new_states = [torch.where(keep, new, old) for new, old in zip(new_states, states, strict=True)]
        states = new_states
        taken[time] = Step(states, internals)
    return [taken[time] for time in times]


def shown(layer: RNN, hidden_states: Tensor, mask: Tensor | None) -> Tensor:
    """Return the output that a layer makes of its hidden states (B, T, U), which are in the order of time."""
    config = layer.config
    if config.go_backwards:
        hidden_states, mask = hidden_states.flip(1), None if mask is None else mask.flip(1)
    if mask is not None and config.zero_output_for_mask:
        hidden_states = torch.where(mask[..., None], hidden_states, 0)
    elif mask is not None:
        steps = torch.arange(mask.shape[1], device=mask.device)
        latest = torch.where(mask, steps, -1).cummax(1).values[..., None]  # step that counts; -1 before the first
        repeated = hidden_states.gather(1, latest.clamp(min=0).expand_as(hidden_states))
        hidden_states = torch.where(latest < 0, 0, repeated)
    return hidden_states if config.return_sequences else hidden_states[:, -1]
