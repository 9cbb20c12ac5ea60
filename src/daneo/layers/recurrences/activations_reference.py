"""What the functions of activations_kernels.py mean, in plain NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = Any  # a NumPy array of float32 or float64

ACTIVATIONS = ("tanh", "sigmoid", "relu", "linear", "hard_sigmoid")


def activate(code: int, x: Array) -> Array:
    """Activation number `code` of x."""
    match ACTIVATIONS[code]:
        case "tanh":
            return np.tanh(x)
        case "sigmoid":
            e = np.exp(-np.abs(x))  # which never overflows
            return np.where(x < 0, e, 1) / (1 + e)
        case "relu":
            return np.maximum(x, 0)
        case "hard_sigmoid":
            return np.clip(x / 6 + 0.5, 0, 1)
    return x


def slope(code: int, y: Array, d: Array) -> Array:
    """Gradient `d` of an activation's output carried back to its input; `y` is that output."""
    match ACTIVATIONS[code]:
        case "tanh":
            return d * (1 - y * y)
        case "sigmoid":
            return d * y * (1 - y)
        case "relu":
            return np.where(y > 0, d, 0)
        case "hard_sigmoid":
            return np.where((y > 0) & (y < 1), d / 6, 0)
    return d
