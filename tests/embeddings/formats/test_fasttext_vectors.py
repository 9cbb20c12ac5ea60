"""Vectors of fastText's models answer as fastText does: for words it has seen, for others, and for nothing at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from daneo.embeddings.formats import load
from daneo.embeddings.subword_vectors import SubwordVectors
from daneo.embeddings.word_vectors import WordVectors

from .facebook_models import TRAINED, UNSEEN, loaded, model_bytes, trained

PACKAGE_LOADS = [
    *(f"fasttext-dl4j/{name}.model.bin" for name in ("cbow", "skipgram", "supervised")),
    "gensim-test-data/crime-and-punishment.bin",
    "gensim-test-data/lee_fasttext_new.bin",
    "gensim-test-data/pang_lee_polarity_fasttext.bin",
    "gensim-test-data/toy-model.bin",
    "gensim-test-data/toy-model-pretrained.bin",
]
OF_2016 = ["lee_fasttext.bin", "non_ascii_fasttext.bin", "cp852_fasttext.bin"]


def check_answers(ours: WordVectors, theirs: Any) -> None:
    """Compare the vector of every word that can be asked for, alone, all at once, and in the matrix."""
    assert isinstance(ours, SubwordVectors)
    valid = np.array([word.isprintable() or word.isascii() for word in ours.words])
    words = [word for word, is_valid in zip(ours.words, valid, strict=True) if is_valid]
    assert len(words) >= 0.9 * len(ours) > 0
    unseen = [word for word in UNSEEN if word not in ours]
    expected = np.array([theirs.get_word_vector(word) for word in [*words, *unseen]])
    np.testing.assert_allclose([ours[word] for word in [*words, *unseen]], expected, rtol=0, atol=1e-6)
    np.testing.assert_allclose(ours[[*words, *unseen]], expected, rtol=0, atol=1e-6)
    np.testing.assert_allclose(ours.matrix[valid], expected[: len(words)], rtol=0, atol=1e-6)


@pytest.mark.parametrize("kind", TRAINED)
def test_models_of_every_kind(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "model.bin"
    path.write_bytes(trained(kind))
    ours, theirs = load(path), loaded(path)
    assert ours.words == theirs.get_words()
    assert ours.counts.tolist() == theirs.get_words(include_freq=True)[1].tolist()
    check_answers(ours, theirs)
    if theirs.get_labels()[0].startswith("__label__"):
        assert "__label__1" not in ours


@pytest.mark.parametrize("name", PACKAGE_LOADS)
def test_other_peoples_models(name: str, shared_data: Path) -> None:
    path = shared_data / "interop" / name
    check_answers(load(path, errors="surrogateescape"), loaded(path))


@pytest.mark.parametrize("name", OF_2016)
def test_models_of_2016(name: str, shared_data: Path) -> None:
    path = shared_data / "interop" / "gensim-test-data" / name
    theirs = pytest.importorskip("gensim.models.fasttext").load_facebook_vectors(str(path))
    ours = load(path, errors="surrogateescape")
    known = [word for word in ours.words if word in theirs.key_to_index]  # gensim spells bytes in its own way
    assert len(known) >= 100
    for word in [*known, "unseenword", "바다", "król", "ab", ""]:
        np.testing.assert_allclose(ours[word], theirs[word], rtol=0, atol=1e-6)


def test_a_bin_and_its_vec_hold_the_same_broken_words(shared_data: Path) -> None:
    path = shared_data / "interop" / "gensim-test-data" / "pang_lee_polarity_fasttext.bin"
    exact, text = load(path, errors="surrogateescape"), load(path.with_suffix(".vec"), errors="surrogateescape")
    assert exact.words == text.words
    assert "\udc97" in exact
    np.testing.assert_allclose(exact.matrix, text.matrix, rtol=1e-4, atol=1e-6)  # the text has five digits


@pytest.mark.parametrize("errors", ["replace", "ignore"])
def test_how_a_broken_word_is_spelt_does_not_change_its_vector(errors: str, tmp_path: Path) -> None:
    words = [b"kter\xec", b"\xf8eka", b"sea"]
    rng = np.random.default_rng(3)
    inputs = rng.standard_normal((3 + 40, 5), dtype=np.float32)
    path = tmp_path / "x.bin"
    path.write_bytes(model_bytes(words, inputs, inputs[:3], num_buckets=40))
    exact, respelt = load(path, errors="surrogateescape"), load(path, errors=errors)
    assert exact.words == ["kter\udcec", "\udcf8eka", "sea"]
    assert respelt.words == [word.decode(errors=errors) for word in words]
    assert respelt.matrix.tolist() == exact.matrix.tolist()
    # No byte of this word goes on with a letter that another has begun, so each is a letter.
    text = b"<kter\xec>"
    ngrams = [text[first : first + size] for first in range(6) for size in (2, 3) if first + size <= len(text)]
    rows = [0, *(3 + signed_fnv1a(ngram) % 40 for ngram in ngrams)]
    np.testing.assert_allclose(exact["kter\udcec"], inputs[rows].mean(axis=0), rtol=1e-5)


def signed_fnv1a(text: bytes) -> int:
    value = 2166136261
    for byte in text:
        value = (value ^ (byte if byte < 128 else byte + 0xFFFFFF00)) * 16777619 % 2**32
    return value


def test_words_that_become_one(tmp_path: Path) -> None:
    inputs = np.array([[1, 2], [3, 4], [5, 6], [7, 8]], np.float32)
    path = tmp_path / "x.bin"
    path.write_bytes(model_bytes([b"a\xec", b"b", b"a\xed", b"c"], inputs, inputs))
    assert len(load(path, errors="surrogateescape")) == 4
    with pytest.warns(UserWarning, match=r"x.bin: 1 of 4 words repeat another, the first of them 'a\ufffd'. Of each"):
        vectors = load(path, errors="replace")
    assert vectors.words == ["a\ufffd", "b", "c"]
    assert vectors.counts.tolist() == [4, 3, 1]
    assert vectors.matrix.tolist() == [[1, 2], [3, 4], [7, 8]]


def test_limit_keeps_all_ngrams(tmp_path: Path) -> None:
    path = tmp_path / "model.bin"
    path.write_bytes(trained("skip-gram"))
    some, theirs = load(path, limit=5), loaded(path)
    assert some.words == theirs.get_words()[:5]
    np.testing.assert_allclose(some.matrix, [theirs.get_word_vector(word) for word in some.words], rtol=0, atol=1e-6)
    np.testing.assert_allclose(some["unseenword"], theirs.get_word_vector("unseenword"), rtol=0, atol=1e-6)
    # A word beyond the limit is one that was never seen: the mean over its n-grams, without its own row.
    word = theirs.get_words()[9]
    ngrams = [theirs.get_input_vector(row) for row in theirs.get_subwords(word)[1][1:]]
    assert word not in some
    np.testing.assert_allclose(some[word], np.mean(ngrams, axis=0), rtol=0, atol=1e-6)


@pytest.mark.parametrize("kind", ["skip-gram", "no n-grams", "quantised"])
def test_neighbours_are_fasttexts(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "model.bin"
    path.write_bytes(trained(kind))
    ours, theirs = load(path), loaded(path)
    for word in [*ours.words[:5], "kaka새ka"]:
        if not ours[word].any():
            continue
        expected = [(name, score) for score, name in theirs.get_nearest_neighbors(word, k=4)]
        got = ours.most_similar(word, topn=4)
        np.testing.assert_allclose([score for _, score in got], [score for _, score in expected], atol=2e-6)
        assert got[0][0] == expected[0][0]


@pytest.mark.parametrize("shift", range(4))
def test_the_matrices_may_begin_at_any_byte(shift: int, tmp_path: Path) -> None:
    # So many words that all of them together are computed by compiled code, which minds.
    words = [b"x" * (shift + 1), *(b"w%d" % number for number in range(9000))]
    inputs = np.random.default_rng(8).standard_normal((9001 + 50, 6), dtype=np.float32)
    path = tmp_path / "x.bin"
    path.write_bytes(model_bytes(words, inputs, inputs[:9001], num_buckets=50))
    vectors, one_by_one = load(path), load(path)
    some = vectors.words[::450]
    np.testing.assert_allclose(vectors.matrix[::450], [one_by_one[word] for word in some], rtol=1e-6)


def test_a_model_of_labels_alone_has_no_vectors(tmp_path: Path) -> None:
    one = np.ones((1, 2), np.float32)
    path = tmp_path / "x.bin"
    path.write_bytes(model_bytes([], one[:0], one, labels=(b"__label__a",), model=3))
    with pytest.raises(ValueError, match=r"x.bin has labels only, and so no word vectors"):
        load(path)


def test_lengths_that_leave_no_ngrams(tmp_path: Path) -> None:
    # fastText does not mind a longest n-gram that is shorter than the shortest one.
    inputs = np.array([[1, 2], [3, 4], [5, 6]], np.float32)
    path = tmp_path / "x.bin"
    path.write_bytes(model_bytes([b"sea"], inputs, inputs[:1], num_buckets=2, min_ngram=4, max_ngram=3))
    vectors = load(path)
    assert [vectors["sea"].tolist(), vectors["seas"].tolist()] == [[1, 2], [0, 0]]
    assert loaded(path).get_word_vector("sea").tolist() == [1, 2]
    assert loaded(path).get_word_vector("seas").tolist() == [0, 0]
