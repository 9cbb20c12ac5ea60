"""Reading fastText's model files: the settings, the dictionary, the rows that go in and the rows that come out."""

from __future__ import annotations

import math
import mmap
import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from daneo.embeddings.formats.byte_source import ByteSource, opened
from daneo.embeddings.formats.fasttext_dictionary import read_dictionary, read_sizes
from daneo.embeddings.formats.fasttext_end_of_line import mean_with_ngrams
from daneo.embeddings.formats.fasttext_fields import MAGIC, Fields
from daneo.embeddings.formats.fasttext_file import FastTextFile
from daneo.embeddings.formats.fasttext_matrices import NUM_CENTROIDS, read_matrix
from daneo.embeddings.formats.word2vec_header import LARGEST_SIZE, LONGEST_WORD
from daneo.embeddings.subwords.ngram_hashes_reference import END_OF_LINE

LOSSES = ("hierarchical_softmax", "negative_sampling", "softmax", "one_vs_all")
MODELS = ("cbow", "skipgram", "supervised")
ERRORS = ("strict", "replace", "ignore", "surrogateescape")

# The twelve whole numbers that every version begins with, by our names.
SETTINGS = (
    *("vector_size", "window", "epochs", "min_count", "negative", "word_ngrams", "loss", "model"),
    *("num_buckets", "min_ngram", "max_ngram", "lr_update_rate"),
)


_BEGINNING = 256  # bytes: more than the settings and the sizes of the dictionary take


def read_model(path: str | os.PathLike[str], errors: str) -> FastTextFile:
    """Open a model file: what :func:`daneo.embeddings.formats.fasttext_file.read_fasttext` does."""
    with opened(path) as source:
        return read_source(source, path, errors)


def read_source(source: ByteSource, path: str | os.PathLike[str], errors: str) -> FastTextFile:
    """Read a model from a source that stands at its first byte; the file at `path` is mapped unless compressed."""
    if errors not in ERRORS:
        raise ValueError(f"errors expected one of {', '.join(ERRORS)}; got {errors!r}.")
    return read_fields(Fields(_content(source, path), source.name), errors)


