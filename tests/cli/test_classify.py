"""``daneo train fasttext-classifier``, ``predict`` and ``test`` as a user runs them."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import daneo as package

TRAIN = ("train", "fasttext-classifier")
SMALL = ("--vector-size", "8", "--epochs", "20", "--learning-rate", "0.5", "--num-threads", "1")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """train.txt of fastText's kind, and test.tsv with a header and a column more."""
    draw, folder = random.Random(1), tmp_path_factory.mktemp("labelled")
    words = {"up": ["good", "great", "fun", "재미"], "down": ["bad", "dull", "long", "지루"]}
    pairs = [
        (label, " ".join(draw.choices(words[label], k=2) + draw.choices(["a", "film", "the"], k=2)))
        for label in draw.choices([*words], k=400)
    ]
    (folder / "train.txt").write_text("".join(f"__label__{label} {text}\n" for label, text in pairs), encoding="utf-8")
    rows = "".join(f"{number}\t{text}\t{label}\n" for number, (label, text) in enumerate(pairs[:100]))
    (folder / "test.tsv").write_text("id\tdocument\tlabel\n" + rows, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def model(files: Path) -> Path:
    trained = package.FastTextClassifier(vector_size=8, epochs=20, learning_rate=0.5, num_threads=1)
    trained.fit(files / "train.txt").save(files / "model")
    return files / "model"


def test_train_reports_and_saves(daneo: Any, files: Path, tmp_path: Path) -> None:
    output = tmp_path / "m"
    status, printed, errors = daneo(*TRAIN, files / "train.txt", "-o", output, *SMALL)
    assert status == 0
    assert printed.startswith("2 labels, 12 words, learned in 0:0")
    assert f" The model is in {output}.\nTry next:\n" in printed
    assert f" predict {output} 'some text' --top 3\n" in printed
    assert "training 100%  epoch 20/20" in errors
    assert "texts/s" in errors
    assert not (tmp_path / "m.checkpoint").exists()
    assert package.FastTextClassifier.load(output).predict("good fun")[0][0] == "up"


def test_columns_and_validation(daneo: Any, files: Path, tmp_path: Path) -> None:
    columns = ("--text-column", "document", "--label-column", "3")
    arguments = (*TRAIN, files / "test.tsv", "-o", tmp_path / "m", "--validation", files / "test.tsv", *columns)
    status, printed, errors = daneo(*arguments, *SMALL, "--patience", "2")
    assert status == 0
    assert "after epoch 1, loss 0." in errors
    assert "the best so far" in errors
    assert " was the best, 100.00% right." in printed
    loaded = package.FastTextClassifier.load(tmp_path / "m")
    assert loaded.best_epoch == len(loaded.losses) - 2
    status, printed, _ = daneo(*arguments, *SMALL, "--json")
    facts = json.loads(printed)
    assert (facts["labels"], facts["best_epoch"]) == (2, loaded.best_epoch)
    assert len(facts["losses"]) == len(facts["validation_scores"])


def test_predict(daneo: Any, model: Path) -> None:
    status, printed, errors = daneo("predict", model, "good fun", "dull\tfilm", "--top", "2")
    assert (status, errors) == (0, "")
    rows = [line.split("\t") for line in printed.splitlines()]
    assert [row[0] for row in rows] == ["good fun", "good fun", "dull\\tfilm", "dull\\tfilm"]
    assert [row[1] for row in rows] == ["up", "down", "down", "up"]
    assert sum(float(row[2]) for row in rows[:2]) == pytest.approx(1, abs=1e-4)
    status, printed, _ = daneo("predict", model, "재미", "--json", "--threshold", "0.99")
    (answer,) = json.loads(printed)
    assert (answer["text"], [pair["label"] for pair in answer["labels"]]) == ("재미", ["up"])


def test_predict_lines_of_standard_input(daneo_process: Any, model: Path) -> None:
    status, printed, _ = daneo_process("predict", model, "-", input="good\r\n\nbad\n")
    assert status == 0
    first, second, third = (line.split("\t")[:2] for line in printed.splitlines())
    assert (first, second[0], third) == (["good", "up"], "", ["bad", "down"])


def test_predict_with_a_file_of_facebooks(daneo: Any, model: Path, tmp_path: Path) -> None:
    package.FastTextClassifier.load(model).save(tmp_path / "m.bin", format="fasttext-bin")
    assert daneo("predict", tmp_path / "m.bin", "good") == daneo("predict", model, "good")


def test_test(daneo: Any, model: Path, files: Path) -> None:
    status, printed, _ = daneo("test", model, files / "train.txt")
    assert status == 0
    assert printed.splitlines()[-1].startswith("all\t1.0000\t1.0000\t1.0000\t400\t400")
    columns = ("--text-column", "2", "--label-column", "label")
    status, printed, _ = daneo("test", model, files / "test.tsv", *columns, "--json")
    facts = json.loads(printed)
    assert (status, facts["precision"], facts["texts"], facts["left_out"]) == (0, 1.0, 100, 0)
    assert facts["labels"]["up"]["true"] + facts["labels"]["down"]["true"] == 100


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (("predict", "nowhere", "x"), 1, "nowhere"),
        (("predict", "{model}"), 2, "Missing argument 'TEXT'"),
        (("test", "{model}", "{files}/test.tsv"), 1, "test.tsv, line 1: expected columns divided by tabs"),
        (
            ("test", "{model}", "{files}/test.tsv", "--text-column", "0"),
            2,
            "--text-column counts columns from 1",
        ),
        (("test", "{model}", "{files}/test.tsv", "--label-column", "stars"), 1, "no column is called 'stars'"),
        ((*TRAIN, "{files}/train.txt", "-o", "{files}"), 1, "which daneo did not write"),
        ((*TRAIN, "{files}/train.txt", "-o", "m", "--loss", "hinge"), 2, "--loss"),
        ((*TRAIN, "{files}/train.txt", "-o", "{files}/new", "--resume"), 1, "Nothing to resume"),
        ((*TRAIN, "{files}/train.txt", "-o", "m", "--min-ngram", "4", "--max-ngram", "2"), 2, "--min-ngram expected"),
    ],
)
def test_errors_are_one_line(
    daneo: Any, files: Path, model: Path, arguments: tuple[str, ...], status: int, message: str
) -> None:
    given = [argument.format(files=files, model=model) for argument in arguments]
    got, _, errors = daneo(*given)
    assert (got, errors.count("\n")) == (status, 1)
    assert message in errors


