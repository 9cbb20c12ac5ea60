"""The LSTM recurrence and its gradients as definitions: plain NumPy, one line an equation.

The input product x @ kernel + bias is given, for it needs no loop. With h, c the states before a step and h', c' those
after it, a step is

    i  = gate(product_i + h R_i + P_i c)         f = gate(product_f + h R_f + P_f c)
    g  = act(product_g + h R_g)                  c' = f c + i g
    o  = gate(product_o + h R_o + P_o c')        h' = o act(c')

The weights P are the peepholes of Gers, Schraudolph and Schmidhuber (JMLR 3, 2002): i and f see the old cell state, o
the new one. A coupled LSTM forgets as much as it writes, f = 1 - i; product_f, R_f and P_f are there and play no part.

What both functions take, with T steps, B rows, U units and the gates in the order i, f, g, o (Keras calls g c):

gates : (T, B, 4U)                 the input product before forward, the activated gates after it
hidden, cells : (T + 1, B, U)      the states around the steps: slots t and t + 1 are those before and after time t, or
                                   the other way round with `reverse`. Before forward only the first one is set
recurrent_kernel : (U, 4U)         R
peephole : (3, U) or None          P of i, f and o
mask : bool (T, B) or None         a row that is False at a step carries its states over, and its gates are zeros
recurrent_masks : (4, B, U) or None  dropout: what multiplies h ahead of each gate's R, the same at every step
activation, recurrent_activation   "act" and "gate": linear, relu, tanh, sigmoid or hard_sigmoid
coupled : bool                     f = 1 - i
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


def gate_blocks(array: Floats) -> list[Floats]:
    """Cut the last axis, (..., 4U), into i, f, g and o."""
    return np.split(array, 4, axis=-1)


def forward(
    gates: Floats,
    hidden: Floats,
    cells: Floats,
    outputs: Floats | None,
    recurrent_kernel: Floats,
    peephole: Floats | None,
    mask: Mask | None,
    recurrent_masks: Floats | None,
    *,
    activation: str,
    recurrent_activation: str,
    coupled: bool,
    reverse: bool,
    zero_output: bool,
) -> Floats:
    """Fill `gates`, `hidden`, `cells` and `outputs`, (T, B, U) or None; return the last step's output, (B, U).

    Examples
    --------
    One unit with weights of zero, and a product that opens every gate halfway: c' = 0.5 * 1 + 0.5 * 0.

    >>> import numpy as np
    >>> gates, hidden, cells = np.zeros((1, 1, 4)), np.zeros((2, 1, 1)), np.array([[[1.0]], [[0.0]]])
    >>> output = forward(gates, hidden, cells, None, np.zeros((1, 4)), None, None, None, activation="tanh",
    ...                  recurrent_activation="sigmoid", coupled=False, reverse=False, zero_output=False)
    >>> gates.tolist(), cells[1].item(), bool(output == 0.5 * np.tanh(0.5))
    ([[[0.5, 0.5, 0.0, 0.5]]], 0.5, True)
    """
    act, gate = ACTIVATIONS[activation], ACTIVATIONS[recurrent_activation]
    p_i, p_f, p_o = np.zeros((3, 1), hidden.dtype) if peephole is None else peephole
    dropped = np.ones((4, 1, 1), hidden.dtype) if recurrent_masks is None else recurrent_masks
    kernel_i, kernel_f, kernel_g, kernel_o = gate_blocks(recurrent_kernel)
    output: Floats = np.zeros_like(hidden[0])
    for t, before, after in steps(len(gates), reverse):
        h, c = hidden[before], cells[before]
        product_i, product_f, product_g, product_o = gate_blocks(gates[t])
        h_i, h_f, h_g, h_o = h * dropped
        i = gate(product_i + h_i @ kernel_i + p_i * c)
        f = 1 - i if coupled else gate(product_f + h_f @ kernel_f + p_f * c)
        g = act(product_g + h_g @ kernel_g)
        c_new = f * c + i * g
        o = gate(product_o + h_o @ kernel_o + p_o * c_new)
        h_new = o * act(c_new)
        used = True if mask is None else mask[t, :, None]
        gates[t] = np.where(used, np.hstack([i, f, g, o]), 0)
        cells[after] = np.where(used, c_new, c)
        hidden[after] = np.where(used, h_new, h)
        output = np.where(used, h_new, 0 if zero_output else output)
        if outputs is not None:
            outputs[t] = output
    return output


def backward(
    gates: Floats,
    hidden: Floats,
    cells: Floats,
    recurrent_kernel: Floats,
    peephole: Floats | None,
    mask: Mask | None,
    recurrent_masks: Floats | None,
    d_outputs: Floats | None,
    d_last: Floats,
    d_hidden: Floats,
    d_cell: Floats,
    *,
    activation: str,
    recurrent_activation: str,
    coupled: bool,
    reverse: bool,
    zero_output: bool,
) -> tuple[Floats, Floats, Floats, Floats, Floats | None]:
    """Gradients of a loss by the product, the initial hidden and cell state, the recurrent kernel and the peephole.

    The loss's gradients come in by what forward made: by each output, `d_outputs` (T, B, U) or None for zeros; by the
    last output, `d_last` (B, U), on top of that; by the final states, `d_hidden` and `d_cell` (B, U).
    """
    act, act_slope, gate_slope = ACTIVATIONS[activation], DERIVATIVES[activation], DERIVATIVES[recurrent_activation]
    p_i, p_f, p_o = np.zeros((3, 1), hidden.dtype) if peephole is None else peephole
    dropped = np.ones((4, 1, 1), hidden.dtype) if recurrent_masks is None else recurrent_masks
    kernels = np.stack(gate_blocks(recurrent_kernel))
    d_product, d_kernels = np.zeros_like(gates), np.zeros_like(kernels)
    d_peephole = np.zeros((3, hidden.shape[2]), hidden.dtype)
    d_output, d_h, d_c = d_last, d_hidden, d_cell
    for t, before, after in reversed(steps(len(gates), reverse)):
        h, c, act_c_new = hidden[before], cells[before], act(cells[after])
        i, f, g, o = gate_blocks(gates[t])
        used = True if mask is None else mask[t, :, None]
        d_output = d_output if d_outputs is None else d_output + d_outputs[t]
        d_h_new = d_h + d_output
        d_o = d_h_new * act_c_new * gate_slope(o)
        d_c_new = d_c + d_h_new * o * act_slope(act_c_new) + d_o * p_o
        d_f = np.zeros_like(f) if coupled else d_c_new * c * gate_slope(f)
        d_i = d_c_new * (g - c if coupled else g) * gate_slope(i)
        d_g = d_c_new * i * act_slope(g)
        d_gates = np.where(used, np.stack([d_i, d_f, d_g, d_o]), 0)
        d_i, d_f, d_g, d_o = d_gates
        d_product[t] = np.hstack([d_i, d_f, d_g, d_o])
        d_kernels += (h * dropped).transpose(0, 2, 1) @ d_gates
        d_peephole += np.stack([d_i * c, d_f * c, d_o * cells[after]]).sum(axis=1)
        d_h = np.where(used, (dropped * (d_gates @ kernels.transpose(0, 2, 1))).sum(axis=0), d_h)
        d_c = np.where(used, d_c_new * f + d_i * p_i + d_f * p_f, d_c)
        # A masked step shows the output before it, and hands on the gradient by its own.
        d_output = np.where(used | zero_output, 0, d_output)
    return d_product, d_h, d_c, np.hstack(list(d_kernels)), None if peephole is None else d_peephole
