"""FastText on disk: daneo's directory, a .bin that Facebook's program opens, and damaged ones."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from daneo.embeddings import FastText, SubwordVectors, Word2Vec, WordVectors, noise
from daneo.embeddings.compression.product_quantizer import ProductQuantizer
from daneo.embeddings.compression.quantized_rows import QuantizedRows
from daneo.embeddings.formats.fasttext_file import read_fasttext, write_fasttext
from daneo.embeddings.formats.tensors import map_tensors, write_tensors

from .formats.facebook_models import UNSEEN, loaded, model_bytes, trained

SMALL: dict[str, Any] = {"vector_size": 10, "window": 2, "min_count": 1, "epochs": 2, "sample": 0.0, "num_threads": 1}
SMALL["num_buckets"] = 500
KINDS: dict[str, dict[str, Any]] = {
    "skip-gram": {},
    "skip-gram, tree": {"loss": "hierarchical_softmax"},
    "cbow": {"architecture": "cbow", "min_ngram": 1, "max_ngram": 2},
    "cbow, tree": {"architecture": "cbow", "loss": "hierarchical_softmax", "vector_size": 16},
    "position weights": {"architecture": "cbow", "position_weights": True},
    "jamo": {"subwords": "jamo"},
    "no n-grams": {"max_ngram": 0},
    "no buckets": {"num_buckets": 0},
    "every bucket": {"num_buckets": 3},
}
every_kind = pytest.mark.parametrize("kind", KINDS)
TEXT = [
    ["the", "horses", "run"],
    ["a", "horse", "runs"],
    ["바다", "é", "horses", "the"],
    ["running", "the", "바다"],
] * 15
NEW_TEXT = [["the", "donkeys", "run"], ["a", "donkey", "ran", "바다"]] * 5


@pytest.fixture(scope="module", autouse=True)
def small_noise_table() -> Iterator[None]:
    """Of the time that such small texts take, most would go into a table of 4 million noise words."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(noise, "SMALLEST_TABLE", 1 << 14)
        yield


@pytest.fixture(scope="module")
def models() -> dict[str, FastText]:
    """A model of each kind that nobody may change."""
    return {kind: FastText(**{**SMALL, **options}).fit(TEXT) for kind, options in KINDS.items()}


def assert_same_vectors(got: WordVectors, want: WordVectors) -> None:
    assert got.words == want.words
    assert_array_equal(got.counts, want.counts)
    assert_array_equal(got.matrix, want.matrix)
    if isinstance(want, SubwordVectors):
        assert_array_equal(got[UNSEEN], want[UNSEEN])


def assert_same_model(got: FastText, want: FastText) -> None:
    assert (got.config, got.losses, got.vocabulary) == (want.config, want.losses, want.vocabulary)
    assert_same_vectors(got.vectors, want.vectors)
    assert_array_equal(got.vectors.rows.own, want.vectors.rows.own)
    assert_array_equal(got.vectors.ngrams.rows, want.vectors.ngrams.rows)
    assert_array_equal(got.outputs, want.outputs)
    assert (got.position_weights is None) == (want.position_weights is None)
    if want.position_weights is not None:
        assert_array_equal(got.position_weights, want.position_weights)


# --------------------------------------------------------------------------------------------------- daneo's directory


@every_kind
def test_a_model_comes_back_and_goes_on_as_if_it_had_not_been_away(
    models: dict[str, FastText], kind: str, tmp_path: Path
) -> None:
    model, path = models[kind], tmp_path / "model"
    model.save(path)
    assert_same_model(FastText.load(path), model)
    vectors = WordVectors.load(path)
    assert isinstance(vectors, SubwordVectors)
    assert_same_vectors(vectors, model.vectors)

    again = FastText.load(path).continue_training(NEW_TEXT)
    again.save(path)  # over the files that it was opened from
    same = FastText(**dataclasses.asdict(model.config)).fit(TEXT).continue_training(NEW_TEXT)
    assert_same_model(again, same)
    assert_same_model(FastText.load(path), same)
    # What was opened before still answers from what stood there.
    assert_same_vectors(vectors, model.vectors)


