"""Sparse rows: what they hand out, and what they refuse."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_array_equal
from scipy import sparse

from daneo.embeddings.rows import is_lazy
from daneo.embeddings.sparse_rows import SparseRows

DENSE = np.array([[0, 2, 0, 1], [0, 0, 0, 0], [3, 0, -1, 0], [0, 0, 0, 5]], dtype=np.float32)


def rows_of(dense: Any = DENSE) -> SparseRows:
    return SparseRows.of(sparse.csr_array(dense))


def test_rows_are_those_of_the_dense_matrix() -> None:
    rows = rows_of()
    assert is_lazy(rows)
    assert (rows.shape, len(rows), rows.num_stored) == ((4, 4), 4, 5)
    assert_array_equal(rows[2], DENSE[2])
    assert_array_equal(rows[np.int64(1)], DENSE[1])
    assert_array_equal(rows[1:], DENSE[1:])
    assert_array_equal(rows[::-2], DENSE[::-2])
    assert_array_equal(rows[[3, 3, 0]], DENSE[[3, 3, 0]])
    assert rows[[]].shape == (0, 4)
    assert [part.tolist() for part in rows.row(2)] == [[0, 2], [3.0, -1.0]]
    assert_array_equal(rows.block(1, 3).toarray(), DENSE[1:3])


@pytest.mark.parametrize("row", [4, -1, [0, 4]])
def test_rows_that_are_not_there(row: Any) -> None:
    with pytest.raises(IndexError, match="Expected a row from 0 to 3"):
        rows_of()[row]


def test_any_sparse_matrix_will_do_and_stays_as_it_is() -> None:
    # Two numbers at one place add up; the columns are not in order.
    untidy = sparse.csr_array(([1.0, 4, 2, 1], [3, 1, 3, 0], [0, 3, 4]), shape=(2, 4))
    before = [part.copy() for part in (untidy.data, untidy.indices, untidy.indptr)]
    for matrix in (untidy, untidy.tocoo(), untidy.tocsc(), sparse.csr_matrix(untidy), untidy.astype(np.float64)):
        assert SparseRows.of(matrix)[:].tolist() == [[0, 4, 0, 3], [1, 0, 0, 0]]
    for part, old in zip((untidy.data, untidy.indices, untidy.indptr), before, strict=True):
        assert_array_equal(part, old)


def test_stored_zeros_are_no_numbers_and_stay_with_their_owner() -> None:
    # A zero; two numbers that cancel out; and one that float32 cannot tell from zero.
    zero = sparse.csr_array((np.array([0, 2, 1], np.float32), [0, 1, 0], [0, 2, 3]), shape=(2, 2))
    opposite = sparse.csr_array(([1.0, -1, 2, 1], [0, 0, 1, 0], [0, 3, 4]), shape=(2, 2))
    tiny = sparse.csr_array(([1e-60, 2, 1], [0, 1, 0], [0, 2, 3]), shape=(2, 2))
    for matrix in (zero, opposite, tiny):
        before = [part.tolist() for part in (matrix.data, matrix.indices, matrix.indptr)]
        rows = SparseRows.of(matrix)
        assert rows.num_stored == 2
        assert [part.tolist() for part in rows.row(0)] == [[1], [2.0]]
        assert rows[:].tolist() == [[0, 2], [1, 0]]
        assert [part.tolist() for part in (matrix.data, matrix.indices, matrix.indptr)] == before


@settings(deadline=None, max_examples=50)
@given(hnp.arrays(np.int8, st.integers(1, 30), elements=st.integers(0, 9)), st.integers(1, 12))
def test_ranges_cover_all_rows_once(lengths: Any, size: int) -> None:
    starts = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])
    columns = np.concatenate([np.arange(n, dtype=np.int32) for n in lengths])
    rows = SparseRows(starts, columns, np.ones(len(columns), dtype=np.float32), 10)
    ranges = list(rows.ranges(size))
    assert [first for first, _ in ranges] == [0, *(last for _, last in ranges[:-1])]
    assert ranges[-1][1] == len(lengths)
    assert all(first + 1 == last or starts[last] - starts[first] <= size for first, last in ranges)


@pytest.mark.parametrize(
    ("part", "values", "message"),
    [
        ("starts", [1, 2, 2, 4, 5], "5 columns and 5 values that do not fit"),
        ("starts", [0, 2, 2, 4, 6], "do not fit"),
        ("starts", [0, 4, 2, 4, 5], "some that fall"),
        ("starts", [0, 2**63 - 1, -(2**63), 4, 5], "some that fall"),
        ("starts", [], "0 starts"),
        ("starts", np.array([0, 2, 2, 4, 5], dtype=np.int32), "starts to be int64"),
        ("columns", np.zeros((5, 1), dtype=np.int32), "columns to be int32 of one dimension"),
        ("columns", [1, 3, 0, 2], "4 columns"),
        ("values", np.zeros(5), "values to be float32"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(part: str, values: Any, message: str) -> None:
    rows = rows_of()
    parts: dict[str, Any] = {"starts": rows.starts, "columns": rows.columns, "values": rows.values}
    parts[part] = np.asarray(values, dtype=getattr(values, "dtype", parts[part].dtype))
    with pytest.raises(ValueError, match=message):
        SparseRows(*parts.values(), 4)


@pytest.mark.parametrize("columns", [[1, 4, 0, 2, 3], [1, -3, 0, 2, 3], [3, 1, 0, 2, 3], [1, 1, 0, 2, 3]])
def test_columns_of_a_file_are_checked_when_they_are_read(columns: list[int]) -> None:
    sound = rows_of()
    rows = SparseRows(
        sound.starts, np.array(columns, dtype=np.int32), sound.values, 4, source="folder/sparse.safetensors"
    )
    assert_array_equal(rows[2], DENSE[2])  # the damage is in another row
    with pytest.raises(ValueError, match=r"folder/sparse.safetensors is damaged.* rows 0 to 0 "):
        rows[0]
    for _ in range(2):
        with pytest.raises(ValueError, match=r"folder/sparse.safetensors is damaged"):
            rows.block(2, 4)


def test_sound_files_are_checked_once() -> None:
    sound = rows_of()
    rows = SparseRows(sound.starts, sound.columns, sound.values, 4, source="x")
    assert_array_equal(rows.block(0, 4).toarray(), DENSE)
    assert_array_equal(rows[:], DENSE)


def test_only_sparse_matrices_of_numbers() -> None:
    with pytest.raises(TypeError, match="got list"):
        SparseRows.of([[1]])
