"""An index of neighbours against brute force in plain NumPy, and against our own exact search."""

from __future__ import annotations

import inspect
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import MISSING, fields
from pathlib import Path

import numpy as np
import pytest

from daneo.embeddings import NeighbourIndex, SubwordVectors, WordVectors
from daneo.embeddings.neighbour_index_config import STORAGES, NeighbourIndexConfig
from daneo.embeddings.neighbour_index_digests import digest_of_bytes, digest_of_rows, digest_of_words
from daneo.embeddings.neighbour_index_storage import STORAGE, as_bytes
from daneo.embeddings.subwords.ngram_vectors import NgramVectors
from daneo.embeddings.subwords.subwords import Subwords
from daneo.progress import Progress

NUM_WORDS, VECTOR_SIZE = 2000, 16
WITHOUT_DIRECTION = {"w50": 0.0, "w60": np.nan, "w70": np.inf}


def clustered(num_words: int, seed: int = 0) -> np.ndarray:
    """Vectors of different lengths around 50 centers: what has neighbours."""
    rng = np.random.default_rng(seed)
    rows = rng.standard_normal((50, VECTOR_SIZE))[rng.integers(0, 50, num_words)]
    rows += 0.6 * rng.standard_normal(rows.shape)
    return (rows * rng.uniform(0.1, 9, (num_words, 1))).astype(np.float32)


def named(rows: np.ndarray) -> WordVectors:
    return WordVectors([f"w{number}" for number in range(len(rows))], rows)


@pytest.fixture(scope="module")
def rows() -> np.ndarray:
    matrix = clustered(NUM_WORDS)
    for word, value in WITHOUT_DIRECTION.items():
        matrix[int(word[1:])] = value
    return matrix


@pytest.fixture(scope="module")
def vectors(rows: np.ndarray) -> WordVectors:
    return named(rows)


# So many links and candidates that every word is found; one thread, for no word to have lost its links to a race.
THOROUGH = {"connectivity": 64, "expansion_add": 400, "expansion_search": 400, "num_threads": 1}


@pytest.fixture(scope="module")
def index(vectors: WordVectors) -> NeighbourIndex:
    return NeighbourIndex.build(vectors, **THOROUGH)


def brute_force(rows: np.ndarray, query: np.ndarray, own: int | None, count: int = 10) -> list[int]:
    """The rows of the greatest cosines in double precision, best first; equal ones do not occur here."""
    wide = rows.astype(np.float64)
    with np.errstate(all="ignore"):
        cosines = wide @ query / np.linalg.norm(wide, axis=1) / np.linalg.norm(query)
    cosines[~np.isfinite(cosines)] = -np.inf
    if own is not None:
        cosines[own] = -np.inf
    return np.argsort(-cosines)[:count].tolist()


def test_many_candidates_find_what_brute_force_finds(index: NeighbourIndex, rows: np.ndarray) -> None:
    for number in range(0, NUM_WORDS, 97):
        near = index.most_similar(f"w{number}")
        assert [int(word[1:]) for word, _ in near] == brute_force(rows, rows[number].astype(np.float64), number)


@pytest.mark.parametrize("storage", STORAGES)
def test_answers_are_those_of_exact_search_to_the_last_bit(vectors: WordVectors, storage: str) -> None:
    index = NeighbourIndex.build(vectors, storage=storage, **THOROUGH)
    assert index.report.recall == 1
    asked = [word for word in vectors.words if word not in WITHOUT_DIRECTION]
    assert index.most_similar(asked) == vectors.most_similar(asked)


def test_a_word_a_batch_a_sum_and_a_vector(index: NeighbourIndex, vectors: WordVectors, rows: np.ndarray) -> None:
    assert index.most_similar("w7", topn=3) == vectors.most_similar("w7", topn=3)
    assert index.most_similar(["w7", "w8"], topn=3) == [
        index.most_similar("w7", topn=3),
        index.most_similar("w8", topn=3),
    ]
    assert index.most_similar([]) == []
    question = {"positive": ["w1", ("w2", 0.5)], "negative": "w3"}
    assert index.most_similar(**question) == vectors.most_similar(**question)
    assert vectors.most_similar("w7", index=index) == vectors.most_similar("w7")
    query = rows[9].astype(np.float64) + rows[10]
    near = index.most_similar(query, topn=5)
    assert [int(word[1:]) for word, _ in near] == brute_force(rows, query, None, 5)


