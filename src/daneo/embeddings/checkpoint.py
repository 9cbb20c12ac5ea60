"""A run that can be killed at any moment: its settings, its ids and its last state in a directory of their own."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from daneo.embeddings.training_run import Position
from daneo.files import replaced_file

if TYPE_CHECKING:
    from daneo.corpus import EncodedCorpus


class Checkpoint:
    """A directory with ``run.json`` (what was asked for), ``corpus/`` (the ids) and ``state.safetensors``.

    GloVe, which trains on counts, has ``pairs/`` in place of the ids.

    The state is one file, written beside and renamed, so that a kill leaves either the old one or the new one. The ids
    are kept so that going on needs no second pass over the text, and is right even if the text has changed since.

    Parameters
    ----------
    path : path
        The directory.
    run : mapping
        What was asked for: anything that JSON can say. Resuming demands the same.
    resume : bool
        Go on with what is there, or begin. A run that was killed before it had written anything begins anew.

    Raises
    ------
    FileNotFoundError
        There is nothing to resume.
    FileExistsError
        An unfinished run is there already, and resuming was not asked for; or the directory is not ours.
    ValueError
        The unfinished run was asked for with other settings.
    """

    def __init__(self, path: str | os.PathLike[str], run: Mapping[str, Any], *, resume: bool) -> None:
        self.path = Path(path)
        record = self.path / "run.json"
        if resume and not self.path.exists():
            raise FileNotFoundError(f"There is nothing to resume: {self.path} does not exist. Start without resuming.")
        if record.exists():
            if not resume:
                raise FileExistsError(f"{self.path} holds an unfinished run. Resume it, or remove it to start afresh.")
            _demand_equal(record, run)
            self._remove_leftovers()
        else:
            self._remove_leftovers()
            if self.path.exists() and any(self.path.iterdir()):
                raise FileExistsError(f"{self.path} holds files of another kind. Give a new or empty directory.")
            with replaced_file(record) as file:
                file.write(json.dumps(run, indent=2, ensure_ascii=False).encode())

    def _remove_leftovers(self) -> None:
        """Remove what was being written when the run was killed."""
        for pattern in (".run.json.*.part", ".corpus.*.part", ".pairs.*.part", "state.safetensors.part"):
            for left in self.path.glob(pattern):
                if left.is_dir():
                    shutil.rmtree(left)
                else:
                    left.unlink()

    def corpus(self) -> EncodedCorpus | None:
        """Open the ids of the unfinished run; None if it was stopped before they were written."""
        from daneo.corpus import EncodedCorpus

        return EncodedCorpus.open(self.corpus_path) if self.corpus_path.exists() else None

    @property
    def corpus_path(self) -> Path:
        """Where the ids belong."""
        return self.path / "corpus"

    def save(self, state: Mapping[str, np.ndarray[Any, Any]]) -> None:
        """Replace the saved state."""
        from daneo.embeddings.formats.tensors import write_tensors

        part = self.path / "state.safetensors.part"
        write_tensors(part, state)
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        os.replace(part, self.path / "state.safetensors")

    def load(self) -> dict[str, np.ndarray[Any, Any]] | None:
        """Return the last state, memory-mapped; None if none was saved yet."""
        from daneo.embeddings.formats.tensors import map_tensors

        file = self.path / "state.safetensors"
        return map_tensors(file) if file.exists() else None


@dataclass
class TrainingState:
    """All that changes during training, as the arrays of a checkpoint.

    Attributes
    ----------
    inputs, outputs : float32 arrays
        The two matrices, as they lie in memory.
    random : uint64 array, a row for each thread
        The states of the generators.
    position : Position
        How far training has come.
    learned : mapping of str to array
        What else changes.
    """

    inputs: npt.NDArray[np.float32]
    outputs: npt.NDArray[np.float32]
    random: npt.NDArray[np.uint64]
    position: Position
    learned: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict)

    def tensors(self) -> dict[str, np.ndarray[Any, Any]]:
        """Return the arrays to save; the matrices are not copied."""
        position = self.position
        return {
            "inputs": self.inputs,
            "outputs": self.outputs,
            "random": self.random,
            "position": np.array([position.epoch, position.stretch]),
            "loss": position.loss,
            "examples": position.examples,
            "losses": np.array(position.losses, np.float64),
            **self.learned,
        }

    def restore(self, saved: Mapping[str, np.ndarray[Any, Any]]) -> None:
        """Take over what `tensors` returned before.

        Raises
        ------
        ValueError
            The arrays are not those of this run.
        """
        for name, array in self.tensors().items():
            came = saved.get(name)
            if came is None or came.dtype != array.dtype or (name != "losses" and came.shape != array.shape):
                raise ValueError(f"The checkpoint's {name!r} does not fit this run. Remove it and start afresh.")
        epoch, stretch = saved["position"].tolist()
        if epoch != len(saved["losses"]) or stretch < 0:
            raise ValueError(
                "The checkpoint is damaged: its position and its losses disagree. Remove it and start afresh."
            )
        for name, array in self.tensors().items():
            if name not in ("position", "losses"):
                array[:] = saved[name]
        self.position.epoch, self.position.stretch = epoch, stretch
        self.position.losses[:] = saved["losses"].tolist()


def _demand_equal(record: Path, run: Mapping[str, Any]) -> None:
    try:
        before = json.loads(record.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{record} is damaged ({error}). Remove {record.parent} and start afresh.") from error
    now = json.loads(json.dumps(run))
    if not isinstance(before, dict) or before.keys() != now.keys():
        raise ValueError(f"{record} belongs to another kind of run. Remove {record.parent} or give another path.")
    for key, value in now.items():
        if before[key] != value:
            raise ValueError(
                f"The run to resume in {record.parent} has {key}={before[key]!r}, asked for is {value!r}. "
                "Resume it with the same settings, or remove it and start afresh."
            )
