"""The steps of a recurrent layer as a plain loop of PyTorch operations: any cell, any device, differentiable twice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from daneo.layers.recurrent_cell import RecurrentCell
from daneo.layers.stacked_rnn_cells import StackedRNNCells

Step = Callable[[Tensor, list[Tensor]], tuple[Tensor, list[Tensor]]]


def run(
    cell: nn.Module,
    x: Tensor,
    states: list[Tensor],
    mask: Tensor | None,
    input_masks: Any,
    recurrent_masks: Any,
    *,
    return_sequences: bool,
    go_backwards: bool,
    zero_output_for_mask: bool,
    projected: bool = False,
) -> tuple[Tensor, list[Tensor]]:
    """Take all steps of x.

    Parameters
    ----------
    cell : nn.Module
        One of ours, or any with ``forward(x_t, states) -> (output, states)``. Stacked cells are taken one after the
        other, each through the whole sequence: the same numbers, and the input product of each is made at once.
    x : Tensor of shape (B, T, D)
    states : list of Tensor of shape (B, U)
    mask : Tensor of bool of shape (B, T), or None
        False: the states are carried over, and the output repeats the one before (zeros at first) or is zero.
    input_masks, recurrent_masks
        What the cell's ``dropout_masks`` drew.
    projected : bool, default False
        x (B, T, G*U) is the input product of one of our cells already.

    Returns
    -------
    outputs : Tensor of shape (B, T, U), in the order in which the steps were taken; without `return_sequences` (B, U)
    states : list of Tensor of shape (B, U)
    """
    if isinstance(cell, StackedRNNCells):
        if go_backwards:
            x, mask = x.flip(1), None if mask is None else mask.flip(1)
        return _run_stack(cell, x, states, mask, input_masks, recurrent_masks, return_sequences, zero_output_for_mask)
    steps, step = _steps(cell, x, input_masks, recurrent_masks, projected)
    kept = [None] * len(steps) if mask is None else list(mask[..., None].unbind(1))
    if go_backwards:
        steps, kept = steps[::-1], kept[::-1]
    output, outputs = None, []
    for x_t, keep in zip(steps, kept, strict=True):
        new_output, new_states = step(x_t, states)
        if keep is None:
            output, states = new_output, new_states
        else:
            before = torch.zeros_like(new_output) if output is None or zero_output_for_mask else output
            output = torch.where(keep, new_output, before)
            states = [torch.where(keep, new, old) for new, old in zip(new_states, states, strict=True)]
        if return_sequences:
            outputs.append(output)
    assert output is not None
    return torch.stack(outputs, 1) if return_sequences else output, states


def _run_stack(
    stack: StackedRNNCells,
    x: Tensor,
    states: list[Tensor],
    mask: Tensor | None,
    input_masks: list[Any] | None,
    recurrent_masks: list[Any] | None,
    return_sequences: bool,
    zero_output_for_mask: bool,
) -> tuple[Tensor, list[Tensor]]:
    """Run each cell over what the one below put out."""
    last_states: list[Tensor] = []
    top = len(stack.cells) - 1
    for number, (cell, own) in enumerate(zip(stack.cells, stack.split_states(states), strict=True)):
        x, own_last = run(
            cell,
            x,
            own,
            mask,
            input_masks and input_masks[number],
            recurrent_masks and recurrent_masks[number],
            return_sequences=return_sequences or number < top,
            go_backwards=False,
            zero_output_for_mask=zero_output_for_mask,
        )
        last_states += own_last
    return x, last_states


def _steps(
    cell: nn.Module, x: Tensor, input_masks: Any, recurrent_masks: Any, projected: bool
) -> tuple[list[Tensor], Step]:
    """Return what each step takes, in the order of time, and the function that takes a step."""
    if not isinstance(cell, RecurrentCell):
        return list(x.unbind(1)), lambda x_t, states: _normal(cell(x_t, states))

    def step(projected: Tensor, states: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        states, _ = cell.step(projected, states, recurrent_masks)
        return states[0], states

    return list((x if projected else cell.project(x, input_masks)).unbind(1)), step


def _normal(result: tuple[Tensor, Tensor | Sequence[Tensor]]) -> tuple[Tensor, list[Tensor]]:
    """A user's cell may return a single state as it is."""
    output, states = result
    return output, [states] if isinstance(states, Tensor) else list(states)
