"""A corpus: text from anywhere, as documents of tokens or as ids on disk."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import Any, get_args

import numpy as np
import numpy.typing as npt

from daneo.corpus import tokenizers
from daneo.corpus.corpus_pass import Pass, count, encode
from daneo.corpus.encoded import EncodedCorpus
from daneo.corpus.iterables import IterableReading
from daneo.corpus.ordered_threads import checked_threads
from daneo.corpus.phrases import Phrases
from daneo.corpus.sources import Errors, FilesReading, Reading, find_files, is_one_shot
from daneo.corpus.tokenizers import Tokenizer
from daneo.corpus.vocabulary import Vocabulary
from daneo.progress import ProgressCallback


class Corpus:
    r"""Text to learn from; one document a line of a file, or an item of an iterable.

    Parameters
    ----------
    source : str, path, or iterable
        A file; a glob (``"wiki/**/*.txt.xz"``); a folder, of which all files are read, in the order of their names;
        ``"-"`` for standard input; or an iterable of str (documents) or of lists of str (documents in tokens).
        ``.gz``, ``.bz2``, ``.xz`` and ``.zst`` are decompressed, recognised by what the file holds.
    tokenizer : str or object, default "words"
        What cuts a document into tokens: a name that :func:`daneo.corpus.tokenizers.get` knows, or an object with
        ``name`` and ``__call__(text) -> list[str]``. Token lists are taken as they are.
    errors : "strict" or "replace", default "strict"
        What to do with bytes that are not UTF-8: raise an error that names the file and the line, or read them as
        U+FFFD, as ``bytes.decode`` does, and count them (``EncodedCorpus.num_replaced``).
    phrases : Phrases or None
        What joins frequent phrases among the tokens of each document.

    Raises
    ------
    FileNotFoundError
        Nothing is at the path, in the folder, or matches the glob.
    TypeError
        The source or the tokenizer is of a type that cannot be one.
    ValueError
        No tokenizer has that name, or `errors` is neither word.

    Notes
    -----
    A line ends with a newline; a carriage return before it counts as whitespace, and a byte order mark is dropped.
    Lines may have any length, and empty ones are documents, too. In a document that is an item of an iterable, a
    newline is a space.

    A generator, standard input or a pipe can be read only once: encode such a corpus and train on what that gives.

    Examples
    --------
    >>> corpus = Corpus(["What time is it?", "It is time."])
    >>> list(corpus)
    [['what', 'time', 'is', 'it'], ['it', 'is', 'time']]
    """

    def __init__(
        self,
        source: str | os.PathLike[str] | Iterable[str] | Iterable[list[str]] | Iterable[tuple[str, ...]],
        tokenizer: str | Tokenizer = "words",
        *,
        errors: Errors = "strict",
        phrases: Phrases | None = None,
    ) -> None:
        if errors not in get_args(Errors):
            raise ValueError(f"Corpus expected errors to be strict or replace, got {errors!r}.")
        self.source = source
        self.tokenizer = tokenizers.get(tokenizer)
        self.errors = errors
        self.phrases = phrases
        self._items: Iterable[Any] | None = None
        self._files: list[str] = []
        if isinstance(source, (str, os.PathLike)):
            self._files = find_files(source)
            self._is_one_shot = is_one_shot(self._files)
        elif isinstance(source, Iterable) and not isinstance(source, (bytes, bytearray, memoryview)):
            self._items = source
            self._is_one_shot = isinstance(source, Iterator)
        else:
            raise TypeError(
                "Corpus expected a path, or an iterable of str or of lists of str; "
                f"got {source!r:.80} ({type(source).__name__})."
            )
        self._has_been_read = False

    def __iter__(self) -> Iterator[list[str]]:
        """Yield the tokens of each document.

        Raises
        ------
        ValueError
            The source could be read only once and has been read; or text is not UTF-8, or a file is damaged.
        """
        return map(list, self._pass(num_threads=1, progress=None).documents())

    def __repr__(self) -> str:
        return f"<Corpus {self.source!r:.80}, tokenizer {self.tokenizer.name}>"

    def encode(
        self,
        vocabulary: Vocabulary | None = None,
        *,
        min_count: int = 5,
        max_size: int | None = None,
        path: str | os.PathLike[str] | None = None,
        num_threads: int | None = None,
        progress: ProgressCallback | None = None,
    ) -> EncodedCorpus:
        """Read the corpus once and write it as ids.

        Parameters
        ----------
        vocabulary : Vocabulary or None
            The words with an id. Others become its unknown token if it has one, else they are dropped; both are
            counted. ``None`` makes a vocabulary of the corpus's own words.
        min_count : int, default 5
            Without a vocabulary: rarer words are dropped.
        max_size : int or None
            Without a vocabulary: the most words to keep, the rarest go. ``None`` keeps all.
        path : path or None
            The directory to write, whole or not at all. ``None`` takes a temporary one (in ``$TMPDIR``), which goes
            with the EncodedCorpus.
        num_threads : int or None
            Threads that cut text into tokens and count them, for the tokenizers ``words`` and ``whitespace``; one more
            reads and writes. ``None`` takes a thread for each core, 8 at most. The result does not depend on it.
        progress : callable or None
            Gets a :class:`daneo.progress.Progress` now and then.

        Returns
        -------
        EncodedCorpus

        Raises
        ------
        ValueError
            No word is left; or the source could be read only once and has been read; or text is not UTF-8, or a file
            is damaged.
        TypeError
            `vocabulary` is something else.
        FileExistsError
            `path` is a directory with other files in it.

        Notes
        -----
        The vocabulary's order is by falling count, equal ones by spelling. Memory grows with the number of distinct
        words (about 60 bytes for each, in each thread), not with the length of the text; the disk needs 4 bytes a
        token. Tokens of iterables and of other tokenizers are counted in Python, which is slower.

        Examples
        --------
        >>> with Corpus(["what time is it", "time is time"]).encode(min_count=2) as encoded:
        ...     encoded.vocabulary.words, encoded.tokens(0, 5).tolist(), encoded.num_dropped
        (['time', 'is'], [0, 1, 0, 1, 0], 2)
        """
        if vocabulary is not None and not isinstance(vocabulary, Vocabulary):
            raise TypeError(
                f"encode expected a Vocabulary or None, got {vocabulary!r:.80} ({type(vocabulary).__name__})."
            )
        if min_count < 1:
            raise ValueError(f"encode expected min_count of at least 1, got {min_count}. 1 keeps every word.")
        if max_size is not None and max_size < 1:
            raise ValueError(f"encode expected max_size of at least 1, got {max_size}. None keeps every frequent word.")
        return encode(self._pass(num_threads, progress), vocabulary, min_count, max_size, path)

    def count(
        self, *, num_threads: int | None = None, progress: ProgressCallback | None = None
    ) -> tuple[list[str], npt.NDArray[np.int64]]:
        """Read the corpus once and count its tokens.

        Returns
        -------
        words : list of str
            The distinct tokens, by falling count, equal ones by spelling.
        counts : int64 array, one for each

        Examples
        --------
        >>> words, counts = Corpus(["It is time. Is it?"]).count()
        >>> words, counts.tolist()
        (['is', 'it', 'time'], [2, 2, 1])
        """
        return count(self._pass(num_threads, progress))

    def _pass(self, num_threads: int | None, progress: ProgressCallback | None) -> Pass:
        threads = checked_threads(num_threads)
        if self._has_been_read and self._is_one_shot:
            what = "generator or iterator" if self._items is not None else "pipe or standard input"
            raise ValueError(
                f"This corpus comes from a {what}, which can be read only once, and has been read. Encode it once and "
                "use the EncodedCorpus, or give a file or a list."
            )
        self._has_been_read = True
        reading: Reading = FilesReading(self._files) if self._items is None else IterableReading(self._items)
        return Pass(reading, self.tokenizer, self.errors, self.phrases, threads, progress)
