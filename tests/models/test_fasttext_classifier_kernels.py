"""The compiled trainers against their definitions, and the definitions against their losses."""

from __future__ import annotations

import inspect
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from daneo.embeddings.subwords.subwords import Subwords
from daneo.models import fasttext_classifier_kernels as kernels
from daneo.models import fasttext_classifier_reference as reference
from daneo.models.bags.row_table import RowTable
from daneo.models.bags.shared_rows import training_bags
from daneo.models.bags.tokens import FASTTEXT, TokenTypes, cut
from daneo.models.label_tree import label_tree

LANES = 16
TRAINERS = ("softmax", "one_vs_all", "tree", "noise")
# The kernels add and multiply in float32, which rounds by 6e-8, in sums of up to a hundred numbers and over a few steps
# each of which reads what those before wrote.
TOLERANCE = 2e-5


class Case(NamedTuple):
    vector_size: int
    num_labels: int
    num_texts: int
    most_labels: int
    negative: int = 3
    rate: float = 0.3
    seed: int = 0


CASES = st.builds(
    Case,
    vector_size=st.integers(1, 150),
    num_labels=st.integers(2, 40),
    num_texts=st.integers(0, 11),
    most_labels=st.integers(1, 3),
    negative=st.integers(1, 6),
    rate=st.sampled_from([0.01, 0.3, 1.0]),
    seed=st.integers(0, 2**32),
)


