"""The GRU's recurrence, backward: gradients carried through all steps of some sequences of a batch.

Layout as in recurrent_steps_kernels.py. Threads share nothing that is written: each takes some sequences.
"""

from __future__ import annotations

from typing import Any

from daneo.layers.recurrences.activations_kernels import slope
from daneo.layers.recurrences.lanes_kernels import compiled, entry, fill, lane_count, load, store, zero
from daneo.layers.recurrences.recurrent_steps_kernels import (
    active_sequences,
    defer_outputs,
    hand_back,
    hand_back_inputs,
    slot_before,
    time_of,
)
from daneo.layers.recurrences.tile_product_kernels import MAX_ROWS

GATES = 3


@compiled
def _step_back(
    run: Any,
    step: int,
    count: int,
    active: Any,
    gates: Any,
    hidden: Any,
    candidates: Any,
    d_outputs: Any,
    d_last: Any,
    d_hidden: Any,
    activation: int,
    recurrent_activation: int,
    reset_after: bool,
) -> None:
    """What a backward step can do ahead of products: gates become gradients, but for r without reset_after.

    d_hidden becomes the share that z hands back; with reset_after, `candidates` become their gradients.
    """
    time, units = time_of(run, step), d_hidden.shape[1]
    before = slot_before(run, step, run.num_steps + 1)
    for n in range(count):
        b = active[n]
        row, state = b * run.num_steps + time, b * (run.num_steps + 1) + before
        for j in range(0, units, lane_count(gates)):
            d_h = load(d_hidden, b, j) + load(d_last, b, j)
            store(d_last, b, j, zero(d_last))
            if len(d_outputs):
                d_h = d_h + load(d_outputs, row, j)
            h, z, new = load(hidden, state, j), load(gates, row, j), load(gates, row, 2 * units + j)
            d_new = slope(activation, new, d_h * (fill(z, 1.0) - z))
            store(gates, row, j, slope(recurrent_activation, z, d_h * (h - new)))
            store(gates, row, 2 * units + j, d_new)
            store(d_hidden, b, j, d_h * z)
            if reset_after:
                r, candidate = load(gates, row, units + j), load(candidates, row, j)
                store(gates, row, units + j, slope(recurrent_activation, r, d_new * candidate))
                store(candidates, row, j, d_new * r)


@compiled
def _hand_back_reset(
    run: Any,
    step: int,
    count: int,
    active: Any,
    gates: Any,
    hidden: Any,
    recurrent_masks: Any,
    d_candidate: Any,
    d_hidden: Any,
    recurrent_activation: int,
) -> None:
    """Without reset_after: the gradient of r, and what n hands back to the state."""
    time, units = time_of(run, step), d_hidden.shape[1]
    before = slot_before(run, step, run.num_steps + 1)
    for n in range(count):
        b = active[n]
        row, state = b * run.num_steps + time, b * (run.num_steps + 1) + before
        for j in range(0, units, lane_count(gates)):
            h, r, d = load(hidden, state, j), load(gates, row, units + j), load(d_candidate, b, j)
            if len(recurrent_masks):
                factor = load(recurrent_masks, 2 * run.num_sequences + b, j)
                store(d_hidden, b, j, load(d_hidden, b, j) + d * r * factor)
                h = h * factor
            else:
                store(d_hidden, b, j, load(d_hidden, b, j) + d * r)
            store(gates, row, units + j, slope(recurrent_activation, r, d * h))


@entry
def backward(
    run: Any,
    gates: Any,
    hidden: Any,
    candidates: Any,
    transposed: Any,
    recurrent_transposed: Any,
    candidate_transposed: Any,
    mask: Any,
    recurrent_masks: Any,
    d_outputs: Any,
    d_last: Any,
    d_hidden: Any,
    d_candidate: Any,
    d_x: Any,
    x_columns: Any,
    activation: int,
    recurrent_activation: int,
    reset_after: bool,
    zero_output: bool,
    first: int,
    last: int,
    floats: Any,
    integers: Any,
) -> None:
    """Carry gradients back through the sequences from first to last.

    Overwrites: `gates` become the gradient of the input product and, with reset_after, `candidates` those of the
    candidates; `d_hidden` (B, U), on entry of the final state, becomes that of the initial state; `d_last` (B, U), on
    entry of the last output, is used up; `d_candidate` (B, U) is scratch; `d_x` (B * T, D), if it has rows, is the
    gradient of x. `recurrent_transposed` is of z and r, `candidate_transposed` of n.

    Scratch: `floats` and `integers` as for the forward pass.
    """
    sums = floats[:MAX_ROWS]
    active, numbers, rows = integers[0], integers[1], integers[2:]
    nothing = recurrent_masks[:0]
    for step in range(run.num_steps - 1, -1, -1):
        time = time_of(run, step)
        if len(mask):
            defer_outputs(run, d_outputs, mask, time, first, last, d_last, zero_output)
        count = active_sequences(run, mask, time, first, last, active)
        _step_back(
            run, step, count, active, gates, hidden, candidates, d_outputs, d_last, d_hidden, activation,
            recurrent_activation, reset_after,
        )  # fmt: skip
        if reset_after:
            hand_back(
                run, candidates, time, 0, active, numbers, count, candidate_transposed, recurrent_masks, 2, 1, d_hidden,
                True, sums,
            )  # fmt: skip
        else:
            hand_back(
                run, gates, time, 2 * d_hidden.shape[1], active, numbers, count, candidate_transposed, nothing, 2, 1,
                d_candidate, False, sums,
            )  # fmt: skip
            _hand_back_reset(
                run, step, count, active, gates, hidden, recurrent_masks, d_candidate, d_hidden, recurrent_activation
            )
        hand_back(
            run, gates, time, 0, active, numbers, count, recurrent_transposed, recurrent_masks, 0, 2, d_hidden, True,
            sums,
        )  # fmt: skip
        if len(d_x) and step % run.chunk == 0:
            hand_back_inputs(run, gates, transposed, x_columns, d_x, mask, step, first, last, active, rows, sums)
