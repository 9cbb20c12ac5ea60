"""SimpleRNN's recurrence, backward: gradients carried through all steps of some sequences of a batch.

Layout as in recurrent_steps_kernels.py. Threads share nothing that is written: each takes some sequences.
"""

from __future__ import annotations

from typing import Any

from daneo.layers.recurrences.activations_kernels import slope
from daneo.layers.recurrences.lanes_kernels import compiled, entry, lane_count, load, store, zero
from daneo.layers.recurrences.recurrent_steps_kernels import (
    active_sequences,
    clear_masked,
    defer_outputs,
    hand_back,
    hand_back_inputs,
    slot_before,
    time_of,
)
from daneo.layers.recurrences.tile_product_kernels import MAX_ROWS


@compiled
def _step_back(
    run: Any,
    step: int,
    count: int,
    active: Any,
    d_product: Any,
    hidden: Any,
    d_outputs: Any,
    d_last: Any,
    d_hidden: Any,
    activation: int,
) -> None:
    """The part of a backward step that needs no product."""
    time, after = time_of(run, step), slot_before(run, step + 1, run.num_steps + 1)
    for n in range(count):
        b = active[n]
        row, state = b * run.num_steps + time, b * (run.num_steps + 1) + after
        for j in range(0, d_hidden.shape[1], lane_count(d_product)):
            d_h = load(d_hidden, b, j) + load(d_last, b, j)
            store(d_last, b, j, zero(d_last))
            if len(d_outputs):
                d_h = d_h + load(d_outputs, row, j)
            store(d_product, row, j, slope(activation, load(hidden, state, j), d_h))


@entry
def backward(
    run: Any,
    d_product: Any,
    hidden: Any,
    transposed: Any,
    recurrent_transposed: Any,
    mask: Any,
    recurrent_masks: Any,
    d_outputs: Any,
    d_last: Any,
    d_hidden: Any,
    d_x: Any,
    x_columns: Any,
    activation: int,
    zero_output: bool,
    first: int,
    last: int,
    floats: Any,
    integers: Any,
) -> None:
    """Carry gradients back through the sequences from first to last.

    Overwrites: `d_product` (B * T, U), the gradient of the input product; `d_hidden` (B, U), on entry of the final
    state, becomes that of the initial state; `d_last` (B, U), on entry of the last output, is used up; `d_x`
    (B * T, D), if it has rows, is the gradient of x.

    Scratch: `floats` and `integers` as for the forward pass.
    """
    sums = floats[:MAX_ROWS]
    active, numbers, rows = integers[0], integers[1], integers[2:]
    for step in range(run.num_steps - 1, -1, -1):
        time = time_of(run, step)
        if len(mask):
            defer_outputs(run, d_outputs, mask, time, first, last, d_last, zero_output)
            clear_masked(run, d_product, mask, time, first, last)
        count = active_sequences(run, mask, time, first, last, active)
        _step_back(run, step, count, active, d_product, hidden, d_outputs, d_last, d_hidden, activation)
        hand_back(
            run, d_product, time, 0, active, numbers, count, recurrent_transposed, recurrent_masks, 0, 1, d_hidden,
            False, sums,
        )  # fmt: skip
        if len(d_x) and step % run.chunk == 0:
            hand_back_inputs(run, d_product, transposed, x_columns, d_x, mask, step, first, last, active, rows, sums)
