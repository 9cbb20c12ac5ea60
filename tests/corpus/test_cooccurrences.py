"""A directory of counted pairs: what it holds, what opens, and what is refused."""

from __future__ import annotations

import gc
import json
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daneo.corpus import Cooccurrences, count_cooccurrences

TEXTS = ["the cat and the dog", "the cat", "a dog"]
WORDS = ["the", "cat", "dog", "a", "and"]
# What stands in one text at any distance: the (the) 3 apart, cat 1 + 1/2 + 1, dog 1/4 + 1, and 1/2 + 1; ...
MATRIX = [
    [2 / 3, 5 / 2, 5 / 4, 0, 3 / 2],
    [5 / 2, 0, 1 / 3, 0, 1],
    [5 / 4, 1 / 3, 0, 1, 1 / 2],
    [0, 0, 1, 0, 0],
    [3 / 2, 1, 1 / 2, 0, 0],
]
NUM_STORED, NUM_PAIRS = 8, 15


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    path = tmp_path / "counts"
    count_cooccurrences(TEXTS, min_count=1, path=path).close()
    return path


@pytest.fixture
def one_sided(tmp_path: Path) -> Path:
    path = tmp_path / "one-sided"
    count_cooccurrences(TEXTS, min_count=1, symmetric=False, path=path).close()
    return path


def test_directory_holds_what_numpy_and_people_can_read(directory):
    assert sorted(os.listdir(directory)) == [
        "config.json",
        "contexts.npy",
        "counts.npy",
        "starts.npy",
        "vocabulary.txt",
    ]
    starts, contexts, counts = (np.load(directory / f"{name}.npy") for name in ("starts", "contexts", "counts"))
    assert [starts.dtype, contexts.dtype, counts.dtype] == [np.int64, np.int32, np.float32]
    assert starts.tolist() == [0, 1, 2, 4, 5, 8]
    assert contexts.tolist() == [0, 0, 0, 1, 2, 0, 1, 2]
    assert counts.tolist() == [
        np.float32(MATRIX[row][c]) for row, c in zip([0, 1, 2, 2, 3, 4, 4, 4], contexts, strict=True)
    ]
    assert json.loads((directory / "config.json").read_text()) == {
        "format": "daneo",
        "version": 1,
        "kind": "cooccurrences",
        "window": 10,
        "weighting": "harmonic",
        "symmetric": True,
        "num_tokens": 9,
        "num_stored": NUM_STORED,
        "num_pairs": NUM_PAIRS,
    }
    assert os.listdir(directory.parent) == ["counts"]


def test_open_gives_what_was_counted(directory):
    made = count_cooccurrences(TEXTS, min_count=1)
    for pairs in (made, Cooccurrences.open(directory), Cooccurrences.open(str(directory))):
        assert pairs.vocabulary.words == WORDS
        assert (pairs.window, pairs.weighting, pairs.symmetric) == (10, "harmonic", True)
        assert (pairs.num_tokens, pairs.num_stored, pairs.num_pairs) == (9, NUM_STORED, NUM_PAIRS)
        assert np.array_equal(pairs.matrix().toarray(), np.array(MATRIX, dtype=np.float32))
        assert "15 pairs in a window of 10" in repr(pairs)


def test_rows_are_any_range(directory):
    pairs = Cooccurrences.open(directory)
    for start in range(6):
        for stop in range(start, 6):
            starts, contexts, counts = pairs.rows(start, stop)
            assert (starts[0], len(starts)) == (0, stop - start + 1)
            for row in range(start, stop):
                part = slice(starts[row - start], starts[row - start + 1])
                stored = [c for c in range(row + 1) if MATRIX[row][c]]
                assert contexts[part].tolist() == stored
                assert counts[part].tolist() == [np.float32(MATRIX[row][c]) for c in stored]
    for start, stop in ((-1, 2), (0, 6), (3, 2)):
        with pytest.raises(IndexError, match=f"Expected 0 <= start <= stop <= 5, got start={start}, stop={stop}"):
            pairs.rows(start, stop)


def test_ranges_cover_all_rows(directory):
    pairs = Cooccurrences.open(directory)
    assert list(pairs.ranges()) == [(0, 5)]
    assert list(pairs.ranges(2)) == [(0, 2), (2, 3), (3, 4), (4, 5)]  # the last has three pairs
    assert list(pairs.ranges(4)) == [(0, 3), (3, 5)]


def test_a_one_sided_matrix_is_what_stands_on_the_left(one_sided):
    pairs = Cooccurrences.open(one_sided)
    matrix = pairs.matrix()
    left = np.zeros((5, 5), dtype=np.float32)
    for text in TEXTS:
        ids = [WORDS.index(word) for word in text.split()]
        for i, word in enumerate(ids):
            for d in range(1, i + 1):
                left[word, ids[i - d]] += np.float32(1 / d)
    np.testing.assert_allclose(matrix.toarray(), left, rtol=1e-6)
    assert matrix.nnz == pairs.num_pairs == pairs.num_stored == 10


