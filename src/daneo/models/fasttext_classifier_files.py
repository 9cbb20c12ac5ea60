"""A classifier on disk: daneo's directory with the settings, the rows, the words, the labels and a README.md."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from daneo.corpus.vocabulary import Vocabulary
from daneo.embeddings.formats.daneo_directory import HEADER, read_config, row_tensors
from daneo.embeddings.formats.tensors import map_tensors, write_tensors
from daneo.embeddings.word2vec_files import read_settings
from daneo.files import replaced_directory
from daneo.models.bags.row_table import RowTable
from daneo.models.fasttext_classifier_card import card
from daneo.models.fasttext_classifier_config import FastTextClassifierConfig
from daneo.models.trained_classifier import TrainedClassifier

if TYPE_CHECKING:
    from daneo.embeddings.rows import Rows

KIND = "fasttext-classifier"
DIRECTORY_NAMES = frozenset({"config.json", "model.safetensors", "vocabulary.txt", "labels.txt", "README.md"})


@dataclasses.dataclass(frozen=True)
class SavedClassifier:
    """What a directory holds; the rows are memory-mapped."""

    config: FastTextClassifierConfig
    model: TrainedClassifier
    losses: Sequence[float] = ()
    validation_scores: Sequence[float] = ()
    best_epoch: int | None = None


def write_directory(path: str | os.PathLike[str], saved: SavedClassifier) -> None:
    """Write a classifier beside `path` and rename it."""
    model, table = saved.model, saved.model.table
    training = {
        "algorithm": KIND,
        "losses": list(saved.losses),
        "validation_scores": list(saved.validation_scores),
        "best_epoch": saved.best_epoch,
    }
    config = {
        **HEADER,
        "kind": KIND,
        "settings": dataclasses.asdict(saved.config),
        "count_missing": table.count_missing,
        "training": training,
    }
    tensors = {**row_tensors("rows", model.rows), **row_tensors("outputs", model.outputs)}
    named = {
        "word_rows": table.word_rows,
        "buckets": table.buckets,
        "ngram_rows": table.ngram_rows,
        "row_texts": model.row_texts,
    }
    tensors |= {name: array for name, array in named.items() if array is not None}
    with replaced_directory(path, known=DIRECTORY_NAMES) as fresh:
        text = json.dumps(config, ensure_ascii=False, indent=2, allow_nan=False)
        (fresh / "config.json").write_text(text + "\n", encoding="utf-8")
        write_tensors(fresh / "model.safetensors", tensors)
        table.words.save(fresh / "vocabulary.txt")
        model.labels.save(fresh / "labels.txt")
        (fresh / "README.md").write_text(card(saved), encoding="utf-8")


def read_directory(path: str | os.PathLike[str]) -> SavedClassifier:
    """Open a classifier and check that its parts fit each other.

    Raises
    ------
    FileNotFoundError
        There is no such directory, or a file of it is missing.
    ValueError
        It is damaged, or holds a model of another kind.
    """
    record = read_config(path, KIND)
    config = read_settings(path, record, FastTextClassifierConfig)
    words, labels = (Vocabulary.load(Path(path) / name) for name in ("vocabulary.txt", "labels.txt"))
    file = Path(path) / "model.safetensors"
    if not file.is_file():
        raise FileNotFoundError(f"{path} has no model.safetensors, so it is not a classifier that daneo wrote.")
    tensors = map_tensors(file)
    rows, outputs = (_rows(file, tensors, name, config.vector_size) for name in ("rows", "outputs"))
    if len(labels) == 0 or len(outputs) != len(labels):
        raise ValueError(
            f"{path}: labels.txt has {len(labels)} labels, but {file.name} {len(outputs)} rows of outputs."
        )
    count_missing = record.get("count_missing")
    if not isinstance(count_missing, bool):
        raise ValueError(f"{path}/config.json: expected count_missing to be true or false, got {count_missing!r}.")
    table = RowTable(
        words,
        config.parts,
        config.word_ngrams,
        config.label_prefix,
        *_checked_table(file, tensors, len(words), len(rows), config),
        count_missing=count_missing,
    )
    if "row_texts" in tensors:
        _demand_numbers(file, "row_texts", tensors["row_texts"], len(rows), 2**31)
    model = TrainedClassifier(
        table=table,
        rows=rows,
        labels=labels,
        outputs=outputs,
        loss=config.loss,
        tokenizer=config.tokenizer,
        row_texts=tensors.get("row_texts"),
    )
    return SavedClassifier(config, model, *_checked_training(path, record.get("training")))


def _rows(file: Path, tensors: dict[str, Any], name: str, vector_size: int) -> Rows:
    from daneo.embeddings.compression.stored_rows import rows_from_tensors

    try:
        rows = rows_from_tensors(name, tensors)
    except ValueError as error:
        raise ValueError(f"{file}: {error}") from error
    if rows.shape[1] != vector_size:
        raise ValueError(f"{file}: {name!r} expected rows of {vector_size} numbers, got {rows.shape[1]}.")
    return rows


def _checked_table(
    file: Path, tensors: dict[str, Any], num_words: int, num_rows: int, config: FastTextClassifierConfig
) -> tuple[npt.NDArray[np.int32] | None, npt.NDArray[np.int32] | None, npt.NDArray[np.int32] | None]:
    """Return word_rows, buckets and ngram_rows; kernels trust them."""
    word_rows, buckets, ngram_rows = (tensors.get(name) for name in ("word_rows", "buckets", "ngram_rows"))
    if word_rows is None and buckets is None and ngram_rows is None:
        # Every word and every bucket has a row of its own, as in a file of fastText's.
        needed = num_words + (config.num_buckets if config.has_ngrams else 0)
        if num_rows < needed:
            raise ValueError(f"{file}: expected a row for each word and bucket, {needed} in all; got {num_rows}.")
        return None, None, None
    if word_rows is not None:
        _demand_numbers(file, "word_rows", word_rows, num_words, num_rows)
    _demand_numbers(file, "buckets", buckets, None, config.num_buckets)
    assert buckets is not None
    _demand_numbers(file, "ngram_rows", ngram_rows, len(buckets), num_rows)
    if bool((buckets[1:] <= buckets[:-1]).any()):
        raise ValueError(f"{file}: 'buckets' expected numbers that rise.")
    if word_rows is None and num_rows < num_words:
        raise ValueError(f"{file}: expected a row for each of {num_words} words, got {num_rows}.")
    return word_rows, buckets, ngram_rows


def _demand_numbers(file: Path, name: str, array: Any, size: int | None, limit: int) -> None:
    """Refuse anything but int32 numbers from 0 to `limit` - 1; `size` of them, if that is known."""
    if (
        array is None
        or array.dtype != np.int32
        or array.ndim != 1
        or len(array) != (len(array) if size is None else size)
    ):
        came = "nothing" if array is None else f"{array.dtype} of shape {array.shape}"
        raise ValueError(f"{file}: {name!r} expected int32 of shape ({'N' if size is None else size},), got {came}.")
    if array.size and not (array.min() >= 0 and array.max() < limit):
        raise ValueError(f"{file}: {name!r} expected numbers from 0 to {limit - 1}.")


def _checked_training(path: str | os.PathLike[str], training: Any) -> tuple[list[float], list[float], int | None]:
    if isinstance(training, dict):
        losses, scores, best = (training.get(name) for name in ("losses", "validation_scores", "best_epoch"))
        both = [losses, scores]
        are_numbers = all(isinstance(one, list) and all(type(number) in (int, float) for number in one) for one in both)
        if are_numbers and (best is None or type(best) is int):
            assert isinstance(losses, list)
            assert isinstance(scores, list)
            return [float(loss) for loss in losses], [float(score) for score in scores], best
    raise ValueError(f"{path}/config.json: what it says of the training is damaged.")
