"""``daneo similar``, ``analogy`` and ``evaluate``, on vectors that are worked out by hand."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

import daneo as package

# Two facts a word, royal and female, and a grain of its own: cosines are easy to work out.
PERSONS = {"king": (4, 0, 1), "queen": (4, 4, 1), "man": (0, 0, 1), "woman": (0, 4, 1), "여왕": (4, 3, 1)}


@pytest.fixture
def vectors(tmp_path: Path) -> Path:
    path = tmp_path / "vectors"
    package.WordVectors(list(PERSONS), list(PERSONS.values())).save(path)
    return path


def test_similar_in_a_pipe(daneo: Any, vectors: Path) -> None:
    status, output, errors = daneo("similar", vectors, "queen", "man", "-n", 2)
    assert (status, errors) == (0, "")
    rows = [line.split("\t") for line in output.splitlines()]
    assert [row[:2] for row in rows] == [["queen", "여왕"], ["queen", "king"], ["man", "king"], ["man", "woman"]]
    # (4, 4, 1) . (4, 3, 1) / sqrt(33 * 26); (4, 4, 1) . (4, 0, 1) / sqrt(33 * 17); 1 / sqrt(17), twice
    assert [row[2] for row in rows] == ["0.9900", "0.7177", "0.2425", "0.2425"]


def test_similar_as_json_is_the_library_s_answer(daneo: Any, vectors: Path) -> None:
    status, output, _ = daneo("similar", vectors, "여왕", "-n", 3, "--json")
    wanted = package.WordVectors.load(vectors).most_similar("여왕", topn=3)
    assert status == 0
    assert json.loads(output) == {"여왕": [{"word": word, "similarity": score} for word, score in wanted]}


def test_similar_on_a_terminal_has_headings(daneo: Any, vectors: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("TERM", "dumb")
    _, output, _ = daneo("similar", vectors, "queen", "-n", 2)
    lines = [line.split() for line in output.splitlines() if line.strip(" ─")]
    assert lines == [["word", "near", "it", "similarity"], ["queen", "여왕", "0.9900"], ["king", "0.7177"]]


def test_words_from_standard_input(daneo: Any, vectors: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("king\nman\nking\n"))
    status, output, _ = daneo("similar", vectors, "-", "-n", 1)
    assert status == 0
    assert [line.split("\t")[:2] for line in output.splitlines()] == [["king", "여왕"], ["man", "king"]]


def test_unknown_words_are_named_and_the_others_answered(daneo: Any, vectors: Path) -> None:
    status, output, errors = daneo("similar", vectors, "quen", "king", "zebra", "-n", 1)
    assert status == 1
    assert output.startswith("king\t")
    first, second = errors.splitlines()
    assert first.startswith("daneo: ")
    assert "'quen'" in first
    assert "queen" in first
    assert "'zebra'" in second


def test_words_never_seen_are_answered_from_their_ngrams(daneo: Any, with_ngrams: Path) -> None:
    status, output, errors = daneo("similar", with_ngrams, "seas", "sun", "-n", 1)
    assert status == 0
    # "<s", "se" and "ea" of "seas" are those of "sea", whose row points the same way.
    assert output == "seas\tsea\t1.0000\nsun\tmoon\t0.8944\n"
    assert errors == "daneo: 'seas' was not seen in training; its vector is made of its n-grams.\n"
    _, output, _ = daneo("similar", with_ngrams, "seas", "--json")
    assert [one["word"] for one in json.loads(output)["seas"]] == ["sea", "moon", "sun"]


def test_words_without_known_ngrams_have_no_answer(daneo: Any, with_ngrams: Path) -> None:
    status, output, errors = daneo("similar", with_ngrams, "xyz", "sun", "-n", 1)
    assert (status, output) == (1, "sun\tmoon\t0.8944\n")
    assert errors == "daneo: 'xyz' was not seen in training, and neither was any n-gram of it.\n"
    assert daneo("analogy", with_ngrams, "sea", "sun", "xyz") == (1, "", errors)


def test_analogy_with_a_word_never_seen(daneo: Any, with_ngrams: Path) -> None:
    status, output, errors = daneo("analogy", with_ngrams, "sea", "seas", "sun", "-n", 1)
    assert (status, output) == (0, "moon\t0.8944\n")  # seas - sea + sun points where sun does
    assert errors == "daneo: 'seas' was not seen in training; its vector is made of its n-grams.\n"


def test_analogy(daneo: Any, vectors: Path) -> None:
    status, output, _ = daneo("analogy", vectors, "man", "king", "woman", "-n", 1)
    assert status == 0
    assert output.split("\t")[0] in ("queen", "여왕")
    status, output, _ = daneo("analogy", vectors, "man", "king", "woman", "--json")
    wanted = package.WordVectors.load(vectors).most_similar(positive=["king", "woman"], negative=["man"], topn=5)
    assert [(one["word"], one["similarity"]) for one in json.loads(output)] == wanted


def test_analogy_with_an_unknown_word(daneo: Any, vectors: Path) -> None:
    status, output, errors = daneo("analogy", vectors, "man", "king", "womann")
    assert (status, output, errors.count("\n")) == (1, "", 1)
    assert "woman" in errors


@pytest.fixture
def sets(tmp_path: Path) -> tuple[Path, Path]:
    analogies, similarities = tmp_path / "analogies.txt", tmp_path / "pairs.tsv"
    analogies.write_text(": gender\nking queen man woman\nman woman king zebra\n", encoding="utf-8")
    similarities.write_text("queen\t여왕\t9\nking\tqueen\t6\nking\twoman\t1\nking\tzebra\t0\n", encoding="utf-8")
    return analogies, similarities


def test_evaluate_in_a_pipe(daneo: Any, vectors: Path, sets: tuple[Path, Path]) -> None:
    status, output, errors = daneo("evaluate", vectors, "--analogies", sets[0], "--similarities", sets[1])
    assert (status, errors) == (0, "")
    assert [line.split("\t") for line in output.splitlines()] == [
        ["analogies.txt", "gender", "1.0000", "1", "1", "1"],
        ["analogies.txt", "semantic", "1.0000", "1", "1", "1"],
        ["analogies.txt", "syntactic", "-", "0", "0", "0"],
        ["analogies.txt", "total", "1.0000", "1", "1", "1"],
        ["pairs.tsv", "1.0000", pearson(vectors, sets[1]), "3", "1"],
    ]


def pearson(vectors: Path, pairs: Path) -> str:
    return f"{package.WordVectors.load(vectors).evaluate_similarities(pairs).pearson:.4f}"


def test_evaluate_as_json(daneo: Any, vectors: Path, sets: tuple[Path, Path]) -> None:
    _, output, _ = daneo("evaluate", vectors, "--analogies", sets[0], "--similarities", sets[1], "--json")
    found = json.loads(output)
    assert found["analogies"]["analogies.txt"]["gender"] == {"accuracy": 1, "correct": 1, "tried": 1, "left_out": 1}
    assert found["analogies"]["analogies.txt"]["syntactic"]["accuracy"] is None
    assert found["similarities"]["pairs.tsv"]["spearman"] == pytest.approx(1)
    assert found["similarities"]["pairs.tsv"]["left_out"] == 1


def test_evaluate_restricted_and_case_sensitive(daneo: Any, vectors: Path, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(": s\nKing queen man woman\nking queen man woman\n", encoding="utf-8")

    def tried(*options: object) -> int:
        _, output, _ = daneo("evaluate", vectors, "--analogies", tmp_path / "a.txt", "--json", *options)
        return int(json.loads(output)["analogies"]["a.txt"]["total"]["tried"])

    assert tried() == 2
    assert tried("--case-sensitive") == 1
    assert tried("--restrict-vocab", 3) == 0


def test_evaluate_with_words_never_seen(daneo: Any, vectors: Path, with_ngrams: Path, tmp_path: Path) -> None:
    pairs = tmp_path / "pairs.tsv"
    pairs.write_text("sea\tseas\t9\nsea\tsun\t1\nsun\tmoon\t6\n", encoding="utf-8")

    def compared(*options: str) -> int:
        _, output, _ = daneo("evaluate", with_ngrams, "--similarities", pairs, "--json", *options)
        return int(json.loads(output)["similarities"]["pairs.tsv"]["pairs"])

    assert compared() == 2
    assert compared("--unseen") == 3
    status, _, errors = daneo("evaluate", vectors, "--similarities", pairs, "--unseen")
    assert (status, errors.count("\n")) == (2, 1)
    assert "--unseen needs vectors with n-grams" in errors


def test_evaluate_without_a_set_is_bad_usage(daneo: Any, vectors: Path) -> None:
    status, _, errors = daneo("evaluate", vectors)
    assert status == 2
    assert errors == (
        "daneo: nothing to measure; give --analogies FILE, --similarities FILE, or both. See: daneo evaluate --help\n"
    )
