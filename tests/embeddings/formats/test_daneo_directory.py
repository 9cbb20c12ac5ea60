"""daneo's own directory: what the trainers write with it, memory maps, and directories that are not sound."""

from __future__ import annotations

import json
import os
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from daneo.corpus.vocabulary import Vocabulary
from daneo.embeddings.formats import load, recognise, save
from daneo.embeddings.formats.daneo_directory import (
    DIRECTORY_NAMES,
    read_config,
    read_directory,
    read_directory_tensors,
    write_directory,
)
from daneo.embeddings.formats.tensors import map_tensors, write_tensors
from daneo.embeddings.word_vectors import WordVectors
from daneo.files import replaced_directory

MATRIX = np.arange(6, dtype=np.float32).reshape(3, 2)
VOCABULARY = Vocabulary(["a", "b", "c"], [5, 3, 1])


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    save(WordVectors(VOCABULARY, MATRIX), tmp_path / "vectors")
    return tmp_path / "vectors"


def test_a_trainers_directory_opens_as_word_vectors(tmp_path: Path) -> None:
    path = tmp_path / "model"
    config = {"settings": {"window": 5, "sample": 1e-3}, "training": {"words": "낱말"}}
    norms = np.array([1.0, 2.0, 3.0])
    for _ in range(2):  # the second replaces the first
        with replaced_directory(path, known=DIRECTORY_NAMES) as fresh:
            write_directory(fresh, VOCABULARY, MATRIX, config=config, card="# A model\n", tensors={"norms": norms})
            write_tensors(fresh / "training.safetensors", {"output": MATRIX.T, "step": np.array(7)})
    vocabulary, matrix, found = read_directory(path)
    assert vocabulary == VOCABULARY
    assert matrix.tolist() == MATRIX.tolist()
    assert found == {"format": "daneo", "version": 1, "kind": "word-vectors", **config}
    assert read_directory_tensors(path)["norms"].tolist() == norms.tolist()
    training = map_tensors(path / "training.safetensors")
    assert training["output"].tolist() == MATRIX.T.tolist()
    assert training["step"] == 7
    assert load(path).vocabulary == VOCABULARY
    assert recognise(path) == "daneo"
    assert {entry.name for entry in path.iterdir()} <= DIRECTORY_NAMES
    # And the config can be written again as it was read.
    with replaced_directory(path, known=DIRECTORY_NAMES) as fresh:
        write_directory(fresh, vocabulary, matrix, config=found)
    assert read_config(path) == found


def test_saving_over_the_file_that_is_mapped(saved: Path) -> None:
    vectors = load(saved)
    save(vectors, saved)
    save(WordVectors(["z"], np.zeros((1, 2), np.float32)), saved)
    assert vectors.matrix.tolist() == MATRIX.tolist()
    assert load(saved).words == ["z"]


def test_the_matrix_is_mapped_not_read(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    rows = 200_000
    save(WordVectors([str(row) for row in range(rows)], np.ones((rows, 100), np.float32)), tmp_path / "vectors")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    tensor = map_tensors(tmp_path / "vectors" / "vectors.safetensors")["vectors"]
    assert tensor[rows - 1, 99] == 1
    # 80 MB are 19,532 pages.
    assert resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before < 2000
    assert not tensor.flags.writeable
    assert not tensor.flags.owndata
    assert type(tensor) is np.ndarray


def test_the_default_card_says_what_it_is(saved: Path) -> None:
    card = (saved / "README.md").read_text(encoding="utf-8")
    assert card.startswith("# Word vectors\n\n3 words, 2 numbers each.")
    assert 'daneo.WordVectors.load(".")' in card


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"matrix": MATRIX[:2]}, r"Expected a matrix of shape \(3, D\), one row a word; got \(2, 2\)"),
        ({"config": {"version": 2}}, "key 'version' is the format's own and means 1; got 2"),
        ({"tensors": {"vectors": MATRIX}}, "'vectors' is the matrix itself"),
        ({"config": {"loss": float("nan")}}, "not JSON compliant"),
    ],
)
def test_what_cannot_be_written(options: dict[str, Any], reason: str, tmp_path: Path) -> None:
    matrix = options.pop("matrix", MATRIX)
    with pytest.raises(ValueError, match=reason):
        write_directory(tmp_path, VOCABULARY, matrix, **options)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "config.json is not JSON"),
        ("[]", 'expected a JSON object with "format": "daneo"'),
        ('{"model_type": "bert"}', "Another program wrote this directory"),
        ('{"format": "daneo", "version": 2, "kind": "word-vectors"}', "reads version 1 of its format, got 2. A newer"),
        ('{"format": "daneo", "version": 1, "kind": "elmo"}', "expected kind 'word-vectors', got 'elmo'. Give another"),
        ('{"format": "daneo", "version": 1, "kind": "cooccurrences"}', "`daneo train ppmi` make vectors of counts."),
        ("[" * 100_000, "config.json is not JSON"),
        (" " * ((16 << 20) + 1), "a config has at most"),
        ('{"format": "\ud800"}', "config.json is not JSON"),
    ],
)
def test_a_bad_config(text: str, reason: str, saved: Path) -> None:
    (saved / "config.json").write_bytes(text.encode("utf-8", "surrogatepass"))
    for act in (load, recognise):
        with pytest.raises(ValueError, match=reason) as caught:
            act(saved)
        assert str(saved / "config.json") in str(caught.value)


