"""Tokens as fastText cuts and hashes them: the compiled kernels against their definitions, and against fastText."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from daneo.embeddings.subwords.subwords import Subwords
from daneo.models.bags import tokens_kernels as kernels
from daneo.models.bags import tokens_reference as reference
from daneo.models.bags.tokens import FASTTEXT, KnownWords, TokenTypes, cut, cut_lines

# Whitespace of both kinds, what is not ASCII, a lone surrogate, and letters that make tokens of more than 16 bytes.
TEXTS = st.lists(st.text(st.sampled_from("ab가나é\udc80 \t\v\f\r\0\u3000\x1c_"), max_size=40), max_size=8)
QUICK = settings(max_examples=60, deadline=None)


def encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def tokens_of(texts: list[str]) -> list[list[str]]:
    return [[token.decode("utf-8", "surrogatepass") for token in reference.mark_tokens(encoded(t))] for t in texts]


@QUICK
@given(TEXTS)
def test_texts_are_cut_as_the_definition_says(texts: list[str]) -> None:
    types = TokenTypes(cut(texts, FASTTEXT))
    expected = tokens_of(texts)
    words = types.words(np.arange(len(types)))
    assert [words[number] for number in types.ids] == [token for tokens in expected for token in tokens]
    assert types.ends.tolist() == np.cumsum([len(tokens) for tokens in expected]).tolist()
    assert words[types.end_of_line] == "</s>"
    assert len(set(words)) == len(words) == len(types)
    counts = {word: sum(tokens.count(word) for tokens in expected) for word in words}
    counts["</s>"] += len(texts)
    assert dict(zip(words, types.counts.tolist(), strict=True)) == counts


@QUICK
@given(TEXTS)
def test_types_are_hashed_as_the_definition_says(texts: list[str]) -> None:
    types = TokenTypes(cut(texts, FASTTEXT))
    words = [word.encode("utf-8", "surrogateescape") for word in types.words(np.arange(len(types)))]
    assert types.hashes().tolist() == reference.hash_types(words)


@QUICK
@given(TEXTS)
def test_types_are_joined_for_their_ngrams(texts: list[str]) -> None:
    types = TokenTypes(cut(texts, FASTTEXT))
    words = types.words(np.arange(len(types)))
    raw = [word.encode("utf-8", "surrogateescape") for word in words]
    text, ends = np.empty(1000, np.uint8), np.empty(len(types), np.int64)
    size = kernels.join_types(types._table.arena, types._places, text, ends)
    assert (text[:size].tobytes(), ends.tolist()) == reference.join_types(raw)
    subwords = Subwords(min_ngram=2, max_ngram=3, num_buckets=50)
    for found, expected in zip(types.ngram_buckets(subwords, 1), subwords.of_words(words), strict=True):
        assert_array_equal(found, expected)


@QUICK
@given(TEXTS, st.sampled_from(["a", "가", "ab가나가나가나가나", "</s>", "</s>>"]))
def test_types_that_begin_with_a_prefix(texts: list[str], prefix: str) -> None:
    types = TokenTypes(cut(texts, FASTTEXT))
    words = [encoded(word) for word in types.words(np.arange(len(types)))]
    assert types.begin_with(prefix).tolist() == reference.begin_with(words, encoded(prefix))


@QUICK
@given(TEXTS, TEXTS)
def test_types_are_found_among_known_words(known: list[str], texts: list[str]) -> None:
    words = sorted({token for tokens in tokens_of(known) for token in tokens})
    types = TokenTypes(cut(texts, FASTTEXT))
    found = types.found_in(KnownWords(words)).tolist()
    assert found == reference.find_types([*map(encoded, words)], [*map(encoded, types.words(np.arange(len(types))))])


def test_a_table_that_has_grown_still_finds_everything() -> None:
    words = [f"word{i}" * (1 + i % 4) for i in range(20_000)]
    types = TokenTypes(cut([" ".join(words), "other"], FASTTEXT))
    assert_array_equal(types.found_in(KnownWords(words))[types.ids], [*range(len(words)), -1])


def test_lines_of_a_file_are_texts() -> None:
    lines = TokenTypes([cut_lines("a b\r\n\nb\u00a0c\n".encode())])
    assert lines.words(lines.ids) == ["a", "b", "b\u00a0c"]
    assert lines.ends.tolist() == [2, 2, 3]


def test_words_are_spelled_in_any_order() -> None:
    types = TokenTypes(cut(["b a가나다라마바사 c", "d"], FASTTEXT))
    words = ["b", "a가나다라마바사", "c", "d", "</s>"]
    assert types.words([4, 1, 1]) == ["</s>", words[1], words[1]]
    assert types.words(range(5)) == words
    assert types.words([]) == []
    assert reference.spell_types([encoded(word) for word in words[:2]]) == "b\na가나다라마바사\n".encode()


def test_a_newline_in_a_text_is_a_space() -> None:
    types = TokenTypes(cut(["a\nb", "c"], FASTTEXT))
    assert types.ends.tolist() == [2, 3]


def test_other_tokenizers() -> None:
    types = TokenTypes(cut(["It's 9!", "", "나라"], "words"))
    assert types.words(types.ids) == ["it", "s", "9", "나라"]
    assert types.ends.tolist() == [3, 3, 4]
    jamo = TokenTypes(cut(["나라"], "jamo"))
    assert jamo.words(jamo.ids) == ["ㄴㅏ\ue000ㄹㅏ\ue000"]


def test_chosen_texts_keep_their_types() -> None:
    types = TokenTypes(cut(["a b", "c", "", "b"], FASTTEXT))
    chosen = types.selected(np.array([True, False, True, True]))
    assert chosen.words(chosen.ids) == ["a", "b", "b"]
    assert chosen.ends.tolist() == [2, 2, 3]
    assert types.ends.tolist() == [2, 3, 3, 4]
