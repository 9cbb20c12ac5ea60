"""The binary files of Stanford's GloVe: ``vectors.bin``, all that was trained, and ``vocab.txt``, its words.

``-binary 1`` writes float64 numbers and nothing else: 2 V rows of D + 1 numbers, the vectors of the V words and then
those of the same words as contexts, each followed by its bias. ``-save-gradsq 1`` writes the sums of squared gradients
that AdaGrad keeps in the same layout. Words and sizes stand in vocab.txt alone: a word, a space and its count a line.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from daneo.corpus.vocabulary_file import MAX_BYTES, MAX_COUNT, has_repeats
from daneo.embeddings.formats.word2vec_header import LARGEST_SIZE
from daneo.files import replaced_file

if TYPE_CHECKING:
    from daneo.corpus.vocabulary import Vocabulary
    from daneo.embeddings.rows import Rows

Doubles = npt.NDArray[np.float64]
Parameters = tuple["Vocabulary", npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any]]
"""V words with counts; their vectors (V, D) and their vectors as contexts (V, D); the biases of both, (V,) each."""

UNKNOWN = "<unk>"
"""The mean of the rarest words, which the program adds to its text files; no text that it learns from may hold it."""

_LONGEST_WORD = 999  # bytes; the program reads words into a buffer of a thousand
_SPACE = re.compile("[ \t\n\v\f\r]")  # where it cuts its input into words
_BLOCK_NUMBERS = 1 << 20  # written together


def read_glove_binary(
    path: str | os.PathLike[str], vocabulary_path: str | os.PathLike[str], *, errors: str = "strict"
) -> Parameters:
    """Open ``vectors.bin`` of Stanford's GloVe, memory-mapped: nothing is read until it is looked at.

    Parameters
    ----------
    path : path
        What the program wrote with ``-binary 1`` or ``-binary 2``; a file of ``-save-gradsq 1`` has the same layout.
    vocabulary_path : path
        The ``vocab.txt`` that it was trained with.
    errors : {"strict", "replace", "ignore", "surrogateescape"}, default "strict"
        What to do with words that are not UTF-8, as in ``bytes.decode``.

    Returns
    -------
    vocabulary : Vocabulary
        V words with their counts.
    words, contexts : float64 arrays of shape (V, D)
        Views of the file, read-only. What the program writes as text by default is their sum.
    word_biases, context_biases : float64 arrays of shape (V,)

    Raises
    ------
    FileNotFoundError
        There is nothing at one of the paths.
    ValueError
        The file's size does not fit the vocabulary, or a line of the vocabulary is not a word and a count.

    Notes
    -----
    The file says nothing of its sizes: D is found from its length and V. The vocabulary of another run with as many
    words would be taken for its own.

    Examples
    --------
    >>> import tempfile
    >>> from daneo import Vocabulary
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     paths = f"{folder}/vectors.bin", f"{folder}/vocab.txt"
    ...     write_glove_binary(*paths, Vocabulary(["sea"], [7]), [[1, 2]], [[3, 4]], [0.5], [0.25])
    ...     vocabulary, words, contexts, word_biases, context_biases = read_glove_binary(*paths)
    ...     vocabulary.words, words.tolist(), contexts.tolist(), word_biases.tolist(), context_biases.tolist()
    (['sea'], [[1.0, 2.0]], [[3.0, 4.0]], [0.5], [0.25])
    """
    vocabulary = read_glove_vocabulary(vocabulary_path, errors=errors)
    num_words, size = len(vocabulary), Path(path).stat().st_size
    width, rest = divmod(size, 16 * num_words)
    if rest or not 2 <= width <= LARGEST_SIZE + 1:
        raise ValueError(
            f"{os.fspath(path)} has {size} bytes; expected {16 * num_words} (two rows of float64 for each of "
            f"the {num_words} words of {os.fspath(vocabulary_path)}) times D + 1. The vocabulary is of another run, or "
            "the file is cut off, compressed or no .bin of Stanford's GloVe."
        )
    numbers = np.memmap(path, "<f8", mode="r", shape=(2, num_words, width)).view(np.ndarray)
    (words, contexts), (word_biases, context_biases) = numbers[:, :, :-1], numbers[:, :, -1]
    return vocabulary, words, contexts, word_biases, context_biases


def read_glove_vocabulary(path: str | os.PathLike[str], *, errors: str = "strict") -> Vocabulary:
    """Read the ``vocab.txt`` of Stanford's GloVe: a word, a space and its count a line, in the order of the rows.

    Parameters
    ----------
    path : path
    errors : str
        As for :func:`read_glove_binary`.

    Raises
    ------
    FileNotFoundError
        There is nothing at `path`.
    ValueError
        A line is not a word and a count, a word is repeated or not UTF-8, or there are no lines.
    """
    from daneo.corpus.vocabulary import Vocabulary

    name = os.fspath(path)
    if Path(path).stat().st_size > MAX_BYTES:
        raise ValueError(f"{name} has {Path(path).stat().st_size:,} bytes; no vocabulary is larger than {MAX_BYTES:,}.")
    data = Path(path).read_bytes()
    lines = data.rstrip(b"\n").split(b"\n")
    words, counts = [], []
    for number, line in enumerate(lines, start=1):
        fields = line.split()  # at the bytes that the program's scanf takes for space
        if len(fields) != 2 or not fields[1].isdigit() or len(fields[1]) > 16 or int(fields[1]) > MAX_COUNT:
            raise ValueError(
                f"{name}, line {number}: expected a word, a space and a count from 0 to {MAX_COUNT:,}, as GloVe's "
                f"vocab_count writes them; got {line[:60]!r}."
            )
        try:
            words.append(fields[0].decode("utf-8", errors))
        except UnicodeDecodeError:
            raise ValueError(
                f"{name}, line {number}: the word {fields[0][:40]!r} is not UTF-8. errors='surrogateescape' keeps its "
                "bytes."
            ) from None
        counts.append(int(fields[1]))
    if has_repeats(words):
        first = dict(zip(reversed(words), range(len(words), 0, -1), strict=True))
        number = next(number for number, word in enumerate(words, start=1) if first[word] != number)
        word = words[number - 1]
        raise ValueError(f"{name}, line {number}: the word {word!r} already stands on line {first[word]}.")
    return Vocabulary(words, counts)


def write_glove_binary(
    path: str | os.PathLike[str],
    vocabulary_path: str | os.PathLike[str],
    vocabulary: Vocabulary,
    words: Rows | npt.ArrayLike,
    contexts: Rows | npt.ArrayLike,
    word_biases: npt.ArrayLike,
    context_biases: npt.ArrayLike,
) -> None:
    """Write the ``vectors.bin`` and ``vocab.txt`` that Stanford's GloVe would have written.

    The program goes on from such a file with ``-load-init-param 1 -init-param-file vectors.bin``. Rows are written in
    blocks. Each file is renamed into place when all is written.

    Parameters
    ----------
    path, vocabulary_path : path
        The two files to write.
    vocabulary : Vocabulary
        V words.
    words, contexts : array-like or Rows of shape (V, D)
    word_biases, context_biases : array-like of shape (V,)

    Raises
    ------
    ValueError
        The shapes do not fit, or the program could not read a word: it is empty, longer than 999 bytes, holds a space
        or is ``<unk>``, which the program keeps for itself. Raised before anything is written.

    Notes
    -----
    Special tokens become words like others.
    """
    halves = [(_rows(rows), np.asarray(biases, np.float64)) for rows, biases in
              ((words, word_biases), (contexts, context_biases))]  # fmt: skip
    expected = len(vocabulary), halves[0][0].shape[-1]
    shapes = [shape for rows, biases in halves for shape in (rows.shape, biases.shape)]
    if not all(expected) or shapes != 2 * [expected, expected[:1]]:
        raise ValueError(
            f"write_glove_binary expected vectors of shape ({len(vocabulary)}, D), one row a word, and biases of shape "
            f"({len(vocabulary)},); got {', '.join(map(str, shapes))}."
        )
    lines = [
        b"%b %d\n" % (_encoded(word), count)
        for word, count in zip(vocabulary.words, vocabulary.counts.tolist(), strict=True)
    ]
    step = max(1, _BLOCK_NUMBERS // expected[1])
    with replaced_file(vocabulary_path) as words_file, replaced_file(path) as file:
        words_file.writelines(lines)
        for rows, biases in halves:
            for start in range(0, len(vocabulary), step):
                block = np.column_stack([rows[start : start + step], biases[start : start + step]])
                file.write(np.ascontiguousarray(block, "<f8").data)


def _rows(rows: Rows | npt.ArrayLike) -> Any:
    return rows if hasattr(rows, "shape") else np.asarray(rows, np.float64)


def _encoded(word: str) -> bytes:
    encoded = word.encode("utf-8", "surrogateescape")
    if not 0 < len(encoded) <= _LONGEST_WORD or _SPACE.search(word) or word == UNKNOWN:
        raise ValueError(
            f"Stanford's GloVe cannot hold the word {word[:80]!r}: expected 1 to {_LONGEST_WORD} bytes without spaces, "
            f"and not {UNKNOWN}, which the program keeps for itself."
        )
    return encoded
