"""Directories of an index: round trips, other vectors, damage, and files that were made to do harm."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from daneo.embeddings import NeighbourIndex, WordVectors
from daneo.embeddings.neighbour_index_digests import digest_of_bytes

NUM_WORDS, VECTOR_SIZE = 300, 8
HEAD = 8 + NUM_WORDS * VECTOR_SIZE  # where usearch's head begins: after two sizes and a byte a number
GRAPH = HEAD + 64
LEVELS = GRAPH + 40
NODES = LEVELS + 2 * NUM_WORDS


@pytest.fixture(scope="module")
def rows() -> np.ndarray:
    return np.random.default_rng(0).standard_normal((NUM_WORDS, VECTOR_SIZE)).astype(np.float32)


def named(rows: np.ndarray) -> WordVectors:
    return WordVectors([f"w{number}" for number in range(len(rows))], rows)


@pytest.fixture(scope="module")
def vectors(rows: np.ndarray) -> WordVectors:
    return named(rows)


@pytest.fixture(scope="module")
def built(vectors: WordVectors, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("built") / "index"
    NeighbourIndex.build(vectors, connectivity=4, num_threads=1, expansion_search=40).save(path)
    return path


@pytest.fixture
def saved(built: Path, tmp_path: Path) -> Path:
    """A copy that a test may damage."""
    return Path(shutil.copytree(built, tmp_path / "index"))


def change_config(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    config = json.loads((path / "config.json").read_text(encoding="utf-8"))
    change(config)
    (path / "config.json").write_text(json.dumps(config), encoding="utf-8")


def put(path: Path, offset: int, value: int, dtype: str) -> None:
    """Change a number in usearch's file, and the digest with it, as somebody would who means harm."""
    data = np.fromfile(path / "index.usearch", dtype=np.uint8)
    data[offset : offset + np.dtype(dtype).itemsize] = np.array([value], dtype).view(np.uint8)
    write(path, data)


def write(path: Path, data: np.ndarray) -> None:
    data.tofile(path / "index.usearch")
    file = {"bytes": len(data), "sha256": digest_of_bytes(data)}
    change_config(path, lambda config: config.update(file=file))


@pytest.mark.parametrize("in_memory", [False, True])
@pytest.mark.parametrize("storage", ["int8", "bfloat16"])
def test_a_round_trip(vectors: WordVectors, storage: str, in_memory: bool, tmp_path: Path) -> None:
    index = NeighbourIndex.build(vectors, storage=storage, connectivity=5, seed=3)
    index.save(tmp_path / "a" / "index")  # folders are made
    opened = NeighbourIndex.load(tmp_path / "a" / "index", named(vectors.matrix), in_memory=in_memory, num_threads=1)
    assert (opened.report, opened.config, len(opened)) == (index.report, index.config, NUM_WORDS)
    assert opened.most_similar(vectors.words) == index.most_similar(vectors.words)
    assert (tmp_path / "a" / "index" / "index.usearch").stat().st_size == index.report.num_bytes
    opened.save(tmp_path / "again")
    for name in ("index.usearch", "config.json", "README.md"):
        assert (tmp_path / "again" / name).read_bytes() == (tmp_path / "a" / "index" / name).read_bytes()


def test_the_same_vectors_from_another_file(saved: Path, vectors: WordVectors, tmp_path: Path) -> None:
    vectors.save(tmp_path / "vectors.bin", format="word2vec-binary")
    opened = NeighbourIndex.load(saved, WordVectors.load(tmp_path / "vectors.bin"))
    assert opened.most_similar("w3") == vectors.most_similar("w3")


@pytest.mark.parametrize("storage", ["float16", "int8", "product_quantization"])
def test_compressed_vectors_are_known_by_what_is_kept(storage: Any, vectors: WordVectors, tmp_path: Path) -> None:
    smaller, _ = vectors.compressed(storage=storage)
    smaller.save(tmp_path / "small")
    index = NeighbourIndex.build(smaller)
    index.save(tmp_path / "index")
    opened = NeighbourIndex.load(tmp_path / "index", WordVectors.load(tmp_path / "small"))
    assert opened.most_similar("w3") == index.most_similar("w3")
    with pytest.raises(ValueError, match="but its numbers are others"):
        NeighbourIndex.load(tmp_path / "index", vectors)


def test_an_open_index_outlives_its_directory(saved: Path, vectors: WordVectors) -> None:
    opened = NeighbourIndex.load(saved, vectors)
    shutil.rmtree(saved)
    assert opened.most_similar("w3") == vectors.most_similar("w3")


def test_an_index_replaces_an_index_and_nothing_else(saved: Path, vectors: WordVectors, tmp_path: Path) -> None:
    index = NeighbourIndex.build(vectors, expansion_search=77)
    index.save(saved)
    assert NeighbourIndex.load(saved, vectors).report.expansion_search == 77
    (tmp_path / "papers").mkdir()
    (tmp_path / "papers" / "thesis.txt").write_text("mine")
    with pytest.raises(FileExistsError, match=r"holds 'thesis.txt', which daneo did not write"):
        index.save(tmp_path / "papers")
    assert [one.name for one in (tmp_path / "papers").iterdir()] == ["thesis.txt"]


