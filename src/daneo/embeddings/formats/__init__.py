"""Files of word vectors: daneo's own directory, and what other tools read and write.

========================  =============================================================================================
``daneo``                 a directory with a safetensors file, memory-mapped when it is opened
``word2vec-text``         a header, then a word and its numbers a line; fastText's ``.vec`` is the same
``word2vec-binary``       a header, then each word and its numbers as float32
``glove-text``            a word and its numbers a line, no header; words may hold spaces
``fasttext-bin``          fastText's models, ``.bin`` and ``.ftz``, with the rows of n-grams; memory-mapped when opened
``fasttext-vec``          fastText's ``.vec``: ``word2vec-text`` with five digits a number; read as ``word2vec-text``
========================  =============================================================================================

Files may be compressed: gzip, bzip2, xz or zstd when reading, gzip when writing. Compressed ones are read into memory.

Of fastText's models every kind is read: versions 12 and 11 and the layout of 2016 without a version; quantised, pruned
and supervised ones, whose labels are no words. Vectors with n-grams of characters are written as ``fasttext-bin``: in
full, or quantised where the rows of words and n-grams share one quantizer, as those of a ``.ftz`` do. Other vectors
whose n-grams were pruned have no place in fastText's files unless they are quantised anew, as ``daneo convert`` does,
and n-grams of jamo have none at all.

Stanford's GloVe writes ``glove-text``; with ``-write-header 1`` ``word2vec-text``, whose header does not count the row
``<unk>``. Its ``.bin`` holds numbers and no words, and is opened together with its vocab.txt:
:mod:`daneo.embeddings.formats.glove_binary`. All that a file or model holds beside words and vectors goes from one
format to another through :func:`daneo.embeddings.conversion.convert`.
"""

from __future__ import annotations

import os
import warnings
from typing import TYPE_CHECKING, Any

from daneo.embeddings.formats import fasttext_vec, glove_text, word2vec_binary, word2vec_text
from daneo.embeddings.formats.byte_source import opened
from daneo.embeddings.formats.daneo_directory import DIRECTORY_NAMES, read_config, refuse_to_lose_training
from daneo.embeddings.formats.fasttext_export import model_of
from daneo.embeddings.formats.fasttext_file import write_fasttext
from daneo.embeddings.formats.fasttext_reading import ERRORS
from daneo.embeddings.formats.fasttext_vectors import read_vectors
from daneo.embeddings.formats.output_file import output_file
from daneo.embeddings.formats.recognition import recognise_source
from daneo.embeddings.formats.vectors_directory import open_directory, write_vectors
from daneo.files import replaced_directory

if TYPE_CHECKING:
    from daneo.embeddings.word_vectors import WordVectors

_READERS: dict[str, Any] = {
    "word2vec-text": word2vec_text,
    "word2vec-binary": word2vec_binary,
    "glove-text": glove_text,
}
_WRITERS: dict[str, Any] = {**_READERS, "fasttext-vec": fasttext_vec}

FORMATS = ("daneo", *_READERS, "fasttext-bin", "fasttext-vec")
"""The names that `save` takes. `recognise` gives them too, but ``word2vec-text`` for what is ``fasttext-vec``."""


def recognise(path: str | os.PathLike[str]) -> str:
    r"""Return the name of a file's format, by its content.

    Raises
    ------
    FileNotFoundError
        There is nothing at `path`.
    ValueError
        It is none of `FORMATS`; the message says what it looks like.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder) / "vectors.bin"
    ...     _ = path.write_text("2 3\nsea 0.5 1 2\nsun 3 4 5\n")
    ...     recognise(path)
    'word2vec-text'
    """
    if os.path.isdir(path):
        read_config(path)
        return "daneo"
    with opened(path) as source:
        return recognise_source(source)


