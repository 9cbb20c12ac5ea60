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
    position_weights: bool = False
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
        position_weights=st.booleans(),
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
    # Rows may lie in any order; with position weights no word is frozen.
    input_rows = rng.permutation(size).astype(np.int32)
    updated_rows = input_rows.copy()
    if not case.position_weights:
        updated_rows[rng.permutation(size)[: case.num_frozen]] = size
    places = 2 * case.window + 1 if case.position_weights else 0
    width = -(-case.vector_size // LANES) * LANES
    weights = np.zeros((places, width), np.float32)
    weights[:, : case.vector_size] = rng.uniform(0.5, 1.5, (places, case.vector_size))
    common = {
        "kept": np.concatenate([rng.integers(0, size, num_kept), np.zeros(slack)]).astype(np.int32),
        "ends": ends,
        "vectors": padded(rng.standard_normal((size, case.vector_size)) * length),
        "outputs": padded(rng.standard_normal((num_outputs, case.vector_size)) * length),
        "input_rows": input_rows,
        "updated_rows": updated_rows,
        "position_weights": weights,
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
    atol = TOLERANCE * np.abs(want - before).max(initial=0) + ROUNDING * np.abs(before).max(initial=0)
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
    changed = ("vectors", "outputs", "position_weights")
    for name in changed:
        assert_same_change(got[name], want[name], before[name])
    untouched = [name for name in got if name not in (*changed, "random")]
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
    check(trainer, Case(100, 5, 5, 12, [1000, 1, 500], num_words=400, position_weights=True, step=0.1))


@pytest.mark.parametrize("trainer", TRAINERS)
def test_an_empty_text_changes_nothing(trainer: str) -> None:
    case = Case(10, 2, 5, 4, lengths=[])
    given_arguments, before = arguments(trainer, case), arguments(trainer, case)
    assert getattr(kernels, trainer)(*given_arguments.values()) == (0, 0)
    assert all(np.array_equal(given_arguments[name], before[name]) for name in before)


def test_definitions_and_kernels_take_the_same_arguments() -> None:
    for name in TRAINERS:
        kernel = getattr(kernels, name)
        got = inspect.signature(getattr(kernel, "py_func", kernel)).parameters
        assert list(got) == list(inspect.signature(getattr(reference, name)).parameters), name
    assert kernels.CENTERS == reference.CENTERS


@pytest.mark.skipif(not COMPILED, reason="this is that run")
def test_the_same_holds_without_the_compiler() -> None:
    names = ("word2vec_kernels", "block_products", "float_lanes", "subsampling", "word_parts")
    modules = [Path(__file__).with_name(f"test_{name}.py") for name in names]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *map(str, modules)]
    done = subprocess.run(command, env={**os.environ, "NUMBA_DISABLE_JIT": "1"}, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