def _content(source: ByteSource, path: str | os.PathLike[str]) -> bytearray | mmap.mmap:
    if not source.size:  # compressed or a pipe; or empty, which no system can map
        most = _most_bytes(Fields(bytearray(source.peek(_BEGINNING)), source.name))
        content = bytearray()
        while piece := source.read(1 << 20):
            content += piece
            if len(content) > most:
                raise ValueError(
                    f"{source.name}: its settings and its dictionary promise {most} bytes at most, and more follow. "
                    "The file is damaged, or no fastText model."
                )
        return content
    # In the first layout one row is changed: not in the file, but in the page that this process has of it.
    has_version = source.peek(4) == MAGIC.to_bytes(4, "little")
    with Path(path).open("rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ if has_version else mmap.ACCESS_COPY)


def _most_bytes(beginning: Fields) -> int:
    """Return how long a model can be by what it begins with: compressed, a few kilobytes can hold gigabytes."""
    has_version = _read_version(beginning) is not None
    settings = _read_settings(beginning)
    num_words, num_labels, _, num_pruned = read_sizes(beginning, has_pruning=has_version)
    entries = (num_words + num_labels) * (LONGEST_WORD + 16) + 8 * max(num_pruned, 0)
    rows = num_words + settings["num_buckets"] + max(num_words, num_labels)
    quantizers = 4 * NUM_CENTROIDS * (settings["vector_size"] + 1)
    most: int = _BEGINNING + entries + 4 * rows * (settings["vector_size"] + 1) + 2 * quantizers
    return most


def read_fields(fields: Fields, errors: str) -> FastTextFile:
    """Take all that a model holds."""
    version = _read_version(fields)
    settings = _read_settings(fields)
    if settings["model"] == "supervised" and (version is None or version < 12):
        settings["max_ngram"] = 0  # whatever the file says: that program had no n-grams of characters for texts
    dictionary = read_dictionary(fields, errors, has_pruning=version is not None)
    num_words, vector_size = len(dictionary.words), settings["vector_size"]
    quantised = version is not None and fields.flag("the mark of quantised inputs")
    pruned = _checked_pruning(fields, dictionary.pruned, settings["num_buckets"], quantised)
    num_ngrams = settings["num_buckets"] if pruned is None else len(pruned)
    inputs = read_matrix(fields, "the input matrix", (num_words + num_ngrams, vector_size), quantised=quantised)
    if version is None and END_OF_LINE.decode() in dictionary.words:
        _mend_end_of_line(inputs, dictionary.words, settings)
    marked = version is not None and fields.flag("the mark of quantised outputs")
    num_outputs = len(dictionary.labels) if settings["model"] == "supervised" else num_words
    outputs = read_matrix(fields, "the output matrix", (num_outputs, vector_size), quantised=quantised and marked)
    if fields.left:
        raise ValueError(
            f"{fields.name}: {fields.left} bytes follow the output matrix (byte {fields.position}); expected none. "
            "The file is damaged, or no fastText model."
        )
    entries = dictionary._replace(pruned=pruned)._asdict()
    return FastTextFile(version=version, inputs=inputs, outputs=outputs, **settings, **entries)


def _mend_end_of_line(inputs: Any, words: list[str], settings: dict[str, Any]) -> None:
    """Let the row of ``</s>`` be its vector as that program computed it, with n-grams, which it has no more."""
    row = words.index(END_OF_LINE.decode())
    ngrams = [settings[name] for name in ("num_buckets", "min_ngram", "max_ngram")]
    vector = mean_with_ngrams(inputs, row, len(words), *ngrams)
    inputs.flags.writeable = True
    inputs[row] = vector
    inputs.flags.writeable = False


def _checked_pruning(
    fields: Fields, pruned: npt.NDArray[np.int32] | None, num_buckets: int, quantised: bool
) -> npt.NDArray[np.int32] | None:
    """Return which n-grams were kept, or None for all of them, after checking that they can be found."""
    if pruned is None or not len(pruned):
        return pruned if quantised else None  # in the first days of version 11, 0 stood for all of them
    if not quantised:
        raise ValueError(
            f"{fields.name}: n-grams were dropped, but the input matrix (byte {fields.position}) is not quantised; "
            "fastText has no such models. The file is damaged."
        )
    for what, values, end in (("bucket", pruned[:, 0], num_buckets), ("row", pruned[:, 1], len(pruned))):
        (wrong,) = np.nonzero((values < 0) | (values >= end))
        if len(wrong):
            raise ValueError(
                f"{fields.name}: kept n-gram {wrong[0] + 1} has {what} {values[wrong[0]]}; expected 0 to {end - 1}. "
                "The file is damaged."
            )
    if len(np.unique(pruned[:, 0])) < len(pruned):
        raise ValueError(f"{fields.name}: a bucket occurs twice among the kept n-grams. The file is damaged.")
    return pruned


def _read_version(fields: Fields) -> int | None:
    magic, version = fields.numbers("2i", "the settings")
    if magic != MAGIC:
        fields.position = 0
        return None
    if version not in (11, 12):
        raise fields.wrong("the version", version, "11 or 12", 4)
    return int(version)


def _read_settings(fields: Fields) -> dict[str, Any]:
    values = fields.numbers("12i", "the settings")
    first = fields.position - 4 * len(SETTINGS)
    settings: dict[str, Any] = dict(zip(SETTINGS, values, strict=True))
    least = {"vector_size": 1, "loss": 1, "model": 1}
    most = {"vector_size": LARGEST_SIZE, "loss": len(LOSSES), "model": len(MODELS)}
    for number, (name, value) in enumerate(settings.items()):
        low, high = least.get(name, 0), most.get(name)
        if value < low or (high is not None and value > high):
            fields.position = first + 4 * number
            raise fields.wrong(name, value, f"{low} or more" if high is None else f"{low} to {high}")
    (sample,) = fields.numbers("d", "sample")
    if not (math.isfinite(sample) and sample >= 0):
        raise fields.wrong("sample", sample, "0 or more", 8)
    settings.update(loss=LOSSES[settings["loss"] - 1], model=MODELS[settings["model"] - 1], sample=sample)
    return settings
