"""The compiled trainers of FastText against their definitions: the same matrices, losses and random states afterwards."""

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

from daneo.embeddings import fasttext_kernels as kernels
from daneo.embeddings import fasttext_reference as reference
from daneo.embeddings import word_parts_kernels, word_parts_reference
from daneo.embeddings.huffman import huffman_paths

COMPILED = os.environ.get("NUMBA_DISABLE_JIT") != "1"
LANES = 16
TRAINERS = (
    "skipgram_negative_sampling",
    "cbow_negative_sampling",
    "skipgram_hierarchical_softmax",
    "cbow_hierarchical_softmax",
)
# As for word2vec: changes are sums of float32 products, and are taken as the difference of a word's mean before and
# after, which rounds once more by the size of the mean.
TOLERANCE, ROUNDING = 2e-5, 2e-5


class Case(NamedTuple):
    vector_size: int
    window: int
    negative: int
    num_noise: int
    lengths: list[int]
    num_words: int = 20
    num_ngrams: int = 30
    position_weights: bool = False
    shrink_windows: bool = True
    step: float = 0.3
    seed: int = 0


def cases(most: int) -> st.SearchStrategy[Case]:
    """Any settings; texts of up to three documents of up to `most` words, also none at all."""
    return st.builds(
        Case,
        vector_size=st.integers(1, 100),
        window=st.integers(1, 12),
        negative=st.integers(1, 20),
        num_noise=st.integers(1, 10).map(lambda tiles: 4 * tiles),
        lengths=st.lists(st.integers(0, most), max_size=3),
        num_words=st.integers(4, 40),
        num_ngrams=st.integers(1, 40),
        position_weights=st.booleans(),
        shrink_windows=st.booleans(),
        step=st.sampled_from([0.01, 0.1, 0.3]),
        seed=st.integers(0, 2**32),
    )


