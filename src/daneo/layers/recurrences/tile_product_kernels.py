"""A product of a few rows with a panel of a matrix, held in registers: what a recurrent step spends its time on.

A panel is one to four registers wide. A tile is some rows of the left matrix times one panel: its sums stay in
registers while k runs over the panel's rows.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types

from daneo.layers.recurrences.lanes_kernels import (
    VECTOR_BYTES,
    Emitted,
    Lanes,
    address,
    compiled,
    constant,
    emitted,
    multiply_add,
    settings,
    spread,
    vector_type,
)

MAX_WIDTH, MAX_ROWS = 4, 8
NUM_SUMS = 24 if VECTOR_BYTES == 64 else 12  # of 32 registers, or of 16
CHAINS = 8  # sums that run side by side hide the time that one addition takes
_INT64 = ir.IntType(64)


def rows_of_tile(width: int) -> int:
    """How many rows a tile may have beside a panel of `width` registers."""
    return min(MAX_ROWS, NUM_SUMS // width)


ROWS = tuple(rows_of_tile(width) for width in range(1, MAX_WIDTH + 1))


class _Tile:
    """Emits one tile: the loop over k for a number of rows and a width that are known when it is compiled."""

    def __init__(self, context: Any, builder: Any, signature: Any, arguments: Any, num_rows: int, width: int) -> None:
        sums, left, rows, first, offset, column, panel, start, self.k_step, self.v_step, self.length = arguments
        self.context, self.builder, self.num_rows, self.width = context, builder, num_rows, width
        self.sums, self.sums_type = sums, signature.args[0]
        self.lanes = Lanes(signature.args[1].dtype)
        self.vector, self.align = vector_type(self.lanes), self.lanes.number.bitwidth // 8
        row_list = context.make_array(signature.args[2])(context, builder, rows).data
        self.numbers = []  # for each row, where its numbers start
        for i in range(num_rows):
            row = builder.load(builder.gep(row_list, [builder.add(first, self.integer(i))]))
            row = builder.add(row, offset)
            place = address(context, builder, signature.args[1], left, row, column, self.vector.element)
            self.numbers.append(place)
        self.panel = builder.gep(context.make_array(signature.args[6])(context, builder, panel).data, [start])

    def integer(self, value: int) -> Any:
        return ir.Constant(_INT64, value)

    def emit(self) -> None:
        builder = self.builder
        unroll = max(1, min(4, CHAINS // (self.num_rows * self.width)))
        cells = [(u, i, v) for u in range(unroll) for i in range(self.num_rows) for v in range(self.width)]
        sums = {cell: constant(self.vector, 0.0) for cell in cells}
        whole = builder.and_(self.length, self.integer(-unroll))
        sums = self.loop(self.integer(0), whole, unroll, sums)
        if unroll > 1:
            sums = self.loop(whole, self.length, 1, sums)
        for i in range(self.num_rows):
            for v in range(self.width):
                total = sums[0, i, v]
                for u in range(1, unroll):
                    total = builder.fadd(total, sums[u, i, v])
                column = self.integer(v * self.lanes.count)
                place = address(self.context, builder, self.sums_type, self.sums, self.integer(i), column, self.vector)
                builder.store(total, place, align=self.align)

    def loop(self, begin: Any, end: Any, unroll: int, initial: dict[Any, Any]) -> dict[Any, Any]:
        builder, entry = self.builder, self.builder.block
        head, body, after = (builder.append_basic_block(name) for name in ("head", "body", "after"))
        builder.branch(head)
        builder.position_at_end(head)
        k = builder.phi(_INT64)
        sums = {cell: builder.phi(self.vector) for cell in initial}
        builder.cbranch(builder.icmp_signed("<", k, end), body, after)
        builder.position_at_end(body)
        result = dict(sums)
        for u in range(unroll):
            result.update(self.one_k(builder.add(k, self.integer(u)), u, sums))
        k.add_incoming(begin, entry)
        k.add_incoming(builder.add(k, self.integer(unroll)), body)
        for cell, phi in sums.items():
            phi.add_incoming(initial[cell], entry)
            phi.add_incoming(result[cell], body)
        builder.branch(head)
        builder.position_at_end(after)
        return sums

    def one_k(self, k: Any, u: int, sums: dict[Any, Any]) -> dict[Any, Any]:
        builder = self.builder
        start, weights = builder.mul(k, self.k_step), []
        for v in range(self.width):
            place = builder.gep(self.panel, [builder.add(start, builder.mul(self.v_step, self.integer(v)))])
            weights.append(builder.load(builder.bitcast(place, self.vector.as_pointer()), align=self.align))
        result = {}
        for i, numbers in enumerate(self.numbers):
            factor = spread(builder, builder.load(builder.gep(numbers, [k]), align=self.align), self.vector)
            for v in range(self.width):
                result[u, i, v] = multiply_add(builder, factor, weights[v], sums[u, i, v])
        return result


@emitted
def _tile(
    typing_context: Any,
    sums: Any,
    left: Any,
    rows: Any,
    first: Any,
    count: Any,
    offset: Any,
    column: Any,
    panel: Any,
    start: Any,
    k_step: Any,
    v_step: Any,
    length: Any,
    width: Any,
) -> Emitted:
    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        # One copy of all tiles is enough; wherever it is called from, the call is nothing beside the work.
        builder.function.attributes.add("noinline")
        kept = (0, 1, 2, 3, 5, 6, 7, 8, 9, 10, 11)
        places = [arguments[n] for n in kept]
        kinds = types.void(*(signature.args[n] for n in kept))
        done = builder.append_basic_block("done")
        shape = builder.add(builder.mul(arguments[12], ir.Constant(_INT64, MAX_ROWS + 1)), arguments[4])
        choice = builder.switch(shape, done)
        for wide in range(1, MAX_WIDTH + 1):
            for num_rows in range(1, ROWS[wide - 1] + 1):
                block = builder.append_basic_block(f"rows{num_rows}_width{wide}")
                choice.add_case(ir.Constant(_INT64, wide * (MAX_ROWS + 1) + num_rows), block)
                builder.position_at_end(block)
                _Tile(context, builder, kinds, places, num_rows, wide).emit()
                builder.branch(done)
        builder.position_at_end(done)
        return context.get_dummy_value()

    n = types.int64
    return types.void(sums, left, rows, n, n, n, n, panel, n, n, n, n, n), emit


@compiled
def tile_product(
    sums: Any,
    left: Any,
    rows: Any,
    first: int,
    count: int,
    offset: int,
    column: int,
    panel: Any,
    start: int,
    k_step: int,
    v_step: int,
    length: int,
    width: int,
) -> None:
    """Fill sums[i, v * lanes : (v + 1) * lanes] with a sum over k < length, for i < count and v < width.

    It adds up left[rows[first + i] + offset, column + k] times the register that starts at
    panel[0, start + k * k_step + v * v_step]. `count` is at most ROWS[width - 1]. Whole numbers come as int64: a number
    that is written in the call would be a type of its own, and all tiles be compiled anew for it.
    """
    _tile(sums, left, rows, first, count, offset, column, panel, start, k_step, v_step, length, width)


if settings.DISABLE_JIT:  # intrinsics exist only in compiled code
    from daneo.layers.recurrences.tile_product_reference import tile_product  # noqa: F401
