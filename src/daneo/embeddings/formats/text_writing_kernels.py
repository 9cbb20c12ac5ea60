"""Many rows of float32 to text. Compiled on first use; `text_writing_reference` says what each row means.

Where the kernel is not certain of the reference's result it stops before that row and the caller lets the reference do
it. Any number of threads may call it at once, on buffers of their own.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

SPACE, NEWLINE, PLUS, MINUS, DOT, ZERO, SMALL_E = 32, 10, 43, 45, 46, 48, 101

POWERS = np.array([float(f"1e{exponent}") for exponent in range(23)])  # exact, all of them


@njit(nogil=True, cache=True, error_model="numpy")
def put_digits(digits: int, num_digits: int, point: int, out: NDArray[np.uint8], i: int) -> int:
    """Write `digits` with a dot after the first `point` of them; ``.0`` where that is all of them."""
    if point == num_digits:
        digits, num_digits = digits * 10, num_digits + 1
    for k in range(num_digits, -1, -1):
        if k == point:
            out[i + k] = DOT
        else:
            out[i + k] = ZERO + digits % 10
            digits //= 10
    return i + num_digits + 1


@njit(nogil=True, cache=True, error_model="numpy")
def shortest_digits(value: np.float32, magnitude: float) -> tuple[int, int, int]:
    """Return the digits of a positive number, how many they are, and its exponent; no digits when in doubt."""
    exponent = int(np.floor(np.log10(magnitude)))
    if exponent < -13 or exponent > 20:
        return 0, 0, 0
    # No float32 but the powers of ten themselves is so near to one that this scaling could be wrong.
    scaled = magnitude / POWERS[exponent] if exponent >= 0 else magnitude * POWERS[-exponent]
    exponent += int(scaled >= 10) - int(scaled < 1)
    # Up to 6 digits survive float32: if fewer are enough, 6 are these and zeros. 9 are always enough.
    for num_digits in range(6, 10):
        shift = num_digits - 1 - exponent
        scaled = magnitude * POWERS[shift] if shift >= 0 else magnitude / POWERS[-shift]
        digits = int(np.rint(scaled))
        # 24 bits times 5**12 still fit into 53, so this product is exact, and rint rounds a tie as Python does.
        if not 0 <= shift <= 12 and abs(scaled - np.floor(scaled) - 0.5) < 1e-5:
            return 0, 0, 0
        # One rounding, as of the text: all of these powers of ten are exact.
        back = digits / POWERS[shift] if shift >= 0 else digits * POWERS[-shift]
        if np.float32(back) == abs(value):
            break
    else:
        return 0, 0, 0
    if digits == int(POWERS[num_digits]):
        exponent += 1
        num_digits += 1
    while digits % 10 == 0:
        digits //= 10
        num_digits -= 1
    return digits, num_digits, exponent


@njit(nogil=True, cache=True, error_model="numpy")
def format_number(value: np.float32, out: NDArray[np.uint8], i: int) -> int:
    """Write a number to out[i:] and return where it ends, -1 when in doubt."""
    magnitude = abs(np.float64(value))
    if not magnitude < np.inf:
        return -1
    if np.signbit(value):
        out[i] = MINUS
        i += 1
    if magnitude == 0:
        return put_digits(0, 1, 1, out, i)
    digits, num_digits, exponent = shortest_digits(value, magnitude)
    if num_digits == 0:
        return -1
    if 0 <= exponent < 9:
        while num_digits <= exponent:
            digits, num_digits = digits * 10, num_digits + 1
        return put_digits(digits, num_digits, exponent + 1, out, i)
    if -4 <= exponent < 0:
        # The digits stand behind 1 and zeros, which are written with them; then 0 takes the place of the 1.
        leading = int(POWERS[num_digits - exponent - 1])
        end = put_digits(leading * 10 + digits, num_digits - exponent, 1, out, i)
        out[i] = ZERO
        return end
    i = put_digits(digits, num_digits, 1, out, i)
    out[i] = SMALL_E
    out[i + 1] = MINUS if exponent < 0 else PLUS
    out[i + 2] = ZERO + abs(exponent) // 10
    out[i + 3] = ZERO + abs(exponent) % 10
    return i + 4


@njit(nogil=True, cache=True, error_model="numpy")
def format_rows(
    words: NDArray[np.uint8],
    position: int,
    matrix: NDArray[np.float32],
    row: int,
    out: NDArray[np.uint8],
    num_bytes: int,
) -> tuple[int, int, int]:
    """Write a line for each of matrix[row:] to out[num_bytes:]. The words stand in `words`, a newline after each.

    Trusts that `out` has room for the words and 16 bytes a number. Returns the three positions where it stopped: at the
    end of `matrix`, or at a row that the reference must write.
    """
    while row < len(matrix):
        i, end = num_bytes, position
        while words[end] != NEWLINE:
            out[i] = words[end]
            i += 1
            end += 1
        for column in range(matrix.shape[1]):
            out[i] = SPACE
            i = format_number(matrix[row, column], out, i + 1)
            if i < 0:
                return position, row, num_bytes
        out[i] = NEWLINE
        position, row, num_bytes = end + 1, row + 1, i + 1
    return position, row, num_bytes
