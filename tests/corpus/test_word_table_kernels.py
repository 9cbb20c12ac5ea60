from __future__ import annotations

import os

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from daneo.corpus import word_table
from daneo.corpus import word_table_kernels as kernels
from daneo.corpus import word_table_reference as reference
from daneo.corpus.text_blocks import TextBlock
from daneo.corpus.word_table import FIRST_ENTRY, WordTable

many = settings(deadline=None, max_examples=20 if os.environ.get("NUMBA_DISABLE_JIT") == "1" else 200)

# Lengths around the 8 and 16 bytes that entries treat apart; words that differ in their last byte only, or in length.
words = st.one_of(
    st.sampled_from(["a", "b", "a\0", "a" * 8, "a" * 7 + "b", "a" * 9, "a" * 16, "a" * 17, "a" * 24, "a" * 23 + "b"]),
    st.text(st.sampled_from("ab\0é단😀"), min_size=1, max_size=40),
    st.integers(0, 300).map(str),
)
token_lists = st.lists(words, max_size=60)


def block_of(tokens: list[str]) -> TextBlock:
    """A block in which the tokens stand as find_tokens leaves them."""
    encoded = [token.encode() for token in tokens]
    block = TextBlock(sum(map(len, encoded)) + len(encoded))
    block.replace(b" ".join(encoded))
    block.folded[:] = np.uint64(2**64 - 1)
    block.folded.view(np.uint8)[: block.stop] = block.characters[: block.stop]
    ends = np.cumsum([len(token) + 1 for token in encoded], dtype=np.int64) - 1
    starts = ends - [len(token) for token in encoded]
    block.edges[: 2 * len(tokens)] = np.stack([starts, ends], axis=1).ravel()
    return block


def counted(table: WordTable, tokens: list[str]) -> list[int]:
    block = block_of(tokens)
    with np.errstate(over="ignore"):
        table.count(block.folded, block.edges, len(tokens), block.stop)
    return block.edges[: len(tokens)].tolist()


def contents(table: WordTable) -> reference.Table:
    places, counts = table.entries()
    return {word: [i, int(counts[i])] for i, word in enumerate(table.spell(places))}


@many
@given(blocks=st.lists(token_lists, max_size=4))
@example(blocks=[[f"word{i}" for i in range(5000)]])  # makes the slots grow
def test_ids_and_counts_are_the_references(blocks):
    table, expected = WordTable(), {}
    for tokens in blocks:
        assert counted(table, tokens) == reference.count_tokens(tokens, expected)
    assert contents(table) == expected


@many
@given(one=token_lists, other=token_lists)
@example(one=["a"], other=[f"word{i}" for i in range(5000)])
def test_merged_tables_are_the_references(one, other):
    tables, expected = (WordTable(), WordTable()), ({}, {})
    for tokens, table, dictionary in zip((one, other), tables, expected, strict=True):
        counted(table, tokens)
        reference.count_tokens(tokens, dictionary)
    with np.errstate(over="ignore"):
        mapping = tables[0].add(tables[1])
    assert mapping.tolist() == reference.add(expected[1], expected[0])
    assert contents(tables[0]) == expected[0]
    assert tables[1].num_types == 0


def test_a_large_table_is_added_piece_by_piece(monkeypatch):
    monkeypatch.setattr(word_table, "LARGEST_PIECE", 100)
    one, other = WordTable(), WordTable()
    counted(one, [f"word{i}" for i in range(50)])
    counted(other, [f"word{i}" for i in range(40, 140)] * 2 + ["long" * 300])
    with np.errstate(over="ignore"):
        one.add(other)
    assert {word: count for word, (_, count) in contents(one).items()} == {
        **{f"word{i}": (i < 50) + 2 * (i >= 40) for i in range(140)},
        "long" * 300: 1,
    }


@many
@given(tokens=token_lists)
def test_entries_sort_by_falling_count_and_then_as_strings(tokens):
    table = WordTable()
    counted(table, tokens)
    places, counts = table.entries()
    order = table.sort(places, counts)
    spelled = table.spell(places)
    assert order.tolist() == sorted(range(len(spelled)), key=lambda i: (-counts[i], spelled[i]))


@st.composite
def remap_arguments(draw):
    mapping = draw(st.lists(st.integers(-1, 50), min_size=1, max_size=10))
    ids = draw(st.lists(st.integers(0, len(mapping) - 1), max_size=30))
    ends = sorted(draw(st.lists(st.integers(0, len(ids)), max_size=6)))
    return np.array(ids, np.int32), np.array(ends, np.int64), np.array(mapping, np.int32)


@many
@given(arguments=remap_arguments())
def test_remapped_ids_and_ends_are_the_references(arguments):
    ids, ends, mapping = arguments
    expected_ids, expected_ends = reference.remap(ids, ends, mapping)
    num_kept = kernels.remap(ids, ends, mapping)
    assert ids[:num_kept].tolist() == expected_ids.tolist()
    assert ends.tolist() == expected_ends.tolist()


def test_reference_by_hand():
    table: reference.Table = {}
    assert reference.count_tokens(["it", "is", "it"], table) == [0, 1, 0]
    assert table == {"it": [0, 2], "is": [1, 1]}
    assert reference.add({"is": [0, 3], "time": [1, 1]}, table) == [1, 2]
    assert table == {"it": [0, 2], "is": [1, 4], "time": [2, 1]}
    ids, ends = reference.remap(np.array([0, 1, 2, 1]), np.array([0, 2, 4]), np.array([5, -1, 7]))
    assert (ids.tolist(), ends.tolist()) == ([5, 7], [0, 1, 2])


def test_words_of_equal_count_that_share_their_first_16_bytes_sort_by_the_rest():
    words = [
        "internationalisation",
        "internationalisations",
        "internationalisatio",
        "단어" * 5 + "나",
        "단어" * 5 + "가",
    ]
    table = WordTable()
    counted(table, words)
    places, counts = table.entries()
    assert [words[i] for i in table.sort(places, counts)] == sorted(words)


def test_first_entry_is_the_kernels():
    assert int(kernels.FIRST_ENTRY) == FIRST_ENTRY