def test_vectors_that_are_saved_anew_have_no_index(vectors: WordVectors, tmp_path: Path) -> None:
    vectors.save(tmp_path / "vectors")
    path = NeighbourIndex.path_for(tmp_path / "vectors")
    assert path == tmp_path / "vectors" / "neighbours"
    NeighbourIndex.build(vectors).save(path)
    opened = WordVectors.load(tmp_path / "vectors")
    assert NeighbourIndex.load(path, opened).most_similar("w1") == vectors.most_similar("w1")
    vectors.save(tmp_path / "vectors")
    with pytest.raises(FileNotFoundError, match="neighbours does not exist. `daneo index` builds an index of vectors."):
        NeighbourIndex.load(path, opened)


def test_other_vectors_are_noticed(saved: Path, rows: np.ndarray) -> None:
    changed = rows.copy()
    changed[7, 3] = np.nextafter(changed[7, 3], np.float32(9))
    others = {
        "of 300 words of 8 numbers, these are 299 words of 8 numbers": named(rows[:-1]),
        "of 300 words of 8 numbers, these are 300 words of 4 numbers": named(rows[:, :4]),
        "of 300 words of 8 numbers, but its words are others": WordVectors([f"v{i}" for i in range(300)], rows),
        "of 300 words of 8 numbers, but its numbers are others": named(changed),
    }
    for message, vectors in others.items():
        with pytest.raises(ValueError, match=f"is of other vectors: {message}. Build it again with `daneo index`."):
            NeighbourIndex.load(saved, vectors)


def test_damage_is_noticed_wherever_it_is(saved: Path, vectors: WordVectors) -> None:
    file = saved / "index.usearch"
    whole = file.read_bytes()
    for place in (0, 9, HEAD, LEVELS, NODES + 20, len(whole) - 1):
        file.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises(ValueError, match="index.usearch is damaged: config.json expects"):
            NeighbourIndex.load(saved, vectors)
    for length in (0, 7, HEAD, len(whole) - 1):
        file.write_bytes(whole[:length])
        with pytest.raises(ValueError, match=f"index.usearch is damaged: .* got .*'bytes': {length},"):
            NeighbourIndex.load(saved, vectors)
    file.unlink()
    with pytest.raises(FileNotFoundError, match="index.usearch does not exist, so .* is no index that daneo wrote"):
        NeighbourIndex.load(saved, vectors)


@pytest.mark.parametrize(
    ("offset", "value", "dtype", "message"),
    [
        (0, NUM_WORDS - 1, "<u4", "a head of"),
        (0, NUM_WORDS + 1, "<u4", "301 vectors of 300 rows"),
        (0, 2**32 - 1, "<u4", "4294967295 vectors of 300 rows"),
        (4, 2**32 - 1, "<u4", "a vector of 4294967295 bytes"),
        (HEAD, 0, "u1", "a head of"),  # magic
        (HEAD + 7, 3, "<u2", "a head of"),  # version
        (HEAD + 13, ord("i"), "u1", "a head of"),  # metric
        (HEAD + 14, 11, "u1", "a head of"),  # kind of number
        (HEAD + 33, 2**40, "<u8", "a head of"),  # dimensions
        (HEAD + 41, 1, "u1", "a head of"),  # several vectors of a key
        (GRAPH, 2**60, "<u8", "a graph of 1152921504606846976 nodes for 300 vectors"),
        (GRAPH + 8, 0, "<u8", "0 and 8 links a node"),
        (GRAPH + 8, 5, "<u8", "nodes of"),
        (GRAPH + 16, 2**40, "<u8", "4 and 1099511627776 links a node"),
        (GRAPH + 24, 99, "<u8", "99 levels"),
        (GRAPH + 24, 0, "<u8", "levels beyond 0"),
        (GRAPH + 32, NUM_WORDS, "<u8", "the entry 300"),
        (LEVELS, -1, "<i2", "levels beyond"),
        (LEVELS, 32767, "<i2", "levels beyond"),
        (NODES, NUM_WORDS, "<u8", "a key beyond 300"),
        (NODES, 2**64 - 1, "<u8", "a key beyond 300"),
        (NODES, 5, "<u8", "a row twice"),
        (NODES + 8, 1000, "<i2", "a node on two levels"),
        (NODES + 10, 9, "<u4", "more links than a node has room for"),
        (NODES + 14, NUM_WORDS, "<u4", "a link to a node that is not there"),
        (NODES + 14, 2**32 - 1, "<u4", "a link to a node that is not there"),
    ],
)
def test_a_graph_that_leads_astray_is_refused(
    saved: Path, vectors: WordVectors, offset: int, value: int, dtype: str, message: str
) -> None:
    put(saved, offset, value, dtype)
    with pytest.raises(ValueError, match=f"index.usearch: the graph is damaged.* it has {message}"):
        NeighbourIndex.load(saved, vectors)


