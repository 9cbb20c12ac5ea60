from __future__ import annotations

import os
import random
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from daneo.corpus.escapes import escape, unescape
from daneo.corpus.vocabulary import Vocabulary

# st.text() draws no lone surrogates by default; a word may hold those, and everything that the file must escape.
any_word = st.text(st.characters() | st.sampled_from("\t\n\r\\ \x0b\x1c\x85\u2028\ud800\udfff\ufeff나tnu"), max_size=6)


@given(st.lists(any_word, unique=True, max_size=20), st.lists(any_word, unique=True, max_size=3), st.data())
def test_any_vocabulary_survives(tmp_path_factory, words, special, data):
    counts = data.draw(st.lists(st.integers(0, 10**15), min_size=len(words), max_size=len(words)))
    unknown = data.draw(st.none() | st.sampled_from(special) if special else st.none() | any_word)
    vocabulary = Vocabulary(words, np.array(counts, dtype=np.int64), special_tokens=special, unknown=unknown)
    path = tmp_path_factory.getbasetemp() / "any.txt"
    vocabulary.save(path)
    loaded = Vocabulary.load(path)
    assert loaded == vocabulary
    assert (loaded.special_tokens, loaded.unknown) == (vocabulary.special_tokens, vocabulary.unknown)
    assert loaded.counts.dtype == np.int64
    assert not loaded.counts.flags.writeable


@given(any_word)
def test_escapes(word):
    field = escape(word)
    assert unescape(field) == word
    assert not set("\t\n\r") & set(field)
    field.encode()


def test_the_file_is_readable(tmp_path):
    words = ["new york", "two\nlines", "back\\slash", "서울", "\udc80"]
    path = tmp_path / "vocabulary.txt"
    Vocabulary(words, [5, 4, 3, 2, 1], special_tokens=["<pad>"], unknown="<unk>").save(path)
    assert path.read_bytes().decode() == (
        "<pad>\t0\tspecial\n<unk>\t0\tunknown\nnew york\t5\ntwo\\nlines\t4\nback\\\\slash\t3\n서울\t2\n\\udc80\t1\n"
    )


def test_saving_replaces_and_makes_folders(tmp_path):
    path = tmp_path / "a" / "b.txt"
    Vocabulary(["old"]).save(path)
    Vocabulary(["new"]).save(path)
    assert Vocabulary.load(path).words == ["new"]
    assert os.listdir(path.parent) == ["b.txt"]


def test_line_ends_of_windows_are_read(tmp_path):
    path = tmp_path / "windows.txt"
    path.write_bytes(b"<unk>\t0\tunknown\r\na\t2\r\nb\t1\r\n")
    assert Vocabulary.load(path) == Vocabulary(["a", "b"], [2, 1], unknown="<unk>")


def test_empty_file(tmp_path):
    path = tmp_path / "empty.txt"
    path.write_bytes(b"")
    assert Vocabulary.load(path) == Vocabulary([])


@pytest.mark.parametrize(
    ("content", "line", "message"),
    [
        (b"a\t2\n\xff\t1\n", 2, r"b'\\xff' are not UTF-8"),
        (b"a\t2\nb\t1\n\xed\xa0\x80\t1\n", 3, "are not UTF-8"),
        (b"a\t2\nb\n", 2, "expected a word, a tab and a count, got 'b'"),
        (b"a\t2\n\n", 2, "expected a word, a tab and a count, got ''"),
        (b"a b\t2\nc 2\n", 2, "got 'c 2'"),
        (b"a\t2\nb\t-1\n", 2, "expected a count from 0 to 1,000,000,000,000,000 after the tab, got '-1'"),
        (b"a\t2\nb\t1.5\n", 2, "expected a count"),
        (b"a\t2\nb\t1e3\n", 2, "expected a count"),
        (b"a\t2\nb\t 1\n", 2, "expected a count"),
        (b"a\t2\nb\t1 1\n", 2, "expected a count"),
        (b"a\t\nb\t1\n", 1, "expected a count"),
        (b"a\t2\nb\t1000000000000001\n", 2, "expected a count"),
        (b"a\t2\nb\t99999999999999999999999999\n", 2, "expected a count"),
        (b"a\t2\nb\t" + b"9" * 5000 + b"\n", 2, "expected a count"),
        ("a\t2\nb\t٣\n".encode(), 2, "expected a count"),
        (b"a\t2\nb\t1", 2, "cut short"),
        (b"a\t2\na\t1\n", 2, "the word 'a' already stands on line 1"),
        (b"x\t0\tspecial\ny\t1\nx\t1\n", 3, "the word 'x' already stands on line 1"),
        (b"tab\\t\t2\ntab\\t\t1\n", 2, "already stands on line 1"),
        (b"a\t2\nb\t1\t1\n", 2, "expected a word, a tab and a count"),
        (b"a\t1\tx\nb\t1\n", 1, "expected 'special' or 'unknown' after the count, got 'x'"),
        (b"a\tx\tspecial\nb\t1\n", 1, "expected a count"),
        (b"a\t1\nb\t1\tspecial\n", 2, "special tokens must stand before all other words"),
        # The tabs and newlines of these two lines are as many as they should be.
        (b"a\t5\t6\n7\n", 1, "expected 'special' or 'unknown'"),
        (b"z\t5\na\t5\t6\n7\n", 2, "expected a word, a tab and a count"),
        (b"a\t2\nb\\x\t1\n", 2, "a backslash in a word is written"),
        (b"a\t2\nb\\\t1\n", 2, "a backslash in a word is written"),
        (b"a\t2\nb\\u0041\t1\n", 2, "a backslash in a word is written"),
        (b"\x00" * 100, 1, "cut short"),
    ],
)
def test_damaged_files_are_refused_by_line(tmp_path, content, line, message):
    path = tmp_path / "vocabulary.txt"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=rf"vocabulary\.txt, line {line}: .*{message}") as caught:
        Vocabulary.load(path)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400 + len(str(path))


