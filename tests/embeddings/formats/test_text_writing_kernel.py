"""Float32 to text: the kernel equals the reference, what is written reads back, and no shorter text would."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from daneo.embeddings.formats.text_writing import _formatted
from daneo.embeddings.formats.text_writing_kernels import format_number
from daneo.embeddings.formats.text_writing_reference import format_number as format_number_reference
from daneo.embeddings.formats.text_writing_reference import format_row

FLOATS = st.one_of(
    st.floats(width=32),
    st.integers(0, 2**32 - 1).map(lambda bits: float(np.uint32(bits).view(np.float32))),
    st.integers(-99999, 99999).map(lambda n: float(np.float32(n / 1000))),
)


def kernel_text(value: np.float32) -> str | None:
    out = np.zeros(32, np.uint8)
    end = format_number(value, out, 0)
    return None if end < 0 else out[:end].tobytes().decode()


@given(FLOATS)
@example(0.0)
@example(-0.0)
@example(1.0)
@example(0.1)
@example(float(2**-10))  # six digits of it are half way between two numbers
@example(float(2**-24))
@example(float(2**-40))
@example(123456789.0)
@example(999999999.0)
@example(9.9999997e-05)
@example(1e-4)
@example(3.4028234663852886e38)
@example(1.401298464324817e-45)
@settings(deadline=None, max_examples=2000)
def test_kernel_equals_reference(number: float) -> None:
    value = np.float32(number)
    got = kernel_text(value)
    assert got is None or got == format_number_reference(value)


@given(FLOATS)
@settings(deadline=None, max_examples=1000)
def test_reference_reads_back_and_is_as_short_as_numpys(number: float) -> None:
    value = np.float32(number)
    text = format_number_reference(value)
    assert np.float32(float(text)).view(np.uint32) == value.view(np.uint32) or np.isnan(value)
    if np.isfinite(value) and value != 0 and np.frexp(value)[0] not in (0.5, -0.5):
        # Beside a power of two float32 lie closer below it than above, where NumPy may find a shorter one.
        assert significant_digits(text) == significant_digits(np.format_float_scientific(value, unique=True))


def significant_digits(text: str) -> int:
    return len(text.split("e")[0].replace(".", "").replace("-", "").strip("0"))


def test_the_kernel_writes_nearly_every_vector_itself() -> None:
    rng = np.random.default_rng(2)
    values = (rng.standard_normal(20000) * 0.3).astype(np.float32)
    written = [kernel_text(value) for value in values]
    assert written == [format_number_reference(value) for value in values]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0.0"),
        (-0.0, "-0.0"),
        (1, "1.0"),
        (-12.5, "-12.5"),
        (0.0625, "0.0625"),
        (0.0001, "0.0001"),
        (0.00001, "1.0e-05"),
        (-1.25e-7, "-1.25e-07"),
        (123456792.0, "123456790.0"),
        (1e9, "1.0e+09"),
        (float("nan"), "nan"),
        (float("-inf"), "-inf"),
    ],
)
def test_spelling(value: float, text: str) -> None:
    assert format_number_reference(np.float32(value)) == text
    assert kernel_text(np.float32(value)) in (text, None)


@given(st.lists(st.tuples(st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"])), FLOATS, FLOATS)))
@settings(deadline=None, max_examples=300)
def test_blocks_of_lines_equal_the_reference(rows: list[tuple[str, float, float]]) -> None:
    words = [word.encode() for word, _, _ in rows]
    matrix = np.array([[one, two] for _, one, two in rows], np.float32).reshape(-1, 2)
    expected = b"".join(format_row(word, vector) for word, vector in zip(words, matrix, strict=True))
    assert _formatted(words, matrix) == expected


def test_without_compiling() -> None:
    if os.environ.get("NUMBA_DISABLE_JIT") == "1":
        pytest.skip("nothing is compiled here anyway")
    test = f"{__file__}::test_blocks_of_lines_equal_the_reference"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", test]
    done = subprocess.run(command, env={**os.environ, "NUMBA_DISABLE_JIT": "1"}, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
