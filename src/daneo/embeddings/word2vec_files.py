"""A trained model on disk: a directory of word vectors that also holds what further training needs."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from daneo.embeddings.formats.daneo_directory import DIRECTORY_NAMES, read_config, read_directory, write_directory
from daneo.embeddings.formats.tensors import map_tensors, write_tensors
from daneo.embeddings.word2vec_card import card
from daneo.embeddings.word2vec_config import Word2VecConfig
from daneo.embeddings.word2vec_matrices import Floats, num_outputs
from daneo.files import replaced_directory
from daneo.settings import from_mapping

if TYPE_CHECKING:
    from daneo.corpus import Vocabulary
    from daneo.embeddings.word_vectors import WordVectors


@dataclasses.dataclass(frozen=True)
class SavedModel:
    """What a directory holds: the settings, the words and both matrices (memory-mapped, read-only)."""

    config: Word2VecConfig
    vocabulary: Vocabulary
    inputs: Floats
    outputs: Floats
    losses: list[float]
    num_tokens: int


def write_model(
    path: str | os.PathLike[str],
    config: Word2VecConfig,
    vectors: WordVectors,
    outputs: Floats,
    losses: Sequence[float],
    num_tokens: int,
) -> None:
    """Write a model beside `path` and rename it."""
    training = {"algorithm": "word2vec", "losses": list(losses), "num_tokens": num_tokens}
    with replaced_directory(path, known=DIRECTORY_NAMES) as fresh:
        write_directory(
            fresh,
            vectors.vocabulary,
            vectors.matrix,
            config={"settings": dataclasses.asdict(config), "training": training},
            card=card(config, vectors, losses, num_tokens),
        )
        write_tensors(fresh / "training.safetensors", {"outputs": outputs})


def read_model(path: str | os.PathLike[str]) -> SavedModel:
    """Open a model and check that its parts fit each other.

    Raises
    ------
    FileNotFoundError
        There is no such directory, or a file of it is missing.
    ValueError
        It is damaged, or holds word vectors of another origin.
    """
    record = read_config(path)
    training = record.get("training")
    if not isinstance(training, dict) or training.get("algorithm") != "word2vec":
        raise ValueError(
            f"{path} holds word vectors that Word2Vec.save did not write. Open it with WordVectors.load, or train from "
            "it with Word2Vec().fit(corpus, vectors=...)."
        )
    config = _settings(path, record)
    vocabulary, inputs, _ = read_directory(path)
    file = Path(path) / "training.safetensors"
    outputs = map_tensors(file).get("outputs") if file.exists() else None
    _demand(f"{path}/vectors.safetensors: 'vectors'", inputs, (len(vocabulary), config.vector_size))
    _demand(f"{file}: 'outputs'", outputs, (num_outputs(config, vocabulary), config.vector_size))
    assert outputs is not None
    losses, num_tokens = training.get("losses"), training.get("num_tokens", "none")
    if not isinstance(losses, list) or not all(isinstance(number, (int, float)) for number in [*losses, num_tokens]):
        raise ValueError(f"{path}/config.json: expected training.num_tokens and training.losses to be numbers.")
    return SavedModel(config, vocabulary, inputs, outputs, [float(loss) for loss in losses], int(num_tokens))


def _settings(path: str | os.PathLike[str], record: dict[str, Any]) -> Word2VecConfig:
    try:
        return from_mapping(Word2VecConfig, record["settings"])
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path}/config.json: the settings are not those of Word2Vec ({error}).") from error


def _demand(what: str, array: np.ndarray[Any, Any] | None, shape: tuple[int, int]) -> None:
    if array is None or array.dtype != np.float32 or array.shape != shape:
        came = "nothing" if array is None else f"{array.dtype} of shape {array.shape}"
        raise ValueError(f"{what}: expected float32 of shape {shape}, got {came}.")
