"""``daneo train word2vec`` and ``fasttext`` as a user runs them: to the end, stopped, killed, resumed, refused."""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import daneo as package

SMALL = ("--vector-size", "8", "--min-count", "1", "--epochs", "2", "--num-threads", "1")
WORDS = [f"word{i}" for i in range(50)]
TRAINERS = {"word2vec": package.Word2Vec, "fasttext": package.FastText}


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> Path:
    draw = random.Random(1)
    path = tmp_path_factory.mktemp("text") / "text.txt"
    path.write_text("\n".join(" ".join(draw.choices(WORDS, k=20)) for _ in range(500)), encoding="utf-8")
    return path


def same_vectors(one: Path, other: Path) -> bool:
    a, b = package.WordVectors.load(one), package.WordVectors.load(other)
    return a.words == b.words and bool(np.array_equal(a.matrix, b.matrix))


@pytest.mark.parametrize("trainer", TRAINERS)
def test_train_reports_and_saves(daneo: Any, text: Path, tmp_path: Path, trainer: str) -> None:
    output = tmp_path / "v"
    status, printed, errors = daneo("train", trainer, text, "-o", output, *SMALL, "--watch", "word7", "--watch", "x")
    assert status == 0
    vectors = package.WordVectors.load(output)
    assert (sorted(vectors.words), vectors.vector_size) == (sorted(WORDS), 8)
    assert printed.startswith("50 vectors of 8 numbers, learned in 0:0")
    assert f"They are in {output}.\nTry next:\n" in printed
    assert f" similar {output} word" in printed
    assert errors.count("after epoch ") == 2
    assert errors.count("\n  word7: word") == 2
    assert errors.count("\n  x: not in the vocabulary") == 2
    assert "training 100%  epoch 2/2" in errors
    assert not (tmp_path / "v.checkpoint").exists()


def test_vectors_that_are_given_as_text_are_noticed(daneo: Any, text: Path, tmp_path: Path) -> None:
    package.WordVectors(WORDS, np.random.default_rng(1).random((50, 8))).save(tmp_path / "x.txt", format="glove-text")
    for command in (("train", "word2vec"), ("train", "continue", tmp_path / "v"), ("train", "ppmi"), ("cooccur",)):
        daneo("train", "word2vec", text, "-o", tmp_path / "v", *SMALL, "--quiet")
        all_words = () if "continue" in command else ("--min-count", "1")
        for given in (text, tmp_path / "x.txt"):
            status, _, errors = daneo(*command, given, "-o", tmp_path / "out", *all_words, "--quiet")
            assert status == 0
            noticed = f"daneo: warning: {given} looks like word vectors (glove-text), and is read as text.\n"
            assert errors == ("" if given == text else noticed)
        shutil.rmtree(tmp_path / "out")


def test_train_as_json_and_quietly(daneo: Any, text: Path, tmp_path: Path) -> None:
    status, printed, _ = daneo("train", "word2vec", text, "-o", tmp_path / "v", *SMALL, "--json")
    facts = json.loads(printed)
    assert status == 0
    assert (facts["path"], facts["words"], facts["vector_size"]) == (str(tmp_path / "v"), 50, 8)
    assert len(facts["losses"]) == 2
    assert daneo("train", "word2vec", text, "-o", tmp_path / "v", *SMALL, "--quiet") == (0, "", "")


def test_fasttext_says_what_its_ngrams_are_good_for(daneo: Any, text: Path, tmp_path: Path) -> None:
    def last_lines(*options: str) -> tuple[list[str], str]:
        output = tmp_path / "v"
        _, printed, errors = daneo("train", "fasttext", text, "-o", output, *SMALL, "--watch", "words", *options)
        return [line.split("v ", 1)[1] for line in printed.splitlines()[-2:]], errors

    (ngrams, convert), errors = last_lines()
    assert ngrams.startswith("word")
    assert ngrams.endswith("      the parts of words that are nearest to it")
    assert convert.endswith("v.bin      fastText's format, n-grams included")
    assert errors.count("\n  words (not in the vocabulary): word") == 2
    (_, convert), _ = last_lines("--subwords", "jamo")  # for which fastText's files have no place
    assert convert.endswith("v.txt      word2vec text, which every other tool opens")


