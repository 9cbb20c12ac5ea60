"""The definitions of the trainers: against finite differences, and against an example that was worked out by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from daneo.embeddings import word2vec_kernels as kernels
from daneo.embeddings import word2vec_reference as reference

NO_WEIGHTS = np.zeros((0, 16), np.float32)


def central_differences(loss: Callable[[], float], array: np.ndarray, step: float = 1e-5) -> np.ndarray:
    """dL/darray, entry by entry; `loss` reads the array."""
    gradient = np.zeros_like(array)
    for place in np.ndindex(array.shape):
        value = array[place]
        array[place] = value + step
        above = loss()
        array[place] = value - step
        gradient[place] = (above - loss()) / (2 * step)
        array[place] = value
    return gradient


@given(
    num_x=st.integers(1, 5),
    num_y=st.integers(1, 6),
    size=st.integers(1, 4),
    scale=st.sampled_from([0.1, 1.0, 4.0]),
    seed=st.integers(0, 2**32),
)
@settings(deadline=None, max_examples=50)
def test_gradients_are_the_derivatives_of_the_loss(num_x: int, num_y: int, size: int, scale: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, y = scale * rng.standard_normal((num_x, size)), scale * rng.standard_normal((num_y, size))
    sign, weight = rng.choice([-1.0, 1.0], (num_x, num_y)), rng.uniform(0, 3, (num_x, num_y))
    got = reference.block_gradients(x, y, sign, weight)
    for gradient, array in zip(got, (x, y), strict=True):
        want = central_differences(lambda: reference.block_loss(x, y, sign, weight), array)
        assert_allclose(gradient, want, rtol=1e-6, atol=1e-7)


def test_loss_and_gradients_bear_any_score() -> None:
    x, y = np.array([[1000.0]]), np.array([[1.0], [-1.0]])
    sign, weight = np.ones((1, 2)), np.ones((1, 2))
    with np.errstate(all="raise", under="ignore"):
        assert reference.block_loss(x, y, sign, weight) == 1000
        x_gradient, y_gradient = reference.block_gradients(x, y, sign, weight)
    assert (x_gradient.tolist(), y_gradient.tolist()) == ([[1.0]], [[0.0], [-1000.0]])


def step_arguments(trainer: str, num_words: int, size: int, seed: int) -> dict[str, Any]:
    """A document of different words, all within reach of each other; the noise is another word, and one of them."""
    rng = np.random.default_rng(seed)
    vectors, outputs = rng.standard_normal((2, num_words + 2, size))
    if trainer.endswith("negative_sampling"):
        noise = np.array([num_words, num_words - 1, num_words, num_words], np.int32)
        specific: dict[str, Any] = {"noise": noise, "num_noise": 4, "negative": 5.0}
    else:
        starts = np.arange(0, 3 * num_words + 1, 3)
        nodes = np.concatenate([rng.permutation(num_words)[:3] for _ in range(num_words)])
        specific = {"path_starts": starts, "path_nodes": nodes, "path_signs": rng.choice([-1.0, 1.0], len(nodes))}
        specific["longest_path"] = 3
    return {
        "kept": np.arange(num_words, dtype=np.int32),
        "ends": np.array([num_words]),
        "vectors": vectors,
        "outputs": outputs,
        "input_rows": np.arange(num_words + 1, dtype=np.int32),
        "updated_rows": np.arange(num_words + 1, dtype=np.int32),
        "position_weights": np.zeros((0, size)),
        **specific,
        "window": num_words,
        "shrink_windows": False,
        # So small that a step does not see the one before: the sum of all changes is that of one large step.
        "learning_rate": 1e-7,
        "random": np.zeros(2, np.uint64),
    }


@pytest.mark.parametrize("num_words", [3, 4])
@pytest.mark.parametrize(
    "trainer",
    [
        "skipgram_negative_sampling",
        "cbow_negative_sampling",
        "skipgram_hierarchical_softmax",
        "cbow_hierarchical_softmax",
    ],
)
def test_a_trainer_goes_down_the_gradient_of_the_loss_that_it_reports(trainer: str, num_words: int) -> None:
    arguments = step_arguments(trainer, num_words, size=3, seed=num_words)
    vectors, outputs = arguments["vectors"].copy(), arguments["outputs"].copy()

    def loss_at(rows: np.ndarray, columns: np.ndarray) -> float:
        again = {**arguments, "vectors": rows.copy(), "outputs": columns.copy(), "random": np.zeros(2, np.uint64)}
        return getattr(reference, trainer)(*again.values())[0]

    getattr(reference, trainer)(*arguments.values())
    changes = (arguments["vectors"] - vectors) / 1e-7, (arguments["outputs"] - outputs) / 1e-7
    # The gradient of a mean of m contexts is 1/m for each of them; CBOW gives every one the whole. Here m is the same
    # for all centers.
    share = num_words - 1 if trainer.startswith("cbow") else 1
    # 1e-5: the finite differences, and what a later step saw of an earlier one in hierarchical softmax.
    for change, array, factor in zip(changes, (vectors, outputs), (share, 1), strict=True):
        gradient = central_differences(lambda: loss_at(vectors, outputs), array)
        assert_allclose(change, -factor * gradient, rtol=1e-5, atol=1e-5)


# Two words, a and b, side by side, with vectors 1 and 2; the outputs of a, b and the noise word z are 0.5, -1 and 2.
# Each word is the only context of the other, so skip-gram and CBOW do the same. All four noise words are z; together
# they weigh 2.
#
# score of context b with center a: 2 * 0.5 = 1     sigmoid(1) = 0.731059     -log sigmoid(1)  = 0.313262
# score of context a with center b: 1 * -1 = -1     sigmoid(-1) = 0.268941    -log sigmoid(-1) = 1.313262
# score of context a with noise z:  1 * 2 = 2       sigmoid(2) = 0.880797     -log sigmoid(-2) = 2.126928
# score of context b with noise z:  2 * 2 = 4       sigmoid(4) = 0.982014     -log sigmoid(-4) = 4.018150
#
# loss  0.313262 + 1.313262 + 2 * (2.126928 + 4.018150) = 13.916680
# a's vector   (1 - 0.268941) * -1  - 2 * 0.880797 * 2 = -4.254247
# b's vector   (1 - 0.731059) * 0.5 - 2 * 0.982014 * 2 = -3.793586
# a's output   (1 - 0.731059) * 2 = 0.537883       b's output  (1 - 0.268941) * 1 = 0.731059
# z's output   -2 * 0.880797 * 1 - 2 * 0.982014 * 2 = -5.689650        ... each times the learning rate, 0.1
@pytest.mark.parametrize("trainer", ["skipgram_negative_sampling", "cbow_negative_sampling"])
@pytest.mark.parametrize("module", [reference, kernels])
def test_two_words_with_noise_by_hand(module: Any, trainer: str) -> None:
    vectors, outputs = np.zeros((4, 16), np.float32), np.zeros((4, 16), np.float32)
    vectors[:3, 0], outputs[:3, 0] = [1, 2, 7], [0.5, -1, 2]
    kept = np.array([0, 1, *[0] * 20], np.int32)
    noise, rows, random = np.array([2], np.int32), np.arange(4, dtype=np.int32), np.zeros(2, np.uint64)
    loss, num_examples = getattr(module, trainer)(
        kept, np.array([2]), vectors, outputs, rows, rows, NO_WEIGHTS, noise, 4, 2.0, 1, False, 0.1, random
    )
    assert num_examples == 2
    assert_allclose(loss, 13.916680, rtol=1e-6)
    assert_allclose(vectors[:, 0], [1 - 0.4254247, 2 - 0.3793586, 7, 0], rtol=1e-6)
    assert_allclose(outputs[:, 0], [0.5 + 0.0537883, -1 + 0.0731059, 2 - 0.5689650, 0], rtol=1e-6)


# The same two words and vectors with a tree of one node, at 0.5, whose first child is a and whose second is b.
#
# center a, context b: score 2 * 0.5 = 1, sigmoid 0.731059, loss 0.313262
#     b's vector  0.1 * (1 - 0.731059) * 0.5 = 0.0134471     the node  0.1 * (1 - 0.731059) * 2 = 0.0537883
# center b, context a: score 1 * 0.5537883, sigmoid(0.5537883) = 0.635014, loss -log(1 - 0.635014) = 1.007895
#     a's vector  -0.1 * 0.635014 * 0.5537883 = -0.0351663   the node  -0.1 * 0.635014 * 1 = -0.0635014
@pytest.mark.parametrize("trainer", ["skipgram_hierarchical_softmax", "cbow_hierarchical_softmax"])
@pytest.mark.parametrize("module", [reference, kernels])
def test_two_words_in_a_tree_by_hand(module: Any, trainer: str) -> None:
    vectors, outputs = np.zeros((3, 16), np.float32), np.zeros((2, 16), np.float32)
    vectors[:2, 0], outputs[0, 0] = [1, 2], 0.5
    kept, rows = np.array([0, 1, *[0] * 20], np.int32), np.arange(3, dtype=np.int32)
    starts, nodes = np.array([0, 1, 2]), np.array([0, 0], np.int32)
    signs, random = np.array([1, -1], np.float32), np.zeros(2, np.uint64)
    loss, num_examples = getattr(module, trainer)(
        kept, np.array([2]), vectors, outputs, rows, rows, NO_WEIGHTS, starts, nodes, signs, 1, 1, False, 0.1, random
    )
    assert num_examples == 2
    assert_allclose(loss, 0.313262 + 1.007895, rtol=2e-6)
    assert_allclose(vectors[:, 0], [1 - 0.0351663, 2 + 0.0134471, 0], rtol=1e-6)
    assert_allclose(outputs[:, 0], [0.5 + 0.0537883 - 0.0635014, 0], rtol=1e-6)


def test_the_generator_is_knuths() -> None:
    # Two steps by hand: from 0 the increment, then a c + c modulo 2^64.
    random = np.zeros(2, np.uint64)
    assert reference.next_random(random) == 1442695040888963407
    assert reference.next_random(random) == (6364136223846793005 + 1) * 1442695040888963407 % 2**64
    assert random.tolist() == [(6364136223846793005 + 1) * 1442695040888963407 % 2**64, 0]


def test_reaches_are_drawn_evenly() -> None:
    reaches = reference.draw_reaches(10_000, 5, True, np.array([1, 0], np.uint64))
    # A share of 1/5 of 10,000 draws has a standard deviation of 40.
    assert np.abs(np.bincount(reaches, minlength=6)[1:] - 2000).max() < 4 * 40
    assert reaches.min() == 1
    assert_array_equal(reference.draw_reaches(3, 5, False, np.zeros(2, np.uint64)), [5, 5, 5])


def test_windows_end_at_their_document() -> None:
    positions, near = reference.windows(range(3, 8), np.array([3, 4, 5, 6]), np.array([1, 2, 9, 1]))
    assert positions.tolist() == [3, 4, 5, 6, 7]
    contexts = [positions[row].tolist() for row in near]
    assert contexts == [[4], [3, 5, 6], [3, 4, 6, 7], [5, 7]]


def test_noise_goes_round_its_table() -> None:
    random = np.array([5, 2], np.uint64)
    assert reference.take_noise(np.array([10, 11, 12]), 5, random).tolist() == [12, 10, 11, 12, 10]
    assert random.tolist() == [5, 1]
