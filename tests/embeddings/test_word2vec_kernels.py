"""The compiled trainers against their definitions: the same matrices, losses and random states afterwards."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from daneo.embeddings import word2vec_kernels as kernels
from daneo.embeddings import word2vec_reference as reference
from daneo.embeddings.huffman import huffman_paths

COMPILED = os.environ.get("NUMBA_DISABLE_JIT") != "1"
LANES = 16
TRAINERS = (
    "skipgram_negative_sampling",
    "cbow_negative_sampling",
    "skipgram_hierarchical_softmax",
    "cbow_hierarchical_softmax",
)
# The kernels add and multiply in float32, which rounds by 6e-8. A change is a sum of up to a few hundred products, and
# later steps read what earlier ones wrote: that leaves 2e-5 of the largest change in a matrix. In a text of few words
# a row is added to, and rounded, hundreds of times: that leaves 1e-5 of the largest number.
TOLERANCE, ROUNDING = 2e-5, 1e-5


class Case(NamedTuple):
    vector_size: int
    window: int
    negative: int
    num_noise: int
    lengths: list[int]
    num_words: int = 20
    num_frozen: int = 0
    shrink_windows: bool = True
    step: float = 0.3
    scale: float = 1.0
    seed: int = 0

    @property
    def learning_rate(self) -> float:
        """What makes the changes in one step about `step` times the vectors: much larger ones multiply any rounding."""
        return self.step / (self.window * (1 + self.negative))


def cases(most: int) -> st.SearchStrategy[Case]:
    """Any settings; texts of up to three documents of up to `most` words, also none at all."""
    return st.builds(
        Case,
        vector_size=st.integers(1, 70),
        window=st.integers(1, 12),
        negative=st.integers(1, 20),
        num_noise=st.integers(1, 10).map(lambda tiles: 4 * tiles),
        lengths=st.lists(st.integers(0, most), max_size=3),
        num_words=st.integers(4, 40),
        num_frozen=st.integers(0, 2),
        shrink_windows=st.booleans(),
        step=st.sampled_from([0.01, 0.1, 0.3]),
        scale=st.sampled_from([0.1, 1.0, 2.0]),
        seed=st.integers(0, 2**32),
    )


def arguments(trainer: str, case: Case) -> dict[str, Any]:
    """What a trainer takes, all of it drawn by the case's seed. Both matrices begin with numbers other than zero."""
    rng = np.random.default_rng(case.seed)
    size, paths = case.num_words, huffman_paths(rng.integers(1, 1000, case.num_words))
    num_outputs = size if trainer.endswith("negative_sampling") else size - 1
    ends = np.cumsum(case.lengths, dtype=np.int64)
    num_kept, length = sum(case.lengths), case.scale / np.sqrt(case.vector_size)
    slack = case.window + 2 * kernels.CENTERS + 1
    updated_rows = np.arange(size + 1, dtype=np.int32)
    updated_rows[rng.permutation(size)[: case.num_frozen]] = size
    common = {
        "kept": np.concatenate([rng.integers(0, size, num_kept), np.zeros(slack)]).astype(np.int32),
        "ends": ends,
        "vectors": padded(rng.standard_normal((size, case.vector_size)) * length),
        "outputs": padded(rng.standard_normal((num_outputs, case.vector_size)) * length),
        "updated_rows": updated_rows,
    }
    if trainer.endswith("negative_sampling"):
        specific = {
            "noise": rng.integers(0, size, rng.integers(1, 100)).astype(np.int32),
            "num_noise": case.num_noise,
            "negative": float(case.negative),
        }
    else:
        specific = {
            "path_starts": paths.starts,
            "path_nodes": paths.nodes,
            "path_signs": paths.signs,
            "longest_path": paths.longest,
        }
    place = rng.integers(len(specific["noise"])) if "noise" in specific else 0
    return {
        **common,
        **specific,
        "window": case.window,
        "shrink_windows": case.shrink_windows,
        "learning_rate": case.learning_rate,
        "random": np.array([rng.integers(2**63), place], np.uint64),
    }


