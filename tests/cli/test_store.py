"""``daneo info``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import daneo as package

WORDS = ["단어", "word", "naïve"]
MATRIX = np.array([[1, 2.5], [-3, 1e-7], [0, 1 / 3]], dtype=np.float32)


@pytest.fixture
def vectors(tmp_path: Path) -> Path:
    path = tmp_path / "vectors"
    package.WordVectors(WORDS, MATRIX).save(path)
    return path


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
