"""The GRU's recurrence, forward, for some sequences of a batch through all their steps.

Layout as in recurrent_steps_kernels.py. Threads share nothing that is written: each takes some sequences. With
reset_after the recurrent kernel is in panels of a register of z, r and n each. Otherwise panels of z and r come first,
and behind them those of n alone, because n's product waits for all of r.
"""

from __future__ import annotations

from typing import Any

import numpy as np

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
from daneo.layers.recurrences.tile_product_kernels import MAX_ROWS, MAX_WIDTH, ROWS, tile_product

GATES = 3


@inlined
def _update_after(
    sums: Any,
    n: int,
    source: Any,
    from_row: int,
    gates: Any,
    candidates: Any,
    row: int,
    hidden: Any,
    before: int,
    after: int,
    bias: Any,
    j: int,
    activation: int,
    recurrent_activation: int,
) -> None:
    """One register of units of one sequence, reset after the product: the equations of gru_reference.py."""
    lanes, units = lane_count(sums), hidden.shape[1]
    h = load(hidden, before, j)
    z = load(sums, n, 0) + load(source, from_row, j)
    r = load(sums, n, lanes) + load(source, from_row, units + j)
    candidate = load(sums, n, 2 * lanes)
    if len(bias):
        z = z + load(bias, 0, j)
        r = r + load(bias, 0, units + j)
        candidate = candidate + load(bias, 0, 2 * units + j)
    z, r = activate(recurrent_activation, z), activate(recurrent_activation, r)
    new = activate(activation, load(source, from_row, 2 * units + j) + r * candidate)
    store(hidden, after, j, z * h + (fill(z, 1.0) - z) * new)
    store(gates, row, j, z)
    store(gates, row, units + j, r)
    store(gates, row, 2 * units + j, new)
    store(candidates, row, j, candidate)


