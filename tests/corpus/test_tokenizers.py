from __future__ import annotations

import itertools
import sys
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daneo.corpus import hangul, tokenizers

# Where words begin and end is decided by these: letters, marks, digits, joiners, spaces of several kinds.
tricky = st.text(
    st.sampled_from(
        "aZ_9é-'. \t\n\x0b\x1c\x85\u00a0\u2028\u3000ΣσςİßǅK한ㅋ½Ⅷⓐ字\U0001d400"
        "\u1112\u0301\u0302\u094d\u200d\ufe0f\U000e0101\ud800"
    )
)


def words_by_definition(text: str) -> list[str]:
    """Cut a text into words one character at a time, as the documentation defines them."""
    words: list[str] = []
    inside = False
    for character in text:
        begins = character.isalnum() or character == "_"
        goes_on = inside and unicodedata.category(character).startswith("M")
        if begins and not inside:
            words.append("")
        inside = begins or goes_on
        if inside:
            words[-1] += character.lower()
    return words


def test_words_of_every_code_point():
    # Each code point alone, after a letter and between letters: this also proves the ranges of marks complete.
    text = " ".join(f"{c} a{c} b{c}b" for c in map(chr, range(sys.maxunicode + 1)))
    assert tokenizers.Words()(text) == words_by_definition(text)


@given(st.text() | tricky)
@settings(max_examples=500)
def test_words_are_as_defined(text):
    assert tokenizers.Words()(text) == words_by_definition(text)


@given(st.text() | tricky)
def test_whitespace_is_split(text):
    assert tokenizers.Whitespace()(text) == text.split()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("It's 9 o'clock.", ["it", "s", "9", "o", "clock"]),
        ("snake_case __init__", ["snake_case", "__init__"]),
        ("ΟΔΟΣ ΣΟΦΟΣ", ["οδοσ", "σοφοσ"]),
        ("İstanbul", ["i\u0307stanbul"]),
        ("한국어 단어, ㅋㅋㅋ", ["한국어", "단어", "ㅋㅋㅋ"]),
        ("cafe\u0301s हिन्दी", ["cafe\u0301s", "हिन्दी"]),
        ("\u0301a", ["a"]),
        ("", []),
    ],
)
def test_words(text, words):
    assert tokenizers.get("words")(text) == words


def test_marks_are_the_category_m():
    found = {code for first, last in tokenizers.mark_ranges() for code in range(first, last + 1)}
    assert found == {code for code in range(sys.maxunicode + 1) if unicodedata.category(chr(code))[0] == "M"}


@given(st.text() | tricky)
def test_characters_hold_everything_but_whitespace(text):
    characters = tokenizers.Characters()(text)
    assert "".join(characters) == "".join(text.split())
    # A mark begins a character only where there is nothing that it could belong to.
    for before, after in itertools.pairwise(characters):
        assert not unicodedata.category(after[0]).startswith("M") or f"{before}{after}" not in text


@pytest.mark.parametrize(
    ("text", "characters"),
    [
        ("Hi, you", ["H", "i", ",", "y", "o", "u"]),
        ("e\u0301a\u0301\u0302", ["e\u0301", "a\u0301\u0302"]),
        ("한글", ["한", "글"]),
        (
            unicodedata.normalize("NFD", "한글"),
            [unicodedata.normalize("NFD", "한"), unicodedata.normalize("NFD", "글")],
        ),
        ("👍🏽👨‍👩‍👧", ["👍🏽", "👨‍👩‍👧"]),
        ("🇰🇷🇫🇷", ["🇰🇷", "🇫🇷"]),
        ("ㅋㅋ", ["ㅋ", "ㅋ"]),
        (" \u0301", ["\u0301"]),
    ],
)
def test_characters(text, characters):
    assert tokenizers.get("characters")(text) == characters


@given(st.text() | tricky)
def test_jamo_compose_to_words(text):
    assert [hangul.compose(token) for token in tokenizers.get("jamo")(text)] == tokenizers.Words()(text)


def test_jamo():
    assert tokenizers.get("jamo")("한글, Hi 나") == ["ㅎㅏㄴㄱㅡㄹ", "hi", "ㄴㅏ" + hangul.NO_FINAL]


def test_korean():
    pytest.importorskip("kiwipiepy", reason="needs the extra daneo[korean]")
    korean = tokenizers.get("korean")
    assert korean("나는 학교에 갔다.") == ["나", "는", "학교", "에", "가", "었", "다"]
    assert korean("ㅋㅋㅋ NLP!!") == ["ㅋㅋㅋ", "nlp"]
    assert korean("\ud800 학교") == ["학교"]
    assert korean("") == []
    assert tokenizers.get("korean-tags")("학교에 가다") == ["학교/NNG", "에/JKB", "가/VV", "다/EF"]


def test_korean_without_kiwi(monkeypatch):
    monkeypatch.setitem(sys.modules, "kiwipiepy", None)
    tokenizers._kiwi.cache_clear()
    with pytest.raises(ImportError, match=r"pip install 'daneo\[korean\]'"):
        tokenizers.get("korean")("나")


@pytest.mark.parametrize("name", ["whitespace", "words", "characters", "korean", "korean-tags", "jamo"])
def test_names_resolve_to_tokenizers_of_that_name(name):
    tokenizer = tokenizers.get(name)
    assert tokenizer.name == name
    assert tokenizers.get(tokenizer) is tokenizer
    assert isinstance(tokenizer, tokenizers.Tokenizer)


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(ValueError, match="'wrods'.*whitespace, words, characters, korean, korean-tags, jamo"):
        tokenizers.get("wrods")


def test_own_tokenizer():
    class Letters:
        name = "letters"

        def __call__(self, text):
            return list(text)

    own = Letters()
    assert tokenizers.get(own) is own
    with pytest.raises(TypeError, match=r"Give Letters\(\)"):
        tokenizers.get(Letters)


@pytest.mark.parametrize("wrong", [None, 3, str.split, tokenizers])
def test_wrong_interface(wrong):
    with pytest.raises(TypeError, match=r"\.name"):
        tokenizers.get(wrong)
