"""Tiles of pairs: each pair once in its own, shuffled, the same ones for any threads and any memory."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from daneo.corpus import Cooccurrences, count_cooccurrences
from daneo.corpus.array_files import ArrayFile
from daneo.embeddings import glove_pairs_kernels as kernels
from daneo.embeddings import glove_pairs_reference as reference
from daneo.embeddings.glove_pairs import GlovePairs
from daneo.embeddings.glove_pairs_writing import write_pairs


def text(num_words: int = 40, length: int = 2000, seed: int = 0) -> list[list[str]]:
    ids = np.random.default_rng(seed).zipf(1.3, length) % num_words
    return [[f"w{i}" for i in part] for part in np.array_split(ids, 50)]


@pytest.fixture(params=[True, False], ids=["symmetric", "left"])
def counts(request: pytest.FixtureRequest) -> Any:
    with count_cooccurrences(text(), window=4, symmetric=request.param, min_count=1) as counted:
        yield counted


def all_pairs(pairs: GlovePairs) -> list[tuple[int, int, float]]:
    """Every pair of every tile, in their order, as (word, context, logarithm)."""
    found = []
    for p in range(pairs.num_blocks):
        for q in range(pairs.num_blocks):
            rows, columns, logs = pairs.tile(p, q)
            words = rows.astype(int) * pairs.num_blocks + p
            contexts = columns.astype(int) * pairs.num_blocks + q
            found += zip(words.tolist(), contexts.tolist(), logs.tolist(), strict=True)
    return found


def test_the_tiles_hold_the_whole_matrix_each_pair_once(counts: Cooccurrences) -> None:
    matrix = counts.matrix().tocoo()
    with write_pairs(counts, None, seed=1) as pairs:
        found = all_pairs(pairs)
        assert (pairs.num_pairs, pairs.num_tokens) == (len(found), counts.num_tokens) == (matrix.nnz, 2000)
        assert pairs.num_blocks == 16
        assert pairs.vocabulary.words == counts.vocabulary.words
    want = {(int(w), int(c)): np.log(x) for w, c, x in zip(*matrix.coords, matrix.data, strict=True)}
    assert len(want) == len(found)
    for word, context, log_count in found:
        assert_allclose(log_count, want[word, context], rtol=1e-6, atol=1e-7)


def test_threads_and_memory_do_not_change_the_order_and_the_seed_does(counts: Cooccurrences) -> None:
    orders = []
    for options in ({}, {"num_threads": 1}, {"num_threads": 3, "buffer": 1}, {"buffer": 4000}, {"seed": 2}):
        with write_pairs(counts, None, **{"seed": 1, **options}) as pairs:
            orders.append(all_pairs(pairs))
    assert orders[0] == orders[1] == orders[2] == orders[3]
    assert orders[0] != orders[4]
    assert Counter(orders[0]) == Counter(orders[4])


def test_no_temporary_directory_is_left(counts: Cooccurrences, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Any, values: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    write_pairs(counts, tmp_path / "pairs", seed=1)
    monkeypatch.setattr(ArrayFile, "write", full)
    for path in (None, tmp_path / "others"):
        with pytest.raises(OSError, match="No space left"):
            write_pairs(counts, path, seed=1)
    assert list((tmp_path / "tmp").iterdir()) == []
    assert [path.name for path in tmp_path.iterdir() if path.name != "tmp"] == ["pairs"]


def test_a_temporary_directory_is_removed_and_another_stays(counts: Cooccurrences, tmp_path: Path) -> None:
    with write_pairs(counts, None, seed=1) as pairs:
        assert pairs.path.exists()
    assert not pairs.path.exists()
    with write_pairs(counts, tmp_path / "pairs", seed=1) as pairs:
        found = all_pairs(pairs)
    assert all_pairs(GlovePairs.open(tmp_path / "pairs")) == found


rows_of_a_table = st.lists(st.lists(st.integers(0, 20), unique=True, max_size=6).map(sorted), min_size=1, max_size=12)


@given(table=rows_of_a_table, symmetric=st.booleans(), first_row=st.integers(0, 5), num_blocks=st.integers(1, 5))
@settings(deadline=None, max_examples=40)
def test_kernels_are_their_definitions(
    table: list[list[int]], symmetric: bool, first_row: int, num_blocks: int
) -> None:
    starts = np.cumsum([0, *map(len, table)])
    contexts = np.array([context for row in table for context in row], np.int32)
    counts = np.random.default_rng(len(table)).exponential(5, len(contexts)).astype(np.float32) + np.float32(0.01)
    results = []
    for module in (kernels, reference):
        sizes = np.zeros(num_blocks**2, np.int64)
        module.count_tiles(first_row, starts, contexts, symmetric, num_blocks, sizes)
        places = np.cumsum(sizes) - sizes
        arrays = [np.zeros(sizes.sum(), dtype) for dtype in (np.uint16, np.uint16, np.float32)]
        blocks = (0, num_blocks)
        module.place_pairs(first_row, starts, contexts, counts, symmetric, num_blocks, *blocks, places, *arrays)
        assert_array_equal(places, np.cumsum(sizes))
        placed = [array.copy() for array in arrays]
        random = np.arange(10, 10 + len(sizes), dtype=np.uint64).reshape(-1, 1)
        module.shuffle_tiles(np.concatenate([[0], np.cumsum(sizes)]), random, *arrays)
        results.append([sizes, *placed, *arrays, random])
    for got, want in zip(*results, strict=True):
        assert_allclose(got, want, rtol=1e-6)


@given(num_blocks=st.integers(2, 5), first=st.integers(0, 4), last=st.integers(0, 5), symmetric=st.booleans())
@settings(deadline=None, max_examples=20)
def test_only_the_blocks_asked_for_are_placed(num_blocks: int, first: int, last: int, symmetric: bool) -> None:
    starts, contexts = np.array([0, 3, 5]), np.array([0, 1, 7, 2, 3], np.int32)
    counts = np.arange(1, 6, dtype=np.float32)
    filled = []
    for module in (kernels, reference):
        places, rows = np.arange(num_blocks**2) * 10, np.full(10 * num_blocks**2, 999, np.uint16)
        columns, logs = rows.copy(), np.zeros(len(rows), np.float32)
        module.place_pairs(1, starts, contexts, counts, symmetric, num_blocks, first, last, places, rows, columns, logs)
        tiles = np.flatnonzero(rows != 999) // 10
        assert np.all((tiles // num_blocks >= first) & (tiles // num_blocks < last))
        filled.append(rows)
    assert_array_equal(*filled)


def test_a_shuffle_makes_every_order_equally_often() -> None:
    orders: Counter[tuple[int, ...]] = Counter()
    num_tiles = 6000
    rows = np.tile(np.arange(3, dtype=np.uint16), num_tiles)
    random = np.random.SeedSequence(1).generate_state(num_tiles, np.uint64).reshape(-1, 1).astype(np.uint64)
    columns, logs = rows.copy(), rows.astype(np.float32)
    kernels.shuffle_tiles(np.arange(num_tiles + 1) * 3, random, rows, columns, logs)
    assert_array_equal(rows, columns)
    assert_array_equal(rows, logs)
    orders.update(map(tuple, rows.reshape(-1, 3).tolist()))
    assert len(orders) == 6
    assert max(orders.values()) < 1120  # 1000 each, and 29 is the deviation
    assert min(orders.values()) > 880


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda path: (path / "rows.npy").write_bytes((path / "rows.npy").read_bytes()[:-2]), "bytes"),
        (lambda path: change(path, num_pairs=10), "bytes"),
        (lambda path: change(path, num_blocks=4), "bytes"),
        (lambda path: change(path, num_blocks=10**6), "bytes"),
        (lambda path: change(path, num_blocks="16"), "num_blocks is missing or wrong"),
        (lambda path: change(path, version=2), "version"),
        (lambda path: change(path, num_blocks=0), "bytes"),
        (lambda path: (path / "config.json").write_text("[]"), "not a directory of shuffled pairs"),
        (lambda path: (path / "config.json").write_text("{"), "not JSON"),
        (lambda path: overwrite(path / "starts.npy", 136, b"\xff" * 8), "tiles"),
        (lambda path: overwrite(path / "columns.npy", 128, b"\xff" * 2000), "no word"),
    ],
)
def test_damaged_files_are_one_error(counts: Cooccurrences, tmp_path: Path, damage: Any, message: str) -> None:
    write_pairs(counts, tmp_path / "pairs", seed=1)
    damage(tmp_path / "pairs")
    with pytest.raises(ValueError, match=message):
        all_pairs(GlovePairs.open(tmp_path / "pairs"))


def change(path: Path, **values: Any) -> None:
    config = json.loads((path / "config.json").read_text())
    (path / "config.json").write_text(json.dumps({**config, **values}))


def overwrite(path: Path, place: int, content: bytes) -> None:
    data = bytearray(path.read_bytes())
    data[place : place + len(content)] = content[: len(data) - place]
    path.write_bytes(data)
