"""How directions are kept in an index: in fewer bytes than float32, precise enough to find candidates."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from daneo.embeddings.row_blocks import Doubles

_MOST = 127  # of an int8, with either sign


@dataclass(frozen=True)
class Storage:
    """One way to keep directions.

    Attributes
    ----------
    dtype : str
        What usearch calls it.
    code : int
        What its files call it.
    num_bytes : int
        Of a number.
    stored : callable
        Directions, float64 (N, D), of length 1, as usearch takes them.
    """

    dtype: str
    code: int
    num_bytes: int
    stored: Callable[[Doubles], npt.NDArray[Any]]


def as_floats(units: Doubles) -> npt.NDArray[np.float32]:
    """Return directions as float32; usearch rounds them to its bfloat16."""
    return units.astype(np.float32)


def as_bytes(units: Doubles) -> npt.NDArray[np.int8]:
    """Return directions as int8, each scaled so that its largest number is 127: cosines need no common scale.

    usearch would scale all lengths to 127, which leaves about 7 steps for a number of a vector of 300.

    Examples
    --------
    >>> as_bytes(np.array([[0.6, -0.8]])).tolist()
    [[95, -127]]
    """
    largest = np.abs(units).max(axis=1, keepdims=True)
    stored: npt.NDArray[np.int8] = np.rint(units * (_MOST / largest)).astype(np.int8)
    return stored


STORAGE = {
    "int8": Storage("i8", 0x17, 1, as_bytes),
    # For vectors in which a few numbers outweigh all others, and a byte has few steps for the rest.
    "bfloat16": Storage("bf16", 0x04, 2, as_floats),
}
"""By the name that users know."""
