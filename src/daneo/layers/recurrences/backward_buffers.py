"""What the backward passes of SimpleRNN, GRU and LSTM share: gradients in the kernels' layout, and those of weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from daneo.layers.recurrences import matrix_product_kernels as products
from daneo.layers.recurrences.forward_buffers import packed_transpose, rows_of
from daneo.layers.recurrences.lanes_kernels import VECTOR_BYTES
from daneo.layers.recurrences.recurrence_buffers import NO_INTEGERS, Floats, Integers, Layout, no_rows, without_filling
from daneo.layers.recurrences.recurrent_calls import Call, Inputs, OutputGradients
from daneo.layers.recurrences.tile_product_kernels import MAX_WIDTH
from daneo.layers.recurrences.worker_threads import in_shares


class BackPrepared(NamedTuple):
    """What the backward kernels of every cell take."""

    d_outputs: Floats
    d_last: Floats
    d_hidden: Floats
    d_more: Floats
    d_x: Floats
    x_columns: Integers
    transposed: Floats


def prepare_back(call: Call, given: Inputs, where: Layout, gradients: OutputGradients, wants_x: bool) -> BackPrepared:
    """Bring the gradients of the outputs into the kernels' layout, as arrays that may be written to."""
    dtype, size = given.x.dtype, given.num_sequences

    def state(gradient: Floats | None) -> Floats:
        wide = np.zeros((size, where.width), dtype)
        if gradient is not None:
            wide[:, : given.units] = gradient
        return wide

    every = gradients.outputs if call.sequences else None
    features = given.x.shape[-1]
    d_x, transposed = no_rows(dtype), no_rows(dtype)
    if wants_x and given.tokens is None and given.kernel is not None:
        make = np.empty if given.mask is None else np.zeros
        d_x = make((size * given.num_steps, features), dtype)
        transposed = packed_transpose(given.kernel, where, features)
    return BackPrepared(
        rows_of(every, where.width, dtype),
        state(None if call.sequences else gradients.outputs),
        state(gradients.hidden),
        state(gradients.cell),
        d_x,
        np.arange(0, features, VECTOR_BYTES // dtype.itemsize),
        transposed,
    )


class WeightGradient(NamedTuple):
    """One product of the weights' gradients: see matrix_product_kernels.multiply_transposed."""

    left: Floats
    num_features: int
    left_rows: Integers
    factors: Floats
    factor_rows: Integers
    right: Floats
    right_rows: Integers
    blocks: Integers
    out: Floats


def make_weight_gradients(gradients: Sequence[WeightGradient], num_threads: int) -> None:
    """Fill `out` of every gradient, blocks of columns shared out over threads."""

    def work(first: int, last: int) -> None:
        for one in gradients:
            share = len(one.blocks) * first // num_threads, len(one.blocks) * last // num_threads
            products.multiply_transposed(*one, *share)

    in_shares(work, num_threads, num_threads)


def counted_rows(given: Inputs) -> Integers:
    """List the times that no mask leaves out, as rows b * T + t."""
    if given.mask is None:
        return np.arange(given.num_sequences * given.num_steps)
    return np.flatnonzero(given.mask)


def state_rows(rows: Integers, num_steps: int, reverse: bool) -> Integers:
    """Return for each of those rows the row of the state that enters it."""
    return rows + rows // num_steps + (1 if reverse else 0)


def recurrent_gradients(
    given: Inputs,
    states: Floats,
    state_numbers: Integers,
    right: Floats,
    rows: Integers,
    where: Layout,
    gates: Sequence[int],
    masks: Floats,
    out: Floats,
) -> list[WeightGradient]:
    """List the products that make a recurrent kernel's gradient, one for each gate that drops states of its own."""
    dtype = states.dtype
    if not len(masks):
        return [
            WeightGradient(
                states, given.units, state_numbers, no_rows(dtype), NO_INTEGERS, right, rows, where.blocks, out
            )
        ]
    each = len(where.blocks) // len(gates)
    sequence = rows // given.num_steps
    return [
        WeightGradient(
            states,
            given.units,
            state_numbers,
            masks,
            gate * given.num_sequences + sequence,
            right,
            rows,
            where.blocks[n * each : (n + 1) * each],
            out,
        )
        for n, gate in enumerate(gates)
    ]


def by_token(call: Call, given: Inputs, where: Layout, d_gates: Floats, wants_x: bool) -> tuple[Floats, Floats | None]:
    """Add the gradients of the input product up by token; return them, and the gradient of the distinct inputs."""
    assert given.tokens is not None
    assert given.kernel is not None
    tokens, num_tokens = given.tokens.reshape(-1), len(given.x)
    order, starts = np.empty(len(tokens), np.int64), np.empty(num_tokens + 1, np.int64)
    products.group_by_token(tokens, order, starts)
    d_table = np.empty((num_tokens, d_gates.shape[1]), d_gates.dtype)
    d_x, transposed = no_rows(d_gates.dtype), no_rows(d_gates.dtype)
    if wants_x:
        d_x = np.empty(given.x.shape, d_gates.dtype)
        transposed = packed_transpose(given.kernel, where, given.x.shape[1])
    columns = np.arange(0, given.x.shape[1], VECTOR_BYTES // d_gates.itemsize)
    numbers = np.arange(num_tokens)

    def work(first: int, last: int) -> None:
        products.add_up(d_gates, order, starts, d_table, first, last)
        if wants_x:
            products.multiply(
                d_table, numbers, transposed, columns, MAX_WIDTH, no_rows(d_gates.dtype), d_x, first, last
            )

    in_shares(work, num_tokens, call.num_threads)
    return d_table, d_x if wants_x else None


def input_gradients(
    call: Call, given: Inputs, where: Layout, d_gates: Floats, rows: Integers, wants_x: bool
) -> tuple[Floats | None, list[WeightGradient]]:
    """Return the gradient of distinct inputs or of a product, and what makes those of the kernel and the bias."""
    if given.kernel is None:
        return without_filling(d_gates, len(where.turned) // where.width, given.units).reshape(given.x.shape), []
    dtype, features = d_gates.dtype, given.x.shape[-1]
    x, d_x, x_rows = given.x.reshape(-1, features), None, rows
    if given.tokens is not None:
        d_gates, d_x = by_token(call, given, where, d_gates, wants_x)
        x_rows = np.arange(len(x))
    out = np.empty((features + (given.bias is not None), len(where.turned)), dtype)
    left = np.ascontiguousarray(x)
    return d_x, [
        WeightGradient(left, features, x_rows, no_rows(dtype), NO_INTEGERS, d_gates, x_rows, where.blocks, out)
    ]


def kernel_gradients(
    given: Inputs, made: Sequence[WeightGradient], num_gates: int
) -> tuple[Floats | None, Floats | None]:
    """Cut what input_gradients had made into the gradients of the kernel and of the bias."""
    if not made:
        return None, None
    trimmed = without_filling(made[0].out, num_gates, given.units)
    return trimmed[: given.x.shape[-1]], trimmed[-1] if given.bias is not None else None
