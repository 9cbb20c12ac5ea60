"""The GRU recurrence and its gradients as definitions: plain NumPy, one line an equation.

The input product x @ kernel + bias is given, for it needs no loop. With h the state before a step and h' the one after
it, a step is

    z  = gate(product_z + h R_z + b_z)           r = gate(product_r + h R_r + b_r)
    n  = act(product_n + r (h R_n + b_n))        h' = z h + (1 - z) n

The reset gate r comes after the recurrent product here, as in cuDNN. It comes before it in the paper (Cho et al., 2014,
arXiv 1406.1078), where there is no b and n = act(product_n + (r h) R_n); `reset_after` is False then.

What both functions take, with T steps, B rows, U units and the gates in the order z, r, n (Keras calls n h):

gates : (T, B, 3U)                 the input product before forward, the activated gates after it
hidden : (T + 1, B, U)             the states around the steps: slots t and t + 1 are those before and after time t, or
                                   the other way round with `reverse`. Before forward only the first one is set
candidates : (T, B, U)             filled by forward: h R_n + b_n with `reset_after`, r h without
recurrent_kernel : (U, 3U)         R
recurrent_bias : (3U,) or None     b; None without `reset_after`
mask : bool (T, B) or None         a row that is False at a step carries its state over; its gates and candidates are 0
recurrent_masks : (3, B, U) or None  dropout: what multiplies h ahead of each gate's R, the same at every step; the h of
                                   z h in h' stays as it is
activation, recurrent_activation   "act" and "gate": linear, relu, tanh, sigmoid or hard_sigmoid
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
    """Cut the last axis, (..., 3U), into z, r and n."""
    return np.split(array, 3, axis=-1)


def forward(
    gates: Floats,
    hidden: Floats,
    candidates: Floats,
    outputs: Floats | None,
    recurrent_kernel: Floats,
    recurrent_bias: Floats | None,
    mask: Mask | None,
    recurrent_masks: Floats | None,
    *,
    activation: str,
    recurrent_activation: str,
    reset_after: bool,
    reverse: bool,
    zero_output: bool,
) -> Floats:
    """Fill `gates`, `hidden`, `candidates` and `outputs`, (T, B, U) or None; return the last step's output, (B, U).

    Examples
    --------
    One unit with weights of zero, and a product that opens both gates halfway: h' = 0.5 * 1 + 0.5 * 0.

    >>> import numpy as np
    >>> gates, hidden, candidates = np.zeros((1, 1, 3)), np.array([[[1.0]], [[0.0]]]), np.zeros((1, 1, 1))
    >>> forward(gates, hidden, candidates, None, np.zeros((1, 3)), None, None, None, activation="tanh",
    ...         recurrent_activation="sigmoid", reset_after=False, reverse=False, zero_output=False)
    array([[0.5]])
    >>> gates.tolist(), candidates.tolist()
    ([[[0.5, 0.5, 0.0]]], [[[0.5]]])
    """
    act, gate = ACTIVATIONS[activation], ACTIVATIONS[recurrent_activation]
    b_z, b_r, b_n = gate_blocks(np.zeros(3, hidden.dtype) if recurrent_bias is None else recurrent_bias)
    dropped = np.ones((3, 1, 1), hidden.dtype) if recurrent_masks is None else recurrent_masks
    kernel_z, kernel_r, kernel_n = gate_blocks(recurrent_kernel)
    output: Floats = np.zeros_like(hidden[0])
    for t, before, after in steps(len(gates), reverse):
        h = hidden[before]
        product_z, product_r, product_n = gate_blocks(gates[t])
        h_z, h_r, h_n = h * dropped
        z = gate(product_z + h_z @ kernel_z + b_z)
        r = gate(product_r + h_r @ kernel_r + b_r)
        candidate = h_n @ kernel_n + b_n if reset_after else r * h_n
        n = act(product_n + (r * candidate if reset_after else candidate @ kernel_n))
        h_new = z * h + (1 - z) * n
        used = True if mask is None else mask[t, :, None]
        gates[t] = np.where(used, np.hstack([z, r, n]), 0)
        candidates[t] = np.where(used, candidate, 0)
        hidden[after] = np.where(used, h_new, h)
        output = np.where(used, h_new, 0 if zero_output else output)
        if outputs is not None:
            outputs[t] = output
    return output


def backward(
    gates: Floats,
    hidden: Floats,
    candidates: Floats,
    recurrent_kernel: Floats,
    recurrent_bias: Floats | None,
    mask: Mask | None,
    recurrent_masks: Floats | None,
    d_outputs: Floats | None,
    d_last: Floats,
    d_hidden: Floats,
    *,
    activation: str,
    recurrent_activation: str,
    reset_after: bool,
    reverse: bool,
    zero_output: bool,
) -> tuple[Floats, Floats, Floats, Floats | None]:
    """Gradients of a loss by the product, the initial state, the recurrent kernel and the recurrent bias.

    The loss's gradients come in by what forward made: by each output, `d_outputs` (T, B, U) or None for zeros; by the
    last output, `d_last` (B, U), on top of that; by the final state, `d_hidden` (B, U).
    """
    act_slope, gate_slope = DERIVATIVES[activation], DERIVATIVES[recurrent_activation]
    dropped = np.ones((3, 1, 1), hidden.dtype) if recurrent_masks is None else recurrent_masks
    kernel_z, kernel_r, kernel_n = gate_blocks(recurrent_kernel)
    d_product, d_kernel, d_bias = (
        np.zeros_like(gates),
        np.zeros_like(recurrent_kernel),
        np.zeros_like(recurrent_kernel[0]),
    )
    d_kernel_z, d_kernel_r, d_kernel_n = gate_blocks(d_kernel)
    d_output, d_h = d_last, d_hidden
    for t, before, _ in reversed(steps(len(gates), reverse)):
        h, candidate = hidden[before], candidates[t]
        h_z, h_r, h_n = h * dropped
        z, r, n = gate_blocks(gates[t])
        used = True if mask is None else mask[t, :, None]
        d_output = d_output if d_outputs is None else d_output + d_outputs[t]
        d_h_new = np.where(used, d_h + d_output, 0)
        d_z = d_h_new * (h - n) * gate_slope(z)
        d_n = d_h_new * (1 - z) * act_slope(n)
        if reset_after:
            d_candidate = d_n * r
            d_r = d_n * candidate * gate_slope(r)
            d_kernel_n += h_n.T @ d_candidate
            d_h_n = d_candidate @ kernel_n.T
        else:
            d_candidate = d_n @ kernel_n.T
            d_r = d_candidate * h_n * gate_slope(r)
            d_kernel_n += candidate.T @ d_n
            d_h_n = d_candidate * r
        d_kernel_z += h_z.T @ d_z
        d_kernel_r += h_r.T @ d_r
        d_bias += np.hstack([d_z, d_r, d_candidate]).sum(axis=0)
        d_product[t] = np.hstack([d_z, d_r, d_n])
        d_recurrent = (dropped * np.stack([d_z @ kernel_z.T, d_r @ kernel_r.T, d_h_n])).sum(axis=0)
        d_h = np.where(used, d_h_new * z + d_recurrent, d_h)
        # A masked step shows the output before it, and hands on the gradient by its own.
        d_output = np.where(used | zero_output, 0, d_output)
    return d_product, d_h, d_kernel, None if recurrent_bias is None else d_bias
