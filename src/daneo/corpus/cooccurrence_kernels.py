"""Counting pairs of words: the fast copy of ``cooccurrence_reference``, in steps.

The places of a text are sorted by the word that stands there. Then a row of the matrix, which is a word, is counted by
visiting the word's places one after another and adding up what stands around them in a table of all words. So no pair
is ever written down before it is counted, and nothing is sorted but the text itself. Rows are independent.

Weights are whole numbers, so that sums are exact and do not depend on the order in which they are added up.

Every kernel releases the GIL, trusts its arguments, and may run in several threads at once on tables of their own.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba import config, njit, types
from numba.extending import intrinsic

Ids = npt.NDArray[np.int32]
Longs = npt.NDArray[np.int64]
Marks = npt.NDArray[np.uint64]
Floats = npt.NDArray[np.float32]
Bytes = npt.NDArray[np.uint8]

SPARE = 64  # rows of `sums` beyond the words: what a symmetric row need not count is added there
AHEAD = 8  # places; the text around them is scattered, and waiting for it would be most of the time it takes
NOTHING: Any = np.int64(0)  # not 0: of that numba would make a type of its own, and compile what gets it once more
ZERO, ONE, SIX, TWELVE, LAST = (np.uint64(number) for number in (0, 1, 6, 12, 63))

compiled: Any = njit(nogil=True, cache=True, error_model="numpy")
emitted: Any = intrinsic  # called from compiled code, where the context is implied
settings: Any = config
void: Any = types.void
_BYTE, _INT32 = ir.IntType(8), ir.IntType(32)


@emitted
def prefetch(typing_context: Any, array: Any, place: Any) -> Any:
    """Ask the caches for array[place] before it is needed."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        kind = ir.FunctionType(ir.VoidType(), [_BYTE.as_pointer(), _INT32, _INT32, _INT32])
        name = "llvm.prefetch.p0"
        function = builder.module.globals.get(name) or ir.Function(builder.module, kind, name)
        address = builder.bitcast(builder.gep(data, [arguments[1]]), _BYTE.as_pointer())
        builder.call(function, [address, *(ir.Constant(_INT32, number) for number in (0, 3, 1))])
        return context.get_dummy_value()

    return void(array, types.int64), emit


