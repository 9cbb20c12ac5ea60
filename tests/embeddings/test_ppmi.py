"""PPMI as a trainer: from text and from counts, and what it says when it cannot."""

from __future__ import annotations

import dataclasses
import inspect
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import daneo
from daneo.corpus import count_cooccurrences
from daneo.corpus.cooccurrence_reference import count_cooccurrences as count_by_hand
from daneo.embeddings import PPMI, SparseVectors, WordVectors, ppmi_reduction, ppmi_reference
from daneo.embeddings.ppmi_config import PPMIConfig
from daneo.progress import Progress


def some_text(num_words: int = 40, num_lines: int = 150, seed: int = 0) -> list[str]:
    """Lines of words, frequent ones and rare ones."""
    rng = np.random.default_rng(seed)
    return [" ".join(f"w{i}" for i in rng.zipf(1.3, 12) if i <= num_words) for _ in range(num_lines)]


def counted(text: list[str], words: list[str], **options: Any) -> Any:
    """The matrix of counts, by the definition of counting."""
    place = {word: i for i, word in enumerate(words)}
    documents = [[word for word in line.split() if word in place] for line in text]
    matrix = np.zeros((len(words), len(words)))
    for (word, context), count in count_by_hand(documents, **options).items():
        matrix[place[word], place[context]] = count
    return matrix


@pytest.mark.parametrize("symmetric", [True, False])
@pytest.mark.parametrize("weighting", ["harmonic", "flat"])
def test_text_becomes_what_the_definitions_say(symmetric: bool, weighting: str) -> None:
    text = some_text()
    counting: dict[str, Any] = {"window": 4, "weighting": weighting, "symmetric": symmetric}
    model = PPMI(vector_size=5, min_count=3, alpha=0.6, shift=1.3, power=0.5, **counting).fit(text)
    counts = counted(text, model.vocabulary.words, **counting)
    sparse = ppmi_reference.ppmi(counts, 0.6, 1.3)
    assert_allclose(model.sparse.matrix.toarray(), sparse, rtol=1e-5, atol=2e-6)
    dense, singular_values = ppmi_reference.reduce(model.sparse.matrix.toarray(), 5, 0.5)
    assert_allclose(model.vectors.matrix, dense, atol=1e-5)
    assert model.singular_values is not None
    assert_allclose(model.singular_values, singular_values, rtol=1e-5)
    assert isinstance(model.vectors, WordVectors)
    assert isinstance(model.sparse, SparseVectors)
    assert model.sparse.vocabulary is model.vectors.vocabulary is model.vocabulary


def test_left_contexts_are_not_those_on_both_sides() -> None:
    text = ["a b", "c b", "a d"] * 3
    model = PPMI(vector_size=None, min_count=1, symmetric=False).fit(text)
    assert {word for word, _ in model.sparse.strongest_contexts("b")} <= {"a", "c"}
    assert model.sparse.strongest_contexts("a") == []


def test_counts_become_the_same_as_their_text(tmp_path: Path) -> None:
    text = some_text()
    of_text = PPMI(vector_size=5, window=3, weighting="flat", min_count=2).fit(text)
    with count_cooccurrences(text, window=3, weighting="flat", min_count=2, path=tmp_path / "counts") as counts:
        of_counts = PPMI(vector_size=5).fit(counts)
    assert_array_equal(of_counts.vectors.matrix, of_text.vectors.matrix)
    assert_array_equal(of_counts.sparse.matrix.toarray(), of_text.sparse.matrix.toarray())
    assert (of_counts.config.window, of_counts.config.weighting) == (3, "flat")


def test_settings_that_counts_do_not_have_are_refused() -> None:
    with count_cooccurrences(some_text(), window=3) as counts:
        with pytest.raises(ValueError, match=r"PPMI\(window=4\) got counts that were made with 3"):
            PPMI(window=4).fit(counts)
        with pytest.raises(ValueError, match="counts bring their own"):
            PPMI().fit(counts, vocabulary=counts.vocabulary)


def test_settings_of_counts_are_for_one_fit() -> None:
    model = PPMI(vector_size=2)
    text = some_text()
    for options in ({"window": 3, "weighting": "flat"}, {"window": 5, "symmetric": False}):
        with count_cooccurrences(text, **options) as counts:
            model.fit(counts)
            assert (model.config.window, model.config.weighting) == (counts.window, counts.weighting)
            assert model.config.symmetric == counts.symmetric
    of_text = PPMI(vector_size=2).fit(text)
    assert model.fit(text).config == of_text.config == PPMIConfig(vector_size=2)
    assert_array_equal(model.vectors.matrix, of_text.vectors.matrix)
    with count_cooccurrences(text, window=3) as counts, pytest.raises(ValueError, match=r"PPMI\(window=4\) got counts"):
        PPMI(vector_size=2, window=4).fit(text).fit(counts)


