"""Vectors quantised anew for a .ftz: what they answer, and what Facebook's program reads of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from daneo import SubwordVectors, WordVectors
from daneo.embeddings.compression.quantized_rows import HalfRows, QuantizedRows
from daneo.embeddings.compression.storing import Storing
from daneo.embeddings.formats.fasttext_export import is_quantised_alike
from daneo.embeddings.formats.fasttext_quantizing import must_be_quantised, part_size, quantised_anew
from daneo.embeddings.subwords.ngram_vectors import NgramVectors
from daneo.embeddings.subwords.subwords import Subwords
from daneo.embeddings.subwords.word_means import WordMeans

WORDS = [f"word{number}" for number in range(500)]
SUBWORDS = Subwords(min_ngram=2, max_ngram=4, num_buckets=900)
UNSEEN = ["wordless", "sword", "foreword", "12345"]


def rows(num_rows: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((num_rows, 8)).astype(np.float32)


def some_vectors(*, kept: int = 900, count_missing: bool = False, how: Storing | None = None) -> SubwordVectors:
    buckets = None if kept == 900 else np.sort(np.random.default_rng(3).permutation(900)[:kept]).astype(np.int32)
    plain = NgramVectors(SUBWORDS, rows(kept, 1), buckets, count_missing=count_missing)
    matrix = WordMeans(rows(500, 2), WORDS, plain)[:]
    if how is None:
        return SubwordVectors(WORDS, matrix, plain)
    ngrams = NgramVectors(SUBWORDS, how.of(plain.rows), buckets, count_missing=count_missing)
    return SubwordVectors(WORDS, how.of(matrix), ngrams)


def cosines(one: Any, other: Any) -> np.ndarray:
    return (one * other).sum(axis=1) / np.linalg.norm(one, axis=1) / np.linalg.norm(other, axis=1)


@pytest.mark.parametrize(
    ("vectors", "size"),
    [
        (some_vectors(kept=700), 2),
        (some_vectors(kept=700, how=Storing(part_size=1)), 1),
        (some_vectors(kept=700, how=Storing(part_size=2, norms=False)), 2),
        (some_vectors(how=Storing(part_size=2, rotate=False)), 2),
        (some_vectors(kept=700, how=Storing(storage="float16")), 2),
        (some_vectors(kept=700, how=Storing(num_parts=5)), 2),
    ],
)
def test_answers_are_nearly_the_same_and_facebooks(vectors: SubwordVectors, size: int, tmp_path: Path) -> None:
    assert must_be_quantised(vectors)
    anew = quantised_anew(vectors)
    assert isinstance(anew, SubwordVectors)
    assert not must_be_quantised(anew)
    assert is_quantised_alike(anew)
    assert (part_size(anew.rows), part_size(anew.ngrams.rows), anew.words) == (size, size, WORDS)
    asked = [*WORDS, *UNSEEN]
    assert cosines(anew[asked], vectors[asked]).min() > 0.97
    anew.save(tmp_path / "x.ftz", format="fasttext-bin")
    assert_array_equal(WordVectors.load(tmp_path / "x.ftz")[asked], anew[asked])
    theirs = pytest.importorskip("fasttext").load_model(str(tmp_path / "x.ftz"))
    assert_array_equal([theirs.get_word_vector(word) for word in asked], anew[asked])


def test_own_rows_without_the_ngrams_that_do_not_count() -> None:
    vectors = some_vectors(kept=300)
    anew = quantised_anew(vectors)
    assert isinstance(anew, SubwordVectors)
    assert isinstance(anew.rows, WordMeans)
    word = "word77"
    kept = vectors.ngrams.rows[vectors.ngrams.rows_in_mean(word)[0]]
    expected = (len(kept) + 1) * vectors[word] - kept.sum(axis=0)
    assert cosines(expected[None], anew.rows.own[[77]]).item() > 0.97
    assert_allclose(np.linalg.norm(anew.rows.own[77]), np.linalg.norm(expected), rtol=0.1)


def test_vectors_without_ngrams() -> None:
    turned = WordVectors(WORDS, Storing(part_size=4).of(rows(500, 0)))
    assert must_be_quantised(turned)
    anew = quantised_anew(turned)
    assert isinstance(anew.rows, QuantizedRows)
    assert anew.rows.quantizer.part_size == 4
    assert cosines(anew.matrix, turned.matrix).mean() > 0.95
    even = WordVectors(WORDS, Storing(num_parts=3, rotate=False).of(rows(500, 0)))
    assert must_be_quantised(even)
    with pytest.raises(ValueError, match="fastText cuts rows into parts of one size"):
        even.save("x.ftz", format="fasttext-bin")


@pytest.mark.parametrize(
    "vectors",
    [
        WordVectors(WORDS, rows(500, 0)),
        WordVectors(WORDS, HalfRows.of(rows(500, 0))),
        WordVectors(WORDS, QuantizedRows.learn(rows(500, 0), 2)),
        some_vectors(),
        some_vectors(kept=300, count_missing=True),
        some_vectors(how=Storing(storage="float16")),
        SubwordVectors(
            WORDS, rows(500, 0), NgramVectors(Subwords(kind="jamo", num_buckets=9), QuantizedRows.learn(rows(9, 0), 2))
        ),
    ],
)
def test_what_needs_no_quantising_or_has_no_place_at_all(vectors: WordVectors) -> None:
    assert not must_be_quantised(vectors)
