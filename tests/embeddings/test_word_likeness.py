"""Cosines, means and odd ones out: hand-worked, and as gensim has them."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from daneo.embeddings import WordVectors

WORDS = ["w3", "w14", "w159", "w265"]


def small() -> WordVectors:
    """A zero vector and two that are not finite among four that are."""
    return WordVectors(
        ["x", "xx", "y", "minus", "zero", "nan", "inf"],
        [[1, 0], [5, 0], [0, 2], [-1, 0], [0, 0], [np.nan, 0], [np.inf, 0]],
    )


@pytest.mark.filterwarnings("error")
def test_hand_worked_cosines() -> None:
    table = small()
    assert table.similarity("x", "xx") == 1
    assert table.similarity("x", "y") == 0
    assert table.similarity("x", "minus") == -1
    assert table.distance("x", "minus") == 2
    assert table.similarity("x", np.array([3, 4])) == np.float32(0.6)
    assert table.similarity("zero", "x") == table.similarity("zero", "zero") == 0
    assert table.similarities("x").tolist()[:5] == [1, 1, 0, -1, 0]
    assert np.isnan(table.similarities("x")[5:]).all()
    assert table.similarities("x", ["minus", "y"]).tolist() == [-1, 0]
    assert table.similarities("x", []).shape == (0,)
    assert table.distances("zero")[:5].tolist() == [1] * 5
    assert table.n_similarity(["x", "y"], ["xx"]) == pytest.approx(1 / np.sqrt(5))
    assert table.most_similar_to_given("x", ["nan", "y", "xx"]) == "xx"
    assert table.most_similar_to_given("x", ["xx", "x"]) == "xx"  # both 1: the first


def test_right_angles_are_exactly_zero() -> None:
    table = WordVectors(["a", "b"], [[0.1, 0.3, 0.7], [0.3, -0.1, 0]])
    assert table.similarity("a", "b") == 0


@pytest.mark.parametrize("word", ["nan", "inf"])
def test_a_vector_that_is_not_finite_has_no_direction(word: str) -> None:
    table = small()
    for ask in (
        lambda: table.similarity("x", word),
        lambda: table.similarities(word),
        lambda: table.most_similar(word),
        lambda: table.most_similar(["x", word]),
        lambda: table.get_mean_vector([word]),
        lambda: table.rank("x", word),
    ):
        with pytest.raises(ValueError, match=f"'{word}' holds NaN or infinity"):
            ask()
    with pytest.raises(ValueError, match="The vector holds NaN"):
        table.most_similar(np.array([np.nan, 1]))


def test_wrong_items() -> None:
    table = small()
    with pytest.raises(TypeError, match=r"Expected a word \(str\) or a vector \(array\), got 3 \(int\)"):
        table.similarity("x", 3)
    with pytest.raises(ValueError, match=r"shape \(2,\), got \(3,\)"):
        table.similarity("x", np.ones(3))
    with pytest.raises(ValueError, match=r"shape \(2,\), got \(1, 2\)"):
        table.similar_by_vector(np.ones((1, 2)))
    with pytest.raises(ValueError, match="at least three words, got 2"):
        table.doesnt_match(["x", "y"])
    with pytest.raises(ValueError, match="at least one word"):
        table.n_similarity(["x"], [])
    with pytest.raises(ValueError, match="at least one word"):
        table.most_similar_to_given("x", [])


def test_means() -> None:
    table = small()
    assert table.get_mean_vector(["xx", "y"]).tolist() == [0.5, 0.5]
    assert table.get_mean_vector(["xx", "y"], pre_normalize=False).tolist() == [2.5, 1]
    assert table.get_mean_vector(["xx", "y"], weights=[3, -1]).tolist() == [0.75, -0.25]
    assert table.get_mean_vector(["xx", np.array([0, 4])]).tolist() == [0.5, 2]  # vectors are taken as they are
    assert_allclose(table.get_mean_vector(["x", "y"], post_normalize=True), [0.5**0.5] * 2, rtol=1e-7)
    assert table.get_mean_vector(["x", "minus"], post_normalize=True).tolist() == [0, 0]
    assert table.get_mean_vector(["x", "unheard"], weights=[1, 9], ignore_missing=True).tolist() == [1, 0]
    with pytest.raises(KeyError, match="None of the 2 words"):
        table.get_mean_vector(["unheard", "of"], ignore_missing=True)
    for wrong in ([1], [1, 1, 1], [[1, 1]]):
        with pytest.raises(ValueError, match="expected 2 weights"):
            table.get_mean_vector(["x", "y"], weights=wrong)
    for wrong in ([0, 0], [np.inf, 1], [np.nan, 1]):
        with pytest.raises(ValueError, match="whose weight is not 0"):
            table.get_mean_vector(["x", "y"], weights=wrong)
    with pytest.raises(ValueError, match="at least one word"):
        table.get_mean_vector([])


def test_cosines_equal_gensims(vectors, keyed) -> None:
    for a in WORDS:
        for b in WORDS:
            assert vectors.similarity(a, b) == pytest.approx(float(keyed.similarity(a, b)), abs=2e-7)
            assert vectors.distance(a, b) == pytest.approx(float(keyed.distance(a, b)), abs=2e-7)
        assert_allclose(vectors.distances(a), keyed.distances(a), atol=5e-7)
        assert_allclose(vectors.distances(a, WORDS), keyed.distances(a, WORDS), atol=5e-7)
    assert_allclose(vectors.distances(vectors["w7"]), keyed.distances("w7"), atol=5e-7)
    assert_allclose(vectors.norms, np.linalg.norm(keyed.vectors, axis=1), rtol=1e-6)
    assert_allclose(vectors.get_normed_vectors(), keyed.get_normed_vectors(), atol=1e-7)


def test_sets_equal_gensims(vectors, keyed) -> None:
    assert vectors.n_similarity(WORDS[:2], WORDS[1:]) == pytest.approx(
        float(keyed.n_similarity(WORDS[:2], WORDS[1:])), abs=2e-7
    )
    for first in range(0, 400, 40):
        words = [f"w{i}" for i in range(first, first + 5)]
        assert vectors.doesnt_match(words) == keyed.doesnt_match(words)
        ranked, theirs = vectors.rank_by_centrality(words), keyed.rank_by_centrality(words)
        assert [word for word, _ in ranked] == [word for _, word in theirs]
        assert_allclose([score for _, score in ranked], [score for score, _ in theirs], atol=5e-7)
        assert vectors.most_similar_to_given("w1", words) == keyed.most_similar_to_given("w1", words)


@pytest.mark.parametrize("pre_normalize", [True, False])
@pytest.mark.parametrize("post_normalize", [True, False])
def test_means_equal_gensims(vectors, keyed, pre_normalize: bool, post_normalize: bool) -> None:
    items = [*WORDS, np.arange(20, dtype=np.float32)]
    options = {"pre_normalize": pre_normalize, "post_normalize": post_normalize}
    for weights in (None, [1, -2, 0.5, 0, 3]):
        got = vectors.get_mean_vector(items, weights=weights, **options)
        assert_allclose(got, keyed.get_mean_vector(items, weights, **options), atol=1e-6)
