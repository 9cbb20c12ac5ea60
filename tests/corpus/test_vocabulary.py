from __future__ import annotations

import os
import subprocess
import sys
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from daneo import Corpus, Vocabulary

# st.text() draws no lone surrogates by default; a word may hold those, and everything that the file must escape.
any_word = st.text(st.characters() | st.sampled_from("\t\n\r\\ \x0b\x1c\x85\u2028\ud800\udfff\ufeff나tnu"), max_size=6)
any_words = st.lists(any_word, unique=True, max_size=20)


@st.composite
def vocabularies(draw):
    words = draw(any_words)
    special = draw(st.lists(any_word, unique=True, max_size=3))
    counts = draw(st.lists(st.integers(0, 10**15), min_size=len(words), max_size=len(words)))
    unknown = draw(st.none() | st.sampled_from(special) if special else st.none() | any_word)
    return Vocabulary(words, np.array(counts, dtype=np.int64), special_tokens=special, unknown=unknown)


def test_ids_are_positions():
    vocabulary = Vocabulary(["what", "time", "is", "it"], [4, 3, 2, 1])
    assert vocabulary.words == ["what", "time", "is", "it"]
    assert list(vocabulary) == vocabulary.words
    assert vocabulary.counts.tolist() == [4, 3, 2, 1]
    assert vocabulary.counts.dtype == np.int64
    assert len(vocabulary) == 4
    assert vocabulary.id("is") == 2
    assert "is" in vocabulary
    assert "was" not in vocabulary
    assert vocabulary.index == {"what": 0, "time": 1, "is": 2, "it": 3}
    assert repr(vocabulary) == "<Vocabulary of 4 words: 'what', 'time', 'is', ...>"


def test_counts_are_zero_if_not_given_and_cannot_be_changed_from_outside():
    assert Vocabulary(["a", "b"]).counts.tolist() == [0, 0]
    counts = np.array([2, 1])
    vocabulary = Vocabulary(["a", "b"], counts)
    counts[0] = 7
    assert vocabulary.counts.tolist() == [2, 1]
    with pytest.raises(ValueError, match="read-only"):
        vocabulary.counts[0] = 7


def test_special_tokens_take_the_first_ids():
    vocabulary = Vocabulary(["a", "<pad>", "b"], [3, 2, 1], special_tokens=["<s>", "<pad>"], unknown="<unk>")
    assert vocabulary.words == ["<s>", "<pad>", "<unk>", "a", "b"]
    assert vocabulary.counts.tolist() == [0, 2, 0, 3, 1]
    assert vocabulary.special_tokens == ("<s>", "<pad>", "<unk>")
    assert vocabulary.unknown == "<unk>"


@given(vocabularies())
def test_constructor_takes_its_own_attributes(vocabulary):
    again = Vocabulary(
        vocabulary.words, vocabulary.counts, special_tokens=vocabulary.special_tokens, unknown=vocabulary.unknown
    )
    assert again == vocabulary


@pytest.mark.parametrize(
    ("words", "counts", "options", "error", "message"),
    [
        (["a", "b", "a"], None, {}, ValueError, "every word once, got 'a' twice"),
        (["a"], None, {"special_tokens": ["x", "x"]}, ValueError, "every special token once, got 'x' twice"),
        (["a", "b"], [1], {}, ValueError, r"shape \(2,\), got shape \(1,\)"),
        (["a"], [-1], {}, ValueError, "counts from 0 to"),
        (["a"], [10**16], {}, ValueError, "counts from 0 to"),
        (["a"], np.array([2**63], dtype=np.uint64), {}, ValueError, "counts from 0 to"),
        (["a"], [1.5], {}, TypeError, "whole numbers"),
        (["a", b"b"], None, {}, TypeError, r"got b'b' \(bytes\)"),
        (["a", 1], None, {}, TypeError, r"got 1 \(int\)"),
        ("abc", None, {}, TypeError, "got the str 'abc'"),
        (["a"], None, {"special_tokens": "<s>"}, TypeError, "got the str '<s>'"),
    ],
)
def test_refused(words, counts, options, error, message):
    with pytest.raises(error, match=message):
        Vocabulary(words, counts, **options)


