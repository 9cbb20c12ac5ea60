"""Arrays in an HDF5 file from a stranger: found by their path, looked at, and only then read."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from types import TracebackType
from typing import IO, Any, Self

from daneo.extras import require

# Weights do not shrink: a file that promises far more numbers than it has bytes is made to take memory.
_LARGEST_EXPANSION = 16
_SPARE = 1 << 20  # bytes; zeros, such as fresh biases, shrink to nothing, and small files may be full of them
_MOST_STRINGS = 10_000
# No model has so many groups, or so deep; a file whose groups lie within each other has no end of them.
_MOST_PLACES = 10_000
_DEEPEST = 30


class Hdf5Arrays:
    """An HDF5 file, open for reading.

    Parameters
    ----------
    file : binary file
        Open, and to be closed by whoever opened it.
    size : int
        How many bytes it has.
    name : str
        What messages call it.

    Raises
    ------
    ValueError
        The file is not a sound HDF5 file. So say all methods of what they find damaged, of links to other places or
        files, and of arrays that promise more numbers than the file can hold.
    """

    def __init__(self, file: IO[bytes], size: int, name: str) -> None:
        self._h5py = require("h5py", extra="hdf5", purpose="Reading and writing Keras's weight files")
        self._name = name
        self._allowance = _LARGEST_EXPANSION * size + _SPARE
        self._places = 0
        try:
            self._file = self._h5py.File(file, "r")
        except OSError as error:
            raise self._damaged("") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def groups(self, path: str = "") -> list[str]:
        """List the groups within a group; none if it is not there."""
        group = self._find(path)
        if not isinstance(group, self._h5py.Group):
            return []
        return [name for name in group if isinstance(self._within(group, name), self._h5py.Group)]

    def arrays(self, path: str) -> Iterator[str]:
        """List the paths of all arrays within a group, and within the groups in it."""
        waiting = [(path, self._find(path))]
        while waiting:
            place, found = waiting.pop()
            self._places += 1
            if self._places > _MOST_PLACES or place.count("/") > _DEEPEST:
                raise ValueError(f"{self._name} has no end of groups within groups: it is damaged.")
            if isinstance(found, self._h5py.Dataset):
                yield place
            elif isinstance(found, self._h5py.Group):
                waiting += [(f"{place}/{name}", self._within(found, name)) for name in found]

    def array(self, path: str) -> Any:
        """Return an array that is read when NumPy asks for it, and counts against what the file may promise."""
        found = self._find(path)
        if not isinstance(found, self._h5py.Dataset):
            raise ValueError(f"{self._name} has no array at {path}.")
        if found.external or found.is_virtual:
            raise ValueError(f"{self._name}: {path} lies in another file, which is not followed.")
        if found.shape is None:
            raise ValueError(f"{self._name}: {path} is empty.")
        self._allowance -= math.prod(found.shape) * found.dtype.itemsize
        if self._allowance < 0:
            raise ValueError(
                f"{self._name}: {path} has shape {found.shape}, and all arrays together more than "
                f"{_LARGEST_EXPANSION} times the size of the file: it is damaged, or made to fill the memory."
            )
        return found

    def strings(self, path: str, name: str) -> list[str] | None:
        """Return an attribute that is a list of strings, or None; Keras cuts a long one into ``name0``, ``name1``..."""
        group = self._find(path)
        if not isinstance(group, self._h5py.Group):
            return None
        if name in group.attrs:
            return self._strings(group, name)
        found: list[str] = []
        for number in itertools.count():
            if f"{name}{number}" not in group.attrs:
                return found if number else None
            found += self._strings(group, f"{name}{number}")
        raise AssertionError("a count does not end")

    def text(self, path: str, name: str) -> str | None:
        """Return an attribute that is one string, or None."""
        group = self._find(path)
        if not isinstance(group, self._h5py.Group) or name not in group.attrs:
            return None
        return "".join(self._strings(group, name))

    def _strings(self, group: Any, name: str) -> list[str]:
        shape = group.attrs.get_id(name).shape
        if shape is None or math.prod(shape) > _MOST_STRINGS:
            raise ValueError(
                f"{self._name}: attribute {name} has shape {shape}; expected at most {_MOST_STRINGS} strings."
            )
        try:
            value = group.attrs[name]
            values = [value] if isinstance(value, str | bytes) else list(value)
            # Through UTF-8 and back: h5py lets bytes that are none pass, in a string that no path can hold.
            return [(one if isinstance(one, bytes) else str(one).encode()).decode() for one in values]
        except (OSError, TypeError, UnicodeError) as error:
            raise self._damaged(name) from error

    def _find(self, path: str) -> Any:
        """Follow a path through groups; None if it ends before."""
        found = self._file
        for name in filter(None, path.split("/")):
            if not isinstance(found, self._h5py.Group) or name not in found:
                return None
            found = self._within(found, name)
        return found

    def _within(self, group: Any, name: str) -> Any:
        try:
            link = group.get(name, getlink=True)
            if not isinstance(link, self._h5py.HardLink):
                raise ValueError(f"{self._name}: {name} is a link to elsewhere, which is not followed.")
            return group[name]
        except (OSError, KeyError, RuntimeError) as error:
            raise self._damaged(name) from error

    def _damaged(self, where: str) -> ValueError:
        return ValueError(f"{self._name} is not a sound HDF5 file{f' (at {where})' if where else ''}.")
