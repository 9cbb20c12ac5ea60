"""The coarse sift of many rows for many queries: cosines in whole numbers, several times as fast as in float32.

Same names, arguments and order as in `nearest_reference.py`. Nothing is checked. Several threads may call `sift_rows`
at once, each with `found` and `scores` of its own; all other arrays are only read. `dot_tile` is emitted in LLVM's own
terms because Numba has no names for so many registers; LLVM picks the instructions.

All is in one file because Numba knows a compiled function by the text of its file: were the tile's shape in another
one, an update of that alone would leave a `sift_rows` on the disk that is compiled for the old shape.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from llvmlite import ir
from llvmlite.binding import get_host_cpu_features
from numba import config, njit, types
from numba.extending import intrinsic

from daneo.embeddings import nearest_reference

# The sums of a tile, TILE_ROWS rows by TILE_QUERIES queries, stay in registers while its numbers stream by: 24 of the
# 32 registers of AVX-512; 12 of the 16 of AVX2, which are half as long (and one of which is two of NEON's 32).
LANES, TILE_ROWS = (16, 6) if get_host_cpu_features().get("avx512bw") else (8, 3)
VECTORS = 4
TILE_QUERIES = LANES * VECTORS

_BYTE, _INT32, _INT64 = ir.IntType(8), ir.IntType(32), ir.IntType(64)
_SUMS, _PRODUCTS = ir.VectorType(_INT32, LANES), ir.VectorType(_INT32, 2 * LANES)
_PAIRS = ir.VectorType(ir.IntType(16), 2 * LANES)


def _address(builder: Any, data: Any, pointee: Any, *steps: tuple[Any, int]) -> Any:
    """Address of the byte at sum(count * size), for `steps` (count, size)."""
    for count, size in steps:
        count = ir.Constant(_INT64, count) if isinstance(count, int) else count
        data = builder.gep(data, [builder.mul(count, ir.Constant(_INT64, size))])
    return builder.bitcast(data, pointee.as_pointer())


def _pick(builder: Any, vector: Any, lanes: list[int]) -> Any:
    return builder.shuffle_vector(vector, vector, ir.Constant(ir.VectorType(_INT32, len(lanes)), lanes))


def _wide(builder: Any, pairs: Any) -> Any:
    """The int16 in a vector of int32, as int32."""
    return builder.sext(builder.bitcast(pairs, _PAIRS), _PRODUCTS)


def _spread(builder: Any, pair: Any) -> Any:
    """One int32 in every lane."""
    vector = builder.insert_element(ir.Constant(_SUMS, ir.Undefined), pair, ir.Constant(_INT32, 0))
    return _pick(builder, vector, [0] * LANES)


def _sums_of_pairs(builder: Any, a: Any, b: Any) -> Any:
    """a0 b0 + a1 b1 in lane 0, and so on. One instruction on x86 (vpmaddwd, vpdpwssd): LLVM knows this pattern."""
    products = builder.mul(a, b)
    even, odd = (_pick(builder, products, list(range(start, 2 * LANES, 2))) for start in (0, 1))
    return builder.add(even, odd)


def _emit_prefetch(builder: Any, address: Any) -> None:
    kind = ir.FunctionType(ir.VoidType(), [_BYTE.as_pointer(), _INT32, _INT32, _INT32])
    name = "llvm.prefetch.p0"
    function = builder.module.globals.get(name) or ir.Function(builder.module, kind, name)
    to_read, keep_close, data = (ir.Constant(_INT32, number) for number in (0, 3, 1))
    builder.call(function, [address, to_read, keep_close, data])


def _emit_tile(builder: Any, rows: Any, queries: Any, dots: Any, ahead: Any, num_pairs: Any) -> None:
    tile = [(row, vector) for row in range(TILE_ROWS) for vector in range(VECTORS)]
    before, loop, after = builder.block, builder.append_basic_block(), builder.append_basic_block()
    builder.branch(loop)
    builder.position_at_end(loop)
    place = builder.phi(_INT64)
    sums = [builder.phi(_SUMS) for _ in tile]
    a = [builder.load(_address(builder, rows, _INT32, (num_pairs, 4 * row), (place, 4))) for row in range(TILE_ROWS)]
    a = [_wide(builder, _spread(builder, pair)) for pair in a]
    sources = [
        _address(builder, queries, _SUMS, (place, 4 * TILE_QUERIES), (vector, 4 * LANES)) for vector in range(VECTORS)
    ]
    b = [_wide(builder, builder.load(source, align=4)) for source in sources]
    totals = [
        builder.add(so_far, _sums_of_pairs(builder, a[row], b[vector]))
        for so_far, (row, vector) in zip(sums, tile, strict=True)
    ]
    _emit_prefetch(builder, _address(builder, ahead, _BYTE, (place, 64)))
    next_place = builder.add(place, ir.Constant(_INT64, 1))
    place.add_incoming(ir.Constant(_INT64, 0), before)
    place.add_incoming(next_place, loop)
    for so_far, total in zip(sums, totals, strict=True):
        so_far.add_incoming(ir.Constant(_SUMS, [0] * LANES), before)
        so_far.add_incoming(total, loop)
    builder.cbranch(builder.icmp_signed("<", next_place, num_pairs), loop, after)
    builder.position_at_end(after)
    for total, (row, vector) in zip(totals, tile, strict=True):
        builder.store(total, _address(builder, dots, _SUMS, (row, 4 * TILE_QUERIES), (vector, 4 * LANES)), align=4)


@intrinsic
def dot_tile(typing_context: Any, rows: Any, queries: Any, dots: Any, ahead: Any) -> Any:
    """Overwrite dots (TILE_ROWS, TILE_QUERIES) with rows (TILE_ROWS, N) . queries (N, TILE_QUERIES).

    All are int32 and C-contiguous; N is at least 1. Each number of `rows` and `queries` is a pair of int16, and the
    product of two pairs is the sum of the products of their parts.

    Meanwhile the caches are asked for 64 bytes of `ahead` (an array of any kind) a step, a third more than a tile of
    float32 rows. Left to themselves they wait for memory a third of the time.
    """

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kinds = zip(signature.args, arguments, strict=True)
        arrays = [context.make_array(kind)(context, builder, array) for kind, array in kinds]
        data = [builder.bitcast(array.data, _BYTE.as_pointer()) for array in arrays]
        row_data, query_data, dot_data, ahead_data = data
        num_pairs = builder.extract_value(arrays[1].shape, 0)
        _emit_tile(builder, row_data, query_data, dot_data, ahead_data, num_pairs)
        return context.get_dummy_value()

    return types.void(rows, queries, dots, ahead), emit


# Intrinsics exist only in compiled code.
if config.DISABLE_JIT:  # type: ignore[attr-defined]
    dot_tile = nearest_reference.dot_tile  # type: ignore[assignment]


@njit(nogil=True, cache=True, error_model="numpy")
def sift_rows(
    matrix: npt.NDArray[np.float32],
    scales: npt.NDArray[np.float32],
    queries: npt.NDArray[np.int32],
    thresholds: npt.NDArray[np.int32],
    found: npt.NDArray[np.int64],
    scores: npt.NDArray[np.int32],
) -> int:
    """Find the rows whose products with a query reach its threshold; see the reference. Overwrites found, scores."""
    num_panels, num_pairs, width = queries.shape
    tile = np.zeros((TILE_ROWS, 2 * num_pairs), np.int16)
    dots = np.empty((TILE_ROWS, width), np.int32)
    count = 0
    for first in range(0, matrix.shape[0], TILE_ROWS):
        height = min(TILE_ROWS, matrix.shape[0] - first)
        for r in range(height):
            scale, row, rounded = scales[first + r], matrix[first + r], tile[r]
            if scale > 0:
                for d in range(matrix.shape[1]):
                    rounded[d] = np.int16(np.int32(np.rint(row[d] * scale)))
            else:
                rounded[:] = 0
        ahead = matrix[min(first + TILE_ROWS, matrix.shape[0] - 1) :]
        for panel in range(num_panels):
            dot_tile(tile.view(np.int32), queries[panel], dots, ahead)  # type: ignore[call-arg]
            limits = thresholds[panel]
            # Hardly ever does one of them pass, so one look at all, without a branch, comes first.
            best = np.int32(-(2**31))
            for r in range(height):
                for q in range(width):
                    best = max(best, np.int32(dots[r, q] - limits[q]))
            if best >= 0:
                for r in range(height):
                    for q in range(width):
                        if dots[r, q] >= limits[q]:
                            found[count] = ((first + r) * num_panels + panel) * width + q
                            scores[count] = dots[r, q]
                            count += 1
    return count