def test_flags_reach_fasttext(daneo: Any, text: Path, tmp_path: Path) -> None:
    given = ["--architecture", "cbow", "--position-weights", "--min-ngram", "2", "--max-ngram", "4"]
    options = [*SMALL, *given, "--num-buckets", "300", "-q"]
    assert daneo("train", "fasttext", text, "-o", tmp_path / "v", *options)[0] == 0
    model = package.FastText(
        architecture="cbow",
        position_weights=True,
        min_ngram=2,
        max_ngram=4,
        num_buckets=300,
        vector_size=8,
        min_count=1,
        epochs=2,
        num_threads=1,
    )
    model.fit(package.Corpus(text)).save(tmp_path / "w")
    assert same_vectors(tmp_path / "v", tmp_path / "w")
    ours, theirs = (package.WordVectors.load(tmp_path / name) for name in "vw")
    np.testing.assert_array_equal(ours["unseen"], theirs["unseen"])
    assert ours["unseen"].any()


def test_flags_reach_the_trainer(daneo: Any, text: Path, tmp_path: Path) -> None:
    given = ["--architecture", "cbow", "--loss", "hierarchical_softmax", "--window", "3", "--no-shrink-windows"]
    assert daneo("train", "word2vec", text, "-o", tmp_path / "v", *SMALL, *given, "-q")[0] == 0
    model = package.Word2Vec(
        architecture="cbow",
        loss="hierarchical_softmax",
        window=3,
        shrink_windows=False,
        vector_size=8,
        min_count=1,
        epochs=2,
        num_threads=1,
    )
    model.fit(package.Corpus(text)).save(tmp_path / "w")
    assert same_vectors(tmp_path / "v", tmp_path / "w")


def test_text_from_a_pipe(daneo_process: Any, text: Path, tmp_path: Path) -> None:
    arguments = ("train", "word2vec", "-", "-o", "v", *SMALL)
    status, _, errors = daneo_process(*arguments, input=text.read_text(encoding="utf-8"))
    assert status == 0, errors
    assert daneo_process("train", "word2vec", text, "-o", "w", *SMALL)[0] == 0
    assert same_vectors(tmp_path / "v", tmp_path / "w")


