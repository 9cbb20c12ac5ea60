"""Reading texts with labels: both kinds of files, every rule about columns, and errors that name the line."""

from __future__ import annotations

import lzma
from pathlib import Path
from typing import Any

import pytest

import daneo


@pytest.fixture
def write(tmp_path: Path) -> Any:
    def written(text: str | bytes, name: str = "texts") -> Path:
        path = tmp_path / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    return written


def test_lines_of_fasttext(write: Any) -> None:
    path = write("__label__a good  fun\n\n__label__b\tbad\u00a0film\r\n__label__a\n")
    assert daneo.read_labelled(path) == (["good  fun", "bad\u00a0film", ""], ["a", "b", "a"])


def test_labels_stand_anywhere_and_are_several(write: Any) -> None:
    path = write("__label__a __label__b x\ny __label__c z\nx__label__d __label__\u00e9\nnothing\n")
    assert daneo.read_labelled(path, multilabel=True) == (
        ["x", "y z", "x__label__d ", "nothing"],
        [["a", "b"], ["c"], ["\u00e9"], []],
    )


def test_another_prefix(write: Any) -> None:
    assert daneo.read_labelled(write("#1 x #tag\n"), label_prefix="#", multilabel=True) == (["x "], [["1", "tag"]])


def test_two_columns(write: Any) -> None:
    path = write('a "b\tup\n\tdown\nc\tup\n')
    assert daneo.read_labelled(path) == (['a "b', "", "c"], ["up", "down", "up"])


@pytest.mark.parametrize(
    "columns",
    [
        {"text_column": "document", "label_column": "label"},
        {"text_column": 1, "label_column": 2, "header": True},
        {"text_column": "document", "label_column": 2},
    ],
)
def test_columns_by_name_and_by_number(write: Any, columns: Any) -> None:
    path = write("id\tdocument\tlabel\n1\tgood\t1\n2\t\t0\n3\tbad\t0\textra\n")
    assert daneo.read_labelled(path, **columns) == (["good", "", "bad"], ["1", "0", "0"])


def test_several_labels_in_a_column(write: Any) -> None:
    path = write("x\ta,b\ny\t\nz\ta\n")
    assert daneo.read_labelled(path, label_separator=",", multilabel=True)[1] == [["a", "b"], [], ["a"]]


def test_compressed_files_and_a_byte_order_mark(write: Any) -> None:
    path = write(lzma.compress("\ufeff__label__a x\n".encode()), "texts.xz")
    assert daneo.read_labelled(path) == (["x"], ["a"])


def test_bytes_that_are_not_utf8(write: Any) -> None:
    path = write(b"__label__a x\n__label__b caf\xe9\n")
    with pytest.raises(ValueError, match="line 2: the bytes e9 are not UTF-8"):
        daneo.read_labelled(path)
    assert daneo.read_labelled(path, errors="replace")[0] == ["x", "caf\ufffd"]


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("", {}, "holds no lines"),
        ("\n \n", {}, "holds no lines"),
        ("__label__a x\ny\n", {}, "line 2: expected one label, got no label"),
        ("\n__label__a __label__b x\n", {}, "line 2: expected one label, got 2 labels; multilabel=True"),
        ("__label__a x\n__label__ y\n", {}, "line 2: a label has no name"),
        ("x\ta\ny\n", {}, "line 2: expected columns divided by tabs, 2, a text and its label; got 1: 'y'"),
        ("x\ta\tb\n", {}, "line 1: expected columns divided by tabs, 2, a text and its label; got 3"),
        ("x\ta\n", {"label_column": 2}, "line 1: expected columns divided by tabs, at least 3; got 2"),
        ("x\ta\ny\t\n", {}, "line 2: a label has no name"),
        ("text\tlabel\nx\ta\n", {}, "line 1: this looks like a header"),
        ("a\tb\nx\ta\n", {"label_column": "c"}, "line 1: no column is called 'c'; the header names 'a', 'b'"),
        ("a\tb\n", {"label_column": "b", "header": False}, "header=False contradicts it"),
        ("a\tb\n", {"label_column": -1}, "from 0, or its name; got -1"),
        ("up\tone\nup\ttwo\ndown\tthree\n", {}, "Say text_column=1, label_column=0"),
        ("x\ta,b\n", {"label_separator": ","}, "line 1: expected one label, got 2 labels"),
    ],
)
def test_errors_say_what_to_do(write: Any, text: str, options: Any, message: str) -> None:
    path = write(text)
    with pytest.raises(ValueError, match=message) as caught:
        daneo.read_labelled(path, **options)
    assert "\n" not in str(caught.value)


def test_a_header_that_is_none(write: Any) -> None:
    assert daneo.read_labelled(write("text\tlabel\nx\ta\n"), header=False)[1] == ["label", "a"]
    assert daneo.read_labelled(write("text\tlabel\nx\ta\n"), header=True)[1] == ["a"]


def test_no_file() -> None:
    with pytest.raises(FileNotFoundError, match="nowhere"):
        daneo.read_labelled("nowhere.tsv")


def test_nsmc(shared_data: Path) -> None:
    path = shared_data / "nsmc" / "ratings_test.txt.xz"
    texts, labels = daneo.read_labelled(path, text_column="document", label_column="label")
    assert (len(texts), labels.count("1"), labels.count("0")) == (50_000, 25_173, 24_827)
    assert texts.count("") == 3
    assert texts[0] == "굳 ㅋ"
