"""Stanford's GloVe as text with ``-model 0``: all that was trained, and not only vectors.

Each line is a word, its vector and bias, its vector and bias as a context: 2 (D + 1) numbers. ``-write-header 1`` puts
a line before them that says V and D, whatever ``-model`` says, and does not count the last row, ``<unk>``.
"""

from __future__ import annotations

import os

from daneo.corpus.vocabulary import Vocabulary
from daneo.embeddings.formats.byte_source import opened
from daneo.embeddings.formats.glove_binary import UNKNOWN, Parameters
from daneo.embeddings.formats.glove_text import SAMPLE_BYTES, find_vector_size
from daneo.embeddings.formats.text_reading import LONGEST_LINE, collect_text_rows
from daneo.embeddings.formats.word2vec_header import LONGEST_HEADER, header_of, read_header
from daneo.embeddings.formats.word2vec_text import collect_promised


def read_glove_parameters(
    path: str | os.PathLike[str],
    *,
    vector_size: int | None = None,
    errors: str = "strict",
    num_threads: int | None = None,
) -> Parameters:
    r"""Read what Stanford's GloVe wrote with ``-model 0``, or as text with ``-save-gradsq 1``.

    Parameters
    ----------
    path : path
        A text file, with a header or without, compressed or not.
    vector_size : int or None
        D. A file without a header does not tell it from vectors of 2 (D + 1) numbers, so there it must be said.
    errors : {"strict", "replace", "ignore", "surrogateescape"}, default "strict"
        What to do with words that are not UTF-8, as in ``bytes.decode``.
    num_threads : int or None
        Threads that parse; ``None`` means one a core, 8 at most.

    Returns
    -------
    vocabulary : Vocabulary
        V words; the file has no counts, so they are 0. ``<unk>`` is left out: the program does not train it.
    words, contexts : float32 arrays of shape (V, D)
        With the six decimals that the program prints.
    word_biases, context_biases : float32 arrays of shape (V,)

    Raises
    ------
    EOFError, ValueError
        The file is cut off or damaged, or its rows do not have 2 (D + 1) numbers.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder) / "vectors.txt"
    ...     _ = path.write_text("sea 1.000000 2.000000 0.500000 3.000000 4.000000 0.250000\n")
    ...     vocabulary, words, contexts, word_biases, context_biases = read_glove_parameters(path, vector_size=2)
    >>> vocabulary.words, words.tolist(), contexts.tolist(), word_biases.tolist(), context_biases.tolist()
    (['sea'], [[1.0, 2.0]], [[3.0, 4.0]], [0.5], [0.25])
    """
    with opened(path) as source:
        header = read_header(source) if header_of(source.peek(LONGEST_HEADER)) else None
        size = vector_size if header is None else header[1]
        width = find_vector_size(source.first_lines(SAMPLE_BYTES, LONGEST_LINE))
        if size is None:
            raise ValueError(
                f"{source.name} has {width} numbers a line and no header, so nothing tells vectors alone from vectors "
                f"and biases. Say vector_size={width // 2 - 1} if it is of -model 0, or open it with WordVectors.load."
            )
        if width != 2 * (size + 1) or vector_size not in (None, size):
            raise ValueError(
                f"{source.name} has {width} numbers a line; expected 2 ({vector_size or size} + 1), vectors and biases "
                "as GloVe's -model 0 writes them. Open vectors alone with WordVectors.load."
            )
        if header is None:
            collected = collect_text_rows(source, width, errors=errors, num_threads=num_threads)
        else:
            collected = collect_promised(source, header, width, errors=errors, num_threads=num_threads)
    rows = collected.finish()
    kept = len(rows.words) - (rows.words[-1] == UNKNOWN)
    words, contexts = rows.matrix[:kept, : width // 2], rows.matrix[:kept, width // 2 :]
    return Vocabulary(rows.words[:kept]), words[:, :-1], contexts[:, :-1], words[:, -1], contexts[:, -1]