def test_tokenizer_and_phrases(daneo: Any, tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_text("I saw New York. Is York new?\nShe left New York!\n" * 40, encoding="utf-8")
    arguments = ("train", "word2vec", tmp_path / "t.txt", "-o", tmp_path / "v", *SMALL)
    assert daneo(*arguments, "--tokenizer", "whitespace")[0] == 0
    assert "York!" in package.WordVectors.load(tmp_path / "v")
    assert daneo(*arguments, "--phrases", "1", "--sample", "0")[0] == 0
    assert "new_york" in package.WordVectors.load(tmp_path / "v")


@pytest.mark.parametrize("arguments", ["word2vec - --phrases 1", "continue model -"])
def test_some_need_text_that_can_be_read_twice(daneo: Any, tmp_path: Path, arguments: str) -> None:
    status, _, errors = daneo("train", *arguments.split(), "-o", tmp_path / "v")
    assert (status, errors.count("\n")) == (2, 1)
    assert "standard input" in errors


def test_text_that_is_not_utf8(daneo: Any, tmp_path: Path) -> None:
    path = tmp_path / "t.txt"
    path.write_bytes(b"good line of text\n" * 9 + b"caf\xe9 au lait\n")
    status, _, errors = daneo("train", "word2vec", path, "-o", tmp_path / "v", *SMALL, "--quiet")
    assert (status, errors.count("\n")) == (1, 1)
    assert f"{path}" in errors
    assert "10" in errors
    assert not (tmp_path / "v").exists()
    arguments = ("train", "word2vec", path, "-o", tmp_path / "v", *SMALL, "--sample", "0")
    assert daneo(*arguments, "--errors", "replace")[0] == 0
    assert "lait" in package.WordVectors.load(tmp_path / "v")


def test_starting_from_given_vectors_with_frozen_rows(daneo: Any, text: Path, tmp_path: Path) -> None:
    start = package.WordVectors(["word1", "word2", "other"], np.arange(24, dtype=np.float32).reshape(3, 8))
    start.save(tmp_path / "start.bin", format="word2vec-binary")
    (tmp_path / "keep.txt").write_text("word1\n", encoding="utf-8")
    arguments = ("train", "word2vec", text, "-o", tmp_path / "v", *SMALL, "--init-from", tmp_path / "start.bin")
    assert daneo(*arguments, "--freeze", tmp_path / "keep.txt", "-q") == (0, "", "")
    after = package.WordVectors.load(tmp_path / "v")
    assert sorted(after.words) == sorted(WORDS)
    np.testing.assert_array_equal(after["word1"], start["word1"])
    assert not np.array_equal(after["word2"], start["word2"])
    # Started from 8 ... 15, not from a random row of length 1; two epochs move it a little.
    np.testing.assert_allclose(after["word2"], start["word2"], rtol=0.3)


def test_continue_adds_words_and_keeps_rows(daneo: Any, text: Path, tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    daneo("train", "word2vec", text, "-o", old, *SMALL)
    (tmp_path / "more.txt").write_text("word1 word2 fresh word3\n" * 100, encoding="utf-8")
    (tmp_path / "keep.txt").write_text("word1\nword2\n", encoding="utf-8")
    arguments = ("train", "continue", old, tmp_path / "more.txt", "--freeze", tmp_path / "keep.txt", "--epochs", "1")
    status, printed, errors = daneo(*arguments, "-o", new, "--watch", "fresh")
    assert status == 0
    assert printed.startswith("51 vectors of 8 numbers")
    assert errors.count("after epoch ") == 1
    before, after = package.WordVectors.load(old), package.WordVectors.load(new)
    assert after.words == [*before.words, "fresh"]
    np.testing.assert_array_equal(after[["word1", "word2"]], before[["word1", "word2"]])
    assert not np.array_equal(after["word3"], before["word3"])
    assert daneo(*arguments, "-o", old, "-q") == (0, "", "")
    assert same_vectors(old, new)


def test_continue_of_fasttext_and_of_its_bin_file(daneo: Any, text: Path, tmp_path: Path) -> None:
    old, file = tmp_path / "old", tmp_path / "old.bin"
    daneo("train", "fasttext", text, "-o", old, *SMALL, "--num-buckets", "500", "-q")
    daneo("convert", old, file)
    (tmp_path / "more.txt").write_text("word1 word2 fresh word3\n" * 100, encoding="utf-8")
    before = package.WordVectors.load(old)
    for model, output in ((old, tmp_path / "a"), (file, tmp_path / "b")):
        arguments = ("train", "continue", model, tmp_path / "more.txt", "--epochs", "1", "-o", output, "-q")
        assert daneo(*arguments) == (0, "", "")
        after = package.WordVectors.load(output)
        assert after.words == [*before.words, "fresh"]
        assert not np.array_equal(after["word3"], before["word3"])
        assert before.similarity(before["word9"], after["word9"]) > 0.99  # moved by shared n-grams alone
    (tmp_path / "keep.txt").write_text("word1\n", encoding="utf-8")
    status, _, errors = daneo(*arguments, "--freeze", tmp_path / "keep.txt")
    assert (status, errors.count("\n")) == (2, 1)
    assert "--freeze is for word2vec" in errors


def test_continue_of_what_cannot_be_trained(daneo: Any, text: Path, tmp_path: Path) -> None:
    package.WordVectors(["a"], [[1.0]]).save(tmp_path / "v")
    package.WordVectors(["a"], [[1.0]]).save(tmp_path / "v.bin", format="word2vec-binary")
    for path in (tmp_path / "v", tmp_path / "v.bin", tmp_path / "nothing"):
        status, _, errors = daneo("train", "continue", path, text, "-o", tmp_path / "w")
        assert (status, errors.count("\n")) == (1, 1)
        assert str(path) in errors


def test_a_foreign_directory_is_refused_before_training(daneo: Any, text: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years")
    status, _, errors = daneo("train", "word2vec", text, "-o", tmp_path, *SMALL)
    assert (status, errors.count("\n")) == (1, 1)
    assert "thesis.txt" in errors


def test_nothing_to_resume(daneo: Any, text: Path, tmp_path: Path) -> None:
    status, _, errors = daneo("train", "word2vec", text, "-o", tmp_path / "v", *SMALL, "--resume")
    assert status == 1
    assert errors == (
        f"daneo: Nothing to resume: {tmp_path / 'v.checkpoint'} does not exist. Run the command without --resume.\n"
    )


def test_on_a_terminal_there_are_bars(text: Path, tmp_path: Path, environment: dict[str, str]) -> None:
    pty = pytest.importorskip("pty", reason="pseudo-terminals are POSIX")
    ours, theirs = pty.openpty()
    arguments = ["train", "word2vec", str(text), "-o", str(tmp_path / "v"), *SMALL, "--watch", "word7"]
    with subprocess.Popen(
        [sys.executable, "-m", "daneo.cli", *arguments], stdin=theirs, stdout=theirs, stderr=theirs, env=environment
    ) as process:
        os.close(theirs)
        shown = b""
        with contextlib.suppress(OSError):  # how a terminal's end reads on Linux
            while chunk := os.read(ours, 65536):
                shown += chunk
        os.close(ours)
    screen = shown.decode()
    assert process.returncode == 0, screen
    assert "━" in screen
    assert "epoch 2/2" in screen
    assert "took 0:" in screen
    assert "after epoch 2, loss " in screen
    assert "50 vectors of 8 numbers" in screen


# Long enough to be stopped in its midst, short enough to be run to its end.
LONG = ("--vector-size", "64", "--min-count", "1", "--epochs", "150", "--num-threads", "1", "--seed", "7")


def train_long(trainer: str, text: Path, output: Path) -> None:
    settings = {"vector_size": 64, "min_count": 1, "epochs": 150, "num_threads": 1, "seed": 7}
    TRAINERS[trainer](**settings).fit(package.Corpus(text)).save(output)


def stop_in_training(arguments: list[str], how: int, environment: dict[str, str]) -> tuple[int, str]:
    with subprocess.Popen(
        [sys.executable, "-m", "daneo.cli", *arguments], stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stderr is not None
        read = []
        for line in process.stderr:
            read.append(line)
            if line.startswith("training"):
                time.sleep(0.2)
                process.send_signal(how)
                break
        read.append(process.stderr.read())
        return process.wait(timeout=60), "".join(read)


@pytest.mark.parametrize("trainer", TRAINERS)
def test_ctrl_c_keeps_what_was_learned_and_resume_goes_on(
    daneo: Any, text: Path, tmp_path: Path, environment: dict[str, str], trainer: str
) -> None:
    uninterrupted = tmp_path / "whole"
    train_long(trainer, text, uninterrupted)
    arguments = ["train", trainer, str(text), "-o", str(tmp_path / "v"), *LONG]
    status, errors = stop_in_training(arguments, signal.SIGINT, environment)
    assert status == 130, errors
    assert "Traceback" not in errors
    assert f"Stopped. What was learned so far is in {tmp_path / 'v'}. Go on with:\n  " in errors
    assert errors.endswith(" --resume\n")
    assert len(package.WordVectors.load(tmp_path / "v")) == 50
    assert not same_vectors(tmp_path / "v", uninterrupted)

    status, _, errors = daneo(*arguments)
    assert status == 1
    assert "holds an unfinished run. Go on with it by adding --resume" in errors

    status, _, errors = daneo(*arguments, "--resume", "--window", "2")
    assert (status, errors.count("\n")) == (1, 1)
    assert "window" in errors

    assert daneo(*arguments, "--resume", "--quiet") == (0, "", "")
    assert same_vectors(tmp_path / "v", uninterrupted)
    assert not (tmp_path / "v.checkpoint").exists()


def test_killed_and_resumed(daneo: Any, text: Path, tmp_path: Path, environment: dict[str, str]) -> None:
    train_long("fasttext", text, tmp_path / "whole")
    arguments = ["train", "fasttext", str(text), "-o", str(tmp_path / "v"), *LONG]
    status, _ = stop_in_training(arguments, signal.SIGKILL, environment)
    assert status == -signal.SIGKILL
    assert not (tmp_path / "v").exists()
    assert daneo(*arguments, "--resume", "--quiet") == (0, "", "")
    assert same_vectors(tmp_path / "v", tmp_path / "whole")
