"""Word vectors in daneo's directory: written as they are kept, compressed or not, with n-grams or without.

Beside what :mod:`daneo.embeddings.formats.daneo_directory` says, vectors with n-grams have

- in config.json the key ``subwords``: the settings of :class:`daneo.embeddings.subwords.subwords.Subwords`, and
  ``count_missing``, as :class:`daneo.embeddings.subwords.ngram_vectors.NgramVectors` has it;
- in vectors.safetensors the tensors ``ngrams``, (U, D), and ``ngram_buckets``, int32 (U,), the bucket of each row,
  rising. Without ``ngram_buckets`` row i is bucket i;
- where the words' vectors are means and their own rows are compressed, as in a ``.ftz``, these as the tensor ``own`` in
  place of ``vectors``.

Who knows nothing of n-grams reads such a directory as vectors of the words in it, and these are right; but where there
is no tensor ``vectors``.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from daneo.embeddings.formats.daneo_directory import (
    plain_card,
    read_config,
    read_directory_tensors,
    read_vocabulary,
    row_tensors,
    write_directory,
)

if TYPE_CHECKING:
    from daneo.embeddings.subwords.ngram_vectors import NgramVectors
    from daneo.embeddings.word_vectors import WordVectors


def write_vectors(
    directory: str | os.PathLike[str],
    vectors: WordVectors,
    *,
    config: Mapping[str, Any] | None = None,
    card: str | None = None,
    tensors: Mapping[str, np.ndarray[Any, Any]] | None = None,
) -> None:
    """Write word vectors, and their n-grams if they have any, into a directory that exists and is empty.

    Parameters
    ----------
    directory : path
        What ``daneo.files.replaced_directory(target, known=DIRECTORY_NAMES)`` yields. The caller may add files to it.
    vectors : WordVectors or SubwordVectors
        Compressed rows stay compressed; rows that are computed when asked for are all computed.
    config, card, tensors
        As for :func:`daneo.embeddings.formats.daneo_directory.write_directory`.

    Raises
    ------
    ValueError
        A key or a tensor is given that the format uses itself.
    """
    from daneo.embeddings.compression.stored_rows import is_stored
    from daneo.embeddings.subword_vectors import SubwordVectors
    from daneo.embeddings.subwords.word_means import own_rows

    config, tensors = dict(config or {}), dict(tensors or {})
    rows, rows_name = vectors.rows, "vectors"
    if isinstance(vectors, SubwordVectors):
        own_of_words = own_rows(rows, vectors.words, vectors.ngrams)
        if own_of_words is not None and is_stored(own_of_words):
            rows, rows_name = own_of_words, "own"
        ngrams = vectors.ngrams
        own = row_tensors("ngrams", ngrams.rows)
        if ngrams.buckets is not None:
            own["ngram_buckets"] = ngrams.buckets
        settings = {**dataclasses.asdict(ngrams.subwords), "count_missing": ngrams.count_missing}
        if config.setdefault("subwords", settings) != settings:
            raise ValueError(
                f"The config's key 'subwords' is the format's own and means {settings}; got {config['subwords']!r}."
            )
        if taken := sorted(own.keys() & tensors.keys()):
            raise ValueError(f"The tensor {taken[0]!r} is the n-grams' own. Give the other one another name.")
        tensors |= own
        card = card or plain_card(*rows.shape, rows_name=rows_name, has_ngrams=True)
    write_directory(directory, vectors.vocabulary, rows, config=config, card=card, tensors=tensors, rows_name=rows_name)


def open_directory(path: str | os.PathLike[str]) -> WordVectors:
    """Open a directory as word vectors: SubwordVectors if it has n-grams. Rows are memory-mapped.

    Raises
    ------
    FileNotFoundError
        The directory or one of its files is missing.
    ValueError
        A file is damaged, or the files do not fit each other; the message names the file.
    """
    from daneo.embeddings.compression.stored_rows import rows_from_tensors
    from daneo.embeddings.subword_vectors import SubwordVectors
    from daneo.embeddings.subwords.word_means import WordMeans
    from daneo.embeddings.word_vectors import WordVectors

    path = Path(path)
    config = read_config(path)
    tensors = read_directory_tensors(path)
    has_vectors = "subwords" not in config or not {"vectors", "vectors.codes"}.isdisjoint(tensors)
    try:
        rows = rows_from_tensors("vectors" if has_vectors else "own", tensors)
    except ValueError as error:
        raise ValueError(f"{path / 'vectors.safetensors'}: {error}") from error
    vocabulary = read_vocabulary(path, len(rows))
    if "subwords" not in config:
        return WordVectors(vocabulary, rows)
    ngrams = _ngrams(path, config["subwords"], tensors)
    try:
        return SubwordVectors(vocabulary, rows if has_vectors else WordMeans(rows, vocabulary.words, ngrams), ngrams)
    except ValueError as error:
        raise ValueError(f"{path / 'vectors.safetensors'}: {error}") from error


def _ngrams(path: Path, settings: Any, tensors: Mapping[str, np.ndarray[Any, Any]]) -> NgramVectors:
    from daneo.embeddings.compression.stored_rows import rows_from_tensors
    from daneo.embeddings.subwords.ngram_vectors import NgramVectors
    from daneo.embeddings.subwords.subwords import Subwords
    from daneo.settings import from_mapping

    if not isinstance(settings, dict) or not isinstance(settings.get("count_missing"), bool):
        raise ValueError(
            f'{path / "config.json"}: expected "subwords" to be an object of settings with count_missing true or false.'
        )
    try:
        subwords = from_mapping(Subwords, {key: value for key, value in settings.items() if key != "count_missing"})
    except (TypeError, ValueError) as error:
        raise ValueError(f"{path / 'config.json'}: {error}") from error
    try:
        return NgramVectors(
            subwords,
            rows_from_tensors("ngrams", tensors),
            tensors.get("ngram_buckets"),
            count_missing=settings["count_missing"],
        )
    except ValueError as error:
        raise ValueError(f"{path / 'vectors.safetensors'}: {error}") from error
