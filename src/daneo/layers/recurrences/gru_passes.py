"""The GRU's forward and backward pass over arrays: buffers around its kernels, threads, gradients of weights."""

from __future__ import annotations

import numpy as np

from daneo.layers.recurrences import gru_backward_kernels, gru_forward_kernels
from daneo.layers.recurrences.backward_buffers import (
    WeightGradient,
    counted_rows,
    input_gradients,
    kernel_gradients,
    make_weight_gradients,
    prepare_back,
    recurrent_gradients,
    state_rows,
)
from daneo.layers.recurrences.forward_buffers import (
    final_state,
    forward_scratch,
    gate_layout,
    gates_row,
    mask_of,
    packed,
    packed_transpose,
    prepare,
    rows_of,
    run_of,
    scratch,
    shown_outputs,
)
from daneo.layers.recurrences.gru_forward_kernels import GATES
from daneo.layers.recurrences.recurrence_buffers import Floats, Integers, no_rows, without_filling
from daneo.layers.recurrences.recurrent_calls import Call, InputGradients, Inputs, OutputGradients, Saved
from daneo.layers.recurrences.tile_product_kernels import MAX_WIDTH
from daneo.layers.recurrences.worker_threads import in_shares


def _packed_recurrent(call: Call, given: Inputs) -> Floats:
    dtype, matrix = given.x.dtype, given.recurrent_kernel
    if call.variant:
        return packed(matrix, gate_layout(given.units, dtype, 0, GATES), GATES)
    first = packed(matrix, gate_layout(given.units, dtype, 0, 2), 2)
    return np.hstack([first, packed(matrix, gate_layout(given.units, dtype, 2, 1), MAX_WIDTH)])


def forward(call: Call, given: Inputs) -> tuple[Floats, list[Floats], Saved]:
    """Return the outputs, (B, T, U) or (B, U), the final states [hidden], and what a backward pass needs."""
    ready = prepare(call, given, GATES)
    run, where, dtype = ready.run, ready.layout, given.x.dtype
    kept = run.num_sequences * (run.num_steps if call.keep else run.chunk)
    gates, candidates = np.empty((kept, GATES * where.width), dtype), np.empty((kept, where.width), dtype)
    recurrent = _packed_recurrent(call, given)
    bias = given.bias[1] if given.bias is not None and call.variant else None
    recurrent_bias = gates_row(bias, GATES, where, dtype)

    def work(first: int, last: int) -> None:
        gru_forward_kernels.forward(
            run, ready.x, ready.kernel, where.columns, ready.bias, ready.table, ready.tokens, gates, ready.hidden,
            candidates, ready.outputs, recurrent, recurrent_bias, ready.mask, ready.recurrent_masks, call.activation,
            call.recurrent_activation, call.variant, call.zero_output, first, last,
            *forward_scratch(run, ready.recurrent_masks, last - first),
        )  # fmt: skip

    in_shares(work, run.num_sequences, call.num_threads)
    return (
        shown_outputs(call, ready),
        [final_state(ready.hidden, run)] if call.states else [],
        Saved(gates, ready.hidden, candidates),
    )


def backward(call: Call, given: Inputs, saved: Saved, gradients: OutputGradients, wants_x: bool) -> InputGradients:
    """Return the gradients of everything given. Gates and, with reset_after, candidates of `saved` are used up."""
    gates, hidden, candidates = saved
    dtype, units, run = given.x.dtype, given.units, run_of(call, given)
    where = gate_layout(units, dtype, 0, GATES)
    back = prepare_back(call, given, where, gradients, wants_x)
    of_gates = packed_transpose(given.recurrent_kernel, gate_layout(units, dtype, 0, 2), where.width)
    of_candidate = packed_transpose(given.recurrent_kernel, gate_layout(units, dtype, 2, 1), where.width)
    mask, masks = mask_of(given), rows_of(given.recurrent_masks, where.width, dtype)

    def work(first: int, last: int) -> None:
        gru_backward_kernels.backward(
            run, gates, hidden, candidates, back.transposed, of_gates, of_candidate, mask, masks, back.d_outputs,
            back.d_last, back.d_hidden, back.d_more, back.d_x, back.x_columns, call.activation,
            call.recurrent_activation, call.variant, call.zero_output, first, last,
            *scratch(run, dtype, last - first),
        )  # fmt: skip

    in_shares(work, run.num_sequences, call.num_threads)
    rows = counted_rows(given)
    d_x, of_kernel = input_gradients(call, given, where, gates, rows, wants_x)
    parts = _recurrent_gradients(call, given, hidden, gates, candidates, rows, masks)
    make_weight_gradients([*of_kernel, *parts], call.num_threads)
    d_kernel, d_bias = kernel_gradients(given, of_kernel, GATES)
    d_recurrent = np.hstack([without_filling(parts[0].out, 2, units), without_filling(parts[-1].out, 1, units)])
    if given.bias is not None and call.variant:
        # Of a product that is given, the first of the two biases is a part already.
        d_bias = np.stack([np.zeros_like(d_recurrent[units]) if d_bias is None else d_bias, d_recurrent[units]])
    return InputGradients(
        back.d_x.reshape(given.x.shape) if len(back.d_x) else d_x,
        d_kernel,
        d_recurrent[:units],
        d_bias,
        None,
        back.d_hidden[:, :units],
        None,
    )


def _recurrent_gradients(
    call: Call, given: Inputs, hidden: Floats, gates: Floats, candidates: Floats, rows: Integers, masks: Floats
) -> list[WeightGradient]:
    """List the products for the recurrent kernel: first those of z and r, last that of the candidate.

    With a recurrent bias, both have one row more: its gradient.
    """
    dtype, width = given.x.dtype, candidates.shape[1]
    states = state_rows(rows, given.num_steps, call.reverse)
    height = given.units + (call.variant and given.bias is not None)
    first, last = gate_layout(given.units, dtype, 0, 2), gate_layout(given.units, dtype, 2, 1)
    out, more = np.empty((height, 2 * width), dtype), np.empty((height, width), dtype)
    parts = recurrent_gradients(given, hidden, states, gates, rows, first, range(2), masks, out)
    if call.variant:
        return parts + recurrent_gradients(given, hidden, states, candidates, rows, last, [2], masks, more)
    d_candidate = np.ascontiguousarray(gates[:, 2 * width :])
    return parts + recurrent_gradients(given, candidates, rows, d_candidate, rows, last, [2], no_rows(dtype), more)
