"""How many bytes word vectors take."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from daneo.embeddings.subword_vectors import SubwordVectors
from daneo.embeddings.subwords.word_means import WordMeans

if TYPE_CHECKING:
    from daneo.embeddings.rows import Rows
    from daneo.embeddings.word_vectors import WordVectors

_FLOAT = 4


@dataclass(frozen=True, kw_only=True)
class ModelSize:
    """What word vectors hold, and the bytes of it.

    Attributes
    ----------
    num_words, num_ngrams : int
        Rows of words and of n-grams.
    row_bytes : int
        All rows as they are kept: numbers or codes, centroids, lengths, scales, the rotation, the n-grams' buckets. No
        words.
    memory_bytes : int
        All rows, and the words with their index as Python keeps them. What is mapped from a file counts as if it were
        read.
    file_bytes : int
        All rows, and the words with their counts as text, as daneo's directory keeps them.
    """

    num_words: int
    num_ngrams: int
    row_bytes: int
    memory_bytes: int
    file_bytes: int


def size_of(vectors: WordVectors) -> ModelSize:
    """Measure word vectors.

    Examples
    --------
    >>> import daneo
    >>> size = size_of(daneo.WordVectors(["cat", "pear"], [[3, 1, 2], [0, 1, 1]]))
    >>> size.num_words, size.num_ngrams, size.row_bytes, size.file_bytes
    (2, 0, 24, 37)
    """
    ngrams = vectors.ngrams if isinstance(vectors, SubwordVectors) else None
    num_bytes = bytes_of(vectors.rows)
    if ngrams is not None:
        num_bytes += bytes_of(ngrams.rows) + (0 if ngrams.buckets is None else ngrams.buckets.nbytes)
    vocabulary = vectors.vocabulary
    in_memory = sum(map(sys.getsizeof, vocabulary.words)) + sum(map(sys.getsizeof, vocabulary.index.values()))
    in_memory += sys.getsizeof(vocabulary.words) + sys.getsizeof(vocabulary.index) + vocabulary.counts.nbytes
    lines = (f"{word}\t{count}\n" for word, count in zip(vocabulary.words, vocabulary.counts.tolist(), strict=True))
    in_file = sum(len(line.encode("utf-8", "surrogatepass")) for line in lines)
    return ModelSize(
        num_words=len(vectors),
        num_ngrams=0 if ngrams is None else len(ngrams),
        row_bytes=num_bytes,
        memory_bytes=num_bytes + in_memory,
        file_bytes=num_bytes + in_file,
    )


def bytes_of(rows: Rows) -> int:
    """Return the bytes of rows as they are kept; means that are computed when asked for count their words' own rows."""
    if isinstance(rows, WordMeans):
        return bytes_of(rows.own)
    return int(getattr(rows, "nbytes", rows.shape[0] * rows.shape[1] * _FLOAT))
