"""Files of Stanford's GloVe: text with every -model, headers, <unk>, and the binary files with all that was trained.

The files were made by the program of GloVe 1.2 (built with gcc -O3) from the three lines "a b a c", "b a b", "c a":
window 2, and then ``glove -vector-size 2 -iter 3 -threads 1 -seed 7 -binary 2 -save-gradsq 1`` with each -model.
"""

from __future__ import annotations

import gzip
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from daneo import GloVe, Vocabulary, WordVectors
from daneo.embeddings.formats import recognise
from daneo.embeddings.formats.glove_binary import read_glove_binary, read_glove_vocabulary, write_glove_binary
from daneo.embeddings.formats.glove_parameters import read_glove_parameters

VOCABULARY = b"a 4\nb 3\nc 2\n"
BINARY = bytes.fromhex(
    "8d03f17fb9cd78bf4acdd50a1fc4c73ff2cf53b76a0bda3f79a602fb27b7c2bf364673801350cfbf8ffd953ff818cf3f"
    "d6238a5d928fcf3f9f6bbc642002cebf3aa6e7df10d6b53fac442e7505a0ccbf65946c49770c823f96b9a94e2958d23f"
    "4eb338d316ddc03f648f91d59fa3c43f5deb592152d7d53f18797cfcce75c5bfcd91cc3e4210c2bfa598cda8442dc13f"
)
PARAMETERS = b"""\
a -0.006056 0.185673 0.406947 -0.223633 0.008813 0.286631
b -0.146214 -0.244631 0.242950 0.131747 0.161243 0.341267
c 0.246569 -0.234440 0.085298 -0.167658 -0.141121 0.134194
<unk> 0.031433 -0.097799 0.245065 -0.086515 0.009645 0.254031
"""
WORDS = b"""\
a -0.006056 0.185673
b -0.146214 -0.244631
c 0.246569 -0.234440
<unk> 0.031433 -0.097799
"""
SUMS = b"""\
a -0.229689 0.194485
b -0.014467 -0.083388
c 0.078911 -0.375561
<unk> -0.055082 -0.088154
"""
SQUARES = b"""\
a 1.000001 1.000001 1.024030 1.000002 1.000006 1.044034
b 1.000005 1.000000 1.040750 1.000000 1.000002 1.022940
c 1.000000 1.000000 1.004061 1.000000 1.000000 1.001867
"""


def numbers(text: bytes) -> np.ndarray:
    return np.array([line.split()[1:] for line in text.splitlines()], np.float32)


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    (tmp_path / "vectors.bin").write_bytes(BINARY)
    (tmp_path / "vocab.txt").write_bytes(VOCABULARY)
    return tmp_path / "vectors.bin", tmp_path / "vocab.txt"


@pytest.mark.parametrize("header", [b"", b"3 2\n"])
@pytest.mark.parametrize("text", [WORDS, SUMS], ids=["-model 1", "-model 2"])
def test_vectors_as_text(header: bytes, text: bytes, tmp_path: Path) -> None:
    (tmp_path / "v.txt").write_bytes(header + text)
    assert recognise(tmp_path / "v.txt") == ("word2vec-text" if header else "glove-text")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        vectors = WordVectors.load(tmp_path / "v.txt")
    assert vectors.words == ["a", "b", "c", "<unk>"]
    assert_array_equal(vectors.matrix, numbers(text))


@pytest.mark.parametrize(("limit", "words"), [(2, "ab"), (3, "abc"), (4, "abc?"), (9, "abc?")])
def test_limits_beside_a_header_that_does_not_count_unk(limit: int, words: str, tmp_path: Path) -> None:
    (tmp_path / "v.txt").write_bytes(b"3 2\n" + SUMS)
    assert [word[0] for word in WordVectors.load(tmp_path / "v.txt", limit=limit)] == list(words.replace("?", "<"))


@pytest.mark.parametrize("more", [b"d 1 2\n", b"<unk> 1 2\nd 1 2\n", b"<unk> 1 2\n<unk> 1 2\n"])
def test_only_unk_may_be_more_than_the_header_promises(more: bytes, tmp_path: Path) -> None:
    (tmp_path / "v.txt").write_bytes(b"3 2\na 1 2\nb 3 4\nc 5 6\n" + more)
    with pytest.raises(ValueError, match="promises 3 rows of 2 numbers, the file has more"):
        WordVectors.load(tmp_path / "v.txt")


def test_everything_as_text_with_a_header_opens_as_the_sum(tmp_path: Path) -> None:
    (tmp_path / "v.txt").write_bytes(b"3 2\n" + PARAMETERS)
    with pytest.warns(UserWarning, match="two vectors of 2 numbers and a bias for each, as GloVe's -model 0"):
        vectors = WordVectors.load(tmp_path / "v.txt")
    assert vectors.words == ["a", "b", "c", "<unk>"]
    assert_allclose(vectors.matrix, numbers(SUMS), rtol=0, atol=1.6e-6)  # three numbers rounded to six decimals