def test_equality():
    one = Vocabulary(["a", "b"], [2, 1])
    assert one == Vocabulary(np.array(["a", "b"]), [2, 1])
    assert one != Vocabulary(["a", "b"], [2, 2])
    assert one != Vocabulary(["a", "c"], [2, 1])
    assert one != Vocabulary(["a", "b"], [2, 1], special_tokens=["a"])
    assert Vocabulary(["a"], special_tokens=["a"]) != Vocabulary(["a"], unknown="a")
    assert one != ["a", "b"]


# encode, decode, one_hot


@given(vocabularies(), st.data())
def test_decode_undoes_encode(vocabulary, data):
    tokens = data.draw(st.lists(st.sampled_from(vocabulary.words))) if len(vocabulary) else []
    ids = vocabulary.encode(tokens)
    assert ids.dtype == np.int32
    assert ids.tolist() == [vocabulary.words.index(token) for token in tokens]
    assert vocabulary.decode(ids) == tokens


def test_unknown_words():
    plain = Vocabulary(["time", "is", "it"])
    with pytest.raises(KeyError, match=r"'wat' is not among the 3 words.*skip_unknown=True"):
        plain.encode(["time", "wat", "huh"])
    assert plain.encode(["time", "wat", "it"], skip_unknown=True).tolist() == [0, 2]
    marked = Vocabulary(["time", "is", "it"], special_tokens=["<pad>"], unknown="<unk>")
    assert marked.encode(["time", "wat", "it"]).tolist() == [2, 1, 4]
    assert marked.encode(["time", "wat", "it"], skip_unknown=True).tolist() == [2, 4]
    assert plain.encode([]).dtype == np.int32
    with pytest.raises(TypeError, match="list of tokens, got the str 'time'"):
        plain.encode("time")


@pytest.mark.parametrize("ids", [[3], [-1], [0, 2**40]])
def test_ids_outside_the_vocabulary(ids):
    vocabulary = Vocabulary(["a", "b", "c"])
    for method in (vocabulary.decode, vocabulary.one_hot):
        with pytest.raises(IndexError, match=r"ids go from 0 to 2\."):
            method(ids)


@pytest.mark.parametrize("ids", [[[0]], 0, [0.0], ["a"]])
def test_ids_of_the_wrong_kind(ids):
    with pytest.raises(TypeError, match=r"integers of shape \(N,\)"):
        Vocabulary(["a"]).decode(ids)


@given(st.lists(st.integers(0, 6), max_size=20))
def test_one_hot_times_a_matrix_looks_rows_up(ids):
    vocabulary = Vocabulary(list("abcdefg"))
    matrix = np.random.default_rng(1).normal(size=(7, 5)).astype(np.float32)
    rows = vocabulary.one_hot(ids)
    assert rows.shape == (len(ids), 7)
    assert rows.dtype == np.float32
    assert rows.nnz == len(ids)
    assert_array_equal(rows @ matrix, matrix[np.array(ids, dtype=int)])
    assert_array_equal(rows.toarray(), np.eye(7, dtype=np.float32)[np.array(ids, dtype=int)])


# building


def test_build_orders_by_count_and_then_spelling():
    texts = ["b b b a a a c c d", "z"]
    assert Vocabulary.build(texts, min_count=1).words == ["a", "b", "c", "d", "z"]
    vocabulary = Vocabulary.build(Corpus(texts), min_count=2)
    assert vocabulary.words == ["a", "b", "c"]
    assert vocabulary.counts.tolist() == [3, 3, 2]


def test_build_with_special_tokens():
    texts = ["<unk> time <unk> is time rare"]
    vocabulary = Vocabulary.build(
        Corpus(texts, "whitespace"), min_count=2, max_size=3, special_tokens=["<pad>"], unknown="<unk>"
    )
    assert vocabulary.words == ["<pad>", "<unk>", "time"]
    # Every token of the text counts somewhere: two written <unk>, "is" and "rare" are unknown now.
    assert vocabulary.counts.tolist() == [0, 4, 2]


