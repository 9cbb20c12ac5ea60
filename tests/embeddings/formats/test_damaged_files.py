"""Damaged and lying files: one clear error, or a counted warning, and no memory on a header's word."""

from __future__ import annotations

import contextlib
import gzip
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest

from daneo.embeddings.formats import load, recognise
from daneo.embeddings.formats.byte_source import ByteSource
from daneo.embeddings.formats.recognition import recognise_source

FLOATS = np.arange(1, 4, dtype="<f4").tobytes()  # no byte of these is a space or a newline
BINARY_ROWS = b"sea " + FLOATS + b"\nsun " + FLOATS + b"\n"

CASES = {
    # header and rows of text
    "fewer rows": (b"3 2\na 1 2\nb 3 4\n", EOFError, "promises 3 rows of 2 numbers, the file has 2.*limit=2 reads"),
    "more rows": (b"1 2\na 1 2\nb 3 4\n", ValueError, "promises 1 rows of 2 numbers, the file has more.*limit=1"),
    "no rows": (b"2 2\n", EOFError, "promises 2 rows of 2 numbers; 2 of them take at least 8 bytes, 0 follow"),
    "no rows promised": (b"0 100\n", ValueError, "promises 0 rows of 100 numbers; expected at least 1 of each"),
    "no size": (b"2 0\na\nb\n", ValueError, "promises 2 rows of 0 numbers; expected at least 1"),
    "negative rows": (b"-5 3\na 1 2 3\n", ValueError, "promises -5 rows of 3 numbers"),
    "negative size": (b"5 -3\na 1 2 3\n", ValueError, "promises 5 rows of -3 numbers"),
    "absurd rows": (b"1099511627776 3\na 1 2 3\n", EOFError, "promises 1099511627776 rows.*8 follow"),
    "absurd size": (b"3 1099511627776\na 1 2 3\n", ValueError, "1099511627776 numbers; expected.*at most 1048576"),
    "overflow": (b"4294967296 4294967296\na 1 2 3\n", ValueError, "expected at least 1 of each and at most"),
    "beyond 64 bits": (b"9" * 40 + b" 3\na 1 2 3\n", EOFError, "99 rows of 3 numbers; .*8 follow"),
    "short row": (b"2 3\na 1 2 3\nb 1", EOFError, "2 of them take at least 12 bytes, 11 follow"),
    "short row, later": (
        b"2 3\nabc 1.5 2 3\nb 1.5 2\n",
        ValueError,
        r"row 2 \(byte 16\): expected a word and 3 n.*got 2",
    ),
    "no number": (b"2 2\na 1.5 2\nb 1.5 x\n", ValueError, r"row 2 \(byte 12\): .*got b'x' for a number"),
    "two spaces": (b"2 2\nab 1 2\nb 1  2\n", ValueError, r"row 2 \(byte 11\): .*got b'' for a number"),
    "not UTF-8": (b"2 1\na 1.5\n\xff\xfe 1.5\n", ValueError, r"row 2 \(byte 10\): the word b'\\xff\\xfe' is not UTF-8"),
    "half a letter": (
        b"1 1\n\xeb\x82 1.5\n",
        ValueError,
        r"row 1 \(byte 4\): the word b'\\xeb\\x82' is not UTF-8. errors=",
    ),
    # GloVe
    "glove, short row": (
        b"a 1 2\nb 1 2\nc 1\n",
        ValueError,
        r"row 3 \(byte 12\): expected a word and 2 numbers, got 1 f",
    ),
    "glove, cut off": (b"a 1.25 2.5\nb 1.5 -2.5\nc 1.5 -", ValueError, "row 3 .*got b'-' for a number"),
    # word2vec binary
    "binary, fewer rows": (b"3 3\n" + BINARY_ROWS, EOFError, "promises 3 rows .* take at least 39 bytes, 34 follow"),
    "binary, more rows": (b"1 3\n" + BINARY_ROWS, ValueError, "promises 1 rows of 3 numbers, the file has more"),
    "binary, cut off": (b"2 3\n" + BINARY_ROWS[:-2], EOFError, "promises 2 rows of 3 numbers, the file has 1"),
    "binary, not UTF-8": (
        b"1 3\n\xff\xfe " + FLOATS,
        ValueError,
        r"row 1 \(byte 4\): the word b'\\xff\\xfe' is not UTF",
    ),
    "binary, no space": (
        b"9 3\n" + b"\1" * 99999,
        ValueError,
        r"row 1 \(byte 4\): no space ends its word within 65536",
    ),
    "binary, absurd rows": (b"1099511627776 3\n" + BINARY_ROWS, EOFError, "promises 1099511627776 rows.*34 follow"),
    "binary, absurd size": (b"1 99999999999\n" + BINARY_ROWS, ValueError, "expected at least 1 of each and at most"),
    # neither
    "empty": (b"", ValueError, "is empty"),
    "nothing but newlines": (b"\n\n\n", ValueError, "none of the formats"),
    "prose": (b"What time is it?\nIt is late.\n", ValueError, r"begins with b'What time is it\?\\nIt '.*GloVe text"),
    "garbage": (bytes(range(128, 256)) * 9, ValueError, "none of the formats"),
    "UTF-16": ("2 1\na 1\n".encode("utf-16"), ValueError, "none of the formats"),
    "NumPy": (b"\x93NUMPY\x01\x00v\x00{'descr'", ValueError, "is a NumPy array, which has no words"),
    "pickle": (b"\x80\x04\x95\x10\x00\x00", ValueError, "is a Python pickle.*never does"),
    "fastText": (
        b"\xba\x16\x4f\x2f\x0c\x00\x00\x00",
        EOFError,
        r"settings \(byte 8\): expected 48 bytes, 0 follow",
    ),
    "HDF5": (b"\x89HDF\r\n\x1a\n", ValueError, "is an HDF5 file"),
    "safetensors": (b'\x40\0\0\0\0\0\0\0{"vectors":', ValueError, "is a safetensors file. Give the directory"),
}


