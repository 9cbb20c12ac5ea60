"""Word2Vec as a user meets it: it learns, equals its definition, starts from vectors, freezes, goes on, refuses."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from daneo.corpus import Corpus, Vocabulary
from daneo.embeddings import Word2Vec, WordVectors, noise, subsampling_reference, word2vec_reference
from daneo.embeddings.huffman import huffman_paths
from daneo.embeddings.noise import keep_probabilities, noise_table
from daneo.embeddings.text_stretches import TextStretches
from daneo.embeddings.word2vec_config import Word2VecConfig
from daneo.embeddings.word2vec_matrices import initial_vectors, padded_rows
from daneo.embeddings.word2vec_training import num_noise_words, random_states
from daneo.progress import Progress

ALGORITHMS = [
    {"architecture": architecture, "loss": loss}
    for architecture, loss in product(("skipgram", "cbow"), ("negative_sampling", "hierarchical_softmax"))
]
every_algorithm = pytest.mark.parametrize("algorithm", ALGORITHMS, ids=lambda names: "-".join(names.values()))
SMALL: dict[str, Any] = {"vector_size": 10, "window": 2, "min_count": 1, "epochs": 2, "sample": 0.0, "num_threads": 1}

ANIMALS = ["cat", "dog", "horse", "cow", "sheep", "goat"]
TOOLS = ["hammer", "saw", "drill", "file", "plane", "chisel"]


def two_topics(seed: int, num_documents: int = 300) -> list[list[str]]:
    """Documents about animals or about tools; some words stand in both."""
    rng = np.random.default_rng(seed)
    topics = [[*ANIMALS, "the", "a", "is"], [*TOOLS, "the", "a", "is"]]
    return [list(rng.choice(topics[rng.integers(2)], 12)) for _ in range(num_documents)]


def random_text(seed: int, num_words: int = 60, num_documents: int = 150) -> list[list[str]]:
    """Words with falling frequencies in documents of all lengths, 0 and 1 included."""
    rng = np.random.default_rng(seed)
    ids = [np.minimum(rng.zipf(1.3, rng.integers(0, 45)) - 1, num_words - 1) for _ in range(num_documents)]
    return [[f"w{i}" for i in document] for document in ids]


@pytest.fixture(scope="module", autouse=True)
def small_noise_table() -> Iterator[None]:
    """Of the time that such small texts take, most would go into a table of 4 million noise words."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(noise, "SMALLEST_TABLE", 1 << 14)
        yield


@pytest.fixture(scope="module")
def trained() -> dict[str, Word2Vec]:
    """A model of each algorithm, by architecture and loss, that nobody may change."""
    return {
        "-".join(algorithm.values()): Word2Vec(**SMALL, **algorithm).fit(two_topics(0, 60)) for algorithm in ALGORITHMS
    }


# ---------------------------------------------------------------------------------------------------- what it learns


@every_algorithm
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_words_of_one_topic_come_to_lie_together(algorithm: dict[str, str], seed: int) -> None:
    settings = {**SMALL, "window": 4, "epochs": 8, "num_threads": 2, "learning_rate": 0.05, "seed": seed}
    vectors = Word2Vec(**settings, **algorithm).fit(two_topics(seed)).vectors
    unit = vectors.matrix / np.linalg.norm(vectors.matrix, axis=1, keepdims=True)
    animals, tools = ([unit[vectors.vocabulary.id(word)] for word in words] for words in (ANIMALS, TOOLS))
    between = np.array(animals) @ np.array(tools).T
    for topic in (np.array(animals), np.array(tools)):
        # The least like pair of one topic against the most like pair of two.
        assert (topic @ topic.T).min() > between.max() + 0.2


@every_algorithm
def test_the_loss_falls(algorithm: dict[str, str]) -> None:
    model = Word2Vec(**{**SMALL, "epochs": 6, "learning_rate": 0.05}, **algorithm).fit(two_topics(0))
    assert len(model.losses) == 6
    assert model.losses[-1] < 0.98 * model.losses[0]


