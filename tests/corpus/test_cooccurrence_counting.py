"""Counts of pairs against the definition, Stanford's program and themselves, however the text is cut."""

from __future__ import annotations

import dataclasses
import errno
import inspect
import itertools
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

import daneo
from daneo.corpus import (
    Cooccurrences,
    Corpus,
    EncodedCorpus,
    Vocabulary,
    cooccurrence,
    cooccurrence_chunk,
    cooccurrence_runs,
    count_cooccurrences,
)
from daneo.corpus.array_files import ArrayFile
from daneo.corpus.cooccurrence_config import CooccurrencesConfig
from daneo.corpus.cooccurrence_counting import count_into
from daneo.corpus.cooccurrence_memory import MemoryPlan
from daneo.corpus.cooccurrence_reference import count_cooccurrences as definition
from daneo.corpus.cooccurrence_rows import Output

COMPILED = os.environ.get("NUMBA_DISABLE_JIT") != "1"

TEXT = """the cat sat on the mat and the dog sat on the cat
the dog saw the cat on the mat

the the the mat
a dog and a cat"""
WORDS = ["the", "cat", "dog", "mat", "on", "a", "and", "sat"]
# Counted by Stanford's vocab_count and cooccur, commit 52f7dbc of 2025-07-27, built with -O3, from TEXT:
#   vocab_count -min-count 2
#   cooccur -window-size 3 -symmetric {1, 0} -distance-weighting {1, 0} -max-product 10 -overflow-length 1000
# The last two flags make it write both of its temporary files: where one stays empty, as it does for a text this small,
# the program counts the first pair of the other one twice. Keys are symmetric and distance-weighting. With the latter
# numbers are six times what the file holds.
# fmt: off
STANFORD = {
    (1, 1): [
        [44, 25, 20, 26, 25, 0, 9, 12], [25, 0, 5, 2, 12, 6, 3, 8],
        [20, 5, 0, 2, 5, 9, 9, 6], [26, 2, 2, 0, 6, 0, 6, 2],
        [25, 12, 5, 6, 0, 0, 2, 12], [0, 6, 9, 0, 0, 4, 9, 0], [9, 3, 9, 6, 2, 9, 0, 2], [12, 8, 6, 2, 12, 0, 2, 0],
    ],
    (1, 0): [
        [12, 6, 4, 6, 6, 0, 2, 4], [6, 0, 2, 1, 3, 1, 1, 2], [4, 2, 0, 1, 2, 2, 2, 1], [6, 1, 1, 0, 2, 0, 1, 1],
        [6, 3, 2, 2, 0, 0, 1, 2], [0, 1, 2, 0, 0, 2, 2, 0], [2, 1, 2, 1, 1, 2, 0, 1], [4, 2, 1, 1, 2, 0, 1, 0],
    ],
    (0, 1): [
        [22, 20, 12, 23, 7, 0, 3, 6], [5, 0, 0, 2, 9, 0, 0, 6], [8, 5, 0, 0, 5, 3, 6, 6], [3, 0, 2, 0, 0, 0, 6, 0],
        [18, 3, 0, 6, 0, 0, 2, 0], [0, 6, 6, 0, 0, 2, 3, 0], [6, 3, 3, 0, 0, 6, 0, 2], [6, 2, 0, 2, 12, 0, 0, 0],
    ],
    (0, 0): [
        [6, 4, 2, 5, 3, 0, 1, 2], [2, 0, 0, 1, 2, 0, 0, 1], [2, 2, 0, 0, 2, 1, 1, 1], [1, 0, 1, 0, 0, 0, 1, 0],
        [3, 1, 0, 2, 0, 0, 1, 0], [0, 1, 1, 0, 0, 1, 1, 0], [1, 1, 1, 0, 0, 1, 0, 1], [2, 1, 0, 1, 2, 0, 0, 0],
    ],
}
# fmt: on


def in_order(matrix: sparse.csr_array, vocabulary: Vocabulary, words: list[str]) -> np.ndarray:
    order = [vocabulary.id(word) for word in words]
    return matrix.toarray()[np.ix_(order, order)]


