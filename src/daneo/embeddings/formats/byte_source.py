"""The bytes of a file of vectors, decompressed where need be, looked at before they are read."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import stat
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any, Protocol

from daneo.extras import require

# What decompressors raise for damaged input, beside EOFError. zstd's error is a class of a module that may be absent.
_DAMAGED = (OSError, zlib.error, lzma.LZMAError, ValueError)


class Readable(Protocol):
    """Anything that bytes can be read from."""

    def read(self, size: int, /) -> bytes:
        """Return the next bytes, none only at the end."""


class ByteSource:
    """A binary file that can be looked into without losing what was seen, so pipes will do.

    Parameters
    ----------
    file : object with a method ``read``
        Read from where it stands; not closed.
    name : str
        What error messages call it.
    size : int or None
        How many bytes it has, where that is known before reading.

    Attributes
    ----------
    position : int
        How many bytes have been read.
    """

    def __init__(self, file: Readable, name: str, size: int | None = None) -> None:
        self.name = name
        self.size = size
        self.position = 0
        self._file = file
        self._ahead = b""

    @classmethod
    def of_bytes(cls, data: bytes, name: str = "<bytes>") -> ByteSource:
        """Wrap bytes that are in memory."""
        return cls(io.BytesIO(data), name, len(data))

    def peek(self, size: int) -> bytes:
        """Return the next `size` bytes, fewer only at the end, without taking them."""
        while len(self._ahead) < size:
            more = self._file.read(size - len(self._ahead))
            if not more:
                break
            self._ahead += more
        return self._ahead[:size]

    def read(self, size: int) -> bytes:
        """Take the next bytes: at least one and at most `size`, none only at the end."""
        if self._ahead:
            taken, self._ahead = self._ahead[:size], self._ahead[size:]
        else:
            taken = self._file.read(size)
        self.position += len(taken)
        return taken

    def first_lines(self, size: int, limit: int) -> list[bytes]:
        """Return the lines within the next `size` bytes without the newlines, leaving out a last one that is cut off.

        Looks further, up to `limit` bytes, until there is one whole line.
        """
        sample = self.peek(size)
        while b"\n" not in sample and len(sample) == size and size < limit:
            size = min(2 * size, limit)
            sample = self.peek(size)
        lines = sample.split(b"\n")
        if len(sample) == size:
            lines.pop()
        return lines


@contextmanager
def opened(path: str | os.PathLike[str]) -> Iterator[ByteSource]:
    """Open a file as a source of plain bytes; gzip, bzip2, xz and zstd are told by their first bytes.

    Raises
    ------
    EOFError, ValueError
        The compressed file is cut off or damaged. Raised within the ``with`` block too, when reading gets there.
    """
    with open(path, "rb", buffering=0) as file:
        status = os.fstat(file.fileno())
        yield decompressed(file, os.fspath(path), status.st_size if stat.S_ISREG(status.st_mode) else None)


def decompressed(file: Any, name: str, size: int | None) -> ByteSource:
    """Return a source of what a binary file holds, decompressed if it is compressed."""
    buffered = io.BufferedReader(file, 1 << 20)
    open_compressed = _decompressor(buffered.peek(10)[:10])
    if open_compressed is None:
        return ByteSource(buffered, name, size)
    return ByteSource(_Decompressed(open_compressed(buffered), name), name)


class _Decompressed:
    """Reads from a decompressor and names the file in its errors."""

    def __init__(self, plain: IO[bytes], name: str) -> None:
        self._plain, self._name = plain, name

    def read(self, size: int) -> bytes:
        try:
            return self._plain.read(size)
        except EOFError as error:
            raise EOFError(f"{self._name}: the compressed file is cut off. Copy or download it again.") from error
        except Exception as error:
            if not isinstance(error, _DAMAGED) and type(error).__name__ != "ZstdError":
                raise
            if isinstance(error, OSError) and error.errno is not None:
                raise  # it is the disk that fails, not the format
            raise ValueError(f"{self._name}: the compressed file is damaged: {error}.") from error


def _decompressor(magic: bytes) -> Any:
    if magic.startswith(b"\x1f\x8b"):
        return lambda file: gzip.GzipFile(fileobj=file, mode="rb")
    if magic.startswith(b"BZh") and magic[4:10] == b"1AY&SY":  # three letters alone could be a word
        return bz2.BZ2File
    if magic.startswith(b"\xfd7zXZ\0"):
        return lzma.LZMAFile
    if magic.startswith(b"\x28\xb5\x2f\xfd"):
        # In the standard library from Python 3.14 on.
        module = "compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd"
        return require(module, extra="all", purpose="Reading a file that zstd compressed").ZstdFile
    return None
