"""Product quantisation: codes there and back, what learning minimises, and what is refused."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daneo.embeddings.compression.centroids import first_centroids, learn_centroids, moved_centroids
from daneo.embeddings.compression.product_quantizer import SAMPLE, ProductQuantizer
from daneo.embeddings.compression.product_quantizer_reference import encode as assign


def random_rows(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


@given(st.integers(1, 9), st.data(), st.integers(0, 99))
@settings(deadline=None, max_examples=20)
def test_codes_survive_decoding(vector_size: int, data: st.DataObject, seed: int) -> None:
    part_size = data.draw(st.integers(1, vector_size))
    quantizer = ProductQuantizer(random_rows(256 * vector_size, seed=seed), part_size)
    codes = np.random.default_rng(seed).integers(0, 256, (50, quantizer.num_parts), dtype=np.uint8)
    assert quantizer.num_parts == -(-vector_size // part_size)
    np.testing.assert_array_equal(quantizer.encode(quantizer.decode(codes)), codes)


def test_decoding_by_hand() -> None:
    # Three numbers, parts of two: centroid i of part 0 is (2i, 2i + 1), that of part 1, which is shorter, is 512 + i.
    quantizer = ProductQuantizer(np.arange(768, dtype=np.float32), 2)
    codes = np.array([[0, 0], [255, 255], [3, 9]], dtype=np.uint8)
    assert quantizer.decode(codes).tolist() == [[0, 1, 512], [510, 511, 767], [6, 7, 521]]


@given(st.integers(1, 12), st.data(), st.integers(0, 99))
@settings(deadline=None, max_examples=30)
def test_even_parts_are_as_equal_as_can_be(vector_size: int, data: st.DataObject, seed: int) -> None:
    number = data.draw(st.integers(1, vector_size))
    longest = -(-vector_size // number)
    quantizer = ProductQuantizer(
        random_rows(256 * vector_size, seed=seed), longest, vector_size - number * (longest - 1)
    )
    sizes = [stop - start for start, stop in quantizer.parts()]
    assert (len(sizes), quantizer.num_parts, sum(sizes)) == (number, number, vector_size)
    assert sizes == sorted(sizes, reverse=True)
    assert max(sizes) - min(sizes) <= 1
    codes = np.random.default_rng(seed).integers(0, 256, (50, number), dtype=np.uint8)
    rows = quantizer.decode(codes)
    for part, (start, stop) in enumerate(quantizer.parts()):
        table = quantizer.centroids[256 * start : 256 * stop].reshape(256, -1)
        np.testing.assert_array_equal(rows[:, start:stop], table[codes[:, part]])
    np.testing.assert_array_equal(quantizer.encode(rows), codes)


def test_even_parts_learn_as_well_as_others() -> None:
    rows = random_rows(5000, 10)
    losses = []
    for quantizer in (
        ProductQuantizer.learn(rows, 3),
        ProductQuantizer.learn(rows, 3, num_long=2),
        ProductQuantizer.learn(rows, 2),
    ):
        losses.append(float(((quantizer.decode(quantizer.encode(rows)) - rows) ** 2).mean()))
    assert losses[0] > losses[1] > losses[2]  # 3 3 3 1, 3 3 2 2, 2 2 2 2 2


def test_decoding_of_many_blocks() -> None:
    quantizer = ProductQuantizer(random_rows(256 * 5), 2)
    codes = np.random.default_rng(0).integers(0, 256, (9000, 3), dtype=np.uint8)
    whole = quantizer.decode(codes)
    for place in (0, 4095, 4096, 8999):
        np.testing.assert_array_equal(whole[place], quantizer.decode(codes[place : place + 1])[0])


@pytest.mark.parametrize("num_rows", [1, 2, 255, 256])
@pytest.mark.parametrize("repeats", [1, 3])
def test_few_distinct_rows_are_kept_exactly(num_rows: int, repeats: int) -> None:
    rows = np.tile(random_rows(num_rows, 7), (repeats, 1))
    quantizer = ProductQuantizer.learn(rows, part_size=3)
    np.testing.assert_array_equal(quantizer.decode(quantizer.encode(rows)), rows)


def test_equal_rows_are_one_centroid() -> None:
    rows = np.full((1000, 4), 0.3, dtype=np.float32)
    quantizer = ProductQuantizer.learn(rows, part_size=4)
    np.testing.assert_array_equal(quantizer.decode(quantizer.encode(rows)), rows)


def test_every_step_lowers_the_loss() -> None:
    points = np.concatenate([random_rows(3000, 2), np.tile(random_rows(1, 2, seed=1), (500, 1))])
    centroids = first_centroids(points, np.random.default_rng(0))
    centroids[:40] = 50 + np.arange(40)[:, None]  # nearest to no point
    codes, distances = np.empty((len(points), 1), np.uint8), np.empty((len(points), 1), np.float32)
    losses = []
    for _ in range(20):
        assign(points, centroids.ravel(), 2, codes, distances)
        losses.append(float(distances.sum(dtype=np.float64)))
        centroids = moved_centroids(points, centroids, codes[:, 0], distances[:, 0])
    assert all(after <= before * (1 + 1e-6) for before, after in pairwise(losses))
    assert losses[-1] < 0.6 * losses[0]
    assert len(np.unique(codes)) == 256  # the far ones have found points


def test_first_centroids_are_points_and_distinct_where_there_are_enough() -> None:
    points = np.tile(random_rows(256, 2), (3, 1))
    found = first_centroids(points, np.random.default_rng(0))
    assert {tuple(one) for one in found.tolist()} == {tuple(one) for one in points.tolist()}
    few = first_centroids(points[:3], np.random.default_rng(0))
    assert {tuple(one) for one in few.tolist()} == {tuple(one) for one in points[:3].tolist()}


def test_centroids_are_the_means_of_their_points() -> None:
    points = random_rows(2000, 3)
    centroids = learn_centroids(points, np.random.default_rng(0), epochs=1000)  # until nothing moves
    codes, distances = np.empty((2000, 1), np.uint8), np.empty((2000, 1), np.float32)
    assign(points, centroids.ravel(), 3, codes, distances)
    for number in range(256):
        np.testing.assert_allclose(centroids[number], points[codes[:, 0] == number].mean(axis=0), rtol=1e-5, atol=1e-6)


def test_learned_centroids_are_as_good_as_scipys() -> None:
    vq = pytest.importorskip("scipy.cluster.vq")
    points = random_rows(8000, 2)
    codes, distances = np.empty((8000, 1), np.uint8), np.empty((8000, 1), np.float32)
    assign(points, learn_centroids(points, np.random.default_rng(0), epochs=25).ravel(), 2, codes, distances)
    theirs, _ = vq.kmeans2(points, 256, iter=25, minit="points", seed=0)
    _, their_distances = vq.vq(points, theirs)
    assert distances.sum() < 1.02 * (their_distances**2).sum()


def test_loss_falls_with_smaller_parts() -> None:
    rows = random_rows(5000, 12)
    losses = []
    for part_size in (6, 4, 3, 2, 1):
        quantizer = ProductQuantizer.learn(rows, part_size)
        losses.append(float(((quantizer.decode(quantizer.encode(rows)) - rows) ** 2).mean()))
    assert losses == sorted(losses, reverse=True)
    # Scalars of a normal distribution in 256 levels: sqrt(3) pi / 2 / 256**2 in theory (Panter and Dite, 1951).
    assert losses[-1] == pytest.approx(4.15e-5, rel=0.5)


def test_weights_are_repeats() -> None:
    points = random_rows(600, 2)
    times = np.random.default_rng(0).integers(1, 6, 600)
    centroids = first_centroids(points, np.random.default_rng(0))
    codes, distances = np.empty((600, 1), np.uint8), np.empty((600, 1), np.float32)
    assign(points, centroids.ravel(), 2, codes, distances)
    heavy = moved_centroids(points, centroids, codes[:, 0], distances[:, 0], times.astype(np.float64))
    repeated = np.repeat(points, times, axis=0), np.repeat(codes, times), np.repeat(distances, times)
    np.testing.assert_allclose(heavy, moved_centroids(repeated[0], centroids, *repeated[1:]), rtol=1e-6)


@pytest.mark.parametrize("num_rows", [2000, SAMPLE + 2000])
def test_heavy_rows_are_kept_better(num_rows: int) -> None:
    rows, heavy = random_rows(num_rows, 3), np.arange(num_rows) % 100 == 0
    weights = np.where(heavy, 300.0, 1.0)
    plain, better = (ProductQuantizer.learn(rows, 3, weights=one) for one in (None, weights))
    one, other = (((each.decode(each.encode(rows)) - rows) ** 2).sum(axis=1) for each in (plain, better))
    assert other[heavy].mean() < 0.6 * one[heavy].mean()
    assert other[~heavy].mean() > one[~heavy].mean()


@pytest.mark.parametrize("weights", [np.ones(4), np.zeros(5), [1, 1, 1, 1, -1], [1, 1, 1, 1, np.inf], np.ones((5, 1))])
def test_weights_that_are_none(weights) -> None:
    with pytest.raises(ValueError, match="Expected 5 finite weights above 0"):
        ProductQuantizer.learn(random_rows(5, 3), weights=weights)


def test_learning_is_reproducible() -> None:
    rows = random_rows(3000, 6)
    first = ProductQuantizer.learn(rows, 2, seed=5, num_threads=1)
    again = ProductQuantizer.learn(rows, 2, seed=5, num_threads=3)
    other = ProductQuantizer.learn(rows, 2, seed=6)
    np.testing.assert_array_equal(first.centroids, again.centroids)
    assert (first.centroids != other.centroids).any()


def test_many_rows_are_sampled() -> None:
    class Counted:
        def __init__(self) -> None:
            self.matrix, self.read = random_rows(2 * SAMPLE, 2), 0
            self.shape = self.matrix.shape

        def __len__(self) -> int:
            return len(self.matrix)

        def __getitem__(self, rows):
            found = self.matrix[rows]
            self.read += len(found)
            return found

    rows = Counted()
    ProductQuantizer.learn(rows)
    assert rows.read == SAMPLE


def test_rows_that_are_mapped_and_read_only() -> None:
    rows = random_rows(600, 5)
    quantizer = ProductQuantizer.learn(rows, 2)
    codes = quantizer.encode(rows)
    raw = np.frombuffer(b"x" + rows.tobytes(), dtype=np.uint8)
    unaligned = raw[1:].view(np.float32).reshape(600, 5)
    assert not unaligned.flags.aligned
    np.testing.assert_array_equal(quantizer.encode(unaligned), codes)
    np.testing.assert_array_equal(quantizer.encode(np.asfortranarray(rows)), codes)
    np.testing.assert_array_equal(quantizer.encode(rows[::-1]), codes[::-1])


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e16, -1e16])
def test_numbers_that_cannot_be_quantised(bad: float) -> None:
    rows = random_rows(300, 4)
    quantizer = ProductQuantizer.learn(rows)
    rows[7, 2] = bad
    with pytest.raises(ValueError, match="Expected finite numbers between -1e\\+15 and 1e\\+15 to quantise, got"):
        quantizer.encode(rows)
    with pytest.raises(ValueError, match="Expected finite numbers"):
        ProductQuantizer.learn(rows)


@pytest.mark.parametrize(
    ("centroids", "part_size", "message"),
    [
        (np.zeros(255, np.float32), 1, "centroids as float32 of shape"),
        (np.zeros(0, np.float32), 1, "centroids as float32 of shape"),
        (np.zeros(512, np.float64), 1, "got float64"),
        (np.zeros((256, 2), np.float32), 1, r"got float32 of shape \(256, 2\)"),
        (np.zeros(512, np.float32), 0, "part_size from 1 to the vectors' 2, got 0"),
        (np.zeros(512, np.float32), 3, "part_size from 1 to the vectors' 2, got 3"),
    ],
)
def test_impossible_quantizers(centroids: np.ndarray, part_size: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ProductQuantizer(centroids, part_size)


def test_other_impossible_requests() -> None:
    quantizer = ProductQuantizer(np.zeros(768, np.float32), 2)
    with pytest.raises(ValueError, match=r"rows of shape \(N, 3\), got \(5, 4\)"):
        quantizer.encode(random_rows(5, 4))
    with pytest.raises(ValueError, match=r"uint8 of shape \(N, 2\), got uint8 of shape \(5, 3\)"):
        quantizer.decode(np.zeros((5, 3), np.uint8))
    with pytest.raises(ValueError, match="got int64"):
        quantizer.decode(np.zeros((5, 2), np.int64))
    with pytest.raises(ValueError, match="at least one row to learn from"):
        ProductQuantizer.learn(np.zeros((0, 3), np.float32))
    with pytest.raises(ValueError, match="part_size from 1 to the vectors' 3, got 4"):
        ProductQuantizer.learn(random_rows(5, 3), 4)
    with pytest.raises(ValueError, match="num_threads of at least 1"):
        ProductQuantizer.learn(random_rows(5, 3), num_threads=0)
