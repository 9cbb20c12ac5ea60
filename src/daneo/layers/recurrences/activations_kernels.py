"""Activations and their slopes for the recurrent kernels, by number: its place in ACTIVATIONS of recurrent_calls.py."""

from __future__ import annotations

from typing import Any

import numpy as np

from daneo.layers.recurrences.lanes_kernels import (
    compiled,
    fill,
    inlined,
    maximum,
    minimum,
    sigmoid,
    tanh,
    where_between,
)


@compiled
def _piecewise(code: int, x: Any) -> Any:
    if code == 2:
        return maximum(x, fill(x, 0.0))
    if code == 4:
        return minimum(maximum(x * fill(x, 1 / 6) + fill(x, 0.5), fill(x, 0.0)), fill(x, 1.0))
    return x


@inlined
def activate(code: int, x: Any) -> Any:
    """Activation number `code` of lanes."""
    if code == 0:
        return tanh(x)
    if code == 1:
        return sigmoid(x)
    return _piecewise(code, x)


@compiled
def _piecewise_slope(code: int, y: Any, d: Any) -> Any:
    if code == 2:
        return where_between(y, fill(y, 0.0), fill(y, np.inf), d)
    if code == 4:
        return where_between(y, fill(y, 0.0), fill(y, 1.0), d * fill(y, 1 / 6))
    return d


@inlined
def slope(code: int, y: Any, d: Any) -> Any:
    """Gradient `d` of an activation's output carried back to its input; `y` is that output."""
    if code == 0:
        return d * (fill(y, 1.0) - y * y)
    if code == 1:
        return d * y * (fill(y, 1.0) - y)
    return _piecewise_slope(code, y, d)