@pytest.mark.parametrize(("symmetric", "harmonic"), STANFORD)
def test_counts_are_those_of_stanfords_program(symmetric: int, harmonic: int) -> None:
    with count_cooccurrences(
        TEXT.split("\n"),
        min_count=2,
        window=3,
        symmetric=bool(symmetric),
        weighting="harmonic" if harmonic else "flat",
    ) as pairs:
        counted = in_order(pairs.matrix(), pairs.vocabulary, WORDS)
    theirs = np.array(STANFORD[symmetric, harmonic])
    # One-sided, their first word is the one on the left; our rows are the words whose left is looked at.
    expected = (theirs if symmetric else theirs.T) / (6 if harmonic else 1)
    assert np.array_equal(counted, expected.astype(np.float32))


def defined(documents: list[list[str]], words: list[str], config: CooccurrencesConfig) -> np.ndarray:
    counts = definition(documents, config.window, config.weighting, config.symmetric)
    return np.array([[float(counts.get((a, b), 0)) for b in words] for a in words], dtype=np.float32)


def count_by_plan(path: Path, encoded: EncodedCorpus, config: CooccurrencesConfig, plan: MemoryPlan) -> Cooccurrences:
    path.mkdir()
    count_into(path, encoded, config, plan, None)
    return Cooccurrences.open(path)


LETTERS = st.lists(st.sampled_from("abcdefghij"), max_size=30)
CONFIGS = st.builds(
    CooccurrencesConfig,
    window=st.integers(1, 45) | st.just(65_535),
    weighting=st.sampled_from(["harmonic", "flat"]),
    symmetric=st.booleans(),
)


@settings(deadline=None, max_examples=60)
@given(documents=st.lists(LETTERS, max_size=9), config=CONFIGS, data=st.data())
def test_counts_are_as_defined_wherever_the_text_is_cut(tmp_path_factory, documents, config, data):
    words = data.draw(st.lists(st.sampled_from("abcdefghij"), unique=True, min_size=1))
    unknown = data.draw(st.sampled_from([None, "<unk>"]))
    vocabulary = Vocabulary(words, unknown=unknown)
    with Corpus(documents).encode(vocabulary) as encoded, pytest.MonkeyPatch.context() as patch:
        # Small steps, so that all that can be cut is cut.
        patch.setattr(cooccurrence_chunk, "TOKENS_AT_ONCE", data.draw(st.integers(1, 50)))
        patch.setattr(cooccurrence_chunk, "MOST_VISITS", data.draw(st.integers(1, 100)))
        patch.setattr(cooccurrence_runs, "MOST_RUNS", data.draw(st.integers(2, 5)))
        size = len(vocabulary)
        plan = MemoryPlan(
            num_threads=data.draw(st.integers(1, 3)),
            chunk=data.draw(st.integers(min(1, encoded.num_tokens), encoded.num_tokens)),
            block=size + data.draw(st.integers(0, 50)),
            merged=2 * size + data.draw(st.integers(0, 50)),
        )
        with count_by_plan(tmp_path_factory.mktemp("counts") / "c", encoded, config, plan) as pairs:
            counted, num_pairs = pairs.matrix().toarray(), pairs.num_pairs
            assert sorted(os.listdir(pairs.path)) == sorted(
                ["starts.npy", "contexts.npy", "counts.npy", "vocabulary.txt", "config.json"]
            )
    kept = [[t if t in words else unknown for t in tokens if t in words or unknown] for tokens in documents]
    expected = defined(kept, vocabulary.words, config)
    if config.weighting == "flat" or config.window <= 22:
        assert np.array_equal(counted, expected)
    else:  # weights are rounded to multiples of a power of two
        np.testing.assert_allclose(counted, expected, rtol=2e-7)
    assert num_pairs == np.count_nonzero(expected)


