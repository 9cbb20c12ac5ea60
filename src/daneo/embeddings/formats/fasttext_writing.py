"""Writing fastText's model files, version 12: what Facebook's own program and its Python package load."""

from __future__ import annotations

import math
import re
import struct
from typing import IO, TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from daneo.corpus.vocabulary_file import MAX_COUNT, has_repeats
from daneo.embeddings.formats.fasttext_fields import MAGIC
from daneo.embeddings.formats.fasttext_matrices import quantizer_sizes
from daneo.embeddings.formats.fasttext_reading import LOSSES, MODELS, SETTINGS
from daneo.embeddings.subwords.subwords import as_bytes

if TYPE_CHECKING:
    from daneo.embeddings.compression.product_quantizer import ProductQuantizer
    from daneo.embeddings.compression.quantized_rows import QuantizedRows
    from daneo.embeddings.formats.fasttext_file import FastTextFile
    from daneo.embeddings.rows import Rows

_VERSION = 12
_BLOCK_NUMBERS = 1 << 20  # written together
_SEPARATORS = re.compile("[\0 \t\n\v\f\r]")  # where fastText cuts its input into words


def write_model(file: IO[bytes], model: FastTextFile) -> None:
    """Write a model that :func:`check_model` found nothing wrong with to a file that is open."""
    from daneo.embeddings.compression.quantized_rows import QuantizedRows

    quantised = isinstance(model.inputs, QuantizedRows)
    file.write(_settings(model))
    file.write(_dictionary(model))
    file.write(struct.pack("<?", quantised))
    _write_matrix(file, model.inputs)
    file.write(struct.pack("<?", isinstance(model.outputs, QuantizedRows)))
    _write_matrix(file, model.outputs)


def check_model(model: FastTextFile) -> None:
    """Raise ValueError where fastText could not read a model back, or would give other answers."""
    from daneo.embeddings.compression.quantized_rows import QuantizedRows

    quantised = isinstance(model.inputs, QuantizedRows)
    num_ngrams = model.num_buckets if model.pruned is None else len(model.pruned)
    num_outputs = len(model.labels) if model.model == "supervised" else len(model.words)
    num_inputs = len(model.words) + num_ngrams
    for what, rows, num_rows in (("inputs", model.inputs, num_inputs), ("outputs", model.outputs, num_outputs)):
        if tuple(rows.shape) != (num_rows, model.vector_size):
            raise ValueError(
                f"A fastText file expected {what} of shape ({num_rows}, {model.vector_size}), got {rows.shape}."
            )
    if not quantised and (model.pruned is not None or isinstance(model.outputs, QuantizedRows)):
        raise ValueError(
            "fastText reads dropped n-grams and quantised outputs only where the inputs are quantised. "
            "Quantise them, or save with format='daneo'."
        )
    for rows in (model.inputs, model.outputs):
        if isinstance(rows, QuantizedRows) and rows.quantizer.num_long is not None:
            raise ValueError(
                "fastText cuts rows into parts of one size, but for a shorter last one; these were cut evenly. "
                "Quantise them with part_size=..., or save with format='daneo'."
            )
    if isinstance(model.inputs, QuantizedRows) and model.inputs.codes.size >= 1 << 31:
        raise ValueError("fastText counts codes in 32 bits; these rows have more. Quantise them with longer parts.")
    if not model.num_buckets and (model.max_ngram or model.word_ngrams > 1):
        raise ValueError("fastText cannot hash n-grams into no buckets. Give num_buckets, or no n-grams: max_ngram 0.")
    _check_entries(model.words, model.counts, "words")
    _check_entries(model.labels, model.label_counts, "labels")
    if has_repeats([*model.words, *model.labels]):
        raise ValueError("A fastText file expected every word and label once; one occurs twice.")
    ordered = model.label_counts if model.model == "supervised" else model.counts
    if model.loss == "hierarchical_softmax" and (ordered[1:] > ordered[:-1]).any():
        raise ValueError(
            "fastText builds the tree of hierarchical softmax from counts that fall, and here they do not: words or "
            "labels were added after training began. Save the vectors alone, or the model with format='daneo'."
        )


def _check_entries(words: list[str], counts: npt.NDArray[np.int64], what: str) -> None:
    if len(counts) != len(words) or (len(counts) and (counts.min() < 0 or counts.max() > MAX_COUNT)):
        raise ValueError(f"A fastText file expected a count from 0 to {MAX_COUNT:,} for each of {len(words)} {what}.")
    if "" in words or _SEPARATORS.search("".join(words)):
        wrong = next(word for word in words if not word or _SEPARATORS.search(word))
        raise ValueError(
            f"A fastText file cannot hold {wrong[:80]!r} among its {what}: fastText cuts its input at spaces, tabs, "
            "newlines and zeros, so none may be in a word. format='daneo' can."
        )


def _settings(model: FastTextFile) -> bytes:
    values = {name: getattr(model, name) for name in SETTINGS}
    values["loss"], values["model"] = LOSSES.index(model.loss) + 1, MODELS.index(model.model) + 1
    for name, value in values.items():
        if not 0 <= value < 1 << 31:
            raise ValueError(f"A fastText file expected {name} from 0 to {(1 << 31) - 1}, got {value}.")
    if not (math.isfinite(model.sample) and model.sample >= 0):
        raise ValueError(f"A fastText file expected sample of 0 or more, got {model.sample}.")
    return struct.pack("<14id", MAGIC, _VERSION, *values.values(), model.sample)


def _dictionary(model: FastTextFile) -> bytes:
    num_words, num_labels = len(model.words), len(model.labels)
    num_pruned = -1 if model.pruned is None else len(model.pruned)
    parts = [struct.pack("<3i2q", num_words + num_labels, num_words, num_labels, model.num_tokens, num_pruned)]
    for words, counts, kind in ((model.words, model.counts, 0), (model.labels, model.label_counts, 1)):
        tails = np.zeros(len(words), [("zero", "u1"), ("count", "<i8"), ("kind", "u1")])
        tails["count"], tails["kind"] = counts, kind
        packed = tails.tobytes()
        for number, word in enumerate(map(as_bytes, words)):
            parts += (word, packed[10 * number : 10 * number + 10])
    if model.pruned is not None:
        parts.append(model.pruned.astype("<i4").tobytes())
    return b"".join(parts)


def _write_matrix(file: IO[bytes], rows: Rows) -> None:
    from daneo.embeddings.compression.quantized_rows import QuantizedRows

    num_rows, vector_size = rows.shape
    if isinstance(rows, QuantizedRows):
        _write_quantised(file, rows)
        return
    file.write(struct.pack("<2q", num_rows, vector_size))
    step = max(1, _BLOCK_NUMBERS // vector_size)
    for start in range(0, num_rows, step):
        file.write(np.ascontiguousarray(rows[start : start + step], "<f4").data)


def _write_quantised(file: IO[bytes], rows: QuantizedRows) -> None:
    file.write(struct.pack("<?2qi", rows.norm_codes is not None, *rows.shape, rows.codes.size))
    file.write(np.ascontiguousarray(rows.codes).data)
    _write_quantizer(file, rows.quantizer)
    if rows.norm_codes is not None and rows.norm_quantizer is not None:
        file.write(np.ascontiguousarray(rows.norm_codes).data)
        _write_quantizer(file, rows.norm_quantizer)


def _write_quantizer(file: IO[bytes], quantizer: ProductQuantizer) -> None:
    file.write(struct.pack("<4i", *quantizer_sizes(quantizer.vector_size, quantizer.part_size)))
    file.write(quantizer.centroids.astype("<f4").data)
