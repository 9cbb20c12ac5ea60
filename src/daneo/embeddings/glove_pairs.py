"""The pairs that GloVe trains on, in files: shuffled, in tiles that threads can train side by side."""

from __future__ import annotations

import functools
import shutil
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from daneo.corpus.array_files import HEADER_SIZE, check_array_file
from daneo.corpus.directory_config import DirectoryKind

if TYPE_CHECKING:
    from daneo.corpus import Vocabulary

    Tile = tuple[npt.NDArray[np.uint16], npt.NDArray[np.uint16], npt.NDArray[np.float32]]

AGAIN = "Remove the checkpoint and start afresh."
DIRECTORY = DirectoryKind("glove-pairs", "a directory of shuffled pairs", "`daneo train glove`", AGAIN)
NUMBERS = ("num_blocks", "num_pairs", "num_tokens")
ARRAYS: dict[str, type[np.generic]] = {"rows": np.uint16, "columns": np.uint16, "log_counts": np.float32}
FILES = ("config.json", "vocabulary.txt", "starts.npy", *(f"{name}.npy" for name in ARRAYS))


class GlovePairs:
    """Pairs of a word and a context with the logarithm of their count. Made by :func:`write_pairs` or :meth:`open`.

    Attributes
    ----------
    path : Path
        The directory: ``rows.npy``, ``columns.npy`` (uint16), ``log_counts.npy`` (float32), ``starts.npy`` (int64),
        ``vocabulary.txt``, ``config.json``.
    num_blocks : int
        P, the number of blocks that words are dealt out to; see glove_pairs_reference.py.
    num_pairs, num_tokens : int
        Pairs in all; words of the text that they were counted in.
    starts : int64 array of shape (P * P + 1,)
        Where each tile begins.
    """

    def __init__(self, path: Path, config: dict[str, Any], *, temporary: bool = False) -> None:
        self.path = path
        self.num_blocks, self.num_pairs, self.num_tokens = (int(config[name]) for name in NUMBERS)
        self.starts = np.load(path / "starts.npy", allow_pickle=False)
        self._temporary = temporary

    @classmethod
    def open(cls, path: Path) -> GlovePairs:
        """Open what `write_pairs` wrote.

        Raises
        ------
        FileNotFoundError
            A file of it is missing.
        ValueError
            It is damaged.
        """
        config = DIRECTORY.read(path, NUMBERS, {})
        for name, dtype in ARRAYS.items():
            check_array_file(path / f"{name}.npy", dtype, config["num_pairs"], AGAIN)
        check_array_file(path / "starts.npy", np.int64, config["num_blocks"] ** 2 + 1, AGAIN)
        pairs = cls(path, config)
        ends, num_words = pairs.starts[[0, -1]].tolist(), len(pairs.vocabulary)
        if ends != [0, pairs.num_pairs] or np.any(np.diff(pairs.starts) < 0) or not 0 < pairs.num_blocks <= num_words:
            raise ValueError(f"{path} is damaged: its tiles do not fit its pairs. {AGAIN}")
        return pairs

    @functools.cached_property
    def vocabulary(self) -> Vocabulary:
        """The words, which are the contexts too."""
        from daneo.corpus import Vocabulary

        return Vocabulary.load(self.path / "vocabulary.txt")

    def tile(self, word_block: int, context_block: int) -> Tile:
        """Map the pairs of a tile: numbers of words in their block, of contexts in theirs, logarithms of counts.

        Raises
        ------
        ValueError
            A number is beyond its block: the file is damaged.
        """
        tile = word_block * self.num_blocks + context_block
        start, stop = self.starts[tile : tile + 2].tolist()
        rows, columns, log_counts = (self._mapped(name, start, stop) for name in ARRAYS)
        if start < stop and (rows.max() >= self._size(word_block) or columns.max() >= self._size(context_block)):
            raise ValueError(f"{self.path} is damaged: a pair is of no word. {AGAIN}")
        return rows, columns, log_counts

    def close(self) -> None:
        """Remove a temporary directory."""
        if self._temporary:
            shutil.rmtree(self.path, ignore_errors=True)

    def __enter__(self) -> GlovePairs:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _size(self, block: int) -> int:
        return -(-(len(self.vocabulary) - block) // self.num_blocks)

    def _mapped(self, name: str, start: int, stop: int) -> npt.NDArray[Any]:
        dtype = np.dtype(ARRAYS[name])
        if start == stop:
            return np.empty(0, dtype)
        offset = HEADER_SIZE + start * dtype.itemsize
        # "c" is read-only to the file, yet an ordinary array to Numba, which compiles for read-only ones once more.
        mapped = np.memmap(self.path / f"{name}.npy", dtype, mode="c", offset=offset, shape=(stop - start,))
        return mapped.view(np.ndarray)
