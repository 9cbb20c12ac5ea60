"""What a vocabulary is given: checked once, at the door."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from daneo.corpus.vocabulary_file import MAX_COUNT, has_repeats


def checked_words(words: Sequence[str], what: str = "word") -> list[str]:
    """Return words as a list of plain str, none of them twice."""
    if isinstance(words, str):
        raise TypeError(f"Vocabulary expected a list of {what}s, got the str {words[:40]!r}.")
    words = list(words)
    if set(map(type, words)) - {str}:
        wrong = next((word for word in words if not isinstance(word, str)), None)
        if wrong is not None:
            raise TypeError(f"Vocabulary expected every {what} to be a str, got {wrong!r} ({type(wrong).__name__}).")
        words = list(map(str, words))  # numpy.str_ and other kinds of str
    if has_repeats(words):
        seen: set[str] = set()
        repeated = next(word for word in words if word in seen or seen.add(word))  # type: ignore[func-returns-value]
        raise ValueError(f"Vocabulary expected every {what} once, got {repeated!r} twice.")
    return words


def checked_counts(counts: npt.ArrayLike | None, num_words: int) -> npt.NDArray[np.int64]:
    """Return counts as a new int64 array of shape (num_words,); zeros for None."""
    if counts is None:
        return np.zeros(num_words, dtype=np.int64)
    array = np.asarray(counts)
    if array.shape != (num_words,):
        raise ValueError(f"Vocabulary expected one count a word, shape ({num_words},), got shape {array.shape}.")
    if num_words and not np.issubdtype(array.dtype, np.integer):
        raise TypeError(f"Vocabulary expected whole numbers as counts, got {array.dtype}.")
    if num_words and (array.min() < 0 or array.max() > MAX_COUNT):
        raise ValueError(f"Vocabulary expected counts from 0 to {MAX_COUNT:,}, got {array.min()} to {array.max()}.")
    return array.astype(np.int64)


def checked_ids(ids: npt.ArrayLike, num_words: int) -> npt.NDArray[np.integer[Any]]:
    """Return ids as an array of integers of shape (N,), all from 0 to num_words - 1."""
    array = np.asarray(ids)
    if array.size == 0 and array.ndim == 1:
        return np.empty(0, dtype=np.int32)
    if array.ndim != 1 or not np.issubdtype(array.dtype, np.integer):
        raise TypeError(f"Vocabulary expected ids as integers of shape (N,), got {array.dtype} of shape {array.shape}.")
    wrong = array[(array < 0) | (array >= num_words)]
    if wrong.size:
        raise IndexError(f"The id {wrong[0]} is outside the vocabulary; ids go from 0 to {num_words - 1}.")
    return array


def specials_first(
    words: list[str], counts: npt.NDArray[np.int64], special: tuple[str, ...]
) -> tuple[list[str], npt.NDArray[np.int64]]:
    """Move or add special tokens to the front, where they keep their counts, or have none."""
    index = {word: i for i, word in enumerate(words) if word in special}
    first = [counts[index[token]] if token in index else 0 for token in special]
    rest = np.ones(len(words), dtype=bool)
    rest[list(index.values())] = False
    kept = [word for word in words if word not in index]
    return [*special, *kept], np.concatenate([np.array(first, dtype=np.int64), counts[rest]])
