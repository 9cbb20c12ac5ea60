"""What every recurrence does around its cell's equations: which rows a step works on, products, masks and dropout.

All arrays are two-dimensional and batch first: time t of sequence b is row b * T + t, state slot s of sequence b is row
b * slots + s. Where all states are kept there are T + 1 slots: forward, slots t and t + 1 hold the states before and
after time t; in reverse the other way round. Where only the last state is wanted, two slots take turns.

Units are filled up to whole registers of 64 bytes, with weights of zero; gate k of a row starts at column k * width.
"""

from __future__ import annotations

from collections import namedtuple
from typing import Any

import numpy as np

from daneo.layers.recurrences.lanes_kernels import compiled, inlined, lane_count, load, store, zero
from daneo.layers.recurrences.matrix_product_kernels import multiply_rows
from daneo.layers.recurrences.tile_product_kernels import MAX_WIDTH, ROWS, tile_product

# num_sequences B, num_steps T and units U (without filling); input products are made `chunk` steps at a time.
Run = namedtuple("Run", ["num_sequences", "num_steps", "units", "chunk", "reverse"])


@inlined
def time_of(run: Any, step: int) -> int:
    """Return the time that a step works on."""
    return run.num_steps - 1 - step if run.reverse else step


@inlined
def slot_before(run: Any, step: int, num_slots: int) -> int:
    """Return the slot of the state that enters a step; the next step's is the one that leaves it."""
    if num_slots <= run.num_steps:
        return step % num_slots
    return run.num_steps - step if run.reverse else step


@compiled
def active_sequences(run: Any, mask: Any, time: int, first: int, last: int, active: Any) -> int:
    """List the sequences from first to last that are not masked at a time; return how many."""
    if len(mask) == 0:
        for n in range(last - first):
            active[n] = first + n
        return last - first
    count = 0
    for b in range(first, last):
        if mask[b * run.num_steps + time]:
            active[count] = b
            count += 1
    return count


@compiled
def copy_row(source: Any, source_row: int, target: Any, target_row: int) -> None:
    """Copy a row of whole registers."""
    for j in range(0, target.shape[1], lane_count(target)):
        store(target, target_row, j, load(source, source_row, j))


@compiled
def clear_row(target: Any, row: int) -> None:
    """Set a row of whole registers to zero."""
    for j in range(0, target.shape[1], lane_count(target)):
        store(target, row, j, zero(target))


@compiled
def project_chunk(
    run: Any,
    x: Any,
    kernel: Any,
    columns: Any,
    width: int,
    bias: Any,
    gates: Any,
    mask: Any,
    step: int,
    first: int,
    last: int,
    active: Any,
    rows: Any,
    sums: Any,
) -> None:
    """Write the input product of the next `chunk` steps into `gates`; `rows` (2, n) is scratch for row numbers."""
    gate_slots, count = len(gates) // run.num_sequences, 0
    for later in range(step, min(step + run.chunk, run.num_steps)):
        time = time_of(run, later)
        for n in range(active_sequences(run, mask, time, first, last, active)):
            rows[0, count] = active[n] * run.num_steps + time
            rows[1, count] = active[n] * gate_slots + (time if gate_slots == run.num_steps else later - step)
            count += 1
    multiply_rows(x, rows[0], kernel, columns, np.int64(width), bias, gates, rows[1], np.int64(0), count, sums)


@compiled
def carry_over(run: Any, states: Any, mask: Any, step: int, first: int, last: int) -> None:
    """Copy the state of every masked sequence past a step."""
    num_slots = len(states) // run.num_sequences
    time, before = time_of(run, step), slot_before(run, step, num_slots)
    after = slot_before(run, step + 1, num_slots)
    for b in range(first, last):
        if not mask[b * run.num_steps + time]:
            copy_row(states, b * num_slots + before, states, b * num_slots + after)


@compiled
def clear_masked(run: Any, gates: Any, mask: Any, time: int, first: int, last: int) -> None:
    """Set the gates of every masked sequence at a time to zero, where they are kept."""
    if len(gates) < run.num_sequences * run.num_steps:
        return
    for b in range(first, last):
        if not mask[b * run.num_steps + time]:
            clear_row(gates, b * run.num_steps + time)


@compiled
def show_outputs(run: Any, hidden: Any, outputs: Any, mask: Any, step: int, first: int, last: int, zeros: bool) -> None:
    """Write what the layer shows after a step: the new state, or in a masked row the output before, or zeros.

    `outputs` has a row for every time of a sequence, or one for the last.
    """
    num_slots, shown = len(hidden) // run.num_sequences, len(outputs) // run.num_sequences
    time, slot = time_of(run, step), slot_before(run, step + 1, num_slots)
    for b in range(first, last):
        row = b * shown + (time if shown == run.num_steps else 0)
        if mask[b * run.num_steps + time]:
            copy_row(hidden, b * num_slots + slot, outputs, row)
        elif zeros or step == 0:
            clear_row(outputs, row)
        elif shown == run.num_steps:
            copy_row(outputs, row + (1 if run.reverse else -1), outputs, row)


