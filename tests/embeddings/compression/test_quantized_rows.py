"""Rows in fewer bytes: what is read back, how many bytes they take, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from daneo.embeddings.compression.product_quantizer import ProductQuantizer
from daneo.embeddings.compression.quantized_rows import HalfRows, QuantizedRows
from daneo.embeddings.compression.quantizing import best_scales, learn_scales


def random_rows(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def cosines(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    return (one * other).sum(axis=1) / np.linalg.norm(one, axis=1) / np.linalg.norm(other, axis=1)


KINDS = {
    "quantised": lambda rows: QuantizedRows.learn(rows, 3),
    "quantised, norms apart": lambda rows: QuantizedRows.learn(rows, 3, norms=True),
    "half": HalfRows.of,
}


@pytest.mark.parametrize("kind", KINDS)
def test_rows_are_chosen_like_an_arrays(kind: str) -> None:
    rows = KINDS[kind](random_rows(700, 10))
    whole = rows[:]
    assert (rows.shape, len(rows), whole.shape, whole.dtype) == ((700, 10), 700, (700, 10), np.float32)
    none = np.array([], dtype=np.int64)
    for chosen in (5, -1, np.int64(7), slice(10, 400), slice(None, None, -3), [4, 4, 0], np.array([699, 0]), none):
        got = rows[chosen]
        np.testing.assert_array_equal(got, whole[chosen])
        assert got.dtype == np.float32
    with pytest.raises(IndexError):
        rows[700]


def test_bytes() -> None:
    rows = random_rows(1000, 10)
    assert QuantizedRows.learn(rows, 3).nbytes == 1000 * 4 + 256 * 10 * 4
    assert QuantizedRows.learn(rows, 3, norms=True).nbytes == 1000 * 5 + 256 * 11 * 4
    assert HalfRows.of(rows).nbytes == 1000 * 10 * 2


def test_norms_multiply_the_decoded_rows() -> None:
    # fastText's qnorm: row 1 is centroid 2 of its only part times norm centroid 3.
    centroids = np.arange(512, dtype=np.float32)
    lengths = np.arange(256, dtype=np.float32) / 2
    rows = QuantizedRows(
        np.array([[0], [2]], np.uint8),
        ProductQuantizer(centroids, 2),
        np.array([2, 3], np.uint8),
        ProductQuantizer(lengths, 1),
    )
    assert rows[:].tolist() == [[0, 1], [6, 7.5]]
    assert rows[1].tolist() == [6, 7.5]


def test_lengths_apart_help_rows_of_many_lengths() -> None:
    rows = random_rows(4000, 20) * np.geomspace(0.01, 100, 4000, dtype=np.float32)[:, None]
    plain, apart = QuantizedRows.learn(rows, 2), QuantizedRows.learn(rows, 2, norms=True)
    assert cosines(rows, apart[:]).min() > 0.97
    assert cosines(rows, plain[:]).min() < 0.95
    np.testing.assert_allclose(np.linalg.norm(apart[:], axis=1), np.linalg.norm(rows, axis=1), rtol=0.2, atol=0.5)


def test_zero_rows_stay_zero_where_norms_are_apart() -> None:
    rows = random_rows(1000, 6)
    rows[[0, 500]] = 0
    kept = QuantizedRows.learn(rows, 2, norms=True)
    assert not kept[[0, 500]].any()
    assert np.linalg.norm(np.delete(kept[:], [0, 500], axis=0), axis=1).min() > 0
    nothing = QuantizedRows.learn(np.zeros((3, 6), np.float32), 2, norms=True)
    assert not nothing[:].any()


def test_scales_are_the_least_squares() -> None:
    rows, decoded = random_rows(5, 8), random_rows(5, 8, seed=1)
    scales = best_scales(rows, decoded)
    for row, direction, scale in zip(rows, decoded, scales, strict=True):
        np.testing.assert_allclose(scale, np.linalg.lstsq(direction[:, None], row, rcond=None)[0][0], rtol=1e-5)
    assert best_scales(np.zeros((1, 8), np.float32), decoded[:1]).tolist() == [0]
    assert best_scales(rows[:1], np.zeros((1, 8), np.float32)).tolist() == [0]


def test_scales_hold_a_zero_only_where_it_is_needed() -> None:
    some = np.random.default_rng(0).uniform(1, 2, 5000).astype(np.float32)
    assert learn_scales(some, 1).centroids.min() >= 1
    some[3] = 0
    assert sorted(learn_scales(some, 1).centroids)[0] == 0
    assert sorted(learn_scales(some, 1).centroids)[1] >= 1


def test_rows_are_read_block_by_block() -> None:
    class Watched:
        def __init__(self) -> None:
            self.matrix, self.largest = random_rows(70_000, 4), 0
            self.shape = self.matrix.shape

        def __len__(self) -> int:
            return len(self.matrix)

        def __getitem__(self, rows):
            found = self.matrix[rows]
            if isinstance(rows, slice):
                self.largest = max(self.largest, len(found))
            return found

    watched = Watched()
    quantised = QuantizedRows.learn(watched, 2)
    np.testing.assert_array_equal(quantised[:], QuantizedRows.learn(watched.matrix, 2)[:])
    HalfRows.of(watched)
    assert watched.largest <= 4096


def test_a_number_that_is_not_finite_is_found_outside_the_sample() -> None:
    rows = random_rows(80_000, 2)
    rows[:, 0] = np.abs(rows[:, 0])
    sampled = set(np.random.default_rng(1).choice(80_000, 65_536, replace=False, shuffle=False).tolist())
    rows[next(row for row in range(80_000) if row not in sampled), 1] = np.nan
    with pytest.raises(ValueError, match="Expected finite numbers"):
        QuantizedRows.learn(rows, 2)


def test_half_precision() -> None:
    rows = np.array([[1 + 2**-10, 1 + 2**-11, 65_504, 6e-8, 1e-8, -0.0]], np.float32)
    assert HalfRows.of(rows)[:].tolist() == [[1 + 2**-10, 1, 65_504, 2**-24, 0, 0]]


@pytest.mark.parametrize("bad", [65_520.0, -1e9, np.inf, np.nan])
def test_half_precision_refuses_what_it_cannot_hold(bad: float) -> None:
    rows = np.ones((5000, 3), np.float32)
    rows[4900, 1] = bad
    with pytest.raises(ValueError, match="Half precision holds finite numbers up to 65,504"):
        HalfRows.of(rows)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (lambda q, n: (np.zeros((4, 2), np.int32), q), "got int32"),
        (lambda q, n: (np.zeros((4, 3), np.uint8), q), r"uint8 of shape \(N, 2\), got uint8 of shape \(4, 3\)"),
        (lambda q, n: (np.zeros(4, np.uint8), q), r"got uint8 of shape \(4,\)"),
        (lambda q, n: (np.zeros((4, 2), np.uint8), q, np.zeros(4, np.uint8)), "together, got one of them"),
        (lambda q, n: (np.zeros((4, 2), np.uint8), q, None, n), "together, got one of them"),
        (lambda q, n: (np.zeros((4, 2), np.uint8), q, np.zeros(5, np.uint8), n), r"shape \(4,\), got uint8 of"),
        (lambda q, n: (np.zeros((4, 2), np.uint8), q, np.zeros(4, np.int8), n), "got int8"),
        (lambda q, n: (np.zeros((4, 2), np.uint8), q, np.zeros(4, np.uint8), q), "got vector_size 3"),
    ],
)
def test_arrays_that_do_not_fit(arguments, message: str) -> None:
    quantizer, norms = ProductQuantizer(np.zeros(768, np.float32), 2), ProductQuantizer(np.zeros(256, np.float32), 1)
    with pytest.raises(ValueError, match=message):
        QuantizedRows(*arguments(quantizer, norms))


@pytest.mark.parametrize("halves", [np.zeros((2, 3), np.float32), np.zeros(3, np.float16)])
def test_half_rows_of_another_kind(halves: np.ndarray) -> None:
    with pytest.raises(ValueError, match="HalfRows expected float16"):
        HalfRows(halves)
