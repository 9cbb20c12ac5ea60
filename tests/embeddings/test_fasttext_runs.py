"""FastText in processes of its own: the same bits, killed and resumed, stopped with Ctrl-C."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from daneo.embeddings import FastText, WordVectors

ALGORITHMS: list[dict[str, Any]] = [
    {"architecture": "skipgram", "loss": "negative_sampling"},
    {"architecture": "cbow", "loss": "hierarchical_softmax", "position_weights": True},
]
every_algorithm = pytest.mark.parametrize("algorithm", ALGORITHMS, ids=lambda names: names["architecture"])
FILES = ["vectors.safetensors", "training.safetensors", "vocabulary.txt", "config.json"]


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """60,000 words, of 2000 kinds that share parts, in lines of all lengths."""
    rng = np.random.default_rng(0)
    words = np.array([f"{rng.choice(['ka', 'mi', 'ro', '새'])}{i}" for i in range(2000)])
    ids = np.minimum(rng.zipf(1.2, 60_000) - 1, 1999)
    cuts = np.sort(rng.integers(0, len(ids), 3_000))
    path = tmp_path_factory.mktemp("text") / "text.txt"
    path.write_text("\n".join(" ".join(words[part]) for part in np.split(ids, cuts)) + "\n")
    return path


def start_python(code: str, *arguments: Any, **environment: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)]
    return subprocess.Popen(command, text=True, stdout=subprocess.PIPE, env={**os.environ, **environment})


def run_python(code: str, *arguments: Any, **environment: str) -> None:
    process = start_python(code, *arguments, **environment)
    process.communicate()
    assert process.returncode == 0


TRAIN = """
    import json, sys
    from daneo.embeddings import FastText
    text, folder, checkpoint, resume, settings = sys.argv[1:]
    model = FastText(**json.loads(settings))
    print("ready", flush=True)
    model.fit(text, checkpoint=checkpoint or None, resume=resume == "True", checkpoint_seconds=0.0)
    model.save(folder)
"""


INTERRUPTED = """
    import json, sys
    from daneo.embeddings import FastText
    text, folder, checkpoint, resume, settings = sys.argv[1:]
    model = FastText(**json.loads(settings))
    try:
        model.fit(text, checkpoint=checkpoint, resume=resume == "True", checkpoint_seconds=1000,
            progress=lambda report: print(report.stage, report.epoch, flush=True))
        print("finished")
    except KeyboardInterrupt:
        print("interrupted", len(model.losses))
    model.save(folder)