def padded(rows: np.ndarray) -> np.ndarray:
    """With zeros up to a whole number of vector registers, and nobody's row behind."""
    matrix = np.zeros((len(rows) + 1, -(-rows.shape[1] // LANES) * LANES), np.float32)
    matrix[:-1, : rows.shape[1]] = rows
    return matrix


def assert_same_change(got: np.ndarray, want: np.ndarray, before: np.ndarray) -> None:
    atol = TOLERANCE * np.abs(want - before).max() + ROUNDING * np.abs(before).max()
    assert_allclose(got, want, rtol=0, atol=atol)


def check(trainer: str, case: Case) -> None:
    got, want = arguments(trainer, case), arguments(trainer, case)
    with np.errstate(over="ignore"):  # the generator, where it is not compiled
        loss, num_examples = getattr(kernels, trainer)(*got.values())
    expected_loss, expected_examples = getattr(reference, trainer)(*want.values())
    assert num_examples == expected_examples
    assert_allclose(loss, expected_loss, rtol=TOLERANCE)
    assert_array_equal(got["random"], want["random"])
    before = arguments(trainer, case)
    assert_same_change(got["vectors"], want["vectors"], before["vectors"])
    assert_same_change(got["outputs"], want["outputs"], before["outputs"])
    untouched = [name for name in got if name not in ("vectors", "outputs", "random")]
    assert all(np.array_equal(got[name], before[name]) for name in untouched)


@pytest.mark.parametrize("trainer", TRAINERS)
@settings(deadline=None, max_examples=100 if COMPILED else 10)
@given(case=cases(60 if COMPILED else 15))
@example(case=Case(vector_size=16, window=5, negative=5, num_noise=12, lengths=[1]))
@example(case=Case(vector_size=3, window=2, negative=5, num_noise=4, lengths=[0, 2, 0]))
@example(case=Case(vector_size=17, window=12, negative=20, num_noise=48, lengths=[5], num_words=2, num_frozen=2))
@example(case=Case(vector_size=33, window=3, negative=7, num_noise=8, lengths=[1, 8, 1, 9], shrink_windows=False))
def test_trainers_do_what_their_definitions_say(trainer: str, case: Case) -> None:
    check(trainer, case)


@pytest.mark.skipif(not COMPILED, reason="takes minutes when it is not compiled")
@pytest.mark.parametrize("trainer", TRAINERS)
def test_a_long_text_is_learned_from_as_defined(trainer: str) -> None:
    check(trainer, Case(100, 5, 5, 12, [3000, 1, 500], num_words=400, num_frozen=3))


@pytest.mark.parametrize("trainer", TRAINERS)
def test_an_empty_text_changes_nothing(trainer: str) -> None:
    case = Case(10, 2, 5, 4, lengths=[])
    given_arguments, before = arguments(trainer, case), arguments(trainer, case)
    assert getattr(kernels, trainer)(*given_arguments.values()) == (0, 0)
    assert all(np.array_equal(given_arguments[name], before[name]) for name in before)


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


def test_definitions_and_kernels_take_the_same_arguments() -> None:
    for name in ("subsample", *TRAINERS):
        kernel = getattr(kernels, name)
        got = inspect.signature(getattr(kernel, "py_func", kernel)).parameters
        assert list(got) == list(inspect.signature(getattr(reference, name)).parameters), name
    assert kernels.CENTERS == reference.CENTERS


@pytest.mark.skipif(not COMPILED, reason="this is that run")
def test_the_same_holds_without_the_compiler() -> None:
    modules = [
        Path(__file__).with_name(f"test_{name}.py") for name in ("word2vec_kernels", "block_products", "float_lanes")
    ]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *map(str, modules)]
    done = subprocess.run(command, env={**os.environ, "NUMBA_DISABLE_JIT": "1"}, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