@pytest.mark.parametrize("name", CASES)
def test_one_clear_error(name: str, tmp_path: Path) -> None:
    data, kind, reason = CASES[name]
    path = tmp_path / "vectors.txt"
    path.write_bytes(data)
    with pytest.raises(kind, match=reason) as caught:
        load(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


COMPRESSED_LIES = [
    b"1099511627776 3\na 1 2 3\n",
    b"3 1048576\na 1 2 3\n",
    b"1099511627776 1048576\na 1 2 3\n",
    b"1099511627776 3\n" + BINARY_ROWS,
    b"3 1048576\n" + BINARY_ROWS,
    b"1 1048576\n" + b"a\n" * 50000,
    b"a 1 2 3\n",
]


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("data", COMPRESSED_LIES, ids=range(len(COMPRESSED_LIES)))
def test_no_memory_on_a_headers_word(data: bytes, compressed: bool, tmp_path: Path) -> None:
    path = tmp_path / "vectors"
    path.write_bytes(gzip.compress(data) if compressed else data)
    _load_or_refuse(path)  # imports and compiling take memory of their own
    tracemalloc.start()
    try:
        _load_or_refuse(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # Buffers of fixed size take some megabytes, whatever is read.
    assert peak < (12 << 20) + 20 * len(data)


def _load_or_refuse(path: Path) -> None:
    with contextlib.suppress(ValueError, EOFError):
        load(path, num_threads=1)


def test_a_line_without_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("daneo.embeddings.formats.text_reading.LONGEST_LINE", 1 << 20)
    path = tmp_path / "vectors"
    path.write_bytes(gzip.compress(b"2 2\na 1 2\nb" + b" 1" * 3_000_000))
    with pytest.raises(ValueError, match="the line at byte 10 is longer than 1 MiB"):
        load(path)


@pytest.mark.parametrize(
    ("damage", "kind", "reason"),
    [
        (lambda data: data[:-10], EOFError, "the compressed file is cut off"),
        (lambda data: data[:30] + bytes([data[30] ^ 255]) + data[31:], ValueError, "the compressed file is damaged"),
        (lambda data: data[:-8] + b"\0\0\0\0" + data[-4:], ValueError, "the compressed file is damaged: CRC"),
        (lambda data: data + b"more", ValueError, "the compressed file is damaged"),
    ],
)
def test_damaged_gzip(damage: object, kind: type[Exception], reason: str, tmp_path: Path) -> None:
    rows = b"".join(b"word%d 0.%d 1\n" % (row, row * 7919) for row in range(5000))
    path = tmp_path / "vectors.gz"
    path.write_bytes(damage(gzip.compress(rows)))  # type: ignore[operator]
    with pytest.raises(kind, match=reason) as caught:
        load(path)
    assert str(caught.value).startswith(str(path))


def test_limit_reads_what_stands_before_the_damage(tmp_path: Path) -> None:
    path = tmp_path / "vectors"
    path.write_bytes(b"4 1\na 1\nb 2\nc 3 x\n\xff 4\n")
    assert load(path, limit=2).words == ["a", "b"]
    with pytest.raises(ValueError, match="row 3"):
        load(path, limit=3)
    path.write_bytes(b"a 1\nb 2\n\xff 4\nc x\n")
    assert load(path, limit=2).matrix.tolist() == [[1], [2]]
    with pytest.raises(ValueError, match="row 3 .*not UTF-8"):
        load(path)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"4 1\na 1\nb 2\na 3\na 4\n", ["a", "b"]),
        (b"a 1.5\nb 2.5\na 3.5\na 4.5\n", ["a", "b"]),
        (b"4 1\na \0\0\x80\x3fb \0\0\0\x40a \0\0\0\x41a \0\0\0\x42", ["a", "b"]),
    ],
)
def test_of_equal_words_the_first_row_is_kept(data: bytes, words: list[str], tmp_path: Path) -> None:
    path = tmp_path / "vectors"
    path.write_bytes(data)
    with pytest.warns(
        UserWarning, match="2 of 4 rows repeat a word, the first of them 'a'.*first row was kept"
    ) as caught:
        vectors = load(path)
    assert len(caught) == 1
    assert vectors.words == words
    assert vectors.matrix.astype(int).tolist() == [[1], [2]]


