"""Subwords: fastText's n-grams and buckets, gensim's hashes, and many words at once as one by one."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from daneo.corpus.hangul import NO_FINAL
from daneo.embeddings.subwords import subwords as subwords_module
from daneo.embeddings.subwords.subwords import Subwords, as_bytes

# Words with something in them that could go wrong.
TRICKY = [
    *(
        "",
        "a",
        "<",
        ">",
        "<>",
        "</s>",
        "</s",
        "</s>>",
        "where",
        "naïve",
        "ßßß",
        "日本語",
        "😀",
        "👨\u200d👩\u200d👧",
        "x😀y",
    ),
    *(
        "한글",
        "나",
        "값",
        "먹었다",
        "카톡ㅋㅋ",
        "ㅋㅋ",
        "ㅎㅏㄴ",
        "BTS는",
        "3월",
        "e나e",
        "가힣",
        "\uabff가",
        "힣\ud7a4",
    ),
    *("\u1112\u1161\u11ab", "가\u11a8", "a\u0301", NO_FINAL, f"나{NO_FINAL}", "\n", "a b", "\0", "\U0010ffff"),
    *(
        "\udcff",
        "\udc80",
        "\udc80가",
        "가\udcbf",
        "\udced\udc95\udc9c",
        "\udced\udc95",
        "a\udcc3",
        "\udcea\udcb0\udc80x",
    ),
    *("\udcea\udcb0\udc80\udc80", "\ud800", "x\ud800\udc80", "\udfff", "a" * 300, "한글" * 100),
]
words_drawn = st.one_of(
    st.sampled_from(TRICKY),
    st.text(st.characters(exclude_categories=[]), max_size=12),  # lone surrogates too
    st.text("가나다한글값힣ㅋㅏㅎ\u1100\u1113\u1160\u1175\u11a7\u11c2ae3<>😀", max_size=10),
    st.binary(max_size=12).map(lambda text: text.decode("utf-8", "surrogateescape")),
)
lengths_drawn = st.tuples(st.integers(0, 7), st.integers(0, 7)).map(sorted)


@st.composite
def subwords_drawn(draw: st.DrawFn) -> Subwords:
    min_ngram, max_ngram = draw(lengths_drawn)
    min_jamo, max_jamo = draw(lengths_drawn)
    if draw(st.integers(0, 4)) == 0:  # a longest of 0 may stand beside any shortest
        min_ngram, max_ngram = max_ngram, 0
    return Subwords(
        kind=draw(st.sampled_from(subwords_module.KINDS)),
        min_ngram=min_ngram,
        max_ngram=max_ngram,
        min_jamo=min_jamo,
        max_jamo=max_jamo,
        num_buckets=draw(st.sampled_from([0, 1, 2, 1000, 2_000_000, 2**31 - 1])),
    )


def one_by_one(subwords: Subwords, words: list[str]) -> tuple[list[int], list[int]]:
    """What of_words must return, from the reference: starts and buckets."""
    buckets = [subwords.buckets(word).tolist() for word in words]
    starts = [0, *np.cumsum([len(one) for one in buckets], dtype=np.int64).tolist()]
    return starts, [bucket for one in buckets for bucket in one]


# -- The same as other programs -------------------------------------------------------------------------------------


def fasttext_model(folder: Path, **settings: Any) -> Any:
    fasttext = pytest.importorskip("fasttext")
    path = folder / "text.txt"
    path.write_text("where the wild things are 한글 안녕 naïve 😀 x\n" * 20, encoding="utf-8")
    return fasttext.train_unsupervised(str(path), dim=1, epoch=1, minCount=1, verbose=0, thread=1, **settings)


@pytest.mark.parametrize(
    ("min_ngram", "max_ngram", "num_buckets"),
    [(3, 6, 2_000_000), (1, 4, 77), (2, 2, 1000), (0, 3, 1), (5, 5, 12_345), (1, 1, 999_983), (3, 40, 65_536)],
)
def test_equal_to_fasttext(tmp_path: Path, min_ngram: int, max_ngram: int, num_buckets: int) -> None:
    model = fasttext_model(tmp_path, minn=min_ngram, maxn=max_ngram, bucket=num_buckets)
    known = model.words
    assert {"where", "한글", "</s>"} <= set(known)
    subwords = Subwords(min_ngram=min_ngram, max_ngram=max_ngram, num_buckets=num_buckets)

    def compare(word: str) -> None:
        # As bytes, because the binding takes a str of valid text only.
        ngrams, ids = model.f.getSubwords(as_bytes(word), "surrogateescape")
        if word in known:
            assert (ngrams.pop(0), ids.pop(0)) == (word, known.index(word))
        assert subwords.ngrams(word) == ngrams
        assert (subwords.buckets(word) + len(known)).tolist() == ids

    for word in [*known, *TRICKY]:
        compare(word)
    settings(deadline=None, max_examples=50)(given(words_drawn)(compare))()


def test_equal_to_gensim() -> None:
    inner = pytest.importorskip("gensim.models.fasttext_inner")
    subwords = Subwords(min_ngram=2, max_ngram=5, num_buckets=54_321)
    words = ["where", "한글 안녕", "naïve", "😀x😀", "日本語", "e" * 40]
    assert subwords.of_words(words)[1].tolist() == [
        inner.ft_hash_bytes(ngram) % 54_321 for word in words for ngram in inner.compute_ngrams_bytes(word, 2, 5)
    ]
    for word in words:
        assert sorted(subwords.ngrams(word)) == sorted(inner.compute_ngrams(word, 2, 5))


# -- Many words at once ---------------------------------------------------------------------------------------------


@given(subwords_drawn(), st.lists(words_drawn, max_size=8), st.integers(1, 3))
@settings(deadline=None, max_examples=300)
def test_many_words_as_one_by_one(subwords: Subwords, words: list[str], num_threads: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(subwords_module, "WORDS_AT_ONCE", 3)
        starts, buckets = subwords.of_words(words, num_threads=num_threads)
    assert (starts.dtype, buckets.dtype) == (np.int64, np.int32)
    assert (starts.tolist(), buckets.tolist()) == one_by_one(subwords, words)


@pytest.mark.parametrize("kind", subwords_module.KINDS)
def test_tricky_words_at_once_as_one_by_one(kind: str) -> None:
    subwords = Subwords(kind=kind, min_ngram=1, max_ngram=4, num_buckets=10**9)
    starts, buckets = subwords.of_words(TRICKY)
    assert (starts.tolist(), buckets.tolist()) == one_by_one(subwords, TRICKY)
    assert [len(subwords.ngrams(word)) for word in TRICKY] == np.diff(starts).tolist()


@pytest.mark.parametrize("kind", subwords_module.KINDS)
def test_threads_and_neighbours_change_nothing(kind: str) -> None:
    rng = np.random.default_rng(3)
    letters = np.array(list("abcdefe가나다값한글ㅋㅏ3😀"))
    words = ["".join(rng.choice(letters, length)) for length in rng.integers(0, 9, 20_000)]
    subwords = Subwords(kind=kind, min_ngram=2)
    starts, buckets = subwords.of_words(words, num_threads=1)
    for got, want in zip(subwords.of_words(words, num_threads=3), (starts, buckets), strict=True):
        assert_array_equal(got, want)
    for number in (0, 1, 16_383, 16_384, 16_385, 19_999):
        assert_array_equal(buckets[starts[number] : starts[number + 1]], subwords.buckets(words[number]))


@pytest.mark.parametrize("settings", [{"num_buckets": 0}, {"max_ngram": 0}, {"max_ngram": 0, "min_ngram": 0}])
def test_no_ngrams(settings: dict[str, int]) -> None:
    subwords = Subwords(**settings)
    assert subwords.ngrams("where") == []
    starts, buckets = subwords.of_words(["where", "", "한글"])
    assert starts.tolist() == [0, 0, 0, 0]
    for none in (buckets, subwords.buckets("where"), subwords.of_words([])[1]):
        assert (none.dtype, none.shape) == (np.int32, (0,))
    assert list(subwords.ngrams_in([0, 1], ["where"])) == []


def test_each_kind_of_jamo_ngram_may_be_off() -> None:
    assert Subwords(kind="jamo", max_jamo=0, min_ngram=2).ngrams("한글날") == [
        "ㅎㅏㄴㄱㅡㄹ",
        "ㅎㅏㄴㄱㅡㄹㄴㅏㄹ",
        "ㄱㅡㄹㄴㅏㄹ",
    ]
    assert Subwords(kind="jamo", max_ngram=0, min_jamo=5).ngrams("한글") == [
        "<ㅎㅏㄴㄱ",
        "ㅎㅏㄴㄱㅡ",
        "ㅏㄴㄱㅡㄹ",
        "ㄴㄱㅡㄹ>",
    ]
    assert Subwords(kind="jamo", max_ngram=0, max_jamo=0).of_words(["한글"])[0].tolist() == [0, 0]


# -- Which n-grams fall into a bucket -------------------------------------------------------------------------------


@given(subwords_drawn(), st.lists(words_drawn, max_size=8), st.data())
@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow])
def test_ngrams_of_buckets(subwords: Subwords, words: list[str], data: st.DataObject) -> None:
    pairs = [
        (int(bucket), ngram)
        for word in words
        for bucket, ngram in zip(subwords.buckets(word), subwords.ngrams(word), strict=True)
    ]
    wanted = data.draw(st.lists(st.sampled_from([bucket for bucket, _ in pairs] or [0]), max_size=4))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(subwords_module, "WORDS_AT_ONCE", 3)
        got = list(subwords.ngrams_in(wanted, words))
    assert got == [pair for pair in dict.fromkeys(pairs) if pair[0] in wanted]


# -- What is refused ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"kind": "syllables"}, "Subwords(kind=...) expected one of characters, jamo; got 'syllables'."),
        ({"min_ngram": -1}, "Subwords(min_ngram=...) expected at least 0, got -1."),
        ({"max_ngram": 2**31}, "Subwords(max_ngram=...) expected at most 2147483647, got 2147483648."),
        ({"num_buckets": -1}, "Subwords(num_buckets=...) expected at least 0, got -1."),
        ({"num_buckets": 2**31}, "Subwords(num_buckets=...) expected at most 2147483647, got 2147483648."),
        (
            {"min_ngram": 4, "max_ngram": 3},
            "Subwords(min_ngram=...) expected at most max_ngram, 3; got 4. max_ngram=0 means no such n-grams.",
        ),
        (
            {"kind": "jamo", "min_jamo": 2, "max_jamo": 1},
            "Subwords(min_jamo=...) expected at most max_jamo, 1; got 2. max_jamo=0 means no such n-grams.",
        ),
    ],
)
def test_settings_that_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        Subwords(**settings)


@pytest.mark.parametrize("settings", [{"min_ngram": 2.5}, {"kind": 3}, {"num_buckets": "many"}, {"max_jamo": True}])
def test_settings_of_a_wrong_type(settings: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match="expected (int|str), got"):
        Subwords(**settings)


def test_threads_that_are_refused() -> None:
    with pytest.raises(ValueError, match="Expected num_threads of at least 1, got 0."):
        Subwords().of_words(["a"], num_threads=0)