def by_definition(config: Word2VecConfig, text: list[list[str]]) -> tuple[np.ndarray, np.ndarray, list[float]]:
    """Train with word2vec_reference, on one thread."""
    losses = []
    with Corpus(text).encode(min_count=config.min_count) as encoded:
        counts, stretches = encoded.vocabulary.counts, TextStretches(encoded)
        assert len(stretches) > 2
        table, paths = noise_table(counts, config.ns_exponent, config.seed), huffman_paths(counts)
        specific: tuple[Any, ...] = (table, num_noise_words(config), config.negative)
        if config.loss == "hierarchical_softmax":
            specific = (paths.starts, paths.nodes, paths.signs, paths.longest)
        random = random_states(config.seed, 1, len(table))[0]
        inputs = initial_vectors(len(counts), config.vector_size, config.seed).astype(np.float64)
        outputs = padded_rows(len(counts), config.vector_size).astype(np.float64)
        rows = (np.arange(len(counts)), np.arange(len(counts)), np.zeros((0, inputs.shape[1])))
        trainer = getattr(word2vec_reference, f"{config.architecture}_{config.loss}")
        for epoch in range(config.epochs):
            total, examples = 0.0, 0
            for number in range(len(stretches)):
                ids, ends = stretches.read(stretches.place(number))
                kept, kept_ends = np.empty(len(ids), np.int32), np.empty_like(ends)
                subsampling_reference.subsample(
                    ids, ends, keep_probabilities(counts, config.sample), random, kept, kept_ends
                )
                share = (epoch + number / len(stretches)) / config.epochs
                rate = config.first_learning_rate * (1 - share) + config.last_learning_rate * share
                window = (config.window, config.shrink_windows, rate, random)
                loss, num = trainer(kept, kept_ends, inputs, outputs, *rows, *specific, *window)
                total, examples = total + loss, examples + num
            losses.append(total / examples)
    return inputs, outputs, losses


@every_algorithm
def test_training_is_what_its_definition_says(algorithm: dict[str, str]) -> None:
    config = Word2VecConfig(**{**SMALL, "sample": 0.01, "min_count": 2, "seed": 5}, **algorithm)
    text = random_text(7)
    model = Word2Vec(**dataclasses.asdict(config)).fit(text)
    inputs, outputs, losses = by_definition(config, text)
    # Float64 all the way: what 6000 words of float32 leave.
    assert_allclose(model.losses, losses, rtol=1e-5)
    for got, want in ((model.vectors.matrix, inputs), (model.outputs, outputs)):
        assert_allclose(got, want[: len(got), :10], rtol=0, atol=1e-4 * np.abs(want).max())


@every_algorithm
@pytest.mark.parametrize("vector_size", [1, 16, 17])
def test_any_vector_size(algorithm: dict[str, str], vector_size: int) -> None:
    model = Word2Vec(**{**SMALL, "vector_size": vector_size}, **algorithm).fit(two_topics(0, 40))
    num_outputs = 15 - (algorithm["loss"] == "hierarchical_softmax")
    assert (model.vectors.matrix.shape, model.outputs.shape) == ((15, vector_size), (num_outputs, vector_size))
    assert np.isfinite(model.vectors.matrix).all()
    assert np.abs(model.outputs).max(axis=1).min() > 0


@every_algorithm
def test_windows_and_noise_of_any_size(algorithm: dict[str, str]) -> None:
    for window, negative in ((1, 1), (40, 3), (3, 23)):
        settings = {**SMALL, "window": window, "negative": negative, "learning_rate": 0.05}
        model = Word2Vec(**settings, **algorithm).fit(two_topics(0, 80))
        assert np.isfinite(model.vectors.matrix).all()
        assert model.losses[1] < model.losses[0]


def test_every_kind_of_text_gives_the_same_vectors(tmp_path: Path) -> None:
    documents = two_topics(1, 50)
    lines = [" ".join(document) for document in documents]
    (tmp_path / "text.txt").write_text("\n".join(lines) + "\n")
    texts: list[Any] = [documents, lines, (line for line in lines), tmp_path / "text.txt", Corpus(lines, "whitespace")]
    first, *others = [Word2Vec(**SMALL).fit(text).vectors for text in texts]
    for other in others:
        assert other.words == first.words
        assert_array_equal(other.matrix, first.matrix)


def test_the_seed_decides_and_fitting_again_begins_anew() -> None:
    text = two_topics(1, 50)
    model = Word2Vec(**SMALL).fit(text)
    once = model.vectors.matrix.copy()
    assert_array_equal(model.fit(text).vectors.matrix, once)
    assert len(model.losses) == SMALL["epochs"]
    assert not np.array_equal(Word2Vec(**SMALL, seed=2).fit(text).vectors.matrix, once)


