"""The directory of an unfinished run: what is in it, what is refused, and what a kill may leave."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from daneo.corpus import Corpus
from daneo.embeddings.checkpoint import Checkpoint, TrainingState
from daneo.embeddings.formats import tensors
from daneo.embeddings.training_run import Position

RUN = {"task": "fit", "window": 5, "min_learning_rate": None, "frozen": ["왕", "queen"]}


def state(seed: int, num_words: int = 7, num_threads: int = 2, num_losses: int = 3) -> TrainingState:
    rng = np.random.default_rng(seed)
    matrices = rng.standard_normal((2, num_words, 16)).astype(np.float32)
    random = rng.integers(0, 2**63, (num_threads, 16)).astype(np.uint64) * np.uint64(2)
    loss, examples = rng.random((2, num_threads))
    losses = rng.random(num_losses).tolist()
    return TrainingState(*matrices, random, Position(loss, examples, epoch=num_losses, stretch=seed, losses=losses))


@pytest.mark.parametrize("num_losses", [0, 3])
def test_a_state_comes_back_bit_for_bit(tmp_path: Path, num_losses: int) -> None:
    before, after = state(1, num_losses=num_losses), state(2)
    losses = after.position.losses
    checkpoint = Checkpoint(tmp_path / "run", RUN, resume=False)
    assert checkpoint.load() is None
    checkpoint.save(before.tensors())
    again = Checkpoint(tmp_path / "run", RUN, resume=True).load()
    assert again is not None
    after.restore(again)
    for name, array in before.tensors().items():
        assert_array_equal(after.tensors()[name], array)
    assert after.position.losses is losses  # the list that the model shows
    assert (after.position.epoch, after.position.stretch) == (num_losses, 1)
    assert after.inputs.flags.writeable


def test_a_newer_state_replaces_the_older(tmp_path: Path) -> None:
    checkpoint, got = Checkpoint(tmp_path / "run", RUN, resume=False), state(3)
    for seed in (1, 2):
        checkpoint.save(state(seed).tensors())
    got.restore(checkpoint.load() or {})
    assert_array_equal(got.inputs, state(2).inputs)
    assert sorted(file.name for file in (tmp_path / "run").iterdir()) == ["run.json", "state.safetensors"]


def test_a_kill_while_saving_leaves_the_state_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkpoint, got = Checkpoint(tmp_path / "run", RUN, resume=False), state(3)
    checkpoint.save(state(1).tensors())

    def half(path: Path, arrays: Any) -> None:
        path.write_bytes(b"\x10\0\0\0half of it")
        raise SystemExit("killed")

    monkeypatch.setattr(tensors, "write_tensors", half)
    with pytest.raises(SystemExit):
        checkpoint.save(state(2).tensors())
    again = Checkpoint(tmp_path / "run", RUN, resume=True)
    assert sorted(file.name for file in (tmp_path / "run").iterdir()) == ["run.json", "state.safetensors"]
    got.restore(again.load() or {})
    assert_array_equal(got.inputs, state(1).inputs)


def test_the_ids_are_kept(tmp_path: Path) -> None:
    checkpoint = Checkpoint(tmp_path / "run", RUN, resume=False)
    assert checkpoint.corpus() is None
    with Corpus(["a b a", "b a"]).encode(min_count=1, path=checkpoint.corpus_path):
        pass
    corpus = Checkpoint(tmp_path / "run", RUN, resume=True).corpus()
    assert corpus is not None
    with corpus:
        assert (corpus.vocabulary.words, corpus.tokens(0, 5).tolist()) == (["a", "b"], [0, 1, 0, 1, 0])


@pytest.mark.parametrize("resume", [False, True])
def test_what_a_kill_before_the_first_word_left_is_no_run(tmp_path: Path, resume: bool) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / ".run.json.ab12.part").write_text("{")
    Checkpoint(folder, RUN, resume=resume)
    assert [file.name for file in folder.iterdir()] == ["run.json"]
    assert json.loads((folder / "run.json").read_text(encoding="utf-8")) == RUN


def test_half_written_ids_are_removed(tmp_path: Path) -> None:
    Checkpoint(tmp_path / "run", RUN, resume=False)
    half = tmp_path / "run" / ".corpus.ab12.part"
    half.mkdir()
    (half / "ids.npy").write_bytes(bytes(1000))
    checkpoint = Checkpoint(tmp_path / "run", RUN, resume=True)
    assert not half.exists()
    assert checkpoint.corpus() is None


def test_nothing_to_resume(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nothing to resume: .*run does not exist. Start without resuming"):
        Checkpoint(tmp_path / "run", RUN, resume=True)
    assert not (tmp_path / "run").exists()


def test_an_unfinished_run_is_not_overwritten(tmp_path: Path) -> None:
    Checkpoint(tmp_path, RUN, resume=False).save(state(1).tensors())
    with pytest.raises(FileExistsError, match="holds an unfinished run. Resume it, or remove it to start afresh"):
        Checkpoint(tmp_path, RUN, resume=False)
    assert (tmp_path / "state.safetensors").exists()


@pytest.mark.parametrize("resume", [False, True])
def test_a_directory_of_somebody_else_is_left_alone(tmp_path: Path, resume: bool) -> None:
    (tmp_path / "thesis.tex").write_text("chapter 1")
    with pytest.raises(FileExistsError, match="holds files of another kind. Give a new or empty directory"):
        Checkpoint(tmp_path, RUN, resume=resume)
    assert [file.name for file in tmp_path.iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"window": 4}, "has window=5, asked for is 4. Resume it with the same settings"),
        ({"min_learning_rate": 0.1}, "has min_learning_rate=None, asked for is 0.1"),
        ({"frozen": ["왕"]}, r"has frozen=\['왕', 'queen'\], asked for is \['왕'\]"),
        ({"surprise": 1}, "belongs to another kind of run"),
    ],
)
def test_another_run_is_not_resumed(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    Checkpoint(tmp_path, RUN, resume=False)
    with pytest.raises(ValueError, match=message):
        Checkpoint(tmp_path, RUN | change, resume=True)
    Checkpoint(tmp_path, RUN, resume=True)


@pytest.mark.parametrize("text", ["", "{", '{"task": "fit"', "\0", "[" * 100_000, "\udcff"])
def test_a_damaged_record_is_an_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "run.json").write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(ValueError, match="run.json is damaged .*start afresh"):
        Checkpoint(tmp_path, RUN, resume=True)


@pytest.mark.parametrize("text", ["[]", "3", '"fit"', "null", '{"task": "fit"}'])
def test_a_record_of_something_else_is_an_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(ValueError, match="belongs to another kind of run. Remove .* or give another path"):
        Checkpoint(tmp_path, RUN, resume=True)


@pytest.mark.parametrize("damage", [lambda data: b"", lambda data: data[:-1], lambda data: b"\xff" * 8 + data[8:]])
def test_a_damaged_state_is_an_error(tmp_path: Path, damage: Any) -> None:
    checkpoint = Checkpoint(tmp_path, RUN, resume=False)
    checkpoint.save(state(1).tensors())
    file = tmp_path / "state.safetensors"
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(ValueError, match="state.safetensors is not a sound safetensors file"):
        checkpoint.load()


@pytest.mark.parametrize("name", ["inputs", "outputs", "random", "position", "loss", "examples", "losses"])
def test_a_state_of_another_run_is_an_error(name: str) -> None:
    saved = state(1).tensors()
    for wrong in (
        None,
        saved[name].astype(np.float16 if name != "random" else np.int64),
        np.concatenate([saved[name], saved[name]]),
    ):
        if name == "losses" and wrong is not None and wrong.dtype == saved[name].dtype:
            continue  # there may be any number of them
        other = {key: value for key, value in {**saved, name: wrong}.items() if value is not None}
        with pytest.raises(ValueError, match=f"checkpoint's '{name}' does not fit this run. Remove it and start"):
            state(2).restore(other)


@pytest.mark.parametrize("position", [(2, 5), (4, 0), (-1, 0), (3, -1)])
def test_a_position_that_its_losses_contradict_is_an_error(position: tuple[int, int]) -> None:
    state_of_three_epochs, untouched = state(1).tensors(), state(2)
    with pytest.raises(ValueError, match="damaged: its position and its losses disagree. Remove it and start afresh"):
        untouched.restore({**state_of_three_epochs, "position": np.array(position)})
    assert_array_equal(untouched.inputs, state(2).inputs)
