"""Cosines between a few queries and all rows of a matrix, block by block and without a normalised copy."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from daneo.embeddings.rows import Floats, Ids, Rows, is_lazy

Doubles = npt.NDArray[np.float64]

ZERO_LENGTH = 1e-30
"""A shorter row counts as a zero vector: float32 cannot hold its direction."""

_TOO_LONG = 3e38  # a longer row counts as infinite: float32 cannot hold its length

_CHUNK = 1024  # rows whose lengths become known together
_SCORE_BYTES = 8 << 20  # of a block's scores: about what a cache holds
# Of a block's rows when they are read twice, for their lengths and for the product: a mapped file that is larger than
# memory should come from the disk once.
_ROW_BYTES = 128 << 20
# Of a block's rows when they do not lie in memory: decoded or computed, they take it while the block is looked at.
_LAZY_ROW_BYTES = 8 << 20


class RowBlocks:
    """A matrix that is read in blocks, and the lengths of its rows, which are measured when a block is first read.

    Scores are divided by the lengths, so that no second, normalised matrix is ever held.

    Parameters
    ----------
    matrix : float32 array of shape (V, D), or Rows
        Kept, not copied. Call :meth:`forget` after changing rows. Of rows that are others times a rotation, the others
        are read, and the queries turned.

    Attributes
    ----------
    num_changes : int
        How often rows were changed: what was made of them is out of date if it differs.
    is_turned : bool
        Whether the matrix is rows times a rotation.
    error : float
        How far a score of :meth:`cosines` can be from the true cosine, at most.
    """

    def __init__(self, matrix: Rows) -> None:
        self.matrix = matrix
        self.num_changes = 0
        self._rotation: Floats | None = getattr(matrix, "rotation", None)
        self.is_turned = self._rotation is not None
        self._read: Rows = matrix.rows if self.is_turned else matrix  # type: ignore[attr-defined]
        self.error = error_bound(matrix.shape[1], is_turned=self.is_turned)
        self._lengths = np.zeros(len(matrix), dtype=np.float32)
        self._known = np.zeros(-(-len(matrix) // _CHUNK), dtype=bool)

    def lengths(self, start: int = 0, stop: int | None = None, rows: Floats | None = None) -> Floats:
        """Return the Euclidean lengths of rows `start` to `stop`: 0 for a zero vector, NaN if a number is not finite.

        Who has read these rows already gives them as `rows`. Cost: one pass over the rows whose lengths nobody has
        asked for before.
        """
        stop = len(self.matrix) if stop is None else stop
        first, last = start // _CHUNK, -(-stop // _CHUNK)
        for chunk in (np.flatnonzero(~self._known[first:last]) + first).tolist():
            head, tail = chunk * _CHUNK, min((chunk + 1) * _CHUNK, len(self.matrix))
            if rows is not None and start <= head and tail <= stop:
                self._lengths[head:tail] = row_lengths(rows[head - start : tail - start])
            else:
                self._lengths[head:tail] = row_lengths(self._read[head:tail])
            self._known[chunk] = True  # last, so that another thread never sees a length that is not there yet
        return self._lengths[start:stop]

    def forget(self, rows: Ids) -> None:
        """Measure these rows again when they are next read."""
        self._known[rows // _CHUNK] = False
        self.num_changes += 1

    def cosines(self, queries: Floats, start: int, stop: int) -> Iterator[tuple[int, Floats, Ids]]:
        """Compare every query with rows `start` to `stop`, some thousand rows at a time.

        Parameters
        ----------
        queries : float32 array of shape (Q, D)
            Of length 1 or 0 each.
        start, stop : int
            The rows to go over.

        Yields
        ------
        first : int
            The row that column 0 of `scores` belongs to.
        scores : float32 array of shape (Q, N)
            Cosines, 0 where either vector is a zero vector. The caller may overwrite it; the next step does.
        broken : int64 array
            Columns whose rows hold NaN or infinity. Their scores mean nothing.
        """
        if self._rotation is not None:
            queries = (queries.astype(np.float64) @ self._rotation.T.astype(np.float64)).astype(np.float32)
        size = self._block_rows(len(queries), start, stop)
        buffer = np.empty(len(queries) * min(size, stop - start), dtype=np.float32)
        for first in range(start, stop, size):
            last = min(first + size, stop)
            scores = buffer[: len(queries) * (last - first)].reshape(len(queries), last - first)
            rows = self._read[first:last]
            lengths = self.lengths(first, last, rows)
            with np.errstate(all="ignore"):
                np.matmul(queries, rows.T, out=scores)
                scores *= np.where(lengths > 0, 1 / lengths, np.float32(0))
            yield first, scores, np.flatnonzero(np.isnan(lengths))

    def cosines_of(self, rows: Ids, start: int, stop: int) -> Iterator[tuple[int, Floats, Ids]]:
        """Compare rows of the matrix itself, int64 (Q,), with rows `start` to `stop`, as :meth:`cosines` does."""
        return self.cosines(unit(self.matrix[rows]).astype(np.float32), start, stop)

    def _block_rows(self, num_queries: int, start: int, stop: int) -> int:
        rows = _SCORE_BYTES // (4 * max(1, num_queries))
        if is_lazy(self.matrix):
            rows = min(rows, _LAZY_ROW_BYTES // (4 * self.matrix.shape[1]))
        elif not self._known[start // _CHUNK : -(-stop // _CHUNK)].all():
            rows = min(rows, _ROW_BYTES // (4 * self.matrix.shape[1]))
        return max(1, rows // _CHUNK) * _CHUNK


def row_lengths(rows: Floats) -> Floats:
    """Return the Euclidean length of each row: 0 for a zero vector, NaN if a number in it is not finite.

    Parameters
    ----------
    rows : float32 array of shape (N, D)
    """
    with np.errstate(all="ignore"):
        squares = np.einsum("nd,nd->n", rows, rows)
        lengths: Floats = np.sqrt(squares)
        # Squares of numbers beyond 1e19 or below 1e-19 leave float32's range, the numbers themselves do not.
        (doubtful,) = np.nonzero(~((squares > 1e-24) & (squares < np.inf)))
        if doubtful.size:
            wide = rows[doubtful].astype(np.float64)
            exact = np.sqrt(np.einsum("nd,nd->n", wide, wide))
            lengths[doubtful] = with_limits(exact)
    return lengths


def unit(rows: npt.ArrayLike) -> Doubles:
    """Divide each row by its length, in double precision; zero vectors stay zero, rows that are not finite become NaN.

    Parameters
    ----------
    rows : array-like of shape (N, D)
    """
    wide = np.array(rows, dtype=np.float64)
    with np.errstate(all="ignore"):
        lengths = with_limits(np.sqrt(np.einsum("nd,nd->n", wide, wide)))
        wide /= np.where(lengths == 0, np.inf, lengths)[:, None]
    return wide


def with_limits(lengths: Doubles) -> Doubles:
    """Return 0 for lengths below float32's range and NaN for those above it."""
    lengths[lengths < ZERO_LENGTH] = 0
    lengths[~(lengths < _TOO_LONG)] = np.nan
    return lengths


