"""The command, run as a user runs it: in a process of its own, or in this one where that says as much."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from daneo.cli import main
from daneo.embeddings.subword_vectors import SubwordVectors
from daneo.embeddings.subwords.ngram_vectors import NgramVectors
from daneo.embeddings.subwords.subwords import Subwords

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def daneo(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command in this process: ``daneo("similar", path, "king")`` -> exit status, output, errors."""

    def run(*arguments: object) -> tuple[int, str, str]:
        capsys.readouterr()
        status = main([str(argument) for argument in arguments])
        return status, *capsys.readouterr()

    return run


@pytest.fixture
def environment() -> dict[str, str]:
    """This process's environment with our sources first on Python's path, installed or not."""
    sources = str(Path(__file__).resolve().parents[2] / "src")
    path = os.pathsep.join([sources, *filter(None, [os.environ.get("PYTHONPATH")])])
    return {**os.environ, "PYTHONPATH": path, "COLUMNS": "100"}


@pytest.fixture
def daneo_process(tmp_path: Path, environment: dict[str, str]) -> Run:
    """The same in a new process, with `tmp_path` as its folder; `input` goes to its standard input."""

    def run(*arguments: object, input: str = "", **variables: str) -> tuple[int, str, str]:
        done = subprocess.run(
            [sys.executable, "-m", "daneo.cli", *map(str, arguments)],
            cwd=tmp_path,
            input=input.encode(),
            capture_output=True,
            env=environment | variables,
            check=False,
        )
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    return run


@pytest.fixture
def with_ngrams(tmp_path: Path) -> Path:
    """Vectors with n-grams of two characters: rows of ones and twos for those of "sea", zeros for all others."""
    subwords = Subwords(min_ngram=2, max_ngram=2, num_buckets=997)
    words = ["sea", "sun", "moon"]
    buckets = np.unique(subwords.of_words(words)[1])
    rows = np.zeros((len(buckets), 2), dtype=np.float32)
    rows[np.isin(buckets, subwords.buckets("sea"))] = (1, 2)
    path = tmp_path / "with-ngrams"
    SubwordVectors(words, [[2, 4], [4, -2], [1, 0]], NgramVectors(subwords, rows, buckets)).save(path)
    return path
