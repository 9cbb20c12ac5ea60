"""A vector register for Numba: sixteen float32 as one value.

LLVM vectorises loops by itself, but for rows of a hundred numbers it spends more on finding out whether arrays overlap,
on remainders and on summing a register than on the work. With the register as a type of its own the kernels in
block_products_kernels.py say what stays in registers, and LLVM still picks the instructions: one AVX-512 register,
two of AVX2, four of SSE or NEON.

Each function is emitted in place. `array` is a C-contiguous float32 matrix (`splat_fma` also takes a transposed one);
`row` and `column` say where the sixteen numbers start. Nothing is checked.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import config, types
from numba.extending import intrinsic, models, register_model

LANES = 16

_FLOAT, _BYTE, _INT32, _INT64 = ir.FloatType(), ir.IntType(8), ir.IntType(32), ir.IntType(64)
_LANES = ir.VectorType(_FLOAT, LANES)


class FloatLanes(types.Type):  # type: ignore[misc,unused-ignore]
    """Numba's type of sixteen float32 in a register."""

    def __init__(self) -> None:
        super().__init__(name="FloatLanes")  # type: ignore[no-untyped-call,unused-ignore]


lanes: Any = FloatLanes()
Emitter = Callable[[Any, Any, Any, Any], Any]
Emitted = tuple[Any, Emitter]
void: Any = types.void
settings: Any = config
emitted: Callable[[Callable[..., Emitted]], Any] = intrinsic  # called from compiled code, where the context is implied


@register_model(FloatLanes)
class _FloatLanesModel(models.PrimitiveModel):  # type: ignore[misc,unused-ignore]
    def __init__(self, manager: Any, numba_type: Any) -> None:
        super().__init__(manager, numba_type, _LANES)  # type: ignore[no-untyped-call,unused-ignore]


def _pointer(context: Any, builder: Any, signature: Any, arguments: Any, pointee: Any) -> Any:
    """Address of array[row, column], the first three arguments of every function that touches memory."""
    array = context.make_array(signature.args[0])(context, builder, arguments[0])
    steps = [builder.extract_value(array.strides, axis) for axis in (0, 1)]
    if signature.args[0].layout == "C":
        steps[1] = ir.Constant(_INT64, 4)
    offset = builder.add(builder.mul(arguments[1], steps[0]), builder.mul(arguments[2], steps[1]))
    address = builder.gep(builder.bitcast(array.data, _BYTE.as_pointer()), [offset])
    return builder.bitcast(address, pointee.as_pointer())


def _multiply_add(builder: Any, a: Any, b: Any, c: Any) -> Any:
    # "contract" lets LLVM make one fused instruction of the two where the machine has it.
    return builder.fadd(builder.fmul(a, b, flags=("contract",)), c, flags=("contract",))


def _pick(builder: Any, a: Any, b: Any, lane_numbers: list[int]) -> Any:
    """Lanes of a (0 to 15) and b (16 to 31) by number."""
    return builder.shuffle_vector(a, b, ir.Constant(ir.VectorType(_INT32, len(lane_numbers)), lane_numbers))


def _spread(builder: Any, number: Any) -> Any:
    vector = builder.insert_element(ir.Constant(_LANES, ir.Undefined), number, ir.Constant(_INT32, 0))
    return _pick(builder, vector, vector, [0] * LANES)


@emitted
def zero(typing_context: Any) -> Emitted:
    """Sixteen zeros."""
    return lanes(), lambda context, builder, signature, arguments: ir.Constant(_LANES, [0.0] * LANES)


@emitted
def splat(typing_context: Any, number: Any) -> Emitted:
    """One float32, sixteen times."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return _spread(builder, arguments[0])

    return lanes(types.float32), emit


@emitted
def load(typing_context: Any, array: Any, row: Any, column: Any) -> Emitted:
    """array[row, column : column + 16]."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.load(_pointer(context, builder, signature, arguments, _LANES), align=4)

    return lanes(array, types.int64, types.int64), emit


@emitted
def store(typing_context: Any, array: Any, row: Any, column: Any, value: Any) -> Emitted:
    """array[row, column : column + 16] = value."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        builder.store(arguments[3], _pointer(context, builder, signature, arguments, _LANES), align=4)
        return context.get_dummy_value()

    return void(array, types.int64, types.int64, lanes), emit


@emitted
def increase(typing_context: Any, array: Any, row: Any, column: Any, value: Any) -> Emitted:
    """array[row, column : column + 16] += value."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = _pointer(context, builder, signature, arguments, _LANES)
        builder.store(builder.fadd(builder.load(pointer, align=4), arguments[3]), pointer, align=4)
        return context.get_dummy_value()

    return void(array, types.int64, types.int64, lanes), emit


@emitted
def add(typing_context: Any, a: Any, b: Any) -> Emitted:
    """A + b, lane by lane."""
    return lanes(lanes, lanes), lambda context, builder, signature, arguments: builder.fadd(*arguments)


@emitted
def multiply(typing_context: Any, a: Any, b: Any) -> Emitted:
    """A * b, lane by lane."""
    return lanes(lanes, lanes), lambda context, builder, signature, arguments: builder.fmul(*arguments)