def test_a_matrix_is_fit_for_scipy(directory):
    matrix = Cooccurrences.open(directory).matrix()
    assert (matrix.format, matrix.dtype, matrix.indices.dtype, matrix.indptr.dtype) == (
        "csr",
        np.float32,
        np.int32,
        np.int32,
    )
    again = matrix.copy()
    again.has_canonical_format = False
    again.sum_duplicates()
    assert np.array_equal(again.indices, matrix.indices)
    matrix.data[0] = 7  # it is the caller's, and the file stays as it is
    assert Cooccurrences.open(directory).matrix().toarray()[0, 0] == np.float32(2 / 3)


def test_the_most_frequent_pairs(directory, monkeypatch):
    pairs = Cooccurrences.open(directory)
    by_count = [("cat", "the", 2.5), ("and", "the", 1.5), ("dog", "the", 1.25), ("a", "dog", 1.0), ("and", "cat", 1.0)]
    assert pairs.most_frequent(5) == by_count
    assert pairs.most_frequent(1) == by_count[:1]
    assert len(pairs.most_frequent(99)) == NUM_STORED
    monkeypatch.setattr(Cooccurrences, "ranges", lambda _: ((row, row + 1) for row in range(5)))
    assert pairs.most_frequent(4) == by_count[:4]


