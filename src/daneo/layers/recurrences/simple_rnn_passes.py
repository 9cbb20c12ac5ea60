"""SimpleRNN's forward and backward pass over arrays: buffers around its kernels, threads, gradients of weights."""

from __future__ import annotations

import numpy as np

from daneo.layers.recurrences import simple_rnn_backward_kernels, simple_rnn_forward_kernels
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
)
from daneo.layers.recurrences.recurrence_buffers import Floats, no_rows, without_filling
from daneo.layers.recurrences.recurrent_calls import Call, InputGradients, Inputs, OutputGradients, Saved
from daneo.layers.recurrences.tile_product_kernels import MAX_WIDTH
from daneo.layers.recurrences.worker_threads import in_shares


def forward(call: Call, given: Inputs) -> tuple[Floats, list[Floats], Saved]:
    """Return the outputs, (B, T, U) or (B, U), the final states [hidden], and what a backward pass needs."""
    ready = prepare(call, given, 1)
    run, where, dtype = ready.run, ready.layout, given.x.dtype
    in_products = np.empty((run.num_sequences * run.chunk, where.width), dtype)
    recurrent = packed(given.recurrent_kernel, where, MAX_WIDTH)

    def work(first: int, last: int) -> None:
        simple_rnn_forward_kernels.forward(
            run, ready.x, ready.kernel, where.columns, ready.bias, ready.table, ready.tokens, in_products, ready.hidden,
            ready.outputs, recurrent, ready.mask, ready.recurrent_masks, call.activation, call.zero_output, first, last,
            *forward_scratch(run, ready.recurrent_masks, last - first),
        )  # fmt: skip

    in_shares(work, run.num_sequences, call.num_threads)
    return (
        shown_outputs(call, ready),
        [final_state(ready.hidden, run)] if call.states else [],
        Saved(no_rows(dtype), ready.hidden, no_rows(dtype)),
    )


def backward(call: Call, given: Inputs, saved: Saved, gradients: OutputGradients, wants_x: bool) -> InputGradients:
    """Return the gradients of everything given."""
    hidden = saved.hidden
    dtype, units, run = given.x.dtype, given.units, run_of(call, given)
    where = gate_layout(units, dtype, 0, 1)
    back = prepare_back(call, given, where, gradients, wants_x)
    recurrent = packed_transpose(given.recurrent_kernel, where, where.width)
    mask, masks = mask_of(given), rows_of(given.recurrent_masks, where.width, dtype)
    d_product = np.empty((run.num_sequences * run.num_steps, where.width), dtype)

    def work(first: int, last: int) -> None:
        simple_rnn_backward_kernels.backward(
            run, d_product, hidden, back.transposed, recurrent, mask, masks, back.d_outputs, back.d_last,
            back.d_hidden, back.d_x, back.x_columns, call.activation, call.zero_output, first, last,
            *scratch(run, dtype, last - first),
        )  # fmt: skip

    in_shares(work, run.num_sequences, call.num_threads)
    rows = counted_rows(given)
    states = state_rows(rows, run.num_steps, call.reverse)
    d_x, of_kernel = input_gradients(call, given, where, d_product, rows, wants_x)
    d_recurrent = np.empty((units, where.width), dtype)
    of_recurrent = recurrent_gradients(given, hidden, states, d_product, rows, where, range(1), masks, d_recurrent)
    make_weight_gradients([*of_kernel, *of_recurrent], call.num_threads)
    d_kernel, d_bias = kernel_gradients(given, of_kernel, 1)
    return InputGradients(
        back.d_x.reshape(given.x.shape) if len(back.d_x) else d_x,
        d_kernel,
        without_filling(d_recurrent, 1, units),
        d_bias,
        None,
        back.d_hidden[:, :units],
        None,
    )
