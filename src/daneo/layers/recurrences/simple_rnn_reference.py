"""The recurrence of SimpleRNN and its gradients as definitions: plain NumPy, one line an equation.

The input product x @ kernel + bias is given, for it needs no loop. With h the state before a step and h' the one after
it, a step is (Elman, Cognitive Science 14, 1990, with a choice of "act")

    h' = act(product + h R)

What both functions take, with T steps, B rows and U units:

gates : (T, B, U)                  the input product before forward, h' after it; the name is that of the other layers
hidden : (T + 1, B, U)             the states around the steps: slots t and t + 1 are those before and after time t, or
                                   the other way round with `reverse`. Before forward only the first one is set
recurrent_kernel : (U, U)          R
mask : bool (T, B) or None         a row that is False at a step carries its state over, and its place in `gates` is 0
recurrent_masks : (1, B, U) or None  dropout: what multiplies h ahead of R, the same at every step
activation                         "act": linear, relu, tanh, sigmoid or hard_sigmoid
reverse : bool                     from time T - 1 down to 0
zero_output : bool                 a masked step shows zeros and not the output before it (zeros ahead of the first)

All arrays are of one float type, which is that of the computation.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]
Mask = npt.NDArray[np.bool_]

ACTIVATIONS: dict[str, Callable[[Floats], Floats]] = {
    "linear": lambda x: x,
    "relu": lambda x: np.maximum(x, 0),
    "tanh": np.tanh,
    "sigmoid": lambda x: np.exp(-np.logaddexp(0, -x)),  # 1 / (1 + exp(-x)) of any x
    "hard_sigmoid": lambda x: np.clip(x / 6 + 0.5, 0, 1),
}
# By the activated value y = act(x), the only one that is kept.
DERIVATIVES: dict[str, Callable[[Floats], Floats]] = {
    "linear": np.ones_like,
    "relu": lambda y: (y > 0).astype(y.dtype),
    "tanh": lambda y: 1 - y * y,
    "sigmoid": lambda y: y * (1 - y),
    "hard_sigmoid": lambda y: ((y > 0) & (y < 1)) / y.dtype.type(6),
}


def steps(num_steps: int, reverse: bool) -> list[tuple[int, int, int]]:
    """Time and the slots of the states before and after it, step by step."""
    forwards = [(t, t, t + 1) for t in range(num_steps)]
    return [(t, after, before) for t, before, after in reversed(forwards)] if reverse else forwards


def forward(
    gates: Floats,
    hidden: Floats,
    outputs: Floats | None,
    recurrent_kernel: Floats,
    mask: Mask | None,
    recurrent_masks: Floats | None,
    *,
    activation: str,
    reverse: bool,
    zero_output: bool,
) -> Floats:
    """Fill `gates`, `hidden` and `outputs`, (T, B, U) or None; return the last step's output, (B, U).

    Examples
    --------
    One unit that doubles its state and adds the input.

    >>> import numpy as np
    >>> gates, hidden = np.array([[[3.0]], [[4.0]]]), np.array([[[1.0]], [[0.0]], [[0.0]]])
    >>> forward(gates, hidden, None, np.array([[2.0]]), None, None, activation="linear", reverse=False,
    ...         zero_output=False)
    array([[14.]])
    >>> hidden.ravel().tolist()
    [1.0, 5.0, 14.0]
    """
    act = ACTIVATIONS[activation]
    dropped = np.ones((1, 1, 1), hidden.dtype) if recurrent_masks is None else recurrent_masks
    output: Floats = np.zeros_like(hidden[0])
    for t, before, after in steps(len(gates), reverse):
        h = hidden[before]
        h_new = act(gates[t] + (h * dropped[0]) @ recurrent_kernel)
        used = True if mask is None else mask[t, :, None]
        gates[t] = np.where(used, h_new, 0)
        hidden[after] = np.where(used, h_new, h)
        output = np.where(used, h_new, 0 if zero_output else output)
        if outputs is not None:
            outputs[t] = output
    return output


def backward(
    gates: Floats,
    hidden: Floats,
    recurrent_kernel: Floats,
    mask: Mask | None,
    recurrent_masks: Floats | None,
    d_outputs: Floats | None,
    d_last: Floats,
    d_hidden: Floats,
    *,
    activation: str,
    reverse: bool,
    zero_output: bool,
) -> tuple[Floats, Floats, Floats]:
    """Gradients of a loss by the product, the initial state and the recurrent kernel.

    The loss's gradients come in by what forward made: by each output, `d_outputs` (T, B, U) or None for zeros; by the
    last output, `d_last` (B, U), on top of that; by the final state, `d_hidden` (B, U).
    """
    act_slope = DERIVATIVES[activation]
    dropped = np.ones((1, 1, 1), hidden.dtype) if recurrent_masks is None else recurrent_masks
    d_product, d_kernel = np.zeros_like(gates), np.zeros_like(recurrent_kernel)
    d_output, d_h = d_last, d_hidden
    for t, before, _ in reversed(steps(len(gates), reverse)):
        used = True if mask is None else mask[t, :, None]
        d_output = d_output if d_outputs is None else d_output + d_outputs[t]
        d_h_new = np.where(used, d_h + d_output, 0)
        d_product[t] = d_h_new * act_slope(gates[t])
        d_kernel += (hidden[before] * dropped[0]).T @ d_product[t]
        d_h = np.where(used, dropped[0] * (d_product[t] @ recurrent_kernel.T), d_h)
        # A masked step shows the output before it, and hands on the gradient by its own.
        d_output = np.where(used | zero_output, 0, d_output)
    return d_product, d_h, d_kernel
