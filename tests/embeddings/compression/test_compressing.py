"""Smaller models: what they keep, answer and take, through files too."""

from __future__ import annotations

import mmap
from pathlib import Path

import numpy as np
import pytest

import daneo
from daneo.embeddings.compression.compressing import compress
from daneo.embeddings.compression.int8_rows import Int8Rows
from daneo.embeddings.compression.quantized_rows import HalfRows, QuantizedRows
from daneo.embeddings.compression.turned_rows import TurnedRows
from daneo.embeddings.subword_vectors import SubwordVectors
from daneo.embeddings.subwords.ngram_vectors import NgramVectors
from daneo.embeddings.subwords.subwords import Subwords
from daneo.embeddings.subwords.word_means import WordMeans


def cosines(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    return (one * other).sum(axis=-1) / np.linalg.norm(one, axis=-1) / np.linalg.norm(other, axis=-1)


@pytest.mark.parametrize(
    ("options", "kind", "least"),
    [
        ({"part_size": 1}, QuantizedRows, 0.9999),
        ({}, TurnedRows, 0.99),
        ({"rotate": False}, QuantizedRows, 0.99),
        ({"norms": False}, TurnedRows, 0.99),
        ({"storage": "int8"}, Int8Rows, 0.9999),
        ({"storage": "float16"}, HalfRows, 0.999999),
        ({"storage": "float32"}, np.ndarray, 1 - 1e-6),
    ],
    ids=str,
)
def test_every_storage_answers_nearly_the_same(with_ngrams: SubwordVectors, options, kind, least) -> None:
    smaller, _ = compress(with_ngrams, **options)
    assert isinstance(smaller, SubwordVectors)
    assert isinstance(smaller.rows if kind is not np.ndarray else smaller.matrix, kind)
    assert isinstance(smaller.ngrams.rows, kind)
    assert (smaller.words, smaller.counts.tolist()) == (with_ngrams.words, with_ngrams.counts.tolist())
    assert cosines(smaller.matrix, with_ngrams.matrix).min() > least
    unseen = [word[::-1] + word for word in with_ngrams.words[:50]]
    assert cosines(smaller[unseen], with_ngrams[unseen]).min() > least - 0.01


def test_dropped_words_are_made_of_their_ngrams(with_ngrams: SubwordVectors) -> None:
    smaller, report = compress(with_ngrams, num_words=200, storage="float32")
    assert smaller.words == with_ngrams.words[:200]
    np.testing.assert_array_equal(smaller.matrix, with_ngrams.matrix[:200])
    dropped = with_ngrams.words[200]
    assert dropped not in smaller
    np.testing.assert_array_equal(smaller[dropped], with_ngrams.ngrams.vector(dropped))
    assert (report.before.num_words, report.after.num_words) == (600, 200)


def test_dropped_ngrams_do_not_count(with_ngrams: SubwordVectors) -> None:
    smaller, report = compress(with_ngrams, num_ngrams=300, storage="float32")
    assert isinstance(smaller, SubwordVectors)
    assert (len(smaller.ngrams), report.after.num_ngrams, smaller.ngrams.count_missing) == (300, 300, False)
    assert smaller.ngrams.buckets is not None
    kept = set(smaller.ngrams.buckets.tolist())
    word = "abcdef" + with_ngrams.words[0]
    rows = with_ngrams.ngrams.rows_of([one for one in with_ngrams.ngrams.subwords.buckets(word) if one in kept])
    assert 0 < len(rows) < len(with_ngrams.ngrams.subwords.buckets(word))
    np.testing.assert_allclose(smaller[word], with_ngrams.ngrams.rows[rows].mean(axis=0), rtol=1e-5, atol=1e-6)


def test_ngrams_of_every_bucket_are_reduced_to_those_in_use(with_ngrams: SubwordVectors) -> None:
    old = with_ngrams.ngrams
    rng = np.random.default_rng(1)
    rows = rng.standard_normal((old.subwords.num_buckets, old.vector_size)).astype(np.float32)
    rows[old.buckets] = old.rows[:]
    dense = SubwordVectors(with_ngrams.words, with_ngrams.matrix, NgramVectors(old.subwords, rows))
    smaller, _ = compress(dense, storage="float32")
    assert isinstance(smaller, SubwordVectors)
    np.testing.assert_array_equal(smaller.ngrams.buckets, old.buckets)
    np.testing.assert_array_equal(smaller.ngrams.rows[:], old.rows[:])


def test_without_ngrams_what_is_left_are_plain_vectors(with_ngrams: SubwordVectors) -> None:
    smaller, report = compress(with_ngrams, num_ngrams=0)
    assert type(smaller) is daneo.WordVectors
    assert report.after.num_ngrams == 0
    assert [one.name for one in report.words] == ["kept words"]
    with pytest.raises(KeyError):
        smaller["never seen"]


def test_plain_vectors(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    words = [f"w{number}" for number in range(500)]
    vectors = daneo.WordVectors(words, rng.standard_normal((500, 7)))
    smaller, report = compress(vectors, num_words=400, part_size=3)
    assert type(smaller) is daneo.WordVectors
    assert smaller.words == words[:400]
    assert smaller.rows.shape == (400, 7)
    assert report.words[0].cosine > 0.98
    smaller.save(tmp_path / "small")
    again = daneo.WordVectors.load(tmp_path / "small")
    assert isinstance(again.rows, TurnedRows)
    assert isinstance(again.rows.rows, QuantizedRows)
    np.testing.assert_array_equal(again.matrix, smaller.matrix)
    assert again.most_similar("w3") == smaller.most_similar("w3")


@pytest.mark.parametrize(
    "options",
    [{}, {"storage": "int8"}, {"storage": "float16"}, {"storage": "float32"}, {"norms": False}, {"rotate": False}],
    ids=str,
)
def test_through_files(with_ngrams: SubwordVectors, tmp_path: Path, options) -> None:
    smaller, report = compress(with_ngrams, num_words=300, num_ngrams=500, **options)
    smaller.save(tmp_path / "small")
    again = daneo.WordVectors.load(tmp_path / "small")
    asked = [*with_ngrams.words, "never seen", "abcabc"]
    np.testing.assert_array_equal(again[asked], smaller[asked])
    assert again.most_similar(asked[:3] + asked[-2:]) == smaller.most_similar(asked[:3] + asked[-2:])
    files = sum((tmp_path / "small" / name).stat().st_size for name in ("vectors.safetensors", "vocabulary.txt"))
    assert report.after.file_bytes == pytest.approx(files, abs=1500)  # the header of the tensors
    assert report.after.file_bytes < report.before.file_bytes


@pytest.mark.parametrize("options", [{}, {"storage": "int8"}, {"storage": "float16"}, {"rotate": False}], ids=str)
def test_compressed_vectors_are_opened_as_a_map_of_their_file(tmp_path: Path, options) -> None:
    matrix = np.random.default_rng(0).standard_normal((3000, 8))
    compress(daneo.WordVectors([f"w{n}" for n in range(3000)], matrix), **options)[0].save(tmp_path / "small")
    rows = daneo.WordVectors.load(tmp_path / "small").rows
    rows = rows.rows if isinstance(rows, TurnedRows) else rows
    arrays = {"codes", "norm_codes", "numbers", "scales", "halves"} & vars(rows).keys()
    assert arrays
    for name in arrays:
        array = getattr(rows, name)
        while isinstance(array.base, np.ndarray):
            array = array.base
        assert isinstance(array.base, mmap.mmap)


def test_compressed_again(with_ngrams: SubwordVectors) -> None:
    smaller, _ = compress(with_ngrams, part_size=1)
    again, report = compress(smaller, num_words=100, num_ngrams=400, storage="float16")
    assert (len(again), report.before.num_words) == (100, 600)
    np.testing.assert_allclose(again.matrix, smaller.matrix[:100], rtol=1e-3, atol=1e-6)


def test_ngrams_of_words_that_are_gone_stay(with_ngrams: SubwordVectors) -> None:
    smaller, _ = compress(with_ngrams, num_words=10, storage="float32")
    again, _ = compress(smaller, storage="float32")
    assert isinstance(again, SubwordVectors)
    assert len(again.ngrams) == len(with_ngrams.ngrams)


def test_ngrams_of_jamo() -> None:
    words = ["날씨가", "날씨를", "좋았다", "나빴다", "hello", "기억한다"]
    subwords = Subwords(kind="jamo", num_buckets=1000)
    rng = np.random.default_rng(0)
    buckets = np.unique(subwords.of_words(words)[1])
    ngrams = NgramVectors(subwords, rng.standard_normal((len(buckets), 8)).astype(np.float32), buckets)
    vectors = SubwordVectors(words, WordMeans(np.zeros((6, 8), np.float32), words, ngrams), ngrams)
    smaller, report = compress(vectors, num_words=4, part_size=1)
    assert (smaller.words, len(report.words)) == (words[:4], 3)
    assert cosines(smaller["날씨는"], vectors["날씨는"]) > 0.999


def test_special_tokens_and_words_in_any_order() -> None:
    vocabulary = daneo.Vocabulary(
        ["<pad>", "<unk>", "rare", "often", "some", "never"],
        [0, 0, 1, 9, 5, 0],
        special_tokens=["<pad>"],
        unknown="<unk>",
    )
    vectors = daneo.WordVectors(vocabulary, np.arange(12).reshape(6, 2))
    smaller, _ = compress(vectors, num_words=4, storage="float32")
    assert smaller.words == ["<pad>", "<unk>", "often", "some"]
    assert (smaller.vocabulary.special_tokens, smaller.vocabulary.unknown) == (("<pad>", "<unk>"), "<unk>")
    assert smaller.matrix.tolist() == [[0, 1], [2, 3], [6, 7], [8, 9]]
    one, _ = compress(vectors, num_words=1, storage="float32")
    assert (one.words, one.vocabulary.unknown) == (["<pad>"], None)


def test_nothing_is_changed(with_ngrams: SubwordVectors) -> None:
    before = with_ngrams.matrix.copy(), with_ngrams.ngrams.rows[:].copy()
    compress(with_ngrams, num_words=50, num_ngrams=50)
    np.testing.assert_array_equal(with_ngrams.matrix, before[0])
    np.testing.assert_array_equal(with_ngrams.ngrams.rows[:], before[1])


def test_reproducible(with_ngrams: SubwordVectors) -> None:
    one, first = compress(with_ngrams, num_words=300, seed=3, num_threads=1)
    other, second = compress(with_ngrams, num_words=300, seed=3, num_threads=2)
    np.testing.assert_array_equal(one.matrix, other.matrix)
    assert first == second


def test_the_method_is_the_function(with_ngrams: SubwordVectors) -> None:
    options = {"num_words": 100, "num_ngrams": 200, "part_size": 3, "norms": False, "seed": 2}
    one, first = with_ngrams.compressed(**options)
    other, second = compress(with_ngrams, **options)
    np.testing.assert_array_equal(one.matrix, other.matrix)
    assert first == second


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"storage": "float8"}, "storage as one of product_quantization, int8, float16, float32; got 'float8'"),
        ({"num_words": 0}, "num_words of at least 1, got 0"),
        ({"num_ngrams": -1}, "num_ngrams of at least 0, got -1"),
        ({"num_ngrams": 5}, "num_ngrams=5, but these vectors have no n-grams"),
        ({"part_size": 0}, "part_size from 1 to the vectors' 3, got 0"),
        ({"part_size": 4}, "part_size from 1 to the vectors' 3, got 4"),
        ({"part_size": 2, "storage": "int8"}, "part_size=2, but int8 has no parts"),
        ({"ratio": 2, "storage": "int8"}, "Give either ratio or these"),
        ({"ratio": 2, "part_size": 2}, "Give either ratio or these"),
        ({"ratio": 0.5}, "a ratio of at least 1, got 0.5"),
        ({"ratio": np.nan}, "a ratio of at least 1, got nan"),
        ({"ratio": 20}, "No storage keeps these rows in 1 bytes; the smallest one takes 12"),
    ],
)
def test_impossible_requests(options, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        compress(daneo.WordVectors(["a", "b"], np.eye(3)[:2]), **options)


@pytest.mark.parametrize(
    ("ratio", "kind", "num_parts"),
    [(1, np.ndarray, 0), (2, HalfRows, 0), (3, Int8Rows, 0), (5, TurnedRows, 7), (6.5, TurnedRows, 4)],
)
def test_the_most_exact_storage_of_a_size(ratio: float, kind: type, num_parts: int) -> None:
    matrix = np.random.default_rng(0).standard_normal((9000, 12)).astype(np.float32)
    vectors = daneo.WordVectors([f"w{number}" for number in range(9000)], matrix)
    smaller, report = compress(vectors, ratio=ratio)
    assert isinstance(smaller.rows, kind)
    if num_parts:
        assert smaller.rows.rows.quantizer.num_parts == num_parts
    assert report.after.row_bytes * ratio <= report.before.row_bytes == 9000 * 48
    assert ("bytes of rows", 9000 * 48, report.after.row_bytes) in report.sizes()


def test_a_size_counts_ngrams_and_their_buckets(with_ngrams: SubwordVectors) -> None:
    _, report = compress(with_ngrams, ratio=1.5, num_words=500)
    assert report.after.row_bytes * 1.5 <= report.before.row_bytes
    rows = 500 + report.after.num_ngrams
    assert report.after.row_bytes == rows * 12 * 2 + report.after.num_ngrams * 4
    with pytest.raises(ValueError, match="keep fewer words or n-grams"):
        compress(with_ngrams, ratio=40)


def test_frequent_words_are_kept_better_than_rare_ones() -> None:
    rng = np.random.default_rng(0)
    matrix = rng.standard_normal((20_000, 8)).astype(np.float32)
    counts = rng.permutation(20_000)
    vectors = daneo.WordVectors(daneo.Vocabulary([f"w{number}" for number in range(20_000)], counts), matrix)
    smaller, _ = compress(vectors, part_size=4)
    near = cosines(smaller.matrix, matrix)
    assert near[counts >= 19_000].mean() > near[counts < 10_000].mean() + 0.005


def test_numbers_that_do_not_fit() -> None:
    vectors = daneo.WordVectors(["a", "b"], [[1, 1e6], [2, 3]])
    with pytest.raises(ValueError, match="Half precision holds finite numbers up to 65,504"):
        compress(vectors, storage="float16")
    for storage, message in (("int8", "int8 holds finite numbers"), (None, "Expected finite numbers")):
        with pytest.raises(ValueError, match=message):
            compress(daneo.WordVectors(["a", "b"], [[1, np.nan], [2, 3]]), storage=storage)


def test_few_words_and_tiny_vectors() -> None:
    one, report = compress(daneo.WordVectors(["only"], [[3.0]]), part_size=1)
    assert one["only"].tolist() == [3]
    assert report.words[0].num_words == 1
    assert str(report)