def arguments(trainer: str, case: Case) -> dict[str, Any]:
    """What a trainer takes, all of it drawn by the case's seed. All matrices begin with numbers other than zero."""
    rng = np.random.default_rng(case.seed)
    size, paths = case.num_words, huffman_paths(rng.integers(1, 1000, case.num_words))
    num_outputs = size if trainer.endswith("negative_sampling") else size - 1
    num_kept, length = sum(case.lengths), 1 / np.sqrt(case.vector_size)
    slack = case.window + 2 * kernels.CENTERS + 1
    part_starts, parts = some_parts(rng, size, case.num_ngrams)
    width = -(-case.vector_size // LANES) * LANES
    places = 2 * case.window + 1 if case.position_weights else 0
    weights = np.zeros((places, width), np.float32)
    weights[:, : case.vector_size] = rng.uniform(0.5, 1.5, (places, case.vector_size))
    common = {
        "kept": np.concatenate([rng.integers(0, size, num_kept), np.zeros(slack)]).astype(np.int32),
        "ends": np.cumsum(case.lengths, dtype=np.int64),
        "inputs": padded(rng.standard_normal((size + case.num_ngrams, case.vector_size)) * length),
        "outputs": padded(rng.standard_normal((num_outputs, case.vector_size)) * length),
        "part_starts": part_starts,
        "parts": parts,
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
        # Changes in one step are about `step` times the vectors: much larger ones multiply any rounding.
        "learning_rate": case.step / (case.window * (1 + case.negative)),
        "random": np.array([rng.integers(2**63), place], np.uint64),
    }


def some_parts(rng: np.random.Generator, num_words: int, num_ngrams: int) -> tuple[np.ndarray, np.ndarray]:
    """Each word's own row, and up to six n-grams, which may come twice."""
    counts = rng.integers(0, 7, num_words)
    starts = np.concatenate([[0], np.cumsum(counts + 1)]).astype(np.int64)
    parts = num_words + rng.integers(0, num_ngrams, starts[-1]).astype(np.int32)
    parts[starts[:-1]] = np.arange(num_words)
    return starts, parts.astype(np.int32)


def padded(rows: np.ndarray) -> np.ndarray:
    """With zeros up to a whole number of vector registers, and nobody's row behind."""
    matrix = np.zeros((len(rows) + 1, -(-rows.shape[1] // LANES) * LANES), np.float32)
    matrix[:-1, : rows.shape[1]] = rows
    return matrix


def assert_same_change(got: np.ndarray, want: np.ndarray, before: np.ndarray) -> None:
    if want.size:
        atol = TOLERANCE * np.abs(want - before).max() + ROUNDING * np.abs(before).max()
        assert_allclose(got, want, rtol=0, atol=atol)


def check(trainer: str, case: Case) -> None:
    got, want, before = (arguments(trainer, case) for _ in range(3))
    with np.errstate(over="ignore"):  # the generator, where it is not compiled
        loss, num_examples = getattr(kernels, trainer)(*got.values())
    want["kept"] = want["kept"][: sum(case.lengths)]
    expected_loss, expected_examples = getattr(reference, trainer)(*want.values())
    assert num_examples == expected_examples
    assert_allclose(loss, expected_loss, rtol=TOLERANCE)
    assert_array_equal(got["random"], want["random"])
    changed = ("inputs", "outputs", "position_weights")
    for name in changed:
        assert_same_change(got[name], want[name], before[name])
    untouched = [name for name in got if name not in (*changed, "random")]
    assert all(np.array_equal(got[name], before[name]) for name in untouched)


@pytest.mark.parametrize("trainer", TRAINERS)
@settings(deadline=None, max_examples=100 if COMPILED else 10)
@given(case=cases(90 if COMPILED else 15))
@example(case=Case(vector_size=16, window=5, negative=5, num_noise=12, lengths=[1]))
@example(case=Case(vector_size=3, window=2, negative=5, num_noise=4, lengths=[0, 2, 0], position_weights=True))
@example(case=Case(vector_size=100, window=12, negative=20, num_noise=48, lengths=[5], num_words=4, num_ngrams=1))
@example(case=Case(vector_size=33, window=3, negative=7, num_noise=8, lengths=[1, 80, 1, 9], shrink_windows=False))
def test_trainers_do_what_their_definitions_say(trainer: str, case: Case) -> None:
    check(trainer, case)


@pytest.mark.skipif(not COMPILED, reason="takes minutes when it is not compiled")
@pytest.mark.parametrize("position_weights", [False, True])
@pytest.mark.parametrize("trainer", TRAINERS)
def test_a_long_text_is_learned_from_as_defined(trainer: str, position_weights: bool) -> None:
    check(trainer, Case(100, 5, 5, 12, [1500, 1, 300], 400, 900, position_weights, step=0.1))


@pytest.mark.parametrize("trainer", TRAINERS)
def test_an_empty_text_changes_nothing(trainer: str) -> None:
    case = Case(10, 2, 5, 4, lengths=[])
    given_arguments, before = arguments(trainer, case), arguments(trainer, case)
    assert getattr(kernels, trainer)(*given_arguments.values()) == (0, 0)
    assert all(np.array_equal(given_arguments[name], before[name]) for name in before)


@settings(deadline=None, max_examples=100 if COMPILED else 20)
@given(
    widths=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=12),
    room=st.integers(0, 9),
    seed=st.integers(0, 2**32),
)
def test_the_window_slides_as_defined(widths: list[tuple[int, int]], room: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    kept = rng.integers(0, 8, 300).astype(np.int32)
    starts, parts = some_parts(rng, 8, 5)
    inputs = padded(rng.standard_normal((13, 20)))
    most = 20 + room
    sides = [
        (inputs.copy(), np.zeros((most, 32), np.float32), np.zeros((most, 32), np.float32), np.zeros(3, np.int64))
        for _ in range(2)
    ]
    low, high = 0, 0
    for step, width in [*widths, (0, 0)]:
        low = low + step
        high = max(high, low + width)
        low = max(low, high - 16)
        rows = [
            module.slide(low, high, kept, mine[0], starts, parts, *mine[1:])
            for module, mine in zip((word_parts_kernels, word_parts_reference), sides, strict=True)
        ]
        assert rows[0] == rows[1]
        assert_array_equal(sides[0][3], sides[1][3])
        for mine in sides:
            means = mine[1][rows[0] : rows[0] + high - low]
            means += np.float32(0.5) * np.arange(len(means), dtype=np.float32)[:, None]
    for got, want in zip(*sides, strict=True):
        assert_allclose(got, want, rtol=1e-5, atol=1e-5)


def test_definitions_and_kernels_take_the_same_arguments() -> None:
    for mine, definition, names in (
        (kernels, reference, TRAINERS),
        (word_parts_kernels, word_parts_reference, ("slide",)),
    ):
        for name in names:
            kernel = getattr(mine, name)
            got = inspect.signature(getattr(kernel, "py_func", kernel)).parameters
            assert list(got) == list(inspect.signature(getattr(definition, name)).parameters), name
    assert kernels.CENTERS == reference.CENTERS


@pytest.mark.skipif(not COMPILED, reason="this is that run")
def test_the_same_holds_without_the_compiler() -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(Path(__file__))]
    done = subprocess.run(command, env={**os.environ, "NUMBA_DISABLE_JIT": "1"}, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
