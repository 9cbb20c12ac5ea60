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
    is_fasttext = isinstance(training, dict) and training.get("algorithm") == "fasttext"
    return FastText.load(path) if is_fasttext else Word2Vec.load(path)
