"""Counting how often words stand near each other, in bounded memory."""

from __future__ import annotations

import errno
import os
import shutil
import warnings
from collections.abc import Generator, Iterable
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from daneo.corpus.cooccurrence_chunk import Chunk
from daneo.corpus.cooccurrence_config import CooccurrencesConfig
from daneo.corpus.cooccurrence_memory import MemoryPlan, plan_memory, resident_memory
from daneo.corpus.cooccurrence_rows import RowWriter
from daneo.corpus.cooccurrence_runs import Merge, Run
from daneo.corpus.cooccurrences import DIRECTORY, FILES, Cooccurrences
from daneo.corpus.encoded import EncodedCorpus
from daneo.corpus.ordered_threads import checked_threads
from daneo.corpus.progress_reports import ProgressReports
from daneo.corpus.vocabulary import Vocabulary
from daneo.files import new_directory
from daneo.progress import ProgressCallback

if TYPE_CHECKING:
    from scipy import sparse

    from daneo.corpus import Corpus

    Text = Corpus | EncodedCorpus | str | os.PathLike[str] | Iterable[Any]


def count_cooccurrences(
    corpus: Text,
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
    r"""Count how often words stand near each other.

    With :math:`w_1, w_2, \ldots` for the words of a document that are in the vocabulary,

    .. math:: X_{wc} = \sum_{i} \sum_{d=1}^{\mathrm{window}} f(d)\,[w_i = w]\,
              \big([w_{i-d} = c] + s\,[w_{i+d} = c]\big)

    summed over all documents, with :math:`f(d) = 1/d` (harmonic) or 1 (flat), and s = 1 if symmetric, else 0.

    Parameters
    ----------
    corpus : Corpus, what Corpus takes, or EncodedCorpus
        The text. It is read once and written as ids into a temporary directory; an EncodedCorpus is used as it is.
    vocabulary : Vocabulary or None
        The words to count. Others are dropped before distances are taken, unless the vocabulary has an unknown token.
        ``None`` makes a vocabulary of the corpus's own words, or takes that of the EncodedCorpus.
    window : int, default 10
        The largest distance of two words that count as a pair; at most 65,535. A window ends with the document.
    weighting : "harmonic" or "flat"
        What a pair at distance d adds: 1 / d or 1.
    symmetric : bool, default True
        Whether the contexts of a word are the words on both sides, or only those on its left.
    min_count, max_size
        As for ``Corpus.encode``; where words are chosen already, by a vocabulary or an EncodedCorpus, they are refused
        (but for a `min_count` of 1 with a vocabulary, which leaves nothing out).
    memory : int or None
        Bytes of memory that the process may use while it counts, with what it holds by then. What does not fit is
        written to disk in sorted runs, which are merged. ``None`` allows a GiB more than the process holds. The text is
        read before that, and `memory` does not bound it: all its different words, rare ones too, are held at once.
    num_threads : int or None
        ``None`` takes a thread for each core, 8 at most.
    path : path or None
        The directory to write, whole or not at all. ``None`` takes a temporary one (in ``$TMPDIR``), which goes with
        the result.
    progress : callable or None
        Gets a :class:`daneo.progress.Progress` now and then.

    Returns
    -------
    Cooccurrences
        The same, to the last bit, whatever `memory` and `num_threads` are.

    Raises
    ------
    ValueError
        A setting is out of its range; the memory is too little; no word is left; the EncodedCorpus has another
        vocabulary; or `min_count` or `max_size` is to choose among words that are chosen already.
    FileExistsError
        `path` is a directory with other files in it.

    Notes
    -----
    Counting visits each word's places and adds up what stands around them, which takes about as long as going
    through all pairs in the text. Memory is 13 bytes for each token of a chunk of the text and about 150 for each
    word; the disk needs 8 bytes for each pair that is stored, and 12 for each pair of each run.

    Stanford's program differs in little. It writes both (w, c) and (c, w) of a symmetric count, which are equal. With
    ``-symmetric 0`` its first word is the one on the left, here the column. It adds up floating-point numbers in the
    order of the text, and counts one pair twice if the text is so small that one of its temporary files stays empty.
    Here weights are whole multiples of a small number, so that sums are exact (up to a window of 22; beyond, each
    weight is rounded once), and are rounded to float32 in the end.

    References
    ----------
    Pennington, Socher, Manning (2014), GloVe: Global Vectors for Word Representation, section 4.2,
    doi:10.3115/v1/D14-1162.

    Examples
    --------
    >>> with count_cooccurrences(["what time is it", "time is time"], min_count=2, window=2) as pairs:
    ...     pairs.vocabulary.words, [array.tolist() for array in pairs.rows(0, 2)]
    (['time', 'is'], [[0, 1, 2], [0, 0], [1.0, 3.0]])
    """
    config = CooccurrencesConfig(
        window=window,
        weighting=weighting,
        symmetric=symmetric,
        min_count=min_count,
        max_size=max_size,
        memory=memory,
        num_threads=num_threads,
    )
    with _encoded(corpus, vocabulary, config, progress) as encoded:
        words = encoded.vocabulary
        _load_kernels()
        threads = checked_threads(num_threads)
        plan = plan_memory(memory, len(words), encoded.num_tokens, window, threads, resident_memory())
        with new_directory(path, FILES, "daneo-cooccurrences-") as directory, _full_disk_explained(directory):
            found = count_into(directory, encoded, config, plan, progress)
    return Cooccurrences(directory if path is None else Path(path), found, words, temporary=path is None)


def cooccurrence(
    corpus: Text,
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
    """Count how often words stand near each other, as a sparse matrix.

    Parameters
    ----------
    corpus, vocabulary, window, weighting, symmetric, min_count, max_size, memory, num_threads, progress
        As for :func:`daneo.corpus.count_cooccurrences`. The matrix, 8 bytes for each pair, comes on top of `memory`.

    Returns
    -------
    scipy.sparse.csr_array of shape (V, V), float32
        A row for each word, a column for each context, both in the order of the vocabulary.

    Examples
    --------
    >>> cooccurrence(["what time is it", "time is time"], min_count=2, window=2).toarray()
    array([[1., 3.],
           [3., 0.]], dtype=float32)
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


def count_into(
    directory: Path,
    encoded: EncodedCorpus,
    config: CooccurrencesConfig,
    plan: MemoryPlan,
    progress: ProgressCallback | None,
) -> dict[str, Any]:
    """Count into an empty directory; returns what its config.json says."""
    unit = config.unit(encoded.num_tokens)
    with RowWriter(directory, unit) as writer:
        reports = ProgressReports(progress, "counting", "words", encoded.num_tokens)
        if plan.chunk == encoded.num_tokens:
            _count_chunk(Chunk(encoded, config, plan), 0, encoded.num_tokens, writer, unit, reports)
            reports.report(encoded.num_tokens, finished=True)
        else:
            folder = directory / "runs"
            folder.mkdir()
            runs = _count_runs(folder, encoded, config, plan, reports)
            reports.report(encoded.num_tokens, finished=True)
            Merge(folder, len(encoded.vocabulary), plan, progress).write(runs, writer, unit)
            shutil.rmtree(folder)
        writer.finish()
    encoded.vocabulary.save(directory / "vocabulary.txt")
    num_stored = writer.num_pairs
    return DIRECTORY.write(
        directory,
        {
            "window": config.window,
            "weighting": config.weighting,
            "symmetric": config.symmetric,
            "num_tokens": encoded.num_tokens,
            "num_stored": num_stored,
            "num_pairs": 2 * num_stored - writer.num_equal if config.symmetric else num_stored,
        },
    )


def _count_runs(
    folder: Path, encoded: EncodedCorpus, config: CooccurrencesConfig, plan: MemoryPlan, reports: ProgressReports
) -> list[Run]:
    """Count chunk by chunk; each becomes a run."""
    num_tokens = encoded.num_tokens
    runs: list[Run] = []
    num_chunks = -(-num_tokens // plan.chunk)
    size = -(-num_tokens // num_chunks)  # about equal ones
    chunk = Chunk(encoded, config, plan._replace(chunk=size))
    for first in range(0, num_tokens, size):
        directory = folder / str(len(runs))
        directory.mkdir()
        with RowWriter(directory, None) as writer:
            _count_chunk(chunk, first, min(first + size, num_tokens), writer, None, reports)
            writer.finish()
        runs.append(Run(directory, len(encoded.vocabulary)))
    return runs


def _count_chunk(
    chunk: Chunk, first: int, last: int, writer: RowWriter, unit: int | None, reports: ProgressReports
) -> None:
    chunk.read(first, last)
    num_done = first
    with closing(chunk.blocks(unit)) as blocks:
        for block in blocks:
            writer.write(block)
            num_done += chunk.num_places(block)
            reports.report(num_done)


@contextmanager
def _encoded(
    corpus: Text, vocabulary: Vocabulary | None, config: CooccurrencesConfig, progress: ProgressCallback | None
) -> Generator[EncodedCorpus]:
    """Give the text as ids, and remove what was made for that."""
    from daneo.corpus import Corpus

    _refuse_to_choose(corpus, vocabulary, config)
    if isinstance(corpus, EncodedCorpus):
        if vocabulary is not None and vocabulary.words != corpus.vocabulary.words:
            raise ValueError(
                "An EncodedCorpus has its vocabulary already, and got another one. Leave the vocabulary out, or give "
                "the text as a Corpus."
            )
        yield corpus
        return
    text = corpus if isinstance(corpus, Corpus) else Corpus(corpus)
    with text.encode(
        vocabulary,
        min_count=config.min_count,
        max_size=config.max_size,
        num_threads=config.num_threads,
        progress=progress,
    ) as encoded:
        if encoded.num_replaced:
            warnings.warn(f"The text is not all UTF-8: U+FFFD stands {encoded.num_replaced} times in it.", stacklevel=5)
        yield encoded


def _refuse_to_choose(corpus: Text, vocabulary: Vocabulary | None, config: CooccurrencesConfig) -> None:
    """Refuse settings that choose words where somebody has chosen them."""
    is_encoded = isinstance(corpus, EncodedCorpus)
    if not is_encoded and vocabulary is None:
        return
    default = CooccurrencesConfig()
    what = "an EncodedCorpus" if is_encoded else "a vocabulary"
    # A min_count of 1 leaves nothing out; but an encoded text may have lost words that it asks for.
    counts = (default.min_count,) if is_encoded else (default.min_count, 1)
    for name, value, allowed in (
        ("min_count", config.min_count, counts),
        ("max_size", config.max_size, (default.max_size,)),
    ):
        if value not in allowed:
            raise ValueError(
                f"Cooccurrences({name}={value!r}) got {what}, whose words are chosen already. Leave the setting out, "
                "or choose them anew."
            )


@contextmanager
def _full_disk_explained(directory: Path) -> Generator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise OSError(
            error.errno,
            f"The disk of {directory.parent} is full, and nothing was written. Counting needs up to 12 bytes for each "
            "pair of each part of the text: allow more memory, which makes fewer parts, or give a path on another disk",
        ) from error


def _load_kernels() -> None:
    """Load the kernels, or compile them, so that the memory for it is taken when memory is measured."""
    from daneo.corpus import cooccurrence_kernels as kernels

    ids, longs, marks = np.zeros(2, np.int32), np.zeros(2, np.int64), np.zeros(2, np.uint64)
    tables = (np.ones(kernels.SPARE, np.int64), ids, marks, marks)
    kernels.count_words(ids, 0, 0, longs)
    kernels.sort_places(ids, np.ones(2, np.uint8), 0, 0, 1, True, longs, longs)
    kernels.count_rows(ids, longs, longs, 1, longs, True, 0, 0, 0, 0, 0, *tables, longs, ids, longs)
    kernels.merge_rows(np.zeros((1, 1), np.int64), ids, longs, *tables, longs, ids, longs)
