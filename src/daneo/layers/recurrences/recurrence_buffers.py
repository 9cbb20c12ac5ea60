"""The arrays that the recurrent kernels work on: units filled up to whole registers, weights in panels."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[Any]  # float32 or float64
Integers = npt.NDArray[np.int64]

LINE = 64  # bytes: units are filled up to whole cache lines, which are whole registers on every machine
PRODUCT_ROWS = 512  # the input product is made for about so many rows at a time, to be read again from a cache
NO_INTEGERS: Integers = np.empty(0, np.int64)
NO_BYTES = np.empty(0, np.bool_)


@lru_cache
def no_rows(dtype: np.dtype[Any]) -> Floats:
    """Return an array without rows, for what is not there."""
    return np.empty((0, LINE // dtype.itemsize), dtype)


def filled(array: Floats, width: int) -> Floats:
    """Return the rows of an array (N, U), contiguous and with zeros after the U numbers up to `width`."""
    if array.shape[1] == width:
        return np.ascontiguousarray(array)
    wide = np.zeros((array.shape[0], width), array.dtype)
    wide[:, : array.shape[1]] = array
    return wide


class Layout(NamedTuple):
    """Where the numbers of a weight (K, G * U) go, in panels and in rows of gates (G * width).

    Attributes
    ----------
    width : int
        U filled up.
    registers, ends : int64 arrays (G * width / lanes,)
        For each register of a panel the column of the weight where it starts, and where its gate ends.
    columns : int64 array of the same shape
        The column of a row of gates where each register goes.
    turned : int64 array (G * width,)
        For each column of a row of gates its column in the weight, or -1.
    blocks : int64 array (N, 2)
        Panels within one gate each: the column of a row of gates, and how many registers.
    """

    width: int
    registers: Integers
    ends: Integers
    columns: Integers
    turned: Integers
    blocks: Integers


@lru_cache(maxsize=256)
def layout(units: int, first_gate: int, num_gates: int, lanes: int, line: int, max_width: int) -> Layout:
    """Lay out gates from `first_gate` on, interleaved: a panel holds one register of each, or of one gate several."""
    width = -(-units // line) * line
    starts = np.arange(0, width, lanes)
    gates = np.arange(first_gate, first_gate + num_gates)
    registers = (gates * units + starts[:, None]).ravel()
    ends = np.broadcast_to(gates * units + units, (len(starts), num_gates)).ravel().copy()
    columns = (np.arange(num_gates) * width + starts[:, None]).ravel()
    turned = np.full((num_gates, width), -1)
    turned[:, :units] = gates[:, None] * units + np.arange(units)
    blocks = [
        (gate * width + start, min(max_width, (width - start) // lanes))
        for gate in range(num_gates)
        for start in range(0, width, max_width * lanes)
    ]
    return Layout(width, registers, ends, columns, turned.ravel(), np.array(blocks))


def without_filling(array: Floats, num_gates: int, units: int) -> Floats:
    """Return (N, G * width) as (N, G * U): a view where nothing was filled up."""
    width = array.shape[1] // num_gates
    if width == units:
        return array
    return array.reshape(-1, num_gates, width)[:, :, :units].reshape(-1, num_gates * units)
