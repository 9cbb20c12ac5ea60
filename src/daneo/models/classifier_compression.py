"""A classifier in a few hundred kilobytes: fewer rows, and fewer bytes for each."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from daneo.corpus.vocabulary import Vocabulary
from daneo.models.bags.row_table import RowTable
from daneo.models.bags.tokens import END_OF_LINE
from daneo.models.trained_classifier import TrainedClassifier

if TYPE_CHECKING:
    from daneo.embeddings.rows import Rows

STORAGES = ("product_quantization", "float16", "float32")
_BLOCK = 1 << 14  # rows that are read together


def compress_classifier(
    model: TrainedClassifier,
    *,
    num_rows: int | None,
    storage: str,
    part_size: int,
    norms: bool,
    outputs: bool,
    seed: int,
    retrain: Callable[[TrainedClassifier], TrainedClassifier] | None = None,
) -> TrainedClassifier:
    """Return a smaller classifier; :meth:`daneo.FastTextClassifier.compressed` documents the arguments.

    `retrain` gets the classifier with fewer rows and returns it trained further, before its numbers are stored.
    """
    from daneo.embeddings.compression.quantized_rows import HalfRows, QuantizedRows

    if storage not in STORAGES:
        raise ValueError(f"compressed expected storage as one of {', '.join(STORAGES)}; got {storage!r}.")
    if num_rows is not None and num_rows < 1:
        raise ValueError(f"compressed expected num_rows of at least 1, got {num_rows}. None keeps all.")
    if storage == "product_quantization" and not 1 <= part_size <= model.rows.shape[1]:
        raise ValueError(
            f"compressed expected a part_size from 1 to the vectors' {model.rows.shape[1]}, got {part_size}."
        )

    def stored(rows: Rows) -> Rows:
        if storage == "product_quantization":
            return QuantizedRows.learn(rows, part_size, norms=norms, seed=seed)
        return HalfRows.of(rows) if storage == "float16" else np.array(rows[:])

    table, used = _most_useful(model, num_rows)
    row_texts = None if model.row_texts is None else model.row_texts[used]
    smaller = dataclasses.replace(model, table=table, rows=np.asarray(model.rows[used]), row_texts=row_texts)
    if retrain is not None:
        smaller = retrain(smaller)
    kept = stored(smaller.outputs) if outputs else np.array(smaller.outputs[:])
    return dataclasses.replace(smaller, rows=stored(smaller.rows), outputs=kept)


def _most_useful(model: TrainedClassifier, num_rows: int | None) -> tuple[RowTable, npt.NDArray[np.int64]]:
    """Return the table of the words and n-grams that are kept, and the rows that they have."""
    table, num_words = model.table, len(model.table.words)
    word_rows = np.arange(num_words) if table.word_rows is None else table.word_rows.astype(np.int64)
    buckets, ngram_rows = table.buckets, table.ngram_rows
    if buckets is None or ngram_rows is None:
        # A row for every bucket, if the model has any n-grams at all.
        buckets = np.arange(len(model.rows) - num_words, dtype=np.int32)
        ngram_rows = buckets + np.int32(num_words)
    rows = np.concatenate([word_rows, ngram_rows])
    worth = _worth(model)[rows]
    if END_OF_LINE in table.words:
        worth[table.words.id(END_OF_LINE)] = np.inf  # every text has it, and an empty one nothing else
    kept = np.arange(len(rows)) if num_rows is None else np.sort(np.argsort(-worth, kind="stable")[:num_rows])
    used, numbers = np.unique(rows[kept], return_inverse=True)
    words, ngrams = kept[kept < num_words], kept[kept >= num_words] - num_words
    smaller = dataclasses.replace(
        table,
        words=Vocabulary([table.words.words[number] for number in words.tolist()], table.words.counts[words]),
        word_rows=numbers[: len(words)].astype(np.int32),
        buckets=buckets[ngrams],
        ngram_rows=numbers[len(words) :].astype(np.int32),
        count_missing=False,
    )
    return smaller, used


def _worth(model: TrainedClassifier) -> npt.NDArray[np.float64]:
    """What each row is worth, (C,): its length, times the root of the number of training texts that have it."""
    worth = np.empty(len(model.rows))
    for first in range(0, len(worth), _BLOCK):
        block = np.asarray(model.rows[first : first + _BLOCK], dtype=np.float64)
        worth[first : first + _BLOCK] = np.sqrt(np.einsum("nd,nd->n", block, block))
    if np.isnan(worth).any():
        raise ValueError("The model holds numbers that are not finite. Train it again with a smaller learning_rate.")
    return worth if model.row_texts is None else worth * np.sqrt(model.row_texts)