def arguments(trainer: str, case: Case) -> dict[str, Any]:
    """What a trainer takes, all of it drawn by the case's seed. Both matrices begin with numbers other than zero."""
    rng = np.random.default_rng(case.seed)
    num_rows, width = 15, -(-case.vector_size // LANES) * LANES
    lengths, num_own = rng.integers(1, 9, 12), rng.integers(0, case.most_labels + 1, 12)
    rows = [rng.choice(num_rows, length, replace=False) for length in lengths]
    num_outputs = {"tree": case.num_labels, "noise": case.num_labels + 1}.get(trainer, -(-case.num_labels // 4) * 4 + 1)
    used = case.num_labels - (trainer == "tree")

    def matrix(size: int, filled: int) -> np.ndarray:
        found = np.zeros((size, width), np.float32)
        found[:filled, : case.vector_size] = rng.normal(0, 1, (filled, case.vector_size))
        return found

    given = {
        "texts": rng.permutation(12)[: case.num_texts],
        "starts": np.cumsum([0, *lengths]),
        "rows": np.concatenate(rows).astype(np.int32),
        "weights": rng.uniform(0.5, 2, lengths.sum()).astype(np.float32),
        "scales": (1 / lengths).astype(np.float32),
        "label_starts": np.cumsum([0, *num_own]),
        "labels": np.concatenate(
            [rng.choice(case.num_labels, min(own, case.num_labels), replace=False) for own in num_own]
        ).astype(np.int32),
        "inputs": matrix(num_rows + 1, num_rows),
        "outputs": matrix(num_outputs, used),
    }
    given["label_starts"] = np.cumsum([0, *np.minimum(num_own, case.num_labels)])
    counts = np.sort(rng.integers(1, 99, case.num_labels))[::-1]
    if trainer == "tree":
        tree = label_tree(counts)
        given |= {"path_starts": tree.starts, "path_nodes": tree.nodes, "path_signs": tree.signs}
    elif trainer == "noise":
        given |= {"cumulated": (np.cumsum(counts) / counts.sum()).astype(np.float32), "negative": case.negative}
    else:
        given |= {"num_labels": case.num_labels, "one_vs_all": trainer == "one_vs_all"}
    return given | {"learning_rate": case.rate, "random": np.array([case.seed, 0], np.uint64)}


def function(module: Any, trainer: str) -> Any:
    return getattr(module, f"train_{trainer}" if trainer in ("tree", "noise") else "train_all_labels")


def in_float64(given: dict[str, Any]) -> dict[str, Any]:
    exact = {name: given[name].astype(np.float64) for name in ("inputs", "outputs")}
    return given | exact | {"random": given["random"].copy()}


@settings(max_examples=40, deadline=None)
@given(CASES)
@pytest.mark.parametrize("trainer", TRAINERS)
def test_kernel_matches_reference(trainer: str, case: Case) -> None:
    fast = arguments(trainer, case)
    exact = in_float64(fast)
    before = exact["inputs"].copy(), exact["outputs"].copy()
    loss, examples = function(kernels, trainer)(**fast)
    expected_loss, expected_examples = function(reference, trainer)(**exact)
    assert examples == expected_examples
    assert_allclose(loss, expected_loss, rtol=1e-5, atol=1e-5)
    assert_array_equal(fast["random"], exact["random"])
    for name, old in zip(("inputs", "outputs"), before, strict=True):
        size = max(1.0, float(np.abs(exact[name] - old).max(initial=0)), float(np.abs(old).max(initial=0)))
        assert_allclose(fast[name], exact[name], rtol=0, atol=TOLERANCE * size)


@pytest.mark.parametrize("trainer", TRAINERS)
def test_same_arguments_in_the_same_order(trainer: str) -> None:
    fast, exact = (
        inspect.signature(getattr(f, "py_func", f)) for f in (function(kernels, trainer), function(reference, trainer))
    )
    assert [*fast.parameters] == [*exact.parameters]


@pytest.mark.parametrize("trainer", ["softmax", "one_vs_all", "tree"])
def test_a_step_goes_down_the_gradient_of_its_loss(trainer: str) -> None:
    """Central differences of the loss that the reference itself returns; one text, so that nothing else has moved."""
    case = Case(vector_size=3, num_labels=5, num_texts=1, most_labels=1, rate=1e-3, seed=4)
    given = in_float64(arguments(trainer, case))
    given["texts"] = np.flatnonzero(np.diff(given["label_starts"]))[:1]

    def loss_with(name: str, place: tuple[int, int], step: float) -> float:
        moved = given | {key: given[key].copy() for key in ("inputs", "outputs", "random")}
        moved[name][place] += step
        return float(function(reference, trainer)(**moved)[0])

    after = given | {key: given[key].copy() for key in ("inputs", "outputs", "random")}
    function(reference, trainer)(**after)
    text = given["texts"][0]
    some_input = int(given["rows"][given["starts"][text]])
    for name, row in (("inputs", some_input), ("outputs", 0), ("outputs", 2)):
        for d in range(3):
            slope = (loss_with(name, (row, d), 1e-5) - loss_with(name, (row, d), -1e-5)) / 2e-5
            moved = after[name][row, d] - given[name][row, d]
            assert_allclose(moved, -case.rate * slope, rtol=1e-4, atol=1e-9)


def test_noise_is_drawn_with_the_right_chances() -> None:
    counts = np.array([6.0, 3.0, 1.0])
    random, drawn = np.array([3, 0], np.uint64), []
    for _ in range(20_000):
        drawn.append(reference.draw_noise((np.cumsum(counts) / 10).astype(np.float32), 0, random))
    # Three of four draws that are not label 0 are label 1; the standard deviation of the share is 0.003.
    assert abs(np.mean(np.array(drawn) == 1) - 0.75) < 0.015
    assert 0 not in drawn


def test_exponentials_of_far_scores() -> None:
    given = arguments("softmax", Case(vector_size=4, num_labels=6, num_texts=8, most_labels=1))
    given["outputs"] *= 60  # scores hundreds apart: all but one probability are zero in float32
    exact = in_float64(given)
    loss, _ = kernels.train_all_labels(**given)
    expected, _ = reference.train_all_labels(**exact)
    assert np.isfinite(given["inputs"]).all()
    assert_allclose(loss, expected, rtol=1e-5)


def test_learning_shared_rows_is_learning_all_rows() -> None:
    """Rows that always come together: one row with a weight ends where each of them would, in exact arithmetic."""
    rng = np.random.default_rng(11)
    words = [f"w{i}" for i in range(40)]
    texts = [" ".join(rng.choice(words, rng.integers(1, 7))) for _ in range(25)]
    subwords = Subwords(min_ngram=1, max_ngram=3, num_buckets=211)
    types = TokenTypes(cut(texts, FASTTEXT))
    table, bags, shares = training_bags(types, min_count=1, label_prefix="", subwords=subwords, word_ngrams=2, seed=1)
    shared = np.concatenate([table.word_rows, table.ngram_rows])  # of each word and n-gram, the row that it shares
    num_rows = len(shared)
    assert len(shares) < 0.7 * num_rows

    apart = RowTable(
        table.words,
        subwords,
        word_ngrams=2,
        label_prefix="",
        word_rows=np.arange(len(table.words), dtype=np.int32),
        buckets=table.buckets,
        ngram_rows=np.arange(len(table.words), num_rows, dtype=np.int32),
    ).of_texts(types)
    starts, rows = [0], []
    for text in range(len(texts)):
        for number in apart.types[apart.starts[text] : apart.starts[text + 1]]:
            rows.append(apart.type_rows.own[number])
            rows.extend(apart.type_rows.parts[apart.type_rows.starts[number] : apart.type_rows.starts[number + 1]])
        rows.extend(apart.ngrams[apart.ngram_starts[text] : apart.ngram_starts[text + 1]])
        starts.append(len(rows))
    plain = (np.array(starts), np.array(rows), np.ones(len(rows)), 1 / np.diff(starts))

    inputs = rng.normal(size=(len(shares) + 1, 16))
    own_inputs = inputs[shared] / np.sqrt(np.bincount(shared))[shared][:, None]
    outputs = rng.normal(size=(5, 16))
    learned = [outputs.copy(), outputs.copy()]
    labels = np.arange(26), rng.integers(0, 4, 25)
    exact = bags._replace(weights=weights_in_float64(bags, shares, shared), scales=1 / np.diff(starts))
    for texts_as_rows, matrix, end in ((exact, inputs, learned[0]), (plain, own_inputs, learned[1])):
        order = np.tile(np.arange(25), 3)
        reference.train_all_labels(order, *texts_as_rows, *labels, matrix, end, 4, False, 0.5, np.zeros(1, np.uint64))
    assert_allclose(learned[0], learned[1], rtol=1e-10)
    assert_allclose(inputs[shared] / np.sqrt(np.bincount(shared))[shared][:, None], own_inputs, rtol=1e-10, atol=1e-12)


def weights_in_float64(bags: Any, shares: np.ndarray, shared: np.ndarray) -> np.ndarray:
    """Weights are whole numbers of shares, 1 / sqrt(m); what float32 has rounded is made exact again."""
    exact = 1 / np.sqrt(np.bincount(shared))[bags.rows]
    return np.rint(bags.weights / shares[bags.rows]) * exact
