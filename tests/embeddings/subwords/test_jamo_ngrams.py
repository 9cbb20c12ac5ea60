"""N-grams of jamo: worked by hand from the definition of Park et al. (ACL 2018), and from what differs on purpose."""

from __future__ import annotations

import unicodedata

import pytest
from numpy.testing import assert_array_equal

from daneo.corpus import hangul
from daneo.embeddings.subwords import ngram_hashes_reference as reference
from daneo.embeddings.subwords.subwords import Subwords

# The jamo of modern syllables among the conjoining ones: leads, vowels, finals.
MODERN = {*range(0x1100, 0x1113), *range(0x1161, 0x1176), *range(0x11A8, 0x11C3)}

# Written with the paper's e for a missing final consonant; below it becomes the private symbol. The program that
# belongs to the paper lists the same, in the same order.
HANGUL = {
    # One syllable: five letters with the brackets, and no n-gram of syllables, for 나 is among those of letters.
    "나": ["<ㄴㅏ", "<ㄴㅏe", "<ㄴㅏe>", "ㄴㅏe", "ㄴㅏe>", "ㅏe>"],
    "값": ["<ㄱㅏ", "<ㄱㅏㅄ", "<ㄱㅏㅄ>", "ㄱㅏㅄ", "ㄱㅏㅄ>", "ㅏㅄ>"],
    # Two: the whole word, without brackets, is the only n-gram of syllables.
    "한글": [
        *("<ㅎㅏ", "<ㅎㅏㄴ", "<ㅎㅏㄴㄱ"),
        *("ㅎㅏㄴ", "ㅎㅏㄴㄱ", "ㅎㅏㄴㄱㅡ", "ㅎㅏㄴㄱㅡㄹ"),
        *("ㅏㄴㄱ", "ㅏㄴㄱㅡ", "ㅏㄴㄱㅡㄹ"),
        *("ㄴㄱㅡ", "ㄴㄱㅡㄹ", "ㄴㄱㅡㄹ>"),
        *("ㄱㅡㄹ", "ㄱㅡㄹ>"),
        "ㅡㄹ>",
    ],
    # The example of the paper: 먹었 and 었다 beside the whole word.
    "먹었다": [
        *("<ㅁㅓ", "<ㅁㅓㄱ", "<ㅁㅓㄱㅇ"),
        *("ㅁㅓㄱ", "ㅁㅓㄱㅇ", "ㅁㅓㄱㅇㅓ", "ㅁㅓㄱㅇㅓㅆ", "ㅁㅓㄱㅇㅓㅆㄷㅏe"),
        *("ㅓㄱㅇ", "ㅓㄱㅇㅓ", "ㅓㄱㅇㅓㅆ"),
        *("ㄱㅇㅓ", "ㄱㅇㅓㅆ", "ㄱㅇㅓㅆㄷ"),
        *("ㅇㅓㅆ", "ㅇㅓㅆㄷ", "ㅇㅓㅆㄷㅏ", "ㅇㅓㅆㄷㅏe"),
        *("ㅓㅆㄷ", "ㅓㅆㄷㅏ", "ㅓㅆㄷㅏe"),
        *("ㅆㄷㅏ", "ㅆㄷㅏe", "ㅆㄷㅏe>"),
        *("ㄷㅏe", "ㄷㅏe>"),
        "ㅏe>",
    ],
}


@pytest.mark.parametrize(("word", "want"), HANGUL.items(), ids=HANGUL)
def test_hangul_as_park_et_al_define_it(word: str, want: list[str]) -> None:
    want = [ngram.replace("e", hangul.NO_FINAL) for ngram in want]
    assert Subwords(kind="jamo", min_ngram=1, max_ngram=4).ngrams(word) == want


MIXED = {
    # A character that is no syllable counts as one: 는 starts behind three, and BTS는 is whole.
    "BTS는": ["BTSㄴㅡㄴ"],
    "3월": [],  # four letters, which the n-grams of letters hold
    "3월달": ["3ㅇㅝㄹㄷㅏㄹ", "ㅇㅝㄹㄷㅏㄹ"],
    "카톡ㅋㅋ": ["ㅋㅏ_ㅌㅗㄱ", "ㅋㅏ_ㅌㅗㄱㅋ", "ㅋㅏ_ㅌㅗㄱㅋㅋ"],
    "ㅋㅋㅋㅋㅋㅋㅋ": ["ㅋㅋㅋㅋㅋㅋ"] * 2,
    "letters": ["letter", "etters"],
    # A Latin e stays an e, beside a syllable that ends in no consonant too.
    "e나e나": ["eㄴㅏ_eㄴㅏ_", "ㄴㅏ_eㄴㅏ_"],
    "😀한글": ["😀ㅎㅏㄴㄱㅡㄹ", "ㅎㅏㄴㄱㅡㄹ"],
    # The letters < and > of a word itself are letters like others.
    "<한글>": ["<ㅎㅏㄴㄱㅡㄹ", "<ㅎㅏㄴㄱㅡㄹ>", "ㅎㅏㄴㄱㅡㄹ", "ㅎㅏㄴㄱㅡㄹ>"],
}


