"""The fields of a binary file, one after another, none of them believed: each is checked against the bytes that follow.

The file is a memory map, or bytes in memory where it was compressed. Arrays are views of it, so nothing is copied.
"""

from __future__ import annotations

import math
import mmap
import struct
from typing import Any

import numpy as np
import numpy.typing as npt

MAGIC = 793712314
"""What models begin with since version 11."""


class Fields:
    """A file's bytes and how far they have been read.

    Parameters
    ----------
    data : bytearray or mmap
        The whole file. Arrays that are read stay views of it.
    name : str
        What error messages call it.

    Attributes
    ----------
    position : int
        The byte that the next field begins at.
    """

    def __init__(self, data: bytearray | mmap.mmap, name: str) -> None:
        self.data = data
        self.name = name
        self.size = len(data)
        self.position = 0

    @property
    def left(self) -> int:
        """How many bytes follow."""
        return self.size - self.position

    def numbers(self, layout: str, field: str) -> tuple[Any, ...]:
        """Take numbers of the layout that `struct` understands, little-endian.

        Raises
        ------
        EOFError
            Fewer bytes follow; the message calls the numbers `field`.
        """
        layout = "<" + layout
        self.expect(struct.calcsize(layout), field)
        values = struct.unpack_from(layout, self.data, self.position)
        self.position += struct.calcsize(layout)
        return values

    def flag(self, field: str) -> bool:
        """Take a byte that is 0 or 1."""
        (value,) = self.numbers("B", field)
        if value > 1:
            raise self.wrong(field, value, "0 or 1", 1)
        return bool(value)

    def array(self, dtype: str, shape: tuple[int, ...], field: str) -> npt.NDArray[Any]:
        """Take an array: a read-only view of the file, which may lie at any byte.

        Raises
        ------
        EOFError
            Fewer bytes follow.
        """
        num_bytes = math.prod(shape) * np.dtype(dtype).itemsize
        self.expect(num_bytes, field)
        values: npt.NDArray[Any] = np.ndarray(shape, dtype, buffer=self.data, offset=self.position)
        values.flags.writeable = False
        self.position += num_bytes
        return values

    def expect(self, num_bytes: int, field: str) -> None:
        """Raise EOFError if fewer than `num_bytes` bytes follow."""
        if num_bytes > self.left:
            raise EOFError(
                f"{self.name}: {field} (byte {self.position}): expected {num_bytes} bytes, {self.left} follow. "
                "The file is cut off or damaged; copy or download it again."
            )

    def wrong(self, field: str, value: object, expected: str, num_bytes: int = 0) -> ValueError:
        """Return the error for a field that holds `value` and began `num_bytes` bytes ago."""
        return ValueError(
            f"{self.name}: {field} (byte {self.position - num_bytes}) is {value}; expected {expected}. "
            "The file is damaged, or no fastText model."
        )
