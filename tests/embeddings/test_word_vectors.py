"""Lookup, changes and choices: what is in the table, and who owns its memory."""

from __future__ import annotations

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from daneo.corpus.vocabulary import Vocabulary
from daneo.embeddings import WordVectors


def compass() -> WordVectors:
    return WordVectors(["north", "east", "south", "west"], [[0, 2], [1, 0], [0, -1], [-3, 0]])


def test_lookup() -> None:
    table = compass()
    assert len(table) == 4
    assert list(table) == table.words == ["north", "east", "south", "west"]
    assert "east" in table
    assert "up" not in table
    assert 1 not in table
    assert ["east"] not in table
    assert table.vector_size == 2
    assert table.matrix.dtype == table["east"].dtype == np.float32
    assert table["north"].tolist() == [0, 2]
    assert table[["south", "north", "south"]].tolist() == [[0, -1], [0, 2], [0, -1]]
    assert table[[]].shape == (0, 2)
    assert table.get_vector("west", norm=True).tolist() == [-1, 0]
    assert table.norms.tolist() == [2, 1, 1, 3]
    assert repr(table) == "<WordVectors: 4 words, 2 dimensions>"


def test_vocabulary_and_counts_are_kept() -> None:
    vocabulary = Vocabulary(["a", "b"], [7, 3])
    table = WordVectors(vocabulary, np.eye(2))
    assert table.vocabulary is vocabulary
    assert table.counts.tolist() == [7, 3]
    assert compass().counts.tolist() == [0] * 4


def test_float32_is_not_copied_and_not_writable() -> None:
    matrix = np.eye(3, dtype=np.float32)
    table = WordVectors(["a", "b", "c"], matrix)
    assert np.shares_memory(table.matrix, matrix)
    for view in (table.matrix, table["a"], table.norms):
        with pytest.raises(ValueError, match="read-only"):
            view[0] = 5
    assert matrix.flags.writeable


def test_unknown_word_names_its_neighbours_in_spelling() -> None:
    table = compass()
    for ask in (
        lambda: table["nort"],
        lambda: table[["east", "nort"]],
        lambda: table.most_similar("nort"),
        lambda: table.most_similar(["east", "nort"]),
        lambda: table.most_similar(positive="nort"),
        lambda: table.similarity("east", "nort"),
        lambda: table.doesnt_match(["east", "nort", "west"]),
        lambda: table.n_similarity(["east"], ["nort"]),
        lambda: table.restricted(["nort"]),
        lambda: table.get_mean_vector(["nort"]),
    ):
        with pytest.raises(KeyError, match="'nort' is not among the 4 words.*north"):
            ask()


@pytest.mark.parametrize(
    ("matrix", "complaint"),
    [
        (np.ones((3, 2)), r"shape \(2, D\), one row a word, got shape \(3, 2\)"),
        (np.ones(2), r"got shape \(2,\)"),
        (np.ones((2, 0)), r"got shape \(2, 0\)"),
    ],
)
def test_matrix_must_fit_the_words(matrix, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        WordVectors(["a", "b"], matrix)


@pytest.mark.parametrize("matrix", [[["x", "y"]], np.ones((1, 2), dtype=complex), np.ones((1, 2), dtype=object)])
def test_matrix_must_be_numbers(matrix) -> None:
    with pytest.raises(TypeError, match="expected numbers"):
        WordVectors(["a"], matrix)


def test_other_numbers_become_float32() -> None:
    for kind in (np.float64, np.float16, np.int8, ">f4"):
        assert WordVectors(["a"], np.array([[1, 2]], dtype=kind)).matrix.dtype == np.float32


def test_adding_and_replacing() -> None:
    table = compass()
    table.add_vectors(["east", "up"], [[9, 9], [1, 1]])
    assert table.words[-1] == "up"
    assert table["up"].tolist() == [1, 1]
    assert table["east"].tolist() == [1, 0]  # words that are there keep their vectors,
    table.add_vectors(["east", "down"], [[9, 9], [-1, -1]], replace=True)
    assert table["east"].tolist() == [9, 9]  # unless told otherwise
    assert table["down"].tolist() == [-1, -1]
    table["east"] = [5, 0]
    table[["west", "far"]] = [[-5, 0], [0, 50]]
    table.add_vector("north", np.array([0.0, 5.0]))
    assert table.words == ["north", "east", "south", "west", "up", "down", "far"]
    assert table.matrix.tolist() == [[0, 5], [5, 0], [0, -1], [-5, 0], [1, 1], [-1, -1], [0, 50]]
    assert len(table.counts) == 7


def test_a_change_is_seen_by_the_next_search() -> None:
    table = compass()
    assert table.most_similar("north", topn=1) == [("east", 0.0)]
    table["west"] = [0, 7]
    assert table.most_similar("north", topn=1) == [("west", 1.0)]
    assert table.norms.tolist() == [2, 1, 1, 7]
    table["up"] = [0.5, 7]
    assert [word for word, _ in table.most_similar("north", topn=2)] == ["west", "up"]


def test_a_change_copies_first() -> None:
    matrix = np.eye(2, dtype=np.float32)
    table = WordVectors(["a", "b"], matrix)
    part = table.restricted(1)
    table["a"] = [7, 7]
    assert_array_equal(matrix, np.eye(2))
    assert part["a"].tolist() == [1, 0]
    held = table.matrix
    table["b"] = [8, 8]
    assert held.tolist() == [[7, 7], [8, 8]]  # the second change needs no copy


def test_a_mapped_file_is_never_written_to(tmp_path: Path) -> None:
    path = tmp_path / "m.npy"
    np.save(path, np.eye(2, dtype=np.float32))
    before = path.read_bytes()
    for mode in ("r", "r+"):
        table = WordVectors(["a", "b"], np.load(path, mmap_mode=mode))
        table["a"] = [7, 7]
        table.unit_normalize_all()
        table["c"] = [1, 1]
        assert table["b"].tolist() == [0, 1]
        assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("words", "rows", "error", "complaint"),
    [
        (["a", "a"], [[1, 1], [2, 2]], ValueError, "'a' twice"),
        (["a"], [[1, 1, 1]], ValueError, r"shape \(1, 2\), one row a word, got \(1, 3\)"),
        (["a", "b"], [[1, 1]], ValueError, r"shape \(2, 2\)"),
        ("ab", [[1, 1], [2, 2]], TypeError, "expected a list of words"),
        ([1], [[1, 1]], TypeError, "to be a str"),
    ],
)
def test_what_cannot_be_added(words, rows, error, complaint: str) -> None:
    table = compass()
    with pytest.raises(error, match=complaint):
        table.add_vectors(words, rows)
    assert len(table) == len(table.matrix) == 4


