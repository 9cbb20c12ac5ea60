"""A model of PPMI on disk: a directory of word vectors that also holds the sparse rows they were made of."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from daneo.embeddings.formats.daneo_directory import (
    DIRECTORY_NAMES,
    HEADER,
    read_config,
    read_directory,
    read_directory_tensors,
    write_directory,
)
from daneo.embeddings.ppmi_config import PPMIConfig
from daneo.embeddings.sparse_vectors import SparseVectors
from daneo.embeddings.sparse_vectors_files import open_rows, open_sparse, write_rows, write_sparse
from daneo.embeddings.word2vec_files import demand, read_settings
from daneo.embeddings.word_vectors import WordVectors
from daneo.files import replaced_directory

if TYPE_CHECKING:
    from daneo.embeddings.rows import Floats


@dataclasses.dataclass(frozen=True)
class SavedModel:
    """What a directory holds; arrays are memory-mapped."""

    config: PPMIConfig
    sparse: SparseVectors
    dense: WordVectors | None
    singular_values: Floats | None
    num_tokens: int


def write_model(
    path: str | os.PathLike[str],
    config: PPMIConfig,
    sparse: SparseVectors,
    dense: WordVectors | None,
    singular_values: Floats | None,
    num_tokens: int,
) -> None:
    """Write a model beside `path` and rename it. Without dense vectors it is a directory of sparse ones."""
    facts = {"algorithm": "ppmi", "num_tokens": num_tokens, "num_stored": sparse.rows.num_stored}
    record = {"settings": dataclasses.asdict(config), "training": facts}
    text = card(config, sparse, num_tokens)
    with replaced_directory(path, known=DIRECTORY_NAMES) as fresh:
        if dense is None or singular_values is None:
            write_sparse(fresh, sparse.vocabulary, sparse.rows, config=record, card=text)
            return
        write_directory(
            fresh,
            dense.vocabulary,
            dense.rows,
            config=record,
            card=text,
            tensors={"singular_values": singular_values},
        )
        write_rows(fresh, sparse.rows)


def read_model(path: str | os.PathLike[str]) -> SavedModel:
    """Open a model and check that its parts fit each other.

    Raises
    ------
    FileNotFoundError
        There is no such directory, or a file of it is missing.
    ValueError
        It is damaged, or holds word vectors of another origin.
    """
    record = read_config(path, None)
    num_tokens = _num_tokens(path, record)
    config = read_settings(path, record, PPMIConfig)
    if (config.vector_size is not None) != (record.get("kind") == HEADER["kind"]):
        raise ValueError(f"{path}/config.json: the kind {record.get('kind')!r} and settings.vector_size disagree.")
    if config.vector_size is None:
        return SavedModel(config, SparseVectors(*open_sparse(path)), None, None, num_tokens)
    vocabulary, matrix, _ = read_directory(path)
    demand(f"{path}/vectors.safetensors: 'vectors'", matrix, (len(vocabulary), config.vector_size))
    singular_values = read_directory_tensors(path).get("singular_values")
    if singular_values is None or singular_values.dtype != np.float32 or singular_values.shape != (config.vector_size,):
        raise ValueError(
            f"{path}/vectors.safetensors: expected 'singular_values', float32 of shape ({config.vector_size},)."
        )
    sparse = SparseVectors(vocabulary, open_rows(Path(path), len(vocabulary)))
    return SavedModel(config, sparse, WordVectors(vocabulary, matrix), singular_values, num_tokens)


def _num_tokens(path: str | os.PathLike[str], record: dict[str, Any]) -> int:
    training = record.get("training")
    if not isinstance(training, dict) or training.get("algorithm") != "ppmi":
        raise ValueError(f"{path} holds vectors that PPMI.save did not write. Open it with WordVectors.load.")
    num_tokens = training.get("num_tokens")
    if type(num_tokens) is not int or not 0 <= num_tokens < 1 << 63:
        raise ValueError(f"{path}/config.json: expected training.num_tokens to be a whole number, got {num_tokens!r}.")
    return num_tokens


def card(config: PPMIConfig, sparse: SparseVectors, num_tokens: int) -> str:
    """Return the text of the README.md: what the model is and how it came about."""
    settings = "\n".join(f"| {name} | {value} |" for name, value in dataclasses.asdict(config).items())
    word = repr(sparse.words[0])
    dense = ""
    if config.vector_size is not None:
        dense = (
            f'vectors = daneo.WordVectors.load(".")  # {config.vector_size} numbers each\n'
            f"vectors.most_similar({word})\n"
        )
    return f"""# Word vectors by PPMI

{len(sparse):,} words, counted in {num_tokens:,} words of text; {sparse.rows.num_stored:,} pairs of a word and a context
stand together more often than by chance.

```python
import daneo

{dense}sparse = daneo.SparseVectors.load(".")  # a number for each context
sparse.strongest_contexts({word})
```

| setting | value |
| --- | --- |
{settings}
"""