"""


def settings(algorithm: dict[str, Any], num_threads: int = 1, epochs: int = 2) -> str:
    small = {"vector_size": 24, "epochs": epochs, "min_count": 2, "num_threads": num_threads, "num_buckets": 20_000}
    return json.dumps(small | algorithm)


@every_algorithm
def test_one_thread_gives_the_same_bits_in_every_process(text: Path, tmp_path: Path, algorithm: dict[str, Any]) -> None:
    for number, hash_seed in enumerate(("0", "12345")):
        run_python(TRAIN, text, tmp_path / str(number), "", False, settings(algorithm), PYTHONHASHSEED=hash_seed)
    for name in FILES:
        assert (tmp_path / "0" / name).read_bytes() == (tmp_path / "1" / name).read_bytes(), name


def killed_and_resumed(text: Path, folder: Path, settings: str, seed: int) -> int:
    """Kill a run again and again, at random moments, until one gets to its end; return how many were killed."""
    chance, checkpoint = random.Random(seed), folder.with_suffix(".checkpoint")
    for number in range(100):
        # Checkpoints without a pause between them, so that many kills hit the writing of one.
        process = start_python(TRAIN, text, folder, checkpoint, checkpoint.exists(), settings)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        try:
            process.wait(timeout=chance.uniform(0, 0.6 + 0.4 * number))
        except subprocess.TimeoutExpired:
            process.kill()
        if process.wait() == 0:
            return number
        assert process.returncode == -signal.SIGKILL
    raise AssertionError("a hundred runs did not get to the end")


@every_algorithm
def test_killed_at_any_moment_and_resumed_gives_the_same_bits(
    text: Path, tmp_path: Path, algorithm: dict[str, Any]
) -> None:
    run_python(TRAIN, text, tmp_path / "whole", "", False, settings(algorithm))
    assert killed_and_resumed(text, tmp_path / "killed", settings(algorithm), seed=1) > 0
    for name in FILES:
        assert (tmp_path / "whole" / name).read_bytes() == (tmp_path / "killed" / name).read_bytes(), name
    left = {path.name for path in (tmp_path / "killed.checkpoint").iterdir()}
    assert left == {"run.json", "corpus", "state.safetensors"}


def test_ctrl_c_keeps_what_was_learned_and_the_run_goes_on(text: Path, tmp_path: Path) -> None:
    asked = settings(ALGORITHMS[1], epochs=6)
    run_python(TRAIN, text, tmp_path / "whole", "", False, asked)
    folder, checkpoint, chance = tmp_path / "stopped", tmp_path / "checkpoint", random.Random(1)
    for number in range(50):
        process = start_python(INTERRUPTED, text, folder, checkpoint, number > 0, asked)
        assert process.stdout is not None
        stage = process.stdout.readline()
        while not stage.startswith(("training", "finished")):
            stage = process.stdout.readline()
        time.sleep(chance.uniform(0, 0.3 * number))
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate()
        if process.returncode != 0:  # it had finished, and was stopped while it saved or left
            continue
        vectors = WordVectors.load(folder)
        assert np.isfinite(vectors.matrix).all()
        assert len(vectors.most_similar("unseen")) == 10
        if "interrupted" not in output:
            break
        assert sorted(path.name for path in checkpoint.iterdir()) == ["corpus", "run.json", "state.safetensors"]
    assert number > 0
    whole, stopped = FastText.load(tmp_path / "whole"), FastText.load(folder)
    assert_array_equal(stopped.vectors.matrix, whole.vectors.matrix)
    assert_array_equal(stopped.vectors.ngrams.rows, whole.vectors.ngrams.rows)
    assert_array_equal(stopped.outputs, whole.outputs)
    assert_array_equal(stopped.position_weights, whole.position_weights)
    assert stopped.losses == whole.losses


# ------------------------------------------------------------------------------------------- resuming in one process

SMALL: dict[str, Any] = {"vector_size": 8, "epochs": 3, "min_count": 1, "num_threads": 1, "num_buckets": 500}
TEXT = ["the horses run", "the horse runs", "a horse ran", "running horses"] * 30


@pytest.mark.parametrize("subwords", ["characters", "jamo"])
@every_algorithm
def test_a_run_goes_on_as_if_it_had_not_been_stopped(algorithm: dict[str, Any], subwords: str, tmp_path: Path) -> None:
    def stop(model: FastText, epoch: int, loss: float) -> None:
        if epoch == 2:
            raise KeyboardInterrupt

    asked = {**SMALL, **algorithm, "subwords": subwords}
    stopped = FastText(**asked)
    with pytest.raises(KeyboardInterrupt):
        stopped.fit(TEXT, checkpoint=tmp_path / "run", on_epoch=stop)
    assert len(stopped.losses) == 2
    # The text is not read again.
    again = FastText(**asked).fit(["something else"], checkpoint=tmp_path / "run", resume=True)
    whole = FastText(**asked).fit(TEXT)
    assert again.losses == whole.losses
    assert_array_equal(again.vectors.matrix, whole.vectors.matrix)
    assert_array_equal(again.vectors["unseen horses"], whole.vectors["unseen horses"])
    assert_array_equal(again.outputs, whole.outputs)
    if "position_weights" in algorithm:
        assert not np.array_equal(stopped.position_weights, again.position_weights)
        assert_array_equal(again.position_weights, whole.position_weights)


def test_a_checkpoint_belongs_to_one_call(tmp_path: Path) -> None:
    checkpoint = tmp_path / "run"
    model = FastText(**SMALL).fit(TEXT, checkpoint=checkpoint)
    with pytest.raises(FileExistsError, match="holds an unfinished run. Resume it, or remove it to start afresh"):
        FastText(**SMALL).fit(TEXT, checkpoint=checkpoint)
    for change, message in (
        ({"num_buckets": 501}, "has num_buckets=500, asked for is 501"),
        ({"max_ngram": 4}, "has max_ngram=None, asked for is 4"),
        ({"subwords": "jamo"}, "has subwords='characters', asked for is 'jamo'"),
        ({"architecture": "cbow", "position_weights": True}, "has architecture='skipgram', asked for is 'cbow'"),
        ({"num_threads": 2}, "has num_threads=1, asked for is 2"),
    ):
        with pytest.raises(ValueError, match=message):
            FastText(**{**SMALL, **change}).fit(TEXT, checkpoint=checkpoint, resume=True)
    # Finished runs resume to their end at once.
    again = FastText(**SMALL).fit(TEXT, checkpoint=checkpoint, resume=True)
    assert_array_equal(again.vectors.matrix, model.vectors.matrix)


def test_a_checkpoint_of_another_trainer_is_refused(tmp_path: Path) -> None:
    from daneo.embeddings import Word2Vec

    plain = {name: value for name, value in SMALL.items() if name != "num_buckets"}
    Word2Vec(**plain).fit(TEXT, checkpoint=tmp_path / "word2vec")
    FastText(**SMALL).fit(TEXT, checkpoint=tmp_path / "fasttext")
    with pytest.raises(ValueError, match="belongs to another kind of run"):
        FastText(**SMALL).fit(TEXT, checkpoint=tmp_path / "word2vec", resume=True)
    with pytest.raises(ValueError, match="belongs to another kind of run"):
        Word2Vec(**plain).fit(TEXT, checkpoint=tmp_path / "fasttext", resume=True)


def test_a_state_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    from daneo.embeddings.formats.tensors import map_tensors, write_tensors

    asked = {**SMALL, **ALGORITHMS[1]}
    FastText(**asked).fit(TEXT, checkpoint=tmp_path / "run")
    file = tmp_path / "run" / "state.safetensors"
    state = {name: array.copy() for name, array in map_tensors(file).items()}
    for name in ("position_weights", "inputs", "outputs"):
        for wrong in (None, state[name][:-1], state[name].astype(np.float64)):
            rest = {other: array for other, array in state.items() if other != name}
            write_tensors(file, rest if wrong is None else {**rest, name: wrong})
            with pytest.raises(ValueError, match=f"checkpoint's '{name}' does not fit this run"):
                FastText(**asked).fit(TEXT, checkpoint=tmp_path / "run", resume=True)