@emitted
def fma(typing_context: Any, a: Any, b: Any, c: Any) -> Emitted:
    """A * b + c, lane by lane."""
    return lanes(lanes, lanes, lanes), lambda context, builder, signature, arguments: _multiply_add(builder, *arguments)


@emitted
def fnma(typing_context: Any, a: Any, b: Any, c: Any) -> Emitted:
    """C - a * b, lane by lane."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        a, b, c = arguments
        return _multiply_add(builder, builder.fneg(a), b, c)

    return lanes(lanes, lanes, lanes), emit


@emitted
def inverse_square_root(typing_context: Any, a: Any) -> Emitted:
    """1 / sqrt(a) to 5e-6, lane by lane, of positive numbers that are neither tiny nor infinite.

    A root and a division take four times as long, and the estimates that processors offer differ from one to the next.
    The number's bits, halved and taken from a constant, are a first guess (Lomont 2003); Newton's step doubles the
    digits, twice.
    """

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        integers = ir.VectorType(_INT32, LANES)
        bits = builder.lshr(builder.bitcast(arguments[0], integers), ir.Constant(integers, [1] * LANES))
        guess = builder.bitcast(builder.sub(ir.Constant(integers, [0x5F375A86] * LANES), bits), _LANES)
        half = builder.fmul(arguments[0], ir.Constant(_LANES, [0.5] * LANES))
        for _ in range(2):
            square = builder.fmul(builder.fneg(builder.fmul(half, guess)), guess, flags=("contract",))
            step = builder.fadd(square, ir.Constant(_LANES, [1.5] * LANES), flags=("contract",))
            guess = builder.fmul(guess, step)
        return guess

    return lanes(lanes), emit


@emitted
def lane_sum(typing_context: Any, a: Any) -> Emitted:
    """The sum of the sixteen lanes, in halves."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        rest = arguments[0]
        for half in (8, 4, 2, 1):
            low, high = list(range(half)), list(range(half, 2 * half))
            rest = builder.fadd(_pick(builder, rest, rest, low), _pick(builder, rest, rest, high))
        return builder.extract_element(rest, ir.Constant(_INT32, 0))

    return types.float32(lanes), emit


@emitted
def splat_fma(typing_context: Any, array: Any, row: Any, column: Any, b: Any, c: Any) -> Emitted:
    """array[row, column] * b + c: one number times sixteen."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        number = builder.load(_pointer(context, builder, signature, arguments, _FLOAT), align=4)
        return _multiply_add(builder, _spread(builder, number), arguments[3], arguments[4])

    return lanes(array, types.int64, types.int64, lanes, lanes), emit


@emitted
def store_four_sums(typing_context: Any, array: Any, row: Any, column: Any, a: Any, b: Any, c: Any, d: Any) -> Emitted:
    """array[row, column : column + 4] = the sums of all lanes of a, b, c and d.

    Summed together: adding two registers whose lanes are interleaved halves them both at once.
    """

    def interleave(builder: Any, a: Any, b: Any, width: int) -> Any:
        starts = range(0, LANES, 2 * width)
        low = [lane for s in starts for first in (s, LANES + s) for lane in range(first, first + width)]
        return builder.fadd(_pick(builder, a, b, low), _pick(builder, a, b, [lane + width for lane in low]))

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        a, b, c, d = arguments[3:]
        both = interleave(builder, interleave(builder, a, b, 1), interleave(builder, c, d, 1), 2)
        for half in (8, 4):
            low, high = list(range(half)), list(range(half, 2 * half))
            both = builder.fadd(_pick(builder, both, both, low), _pick(builder, both, both, high))
        pointer = _pointer(context, builder, signature, arguments, ir.VectorType(_FLOAT, 4))
        builder.store(both, pointer, align=4)
        return context.get_dummy_value()

    return void(array, types.int64, types.int64, lanes, lanes, lanes, lanes), emit


@emitted
def prefetch(typing_context: Any, array: Any, row: Any, column: Any) -> Emitted:
    """Ask the caches for array[row, column] before it is needed, to be written to."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = ir.FunctionType(ir.VoidType(), [_BYTE.as_pointer(), _INT32, _INT32, _INT32])
        name = "llvm.prefetch.p0"
        function = builder.module.globals.get(name) or ir.Function(builder.module, kind, name)
        to_write, keep_close, data = (ir.Constant(_INT32, number) for number in (1, 3, 1))
        builder.call(function, [_pointer(context, builder, signature, arguments, _BYTE), to_write, keep_close, data])
        return context.get_dummy_value()

    return void(array, types.int64, types.int64), emit


if settings.DISABLE_JIT:  # intrinsics exist only in compiled code
    from daneo.embeddings.float_lanes_reference import (  # noqa: F401
        add,
        fma,
        fnma,
        increase,
        inverse_square_root,
        lane_sum,
        load,
        multiply,
        prefetch,
        splat,
        splat_fma,
        store,
        store_four_sums,
        zero,
    )
