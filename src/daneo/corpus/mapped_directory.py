"""The array files of a directory, mapped range by range, for as long as nobody writes the directory again."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from daneo.corpus.array_files import HEADER_SIZE


class MappedDirectory:
    """A directory whose ``config.json`` is the one that stands there now.

    Files are opened by name each time, so that going through them fills no memory. Whoever writes the directory again
    puts other files under the same names, whose sizes and ids are not those that were checked.

    Parameters
    ----------
    path : Path
        The directory.

    Raises
    ------
    FileNotFoundError
        There is no config.json.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     config = Path(folder) / "config.json"
    ...     _ = config.write_text("{}")
    ...     files = MappedDirectory(Path(folder))
    ...     files.check()
    ...     config.unlink()
    ...     try:
    ...         files.check()
    ...     except ValueError as error:
    ...         print(str(error).removeprefix(folder))
     was written again, or removed, since it was opened. Open or make it again.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._identity = self._identify()

    def check(self) -> None:
        """Refuse files that are not those of the beginning.

        Raises
        ------
        ValueError
            They are not.
        """
        try:
            is_same = self._identify() == self._identity
        except FileNotFoundError:
            is_same = False
        if not is_same:
            raise ValueError(f"{self._path} was written again, or removed, since it was opened. Open or make it again.")

    def map(self, name: str, dtype: Any, start: int, stop: int) -> npt.NDArray[Any]:
        """Map the values `start` to `stop` of an array file.

        Raises
        ------
        ValueError
            The directory was written again.
        """
        self.check()
        if start == stop:
            return np.empty(0, dtype=dtype)
        offset = HEADER_SIZE + start * np.dtype(dtype).itemsize
        values = np.memmap(self._path / name, dtype=dtype, mode="r", offset=offset, shape=(stop - start,))
        self.check()  # it may have been written between the two
        return values

    def _identify(self) -> tuple[int, int, int]:
        status = os.stat(self._path / "config.json")
        return status.st_dev, status.st_ino, status.st_mtime_ns