@compiled
def drop_states(
    run: Any, masks: Any, hidden: Any, states: Any, before: int, active: Any, count: int, dropped: Any
) -> None:
    """Copy the active states once for each gate, multiplied by that gate's dropout mask (row k * B + b)."""
    for k in range(len(masks) // run.num_sequences):
        for n in range(count):
            row = k * run.num_sequences + active[n]
            for j in range(0, hidden.shape[1], lane_count(hidden)):
                store(dropped, row, j, load(masks, row, j) * load(hidden, states[n] + before, j))


@inlined
def first_row(tile: int, num_tiles: int, count: int) -> int:
    """Return where a tile begins when `count` rows are shared out evenly."""
    return tile * count // num_tiles


@compiled
def recurrent_sums(
    run: Any,
    sums: Any,
    part: Any,
    hidden: Any,
    states: Any,
    before: int,
    dropped: Any,
    active: Any,
    tile: int,
    size: int,
    kernel: Any,
    start: int,
    width: int,
) -> None:
    """Multiply the states of a tile of sequences with a panel that holds a register of each of `width` gates."""
    lanes = lane_count(sums)
    if len(dropped) == 0:
        tile_product(
            sums,
            hidden,
            states,
            tile,
            size,
            before,
            np.int64(0),
            kernel,
            np.int64(start),
            width * lanes,
            lanes,
            run.units,
            np.int64(width),
        )
        return
    for k in range(width):
        place = start + k * lanes
        row = k * run.num_sequences
        tile_product(
            part,
            dropped,
            active,
            tile,
            size,
            np.int64(row),
            np.int64(0),
            kernel,
            place,
            width * lanes,
            lanes,
            run.units,
            np.int64(1),
        )
        for i in range(size):
            store(sums, i, k * lanes, load(part, i, 0))


@compiled
def hand_back(
    run: Any,
    d_gates: Any,
    time: int,
    column: int,
    active: Any,
    rows: Any,
    count: int,
    transposed: Any,
    recurrent_masks: Any,
    first_gate: int,
    num_gates: int,
    d_hidden: Any,
    more: bool,
    sums: Any,
) -> None:
    """d_hidden = (+=, if more) d_gates @ recurrent_kernel.T, for the active sequences.

    `transposed` holds the transpose of the `num_gates` gates from `first_gate` on, in panels; `column` is where they
    start in a row of d_gates. With dropout each gate's share is multiplied by its mask. `rows` is scratch.
    """
    lanes, width = lane_count(sums), d_hidden.shape[1]
    for n in range(count):
        rows[n] = active[n] * run.num_steps + time
    separate = num_gates if len(recurrent_masks) else 1
    length = num_gates * width // separate
    num_registers = width // lanes
    for panel in range(0, num_registers, MAX_WIDTH):
        wide = min(MAX_WIDTH, num_registers - panel)
        num_tiles = -(-count // ROWS[wide - 1])
        for number in range(num_tiles):
            tile = first_row(number, num_tiles, count)
            size = first_row(number + 1, num_tiles, count) - tile
            for part in range(separate):
                start = panel * lanes * num_gates * width + part * length * wide * lanes
                tile_product(
                    sums, d_gates, rows, tile, size, np.int64(0), column + part * length, transposed, start,
                    wide * lanes, lanes, length, wide,
                )  # fmt: skip
                for i in range(size):
                    b = active[tile + i]
                    for v in range(wide):
                        j = (panel + v) * lanes
                        value = load(sums, i, v * lanes)
                        if len(recurrent_masks):
                            value = value * load(recurrent_masks, (first_gate + part) * run.num_sequences + b, j)
                        if more or part:
                            value = value + load(d_hidden, b, j)
                        store(d_hidden, b, j, value)


@compiled
def defer_outputs(
    run: Any, d_outputs: Any, mask: Any, time: int, first: int, last: int, d_last: Any, zeros: bool
) -> None:
    """Keep the gradient of what masked sequences showed at a time for the output that they repeat."""
    for b in range(first, last):
        if not mask[b * run.num_steps + time]:
            for j in range(0, d_last.shape[1], lane_count(d_last)):
                if len(d_outputs):
                    row = b * run.num_steps + time
                    store(d_last, b, j, load(d_last, b, j) + load(d_outputs, row, j))
                if zeros:
                    store(d_last, b, j, zero(d_last))


@compiled
def hand_back_inputs(
    run: Any,
    d_gates: Any,
    transposed: Any,
    columns: Any,
    d_x: Any,
    mask: Any,
    step: int,
    first: int,
    last: int,
    active: Any,
    rows: Any,
    sums: Any,
) -> None:
    """d_x = d_gates @ kernel.T for `chunk` steps from `step` on; masked rows are left as they are."""
    count = 0
    for later in range(step, min(step + run.chunk, run.num_steps)):
        time = time_of(run, later)
        for n in range(active_sequences(run, mask, time, first, last, active)):
            rows[0, count] = active[n] * run.num_steps + time
            count += 1
    width = np.int64(MAX_WIDTH)
    multiply_rows(d_gates, rows[0], transposed, columns, width, d_x[:0], d_x, rows[0], np.int64(0), count, sums)