def test_max_size_keeps_the_most_frequent_words() -> None:
    text = [["a"] * 5 + ["b"] * 4 + ["c"] * 3 + ["d"] * 2]
    assert Word2Vec(**SMALL, max_size=3).fit(text).vectors.words == ["a", "b", "c"]


# ------------------------------------------------------------------------------------- starting points, frozen words


def test_a_vocabulary_can_be_given() -> None:
    model = Word2Vec(**SMALL).fit(two_topics(0, 40), vocabulary=Vocabulary(["dog", "never", "cat"], [3, 0, 5]))
    assert model.vectors.words == ["dog", "never", "cat"]
    assert_array_equal(model.vocabulary.counts, [3, 0, 5])
    assert_array_equal(model.vectors["never"], initial_vectors(3, 10, 1)[1, :10])


@every_algorithm
def test_a_vocabulary_without_counts_gets_those_of_the_text(algorithm: dict[str, str]) -> None:
    text, settings = two_topics(0, 40), {**SMALL, "sample": 0.01, **algorithm}
    words = [*ANIMALS, "never", *TOOLS]
    model = Word2Vec(**settings).fit(text, vocabulary=Vocabulary(words))
    flat = [word for document in text for word in document]
    counted = Vocabulary(words, [flat.count(word) for word in words])
    assert model.vocabulary == counted
    assert_array_equal(model.vectors.matrix, Word2Vec(**settings).fit(text, vocabulary=counted).vectors.matrix)


def given_vectors(words: list[str], size: int = 10) -> WordVectors:
    return WordVectors(words, np.random.default_rng(9).standard_normal((len(words), size)).astype(np.float32))


def test_training_starts_from_given_vectors() -> None:
    start = given_vectors(["dog", "unheard", "saw", "the"])
    model = Word2Vec(**{**SMALL, "learning_rate": 1e-9}).fit(two_topics(0, 40), vectors=start)
    assert "unheard" not in model.vectors
    fresh = initial_vectors(15, 10, 1)
    for row, word in enumerate(model.vectors.words):
        expected = start[word] if word in start else fresh[row, :10]
        assert_allclose(model.vectors[word], expected, rtol=0, atol=1e-6)


@every_algorithm
@pytest.mark.parametrize("num_threads", [1, 2])
def test_frozen_words_stay_bit_for_bit(algorithm: dict[str, str], num_threads: int) -> None:
    start, frozen = given_vectors(["dog", "saw", "the"]), ["the", "dog", "hammer"]
    settings = {**SMALL, "num_threads": num_threads}
    model = Word2Vec(**settings, **algorithm).fit(two_topics(0, 40), vectors=start, frozen=frozen)
    before = initial_vectors(15, 10, 1)[:15, :10].copy()
    for word in start.words:
        before[model.vocabulary.id(word)] = start[word]
    changed = np.any(model.vectors.matrix != before, axis=1)
    assert [word for word, moved in zip(model.vectors.words, changed, strict=True) if not moved] == sorted(
        frozen, key=model.vocabulary.id
    )
    # They are still predicted, so what predicts them learns.
    assert np.abs(model.outputs).max(axis=1).min() > 0


# -------------------------------------------------------------------------------------------------- continued training

NEW_TEXT = [["cat", "otter", "dog", "otter", "seal"], ["seal", "otter", "saw", "hammer"], ["once"]] * 2


@every_algorithm
def test_more_text_adds_words_behind_the_old_ones(algorithm: dict[str, str]) -> None:
    text = two_topics(0, 60)
    model = Word2Vec(**{**SMALL, "min_count": 3}, **algorithm).fit(text)
    old = model.vocabulary
    before = model.vectors.matrix.copy()
    assert model.continue_training(NEW_TEXT, epochs=3) is model
    # "otter" 6 times, "seal" 4; "once" is too rare. Old words keep their ids, and their counts are added up.
    assert model.vectors.words == [*old.words, "otter", "seal"]
    flat = [word for document in [*text, *NEW_TEXT] for word in document]
    assert model.vocabulary.counts.tolist() == [flat.count(word) for word in model.vectors.words]
    # Each old word is a start for itself; those that the new text has move, though they are rarer than min_count.
    moved = np.any(model.vectors.matrix[: len(old)] != before, axis=1)
    assert {word for word, has in zip(old.words, moved, strict=True) if has} == {"cat", "dog", "saw", "hammer"}
    assert np.isfinite(model.vectors.matrix).all()
    assert len(model.losses) == SMALL["epochs"] + 3
    assert model.outputs.shape == (len(model.vectors) - (algorithm["loss"] == "hierarchical_softmax"), 10)


