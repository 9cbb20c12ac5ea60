"""fastText's model files, ``.bin`` and ``.ftz``: all that one holds, read without a copy of its matrices."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from daneo.embeddings.rows import Rows

Loss = Literal["hierarchical_softmax", "negative_sampling", "softmax", "one_vs_all"]
Architecture = Literal["cbow", "skipgram", "supervised"]


@dataclass(frozen=True, kw_only=True, eq=False)
class FastTextFile:
    """What a fastText model file holds.

    Attributes
    ----------
    vector_size, window, epochs, min_count, negative, word_ngrams : int
        How the model was trained: fastText's ``dim, ws, epoch, minCount, neg, wordNgrams``.
    loss : {"hierarchical_softmax", "negative_sampling", "softmax", "one_vs_all"}
    model : {"cbow", "skipgram", "supervised"}
    num_buckets, min_ngram, max_ngram : int
        Buckets that n-grams are hashed into, and how many characters an n-gram has; with `max_ngram` 0 words have no
        n-grams. Supervised models before version 12 never used those of characters, so they have `max_ngram` 0
        whatever the file says, as in fastText.
    sample : float
        The threshold above which frequent words are thinned out, fastText's ``t``.
    lr_update_rate : int
        Kept only to be written again.
    version : 12, 11 or None
        ``None`` is the layout of 2016 without a version. Its ``</s>`` had n-grams, which it has no more; its row in
        `inputs` is therefore its vector as that program computes it, so that the vector stays the same.
    words, labels : list of str
        The V words and the L labels. Models that are not supervised can have labels too: words that begin with
        ``__label__`` are counted as such and have no row.
    counts, label_counts : int64 arrays of shape (V,) and (L,)
    num_tokens : int
        Tokens of the training text, those of rare words included.
    pruned : int32 array of shape (P, 2) or None
        The n-grams that were kept when the model was pruned: their buckets, and each one's row after the V words.
        ``None`` means that row V + i is bucket i.
    inputs : Rows of shape (V + num_buckets, D) or (V + P, D)
        The rows of words, then of n-grams. A read-only view of the file, which can lie at any byte: NumPy does not
        mind, compiled code that expects aligned rows needs a copy of those that it is given. Quantised rows where
        the model is.
    outputs : Rows of shape (V, D), or (L, D) in a supervised model
    """

    vector_size: int
    window: int
    epochs: int
    min_count: int
    negative: int
    word_ngrams: int
    loss: Loss
    model: Architecture
    num_buckets: int
    min_ngram: int
    max_ngram: int
    sample: float
    lr_update_rate: int = 100
    version: int | None = 12
    words: list[str]
    counts: npt.NDArray[np.int64]
    labels: list[str]
    label_counts: npt.NDArray[np.int64]
    num_tokens: int
    pruned: npt.NDArray[np.int32] | None
    inputs: Rows
    outputs: Rows


def read_fasttext(path: str | os.PathLike[str], *, errors: str = "strict") -> FastTextFile:
    """Open a model that fastText wrote: ``.bin`` and ``.ftz`` of versions 12 and 11, and ``.bin`` without a version.

    The file is memory-mapped: only the dictionary is read. A compressed file is read into memory.

    Parameters
    ----------
    path : path
    errors : {"strict", "replace", "ignore", "surrogateescape"}, default "strict"
        What to do with words and labels that are not UTF-8, as in ``bytes.decode``. Only ``"surrogateescape"`` keeps
        all bytes, so that n-grams are hashed and files written as the original; with ``"replace"`` and ``"ignore"``
        two words can become the same.

    Raises
    ------
    FileNotFoundError
        There is nothing at `path`.
    EOFError
        The file is cut off, or promises more than it holds.
    ValueError
        It is no fastText model or a damaged one; the message names the field and its byte.

    Notes
    -----
    Nothing is unpickled or evaluated, and no memory is taken for a size before the file was found to be that long.
    Numbers of the matrices are not looked at, so a file can hold NaN.
    """
    from daneo.embeddings.formats.fasttext_reading import read_model

    return read_model(path, errors)


def write_fasttext(path_or_file: str | os.PathLike[str] | IO[bytes], model: FastTextFile) -> None:
    """Write a model as fastText's ``.bin`` of version 12, or as a ``.ftz`` where its inputs are quantised.

    Rows are written in blocks, so they need not lie in memory.

    Parameters
    ----------
    path_or_file : path, or file that is open for binary writing
        What stood at a path is replaced only when all is written; the file is compressed if the name ends in ``.gz``.
    model : FastTextFile
        Or any object with its attributes. `version` is not looked at.

    Raises
    ------
    ValueError
        fastText could not read the model back as it is: the matrices do not fit the words, a word is empty or holds a
        space, counts do not fall where hierarchical softmax needs it, or inputs that are not quantised are pruned.
        Raised before anything is written.

    Examples
    --------
    >>> import io
    >>> rows = np.array([[1, 2], [3, 4]], dtype=np.float32)
    >>> none = np.zeros(0, dtype=np.int64)
    >>> model = FastTextFile(
    ...     vector_size=2, window=5, epochs=5, min_count=1, negative=5, word_ngrams=1, loss="negative_sampling",
    ...     model="skipgram", num_buckets=0, min_ngram=0, max_ngram=0, sample=1e-4, words=["sea", "sun"],
    ...     counts=np.array([7, 5]), labels=[], label_counts=none, num_tokens=12, pruned=None,
    ...     inputs=rows, outputs=rows,
    ... )
    >>> file = io.BytesIO()
    >>> write_fasttext(file, model)
    >>> len(file.getvalue()), file.getvalue()[:4].hex()
    (184, 'ba164f2f')
    """
    from daneo.embeddings.formats.fasttext_writing import check_model, write_model
    from daneo.embeddings.formats.output_file import output_file

    check_model(model)
    if isinstance(path_or_file, str | os.PathLike):
        with output_file(path_or_file) as file:
            write_model(file, model)
    else:
        write_model(path_or_file, model)
