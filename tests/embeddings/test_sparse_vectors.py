"""Sparse vectors: every answer is that of the dense matrix."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from daneo.embeddings import SparseVectors, WordVectors
from daneo.embeddings.word_vectors import WordVectors as Dense


def some_matrix(size: int, seed: int) -> Any:
    """Mostly zeros; one row of nothing else, and two rows that are the same."""
    rng = np.random.default_rng(seed)
    dense = rng.gamma(2, 1, (size, size)) * (rng.random((size, size)) < 0.2)
    dense[size // 2] = 0
    dense[size // 3] = dense[0]
    return dense.astype(np.float32)


def both(dense: Any) -> tuple[SparseVectors, Dense]:
    words = [f"w{i}" for i in range(len(dense))]
    return SparseVectors(words, sparse.csr_array(dense)), WordVectors(words, dense)


@pytest.fixture(scope="module")
def pair() -> tuple[SparseVectors, Dense]:
    return both(some_matrix(90, 0))


def test_lookup(pair: tuple[SparseVectors, Dense]) -> None:
    ours, dense = pair
    assert (len(ours), ours.words, ours.vector_size) == (len(dense), dense.words, 90)
    assert "w3" in ours
    assert "x" not in ours
    assert_array_equal(ours["w3"], dense["w3"])
    assert_array_equal(ours[["w3", "w0"]], dense[["w3", "w0"]])
    assert_array_equal(ours.get_vector("w3", norm=True), dense.get_vector("w3", norm=True))
    assert_allclose(ours.norms, dense.norms, rtol=1e-6)
    assert_array_equal(ours.matrix.toarray(), dense.matrix)
    assert ours.rows.num_stored == np.count_nonzero(dense.matrix)
    with pytest.raises(KeyError, match=r"w900"):
        ours["w900"]


def test_likeness(pair: tuple[SparseVectors, Dense]) -> None:
    ours, dense = pair
    for a, b in (("w1", "w2"), ("w0", "w30"), ("w45", "w1")):
        assert ours.similarity(a, b) == dense.similarity(a, b)
        assert ours.rank(a, b) == dense.rank(a, b)
        assert ours.closer_than(a, b) == dense.closer_than(a, b)
    assert_allclose(ours.similarities("w1"), dense.similarities("w1"), atol=1e-6)
    assert_array_equal(ours.similarities("w1", ["w2", "w3"]), dense.similarities("w1", ["w2", "w3"]))
    assert ours.doesnt_match(["w1", "w2", "w3"]) == dense.doesnt_match(["w1", "w2", "w3"])
    assert ours.n_similarity(["w1", "w2"], ["w3"]) == dense.n_similarity(["w1", "w2"], ["w3"])


@settings(deadline=None, max_examples=30)
@given(st.integers(3, 40), st.integers(0, 2**32), st.integers(1, 50))
def test_neighbours(size: int, seed: int, topn: int) -> None:
    ours, dense = both(some_matrix(size, seed))
    for word in ("w0", "w1", f"w{size // 2}"):
        assert ours.most_similar(word, topn=topn) == dense.most_similar(word, topn=topn)
    assert ours.most_similar(ours.words, topn=topn) == dense.most_similar(dense.words, topn=topn)
    question: dict[str, Any] = {"positive": ["w0", ("w1", 0.5)], "negative": ["w2"], "topn": topn}
    assert ours.most_similar(**question) == dense.most_similar(**question)
    assert ours.similar_by_vector(dense["w1"] + 1, topn=3) == dense.similar_by_vector(dense["w1"] + 1, topn=3)
    assert ours.most_similar("w1", restrict_vocab=2) == dense.most_similar("w1", restrict_vocab=2)
    assert ours.most_similar("w1", clip_start=1, clip_end=3) == dense.most_similar("w1", clip_start=1, clip_end=3)
    cosmul = ours.most_similar_cosmul(["w0", "w1"], ["w2"], topn=topn)
    assert cosmul == dense.most_similar_cosmul(["w0", "w1"], ["w2"], topn=topn)


def test_many_questions_are_asked_in_pieces(pair: tuple[SparseVectors, Dense]) -> None:
    ours, dense = pair
    words = [f"w{i % 90}" for i in range(200)]
    assert ours.most_similar(words, topn=2) == dense.most_similar(words, topn=2)
    assert ours.most_similar([], topn=2) == []


def test_many_blocks_of_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    from daneo.embeddings import sparse_blocks

    monkeypatch.setattr(sparse_blocks, "_MOST_ROWS", 7)
    monkeypatch.setattr(sparse_blocks, "_QUERIES_MADE_DENSE", 2)
    ours, dense = both(some_matrix(90, 3))
    assert ours.most_similar(["w1", "w80"]) == dense.most_similar(["w1", "w80"])
    assert_allclose(ours.similarities("w5"), dense.similarities("w5"), atol=1e-6)


def test_numbers_of_any_sign_and_size() -> None:
    dense = some_matrix(30, 4)
    dense[3] *= -1
    dense[4] *= 1e20
    dense[5] *= 1e-25
    dense[6] *= 1e-38
    ours, theirs = both(dense)
    assert ours.most_similar(ours.words) == theirs.most_similar(theirs.words)


def test_numbers_that_are_not_finite() -> None:
    dense = some_matrix(30, 5)
    dense[3, 2] = np.nan
    dense[4, 2] = np.inf
    ours, theirs = both(dense)
    assert ours.most_similar("w1", topn=30) == theirs.most_similar("w1", topn=30)
    assert np.isnan(ours.norms[[3, 4]]).all()
    with pytest.raises(ValueError, match="NaN or infinity"):
        ours.most_similar("w3")


def test_strongest_contexts() -> None:
    dense = np.array([[0, 2, 5, 2], [0, 0, 0, 0], [1, 0, 0, -3], [0, 0, 0, 1]], dtype=np.float32)
    vectors = SparseVectors(["a", "b", "c", "d"], sparse.csr_array(dense))
    assert vectors.strongest_contexts("a") == [("c", 5.0), ("b", 2.0), ("d", 2.0)]
    assert vectors.strongest_contexts("a", topn=2) == [("c", 5.0), ("b", 2.0)]
    assert vectors.strongest_contexts("b") == []
    assert vectors.strongest_contexts("c") == [("a", 1.0), ("d", -3.0)]
    with_zero = sparse.csr_array((np.array([0, 2], np.float32), [0, 1], [0, 2, 2]), shape=(2, 2))
    assert SparseVectors(["a", "b"], with_zero).strongest_contexts("a") == [("b", 2.0)]
    with pytest.raises(KeyError, match="'e'"):
        vectors.strongest_contexts("e")
    with pytest.raises(ValueError, match="topn expected at least 1"):
        vectors.strongest_contexts("a", topn=0)


def test_evaluation(tmp_path: Path, pair: tuple[SparseVectors, Dense]) -> None:
    ours, dense = pair
    rng = np.random.default_rng(6)
    asked = rng.integers(0, 90, (300, 4))
    analogies, similarities = tmp_path / "analogies.txt", tmp_path / "similarities.tsv"
    # Half of the answers are those of the dense vectors, so that there is something to get right.
    lines = [": gram-one"]
    for i, (a, b, c, d) in enumerate(asked.tolist()):
        near = dense.most_similar(positive=[f"w{b}", f"w{c}"], negative=[f"w{a}"], topn=1)[0][0]
        lines.append(f"w{a} w{b} w{c} {near if i % 2 else f'w{d}'}")
        if i == 100:
            lines.append(": two")
    analogies.write_text("\n".join(lines) + "\n")
    similarities.write_text("".join(f"w{a}\tw{b}\t{c}\n" for a, b, c, _ in asked.tolist()) + "w1\tnobody\t3\n")
    assert ours.evaluate_similarities(similarities) == dense.evaluate_similarities(similarities)
    assert ours.evaluate_similarities(similarities).num_left_out == 1
    for method in ("3cosadd", "3cosmul"):
        found = ours.evaluate_analogies(analogies, method=method)
        assert found == dense.evaluate_analogies(analogies, method=method)
    assert ours.evaluate_analogies(analogies).total.correct >= 100
    limited = ours.evaluate_analogies(analogies, restrict_vocab=50)
    assert limited == dense.evaluate_analogies(analogies, restrict_vocab=50)


def test_similarities_are_compared_in_pieces(
    tmp_path: Path, pair: tuple[SparseVectors, Dense], monkeypatch: pytest.MonkeyPatch
) -> None:
    from daneo.embeddings import similarity_sets

    path = tmp_path / "similarities.tsv"
    path.write_text("".join(f"w{i}\tw{2 * i}\t{i % 7}\n" for i in range(40)))
    whole = pair[0].evaluate_similarities(path)
    monkeypatch.setattr(similarity_sets, "_NUMBERS_AT_ONCE", 200)
    assert pair[0].evaluate_similarities(path) == whole


def test_save_and_load(tmp_path: Path, pair: tuple[SparseVectors, Dense]) -> None:
    ours, dense = pair
    ours.save(tmp_path / "rows")
    again = SparseVectors.load(tmp_path / "rows")
    assert again.vocabulary == ours.vocabulary
    assert_array_equal(again.matrix.toarray(), dense.matrix)
    assert again.most_similar("w1") == ours.most_similar("w1")
    again.save(tmp_path / "rows")  # onto what it is mapped from
    assert again.most_similar("w2") == ours.most_similar("w2")
    assert SparseVectors.load(tmp_path / "rows").strongest_contexts("w1") == ours.strongest_contexts("w1")
    assert "daneo.SparseVectors.load" in (tmp_path / "rows" / "README.md").read_text()


def test_a_directory_of_other_files_is_not_replaced(tmp_path: Path, pair: tuple[SparseVectors, Dense]) -> None:
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(FileExistsError, match=r"letter\.txt"):
        pair[0].save(tmp_path)


@pytest.mark.parametrize("shape", [(2, 3), (3, 2), (1, 1)])
def test_shapes_that_do_not_fit_are_refused(shape: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match=r"SparseVectors expected a matrix of shape"):
        SparseVectors(["a", "b"], sparse.csr_array(np.ones(shape)))


def test_repr(pair: tuple[SparseVectors, Dense]) -> None:
    assert repr(pair[0]) == f"<SparseVectors: 90 words, {np.count_nonzero(pair[1].matrix):,} numbers other than 0>"


def test_opening_and_a_few_looks_load_nothing_heavy(tmp_path: Path, pair: tuple[SparseVectors, Dense]) -> None:
    pair[0].save(tmp_path / "rows")
    code = f"""
import sys, daneo
vectors = daneo.SparseVectors.load(r"{tmp_path / "rows"}")
vectors["w1"], "w2" in vectors, vectors.similarity("w1", "w2"), vectors.strongest_contexts("w1")
print([name for name in ("numba", "torch", "scipy") if name in sys.modules])"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