@every_algorithm
def test_frozen_words_stay_in_continued_training(algorithm: dict[str, str]) -> None:
    model = Word2Vec(**SMALL, **algorithm).fit(two_topics(0, 60))
    before = model.vectors.matrix.copy()
    model.continue_training(NEW_TEXT, frozen=["dog", "cat", "saw", "otter"])
    moved = np.any(model.vectors.matrix[: len(before)] != before, axis=1)
    assert [model.vectors.words[row] for row in np.flatnonzero(moved)] == ["hammer"]


@every_algorithm
def test_outputs_go_on_but_a_new_tree_begins_anew(algorithm: dict[str, str]) -> None:
    model = Word2Vec(**SMALL, **algorithm).fit(two_topics(0, 60))
    before = model.outputs.copy()
    model.config = dataclasses.replace(model.config, learning_rate=1e-9)
    model.continue_training(NEW_TEXT)
    goes_on = algorithm["loss"] == "negative_sampling"
    assert_allclose(model.outputs[: len(before)], before if goes_on else 0, rtol=0, atol=1e-6)
    assert np.abs(before).max() > 0.01


def test_new_words_do_not_begin_where_old_ones_began() -> None:
    model = Word2Vec(**{**SMALL, "learning_rate": 1e-9}).fit(two_topics(0, 60))
    old = model.vectors.matrix.copy()
    new = model.continue_training(NEW_TEXT).vectors[["otter", "seal"]]
    assert np.abs(new[:, None] - old).max(axis=2).min() > 0.01
    assert np.abs(new).max() <= 0.5 / 10


@every_algorithm
def test_the_learning_rate_may_fall_to_nothing(algorithm: dict[str, str]) -> None:
    # One document longer than a stretch: the last stretch is empty, and would be trained with a rate of 0.
    settings = {**SMALL, **algorithm, "min_count": 1, "sample": 0.0, "epochs": 1, "min_learning_rate": 0.0}
    model = Word2Vec(**settings).fit([["a", "b", "c"] * 500])
    assert np.isfinite(model.vectors.matrix).all()
    assert np.isfinite(model.losses).all()


def test_a_finished_run_resumes_to_its_end_at_once(tmp_path: Path) -> None:
    model = Word2Vec(**SMALL).fit(two_topics(0), checkpoint=tmp_path / "run")
    reports: list[Progress] = []
    again = Word2Vec(**SMALL).fit(two_topics(0), checkpoint=tmp_path / "run", resume=True, progress=reports.append)
    assert not reports
    assert again.losses == model.losses
    assert np.array_equal(again.vectors.matrix, model.vectors.matrix)


def test_another_tokenizer_is_no_resume(tmp_path: Path) -> None:
    text = [" ".join(document) for document in two_topics(0)]
    Word2Vec(**SMALL).fit(Corpus(text), checkpoint=tmp_path / "run")
    with pytest.raises(ValueError, match="cut its text with the tokenizer 'words', asked for is 'characters'"):
        Word2Vec(**SMALL).fit(Corpus(text, tokenizer="characters"), checkpoint=tmp_path / "run", resume=True)


def test_the_old_model_is_a_better_start_than_none() -> None:
    text = two_topics(3, 200)
    settings = {**SMALL, "epochs": 1, "learning_rate": 0.05}
    fresh = Word2Vec(**settings).fit(text)
    again = Word2Vec(**settings).fit(two_topics(4, 200)).continue_training(text)
    assert again.losses[1] < 0.95 * fresh.losses[0]


# ---------------------------------------------------------------------------------------------- progress and callbacks


