"""``daneo demo``: from nothing to vectors that keep sensible company."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import daneo as package


def test_demo(daneo: Any, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    status, output, errors = daneo("demo")
    assert status == 0
    assert errors.startswith("The text: docstrings and language reference of Python ")
    assert "training 100%" in errors
    company = dict(line.split("\t") for line in output.splitlines() if "\t" in line)
    assert {"green", "blue"} <= set(company["red"].split(", "))
    assert {"day", "month"} <= set(company["year"].split(", "))
    assert "They are in daneo-demo.\nTry next:\n" in output
    vectors = package.WordVectors.load("daneo-demo")
    assert [word for word, _ in vectors.most_similar("red", topn=5)] == company["red"].split(", ")