@every_kind
def test_a_model_can_be_saved_where_it_was_opened(models: dict[str, FastText], kind: str, tmp_path: Path) -> None:
    models[kind].save(tmp_path / "model")
    opened = FastText.load(tmp_path / "model")
    opened.save(tmp_path / "model")
    assert_same_model(opened, models[kind])
    assert_same_model(FastText.load(tmp_path / "model"), models[kind])


def test_the_card_tells_how_the_model_came_about(models: dict[str, FastText], tmp_path: Path) -> None:
    model = models["position weights"]
    model.save(tmp_path / "model")
    card = (tmp_path / "model" / "README.md").read_text(encoding="utf-8")
    assert "# Word vectors by FastText" in card
    assert "9 words, 10 numbers each, learned from 195 words of text" in card
    assert 'daneo.FastText.load(".")' in card
    assert "| position_weights | True |" in card
    assert f"| 2 | {model.losses[1]:.4f} |" in card


def test_what_else_lies_in_a_directory_is_not_replaced(models: dict[str, FastText], tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("all my work")
    with pytest.raises(FileExistsError, match="'thesis.txt', which daneo did not write"):
        models["cbow"].save(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_format_that_is_not_known(models: dict[str, FastText], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"FastText.save\(format=...\) expected daneo or fasttext-bin; got 'bin'"):
        models["cbow"].save(tmp_path / "model", format="bin")  # type: ignore[arg-type]


# ------------------------------------------------------------------------------------------------- damaged directories


def change_config(change: Callable[[dict[str, Any]], Any]) -> Callable[[Path], None]:
    def damage(path: Path) -> None:
        config = json.loads((path / "config.json").read_text(encoding="utf-8"))
        change(config)
        (path / "config.json").write_text(json.dumps(config), encoding="utf-8")

    return damage


def setting(name: str, value: Any) -> Callable[[Path], None]:
    return change_config(lambda config: config["settings"].__setitem__(name, value))


def change_tensors(file: str, change: Callable[[dict[str, np.ndarray]], Any]) -> Callable[[Path], None]:
    def damage(path: Path) -> None:
        tensors = {name: array.copy() for name, array in map_tensors(path / file).items()}
        change(tensors)
        write_tensors(path / file, tensors)

    return damage


def tensor(name: str, change: Callable[[np.ndarray], np.ndarray]) -> Callable[[Path], None]:
    file = "vectors.safetensors" if name in ("vectors", "ngrams", "ngram_buckets") else "training.safetensors"
    return change_tensors(file, lambda tensors: tensors.__setitem__(name, change(tensors[name])))


DAMAGE: dict[str, tuple[Callable[[Path], Any], type[Exception], str]] = {
    "no training file": (
        lambda path: (path / "training.safetensors").unlink(),
        ValueError,
        r"training.safetensors: 'own': expected float32 of shape \(9, 10\), got nothing",
    ),
    "no vectors": (lambda path: (path / "vectors.safetensors").unlink(), FileNotFoundError, "no vectors.safetensors"),
    "no words": (lambda path: (path / "vocabulary.txt").unlink(), FileNotFoundError, "vocabulary.txt"),
    "no config": (lambda path: (path / "config.json").unlink(), FileNotFoundError, "no config.json"),
    "no settings": (change_config(lambda config: config.pop("settings")), ValueError, "settings are not those of Fast"),
    "settings of another kind": (
        change_config(lambda config: config.__setitem__("settings", [1, 2])),
        ValueError,
        "settings are not those of FastText",
    ),
    "a setting of another type": (setting("window", "two"), ValueError, r"FastText \(.*window=.*expected int"),
    "a setting of another name": (setting("widnow", 2), ValueError, "FastText .*Did you mean window"),
    "a setting out of bounds": (setting("window", 0), ValueError, "expected at least 1, got 0"),
    "another size": (setting("vector_size", 11), ValueError, r"'own': expected float32 of shape \(9, 11\)"),
    "another loss": (
        setting("loss", "hierarchical_softmax"),
        ValueError,
        r"'outputs': expected float32 of shape \(8, 10\), got float32 of shape \(9, 10\)",
    ),
    "another window": (setting("window", 3), ValueError, r"'position_weights': expected float32 of shape \(7, 10\)"),
    "other n-grams": (setting("max_ngram", 4), ValueError, "the settings and the n-grams' differ. The file is damaged"),
    "other buckets": (setting("num_buckets", 501), ValueError, "the settings and the n-grams' differ"),
    "n-grams of jamo": (setting("subwords", "jamo"), ValueError, "the settings and the n-grams' differ"),
    "no n-grams": (
        change_config(lambda config: config.pop("subwords")),
        ValueError,
        "settings and the n-grams' differ",
    ),
    "means over fewer n-grams": (
        change_config(lambda config: config["subwords"].__setitem__("count_missing", False)),
        ValueError,
        "expected subwords.count_missing to be true",
    ),
    "another algorithm": (
        change_config(lambda config: config["training"].__setitem__("algorithm", "word2vec")),
        ValueError,
        "word vectors that FastText.save did not write. Open it with WordVectors.load",
    ),
    "losses that are none": (
        change_config(lambda config: config["training"].__setitem__("losses", ["low"])),
        ValueError,
        "expected training.num_tokens .* and training.losses to be numbers",
    ),
    "no number of words": (
        change_config(lambda config: config["training"].pop("num_tokens")),
        ValueError,
        "expected training.num_tokens .* and training.losses to be numbers",
    ),
    "fewer own rows": (tensor("own", lambda rows: rows[:-1]), ValueError, r"'own': .*\(9, 10\), got .*\(8, 10\)"),
    "own rows of doubles": (tensor("own", lambda rows: rows.astype(float)), ValueError, "'own': .*got float64"),
    "narrower outputs": (tensor("outputs", lambda rows: rows[:, :9]), ValueError, r"'outputs': .*got .*\(9, 9\)"),
    "flat outputs": (tensor("outputs", lambda rows: rows.ravel()), ValueError, r"'outputs': .*got .*\(90,\)"),
    "no outputs": (
        change_tensors("training.safetensors", lambda tensors: tensors.pop("outputs")),
        ValueError,
        "'outputs': expected .*, got nothing",
    ),
    "no position weights": (
        change_tensors("training.safetensors", lambda tensors: tensors.pop("position_weights")),
        ValueError,
        "'position_weights': expected .*, got nothing",
    ),
    "fewer vectors": (tensor("vectors", lambda rows: rows[:-1]), ValueError, "vocabulary.txt has 9 words"),
    "narrower n-grams": (tensor("ngrams", lambda rows: rows[:, :9]), ValueError, "expected n-grams of 10 numbers"),
    "fewer n-grams": (tensor("ngrams", lambda rows: rows[:-1]), ValueError, "a bucket for each row"),
    "n-grams of halves": (
        tensor("ngrams", lambda rows: rows.astype(np.float16)),
        ValueError,
        "'ngrams': expected float32 of shape",
    ),
    "buckets that fall": (tensor("ngram_buckets", lambda buckets: buckets[::-1].copy()), ValueError, "that rise"),
    "buckets beyond the table": (tensor("ngram_buckets", lambda buckets: buckets + 400), ValueError, "0 to 499"),
    "not a file of tensors": (
        lambda path: (path / "training.safetensors").write_bytes(b"nothing"),
        ValueError,
        "not a sound safetensors file",
    ),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_directory_is_refused(models: dict[str, FastText], damage: str, tmp_path: Path) -> None:
    models["position weights"].save(tmp_path / "model")
    assert_same_model(FastText.load(tmp_path / "model"), models["position weights"])
    spoil, error, message = DAMAGE[damage]
    spoil(tmp_path / "model")
    with pytest.raises(error, match=message):
        FastText.load(tmp_path / "model")


def test_a_directory_of_another_kind_is_refused(models: dict[str, FastText], tmp_path: Path) -> None:
    models["skip-gram"].vectors.save(tmp_path / "vectors")
    Word2Vec(vector_size=4, min_count=1, epochs=1, sample=0.0).fit(["a b c"]).save(tmp_path / "word2vec")
    for name in ("vectors", "word2vec"):
        with pytest.raises(ValueError, match="word vectors that FastText.save did not write. Open it with WordVectors"):
            FastText.load(tmp_path / name)
    with pytest.raises(FileNotFoundError):
        FastText.load(tmp_path / "nothing")
    models["skip-gram"].save(tmp_path / "fasttext")
    with pytest.raises(ValueError, match="word vectors that Word2Vec.save did not write"):
        Word2Vec.load(tmp_path / "fasttext")


# ------------------------------------------------------------------------------------------------------ Facebook's .bin

OF_CHARACTERS = [kind for kind in KINDS if kind != "jamo"]


def check_facebooks_answers(path: Path, vectors: WordVectors) -> None:
    theirs = loaded(path)
    words, counts = theirs.get_words(include_freq=True)
    assert (words, counts.tolist()) == (vectors.words, vectors.counts.tolist())
    for word in [*vectors.words, *UNSEEN]:
        assert_allclose(theirs.get_word_vector(word), vectors[word], rtol=0, atol=1e-6)
    for word in ("horses", "unhorsed"):
        if not vectors[word].any():  # all words are as near to it
            continue
        want = vectors.most_similar(word, topn=5)
        got = theirs.get_nearest_neighbors(word, k=5)
        assert [name for _, name in got] == [name for name, _ in want]
        assert_allclose([score for score, _ in got], [score for _, score in want], rtol=0, atol=1e-6)


@pytest.mark.parametrize("kind", OF_CHARACTERS)
def test_facebooks_program_answers_as_we_do(models: dict[str, FastText], kind: str, tmp_path: Path) -> None:
    model, path = models[kind], tmp_path / "model.bin"
    model.save(path, format="fasttext-bin")
    check_facebooks_answers(path, model.vectors)
    args = loaded(path).f.getArgs()
    config = model.config
    assert (args.dim, args.ws, args.epoch, args.minCount, args.neg) == (config.vector_size, 2, 2, 1, 5)
    assert args.bucket == (0 if kind == "no n-grams" else config.num_buckets)


@pytest.mark.parametrize("kind", OF_CHARACTERS)
def test_a_bin_comes_back(models: dict[str, FastText], kind: str, tmp_path: Path) -> None:
    model, path = models[kind], tmp_path / "model.bin"
    model.save(path, format="fasttext-bin")
    assert_same_vectors(WordVectors.load(path), model.vectors)
    again = FastText.load(path)
    assert_same_vectors(again.vectors, model.vectors)
    assert_array_equal(again.vectors.rows.own, model.vectors.rows.own)
    assert again.vocabulary == model.vocabulary
    assert again.losses == []
    if model.config.loss == "negative_sampling":
        assert_array_equal(again.outputs, model.outputs)
    kept = ("vector_size", "window", "epochs", "min_count", "negative", "sample", "architecture", "loss")
    for name in kept:
        assert getattr(again.config, name) == getattr(model.config, name)
    assert again.position_weights is None
    # Further training takes it up, and both formats hold the result.
    again.config = dataclasses.replace(again.config, num_threads=1)
    vectors = again.continue_training(NEW_TEXT).vectors
    assert vectors.words[:9] == model.vectors.words
    assert {"donkey", "donkeys", "ran"} <= set(vectors.words)
    again.save(tmp_path / "directory")
    assert_same_model(FastText.load(tmp_path / "directory"), again)


@pytest.mark.parametrize("kind", ["skip-gram, tree", "cbow"])
def test_a_bin_can_be_saved_in_every_way_as_it_was_opened(
    models: dict[str, FastText], kind: str, tmp_path: Path
) -> None:
    path = tmp_path / "model.bin"
    models[kind].save(path, format="fasttext-bin")
    opened, content = FastText.load(path), path.read_bytes()
    opened.save(path, format="fasttext-bin")  # over the file that it was opened from
    assert path.read_bytes() == content
    opened.save(tmp_path / "directory")
    again = FastText.load(tmp_path / "directory")
    assert_same_vectors(again.vectors, models[kind].vectors)
    assert_array_equal(again.outputs, opened.outputs)


def test_a_bin_has_a_row_for_every_bucket(models: dict[str, FastText], tmp_path: Path) -> None:
    model, path = models["skip-gram"], tmp_path / "model.bin"
    model.save(path, format="fasttext-bin")
    rows, ngrams = read_fasttext(path).inputs, model.vectors.ngrams
    assert rows.shape == (9 + 500, 10)
    used = ngrams.buckets
    assert used is not None
    assert_array_equal(rows[9:][used], ngrams.rows)
    assert not np.delete(rows[9:], used, axis=0).any()


def test_what_a_bin_cannot_hold_is_refused(models: dict[str, FastText], tmp_path: Path) -> None:
    path = tmp_path / "model.bin"
    with pytest.raises(ValueError, match=r"n-grams of characters only, this model has n-grams of jamo. format='daneo'"):
        models["jamo"].save(path, format="fasttext-bin")
    grown = FastText(**SMALL, loss="hierarchical_softmax").fit(TEXT).continue_training([["zebra", "horse"]] * 90)
    with pytest.raises(ValueError, match=r"counts that fall, and here they do not"):
        grown.save(path, format="fasttext-bin")
    spaced = FastText(**SMALL).fit([["two words", "one"]] * 5)
    with pytest.raises(ValueError, match=r"cannot hold 'two words' among its words"):
        spaced.save(path, format="fasttext-bin")
    assert not path.exists()
    with pytest.warns(UserWarning, match="rows of n-grams were left out"):
        models["jamo"].vectors.save(tmp_path / "words.vec", format="fasttext-vec")
    assert WordVectors.load(tmp_path / "words.vec").words == models["jamo"].vectors.words


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("supervised", "is a text classifier. Open it with daneo.FastTextClassifier.load"),
        ("pruned", "is a text classifier. Open it with daneo.FastTextClassifier.load"),
    ],
)
def test_classifiers_are_opened_elsewhere(kind: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(trained(kind))
    with pytest.raises(ValueError, match=re.escape(message)):
        FastText.load(tmp_path / "model.bin")


def test_vectors_alone_are_not_trained_further(models: dict[str, FastText], tmp_path: Path) -> None:
    WordVectors(["a", "b"], np.eye(2)).save(tmp_path / "words.vec", format="word2vec-text")
    with pytest.raises(ValueError, match=r"words.vec holds vectors alone"):
        FastText.load(tmp_path / "words.vec")
    models["skip-gram"].save(tmp_path / "model.bin", format="fasttext-bin")
    file = read_fasttext(tmp_path / "model.bin")
    rows = np.array(file.inputs)
    quantizer = ProductQuantizer.learn(rows, 2, seed=1)
    quantised = QuantizedRows(quantizer.encode(rows), quantizer)
    write_fasttext(tmp_path / "model.ftz", dataclasses.replace(file, inputs=quantised))
    with pytest.raises(ValueError, match=r"model.ftz .*cannot be trained further. Open it with WordVectors.load"):
        FastText.load(tmp_path / "model.ftz")
    with pytest.raises(FileNotFoundError):
        FastText.load(tmp_path / "nothing.bin")


ROWS = np.random.default_rng(0).standard_normal((5, 3)).astype(np.float32)


def test_words_that_are_not_utf8(tmp_path: Path) -> None:
    path = tmp_path / "model.bin"
    path.write_bytes(model_bytes([b"sea", b"\xff\xfe", "é".encode()], ROWS, ROWS[:3], num_buckets=2))
    with pytest.raises(ValueError, match=r"word 2 .*is not UTF-8. errors='surrogateescape' keeps its bytes"):
        FastText.load(path)
    with pytest.raises(ValueError, match=r"errors=...\) expected strict, or surrogateescape, .*; got 'replace'"):
        FastText.load(path, errors="replace")
    model = FastText.load(path, errors="surrogateescape")
    assert model.vectors.words == ["sea", "\udcff\udcfe", "é"]
    theirs = loaded(path)
    for word in ("sea", "é", "unseen"):
        assert_allclose(theirs.get_word_vector(word), model.vectors[word], rtol=0, atol=1e-6)
    model.save(tmp_path / "again.bin", format="fasttext-bin")
    assert (tmp_path / "again.bin").read_bytes()[8:] == path.read_bytes()[8:]
    model.save(tmp_path / "directory")
    assert_same_vectors(FastText.load(tmp_path / "directory").vectors, model.vectors)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"loss": 3}, "was trained with the loss softmax"),
        ({"loss": 4}, "was trained with the loss one_vs_all"),
        ({"model": 3}, "is a text classifier"),
    ],
)
def test_a_bin_that_cannot_be_trained_further(change: dict[str, int], message: str, tmp_path: Path) -> None:
    rows = ROWS[:3] if "model" not in change else ROWS[:0]
    (tmp_path / "model.bin").write_bytes(model_bytes([b"a", b"b", b"c"], ROWS, rows, num_buckets=2, **change))
    with pytest.raises(ValueError, match=message):
        FastText.load(tmp_path / "model.bin")


