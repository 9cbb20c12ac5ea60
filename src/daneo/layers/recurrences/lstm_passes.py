"""The LSTM's forward and backward pass over arrays: buffers around its kernels, threads, gradients of weights."""

from __future__ import annotations

import numpy as np

from daneo.layers.recurrences import lstm_backward_kernels, lstm_forward_kernels
from daneo.layers.recurrences.backward_buffers import (
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
    mask_of,
    packed,
    packed_transpose,
    prepare,
    rows_of,
    run_of,
    scratch,
    shown_outputs,
    states_from,
)
from daneo.layers.recurrences.lstm_forward_kernels import GATES
from daneo.layers.recurrences.recurrence_buffers import Floats, without_filling
from daneo.layers.recurrences.recurrent_calls import Call, InputGradients, Inputs, OutputGradients, Saved
from daneo.layers.recurrences.worker_threads import in_shares


def forward(call: Call, given: Inputs) -> tuple[Floats, list[Floats], Saved]:
    """Return outputs (B, T, U) or (B, U), final states [hidden, cell] if wanted, and what a backward pass needs."""
    ready = prepare(call, given, GATES)
    run, where, dtype = ready.run, ready.layout, given.x.dtype
    gates = np.empty((run.num_sequences * (run.num_steps if call.keep else run.chunk), GATES * where.width), dtype)
    cells = states_from(given.cell, given, run.num_steps + 1 if call.keep else 2, where.width, call.reverse)
    recurrent = packed(given.recurrent_kernel, where, GATES)
    peephole = rows_of(given.peephole, where.width, dtype)

    def work(first: int, last: int) -> None:
        lstm_forward_kernels.forward(
            run, ready.x, ready.kernel, where.columns, ready.bias, ready.table, ready.tokens, gates, ready.hidden,
            cells, ready.outputs, recurrent, peephole, ready.mask, ready.recurrent_masks, call.activation,
            call.recurrent_activation, call.variant, call.zero_output, first, last,
            *forward_scratch(run, ready.recurrent_masks, last - first),
        )  # fmt: skip

    in_shares(work, run.num_sequences, call.num_threads)
    states = [final_state(ready.hidden, run), final_state(cells, run)] if call.states else []
    return shown_outputs(call, ready), states, Saved(gates, ready.hidden, cells)


def backward(call: Call, given: Inputs, saved: Saved, gradients: OutputGradients, wants_x: bool) -> InputGradients:
    """Return the gradients of everything given. The gates of `saved` are used up."""
    gates, hidden, cells = saved
    dtype, units, run = given.x.dtype, given.units, run_of(call, given)
    where = gate_layout(units, dtype, 0, GATES)
    back = prepare_back(call, given, where, gradients, wants_x)
    recurrent = packed_transpose(given.recurrent_kernel, where, where.width)
    peephole, mask = rows_of(given.peephole, where.width, dtype), mask_of(given)
    masks = rows_of(given.recurrent_masks, where.width, dtype)
    d_peephole = np.zeros((run.num_sequences * len(peephole), where.width), dtype)

    def work(first: int, last: int) -> None:
        lstm_backward_kernels.backward(
            run, gates, cells, back.transposed, recurrent, peephole, mask, masks, back.d_outputs, back.d_last,
            back.d_hidden, back.d_more, d_peephole, back.d_x, back.x_columns, call.activation,
            call.recurrent_activation, call.variant, call.zero_output, first, last,
            *scratch(run, dtype, last - first),
        )  # fmt: skip

    in_shares(work, run.num_sequences, call.num_threads)
    rows = counted_rows(given)
    states = state_rows(rows, run.num_steps, call.reverse)
    d_x, of_kernel = input_gradients(call, given, where, gates, rows, wants_x)
    d_recurrent = np.empty((units, GATES * where.width), dtype)
    of_recurrent = recurrent_gradients(given, hidden, states, gates, rows, where, range(GATES), masks, d_recurrent)
    make_weight_gradients([*of_kernel, *of_recurrent], call.num_threads)
    d_kernel, d_bias = kernel_gradients(given, of_kernel, GATES)
    return InputGradients(
        back.d_x.reshape(given.x.shape) if len(back.d_x) else d_x,
        d_kernel,
        without_filling(d_recurrent, GATES, units),
        d_bias,
        d_peephole.reshape(-1, 3, where.width).sum(0)[:, :units] if len(peephole) else None,
        back.d_hidden[:, :units],
        back.d_more[:, :units],
    )
