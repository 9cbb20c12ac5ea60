"""``daneo index``, and ``daneo similar`` with an index, as a user runs them."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import daneo as package

NUM_WORDS = 400


@pytest.fixture(scope="module")
def rows() -> np.ndarray:
    return np.random.default_rng(0).standard_normal((NUM_WORDS, 12)).astype(np.float32)


@pytest.fixture
def vectors(rows: np.ndarray, tmp_path: Path) -> Path:
    path = tmp_path / "vectors"
    package.WordVectors([f"w{number}" for number in range(NUM_WORDS)], rows).save(path)
    return path


def test_an_index_is_built_measured_and_asked(daneo_process: Any, vectors: Path) -> None:
    status, output, errors = daneo_process("index", "vectors/", "--num-threads", 1)
    assert status == 0
    facts = dict(line.split("\t")[:2] for line in output.splitlines())
    assert (facts["words"], facts["numbers in a vector"]) == ("400", "12")
    index = vectors / "neighbours"
    assert facts["bytes of the index"] == f"{(index / 'index.usearch').stat().st_size:,}"
    assert float(facts["recall at 10, of 400 words"]) >= 0.98
    rates = [line.split("\t") for line in output.splitlines()[-2:]]
    assert [one[0] for one in rates] == ["in batches of 64", "one by one"]
    for _, exact, ours, ratio in rates:
        assert float(ratio) == pytest.approx(float(ours) / float(exact), rel=0.01)
    assert "indexing 100%" in errors
    assert errors.splitlines()[-1].startswith("Saved in vectors/neighbours. Ask: ")
    asked = errors.splitlines()[-1].partition("similar ")[2].split()
    assert asked == ["vectors", "w0", "--approximate"]
    assert daneo_process("similar", *asked) == daneo_process("similar", "vectors", "w0")


def test_json_is_the_report(daneo: Any, vectors: Path) -> None:
    status, output, errors = daneo("index", vectors, "--json", "--quiet", "--expansion-search", 33)
    assert (status, errors) == (0, "")
    facts = json.loads(output)
    assert (facts["path"], facts["expansion_search"]) == (str(vectors / "neighbours"), 33)
    opened = package.NeighbourIndex.load(vectors / "neighbours", package.WordVectors.load(vectors))
    assert facts == {"path": facts["path"], **vars(opened.report)}
    told = json.loads(daneo("info", vectors / "neighbours", "--json")[1])
    assert (told["kind"], told["measured"]) == ("neighbour-index", vars(opened.report))


def test_on_a_terminal_there_are_headings(daneo: Any, vectors: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("TERM", "dumb")
    _, output, _ = daneo("index", vectors, "-q")
    assert ["words", "400"] in [line.split() for line in output.splitlines()]
    assert ["questions", "a", "second", "exact", "index", "ratio"] in [line.split() for line in output.splitlines()]


def test_settings_reach_the_index(daneo: Any, vectors: Path) -> None:
    flags = {"--storage": "bfloat16", "--connectivity": 7, "--expansion-add": 50, "--recall": 0.9, "--seed": 5}
    status, _, _ = daneo("index", vectors, "-q", *[part for pair in flags.items() for part in pair])
    assert status == 0
    config = json.loads((vectors / "neighbours" / "config.json").read_text(encoding="utf-8"))
    found = config["settings"]
    assert [found[flag.removeprefix("--").replace("-", "_")] for flag in flags] == list(flags.values())


def test_beside_a_file_and_elsewhere(daneo: Any, vectors: Path, tmp_path: Path) -> None:
    file = tmp_path / "vectors.bin"
    daneo("convert", vectors, file)
    assert daneo("index", file, "-q")[0] == 0
    assert (tmp_path / "vectors.bin.neighbours" / "index.usearch").exists()
    expected = daneo("similar", file, "w1", "w2")
    assert daneo("similar", file, "w1", "w2", "--approximate") == expected
    status, _, errors = daneo("index", file, "-o", tmp_path / "other")
    assert status == 0
    assert errors.splitlines()[-1].endswith(f"similar {file} w0 --index {tmp_path / 'other'}")
    assert daneo("similar", file, "w1", "w2", "--index", tmp_path / "other") == expected
    # The vectors' own directory was not touched.
    assert not (vectors / "neighbours").exists()


def test_words_from_standard_input(daneo_process: Any, vectors: Path) -> None:
    daneo_process("index", vectors, "-q")
    status, output, errors = daneo_process("similar", vectors, "-", "--approximate", "-n", 1, input="w1\nw2\nnever\n")
    assert status == 1
    assert [line.split("\t")[0] for line in output.splitlines()] == ["w1", "w2"]
    assert "'never'" in errors


def test_words_never_seen_are_answered_through_an_index(daneo: Any, with_ngrams: Path) -> None:
    daneo("index", with_ngrams, "-q")
    assert daneo("similar", with_ngrams, "seas", "--approximate") == daneo("similar", with_ngrams, "seas")


def test_a_recall_that_was_not_reached_is_said(daneo: Any, vectors: Path) -> None:
    hopeless = ("--recall", 1, "--connectivity", 2, "--expansion-add", 2, "--num-threads", 1)
    status, _, errors = daneo("index", vectors, *hopeless)
    assert status == 0
    notes = [line for line in errors.splitlines() if line.startswith("daneo: the recall is 0.")]
    assert len(notes) == 1
    assert notes[0].endswith("less than 1.0. A greater --expansion-add or --connectivity finds more.")


def test_no_index_and_an_old_one(daneo: Any, vectors: Path, rows: np.ndarray) -> None:
    status, output, errors = daneo("similar", vectors, "w1", "--approximate")
    assert (status, output) == (1, "")
    assert errors == f"daneo: {vectors / 'neighbours'} does not exist. `daneo index` builds an index of vectors.\n"
    daneo("index", vectors, "-q", "-o", vectors.parent / "old")
    package.WordVectors([f"w{number}" for number in range(NUM_WORDS)], rows * 2 + 1).save(vectors)
    status, output, errors = daneo("similar", vectors, "w1", "--index", vectors.parent / "old")
    assert (status, output) == (1, "")
    assert "is of other vectors: of 400 words of 12 numbers, but its numbers are others. Build it again" in errors


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (("index", "-"), 2, "vectors from standard input have no place for an index; say where with --output DIR"),
        (("index", "nothing"), 1, "nothing does not exist."),
        (("index", "vectors", "--recall", "1.5"), 2, "--recall expected at most 1, got 1.5"),
        (("index", "vectors", "--storage", "int4"), 2, "'int4' is not one of 'int8', 'bfloat16'"),
        (("index", "vectors", "-o", "vectors"), 1, "which daneo did not write"),
        (("similar", "vectors", "w1", "--sparse", "--approximate"), 2, "an index is of dense vectors"),
    ],
)
def test_bad_usage_is_one_line(
    daneo_process: Any, vectors: Path, arguments: tuple[str, ...], status: int, message: str
) -> None:
    found, output, errors = daneo_process(*arguments)
    assert (found, output) == (status, "")
    assert errors.startswith("daneo: ")
    assert errors.count("\n") == 1
    assert message in errors
    assert not (vectors / "neighbours").exists()


def test_ctrl_c_while_usearch_works(daneo: Any, vectors: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*_: Any, **__: Any) -> None:
        raise RuntimeError("Operation has been terminated")  # what it makes of a signal

    monkeypatch.setattr("usearch.index.Index.add", stopped)
    status, output, errors = daneo("index", vectors, "-q")
    assert (status, output, errors) == (130, "", "Stopped. Nothing was written.\n")
    assert not (vectors / "neighbours").exists()


def test_without_usearch(daneo: Any, vectors: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "usearch", None)  # as if it were not installed
    status, _, errors = daneo("index", vectors, "-q")
    assert status == 1
    assert errors == (
        "daneo: An index of neighbours needs usearch, which is not installed. Run: pip install 'daneo[index]'\n"
    )
    assert not (vectors / "neighbours").exists()