@pytest.mark.parametrize(("place", "value", "setting"), [(1, 0, "window"), (2, 0, "epochs"), (4, 0, "negative")])
def test_settings_that_training_cannot_have(place: int, value: int, setting: str, tmp_path: Path) -> None:
    content = bytearray(model_bytes([b"a", b"b", b"c"], ROWS, ROWS[:3], num_buckets=2))
    content[8 + 4 * place : 12 + 4 * place] = value.to_bytes(4, "little")  # after the magic number and the version
    (tmp_path / "model.bin").write_bytes(content)
    assert len(WordVectors.load(tmp_path / "model.bin")) == 3
    message = rf"model.bin cannot be trained further with its settings: FastText\({setting}=...\) expected at least 1"
    with pytest.raises(ValueError, match=message):
        FastText.load(tmp_path / "model.bin")


def test_words_that_are_there_twice(tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(model_bytes([b"sea", b"sun", b"sea"], ROWS, ROWS[:3], num_buckets=2))
    with pytest.raises(ValueError, match="model.bin.* twice"):
        FastText.load(tmp_path / "model.bin")


@pytest.mark.parametrize(("shortest", "longest"), [(0, 0), (3, 0), (4, 2)])
def test_a_bin_without_ngrams(shortest: int, longest: int, tmp_path: Path) -> None:
    # Facebook's program keeps its buckets, though no word has n-grams.
    path = tmp_path / "model.bin"
    options = {"num_buckets": 2, "min_ngram": shortest, "max_ngram": longest}
    path.write_bytes(model_bytes([b"a", b"bcd", b"c"], ROWS, ROWS[:3], **options))
    model, theirs = FastText.load(path), loaded(path)
    assert_same_vectors(model.vectors, WordVectors.load(path))
    for word in ("a", "bcd", "unseen"):
        assert_allclose(theirs.get_word_vector(word), model.vectors[word], rtol=0, atol=1e-6)
    assert model.continue_training([["a", "bcd", "new"]] * 5).vectors.words == ["a", "bcd", "c", "new"]


@pytest.mark.parametrize("version", [None, 11, 12])
def test_every_version_of_the_file_goes_on(version: int | None, tmp_path: Path) -> None:
    path = tmp_path / "model.bin"
    path.write_bytes(model_bytes([b"sea", b"</s>", b"sun"], ROWS, ROWS[:3], num_buckets=2, version=version))
    model = FastText.load(path)
    assert_same_vectors(model.vectors, WordVectors.load(path))
    before = model.vectors.rows.own[:].copy()
    model.config = dataclasses.replace(model.config, sample=0.0, num_threads=1)
    own = model.continue_training([["sea", "sun", "sea"]] * 3).vectors.rows.own
    assert np.any(own != before, axis=1).tolist() == [True, False, True]
