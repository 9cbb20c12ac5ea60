"""Ids to vectors: trainers, and word vectors to ask, evaluate, save and open."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from daneo.embeddings.analogies import AnalogyResult, AnalogySection
    from daneo.embeddings.compression.cost import CompressionReport
    from daneo.embeddings.fasttext import FastText
    from daneo.embeddings.glove import GloVe
    from daneo.embeddings.similarity_sets import SimilarityResult
    from daneo.embeddings.similarity_shares import SimilarityShares, WordPart
    from daneo.embeddings.subword_vectors import SubwordVectors
    from daneo.embeddings.word2vec import Word2Vec
    from daneo.embeddings.word_vectors import WordVectors

__all__ = [
    "AnalogyResult",
    "AnalogySection",
    "CompressionReport",
    "FastText",
    "GloVe",
    "SimilarityResult",
    "SimilarityShares",
    "SubwordVectors",
    "Word2Vec",
    "WordPart",
    "WordVectors",
]

_HOMES = {
    "AnalogyResult": "daneo.embeddings.analogies",
    "AnalogySection": "daneo.embeddings.analogies",
    "CompressionReport": "daneo.embeddings.compression.cost",
    "FastText": "daneo.embeddings.fasttext",
    "GloVe": "daneo.embeddings.glove",
    "SimilarityResult": "daneo.embeddings.similarity_sets",
    "SimilarityShares": "daneo.embeddings.similarity_shares",
    "SubwordVectors": "daneo.embeddings.subword_vectors",
    "Word2Vec": "daneo.embeddings.word2vec",
    "WordPart": "daneo.embeddings.similarity_shares",
    "WordVectors": "daneo.embeddings.word_vectors",
}


def __getattr__(name: str) -> object:
    """Import a public name from its home when it is first used."""
    if name not in _HOMES:
        raise AttributeError(f"module 'daneo.embeddings' has no attribute {name!r}. It offers: {', '.join(_HOMES)}.")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