def test_the_word_itself_and_words_without_direction_are_no_answers(index: NeighbourIndex) -> None:
    assert len(index) == NUM_WORDS - len(WITHOUT_DIRECTION) == index.report.num_words
    for word in ("w0", "w49", "w51"):
        answers = {near for near, _ in index.most_similar(word, topn=300)}
        assert len(answers) == 300
        assert not answers & {word, *WITHOUT_DIRECTION}


def test_a_question_for_nearly_all_words_is_answered_exactly(index: NeighbourIndex, vectors: WordVectors) -> None:
    assert index.most_similar("w1", topn=1500) == vectors.most_similar("w1", topn=1500)
    assert len(index.most_similar("w1", topn=9999)) == NUM_WORDS - 1 - 2  # itself, and the two that are not finite


def test_a_zero_vector_is_near_to_nothing(index: NeighbourIndex, vectors: WordVectors) -> None:
    assert index.most_similar(["w50", "w1"]) == vectors.most_similar(["w50", "w1"])
    assert index.most_similar("w50", topn=2) == [("w0", 0.0), ("w1", 0.0)]


def test_the_report_agrees_with_brute_force(vectors: WordVectors, rows: np.ndarray) -> None:
    index = NeighbourIndex.build(vectors, connectivity=2, expansion_add=8, expansion_search=10)
    shares = []
    for number in range(0, NUM_WORDS, 2):
        if f"w{number}" not in WITHOUT_DIRECTION:
            near = {int(word[1:]) for word, _ in index.most_similar(f"w{number}")}
            shares.append(len(near & set(brute_force(rows, rows[number].astype(np.float64), number))) / 10)
    assert 0.2 < np.mean(shares) < 0.95  # so poor a graph misses much, and the report says so
    assert index.report.recall == pytest.approx(np.mean(shares), abs=0.03)
    assert index.report.num_questions == NUM_WORDS - len(WITHOUT_DIRECTION)


def test_candidates_are_as_few_as_the_recall_allows() -> None:
    vectors = named(np.random.default_rng(3).standard_normal((800, 48)))
    few, many = (
        NeighbourIndex.build(vectors, recall=recall, connectivity=4, expansion_add=16, num_threads=1)
        for recall in (0.7, 0.95)
    )
    assert few.report.expansion_search < many.report.expansion_search
    assert few.report.recall < many.report.recall
    assert many.report.recall >= 0.94  # other words than it was chosen by


def test_a_recall_out_of_reach_is_reported_as_it_is() -> None:
    vectors = named(np.random.default_rng(0).standard_normal((600, 64)))
    index = NeighbourIndex.build(vectors, connectivity=2, expansion_add=4, recall=1.0)
    assert index.report.expansion_search == 600
    assert index.report.recall < 1


def test_equal_words_count_as_found() -> None:
    vectors = named(np.repeat(np.random.default_rng(0).standard_normal((20, 8)), 50, axis=0))
    index = NeighbourIndex.build(vectors, expansion_search=300)
    assert index.report.recall > 0.99
    assert {score for _, score in index.most_similar("w0")} == {1.0}


def test_one_thread_gives_the_same_file_every_time(tmp_path: Path, vectors: WordVectors) -> None:
    for name in ("one", "other"):
        NeighbourIndex.build(vectors, num_threads=1, expansion_search=16).save(tmp_path / name)
    one, other = ((tmp_path / name / "index.usearch").read_bytes() for name in ("one", "other"))
    assert one == other


