"""The LSTM's recurrence, forward and backward, for some sequences of a batch through all their steps.

Layout as in recurrent_steps_kernels.py. Threads share nothing that is written: each takes some sequences.
"""

from __future__ import annotations

from typing import Any

from numba import njit

from daneo.layers.activations_kernels import activate, slope
from daneo.layers.lanes_kernels import fill, lane_count, load, store, zero
from daneo.layers.recurrent_steps_kernels import (
    active_sequences,
    backward_scratch,
    carry_over,
    clear_masked,
    compiled,
    defer_outputs,
    drop_states,
    first_row,
    forward_scratch,
    hand_back,
    hand_back_inputs,
    inlined,
    project_chunk,
    recurrent_sums,
    show_outputs,
    slot_before,
    time_of,
)
from daneo.layers.tile_product_kernels import ROWS

GATES = 4
entry: Any = njit(nogil=True, cache=True, error_model="numpy")


@inlined
def _update(
    sums: Any,
    n: int,
    source: Any,
    source_row: int,
    gates: Any,
    row: int,
    hidden: Any,
    state: int,
    cells: Any,
    before: int,
    after: int,
    peephole: Any,
    j: int,
    activation: int,
    recurrent_activation: int,
    coupled: bool,
) -> None:
    """One register of units of one sequence: the equations of lstm_reference.py."""
    lanes, units = lane_count(sums), hidden.shape[1]
    c = load(cells, before, j)
    i = load(sums, n, 0) + load(source, source_row, j)
    f = load(sums, n, lanes) + load(source, source_row, units + j)
    g = load(sums, n, 2 * lanes) + load(source, source_row, 2 * units + j)
    o = load(sums, n, 3 * lanes) + load(source, source_row, 3 * units + j)
    if len(peephole):
        i = i + load(peephole, 0, j) * c
        f = f + load(peephole, 1, j) * c
    i = activate(recurrent_activation, i)
    f = fill(i, 1.0) - i if coupled else activate(recurrent_activation, f)
    g = activate(activation, g)
    c = f * c + i * g
    if len(peephole):
        o = o + load(peephole, 2, j) * c
    o = activate(recurrent_activation, o)
    store(cells, after, j, c)
    store(hidden, state, j, o * activate(activation, c))
    store(gates, row, j, i)
    store(gates, row, units + j, f)
    store(gates, row, 2 * units + j, g)
    store(gates, row, 3 * units + j, o)


