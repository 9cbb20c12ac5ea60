"""SimpleRNN's recurrence, forward, for some sequences of a batch through all their steps.

Layout as in recurrent_steps_kernels.py. Threads share nothing that is written: each takes some sequences.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from daneo.layers.recurrences.activations_kernels import activate
from daneo.layers.recurrences.lanes_kernels import compiled, entry, lane_count, load, store
from daneo.layers.recurrences.recurrent_steps_kernels import (
    active_sequences,
    carry_over,
    drop_states,
    first_row,
    project_chunk,
    show_outputs,
    slot_before,
    time_of,
)
from daneo.layers.recurrences.tile_product_kernels import MAX_ROWS, MAX_WIDTH, ROWS, tile_product


@compiled
def _step(
    run: Any,
    step: int,
    count: int,
    sums: Any,
    dropped: Any,
    active: Any,
    states: Any,
    source: Any,
    tokens: Any,
    hidden: Any,
    recurrent_kernel: Any,
    activation: int,
) -> None:
    """One step of the `count` active sequences."""
    lanes, time = lane_count(sums), time_of(run, step)
    source_slots, num_slots = len(source) // run.num_sequences, len(hidden) // run.num_sequences
    before, after = slot_before(run, step, num_slots), slot_before(run, step + 1, num_slots)
    slot = time if source_slots == run.num_steps else step % run.chunk
    num_registers = hidden.shape[1] // lanes
    for panel in range(0, num_registers, MAX_WIDTH):
        wide = min(MAX_WIDTH, num_registers - panel)
        start, k_step = panel * lanes * run.units, wide * lanes
        num_tiles = -(-count // ROWS[wide - 1])
        for number in range(num_tiles):
            tile = first_row(number, num_tiles, count)
            size = first_row(number + 1, num_tiles, count) - tile
            if len(dropped):
                tile_product(
                    sums,
                    dropped,
                    active,
                    tile,
                    size,
                    np.int64(0),
                    np.int64(0),
                    recurrent_kernel,
                    np.int64(start),
                    k_step,
                    lanes,
                    run.units,
                    wide,
                )
            else:
                tile_product(
                    sums,
                    hidden,
                    states,
                    tile,
                    size,
                    before,
                    np.int64(0),
                    recurrent_kernel,
                    np.int64(start),
                    k_step,
                    lanes,
                    run.units,
                    wide,
                )
            for n in range(size):
                b, state = active[tile + n], states[tile + n] + after
                row = tokens[b * run.num_steps + time] if len(tokens) else b * source_slots + slot
                for v in range(wide):
                    j = (panel + v) * lanes
                    value = load(sums, n, v * lanes) + load(source, row, j)
                    store(hidden, state, j, activate(activation, value))


@entry
def forward(
    run: Any,
    x: Any,
    kernel: Any,
    columns: Any,
    bias: Any,
    table: Any,
    tokens: Any,
    products: Any,
    hidden: Any,
    outputs: Any,
    recurrent_kernel: Any,
    mask: Any,
    recurrent_masks: Any,
    activation: int,
    zero_output: bool,
    first: int,
    last: int,
    dropped: Any,
    floats: Any,
    integers: Any,
) -> None:
    """Run the sequences from first to last.

    Either x (B * T, D) times `kernel`, in panels, is the input product; or `table` (N, U) holds it and `tokens` (B * T)
    the row of each time. `products` has a row for each step of a chunk. `recurrent_kernel` is in panels. What is not
    there has no rows.

    Scratch: `dropped`, like `recurrent_masks`; `floats` (2 * MAX_ROWS, MAX_WIDTH * lanes); `integers` (4, N) for N
    sequences times `chunk`.
    """
    sums = floats[:MAX_ROWS]
    active, states, rows = integers[0], integers[1], integers[2:]
    num_slots = len(hidden) // run.num_sequences
    source = table if len(tokens) else products
    for step in range(run.num_steps):
        if step % run.chunk == 0 and len(x):
            project_chunk(
                run, x, kernel, columns, MAX_WIDTH, bias, products, mask, step, first, last, active, rows, sums
            )
        count = active_sequences(run, mask, time_of(run, step), first, last, active)
        for n in range(count):
            states[n] = active[n] * num_slots
        if len(mask):
            carry_over(run, hidden, mask, step, first, last)
        drop_states(run, recurrent_masks, hidden, states, slot_before(run, step, num_slots), active, count, dropped)
        _step(run, step, count, sums, dropped, active, states, source, tokens, hidden, recurrent_kernel, activation)
        if len(outputs):
            show_outputs(run, hidden, outputs, mask, step, first, last, zero_output)