def test_words_never_seen_are_asked_for_by_their_ngrams() -> None:
    rng = np.random.default_rng(2)
    words = [f"{first}{second}ing" for first in "abcdefghijklmnop" for second in "abcdefghij"]
    subwords = Subwords(min_ngram=3, max_ngram=3, num_buckets=500)
    ngrams = NgramVectors(subwords, rng.standard_normal((500, 8)).astype(np.float32))
    vectors = SubwordVectors(words, rng.standard_normal((len(words), 8)), ngrams)
    index = NeighbourIndex.build(vectors, **THOROUGH)
    assert "zzing" not in vectors
    assert index.most_similar("zzing", topn=5) == vectors.most_similar("zzing", topn=5)


def test_compressed_vectors_have_an_index_too(vectors: WordVectors) -> None:
    words = [word for word in vectors.words if word not in WITHOUT_DIRECTION]
    smaller, _ = vectors.restricted(words).compressed(storage="float16")
    index = NeighbourIndex.build(smaller, **THOROUGH)
    assert index.most_similar(words[:64]) == smaller.most_similar(words[:64])


@pytest.mark.parametrize("change", ["replace", "assign", "add", "normalise"])
def test_changed_vectors_are_noticed(change: str, tmp_path: Path) -> None:
    vectors = named(clustered(100))
    vectors["w1"] = vectors["w1"]  # from here on changes are made in place
    index = NeighbourIndex.build(vectors)
    assert index.most_similar("w1") == vectors.most_similar("w1")
    if change == "replace":
        vectors.add_vectors(["w2"], np.ones((1, VECTOR_SIZE)), replace=True)
    elif change == "assign":
        vectors["w2"] = np.ones(VECTOR_SIZE)
    elif change == "add":
        vectors.add_vectors(["new"], np.ones((1, VECTOR_SIZE)))
    else:
        vectors.unit_normalize_all()
    for use in (lambda: index.most_similar("w1"), lambda: index.save(tmp_path / "index")):
        with pytest.raises(ValueError, match="The index is of other vectors, or they have changed since"):
            use()
    assert not (tmp_path / "index").exists()


def test_an_index_answers_for_its_own_vectors_only(index: NeighbourIndex, rows: np.ndarray) -> None:
    with pytest.raises(ValueError, match="The index is of other vectors"):
        named(rows).most_similar("w1", index=index)


def test_an_index_searches_all_words(index: NeighbourIndex, vectors: WordVectors) -> None:
    for part in ({"restrict_vocab": 9}, {"clip_start": 1}, {"clip_end": 3}):
        with pytest.raises(TypeError, match="An index searches all words. Leave out restrict_vocab"):
            vectors.most_similar("w1", index=index, **part)
    assert vectors.most_similar("w1", index=index, restrict_vocab=9999) == vectors.most_similar("w1")


def test_unknown_words_and_wrong_settings_are_errors(index: NeighbourIndex, vectors: WordVectors) -> None:
    with pytest.raises(KeyError, match="w9999"):
        index.most_similar("w9999")
    with pytest.raises(ValueError, match="topn expected at least 1, got 0"):
        index.most_similar("w1", topn=0)
    with pytest.raises(ValueError, match=r"NeighbourIndex\(storage=...\) expected one of int8, bfloat16; got 'int4'"):
        NeighbourIndex.build(vectors, storage="int4")
    with pytest.raises(ValueError, match=r"NeighbourIndex\(recall=...\) expected at most 1, got 98"):
        NeighbourIndex.build(vectors, recall=98)


def test_too_few_words_to_measure_anything() -> None:
    with pytest.raises(ValueError, match="An index needs at least 2 words with a direction, got 1 of 3."):
        NeighbourIndex.build(named(np.array([[0, 0], [1, 1], [np.nan, 1]])))
    vectors = named(np.array([[1, 0], [1, 1]]))
    index = NeighbourIndex.build(vectors)
    assert index.most_similar("w0") == vectors.most_similar("w0")
    assert (index.report.recall, index.report.num_questions) == (1, 2)


