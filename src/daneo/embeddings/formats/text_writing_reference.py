"""One row of a text file of vectors, written in plain Python: the definition that the kernel must equal."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def format_number(value: np.float32) -> str:
    """Return `value` rounded to the fewest digits that read back as the same float32."""
    if not np.isfinite(value):
        return str(float(value))
    for digits in range(1, 10):
        text = f"{float(value):.{digits - 1}e}"
        with np.errstate(over="ignore"):  # 3.403e+38 is beyond float32, and so not equal
            if np.float32(float(text)) == value:
                break
    mantissa, exponent = text.split("e")
    return _spelt(mantissa, int(exponent))


def _spelt(mantissa: str, exponent: int) -> str:
    """Spell -1.2500 and 1 as -12.5: plainly from 0.0001 to below 1e9, with an exponent outside."""
    sign, digits = ("-" if mantissa[0] == "-" else ""), mantissa.lstrip("-").replace(".", "").rstrip("0") or "0"
    if not -4 <= exponent < 9:
        return f"{sign}{digits[0]}.{digits[1:] or '0'}e{exponent:+03d}"
    if exponent < 0:
        return f"{sign}0.{'0' * (-exponent - 1)}{digits}"
    digits = digits.ljust(exponent + 1, "0")
    return f"{sign}{digits[: exponent + 1]}.{digits[exponent + 1 :] or '0'}"


def format_row(word: bytes, vector: NDArray[np.float32]) -> bytes:
    """Return the line of one word, with its newline."""
    return b" ".join([word, *(format_number(value).encode() for value in vector)]) + b"\n"