def exact_cosines(matrix: Rows, rows: Ids, query: Doubles) -> Floats:
    """Return the cosine of each of these rows with one query, computed in double precision and then :func:`rounded`.

    A row's score therefore does not depend on the other rows or queries that it was computed with, which cannot be
    said of a float32 matrix product, and rows of equal direction tie exactly.

    Parameters
    ----------
    matrix : float32 array of shape (V, D), or Rows
    rows : int64 array of shape (N,)
    query : float64 array of shape (D,)
        Of length 1 or 0.
    """
    scores = np.empty(len(rows), dtype=np.float32)
    step = max(1, _SCORE_BYTES // (8 * matrix.shape[1]))
    for first in range(0, len(rows), step):
        part = slice(first, first + step)
        scores[part] = exact_cosines_of(matrix[rows[part]], query)
    return scores


def exact_cosines_of(vectors: Floats, query: Doubles) -> Floats:
    """Return the cosine of each vector (N, D) with one query (D,), as :func:`exact_cosines` does."""
    return rounded(np.einsum("nd,d->n", unit(vectors), query))


def rounded(cosines: npt.ArrayLike) -> Floats:
    """Round to multiples of 2^-24, a float32's step below 1: what is left of double precision's noise is nothing.

    Without this, right angles would come out as 0 or 1e-17 by chance, and rank by it.
    """
    steps = np.rint(np.asarray(cosines, dtype=np.float64) * 2**24)
    return (steps / 2**24 + 0.0).astype(np.float32)  # + 0.0 makes 0 of -0


def error_bound(vector_size: int, *, is_turned: bool = False) -> float:
    """Return how far a score of :meth:`RowBlocks.cosines` can be from the true cosine, at most.

    A float32 dot product of D terms is off by up to D u times both lengths, u = 2^-24, in whatever order it is summed
    up; a length by half of that and the roundings of its own; the query's roundings add a few u. Where the query is
    turned instead of the rows, those were rounded once each, their numbers by up to u times their length; and the
    rotation may be off by 1e-6 D (:class:`daneo.embeddings.compression.turned_rows.TurnedRows`).
    """
    bound = (1.5 * vector_size + 8) * 2.0**-24
    if is_turned:
        bound += (vector_size**0.5 + 8) * 2.0**-24 + 1e-6 * vector_size
    return float(bound)
