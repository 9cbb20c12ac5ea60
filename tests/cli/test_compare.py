"""``daneo compare``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import daneo as package

WORDS = [f"w{number}" for number in range(40)]
MATRIX = np.random.default_rng(0).standard_normal((40, 6))


@pytest.fixture
def two(tmp_path: Path) -> tuple[Path, Path]:
    rotation = np.linalg.qr(np.random.default_rng(1).standard_normal((6, 6)))[0]
    turned = MATRIX @ rotation
    turned[[3, 7]] = turned[[7, 3]]
    package.WordVectors(WORDS, MATRIX).save(tmp_path / "a")
    package.WordVectors(WORDS, turned).save(tmp_path / "b.txt", format="word2vec-text")
    return tmp_path / "a", tmp_path / "b.txt"


def test_what_moved_and_how_much_is_left(daneo: Any, two: tuple[Path, Path]) -> None:
    status, output, errors = daneo("compare", *two, "-n", 3, "--words", 30, "--most", 2)
    assert (status, errors) == (0, "")
    rows = [line.split("\t") for line in output.splitlines()]
    assert [row[0] for row in rows] == [
        *("words of the first", "words of the second", "words of both", "words compared"),
        *("neighbours in common, of 3", "neighbours, Jaccard"),
        *("cosine before alignment", "cosine after alignment", "found again after alignment"),
        *("w3", "w7"),
    ] or [row[0] for row in rows][-2:] == ["w7", "w3"]
    assert [row[1] for row in rows[:4]] == ["40", "40", "40", "30"]
    assert rows[8][1] == "0.9333"  # 28 of 30
    vectors = package.WordVectors.load(two[0])
    near = {row[0]: row[3] for row in rows[-2:]}
    assert near["w3"] == ", ".join(word for word, _ in vectors.most_similar("w3", topn=3))


def test_as_json(daneo: Any, two: tuple[Path, Path]) -> None:
    status, output, _ = daneo("compare", *two, "--words", 0, "--json")
    report = json.loads(output)
    assert status == 0
    assert (report["num_shared"], report["num_compared"], report["topn"], len(report["moved"])) == (40, 40, 10, 20)
    assert {one["word"] for one in report["moved"][:2]} == {"w3", "w7"}
    assert len(report["moved"][0]["neighbours_b"]) == 10


def test_other_sizes_are_said_in_one_line(daneo: Any, two: tuple[Path, Path], tmp_path: Path) -> None:
    package.WordVectors(WORDS, MATRIX[:, :4]).save(tmp_path / "c")
    status, output, errors = daneo("compare", two[0], tmp_path / "c", "--most", 1)
    assert status == 0
    assert errors.startswith("Not aligned: Vectors of 6 numbers cannot be aligned to vectors of 4")
    assert errors.count("\n") == 1
    assert output.splitlines()[-1].split("\t")[1] == "-"
    assert json.loads(daneo("compare", two[0], tmp_path / "c", "--json")[1])["moved"][0]["cosine"] is None


def test_nothing_in_common(daneo: Any, two: tuple[Path, Path], tmp_path: Path) -> None:
    package.WordVectors(["x", "y"], np.eye(2)).save(tmp_path / "c")
    status, output, errors = daneo("compare", two[0], tmp_path / "c")
    assert (status, output, errors.count("\n")) == (1, "", 1)
    assert "share 0 words" in errors
