"""Positive pointwise mutual information: against its definition, a count by hand and a textbook."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_allclose
from scipy import sparse

from daneo.embeddings import ppmi_matrix, ppmi_reference
from daneo.embeddings.ppmi_weights import weigh
from daneo.embeddings.sparse_rows import SparseRows
from daneo.progress import Progress

ROUNDING = 2e-6  # values of float32, and what is below 1e-6 is 0

counts_of_pairs = hnp.arrays(
    np.float32,
    st.tuples(st.integers(1, 7), st.integers(1, 9)),
    elements=st.integers(0, 9).map(float) | st.sampled_from([0.0, 0.0, 0.5, 1 / 3, 250.0]),
)


@pytest.fixture
def few_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let work be cut into ranges of about five numbers."""
    whole = SparseRows.ranges

    def ranges(self: SparseRows, size: int = 5) -> Iterator[tuple[int, int]]:
        return whole(self, size)

    monkeypatch.setattr(SparseRows, "ranges", ranges)


def by_hand(counts: Any, alpha: float, shift: float) -> list[list[float]]:
    """Every value from the three probabilities, in plain Python."""
    rows = [[float(count) for count in row] for row in counts]
    total = sum(map(sum, rows))
    of_context = [sum(column) for column in zip(*rows, strict=True)]
    smoothed = [n**alpha if n > 0 else 0.0 for n in of_context]
    values = []
    for row in rows:
        values.append([0.0] * len(row))
        for c, count in enumerate(row):
            if count:
                chance = sum(row) / total * smoothed[c] / sum(smoothed)
                values[-1][c] = max(0.0, math.log(count / total / chance) - math.log(shift))
    return values


@pytest.mark.usefixtures("few_at_once")
@settings(deadline=None, max_examples=150)
@given(counts_of_pairs, st.sampled_from([0.0, 0.3, 0.75, 1.0]), st.sampled_from([0.2, 1.0, 3.0]))
def test_values_are_the_definition(counts: Any, alpha: float, shift: float) -> None:
    found = ppmi_matrix(sparse.csr_array(counts), alpha=alpha, shift=shift)
    if not counts.any():
        assert found.nnz == 0
        return
    expected = by_hand(counts, alpha, shift)
    assert_allclose(ppmi_reference.ppmi(counts, alpha, shift), expected, rtol=0, atol=ROUNDING)
    assert_allclose(found.toarray(), expected, rtol=1e-6, atol=ROUNDING)
    assert found.dtype == np.float32
    assert (found.data > 0).all()
    assert found.has_canonical_format


def test_textbook() -> None:
    """Jurafsky and Martin, Speech and Language Processing, 3rd edition, chapter 6: their counts and their table.

    The counts come from Davies (2015), the Corpus of Contemporary American English; the table has two digits and
    logarithms to base 2.
    """
    # computer, data, result, pie, sugar
    counts = [
        [2, 8, 9, 442, 25],  # cherry
        [0, 0, 1, 60, 19],  # strawberry
        [1670, 1683, 85, 5, 4],  # digital
        [3325, 3982, 378, 5, 13],  # information
    ]
    table = [
        [0, 0, 0, 4.38, 3.30],
        [0, 0, 0, 4.10, 5.51],
        [0.18, 0.01, 0, 0, 0],
        [0.02, 0.09, 0.28, 0, 0],
    ]
    found = ppmi_matrix(sparse.csr_array(counts), alpha=1, shift=1).toarray() / np.log(2)
    assert_allclose(found, table, atol=0.005 + 1e-6)


def test_smoothing_lowers_rare_contexts() -> None:
    # Levy, Goldberg and Dagan (2015), section 3.2: P_alpha(c) > P(c) where c is rare.
    counts = sparse.csr_array([[90.0, 5.0], [300.0, 1.0]])
    plain, smoothed = (ppmi_matrix(counts, alpha=alpha).toarray() for alpha in (1.0, 0.75))
    assert 0 < smoothed[0, 1] < plain[0, 1]


