"""What the forward passes of SimpleRNN, GRU and LSTM share: a call's inputs in the kernels' layout, and its outputs."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from daneo.layers.recurrences import matrix_product_kernels as products
from daneo.layers.recurrences.lanes_kernels import VECTOR_BYTES
from daneo.layers.recurrences.recurrence_buffers import (
    LINE,
    NO_BYTES,
    NO_INTEGERS,
    PRODUCT_ROWS,
    Floats,
    Integers,
    Layout,
    filled,
    layout,
    no_rows,
)
from daneo.layers.recurrences.recurrent_calls import Call, Inputs
from daneo.layers.recurrences.recurrent_steps_kernels import Run
from daneo.layers.recurrences.tile_product_kernels import MAX_ROWS, MAX_WIDTH
from daneo.layers.recurrences.worker_threads import in_shares


class Prepared(NamedTuple):
    """What the kernels of every cell take, in their layout."""

    run: Any
    layout: Layout
    x: Floats
    kernel: Floats
    bias: Floats
    table: Floats
    tokens: Integers
    hidden: Floats
    outputs: Floats
    mask: Any
    recurrent_masks: Floats


def gate_layout(units: int, dtype: np.dtype[Any], first_gate: int, num_gates: int) -> Layout:
    """Return the layout of some gates for this machine's registers."""
    return layout(units, first_gate, num_gates, VECTOR_BYTES // dtype.itemsize, LINE // dtype.itemsize, MAX_WIDTH)


def packed(matrix: Floats, where: Layout, width: int) -> Floats:
    """Lay a weight out in panels."""
    matrix = np.ascontiguousarray(matrix)
    lanes = VECTOR_BYTES // matrix.itemsize
    panels = np.empty((1, len(matrix) * len(where.registers) * lanes), matrix.dtype)
    products.pack_panels(matrix, where.registers, where.ends, width, panels)
    return panels


def packed_transpose(matrix: Floats, where: Layout, num_columns: int) -> Floats:
    """Lay the transpose of a weight (N, G * U) out in panels, its N columns filled up to `num_columns`."""
    matrix = np.ascontiguousarray(matrix)
    lanes = VECTOR_BYTES // matrix.itemsize
    num_registers = -(-num_columns // lanes)
    panels = np.empty((1, len(where.turned) * num_registers * lanes), matrix.dtype)
    products.pack_transposed(matrix, where.turned, num_registers, MAX_WIDTH, panels)
    return panels


def rows_of(array: Floats | None, width: int, dtype: np.dtype[Any]) -> Floats:
    """Return the rows of an array (..., U) filled up to `width`; no rows for None."""
    if array is None:
        return no_rows(dtype)
    return filled(array.reshape(-1, array.shape[-1]), width)


def gates_row(array: Floats | None, num_gates: int, where: Layout, dtype: np.dtype[Any]) -> Floats:
    """Return a bias (G * U,) as one row of gates; no rows for None."""
    if array is None:
        return no_rows(dtype)
    return filled(array.reshape(num_gates, -1), where.width).reshape(1, -1)


def run_of(call: Call, given: Inputs) -> Any:
    """Return the sizes of a call as kernels take them."""
    sequences_each = -(-given.num_sequences // call.num_threads)
    chunk = max(1, min(given.num_steps, PRODUCT_ROWS // sequences_each))
    return Run(given.num_sequences, given.num_steps, given.units, chunk, call.reverse)


def mask_of(given: Inputs) -> Any:
    """Return the mask as kernels take it."""
    return NO_BYTES if given.mask is None else np.ascontiguousarray(given.mask).reshape(-1)


def first_slot(num_steps: int, num_slots: int, reverse: bool) -> int:
    """Return the slot of the initial state."""
    return num_steps if reverse and num_slots > num_steps else 0


def last_slot(num_steps: int, num_slots: int, reverse: bool) -> int:
    """Return the slot of the final state."""
    if num_slots <= num_steps:
        return num_steps % num_slots
    return 0 if reverse else num_steps


def states_from(initial: Floats | None, given: Inputs, num_slots: int, width: int, reverse: bool) -> Floats:
    """Make the rows for all states of all sequences, with the initial ones, or zeros, in place."""
    states = np.empty((given.num_sequences * num_slots, width), given.x.dtype)
    first = states[first_slot(given.num_steps, num_slots, reverse) :: num_slots]
    if initial is None:
        first[:] = 0
        return states
    first[:, : given.units] = initial
    first[:, given.units :] = 0
    return states


def prepare(call: Call, given: Inputs, num_gates: int) -> Prepared:
    """Bring a call's inputs into the kernels' layout, and make the input product of distinct tokens."""
    dtype, num_sequences, num_steps = given.x.dtype, given.num_sequences, given.num_steps
    where = gate_layout(given.units, dtype, 0, num_gates)
    x, kernel, table, tokens = no_rows(dtype), no_rows(dtype), no_rows(dtype), NO_INTEGERS
    bias = given.bias[0] if given.bias is not None and given.bias.ndim == 2 else given.bias
    bias_row = gates_row(bias, num_gates, where, dtype)
    if given.kernel is None:
        table = filled(given.x.reshape(-1, given.units), where.width).reshape(-1, num_gates * where.width)
        tokens = np.arange(len(table))
    else:
        width = num_gates if num_gates > 1 else MAX_WIDTH
        kernel = packed(given.kernel, where, width)
        x = np.ascontiguousarray(given.x.reshape(-1, given.x.shape[-1]))
        if given.tokens is not None:
            tokens = given.tokens.reshape(-1)
            table, x = _product_of_rows(call, x, kernel, where, width, bias_row), no_rows(dtype)
    num_slots = num_steps + 1 if call.keep or call.sequences else 2
    shown = 0 if given.mask is None else num_sequences * (num_steps if call.sequences else 1)
    return Prepared(
        run_of(call, given),
        where,
        x,
        kernel,
        bias_row,
        table,
        tokens,
        states_from(given.hidden, given, num_slots, where.width, call.reverse),
        np.empty((shown, where.width), dtype),
        mask_of(given),
        rows_of(given.recurrent_masks, where.width, dtype),
    )


def _product_of_rows(call: Call, x: Floats, kernel: Floats, where: Layout, width: int, bias: Floats) -> Floats:
    """Multiply all rows of x with a kernel in panels, shared out over threads."""
    out, order = np.empty((len(x), len(where.turned)), x.dtype), np.arange(len(x))

    def work(first: int, last: int) -> None:
        products.multiply(x, order, kernel, where.columns, width, bias, out, first, last)

    in_shares(work, len(x), call.num_threads)
    return out


def scratch(run: Any, dtype: np.dtype[Any], num_sequences: int) -> tuple[Floats, Integers]:
    """Make what a kernel writes to on its way.

    Kernels make no arrays: counting who refers to them would make threads wait for each other.
    """
    return (
        np.empty((2 * MAX_ROWS, MAX_WIDTH * VECTOR_BYTES // dtype.itemsize), dtype),
        np.empty((4, num_sequences * run.chunk), np.int64),
    )


def forward_scratch(run: Any, recurrent_masks: Floats, num_sequences: int) -> tuple[Floats, Floats, Integers]:
    """Make what a forward kernel writes to on its way."""
    dropped = np.empty_like(recurrent_masks) if len(recurrent_masks) else recurrent_masks
    return (dropped, *scratch(run, recurrent_masks.dtype, num_sequences))


def final_state(states: Floats, run: Any) -> Floats:
    """Return a copy of the states (B, U) after the last step."""
    num_slots = len(states) // run.num_sequences
    slot = last_slot(run.num_steps, num_slots, run.reverse)
    return states.reshape(run.num_sequences, num_slots, -1)[:, slot, : run.units].copy()


def shown_outputs(call: Call, prepared: Prepared) -> Floats:
    """Return what the layer shows: a view (B, T, U) in the order of time, or a copy of the last output (B, U)."""
    run = prepared.run
    if len(prepared.outputs):
        outputs = prepared.outputs.reshape(run.num_sequences, -1, prepared.layout.width)[:, :, : run.units]
        return outputs if call.sequences else outputs[:, 0].copy()
    if not call.sequences:
        return final_state(prepared.hidden, run)
    slots = prepared.hidden.reshape(run.num_sequences, run.num_steps + 1, -1)[:, :, : run.units]
    return slots[:, :-1] if run.reverse else slots[:, 1:]
