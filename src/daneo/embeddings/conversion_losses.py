"""What a format has no place for: a line for each thing that a conversion loses."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from daneo.embeddings.formats.daneo_directory import read_config, read_directory_tensors
from daneo.embeddings.formats.tensors import map_tensors

if TYPE_CHECKING:
    from daneo.embeddings.fasttext_files import SavedFastText
    from daneo.embeddings.formats.fasttext_file import FastTextFile
    from daneo.embeddings.rows import Rows
    from daneo.embeddings.word_vectors import WordVectors

_OF_FACEBOOK = (
    *("vector_size", "window", "epochs", "min_count", "negative", "loss", "architecture", "sample", "num_buckets"),
    *("min_ngram", "max_ngram"),
)
"""Settings that fastText's files hold."""


def losses_of_vectors(vectors: WordVectors, format: str) -> list[str]:
    """Return what vectors lose in one of the formats that hold words and vectors.

    Parameters
    ----------
    vectors : WordVectors
    format : str
        One of `daneo.embeddings.formats.FORMATS`.

    Examples
    --------
    >>> import daneo
    >>> vectors = daneo.WordVectors(daneo.Vocabulary(["sea", "sun"], [7, 5]), [[1, 2], [3, 4]])
    >>> losses_of_vectors(vectors, "daneo"), losses_of_vectors(vectors, "word2vec-text")
    ([], ['how often each word occurred. daneo and fasttext-bin keep it.'])
    """
    from daneo.embeddings.compression.quantized_rows import QuantizedRows
    from daneo.embeddings.subword_vectors import SubwordVectors

    if format == "daneo":
        return []
    lost = []
    if isinstance(vectors, SubwordVectors) and len(vectors.ngrams) and format != "fasttext-bin":
        lost.append(
            f"{len(vectors.ngrams):,} rows of n-grams: words that were never seen have no vectors there. daneo and "
            "fasttext-bin keep them."
        )
    if vectors.counts.any() and format != "fasttext-bin":
        lost.append("how often each word occurred. daneo and fasttext-bin keep it.")
    if special := vectors.vocabulary.special_tokens:
        lost.append(f"that {', '.join(special)} are special tokens: they become words like others. daneo keeps it.")
    kept = _kept(vectors.rows)
    if kept is not None and not (format == "fasttext-bin" and isinstance(kept, QuantizedRows)):
        size = 4 * len(vectors) * vectors.vector_size
        lost.append(
            f"that the rows are compressed ({storage_of(vectors.rows)}): their {_bytes(vectors.rows):,} bytes become "
            f"{size:,} of float32. daneo keeps it."
        )
    if format == "fasttext-vec":
        lost.append("all but five digits of each number. word2vec-text keeps them.")
    return lost


def storage_of(rows: Rows) -> str:
    """Return how rows are kept, as :func:`~daneo.embeddings.compression.compressing.compress` names it."""
    from daneo.embeddings.compression.int8_rows import Int8Rows
    from daneo.embeddings.compression.quantized_rows import HalfRows, QuantizedRows

    names = {QuantizedRows: "product_quantization", Int8Rows: "int8", HalfRows: "float16"}
    return names.get(type(_kept(rows)), "float32")


def _kept(rows: Rows) -> Any:
    """Return the compressed rows that rows are made of; None if they are not compressed."""
    from daneo.embeddings.compression.stored_rows import is_stored
    from daneo.embeddings.compression.turned_rows import TurnedRows
    from daneo.embeddings.subwords.word_means import WordMeans

    rows = rows.own if isinstance(rows, WordMeans) else rows
    if not is_stored(rows):
        return None
    return rows.rows if isinstance(rows, TurnedRows) else rows


def _bytes(rows: Rows) -> int:
    from daneo.embeddings.compression.model_size import bytes_of

    return bytes_of(rows)


def losses_of_directory(path: str | os.PathLike[str]) -> list[str]:
    """Return what of a directory of daneo's is lost beside its words and vectors, in any other format."""
    path, record = Path(path), read_config(path, None)
    lost = []
    if (path / "training.safetensors").is_file():
        names = sorted(map_tensors(path / "training.safetensors"))
        lost.append(f"what further training needs ({', '.join(names)}). daneo keeps it.")
    if (path / "sparse.safetensors").is_file():
        lost.append("the sparse rows that the vectors were made of. daneo keeps them.")
    if "singular_values" in read_directory_tensors(path):
        lost.append("the singular values. daneo keeps them.")
    lost += losses_of_record(record)
    if (path / "neighbours").is_dir():
        lost.append("the index of neighbours. `daneo index` builds it again.")
    return lost


def losses_of_record(record: Mapping[str, Any]) -> list[str]:
    """Return what a config.json says of the training, as a loss."""
    training = record.get("training") if isinstance(record.get("training"), dict) else {}
    epochs = training.get("losses") if isinstance(training, dict) else None
    parts = ["the settings"] if "settings" in record else []
    parts += [_of_epochs(len(epochs))] if isinstance(epochs, list) and epochs else []
    return [f"how the vectors were trained: {' and '.join(parts)}. daneo keeps it."] if parts else []


def losses_of_fasttext(model: SavedFastText, path: Path) -> list[str]:
    """Return what a model that can be trained further, in the directory `path`, loses as a .bin of Facebook's."""
    other = {
        field.name: getattr(model.config, field.name)
        for field in dataclasses.fields(model.config)
        if field.name not in _OF_FACEBOOK and getattr(model.config, field.name) != field.default
    }
    lost = []
    if other.pop("position_weights", False):
        lost.append("the weights of the places in the window. daneo keeps them.")
    if other:
        shown = {name: f"{value:g}" if isinstance(value, float) else value for name, value in other.items()}
        named = ", ".join(f"{name} {value}" for name, value in shown.items())
        lost.append(f"settings that Facebook's program does not have: {named}. daneo keeps them.")
    if model.losses:
        lost.append(f"{_of_epochs(len(model.losses))}. daneo keeps them.")
    if (path / "neighbours").is_dir():
        lost.append("the index of neighbours. `daneo index` builds it again.")
    return lost


def _of_epochs(number: int) -> str:
    return f"the losses of {number} epoch{'s' * (number != 1)}"


def losses_of_file(model: FastTextFile, format: str) -> list[str]:
    """Return what of a model file of Facebook's is lost where only its words, n-grams and vectors are kept."""
    lost = []
    if model.labels and model.model == "supervised":
        lost.append(
            f"{len(model.labels):,} labels, so it is a classifier no more. fasttext-bin and a directory keep them."
        )
    step = 4096
    if any(model.outputs[first : first + step].any() for first in range(0, len(model.outputs), step)):
        lost.append(f"the rows that predict and the settings of the training. {_keepers(format)}")
    return lost


def _keepers(format: str) -> str:
    return "fasttext-bin keeps them." if format == "daneo" else "daneo and fasttext-bin keep them."