def test_restricting_to_the_first_words_is_a_view() -> None:
    table = compass()
    first = table.restricted(3)
    assert first.words == ["north", "east", "south"]
    assert np.shares_memory(first.matrix, table.matrix)
    assert_array_equal(first.matrix, table.matrix[:3])
    for wrong in (0, -1, 5):
        with pytest.raises(ValueError, match=f"from 1 to 4, got {wrong}"):
            table.restricted(wrong)


def test_restricting_keeps_counts_and_special_tokens() -> None:
    vocabulary = Vocabulary(["a", "b", "c"], [9, 5, 1], special_tokens=["<pad>"], unknown="<unk>")
    table = WordVectors(vocabulary, np.arange(10).reshape(5, 2))
    chosen = table.restricted(["c", "<unk>", "a"])
    assert chosen.words == ["<unk>", "c", "a"]
    assert chosen.matrix.tolist() == [[2, 3], [8, 9], [4, 5]]
    assert chosen.counts.tolist() == [0, 1, 9]
    assert (chosen.vocabulary.special_tokens, chosen.vocabulary.unknown) == (("<unk>",), "<unk>")
    assert table.restricted(1).vocabulary.unknown is None
    assert table.restricted(3).words == ["<pad>", "<unk>", "a"]
    with pytest.raises(ValueError, match="'a' twice"):
        table.restricted(["a", "a"])


def test_normalising() -> None:
    table = WordVectors(["a", "b", "c"], np.array([[3, 4], [0, 0], [np.nan, 1]]))
    normed = table.get_normed_vectors()
    assert_allclose(normed, [[0.6, 0.8], [0, 0], [np.nan, np.nan]], rtol=1e-7)
    assert table["a"].tolist() == [3, 4]
    table.unit_normalize_all()
    assert_array_equal(table.matrix, normed)
    assert_allclose(table.norms, [1, 0, np.nan], rtol=1e-6)


def test_copies_do_not_share_changes() -> None:
    table = compass()
    for other in (copy.deepcopy(table), pickle.loads(pickle.dumps(table))):
        other["north"] = [1, 1]
        assert table["north"].tolist() == [0, 2]
        assert other.similarity("north", "east") == pytest.approx(np.sqrt(0.5))


def test_many_threads_may_ask_at_once() -> None:
    words = [f"w{i}" for i in range(30_000)]
    matrix = np.random.default_rng(3).standard_normal((len(words), 16)).astype(np.float32)
    want = WordVectors(words, matrix).most_similar(words[:32], topn=5)
    fresh = WordVectors(words, matrix)
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda word: fresh.most_similar(word, topn=5), words[:32])) == want


def test_every_public_name_has_a_home() -> None:
    import daneo.embeddings as package

    assert package.WordVectors is WordVectors
    assert set(package.__all__) <= set(dir(package))
    with pytest.raises(AttributeError, match="has no attribute 'WordVector'. It offers: AnalogyResult"):
        package.WordVector  # noqa: B018


def test_no_words_at_all() -> None:
    empty = WordVectors([], np.empty((0, 3)))
    assert len(empty) == 0
    with pytest.raises(ValueError, match="no words to search"):
        empty.most_similar(np.ones(3))
