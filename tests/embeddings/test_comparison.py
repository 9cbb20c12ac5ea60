"""Comparisons: neighbours counted one by one, and words that are known to have moved."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ortho_group

from daneo import WordVectors
from daneo.embeddings import ComparisonReport, compare


def random_vectors(num_words: int, size: int, seed: int) -> WordVectors:
    rng = np.random.default_rng(seed)
    return WordVectors([f"w{number}" for number in range(num_words)], rng.standard_normal((num_words, size)))


def rotated(vectors: WordVectors, seed: int = 1, scale: float = 3) -> WordVectors:
    rotation = ortho_group.rvs(vectors.vector_size, random_state=seed)
    return WordVectors(vectors.words, scale * vectors.matrix @ rotation)


def test_a_rotated_copy_is_the_same() -> None:
    a = random_vectors(400, 30, 0)
    report = compare(a, rotated(a), topn=10)
    assert (report.overlap, report.jaccard, report.num_shared, report.num_compared) == (1, 1, 400, 400)
    assert report.fit is not None
    assert report.fit.cosine_before < 0.5
    assert report.fit.cosine_after == pytest.approx(1, abs=1e-6)
    assert report.fit.found_again == 1
    assert min(one.cosine for one in report.moved) > 1 - 1e-6


def test_a_word_that_was_swapped_comes_first() -> None:
    a = random_vectors(300, 20, 0)
    b = rotated(a)
    b.add_vectors(["w17", "w250"], b[["w250", "w17"]], replace=True)
    report = compare(a, b, topn=5, most=4)
    assert {one.word for one in report.moved[:2]} == {"w17", "w250"}
    first = next(one for one in report.moved if one.word == "w17")
    assert first.cosine < 0.7 < 0.9 < report.moved[2].cosine
    assert list(first.neighbours_a) == [word for word, _ in a.most_similar("w17", topn=5)]
    assert list(first.neighbours_b) == [word for word, _ in b.most_similar("w17", topn=5)]
    assert len(report.moved) == 4
    assert report.fit is not None
    assert report.fit.found_again == pytest.approx(298 / 300)


@given(st.integers(2, 30), st.integers(2, 30), st.integers(1, 8), st.integers(1, 40), st.integers(0, 99))
@settings(deadline=None, max_examples=40)
def test_overlap_counted_one_by_one(shared: int, others: int, topn: int, num_words: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    both = [f"w{number}" for number in range(shared)]
    a = WordVectors([*(f"a{number}" for number in range(others)), *both], rng.standard_normal((others + shared, 3)))
    b = WordVectors([*both[::-1], "b"], rng.standard_normal((shared + 1, 4)))
    report = compare(a, b, topn=topn, num_words=num_words, most=shared)
    shares, jaccards = {}, {}
    for word in both:
        near = [{near for near, _ in one.restricted(both).most_similar(word, topn=topn)} for one in (a, b)]
        shares[word] = len(near[0] & near[1]) / min(topn, shared - 1)
        jaccards[word] = len(near[0] & near[1]) / len(near[0] | near[1])
    # The sum of the ranks is the same for all, so they come in the order of the first.
    chosen = both[:num_words]
    assert report.num_compared == len(chosen)
    assert report.overlap == pytest.approx(np.mean([shares[word] for word in chosen]))
    assert report.jaccard == pytest.approx(np.mean([jaccards[word] for word in chosen]))
    assert [(one.word, one.overlap) for one in report.moved] == [
        (word, pytest.approx(shares[word])) for word in sorted(chosen, key=lambda word: shares[word])
    ]


def test_vectors_of_different_sizes_have_neighbours_but_no_rotation() -> None:
    a = random_vectors(50, 4, 0)
    b = WordVectors(a.words, np.hstack([a.matrix, np.zeros((50, 3))]))
    report = compare(a, b, most=3)
    assert (report.overlap, report.fit) == (1, None)
    assert report.not_aligned is not None
    assert report.not_aligned.startswith("Vectors of 4 numbers cannot be aligned to vectors of 7")
    assert [(one.word, np.isnan(one.cosine)) for one in report.moved] == [("w0", True), ("w1", True), ("w2", True)]
    assert "not aligned: Vectors of 4 numbers" in str(report)


def test_words_without_a_direction_are_left_out() -> None:
    a = random_vectors(40, 3, 0)
    b = rotated(a)
    a.add_vectors(["zero", "broken"], [[0, 0, 0], [1, 1, 1]])
    b.add_vectors(["zero", "broken"], [[1, 1, 1], [np.nan, 1, 1]])
    report = compare(a, b, most=100)
    assert (report.num_words_a, report.num_shared, report.num_compared, report.overlap) == (42, 42, 40, 1)
    assert not {"zero", "broken"} & {one.word for one in report.moved}


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"topn": 0}, "topn of at least 1, got 0"),
        ({"num_words": 0}, "num_words of at least 1, got 0"),
        ({"most": -1}, "most of at least 0, got -1"),
    ],
)
def test_impossible_requests(options: dict[str, int], reason: str) -> None:
    a = random_vectors(5, 2, 0)
    with pytest.raises(ValueError, match=f"compare expected {reason}"):
        compare(a, a, **options)


def test_vectors_with_hardly_a_word_in_common() -> None:
    a = random_vectors(5, 2, 0)
    with pytest.raises(
        ValueError, match="share 1 words, 1 of them with finite vectors other than 0; expected at least"
    ):
        compare(a, WordVectors(["w3", "x"], np.eye(2)))


def test_the_report_is_a_table() -> None:
    a = random_vectors(2000, 5, 0)
    report = compare(a, rotated(a), num_words=1500, most=2)
    assert isinstance(report, ComparisonReport)
    lines = str(report).splitlines()
    assert lines[3].split() == ["words", "compared", "1,500"]
    assert lines[4] == "neighbours in common, of 10           1.0000"
    assert len(lines) == 9 + 2 + 2
    assert str(compare(a, a, num_words=9, most=0)).count("\n") == 8
