"""The directory of an index: usearch's file, and a config.json that says what it is of and what it must be like."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import numpy.typing as npt

from daneo.embeddings.formats.daneo_directory import HEADER, read_config
from daneo.embeddings.neighbour_index_candidates import CandidateGraph, mapped_graph
from daneo.embeddings.neighbour_index_config import NeighbourIndexConfig, NeighbourIndexReport
from daneo.embeddings.neighbour_index_digests import digest_of_bytes, digest_of_rows, digest_of_words
from daneo.files import replaced_directory
from daneo.settings import from_mapping

if TYPE_CHECKING:
    from daneo.embeddings.word_vectors import WordVectors

INDEX_NAME = "neighbours"
"""The index's directory in that of the vectors; the ending of its name beside a file."""

KIND = "neighbour-index"
FILE_NAMES = frozenset({"config.json", "index.usearch", "README.md"})

_Settings = TypeVar("_Settings")


def write_index(
    path: str | os.PathLike[str],
    graph: CandidateGraph,
    vectors: WordVectors,
    config: NeighbourIndexConfig,
    report: NeighbourIndexReport,
) -> None:
    """Write an index beside `path`, open it as a reader would, and rename it into place.

    Raises
    ------
    FileExistsError
        `path` is a directory with files in it that daneo did not write.
    """
    with replaced_directory(path, known=FILE_NAMES) as fresh:
        graph.save(fresh / "index.usearch")
        facts = {
            **HEADER,
            "kind": KIND,
            "vectors": fingerprint(vectors),
            "file": _facts_of_file(fresh / "index.usearch", vectors, config),
            "settings": dataclasses.asdict(config),
            "measured": dataclasses.asdict(report),
        }
        text = json.dumps(facts, indent=2, allow_nan=False)
        (fresh / "config.json").write_text(text + "\n", encoding="utf-8")
        (fresh / "README.md").write_text(_card(report), encoding="utf-8")


def read_index(
    path: str | os.PathLike[str], vectors: WordVectors, *, in_memory: bool
) -> tuple[CandidateGraph, NeighbourIndexConfig, NeighbourIndexReport]:
    """Open what :func:`write_index` wrote.

    Raises
    ------
    FileNotFoundError
        There is no index at `path`.
    ValueError
        It is of other vectors, damaged, or of a kind that this version does not know.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"{path} does not exist. `daneo index` builds an index of vectors.")
    facts = read_config(path, KIND)
    config = _settings(path, facts, "settings", NeighbourIndexConfig)
    report = _settings(path, facts, "measured", NeighbourIndexReport)
    _check_fingerprint(path, facts.get("vectors"), vectors)
    file, expected = path / "index.usearch", facts.get("file")
    data = _mapped(file)
    if in_memory:
        data = data.copy()  # and nobody can change it after the checks
    found = {"bytes": len(data), "sha256": digest_of_bytes(data)}
    if found != expected:
        raise ValueError(f"{file} is damaged: config.json expects {expected!r:.200}, got {found}.")
    try:
        graph = mapped_graph(data, vectors.vector_size, len(vectors), config)
    except ValueError as error:
        raise ValueError(f"{file}: {error}") from error
    return graph, config, report


def fingerprint(vectors: WordVectors) -> dict[str, Any]:
    """Return what tells these vectors from all others: their size, and digests of the words and of every number."""
    return {
        "words": len(vectors),
        "vector_size": vectors.vector_size,
        "sha256_of_words": digest_of_words(vectors.words),
        "sha256_of_rows": digest_of_rows(vectors.rows),
    }


def _check_fingerprint(path: Path, expected: Any, vectors: WordVectors) -> None:
    found = fingerprint(vectors)
    if expected == found:
        return
    if not isinstance(expected, dict) or expected.keys() != found.keys():
        raise ValueError(f'{path / "config.json"}: expected "vectors" to be an object with {", ".join(found)}.')
    sizes = [f"{one['words']} words of {one['vector_size']} numbers" for one in (expected, found)]
    differ = "words" if expected["sha256_of_words"] != found["sha256_of_words"] else "numbers"
    what = f"{sizes[0]}, these are {sizes[1]}" if sizes[0] != sizes[1] else f"{sizes[0]}, but its {differ} are others"
    raise ValueError(f"The index in {path} is of other vectors: of {what}. Build it again with `daneo index`.")


def _facts_of_file(file: Path, vectors: WordVectors, config: NeighbourIndexConfig) -> dict[str, Any]:
    data = _mapped(file)
    # Whoever opens it checks what a version of usearch may write otherwise: better refused now than then.
    mapped_graph(data, vectors.vector_size, len(vectors), config)
    return {"bytes": len(data), "sha256": digest_of_bytes(data)}


def _settings(path: Path, facts: Mapping[str, Any], name: str, kind: type[_Settings]) -> _Settings:
    values = facts.get(name)
    if not isinstance(values, dict):
        raise ValueError(f'{path / "config.json"}: expected "{name}" to be an object, got {values!r:.80}.')
    try:
        return from_mapping(kind, values)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{path / 'config.json'}: {error}") from error


def _mapped(file: Path) -> npt.NDArray[np.uint8]:
    if not file.is_file():
        raise FileNotFoundError(f"{file} does not exist, so {file.parent} is no index that daneo wrote.")
    if file.stat().st_size == 0:  # an empty map is an error to the operating system
        return np.zeros(0, dtype=np.uint8)
    return np.memmap(file, np.uint8, mode="r").view(np.ndarray)


def _card(report: NeighbourIndexReport) -> str:
    return f"""# Approximate neighbours

An index of word vectors, built by daneo with usearch. It answers for the vectors that it was built of, and no others.

```python
import daneo

vectors = daneo.WordVectors.load(...)  # the vectors
index = daneo.NeighbourIndex.load(".", vectors)  # this directory
index.most_similar(vectors.words[0])
```

```
{report}
```
"""
