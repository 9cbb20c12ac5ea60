"""Counts of word pairs, in files, of which any range of rows can be mapped into memory."""

from __future__ import annotations

import functools
import os
import shutil
from collections.abc import Callable, Generator
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from daneo.corpus.array_files import check_array_file
from daneo.corpus.cooccurrence_config import MOST_WINDOW, WEIGHTINGS
from daneo.corpus.cooccurrence_rows import rows_that_fit
from daneo.corpus.directory_config import DirectoryKind
from daneo.corpus.mapped_directory import MappedDirectory
from daneo.corpus.vocabulary import Vocabulary

if TYPE_CHECKING:
    from scipy import sparse

FILES = ("starts.npy", "contexts.npy", "counts.npy", "vocabulary.txt", "config.json")
NUMBERS = ("num_tokens", "num_stored", "num_pairs")
AGAIN = "Count again."
DIRECTORY = DirectoryKind("cooccurrences", "a directory of counted pairs", "`daneo cooccur`", AGAIN)
SETTINGS: dict[str, Callable[[Any], bool]] = {
    "window": lambda value: type(value) is int and 1 <= value <= MOST_WINDOW,
    "weighting": lambda value: value in WEIGHTINGS,
    "symmetric": lambda value: type(value) is bool,
}


class Cooccurrences:
    """How often words stand near each other, in files. Made by :func:`count_cooccurrences` or :meth:`open`.

    Attributes
    ----------
    path : Path
        The directory: ``starts.npy`` (int64), ``contexts.npy`` (int32), ``counts.npy`` (float32), ``vocabulary.txt``,
        ``config.json``.
    window : int
        The largest distance of two words that were counted.
    weighting : "harmonic" or "flat"
        Whether a pair at distance d counted 1 / d or 1.
    symmetric : bool
        Whether a word's contexts are the words on both sides, or on its left only.
    num_tokens : int
        Tokens of the text, without those that the vocabulary lacks.
    num_stored : int
        Pairs in the files. If symmetric, that is each pair once.
    num_pairs : int
        Pairs of a word and a context: what the whole matrix has other than zeros.

    Examples
    --------
    >>> from daneo.corpus import count_cooccurrences
    >>> with count_cooccurrences(["what time is it", "time is time"], min_count=2, window=2) as pairs:
    ...     pairs.vocabulary.words, pairs.matrix().toarray().tolist()
    (['time', 'is'], [[1.0, 3.0], [3.0, 0.0]])
    """

    def __init__(
        self, path: Path, config: dict[str, Any], vocabulary: Vocabulary | None = None, *, temporary: bool = False
    ) -> None:
        self.path = path
        self._files = MappedDirectory(path)
        self.window: int = config["window"]
        self.weighting: str = config["weighting"]
        self.symmetric: bool = config["symmetric"]
        self.num_tokens, self.num_stored, self.num_pairs = (int(config[name]) for name in NUMBERS)
        self._temporary = temporary
        self._trusted = vocabulary is not None
        if vocabulary is not None:
            self.vocabulary = vocabulary
        self._closed = False

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> Cooccurrences:
        """Open a directory that ``count_cooccurrences(path=...)`` or ``daneo cooccur`` wrote.

        Raises
        ------
        FileNotFoundError
            A file of it is missing.
        ValueError
            The directory is something else, of a later version, or damaged.
        """
        directory = Path(path)
        config = DIRECTORY.read(directory, NUMBERS, SETTINGS)
        if not config["num_stored"] <= config["num_pairs"] <= config["num_stored"] * (2 if config["symmetric"] else 1):
            raise ValueError(f"{directory / 'config.json'} is damaged: num_stored and num_pairs disagree. {AGAIN}")
        pairs = cls(directory, config)
        check_array_file(directory / "starts.npy", np.int64, len(pairs.vocabulary) + 1, AGAIN)
        check_array_file(directory / "contexts.npy", np.int32, pairs.num_stored, AGAIN)
        check_array_file(directory / "counts.npy", np.float32, pairs.num_stored, AGAIN)
        starts = pairs._mapped("starts.npy", np.int64, 0, len(pairs.vocabulary) + 1)
        if starts[0] != 0 or starts[-1] != pairs.num_stored or (np.diff(starts) < 0).any():
            raise ValueError(
                f"{directory / 'starts.npy'} is damaged: expected numbers that rise from 0 to {pairs.num_stored}. "
                f"{AGAIN}"
            )
        return pairs

    @functools.cached_property
    def vocabulary(self) -> Vocabulary:
        """The words of the rows and columns; read when first asked for."""
        return Vocabulary.load(self.path / "vocabulary.txt")

    def rows(
        self, start: int, stop: int
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32], npt.NDArray[np.float32]]:
        """Map the stored pairs of a range of words.

        Parameters
        ----------
        start, stop : int
            Id of the first word and the one after the last, from 0 to V.

        Returns
        -------
        starts : int64 array of shape (stop - start + 1,)
            Where in the other two arrays each word's pairs begin, from 0.
        contexts : int32 array of shape (n,), read-only
            The other words' ids, rising in each row. If symmetric, none is above the row's own: X[c, w] = X[w, c] is
            stored once.
        counts : float32 array of shape (n,), read-only
            How often they stand together, weighted.

        Raises
        ------
        IndexError
            The range is not within the vocabulary.
        ValueError
            The files are damaged; they were written again since they were opened; or they have been closed.
        """
        if not 0 <= start <= stop <= len(self.vocabulary):
            raise IndexError(f"Expected 0 <= start <= stop <= {len(self.vocabulary)}, got start={start}, stop={stop}.")
        starts = np.array(self._mapped("starts.npy", np.int64, start, stop + 1))
        first, last = int(starts[0]), int(starts[-1])
        starts -= first
        contexts = self._mapped("contexts.npy", np.int32, first, last)
        counts = self._mapped("counts.npy", np.float32, first, last)
        if not self._trusted:
            self._check_rows(start, starts, contexts, counts)
        return starts, contexts, counts

    def ranges(self, most_pairs: int = 1 << 20) -> Generator[tuple[int, int]]:
        """Yield ranges for :meth:`rows` that cover all words, of about `most_pairs` stored pairs at most.

        Parameters
        ----------
        most_pairs : int, default 2**20
            A row of more pairs is a range of its own.
        """
        sizes = np.diff(self._mapped("starts.npy", np.int64, 0, len(self.vocabulary) + 1))
        return rows_that_fit(sizes, most_pairs, len(sizes))

    def matrix(self) -> sparse.csr_array:
        """Return all counts as a sparse matrix, in memory.

        Returns
        -------
        scipy.sparse.csr_array of shape (V, V), float32
            A row for each word, a column for each context. It takes 8 bytes a pair.
        """
        from scipy import sparse

        size = len(self.vocabulary)
        starts, contexts, counts = np.zeros(size + 1, np.int64), np.empty(0, np.int32), np.empty(0, np.float32)
        if self.num_stored and self.symmetric:
            starts, contexts, counts = self._both_halves()
        elif self.num_stored:
            starts, contexts, counts = self.rows(0, size)
            contexts, counts = np.array(contexts), np.array(counts)
        if self.num_pairs < 2**31:  # else scipy makes 64-bit ids of all contexts
            starts = starts.astype(np.int32)
        matrix = sparse.csr_array((counts, contexts, starts), shape=(size, size))
        matrix.has_canonical_format = True
        return matrix

    def most_frequent(self, topn: int = 10) -> list[tuple[str, str, float]]:
        """Return the pairs that count most: word, context, count; of a symmetric count each pair once.

        Examples
        --------
        >>> from daneo.corpus import count_cooccurrences
        >>> with count_cooccurrences(["what time is it", "time is time"], min_count=2, window=2) as pairs:
        ...     pairs.most_frequent()
        [('is', 'time', 3.0), ('time', 'time', 1.0)]
        """
        found: list[tuple[float, int, int]] = []
        for start, stop in self.ranges():
            starts, contexts, counts = self.rows(start, stop)
            least = np.partition(counts, -topn)[-topn] if len(counts) > topn else 0
            # Of equal counts, and there may be millions, the first ones are enough.
            best = np.concatenate([np.flatnonzero(counts > least), np.flatnonzero(counts == least)[:topn]])
            words = np.searchsorted(starts, best, side="right") - 1 + start
            found += zip((-counts[best]).tolist(), words.tolist(), contexts[best].tolist(), strict=True)
            found = sorted(found)[:topn]
        decode = self.vocabulary.words
        return [(decode[word], decode[context], -count) for count, word, context in found]

    def close(self) -> None:
        """Give up the files; a temporary directory is removed. Arrays mapped before stay valid (not on Windows)."""
        if self._temporary and not self._closed:
            shutil.rmtree(self.path, ignore_errors=True)
        self._closed = True

    def __enter__(self) -> Cooccurrences:
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
        return f"<Cooccurrences of {self.num_pairs:,} pairs in a window of {self.window}: {self.path}>"

    def _both_halves(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32], npt.NDArray[np.float32]]:
        """Return the rows of the symmetric matrix, of which the files have each pair once."""
        from daneo.corpus.cooccurrence_kernels import mirror_rows

        size = len(self.vocabulary)
        sizes = np.zeros(size, dtype=np.int64)
        for start, stop in self.ranges():
            starts, contexts, _ = self.rows(start, stop)
            sizes[start:stop] += np.diff(starts)
            sizes += np.bincount(contexts, minlength=size)
            filled = np.flatnonzero(np.diff(starts))
            sizes[filled + start] -= contexts[starts[filled + 1] - 1] == filled + start  # a word with itself
        all_starts = np.concatenate([[0], np.cumsum(sizes)])
        nexts = all_starts[:-1].copy()
        all_contexts, all_counts = np.empty(all_starts[-1], np.int32), np.empty(all_starts[-1], np.float32)
        for start, stop in self.ranges():
            starts, contexts, counts = self.rows(start, stop)
            mirror_rows(start, starts, np.array(contexts), np.array(counts), nexts, all_contexts, all_counts)
        return all_starts, all_contexts, all_counts

    def _check_rows(
        self,
        row: int,
        starts: npt.NDArray[np.int64],
        contexts: npt.NDArray[np.int32],
        counts: npt.NDArray[np.float32],
    ) -> None:
        """Refuse what would make a trainer write outside its matrices, or learn nonsense."""
        if not len(contexts):
            return
        filled = np.flatnonzero(np.diff(starts))
        limits = filled + row if self.symmetric else len(self.vocabulary) - 1
        rises = np.diff(contexts) > 0
        rises[starts[filled[1:]] - 1] = True  # from a row to the next
        if contexts.min() < 0 or (contexts[starts[filled + 1] - 1] > limits).any() or not rises.all():
            raise ValueError(
                f"{self.path / 'contexts.npy'} is damaged: expected ids that rise in each row, of the vocabulary and, "
                f"if symmetric, not above the row's own. {AGAIN}"
            )
        if not (counts.min() > 0 and counts.max() < np.inf):
            raise ValueError(f"{self.path / 'counts.npy'} is damaged: expected numbers above 0. {AGAIN}")

    def _mapped(self, name: str, dtype: Any, start: int, stop: int) -> npt.NDArray[Any]:
        if self._closed:
            raise ValueError(f"These Cooccurrences have been closed ({self.path}). Count or open them again.")
        return self._files.map(name, dtype, start, stop)