def test_words_that_end_in_numbers_are_no_parameters(tmp_path: Path) -> None:
    # With D = 1 these rows have 2 (D + 1) numbers, but not as GloVe spells them.
    vectors = WordVectors(["1 2 3", "4 5 6"], [[0.5], [0.25]])
    with pytest.warns(UserWarning, match="hold spaces"):
        vectors.save(tmp_path / "v.txt", format="word2vec-text")
    with pytest.warns(UserWarning, match="more than 1 numbers"):
        again = WordVectors.load(tmp_path / "v.txt")
    assert (again.words, again.matrix.tolist()) == (vectors.words, vectors.matrix.tolist())


@pytest.mark.parametrize(("header", "size"), [(b"", 2), (b"3 2\n", None), (b"3 2\n", 2)])
def test_everything_as_text(header: bytes, size: int | None, tmp_path: Path) -> None:
    (tmp_path / "v.txt.gz").write_bytes(gzip.compress(header + PARAMETERS))
    vocabulary, *arrays = read_glove_parameters(tmp_path / "v.txt.gz", vector_size=size)
    model = GloVe.load(tmp_path / "v.txt.gz", vector_size=size)
    assert_allclose(model.vectors.matrix, numbers(SUMS)[:3], rtol=0, atol=1.6e-6)
    assert vocabulary == Vocabulary(["a", "b", "c"])
    assert_array_equal(np.column_stack([arrays[0], arrays[2], arrays[1], arrays[3]]), numbers(PARAMETERS)[:3])


def test_squared_gradients_as_text(tmp_path: Path) -> None:
    (tmp_path / "g.txt").write_bytes(SQUARES)
    _, words, contexts, word_biases, context_biases = read_glove_parameters(tmp_path / "g.txt", vector_size=2)
    assert_array_equal(np.column_stack([words, word_biases, contexts, context_biases]), numbers(SQUARES))


@pytest.mark.parametrize(
    ("text", "size", "reason"),
    [
        (WORDS, 2, "2 numbers a line; expected 2 .2 . 1."),
        (b"3 2\n" + WORDS, None, "2 numbers a line; expected 2 .2 . 1."),
        (b"3 3\n" + PARAMETERS, None, "6 numbers a line; expected 2 .3 . 1."),
        (b"3 2\n" + PARAMETERS, 5, "6 numbers a line; expected 2 .5 . 1."),
        (b"a 1 2 3\n", 1, "3 numbers a line"),
        (PARAMETERS, None, "6 numbers a line and no header, .* Say vector_size=2 if it is of -model 0"),
    ],
)
def test_vectors_alone_are_no_parameters(text: bytes, size: int | None, reason: str, tmp_path: Path) -> None:
    (tmp_path / "v.txt").write_bytes(text)
    with pytest.raises(ValueError, match=reason):
        read_glove_parameters(tmp_path / "v.txt", vector_size=size)


def test_binary_files_equal_the_text(files: tuple[Path, Path]) -> None:
    vocabulary, words, contexts, word_biases, context_biases = read_glove_binary(*files)
    assert vocabulary == Vocabulary(["a", "b", "c"], [4, 3, 2])
    assert {array.dtype for array in (words, contexts, word_biases, context_biases)} == {np.dtype(np.float64)}
    found = np.column_stack([words, word_biases, contexts, context_biases])
    assert_allclose(found, numbers(PARAMETERS)[:3], rtol=0, atol=5.1e-7)  # six decimals
    assert not words.flags.writeable


def test_binary_files_are_written_as_the_program_writes_them(files: tuple[Path, Path], tmp_path: Path) -> None:
    write_glove_binary(tmp_path / "new.bin", tmp_path / "new.txt", *read_glove_binary(*files))
    assert (tmp_path / "new.bin").read_bytes() == BINARY
    assert (tmp_path / "new.txt").read_bytes() == VOCABULARY


@given(st.lists(st.text(st.characters(exclude_categories=["Cs", "Zs", "Cc"]), min_size=1), min_size=1, unique=True))
@settings(deadline=None, max_examples=50)
def test_any_words_come_back(tmp_path_factory: pytest.TempPathFactory, words: list[str]) -> None:
    folder = tmp_path_factory.mktemp("glove")
    paths = folder / "v.bin", folder / "v.txt"
    rng = np.random.default_rng(len(words))
    vocabulary = Vocabulary(words, rng.integers(0, 10**15, len(words)))
    arrays = [rng.standard_normal(shape) for shape in 2 * [(len(words), 3)] + 2 * [(len(words),)]]
    write_glove_binary(*paths, vocabulary, *arrays)
    found, *others = read_glove_binary(*paths)
    assert found == vocabulary
    for one, other in zip(arrays, others, strict=True):
        assert_array_equal(one, other)


