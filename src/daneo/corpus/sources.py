"""Where a corpus's text comes from when it is not an iterable: a file, a glob, a folder, standard input."""

from __future__ import annotations

import glob
import os
import stat
import sys
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Literal, Protocol

from daneo.corpus.directory_config import kind_of
from daneo.corpus.text_files import TextFile

STANDARD_INPUT = "-"
Errors = Literal["strict", "replace"]


def find_files(source: str | os.PathLike[str]) -> list[str]:
    """List the files that a path, a glob or a folder stands for; none for standard input.

    Parameters
    ----------
    source : str or path
        A file; a folder, of which all files are meant, also those in folders inside, but not what is hidden; a glob,
        where ``**`` stands for any folders; ``"-"`` for standard input.

    Returns
    -------
    list of str
        In the order of their names.

    Raises
    ------
    FileNotFoundError
        Nothing is there, or the folder is empty.
    ValueError
        The folder is a model, counts or something else that daneo wrote.
    """
    path = os.fspath(source)
    if path == STANDARD_INPUT:
        return []
    if os.path.isdir(path):
        if kind := kind_of(Path(path)):
            counts = "; `daneo train glove` and `daneo train ppmi` learn from counts" * (kind == "cooccurrences")
            raise ValueError(f"{path} is a directory that daneo wrote ({kind}), not text. Give text{counts}.")
        found = [
            str(file)
            for file in sorted(Path(path).rglob("*"))
            if file.is_file() and not any(part.startswith(".") for part in file.relative_to(path).parts)
        ]
        if not found:
            raise FileNotFoundError(f"The folder {path} holds no files. Give a folder with text files, or a file.")
        return found
    if os.path.exists(path):
        return [path]
    if glob.has_magic(path):
        found = sorted(file for file in glob.glob(path, recursive=True) if os.path.isfile(file))
        if not found:
            raise FileNotFoundError(f"No file matches {path}. Check the folder; ** matches folders at any depth.")
        return found
    shown = path if len(path) <= 200 else path[:200] + "..."
    hint = " To give text itself, put it in a list: Corpus([text])." if " " in path or "\n" in path else ""
    raise FileNotFoundError(f"There is no file or folder {shown!r}. Check the path.{hint}")


class TextStream(Protocol):
    """Text of one file, or of all texts of an iterable, as UTF-8."""

    name: str

    def readinto(self, room: memoryview) -> int:
        """Fill `room` from its beginning and return how many bytes there were; 0 at the end."""


class Reading(Protocol):
    """One pass over a source; see :class:`FilesReading` and :class:`daneo.corpus.iterables.IterableReading`."""

    is_text: bool
    has_surrogates: bool
    unit: str
    total: int | None
    num_replaced: int

    @property
    def done(self) -> int:
        """How much has been read."""

    def streams(self) -> Iterator[TextStream]:
        """Yield the text as bytes."""

    def texts(self, errors: Errors) -> Iterator[str]:
        """Yield the text of each document."""

    def token_lists(self) -> Iterator[Sequence[str]]:
        """Yield the tokens of each document, if there is no text."""

    def advance(self, num_words: int) -> None:
        """Note that so many words have been read."""


class FilesReading:
    """One pass over files, or over standard input if there are none.

    Attributes
    ----------
    is_text : bool
        True: there are texts to tokenize, not token lists.
    has_surrogates : bool
        False: they would not be UTF-8.
    unit : str
        What `done` and `total` count: bytes, as they are on the disk, compressed or not.
    done : int
        Bytes read so far.
    total : int or None
        All bytes; ``None`` for standard input and pipes.
    num_replaced : int
        U+FFFD that :meth:`texts` put in place of bytes that are not UTF-8.
    """

    is_text = True
    has_surrogates = False
    unit = "bytes"

    def __init__(self, files: Sequence[str]) -> None:
        self._files = files
        self._finished = 0
        self._open: TextFile | None = None
        self.num_replaced = 0
        self.total = None if is_one_shot(files) else sum(map(os.path.getsize, files))

    @property
    def done(self) -> int:
        """Bytes read so far."""
        return self._finished + (self._open.tell() if self._open else 0)

    def streams(self) -> Generator[TextFile]:
        """Open each file in turn."""
        if not self._files:
            self._open = TextFile("standard input", sys.stdin.buffer)
            yield self._open
        for name in self._files:
            with open(name, "rb") as raw:
                self._open = TextFile(name, raw)
                yield self._open
                self._finished, self._open = self.done, None

    def advance(self, num_words: int) -> None:
        """Do nothing: what counts is the position in the files."""

    def token_lists(self) -> Iterator[Sequence[str]]:
        """Yield nothing: files hold text."""
        return iter(())

    def texts(self, errors: Errors) -> Iterator[str]:
        """Yield each line, without what ends it.

        Raises
        ------
        ValueError
            A line is not UTF-8 and `errors` is ``"strict"``.
        """
        with closing(self.streams()) as streams:
            for stream in streams:
                for number, line in enumerate(stream.lines(), start=1):
                    try:
                        text = line.decode("utf-8", errors)
                    except UnicodeDecodeError as error:
                        raise undecodable(stream.name, number, error) from None
                    if "\ufffd" in text:
                        self.num_replaced += num_replaced(line, text)
                    yield text.removesuffix("\r")


def undecodable(name: str, line: int, error: UnicodeDecodeError) -> ValueError:
    """Say in one line which bytes of which file are not UTF-8."""
    wrong = error.object[error.start : error.end].hex(" ")
    return ValueError(
        f"{name}, line {line}: the bytes {wrong} are not UTF-8 text. "
        'Convert the file (iconv -f its-encoding -t utf-8), or give errors="replace" to read them as U+FFFD.'
    )


def num_replaced(data: bytes, text: str) -> int:
    """Count the U+FFFD in a decoded text that stand for bytes that are not UTF-8, and not for themselves."""
    return text.count("\ufffd") - data.count("\ufffd".encode())


def is_one_shot(files: Sequence[str]) -> bool:
    """Say whether these files (none: standard input) can be read only once, as a pipe can."""
    return not files or not all(stat.S_ISREG(os.stat(file).st_mode) for file in files)