def test_progress_tells_of_reading_and_of_each_epoch() -> None:
    reports: list[Progress] = []
    model = Word2Vec(**{**SMALL, "epochs": 4}).fit(two_topics(0), progress=reports.append)
    training = [report for report in reports if report.stage == "training"]
    assert {report.stage for report in reports} >= {"reading", "training"}
    assert [report.stage for report in reports[-len(training) :]] == ["training"] * len(training)
    assert [report.epoch for report in training if report.done == report.epoch * 3600] == [1, 2, 3, 4]
    assert [report.loss for report in training if report.done == report.epoch * 3600] == model.losses
    for values in ([report.done for report in training], [-(report.learning_rate or 0) for report in training]):
        assert values == sorted(values)
    assert (training[-1].done, training[-1].total) == (4 * 3600, 4 * 3600)
    assert_allclose(training[-1].learning_rate, 0.28 * 0.025)


@every_algorithm
def test_callbacks_see_the_vectors_as_they_are(algorithm: dict[str, str], tmp_path: Path) -> None:
    seen: list[tuple[int, float, np.ndarray]] = []

    def on_epoch(model: Word2Vec, epoch: int, loss: float) -> None:
        seen.append((epoch, loss, model.vectors.matrix))
        assert model.losses == [loss for _, loss, _ in seen]
        assert len(model.vectors.most_similar("dog", topn=3)) == 3
        model.save(tmp_path / f"epoch {epoch}")

    model = Word2Vec(**{**SMALL, "epochs": 3}, **algorithm).fit(two_topics(0, 60), on_epoch=on_epoch)
    assert [(epoch, loss) for epoch, loss, _ in seen] == list(enumerate(model.losses, 1))
    assert_array_equal(seen[2][2], model.vectors.matrix)
    assert not np.array_equal(seen[0][2], seen[1][2])
    for epoch, _, matrix in seen:
        saved = Word2Vec.load(tmp_path / f"epoch {epoch}")
        assert_array_equal(saved.vectors.matrix, matrix)
        assert saved.outputs.shape == model.outputs.shape
    assert_array_equal(saved.outputs, model.outputs)


def test_an_error_in_a_callback_is_raised_and_what_was_learned_stays() -> None:
    def on_epoch(model: Word2Vec, epoch: int, loss: float) -> None:
        raise LookupError("stop here")

    model = Word2Vec(**SMALL)
    with pytest.raises(LookupError, match="stop here"):
        model.fit(two_topics(0, 60), on_epoch=on_epoch)
    first = Word2Vec(**{**SMALL, "epochs": 1, "min_learning_rate": 0.016}).fit(two_topics(0, 60))
    assert model.vectors.matrix.shape == first.vectors.matrix.shape
    assert np.any(model.vectors.matrix != initial_vectors(15, 10, 1)[:15, :10])


# ------------------------------------------------------------------------------------------------------ saving, opening


@every_algorithm
def test_a_model_comes_back_and_goes_on_as_if_it_had_not_been_away(
    trained: dict[str, Word2Vec], algorithm: dict[str, str], tmp_path: Path
) -> None:
    model = trained["-".join(algorithm.values())]
    model.save(tmp_path / "model")
    again = Word2Vec.load(tmp_path / "model")
    assert again.config == model.config
    assert again.vocabulary == model.vocabulary
    assert again.losses == model.losses
    assert_array_equal(again.vectors.matrix, model.vectors.matrix)
    assert_array_equal(again.outputs, model.outputs)
    vectors = WordVectors.load(tmp_path / "model")
    assert vectors.words == model.vectors.words
    assert_array_equal(vectors.matrix, model.vectors.matrix)

    again.continue_training(NEW_TEXT)
    again.save(tmp_path / "model")  # over the files that it was opened from
    third = Word2Vec.load(tmp_path / "model")
    assert_array_equal(third.vectors.matrix, again.vectors.matrix)
    same = Word2Vec(**dataclasses.asdict(model.config)).fit(two_topics(0, 60)).continue_training(NEW_TEXT)
    assert_array_equal(third.vectors.matrix, same.vectors.matrix)
    assert_array_equal(third.outputs, same.outputs)


def test_the_card_tells_how_the_model_came_about(trained: dict[str, Word2Vec], tmp_path: Path) -> None:
    model = trained["cbow-hierarchical_softmax"]
    model.save(tmp_path / "model")
    card = (tmp_path / "model" / "README.md").read_text(encoding="utf-8")
    assert "15 words, 10 numbers each, learned from 720 words of text" in card
    assert "| architecture | cbow |" in card
    assert f"| 2 | {model.losses[1]:.4f} |" in card


