"""The LSTM's recurrence, forward, for some sequences of a batch through all their steps.

Layout as in recurrent_steps_kernels.py. Threads share nothing that is written: each takes some sequences.
"""

from __future__ import annotations

from typing import Any

from daneo.layers.recurrences.activations_kernels import activate
from daneo.layers.recurrences.lanes_kernels import compiled, entry, fill, inlined, lane_count, load, store
from daneo.layers.recurrences.recurrent_steps_kernels import (
    active_sequences,
    carry_over,
    clear_masked,
    drop_states,
    first_row,
    project_chunk,
    recurrent_sums,
    show_outputs,
    slot_before,
    time_of,
)
from daneo.layers.recurrences.tile_product_kernels import MAX_ROWS, ROWS

GATES = 4


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
    dropped: Any,
    floats: Any,
    integers: Any,
) -> None:
    """Run the sequences from first to last.

    Either x (B * T, D) times `kernel`, in panels, is the input product; or `table` (N, 4U) holds it and `tokens`
    (B * T) the row of each time. `gates` has a row for each time, or for each step of a chunk where nobody asks for
    them later. `recurrent_kernel` is in panels. What is not there has no rows.

    Scratch: `dropped`, like `recurrent_masks`; `floats` (2 * MAX_ROWS, MAX_WIDTH * lanes); `integers` (4, N) for N
    sequences times `chunk`.
    """
    sums, part = floats[:MAX_ROWS], floats[MAX_ROWS:]
    active, states, rows = integers[0], integers[1], integers[2:]
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
