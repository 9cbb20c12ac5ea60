"""What RNN asks of a cell, whoever wrote it."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from daneo.layers.layer import Layer, Shape


def check_cell(cell: Any) -> None:
    """Raise one clear line if `cell` cannot be run over a sequence.

    Raises
    ------
    TypeError
        It is no module, or does not tell the sizes of its states.
    ValueError
        A size is not a positive whole number.
    """
    if not isinstance(cell, nn.Module):
        raise TypeError(f"A cell is an nn.Module with state_size and forward(x_t, states); got {cell!r}.")
    size = getattr(cell, "state_size", None)
    sizes = size if isinstance(size, list | tuple) else [size]
    if size is None or not all(isinstance(one, int) for one in sizes):
        raise TypeError(
            f"{type(cell).__name__}.state_size says how many numbers each state has: "
            f"expected an int or a list of int, got {size!r}."
        )
    if not sizes or min(sizes) < 1:
        raise ValueError(f"{type(cell).__name__}.state_size expected positive sizes, got {size!r}.")


def state_sizes(cell: Any) -> list[int]:
    """Return the numbers in each state of a cell."""
    size = cell.state_size
    return [size] if isinstance(size, int) else list(size)


def output_size(cell: Any) -> int:
    """Return the numbers in an output of a cell: `output_size`, or the first state's."""
    size = getattr(cell, "output_size", None)
    return int(state_sizes(cell)[0] if size is None else size)


def is_built(cell: Any, asked: bool) -> bool:
    """Tell whether a cell has its weights.

    One that does not tell by `built` has them if it has been `asked` to build them, or has no ``build`` at all.
    """
    built = getattr(cell, "built", None)
    return (asked or not hasattr(cell, "build")) if built is None else bool(built)


def build(cell: Any, input_shape: Shape) -> None:
    """Build a cell for inputs (B, D), if it can be built."""
    if hasattr(cell, "build"):
        cell.build(input_shape)


def initial_states(cell: Any, x: Tensor) -> list[Tensor]:
    """Return what a cell begins with on inputs like x: its own ``get_initial_state(batch_size)``, or zeros."""
    if hasattr(cell, "get_initial_state"):
        states = cell.get_initial_state(x.shape[0])
        return [states] if isinstance(states, Tensor) else list(states)
    return [torch.zeros(x.shape[0], size, dtype=x.dtype, device=x.device) for size in state_sizes(cell)]


def dropout_masks(cell: Any, batch_size: int) -> tuple[Any, Any]:
    """Draw what a cell drops in one call, if it is one that does: its input masks, and its recurrent masks."""
    return cell.dropout_masks(batch_size) if hasattr(cell, "dropout_masks") else (None, None)


def recompute_weights(cell: Any) -> None:
    """Run the hooks by which ``torch.nn.utils`` prunes or normalises the weights of a cell of ours.

    They wait for a call of the cell, and its layer calls only its parts.
    """
    if cell._forward_pre_hooks and isinstance(cell, Layer):
        for hook in cell._forward_pre_hooks.values():
            if type(hook).__module__.startswith("torch.nn.utils."):
                hook(cell, ())


def text(cell: nn.Module) -> str:
    """Show a cell and its settings without its weights."""
    return f"{type(cell).__name__}({cell.settings_text() if isinstance(cell, Layer) else '...'})"
