"""The bags of a training set, in which one row stands for all that always occur together."""

from __future__ import annotations

import dataclasses
from typing import NamedTuple

import numpy as np

from daneo.corpus.vocabulary import Vocabulary
from daneo.embeddings.subwords.subwords import Subwords
from daneo.models.bags.bags import Floats, Ids, Starts, TextMembers, text_members
from daneo.models.bags.row_table import NOT_COUNTED, RowTable, TypeRows, type_buckets
from daneo.models.bags.tokens import TokenTypes


class Bags(NamedTuple):
    """N texts as weighted rows.

    Attributes
    ----------
    starts : int64 array of shape (N + 1,)
        Where each text's rows start.
    rows : int32 array
        Each of a text's rows once.
    weights : float32 array
        How much each counts.
    scales : float32 array of shape (N,)
        One by the number of words and n-grams of a text: the text's vector is scale * sum(weight * row).
    """

    starts: Starts
    rows: Ids
    weights: Floats
    scales: Floats


class TrainingBags(NamedTuple):
    """What a classifier learns from.

    Attributes
    ----------
    table : RowTable
        The row that each word and each n-gram shares.
    bags : Bags
    shares : float32 array of shape (C,)
        What a row is multiplied with to be that of one word: 1 / sqrt(words and n-grams that share it).
    """

    table: RowTable
    bags: Bags
    shares: Floats


def training_bags(
    types: TokenTypes, *, min_count: int, label_prefix: str, subwords: Subwords, word_ngrams: int, seed: int
) -> TrainingBags:
    """Choose the vocabulary of a training set and list the rows of each text.

    Words and n-grams that occur in the same texts, and as often in each, share a row, as ``bags_reference`` explains.
    Whether they do is seen from sums of random numbers of 64 bits, one a text; two of a million rows are taken for
    alike by mistake once in tens of millions of runs.

    Parameters
    ----------
    types : TokenTypes
        The texts.
    min_count : int
        Rarer words have no row of their own.
    label_prefix : str
        As for :func:`text_members`.
    subwords : Subwords
        The character n-grams, and the buckets.
    word_ngrams : int
        The longest run of words that has a row.
    seed : int
        Draws the random numbers.

    Raises
    ------
    ValueError
        Nothing is left to learn from.
    """
    members = text_members(types, label_prefix, word_ngrams, subwords.num_buckets)
    counts = np.bincount(members.types, minlength=len(types))
    frequent = np.flatnonzero(counts >= min_count)
    frequent = frequent[np.argsort(-counts[frequent], kind="stable")]  # equal ones as they come first
    own = np.full(len(types), NOT_COUNTED, dtype=np.int32)
    own[frequent] = np.arange(len(frequent), dtype=np.int32)

    starts, parts = type_buckets(types, subwords, None)
    in_use = np.repeat(counts > 0, np.diff(starts))
    buckets, row_of = _compact([parts[in_use], members.buckets], subwords.num_buckets, len(frequent))
    parts, ngrams = row_of[parts], row_of[members.buckets]
    del row_of

    if not len(frequent) + len(buckets):
        raise ValueError(
            f"No word of the texts occurs {min_count} times (min_count), so there is nothing to learn from. "
            "Give more texts or a smaller min_count."
        )
    shared = _shared_rows(members, ngrams, TypeRows(own, starts, parts), len(frequent) + len(buckets), seed)
    words = Vocabulary(types.words(frequent), counts[frequent])
    table = RowTable(words, subwords, word_ngrams, label_prefix, shared[: len(words)], buckets, shared[len(words) :])
    return _bags(table, members, ngrams, TypeRows(own, starts, parts), shared)


