"""Rotations: what they keep, what they make equal, and how they help product quantisation."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daneo import WordVectors
from daneo.embeddings.compression.quantized_rows import QuantizedRows
from daneo.embeddings.compression.storing import Storing, best_storing
from daneo.embeddings.compression.turned_rows import TurnedRows, learn_rotation
from daneo.embeddings.compression.vector_parts import part_sizes
from daneo.embeddings.row_blocks import RowBlocks, unit


def random_rows(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def uneven(num_rows: int, variances: list[float], seed: int = 0) -> np.ndarray:
    """Normal rows with these variances along axes that point anywhere."""
    size = len(variances)
    axes = np.linalg.qr(random_rows(size, size, seed=seed + 1).astype(np.float64))[0]
    return (random_rows(num_rows, size, seed=seed) * np.sqrt(variances) @ axes).astype(np.float32)


@given(st.integers(1, 9), st.data(), st.integers(0, 99))
@settings(deadline=None, max_examples=30)
def test_turning_keeps_lengths_and_angles_and_can_be_undone(size: int, data: st.DataObject, seed: int) -> None:
    rows = random_rows(data.draw(st.integers(1, 40)), size, seed=seed)
    rotation = learn_rotation(rows, part_sizes(size, data.draw(st.integers(1, size))))
    turned = TurnedRows(rows, rotation)
    np.testing.assert_allclose(turned[:] @ turned[:].T, rows @ rows.T, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(TurnedRows(turned, rotation.T)[:], rows, rtol=0, atol=1e-5)


def test_rows_are_chosen_like_an_arrays() -> None:
    rotation = learn_rotation(random_rows(50, 6), [2, 2, 2])
    turned = TurnedRows(random_rows(70, 6), rotation)
    whole = turned[:]
    assert (turned.shape, len(turned), whole.dtype, turned.nbytes) == ((70, 6), 70, np.float32, 70 * 24 + 36 * 4)
    for chosen in (5, -1, slice(10, 40), [4, 4, 0], np.array([69, 0]), np.array([], dtype=np.int64)):
        np.testing.assert_allclose(turned[chosen], whole[chosen], rtol=0, atol=1e-6)


def test_parts_get_the_same_share() -> None:
    rows = uneven(20_000, [64, 32, 16, 8, 4, 2])
    parts = np.split(rows @ learn_rotation(rows, [2, 2, 2]), 3, axis=1)
    covariances = [np.cov(part.T) for part in parts]
    assert max(abs(one[0, 1]) for one in covariances) < 0.2  # along the principal axes nothing depends on anything
    products = [np.linalg.det(one) for one in covariances]
    # Of all ways to deal six axes to three parts, 64 * 2 = 32 * 4 = 16 * 8 is the evenest one.
    np.testing.assert_allclose(products, 128, rtol=0.1)


def test_dealing_comes_near_to_the_best_one() -> None:
    variances = [50, 20, 11, 7, 5, 2, 1.5, 1]
    rows = uneven(50_000, variances)
    turned = rows @ learn_rotation(rows, [2] * 4)
    error = sum(np.sqrt(np.linalg.det(np.cov(part.T))) for part in np.split(turned, 4, axis=1))
    best = min(sum(np.sqrt(order[i] * order[i + 1]) for i in range(0, 8, 2)) for order in permutations(variances))
    assert error < 1.05 * best


def test_short_parts_get_wide_axes() -> None:
    # Two numbers in a byte are kept more exactly than three: they should be the ones that vary most.
    rows = uneven(50_000, [30, 20, 4, 3, 2])
    turned = rows @ learn_rotation(rows, [3, 2])
    variances = turned.var(axis=0)
    assert variances[3:].min() > variances[:3].max()


def test_weights_are_repeats() -> None:
    rows = uneven(40, [9, 4, 1])
    times = np.random.default_rng(0).integers(1, 5, 40)
    one, other = (
        learn_rotation(np.repeat(rows, times, axis=0), [2, 1]),
        learn_rotation(rows, [2, 1], times.astype(float)),
    )
    np.testing.assert_allclose(np.abs(one), np.abs(other), atol=1e-5)  # an axis may point either way


def test_rows_without_any_spread() -> None:
    for rows in (np.zeros((5, 4), np.float32), np.ones((5, 4), np.float32), np.eye(1, 4, dtype=np.float32)):
        TurnedRows(rows, learn_rotation(rows, [2, 2]))  # raises if it were no rotation


def test_a_rotation_lowers_the_error_where_axes_differ() -> None:
    rows = uneven(8000, [100 * 0.7**axis for axis in range(12)])
    errors = [float(((Storing(part_size=3, rotate=rotate).of(rows)[:] - rows) ** 2).sum()) for rotate in (False, True)]
    assert errors[1] < 0.75 * errors[0]


@pytest.mark.parametrize("shape", [(256, 8), (1000, 3), (1000, 1)])
def test_there_is_no_rotation_where_it_cannot_help(shape: tuple[int, int]) -> None:
    rows = random_rows(*shape)
    assert isinstance(Storing(part_size=min(3, shape[1])).of(rows), QuantizedRows)
    assert isinstance(Storing(part_size=1).of(random_rows(1000, 3)), QuantizedRows)


@pytest.mark.parametrize(
    "way",
    [
        Storing(),
        Storing(part_size=5),
        Storing(num_parts=3),
        Storing(num_parts=7),
        Storing(num_parts=4, rotate=False),
        Storing(norms=False),
        Storing(rotate=False),
        Storing(part_size=1),
        Storing(storage="int8"),
        Storing(storage="float16"),
        Storing(storage="float32"),
    ],
    ids=str,
)
@pytest.mark.parametrize("shape", [(0, 7), (300, 7), (100, 7)])
def test_bytes_are_known_beforehand(way: Storing, shape: tuple[int, int]) -> None:
    assert way.num_bytes(shape) == way.of(random_rows(*shape)).nbytes


def test_the_most_exact_way_of_a_size() -> None:
    shapes = [(5000, 30), (9000, 30)]
    ways = [Storing(storage=storage) for storage in ("float32", "float16", "int8")]
    ways += [Storing(num_parts=number) for number in range(30, 0, -1)]
    for most in (2_000_000, 1_000_000, 600_000, 500_000, 400_000, 200_000):
        fitting = [way for way in ways if sum(map(way.num_bytes, shapes)) <= most]
        assert best_storing(shapes, most) == fitting[0]


def turned_vectors(num_words: int, size: int, seed: int) -> WordVectors:
    rows = random_rows(num_words, size, seed=seed) * np.geomspace(9, 0.1, size, dtype=np.float32)
    rows[5] = 0
    kept = Storing(part_size=2).of(rows)
    assert isinstance(kept, TurnedRows)
    return WordVectors([f"w{number}" for number in range(num_words)], kept)


@pytest.mark.parametrize(("num_words", "size", "num_queries"), [(3000, 10, 7), (30_000, 64, 2100)])
def test_searches_turn_the_question_and_answer_as_for_turned_rows(num_words: int, size: int, num_queries: int) -> None:
    vectors = turned_vectors(num_words, size, seed=3)
    plain = WordVectors(vectors.words, vectors.matrix)
    asked = vectors.words[:num_queries]
    for one, other in zip(vectors.most_similar(asked), plain.most_similar(asked), strict=True):
        assert one == other
    assert vectors.most_similar_cosmul(["w1", "w2"], ["w3"]) == plain.most_similar_cosmul(["w1", "w2"], ["w3"])
    assert vectors.rank("w1", "w2") == plain.rank("w1", "w2")
    np.testing.assert_allclose(vectors.similarities("w1"), plain.similarities("w1"), rtol=0, atol=1e-5)
    np.testing.assert_allclose(vectors.norms, plain.norms, rtol=1e-6)


def test_a_search_does_not_turn_all_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = turned_vectors(5000, 12, seed=1)
    turned = []
    whole = TurnedRows.__getitem__
    monkeypatch.setattr(TurnedRows, "__getitem__", lambda self, rows: turned.append(whole(self, rows)) or turned[-1])
    vectors.most_similar("w7")
    assert sum(map(len, turned)) < 100


def test_the_error_of_scores_is_bounded() -> None:
    vectors = turned_vectors(4000, 100, seed=2)
    blocks, wide = RowBlocks(vectors.rows), unit(vectors.matrix)
    queries = unit(random_rows(20, 100, seed=9))
    (first, scores, _), *_ = blocks.cosines(queries.astype(np.float32), 0, 4000)
    assert np.abs(scores - queries @ wide[first : first + scores.shape[1]].T).max() < blocks.error < 2e-4
