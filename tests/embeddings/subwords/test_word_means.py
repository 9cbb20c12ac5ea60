"""Vectors of known words: the kernel is the definition, whatever is asked for first, and nothing is read in vain."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from daneo.embeddings.subwords import row_means_kernels, row_means_reference, word_means
from daneo.embeddings.subwords.ngram_vectors import NgramVectors
from daneo.embeddings.subwords.subwords import Subwords
from daneo.embeddings.subwords.word_means import WordMeans

SUBWORDS = Subwords(min_ngram=2, max_ngram=4, num_buckets=200)
WORDS = ["</s>", *(f"{'ab' * (i % 4)}word{i}" for i in range(59))]
KEPT = list(range(0, 200, 3))


def rows(count: int, seed: int = 0) -> np.ndarray[Any, Any]:
    return np.random.default_rng(seed).standard_normal((count, 5)).astype(np.float32)


class SpiedRows:
    """Rows of which it is known who read them."""

    def __init__(self, matrix: np.ndarray[Any, Any]) -> None:
        self._matrix = matrix
        self.shape = matrix.shape
        self.read: set[int] = set()

    def __len__(self) -> int:
        return len(self._matrix)

    def __getitem__(self, places: Any) -> np.ndarray[Any, Any]:
        self.read |= set(np.arange(len(self))[places].ravel().tolist())
        return self._matrix[places]


def unaligned(matrix: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The same numbers at an odd address, as in a file that is mapped."""
    other = np.empty(matrix.nbytes + 1, np.uint8)[1:].view(np.float32).reshape(matrix.shape)
    other[:] = matrix
    assert not (other.size and other.flags.aligned)
    return other


@settings(deadline=None, max_examples=50)
@given(data=st.data())
def test_the_kernel_is_the_definition(data: st.DataObject) -> None:
    lengths = data.draw(st.lists(st.integers(0, 4), min_size=1, max_size=6))
    starts = np.concatenate([[0], np.cumsum(lengths)])
    total = sum(lengths)
    numbers = np.array(data.draw(st.lists(st.integers(-1, 6), min_size=total, max_size=total)), np.int64)
    counts = np.array([data.draw(st.integers(1, 9)) for _ in lengths], np.int64)
    own, matrix = rows(len(lengths), 1), rows(7, 2)
    own.flags.writeable = matrix.flags.writeable = False
    want, got = np.full((2, len(lengths), 5), 9, np.float32)
    row_means_reference.means_of_rows(own, matrix, numbers, starts, counts, want)
    row_means_kernels.means_of_rows(own, matrix, numbers, starts, counts, got)
    assert_array_equal(got, want)


def test_the_definition_by_hand() -> None:
    means = np.empty((3, 1), np.float32)
    own, matrix = np.array([[1], [2], [3]], np.float32), np.array([[10], [20]], np.float32)
    row_means_reference.means_of_rows(
        own, matrix, np.array([0, 0, -1, 1]), np.array([0, 3, 3, 4]), np.array([4, 1, 2]), means
    )
    assert means.ravel().tolist() == [21 / 4, 2, 23 / 2]
    assert row_means_reference.mean_of_rows(matrix[:0], 0).tolist() == [0]


def expected(own: np.ndarray[Any, Any], ngrams: NgramVectors) -> np.ndarray[Any, Any]:
    """The same by another way: n-grams' means put together with the words' own rows, in double precision."""
    means = []
    for word, row in zip(WORDS, own, strict=True):
        found = ngrams.rows_of(SUBWORDS.buckets(word))
        count = 1 + (len(found) if ngrams.count_missing else int((found >= 0).sum()))
        means.append((row + ngrams.rows[:][found[found >= 0]].astype(np.float64).sum(axis=0)) / count)
    return np.array(means)


