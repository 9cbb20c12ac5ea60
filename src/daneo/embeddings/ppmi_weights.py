"""Counts of pairs become positive pointwise mutual information, in the memory that the counts take.

`ppmi_reference.py` is the definition.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from daneo.corpus.progress_reports import ProgressReports
from daneo.embeddings.rows import Ids
from daneo.embeddings.sparse_rows import SparseRows
from daneo.progress import ProgressCallback

if TYPE_CHECKING:
    import numpy.typing as npt
    from scipy import sparse

_NOISE = 1e-6  # as in ppmi_reference: counts are float32, so that a smaller value says nothing


def ppmi_matrix(
    counts: sparse.sparray | sparse.spmatrix, *, alpha: float = 0.75, shift: float = 1.0
) -> sparse.csr_array:
    r"""Return the positive pointwise mutual information of counts.

    .. math:: \max\Big(0, \log\frac{P(w, c)}{P(w)\,P_\alpha(c)} - \log k\Big),
              \quad P_\alpha(c) = \frac{\#(c)^\alpha}{\sum_{c'} \#(c')^\alpha}

    Parameters
    ----------
    counts : scipy.sparse matrix of shape (V, C)
        How often each word (row) was seen with each context (column); finite, none below 0.
    alpha : float, default 0.75
        Smoothing of the contexts, from 0 (all that occur are equally likely) to 1 (none).
    shift : float, default 1
        k, above 0. Pairs must be seen together more than k times as often as by chance.

    Returns
    -------
    scipy.sparse.csr_array of shape (V, C), float32
        Logarithms are natural. Values below 1e-6, which is float32's rounding, are zeros.

    Raises
    ------
    ValueError
        A setting is out of bounds, or a count is negative or not finite.

    References
    ----------
    Levy, Goldberg and Dagan (2015), https://doi.org/10.1162/tacl_a_00134, sections 2.1 and 3.2.

    Examples
    --------
    >>> from scipy import sparse
    >>> ppmi_matrix(sparse.csr_array([[3, 1], [0, 4]]), alpha=1).toarray().round(4)
    array([[0.6931, 0.    ],
           [0.    , 0.47  ]], dtype=float32)
    """
    if not (0 <= alpha <= 1 and 0 < shift < np.inf):
        raise ValueError(f"ppmi_matrix expected alpha from 0 to 1 and shift above 0, got {alpha} and {shift}.")
    rows = SparseRows.of(counts.copy())
    weighed = weigh(rows, alpha, shift, None)
    return weighed.block(0, len(weighed))


def weigh(counts: SparseRows, alpha: float, shift: float, progress: ProgressCallback | None) -> SparseRows:
    """Return the positive pointwise mutual information of counts, whose arrays are overwritten.

    Parameters
    ----------
    counts : SparseRows of shape (V, C)
    alpha, shift, progress
        As in :class:`daneo.PPMI`.

    Raises
    ------
    ValueError
        A count is negative or not finite.

    Notes
    -----
    Cost: two passes over the counts, a logarithm each. Memory beside them: some dozen MB, and V + C float64.
    """
    # Two passes over so many numbers.
    reports = ProgressReports(progress, "weighing", "pairs", 2 * counts.num_stored)
    of_words, of_contexts = _totals(counts, reports.report)
    smoothed = np.where(of_contexts > 0, of_contexts**alpha, 0)
    with np.errstate(all="ignore"):
        # log(P(w, c) / (P(w) P_alpha(c)) / k) = log X - log(#w) - alpha log(#c) + log(sum #c**alpha) - log(k)
        word_terms = -np.log(of_words)
        context_terms = np.log(smoothed.sum()) - np.log(shift) - np.log(smoothed)
    starts, columns, values = np.zeros_like(counts.starts), counts.columns, counts.values
    size = 0
    for start, stop in counts.ranges():
        first, last = counts.starts[[start, stop]].tolist()
        edges = counts.starts[start : stop + 1] - first
        here = columns[first:last]
        with np.errstate(all="ignore"):
            found = np.log(values[first:last].astype(np.float64))
            found += context_terms[here]
            found += np.repeat(word_terms[start:stop], np.diff(edges))
            keep = found > _NOISE
        kept = _running(keep)[edges]
        # What is kept is never ahead of what was read, so it takes the place of the counts.
        columns[size : size + kept[-1]] = here[keep]
        values[size : size + kept[-1]] = found[keep]
        starts[start + 1 : stop + 1] = size + kept[1:]
        size += int(kept[-1])
        reports.report(counts.num_stored + last)
    reports.report(2 * counts.num_stored, finished=True)
    return SparseRows(starts, columns[:size], values[:size], counts.shape[1])


def _totals(
    counts: SparseRows, report: Callable[[int], None]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return the sums of the rows (V,) and of the columns (C,)."""
    of_words, of_contexts = np.zeros(len(counts)), np.zeros(counts.shape[1])
    for start, stop in counts.ranges():
        first, last = counts.starts[[start, stop]].tolist()
        values = counts.values[first:last].astype(np.float64)
        if len(values) and not (values.min() >= 0 and values.max() < np.inf):
            raise ValueError("Expected counts from 0 up, got one that is negative or not finite.")
        edges = counts.starts[start:stop] - first
        filled = np.flatnonzero(np.diff(counts.starts[start : stop + 1]))
        if len(filled):
            of_words[start + filled] = np.add.reduceat(values, edges[filled])
        of_contexts += np.bincount(counts.columns[first:last], values, minlength=len(of_contexts))
        report(last)
    return of_words, of_contexts


def _running(keep: npt.NDArray[np.bool_]) -> Ids:
    """Return how many are kept before each place, and of all."""
    running = np.zeros(len(keep) + 1, dtype=np.int64)
    np.cumsum(keep, out=running[1:])
    return running