def zipf_text(num_tokens: int, num_words: int, seed: int = 1) -> list[list[str]]:
    draw = np.random.default_rng(seed)
    ids = draw.zipf(1.3, num_tokens) % num_words
    ends = np.cumsum(draw.geometric(1 / 40, num_tokens // 30))
    return [[f"w{i}" for i in part] for part in np.split(ids, ends[ends < num_tokens])]


@pytest.mark.parametrize("symmetric", [True, False])
def test_threads_and_memory_do_not_change_a_bit(tmp_path, symmetric):
    # At window 30 weights are rounded, and sums would depend on their order if they were not whole numbers.
    config = CooccurrencesConfig(window=30 if COMPILED else 5, symmetric=symmetric)
    with Corpus(zipf_text(60_000 if COMPILED else 2_000, 1500)).encode(min_count=2) as encoded:
        size, num_tokens = len(encoded.vocabulary), encoded.num_tokens
        found = []
        for number, (threads, chunk, block, merged) in enumerate(
            [
                (1, num_tokens, 1 << 17, 1 << 20),
                (2, num_tokens, size, 2 * size),
                (3, 7_001, 2 * size, 3 * size),
                (2, 499, size, 2 * size),
            ]
        ):
            plan = MemoryPlan(threads, min(chunk, num_tokens), block, merged)
            with count_by_plan(tmp_path / str(number), encoded, config, plan) as pairs:
                found.append([(pairs.path / name).read_bytes() for name in sorted(os.listdir(pairs.path))])
    assert all(files == found[0] for files in found[1:])


def test_public_functions_agree_and_settings_are_the_dataclass_s(tmp_path):
    texts = zipf_text(3_000, 50)
    matrix = cooccurrence(texts, window=4, weighting="flat", symmetric=False, min_count=3, max_size=20)
    assert daneo.cooccurrence is cooccurrence
    assert (matrix.shape, matrix.dtype, matrix.format) == ((20, 20), np.float32, "csr")
    assert matrix.has_sorted_indices
    with Corpus(texts).encode(min_count=3, max_size=20) as encoded:
        words = encoded.vocabulary
        for given_path in (None, tmp_path / "counts"):
            with count_cooccurrences(
                encoded, words, window=4, weighting="flat", symmetric=False, num_threads=3, path=given_path
            ) as pairs:
                assert np.array_equal(pairs.matrix().toarray(), matrix.toarray())
                assert (pairs.window, pairs.weighting, pairs.symmetric) == (4, "flat", False)
                assert (pairs.num_tokens, pairs.num_pairs, pairs.num_stored) == (
                    encoded.num_tokens,
                    matrix.nnz,
                    matrix.nnz,
                )
    for function in (count_cooccurrences, cooccurrence):
        parameters = inspect.signature(function).parameters
        for field in dataclasses.fields(CooccurrencesConfig):
            assert parameters[field.name].default == field.default


def test_text_without_words_of_the_vocabulary_has_no_pairs():
    with count_cooccurrences(["a b", ""], Vocabulary(["x", "y"])) as pairs:
        assert (pairs.num_pairs, pairs.num_tokens, pairs.most_frequent()) == (0, 0, [])
        assert pairs.matrix().toarray().tolist() == [[0, 0], [0, 0]]


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        ({"window": 0}, ValueError, "window=...) expected at least 1, got 0"),
        ({"window": 65_536}, ValueError, "window=...) expected at most 65535, got 65536"),
        ({"window": 2.0}, TypeError, "window=...) expected int, got 2.0"),
        ({"weighting": "linear"}, ValueError, "weighting=...) expected one of harmonic, flat; got 'linear'"),
        ({"symmetric": 1}, TypeError, "symmetric=...) expected bool, got 1"),
        ({"min_count": 0}, ValueError, "min_count=...) expected at least 1, got 0"),
        ({"memory": 0}, ValueError, "memory=...) expected at least 1, got 0"),
        ({"num_threads": 0}, ValueError, "num_threads=...) expected at least 1, got 0"),
        ({"min_count": 99}, ValueError, "min_count"),
        ({"vocabulary": ["a"]}, TypeError, "expected a Vocabulary or None"),
    ],
)
def test_wrong_settings_are_refused(arguments, kind, message):
    with pytest.raises(kind) as caught:
        count_cooccurrences(["a b a b"] * 3, **arguments)
    assert message in str(caught.value)


@pytest.mark.parametrize("window", [1, 2, 10, 22, 23, 100, 65_535])
@pytest.mark.parametrize("num_tokens", [0, 1, 10**6, 10**9, 10**12])
def test_sums_are_whole_numbers_that_fit(window, num_tokens):
    config = CooccurrencesConfig(window=window)
    unit, weights = config.unit(num_tokens), config.weights(num_tokens)
    assert 2 * num_tokens * sum(weights) <= 2**62
    assert all(abs(weight * d - unit) <= d / 2 for d, weight in enumerate(weights[1:], start=1))
    assert min(weights[1:]) >= 1
    if window <= 22 and num_tokens <= 10**9:
        assert all(weight * d == unit for d, weight in enumerate(weights[1:], start=1))


def test_a_text_too_long_for_its_window_is_refused():
    with pytest.raises(ValueError, match="A window of 65,535 expected a text of fewer words than 10,000,000,000,000,"):
        CooccurrencesConfig(window=65_535).weights(10**13)
    assert CooccurrencesConfig(window=65_535, weighting="flat").weights(10**13)[1:] == [1] * 65_535


