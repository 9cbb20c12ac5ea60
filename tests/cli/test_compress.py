"""``daneo compress``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import daneo as package

WORDS = [f"w{number}" for number in range(40)]


@pytest.fixture
def vectors(tmp_path: Path) -> Path:
    path = tmp_path / "vectors.txt"
    matrix = np.random.default_rng(0).standard_normal((40, 6))
    package.WordVectors(WORDS, matrix).save(path, format="word2vec-text")
    return path


def test_smaller_vectors_and_their_cost(daneo: Any, vectors: Path, tmp_path: Path) -> None:
    judged = tmp_path / "judged.tsv"
    judged.write_text("w0\tw1\t1\nw1\tw2\t2\nw2\tw3\t3\nw0\tw39\t4\n", encoding="utf-8")
    small = tmp_path / "small"
    status, output, errors = daneo(
        "compress", vectors, "-o", small, "--words", 20, "--part-size", 3, "--similarities", judged
    )
    assert status == 0
    rows = [line.split("\t") for line in output.splitlines()]
    assert [row[0] for row in rows] == [
        *("words", "rows of n-grams", "bytes of rows", "bytes in memory", "bytes in files"),
        *("kept words", "judged.tsv"),
    ]
    assert rows[0][1:] == ["40", "20", "0.5000"]
    assert rows[1][1:] == ["0", "0", "-"]
    assert rows[2][1:] == ["960", str(20 * 3 + 1024 * 7), "7.5292"]  # 256 centroids are many for 20 words
    assert rows[5][1:3] == ["20", "1.0000"]
    assert rows[6][1:2] == ["3"]  # w39 is dropped, and there are no n-grams
    assert f"Saved in {small}. Ask: " in errors
    assert errors.endswith(f" similar {small} w0\n")
    before, after = package.WordVectors.load(vectors), package.WordVectors.load(small)
    assert after.words == WORDS[:20]
    np.testing.assert_allclose(after.matrix, before.matrix[:20], rtol=1e-2, atol=1e-3)
    assert "kept words" in (small / "README.md").read_text(encoding="utf-8")


def test_vectors_with_ngrams(daneo: Any, with_ngrams: Path, tmp_path: Path) -> None:
    small = tmp_path / "small"
    status, output, _ = daneo(
        "compress", with_ngrams, "-o", small, "--words", 1, "--ngrams", 5, "--storage", "float32", "--json"
    )
    assert status == 0
    report = json.loads(output)
    assert (report["before"]["num_words"], report["after"]["num_words"], report["after"]["num_ngrams"]) == (3, 1, 5)
    assert [one["name"] for one in report["words"]][:1] == ["kept words"]
    assert report["words"][0]["pairs"] is None  # one word makes no pair; JSON has no NaN
    assert package.WordVectors.load(small)["sea"].tolist() == [2, 4]


def test_a_size_chooses_the_storage(daneo: Any, vectors: Path, tmp_path: Path) -> None:
    for ratio, storage in ((1, "float32"), (2, "float16"), (2.4, "int8")):
        status, output, _ = daneo("compress", vectors, "-o", tmp_path / "small", "--ratio", ratio, "--json")
        report = json.loads(output)
        assert status == 0
        assert report["after"]["row_bytes"] <= report["before"]["row_bytes"] / ratio
        assert json.loads(daneo("info", tmp_path / "small", "--json")[1])["storage"] == storage
    status, output, errors = daneo("compress", vectors, "-o", tmp_path / "no", "--ratio", 9)
    assert (status, output, errors.count("\n")) == (1, "", 1)
    assert "No storage keeps these rows in 106 bytes; the smallest one takes 400." in errors
    assert not (tmp_path / "no").exists()


def test_in_place(daneo: Any, with_ngrams: Path) -> None:
    before = package.WordVectors.load(with_ngrams)["seas"]
    assert daneo("compress", with_ngrams, "-o", with_ngrams, "--storage", "float16")[0] == 0
    after = package.WordVectors.load(with_ngrams)
    assert after.words == ["sea", "sun", "moon"]
    cosine = (after["seas"] @ before) / np.linalg.norm(after["seas"]) / np.linalg.norm(before)
    assert cosine == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize(
    ("options", "status", "message"),
    [
        (["--ngrams", "5"], 1, "these vectors have no n-grams"),
        (["--part-size", "7"], 1, "part_size from 1 to the vectors' 6, got 7"),
        (["--words", "0"], 2, "--words"),
        (["--storage", "float8"], 2, "--storage"),
        (["--ratio", "2", "--part-size", "2"], 1, "Give either ratio or these"),
        (["--ratio", "0.5"], 2, "--ratio"),
        (["--similarities", "missing.tsv"], 1, "missing.tsv: No such file or directory"),
    ],
)
def test_impossible_requests(
    daneo: Any, vectors: Path, tmp_path: Path, options: list[str], status: int, message: str
) -> None:
    found = daneo("compress", vectors, "-o", tmp_path / "small", *options)
    assert found[:2] == (status, "")
    assert found[2].startswith("daneo: ")
    assert message in found[2]
    assert found[2].count("\n") == 1
    assert not (tmp_path / "small").exists()


def test_foreign_files_are_refused_before_anything_is_computed(daneo: Any, vectors: Path, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "novel.txt").write_text("...", encoding="utf-8")
    status, _, errors = daneo("compress", vectors, "-o", tmp_path / "full")
    assert status == 1
    assert "holds 'novel.txt', which daneo did not write" in errors
