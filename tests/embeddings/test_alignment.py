"""Rotations between sets of vectors: scipy's answer, and what a rotation keeps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.linalg import orthogonal_procrustes
from scipy.stats import ortho_group

from daneo import SubwordVectors, Vocabulary, WordVectors
from daneo.embeddings.alignment import shared_rows
from daneo.embeddings.compression.quantized_rows import HalfRows
from daneo.embeddings.compression.storing import Storing
from daneo.embeddings.compression.turned_rows import TurnedRows
from daneo.embeddings.subwords.ngram_vectors import NgramVectors
from daneo.embeddings.subwords.subwords import Subwords


def random_vectors(num_words: int, size: int, seed: int, prefix: str = "w") -> WordVectors:
    rng = np.random.default_rng(seed)
    matrix = rng.standard_normal((num_words, size)) * rng.uniform(0.3, 4, (num_words, 1))
    return WordVectors([f"{prefix}{number}" for number in range(num_words)], matrix)


def unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@given(st.integers(1, 12), st.integers(0, 30), st.booleans(), st.booleans(), st.integers(0, 99))
@settings(deadline=None, max_examples=40)
def test_the_rotation_is_scipys(size: int, more: int, unit_rows: bool, center: bool, seed: int) -> None:
    a, b = (random_vectors(size + more + 1, size, seed + other) for other in (0, 1000))
    rows = [np.array(one.matrix, np.float64) for one in (a, b)]
    if unit_rows:
        rows = [unit(one) for one in rows]
    if center:
        rows = [one - one.mean(axis=0) for one in rows]
    theirs, _ = orthogonal_procrustes(*rows)
    singular = np.linalg.svd(rows[0].T @ rows[1], compute_uv=False)
    norms = np.linalg.norm(rows[0]) * np.linalg.norm(rows[1])
    if singular.min() < 1e-3 * singular.max() or singular.max() < 1e-6 * norms:  # the answer is hardly determined
        return
    ours = a.aligned_to(b, unit_rows=unit_rows, center=center)
    assert_allclose(ours.matrix, a.matrix @ theirs, rtol=0, atol=2e-5)


def test_a_rotated_copy_comes_back() -> None:
    a = random_vectors(500, 40, 0)
    b = WordVectors(a.words[::-1], (a.matrix @ ortho_group.rvs(40, random_state=1))[::-1] * 2)
    aligned = a.aligned_to(b)
    assert_allclose(unit(aligned.matrix), unit(b.matrix[::-1]), rtol=0, atol=1e-6)
    assert aligned.words == a.words
    assert_allclose(aligned.norms, a.norms, rtol=1e-6)
    assert [word for word, _ in aligned.most_similar("w3")] == [word for word, _ in a.most_similar("w3")]


def test_only_shared_words_with_a_direction_count() -> None:
    a = random_vectors(60, 5, 0)
    b = WordVectors(a.words, a.matrix @ ortho_group.rvs(5, random_state=1))
    expected = a.aligned_to(b).matrix
    more_a, more_b = (WordVectors(one.vocabulary, one.matrix) for one in (a, b))
    more_a.add_vectors(["only a", "zero", "nan", "inf"], [[9] * 5, [0] * 5, [1] * 5, [np.inf] + [0] * 4])
    more_b.add_vectors(["only b", "zero", "nan", "inf"], [[9] * 5, [1] * 5, [np.nan] + [0] * 4, [1] * 5])
    assert_allclose(more_a.aligned_to(more_b).matrix[:60], expected, rtol=0, atol=1e-6)


def test_words_to_learn_from() -> None:
    a, b = random_vectors(100, 4, 0), random_vectors(100, 4, 1)
    b.add_vectors(a.words[:20], a.matrix[:20] @ ortho_group.rvs(4, random_state=1), replace=True)
    assert_allclose(a.aligned_to(b, words=a.words[:20]).matrix[:20], b.matrix[:20], rtol=0, atol=1e-5)
    assert np.abs(a.aligned_to(b).matrix[:20] - b.matrix[:20]).max() > 0.1
    with pytest.raises(KeyError, match="nowhere"):
        a.aligned_to(b, words=["w1", "w2", "w3", "nowhere"])


def test_shared_words_come_by_their_frequency_in_both() -> None:
    a = WordVectors(Vocabulary(["a", "b", "c", "d"], [1, 9, 5, 3]), np.eye(4))
    b = WordVectors(["x", "d", "c", "b", "a"], np.eye(5))  # nobody counted: by place
    # Ranks in a: b 0, c 1, d 2, a 3; in b: d 1, c 2, b 3, a 4.
    assert [a.words[row] for row in shared_rows(a, b)[0]] == ["b", "c", "d", "a"]
    assert [b.words[row] for row in shared_rows(a, b)[1]] == ["b", "c", "d", "a"]


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        (random_vectors(9, 4, 0), "Vectors of 3 numbers cannot be aligned to vectors of 4"),
        (random_vectors(2, 3, 0), "share 2 words with finite vectors other than 0; expected at least 3"),
        (random_vectors(9, 3, 0, prefix="x"), "share 0 words"),
    ],
)
def test_what_cannot_be_aligned(other: WordVectors, reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as caught:
        random_vectors(9, 3, 1).aligned_to(other)
    assert "\n" not in str(caught.value)


def test_ngrams_turn_along() -> None:
    rng = np.random.default_rng(0)
    subwords = Subwords(min_ngram=2, max_ngram=3, num_buckets=50)
    ngrams = NgramVectors(subwords, rng.standard_normal((50, 6)).astype(np.float32))
    words = [f"word{number}" for number in range(30)]
    a = SubwordVectors(words, rng.standard_normal((30, 6)), ngrams)
    rotation = ortho_group.rvs(6, random_state=1)
    aligned = a.aligned_to(WordVectors(words, a.matrix @ rotation))
    assert isinstance(aligned, SubwordVectors)
    assert_allclose(aligned[["word1", "never", "seen"]], a[["word1", "never", "seen"]] @ rotation, rtol=0, atol=2e-6)


def test_compressed_rows_stay_compressed_and_are_turned_once(tmp_path: Path) -> None:
    a = random_vectors(600, 8, 0)
    other = WordVectors(a.words, a.matrix @ ortho_group.rvs(8, random_state=1))
    for how, kind in ((Storing(part_size=4), TurnedRows), (Storing(storage="float16"), HalfRows)):
        small = WordVectors(a.words, how.of(a.rows))
        aligned = small.aligned_to(other)
        assert isinstance(aligned.rows, TurnedRows)
        assert not isinstance(aligned.rows.rows, TurnedRows)
        expected = WordVectors(a.words, small.matrix).aligned_to(other)
        assert_allclose(aligned.matrix, expected.matrix, rtol=0, atol=1e-4)
        aligned.save(tmp_path / "aligned")
        again = WordVectors.load(tmp_path / "aligned")
        assert isinstance(again.rows, TurnedRows)
        assert_array_equal(again.matrix, aligned.matrix)
        assert kind is TurnedRows or isinstance(again.rows.rows, kind)
