"""Texts as bags of rows: the compiled kernels against their definitions, and shared rows against plain ones."""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from daneo.corpus import Vocabulary
from daneo.embeddings.subwords.subwords import Subwords
from daneo.models.bags import bags_kernels as kernels
from daneo.models.bags import bags_reference as reference
from daneo.models.bags.bags import text_members
from daneo.models.bags.row_table import NO_ROW, NOT_COUNTED, RowTable
from daneo.models.bags.shared_rows import training_bags
from daneo.models.bags.tokens import FASTTEXT, TokenTypes, cut

QUICK = settings(max_examples=60, deadline=None)
TEXTS = st.lists(
    st.lists(st.sampled_from(["a", "bc", "가나다", "</s>", "__label__x", "bcbcb"]), max_size=8).map(" ".join),
    max_size=6,
)


def split(starts: np.ndarray, values: np.ndarray) -> list[list[int]]:
    return [values[a:b].tolist() for a, b in itertools.pairwise(starts)]


@QUICK
@given(TEXTS, st.integers(1, 4) | st.just(2**31 - 1), st.integers(1, 50))
def test_members_are_those_of_the_definition(texts: list[str], word_ngrams: int, num_buckets: int) -> None:
    types = TokenTypes(cut(texts, FASTTEXT))
    members = text_members(types, "__label__", word_ngrams, num_buckets)
    numbers = split(np.append(0, types.ends), types.ids)
    skipped = [word.startswith("__label__") for word in types.words(np.arange(len(types)))]
    expected = reference.list_members(
        numbers, types.end_of_line, skipped, types.hashes().tolist(), word_ngrams, num_buckets
    )
    assert split(members.starts, members.types) == expected[0]
    assert split(members.ngram_starts, members.buckets) == expected[1]


BAGS = st.lists(st.lists(st.integers(0, 9), max_size=6), max_size=8)


def flat(bags: list[list[int]]) -> tuple[np.ndarray, np.ndarray]:
    starts = np.cumsum([0, *map(len, bags)])
    return starts, np.array([one for bag in bags for one in bag], dtype=np.int32)


@QUICK
@given(BAGS, st.data())
def test_keys_are_summed_modulo_64_bits(bags: list[list[int]], data: st.DataObject) -> None:
    keys = [data.draw(st.integers(0, 2**64 - 1)) for _ in bags]
    sums = np.full(10, 2**63, dtype=np.uint64)
    kernels.add_keys(*flat(bags), np.array(keys, dtype=np.uint64), sums)
    assert sums.tolist() == reference.add_keys(bags, keys, [2**63] * 10)


@QUICK
@given(st.lists(st.sampled_from([0, 1, 2**20, 2**40, 2**64 - 1, 7]), max_size=30))
def test_equal_sums_get_equal_numbers(sums: list[int]) -> None:
    numbers = np.empty(len(sums), dtype=np.int32)
    count = kernels.number_alike(np.array(sums, dtype=np.uint64), numbers)
    assert numbers.tolist() == reference.number_alike(sums)
    assert count == len(set(sums))


@QUICK
@given(BAGS, st.data())
def test_rows_are_collected_once_with_their_weights(types: list[list[int]], data: st.DataObject) -> None:
    rows = st.integers(0, 5)
    ngrams = [data.draw(st.lists(rows, max_size=4)) for _ in types]
    own = [data.draw(st.integers(-2, 5).filter(lambda row: row != -1)) for _ in range(10)]
    parts = [data.draw(st.lists(rows, max_size=3)) for _ in range(10)]
    shares = np.array([1, 0.5, 0.25, 1, 1, 0.75], dtype=np.float32)
    expected, scales = reference.collect(types, ngrams, own, parts, shares.tolist())

    most = 100
    starts, weights = np.zeros(len(types) + 1, dtype=np.int64), np.empty(most, dtype=np.float32)
    found, found_scales = np.empty(most, dtype=np.int32), np.empty(len(types), dtype=np.float32)
    kernels.collect(
        *flat(types), *flat(ngrams), np.array(own, np.int32), *flat(parts), shares, starts, found, weights, found_scales
    )
    bags = [
        dict(zip(numbers, floats, strict=True))
        for numbers, floats in zip(split(starts, found), split(starts, weights), strict=True)
    ]
    assert bags == expected
    assert_allclose(found_scales, scales, rtol=1e-7)