def test_two_unknown_tokens_are_refused(tmp_path):
    path = tmp_path / "vocabulary.txt"
    path.write_bytes(b"a\t0\tunknown\nb\t0\tunknown\n")
    with pytest.raises(ValueError, match="2 tokens are marked unknown"):
        Vocabulary.load(path)


def test_what_is_no_file_is_refused(tmp_path):
    for path in (tmp_path, tmp_path / "absent", "/dev/zero"):
        with pytest.raises(FileNotFoundError, match="is not a file"):
            Vocabulary.load(path)


def test_an_absurdly_large_file_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "large.txt"
    with path.open("wb") as file:
        file.truncate(2**40)  # sparse: it takes no space on the disk
    with pytest.raises(ValueError, match="1,099,511,627,776 bytes"):
        Vocabulary.load(path)


def test_mutated_files_give_an_error_or_a_vocabulary(tmp_path):
    """10,000 damaged files: each is refused in one line or read as a vocabulary that saves and loads."""
    path, again = tmp_path / "vocabulary.txt", tmp_path / "again.txt"
    words = ["the", "new york", "서울", "a\\b", "c\td", "\ud800", "é", "", "x"]
    Vocabulary(words, range(len(words), 0, -1), special_tokens=["<pad>"], unknown="<unk>").save(path)
    intact = path.read_bytes()
    generator = random.Random(1)
    num_refused = 0
    with path.open("r+b") as file:  # one open file for all: opening is the slow part on some systems
        for number in range(10_000):
            data = bytearray(intact)
            for _ in range(generator.randint(1, 3)):
                position = generator.randrange(len(data) + 1)
                piece = generator.choice([b"\t", b"\n", b"\r", b"\\", b"0", b"-", b"\xff", b"\x00", b"", b"a"])
                data[position : position + generator.randint(0, 2)] = piece
            file.seek(0)
            file.write(data)
            file.truncate()
            file.flush()
            try:
                vocabulary = Vocabulary.load(path)
            except ValueError:
                num_refused += 1
                continue
            assert len(set(vocabulary.words)) == len(vocabulary.words) == len(vocabulary.counts)
            if number % 20 == 0:  # saving waits for the disk
                vocabulary.save(again)
                assert Vocabulary.load(again) == vocabulary
    assert 3_000 < num_refused < 10_000


def test_a_million_words_open_fast(tmp_path):
    path = tmp_path / "vocabulary.txt"
    counts = np.arange(1_000_000, 0, -1)
    with path.open("w") as file:
        file.write("".join(f"word{count}x\t{count}\n" for count in counts.tolist()))
    seconds = []
    for _ in range(3):
        began = time.perf_counter()
        vocabulary = Vocabulary.load(path)
        seconds.append(time.perf_counter() - began)
    assert len(vocabulary) == 1_000_000
    assert vocabulary.words[-1] == "word1x"
    assert (vocabulary.counts == counts).all()
    # Measured 0.2 s; the limit leaves room for a machine that is busy with something else.
    assert min(seconds) < 0.6
