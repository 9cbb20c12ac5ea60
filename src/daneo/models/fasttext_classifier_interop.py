"""Classifiers of Facebook's program: its .bin and .ftz files opened, and written so that it answers alike."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, cast

import numpy as np

from daneo.corpus.vocabulary import Vocabulary
from daneo.embeddings.formats.fasttext_file import FastTextFile, Loss, read_fasttext, write_fasttext
from daneo.embeddings.formats.fasttext_rows import DenseInputs
from daneo.embeddings.rows import ChosenRows
from daneo.models.bags.row_table import RowTable
from daneo.models.fasttext_classifier_config import FastTextClassifierConfig
from daneo.models.fasttext_classifier_files import SavedClassifier
from daneo.models.labelled_texts import LABEL_PREFIX
from daneo.models.trained_classifier import TrainedClassifier

if TYPE_CHECKING:
    from daneo.embeddings.rows import Rows


def read_facebook(path: str | os.PathLike[str]) -> SavedClassifier:
    """Open a supervised model that Facebook's program wrote; its matrices stay in the file, memory-mapped.

    The file does not say what its labels begin with. If all of them begin with ``__label__``, it is left out of their
    names; otherwise they keep whatever it is.

    Raises
    ------
    ValueError
        It is no fastText model, is damaged, or holds word vectors and no labels.
    """
    file = read_fasttext(path, errors="surrogateescape")
    if file.model != "supervised" or not file.labels:
        raise ValueError(
            f"{os.fspath(path)} holds word vectors, not a classifier. Open it with WordVectors.load or FastText.load."
        )
    prefix = LABEL_PREFIX if all(label.startswith(LABEL_PREFIX) for label in file.labels) else ""
    config = _settings(file, prefix)
    words = Vocabulary(file.words, file.counts)
    table = RowTable(words, config.parts, config.word_ngrams, prefix)
    if file.pruned is not None:
        pruned = file.pruned[np.argsort(file.pruned[:, 0])]
        table = RowTable(
            words,
            config.parts,
            config.word_ngrams,
            prefix,
            buckets=np.ascontiguousarray(pruned[:, 0]),
            ngram_rows=pruned[:, 1] + np.int32(len(words)),
            count_missing=False,
        )
    labels = Vocabulary([label.removeprefix(prefix) for label in file.labels], file.label_counts)
    model = TrainedClassifier(
        table=table, rows=file.inputs, labels=labels, outputs=file.outputs, loss=file.loss, tokenizer="fasttext"
    )
    return SavedClassifier(config, model)


def _settings(file: FastTextFile, label_prefix: str) -> FastTextClassifierConfig:
    """The settings that the file says; not how fast it learned, which it does not say.

    fastText takes 0 where it means 1, and a longest n-gram below the shortest where it means none.
    """
    has_parts = file.max_ngram >= max(file.min_ngram, 1)
    return FastTextClassifierConfig(
        vector_size=file.vector_size,
        epochs=max(file.epochs, 1),
        loss=file.loss,
        negative=max(file.negative, 1),
        word_ngrams=max(file.word_ngrams, 1),
        min_ngram=file.min_ngram if has_parts else None,
        max_ngram=file.max_ngram if has_parts else None,
        num_buckets=file.num_buckets,
        min_count=max(file.min_count, 1),
        label_prefix=label_prefix,
    )


def write_facebook(path: str | os.PathLike[str], saved: SavedClassifier) -> None:
    """Write a ``.bin``, or a ``.ftz`` where the rows are quantised.

    Raises
    ------
    ValueError
        Facebook's program has no such model, or could not read it back.
    """
    config, model, table = saved.config, saved.model, saved.model.table
    if config.tokenizer != "fasttext" or config.subwords != "characters":
        raise ValueError(
            "Facebook's program cuts texts at ASCII whitespace and has n-grams of characters only; this model has the "
            f"tokenizer {config.tokenizer!r} and n-grams of {config.subwords}. Save it with format='daneo'."
        )
    num_buckets = config.num_buckets if config.has_ngrams else 0
    inputs, pruned = _inputs(table, model.rows, num_buckets)
    write_fasttext(
        path,
        FastTextFile(
            vector_size=config.vector_size,
            window=5,
            epochs=config.epochs,
            min_count=config.min_count,
            negative=config.negative,
            word_ngrams=config.word_ngrams,
            loss=cast(Loss, config.loss),
            model="supervised",
            num_buckets=num_buckets,
            min_ngram=config.parts.min_ngram if config.parts.max_ngram else 0,
            max_ngram=config.parts.max_ngram,
            sample=1e-4,
            words=table.words.words,
            counts=table.words.counts,
            labels=[config.label_prefix + label for label in model.labels.words],
            label_counts=model.labels.counts,
            num_tokens=int(table.words.counts.sum() + model.labels.counts.sum()),
            pruned=pruned,
            inputs=inputs,
            outputs=model.outputs,
        ),
    )


def _inputs(table: RowTable, rows: Rows, num_buckets: int) -> tuple[Rows, np.ndarray | None]:
    """The rows as fastText wants them, and which n-grams have one: a row for each word and each bucket that counts."""
    from daneo.embeddings.compression.quantized_rows import QuantizedRows

    num_words = len(table.words)
    word_rows = np.arange(num_words) if table.word_rows is None else table.word_rows
    if table.buckets is None:
        return (rows if len(rows) == num_words + num_buckets else ChosenRows(rows, word_rows)), None
    assert table.ngram_rows is not None
    if isinstance(rows, QuantizedRows):
        if table.count_missing and num_buckets:
            raise ValueError(
                "fastText leaves n-grams out of a mean that were dropped, but this model counts them as zeros. "
                "Compress it with num_rows=..., or save it with format='daneo'."
            )
        chosen = np.concatenate([word_rows, table.ngram_rows])
        norms = None if rows.norm_codes is None else rows.norm_codes[chosen]
        inputs = QuantizedRows(rows.codes[chosen], rows.quantizer, norms, rows.norm_quantizer)
        if not num_buckets:
            return inputs, None
        return inputs, np.stack([table.buckets, np.arange(len(table.buckets), dtype=np.int32)], axis=1)
    if not table.count_missing:
        raise ValueError(
            "fastText reads a model with dropped n-grams only if it is quantised. Save this one with format='daneo'."
        )
    own, ngrams = ChosenRows(rows, word_rows), ChosenRows(rows, table.ngram_rows)
    return DenseInputs(own, ngrams, table.buckets, num_buckets), None
