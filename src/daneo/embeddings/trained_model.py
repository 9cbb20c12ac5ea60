"""A trained model of any kind, opened to train it further."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from daneo.embeddings.formats.daneo_directory import read_config

if TYPE_CHECKING:
    from daneo.embeddings.fasttext import FastText
    from daneo.embeddings.word2vec import Word2Vec


def load_model(path: str | os.PathLike[str]) -> Word2Vec | FastText:
    """Open what `Word2Vec.save` or `FastText.save` wrote, or a .bin of Facebook's program; the content says which.

    Raises
    ------
    FileNotFoundError
        There is nothing at `path`.
    ValueError
        It holds word vectors that cannot be trained further.
    """
    from daneo.embeddings.fasttext import FastText
    from daneo.embeddings.word2vec import Word2Vec

    if not os.path.isdir(path):
        return FastText.load(path)
    training = read_config(path).get("training")
    algorithm = training.get("algorithm") if isinstance(training, dict) else None
    if algorithm in ("glove", "ppmi"):
        raise ValueError(
            f"{path} is of {'GloVe' if algorithm == 'glove' else 'PPMI'}, which learns from the counts of a whole text "
            "and cannot go on with another one. Train on both texts together."
        )
    return FastText.load(path) if algorithm == "fasttext" else Word2Vec.load(path)