def test_an_encoded_corpus_keeps_its_vocabulary():
    with Corpus(["a b a b"]).encode(min_count=1) as encoded, pytest.raises(ValueError, match="has its vocabulary"):
        count_cooccurrences(encoded, Vocabulary(["b", "a"]))


@pytest.mark.parametrize("function", [count_cooccurrences, cooccurrence])
def test_words_that_are_chosen_are_not_chosen_again(function):
    texts = ["a b a b c"] * 3
    with Corpus(texts).encode(min_count=1) as encoded:
        for setting in ({"min_count": 1000}, {"max_size": 2}, {"max_size": 1}, {"min_count": 1}):
            (name,) = setting
            for vocabulary in (None, encoded.vocabulary):
                with pytest.raises(ValueError, match=rf"\({name}={setting[name]}\) got an EncodedCorpus, whose words"):
                    function(encoded, vocabulary, **setting)
            if setting != {"min_count": 1}:
                with pytest.raises(ValueError, match=rf"\({name}={setting[name]}\) got a vocabulary, whose words"):
                    function(texts, encoded.vocabulary, **setting)
        assert cooccurrence(texts, encoded.vocabulary, min_count=1).shape == (3, 3)


def test_too_little_memory_is_refused_with_what_is_enough():
    texts = zipf_text(2_000, 300)
    with pytest.raises(ValueError, match="Counting pairs of .* words on 2 threads expected memory") as caught:
        count_cooccurrences(texts, memory=1_000_000, num_threads=2)
    found = re.search(
        r"at least ([\d,]+) MB, of which this process holds ([\d,]+) already; got 1 MB", str(caught.value)
    )
    least, held = (int(number.replace(",", "")) for number in found.groups())
    assert 20 < least - held < 100
    count_cooccurrences(texts, memory=(least + 5) * 10**6, num_threads=2).close()


def test_offsets_of_a_damaged_corpus_do_no_harm(tmp_path):
    Corpus(["a b c", "a b", "c a"]).encode(min_count=1, path=tmp_path / "e").close()
    np.save(tmp_path / "e" / "offsets.npy", np.array([0, 6, -5, 7]))
    with count_cooccurrences(EncodedCorpus.open(tmp_path / "e")) as pairs:
        assert pairs.num_tokens == 7


def test_progress_is_reported_by_stage(tmp_path):
    stages: dict[str, list[tuple[int, int | None]]] = {}
    keep = lambda report: stages.setdefault(report.stage, []).append((report.done, report.total))  # noqa: E731
    count_cooccurrences(["a b a b", "b a"], min_count=1, progress=keep).close()
    assert list(stages) == ["reading", "counting"]
    assert stages["counting"][-1] == (6, 6)
    with Corpus(["a b a b", "b a"]).encode(min_count=1) as encoded:
        (tmp_path / "c").mkdir()
        count_into(tmp_path / "c", encoded, CooccurrencesConfig(), MemoryPlan(1, 3, 99, 99), keep)
    assert list(stages) == ["reading", "counting", "merging"]
    # The first half has aa, ab and, with the b beyond the cut, bb; the second has ab and bb.
    assert stages["merging"] == [(5, 5)]


def test_bytes_that_are_not_utf8_are_told(tmp_path):
    (tmp_path / "t.txt").write_bytes(b"a b \xff a b")
    with pytest.warns(UserWarning, match="U\\+FFFD stands 1 times"):
        count_cooccurrences(Corpus(tmp_path / "t.txt", errors="replace"), min_count=1).close()


class Failure(Exception):
    pass


def fail(*_: object) -> None:
    raise Failure


@pytest.mark.parametrize("existing", [True, False])
@pytest.mark.parametrize("num_threads", [1, 2])
def test_failing_leaves_what_was_there_and_nothing_else(tmp_path, monkeypatch, existing, num_threads):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    target = tmp_path / "counts"
    texts = ["a b c a b c"] * 5
    before = b""
    if existing:
        count_cooccurrences(texts, path=target).close()
        before = (target / "counts.npy").read_bytes()

    def stop_counting(report):
        if report.stage == "counting":
            raise Failure

    for path in (target, None):
        with pytest.raises(Failure):
            count_cooccurrences(texts, path=path, progress=stop_counting, num_threads=num_threads)
        with monkeypatch.context() as patch, pytest.raises(Failure):
            patch.setattr(cooccurrence_chunk.RowThreads, "blocks", fail)
            count_cooccurrences(texts, path=path, num_threads=num_threads)
    assert os.listdir(tmp_path) == (["counts"] if existing else [])
    if existing:
        assert (target / "counts.npy").read_bytes() == before