def test_max_size_keeps_the_most_frequent():
    assert Vocabulary.from_counts(["a", "b", "c"], [1, 3, 2], min_count=1, max_size=2).words == ["b", "c"]
    with pytest.raises(ValueError, match="max_size above its 1 special tokens, got 1"):
        Vocabulary.from_counts(["a"], [1], min_count=1, max_size=1, unknown="<unk>")


def test_nothing_left():
    with pytest.raises(ValueError, match=r"No word occurs 5 times.*2 words occurs 3 times.*smaller min_count"):
        Vocabulary.build(["a a a b"])
    with pytest.raises(ValueError, match="holds no words"):
        Vocabulary.build(["", "  "])
    with pytest.raises(ValueError, match="min_count of at least 1, got 0"):
        Vocabulary.from_counts(["a"], [1], min_count=0)


def test_build_does_not_depend_on_the_hash_seed():
    code = (
        "import daneo; texts = ['all mimsy were the borogoves', 'and the mome raths outgrabe'];"
        "print(daneo.Vocabulary.build(texts, min_count=1, unknown='?').words)"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("1", "2")
    }
    assert len(outputs) == 1
    assert b"'the'" in outputs.pop()


@given(vocabularies(), any_words, st.data())
def test_extended_keeps_old_ids_and_adds_counts_up(vocabulary, words, data):
    counts = data.draw(st.lists(st.integers(0, 100), min_size=len(words), max_size=len(words)))
    old = [count % 10**9 for count in vocabulary.counts.tolist()]
    vocabulary = Vocabulary(vocabulary.words, old, special_tokens=vocabulary.special_tokens, unknown=vocabulary.unknown)
    more = vocabulary.extended(words, np.array(counts, dtype=np.int64))
    assert more.words[: len(vocabulary)] == vocabulary.words
    assert more.words[len(vocabulary) :] == [word for word in words if word not in vocabulary]
    expected = dict(zip(vocabulary.words, old, strict=True))
    for word, count in zip(words, counts, strict=True):
        expected[word] = expected.get(word, 0) + count
    assert dict(zip(more.words, more.counts.tolist(), strict=True)) == expected
    assert (more.special_tokens, more.unknown) == (vocabulary.special_tokens, vocabulary.unknown)


# nearest spellings


@pytest.mark.parametrize(
    ("word", "nearest"),
    [("kign", "king"), ("King", "king"), ("quen", "queen"), ("seoul", "Seoul"), ("핚교", "학교"), ("학굥", "학교")],
)
def test_nearest_spelling_comes_first(word, nearest):
    vocabulary = Vocabulary(["the", "queen", "king", "kingdom", "ring", "Seoul", "학교", "학생", "학년"])
    with pytest.raises(KeyError, match=rf"{word}.* Nearest spellings: {nearest}[,.]"):
        vocabulary.id(word)


@pytest.mark.parametrize("word", ["zzzzz", "", "x" * 500, "a\nb", "\ud800", "\ue000"])
def test_no_nearest_spelling(word):
    with pytest.raises(KeyError) as caught:
        Vocabulary(["king", "queen", "two\nlines"]).id(word)
    assert "Nearest" not in caught.value.args[0]


def test_nearest_spellings_are_found_fast_in_a_large_vocabulary():
    letters = np.random.default_rng(1).choice(list("abcdefghijklmnoprstuvwyz"), size=(300_000, 8))
    vocabulary = Vocabulary(sorted({"".join(row) for row in letters}))
    seconds = []
    for word in ("school", "aabbccdd", vocabulary.words[9][::-1] + "x"):
        vocabulary.index  # noqa: B018 -- built once, not part of the question
        began = time.perf_counter()
        with pytest.raises(KeyError):
            vocabulary.id(word)
        seconds.append(time.perf_counter() - began)
    assert min(seconds) < 0.2
