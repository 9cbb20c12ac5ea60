"""A classifier's directory: what is saved comes back, and what is damaged is refused in one line."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import daneo
from daneo.embeddings.formats.tensors import map_tensors, write_tensors
from daneo.models.fasttext_classifier_run import ClassifierRun
from daneo.models.fasttext_classifier_training import training_set_of
from daneo.models.labelled_types import labelled_types
from daneo.models.model_kinds import load_classifier
from daneo.models.predictions import Predictor

Texts = tuple[list[str], list[str]]
SMALL: dict[str, Any] = {"vector_size": 10, "epochs": 4, "learning_rate": 0.5, "num_threads": 1}


@pytest.fixture(scope="module")
def model(train_texts: Texts, test_texts: Texts) -> daneo.FastTextClassifier:
    settings = {**SMALL, "word_ngrams": 2, "min_ngram": 2, "max_ngram": 3, "num_buckets": 5000}
    return daneo.FastTextClassifier(**settings).fit(*train_texts, validation=test_texts)


@pytest.fixture
def saved(model: daneo.FastTextClassifier, tmp_path: Path) -> Path:
    model.save(tmp_path / "model")
    return tmp_path / "model"


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"word_ngrams": 2, "loss": "one_vs_all"},
        {"subwords": "jamo", "loss": "hierarchical_softmax"},
        {"tokenizer": "words", "loss": "negative_sampling", "label_prefix": "#"},
    ],
)
def test_round_trip(settings: Any, train_texts: Texts, test_texts: Texts, tmp_path: Path) -> None:
    model = daneo.FastTextClassifier(**SMALL, **settings).fit(*train_texts)
    expected = model.predict(test_texts[0], k=3)
    for part in (model, model.compressed(num_rows=300), model.compressed(storage="float16")):
        answers = expected if part is model else part.predict(test_texts[0], k=3)
        part.save(tmp_path / "m")
        back = load_classifier(tmp_path / "m")
        assert back.predict(test_texts[0], k=3) == answers
        assert back.config == model.config
        assert (back.labels, back.losses) == (model.labels, model.losses)
        back.save(tmp_path / "m")  # over itself, while it is mapped
        assert load_classifier(tmp_path / "m").predict(test_texts[0], k=3) == answers


def test_what_training_said_is_kept(model: daneo.FastTextClassifier, saved: Path) -> None:
    back = daneo.FastTextClassifier.load(saved)
    assert (back.validation_scores, back.best_epoch) == (model.validation_scores, model.best_epoch)
    card = (saved / "README.md").read_text(encoding="utf-8")
    assert f"| {model.best_epoch} | " in card
    assert "4 labels (`sea`, `sky`, `fire`, `soil`)" in card
    assert json.loads((saved / "config.json").read_text(encoding="utf-8"))["kind"] == "fasttext-classifier"


def test_words_and_labels_of_any_spelling(tmp_path: Path) -> None:
    texts, labels = ["a\udc80b x", "y\\n z"] * 9, ["two words\t", "new\nline"] * 9
    model = daneo.FastTextClassifier(**SMALL).fit(texts, labels)
    model.save(tmp_path / "m")
    back = daneo.FastTextClassifier.load(tmp_path / "m")
    assert sorted(back.labels) == ["new\nline", "two words\t"]
    assert back.words == model.words
    assert back.predict(texts) == model.predict(texts)


def test_a_foreign_directory_is_not_replaced(model: daneo.FastTextClassifier, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years")
    with pytest.raises(FileExistsError, match="thesis.txt"):
        model.save(tmp_path)


def test_models_of_other_kinds(saved: Path, tmp_path: Path) -> None:
    daneo.WordVectors(["a"], [[1.0]]).save(tmp_path / "vectors")
    with pytest.raises(ValueError, match="holds 'word-vectors', which predicts no labels"):
        load_classifier(tmp_path / "vectors")
    with pytest.raises(ValueError, match="expected kind 'fasttext-classifier', got 'word-vectors'"):
        daneo.FastTextClassifier.load(tmp_path / "vectors")
    with pytest.raises(ValueError, match="fasttext-classifier"):
        daneo.WordVectors.load(saved)
    with pytest.raises(FileNotFoundError):
        load_classifier(tmp_path / "nowhere")


def edited(change: Callable[[dict[str, Any]], Any]) -> Callable[[Path], None]:
    def edit(path: Path) -> None:
        config = json.loads((path / "config.json").read_text(encoding="utf-8"))
        change(config)
        (path / "config.json").write_text(json.dumps(config), encoding="utf-8")

    return edit


def retensored(change: Callable[[dict[str, np.ndarray]], Any]) -> Callable[[Path], None]:
    def edit(path: Path) -> None:
        tensors = {name: array.copy() for name, array in map_tensors(path / "model.safetensors").items()}
        change(tensors)
        write_tensors(path / "model.safetensors", tensors)

    return edit


def removed(name: str) -> Callable[[Path], None]:
    return lambda path: (path / name).unlink()


def rewritten(name: str, text: str) -> Callable[[Path], None]:
    def edit(path: Path) -> None:
        (path / name).write_text(text, encoding="utf-8")

    return edit


def shifted(name: str, value: int) -> Callable[[Path], None]:
    return retensored(lambda tensors: tensors[name].__setitem__(0, value))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (removed("config.json"), "has no config.json"),
        (removed("model.safetensors"), "has no model.safetensors"),
        (removed("vocabulary.txt"), "vocabulary.txt is not a file"),
        (removed("labels.txt"), "labels.txt is not a file"),
        (rewritten("labels.txt", "sea\t3\n"), "labels.txt has 1 labels, but model.safetensors 4 rows"),
        (rewritten("labels.txt", ""), "labels.txt has 0 labels"),
        (rewritten("vocabulary.txt", "sea\t3\n"), r"'word_rows' expected int32 of shape \(1,\), got int32 of shape"),
        (rewritten("model.safetensors", "junk"), "not a sound safetensors file"),
        (rewritten("config.json", "[" * 9000), "is not JSON"),
        (edited(lambda c: c["settings"].update(epochs=0)), "epochs=...\\) expected at least 1"),
        (edited(lambda c: c["settings"].update(depth=3)), "has no setting 'depth'"),
        (edited(lambda c: c.pop("settings")), "settings are not those of FastTextClassifier"),
        (edited(lambda c: c["settings"].update(vector_size=11)), "expected rows of 11 numbers, got 10"),
        (edited(lambda c: c["settings"].update(num_buckets=7)), "'buckets' expected numbers from 0 to 6"),
        (edited(lambda c: c.update(count_missing=1)), "expected count_missing to be true or false"),
        (edited(lambda c: c.update(training=[])), "what it says of the training is damaged"),
        (edited(lambda c: c["training"].update(losses=["x"])), "what it says of the training is damaged"),
        (retensored(lambda t: t.pop("rows")), "'rows'"),
        (retensored(lambda t: t.pop("buckets")), "'buckets' expected int32 of shape .N,., got nothing"),
        (retensored(lambda t: t.pop("ngram_rows")), "'ngram_rows' expected int32"),
        (retensored(lambda t: t.update(ngram_rows=t["ngram_rows"][1:])), "'ngram_rows' expected int32 of shape"),
        (retensored(lambda t: t.update(buckets=t["buckets"].astype(np.int64))), "'buckets' expected int32"),
        (retensored(lambda t: t.update(buckets=t["buckets"][::-1])), "'buckets' expected numbers that rise"),
        (retensored(lambda t: [t.pop(n) for n in ("word_rows", "buckets", "ngram_rows")]), "a row for each word and"),
        (shifted("word_rows", -1), "'word_rows' expected numbers from 0"),
        (shifted("word_rows", 10**6), "'word_rows' expected numbers from 0"),
        (shifted("ngram_rows", 10**6), "'ngram_rows' expected numbers from 0"),
        (shifted("buckets", -5), "'buckets' expected numbers from 0"),
        (shifted("row_texts", -1), "'row_texts' expected numbers from 0"),
    ],
)
def test_damaged_directories(damage: Callable[[Path], None], message: str, saved: Path) -> None:
    damage(saved)
    with pytest.raises((ValueError, FileNotFoundError, TypeError), match=message) as caught:
        daneo.FastTextClassifier.load(saved)
    assert "\n" not in str(caught.value)


def test_a_huge_table_takes_no_memory(train_texts: Texts, tmp_path: Path) -> None:
    model = daneo.FastTextClassifier(**SMALL, word_ngrams=2, num_buckets=2**31 - 1)
    model.fit(["a b", "c"] * 9, ["x", "y"] * 9)
    model.save(tmp_path / "m")
    assert daneo.FastTextClassifier.load(tmp_path / "m").predict("a b") == model.predict("a b")


def test_mutated_directories_never_crash(saved: Path, tmp_path: Path, test_texts: Texts) -> None:
    rng = np.random.default_rng(6)
    original = (saved / "model.safetensors").read_bytes()
    header = int.from_bytes(original[:8], "little") + 8
    refused = 0
    for _ in range(80):
        data = bytearray(original)
        low, high = (0, header) if rng.random() < 0.5 else (header, len(data))
        for place in rng.integers(low, high, rng.integers(1, 4)):
            data[place] = rng.integers(256)
        target = tmp_path / "mutant"
        shutil.copytree(saved, target, dirs_exist_ok=True)
        (target / "model.safetensors").write_bytes(data[: rng.integers(8, len(data))] if rng.random() < 0.2 else data)
        try:
            daneo.FastTextClassifier.load(target).predict(test_texts[0][:5], k=2)
        except (ValueError, EOFError):
            refused += 1
    assert refused > 15


@pytest.mark.parametrize("quantised", [False, True])
def test_mutated_files_of_facebooks_never_crash(quantised: bool, tmp_path: Path) -> None:
    model = daneo.FastTextClassifier(**SMALL, word_ngrams=2, min_ngram=2, max_ngram=3, num_buckets=300)
    model.fit(["a b c d", "x y z"] * 40, ["x", "y"] * 40)
    (model.compressed(num_rows=40) if quantised else model).save(tmp_path / "m.bin", format="fasttext-bin")
    rng, original = np.random.default_rng(5), (tmp_path / "m.bin").read_bytes()
    refused = 0
    for _ in range(250):
        data = bytearray(original)
        for place in rng.integers(0, len(data) if rng.random() < 0.3 else 600, rng.integers(1, 4)):
            data[place] = rng.integers(256)
        (tmp_path / "mutant.bin").write_bytes(data[: rng.integers(1, len(data))] if rng.random() < 0.1 else data)
        try:
            daneo.FastTextClassifier.load(tmp_path / "mutant.bin").predict(["a b c", "q"], k=2)
        except (ValueError, EOFError):
            refused += 1
    assert refused > 40


def test_compressed_rows_are_what_was_kept(model: daneo.FastTextClassifier) -> None:
    small, full = model.compressed(num_rows=200, storage="float32")._trained.model, model._trained.model
    table, old = small.table, full.table
    assert len(table.words) + len(table.buckets) == 200
    assert "</s>" in table.words
    own = old.word_rows[[old.words.id(word) for word in table.words.words]]
    assert_array_equal(small.rows[table.word_rows], full.rows[own])
    place = np.searchsorted(old.buckets, table.buckets)
    assert_array_equal(old.buckets[place], table.buckets)
    assert_array_equal(small.rows[table.ngram_rows], full.rows[old.ngram_rows[place]])
    worth = np.linalg.norm(full.rows, axis=1) * np.sqrt(full.row_texts)
    kept, every = np.append(own, old.ngram_rows[place]), np.append(old.word_rows, old.ngram_rows)
    # But for </s>, none is worth less than one that was dropped.
    assert np.sort(worth[kept])[1] >= np.sort(worth[every])[-200]


def test_rows_know_how_many_texts_have_them(model: daneo.FastTextClassifier, train_texts: Texts) -> None:
    trained = model._trained.model
    for word in ("wave", "smoke", "</s>"):
        texts = sum(word in (*text.split(), "</s>") for text in train_texts[0])
        assert trained.row_texts[trained.table.word_rows[trained.table.words.id(word)]] == texts


def test_compression_costs_little(model: daneo.FastTextClassifier, test_texts: Texts) -> None:
    before = model.test(*test_texts).precision
    for settings in ({"storage": "float16"}, {"part_size": 1}, {"outputs": True}, {"num_rows": 400}):
        assert model.compressed(**settings).test(*test_texts).precision > before - 0.03


@pytest.mark.parametrize("texts", ["training texts", "other texts"])
def test_retraining_begins_where_the_model_ended(
    texts: str, model: daneo.FastTextClassifier, train_texts: Texts, test_texts: Texts
) -> None:
    small = model.compressed(num_rows=400, storage="float32")
    trained = small._trained.model
    labelled = labelled_types(*(train_texts if texts == "training texts" else test_texts), "fasttext", "__label__")
    run = ClassifierRun(small.config, training_set_of(trained, labelled, 1), None, before=trained)
    # Rows that come together in these texts share one, the mean of theirs, and these texts keep their vectors.
    asked = train_texts[0] if texts == "training texts" else test_texts[0]
    begun = Predictor(run.learned()).probabilities(asked, 1)
    np.testing.assert_allclose(begun, small.probabilities(asked), rtol=1e-4, atol=1e-6)


def test_retraining_learns_to_do_without(train_texts: Texts, test_texts: Texts) -> None:
    model = daneo.FastTextClassifier(**SMALL, word_ngrams=2, num_buckets=5000).fit(*train_texts)
    without, again = (model.compressed(num_rows=25, retrain=retrain) for retrain in (None, train_texts))
    assert again.words == without.words
    assert again.test(*train_texts).precision >= without.test(*train_texts).precision
    assert again.test(*test_texts).precision > without.test(*test_texts).precision - 0.02
    assert not np.array_equal(again._trained.model.outputs, without._trained.model.outputs)
    with pytest.raises(ValueError, match="No text has a label that the classifier knows"), pytest.warns(match="1 of 1"):
        model.compressed(num_rows=25, retrain=(["wave"], ["lava"]))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"storage": "int8"}, "storage as one of product_quantization, float16, float32"),
        ({"num_rows": 0}, "num_rows of at least 1"),
        ({"part_size": 11}, "part_size from 1 to the vectors' 10"),
    ],
)
def test_compression_that_makes_no_sense(settings: Any, message: str, model: daneo.FastTextClassifier) -> None:
    with pytest.raises(ValueError, match=message):
        model.compressed(**settings)
