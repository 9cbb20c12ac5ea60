"""A trained GloVe on disk: a directory of word vectors that also holds all that was learned."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from daneo.embeddings.formats.daneo_directory import DIRECTORY_NAMES, read_config, read_vocabulary, write_directory
from daneo.embeddings.formats.tensors import map_tensors, write_tensors
from daneo.embeddings.glove_config import GloVeConfig
from daneo.embeddings.model_card import card
from daneo.embeddings.word2vec_files import read_losses, read_settings
from daneo.files import replaced_directory

if TYPE_CHECKING:
    from daneo.corpus import Vocabulary
    from daneo.embeddings.rows import Floats
    from daneo.embeddings.word_vectors import WordVectors

NAMES = ("words", "contexts", "word_biases", "context_biases")


@dataclasses.dataclass(frozen=True)
class Parameters:
    """All that GloVe learns.

    Attributes
    ----------
    words, contexts : float32 arrays of shape (V, D)
        A word's vector, and its vector as another word's context.
    word_biases, context_biases : float32 arrays of shape (V,)
    """

    words: Floats
    contexts: Floats
    word_biases: Floats
    context_biases: Floats

    def vectors(self, which: str) -> Floats:
        """Return the vectors to use, (V, D): those of words, of contexts, or their sum."""
        if which == "sum":
            return self.words + self.contexts
        return self.words if which == "words" else self.contexts


def write_model(
    path: str | os.PathLike[str],
    config: GloVeConfig,
    vectors: WordVectors,
    parameters: Parameters,
    losses: Sequence[float],
    num_tokens: int,
) -> None:
    """Write a model beside `path` and rename it."""
    training = {"algorithm": "glove", "losses": list(losses), "num_tokens": num_tokens}
    with replaced_directory(path, known=DIRECTORY_NAMES) as fresh:
        write_directory(
            fresh,
            vectors.vocabulary,
            vectors.matrix,
            config={"settings": dataclasses.asdict(config), "training": training},
            card=card("GloVe", config, vectors, losses, num_tokens, purpose="all that was learned: model.parameters"),
        )
        write_tensors(fresh / "training.safetensors", {name: getattr(parameters, name) for name in NAMES})


def read_model(path: str | os.PathLike[str]) -> tuple[GloVeConfig, Vocabulary, Parameters, list[float], int]:
    """Open a model and check that its parts fit each other; arrays are memory-mapped, read-only.

    Raises
    ------
    FileNotFoundError
        There is no such directory, or a file of it is missing.
    ValueError
        It is damaged, or holds word vectors of another origin.
    """
    record = read_config(path)
    losses, num_tokens = read_losses(path, record, "glove", "GloVe")
    config = read_settings(path, record, GloVeConfig)
    file = Path(path) / "training.safetensors"
    tensors: dict[str, Any] = map_tensors(file) if file.exists() else {}
    came = tensors.get("words")
    num_words = len(came) if isinstance(came, np.ndarray) and came.ndim else 0
    for name in NAMES:
        shape = (num_words,) if name.endswith("biases") else (num_words, config.vector_size)
        array = tensors.get(name)
        if array is None or array.dtype != np.float32 or array.shape != shape:
            found = "nothing" if array is None else f"{array.dtype} of shape {array.shape}"
            raise ValueError(f"{file}: {name!r}: expected float32 of shape {shape}, got {found}.")
    return (
        config,
        read_vocabulary(Path(path), num_words),
        Parameters(**{n: tensors[n] for n in NAMES}),
        losses,
        num_tokens,
    )
