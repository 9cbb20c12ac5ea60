"""GloVe as it is used: what it learns, from text and from counts, what it keeps, what it refuses."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from daneo.corpus import Corpus, Vocabulary, count_cooccurrences
from daneo.embeddings import GloVe, Word2Vec, WordVectors
from daneo.embeddings.formats.glove_binary import write_glove_binary
from daneo.embeddings.glove_pairs_writing import write_pairs
from daneo.embeddings.glove_reference import train_pairs
from daneo.embeddings.glove_training import initial_rows, rates
from daneo.embeddings.trained_model import load_model

SMALL: dict[str, Any] = {"vector_size": 20, "epochs": 4, "min_count": 1, "window": 4}


@pytest.fixture(scope="module")
def text() -> list[list[str]]:
    """Two kinds of documents, whose words seldom meet, and words of both."""
    rng = np.random.default_rng(0)
    documents = []
    for number in range(1500):
        kinds = ["abcdefgh" * 12 + "stuvwxyz" + "01", "stuvwxyz" * 12 + "abcdefgh" + "01"]
        documents.append([str(rng.choice(list(kinds[number % 2]))) for _ in range(int(rng.integers(2, 12)))])
    return documents


@pytest.fixture(scope="module")
def model(text: list[list[str]]) -> GloVe:
    return GloVe(**SMALL, num_threads=1).fit(text)


def test_words_of_one_kind_become_alike(text: list[list[str]]) -> None:
    vectors = GloVe(**{**SMALL, "epochs": 40}).fit(text).vectors
    for word, kind in (("a", "abcdefgh"), ("z", "stuvwxyz")):
        same = np.mean([vectors.similarity(word, other) for other in kind if other != word])
        others = "stuvwxyz" if kind.startswith("a") else "abcdefgh"
        assert same > 0.2 + np.mean([vectors.similarity(word, other) for other in others])


def test_it_is_the_reference_over_the_tiles_in_their_rounds(text: list[list[str]], model: GloVe) -> None:
    config, size = model.config, 20
    words, contexts = (
        initial_rows(len(model.vocabulary), size, config.seed, bias=bias).astype(np.float64) for bias in (20, 21)
    )
    both_rates = [rates(config, bias=bias).astype(np.float64) for bias in (20, 21)]
    losses = []
    with (
        count_cooccurrences(text, window=4, min_count=1) as counts,
        write_pairs(counts, None, seed=config.seed) as pairs,
    ):
        blocks = pairs.num_blocks
        for _ in range(config.epochs):
            losses.append(0.0)
            for round in range(blocks):
                for p in range(blocks):
                    q = (p + round) % blocks
                    tile = (*pairs.tile(p, q), p, q, blocks)
                    losses[-1] += train_pairs(words, contexts, *both_rates, *tile, math.log(10), 0.75)
            losses[-1] /= pairs.num_pairs
    assert_allclose(model.losses, losses, rtol=1e-3)
    learned = model.parameters
    assert_allclose(learned.words, words[:, :size], atol=2e-3)  # float32 against float64, thousands of steps on
    assert_allclose(learned.contexts, contexts[:, :size], atol=2e-3)
    assert_allclose(learned.word_biases, words[:, size], atol=2e-3)
    assert_allclose(learned.context_biases, contexts[:, size + 1], atol=2e-3)


@pytest.mark.parametrize("num_threads", [2, 5])
def test_any_number_of_threads_learns_the_same_bits(text: list[list[str]], model: GloVe, num_threads: int) -> None:
    other = GloVe(**SMALL, num_threads=num_threads).fit(text)
    assert_array_equal(other.vectors.matrix, model.vectors.matrix)
    assert_allclose(other.losses, model.losses, rtol=1e-12)  # threads' sums are added in another order


def test_the_loss_falls_and_another_seed_learns_something_else(text: list[list[str]], model: GloVe) -> None:
    assert np.all(np.diff(model.losses) < 0)
    other = GloVe(**SMALL, seed=2).fit(text)
    assert not np.allclose(other.vectors.matrix, model.vectors.matrix)


@pytest.mark.parametrize(
    "settings", [{}, {"weighting": "flat"}, {"symmetric": False}, {"max_size": 9}, {"min_count": 500}]
)
def test_counts_made_before_give_what_the_text_gives(text: list[list[str]], settings: dict[str, Any]) -> None:
    settings = {"min_count": 1, "window": 3, **settings}
    from_text = GloVe(vector_size=8, epochs=2, **settings).fit(text)
    with count_cooccurrences(text, **settings) as counts:
        from_counts = GloVe(vector_size=8, epochs=2).fit(counts)
    assert_array_equal(from_counts.vectors.matrix, from_text.vectors.matrix)
    assert from_counts.vocabulary.words == from_text.vocabulary.words


def test_counts_bring_their_settings_and_others_are_refused(text: list[list[str]]) -> None:
    with count_cooccurrences(text, window=3, weighting="flat", min_count=1) as counts:
        model = GloVe(vector_size=4, epochs=1, window=3).fit(counts)
        assert (model.config.window, model.config.weighting) == (3, "flat")
        with pytest.raises(ValueError, match=r"GloVe\(window=7\) got counts that were made with 3"):
            GloVe(window=7).fit(counts)
        with pytest.raises(ValueError, match=r"GloVe\(min_count=9\) got counts, whose words are chosen already"):
            GloVe(min_count=9).fit(counts)


def test_a_model_that_was_fitted_to_counts_goes_back_to_its_own_settings(text: list[list[str]]) -> None:
    model = GloVe(vector_size=4, epochs=1, min_count=1)
    for window in (3, 5):
        with count_cooccurrences(text, window=window, min_count=1) as counts:
            with pytest.raises(ValueError, match="chosen already"):
                model.fit(counts)
            other = GloVe(vector_size=4, epochs=1)
            assert other.fit(counts).config.window == window
            assert other.fit(text).config.window == 10


def test_a_word_gets_the_vector_that_was_asked_for(text: list[list[str]]) -> None:
    found = {}
    for which in ("sum", "words", "contexts"):
        model = GloVe(**SMALL, vectors=which).fit(text)
        found[which] = model.vectors.matrix
        assert_array_equal(found[which], model.parameters.vectors(which))
    assert_array_equal(found["sum"], found["words"] + found["contexts"])
    assert not np.allclose(found["words"], found["contexts"])


def test_a_model_comes_back_whole(model: GloVe, tmp_path: Path) -> None:
    model.save(tmp_path / "model")
    loaded = GloVe.load(tmp_path / "model")
    for name in ("words", "contexts", "word_biases", "context_biases"):
        assert_array_equal(getattr(loaded.parameters, name), getattr(model.parameters, name))
    assert (loaded.config, loaded.losses, loaded.vocabulary.words) == (
        model.config,
        model.losses,
        model.vocabulary.words,
    )
    assert_array_equal(loaded.vectors.matrix, model.vectors.matrix)
    assert_array_equal(WordVectors.load(tmp_path / "model").matrix, model.vectors.matrix)
    loaded.save(tmp_path / "again")
    for name in ("config.json", "vectors.safetensors", "training.safetensors", "vocabulary.txt"):
        assert (tmp_path / "again" / name).read_bytes() == (tmp_path / "model" / name).read_bytes()
    assert 'daneo.GloVe.load(".")' in (tmp_path / "model/README.md").read_text()


def test_the_binary_file_of_stanfords_program_is_a_model(model: GloVe, tmp_path: Path) -> None:
    learned = model.parameters
    write_glove_binary(
        tmp_path / "vectors.bin",
        tmp_path / "vocab.txt",
        model.vocabulary,
        learned.words,
        learned.contexts,
        learned.word_biases,
        learned.context_biases,
    )
    loaded = GloVe.load(tmp_path / "vectors.bin", vocabulary=tmp_path / "vocab.txt")
    assert_array_equal(loaded.parameters.contexts, learned.contexts)
    assert_array_equal(loaded.vectors.matrix, model.vectors.matrix)
    loaded.save(tmp_path / "model")
    assert_array_equal(GloVe.load(tmp_path / "model").parameters.word_biases, learned.word_biases)


def rewrite(folder: Path, **values: Any) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, **values}))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda folder: (folder / "training.safetensors").unlink(), "nothing"),
        (lambda folder: (folder / "training.safetensors").write_bytes(b"x" * 100), "safetensors"),
        (lambda folder: rewrite(folder, settings={"vector_size": 21}), "expected float32"),
        (lambda folder: rewrite(folder, settings={"window": "wide"}), "settings"),
        (lambda folder: rewrite(folder, settings=5), "settings"),
        (lambda folder: rewrite(folder, training={"algorithm": "word2vec"}), "GloVe"),
        (lambda folder: rewrite(folder, training={"algorithm": "glove", "losses": 1, "num_tokens": 1}), "losses"),
        (lambda folder: (folder / "vocabulary.txt").write_text("a 1\n"), "vocabulary"),
    ],
)
def test_a_damaged_model_is_one_error(model: GloVe, tmp_path: Path, damage: Any, message: str) -> None:
    model.save(tmp_path / "model")
    damage(tmp_path / "model")
    with pytest.raises(ValueError, match=message):
        GloVe.load(tmp_path / "model")


def test_what_cannot_be_learned_from_is_refused(text: list[list[str]], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no two words side by side"):
        GloVe(**SMALL).fit([["a"], ["b"]])
    with pytest.raises(ValueError, match="resume=True"):
        GloVe(**SMALL).fit(text, resume=True)
    with (
        count_cooccurrences(text, min_count=1) as counts,
        pytest.raises(ValueError, match="Leave vocabulary out"),
    ):
        GloVe(**SMALL).fit(counts, vocabulary=counts.vocabulary)
    with pytest.raises(RuntimeError, match="fit"):
        _ = GloVe(**SMALL).vectors
    with pytest.raises(ValueError, match="diverged"):
        GloVe(**{**SMALL, "learning_rate": 1e30}).fit(text)


def test_a_vocabulary_says_which_words(text: list[list[str]]) -> None:
    model = GloVe(**SMALL).fit(text, vocabulary=Vocabulary(["a", "z", "b"]))
    assert model.vocabulary.words == ["a", "z", "b"]


def test_models_that_go_on_training_are_of_other_kinds(model: GloVe, text: list[list[str]], tmp_path: Path) -> None:
    model.save(tmp_path / "model")
    with pytest.raises(ValueError, match="GloVe"):
        load_model(tmp_path / "model")
    Word2Vec(vector_size=4, min_count=1).fit(text).save(tmp_path / "other")
    with pytest.raises(ValueError, match=r"GloVe\.save"):
        GloVe.load(tmp_path / "other")


def test_reports_and_epochs_come_as_they_are_asked_for(text: list[list[str]]) -> None:
    stages, epochs = [], []
    model = GloVe(**SMALL)

    def after(trained: GloVe, epoch: int, loss: float) -> None:
        epochs.append((epoch, loss))
        assert trained.vectors.matrix.shape == (len(trained.vocabulary), 20)

    model.fit(text, progress=lambda report: stages.append((report.stage, report.unit)), on_epoch=after)
    assert [epoch for epoch, _ in epochs] == [1, 2, 3, 4]
    assert [loss for _, loss in epochs] == model.losses
    assert {("shuffling", "pairs"), ("training", "pairs")} <= set(stages)


def test_a_run_is_resumed_with_the_same_settings_only(text: list[list[str]], tmp_path: Path) -> None:
    GloVe(**SMALL).fit(text, checkpoint=tmp_path / "run")
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == ["pairs", "run.json", "state.safetensors"]
    with pytest.raises(FileExistsError, match="unfinished"):
        GloVe(**SMALL).fit(text, checkpoint=tmp_path / "run")
    with pytest.raises(ValueError, match="x_max"):
        GloVe(**SMALL, x_max=5).fit(text, checkpoint=tmp_path / "run", resume=True)
    with pytest.raises(ValueError, match="tokenizer"):
        GloVe(**SMALL).fit(Corpus(text, tokenizer="characters"), checkpoint=tmp_path / "run", resume=True)
    finished = GloVe(**SMALL).fit(text, checkpoint=tmp_path / "run", resume=True)
    assert_array_equal(finished.vectors.matrix, GloVe(**SMALL).fit(text).vectors.matrix)
