"""Counting how often words stand near each other."""

from __future__ import annotations

import math
import os
import shutil
import tempfile
from collections.abc import Iterable
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from daneo.corpus.array_files import ArrayFile
from daneo.corpus.cooccurrences import Cooccurrences, write_config
from daneo.corpus.encoded import EncodedCorpus
from daneo.corpus.vocabulary import Vocabulary
from daneo.progress import ProgressCallback

if TYPE_CHECKING:
    from scipy import sparse

    from daneo.corpus import Corpus


def count_cooccurrences(
    corpus: Corpus | EncodedCorpus | str | os.PathLike[str] | Iterable[Any],
    vocabulary: Vocabulary | None = None,
    *,
    window: int = 10,
    weighting: str = "harmonic",
    symmetric: bool = True,
    min_count: int = 5,
    max_size: int | None = None,
    memory: int | None = None,
    num_threads: int | None = None,
    path: str | os.PathLike[str] | None = None,
    progress: ProgressCallback | None = None,
) -> Cooccurrences:
    """Count how often words stand near each other.

    Examples
    --------
    >>> with count_cooccurrences(["what time is it", "time is time"], min_count=2, window=2) as pairs:
    ...     pairs.vocabulary.words, [array.tolist() for array in pairs.rows(0, 2)]
    (['time', 'is'], [[0, 1, 2], [0, 0], [1.0, 3.0]])
    """
    from daneo.corpus import Corpus
    from daneo.corpus.cooccurrence_kernels import count_rows, sort_places

    if isinstance(corpus, EncodedCorpus):
        opened: Any = nullcontext(corpus)
    else:
        text = corpus if isinstance(corpus, Corpus) else Corpus(corpus)
        opened = text.encode(
            vocabulary, min_count=min_count, max_size=max_size, num_threads=num_threads, progress=progress
        )
    with opened as encoded:
        words, num_tokens = encoded.vocabulary, encoded.num_tokens
        size = len(words)
        ids, edges = np.array(encoded.tokens(0, num_tokens)), np.array(encoded.offsets)
        place_starts = np.zeros(size + 1, dtype=np.int64)
        np.cumsum(np.bincount(ids, minlength=size), out=place_starts[1:])
        places = np.empty(num_tokens, dtype=np.int64)
        sort_places(ids, edges, 0, num_tokens, window, place_starts[:-1].copy(), places)
    unit = math.lcm(*range(1, window + 1)) if weighting == "harmonic" and window <= 22 else 1 << 32
    weights = np.array(
        [0, *(round(unit / d) if weighting == "harmonic" else unit for d in range(1, window + 1))], dtype=np.int64
    )
    sums, touched = np.zeros(size, dtype=np.int64), np.empty(size, dtype=np.int32)
    directory = Path(tempfile.mkdtemp(prefix="daneo-cooccurrences-")) if path is None else Path(path)
    directory.mkdir(exist_ok=True)
    try:
        num_stored = num_diagonal = 0
        with (
            ArrayFile(directory / "starts.npy", np.int64) as starts_file,
            ArrayFile(directory / "contexts.npy", np.int32) as contexts_file,
            ArrayFile(directory / "counts.npy", np.float32) as counts_file,
        ):
            starts_file.write(np.zeros(1))
            for row in range(0, size, 64):
                last = min(row + 64, size)
                bound = int(np.minimum(2 * window * np.diff(place_starts[row : last + 1]), size).sum())
                starts = np.empty(last - row + 1, dtype=np.int64)
                contexts, counts = np.empty(bound, dtype=np.int32), np.empty(bound, dtype=np.int64)
                n = count_rows(
                    ids, places, place_starts, weights, symmetric, row, last, sums, touched, starts, contexts, counts
                )
                starts_file.write(starts[1:] + num_stored)
                contexts_file.write(contexts[:n])
                counts_file.write(counts[:n] / unit)
                rows = np.repeat(np.arange(row, last), np.diff(starts))
                num_diagonal += int((rows == contexts[:n]).sum())
                num_stored += n
            for file in (starts_file, contexts_file, counts_file):
                file.finish()
        words.save(directory / "vocabulary.txt")
        config = write_config(
            directory,
            {
                "window": window,
                "weighting": weighting,
                "symmetric": symmetric,
                "num_tokens": num_tokens,
                "num_stored": num_stored,
                "num_pairs": 2 * num_stored - num_diagonal if symmetric else num_stored,
            },
        )
    except BaseException:
        shutil.rmtree(directory, ignore_errors=True)
        raise
    return Cooccurrences(directory, config, words, temporary=path is None)


def cooccurrence(
    corpus: Corpus | EncodedCorpus | str | os.PathLike[str] | Iterable[Any],
    vocabulary: Vocabulary | None = None,
    *,
    window: int = 10,
    weighting: str = "harmonic",
    symmetric: bool = True,
    min_count: int = 5,
    max_size: int | None = None,
    memory: int | None = None,
    num_threads: int | None = None,
    progress: ProgressCallback | None = None,
) -> sparse.csr_array:
    """Count how often words stand near each other, as a sparse matrix in memory.

    Examples
    --------
    >>> cooccurrence(["what time is it", "time is time"], min_count=2, window=2).toarray().tolist()
    [[1.0, 3.0], [3.0, 0.0]]
    """
    with count_cooccurrences(
        corpus,
        vocabulary,
        window=window,
        weighting=weighting,
        symmetric=symmetric,
        min_count=min_count,
        max_size=max_size,
        memory=memory,
        num_threads=num_threads,
        progress=progress,
    ) as pairs:
        return pairs.matrix()
