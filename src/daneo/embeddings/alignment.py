"""The rotation that brings one set of word vectors nearest to another: orthogonal Procrustes on the words of both."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from daneo.embeddings.compression.turned_rows import TurnedRows
from daneo.embeddings.row_blocks import row_lengths, unit
from daneo.embeddings.rows import Floats, Ids, Rows, is_lazy

if TYPE_CHECKING:
    from daneo.embeddings.dense_table import DenseTable

_ROWS_AT_ONCE = 4096


def shared_rows(a: DenseTable, b: DenseTable) -> tuple[Ids, Ids]:
    """Return the rows in `a` and in `b` of the words that both know, int64 (N,) each, the most frequent first.

    Frequent is what has a low rank in both: the sum of its ranks by count, or by place where nobody counted. Of equal
    ones the first in `a` comes first.

    Examples
    --------
    >>> import daneo
    >>> a = daneo.WordVectors(["sea", "sun", "moon"], np.eye(3))
    >>> b = daneo.WordVectors(["moon", "star", "sea"], np.eye(3))
    >>> [rows.tolist() for rows in shared_rows(a, b)]
    [[0, 2], [2, 0]]
    """
    find = b.vocabulary.index.get
    in_b = np.array([find(word, -1) for word in a.words], dtype=np.int64)
    in_a = np.flatnonzero(in_b >= 0)
    in_b = in_b[in_a]
    order = np.argsort(_ranks(a)[in_a] + _ranks(b)[in_b], kind="stable")
    return in_a[order], in_b[order]


def _ranks(vectors: DenseTable) -> Ids:
    ranks = np.empty(len(vectors), dtype=np.int64)
    ranks[np.argsort(-vectors.counts, kind="stable")] = np.arange(len(vectors))
    return ranks


def learn_alignment(
    a: Rows, b: Rows, rows: tuple[Ids, Ids], *, unit_rows: bool = True, center: bool = False
) -> npt.NDArray[np.float32]:
    r"""Return the orthonormal matrix Q, float32 (D, D), for which the rows of A Q are nearest to those of B.

    .. math:: Q = \arg\min_{Q^T Q = I} \lVert A Q - B \rVert_F = U V^T, \quad U \Sigma V^T = A^T B

    Parameters
    ----------
    a, b : Rows of shapes (V, D) and (W, D)
    rows : pair of int64 arrays of shape (N,)
        Row ``rows[0][i]`` of `a` is to come near to row ``rows[1][i]`` of `b`. Pairs of which one is a zero vector or
        not finite are left out.
    unit_rows, center : bool
        As for :meth:`daneo.WordVectors.aligned_to`.

    Raises
    ------
    ValueError
        The sizes differ, or there are fewer than D pairs.
    """
    size = a.shape[1]
    if size != b.shape[1]:
        raise ValueError(
            f"Vectors of {size} numbers cannot be aligned to vectors of {b.shape[1]}; expected the same size. "
            "Neighbours can be compared nevertheless: daneo compare, or daneo.embeddings.compare."
        )
    usable = has_direction(a, rows[0]) & has_direction(b, rows[1])
    in_a, in_b = (one[usable] for one in rows)
    if len(in_a) < size:
        raise ValueError(
            f"The two sets of vectors share {len(in_a)} words with finite vectors other than 0; expected at least "
            f"{size}, as many as a vector has numbers: fewer do not determine a rotation."
        )
    sums = np.zeros((2, size))
    products = np.zeros((size, size))
    for first in range(0, len(in_a), _ROWS_AT_ONCE):
        part = slice(first, first + _ROWS_AT_ONCE)
        one, other = (
            unit(found) if unit_rows else found.astype(np.float64) for found in (a[in_a[part]], b[in_b[part]])
        )
        products += one.T @ other
        sums += one.sum(axis=0), other.sum(axis=0)
    if center:
        products -= np.outer(sums[0], sums[1]) / len(in_a)
    left, _, right = np.linalg.svd(products)
    rotation: npt.NDArray[np.float32] = (left @ right).astype(np.float32)
    return rotation


def turned(rows: Rows, rotation: npt.NDArray[np.float32]) -> Rows:
    """Return rows times a rotation: an array of an array, of other rows what multiplies them when asked for."""
    if isinstance(rows, TurnedRows):  # one rotation instead of two: compressed rows can still be saved as they are
        product = rows.rotation.astype(np.float64) @ rotation
        return TurnedRows(rows.rows, product.astype(np.float32))
    lazy = TurnedRows(rows, rotation)
    if is_lazy(rows):
        return lazy
    matrix: Floats = np.empty(rows.shape, dtype=np.float32)
    for first in range(0, len(rows), _ROWS_AT_ONCE):
        matrix[first : first + _ROWS_AT_ONCE] = lazy[first : first + _ROWS_AT_ONCE]
    return matrix


def has_direction(rows: Rows, chosen: Ids) -> npt.NDArray[np.bool_]:
    """Return whether each of these rows, (N,), is finite and no zero vector."""
    usable = np.empty(len(chosen), dtype=bool)
    for first in range(0, len(chosen), _ROWS_AT_ONCE):
        part = slice(first, first + _ROWS_AT_ONCE)
        usable[part] = row_lengths(rows[chosen[part]]) > 0  # NaN, for what is not finite, is not
    return usable


def rows_of(words: Sequence[str], a: DenseTable, b: DenseTable) -> tuple[Ids, Ids]:
    """Return the rows of these words in both, int64 (N,) each; KeyError for a word that one does not know."""
    in_a, in_b = (np.array([one.vocabulary.id(word) for word in words], dtype=np.int64) for one in (a, b))
    return in_a, in_b
