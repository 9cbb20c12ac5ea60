"""Many rows of text to float32. Compiled on first use; `text_reading_reference` says what each row means.

Where the kernel is not certain of the reference's result, or a row is broken, it stops before that row and the caller
lets the reference do it. Any number of threads may call it at once, on buffers of their own.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

SPACE, TAB, NEWLINE, CARRIAGE_RETURN, PLUS, MINUS, DOT = 32, 9, 10, 13, 43, 45, 46
ZERO, NINE, SMALL_E = 48, 57, 101

POWERS = np.array([float(f"1e{exponent}") for exponent in range(81)])  # each within half a unit of its last place

KEPT = 10**17  # a mantissa below this takes one more digit, and stays below 2**63

# Four roundings lead to the float64: the digits left out, the mantissa, the power of ten, the quotient. Each is off by
# less than 2**-52 of the value. Where everything within 2**-50 of it is one float32, the exact number's is the same.
DOUBT = 2.0**-50


@njit(nogil=True, cache=True, error_model="numpy")
def parse_number(text: NDArray[np.uint8], i: int) -> tuple[Any, int, Any]:
    """Return the float32 that is written at text[i:], where it ends, and whether it is certain."""
    negative = text[i] == MINUS
    if negative or text[i] == PLUS:
        i += 1
    mantissa: Any = 0
    scale, num_digits = 0, 0
    while ZERO <= text[i] <= NINE:
        if mantissa < KEPT:
            mantissa = mantissa * 10 + np.int64(text[i] - ZERO)
        else:
            scale += 1
        num_digits += 1
        i += 1
    if text[i] == DOT:
        i += 1
        while ZERO <= text[i] <= NINE:
            if mantissa < KEPT:
                mantissa = mantissa * 10 + np.int64(text[i] - ZERO)
                scale -= 1
            num_digits += 1
            i += 1
    if text[i] | 32 == SMALL_E and num_digits > 0:
        i += 1
        minus = text[i] == MINUS
        if minus or text[i] == PLUS:
            i += 1
        exponent: Any = 0
        num_digits = 0
        while ZERO <= text[i] <= NINE:
            exponent = min(exponent * 10 + np.int64(text[i] - ZERO), 9999)
            num_digits += 1
            i += 1
        scale += -exponent if minus else exponent
    if num_digits == 0 or scale < -80 or scale > 80:
        return np.float32(0), i, False
    value = mantissa / POWERS[-scale] if scale < 0 else mantissa * POWERS[scale]
    low, high = np.float32(value * (1 - DOUBT)), np.float32(value * (1 + DOUBT))
    return -low if negative else low, i, low == high and low < np.inf


@njit(nogil=True, cache=True, error_model="numpy")
def parse_vector(text: NDArray[np.uint8], i: int, vector: NDArray[np.float32]) -> int:
    """Fill `vector` from the fields after the separator at text[i]. Return where the line ends, -1 when in doubt."""
    for column in range(len(vector)):
        if text[i] != SPACE and text[i] != TAB:
            return -1
        vector[column], i, certain = parse_number(text, i + 1)
        if not certain:
            return -1
    while text[i] == SPACE or (TAB <= text[i] <= CARRIAGE_RETURN and text[i] != NEWLINE):
        i += 1
    return i if text[i] == NEWLINE else -1


@njit(nogil=True, cache=True, error_model="numpy")
def word_end(text: NDArray[np.uint8], start: int, vector_size: int) -> int:
    """Return where the word of the line at text[start:] ends: at the last but `vector_size` separator.

    A blank line gives the position of its newline, a line with too few separators gives -1.
    """
    end = start
    while text[end] != NEWLINE:
        end += 1
    i = end
    while i > start and (text[i - 1] == SPACE or TAB <= text[i - 1] <= CARRIAGE_RETURN):
        i -= 1
    if i == start:
        return end
    for _ in range(vector_size):
        i -= 1
        while i >= start and text[i] != SPACE and text[i] != TAB:
            i -= 1
        if i < start:
            return -1
    return i


@njit(nogil=True, cache=True, error_model="numpy")
def parse_rows(
    text: NDArray[np.uint8],
    start: int,
    matrix: NDArray[np.float32],
    row: int,
    words: NDArray[np.uint8],
    num_bytes: int,
) -> tuple[int, int, int]:
    """Parse whole lines from text[start:] into matrix[row:], and their words, a newline after each, into `words`.

    Trusts that `text` ends with a newline and that `words` is as long as `text`. Returns the three positions where it
    stopped: at the end of `text`, or at the start of a line that the reference must look at, as when `matrix` is full.
    """
    while start < len(text):
        if row == len(matrix):
            i = word_end(text, start, matrix.shape[1])
            if i < 0 or text[i] != NEWLINE:
                break
            start = i + 1
            continue
        # Nearly always the word ends at the first space.
        i = start
        while text[i] != SPACE and text[i] != TAB and text[i] != NEWLINE:
            words[num_bytes + i - start] = text[i]
            i += 1
        end = parse_vector(text, i, matrix[row])
        if end < 0:
            i = word_end(text, start, matrix.shape[1])
            if i >= 0 and text[i] == NEWLINE:
                start = i + 1
                continue
            end = parse_vector(text, i, matrix[row]) if i >= 0 else -1
            if end < 0:
                break
            for k in range(start, i):
                words[num_bytes + k - start] = text[k]
        words[num_bytes + i - start] = NEWLINE
        num_bytes += i - start + 1
        row += 1
        start = end + 1
    return start, row, num_bytes
