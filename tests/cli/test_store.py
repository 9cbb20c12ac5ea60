"""``daneo convert`` and ``info``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest

import daneo as package
from daneo.cli.store import Format
from daneo.embeddings import formats

WORDS = ["단어", "word", "naïve"]
MATRIX = np.array([[1, 2.5], [-3, 1e-7], [0, 1 / 3]], dtype=np.float32)


@pytest.fixture
def vectors(tmp_path: Path) -> Path:
    path = tmp_path / "vectors"
    package.WordVectors(WORDS, MATRIX).save(path)
    return path


def assert_same_vectors(path: Path) -> None:
    found = package.WordVectors.load(path)
    assert found.words == WORDS
    np.testing.assert_array_equal(found.matrix, MATRIX)


@pytest.mark.parametrize(
    ("name", "options", "format"),
    [
        ("a.txt", [], "word2vec-text"),
        ("a.vec", [], "word2vec-text"),
        ("a.bin", [], "word2vec-binary"),
        ("a.txt.gz", [], "word2vec-text"),
        ("a.bin.gz", [], "word2vec-binary"),
        ("folder", [], "daneo"),
        ("v1.5", ["--format", "daneo"], "daneo"),
        ("a.txt", ["--format", "glove-text"], "glove-text"),
    ],
)
def test_convert_there_and_back(
    daneo: Any, vectors: Path, tmp_path: Path, name: str, options: list[str], format: str
) -> None:
    status, output, errors = daneo("convert", vectors, tmp_path / name, *options)
    assert (status, output) == (0, "")
    assert errors == f"3 vectors of 2 numbers are in {tmp_path / name}, as {format}.\n"
    assert formats.recognise(tmp_path / name) == format
    assert_same_vectors(tmp_path / name)
    assert daneo("convert", tmp_path / name, tmp_path / "back")[0] == 0
    assert_same_vectors(tmp_path / "back")


def test_ngrams_go_to_fasttext_and_back(daneo: Any, with_ngrams: Path, tmp_path: Path) -> None:
    before = package.WordVectors.load(with_ngrams)
    status, output, errors = daneo("convert", with_ngrams, tmp_path / "a.bin")
    assert (status, output) == (0, "")
    assert errors == f"3 vectors of 2 numbers are in {tmp_path / 'a.bin'}, as fasttext-bin.\n"
    assert daneo("convert", tmp_path / "a.bin", tmp_path / "back")[0] == 0
    for path in (tmp_path / "a.bin", tmp_path / "back"):
        after = package.WordVectors.load(path)
        np.testing.assert_allclose(after[["sea", "seas", "suns"]], before[["sea", "seas", "suns"]], rtol=1e-6)


@pytest.mark.parametrize(
    ("name", "options"),
    [("a.bin", ["--format", "word2vec-binary"]), ("a.vec", []), ("a.vec", ["--format", "fasttext-vec"])],
)
def test_formats_without_place_for_ngrams_say_so(
    daneo: Any, with_ngrams: Path, tmp_path: Path, name: str, options: list[str]
) -> None:
    status, _, errors = daneo("convert", with_ngrams, tmp_path / name, *options)
    assert status == 0
    warning, _ = errors.splitlines()
    assert "rows of n-grams were left out" in warning
    after = package.WordVectors.load(tmp_path / name)
    assert after.words == ["sea", "sun", "moon"]
    np.testing.assert_array_equal(after["sea"], [2, 4])


def test_a_trained_model_takes_its_settings_to_fasttext(daneo: Any, tmp_path: Path) -> None:
    model = package.FastText(vector_size=4, window=3, min_count=2, epochs=1, num_buckets=20, sample=0)
    model.fit(["the sea is wide", "the sea is deep"] * 20).save(tmp_path / "v")
    assert daneo("convert", tmp_path / "v", tmp_path / "v.bin")[0] == 0
    _, output, _ = daneo("info", tmp_path / "v.bin", "--json")
    settings = json.loads(output)["settings"]
    assert (settings["window"], settings["min_count"], settings["epochs"]) == (3, 2, 1)
    np.testing.assert_array_equal(package.FastText.load(tmp_path / "v.bin").outputs, model.outputs)


def test_every_format_of_the_library_can_be_asked_for() -> None:
    assert get_args(Format) == formats.FORMATS


@pytest.mark.parametrize("name", ["a.zip", "a.gz", ".gz", "a.model"])
def test_unknown_ending_is_bad_usage(daneo: Any, vectors: Path, tmp_path: Path, name: str) -> None:
    status, _, errors = daneo("convert", vectors, tmp_path / name)
    assert status == 2
    assert "its ending says no format. Give --format" in errors
    assert not (tmp_path / name).exists()


def test_through_pipes(daneo_process: Any, vectors: Path, tmp_path: Path) -> None:
    status, output, errors = daneo_process("convert", vectors, "-")
    assert (status, errors) == (0, "")
    assert output.splitlines()[0] == "3 2"
    status, _, _ = daneo_process("convert", "-", "again", input=output)
    assert status == 0
    assert_same_vectors(tmp_path / "again")


def test_a_warning_does_not_name_a_file_that_nobody_knows(daneo_process: Any, with_ngrams: Path) -> None:
    status, output, errors = daneo_process("convert", with_ngrams, "-")
    assert (status, output.splitlines()[0]) == (0, "3 2")
    assert errors.startswith("daneo: warning: standard output: 11 rows of n-grams were left out")
    assert errors.count("\n") == 1


def test_words_that_are_not_utf8(daneo: Any, tmp_path: Path) -> None:
    (tmp_path / "old.txt").write_bytes(b"2 1\ncaf\xe9 1\nsea 2\n")
    status, _, errors = daneo("convert", tmp_path / "old.txt", tmp_path / "new")
    assert (status, errors.count("\n")) == (1, 1)
    assert "not UTF-8" in errors
    assert daneo("convert", tmp_path / "old.txt", tmp_path / "new", "--errors", "replace")[0] == 0
    assert package.WordVectors.load(tmp_path / "new").words == ["caf\ufffd", "sea"]


def test_directory_format_does_not_fit_a_pipe(daneo: Any, vectors: Path) -> None:
    status, output, errors = daneo("convert", vectors, "-", "--format", "daneo")
    assert (status, output) == (2, "")
    assert "directory" in errors


def test_foreign_directory_is_not_replaced(daneo: Any, vectors: Path, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "thesis.txt").write_text("years")
    status, _, errors = daneo("convert", vectors, tmp_path / "home")
    assert status == 1
    assert "thesis.txt" in errors
    assert (tmp_path / "home" / "thesis.txt").read_text() == "years"


def test_a_warning_is_one_line(daneo: Any, tmp_path: Path) -> None:
    (tmp_path / "twice.txt").write_text("3 2\nsea 1 2\nsea 3 4\nsun 5 6\n", encoding="utf-8")
    status, _, errors = daneo("convert", tmp_path / "twice.txt", tmp_path / "out")
    first, second = errors.splitlines()
    assert status == 0
    assert first.startswith("daneo: warning: ")
    assert second.startswith("2 vectors")


def test_info_of_a_file_and_of_a_directory(daneo: Any, vectors: Path, tmp_path: Path) -> None:
    daneo("convert", vectors, tmp_path / "a.bin")
    status, output, _ = daneo("info", tmp_path / "a.bin")
    facts = dict(line.split("\t") for line in output.splitlines())
    assert status == 0
    assert facts == {
        "path": str(tmp_path / "a.bin"),
        "format": "word2vec-binary",
        "words": "3",
        "vector_size": "2",
        "storage": "float32",
        "bytes": str((tmp_path / "a.bin").stat().st_size),
        "first_words": "단어, word, naïve",
    }
    _, output, _ = daneo("info", vectors, "--json")
    facts = json.loads(output)
    assert facts["format"] == "daneo"
    assert facts["bytes"] == sum(file.stat().st_size for file in vectors.iterdir())
    assert facts["first_words"] == WORDS


def test_info_of_vectors_with_ngrams(daneo: Any, with_ngrams: Path, tmp_path: Path) -> None:
    daneo("convert", with_ngrams, tmp_path / "a.bin")
    wanted = {"kind": "characters", "min_ngram": 2, "max_ngram": 2, "num_buckets": 997}
    for path, format in ((with_ngrams, "daneo"), (tmp_path / "a.bin", "fasttext-bin")):
        status, output, _ = daneo("info", path, "--json")
        facts = json.loads(output)
        assert status == 0
        assert (facts["format"], facts["words"], facts["vector_size"]) == (format, 3, 2)
        assert wanted.items() <= facts["subwords"].items()
    _, output, _ = daneo("info", tmp_path / "a.bin")
    lines = output.splitlines()
    assert "subwords.num_buckets\t997" in lines
    assert "settings.architecture\tskipgram" in lines
    assert "file_version\t12" in lines
    assert "storage\tfloat32" in lines
    for storage in ("product_quantization", "float16"):
        assert daneo("compress", with_ngrams, "-o", tmp_path / storage, "--storage", storage)[0] == 0
        _, output, _ = daneo("info", tmp_path / storage, "--json")
        assert json.loads(output)["storage"] == storage


def test_info_of_a_classifier_of_fasttext_s(daneo: Any, tmp_path: Path) -> None:
    fasttext = pytest.importorskip("fasttext", reason="makes the model")
    (tmp_path / "train.txt").write_text("__label__good a fine film\n__label__bad a dull film\n" * 20, encoding="utf-8")
    settings = {"dim": 6, "bucket": 50, "wordNgrams": 2, "epoch": 1, "thread": 1, "verbose": 0}
    fasttext.train_supervised(str(tmp_path / "train.txt"), **settings).save_model(str(tmp_path / "c.bin"))
    status, output, _ = daneo("info", tmp_path / "c.bin", "--json")
    facts = json.loads(output)
    assert status == 0
    assert (facts["words"], facts["labels"], facts["vector_size"]) == (5, 2, 6)
    assert set(facts["first_labels"]) == {"__label__good", "__label__bad"}
    assert (facts["settings"]["architecture"], facts["settings"]["word_ngrams"]) == ("supervised", 2)


def test_info_of_a_classifier(daneo: Any, tmp_path: Path) -> None:
    settings = {"vector_size": 4, "epochs": 2, "num_threads": 1}
    package.FastTextClassifier(**settings).fit(["a fine film", "a dull film"] * 9, ["up", "down"] * 9).save(
        tmp_path / "c"
    )
    status, output, errors = daneo("info", tmp_path / "c", "--json")
    assert (status, errors) == (0, "")
    facts = json.loads(output)
    assert (facts["kind"], facts["words"], facts["labels"]) == ("fasttext-classifier", 5, 2)
    assert set(facts["first_labels"]) == {"up", "down"}
    assert facts["settings"]["vector_size"] == 4
    assert len(facts["training"]["losses"]) == 2


def test_info_of_something_else(daneo: Any, tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("Dear reader,\nall is well.\n")
    status, output, errors = daneo("info", tmp_path / "letter.txt")
    assert (status, output, errors.count("\n")) == (1, "", 1)
