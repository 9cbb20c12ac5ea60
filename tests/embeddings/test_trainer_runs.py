"""Runs in processes of their own: the same bits, killed and resumed, stopped with Ctrl-C, in little memory."""

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

from daneo.embeddings import GloVe, Word2Vec, WordVectors

# A class and some of its settings.
Algorithm = tuple[str, dict[str, Any]]
SKIPGRAM: Algorithm = ("Word2Vec", {})
CBOW: Algorithm = ("Word2Vec", {"architecture": "cbow", "loss": "hierarchical_softmax"})
GLOVE: Algorithm = ("GloVe", {"window": 5})
ALGORITHMS = [SKIPGRAM, CBOW, GLOVE]
KEPT = {"Word2Vec": "corpus", "GloVe": "pairs"}  # in a checkpoint, beside run.json and the state


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """400,000 words, of 3000 kinds, in lines of all lengths."""
    rng = np.random.default_rng(0)
    words = np.array([f"w{i}" for i in range(3000)])
    ids = np.minimum(rng.zipf(1.2, 400_000) - 1, 2999)
    cuts = np.sort(rng.integers(0, len(ids), 20_000))
    path = tmp_path_factory.mktemp("text") / "text.txt"
    path.write_text("\n".join(" ".join(words[part]) for part in np.split(ids, cuts)) + "\n")
    return path


def start_python(code: str, *arguments: Any, **environment: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)]
    return subprocess.Popen(command, text=True, stdout=subprocess.PIPE, env={**os.environ, **environment})


def run_python(code: str, *arguments: Any, **environment: str) -> str:
    process = start_python(code, *arguments, **environment)
    output, _ = process.communicate()
    assert process.returncode == 0
    return output


TRAIN = """
    import json, sys
    import daneo
    text, folder, checkpoint, resume, seconds, asked = sys.argv[1:]
    name, settings = json.loads(asked)
    model = getattr(daneo, name)(**settings)
    print("ready", flush=True)
    model.fit(text, checkpoint=checkpoint or None, resume=resume == "True", checkpoint_seconds=float(seconds))
    model.save(folder)
"""


INTERRUPTED = """
    import json, sys
    import daneo
    text, folder, checkpoint, resume, asked = sys.argv[1:]
    name, settings = json.loads(asked)
    model = getattr(daneo, name)(**settings)
    try:
        model.fit(text, checkpoint=checkpoint, resume=resume == "True", checkpoint_seconds=1000,
            progress=lambda report: print(report.stage, report.epoch, flush=True))
        print("finished")
    except KeyboardInterrupt:
        print("interrupted", len(model.losses))
    model.save(folder)
"""


def settings(algorithm: Algorithm, num_threads: int = 1, epochs: int = 2) -> str:
    name, own = algorithm
    return json.dumps([name, {"vector_size": 24, "epochs": epochs, "min_count": 2, "num_threads": num_threads} | own])


def model_of(algorithm: Algorithm) -> type[Word2Vec] | type[GloVe]:
    return GloVe if algorithm == GLOVE else Word2Vec


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_one_thread_gives_the_same_bits_in_every_process(text: Path, tmp_path: Path, algorithm: Algorithm) -> None:
    for number, hash_seed in enumerate(("0", "12345")):
        run_python(TRAIN, text, tmp_path / str(number), "", False, 60, settings(algorithm), PYTHONHASHSEED=hash_seed)
    names = ["vectors.safetensors", "training.safetensors", "vocabulary.txt", "config.json"]
    for name in names:
        assert (tmp_path / "0" / name).read_bytes() == (tmp_path / "1" / name).read_bytes(), name


def killed_and_resumed(text: Path, folder: Path, settings: str, seed: int) -> int:
    """Kill a run again and again, at random moments, until one gets to its end; return how many were killed.

    The first ones are killed early, while they read the text; then each gets a little more time than the one before.
    """
    chance, checkpoint = random.Random(seed), folder.with_suffix(".checkpoint")
    for number in range(100):
        # Checkpoints without a pause between them, so that many kills hit the writing of one.
        process = start_python(TRAIN, text, folder, checkpoint, checkpoint.exists(), 0.0, settings)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        try:
            process.wait(timeout=chance.uniform(0, 0.3 + 0.1 * number))
        except subprocess.TimeoutExpired:
            process.kill()
        if process.wait() == 0:
            return number
        assert process.returncode == -signal.SIGKILL
    raise AssertionError("a hundred runs did not get to the end")


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_killed_at_any_moment_and_resumed_gives_the_same_bits(text: Path, tmp_path: Path, algorithm: Algorithm) -> None:
    run_python(TRAIN, text, tmp_path / "whole", "", False, 60, settings(algorithm))
    assert killed_and_resumed(text, tmp_path / "killed", settings(algorithm), seed=1) > 0
    for name in ("vectors.safetensors", "training.safetensors", "config.json"):
        assert (tmp_path / "whole" / name).read_bytes() == (tmp_path / "killed" / name).read_bytes(), name
    left = {path.name for path in (tmp_path / "killed.checkpoint").iterdir()}
    assert left == {"run.json", KEPT[algorithm[0]], "state.safetensors"}


