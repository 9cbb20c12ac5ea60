"""A trained FastText model on disk: daneo's directory, or a .bin of Facebook's program."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt

from daneo.embeddings.fasttext_config import FastTextConfig
from daneo.embeddings.formats.daneo_directory import DIRECTORY_NAMES, read_config
from daneo.embeddings.formats.tensors import map_tensors, write_tensors
from daneo.embeddings.formats.vectors_directory import open_directory, write_vectors
from daneo.embeddings.model_card import card
from daneo.embeddings.word2vec_config import LOSSES
from daneo.embeddings.word2vec_files import demand, read_losses, read_settings
from daneo.embeddings.word2vec_matrices import Floats, num_outputs
from daneo.files import replaced_directory

if TYPE_CHECKING:
    from daneo.corpus import Vocabulary
    from daneo.embeddings.formats.fasttext_file import FastTextFile
    from daneo.embeddings.rows import Rows
    from daneo.embeddings.subword_vectors import SubwordVectors
    from daneo.embeddings.word2vec_files import SavedModel


@dataclasses.dataclass(frozen=True)
class SavedFastText:
    """All that further training needs; rows that come from a file are memory-mapped and read-only.

    Attributes
    ----------
    config, vocabulary
        The settings and the V words.
    own, ngrams : float32 rows of shape (V, D) and (U, D)
        Rows of the words' own and of n-grams.
    buckets : int32 array of shape (U,), rising
        The bucket of each n-gram row.
    outputs : float32 array
        A row for each word, or for each inner node of the tree.
    position_weights : float32 array of shape (2 * window + 1, D) or None
    losses, num_tokens
        What training said so far.
    """

    config: FastTextConfig
    vocabulary: Vocabulary
    own: Rows
    ngrams: Rows
    buckets: npt.NDArray[np.int32]
    outputs: Floats
    position_weights: Floats | None = None
    losses: Sequence[float] = ()
    num_tokens: int = 0


def write_directory(path: str | os.PathLike[str], model: SavedFastText, vectors: SubwordVectors) -> None:
    """Write a model beside `path` and rename it."""
    training = {"algorithm": "fasttext", "losses": list(model.losses), "num_tokens": model.num_tokens}
    tensors = {"own": np.asarray(model.own[:]), "outputs": model.outputs}
    if model.position_weights is not None:
        tensors["position_weights"] = model.position_weights
    with replaced_directory(path, known=DIRECTORY_NAMES) as fresh:
        write_vectors(
            fresh,
            vectors,
            config={"settings": dataclasses.asdict(model.config), "training": training},
            card=card("FastText", model.config, vectors, model.losses, model.num_tokens),
        )
        write_tensors(fresh / "training.safetensors", tensors)


def read_directory(path: str | os.PathLike[str]) -> SavedFastText:
    """Open a model's directory and check that its parts fit each other.

    Raises
    ------
    FileNotFoundError
        There is no such directory, or a file of it is missing.
    ValueError
        It is damaged, or holds word vectors of another origin.
    """
    from daneo.embeddings.subword_vectors import SubwordVectors

    record = read_config(path)
    losses, num_tokens = read_losses(path, record, "fasttext", "FastText")
    config = read_settings(path, record, FastTextConfig)
    vectors = open_directory(path)
    if not isinstance(vectors, SubwordVectors) or vectors.ngrams.subwords != config.parts:
        raise ValueError(f"{path}/config.json: the settings and the n-grams' differ. The file is damaged.")
    if not vectors.ngrams.count_missing:
        raise ValueError(
            f"{path}/config.json: expected subwords.count_missing to be true; training counts n-grams without rows. "
            "The file is damaged."
        )
    file = Path(path) / "training.safetensors"
    found: dict[str, Any] = map_tensors(file) if file.exists() else {}
    size, ngrams = config.vector_size, vectors.ngrams
    demand(f"{file}: 'own'", found.get("own"), (len(vectors), size))
    demand(f"{file}: 'outputs'", found.get("outputs"), (num_outputs(config, vectors.vocabulary), size))
    demand(f"{path}/vectors.safetensors: 'ngrams'", ngrams.rows, (len(ngrams), size))
    if config.position_weights:
        demand(f"{file}: 'position_weights'", found.get("position_weights"), (2 * config.window + 1, size))
    return SavedFastText(
        config=config, vocabulary=vectors.vocabulary, own=found["own"], ngrams=ngrams.rows,
        buckets=np.arange(len(ngrams), dtype=np.int32) if ngrams.buckets is None else ngrams.buckets,
        outputs=found["outputs"], position_weights=found.get("position_weights"), losses=losses, num_tokens=num_tokens,
    )  # fmt: skip


def of_word2vec(model: SavedModel) -> SavedFastText:
    """Return a model of Word2Vec as a FastText without n-grams, which learns on as it would have."""
    size = model.config.vector_size
    settings = dataclasses.asdict(model.config) | {
        "learning_rate": model.config.first_learning_rate,
        "min_learning_rate": model.config.last_learning_rate,
    }
    return SavedFastText(
        config=FastTextConfig(**settings, num_buckets=0, min_ngram=0, max_ngram=0),
        vocabulary=model.vocabulary, own=model.inputs, ngrams=np.zeros((0, size), np.float32),
        buckets=np.zeros(0, np.int32), outputs=model.outputs, losses=model.losses, num_tokens=model.num_tokens,
    )  # fmt: skip


def write_bin(path: str | os.PathLike[str], model: SavedFastText) -> None:
    """Write a .bin that Facebook's program opens: a row for every bucket, zeros for those that were never used."""
    from daneo.embeddings.formats.fasttext_file import Architecture, FastTextFile, Loss, write_fasttext
    from daneo.embeddings.formats.fasttext_rows import DenseInputs

    config, subwords, words = model.config, model.config.parts, model.vocabulary
    if subwords.kind != "characters":
        raise ValueError(
            f"fastText has n-grams of characters only, this model has n-grams of {subwords.kind}. format='daneo' keeps "
            "them; vectors.save(path, format='fasttext-vec') writes the vectors of the words alone."
        )
    outputs = np.zeros((len(words), config.vector_size), np.float32)
    # Of a Huffman tree there is a row less; fastText keeps a spare one.
    outputs[: len(model.outputs)] = model.outputs
    num_buckets = subwords.num_buckets if subwords.max_ngram else 0
    settings = {name: getattr(config, name) for name in ("vector_size", "window", "epochs", "min_count", "negative")}
    write_fasttext(
        path,
        FastTextFile(
            **settings, word_ngrams=1, loss=cast(Loss, config.loss),
            model=cast(Architecture, config.architecture), sample=config.sample,
            num_buckets=num_buckets, min_ngram=subwords.min_ngram, max_ngram=subwords.max_ngram if num_buckets else 0,
            words=words.words, counts=words.counts, labels=[], label_counts=np.zeros(0, np.int64),
            num_tokens=model.num_tokens, pruned=None, outputs=outputs,
            inputs=DenseInputs(model.own, model.ngrams, model.buckets, num_buckets),
        ),
    )  # fmt: skip


