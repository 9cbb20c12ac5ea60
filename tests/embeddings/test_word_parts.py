"""The means of words' parts, compiled, against their definitions."""

from __future__ import annotations

import inspect
import os

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from daneo.embeddings import word_parts_kernels as kernels
from daneo.embeddings import word_parts_reference as reference

COMPILED = os.environ.get("NUMBA_DISABLE_JIT") != "1"
NUM_WORDS, NUM_NGRAMS = 12, 9


@settings(deadline=None, max_examples=100 if COMPILED else 20)
@given(
    width=st.integers(1, 8).map(lambda registers: 16 * registers),
    count=st.integers(0, 40),
    longest=st.integers(0, 30),
    seed=st.integers(0, 2**32),
)
def test_means_are_taken_and_changes_given_as_defined(width: int, count: int, longest: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    kept = rng.integers(0, NUM_WORDS, count + 5).astype(np.int32)
    starts = np.concatenate([[0], np.cumsum(1 + rng.integers(0, longest + 1, NUM_WORDS))]).astype(np.int64)
    parts = (NUM_WORDS + rng.integers(0, NUM_NGRAMS, starts[-1])).astype(np.int32)  # some come twice in a word
    parts[starts[:-1]] = np.arange(NUM_WORDS)
    shares = np.empty(NUM_WORDS, np.float32)
    kernels.give_shares(starts, parts, shares)
    inputs = rng.standard_normal((NUM_WORDS + NUM_NGRAMS + 1, width)).astype(np.float32)
    changes = rng.standard_normal((NUM_WORDS, width)).astype(np.float32)
    results = []
    for module in (kernels, reference):
        means, before = (np.zeros((NUM_WORDS + 1, width), np.float32) for _ in range(2))
        row_of, words = np.full(NUM_WORDS, NUM_WORDS, np.int32), np.zeros(NUM_WORDS, np.int32)
        mine = inputs.copy()
        num_words = module.take_means(kept, count, mine, starts, parts, row_of, words, means, before)
        assert_array_equal(mine, inputs)
        assert_array_equal(means, before)
        taken = row_of.copy(), words.copy(), means.copy()
        means[:num_words] += changes[:num_words]
        module.give_changes(num_words, mine, starts, parts, shares, row_of, words, means, before)
        assert (row_of == NUM_WORDS).all()
        assert not means[-1].any()
        results.append((num_words, *taken, mine))
    (number, *arrays), (expected, *wanted) = results
    assert number == expected == len(set(kept[:count].tolist()))
    for got, want in zip(arrays, wanted, strict=True):
        assert_allclose(got, want, rtol=1e-5, atol=2e-5)


def test_a_mean_moves_by_what_it_was_changed_by() -> None:
    # Two parts, one of them shared: each gets the change of each word that has it.
    starts, parts = np.array([0, 2, 4]), np.array([0, 2, 1, 2], np.int32)
    inputs = np.zeros((4, 16), np.float32)
    inputs[:3, 0] = 1, 2, 3
    row_of, words = np.full(2, 2, np.int32), np.zeros(2, np.int32)
    means, before = np.zeros((3, 16), np.float32), np.zeros((3, 16), np.float32)
    kept = np.array([1, 0, 1], np.int32)
    assert kernels.take_means(kept, 3, inputs, starts, parts, row_of, words, means, before) == 2
    assert (row_of.tolist(), means[:2, 0].tolist()) == ([1, 0], [2.5, 2.0])
    means[:2, 0] += 10, 100
    kernels.give_changes(2, inputs, starts, parts, np.ones(2, np.float32), row_of, words, means, before)
    assert inputs[:3, 0].tolist() == [101, 12, 113]


@settings(deadline=None, max_examples=50 if COMPILED else 10)
@given(st.lists(st.lists(st.integers(0, 4), min_size=1, max_size=30), max_size=5), st.integers(0, 2**32))
def test_a_mean_moves_by_its_change_also_where_parts_come_often(words: list[list[int]], seed: int) -> None:
    rng = np.random.default_rng(seed)
    starts = np.cumsum([0, *map(len, words)], dtype=np.int64)
    parts = np.array([part for word in words for part in word], np.int32)
    shares, wanted = np.empty(len(words), np.float32), np.empty(len(words), np.float32)
    kernels.give_shares(starts, parts, shares)
    reference.give_shares(starts, parts, wanted)
    assert_allclose(shares, wanted, rtol=1e-6)
    for word in range(len(words)):
        inputs = rng.standard_normal((6, 16)).astype(np.float32)
        mean = inputs[words[word]].mean(axis=0)
        row_of, rows = np.full(len(words), 1, np.int32), np.zeros(1, np.int32)
        means, before = np.zeros((2, 16), np.float32), np.zeros((2, 16), np.float32)
        kernels.take_means(np.array([word], np.int32), 1, inputs, starts, parts, row_of, rows, means, before)
        means[0] += 3
        kernels.give_changes(1, inputs, starts, parts, shares, row_of, rows, means, before)
        assert_allclose(inputs[words[word]].mean(axis=0), mean + 3, rtol=1e-5, atol=1e-5)


def test_definitions_and_kernels_take_the_same_arguments() -> None:
    for name in ("take_means", "give_shares", "give_changes"):
        kernel = getattr(kernels, name)
        got = inspect.signature(getattr(kernel, "py_func", kernel)).parameters
        assert list(got) == list(inspect.signature(getattr(reference, name)).parameters), name
