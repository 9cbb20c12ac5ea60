"""Sub-sampling, compiled, against its definition."""

from __future__ import annotations

import inspect
import os

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from daneo.embeddings import subsampling_kernels as kernels
from daneo.embeddings import subsampling_reference as reference

COMPILED = os.environ.get("NUMBA_DISABLE_JIT") != "1"


@settings(deadline=None, max_examples=100 if COMPILED else 20)
@given(lengths=st.lists(st.integers(0, 30), max_size=5), seed=st.integers(0, 2**32))
def test_subsampling_keeps_the_words_that_its_definition_keeps(lengths: list[int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    ids = rng.integers(0, 5, sum(lengths)).astype(np.int32)
    ends, keep = np.cumsum(lengths, dtype=np.int64), np.array([0, 0.1, 0.5, 0.9, 1], np.float32)
    random = np.array([seed, 7], np.uint64), np.array([seed, 7], np.uint64)
    kept = [np.full(len(ids) + 9, -1, np.int32) for _ in random]
    kept_ends = [np.full(len(ends), -1, np.int64) for _ in random]
    with np.errstate(over="ignore"):
        counts = [
            kernel.subsample(ids, ends, keep, *rest)
            for kernel, *rest in zip((kernels, reference), random, kept, kept_ends, strict=True)
        ]
    assert counts[0] == counts[1]
    for got, want in (random, kept, kept_ends):
        assert_array_equal(got, want)


def test_each_word_is_kept_with_its_own_probability() -> None:
    # 100,000 draws: four standard deviations of the mean are 0.0063 at most. Certain words are never dropped.
    keep, random = np.array([0.0, 0.25, 0.7, 1.0], np.float32), np.array([3, 0], np.uint64)
    num = 100_000 if COMPILED else 2_000
    for word, probability in enumerate(keep):
        ids, kept = np.full(num, word, np.int32), np.empty(num + 9, np.int32)
        with np.errstate(over="ignore"):
            share = kernels.subsample(ids, np.array([num]), keep, random, kept, np.empty(1, np.int64)) / num
        assert abs(share - probability) <= 4 * np.sqrt(probability * (1 - probability) / num)


def test_definition_and_kernel_take_the_same_arguments() -> None:
    kernel = getattr(kernels.subsample, "py_func", kernels.subsample)
    assert list(inspect.signature(kernel).parameters) == list(inspect.signature(reference.subsample).parameters)
