"""A trained model on disk: a directory of word vectors that also holds what further training needs."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from daneo.embeddings.formats.daneo_directory import DIRECTORY_NAMES, read_config, read_directory, write_directory
from daneo.embeddings.formats.tensors import map_tensors, write_tensors
from daneo.embeddings.model_card import card
from daneo.embeddings.word2vec_config import Word2VecConfig
from daneo.embeddings.word2vec_matrices import Floats, num_outputs
from daneo.files import replaced_directory
from daneo.settings import from_mapping

if TYPE_CHECKING:
    from daneo.corpus import Vocabulary
    from daneo.embeddings.word_vectors import WordVectors

S = TypeVar("S")


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
            card=card("Word2Vec", config, vectors, losses, num_tokens),
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
    losses, num_tokens = read_losses(path, record, "word2vec", "Word2Vec")
    config = read_settings(path, record, Word2VecConfig)
    vocabulary, inputs, _ = read_directory(path)
    file = Path(path) / "training.safetensors"
    outputs = map_tensors(file).get("outputs") if file.exists() else None
    demand(f"{path}/vectors.safetensors: 'vectors'", inputs, (len(vocabulary), config.vector_size))
    demand(f"{file}: 'outputs'", outputs, (num_outputs(config, vocabulary), config.vector_size))
    assert outputs is not None
    return SavedModel(config, vocabulary, inputs, outputs, losses, num_tokens)


def read_losses(
    path: str | os.PathLike[str], record: dict[str, Any], algorithm: str, name: str
) -> tuple[list[float], int]:
    """Return what a config says of the training, which must have been by `algorithm`; `name` is the class's."""
    training = record.get("training")
    if not isinstance(training, dict) or training.get("algorithm") != algorithm:
        raise ValueError(
            f"{path} holds word vectors that {name}.save did not write. Open it with WordVectors.load, or train from "
            "it with Word2Vec().fit(corpus, vectors=...)."
        )
    losses, num_tokens = training.get("losses"), training.get("num_tokens")
    is_count = type(num_tokens) is int and 0 <= num_tokens < 1 << 63
    if not is_count or not isinstance(losses, list) or not all(type(loss) in (int, float) for loss in losses):
        raise ValueError(
            f"{path}/config.json: expected training.num_tokens to be a whole number and training.losses to be numbers."
        )
    assert isinstance(num_tokens, int)
    return [float(loss) for loss in losses], num_tokens


def read_settings(path: str | os.PathLike[str], record: dict[str, Any], config: type[S]) -> S:
    """Return the settings of a config.json, as the given dataclass."""
    try:
        return from_mapping(config, record["settings"])
    except (KeyError, TypeError, AttributeError) as error:
        name = config.__name__.removesuffix("Config")
        raise ValueError(f"{path}/config.json: the settings are not those of {name} ({error}).") from error


def demand(what: str, array: Any, shape: tuple[int, int]) -> None:
    """Refuse anything but a float32 array of this shape."""
    if not isinstance(array, np.ndarray) or array.dtype != np.float32 or array.shape != shape:
        came = f"{array.dtype} of shape {array.shape}" if isinstance(array, np.ndarray) else "nothing"
        raise ValueError(f"{what}: expected float32 of shape {shape}, got {came}.")