@pytest.mark.parametrize("stage", ["counting", "merging"])
def test_threads_that_fail_end_the_counting(tmp_path, monkeypatch, stage):
    ended: list[type[BaseException]] = []
    monkeypatch.setattr(cooccurrence_runs, "MOST_ROWS", 1)  # a task for each word
    if stage == "merging":
        monkeypatch.setattr(cooccurrence_runs, "_read_rows", fail)
    else:
        monkeypatch.setattr(Output, "block", fail)

    def count(encoded):
        try:
            count_into(tmp_path, encoded, CooccurrencesConfig(), MemoryPlan(2, 1_000, 40, 80), None)
        except Failure:
            ended.append(Failure)

    with Corpus(zipf_text(3_000, 40)).encode(min_count=1) as encoded:
        # Threads that wait for ever must not keep the tests from ending.
        counting = threading.Thread(target=count, args=(encoded,), daemon=True)
        counting.start()
        counting.join(timeout=60)
        assert ended == [Failure]


def test_a_strangers_directory_is_not_replaced(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="holds 'thesis.txt', which daneo did not write"):
        count_cooccurrences(["a b a b"] * 3, min_count=1, path=tmp_path)
    assert os.listdir(tmp_path) == ["thesis.txt"]


@pytest.mark.parametrize("bytes_left", [0, 700, 2_000, 4_000, 10_000])
@pytest.mark.parametrize("to_path", [True, False])
def test_a_full_disk_is_explained_and_leaves_nothing(tmp_path, monkeypatch, bytes_left, to_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    write = ArrayFile._write
    left = bytes_left

    def write_until_full(self, position, data):
        nonlocal left
        if encoded_already and (left := left - len(data)) < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        write(self, position, data)

    encoded_already = False
    with Corpus(zipf_text(3_000, 40)).encode() as encoded:
        encoded_already = True
        monkeypatch.setattr(ArrayFile, "_write", write_until_full)
        # Runs, so that the disk may also fill up while they are merged.
        monkeypatch.setattr("daneo.corpus.cooccurrence_counting.plan_memory", lambda *_: MemoryPlan(2, 1_000, 99, 99))
        with pytest.raises(OSError, match="The disk of .* is full, and nothing was written") as caught:
            count_cooccurrences(encoded, path=tmp_path / "counts" if to_path else None)
        assert caught.value.errno == errno.ENOSPC
        assert "\n" not in str(caught.value)
        assert [name for name in os.listdir(tmp_path) if "daneo-corpus" not in name] == []
    assert os.listdir(tmp_path) == []


SLOW = """
import sys, numpy as np
from daneo.corpus import Corpus, count_cooccurrences
ids = np.random.default_rng(1).integers(0, 2000, 400_000)
texts = [" ".join(f"w{i}" for i in ids)]
report = lambda progress: progress.stage == "counting" and print("going", flush=True)
count_cooccurrences(texts, window=20_000, path=sys.argv[1], num_threads=int(sys.argv[2]), progress=report)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="sends signals")
@pytest.mark.skipif(not COMPILED, reason="what is not compiled takes a while to stop")
@pytest.mark.parametrize("num_threads", [1, 2])
def test_stopped_and_killed_runs_leave_no_result(tmp_path, num_threads):
    target = tmp_path / "counts"
    command = [sys.executable, "-c", SLOW, str(target), str(num_threads)]
    for number in (signal.SIGINT, signal.SIGKILL):
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert process.stdout.readline() == "going\n"
        process.send_signal(number)
        _, errors = process.communicate(timeout=120)
        assert process.returncode != 0
        left = os.listdir(tmp_path)
        if number == signal.SIGINT:
            assert errors.splitlines()[-1].startswith("KeyboardInterrupt")
            assert left == []
        else:
            assert all(name.startswith(".counts.") and name.endswith(".part") for name in left)
    count_cooccurrences(["a b a b"], min_count=1, path=target).close()
    assert Cooccurrences.open(target).num_pairs == 4


def test_many_empty_documents_and_words_alone():
    documents = itertools.chain([[]] * 500, [["a"]] * 30, [[]] * 500, [["a", "b"]])
    with count_cooccurrences(list(documents), min_count=1, window=7) as pairs:
        assert pairs.matrix().toarray().tolist() == [[0, 1], [1, 0]]
