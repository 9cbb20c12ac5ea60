"""The bags of a training set, in which one row stands for all that always occur together."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

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
    keys = np.random.default_rng([seed, 2]).integers(0, 2**64, len(types.ends), dtype=np.uint64)
    rows = TypeRows(own, starts, parts)
    shared = _shared_rows(members, ngrams, rows, len(frequent) + len(buckets), keys)
    shares = (1 / np.sqrt(np.bincount(shared))).astype(np.float32)
    rows = TypeRows(np.where(own >= 0, shared[np.maximum(own, 0)], own), starts, shared[parts])
    words = Vocabulary(types.words(frequent), counts[frequent])
    table = RowTable(words, subwords, word_ngrams, label_prefix, shared[: len(words)], buckets, shared[len(words) :])
    return TrainingBags(table, _collected(members, shared[ngrams], rows, shares), shares)


def _shared_rows(members: TextMembers, ngrams: Ids, rows: TypeRows, num_rows: int, keys: npt.NDArray[np.uint64]) -> Ids:
    """Number rows, int32 (num_rows,), so that those have the same number that occur in the same texts as often."""
    from daneo.models.bags.bags_kernels import add_keys, number_alike

    type_sums, sums = np.zeros(len(rows.own), dtype=np.uint64), np.zeros(num_rows, dtype=np.uint64)
    add_keys(members.starts, members.types, keys, type_sums)
    has_row = rows.own >= 0
    sums[rows.own[has_row]] = type_sums[has_row]
    add_keys(rows.starts, rows.parts, type_sums, sums)
    add_keys(members.ngram_starts, ngrams, keys, sums)
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