def test_rows_that_always_come_together_are_one() -> None:
    types = TokenTypes(cut(["red sea red", "big sea", "red big", "old man"], FASTTEXT))
    bags = training_bags(
        types, min_count=1, label_prefix="", subwords=Subwords(num_buckets=0, max_ngram=0), word_ngrams=1, seed=1
    )
    row = dict(zip(bags.table.words.words, bags.table.word_rows, strict=True))
    assert row["old"] == row["man"]
    assert len(set(row.values())) == len(row) - 1 == len(bags.shares)
    assert_allclose(bags.shares[row["old"]], 0.5**0.5)
    texts = split(bags.bags.starts, bags.bags.rows)
    weights = split(bags.bags.starts, bags.bags.weights)
    assert dict(zip(texts[0], weights[0], strict=True)) == {row["red"]: 2, row["sea"]: 1, row["</s>"]: 1}
    assert dict(zip(texts[3], weights[3], strict=True)) == {row["old"]: pytest.approx(2**0.5), row["</s>"]: 1}
    assert_allclose(bags.bags.scales, [1 / 4, 1 / 3, 1 / 3, 1 / 3])


@pytest.mark.parametrize("word_ngrams", [1, 3])
@pytest.mark.parametrize("max_ngram", [0, 4])
def test_a_text_has_the_same_vector_by_shared_rows_and_by_plain_ones(word_ngrams: int, max_ngram: int) -> None:
    rng = np.random.default_rng(5)
    words = [f"w{i}" for i in range(60)]
    texts = [" ".join(rng.choice(words, rng.integers(1, 9))) for _ in range(30)]
    subwords = Subwords(min_ngram=2, max_ngram=max_ngram, num_buckets=97)
    types = TokenTypes(cut(texts, FASTTEXT))
    table, bags, shares = training_bags(
        types, min_count=2, label_prefix="__label__", subwords=subwords, word_ngrams=word_ngrams, seed=1
    )
    trained = rng.normal(size=(len(shares), 3))
    plain = trained * shares[:, None]  # each word's own row: T / sqrt(m)
    rows = table.of_texts(types)
    for text in range(len(texts)):
        own = slice(bags.starts[text], bags.starts[text + 1])
        shared = bags.scales[text] * (bags.weights[own] @ trained[bags.rows[own]])
        found = Counter(rows.ngrams[rows.ngram_starts[text] : rows.ngram_starts[text + 1]].tolist())
        for number in rows.types[rows.starts[text] : rows.starts[text + 1]]:
            found += Counter(
                rows.type_rows.parts[rows.type_rows.starts[number] : rows.type_rows.starts[number + 1]].tolist()
            )
            found += Counter([int(rows.type_rows.own[number])])
        found.pop(NOT_COUNTED, None)
        mean = sum(count * plain[row] for row, count in found.items()) / found.total()
        assert_allclose(shared, mean, rtol=1e-5, atol=1e-6)


def test_rows_of_a_table() -> None:
    subwords = Subwords(min_ngram=3, max_ngram=3, num_buckets=1000)
    buckets = np.unique(subwords.buckets("sea"))
    words = Vocabulary(["sea", "sun"], [2, 1])
    types = TokenTypes(cut(["sea tea"], FASTTEXT))
    for count_missing, missing in ((True, NO_ROW), (False, NOT_COUNTED)):
        table = RowTable(
            words,
            subwords,
            word_rows=np.array([7, 9], np.int32),
            buckets=buckets,
            ngram_rows=np.array([1, 2, 3], np.int32),
            count_missing=count_missing,
        )
        rows = table.of_types(types)
        assert rows.own.tolist() == [7, NOT_COUNTED, NOT_COUNTED]
        parts = split(rows.starts, rows.parts)
        row_of = dict(zip(buckets.tolist(), [1, 2, 3], strict=True))
        assert parts[0] == [row_of[bucket] for bucket in subwords.buckets("sea")]
        assert parts[1] == [row_of.get(bucket, missing) for bucket in subwords.buckets("tea")]
        assert parts[2] == []
    dense = RowTable(words, subwords)
    assert dense.of_types(types).own.tolist() == [0, NOT_COUNTED, NOT_COUNTED]
    assert split(dense.of_types(types).starts, dense.of_types(types).parts)[1] == (2 + subwords.buckets("tea")).tolist()
