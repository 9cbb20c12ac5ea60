"""What the functions of recurrent_steps_kernels.py do, in plain NumPy: which rows a step works on, masks, dropout.

Time t of sequence b is row b * T + t, state slot s of sequence b is row b * slots + s. A weight in panels is unpacked
first: its registers lie side by side then, in the order in which the panels have them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = Any  # a NumPy array: of float32 or float64, of row numbers, or of truth values
VECTOR_BYTES = 64  # of a register
MAX_WIDTH = 4  # registers in a panel


def lane_count(array: Array) -> int:
    """How many numbers of the array's type a register holds."""
    return VECTOR_BYTES // int(array.itemsize)


def unpacked(panels: Array, length: int, num_registers: int, width: int) -> Array:
    """Return the matrix (K, registers * lanes) that panels hold."""
    step, total = (count * lane_count(panels) * length for count in (width, num_registers))
    parts = [panels[n : min(n + step, total)] for n in range(0, total, step)]
    return np.hstack([part.reshape(length, -1) for part in parts])


def time_of(run: Any, step: int) -> int:
    """Return the time that a step works on."""
    return int(run.num_steps - 1 - step if run.reverse else step)


def slot_before(run: Any, step: int, num_slots: int) -> int:
    """Return the slot of the state that enters a step: of T + 1 slots its time's, of fewer each in turn."""
    if num_slots <= run.num_steps:
        return step % num_slots
    return int(run.num_steps - step if run.reverse else step)


def counted(run: Any, mask: Array, time: int, first: int, last: int) -> Array:
    """List the sequences from first to last that are not masked at a time."""
    sequences = np.arange(first, last)
    return sequences[mask[sequences * run.num_steps + time]] if len(mask) else sequences


def masked(run: Any, mask: Array, time: int, first: int, last: int) -> Array:
    """List those that are."""
    return np.setdiff1d(np.arange(first, last), counted(run, mask, time, first, last))


def active_sequences(run: Any, mask: Array, time: int, first: int, last: int, active: Array) -> int:
    """List the sequences from first to last that are not masked at a time; return how many."""
    found = counted(run, mask, time, first, last)
    active[: len(found)] = found
    return len(found)


def copy_row(source: Array, source_row: int, target: Array, target_row: int) -> None:
    """Copy a row."""
    target[target_row] = source[source_row]


def clear_row(target: Array, row: int) -> None:
    """Set a row to zero."""
    target[row] = 0


def project_chunk(
    run: Any,
    x: Array,
    kernel: Array,
    columns: Array,
    width: int,
    bias: Array,
    gates: Array,
    mask: Array,
    step: int,
    first: int,
    last: int,
    active: Array,
    rows: Array,
    sums: Array,
) -> None:
    """Write the input product of the next `chunk` steps into `gates`: a row for each time or for each of the steps."""
    slots = len(gates) // run.num_sequences
    matrix = unpacked(kernel[0], x.shape[1], len(columns), width)
    places = (columns[:, None] + np.arange(lane_count(gates))).ravel()
    for later in range(step, min(step + run.chunk, run.num_steps)):
        time = time_of(run, later)
        sequences = counted(run, mask, time, first, last)
        product = x[sequences * run.num_steps + time] @ matrix
        if len(bias):
            product = product + bias[0, places]
        slot = time if slots == run.num_steps else later - step
        gates[sequences[:, None] * slots + slot, places] = product


def carry_over(run: Any, states: Array, mask: Array, step: int, first: int, last: int) -> None:
    """Copy the state of every masked sequence past a step."""
    slots = len(states) // run.num_sequences
    rows = masked(run, mask, time_of(run, step), first, last) * slots
    states[rows + slot_before(run, step + 1, slots)] = states[rows + slot_before(run, step, slots)]


def clear_masked(run: Any, gates: Array, mask: Array, time: int, first: int, last: int) -> None:
    """Set the gates of every masked sequence at a time to zero, where they are kept."""
    if len(gates) >= run.num_sequences * run.num_steps:
        gates[masked(run, mask, time, first, last) * run.num_steps + time] = 0