def test_several_threads_are_killed_and_resumed(text: Path, tmp_path: Path) -> None:
    assert killed_and_resumed(text, tmp_path / "killed", settings(CBOW, 2), seed=2) > 0
    model = Word2Vec.load(tmp_path / "killed")
    whole = Word2Vec(**json.loads(settings(CBOW, 2))[1]).fit(text)
    np.testing.assert_allclose(model.losses, whole.losses, rtol=0.02)


def test_glove_on_three_threads_killed_and_resumed_is_glove_on_one(text: Path, tmp_path: Path) -> None:
    assert killed_and_resumed(text, tmp_path / "killed", settings(GLOVE, 3), seed=2) > 0
    model = GloVe.load(tmp_path / "killed")
    whole = GloVe(**json.loads(settings(GLOVE))[1]).fit(text)
    assert_array_equal(model.vectors.matrix, whole.vectors.matrix)
    np.testing.assert_allclose(model.losses, whole.losses, rtol=1e-12)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_ctrl_c_keeps_what_was_learned_and_the_run_goes_on(text: Path, tmp_path: Path, algorithm: Algorithm) -> None:
    asked = settings(algorithm, epochs=10)
    run_python(TRAIN, text, tmp_path / "whole", "", False, 60, asked)
    folder, checkpoint, chance = tmp_path / "stopped", tmp_path / "checkpoint", random.Random(1)
    for number in range(50):
        process = start_python(INTERRUPTED, text, folder, checkpoint, number > 0, asked)
        assert process.stdout is not None
        stage = process.stdout.readline()
        while not stage.startswith(("training", "finished")):
            stage = process.stdout.readline()
        time.sleep(chance.uniform(0, 0.1 * number))
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate()
        if process.returncode != 0:  # it had finished, and was stopped while it saved or left
            continue
        vectors = WordVectors.load(folder)
        assert np.isfinite(vectors.matrix).all()
        assert len(vectors.most_similar("w1")) == 10
        if "interrupted" not in output:
            break
        assert sorted(path.name for path in checkpoint.iterdir()) == sorted(
            [KEPT[algorithm[0]], "run.json", "state.safetensors"]
        )
    assert number > 1
    whole, stopped = (model_of(algorithm).load(path) for path in (tmp_path / "whole", folder))
    assert_array_equal(vectors.matrix, whole.vectors.matrix)
    assert (folder / "training.safetensors").read_bytes() == (tmp_path / "whole/training.safetensors").read_bytes()
    assert stopped.losses == whole.losses


def test_ctrl_c_while_reading_can_be_resumed(text: Path, tmp_path: Path) -> None:
    checkpoint, asked = tmp_path / "checkpoint", settings(SKIPGRAM)
    process = start_python(TRAIN, text, tmp_path / "stopped", checkpoint, False, 60, asked, PYTHONUNBUFFERED="1")
    assert process.stdout is not None
    process.stdout.readline()
    while not list(checkpoint.glob(".corpus.*.part")):  # until it reads
        assert process.poll() is None
        time.sleep(0.001)
    process.send_signal(signal.SIGINT)
    assert process.wait() != 0
    assert [path.name for path in checkpoint.iterdir()] == ["run.json"]
    run_python(TRAIN, text, tmp_path / "stopped", checkpoint, True, 60, asked)
    assert len(WordVectors.load(tmp_path / "stopped")) > 2000


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux to tell how much memory it took")
def test_memory_does_not_grow_with_the_text(text: Path, tmp_path: Path) -> None:
    code = """
        import sys
        from daneo.embeddings import Word2Vec
        Word2Vec(vector_size=16, window=1, negative=1, epochs=2, sample=0.01, num_threads=2).fit(sys.argv[1])
        print(*(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
    """
    peaks = []
    for times in (3, 20):
        with open(tmp_path / "text.txt", "w") as file:
            for _ in range(times):
                file.write(text.read_text())
        peaks.append(int(run_python(code, tmp_path / "text.txt")))
    # The ids of 6.8 million words more would be 27 MB.
    assert peaks[1] - peaks[0] < 8_000
