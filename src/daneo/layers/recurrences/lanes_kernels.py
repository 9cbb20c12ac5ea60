"""A vector register for Numba that computes like a number: as many float32 or float64 as the machine's register holds.

The recurrent kernels are written in lanes, so that a step of a cell reads like its equations and still runs in whole
registers: ``c = f * load(cells, row, column) + i * g``. Lanes of float32 and of float64 are separate types, and each
function takes its type from the array or the lanes it is given. Nothing is checked.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

from llvmlite import binding, ir
from numba import config, njit, types
from numba.extending import intrinsic, lower_builtin, models, register_model, type_callable

_features = binding.get_host_cpu_features()
VECTOR_BYTES = 64 if _features.get("avx512f") else 32 if _features.get("avx") else 16
BEYOND_LOG_2 = 2.319046813846299e-17  # the logarithm of 2 less what a float64 holds of it

_BYTE, _INT32, _INT64 = ir.IntType(8), ir.IntType(32), ir.IntType(64)
Emitter = Callable[[Any, Any, Any, Any], Any]
Emitted = tuple[Any, Emitter]
emitted: Callable[[Callable[..., Emitted]], Any] = intrinsic  # called from compiled code, where the context is implied
settings: Any = config
register: Any = lower_builtin
decorator: Any = njit
# What kernels of layers are compiled with. Without Numba's runtime (_nrt) they can make no arrays, and do not count who
# refers to those they are given: two threads that count would wait for each other's cache lines at every call.
compiled: Any = decorator(nogil=True, error_model="numpy", _nrt=False)
inlined: Any = decorator(nogil=True, error_model="numpy", _nrt=False, forceinline=True)
entry: Any = decorator(nogil=True, error_model="numpy", _nrt=False, cache=True)  # called from Python
void: Any = types.void


class Lanes(types.Type):  # type: ignore[misc,unused-ignore]
    """Numba's type of a register of floats."""

    def __init__(self, number: Any) -> None:
        self.number = number
        self.count = VECTOR_BYTES * 8 // number.bitwidth
        super().__init__(name=f"Lanes({number})")  # type: ignore[no-untyped-call,unused-ignore]


@register_model(Lanes)
class _LanesModel(models.PrimitiveModel):  # type: ignore[misc,unused-ignore]
    def __init__(self, manager: Any, numba_type: Any) -> None:
        super().__init__(manager, numba_type, vector_type(numba_type))  # type: ignore[no-untyped-call,unused-ignore]


def vector_type(lanes: Any) -> Any:
    """LLVM's type of the register."""
    return ir.VectorType(ir.FloatType() if lanes.number.bitwidth == 32 else ir.DoubleType(), lanes.count)


def address(context: Any, builder: Any, array_type: Any, array: Any, row: Any, column: Any, pointee: Any) -> Any:
    """Address of array[row, column]; the rows' numbers lie side by side."""
    view = context.make_array(array_type)(context, builder, array)
    size = array_type.dtype.bitwidth // 8
    offset = builder.mul(row, builder.extract_value(view.strides, 0))
    offset = builder.add(offset, builder.mul(column, ir.Constant(_INT64, size)))
    return builder.bitcast(builder.gep(builder.bitcast(view.data, _BYTE.as_pointer()), [offset]), pointee.as_pointer())


def multiply_add(builder: Any, a: Any, b: Any, c: Any) -> Any:
    """A * b + c; "contract" lets LLVM make one fused instruction of the two where the machine has it."""
    return builder.fadd(builder.fmul(a, b, flags=("contract",)), c, flags=("contract",))


def spread(builder: Any, number: Any, vector: Any) -> Any:
    """One number in every lane."""
    single = builder.insert_element(ir.Constant(vector, ir.Undefined), number, ir.Constant(_INT32, 0))
    return builder.shuffle_vector(single, single, ir.Constant(ir.VectorType(_INT32, vector.count), [0] * vector.count))


def constant(vector: Any, value: float) -> Any:
    """A constant in every lane."""
    return ir.Constant(vector, [value] * vector.count)


