"""Which words a vocabulary keeps, and in which order."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt


def frequent_ids(
    words: Sequence[str], counts: npt.NDArray[np.int64], num_special: int, min_count: int, max_size: int | None
) -> npt.NDArray[np.int64]:
    """Order the frequent words by falling count, and words of one count by their spelling.

    Parameters
    ----------
    words : sequence of str, length V
        Special tokens first, the others in any order.
    counts : int64 array of shape (V,)
        How often each occurs.
    num_special : int
        How many of the words are special tokens, which are neither chosen nor ordered.
    min_count : int
        Rarer words are left out.
    max_size : int or None
        The most entries of the vocabulary, special tokens included.

    Returns
    -------
    int64 array
        Positions in `words`.

    Raises
    ------
    ValueError
        A setting is out of its range, or no word is left.
    """
    if min_count < 1:
        raise ValueError(f"Vocabulary expected min_count of at least 1, got {min_count}. 1 keeps every word.")
    if max_size is not None and max_size <= num_special:
        raise ValueError(f"Vocabulary expected max_size above its {num_special} special tokens, got {max_size}.")
    frequent = np.flatnonzero(counts[num_special:] >= min_count) + num_special
    if frequent.size == 0:
        raise ValueError(_nothing_left(counts[num_special:], min_count))
    spelled = np.array(sorted(frequent.tolist(), key=words.__getitem__), dtype=np.int64)
    ordered = spelled[np.argsort(-counts[spelled], kind="stable")]
    return ordered if max_size is None else ordered[: max_size - num_special]


def _nothing_left(counts: npt.NDArray[np.int64], min_count: int) -> str:
    if counts.size == 0:
        return "The corpus holds no words. Check its path, and that the tokenizer suits its text."
    return (
        f"No word occurs {min_count} times (min_count): the most frequent of {counts.size:,} words "
        f"occurs {counts.max():,} times. Give a smaller min_count or more text."
    )