def test_a_link_to_a_node_that_is_not_on_the_level_is_refused(saved: Path, vectors: WordVectors) -> None:
    data = np.fromfile(saved / "index.usearch", dtype=np.uint8)
    levels = data[LEVELS:NODES].view("<i2")
    upper = int(np.flatnonzero(levels == levels.max())[0])
    node, above = 10 + 4 + 8 * 4, 4 + 4 * 4  # bytes of a node on level 0, and of its links on each other level
    begins = NODES + int((node + above * levels[:upper].astype(np.int64)).sum()) + node
    put(saved, begins, 1, "<u4")
    put(saved, begins + 4, int(np.flatnonzero(levels == 0)[0]), "<u4")
    with pytest.raises(ValueError, match="it has a link to a node that is not on that level"):
        NeighbourIndex.load(saved, vectors)


def test_mutated_files_give_answers_or_errors_and_nothing_worse(built: Path, rows: np.ndarray, tmp_path: Path) -> None:
    # In a process of its own: what is feared is that it ends.
    np.save(tmp_path / "rows.npy", rows)
    code = f"""
import numpy as np
from pathlib import Path
from daneo.embeddings.neighbour_index_candidates import mapped_graph
from daneo.embeddings.neighbour_index_config import NeighbourIndexConfig
from daneo.embeddings.row_blocks import unit
units = unit(np.load(r"{tmp_path / "rows.npy"}")[:20])
whole = np.fromfile(r"{built / "index.usearch"}", dtype=np.uint8)
rng = np.random.default_rng(1)
refused = 0
for turn in range(600):
    data = whole.copy()
    first = rng.choice([0, {HEAD}, {NODES}])
    for place in rng.integers(first, len(data), rng.integers(1, 4)):
        data[place] = rng.choice([0, 1, 127, 255, rng.integers(256)])
    if turn % 3 == 0:
        data = data[: rng.integers(len(data))]
    try:
        graph = mapped_graph(data, {VECTOR_SIZE}, {NUM_WORDS}, NeighbourIndexConfig(num_threads=1))
    except ValueError:
        refused += 1
        continue
    rows, is_there = graph.candidates(units, 15, 30, 1)
    assert rows[is_there].min() >= 0 and rows[is_there].max() < {NUM_WORDS}
print(refused)"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert 250 < int(done.stdout) < 600


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda config: config.update(kind="word-vectors"), "expected kind 'neighbour-index', got 'word-vectors'"),
        (lambda config: config.update(version=2), "reads version 1 of its format, got 2"),
        (lambda config: config.pop("vectors"), 'expected "vectors" to be an object with words, vector_size'),
        (lambda config: config.update(vectors={"words": 300}), 'expected "vectors" to be an object with'),
        (lambda config: config.pop("file"), "is damaged: config.json expects None"),
        (lambda config: config.update(settings=3), 'expected "settings" to be an object, got 3'),
        (lambda config: config["settings"].update(storage="pickle"), "expected one of int8, bfloat16; got 'pickle'"),
        (lambda config: config["settings"].update(storage="bfloat16"), "it has a vector of 8 bytes"),
        (lambda config: config["settings"].update(connectivity=10**9), "expected at most 512, got 1000000000"),
        (lambda config: config["settings"].update(extra=1), "has no setting 'extra'"),
        (lambda config: config.pop("measured"), 'expected "measured" to be an object, got None'),
        (lambda config: config["measured"].pop("recall"), "needs recall"),
        (lambda config: config["measured"].update(expansion_search=10**12), "expected at most 65536"),
        (lambda config: config["measured"].update(recall="high"), "expected float, got 'high'"),
    ],
)
def test_a_config_that_is_not_ours(
    saved: Path, vectors: WordVectors, change: Callable[[dict[str, Any]], object], message: str
) -> None:
    change_config(saved, change)
    with pytest.raises(ValueError, match=message):
        NeighbourIndex.load(saved, vectors)


def test_what_is_no_index(vectors: WordVectors, tmp_path: Path) -> None:
    vectors.save(tmp_path / "vectors")
    with pytest.raises(ValueError, match="expected kind 'neighbour-index', got 'word-vectors'"):
        NeighbourIndex.load(tmp_path / "vectors", vectors)
    with pytest.raises(FileNotFoundError, match="nothing does not exist. `daneo index` builds an index of vectors."):
        NeighbourIndex.load(tmp_path / "nothing", vectors)


def test_where_an_index_lies(tmp_path: Path) -> None:
    (tmp_path / "vectors").mkdir()
    assert NeighbourIndex.path_for(tmp_path / "vectors") == tmp_path / "vectors" / "neighbours"
    assert NeighbourIndex.path_for(tmp_path / "x.bin") == tmp_path / "x.bin.neighbours"
    assert NeighbourIndex.path_for("vectors.txt.gz") == Path("vectors.txt.gz.neighbours")