@pytest.mark.parametrize("name", ["config.json", "vectors.safetensors", "vocabulary.txt"])
def test_a_missing_file(name: str, saved: Path) -> None:
    (saved / name).unlink()
    with pytest.raises(FileNotFoundError, match=name):
        load(saved)


def test_files_of_two_models(saved: Path, tmp_path: Path) -> None:
    Vocabulary(["a", "b"]).save(saved / "vocabulary.txt")
    with pytest.raises(
        ValueError, match="vocabulary.txt has 2 words, vectors.safetensors has 3 rows; expected as many"
    ):
        load(saved)


@pytest.mark.parametrize(
    ("tensors", "came"),
    [
        ({"embeddings": MATRIX}, "none"),
        ({"vectors": MATRIX.astype(np.float64)}, r"float64 of shape \(3, 2\)"),
        ({"vectors": MATRIX.ravel()}, r"float32 of shape \(6,\)"),
    ],
)
def test_other_tensors(tensors: dict[str, Any], came: str, saved: Path) -> None:
    write_tensors(saved / "vectors.safetensors", tensors)
    for act in (load, read_directory):
        with pytest.raises(ValueError, match=f"xpected .*'vectors'.* got {came}|'vectors': expected .* got {came}"):
            act(saved)


def tensor_file(entry: dict[str, Any], data: bytes, padding: int = 0) -> bytes:
    header = json.dumps({"vectors": entry}).encode() + b" " * padding
    return struct.pack("<Q", len(header)) + header + data


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff" * 8,
        struct.pack("<Q", 1 << 60) + b"{}",
        struct.pack("<Q", 2) + b"{}" + b"left over",
        tensor_file({"dtype": "F32", "shape": [3, 2], "data_offsets": [0, 24]}, b"\0" * 23),
        tensor_file({"dtype": "F32", "shape": [3, 3], "data_offsets": [0, 24]}, b"\0" * 24),
        tensor_file({"dtype": "F32", "shape": [1 << 40, 1 << 40], "data_offsets": [0, 24]}, b"\0" * 24),
        tensor_file({"dtype": "F32", "shape": [3, 2], "data_offsets": [8, 32]}, b"\0" * 32),
        tensor_file({"dtype": "F32", "shape": [-3, -2], "data_offsets": [0, 24]}, b"\0" * 24),
        tensor_file({"dtype": "BF16", "shape": [6, 2], "data_offsets": [0, 24]}, b"\0" * 24),
        tensor_file({"dtype": "F32", "shape": [1 << 62, 0], "data_offsets": [0, 0]}, b""),
    ],
    ids=range(11),
)
def test_unsound_tensors(content: bytes, saved: Path) -> None:
    (saved / "vectors.safetensors").write_bytes(content)
    with pytest.raises(ValueError, match=str(saved)) as caught:
        load(saved)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("padding", range(4))
def test_tensors_that_another_tool_left_unaligned(padding: int, saved: Path) -> None:
    entry = {"dtype": "F32", "shape": [3, 2], "data_offsets": [0, 24]}
    (saved / "vectors.safetensors").write_bytes(tensor_file(entry, MATRIX.tobytes(), padding))
    matrix = read_directory(saved)[1]
    assert matrix.flags.aligned
    assert matrix.tolist() == MATRIX.tolist()


DTYPES = ("f8", "f4", "f2", "i8", "i4", "i2", "i1", "u8", "u4", "u2", "u1", "?")


def test_every_dtype_comes_back(tmp_path: Path) -> None:
    tensors = {code: np.arange(6).reshape(2, 3).astype(code) for code in DTYPES}
    tensors["empty"], tensors["scalar"] = np.zeros((0, 3)), np.array(2.5)
    write_tensors(tmp_path / "x", tensors)
    again = map_tensors(tmp_path / "x")
    assert again.keys() == tensors.keys()
    for name, array in tensors.items():
        assert again[name].dtype == array.dtype
        assert again[name].tolist() == array.tolist()


def test_a_users_directory_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(FileExistsError, match=r"holds 'thesis.txt'"):
        save(WordVectors(VOCABULARY, MATRIX), tmp_path)
    with pytest.raises(FileNotFoundError, match="has no config.json"):
        load(tmp_path)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
def test_every_file_can_be_read_by_whom_the_system_lets_read(tmp_path: Path) -> None:
    WordVectors(["sea"], [[1, 2]]).save(tmp_path / "x")
    (tmp_path / "x" / "other").write_text("")
    assert len({file.stat().st_mode for file in (tmp_path / "x").iterdir()}) == 1


@pytest.mark.parametrize(
    ("name", "what"), [("training.safetensors", "what further training needs"), ("sparse.safetensors", "sparse rows")]
)
def test_vectors_do_not_take_the_place_of_a_trained_model(name: str, what: str, tmp_path: Path) -> None:
    vectors = WordVectors(["sea"], [[1, 2]])
    vectors.save(tmp_path / "x")
    vectors.save(tmp_path / "x")  # vectors may
    write_tensors(tmp_path / "x" / name, {"outputs": np.ones((1, 2), np.float32)})
    with pytest.raises(FileExistsError, match=f"holds a trained model with {what} .{name}., which vectors alone would"):
        vectors.save(tmp_path / "x")
    assert (tmp_path / "x" / name).is_file()