@pytest.mark.parametrize(("word", "want"), MIXED.items(), ids=MIXED)
def test_ngrams_of_syllables_in_mixed_words(word: str, want: list[str]) -> None:
    found = Subwords(kind="jamo", min_ngram=1).ngrams(word)
    of_letters = Subwords(kind="jamo", max_ngram=0).ngrams(word)
    assert [ngram for ngram in found if len(ngram) > 5] == [ngram.replace("_", hangul.NO_FINAL) for ngram in want]
    assert [ngram for ngram in found if len(ngram) <= 5] == of_letters


def test_ngrams_of_letters_in_a_mixed_word() -> None:
    assert Subwords(kind="jamo").ngrams("3월") == [
        *("<3ㅇ", "<3ㅇㅝ", "<3ㅇㅝㄹ", "3ㅇㅝ", "3ㅇㅝㄹ", "3ㅇㅝㄹ>"),
        *("ㅇㅝㄹ", "ㅇㅝㄹ>", "ㅝㄹ>"),
    ]


def test_latin_words_have_fasttexts_ngrams_of_letters() -> None:
    assert (
        Subwords(kind="jamo", max_ngram=0).ngrams("letters")
        == Subwords(min_ngram=3, max_ngram=5).ngrams("letters")
    )  # fmt: skip


def test_letters_typed_one_by_one_are_those_of_the_syllable() -> None:
    subwords = Subwords(kind="jamo", max_ngram=0)
    assert subwords.ngrams("ㅎㅏㄴㄱㅡㄹ") == subwords.ngrams("한글") == subwords.ngrams("한ㄱㅡㄹ")


def test_a_typing_error_leaves_ngrams_of_jamo_and_none_of_characters() -> None:
    def kept(subwords: Subwords, word: str, wrong: str) -> list[str]:
        return [ngram for ngram in subwords.ngrams(wrong) if ngram in subwords.ngrams(word)]

    assert kept(Subwords(), "학교", "핰교") == []
    assert kept(Subwords(kind="jamo"), "학교", "핰교") == [
        ngram.replace("e", hangul.NO_FINAL) for ngram in ("<ㅎㅏ", "ㄱㅛe", "ㄱㅛe>", "ㅛe>")
    ]


def test_the_empty_final_consonant_is_not_the_latin_letter() -> None:
    subwords = Subwords(kind="jamo", min_jamo=1)
    assert not any("e" in ngram for ngram in subwords.ngrams("나가다"))
    assert hangul.NO_FINAL not in "".join(subwords.ngrams("eee값은"))
    whole = Subwords(kind="jamo", min_jamo=5, max_jamo=5).buckets("나")
    assert len(whole) == 1
    assert whole != Subwords(min_ngram=5, max_ngram=5).buckets("ㄴㅏe")


def test_conjoining_jamo_are_letters_like_the_others() -> None:
    subwords = Subwords(kind="jamo", max_ngram=0)
    assert subwords.ngrams("\u11ab다") == subwords.ngrams("ㄴ다")  # an ending, as the korean tokenizer writes it
    words = ["한글", "값", "밖"]
    for word in words:
        assert subwords.ngrams(unicodedata.normalize("NFD", word)) == subwords.ngrams(word)
    # They make no syllables, and none of them is written with the symbol for no final consonant.
    whole = Subwords(kind="jamo", min_ngram=1)
    assert whole.ngrams(unicodedata.normalize("NFD", "나")) == whole.ngrams("ㄴㅏ") == ["<ㄴㅏ", "<ㄴㅏ>", "ㄴㅏ>"]


def test_every_conjoining_jamo_is_that_of_its_name() -> None:
    # By Unicode's names, such as HANGUL JONGSEONG KIYEOK-SIOS and HANGUL LETTER KIYEOK-SIOS.
    for code in range(0x1100, 0x1200):
        _, _, name = unicodedata.name(chr(code), "").partition("SEONG ")
        letter = unicodedata.lookup(f"HANGUL LETTER {name}") if code in MODERN else chr(code)
        (found,) = reference.jamo_of(chr(code).encode())
        assert found.decode() == letter
    others = [chr(code) for code in range(0x1100, 0x1200)]
    spelled = [reference.jamo_of(one.encode())[0].decode() for one in others]
    alone = {"min_jamo": 1, "max_jamo": 1, "max_ngram": 0}
    assert_array_equal(
        Subwords(kind="jamo", **alone).of_words(others)[1], Subwords(min_ngram=1, max_ngram=1).of_words(spelled)[1]
    )


def test_every_syllable_is_spelled_as_the_corpus_spells_it() -> None:
    syllables = [chr(code) for code in range(ord(hangul.FIRST_SYLLABLE), ord(hangul.LAST_SYLLABLE) + 1)]
    spelled = [hangul.decompose(syllable) for syllable in syllables]
    assert [b"".join(reference.jamo_of(syllable.encode())).decode() for syllable in syllables] == spelled
    # The kernel has a table of its own.
    want = Subwords(min_ngram=5, max_ngram=5).of_words(spelled)[1]
    assert len(want) == len(syllables) == 11_172
    assert Subwords(kind="jamo", min_jamo=5, max_jamo=5, max_ngram=0).of_words(syllables)[1].tolist() == want.tolist()