@emitted
def lowest(typing_context: Any, bits: Any) -> Any:
    """Number of the lowest bit that is set, from 0; `bits` is not 0."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.uint64), emit


if settings.DISABLE_JIT:  # intrinsics exist only in compiled code
    from daneo.corpus.cooccurrence_reference import lowest, prefetch


@compiled
def count_words(text: Ids, first: int, last: int, counts: Longs) -> None:
    """Add to counts (V,) how often each word stands among text[first:last]."""
    for i in range(first, last):
        counts[text[i]] += 1


@compiled
def sort_places(
    text: Ids, is_start: Bytes, first: int, last: int, window: int, symmetric: bool, nexts: Longs, places: Longs
) -> None:
    """Sort the places `first` to `last` of a text by the word that stands there.

    Parameters
    ----------
    text : int32 array of shape (T,)
        Word ids.
    is_start : uint8 array of shape (T + 1,)
        Whether a document starts at a place; true at 0 and at T.
    first, last : int
        What is sorted. What stands up to `window` before and after is looked at.
    window : int
        How far a pair may be apart, at most 65,535.
    symmetric : bool
        Whether words on the right count, too.
    nexts : int64 array of shape (V,)
        For each word, where in `places` its next place goes. Overwritten.
    places : int64 array
        Gets place * 2**32 + words on the left * 2**16 + words on the right that are within the window and the document.
    """
    start, end = first, first + 1
    while not is_start[start] and first - start < window:
        start -= 1
    for i in range(first, last):
        if is_start[i]:
            start = i
        end = max(end, i + 1)
        while not is_start[end] and end - i <= window:
            end += 1
        left = min(window, i - start)
        right = min(window, end - 1 - i) if symmetric else 0
        word = text[i]
        places[nexts[word]] = (i << 32) | (left << 16) | right
        nexts[word] += 1


@compiled
def _take_row(
    limit: int,
    num_touched: int,
    sums: Longs,
    touched: Ids,
    marks: Marks,
    tops: Marks,
    contexts: Ids,
    totals: Longs,
    size: int,
) -> int:
    """Write the contexts that were touched, rising, and their sums behind the `size` that there are; clear the tables.

    A bit in `marks` for each word and one in `tops` for each of the marks bring them in order.
    """
    for k in range(num_touched):
        context = np.uint64(touched[k])
        marks[context >> SIX] |= ONE << (context & LAST)
        tops[context >> TWELVE] |= ONE << ((context >> SIX) & LAST)
    for a in range((limit >> 12) + 1):
        top = tops[a]
        tops[a] = ZERO
        while top != ZERO:
            b = (a << 6) + lowest(top)
            top &= top - ONE
            mark = marks[b]
            marks[b] = ZERO
            while mark != ZERO:
                c = (b << 6) + lowest(mark)
                mark &= mark - ONE
                contexts[size] = c
                totals[size] = sums[c]
                sums[c] = 0
                size += 1
    return size


@compiled
def count_rows(
    text: Ids,
    places: Longs,
    place_starts: Longs,
    window: int,
    weights: Longs,
    symmetric: bool,
    row: int,
    last_row: int,
    first: int,
    last: int,
    num_touched: int,
    sums: Longs,
    touched: Ids,
    marks: Marks,
    tops: Marks,
    starts: Longs,
    contexts: Ids,
    totals: Longs,
) -> int:
    """Count the pairs of some rows, or of a part of one row's places.

    Parameters
    ----------
    text : int32 array of shape (T,)
        Word ids.
    places : int64 array
        Of :func:`sort_places`.
    place_starts : int64 array of shape (V + 1,)
        Where in `places` each word's begin.
    window : int
        How far a pair may be apart.
    weights : int64 array of shape (window + 1,)
        What a pair at each distance adds to its sum.
    symmetric : bool
        Count only contexts up to the row's own word: the others are counted in their own rows.
    row, last_row : int
        The rows, from the first to the one before the last.
    first, last : int
        Which of `places` are visited. If they end before the rows' places do, the one row is not finished.
    num_touched : int
        What the last call returned if it left this row unfinished, else 0.
    sums : int64 array of shape (V + SPARE,)
        Zeros for the words, numbers above zero in the spare ones. Overwritten, and zeros again after a finished row.
    touched : int32 array of shape (V + 1,)
        Overwritten.
    marks, tops : uint64 arrays of shape (V // 64 + 1,) and (V // 4096 + 1,)
        Zeros, and zeros again after a finished row.
    starts : int64 array of shape (last_row - row + 1,)
        Gets where in the next two each row begins.
    contexts, totals : int32 and int64 arrays
        Get the contexts of each row, rising, and their sums.

    Returns
    -------
    int
        0, or how many contexts the unfinished row has so far.
    """
    num_words = np.int64(sums.size - SPARE)
    size = NOTHING
    starts[0] = 0
    for word in range(row, last_row):
        limit = word if symmetric else num_words - 1
        for k in range(max(first, place_starts[word]), min(last, place_starts[word + 1])):
            ahead = places[min(k + AHEAD, places.size - 1)] >> 32
            prefetch(text, max(ahead - window, 0))
            prefetch(text, ahead)
            prefetch(text, min(ahead + window, text.size - 1))
            i = places[k] >> 32
            # Twice the same loop: as one, over both directions, it is slower. No branch depends on the context, for
            # half of them are above the limit and nobody could predict which.
            for d in range(1, ((places[k] >> 16) & 0xFFFF) + 1):
                context = np.int64(text[i - d])
                context = context if context <= limit else num_words + (d & (SPARE - 1))
                before = sums[context]
                touched[num_touched] = context
                num_touched += before == 0
                sums[context] = before + weights[d]
            for d in range(1, (places[k] & 0xFFFF) + 1):
                context = np.int64(text[i + d])
                context = context if context <= limit else num_words + (d & (SPARE - 1))
                before = sums[context]
                touched[num_touched] = context
                num_touched += before == 0
                sums[context] = before + weights[d]
        if last < place_starts[word + 1]:
            return num_touched
        size = _take_row(limit, num_touched, sums, touched, marks, tops, contexts, totals, size)
        num_touched = NOTHING
        starts[word + 1 - row] = size
    return 0


@compiled
def merge_rows(
    run_starts: Longs,
    run_contexts: Ids,
    run_totals: Longs,
    sums: Longs,
    touched: Ids,
    marks: Marks,
    tops: Marks,
    starts: Longs,
    contexts: Ids,
    totals: Longs,
) -> None:
    """Add up the same rows of several runs.

    Parameters
    ----------
    run_starts : int64 array of shape (runs, rows + 1)
        Where in the next two each row of each run begins.
    run_contexts, run_totals : int32 and int64 arrays
        What the runs have counted.
    sums, touched, marks, tops, starts, contexts, totals
        As in :func:`count_rows`.
    """
    num_words = sums.size - SPARE
    size = NOTHING
    starts[0] = 0
    for row in range(run_starts.shape[1] - 1):
        num_touched = NOTHING
        for run in range(run_starts.shape[0]):
            for k in range(run_starts[run, row], run_starts[run, row + 1]):
                context = run_contexts[k]
                before = sums[context]
                touched[num_touched] = context
                num_touched += before == 0
                sums[context] = before + run_totals[k]
        size = _take_row(num_words - 1, num_touched, sums, touched, marks, tops, contexts, totals, size)
        starts[row + 1] = size


@compiled
def mirror_rows(
    row: int,
    starts: Longs,
    contexts: Ids,
    counts: Floats,
    nexts: Longs,
    all_contexts: Ids,
    all_counts: Floats,
) -> None:
    """Put some rows, of which only contexts up to the row's word are stored, into the matrix with both halves.

    Parameters
    ----------
    row : int
        The first row; all rows before it have been put there.
    starts : int64 array of shape (rows + 1,)
        Where in `contexts` and `counts` each row begins.
    contexts, counts : int32 and float32 arrays
        The rows.
    nexts : int64 array of shape (V,)
        For each row of the matrix, where its next pair goes. Overwritten.
    all_contexts, all_counts : int32 and float32 arrays
        The matrix, whose rows rise, too: what a row has beyond its own word comes from the rows after it.
    """
    for word in range(row, row + starts.size - 1):
        for k in range(starts[word - row], starts[word - row + 1]):
            context, count = contexts[k], counts[k]
            at = nexts[word]
            nexts[word] += 1
            all_contexts[at], all_counts[at] = context, count
            if context != word:
                at = nexts[context]
                nexts[context] += 1
                all_contexts[at], all_counts[at] = word, count
