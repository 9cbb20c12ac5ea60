"""Rows that do not lie in memory: chosen ones as NumPy chooses them, and tables over them as over an array."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from daneo.embeddings import WordVectors
from daneo.embeddings.row_blocks import RowBlocks
from daneo.embeddings.rows import ChosenRows, is_lazy, whole


class FarRows:
    """Rows that hand out copies and remember how many they handed out at once."""

    def __init__(self, matrix: np.ndarray[Any, Any]) -> None:
        self._matrix = matrix
        self.shape = matrix.shape
        self.most = 0

    def __len__(self) -> int:
        return len(self._matrix)

    def __getitem__(self, rows: Any) -> np.ndarray[Any, Any]:
        found = self._matrix[rows].copy()
        self.most = max(self.most, found.size // self.shape[1])
        return found


def numbers(*shape: int) -> np.ndarray[Any, Any]:
    return np.random.default_rng(len(shape)).standard_normal(shape).astype(np.float32)


def test_what_counts_as_rows() -> None:
    assert is_lazy(FarRows(numbers(2, 2)))
    assert is_lazy(ChosenRows(numbers(2, 2), [0]))
    for other in (numbers(2, 2), [[1, 0]], np.float32(3), "rows", None):
        assert not is_lazy(other)


def test_tensors_of_other_libraries_are_arrays() -> None:
    torch = pytest.importorskip("torch")
    assert not is_lazy(torch.eye(2))


def test_the_whole_of_an_array_is_itself_and_read_only() -> None:
    matrix = numbers(3, 2)
    assert np.shares_memory(whole(matrix), matrix)
    assert matrix.flags.writeable
    for rows in (matrix, FarRows(matrix)):
        assert_array_equal(whole(rows), matrix)
        assert not whole(rows).flags.writeable


indices = st.one_of(
    st.integers(-6, 5),
    st.slices(6),
    st.lists(st.integers(-6, 5), max_size=8).map(lambda places: np.array(places, dtype=np.int64)),
)
choices = st.one_of(
    st.just(range(6)),
    st.just(range(2, 8)),
    st.just(range(10, 4, -1)),
    st.lists(st.integers(0, 10), min_size=6, max_size=6),
)


@settings(deadline=None, max_examples=200)
@given(chosen=choices, index=indices, is_far=st.booleans())
def test_chosen_rows_are_numpys(chosen: Any, index: Any, is_far: bool) -> None:
    matrix = numbers(11, 3)
    rows = ChosenRows(FarRows(matrix) if is_far else matrix, chosen)
    assert rows.shape == (6, 3)
    assert_array_equal(rows[index], matrix[np.array(chosen)][index])


def test_chosen_rows_of_a_range_are_a_view() -> None:
    matrix = numbers(5, 2)
    assert np.shares_memory(ChosenRows(matrix, range(1, 4))[:], matrix)
    for chosen in (range(3), [0, 1, 2]):
        for beyond in (3, -4, np.array([0, 3])):
            with pytest.raises(IndexError):
                ChosenRows(matrix, chosen)[beyond]


def tables() -> tuple[WordVectors, WordVectors]:
    """The same 3,000 words over an array and over rows that are elsewhere; some have no direction."""
    matrix = numbers(3000, 12)
    matrix[[5, 1030]] = 0
    matrix[[7, 2999], 1] = np.nan
    words = [f"w{i}" for i in range(3000)]
    return WordVectors(words, matrix), WordVectors(words, FarRows(matrix))


def test_every_question_is_answered_as_from_an_array() -> None:
    near, far = tables()
    some = ["w2", "w5", "w2000", "w1030"]
    for ask in (
        lambda table: table["w3"].tolist(),
        lambda table: table[some].tolist(),
        lambda table: table[[]].shape,
        lambda table: table.most_similar("w1", topn=50),
        lambda table: table.most_similar(["w1", "w2"] * 10, topn=7),
        lambda table: table.most_similar("w1", clip_start=5, clip_end=1500),
        lambda table: table.most_similar(positive=["w1", "w2"], negative=["w3"]),
        lambda table: table.most_similar_cosmul(["w1", "w2"], ["w3"]),
        lambda table: table.similarities("w1", some).tolist(),
        lambda table: table.rank_by_centrality(some),
        lambda table: table.closer_than("w1", "w2"),
        lambda table: table.restricted(1500).most_similar("w1"),
        lambda table: table.restricted(some).words,
    ):
        assert ask(near) == ask(far)
    for ask in (
        lambda table: table.matrix,
        lambda table: table.norms,
        lambda table: table.similarities("w1"),
        lambda table: table.restricted(1500).matrix,
        lambda table: table.restricted(some).matrix,
        lambda table: table.get_normed_vectors(),
        lambda table: table.rows[:],
    ):
        assert_array_equal(ask(near), ask(far))


def test_analogies_and_similarities_of_a_file(tmp_path: Path) -> None:
    near, far = tables()
    (tmp_path / "analogies").write_text(
        ": capitals\n" + "".join(f"w{i} w{i + 1} w{i + 2} w{i + 3}\n" for i in range(9))
    )
    (tmp_path / "pairs").write_text("".join(f"w{i}\tw{i + 1}\t{i % 7}\n" for i in range(20)))
    assert near.evaluate_analogies(tmp_path / "analogies") == far.evaluate_analogies(tmp_path / "analogies")
    assert near.evaluate_similarities(tmp_path / "pairs") == far.evaluate_similarities(tmp_path / "pairs")


def test_many_questions_are_sifted_in_whole_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    from daneo.embeddings import nearest

    near, far = tables()
    want = near.most_similar(near.words[100:120], topn=5)
    monkeypatch.setattr(nearest, "LEAST_WORK", 0)
    assert far.most_similar(far.words[100:120], topn=5) == want


def test_a_change_takes_the_rows_into_memory() -> None:
    matrix = numbers(4, 2)
    rows = FarRows(matrix)
    table = WordVectors(list("abcd"), rows)
    table["b"] = [7, 7]
    table.add_vectors(["e"], [[8, 8]])
    assert isinstance(table.rows, np.ndarray)
    assert table.matrix.tolist() == [*matrix[:1].tolist(), [7, 7], *matrix[2:].tolist(), [8, 8]]
    assert_array_equal(rows[:], matrix)
    other = WordVectors(list("abcd"), FarRows(matrix))
    other.unit_normalize_all()
    assert_array_equal(other.matrix, WordVectors(list("abcd"), matrix).get_normed_vectors())


def test_rows_of_an_array_cannot_be_written_to() -> None:
    table = WordVectors(["a"], np.ones((1, 2), np.float32))
    with pytest.raises(ValueError, match="read-only"):
        table.rows[0] = 5


def test_a_search_reads_rows_block_by_block(monkeypatch: pytest.MonkeyPatch) -> None:
    from daneo.embeddings import row_blocks

    monkeypatch.setattr(row_blocks, "_LAZY_ROW_BYTES", 1 << 16)
    rows = FarRows(numbers(20_000, 8))
    blocks = RowBlocks(rows)
    for _ in range(2):
        assert sum(scores.shape[1] for _, scores, _ in blocks.cosines(numbers(1, 8), 0, len(rows))) == len(rows)
    assert rows.most == (1 << 16) // (4 * 8)


def test_shapes_of_rows_are_checked() -> None:
    with pytest.raises(
        ValueError, match=r"WordVectors expected a matrix of shape \(1, D\), one row a word, got .*2, 2"
    ):
        WordVectors(["a"], FarRows(numbers(2, 2)))