@compiled
def _step_after(
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
    candidates: Any,
    recurrent_kernel: Any,
    bias: Any,
    activation: int,
    recurrent_activation: int,
) -> None:
    """One step of the `count` active sequences, reset after the product."""
    lanes, time = lane_count(sums), time_of(run, step)
    gate_slots, num_slots = len(gates) // run.num_sequences, len(hidden) // run.num_sequences
    before, after = slot_before(run, step, num_slots), slot_before(run, step + 1, num_slots)
    gate_slot = time if gate_slots == run.num_steps else step % run.chunk
    num_tiles = -(-count // ROWS[GATES - 1])
    for j in range(0, hidden.shape[1], lanes):
        start = j * GATES * run.units
        for number in range(num_tiles):
            tile = first_row(number, num_tiles, count)
            size = first_row(number + 1, num_tiles, count) - tile
            recurrent_sums(
                run, sums, part, hidden, states, before, dropped, active, tile, size, recurrent_kernel, start, GATES
            )
            for n in range(size):
                b, state = active[tile + n], states[tile + n]
                row = b * gate_slots + gate_slot
                from_row = tokens[b * run.num_steps + time] if len(tokens) else row
                if activation == 0 and recurrent_activation == 1:
                    _update_after(
                        sums, n, source, from_row, gates, candidates, row, hidden, state + before, state + after, bias,
                        j, 0, 1,
                    )  # fmt: skip
                else:
                    _update_after(
                        sums, n, source, from_row, gates, candidates, row, hidden, state + before, state + after, bias,
                        j, activation, recurrent_activation,
                    )  # fmt: skip


@compiled
def _reset_first(
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
    candidates: Any,
    recurrent_kernel: Any,
    recurrent_activation: int,
) -> None:
    """First half of a step that resets before the product: z, r and what n's product is made of."""
    lanes, units, time = lane_count(sums), hidden.shape[1], time_of(run, step)
    gate_slots, num_slots = len(gates) // run.num_sequences, len(hidden) // run.num_sequences
    before = slot_before(run, step, num_slots)
    gate_slot = time if gate_slots == run.num_steps else step % run.chunk
    num_tiles = -(-count // ROWS[1])
    for j in range(0, units, lanes):
        for number in range(num_tiles):
            tile = first_row(number, num_tiles, count)
            size = first_row(number + 1, num_tiles, count) - tile
            recurrent_sums(
                run, sums, part, hidden, states, before, dropped, active, tile, size, recurrent_kernel,
                j * 2 * run.units, 2,
            )  # fmt: skip
            for n in range(size):
                b, state = active[tile + n], states[tile + n] + before
                row = b * gate_slots + gate_slot
                from_row = tokens[b * run.num_steps + time] if len(tokens) else row
                z = load(sums, n, 0) + load(source, from_row, j)
                r = load(sums, n, lanes) + load(source, from_row, units + j)
                z, r = activate(recurrent_activation, z), activate(recurrent_activation, r)
                h = load(hidden, state, j)
                if len(dropped):
                    h = load(dropped, 2 * run.num_sequences + b, j)
                store(gates, row, j, z)
                store(gates, row, units + j, r)
                store(candidates, row, j, r * h)


@compiled
def _candidate_second(
    run: Any,
    step: int,
    count: int,
    sums: Any,
    active: Any,
    states: Any,
    rows: Any,
    source: Any,
    tokens: Any,
    gates: Any,
    hidden: Any,
    candidates: Any,
    recurrent_kernel: Any,
    activation: int,
) -> None:
    """Second half of a step that resets before the product: n and the new state."""
    lanes, units, time = lane_count(sums), hidden.shape[1], time_of(run, step)
    gate_slots, num_slots = len(gates) // run.num_sequences, len(hidden) // run.num_sequences
    before, after = slot_before(run, step, num_slots), slot_before(run, step + 1, num_slots)
    gate_slot = time if gate_slots == run.num_steps else step % run.chunk
    num_registers, behind = units // lanes, 2 * units * run.units
    for n in range(count):
        rows[n] = active[n] * gate_slots + gate_slot
    for panel in range(0, num_registers, MAX_WIDTH):
        wide = min(MAX_WIDTH, num_registers - panel)
        start, num_tiles = behind + panel * lanes * run.units, -(-count // ROWS[wide - 1])
        for number in range(num_tiles):
            tile = first_row(number, num_tiles, count)
            size = first_row(number + 1, num_tiles, count) - tile
            tile_product(
                sums,
                candidates,
                rows,
                tile,
                size,
                np.int64(0),
                np.int64(0),
                recurrent_kernel,
                np.int64(start),
                wide * lanes,
                lanes,
                run.units,
                wide,
            )
            for n in range(size):
                row, state = rows[tile + n], states[tile + n]
                from_row = tokens[active[tile + n] * run.num_steps + time] if len(tokens) else row
                for v in range(wide):
                    j = (panel + v) * lanes
                    new = activate(activation, load(sums, n, v * lanes) + load(source, from_row, 2 * units + j))
                    z, h = load(gates, row, j), load(hidden, state + before, j)
                    store(gates, row, 2 * units + j, new)
                    store(hidden, state + after, j, z * h + (fill(z, 1.0) - z) * new)


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
    candidates: Any,
    outputs: Any,
    recurrent_kernel: Any,
    recurrent_bias: Any,
    mask: Any,
    recurrent_masks: Any,
    activation: int,
    recurrent_activation: int,
    reset_after: bool,
    zero_output: bool,
    first: int,
    last: int,
    dropped: Any,
    floats: Any,
    integers: Any,
) -> None:
    """Run the sequences from first to last.

    Either x (B * T, D) times `kernel`, in panels, is the input product; or `table` (N, 3U) holds it and `tokens`
    (B * T) the row of each time. `gates` and `candidates` have a row for each time, or for each step of a chunk where
    nobody asks for them later. What is not there has no rows.

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
        time = time_of(run, step)
        count = active_sequences(run, mask, time, first, last, active)
        for n in range(count):
            states[n] = active[n] * num_slots
        if len(mask):
            carry_over(run, hidden, mask, step, first, last)
            clear_masked(run, gates, mask, time, first, last)
            clear_masked(run, candidates, mask, time, first, last)
        drop_states(run, recurrent_masks, hidden, states, slot_before(run, step, num_slots), active, count, dropped)
        if reset_after:
            _step_after(
                run, step, count, sums, part, dropped, active, states, source, tokens, gates, hidden, candidates,
                recurrent_kernel, recurrent_bias, activation, recurrent_activation,
            )  # fmt: skip
        else:
            _reset_first(
                run, step, count, sums, part, dropped, active, states, source, tokens, gates, hidden, candidates,
                recurrent_kernel, recurrent_activation,
            )  # fmt: skip
            _candidate_second(
                run, step, count, sums, active, states, rows[0], source, tokens, gates, hidden, candidates,
                recurrent_kernel, activation,
            )  # fmt: skip
        if len(outputs):
            show_outputs(run, hidden, outputs, mask, step, first, last, zero_output)
