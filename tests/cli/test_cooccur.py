"""``daneo cooccur`` as a user runs it: to the end, quietly, stopped, refused; and ``daneo info`` of what it wrote."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import daneo as package
from daneo.cli.settings_flags import num_bytes

LINES = ["the cat sat on the mat", "the dog sat on the cat", "", "the the mat"] * 3


@pytest.fixture
def text(tmp_path: Path) -> Path:
    path = tmp_path / "text.txt"
    path.write_text("\n".join(LINES), encoding="utf-8")
    return path


def test_counts_are_reported_and_can_be_opened(daneo: Any, text: Path, tmp_path: Path) -> None:
    status, printed, errors = daneo("cooccur", text, "-o", tmp_path / "counts", "--min-count", "1", "--window", "2")
    assert status == 0
    pairs = package.Cooccurrences.open(tmp_path / "counts")
    lines = printed.splitlines()
    assert lines[0].startswith(
        f"{pairs.num_stored} different pairs of 6 words that stand at most 2 apart, in a text of 45, counted in 0:0"
    )
    assert lines[0].endswith(f"They are in {tmp_path / 'counts'}.")
    assert lines[2:7] == [f"{word}\t{context}\t{count:.4f}" for word, context, count in pairs.most_frequent(5)]
    assert lines[7] == "Try next:"
    where = tmp_path / "counts"
    commands = (f" train glove {where} -o vectors/", f" train ppmi {where} -o vectors/", f" info {where}")
    assert len(lines) == 8 + len(commands)
    assert all(line.endswith(command) for line, command in zip(lines[8:], commands, strict=True))
    assert "counting 100%" in errors
    assert sorted(os.listdir(tmp_path)) == ["counts", "text.txt"]


def test_flags_reach_the_counts(daneo: Any, text: Path, tmp_path: Path) -> None:
    flags = ("--no-symmetric", "--weighting", "flat", "--window", "3", "--max-size", "3", "--min-count", "2")
    status, printed, _ = daneo("cooccur", text, "-o", tmp_path / "counts", *flags, "--num-threads", "1", "--json")
    facts = json.loads(printed)
    assert status == 0
    assert facts.pop("seconds") >= 0
    matrix = package.cooccurrence(LINES, window=3, weighting="flat", symmetric=False, max_size=3, min_count=2)
    pairs = package.Cooccurrences.open(tmp_path / "counts")
    assert (pairs.matrix() != matrix).nnz == 0
    assert facts == {
        "path": str(tmp_path / "counts"),
        "words": 3,
        "pairs": matrix.nnz,
        "nonzeros": matrix.nnz,
        "tokens": 30,
        "settings": {"window": 3, "weighting": "flat", "symmetric": False},
        "most_frequent": [list(pair) for pair in pairs.most_frequent(5)],
    }


def test_info_describes_counts(daneo: Any, text: Path, tmp_path: Path) -> None:
    assert daneo("cooccur", text, "-o", tmp_path / "counts", "--min-count", "1", "--quiet")[:2] == (0, "")
    status, printed, _ = daneo("info", tmp_path / "counts", "--json")
    facts = json.loads(printed)
    assert status == 0
    assert (facts["kind"], facts["words"], facts["tokens"]) == ("cooccurrences", 6, 45)
    assert facts["settings"] == {"window": 10, "weighting": "harmonic", "symmetric": True}
    assert facts["bytes"] == sum(one.stat().st_size for one in (tmp_path / "counts").iterdir())
    lines = daneo("info", tmp_path / "counts")[1].splitlines()
    assert len(lines) == len(facts) + 2
    (a, b, count), (c, *_), *_ = facts["most_frequent"]
    assert lines[-1].startswith(f"most_frequent\t{a}, {b}, {count:.5g}; {c}, ")


def test_standard_input_is_counted_too(daneo_process: Any, tmp_path: Path) -> None:
    status, printed, _ = daneo_process(
        "cooccur", "-", "-o", "counts", "--min-count", "1", "--tokenizer", "whitespace", "--json", input="A b\nb A"
    )
    assert (status, json.loads(printed)["most_frequent"]) == (0, [["b", "A", 2.0]])
    assert package.Cooccurrences.open(tmp_path / "counts").vocabulary.words == ["A", "b"]


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (("--window", "0"), 2, "daneo: --window expected at least 1, got 0. See: daneo cooccur --help"),
        (("--weighting", "cubic"), 2, "'cubic'"),
        (("--memory", "lots"), 2, "expected an amount of memory such as 500MB, 2GB or 1.5GiB, got 'lots'"),
        (("--memory", "1MB"), 1, "on .* threads expected memory of at least .*; got 1 MB. Allow more"),
        (("--min-count", "99"), 1, "daneo: "),
    ],
)
def test_errors_are_one_line_and_leave_nothing(
    daneo: Any, text: Path, tmp_path: Path, arguments: tuple[str, ...], status: int, message: str
) -> None:
    found, printed, errors = daneo("cooccur", text, "-o", tmp_path / "counts", "--quiet", *arguments)
    assert (found, printed) == (status, "")
    assert re.search(message, errors)
    assert errors.count("\n") == 1
    assert os.listdir(tmp_path) == ["text.txt"]


def test_foreign_files_are_found_before_anything_is_read(daneo: Any, tmp_path: Path) -> None:
    (tmp_path / "counts").mkdir()
    (tmp_path / "counts" / "thesis.txt").touch()
    status, _, errors = daneo("cooccur", tmp_path / "no-such-text", "-o", tmp_path / "counts")
    assert (status, "holds 'thesis.txt', which daneo did not write" in errors) == (1, True)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1", 1),
        ("2GB", 2 * 10**9),
        ("2 gb", 2 * 10**9),
        ("1.5GiB", 3 * 2**29),
        ("64KiB", 65_536),
        ("7B", 7),
        ("1TB", 10**12),
    ],
)
def test_amounts_of_memory(text: str, number: int) -> None:
    assert num_bytes(text) == number


@pytest.mark.skipif(sys.platform == "win32", reason="sends a signal")
@pytest.mark.skipif(os.environ.get("NUMBA_DISABLE_JIT") == "1", reason="what is not compiled takes a while to stop")
def test_ctrl_c_says_that_nothing_was_written(tmp_path: Path, environment: dict[str, str]) -> None:
    (tmp_path / "text.txt").write_text(" ".join(f"w{i % 997}" for i in range(300_000)))
    command = [sys.executable, "-m", "daneo.cli", "cooccur", "text.txt", "-o", "counts", "--window", "20000"]
    process = subprocess.Popen(
        command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    while not process.stderr.readline().startswith("counting"):
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    began = time.monotonic()
    printed, errors = process.communicate(timeout=30)
    assert time.monotonic() - began < 5
    assert (process.returncode, printed) == (130, "")
    assert errors.splitlines()[-1] == "Stopped. Nothing was written."
    assert os.listdir(tmp_path) == ["text.txt"]