def load(
    path: str | os.PathLike[str], *, limit: int | None = None, errors: str = "strict", num_threads: int | None = None
) -> WordVectors:
    """Open word vectors in any of `FORMATS`, recognised by content.

    A directory in daneo's format is memory-mapped: its matrix is read-only and costs no memory until it is used. So is
    a model of fastText's, which opens as :class:`daneo.SubwordVectors`: a word that was never seen has a vector too.

    Parameters
    ----------
    path : path
        A file, a pipe, or a directory that daneo wrote.
    limit : int or None
        Take the first words only, which in most files are the most frequent ones. All n-grams stay.
    errors : "strict", "replace", "ignore" or "surrogateescape"
        What to do with a word that is not UTF-8: raise, put U+FFFD in place of what is broken, leave that out, or keep
        each such byte as a character from U+DC80 to U+DCFF, which is written as that byte again.
    num_threads : int or None
        Threads that parse text; ``None`` means one for each core, 8 at most. The result does not depend on it.

    Warns
    -----
    UserWarning
        Rows that repeat a word (of which the first is kept) or hold NaN or infinity, counted.

    Raises
    ------
    FileNotFoundError
        There is nothing at `path`.
    EOFError
        The file is cut off, or its header promises more than there is.
    ValueError
        The format is not known, or the file is damaged; the message names the file, the row and the byte.
    """
    from daneo.embeddings.word_vectors import WordVectors

    if limit is not None and limit < 1:
        raise ValueError(f"load(limit=...) expected at least 1, or None for all rows; got {limit}.")
    if errors not in ERRORS:
        raise ValueError(f"load(errors=...) expected one of {', '.join(ERRORS)}; got {errors!r}.")
    if os.path.isdir(path):
        vectors = open_directory(path)
        return vectors if limit is None else vectors.restricted(min(limit, len(vectors)))
    with opened(path) as source:
        format = recognise_source(source)
        if format == "fasttext-bin":
            vectors, remarks = read_vectors(source, path, limit=limit, errors=errors)
        else:
            words, matrix, remarks = _READERS[format].read(source, limit=limit, errors=errors, num_threads=num_threads)
            vectors = WordVectors(words, matrix)
    for remark in remarks:
        warnings.warn(f"{os.fspath(path)}: {remark}", stacklevel=3)  # 3: whoever called WordVectors.load
    return vectors


def save(vectors: WordVectors, path: str | os.PathLike[str], *, format: str = "daneo", card: str | None = None) -> None:
    """Write word vectors, beside `path` first and then renamed, so that nothing is lost when writing fails.

    Text holds every number with as many digits as it takes to read back the same float32; ``fasttext-vec`` holds five.
    A ``fasttext-bin`` gets a row for every bucket, outputs that are zeros and fastText's own settings: Facebook's
    programs answer from it as these vectors do.

    Parameters
    ----------
    vectors : WordVectors
    path : path
        The directory or file to write; what daneo or another tool wrote there before is replaced. A file whose name
        ends in ``.gz`` is compressed.
    format : str
        One of `FORMATS`.
    card : str or None
        The README.md of daneo's directory; ``None`` means a short one. Other formats have no place for it.

    Warns
    -----
    UserWarning
        Words with spaces, counted, in a text format: daneo reads them back, most other tools do not. N-grams that a
        format has no place for: words that were never seen have no vectors in the file.

    Raises
    ------
    ValueError
        The format is not known, or cannot hold one of the words (empty, with a newline, in binary formats also with a
        space) or the n-grams (of jamo, or pruned and not quantised by one quantizer).
    FileExistsError
        `path` is a directory with files in it that daneo did not write, or a model that could be trained further: its
        vectors alone would take the place of all that was learned.
    IsADirectoryError, NotADirectoryError
        `path` is a directory and the format is a file, or the other way round.
    """
    for remark in [*written(vectors, path, format=format, card=card), *_left_out(vectors, format)]:
        warnings.warn(f"{os.fspath(path)}: {remark}", stacklevel=3)


def written(
    vectors: WordVectors, path: str | os.PathLike[str], *, format: str = "daneo", card: str | None = None
) -> list[str]:
    """Do what :func:`save` does, without a word of what the format has no place for; return what else is to be said."""
    if format not in FORMATS:
        raise ValueError(f"save(format=...) expected one of {', '.join(FORMATS)}; got {format!r}.")
    if format == "daneo":
        refuse_to_lose_training(path)
        with replaced_directory(path, known=DIRECTORY_NAMES) as directory:
            write_vectors(directory, vectors, card=card)
        return []
    if card is not None:
        raise ValueError(f"save(card=...) is for format='daneo'; {format} has no place for a card.")
    if os.path.isdir(path):
        raise IsADirectoryError(f"{os.fspath(path)} is a directory; {format} is one file. Give the name of a file.")
    if not len(vectors):
        raise ValueError(
            f"{format} cannot hold a matrix of shape {vectors.rows.shape}; expected a row and a number at least."
        )
    if format == "fasttext-bin":
        write_fasttext(path, model_of(vectors))
        return []
    with output_file(path) as file:
        remarks: list[str] = _WRITERS[format].write(file, vectors.words, vectors.rows)
    return remarks


def _left_out(vectors: WordVectors, format: str) -> list[str]:
    """Return what the user should be told about n-grams."""
    from daneo.embeddings.subword_vectors import SubwordVectors

    if format in ("daneo", "fasttext-bin") or not isinstance(vectors, SubwordVectors) or not len(vectors.ngrams):
        return []
    return [
        f"{len(vectors.ngrams)} rows of n-grams were left out, for {format} holds words alone: words that were never "
        "seen have no vectors there. Save as daneo or fasttext-bin to keep them."
    ]
