"""Text to float32: the kernel equals the reference, and the reference equals Python's float() cast to float32."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from daneo.embeddings.formats.text_reading import _parse_block
from daneo.embeddings.formats.text_reading_kernels import parse_number, parse_rows, word_end
from daneo.embeddings.formats.text_reading_reference import parse_row, split_row

DIGITS = st.text("0123456789", max_size=30)


@st.composite
def numbers(draw: st.DrawFn) -> str:
    """What may stand for a number, some of it wrong."""
    whole, part = draw(DIGITS), draw(DIGITS)
    exponent = draw(st.sampled_from(["", "e", "E"]))
    if exponent:
        exponent += draw(st.sampled_from(["", "+", "-"])) + draw(
            st.one_of(st.integers(0, 60).map(str), st.text("0123456789", max_size=6))
        )
    return draw(st.sampled_from(["", "-", "+"])) + whole + draw(st.sampled_from(["", "."])) + part + exponent


PRINTED = st.one_of(
    st.floats(width=32, allow_nan=False).map(lambda x: str(np.float32(x))),
    st.floats(allow_nan=False).map(repr),
    st.floats(-10, 10).map("{:f}".format),
    st.floats(-10, 10).map("{:.17e}".format),
    st.sampled_from(["nan", "-nan", "inf", "-Infinity", "NAN", "1_000", "0x10", "1.5f", "--1", ".", "-", "e5", "١"]),
)
FIELDS = st.one_of(numbers(), PRINTED)


def float32_bits(values: object) -> list[int]:
    return np.asarray(values, np.float32).view(np.uint32).tolist()


def reference_number(field: bytes) -> np.float32 | None:
    try:
        return parse_row(b"w " + field, 1)[1][0]
    except ValueError:
        return None


@given(FIELDS)
@example("0.1")
@example("-0")
@example("16777217")  # half way between two float32
@example("0.50000002980232238769531250")  # half way, with more digits than are kept
@example("0.50000002980232238769531251")
@example("1.00000017881393432617187499")
@example("1.17549435e-38")  # the smallest normal number
@example("1.401298464324817e-45")
@example("7.006492321624085e-46")  # half of the smallest denormal
@example("3.4028235677973366e+38")  # half way to what would be infinity
@example("3.40282356779733e38")
@example("1e-80")
@example("0e999999999999999999999")
@example("000000000000000000000000000000001.5")
@example("0.00000000000000000000000000000000000000000000000001e50")
@example("123456789012345678901234567890e-20")
@settings(deadline=None, max_examples=2000)
def test_a_certain_number_is_the_references(field: str) -> None:
    text = field.encode() + b"\n"
    value, end, certain = parse_number(np.frombuffer(text, np.uint8), 0)
    if certain and end == len(text) - 1:
        expected = reference_number(field.encode())
        assert expected is not None
        assert float32_bits(value) == float32_bits(expected)


def test_the_kernel_is_certain_of_what_tools_print() -> None:
    rng = np.random.default_rng(1)
    values = (rng.standard_normal(20000) * 10.0 ** rng.integers(-30, 6, 20000)).tolist()
    for spell in ("{:g}", "{!r}", "{:.6f}", "{:.18e}"):
        fields = [spell.format(value) for value in values]
        text = np.frombuffer("\n".join([*fields, ""]).encode(), np.uint8)
        starts = np.cumsum([0] + [len(field) + 1 for field in fields[:-1]])
        found = [parse_number(text, start) for start in starts]
        assert [end for _, end, _ in found] == [start + len(field) for start, field in zip(starts, fields, strict=True)]
        # One in 2**25 numbers is too near to the middle between two float32.
        assert all(certain for _, _, certain in found)
        expected = np.array([float(field) for field in fields]).astype(np.float32)
        assert float32_bits([value for value, _, _ in found]) == float32_bits(expected)


@given(FIELDS)
@settings(deadline=None, max_examples=500)
def test_the_reference_is_pythons_float(field: str) -> None:
    """Only less generous: digits of other scripts and underscores are no numbers here."""
    got = reference_number(field.encode())
    try:
        expected = None if "_" in field or not field.isascii() else float(field)
    except ValueError:
        expected = None
    if expected is None or got is None:
        assert expected is got
    else:
        with np.errstate(over="ignore"):
            assert float32_bits(got) == float32_bits(np.float64(expected).astype(np.float32))


WORDS = st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"]), max_size=8)


@given(
    st.lists(st.tuples(WORDS, st.lists(FIELDS, min_size=2, max_size=2)), max_size=5),
    st.sampled_from(["\n", " \n", "\r\n", "\n\n", " \t \n"]),
    st.sampled_from([" ", "\t"]),
)
@settings(deadline=None, max_examples=500)
def test_blocks_of_lines_equal_the_reference(rows: list[tuple[str, list[str]]], ending: str, separator: str) -> None:
    text = "".join(separator.join([word, *fields]) + ending for word, fields in rows).encode()
    block = _parse_block(0, text, 2, "strict")
    words, vectors, broken = [], [], False
    for line in text.split(b"\n"):
        if not line.strip(b" \t\r\v\f"):
            continue
        try:
            word, vector = parse_row(line, 2)
        except ValueError:
            broken = True
            break
        words.append(word.decode())
        vectors.append(vector)
    assert block.words == words
    assert float32_bits(block.matrix) == float32_bits(np.array(vectors).reshape(-1, 2))
    assert (block.error is not None) == broken
    assert block.broken == [row for row, vector in enumerate(vectors) if not np.isfinite(vector).all()]


@given(st.text("ab1 \t\r", max_size=12), st.integers(1, 3))
@settings(deadline=None, max_examples=300)
def test_words_end_where_the_reference_says(line: str, vector_size: int) -> None:
    text = line.encode()
    end = word_end(np.frombuffer(text + b"\n", np.uint8), 0, vector_size)
    if not text.strip(b" \t\r"):
        assert end == len(text)
        return
    try:
        expected = len(split_row(text, vector_size)[0])
    except ValueError:
        expected = -1
    assert end == expected


def test_rows_stop_where_the_matrix_is_full() -> None:
    text = np.frombuffer(b"a 1\n\n \nb 2\nc 3\n", np.uint8)
    matrix, words = np.zeros((2, 1), np.float32), np.zeros(len(text), np.uint8)
    assert parse_rows(text, 0, matrix, 0, words, 0) == (11, 2, 4)
    assert words[:4].tobytes() == b"a\nb\n"
    assert matrix.tolist() == [[1.0], [2.0]]


@pytest.mark.parametrize(
    "name", ["test_blocks_of_lines_equal_the_reference", "test_rows_stop_where_the_matrix_is_full"]
)
def test_without_compiling(name: str) -> None:
    if os.environ.get("NUMBA_DISABLE_JIT") == "1":
        pytest.skip("nothing is compiled here anyway")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"{__file__}::{name}"]
    done = subprocess.run(command, env={**os.environ, "NUMBA_DISABLE_JIT": "1"}, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