def test_without_any_trust_in_counts_all_contexts_that_occur_are_as_likely() -> None:
    counts = np.array([[9.0, 1.0, 0.0], [3.0, 27.0, 0.0]])
    found = ppmi_matrix(sparse.csr_array(counts), alpha=0).toarray()
    # P(w, c) / (P(w) / 2): the third context does not occur and is none of the two.
    assert_allclose(found, np.maximum(0, np.log([[1.8, 0.2, 1], [0.2, 1.8, 1]])), rtol=1e-6)


def test_a_shift_takes_its_logarithm_off() -> None:
    rng = np.random.default_rng(0)
    counts = sparse.csr_array(rng.integers(0, 9, (20, 20)).astype(np.float32))
    plain, shifted = (ppmi_matrix(counts, shift=shift).toarray() for shift in (1.0, 1.5))
    assert_allclose(shifted, np.maximum(0, plain - np.log(1.5)), atol=ROUNDING)
    assert ppmi_matrix(counts, shift=1e9).nnz == 0


def test_words_that_stand_together_as_by_chance_have_nothing() -> None:
    # The products of float32 sums are not exact; what is left over is no information.
    rng = np.random.default_rng(1)
    counts = np.outer(rng.random(30), rng.random(30)).astype(np.float32)
    assert ppmi_matrix(sparse.csr_array(counts), alpha=1).nnz == 0


def test_rows_and_columns_without_counts_stay_empty() -> None:
    counts = np.array([[0, 0, 0], [0, 4, 1], [0, 1, 4]], dtype=np.float32)
    found = ppmi_matrix(sparse.csr_array(counts)).toarray()
    assert not found[0].any()
    assert not found[:, 0].any()
    assert found[1, 1] > 0


def test_stored_zeros_count_as_nothing() -> None:
    with_zero = sparse.csr_array(([2.0, 0.0, 3.0], [0, 1, 1], [0, 2, 3]), shape=(2, 2))
    without = sparse.csr_array(([2.0, 3.0], [0, 1], [0, 1, 2]), shape=(2, 2))
    assert (ppmi_matrix(with_zero) != ppmi_matrix(without)).nnz == 0


def test_counts_are_left_as_they_are() -> None:
    counts = sparse.csr_array(np.array([[3, 1], [0, 4]], dtype=np.float32))
    before = counts.copy()
    ppmi_matrix(counts)
    assert (counts != before).nnz == 0


@pytest.mark.usefixtures("few_at_once")
def test_progress_is_told_to_its_end() -> None:
    counts = SparseRows.of(sparse.csr_array(np.ones((9, 9), dtype=np.float32)))
    told: list[Progress] = []
    weigh(counts, 1.0, 0.5, told.append)
    assert (told[-1].stage, told[-1].done, told[-1].total) == ("weighing", 162, 162)


@pytest.mark.parametrize(
    ("counts", "options", "error", "message"),
    [
        ([[1, -1]], {}, ValueError, "from 0 up, got one that is negative"),
        ([[1, np.nan]], {}, ValueError, "negative or not finite"),
        ([[1, np.inf]], {}, ValueError, "negative or not finite"),
        ([[1, 2]], {"alpha": 1.1}, ValueError, "alpha from 0 to 1"),
        ([[1, 2]], {"shift": 0}, ValueError, "shift above 0"),
        ([[1, 2]], {"shift": math.nan}, ValueError, "shift above 0"),
        ([[1j, 2]], {}, TypeError, "real numbers"),
    ],
)
def test_what_is_refused(counts: Any, options: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        ppmi_matrix(sparse.csr_array(counts), **options)


def test_dense_counts_are_refused() -> None:
    with pytest.raises(TypeError, match="scipy.sparse matrix of real numbers, got ndarray"):
        ppmi_matrix(np.ones((2, 2)))
