"""Sparse rows on disk: a directory of config.json, sparse.safetensors, vocabulary.txt and README.md.

``sparse.safetensors`` has the tensors ``starts``, int64 (V + 1,), ``columns``, int32 (n,), and ``values``, float32
(n,). The same file lies in the directory of a model that has dense vectors too.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from daneo.embeddings.formats.daneo_directory import DIRECTORY_NAMES, HEADER, read_config
from daneo.embeddings.formats.tensors import map_tensors, write_tensors
from daneo.embeddings.sparse_rows import SparseRows
from daneo.files import replaced_directory

if TYPE_CHECKING:
    from daneo.corpus.vocabulary import Vocabulary

FILE = "sparse.safetensors"
KIND = "sparse-vectors"
KINDS = (KIND, HEADER["kind"])
"""Kinds of directories that may have sparse rows: with nothing else, and beside dense ones."""

_NAMES = ("starts", "columns", "values")


def save_sparse(path: str | os.PathLike[str], vocabulary: Vocabulary, rows: SparseRows) -> None:
    """See :meth:`daneo.SparseVectors.save`."""
    with replaced_directory(path, known=DIRECTORY_NAMES) as fresh:
        write_sparse(fresh, vocabulary, rows)


def write_sparse(
    directory: Path,
    vocabulary: Vocabulary,
    rows: SparseRows,
    *,
    config: Mapping[str, Any] | None = None,
    card: str | None = None,
) -> None:
    """Write a directory of sparse rows, which exists and is empty; `config` has more keys for config.json."""
    text = json.dumps({**HEADER, "kind": KIND, **(config or {})}, ensure_ascii=False, indent=2, allow_nan=False)
    (directory / "config.json").write_text(text + "\n", encoding="utf-8")
    vocabulary.save(directory / "vocabulary.txt")
    (directory / "README.md").write_text(card or _card(rows), encoding="utf-8")
    write_rows(directory, rows)


def write_rows(directory: Path, rows: SparseRows) -> None:
    """Write the file of the rows alone."""
    write_tensors(directory / FILE, {name: getattr(rows, name) for name in _NAMES})


def open_sparse(path: str | os.PathLike[str]) -> tuple[Vocabulary, SparseRows]:
    """Open the words and the sparse rows of a directory.

    Raises
    ------
    FileNotFoundError
        There is no such directory, or a file of it is missing.
    ValueError
        It is damaged, or holds no sparse rows.
    """
    from daneo.corpus.vocabulary import Vocabulary

    directory = Path(path)
    config = read_config(directory, None)
    if config.get("kind") not in KINDS or not (directory / FILE).is_file():
        raise ValueError(
            f"{directory} holds no sparse rows: {FILE} is missing. `daneo train ppmi` and PPMI.save write it."
        )
    vocabulary = Vocabulary.load(directory / "vocabulary.txt")
    return vocabulary, open_rows(directory, len(vocabulary))


def open_rows(directory: Path, num_words: int) -> SparseRows:
    """Map the rows of a directory; what they say is checked when it is first read.

    Raises
    ------
    ValueError
        The file is damaged, or the rows are not as many as the words.
    """
    file = directory / FILE
    tensors = map_tensors(file)
    if missing := [name for name in _NAMES if name not in tensors]:
        raise ValueError(f"{file}: expected the tensors {', '.join(_NAMES)}; {missing[0]} is missing.")
    starts, columns, values = (tensors[name] for name in _NAMES)
    rows = SparseRows(starts, columns, values, num_words, source=file)
    if len(rows) != num_words:
        raise ValueError(
            f"{directory}: vocabulary.txt has {num_words} words, {FILE} has {len(rows)} rows; expected as many. "
            "The files are of two different models."
        )
    return rows


def _card(rows: SparseRows) -> str:
    return f"""# Sparse word vectors

{len(rows):,} words, {rows.num_stored:,} numbers other than 0. Saved by daneo.

```python
import daneo

vectors = daneo.SparseVectors.load(".")  # this directory
vectors.strongest_contexts(vectors.words[0])
```

| file | what |
| --- | --- |
| sparse.safetensors | the numbers, row by row: `starts` says where a row begins in `columns` and `values` |
| vocabulary.txt | the words, in the order of the rows and of the columns, each with its count |
| config.json | the format, and how the vectors came about |
"""
