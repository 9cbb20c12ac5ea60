"""Digests that tell one set of word vectors, or one file, from another."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from daneo.corpus.ordered_threads import checked_threads, ordered
from daneo.embeddings.compression.stored_rows import is_stored, rows_to_tensors
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
    """Return a digest of every bit of a matrix.

    Parameters
    ----------
    rows : float32 array of shape (V, D), or Rows
        Of compressed rows the bytes that are kept, of computed ones what is computed, some megabytes at a time.
    num_threads : int or None
        ``None`` means one a core, 8 at most. The digest does not depend on it.

    Notes
    -----
    What is computed, as the rows of words in a model of fastText's, may differ in a last bit from one kind of
    processor to another, and then so does its digest.

    Examples
    --------
    >>> digest_of_rows(np.zeros((2, 3), dtype=np.float32)) == digest_of_rows(np.zeros((3, 2), dtype=np.float32))
    False
    """
    tensors = rows_to_tensors("rows", rows) if is_stored(rows) else {"rows": rows}
    parts = [f"{name} {tensor.shape} {_digest(tensor, num_threads)}" for name, tensor in sorted(tensors.items())]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def digest_of_bytes(data: npt.NDArray[np.uint8], *, num_threads: int | None = None) -> str:
    """Return a digest of a file, uint8 (B,)."""
    return _digest(data, num_threads)


def _digest(rows: Rows | npt.NDArray[np.generic], num_threads: int | None) -> str:
    """Return the SHA-256 of the SHA-256s of blocks: several threads then share the work."""
    num_bytes = rows[:1].nbytes  # an empty array has no blocks
    step = max(1, _BLOCK // max(1, num_bytes))

    def digest(first: int) -> bytes:
        block = np.ascontiguousarray(rows[first : first + step])
        return hashlib.sha256(block.astype(block.dtype.newbyteorder("<"), copy=False).data).digest()

    parts = ordered(digest, range(0, len(rows), step), checked_threads(num_threads))
    return hashlib.sha256(b"".join(parts)).hexdigest()