def test_several_threads_may_ask(index: NeighbourIndex, vectors: WordVectors) -> None:
    words = [f"w{number}" for number in range(100, 164)]
    expected = vectors.most_similar(words)
    with ThreadPoolExecutor(4) as pool:
        for answers in pool.map(lambda _: index.most_similar(words), range(12)):
            assert answers == expected


def test_the_settings_are_written_down_once() -> None:
    arguments = inspect.signature(NeighbourIndex.build).parameters
    defaults = {field.name: field.default for field in fields(NeighbourIndexConfig)}
    assert {name: arguments[name].default for name in arguments if name not in ("vectors", "progress")} == defaults
    assert MISSING not in defaults.values()
    assert tuple(STORAGE) == STORAGES


def test_progress_is_reported(vectors: WordVectors) -> None:
    reports: list[Progress] = []
    NeighbourIndex.build(vectors, progress=reports.append)
    num_asked = NUM_WORDS - len(WITHOUT_DIRECTION)
    totals = {"indexing": NUM_WORDS, "choosing": num_asked, "measuring": num_asked}
    assert {report.stage: report.total for report in reports} == totals
    assert {report.stage: report.done for report in reports} == totals  # the last of each stage


def test_the_report_is_a_table(index: NeighbourIndex) -> None:
    lines = str(index.report).splitlines()
    assert lines[0].split() == ["words", "1,997"]
    assert lines[4].split() == ["candidates", "a", "question", "400"]
    assert lines[5].split() == ["recall", "at", "10,", "of", "1,997", "words", "1.0000"]
    assert repr(index) == "<NeighbourIndex: 1,997 words, recall at 10 1.0000>"


def test_bytes_keep_the_direction() -> None:
    rng = np.random.default_rng(5)
    units = rng.standard_normal((200, 300))
    units /= np.linalg.norm(units, axis=1, keepdims=True)
    stored = as_bytes(units).astype(np.float64)
    assert np.abs(stored).max(axis=1).tolist() == [127] * 200
    cosines = (stored * units).sum(axis=1) / np.linalg.norm(stored, axis=1)
    # A rounding of up to half a step of 127 a number, of which the largest of 300 is about 3 times the usual.
    assert cosines.min() > 0.9999


def test_digests_tell_every_bit(rows: np.ndarray) -> None:
    digest = digest_of_rows(rows, num_threads=1)
    assert digest == digest_of_rows(rows.copy(), num_threads=3)
    assert digest == digest_of_rows(np.asfortranarray(rows))
    for row, column in ((0, 0), (NUM_WORDS - 1, VECTOR_SIZE - 1)):
        changed = rows.copy()
        changed[row, column] = np.nextafter(changed[row, column], np.float32(9))
        assert digest_of_rows(changed) != digest
    assert digest_of_rows(rows.reshape(VECTOR_SIZE, -1)) != digest
    assert digest_of_words(["ab", "c"]) != digest_of_words(["a", "bc"])
    assert digest_of_words(["\udc80"]) != digest_of_words(["\udc81"])  # bytes that were not UTF-8
    data = np.zeros(20 << 20, dtype=np.uint8)
    assert digest_of_bytes(data, num_threads=1) == digest_of_bytes(data, num_threads=2)
    data[-1] = 1
    assert digest_of_bytes(data) != digest_of_bytes(np.zeros(20 << 20, dtype=np.uint8))


def test_only_an_index_loads_usearch() -> None:
    code = """
import sys, daneo
vectors = daneo.WordVectors(["north", "east", "south"], [[0, 1], [1, 0], [0, -1]])
vectors.most_similar("north")
daneo.NeighbourIndex
print("usearch" in sys.modules, "numba" in sys.modules)
daneo.NeighbourIndex.build(vectors)
print("usearch" in sys.modules)"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False", "True"]


def test_without_usearch_the_error_names_the_command_to_run(
    vectors: WordVectors, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "usearch", None)  # as if it were not installed
    with pytest.raises(ImportError, match=r"An index of neighbours needs usearch.* Run: pip install 'daneo\[index\]'"):
        NeighbourIndex.build(vectors)
