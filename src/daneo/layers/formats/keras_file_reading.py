"""Keras's files, opened: which form one has, its config, and where in it each weight lies."""

from __future__ import annotations

import io
import itertools
import json
import os
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from daneo.layers.formats.hdf5_arrays import Hdf5Arrays
from daneo.layers.formats.keras_weights import KerasVariables
from daneo.layers.sequential import Sequential

_LARGEST_TEXT = 16 << 20  # bytes of a config
_LARGEST_EXPANSION = 16  # of a member of a zip archive: Keras does not compress, and weights hardly shrink
# Where the layers are in files of today and in those of the first tf.keras that had this form.
_LAYER_GROUPS = ("layers", "_layer_checkpoint_dependencies")


@dataclass(frozen=True)
class KerasFile:
    """A file of Keras, open for reading."""

    name: str
    hdf5: Hdf5Arrays
    config: Any  # of the model, as it came; None if the file has weights alone
    keras_2: bool
    older: bool  # layers are listed, with their weights, and not named after their classes

    def arrays(self, model: Sequential, parts: Sequence[KerasVariables]) -> list[list[Any]]:
        """Find the arrays for each place where `model` has weights; none is read yet.

        Raises
        ------
        ValueError
            The file has other layers with weights than the model.
        """
        paths = self._listed(model, parts) if self.older else self._named(model, parts)
        return [[self.hdf5.array(path) for path in found] for found in paths]

    def _named(self, model: Sequential, parts: Sequence[KerasVariables]) -> list[list[str]]:
        """Today's form: layers/lstm_1/cell/vars/0."""
        root = next((group for group in _LAYER_GROUPS if self.hdf5.groups(group)), _LAYER_GROUPS[0])
        there = [name for name in self.hdf5.groups(root) if self._weights(f"{root}/{name}")]
        here = list(dict.fromkeys(part.path.split("/")[1] for part in parts))
        if set(there) != set(here):
            raise self._other_layers(there, here)
        found = []
        for part in parts:
            place = f"{root}/{part.path.removeprefix('layers/')}/vars"
            count = len(self._weights(place))
            if count != len(part.names):
                raise ValueError(f"{self.name}: {part.path} has {count} weights; expected {', '.join(part.names)}.")
            found.append([f"{place}/{k}" for k in range(count)])
        return found

    def _weights(self, path: str) -> list[str]:
        # Files of the first Keras 3 hold the states of dropout's random generators too.
        return [array for array in self.hdf5.arrays(path) if "/seed_generator/" not in array]

    def _listed(self, model: Sequential, parts: Sequence[KerasVariables]) -> list[list[str]]:
        """The older form: layer after layer, each with a list of its weights."""
        root = "model_weights" if "model_weights" in self.hdf5.groups() else ""
        there = {}
        for layer in self.hdf5.strings(root, "layer_names") or []:
            if names := self.hdf5.strings(f"{root}/{layer}", "weight_names"):
                there[layer] = [f"{root}/{layer}/{name}" for name in names]
        here = [(name, list(own)) for name, own in itertools.groupby(parts, lambda part: part.path.split("/")[1])]
        if len(there) != len(here):
            raise self._other_layers(list(there), [name for name, _ in here])
        found = []
        for (layer, paths), (name, own) in zip(there.items(), here, strict=True):
            names = [weight for part in own for weight in part.names]
            if len(paths) != len(names):
                raise ValueError(f"{self.name}: {layer} has {len(paths)} weights; {name} expected {', '.join(names)}.")
            remaining = iter(paths)
            found += [[next(remaining) for _ in part.names] for part in own]
        return found

    def _other_layers(self, there: Sequence[str], here: Sequence[str]) -> ValueError:
        return ValueError(
            f"{self.name} has weights of {_listing(there)}; the model has {_listing(here)}. "
            "Make the model of the same layers."
        )


@contextmanager
def opened(path: str | os.PathLike[str]) -> Iterator[KerasFile]:
    """Open a file of Keras; what is found damaged while it is open is a ValueError with its name.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    ValueError
        It is no file of Keras, or is damaged.
    """
    name = os.fspath(path)
    with Path(path).open("rb") as file:
        start = file.read(8)
        file.seek(0)
        try:
            if start[:2] == b"PK":
                with zipfile.ZipFile(file) as archive, _archive(archive, name) as found:
                    yield found
            elif start == b"\x89HDF\r\n\x1a\n":
                with Hdf5Arrays(file, os.fstat(file.fileno()).st_size, name) as hdf5:
                    yield _hdf5(hdf5, name)
            else:
                raise ValueError(f"{name} begins with {start!r}: it is no file of Keras, .keras or HDF5.")
        except (OSError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
            raise ValueError(f"{name} is damaged: {str(error).partition(chr(10))[0]}") from error


@contextmanager
def _archive(archive: zipfile.ZipFile, name: str) -> Iterator[KerasFile]:
    """Open a .keras file: an archive of metadata.json, config.json and model.weights.h5; others are not looked at."""
    config = _json(archive, "config.json", name)
    metadata = _json(archive, "metadata.json", name)
    version = metadata.get("keras_version") if isinstance(metadata, dict) else None
    content = _member(archive, "model.weights.h5", name)
    with Hdf5Arrays(io.BytesIO(content), len(content), name) as hdf5:
        yield KerasFile(name, hdf5, config, _is_2(version), older=False)


def _hdf5(hdf5: Hdf5Arrays, name: str) -> KerasFile:
    for root in ("", "model_weights"):
        if hdf5.strings(root, "layer_names") is not None:
            text = hdf5.text("", "model_config")
            config = None if text is None else _parsed(text, name)
            version = hdf5.text("", "keras_version") or hdf5.text(root, "keras_version")
            return KerasFile(name, hdf5, config, _is_2(version), older=True)
    if not any(group in hdf5.groups() for group in _LAYER_GROUPS):
        raise ValueError(f"{name} is an HDF5 file, but not of Keras: it has neither layers nor layer_names.")
    return KerasFile(name, hdf5, None, keras_2=False, older=False)


def _member(archive: zipfile.ZipFile, member: str, name: str, largest: int | None = None) -> bytes:
    """Read a member whose size the archive tells, after a look at that size."""
    entries = [entry for entry in archive.infolist() if entry.filename == member]
    if len(entries) != 1:
        raise ValueError(f"{name} is an archive with {len(entries)} members {member}; expected one.")
    size, stored = entries[0].file_size, entries[0].compress_size
    if size > (largest or _LARGEST_EXPANSION * stored):
        raise ValueError(
            f"{name}: {member} says it has {size:,} bytes, in {stored:,} of the archive; it is made to fill the memory."
        )
    return archive.read(entries[0])


def _json(archive: zipfile.ZipFile, member: str, name: str) -> Any:
    return _parsed(_member(archive, member, name, _LARGEST_TEXT), name)


def _parsed(text: str | bytes, name: str) -> Any:
    if len(text) > _LARGEST_TEXT:
        raise ValueError(f"{name} has a config of {len(text):,} bytes; expected at most {_LARGEST_TEXT:,}.")
    try:
        return json.loads(text)
    except ValueError as error:
        raise ValueError(f"{name} has a config that is not JSON: {error}") from error


def _is_2(version: Any) -> bool:
    """Whether a Keras before 3 wrote the file; the oldest do not say."""
    return not isinstance(version, str) or version.partition(".")[0] in ("1", "2")


def _listing(names: Sequence[str]) -> str:
    return ", ".join(names) or "no layer"
