"""A file of usearch's, checked in every number that its search trusts, before usearch may open it.

usearch compares sizes, but follows the links of a graph without a look at where they point: a file of somebody who
means harm, or a damaged one, would end the process. The layout, all little-endian and without gaps, for N vectors::

    N, bytes of a vector          uint32 each
    vectors                       N times as many bytes
    head                          64 bytes: magic, version, kinds of number, counts, dimensions
    N, M, M0, top level, entry    uint64 each; M and M0: most links of a node above level 0, and on it
    levels                        int16, N of them
    nodes                         N of: key, uint64; level, int16; number of links, uint32; M0 links, uint32;
                                  for each level above 0: number of links, uint32; M links, uint32

A link is the place of another node. A node on level 2 has links on the levels 0, 1 and 2.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from daneo.embeddings.rows import Ids

Bytes = npt.NDArray[np.uint8]

_SIZES = np.dtype([("num_nodes", "<u4"), ("vector_bytes", "<u4")])
_HEAD = np.dtype(
    {
        "names": ["magic", "version", "metric", "number", "key", "slot", "present", "deleted", "dimensions", "multi"],
        "formats": ["V7", "<u2", "u1", "u1", "u1", "u1", "<u8", "<u8", "<u8", "u1"],
        "offsets": [0, 7, 13, 14, 15, 16, 17, 25, 33, 41],
        "itemsize": 64,
    }
)
_GRAPH = np.dtype([(name, "<u8") for name in ("num_nodes", "links_above", "links_on_0", "top_level", "entry")])
_MAGIC, _VERSION, _COSINE, _UINT64, _UINT32 = b"usearch", 2, ord("c"), 14, 15
_MOST_LINKS = 4096  # of a node on a level; usearch's default is 32
_MOST_LEVELS = 64  # chance makes five of a million nodes
_NODES_AT_ONCE = 1 << 16


def check_graph(data: Bytes, *, number: int, number_bytes: int, vector_size: int, num_rows: int) -> int:
    """Raise an error unless usearch can search this file without reading beyond its end.

    Parameters
    ----------
    data : uint8 array of shape (B,)
        The file, memory-mapped.
    number, number_bytes : int
        What a number of a vector must be: usearch's code for it, and its size.
    vector_size : int
        D.
    num_rows : int
        V; keys are rows, each at most once.

    Returns
    -------
    int
        How many rows the index holds.

    Raises
    ------
    ValueError
        Something is not as it must be; the message says what.

    Notes
    -----
    Reads all but the vectors, which may be any numbers: a wrong one makes a bad answer and no harm. Memory: some
    tens of megabytes beside an int16 and a bool a row.
    """
    sizes, rest = _cut(data, _SIZES, "sizes")
    num_nodes = int(sizes["num_nodes"])
    _demand(sizes["vector_bytes"] == number_bytes * vector_size, f"a vector of {sizes['vector_bytes']} bytes")
    _demand(num_nodes <= num_rows, f"{num_nodes} vectors of {num_rows} rows")
    vectors_end = num_nodes * number_bytes * vector_size
    _demand(vectors_end <= len(rest), f"{num_nodes} vectors in {len(rest)} bytes")
    head, rest = _cut(rest[vectors_end:], _HEAD, "head")
    found = tuple(head[name].item() for name in _HEAD.names or ())
    expected = (_MAGIC, _VERSION, _COSINE, number, _UINT64, _UINT32, num_nodes, 0, vector_size, 0)
    _demand(found == expected, f"a head of {found}, expected {expected}")
    graph, rest = _cut(rest, _GRAPH, "graph")
    _demand(graph["num_nodes"] == num_nodes, f"a graph of {graph['num_nodes']} nodes for {num_nodes} vectors")
    if num_nodes == 0:
        _demand(len(rest) == 0, "nodes, though there are none")
        return 0
    _check_nodes(rest, graph, num_nodes, num_rows)
    return num_nodes


def _check_nodes(data: Bytes, graph: np.void, num_nodes: int, num_rows: int) -> None:
    above, on_0, top, entry = (int(graph[name]) for name in ("links_above", "links_on_0", "top_level", "entry"))
    _demand(2 <= above <= on_0 <= _MOST_LINKS, f"{above} and {on_0} links a node")
    _demand(top < _MOST_LEVELS, f"{top} levels")
    _demand(2 * num_nodes <= len(data), f"levels of {num_nodes} nodes in {len(data)} bytes")
    levels, data = data[: 2 * num_nodes].view("<i2"), data[2 * num_nodes :]
    _demand(int(levels.min()) >= 0 and int(levels.max()) == top, f"levels beyond {top}")
    _demand(entry < num_nodes and int(levels[entry]) == top, f"the entry {entry}")
    node, links = _node(on_0), _links(above)
    ends = np.cumsum(node.itemsize + links.itemsize * levels.astype(np.int64))
    _demand(int(ends[-1]) == len(data), f"nodes of {ends[-1]} bytes in {len(data)}")
    is_known = np.zeros(num_rows, dtype=bool)
    for first in range(0, num_nodes, _NODES_AT_ONCE):
        part = slice(first, first + _NODES_AT_ONCE)
        own = levels[part]
        starts = ends[part] - node.itemsize - links.itemsize * own.astype(np.int64)
        nodes = _gathered(data, node, starts)
        _demand(bool((nodes["level"] == own).all()), "a node on two levels")
        _demand(bool((nodes["key"] < num_rows).all()), f"a key beyond {num_rows}")
        is_known[nodes["key"].astype(np.int64)] = True
        _check_links(nodes["links"], levels, 0)
        for level, upper in _above(data, links, starts + node.itemsize, own):
            _check_links(upper, levels, level)
    _demand(int(np.count_nonzero(is_known)) == num_nodes, "a row twice")


def _above(data: Bytes, links: np.dtype[Any], starts: Ids, levels: npt.NDArray[np.int16]) -> Iterator[tuple[int, Any]]:
    """Yield each level above 0 and the links on it; `starts` are where a node's first of them lie."""
    for level in range(1, int(levels.max()) + 1):
        yield level, _gathered(data, links, starts[levels >= level] + (level - 1) * links.itemsize)