def read_bin(path: str | os.PathLike[str], errors: str) -> SavedFastText:
    """Open a .bin of Facebook's program as a model that can be trained further.

    Raises
    ------
    ValueError
        It is a classifier, is quantised, or was trained with a loss that FastText does not have.
    """
    from daneo.corpus import Vocabulary
    from daneo.embeddings.formats import recognise
    from daneo.embeddings.formats.fasttext_file import read_fasttext

    if errors not in ("strict", "surrogateescape"):
        raise ValueError(
            f"FastText.load(errors=...) expected strict, or surrogateescape, which keeps all bytes; got {errors!r}. "
            "Other spellings would have other n-grams."
        )
    format = recognise(path)
    if format != "fasttext-bin":
        raise ValueError(
            f"{path} holds vectors alone ({format}), which cannot be trained further as a model. Start from them with "
            "Word2Vec().fit(corpus, vectors=WordVectors.load(path))."
        )
    model = read_fasttext(path, errors=errors)
    config, num_words = _trainable(path, model), len(model.words)
    if len(set(model.words)) < num_words:
        raise ValueError(f"{path} holds a word twice, so it cannot be trained further. Open it with WordVectors.load.")
    return SavedFastText(
        config=config,
        vocabulary=Vocabulary(model.words, model.counts),
        own=model.inputs[:num_words],
        ngrams=model.inputs[num_words : num_words + config.num_buckets],
        buckets=np.arange(config.num_buckets, dtype=np.int32),
        outputs=model.outputs[: num_words - (config.loss == "hierarchical_softmax")],
        num_tokens=model.num_tokens,
    )


def _trainable(path: str | os.PathLike[str], model: FastTextFile) -> FastTextConfig:
    """Return the settings of a .bin; refuse what cannot be trained further."""
    if model.model == "supervised":
        raise ValueError(f"{path} is a text classifier. Open it with daneo.FastTextClassifier.load.")
    if model.pruned is not None or not all(isinstance(rows, np.ndarray) for rows in (model.inputs, model.outputs)):
        raise ValueError(f"{path} is quantised, so it cannot be trained further. Open it with WordVectors.load.")
    if model.loss not in LOSSES:
        raise ValueError(
            f"{path} was trained with the loss {model.loss}; expected {' or '.join(LOSSES)}. Open it with "
            "WordVectors.load."
        )
    has_ngrams = bool(model.num_buckets) and 0 < model.max_ngram >= model.min_ngram
    try:
        return FastTextConfig(
            vector_size=model.vector_size, window=model.window, epochs=model.epochs, sample=model.sample,
            min_count=max(model.min_count, 1),  # 0 keeps all words, as 1 does
            # With a tree there is no noise, and the file may say so.
            negative=model.negative if model.loss == "negative_sampling" else max(model.negative, 1),
            loss=model.loss, architecture=model.model, num_buckets=model.num_buckets if has_ngrams else 0,
            min_ngram=model.min_ngram if has_ngrams else 0, max_ngram=model.max_ngram if has_ngrams else 0,
        )  # fmt: skip
    except ValueError as error:
        raise ValueError(f"{path} cannot be trained further with its settings: {error}") from error
