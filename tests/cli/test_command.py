"""The command as a whole: help, exit status, errors in one line, start-up."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import daneo as package
from daneo import cli

COMMANDS = (
    *("train word2vec", "train fasttext", "train glove", "train ppmi", "train continue", "train fasttext-classifier"),
    *("similar", "analogy", "evaluate", "ngrams", "contexts", "compare", "index", "predict", "test"),
    *("cooccur", "compress", "convert", "info", "demo"),
)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_examples_and_names_the_command(daneo: Any, command: str) -> None:
    status, output, errors = daneo(*command.split(), "--help")
    assert (status, errors) == (0, "")
    assert f"Usage: daneo {command}" in output
    assert output.split("Examples:")[1].count(f"daneo {command}") >= 2


def test_help_lists_every_command(daneo: Any) -> None:
    status, output, _ = daneo("--help")
    assert status == 0
    for command in COMMANDS:
        assert f"\n  {command.split()[0]} " in output
    assert "..." not in output.partition("Commands:")[2]  # each says in a line what it does
    assert daneo() == (0, output, "")
    assert daneo("-h") == (0, output, "")


def test_help_starts_nothing_heavy(environment: dict[str, str]) -> None:
    heavy = ("numba", "numpy", "torch", "scipy", "kiwipiepy", "safetensors")
    code = (
        "import sys, daneo.cli\ndaneo.cli.main(['train', 'word2vec', '--help'])\n"
        f"sys.stderr.write(str([name for name in {heavy} if name in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)
    assert done.stderr == "[]"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("train", "daneo: Missing command. See: daneo train --help\n"),
        ("train word2vec a -o b --window 0", "daneo: --window expected at least 1, got 0. See: daneo train word2vec"),
        ("similar", "daneo: Missing argument 'VECTORS'. See: daneo similar --help\n"),
        ("train fasttext a -o b --min-ngram 5 --max-ngram 3", "daneo: --min-ngram expected at most"),
        ("train fasttext a -o b --position-weights", "daneo: --position-weights is for architecture"),
        ("ngrams v", "daneo: Missing argument 'WORD'. See: daneo ngrams --help\n"),
        ("similarr", "daneo: No such command 'similarr'"),
        ("info x --jsn", "daneo: No such option"),
    ],
)
def test_bad_usage(daneo: Any, arguments: str, message: str) -> None:
    status, output, errors = daneo(*arguments.split())
    assert (status, output) == (2, "")
    assert errors.startswith(message)
    assert errors.count("\n") == 1


def test_bad_input(daneo: Any, tmp_path: Path) -> None:
    assert daneo("info", tmp_path / "nothing") == (
        1,
        "",
        f"daneo: {tmp_path / 'nothing'}: No such file or directory.\n",
    )


def test_a_file_that_is_cut_off(daneo: Any, tmp_path: Path) -> None:
    package.WordVectors(["sea", "sun"], [[1, 0], [1, 1]]).save(tmp_path / "v.bin", format="word2vec-binary")
    (tmp_path / "v.bin").write_bytes((tmp_path / "v.bin").read_bytes()[:-5])
    status, output, errors = daneo("info", tmp_path / "v.bin")
    assert (status, output, errors.count("\n")) == (1, "", 1)
    assert errors.startswith(f"daneo: {tmp_path / 'v.bin'}")


def test_traceback_only_on_request(daneo: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DANEO_DEBUG", "1")
    with pytest.raises(FileNotFoundError):
        daneo("info", "nothing")


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (KeyError("'quen' is unknown."), "'quen' is unknown."),
        (ValueError("two\n  lines"), "two lines"),
        (PermissionError(13, "Permission denied", "a.txt"), "a.txt: Permission denied."),
        (FileExistsError("home holds 'thesis.txt'."), "home holds 'thesis.txt'."),
        (AttributeError("no x"), "AttributeError: no x (with DANEO_DEBUG=1 the traceback is shown)"),
        (KeyError("min_count"), "KeyError: min_count (with DANEO_DEBUG=1 the traceback is shown)"),
        (MemoryError(), "MemoryError: (with DANEO_DEBUG=1 the traceback is shown)"),
    ],
)
def test_errors_in_one_line(error: Exception, line: str) -> None:
    assert cli.in_one_line(error) == line


def test_reader_that_goes_away(environment: dict[str, str], tmp_path: Path) -> None:
    words = [f"word{i}" for i in range(5000)]
    package.WordVectors(words, [[i, 1] for i in range(5000)]).save(tmp_path / "v")
    with subprocess.Popen(
        [sys.executable, "-m", "daneo.cli", "similar", str(tmp_path / "v"), "-n", "4000", *words[:100]],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(timeout=60) == cli.BROKEN_PIPE
        assert process.stderr.read() == b""


def test_words_that_a_stream_cannot_encode_are_escaped(daneo_process: Any, tmp_path: Path) -> None:
    package.WordVectors(["단어", "말"], [[1, 0], [1, 1]]).save(tmp_path / "v")
    status, output, _ = daneo_process("similar", "v", "단어", PYTHONIOENCODING="ascii")
    assert (status, output) == (0, "\\ub2e8\\uc5b4\t\\ub9d0\t0.7071\n")