def bags_of_known_rows(types: TokenTypes, table: RowTable, seed: int) -> TrainingBags:
    """List the rows of each text, where it is known which words and which buckets have one; others do not count.

    Parameters
    ----------
    types : TokenTypes
        The texts.
    table : RowTable
        Its words and buckets are taken. Which of them share a row is found out anew, by these texts.
    seed : int
        As for :func:`training_bags`.
    """
    num_words, buckets = len(table.words), table.buckets
    assert buckets is not None
    members = text_members(types, table.label_prefix, table.word_ngrams, table.subwords.num_buckets)
    apart = RowTable(
        table.words,
        table.subwords,
        buckets=buckets,
        ngram_rows=np.arange(num_words, num_words + len(buckets), dtype=np.int32),
        count_missing=False,
    )
    own, starts, parts = apart.of_types(types)
    starts, parts = _with_rows(starts, parts)
    ngram_starts, ngrams = _with_rows(members.ngram_starts, apart.of_buckets(members.buckets))
    members, rows = members._replace(ngram_starts=ngram_starts), TypeRows(own, starts, parts)
    shared = _shared_rows(members, ngrams, rows, num_words + len(buckets), seed)
    table = dataclasses.replace(table, word_rows=shared[:num_words], ngram_rows=shared[num_words:], count_missing=False)
    return _bags(table, members, ngrams, rows, shared)


def _with_rows(starts: Starts, rows: Ids) -> tuple[Starts, Ids]:
    """Leave out what has no row."""
    has_row = rows >= 0
    return np.concatenate([[0], np.cumsum(has_row)])[starts], rows[has_row]


def _bags(table: RowTable, members: TextMembers, ngrams: Ids, rows: TypeRows, shared: Ids) -> TrainingBags:
    shares = (1 / np.sqrt(np.bincount(shared))).astype(np.float32)
    own = np.where(rows.own >= 0, shared[np.maximum(rows.own, 0)], rows.own)
    rows = TypeRows(own, rows.starts, shared[rows.parts])
    return TrainingBags(table, _collected(members, shared[ngrams], rows, shares), shares)


def _shared_rows(members: TextMembers, ngrams: Ids, rows: TypeRows, num_rows: int, seed: int) -> Ids:
    """Number rows, int32 (num_rows,), so that those have the same number that occur in the same texts as often."""
    from daneo.models.bags.bags_kernels import add_keys, number_alike

    random = np.random.default_rng([seed, 2])
    keys = random.integers(0, 2**64, len(members.starts) - 1, dtype=np.uint64)
    type_sums, sums = np.zeros(len(rows.own), dtype=np.uint64), np.zeros(num_rows, dtype=np.uint64)
    add_keys(members.starts, members.types, keys, type_sums)
    has_row = rows.own >= 0
    sums[rows.own[has_row]] = type_sums[has_row]
    add_keys(rows.starts, rows.parts, type_sums, sums)
    add_keys(members.ngram_starts, ngrams, keys, sums)
    unused = np.flatnonzero(sums == 0)  # rows that no text has stay apart: they may be known, and different
    sums[unused] = random.integers(0, 2**64, len(unused), dtype=np.uint64)
    numbers = np.empty(num_rows, dtype=np.int32)
    number_alike(sums, numbers)
    return numbers


def _collected(members: TextMembers, ngrams: Ids, types: TypeRows, shares: Floats) -> Bags:
    from daneo.models.bags.bags_kernels import collect

    num_texts = len(members.starts) - 1
    most = int((np.diff(types.starts) + (types.own >= 0))[members.types].sum()) + len(ngrams)
    starts, scales = np.zeros(num_texts + 1, dtype=np.int64), np.empty(num_texts, dtype=np.float32)
    rows, weights = np.empty(most, dtype=np.int32), np.empty(most, dtype=np.float32)
    collect(
        members.starts,
        members.types,
        members.ngram_starts,
        ngrams,
        types.own,
        types.starts,
        types.parts,
        shares,
        starts,
        rows,
        weights,
        scales,
    )
    return Bags(starts, rows[: starts[-1]].copy(), weights[: starts[-1]].copy(), scales)


def _compact(used: list[Ids], num_buckets: int, first_row: int) -> tuple[Ids, Ids]:
    """Return the buckets that are in use, rising, and for every bucket the row that it would have."""
    mask = np.zeros(num_buckets, dtype=bool)
    for some in used:
        mask[some] = True
    buckets = np.flatnonzero(mask).astype(np.int32)
    row_of = np.zeros(num_buckets, dtype=np.int32)
    row_of[buckets] = np.arange(first_row, first_row + len(buckets), dtype=np.int32)
    return buckets, row_of
