"""Digests that tell one set of word vectors, or one file, from another."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from daneo.corpus.ordered_threads import checked_threads, ordered
from daneo.embeddings.rows import Rows

_BLOCK = 8 << 20  # bytes that one thread digests


def digest_of_words(words: Sequence[str]) -> str:
    """Return the SHA-256 of some words, their order and where each ends.

    Examples
    --------
    >>> digest_of_words(["ab", "c"]) == digest_of_words(["a", "bc"])
    False
    """
    lengths = np.fromiter(map(len, words), dtype="<i8", count=len(words))
    return hashlib.sha256(lengths.tobytes() + "".join(words).encode("utf-8", "surrogatepass")).hexdigest()


def digest_of_rows(rows: Rows, *, num_threads: int | None = None) -> str:
    """Return a digest of every bit of a matrix, as float32: SHA-256 of the SHA-256s of blocks of rows.

    Parameters
    ----------
    rows : float32 array of shape (V, D), or Rows
        Some megabytes are read at a time.
    num_threads : int or None
        ``None`` means one a core, 8 at most. The digest does not depend on it.

    Examples
    --------
    >>> digest_of_rows(np.zeros((2, 3), dtype=np.float32)) == digest_of_rows(np.zeros((3, 2), dtype=np.float32))
    False
    """
    step = max(1, _BLOCK // (4 * rows.shape[1]))

    def digest(first: int) -> bytes:
        return hashlib.sha256(np.ascontiguousarray(rows[first : first + step], dtype="<f4").data).digest()

    parts = ordered(digest, range(0, len(rows), step), checked_threads(num_threads))
    return hashlib.sha256(repr(rows.shape).encode() + b"".join(parts)).hexdigest()


def digest_of_bytes(data: npt.NDArray[np.uint8], *, num_threads: int | None = None) -> str:
    """Return a digest of a file, uint8 (B,), by blocks as :func:`digest_of_rows`."""

    def digest(first: int) -> bytes:
        return hashlib.sha256(data[first : first + _BLOCK].data).digest()

    parts = ordered(digest, range(0, len(data), _BLOCK), checked_threads(num_threads))
    return hashlib.sha256(b"".join(parts)).hexdigest()
