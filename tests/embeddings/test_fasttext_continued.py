"""FastText that goes on with more text: from our own models and from those of Facebook's program."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from daneo.embeddings import FastText, SubwordVectors, WordVectors, noise

from .formats.facebook_models import package

ALGORITHMS: list[dict[str, Any]] = [
    *(
        {"architecture": architecture, "loss": loss}
        for architecture, loss in product(("skipgram", "cbow"), ("negative_sampling", "hierarchical_softmax"))
    ),
    {"architecture": "cbow", "loss": "negative_sampling", "position_weights": True},
]
every_algorithm = pytest.mark.parametrize(
    "algorithm", ALGORITHMS, ids=lambda names: "-".join(str(value) for value in names.values())
)
SMALL: dict[str, Any] = {"vector_size": 10, "window": 2, "min_count": 1, "epochs": 2, "sample": 0.0, "num_threads": 1}
SMALL["num_buckets"] = 5000
NO_STEPS = {"learning_rate": 1e-9, "min_learning_rate": 0.0}  # rows stay where they begin

WORDS = ["horse", "horses", "donkey", "donkeys", "hammer", "hammers", "the", "a"]
NEW_TEXT = [["horse", "pony", "horses", "pony", "ponies"], ["ponies", "pony", "hammer"], ["once"]] * 2


def some_text(seed: int, num_documents: int = 60) -> list[list[str]]:
    rng = np.random.default_rng(seed)
    return [rng.choice(WORDS, 12).tolist() for _ in range(num_documents)]


@pytest.fixture(scope="module", autouse=True)
def small_noise_table() -> Iterator[None]:
    """Of the time that such small texts take, most would go into a table of 4 million noise words."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(noise, "SMALLEST_TABLE", 1 << 14)
        yield


def rows_by_bucket(vectors: SubwordVectors) -> dict[int, list[float]]:
    ngrams = vectors.ngrams
    buckets = range(len(ngrams)) if ngrams.buckets is None else ngrams.buckets.tolist()
    return dict(zip(buckets, ngrams.rows[:].tolist(), strict=True))


def own_rows(vectors: SubwordVectors) -> np.ndarray:
    return np.array(vectors.rows.own[:])


# ------------------------------------------------------------------------------------------------------ our own models


@every_algorithm
def test_more_text_adds_words_behind_the_old_ones(algorithm: dict[str, Any]) -> None:
    text = some_text(0)
    model = FastText(**{**SMALL, "min_count": 3}, **algorithm).fit(text)
    old, before, buckets = model.vocabulary, own_rows(model.vectors), rows_by_bucket(model.vectors)
    assert model.continue_training(NEW_TEXT, epochs=3) is model
    # "pony" 6 times, "ponies" 4; "once" is too rare. Old words keep their ids, and their counts are added up.
    assert model.vectors.words == [*old.words, "pony", "ponies"]
    flat = [word for document in [*text, *NEW_TEXT] for word in document]
    assert model.vocabulary.counts.tolist() == [flat.count(word) for word in model.vectors.words]
    # Of the old words those move that the new text has, though they are rarer in it than min_count.
    moved = np.any(own_rows(model.vectors)[: len(old)] != before, axis=1)
    assert {word for word, has in zip(old.words, moved, strict=True) if has} == {"horse", "horses", "hammer"}
    # N-grams of the new words come in; of the old ones those move that are in the words of the new text.
    subwords = model.config.parts
    after = rows_by_bucket(model.vectors)
    new = {bucket for word in ("pony", "ponies") for bucket in subwords.buckets(word).tolist()}
    assert after.keys() == buckets.keys() | new
    trained = ["horse", "horses", "hammer", "pony", "ponies"]
    used = {bucket for word in trained for bucket in subwords.buckets(word).tolist()}
    assert {bucket for bucket in buckets if buckets[bucket] != after[bucket]} == used & buckets.keys()
    assert np.isfinite(model.vectors.matrix).all()
    assert len(model.losses) == SMALL["epochs"] + 3
    assert model.outputs.shape == (len(model.vectors) - (algorithm["loss"] == "hierarchical_softmax"), 10)


