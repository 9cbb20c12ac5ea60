"""Files in NumPy's .npy format that are written piece by piece, and rewritten in place."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt

HEADER_SIZE = 128


def array_header(dtype: npt.DTypeLike, size: int) -> bytes:
    """Write the header of a one-dimensional array, as NumPy does, which leaves room for a longer length."""
    description = f"{{'descr': {np.dtype(dtype).str!r}, 'fortran_order': False, 'shape': ({size},), }}".encode()
    start = b"\x93NUMPY\x01\x00" + (HEADER_SIZE - 10).to_bytes(2, "little") + description
    return start.ljust(HEADER_SIZE - 1) + b"\n"


def check_array_file(path: Path, dtype: npt.DTypeLike, size: int, again: str = "Encode the corpus again.") -> None:
    """Check that a file holds a one-dimensional array of this type and size, and nothing else; `again` says what to do.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    ValueError
        The file holds something else.
    """
    expected = HEADER_SIZE + size * np.dtype(dtype).itemsize
    with open(path, "rb") as file:
        header = file.read(HEADER_SIZE)
    num_bytes = os.path.getsize(path)
    if num_bytes != expected:
        raise ValueError(f"{path} is damaged: expected {expected} bytes, got {num_bytes}. {again}")
    if header != array_header(dtype, size):
        raise ValueError(f"{path} is damaged: expected the header of an array of {size} {np.dtype(dtype)}. {again}")


class ArrayFile:
    """A one-dimensional array in a file: first appended to, then gone through from its beginning and overwritten.

    What overwrites is never ahead of what has been read, so one file holds both what was there and what replaces it.
    """

    def __init__(self, path: Path, dtype: npt.DTypeLike) -> None:
        self._dtype = np.dtype(dtype)
        self._file = open(path, "w+b", buffering=0)  # noqa: SIM115 -- __exit__ closes it
        self._read = self._written = HEADER_SIZE
        self._write(0, bytes(HEADER_SIZE))

    def write(self, values: npt.NDArray[Any]) -> None:
        """Write values behind those written before."""
        self._write(self._written, np.ascontiguousarray(values, dtype=self._dtype).view(np.uint8).data)
        self._written += len(values) * self._dtype.itemsize

    def rewind(self) -> None:
        """Go on writing at the beginning, over what has been read by then."""
        self._written = HEADER_SIZE

    def read(self, size: int) -> npt.NDArray[Any]:
        """Read the next `size` values."""
        values = np.empty(size, dtype=self._dtype)
        rest = values.view(np.uint8).data
        self._file.seek(self._read)
        self._read += len(rest)
        while len(rest):
            num_bytes = self._file.readinto(rest)
            if not num_bytes:
                raise OSError(f"{self._file.name!r} became shorter while it was written. Begin again.")
            rest = rest[num_bytes:]
        return values

    def finish(self) -> None:
        """Cut off what has not been overwritten, and write the header."""
        self._file.truncate(self._written)
        self._write(0, array_header(self._dtype, (self._written - HEADER_SIZE) // self._dtype.itemsize))

    def __enter__(self) -> ArrayFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def _write(self, position: int, data: bytes | memoryview) -> None:
        rest = memoryview(data)
        self._file.seek(position)
        while len(rest):
            rest = rest[self._file.write(rest) :]
