from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daneo.corpus import hangul

SYLLABLES = [chr(code) for code in range(0xAC00, 0xD7A4)]

# Letters that could be mistaken for one another: syllables, jamo of every kind, our own marks, Park et al.'s "e".
korean = st.text(
    st.sampled_from(
        [*"가각힣글ㄱㄴㅎㅋㅏㅣㅠㄳㅄaeE <>", *hangul.NO_FINAL, *hangul.LITERAL, "\u1100", "\u1161", "\u11a8"]
    )
)


def test_there_are_11172_syllables_and_each_comes_back():
    assert len(SYLLABLES) == 11172
    spelled = [hangul.decompose(syllable) for syllable in SYLLABLES]
    assert {len(three) for three in spelled} == {3}
    assert len(set(spelled)) == 11172
    assert [hangul.compose(three) for three in spelled] == SYLLABLES


def test_agrees_with_unicode_decomposition():
    # NFD gives conjoining jamo; NFKD of a compatibility jamo is the conjoining one that it stands for.
    for syllable in SYLLABLES:
        lead, vowel, *final = unicodedata.normalize("NFD", syllable)
        ours = hangul.decompose(syllable)
        assert unicodedata.normalize("NFKD", ours[0]) == lead
        assert unicodedata.normalize("NFKD", ours[1]) == vowel
        assert (ours[2] == hangul.NO_FINAL) == (not final)
        if final:
            name = unicodedata.name(final[0]).removeprefix("HANGUL JONGSEONG ")
            assert unicodedata.name(ours[2]).removeprefix("HANGUL LETTER ") == name


@given(st.text() | korean)
def test_any_text_comes_back(text):
    assert hangul.compose(hangul.decompose(text)) == text


@given(korean, korean)
def test_different_texts_stay_different(one, other):
    assert (hangul.decompose(one) == hangul.decompose(other)) == (one == other)


def test_lone_surrogates_come_back():
    assert hangul.compose(hangul.decompose("가\ud800나\udfff")) == "가\ud800나\udfff"


@pytest.mark.parametrize(
    ("text", "spelled"),
    [
        ("한글", "ㅎㅏㄴㄱㅡㄹ"),
        ("나", "ㄴㅏ" + hangul.NO_FINAL),
        ("word2vec e", "word2vec e"),
        ("ㅋㅋㅋ ㅠㅠ", "ㅋㅋㅋ ㅠㅠ"),
        ("ㅎ아", "ㅎㅇㅏ" + hangul.NO_FINAL),
        ("ㅎㅏㄴ", f"ㅎ{hangul.LITERAL}ㅏㄴ"),
        (hangul.NO_FINAL, hangul.LITERAL + hangul.NO_FINAL),
    ],
)
def test_spelling(text, spelled):
    assert hangul.decompose(text) == spelled


@pytest.mark.parametrize("text", ["ㄴㅏ", "ㅎㅏe", hangul.LITERAL, "ㅏㄴ", hangul.NO_FINAL])
def test_compose_leaves_what_is_no_whole_syllable(text):
    assert hangul.compose(text) == text