def test_words_that_become_equal_by_ignoring_errors(tmp_path: Path) -> None:
    path = tmp_path / "vectors"
    path.write_bytes(b"3 1\na\xff 1\na\xfe 2\na\xfd\xff 3\n")
    with pytest.warns(UserWarning, match="2 of 3 rows repeat a word, the first of them 'a'"):
        assert load(path, errors="ignore").words == ["a"]
    with pytest.warns(UserWarning, match="1 of 3 rows"):
        assert load(path, errors="replace").words == ["a\ufffd", "a\ufffd\ufffd"]


@pytest.mark.parametrize(
    "data",
    [
        b"3 2\na 1 2\nb nan 1\nc 1e99 -inf\n",
        b"a 1 2\nb nan 1\nc 1e99 -inf\n",
        b"3 2\na "
        + np.float32([1, 2]).tobytes()
        + b"b "
        + np.float32([np.nan, 1]).tobytes()
        + b"c "
        + b"\0\0\x80\x7f" * 2,
    ],
)
def test_numbers_that_are_not_finite_are_counted(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "vectors"
    path.write_bytes(data)
    with pytest.warns(UserWarning, match="2 of 3 rows hold NaN or infinite numbers, the first of them that of 'b'"):
        vectors = load(path)
    assert np.isfinite(vectors.matrix).all(axis=1).tolist() == [True, False, False]
    assert load(path, limit=1).words == ["a"]  # and no warning, which pytest would turn into an error here


def test_largest_numbers_are_finite(tmp_path: Path) -> None:
    largest = np.finfo(np.float32).max
    path = tmp_path / "vectors"
    path.write_bytes(b"1 3\na " + np.full(3, largest, "<f4").tobytes())  # their sum is infinite
    assert load(path).matrix.tolist() == [[float(largest)] * 3]


def test_a_byte_order_mark_before_the_header(tmp_path: Path) -> None:
    path = tmp_path / "vectors"
    path.write_bytes(b"\xef\xbb\xbf1 2\r\na 1 2\r\n")
    assert recognise(path) == "word2vec-text"
    assert load(path).matrix.tolist() == [[1, 2]]


def test_blank_lines_and_spaces_at_line_ends_mean_nothing(tmp_path: Path) -> None:
    path = tmp_path / "vectors"
    path.write_bytes(b"2 2 \r\na 1 2 \r\n\r\n\tb\t3\t4  \n \n\n")
    vectors = load(path)
    assert vectors.words == ["a", "\tb"]
    assert vectors.matrix.tolist() == [[1, 2], [3, 4]]


def test_a_header_that_promises_shorter_vectors(tmp_path: Path) -> None:
    path = tmp_path / "vectors"
    path.write_bytes(b"2 2\na 1 2 3\nb\t4\t5\t6\n")
    with pytest.warns(UserWarning, match="2 of 2 rows have more than 2 numbers. All but the last 2 .*, first in 'a 1'"):
        assert load(path).words == ["a 1", "b\t4"]


def test_words_with_spaces_and_numbers_in_glove(tmp_path: Path) -> None:
    path = tmp_path / "vectors"
    path.write_text("the 1 2\n. . . 3 4\nat name@domain.com 5 6\n10 000 7 8\n  9 10\n <unk> 11 12\n\u00a0 13 14\n")
    with pytest.warns(UserWarning, match="1 of 7 rows have more than 2 numbers.*a part of the word, first in '10 000'"):
        vectors = load(path)
    assert vectors.words == ["the", ". . .", "at name@domain.com", "10 000", " ", " <unk>", "\u00a0"]
    assert vectors.matrix[:, 0].tolist() == [1, 3, 5, 7, 9, 11, 13]


def test_a_long_first_line_is_looked_at_whole(tmp_path: Path) -> None:
    row = b"a" + b" 0.25" * 100_000 + b"\n"
    path = tmp_path / "vectors"
    for data, format in ((b"1 100000\n" + row, "word2vec-text"), (row, "glove-text")):
        path.write_bytes(data)
        assert recognise(path) == format
        assert load(path).matrix.shape == (1, 100_000)


def test_a_zip_archive(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "glove.zip", "w") as archive:
        archive.writestr("glove.txt", "a 1 2\n")
    with pytest.raises(ValueError, match="is a zip archive .*Unpack it first"):
        load(tmp_path / "glove.zip")


def test_nothing_there(tmp_path: Path) -> None:
    for act in (load, recognise):
        with pytest.raises(FileNotFoundError, match="vectors.txt"):
            act(tmp_path / "vectors.txt")


def test_recognising_takes_nothing_from_the_source() -> None:
    source = ByteSource.of_bytes(b"a 1 2\nb 3 4\n")
    assert recognise_source(source) == "glove-text"
    assert (source.position, source.read(100)) == (0, b"a 1 2\nb 3 4\n")


def test_a_binary_file_whose_numbers_look_like_letters(tmp_path: Path) -> None:
    path = tmp_path / "vectors"
    path.write_bytes(b"3 1\nab abcdcd efghij xyz\n")
    assert recognise(path) == "word2vec-binary"
    assert load(path).words == ["ab", "cd", "ij"]