def test_word_vectors_predict_nothing(daneo: Any, tmp_path: Path) -> None:
    package.WordVectors(["a"], [[1.0]]).save(tmp_path / "v")
    status, _, errors = daneo("predict", tmp_path / "v", "x")
    assert (status, errors.count("\n")) == (1, 1)
    assert "holds 'word-vectors', which predicts no labels" in errors


def test_compress(daneo: Any, model: Path, files: Path, tmp_path: Path) -> None:
    arguments = ("compress", model, "--rows", "8", "--test", files / "train.txt")
    status, printed, errors = daneo(*arguments, "-o", tmp_path / "small")
    assert status == 0
    rows = {line.split("\t")[0]: line.split("\t")[1:] for line in printed.splitlines()}
    assert rows["words"] == ["12", "8", "0.6667"]
    assert float(rows["precision"][0]) == 1.0
    assert f" predict {tmp_path / 'small'} 'some text'" in errors
    small = package.FastTextClassifier.load(tmp_path / "small")
    assert "</s>" in small.words
    assert float(rows["precision"][1]) == pytest.approx(small.test(files / "train.txt").precision, abs=1e-4)
    status, printed, _ = daneo(*arguments, "-o", tmp_path / "small.ftz", "--json")
    assert json.loads(printed)["words"] == {"before": 12, "after": 8}
    assert package.FastTextClassifier.load(tmp_path / "small.ftz").predict("good") == small.predict("good")
    retrained = (*arguments[:4], "--retrain", files / "train.txt", "-o", tmp_path / "again")
    assert daneo(*retrained)[0] == 0
    assert package.FastTextClassifier.load(tmp_path / "again").words == small.words
    status, _, errors = daneo("compress", model, "-o", tmp_path / "x", "--words", "5")
    assert (status, errors.count("\n")) == (2, 1)
    assert "a classifier has --rows" in errors


@pytest.mark.parametrize("command", ["predict", "test", "train fasttext-classifier"])
def test_help_has_examples(daneo: Any, command: str) -> None:
    status, printed, _ = daneo(*command.split(), "--help")
    assert status == 0
    assert f"daneo {command}" in printed


def test_stopped_and_resumed(daneo: Any, files: Path, tmp_path: Path, environment: dict[str, str]) -> None:
    long = ("--vector-size", "64", "--epochs", "3000", "--num-threads", "1", "--word-ngrams", "2")
    arguments = [*TRAIN, str(files / "train.txt"), "-o", str(tmp_path / "m"), *long]
    with subprocess.Popen(
        [sys.executable, "-m", "daneo.cli", *arguments], stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stderr is not None
        first = process.stderr.readline()
        time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        errors = first + process.stderr.read()
        assert process.wait(timeout=60) == 130, errors
    assert f"Stopped. What was learned so far is in {tmp_path / 'm'}. Go on with:\n  " in errors
    assert errors.endswith(" --resume\n")
    assert "Traceback" not in errors
    assert package.FastTextClassifier.load(tmp_path / "m").predict("good fun")[0][0] == "up"
    status, _, errors = daneo(*arguments)
    assert (status, errors.count("\n")) == (1, 1)
    assert "holds an unfinished run" in errors
    assert daneo(*arguments, "--resume", "--quiet") == (0, "", "")
    whole = package.FastTextClassifier(vector_size=64, epochs=3000, num_threads=1, word_ngrams=2)
    whole.fit(files / "train.txt")
    assert package.FastTextClassifier.load(tmp_path / "m").losses == whole.losses