@compiled
def _step(
    run: Any,
    step: int,
    count: int,
    sums: Any,
    part: Any,
    dropped: Any,
    active: Any,
    states: Any,
    source: Any,
    tokens: Any,
    gates: Any,
    hidden: Any,
    cells: Any,
    recurrent_kernel: Any,
    peephole: Any,
    activation: int,
    recurrent_activation: int,
    coupled: bool,
) -> None:
    """One step of the `count` active sequences."""
    lanes, time = lane_count(sums), time_of(run, step)
    gate_slots, num_slots = len(gates) // run.num_sequences, len(hidden) // run.num_sequences
    cell_slots = len(cells) // run.num_sequences
    before, after = slot_before(run, step, num_slots), slot_before(run, step + 1, num_slots)
    cell_before, cell_after = slot_before(run, step, cell_slots), slot_before(run, step + 1, cell_slots)
    gate_slot = time if gate_slots == run.num_steps else step % run.chunk
    num_tiles = -(-count // (ROWS[0] if len(dropped) else ROWS[GATES - 1]))
    for j in range(0, hidden.shape[1], lanes):
        start = j * GATES * run.units
        for number in range(num_tiles):
            tile = first_row(number, num_tiles, count)
            size = first_row(number + 1, num_tiles, count) - tile
            recurrent_sums(
                run, sums, part, hidden, states, before, dropped, active, tile, size, recurrent_kernel, start, GATES
            )
            for n in range(size):
                b, state = active[tile + n], states[tile + n] + after
                row, cell = b * gate_slots + gate_slot, b * cell_slots
                from_row = tokens[b * run.num_steps + time] if len(tokens) else row
                # Activations written as constants leave no branches and the registers to the numbers.
                if activation == 0 and recurrent_activation == 1 and not coupled:
                    _update(
                        sums, n, source, from_row, gates, row, hidden, state, cells, cell + cell_before,
                        cell + cell_after, peephole, j, 0, 1, False,
                    )  # fmt: skip
                else:
                    _update(
                        sums, n, source, from_row, gates, row, hidden, state, cells, cell + cell_before,
                        cell + cell_after, peephole, j, activation, recurrent_activation, coupled,
                    )  # fmt: skip


@compiled
def _all_steps(
    run: Any,
    x: Any,
    kernel: Any,
    columns: Any,
    bias: Any,
    table: Any,
    tokens: Any,
    gates: Any,
    hidden: Any,
    cells: Any,
    outputs: Any,
    recurrent_kernel: Any,
    peephole: Any,
    mask: Any,
    recurrent_masks: Any,
    activation: int,
    recurrent_activation: int,
    coupled: bool,
    zero_output: bool,
    first: int,
    last: int,
    scratch: Any,
) -> None:
    """All steps of the sequences from first to last."""
    sums, part, dropped, active, states, rows = scratch
    num_slots = len(hidden) // run.num_sequences
    source = table if len(tokens) else gates
    for step in range(run.num_steps):
        if step % run.chunk == 0 and len(x):
            project_chunk(run, x, kernel, columns, GATES, bias, gates, mask, step, first, last, active, rows, sums)
        count = active_sequences(run, mask, time_of(run, step), first, last, active)
        for n in range(count):
            states[n] = active[n] * num_slots
        if len(mask):
            carry_over(run, hidden, mask, step, first, last)
            carry_over(run, cells, mask, step, first, last)
            clear_masked(run, gates, mask, time_of(run, step), first, last)
        drop_states(run, recurrent_masks, hidden, states, slot_before(run, step, num_slots), active, count, dropped)
        _step(
            run, step, count, sums, part, dropped, active, states, source, tokens, gates, hidden, cells,
            recurrent_kernel, peephole, activation, recurrent_activation, coupled,
        )  # fmt: skip
        if len(outputs):
            show_outputs(run, hidden, outputs, mask, step, first, last, zero_output)


@entry
def forward(
    run: Any,
    x: Any,
    kernel: Any,
    columns: Any,
    bias: Any,
    table: Any,
    tokens: Any,
    gates: Any,
    hidden: Any,
    cells: Any,
    outputs: Any,
    recurrent_kernel: Any,
    peephole: Any,
    mask: Any,
    recurrent_masks: Any,
    activation: int,
    recurrent_activation: int,
    coupled: bool,
    zero_output: bool,
    first: int,
    last: int,
) -> None:
    """Run the sequences from first to last.

    Either x (B * T, D) times `kernel`, in panels, is the input product; or `table` (N, 4U) holds it and `tokens` (B * T)
    the row of each time. `gates` has a row for each time, or for each step of a chunk where nobody asks for them later.
    `recurrent_kernel` is in panels. What is not there has no rows.
    """
    scratch = forward_scratch(run, gates, recurrent_masks, last - first)
    _all_steps(
        run, x, kernel, columns, bias, table, tokens, gates, hidden, cells, outputs, recurrent_kernel, peephole, mask, recurrent_masks, activation, recurrent_activation, coupled, zero_output, first, last, scratch,
    )  # fmt: skip


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


@compiled
def _all_steps_back(
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
    scratch: Any,
) -> None:
    """All steps of the sequences from first to last, from the end."""
    sums, active, numbers, rows = scratch
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
) -> None:
    """Carry gradients back through the sequences from first to last.

    Overwrites: `gates` become the gradient of the input product; `d_hidden` and `d_cell` (B, U), on entry of the final
    states, become those of the initial states; `d_last` (B, U), on entry of the last output, is used up; `d_peephole`
    (B * 3, U) is added to; `d_x` (B * T, D), if it has rows, is the gradient of x.
    """
    scratch = backward_scratch(run, gates, last - first)
    _all_steps_back(
        run, gates, cells, transposed, recurrent_transposed, peephole, mask, recurrent_masks, d_outputs, d_last, d_hidden, d_cell, d_peephole, d_x, x_columns, activation, recurrent_activation, coupled, zero_output, first, last, scratch,
    )  # fmt: skip