def test_a_directory_that_is_not_a_model_is_refused(trained: dict[str, Word2Vec], tmp_path: Path) -> None:
    given_vectors(["a", "b"]).save(tmp_path / "plain")
    with pytest.raises(
        ValueError, match="word vectors that Word2Vec.save did not write. Open it with WordVectors.load"
    ):
        Word2Vec.load(tmp_path / "plain")
    with pytest.raises(FileNotFoundError):
        Word2Vec.load(tmp_path / "nothing")
    model = tmp_path / "model"
    trained["skipgram-negative_sampling"].save(model)
    config = (model / "config.json").read_text()
    for old, new, message in (
        (
            '"vector_size": 10',
            '"vector_size": 11',
            r"'vectors': expected float32 of shape \(15, 11\), got .*\(15, 10\)",
        ),
        ('"window": 2', '"window": "two"', r"settings are not those of Word2Vec \(.*window=.*expected int"),
        ('"window": 2', '"widnow": 2', "settings are not those of Word2Vec .*Did you mean window"),
        ('"num_tokens": 720', '"num_tokens": "many"', "expected training.num_tokens to be a whole number"),
        ("negative_sampling", "hierarchical_softmax", r"'outputs': expected float32 of shape \(14, 10\)"),
    ):
        (model / "config.json").write_text(config.replace(old, new))
        with pytest.raises(ValueError, match=message):
            Word2Vec.load(model)
    (model / "config.json").write_text(config)
    (model / "training.safetensors").unlink()
    with pytest.raises(ValueError, match="training.safetensors: 'outputs': expected float32 .*, got nothing"):
        Word2Vec.load(model)