def test_words_that_are_not_utf8(files: tuple[Path, Path]) -> None:
    files[1].write_bytes(b"caf\xe9 4\nb 3\nc 2\n")
    with pytest.raises(ValueError, match=r"vocab.txt, line 1: the word b'caf\\xe9' is not UTF-8"):
        read_glove_binary(*files)
    vocabulary, *arrays = read_glove_binary(*files, errors="surrogateescape")
    write_glove_binary(*files, vocabulary, *map(np.array, arrays))
    assert files[1].read_bytes() == b"caf\xe9 4\nb 3\nc 2\n"
    assert files[0].read_bytes() == BINARY


@pytest.mark.parametrize(
    ("vocabulary", "reason"),
    [
        (b"", "line 1: expected a word, a space and a count .* got b''"),
        (b"a 4\nb\nc 2\n", "line 2: expected a word, a space and a count"),
        (b"a 4\nb 3 3\nc 2\n", "line 2: expected a word"),
        (b"a 4\nb -3\nc 2\n", "line 2: expected a word"),
        (b"a 4\nb 3\nc 99999999999999999999\n", "line 3: expected a word"),
        (b"a 4\nb 3\na 2\n", "line 3: the word 'a' already stands on line 1"),
        (b"a\t4\n\nc 2\n", "line 2: expected a word"),
    ],
)
def test_vocabularies_that_are_none(vocabulary: bytes, reason: str, files: tuple[Path, Path]) -> None:
    files[1].write_bytes(vocabulary)
    with pytest.raises(ValueError, match=reason) as caught:
        read_glove_vocabulary(files[1])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("binary", "vocabulary"),
    [
        (BINARY[:-1], VOCABULARY),
        (BINARY[:-8], VOCABULARY),
        (BINARY + bytes(8), VOCABULARY),
        (b"", VOCABULARY),
        (BINARY[:48], VOCABULARY),  # a bias and no vector
        (BINARY, b"a 4\nb 3\n"),
        (BINARY, b"a 4\nb 3\nc 2\nd 1\n"),
        (gzip.compress(BINARY), VOCABULARY),
    ],
)
def test_sizes_that_do_not_fit(binary: bytes, vocabulary: bytes, files: tuple[Path, Path]) -> None:
    files[0].write_bytes(binary)
    files[1].write_bytes(vocabulary)
    with pytest.raises(ValueError, match=f"vectors.bin has {len(binary)} bytes; expected .* times D . 1") as caught:
        read_glove_binary(*files)
    assert "\n" not in str(caught.value)


def test_more_numbers_than_any_vector_has(files: tuple[Path, Path]) -> None:
    with files[0].open("r+b") as file:
        file.truncate(16 * 3 * ((1 << 20) + 2))  # holes, that take no room on the disk
    with pytest.raises(ValueError, match="times D . 1"):
        read_glove_binary(*files)


def test_binary_files_alone_are_told_what_they_lack(files: tuple[Path, Path]) -> None:
    with pytest.raises(ValueError, match="looks like the .bin of Stanford's GloVe, which holds no words"):
        WordVectors.load(files[0])


@pytest.mark.parametrize("word", ["", "New York", "a\tb", "<unk>", "x" * 1000, "é" * 500])
def test_words_that_the_program_cannot_read(word: str, tmp_path: Path) -> None:
    arrays = np.zeros((2, 2)), np.zeros((2, 2)), np.zeros(2), np.zeros(2)
    with pytest.raises(ValueError, match="Stanford's GloVe cannot hold the word"):
        write_glove_binary(tmp_path / "v.bin", tmp_path / "v.txt", Vocabulary(["sea", word]), *arrays)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "shapes",
    [
        [(2, 3), (3, 3), (2,), (2,)],
        [(3, 3), (3, 3), (3,), (3,)],
        [(2, 3), (2, 4), (2,), (2,)],
        [(2, 3), (2, 3), (3,), (2,)],
        [(2, 0), (2, 0), (2,), (2,)],
        [(2,), (2,), (2,), (2,)],
    ],
)
def test_shapes_that_do_not_fit(shapes: list[tuple[int, ...]], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="expected vectors of shape .2, D., one row a word"):
        write_glove_binary(
            tmp_path / "v.bin", tmp_path / "v.txt", Vocabulary(["a", "b"]), *(np.zeros(shape) for shape in shapes)
        )
    assert list(tmp_path.iterdir()) == []
