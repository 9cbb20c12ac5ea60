"""A corpus as ids on disk, of which any range can be mapped into memory."""

from __future__ import annotations

import functools
import os
import shutil
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt

from daneo.corpus.array_files import check_array_file
from daneo.corpus.directory_config import DirectoryKind
from daneo.corpus.mapped_directory import MappedDirectory
from daneo.corpus.vocabulary import Vocabulary

FILES = ("ids.npy", "offsets.npy", "vocabulary.txt", "config.json")
COUNTS = ("num_tokens", "num_documents", "num_dropped", "num_unknown", "num_replaced")
DIRECTORY = DirectoryKind("encoded-corpus", "an encoded corpus", "Corpus.encode", "Encode the corpus again.")


class EncodedCorpus:
    """The ids of a corpus's tokens, in order, in files; what trainers read. Made by ``Corpus.encode`` or :meth:`open`.

    Attributes
    ----------
    path : Path
        The directory: ``ids.npy`` (int32), ``offsets.npy`` (int64), ``vocabulary.txt``, ``config.json``.
    tokenizer : str
        Name of the tokenizer that cut the text.
    num_tokens : int
        Tokens kept; as many ids are there.
    num_documents : int
        Lines or items, empty ones included.
    num_dropped : int
        Tokens left out because the vocabulary lacks them.
    num_unknown : int
        Tokens that became the vocabulary's unknown token.
    num_replaced : int
        U+FFFD that the text got in place of bytes that are not UTF-8.

    Examples
    --------
    >>> from daneo.corpus import Corpus
    >>> with Corpus(["what time is it", "time is time"]).encode(min_count=2) as encoded:
    ...     encoded.vocabulary.words, encoded.tokens(0, 5).tolist(), encoded.offsets.tolist()
    (['time', 'is'], [0, 1, 0, 1, 0], [0, 2, 5])
    """

    def __init__(
        self, path: Path, config: dict[str, Any], vocabulary: Vocabulary | None = None, *, temporary: bool = False
    ) -> None:
        self.path = path
        self._files = MappedDirectory(path)
        self.tokenizer: str = config["tokenizer"]
        self.num_tokens, self.num_documents, self.num_dropped, self.num_unknown, self.num_replaced = (
            int(config[name]) for name in COUNTS
        )
        self._temporary = temporary
        self._trusted = vocabulary is not None
        if vocabulary is not None:
            self.vocabulary = vocabulary
        self._closed = False

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> EncodedCorpus:
        """Open a directory that ``Corpus.encode(path=...)`` wrote.

        Raises
        ------
        FileNotFoundError
            A file of it is missing.
        ValueError
            The directory is something else, of a later version, or damaged.
        """
        directory = Path(path)
        config = DIRECTORY.read(directory, COUNTS, {"tokenizer": lambda value: isinstance(value, str)})
        check_array_file(directory / "ids.npy", np.int32, config["num_tokens"])
        check_array_file(directory / "offsets.npy", np.int64, config["num_documents"] + 1)
        encoded = cls(directory, config)
        first, last = encoded.offsets[[0, -1]].tolist()
        if (first, last) != (0, encoded.num_tokens):
            raise ValueError(
                f"{directory / 'offsets.npy'} is damaged: expected 0 first and {encoded.num_tokens} last, "
                f"got {first} and {last}. Encode the corpus again."
            )
        return encoded

    @functools.cached_property
    def vocabulary(self) -> Vocabulary:
        """The words that the ids stand for; read when first asked for."""
        vocabulary = Vocabulary.load(self.path / "vocabulary.txt")
        self._files.check()
        return vocabulary

    @property
    def offsets(self) -> npt.NDArray[np.int64]:
        """Where each document starts, and the number of tokens; int64 (num_documents + 1,).

        A fresh map of the file each time: ``encoded.offsets[a:b]`` takes memory only for what it reads, and only as
        long as the slice lives. An array that is kept fills memory as it is read.
        """
        self._check_open()
        return self._files.map("offsets.npy", np.int64, 0, self.num_documents + 1)

    def tokens(self, start: int, stop: int) -> npt.NDArray[np.int32]:
        """Map the ids of a range of tokens.

        Parameters
        ----------
        start, stop : int
            First token and the one after the last, from 0 to `num_tokens`.

        Returns
        -------
        int32 array of shape (stop - start,), read-only
            A fresh map of only this range: going through the corpus range by range fills no memory.

        Raises
        ------
        IndexError
            The range is not within the corpus.
        ValueError
            The file holds an id that is not in the vocabulary; the corpus was written again since it was opened; or it
            has been closed.
        """
        self._check_open()
        if not 0 <= start <= stop <= self.num_tokens:
            raise IndexError(f"Expected 0 <= start <= stop <= {self.num_tokens}, got start={start}, stop={stop}.")
        ids = self._files.map("ids.npy", np.int32, start, stop)
        # Kernels trust the ids. A stranger's file must not make them write outside their matrices.
        if not self._trusted and len(ids) and (ids.min() < 0 or ids.max() >= len(self.vocabulary)):
            raise ValueError(
                f"{self.path / 'ids.npy'} is damaged: the tokens {start} to {stop} hold an id that is not among the "
                f"{len(self.vocabulary)} words. Encode the corpus again."
            )
        return ids

    def close(self) -> None:
        """Give up the files; a temporary directory is removed. Arrays mapped before stay valid (not on Windows)."""
        if self._temporary and not self._closed:
            shutil.rmtree(self.path, ignore_errors=True)
        self._closed = True

    def __enter__(self) -> EncodedCorpus:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __del__(self) -> None:
        # A temporary directory that nobody can reach any more only fills the disk.
        if getattr(self, "_temporary", False):
            self.close()

    def __repr__(self) -> str:
        return f"<EncodedCorpus of {self.num_tokens:,} tokens in {self.num_documents:,} documents: {self.path}>"

    def _check_open(self) -> None:
        if self._closed:
            raise ValueError(f"This EncodedCorpus has been closed ({self.path}). Encode or open it again.")
