"""How a recurrent layer's steps are run: by compiled kernels, by cuDNN, or by nobody here."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from daneo.layers import cudnn_run, recurrent_operator
from daneo.layers.looked_up import LookedUp
from daneo.layers.recurrent_cell import RecurrentCell
from daneo.layers.recurrent_operator import Given, Plan
from daneo.layers.recurrent_paths import CAST, path_of


def run_fast(
    plan: Plan | str,
    cell: Any,
    x: Tensor | LookedUp,
    states: list[Tensor] | None,
    mask: Tensor | None,
    input_masks: Tensor | None,
    recurrent_masks: Tensor | None,
    *,
    wants_states: bool,
) -> tuple[Tensor, list[Tensor]] | None:
    """Take all steps and return outputs, in their order, and the last states; None if only the plain loop can.

    The states may be missing where nobody wants them.
    """
    if isinstance(plan, str):
        return None
    peephole = getattr(cell.config, "peephole", False)
    path = path_of(plan, x, mask is not None, recurrent_masks is not None, peephole).name
    if path == "plain":
        return None
    if path == "cudnn" and isinstance(x, LookedUp):
        x = x.spread()
    given = operands(cell, x, states, mask, input_masks, recurrent_masks)
    if path == "cudnn":
        output, *last = cudnn_run.run(plan, given)
    elif x.dtype in CAST:
        output, *last = (
            one.to(x.dtype) for one in recurrent_operator.run(plan, cell, widened(given), states=wants_states)
        )
    else:
        output, *last = recurrent_operator.run(plan, cell, given, states=wants_states)
    return output.flip(1) if plan.reverse and plan.sequences else output, last


def operands(
    cell: RecurrentCell,
    x: Tensor | LookedUp,
    states: list[Tensor] | None,
    mask: Tensor | None,
    input_masks: Tensor | None,
    recurrent_masks: Tensor | None,
) -> Given:
    """Put together what an operator is given."""
    weights: dict[str, Any] = cell._parameters
    kernel, recurrent_kernel, bias, peephole = (
        # A weight that torch.nn.utils computes from others is no parameter any more.
        weights[name] if name in weights else getattr(cell, name, None)
        for name in ("kernel", "recurrent_kernel", "bias", "peephole_kernel")
    )
    tokens = None
    if isinstance(x, LookedUp):
        x, tokens = (x.rows, x.tokens) if input_masks is None else (x.spread(), None)
    if input_masks is not None:
        if input_masks.ndim == 2:
            x = x * input_masks[:, None]
        else:  # each gate has a mask of its own: the product is made gate by gate
            x, kernel = cell.project(x, input_masks), None
            bias = bias if bias is not None and bias.ndim == 2 else None
    hidden, cell_state = (None, None) if states is None else (states[0], states[1] if len(states) > 1 else None)
    return x, kernel, recurrent_kernel, bias, peephole, hidden, cell_state, mask, recurrent_masks, tokens


def widened(given: Given) -> Given:
    """Bring half precision to float32."""
    return tuple(one if one is None or not one.is_floating_point() else one.float() for one in given)
