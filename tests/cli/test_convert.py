"""``daneo convert``: what the command adds to the conversions of the library."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest

import daneo as package
from daneo.cli.convert import Format
from daneo.embeddings import formats
from daneo.embeddings.conversion import TARGETS

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
    lost = errors.splitlines()
    assert lost[0] == (
        "Lost: 11 rows of n-grams: words that were never seen have no vectors there. daneo and fasttext-bin keep them."
    )
    assert len(lost) == 2 + ("fasttext-vec" in options)
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
    assert get_args(Format) == TARGETS


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


def test_nothing_names_a_file_that_nobody_knows(daneo_process: Any, with_ngrams: Path, tmp_path: Path) -> None:
    status, output, errors = daneo_process("convert", with_ngrams, "-")
    assert (status, output.splitlines()[0]) == (0, "3 2")
    assert errors.startswith("Lost: 11 rows of n-grams: words")
    assert errors.count("\n") == 1
    package.WordVectors(["New York"], [[1]]).save(tmp_path / "v")
    _, _, errors = daneo_process("convert", tmp_path / "v", "-")
    assert errors.startswith("daneo: warning: standard output: 1 of 1 words hold spaces")


def test_a_pipe_of_n_grams_is_written_as_fasttext(
    environment: dict[str, str], with_ngrams: Path, tmp_path: Path
) -> None:
    package.WordVectors.load(with_ngrams).save(tmp_path / "a.bin", format="fasttext-bin")
    command = f'cat a.bin | "{sys.executable}" -m daneo.cli convert - b.bin'
    done = subprocess.run(command, shell=True, cwd=tmp_path, capture_output=True, env=environment, check=False)
    assert done.returncode == 0
    assert formats.recognise(tmp_path / "b.bin") == "fasttext-bin"


def test_a_classifier_stays_one(daneo: Any, tmp_path: Path) -> None:
    settings = {"vector_size": 4, "epochs": 2, "num_threads": 1, "num_buckets": 50}
    model = package.FastTextClassifier(**settings).fit(["a fine film", "a dull film"] * 9, ["up", "down"] * 9)
    model.save(tmp_path / "c")
    status, output, errors = daneo("convert", tmp_path / "c", tmp_path / "c.bin")
    assert (status, output) == (0, "")
    lost, where = errors.splitlines()
    assert lost.startswith("Lost: the losses and validation scores of the training.")
    assert (
        where == f"A classifier of {len(model.words)} words and 2 labels is in {tmp_path / 'c.bin'}, as fasttext-bin."
    )
    assert daneo("convert", tmp_path / "c.bin", tmp_path / "again")[0] == 0
    again = package.FastTextClassifier.load(tmp_path / "again")
    assert again.predict("a fine film", k=2) == model.predict("a fine film", k=2)
    assert daneo("convert", tmp_path / "c.bin", tmp_path / "words", "--vectors-only")[0] == 0
    assert package.WordVectors.load(tmp_path / "words").words == model.words
    status, output, errors = daneo("convert", tmp_path / "c", tmp_path / "c.txt")
    assert (status, output, errors.count("\n")) == (1, "", 1)
    assert "is a classifier, which word2vec-text cannot hold; daneo and fasttext-bin can." in errors


def test_a_ftz_that_is_none_is_noticed(daneo: Any, vectors: Path, tmp_path: Path) -> None:
    status, _, errors = daneo("convert", vectors, tmp_path / "a.ftz")
    assert status == 0
    assert f"daneo: warning: {tmp_path / 'a.ftz'} is not quantised" in errors
    assert formats.recognise(tmp_path / "a.ftz") == "fasttext-bin"
    package.WordVectors.load(vectors).compressed(part_size=1)[0].save(tmp_path / "small")
    status, _, errors = daneo("convert", tmp_path / "small", tmp_path / "b.ftz")
    assert (status, errors) == (0, f"3 vectors of 2 numbers are in {tmp_path / 'b.ftz'}, as fasttext-bin.\n")


def test_stanfords_glove(daneo: Any, tmp_path: Path) -> None:
    package.GloVe(vector_size=4, epochs=1, min_count=1).fit(["the sun is hot", "the moon is cold"] * 9).save(
        tmp_path / "g"
    )
    status, _, errors = daneo("convert", tmp_path / "g", tmp_path / "g.bin", "--format", "glove-binary")
    assert status == 0
    assert errors.splitlines()[-1] == (
        f"6 vectors of 4 numbers are in {tmp_path / 'g.bin'}, as glove-binary, "
        f"their words in {tmp_path / 'g.vocab.txt'}."
    )
    status, _, errors = daneo(
        "convert", tmp_path / "g.bin", tmp_path / "v.bin", "--vocabulary", tmp_path / "g.vocab.txt"
    )
    assert status == 0
    assert formats.recognise(tmp_path / "v.bin") == "word2vec-binary"
    assert errors.startswith("Lost: how often each word occurred.")
    status, _, errors = daneo("convert", tmp_path / "g.bin", tmp_path / "v")
    assert (status, errors.count("\n")) == (1, 1)
    assert "daneo convert --vocabulary" in errors
    assert daneo("convert", tmp_path / "g", "-", "--format", "glove-binary")[0] == 2


def test_vectors_alone_to_give_away(daneo: Any, tmp_path: Path) -> None:
    package.Word2Vec(vector_size=4, epochs=1, min_count=1, sample=0).fit(["a b a b"] * 9).save(tmp_path / "model")
    status, _, errors = daneo("convert", tmp_path / "model", tmp_path / "v", "--vectors-only")
    assert status == 0
    assert errors.splitlines()[0] == "Lost: what further training needs (outputs). daneo keeps it."
    assert not (tmp_path / "v" / "training.safetensors").exists()
    status, _, errors = daneo("convert", tmp_path / "v", tmp_path / "model", "--vectors-only")
    assert (status, errors.count("\n")) == (1, 1)
    assert "holds a trained model" in errors
    assert daneo("compress", tmp_path / "v", "-o", tmp_path / "model")[0] == 1


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
