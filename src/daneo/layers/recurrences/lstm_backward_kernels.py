"""The LSTM's recurrence, backward: gradients carried through all steps of some sequences of a batch.

Layout as in recurrent_steps_kernels.py. Threads share nothing that is written: each takes some sequences.
"""

from __future__ import annotations

from typing import Any

from daneo.layers.recurrences.activations_kernels import activate, slope
from daneo.layers.recurrences.lanes_kernels import compiled, entry, fill, inlined, lane_count, load, store, zero
from daneo.layers.recurrences.recurrent_steps_kernels import (
    active_sequences,
    defer_outputs,
    hand_back,
    hand_back_inputs,
    slot_before,
    time_of,
)
from daneo.layers.recurrences.tile_product_kernels import MAX_ROWS

GATES = 4


@inlined
def _hand_back_cell(
    gates: Any,
    row: int,
    cells: Any,
    before: int,
    after: int,
    peephole: Any,
    d_h: Any,
    d_cell: Any,
    b: int,
    d_peephole: Any,
    j: int,
    activation: int,
    recurrent_activation: int,
    coupled: bool,
) -> None:
    """Turn one register of gates into their gradients, and the cell state's into that of the state before."""
    units = d_cell.shape[1]
    c, c_new = load(cells, before, j), load(cells, after, j)
    i, f = load(gates, row, j), load(gates, row, units + j)
    g, o = load(gates, row, 2 * units + j), load(gates, row, 3 * units + j)
    shown = activate(activation, c_new)
    d_o = slope(recurrent_activation, o, d_h * shown)
    d_c = load(d_cell, b, j) + slope(activation, shown, d_h * o)
    if len(peephole):
        d_c = d_c + d_o * load(peephole, 2, j)
    d_f = fill(f, 0.0) if coupled else slope(recurrent_activation, f, d_c * c)
    d_i = slope(recurrent_activation, i, d_c * (g - c if coupled else g))
    d_g = slope(activation, g, d_c * i)
    d_c = d_c * f
    if len(peephole):
        d_c = d_c + d_i * load(peephole, 0, j) + d_f * load(peephole, 1, j)
        store(d_peephole, 3 * b, j, load(d_peephole, 3 * b, j) + d_i * c)
        store(d_peephole, 3 * b + 1, j, load(d_peephole, 3 * b + 1, j) + d_f * c)
        store(d_peephole, 3 * b + 2, j, load(d_peephole, 3 * b + 2, j) + d_o * c_new)
    store(d_cell, b, j, d_c)
    store(gates, row, j, d_i)
    store(gates, row, units + j, d_f)
    store(gates, row, 2 * units + j, d_g)
    store(gates, row, 3 * units + j, d_o)


@compiled
def _step_back(
    run: Any,
    step: int,
    count: int,
    active: Any,
    gates: Any,
    cells: Any,
    peephole: Any,
    d_outputs: Any,
    d_last: Any,
    d_hidden: Any,
    d_cell: Any,
    d_peephole: Any,
    activation: int,
    recurrent_activation: int,
    coupled: bool,
) -> None:
    """The part of a backward step that needs no product: the gradients of the gates of the active sequences."""
    time, num_slots = time_of(run, step), run.num_steps + 1
    before, after = slot_before(run, step, num_slots), slot_before(run, step + 1, num_slots)
    for n in range(count):
        b = active[n]
        row, cell = b * run.num_steps + time, b * num_slots
        for j in range(0, d_hidden.shape[1], lane_count(gates)):
            d_h = load(d_hidden, b, j) + load(d_last, b, j)
            store(d_last, b, j, zero(d_last))
            if len(d_outputs):
                d_h = d_h + load(d_outputs, row, j)
            if activation == 0 and recurrent_activation == 1 and not coupled:
                _hand_back_cell(
                    gates, row, cells, cell + before, cell + after, peephole, d_h, d_cell, b, d_peephole, j, 0, 1, False
                )
            else:
                _hand_back_cell(
                    gates, row, cells, cell + before, cell + after, peephole, d_h, d_cell, b, d_peephole, j, activation,
                    recurrent_activation, coupled,
                )  # fmt: skip


@entry
def backward(
    run: Any,
    gates: Any,
    cells: Any,
    transposed: Any,
    recurrent_transposed: Any,
    peephole: Any,
    mask: Any,
    recurrent_masks: Any,
    d_outputs: Any,
    d_last: Any,
    d_hidden: Any,
    d_cell: Any,
    d_peephole: Any,
    d_x: Any,
    x_columns: Any,
    activation: int,
    recurrent_activation: int,
    coupled: bool,
    zero_output: bool,
    first: int,
    last: int,
    floats: Any,
    integers: Any,
) -> None:
    """Carry gradients back through the sequences from first to last.

    Overwrites: `gates` become the gradient of the input product; `d_hidden` and `d_cell` (B, U), on entry of the final
    states, become those of the initial states; `d_last` (B, U), on entry of the last output, is used up; `d_peephole`
    (B * 3, U) is added to; `d_x` (B * T, D), if it has rows, is the gradient of x.

    Scratch: `floats` and `integers` as for the forward pass.
    """
    sums = floats[:MAX_ROWS]
    active, numbers, rows = integers[0], integers[1], integers[2:]
    for step in range(run.num_steps - 1, -1, -1):
        time = time_of(run, step)
        if len(mask):
            defer_outputs(run, d_outputs, mask, time, first, last, d_last, zero_output)
        count = active_sequences(run, mask, time, first, last, active)
        _step_back(
            run, step, count, active, gates, cells, peephole, d_outputs, d_last, d_hidden, d_cell, d_peephole,
            activation, recurrent_activation, coupled,
        )  # fmt: skip
        hand_back(
            run, gates, time, 0, active, numbers, count, recurrent_transposed, recurrent_masks, 0, GATES, d_hidden,
            False, sums,
        )  # fmt: skip
        if len(d_x) and step % run.chunk == 0:
            hand_back_inputs(run, gates, transposed, x_columns, d_x, mask, step, first, last, active, rows, sums)