# ------------------------------------------------------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"vector_size": 0}, ValueError, r"Word2Vec\(vector_size=...\) expected at least 1, got 0"),
        ({"window": 2.5}, TypeError, r"Word2Vec\(window=...\) expected int, got 2.5 \(float\)"),
        ({"negative": True}, TypeError, r"Word2Vec\(negative=...\) expected int, got True \(bool\)"),
        ({"architecture": "glove"}, ValueError, "expected one of skipgram, cbow; got 'glove'"),
        ({"loss": "softmax"}, ValueError, "expected one of negative_sampling, hierarchical_softmax; got 'softmax'"),
        ({"sample": -1e-3}, ValueError, r"sample=...\) expected at least 0"),
        ({"sample": 1.5}, ValueError, r"sample=...\) expected at most 1"),
        ({"learning_rate": 0.0}, ValueError, r"learning_rate=...\) expected more than 0"),
        ({"learning_rate": float("nan")}, ValueError, r"learning_rate=...\) expected a finite number, got nan"),
        (
            {"learning_rate": 0.01, "min_learning_rate": 0.02},
            ValueError,
            "expected at most learning_rate, 0.01; got 0.02",
        ),
        ({"seed": -1}, ValueError, r"seed=...\) expected at least 0"),
        ({"num_threads": 0}, ValueError, r"num_threads=...\) expected at least 1"),
        ({"epochs": None}, TypeError, r"epochs=...\) expected int, got None"),
        ({"size": 100}, TypeError, "Word2Vec has no setting 'size'"),
        ({"vectorsize": 100}, TypeError, "no setting 'vectorsize'. Did you mean vector_size?"),
    ],
)
def test_wrong_settings(settings: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        Word2Vec(**settings)


def test_settings_go_by_name() -> None:
    with pytest.raises(TypeError, match="takes its settings by name, for example vector_size=100"):
        Word2Vec(100)  # type: ignore[misc]


def test_the_signature_shows_the_settings() -> None:
    shown = {name: parameter.default for name, parameter in inspect.signature(Word2Vec).parameters.items()}
    assert shown == {field.name: field.default for field in dataclasses.fields(Word2VecConfig)}
    assert shown["vector_size"] == 100


def test_an_untrained_model_has_no_words() -> None:
    model = Word2Vec()
    for attribute in ("vocabulary", "vectors"):
        with pytest.raises(RuntimeError, match=r"no words yet: call fit\(corpus\) first, or Word2Vec.load"):
            getattr(model, attribute)
    with pytest.raises(RuntimeError, match="no words yet"):
        model.save("nowhere")
    with pytest.raises(RuntimeError, match="no words yet"):
        model.continue_training(["a b"])
    assert repr(model) == "<Word2Vec: not trained, vector_size=100, skipgram>"
    assert repr(Word2Vec(**SMALL).fit(["a b"])) == "<Word2Vec: 2 words, vector_size=10, skipgram>"


@every_algorithm
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ([], "The corpus holds no words"),
        (["", " ", "..."], "The corpus holds no words"),
        (["a", "b", "a", "b"], "no two words side by side in one document"),
    ],
)
def test_nothing_to_learn_from(algorithm: dict[str, str], text: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Word2Vec(**SMALL, **algorithm).fit(text)


def test_words_that_are_too_rare_or_too_few() -> None:
    with pytest.raises(ValueError, match="min_count"):
        Word2Vec(**{**SMALL, "min_count": 5}).fit(["a b c"])
    with pytest.raises(ValueError, match="No word of the text is in the vocabulary"):
        Word2Vec(**SMALL).fit(["a b c"], vocabulary=Vocabulary(["x", "y"], [1, 1]))
    with pytest.raises(ValueError, match="needs at least two words, got 1"):
        Word2Vec(**SMALL, loss="hierarchical_softmax").fit(["a a a"])
    # One word can be learned about by negative sampling, if there is little to learn.
    assert Word2Vec(**SMALL).fit(["a a a"]).vectors.words == ["a"]


def test_a_checkpoint_belongs_to_one_call(tmp_path: Path) -> None:
    text, checkpoint = two_topics(0, 60), tmp_path / "run"
    start, frozen = given_vectors(["dog", "saw"]), ["dog"]
    model = Word2Vec(**SMALL).fit(text, vectors=start, frozen=frozen, checkpoint=checkpoint, checkpoint_seconds=0)
    with pytest.raises(FileExistsError, match="holds an unfinished run. Resume it, or remove it to start afresh"):
        Word2Vec(**SMALL).fit(text, checkpoint=checkpoint)
    for settings, words, change in (
        (SMALL, [], r"has frozen=\['dog'\], asked for is \[\]"),
        ({**SMALL, "window": 3}, frozen, "has window=2, asked for is 3"),
        ({**SMALL, "num_threads": 2}, frozen, "has num_threads=1, asked for is 2"),
    ):
        with pytest.raises(ValueError, match=change):
            Word2Vec(**settings).fit(text, frozen=words, checkpoint=checkpoint, resume=True)
    # The ids and the state are those of the checkpoint: neither the text nor the vectors are asked again.
    again = Word2Vec(**SMALL).fit(["something else"], frozen=frozen, checkpoint=checkpoint, resume=True)
    assert again.vectors.words == model.vectors.words
    assert_array_equal(again.vectors.matrix, model.vectors.matrix)
    assert again.losses == model.losses
    with pytest.raises(FileNotFoundError, match="nothing to resume: .* does not exist. Start without resuming"):
        Word2Vec(**SMALL).fit(text, checkpoint=tmp_path / "other", resume=True)


def test_a_call_that_fails_leaves_the_model_as_it_was() -> None:
    model = Word2Vec(**SMALL).fit(two_topics(0, 40))
    words, matrix, losses = model.vectors.words, model.vectors.matrix.copy(), list(model.losses)
    wrong_size, more = given_vectors(["dog"], size=11), two_topics(1, 40)
    other = [["x", "y", "z"], ["z", "y"]]
    with pytest.raises(ValueError, match="vectors to start from have size 11; the model has 10"):
        model.fit(other, vectors=wrong_size)
    with pytest.raises(KeyError, match="doog"):
        model.fit(more, frozen=["doog"])
    with pytest.raises(KeyError, match="doog"):
        model.continue_training(other, frozen=["doog"])
    with pytest.raises(ValueError, match="epochs of at least 1, got 0"):
        model.continue_training(other, epochs=0)
    with pytest.raises(ValueError, match="read only once"):
        model.continue_training(iter(["x y z"]))
    with pytest.raises(ValueError, match="resume=True goes on from a checkpoint: say which"):
        model.fit(other, resume=True)
    with pytest.raises(ValueError, match="No word of the text is in the vocabulary"):
        model.fit(other, vocabulary=Vocabulary(["p"], [1]))
    assert model.vectors.words == words
    assert_array_equal(model.vectors.matrix, matrix)
    assert model.losses == losses