@every_algorithm
def test_everything_goes_on_from_where_it_was(algorithm: dict[str, Any]) -> None:
    model = FastText(**SMALL, **algorithm).fit(some_text(0))
    own, buckets, outputs = own_rows(model.vectors), rows_by_bucket(model.vectors), model.outputs.copy()
    weights = None if model.position_weights is None else model.position_weights.copy()
    model.config = dataclasses.replace(model.config, **NO_STEPS)
    vectors = model.continue_training(NEW_TEXT).vectors
    after = rows_by_bucket(vectors)
    assert_allclose(own_rows(vectors)[: len(own)], own, rtol=0, atol=1e-6)
    for bucket, row in buckets.items():
        assert_allclose(after[bucket], row, rtol=0, atol=1e-6)
    # New counts make a new tree, so of the old one nothing can be kept.
    goes_on = algorithm["loss"] == "negative_sampling"
    assert_allclose(model.outputs[: len(outputs)], outputs if goes_on else 0, rtol=0, atol=1e-6)
    assert np.abs(outputs).max() > 0.01
    if weights is not None:
        assert_allclose(model.position_weights, weights, rtol=0, atol=1e-6)
        assert np.abs(weights - 1).max() > 1e-3
    # What is new begins small, and otherwise than anything that was there before.
    fresh = [*own_rows(vectors)[len(own) :], *(after[bucket] for bucket in after.keys() - buckets.keys())]
    first = FastText(**SMALL, **{**algorithm, **NO_STEPS}).fit(some_text(0)).vectors
    begun = [*own_rows(first), *rows_by_bucket(first).values()]
    assert 0.01 < np.abs(fresh).max() <= 1 / 10
    assert np.abs(np.array(fresh)[:, None] - np.array(begun)).max(axis=2).min() > 0.01


@every_algorithm
@pytest.mark.parametrize("num_threads", [1, 2])
def test_it_can_go_on_again_and_again(algorithm: dict[str, Any], num_threads: int) -> None:
    model = FastText(**{**SMALL, "num_threads": num_threads}, **algorithm).fit(some_text(0))
    for number in range(3):
        new = f"rabbit{'s' * number}"
        model.continue_training([*some_text(number), [new, "horse"]], epochs=1)
        assert model.vectors.words[-1] == new
    assert len(model.losses) == SMALL["epochs"] + 3
    assert np.isfinite(model.vectors.matrix).all()
    assert model.vocabulary.counts.sum() == 4 * 60 * 12 + 3 * 2


def test_the_old_model_is_a_better_start_than_none() -> None:
    # Which words stand beside which is learned from the first text.
    def sentences(seed: int) -> list[list[str]]:
        draw = random.Random(seed)
        return [
            [word for _ in range(6) for word in draw.choice([WORDS[:2], WORDS[2:4], WORDS[4:6]])] for _ in range(200)
        ]

    settings = {**SMALL, "window": 1, "epochs": 1}
    fresh = FastText(**settings).fit(sentences(1))
    again = FastText(**settings).fit(sentences(2)).continue_training(sentences(1))
    assert again.losses[1] < 0.95 * fresh.losses[0]


def test_a_new_form_of_a_known_word_begins_where_its_parts_are() -> None:
    settings = {**SMALL, "vector_size": 30}
    model = FastText(**settings).fit(some_text(0, 300))
    model.config = dataclasses.replace(model.config, **NO_STEPS)
    guessed = model.vectors["hammering"]
    vectors = model.continue_training([["hammering", "the"]]).vectors
    assert "hammering" in vectors
    assert vectors.similarity("hammering", "hammer") > vectors.similarity("hammering", "donkey")
    assert float(guessed @ vectors["hammering"]) > 0.9 * np.linalg.norm(guessed) * np.linalg.norm(vectors["hammering"])


@every_algorithm
def test_jamo_go_on(algorithm: dict[str, Any]) -> None:
    model = FastText(**SMALL, **algorithm, subwords="jamo").fit(["먹는다 먹었다 밥", "밥 먹었다"] * 20)
    before = rows_by_bucket(model.vectors)
    vectors = model.continue_training(["국수 먹더라", "밥 먹더라"] * 5).vectors
    assert vectors.words[-2:] == ["먹더라", "국수"]
    after = rows_by_bucket(vectors)
    assert before.keys() < after.keys()
    # Of the old words only the first letters of 먹다 and all of 밥 are in the new text.
    trained = {bucket for word in ("국수", "먹더라", "밥") for bucket in model.config.parts.buckets(word).tolist()}
    assert {bucket for bucket in before if before[bucket] != after[bucket]} == trained & before.keys()


@every_algorithm
def test_text_that_teaches_nothing_leaves_the_model_as_it_was(algorithm: dict[str, Any]) -> None:
    model = FastText(**SMALL, **algorithm).fit(some_text(0))
    vocabulary, losses, outputs = model.vocabulary, list(model.losses), model.outputs.copy()
    matrix, unseen, weights = model.vectors.matrix.copy(), model.vectors["ponyish"], model.position_weights
    with pytest.raises(ValueError, match="no two words side by side in one document"):
        model.continue_training([["pony"], ["horse"]])
    assert (model.vocabulary, model.losses) == (vocabulary, losses)
    assert_array_equal(model.vectors.matrix, matrix)
    assert_array_equal(model.vectors["ponyish"], unseen)
    assert_array_equal(model.outputs, outputs)
    if weights is not None:
        assert_array_equal(model.position_weights, weights)
    same = FastText(**SMALL, **algorithm).fit(some_text(0)).continue_training(NEW_TEXT)
    assert_array_equal(model.continue_training(NEW_TEXT).vectors.matrix, same.vectors.matrix)


