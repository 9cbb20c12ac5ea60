"""Neighbours, analogies and ranks: hand-worked, and as gensim has them."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from daneo.embeddings import WordVectors


def assert_same_neighbours(
    got: list[tuple[str, float]], want: list[tuple[str, float]], tolerance: float = 5e-7
) -> None:
    assert [word for word, _ in got] == [word for word, _ in want]
    assert_allclose([score for _, score in got], [score for _, score in want], atol=tolerance, rtol=tolerance)


def tied() -> WordVectors:
    """b, c and d are equally near to a; nothing is near to zero; nan is near to nothing."""
    return WordVectors(
        ["d", "a", "nan", "c", "zero", "b", "far"],
        [[2, 2], [1, 0], [np.nan, 1], [1, 1], [0, 0], [5, 5], [-1, 0]],
    )


@pytest.mark.filterwarnings("error")
def test_ties_come_in_the_order_of_the_vocabulary() -> None:
    half = float(np.rint(np.sqrt(0.5) * 2**24) / 2**24)
    everything = [("d", half), ("c", half), ("b", half), ("zero", 0.0), ("far", -1.0)]
    assert tied().most_similar("a") == everything
    assert tied().most_similar("a", topn=2) == everything[:2]
    assert tied().most_similar(["a", "zero"], topn=1) == [[("d", half)], [("d", 0.0)]]


def test_a_list_is_a_batch(vectors) -> None:
    words = ["w3", "w1", "w3", "w499"]
    assert vectors.most_similar(words, topn=4) == [vectors.most_similar(word, topn=4) for word in words]
    assert vectors.most_similar(tuple(words), topn=4) == vectors.most_similar(words, topn=4)
    assert vectors.most_similar([]) == []
    mixed = vectors.most_similar(["w3", vectors["w4"]], topn=1)
    assert mixed[1][0] == ("w4", 1.0)  # a vector is not a word of the question, so its owner may answer
    assert vectors.most_similar(list(vectors.matrix[:2]), topn=1) == [[("w0", 1.0)], [("w1", 1.0)]]


def test_similar_by_word_and_vector(vectors) -> None:
    assert vectors.similar_by_word("w3", topn=3) == vectors.most_similar("w3", topn=3)
    by_vector = vectors.similar_by_vector(vectors["w3"], topn=4)
    assert by_vector == [("w3", 1.0), *vectors.most_similar("w3", topn=3)]
    assert vectors.similar_by_word("w3", topn=2, restrict_vocab=50) == vectors.most_similar(
        "w3", topn=2, restrict_vocab=50
    )


def test_scores_are_the_similarities(vectors) -> None:
    for word, score in vectors.most_similar("w8", topn=50):
        assert score == vectors.similarity("w8", word)


QUESTIONS = [
    {"positive": ["w1"]},
    {"positive": "w1"},
    {"positive": ["w1", "w2"], "negative": ["w3"]},
    {"positive": ["w1", "w2", "w4"], "negative": ["w3", "w5"]},
    {"negative": ["w3"]},
    {"positive": [("w1", 0.25), "w2"], "negative": [("w3", -2.0)]},
    {"positive": [np.arange(20, dtype=np.float32), "w6"], "negative": [("w3", -0.5)]},
]


@pytest.mark.parametrize("question", QUESTIONS, ids=str)
@pytest.mark.parametrize("limits", [{}, {"restrict_vocab": 60}, {"clip_start": 50, "clip_end": 90}], ids=str)
@pytest.mark.parametrize("topn", [1, 10, 500])
def test_combined_questions_equal_gensims(vectors, keyed, question, limits, topn: int) -> None:
    assert_same_neighbours(
        vectors.most_similar(**question, **limits, topn=topn), keyed.most_similar(**question, **limits, topn=topn)
    )


def test_single_questions_equal_gensims(vectors, keyed) -> None:
    for word, answers in zip(vectors.words[:40], vectors.most_similar(vectors.words[:40]), strict=True):
        assert_same_neighbours(answers, keyed.most_similar(word))


@pytest.mark.filterwarnings("ignore:Call to deprecated")
def test_cosmul_equals_gensims(vectors, keyed) -> None:
    for positive, negative in ((["w1"], []), (["w1", "w2"], ["w3"]), ("w9", "w8"), ([vectors["w5"], "w7"], ["w3"])):
        # gensim scales the words' vectors but not given ones; of length 1 they mean the same.
        theirs = [item / np.linalg.norm(item) if isinstance(item, np.ndarray) else item for item in positive]
        for topn in (3, 500):
            got = vectors.most_similar_cosmul(positive, negative, topn=topn)
            want = keyed.most_similar_cosmul("".join(theirs) if positive == "w9" else theirs, negative, topn=topn)
            assert_same_neighbours(got, want, 1e-5)
    few = vectors.most_similar_cosmul(["w1", "w2"], ["w3"], restrict_vocab=40, topn=40)
    assert len(few) == 37
    assert {word for word, _ in few} == {f"w{i}" for i in range(40)} - {"w1", "w2", "w3"}


def test_ranks_equal_gensims(vectors, keyed) -> None:
    for b in ("w2", "w300", "w77"):
        assert vectors.rank("w1", b) == keyed.rank("w1", b)
        assert vectors.closer_than("w1", b) == keyed.closer_than("w1", b)
        got = vectors.relative_cosine_similarity("w1", b, topn=5)
        assert got == pytest.approx(float(keyed.relative_cosine_similarity("w1", b, topn=5)), rel=1e-4)


def test_ranks_of_ties() -> None:
    table = tied()
    assert [table.rank("a", word) for word in ("d", "c", "b", "zero", "far", "a")] == [1, 1, 1, 4, 5, 1]
    assert table.closer_than("a", "far") == ["d", "c", "zero", "b"]
    assert table.closer_than("a", "a") == []
    with pytest.raises(ValueError, match="'nan' holds NaN"):
        table.rank("a", "nan")
    with pytest.raises(ValueError, match="add up to 0"):
        table.relative_cosine_similarity("zero", "a")


def test_float32_noise_does_not_rank() -> None:
    rng = np.random.default_rng(7)
    base = rng.standard_normal(200)
    rows = base + rng.normal(0, 3e-4, (301, 200))
    table = WordVectors([f"w{i}" for i in range(301)], rows)
    exact = {word: table.similarity("w0", word) for word in table.words[1:]}
    for word in table.words[1::6]:
        assert table.closer_than("w0", word) == [other for other in exact if exact[other] > exact[word]]


def test_gensims_change_methods_do_the_same(vectors, keyed) -> None:
    ours, theirs = vectors.restricted(50), type(keyed)(20)
    theirs.add_vectors(ours.words, np.array(ours.matrix))
    rows = np.random.default_rng(4).standard_normal((3, 20)).astype(np.float32)
    for table in (ours, theirs):
        table.add_vectors(["w1", "n1", "n2"], rows)
        table.add_vectors(["w2"], rows[:1], replace=True)
        table["w3"] = rows[1]
        table[["w4", "n3"]] = rows[:2]
    assert ours.words == theirs.index_to_key
    assert_allclose(ours.matrix, theirs.vectors)
    ours.unit_normalize_all()
    theirs.fill_norms(force=True)
    theirs.unit_normalize_all()
    assert_allclose(ours.matrix, theirs.vectors, atol=1e-7)
    assert_same_neighbours(ours.most_similar("w5"), theirs.most_similar("w5"))


@pytest.mark.parametrize(
    ("options", "error", "complaint"),
    [
        ({}, TypeError, "Expected a word .* got None"),
        ({"query": "w1", "positive": ["w2"]}, TypeError, "either a query or positive"),
        ({"query": "w1", "topn": 0}, ValueError, "topn expected at least 1, got 0"),
        ({"query": "w1", "topn": None}, TypeError, "got None. similarities"),
        ({"query": "w1", "topn": 2.5}, TypeError, "whole number, got 2.5"),
        ({"query": "w1", "restrict_vocab": 0}, ValueError, "at least 1 word, got 0"),
        ({"query": "w1", "restrict_vocab": 5, "clip_start": 1}, TypeError, "either restrict_vocab or"),
        ({"query": "w1", "clip_start": 5, "clip_end": 5}, ValueError, "clip_start=5, clip_end=5"),
        ({"query": "w1", "clip_end": 501}, ValueError, "<= 500"),
        ({"query": "w1", "clip_start": -1}, ValueError, "clip_start=-1"),
        ({"positive": ["w1"], "negative": [("w2", 0.5)]}, ValueError, "itself negative, got 0.5 for 'w2'"),
        ({"positive": []}, ValueError, "at least one word"),
        ({"positive": [("w1", 0)]}, ValueError, "weight is not 0"),
        ({"query": 7}, TypeError, "got 7"),
    ],
    ids=str,
)
def test_wrong_questions(vectors, options, error, complaint: str) -> None:
    with pytest.raises(error, match=complaint):
        vectors.most_similar(**options)


def test_cosmul_needs_a_positive_word(vectors) -> None:
    with pytest.raises(ValueError, match="at least one positive word"):
        vectors.most_similar_cosmul([], ["w1"])


def test_restrict_vocab_beyond_the_vocabulary_means_all(vectors) -> None:
    assert vectors.most_similar("w1", restrict_vocab=10**6) == vectors.most_similar("w1")