def test_temporary_files_go_with_the_object(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with count_cooccurrences(TEXTS, min_count=1) as pairs:
        (name,) = os.listdir(tmp_path)
        assert name.startswith("daneo-cooccurrences-")
    assert os.listdir(tmp_path) == []
    for question in (pairs.matrix, pairs.most_frequent, lambda: pairs.rows(0, 1)):
        with pytest.raises(ValueError, match="have been closed"):
            question()
    forgotten = count_cooccurrences(TEXTS, min_count=1)
    assert len(os.listdir(tmp_path)) == 1
    del forgotten
    gc.collect()
    assert os.listdir(tmp_path) == []


def test_closing_keeps_files_that_have_a_path(directory):
    with Cooccurrences.open(directory) as pairs:
        pairs.matrix()
    assert Cooccurrences.open(directory).num_pairs == NUM_PAIRS


def test_counts_written_again_are_not_those_that_were_opened(tmp_path):
    path = tmp_path / "counts"
    counted = count_cooccurrences(TEXTS, min_count=1, path=path)
    opened = Cooccurrences.open(path)
    counts = opened.rows(0, 5)[2]
    before = counts.tolist()
    newest = count_cooccurrences([" ".join(f"w{i}" for i in range(50))], min_count=1, path=path)
    of_both = (counted.matrix, opened.matrix, counted.most_frequent, opened.most_frequent, counted.ranges)
    for question in (*of_both, lambda: opened.rows(0, 0), lambda: opened.rows(0, 1)):
        with pytest.raises(ValueError, match=r"counts was written again, or removed, since it was opened") as caught:
            question()
        assert "\n" not in str(caught.value)
    assert counts.tolist() == before  # what was mapped stays
    assert newest.matrix().nnz == newest.num_pairs
    shutil.rmtree(path)
    with pytest.raises(ValueError, match=r"written again, or removed"):
        newest.matrix()


def test_opening_loads_nothing_heavy(directory):
    code = (
        "import sys; from daneo.corpus import Cooccurrences\n"
        f"Cooccurrences.open({str(directory)!r}).most_frequent(3)\n"
        "print([name for name in ('numba', 'scipy', 'torch') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def changed(directory: Path, **values: object) -> None:
    path = directory / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def rewrite(directory: Path, name: str, values: list[float], dtype: object) -> None:
    np.save(directory / f"{name}.npy", np.array(values, dtype=dtype))


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        (lambda d: shutil.rmtree(d), "is not a directory of counted pairs: it has no config.json"),
        (lambda d: (d / "config.json").write_text("{"), "config.json is not JSON"),
        (lambda d: changed(d, kind="encoded-corpus"), "is not a directory of counted pairs"),
        (lambda d: changed(d, version=2), "has version 2; this daneo reads version 1"),
        (lambda d: changed(d, window=0), "window is missing or wrong"),
        (lambda d: changed(d, window=True), "window is missing or wrong"),
        (lambda d: changed(d, weighting="cubic"), "weighting is missing or wrong"),
        (lambda d: changed(d, weighting=["harmonic"]), "weighting is missing or wrong"),
        (lambda d: changed(d, symmetric=1), "symmetric is missing or wrong"),
        (lambda d: changed(d, num_tokens=-1), "num_tokens is missing or wrong"),
        (lambda d: changed(d, num_pairs="15"), "num_pairs is missing or wrong"),
        (lambda d: changed(d, num_pairs=17), "num_stored and num_pairs disagree"),
        (lambda d: changed(d, num_pairs=7), "num_stored and num_pairs disagree"),
        (lambda d: changed(d, symmetric=False), "num_stored and num_pairs disagree"),
        (lambda d: changed(d, num_stored=9), "contexts.npy is damaged: expected 164 bytes, got 160. Count again."),
        (lambda d: changed(d, num_stored=10**15, num_pairs=10**15), "expected 4000000000000128 bytes"),
        (lambda d: (d / "counts.npy").unlink(), "counts.npy"),
        (lambda d: (d / "vocabulary.txt").unlink(), "vocabulary.txt is not a file"),
        (lambda d: (d / "counts.npy").write_bytes(b"x" * 100), "counts.npy is damaged: expected 160 bytes, got 100"),
        (lambda d: rewrite(d, "counts", [1] * 8, np.int32), "counts.npy is damaged: expected the header"),
        (
            lambda d: rewrite(d, "starts", [0, 1, 4, 2, 5, 8], np.int64),
            "starts.npy is damaged: expected numbers that rise",
        ),
        (
            lambda d: rewrite(d, "starts", [1, 1, 2, 4, 5, 8], np.int64),
            "starts.npy is damaged: expected numbers that rise",
        ),
        (
            lambda d: rewrite(d, "starts", [0, 1, 2, 4, 5, 9], np.int64),
            "starts.npy is damaged: expected numbers that rise",
        ),
        (lambda d: rewrite(d, "starts", [0, -(2**63), 2, 4, 5, 8], np.int64), "starts.npy is damaged"),
    ],
)
def test_damaged_directories_are_refused(directory, damage, complaint):
    damage(directory)
    with pytest.raises((ValueError, FileNotFoundError), match=complaint) as caught:
        Cooccurrences.open(directory)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "values", "complaint"),
    [
        ("contexts", [0, 0, 0, 1, 2, 0, 1, 5], "contexts.npy is damaged: expected ids"),
        ("contexts", [0, 0, 0, 1, 2, 0, 1, -1], "contexts.npy is damaged: expected ids"),
        ("contexts", [0, 0, 0, 1, 2, 0, 0, 2], "contexts.npy is damaged: expected ids"),
        ("contexts", [0, 0, 1, 0, 2, 0, 1, 2], "contexts.npy is damaged: expected ids"),
        ("contexts", [0, 0, 0, 1, 4, 0, 1, 2], "contexts.npy is damaged: expected ids"),
        ("counts", [1, 1, 1, 1, 1, 1, 1, np.nan], "counts.npy is damaged: expected numbers above 0"),
        ("counts", [1, 1, 1, np.inf, 1, 1, 1, 1], "counts.npy is damaged: expected numbers above 0"),
        ("counts", [1, 1, 1, 0, 1, 1, 1, 1], "counts.npy is damaged: expected numbers above 0"),
        ("counts", [1, 1, 1, 1, -1, 1, 1, 1], "counts.npy is damaged: expected numbers above 0"),
    ],
)
def test_pairs_of_a_stranger_are_checked_when_they_are_read(directory, name, values, complaint):
    rewrite(directory, name, values, np.int32 if name == "contexts" else np.float32)
    pairs = Cooccurrences.open(directory)
    for question in (pairs.matrix, pairs.most_frequent, lambda: pairs.rows(0, 5)):
        with pytest.raises(ValueError, match=complaint) as caught:
            question()
        assert "\n" not in str(caught.value)


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_mutated_files_give_a_clear_error_or_possible_counts(directory, one_sided, data, tmp_path_factory):
    copy = tmp_path_factory.mktemp("mutated") / "counts"
    shutil.copytree(data.draw(st.sampled_from([directory, one_sided])), copy)
    path = copy / data.draw(st.sampled_from(sorted(os.listdir(copy))))
    content = bytearray(path.read_bytes())
    start = data.draw(st.integers(0, len(content)))
    content[start : start + data.draw(st.integers(0, 6))] = data.draw(st.binary(max_size=6))
    path.write_bytes(content)
    with suppress(ValueError, FileNotFoundError):
        pairs = Cooccurrences.open(copy)
        matrix, size = pairs.matrix(), len(pairs.vocabulary)
        assert matrix.shape == (size, size)
        assert matrix.indices.size == 0 or 0 <= matrix.indices.min() <= matrix.indices.max() < size
        assert (matrix.data > 0).all()
        if pairs.symmetric:
            assert np.array_equal(matrix.toarray(), matrix.toarray().T)