@every_algorithm
def test_ctrl_c_in_continued_training_keeps_what_was_learned(algorithm: dict[str, Any]) -> None:
    def stop(model: FastText, epoch: int, loss: float) -> None:
        raise KeyboardInterrupt

    model = FastText(**SMALL, **algorithm).fit(some_text(0))
    losses, counts = list(model.losses), model.vocabulary.counts.sum()
    with pytest.raises(KeyboardInterrupt):
        model.continue_training(NEW_TEXT, epochs=5, on_epoch=stop)
    assert model.losses[:2] == losses
    assert len(model.losses) == 3
    assert model.vectors.words[-3:] == ["ponies", "once"] or "pony" in model.vectors
    assert model.vocabulary.counts.sum() == counts + 18
    assert np.isfinite(model.vectors.matrix).all()
    assert model.vectors["ponyish"].any()
    assert np.isfinite(model.continue_training(NEW_TEXT).losses).all()


# ------------------------------------------------------------------------------------------------ Facebook's own models


def facebook_model(folder: Path, lines: list[str], **options: Any) -> tuple[Any, Path]:
    """A model that Facebook's package trained, and its file."""
    (folder / "text.txt").write_text("".join(line + "\n" for line in lines))
    settings = {"dim": 10, "epoch": 2, "thread": 1, "minCount": 1, "bucket": 5000, "verbose": 0, **options}
    model = package().train_unsupervised(str(folder / "text.txt"), **settings)
    model.save_model(str(folder / "theirs.bin"))
    return model, folder / "theirs.bin"


FACEBOOKS = [{"model": model, "loss": loss} for model, loss in product(("skipgram", "cbow"), ("ns", "hs"))]
every_facebook_algorithm = pytest.mark.parametrize("options", FACEBOOKS, ids=lambda names: "-".join(names.values()))


@every_facebook_algorithm
def test_facebooks_models_are_trained_on(tmp_path: Path, options: dict[str, Any]) -> None:
    lines = [" ".join(document) for document in some_text(0)]
    theirs, path = facebook_model(tmp_path, lines, **options, minn=2, maxn=4, ws=3, neg=4, t=0.5)
    model = FastText.load(path)
    config = model.config
    assert (config.vector_size, config.window, config.epochs, config.min_count) == (10, 3, 2, 1)
    assert (config.min_ngram, config.max_ngram, config.num_buckets) == (2, 4, 5000)
    assert (config.negative, config.sample) == (4, 0.5)
    assert (config.architecture, config.loss) == (
        options["model"],
        "negative_sampling" if options["loss"] == "ns" else "hierarchical_softmax",
    )
    words, counts = theirs.get_words(include_freq=True)
    assert (model.vectors.words, model.vocabulary.counts.tolist()) == (words, counts.tolist())
    assert len(model.vectors.ngrams) == 5000
    for word in [*words, "unseen", "horsing", "", "é"]:
        assert_allclose(model.vectors[word], theirs.get_word_vector(word), rtol=0, atol=1e-6)
    if options["loss"] == "ns":
        assert_array_equal(model.outputs, theirs.get_output_matrix())

    model.config = dataclasses.replace(config, sample=0.0, num_threads=1)
    before, rows = own_rows(model.vectors), model.vectors.ngrams.rows[:].copy()
    vectors = model.continue_training(NEW_TEXT).vectors
    assert vectors.words == [*words, "pony", "ponies", "once"]
    moved = {word for row, word in enumerate(words) if (own_rows(vectors)[row] != before[row]).any()}
    assert moved == {"horse", "horses", "hammer"}
    trained = [word for word in vectors.words if any(word in document for document in NEW_TEXT[:2])]
    used = {bucket for word in trained for bucket in config.parts.buckets(word).tolist()}
    assert set(np.flatnonzero(np.any(vectors.ngrams.rows != rows, axis=1)).tolist()) == used
    model.save(tmp_path / "ours")
    assert_array_equal(WordVectors.load(tmp_path / "ours").matrix, vectors.matrix)
    if options["loss"] == "ns":
        model.save(path, format="fasttext-bin")  # over the file that is open
        again = package().load_model(str(path))
        for word in [*vectors.words, "unseen", ""]:
            assert_allclose(again.get_word_vector(word), vectors[word], rtol=0, atol=1e-6)