def test_a_vocabulary_says_which_words() -> None:
    vocabulary = daneo.Vocabulary(["w2", "w1", "w5"])
    model = PPMI(vector_size=2).fit(some_text(), vocabulary=vocabulary)
    assert model.vocabulary.words == ["w2", "w1", "w5"]
    assert model.vectors.matrix.shape == (3, 2)


def test_sparse_rows_alone() -> None:
    model = PPMI(vector_size=None).fit(some_text())
    assert model.singular_values is None
    assert len(model.sparse) > 10
    with pytest.raises(RuntimeError, match=r"PPMI\(vector_size=None\) makes no dense vectors: ask model\.sparse"):
        _ = model.vectors


def test_the_same_bits_again_with_any_number_of_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ppmi_reduction, "_SMALL", 100)  # above it the matrix is ARPACK's
    text = some_text(num_words=300, num_lines=1000)
    first = PPMI(vector_size=8, min_count=1, num_threads=1).fit(text)
    assert len(first.vocabulary) > 200
    for num_threads in (1, 2):
        again = PPMI(vector_size=8, min_count=1, num_threads=num_threads).fit(text)
        assert_array_equal(again.vectors.matrix, first.vectors.matrix)
        assert_array_equal(again.sparse.matrix.data, first.sparse.matrix.data)
    expected = ppmi_reference.reduce(first.sparse.matrix.toarray(), 8, 0.25)
    assert_allclose(first.singular_values, expected[1], rtol=1e-4)
    assert_allclose(first.vectors.matrix, expected[0], atol=2e-3 * np.abs(expected[0]).max())


def test_stages_are_told() -> None:
    told: list[Progress] = []
    PPMI(vector_size=2).fit(some_text(), progress=told.append)
    stages = list(dict.fromkeys(report.stage for report in told))
    assert stages[-2:] == ["counting", "weighing"]  # so few words need no search for singular vectors
    assert told[-1].done == told[-1].total


@pytest.mark.parametrize(
    ("settings", "text", "message"),
    [
        ({"min_count": 100}, ["a b"], "100"),
        ({"min_count": 1}, ["a", "b"], "nothing to learn"),
        ({"min_count": 1, "shift": 1e9}, ["a b", "b c"], "No two words stand together more often than by chance"),
        ({}, [], "holds no words"),
    ],
)
def test_text_that_says_nothing(settings: dict[str, Any], text: list[str], message: str) -> None:
    model = PPMI(**settings)
    with pytest.raises(ValueError, match=message):
        model.fit(text)
    assert not model.is_trained


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"vector_size": 0}, ValueError, r"PPMI\(vector_size=...\) expected at least 1"),
        ({"alpha": -0.1}, ValueError, r"PPMI\(alpha=...\) expected at least 0"),
        ({"alpha": float("nan")}, ValueError, r"PPMI\(alpha=...\) expected a finite number"),
        ({"shift": 0}, ValueError, r"PPMI\(shift=...\) expected more than 0"),
        ({"power": -1}, ValueError, r"PPMI\(power=...\) expected at least 0"),
        ({"weighting": "linear"}, ValueError, "harmonic, flat"),
        ({"windwo": 3}, TypeError, "Did you mean window"),
    ],
)
def test_settings_that_are_refused(settings: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        PPMI(**settings)


def test_settings_are_the_arguments() -> None:
    assert list(inspect.signature(PPMI).parameters) == [field.name for field in dataclasses.fields(PPMIConfig)]


def test_before_it_has_learned() -> None:
    model = PPMI()
    assert not model.is_trained
    assert repr(model) == "<PPMI: not trained, vector_size=100>"
    for name in ("vectors", "sparse", "vocabulary"):
        with pytest.raises(RuntimeError, match=r"call fit\(corpus\) first"):
            getattr(model, name)
    with pytest.raises(RuntimeError, match=r"call fit\(corpus\) first"):
        model.save("nowhere")


def test_repr() -> None:
    model = PPMI(vector_size=3).fit(["a b c d e"] * 5)
    assert repr(model) == "<PPMI: 5 words, vector_size=3>"
