"""Each kernel alone, with and without the JIT."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daneo.corpus import cooccurrence_kernels as kernels
from daneo.corpus import cooccurrence_reference as reference

COMPILED = os.environ.get("NUMBA_DISABLE_JIT") != "1"
V = 5000  # beyond 4096, so that there are two tops
few = settings(deadline=None, max_examples=30)


def tables() -> tuple[np.ndarray, ...]:
    sums = np.zeros(V + kernels.SPARE, dtype=np.int64)
    sums[V:] = 1
    marks, tops = (np.zeros((V >> bits) + 1, dtype=np.uint64) for bits in (6, 12))
    return sums, np.empty(V + 1, dtype=np.int32), marks, tops


def are_clear(used: tuple[np.ndarray, ...]) -> bool:
    sums, _, marks, tops = used
    return not sums[:V].any() and not marks.any() and not tops.any() and bool((sums[V:] > 0).all())


words = st.integers(0, 9) | st.integers(0, V - 1) | st.sampled_from([0, 63, 64, 4095, 4096, V - 1])
documents = st.lists(st.lists(words, min_size=1, max_size=12), min_size=1, max_size=6)


@few
@given(documents, st.integers(1, 15), st.booleans(), st.data())
def test_rows_are_as_defined(texts, window, symmetric, data):
    text = np.array([word for words in texts for word in words], dtype=np.int32)
    is_start = np.zeros(len(text) + 1, dtype=np.uint8)
    is_start[np.cumsum([0, *map(len, texts)])] = 1
    counts = np.zeros(V, dtype=np.int64)
    kernels.count_words(text, 0, len(text), counts)
    assert np.array_equal(counts, np.bincount(text, minlength=V))
    place_starts = np.concatenate([[0], np.cumsum(counts)])
    nexts, places = place_starts[:-1].copy(), np.full(len(text), -1, dtype=np.int64)
    cut = data.draw(st.integers(0, len(text)))
    kernels.sort_places(text, is_start, 0, cut, window, symmetric, nexts, places)
    kernels.sort_places(text, is_start, cut, len(text), window, symmetric, nexts, places)
    assert np.array_equal(places >> 32, np.argsort(text, kind="stable"))
    weights = np.array([0, *(360_360 // d for d in range(1, window + 1))], dtype=np.int64)
    used, size = tables(), len(text) * 2 * window
    starts, contexts, totals = np.empty(V + 1, np.int64), np.empty(size, np.int32), np.empty(size, np.int64)
    output = (starts, contexts, totals)
    same = (text, places, place_starts, window, weights, symmetric)
    left = kernels.count_rows(*same, 0, V, 0, len(text), 0, *used, *output)
    assert left == 0
    assert are_clear(used)
    found = {
        (word, int(contexts[k])): int(totals[k])
        for word in np.flatnonzero(counts).tolist()
        for k in range(starts[word], starts[word + 1])
    }
    expected = reference.count_cooccurrences(texts, window, symmetric=symmetric)
    assert found == {pair: count * 360_360 for pair, count in expected.items() if not symmetric or pair[1] <= pair[0]}
    assert list(found) == sorted(found)
    # One row's places in any number of steps are the row.
    word = int(text[data.draw(st.integers(0, len(text) - 1))])
    row = [array[starts[word] : starts[word + 1]].tolist() for array in output[1:]]
    first, last, left = int(place_starts[word]), int(place_starts[word + 1]), 0
    for place in range(first, last):
        left = kernels.count_rows(*same, word, word + 1, place, place + 1, left, *used, *output)
    assert left == 0
    assert [array[: starts[1]].tolist() for array in output[1:]] == row
    assert are_clear(used)


@few
@given(
    st.lists(
        st.lists(st.dictionaries(words, st.integers(1, 2**40), max_size=9), min_size=3, max_size=3),
        min_size=1,
        max_size=4,
    )
)
def test_runs_are_added_up(runs):
    run_starts, run_contexts, run_totals = [], [], []
    for rows in runs:
        run_starts.append([len(run_contexts)])
        for row in rows:
            run_contexts += sorted(row)
            run_totals += [row[context] for context in sorted(row)]
            run_starts[-1].append(len(run_contexts))
    used, size = tables(), len(run_contexts) + 1
    starts, contexts, totals = np.empty(4, np.int64), np.empty(size, np.int32), np.empty(size, np.int64)
    merged = (np.array(run_starts, np.int64), np.array(run_contexts, np.int32), np.array(run_totals, np.int64))
    kernels.merge_rows(*merged, *used, starts, contexts, totals)
    for number in range(3):
        sums: dict[int, int] = {}
        for rows in runs:
            for context, total in rows[number].items():
                sums[context] = sums.get(context, 0) + total
        part = slice(starts[number], starts[number + 1])
        assert list(zip(contexts[part].tolist(), totals[part].tolist(), strict=True)) == sorted(sums.items())
    assert are_clear(used)


def test_rows_get_their_other_half():
    # 1 is stored with 0; 2 with 0, 1 and itself.
    starts, contexts = np.array([0, 0, 1, 4]), np.array([0, 0, 1, 2], dtype=np.int32)
    counts = np.array([5, 6, 7, 8], dtype=np.float32)
    nexts, all_contexts, all_counts = np.array([0, 2, 4]), np.empty(7, np.int32), np.empty(7, np.float32)
    kernels.mirror_rows(0, starts[:3], contexts[:1], counts[:1], nexts, all_contexts, all_counts)
    kernels.mirror_rows(2, starts[2:] - 1, contexts[1:], counts[1:], nexts, all_contexts, all_counts)
    assert all_contexts.tolist() == [1, 2, 0, 2, 0, 1, 2]
    assert all_counts.tolist() == [5, 6, 5, 7, 6, 7, 8]
    assert nexts.tolist() == [2, 4, 7]


@pytest.mark.skipif(not COMPILED, reason="this is the run without the JIT")
def test_kernels_are_right_without_the_jit():
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", __file__, "-k", "not without_the_jit"]
    done = subprocess.run(command, env={**os.environ, "NUMBA_DISABLE_JIT": "1"}, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@pytest.mark.skipif(not COMPILED, reason="compares with what is compiled")
@pytest.mark.parametrize("number", [0, 1, 37, 62, 63])
def test_lowest_bit(number):
    from numba import njit

    compiled = njit(lambda bits: kernels.lowest(bits))
    for bits in (1 << number, (2**64 - 1) << number & (2**64 - 1), 1 << number | 1 << 63):
        assert compiled(np.uint64(bits)) == reference.lowest(np.uint64(bits)) == number