def show_outputs(
    run: Any, hidden: Array, outputs: Array, mask: Array, step: int, first: int, last: int, zeros: bool
) -> None:
    """Write what the layer shows after a step: the new state, or in a masked row the output before, or zeros."""
    slots, shown = len(hidden) // run.num_sequences, len(outputs) // run.num_sequences
    time, slot = time_of(run, step), slot_before(run, step + 1, slots)
    place = time if shown == run.num_steps else 0
    for b in range(first, last):
        row = b * shown + place
        before = outputs[row] if shown < run.num_steps else outputs[row + (1 if run.reverse else -1)] if step else 0
        if mask[b * run.num_steps + time]:
            outputs[row] = hidden[b * slots + slot]
        else:
            outputs[row] = 0 if zeros or step == 0 else before


def drop_states(
    run: Any, masks: Array, hidden: Array, states: Array, before: int, active: Array, count: int, dropped: Array
) -> None:
    """Copy the active states once for each gate, multiplied by that gate's dropout mask (row k * B + b)."""
    for k in range(len(masks) // run.num_sequences):
        rows = k * run.num_sequences + active[:count]
        dropped[rows] = masks[rows] * hidden[states[:count] + before]


def first_row(tile: int, num_tiles: int, count: int) -> int:
    """Return where a tile begins when `count` rows are shared out evenly."""
    return tile * count // num_tiles


def recurrent_sums(
    run: Any,
    sums: Array,
    part: Array,
    hidden: Array,
    states: Array,
    before: int,
    dropped: Array,
    active: Array,
    tile: int,
    size: int,
    kernel: Array,
    start: int,
    width: int,
) -> None:
    """Multiply the states of a tile of sequences with a panel that holds a register of each of `width` gates."""
    lanes = lane_count(sums)
    panel = kernel[0, start : start + run.units * width * lanes].reshape(run.units, width * lanes)
    for k in range(width):
        given = hidden[states[tile : tile + size] + before]
        if len(dropped):
            given = dropped[k * run.num_sequences + active[tile : tile + size]]
        gate = slice(k * lanes, (k + 1) * lanes)
        sums[:size, gate] = given[:, : run.units] @ panel[:, gate]


def hand_back(
    run: Any,
    d_gates: Array,
    time: int,
    column: int,
    active: Array,
    rows: Array,
    count: int,
    transposed: Array,
    recurrent_masks: Array,
    first_gate: int,
    num_gates: int,
    d_hidden: Array,
    more: bool,
    sums: Array,
) -> None:
    """d_hidden = (+=, if more) d_gates @ recurrent_kernel.T, gate by gate times its mask, for the active sequences."""
    width, sequences = d_hidden.shape[1], active[:count]
    matrix = unpacked(transposed[0], num_gates * width, width // lane_count(sums), MAX_WIDTH)
    total = d_hidden[sequences] if more else np.zeros((count, width), sums.dtype)
    for k in range(num_gates):
        of_gate = slice(column + k * width, column + (k + 1) * width)
        share = d_gates[sequences * run.num_steps + time, of_gate] @ matrix[k * width : (k + 1) * width]
        if len(recurrent_masks):
            share = share * recurrent_masks[(first_gate + k) * run.num_sequences + sequences]
        total = total + share
    d_hidden[sequences] = total


def defer_outputs(
    run: Any, d_outputs: Array, mask: Array, time: int, first: int, last: int, d_last: Array, zeros: bool
) -> None:
    """Keep the gradient of what masked sequences showed at a time for the output that they repeat."""
    sequences = masked(run, mask, time, first, last)
    if len(d_outputs):
        d_last[sequences] += d_outputs[sequences * run.num_steps + time]
    if zeros:
        d_last[sequences] = 0


def hand_back_inputs(
    run: Any,
    d_gates: Array,
    transposed: Array,
    columns: Array,
    d_x: Array,
    mask: Array,
    step: int,
    first: int,
    last: int,
    active: Array,
    rows: Array,
    sums: Array,
) -> None:
    """d_x = d_gates @ kernel.T for `chunk` steps from `step` on; masked rows are left as they are."""
    matrix = unpacked(transposed[0], d_gates.shape[1], len(columns), MAX_WIDTH)[:, : d_x.shape[1]]
    for later in range(step, min(step + run.chunk, run.num_steps)):
        time = time_of(run, later)
        places = counted(run, mask, time, first, last) * run.num_steps + time
        d_x[places] = d_gates[places] @ matrix
