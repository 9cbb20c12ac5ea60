"""Texts as the types and word n-grams that they hold."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from daneo.models.bags.tokens import TokenTypes

Floats = npt.NDArray[np.float32]
Ids = npt.NDArray[np.int32]
Starts = npt.NDArray[np.int64]


class TextMembers(NamedTuple):
    """What N texts hold, one after the other.

    Attributes
    ----------
    starts : int64 array of shape (N + 1,)
        The types of text i are ``types[starts[i]:starts[i + 1]]``.
    types : int32 array
        Labels are left out, and each text ends with ``</s>``.
    ngram_starts, buckets : int64 array of shape (N + 1,), int32 array
        Likewise the buckets of its runs of 2 and more words.
    """

    starts: Starts
    types: Ids
    ngram_starts: Starts
    buckets: Ids


def text_members(types: TokenTypes, label_prefix: str, word_ngrams: int, num_buckets: int) -> TextMembers:
    """List the types and word n-grams of each text.

    Parameters
    ----------
    types : TokenTypes
    label_prefix : str
        Tokens that begin with it are labels, and no part of a text; ``""``: there are none.
    word_ngrams : int
        The longest run of words that is hashed; 1: none.
    num_buckets : int
        What they are hashed into; at least 1 if there are any.
    """
    from daneo.models.bags.bags_kernels import list_members

    num_texts, lengths = len(types.ends), np.diff(types.ends, prepend=0) + 1
    longest = np.minimum(word_ngrams, lengths) - 1  # a run of n words brings n - 1 n-grams that begin with its first
    most_ngrams = int((longest * lengths - longest * (longest + 1) // 2).sum())
    skipped = types.begin_with(label_prefix) if label_prefix else np.zeros(len(types), dtype=bool)
    hashes = types.hashes() if word_ngrams > 1 else np.empty(0, dtype=np.int32)
    starts, ngram_starts = np.zeros(num_texts + 1, dtype=np.int64), np.zeros(num_texts + 1, dtype=np.int64)
    members, buckets = np.empty(lengths.sum(), dtype=np.int32), np.empty(most_ngrams, dtype=np.int32)
    list_members(
        types.ids,
        types.ends,
        types.end_of_line,
        skipped.view(np.uint8),
        hashes,
        word_ngrams,
        num_buckets,
        starts,
        members,
        ngram_starts,
        buckets,
    )
    return TextMembers(starts, members[: starts[-1]], ngram_starts, buckets[: ngram_starts[-1]])
