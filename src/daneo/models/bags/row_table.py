"""Which rows of a matrix the words and n-grams of texts stand for."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from daneo.corpus.vocabulary import Vocabulary
from daneo.embeddings.subwords.subwords import Subwords
from daneo.models.bags.bags import Ids, Starts, text_members
from daneo.models.bags.tokens import KnownWords, TokenTypes

NO_ROW, NOT_COUNTED = -1, -2
"""In the place of a row: it counts in a mean as zeros; it does not count."""


class TypeRows(NamedTuple):
    """The rows of G types.

    Attributes
    ----------
    own : int32 array of shape (G,)
        The row of the word itself, or `NOT_COUNTED`.
    starts, parts : int64 array of shape (G + 1,), int32 array
        The rows of the character n-grams of type i are ``parts[starts[i]:starts[i + 1]]``; some may be `NO_ROW` or
        `NOT_COUNTED`.
    """

    own: Ids
    starts: Starts
    parts: Ids


class TextRows(NamedTuple):
    """The rows of N texts.

    Attributes
    ----------
    starts : int64 array of shape (N + 1,)
        The types of text i are ``types[starts[i]:starts[i + 1]]``.
    types : int32 array
    type_rows : TypeRows
        The rows of each type.
    ngram_starts, ngrams : int64 array of shape (N + 1,), int32 array
        Likewise the rows of each text's word n-grams; some may be `NO_ROW` or `NOT_COUNTED`.
    """

    starts: Starts
    types: Ids
    type_rows: TypeRows
    ngram_starts: Starts
    ngrams: Ids


@dataclass(frozen=True, eq=False)
class RowTable:
    """The rows of words, and of the buckets that n-grams are hashed into.

    Attributes
    ----------
    words : Vocabulary of V words
    subwords : Subwords
        The character n-grams of a word, and how many buckets there are, for word n-grams too; 0: no n-grams.
    word_ngrams : int
        The longest run of words that is hashed; 1: none.
    label_prefix : str
        Tokens that begin with it are no part of a text; ``""``: there are none.
    word_rows : int32 array of shape (V,), or None
        The row of each word. None: word i has row i.
    buckets, ngram_rows : int32 arrays of shape (U,), or None
        The buckets that have a row, rising, and their rows. None: bucket i has row V + i.
    count_missing : bool
        Whether an n-gram in a bucket without a row counts in a mean, as zeros.
    """

    words: Vocabulary
    subwords: Subwords
    word_ngrams: int = 1
    label_prefix: str = "__label__"
    word_rows: Ids | None = None
    buckets: Ids | None = None
    ngram_rows: Ids | None = None
    count_missing: bool = True

    def prepare(self) -> None:
        """Make what finds words and buckets, unless it is there: two threads at once would both make it."""
        _ = self._known
        if self.buckets is not None:
            _ = self._rows_after

    def of_texts(self, types: TokenTypes) -> TextRows:
        """Return the rows of each text."""
        members = text_members(types, self.label_prefix, self.word_ngrams, self.subwords.num_buckets)
        ngrams = self.of_buckets(members.buckets)
        return TextRows(members.starts, members.types, self.of_types(types), members.ngram_starts, ngrams)

    def of_types(self, types: TokenTypes) -> TypeRows:
        """Return the rows of each type."""
        ids = types.found_in(self._known)
        own = np.where(ids >= 0, ids, np.int32(NOT_COUNTED))
        if self.word_rows is not None:
            own[ids >= 0] = self.word_rows[ids[ids >= 0]]
        starts, buckets = type_buckets(types, self.subwords, 1)
        return TypeRows(own, starts, self.of_buckets(buckets))

    def of_buckets(self, buckets: Ids) -> Ids:
        """Return the row of each bucket, int32 (N,); `NO_ROW` or `NOT_COUNTED` where there is none."""
        if self.buckets is None:
            return buckets + np.int32(len(self.words))
        rows = self._rows_after[buckets] - np.int32(1)
        if not self.count_missing:
            rows[rows == NO_ROW] = NOT_COUNTED
        return rows

    @functools.cached_property
    def _known(self) -> KnownWords:
        return KnownWords(self.words.words)

    @functools.cached_property
    def _rows_after(self) -> Ids:
        """The row of each bucket and 1, or 0: pages that stay zero take no memory."""
        assert self.buckets is not None
        assert self.ngram_rows is not None
        rows = np.zeros(self.subwords.num_buckets, dtype=np.int32)
        rows[self.buckets] = self.ngram_rows + np.int32(1)
        return rows


def type_buckets(types: TokenTypes, subwords: Subwords, num_threads: int | None) -> tuple[Starts, Ids]:
    """Return the buckets of the character n-grams of each type: those of type i are ``[starts[i]:starts[i + 1]]``."""
    if not has_character_ngrams(subwords):
        return np.zeros(len(types) + 1, dtype=np.int64), np.empty(0, dtype=np.int32)
    return types.ngram_buckets(subwords, num_threads)


def has_character_ngrams(subwords: Subwords) -> bool:
    """Say whether words have n-grams of characters or jamo."""
    return subwords.num_buckets > 0 and bool(subwords.max_ngram or (subwords.kind == "jamo" and subwords.max_jamo))
