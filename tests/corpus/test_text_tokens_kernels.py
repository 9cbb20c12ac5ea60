from __future__ import annotations

import os
import subprocess
import sys
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from daneo.corpus import text_tokens_kernels as kernels
from daneo.corpus import text_tokens_reference as reference
from daneo.corpus import tokenizers
from daneo.corpus.code_points import whitespace_code_points, word_code_points
from daneo.corpus.text_blocks import TextBlock

JIT_DISABLED = os.environ.get("NUMBA_DISABLE_JIT") == "1"
many = settings(deadline=None, max_examples=30 if JIT_DISABLED else 300)
lower_cases = pytest.mark.parametrize("lower_cases", [True, False], ids=["words", "whitespace"])

# Every kind of character: ASCII of each class, marks, letters of two, three and four bytes with and without a lower
# case, letters whose lower case has another length, all sorts of whitespace, a lone surrogate.
characters = st.one_of(
    st.sampled_from("aZ_9 \n\t\r\0-.\x1c\x85\u0301\u200d\u3000éÉΣςσЖ단어ẞİKȺ𐐀𐐨𝔘😀\ud800\ufeff\ufffd\U000e0100"),
    st.characters(codec=None),
)
texts = st.text(characters, max_size=80)
valid_texts = texts.filter(lambda text: text.isascii() or not any("\ud800" <= c <= "\udfff" for c in text))


class Classified(NamedTuple):
    """What the classifying kernels say of a text."""

    block: TextBlock
    num_newlines: int
    num_resized: int
    position: int


def classified(text: bytes, lower_cases: bool, surrogates: bool = False) -> Classified:
    block = TextBlock(len(text))
    block.replace(text)
    # What the buffers hold from before must not matter.
    block.characters[block.stop :] = 0xBF
    block.inside[:] = 1
    points = word_code_points() if lower_cases else whitespace_code_points()
    folded = block.folded.view(np.uint8)
    classify_ascii = kernels.lower_words if lower_cases else kernels.split_whitespace
    with np.errstate(over="ignore"):
        classify_ascii(block.characters, block.stop, folded, block.inside)
        found = kernels.classify_rest(
            block.characters,
            block.stop,
            points.kinds,
            points.lower,
            surrogates,
            folded,
            block.inside,
            block.newlines,
            block.resized,
        )
    return Classified(block, *map(int, found))


def tokens_of(found: Classified, lower_cases: bool) -> tuple[list[str], list[int]]:
    block, folded = found.block, found.block.folded.view(np.uint8)
    points = word_code_points() if lower_cases else whitespace_code_points()
    num_tokens = int(kernels.find_tokens(block.inside, block.stop, block.newlines, found.num_newlines, block.edges))
    kernels.respell_tokens(
        block.characters,
        block.stop,
        points.kinds,
        points.lower,
        block.resized,
        found.num_resized,
        folded,
        block.edges,
    )
    edges = block.edges[: 2 * num_tokens].reshape(-1, 2).tolist()
    tokens = [folded[start:end].tobytes().decode("utf-8", "surrogatepass") for start, end in edges]
    return tokens, block.newlines[: found.num_newlines].tolist()


@lower_cases
@many
@given(text=texts)
@example(text="What time is it?")
@example(text="a" * 20 + "\n" + "é" * 20 + "\n\n" + " " * 20)
@example(text="\u0301a\u0301 \u0301b")
@example(text="İİİ " * 9 + "aẞbẞc KȺ\u0301 x")
def test_kernels_find_the_tokens_that_the_reference_finds(lower_cases, text):
    data = text.encode("utf-8", "surrogatepass")
    found = classified(data, lower_cases, surrogates=True)
    assert found.position == len(data)
    assert tokens_of(found, lower_cases) == reference.find_tokens(data, lower_cases)


@many
@given(text=texts)
def test_reference_finds_what_the_tokenizers_find(text):
    data = text.encode("utf-8", "surrogatepass")
    assert reference.find_tokens(data, True)[0] == tokenizers.Words()(text)
    assert reference.find_tokens(data, False)[0] == tokenizers.Whitespace()(text)


def test_reference_by_hand():
    assert reference.find_tokens("Ça va, 단어?\n\nNo_1".encode(), True) == (["ça", "va", "단어", "no_1"], [3, 3])
    assert reference.find_tokens("Ça va, 단어?\n\nNo_1".encode(), False) == (["Ça", "va,", "단어?", "No_1"], [3, 3])


# Bytes near UTF-8: pieces of characters, overlong forms, surrogates, code points that do not exist.
odd_bytes = st.lists(
    st.one_of(
        st.sampled_from(["a ", "é단", "😀"]).map(str.encode),
        st.sampled_from([b"\xc0\x80", b"\xe0\x80\x80", b"\xed\xa0\x80", b"\xf0\x80\x80\x80", b"\xf4\x90\x80\x80"]),
        st.sampled_from([b"\xff", b"\x80", b"\xc3", b"\xe2\x82", b"\xf0\x9f\x98", b"\xf5", b"\xc1\xbf", b"\xef\xbf"]),
        st.binary(max_size=3),
    ),
    max_size=12,
).map(b"".join)


@lower_cases
@many
@given(data=st.one_of(odd_bytes, st.binary(max_size=40)))
@example(data=b"aaaaaaa\xe2\x82")
@example(data=b"\xf0\x9f\x98")
def test_classifying_stops_where_python_stops_decoding(lower_cases, data):
    try:
        data.decode()
    except UnicodeDecodeError as error:
        expected = error.start
    else:
        expected = len(data)
    assert classified(data, lower_cases).position == expected


@lower_cases
@many
@given(data=st.one_of(odd_bytes, valid_texts.map(lambda text: text.encode("utf-8", "replace"))))
@example(data="아 \u0301단어".encode())
def test_cut_is_where_the_reference_cuts(lower_cases, data):
    block = TextBlock(len(data))
    block.replace(data)
    block.characters[block.stop :] = 0xBF
    kinds = (word_code_points() if lower_cases else whitespace_code_points()).kinds
    assert kernels.find_cut(block.characters, block.stop, kinds, False) == reference.find_cut(data, lower_cases)


@lower_cases
@many
@given(data=odd_bytes)
def test_text_on_both_sides_of_a_cut_decodes_and_tokenizes_as_the_whole_does(lower_cases, data):
    tokenizer = tokenizers.get("words" if lower_cases else "whitespace")
    cut = reference.find_cut(data, lower_cases)
    left, right = (part.decode("utf-8", "replace") for part in (data[:cut], data[cut:]))
    assert left + right == data.decode("utf-8", "replace")
    assert tokenizer(left) + tokenizer(right) == tokenizer(left + right)


@pytest.mark.skipif(JIT_DISABLED, reason="runs these tests without the JIT, which is off already")
def test_kernels_are_right_without_the_jit():
    files = [__file__, __file__.replace("text_tokens", "word_table")]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *files]
    done = subprocess.run(command, env={**os.environ, "NUMBA_DISABLE_JIT": "1"}, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
