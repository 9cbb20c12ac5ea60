"""``daneo train glove`` as it is typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from numpy.testing import assert_array_equal

from daneo.cli import main
from daneo.corpus import Corpus
from daneo.embeddings import GloVe, WordVectors

TEXT = "the sun is hot\nthe sun is bright\nthe moon is cold\nthe moon is bright\n" * 30


@pytest.fixture
def text(tmp_path: Path) -> Path:
    path = tmp_path / "text.txt"
    path.write_text(TEXT)
    return path


def test_text_becomes_a_model(text: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "vectors"
    arguments = ["--vector-size", "8", "--epochs", "3", "--x-max", "10", "--watch", "sun"]
    assert main(["train", "glove", str(text), "-o", str(output), *arguments]) == 0
    printed = capsys.readouterr()
    assert "7 vectors of 8 numbers" in printed.out
    assert "after epoch 3" in printed.err
    assert "sun: " in printed.err
    assert WordVectors.load(output).matrix.shape == (7, 8)
    model = GloVe.load(output)
    assert (model.config.x_max, model.config.epochs, len(model.losses)) == (10, 3, 3)
    assert not output.with_name("vectors.checkpoint").exists()
    assert main(["similar", str(output), "sun"]) == 0
    assert main(["info", str(output)]) == 0
    assert "glove" in capsys.readouterr().out


def test_counts_become_the_same_model(text: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    counts = tmp_path / "counts"
    assert main(["cooccur", str(text), "-o", str(counts), "--window", "3", "--quiet"]) == 0
    same = ["--vector-size", "8", "--epochs", "2", "--quiet"]
    assert main(["train", "glove", str(counts), "-o", str(tmp_path / "a"), *same]) == 0
    assert main(["train", "glove", str(text), "-o", str(tmp_path / "b"), "--window", "3", *same]) == 0
    models = [WordVectors.load(tmp_path / name) for name in "ab"]
    assert_array_equal(models[0].matrix, models[1].matrix)
    capsys.readouterr()
    assert main(["train", "glove", str(counts), "-o", str(tmp_path / "c"), "--json", "--epochs", "1"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["words"], len(facts["losses"])) == (7, 1)


@pytest.mark.parametrize(
    ("options", "status", "message"),
    [
        (["--x-max", "0"], 2, "--x-max expected more than 0"),
        (["--vectors", "mean"], 2, "mean"),
        (["--resume"], 1, "Nothing to resume"),
        (["--learning-rate", "1e30"], 1, "diverged"),
        (["--min-count", "1000"], 1, "min_count"),
    ],
)
def test_what_cannot_be_is_one_line(
    text: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], status: int, message: str
) -> None:
    assert main(["train", "glove", str(text), "-o", str(tmp_path / "out"), "--quiet", *options]) == status
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not (tmp_path / "out").exists()
    assert not (tmp_path / "out.checkpoint").exists()


def test_counts_are_refused_where_text_is_expected_and_the_other_way_round(
    text: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    counts = str(tmp_path / "counts")
    assert main(["cooccur", str(text), "-o", counts, "--quiet"]) == 0
    assert main(["train", "glove", counts, "-o", str(tmp_path / "out"), "--quiet", "--window", "3"]) == 1
    assert "made with 10" in capsys.readouterr().err
    for trainer in ("glove", "ppmi"):
        for flag, value in (("--phrases", "100"), ("--tokenizer", "whitespace"), ("--errors", "replace")):
            assert main(["train", trainer, counts, "-o", str(tmp_path / "out"), "--quiet", flag, value]) == 2
            assert f"{flag} is for text, and the pairs are counted already" in capsys.readouterr().err
    for trainer in ("word2vec", "fasttext"):
        assert main(["train", trainer, counts, "-o", str(tmp_path / "out"), "--quiet"]) == 1
        assert "`daneo train glove` and `daneo train ppmi` learn from counts." in capsys.readouterr().err
    assert main(["train", "continue", counts, str(text), "-o", str(tmp_path / "out"), "--quiet"]) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_counts_that_lack_a_file_are_not_read_as_text(
    text: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["cooccur", str(text), "-o", str(tmp_path / "counts"), "--quiet"]) == 0
    (tmp_path / "counts/contexts.npy").unlink()
    assert main(["train", "glove", str(tmp_path / "counts"), "-o", str(tmp_path / "out")]) == 1
    assert "contexts.npy" in capsys.readouterr().err


def test_phrases_of_a_run_that_is_resumed_are_joined_already(
    text: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["train", "glove", str(text), "-o", str(tmp_path / "out"), "--phrases", "1", "--epochs", "1"]
    GloVe(epochs=1).fit(Corpus(text), checkpoint=tmp_path / "out.checkpoint")
    assert main([*arguments, "--resume"]) == 0
    assert "reading" not in capsys.readouterr().err