@emitted
def load(typing_context: Any, array: Any, row: Any, column: Any) -> Emitted:
    """array[row, column : column + lanes]."""
    lanes = Lanes(array.dtype)

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array_, row_, column_ = arguments
        pointer = address(context, builder, signature.args[0], array_, row_, column_, vector_type(lanes))
        return builder.load(pointer, align=lanes.number.bitwidth // 8)

    return lanes(array, types.int64, types.int64), emit


@emitted
def store(typing_context: Any, array: Any, row: Any, column: Any, value: Any) -> Emitted:
    """array[row, column : column + lanes] = value."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array_, row_, column_, value_ = arguments
        pointer = address(context, builder, signature.args[0], array_, row_, column_, vector_type(value))
        builder.store(value_, pointer, align=value.number.bitwidth // 8)
        return context.get_dummy_value()

    return void(array, types.int64, types.int64, value), emit


@emitted
def turn_block(typing_context: Any, matrix: Any, row: Any, column: Any, out: Any, start: Any, step: Any) -> Emitted:
    """out[0, start + k * step + n] = matrix[row + n, column + k] for n and k below the number of lanes."""
    lanes = Lanes(matrix.dtype)

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        vector, count = vector_type(lanes), lanes.count
        align, (matrix_, row_, column_, out_, start_, step_) = lanes.number.bitwidth // 8, arguments
        block = []
        for n in range(count):
            place = builder.add(row_, ir.Constant(_INT64, n))
            pointer = address(context, builder, signature.args[0], matrix_, place, column_, vector)
            block.append(builder.load(pointer, align=align))
        # Interleaving the first half with the second, as often as the number of lanes can be halved, turns a square.
        half = count // 2
        low = [lane for k in range(half) for lane in (k, count + k)]
        for _ in range(count.bit_length() - 1):
            turned = []
            for first, second in zip(block[:half], block[half:], strict=True):
                for chosen in (low, [lane + half for lane in low]):
                    numbers = ir.Constant(ir.VectorType(_INT32, count), chosen)
                    turned.append(builder.shuffle_vector(first, second, numbers))
            block = turned
        for k, value in enumerate(block):
            place = builder.add(start_, builder.mul(step_, ir.Constant(_INT64, k)))
            zero_row = ir.Constant(_INT64, 0)
            pointer = address(context, builder, signature.args[3], out_, zero_row, place, vector)
            builder.store(value, pointer, align=align)
        return context.get_dummy_value()

    n = types.int64
    return void(matrix, n, n, out, n, n), emit


@emitted
def zero(typing_context: Any, array: Any) -> Emitted:
    """Zeros, in the precision of `array`."""
    lanes = Lanes(array.dtype)
    return lanes(array), lambda context, builder, signature, arguments: constant(vector_type(lanes), 0.0)


@emitted
def fill(typing_context: Any, like: Any, number: Any) -> Emitted:
    """One number in every lane; `like` are lanes of the type that is wanted."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        vector, value = vector_type(like), arguments[1]
        return spread(
            builder, builder.fptrunc(value, vector.element) if like.count * 4 == VECTOR_BYTES else value, vector
        )

    return like(like, types.float64), emit


@emitted
def lane_count(typing_context: Any, array: Any) -> Emitted:
    """How many numbers of the array's type a register holds."""
    count = Lanes(array.dtype).count
    return types.int64(array), lambda context, builder, signature, arguments: ir.Constant(_INT64, count)


def _arithmetic(operation: Any, instruction: str) -> None:
    @type_callable(operation)
    def resolve(context: Any) -> Any:
        return lambda a, b: a if isinstance(a, Lanes) and a == b else None

    @register(operation, Lanes, Lanes)
    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return getattr(builder, instruction)(*arguments, flags=("contract",))


for _operation, _instruction in (
    (operator.add, "fadd"),
    (operator.sub, "fsub"),
    (operator.mul, "fmul"),
    (operator.truediv, "fdiv"),
):
    _arithmetic(_operation, _instruction)


def _expm1(builder: Any, x: Any, lanes: Any) -> Any:
    """e**x - 1 to a few units in the last place: x = n log 2 + r, and a Taylor polynomial for r.

    x is held where 2**n stays finite: the sigmoid and the tangent have long reached their limits there.
    """
    vector, single = vector_type(lanes), lanes.number.bitwidth == 32
    integers = ir.VectorType(_INT32 if single else _INT64, lanes.count)
    limit, degree, mantissa, bias = (87.0, 7, 23, 127) if single else (700.0, 13, 52, 1023)
    for bound, comparison in ((-limit, "<"), (limit, ">")):
        # A comparison with NaN is false, so that NaN stays what it is.
        x = builder.select(builder.fcmp_ordered(comparison, x, constant(vector, bound)), constant(vector, bound), x)
    rounding = 1.5 * 2.0**mantissa  # adding it leaves no room for a fraction
    shifted = multiply_add(builder, x, constant(vector, 1 / math.log(2)), constant(vector, rounding))
    n = builder.fsub(shifted, constant(vector, rounding))
    # log 2 in two parts, the first with so few digits that n times it is exact
    high = math.floor(math.log(2) * 2**13) / 2**13 if single else math.floor(math.log(2) * 2**40) / 2**40
    r = multiply_add(builder, n, constant(vector, -high), x)
    r = multiply_add(builder, n, constant(vector, -(math.log(2) - high + BEYOND_LOG_2)), r)
    p = constant(vector, 1 / math.factorial(degree))
    for k in range(degree - 1, 0, -1):
        p = multiply_add(builder, p, r, constant(vector, 1 / math.factorial(k)))
    bits = builder.add(builder.fptosi(n, integers), ir.Constant(integers, [bias] * lanes.count))
    power = builder.bitcast(builder.shl(bits, ir.Constant(integers, [mantissa] * lanes.count)), vector)
    return multiply_add(builder, builder.fmul(p, r), power, builder.fsub(power, constant(vector, 1.0)))


@emitted
def sigmoid(typing_context: Any, x: Any) -> Emitted:
    """1 / (1 + e**-x)."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        vector = vector_type(x)
        e = _expm1(builder, builder.fneg(arguments[0]), x)
        return builder.fdiv(constant(vector, 1.0), builder.fadd(e, constant(vector, 2.0)))

    return x(x), emit


@emitted
def tanh(typing_context: Any, x: Any) -> Emitted:
    """(e**2x - 1) / (e**2x + 1)."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        vector = vector_type(x)
        half = constant(vector, 40.0)  # beyond it e**2x would only overflow
        a = arguments[0]
        a = builder.select(builder.fcmp_ordered(">", a, half), half, a)
        e = _expm1(builder, builder.fadd(a, a), x)
        return builder.fdiv(e, builder.fadd(e, constant(vector, 2.0)))

    return x(x), emit


def _bounded(comparison: str) -> Callable[[Any, Any, Any], Emitted]:
    def function(typing_context: Any, a: Any, b: Any) -> Emitted:
        def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            # A comparison with NaN is false, so that NaN stays what it is.
            return builder.select(builder.fcmp_ordered(comparison, *arguments), arguments[1], arguments[0])

        return a(a, a), emit

    return function


maximum: Any = emitted(_bounded("<"))
minimum: Any = emitted(_bounded(">"))


@emitted
def where_between(typing_context: Any, y: Any, low: Any, high: Any, value: Any) -> Emitted:
    """`value` where low < y < high, elsewhere 0."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        y_, low_, high_, value_ = arguments
        above, below = builder.fcmp_ordered(">", y_, low_), builder.fcmp_ordered("<", y_, high_)
        return builder.select(builder.and_(above, below), value_, constant(vector_type(y), 0.0))

    return y(y, y, y, y), emit


if settings.DISABLE_JIT:  # intrinsics exist only in compiled code
    from daneo.layers.recurrences.lanes_reference import (  # noqa: F401
        VECTOR_BYTES,
        fill,
        lane_count,
        load,
        maximum,
        minimum,
        sigmoid,
        store,
        tanh,
        turn_block,
        where_between,
        zero,
    )