def _check_links(links: Any, levels: npt.NDArray[np.int16], level: int) -> None:
    count, slots = links["count"], links["slots"]
    _demand(bool((count <= slots.shape[1]).all()), "more links than a node has room for")
    used = slots[np.arange(slots.shape[1]) < count[:, None]]
    _demand(not used.size or int(used.max()) < len(levels), "a link to a node that is not there")
    _demand(level == 0 or bool((levels[used] >= level).all()), "a link to a node that is not on that level")


def _gathered(data: Bytes, dtype: np.dtype[Any], starts: Ids) -> Any:
    """Return the records that begin at these bytes, a copy."""
    everywhere = np.ndarray((len(data) - dtype.itemsize + 1,), dtype, buffer=data, strides=(1,))
    return everywhere[starts]


def _node(num_links: int) -> np.dtype[Any]:
    return np.dtype([("key", "<u8"), ("level", "<i2"), ("links", _links(num_links))])


def _links(num_links: int) -> np.dtype[Any]:
    return np.dtype([("count", "<u4"), ("slots", "<u4", (num_links,))])


def _cut(data: Bytes, dtype: np.dtype[Any], what: str) -> tuple[np.void, Bytes]:
    """Take one record off the front."""
    _demand(dtype.itemsize <= len(data), f"no room for its {what}: {len(data)} bytes")
    return data[: dtype.itemsize].view(dtype)[0], data[dtype.itemsize :]


def _demand(is_so: Any, found: str) -> None:
    if not is_so:
        raise ValueError(f"the graph is damaged, or of a kind that this daneo does not know: it has {found}.")
