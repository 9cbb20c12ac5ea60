"""Text files, compressed or not, recognised by what they hold and not by what they are called."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePath
from typing import IO, Any, BinaryIO, cast

from daneo.extras import require

BYTE_ORDER_MARK = b"\xef\xbb\xbf"

# None of these can begin a text in UTF-8, but for bzip2's: hence what its first block or its end begins with, too.
COMPRESSED = {
    ".gz": (b"\x1f\x8b\x08",),
    ".bz2": tuple(b"BZh%d%s" % (level, next_) for level in range(1, 10) for next_ in (b"1AY&SY", b"\x17rE8P\x90")),
    ".xz": (b"\xfd7zXZ\x00",),
    ".zst": (b"\x28\xb5\x2f\xfd",),
}
NOT_TEXT = {
    b"PK\x03\x04": "a zip archive or an office document; unpack it, or export it as plain text",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive; unpack it",
    b"%PDF-": "a PDF; extract its text, for instance with pdftotext",
    b"PAR1": "a Parquet file; pass its column of texts as a list",
    b"\xff\xfe": "text in UTF-16; convert it: iconv -f utf-16 -t utf-8",
    b"\xfe\xff": "text in UTF-16; convert it: iconv -f utf-16 -t utf-8",
}
LONGEST_SIGNATURE = 10


class TextFile:
    """Decompressed bytes of one file, without the byte order mark.

    Parameters
    ----------
    name : str
        What errors call it.
    raw : binary file
        Open for reading, at its beginning; need not be seekable.

    Raises
    ------
    ValueError
        The file is an archive or another thing that is not text; or it is called ``.gz``, ``.bz2``, ``.xz`` or
        ``.zst`` and holds something else.
    """

    def __init__(self, name: str, raw: BinaryIO | IO[bytes]) -> None:
        peekable = raw if isinstance(raw, io.BufferedReader) else io.BufferedReader(cast(Any, raw))
        self.name = name
        self._raw = peekable
        self._text, self._damage = _decompressed(_format_of(name, peekable), peekable)
        self._at_start = True
        self._num_bytes = 0

    def tell(self) -> int:
        """Bytes of the file that have been read, as they are in it; of a pipe, bytes of text."""
        return self._raw.tell() if self._raw.seekable() else self._num_bytes

    def readinto(self, room: memoryview) -> int:
        """Fill `room`, of at least 3 bytes, from its beginning and return how many bytes there were; 0 at the end.

        Raises
        ------
        ValueError
            Compressed data is damaged or ends too soon.
        """
        done = 0
        with self._named_damage():
            if self._at_start:
                start = self._text.read(len(BYTE_ORDER_MARK)).removeprefix(BYTE_ORDER_MARK)
                done = len(start)
                room[:done] = start
                self._at_start = False
            done += self._text.readinto(room[done:])
        self._num_bytes += done
        return done

    def lines(self) -> Iterator[bytes]:
        """Yield each line without its newline.

        Raises
        ------
        ValueError
            Compressed data is damaged or ends too soon.
        """
        with self._named_damage():
            line = self._text.readline().removeprefix(BYTE_ORDER_MARK)
        while line:
            self._num_bytes += len(line)
            yield line.removesuffix(b"\n")
            with self._named_damage():
                line = self._text.readline()

    @contextmanager
    def _named_damage(self) -> Iterator[None]:
        try:
            yield
        except self._damage as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise  # the disk's complaint, not the format's
            raise ValueError(f"{self.name} is damaged or was cut short ({error}). Get or compress it again.") from error


def _format_of(name: str, raw: io.BufferedReader) -> str | None:
    start = raw.peek(LONGEST_SIGNATURE)
    for signature, what in NOT_TEXT.items():
        if start.startswith(signature):
            raise ValueError(f"{name} is {what}. Expected text in UTF-8.")
    suffixes = [suffix.lower() for suffix in PurePath(name).suffixes[-2:]]
    if ".tar" in suffixes or ".tgz" in suffixes:
        raise ValueError(f"{name} is a tar archive; unpack it. Expected text in UTF-8.")
    for suffix, signatures in COMPRESSED.items():
        if start.startswith(signatures):
            return suffix
    if suffixes and suffixes[-1] in COMPRESSED:
        raise ValueError(f"{name} does not hold what {suffixes[-1]} stands for. Rename it, or get it again.")
    return None


def _decompressed(suffix: str | None, raw: io.BufferedReader) -> tuple[io.BufferedReader, tuple[type[Exception], ...]]:
    """Wrap a file in its decompressor; with it, the errors that mean damaged data."""
    opened: Any
    damage: tuple[type[Exception], ...]
    if suffix is None:
        return raw, ()
    if suffix == ".gz":
        opened, damage = gzip.GzipFile(fileobj=raw), (EOFError, OSError, zlib.error)
    elif suffix == ".bz2":
        opened, damage = bz2.BZ2File(raw), (EOFError, OSError)
    elif suffix == ".xz":
        opened, damage = lzma.LZMAFile(raw), (EOFError, lzma.LZMAError)  # noqa: SIM115 -- closed with `raw`
    else:
        zstd = _zstd()
        opened, damage = zstd.ZstdFile(raw), (EOFError, zstd.ZstdError)
    return io.BufferedReader(opened, buffer_size=1 << 17), damage


def _zstd() -> Any:
    try:
        from compression import zstd  # Python 3.14
    except ModuleNotFoundError:
        return require("backports.zstd", extra="all", purpose="Reading .zst files")
    return zstd