@pytest.mark.parametrize("is_compiled", [False, True])
@pytest.mark.parametrize("kind", ["array", "far", "unaligned"])
@pytest.mark.parametrize("count_missing", [False, True])
@pytest.mark.parametrize("kept", [None, KEPT, []])
def test_all_ways_to_the_same_bits(
    is_compiled: bool, kind: str, count_missing: bool, kept: list[int] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(word_means, "_CHUNK", 16)
    monkeypatch.setattr(word_means, "FEW_WORDS", 10 if is_compiled else 1000)
    matrix, own = rows(200 if kept is None else len(kept)), rows(len(WORDS), 3)
    there: Any = {"array": matrix, "far": SpiedRows(matrix), "unaligned": unaligned(matrix)}[kind]
    ngrams = NgramVectors(SUBWORDS, there, kept, count_missing=count_missing)
    means = WordMeans(unaligned(own) if kind == "unaligned" else own, WORDS, ngrams)
    one_by_one = np.array([means[i] for i in range(len(WORDS))])
    np.testing.assert_allclose(one_by_one, expected(own, ngrams), rtol=1e-5, atol=1e-6)
    assert means[17:20].tolist() == one_by_one[17:20].tolist()  # computes the second chunk,
    assert_array_equal(means[[3, 59, 17, 3, 18]], one_by_one[[3, 59, 17, 3, 18]])  # which this one finds
    assert_array_equal(means[::7], one_by_one[::7])
    assert_array_equal(means[np.arange(50, 5, -2)], one_by_one[50:5:-2])
    assert_array_equal(means[:], one_by_one)
    assert_array_equal(means[59], one_by_one[59])
    assert_array_equal(means[np.int64(-1)], one_by_one[-1])
    assert means[5:5].shape == means[[]].shape == (0, 5)
    assert not means[2:4].flags.writeable


def test_of_words_that_were_never_asked_for_nothing_is_read() -> None:
    own, matrix = SpiedRows(rows(len(WORDS))), SpiedRows(rows(200))
    means = WordMeans(own, WORDS, NgramVectors(SUBWORDS, matrix))
    assert not own.read | matrix.read
    means[4]
    assert own.read == {4}
    assert matrix.read == set(SUBWORDS.buckets(WORDS[4]).tolist())


def test_a_search_of_the_first_words_computes_their_chunks_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(word_means, "_CHUNK", 16)
    own = SpiedRows(rows(len(WORDS)))
    means = WordMeans(own, WORDS, NgramVectors(SUBWORDS, rows(200)))
    means[:20]
    assert own.read == set(range(32))
    own.read.clear()
    means[:32]
    means[3]
    assert not own.read  # it was kept


def test_many_threads_may_ask_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(word_means, "_CHUNK", 4)
    monkeypatch.setattr(word_means, "FEW_WORDS", 10)
    own, ngrams = rows(len(WORDS)), NgramVectors(SUBWORDS, rows(200))
    want = WordMeans(own, WORDS, ngrams)[:]
    for _ in range(20):
        means = WordMeans(own, WORDS, ngrams)
        with ThreadPoolExecutor(4) as pool:
            parts = list(pool.map(lambda first: means[first : first + 13], range(0, 47, 3)))  # noqa: B023
        for first, part in zip(range(0, 47, 3), parts, strict=True):
            assert_array_equal(part, want[first : first + 13])


def test_attributes_and_copies() -> None:
    own, ngrams = rows(len(WORDS)), NgramVectors(SUBWORDS, rows(200))
    means = WordMeans(own, WORDS, ngrams)
    assert (means.own is own, means.words is WORDS, means.ngrams is ngrams) == (True, True, True)
    assert (means.shape, len(means)) == ((60, 5), 60)
    for other in (copy.deepcopy(means), pickle.loads(pickle.dumps(means))):
        assert_array_equal(other[:], means[:])


def test_shapes_are_checked() -> None:
    ngrams = NgramVectors(SUBWORDS, rows(200))
    for own in (rows(59), rows(60)[:, :4]):
        with pytest.raises(ValueError, match=r"expected own rows of shape \(60, 5\), one a word"):
            WordMeans(own, WORDS, ngrams)


def test_a_few_vectors_load_no_compiler(tmp_path: Path) -> None:
    np.save(tmp_path / "rows.npy", rows(200 + 20_000))
    code = f"""
import sys
import numpy as np
from daneo.embeddings import SubwordVectors
from daneo.embeddings.subwords.ngram_vectors import NgramVectors
from daneo.embeddings.subwords.subwords import Subwords
from daneo.embeddings.subwords.word_means import WordMeans
inputs = np.load({str(tmp_path / "rows.npy")!r}, mmap_mode="r")
words = [f"word{{i}}" for i in range(20_000)]
ngrams = NgramVectors(Subwords(num_buckets=200), inputs[20_000:])
vectors = SubwordVectors(words, WordMeans(inputs[:20_000], words, ngrams), ngrams)
vectors["word7"], vectors["never seen"], vectors.similarity("word3", "words"), vectors[["word1", "wörd"]]
vectors.explain_similarity("word1", "word2"), vectors.doesnt_match(["word5", "a", "b"])
print([name for name in ("numba", "scipy", "torch") if name in sys.modules])"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
