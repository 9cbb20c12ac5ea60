"""Ids to vectors: trainers, and word vectors to ask, evaluate, save and open."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from daneo.embeddings.analogies import AnalogyResult, AnalogySection
    from daneo.embeddings.comparison import ComparisonReport, compare
    from daneo.embeddings.compression.cost import CompressionReport
    from daneo.embeddings.fasttext import FastText
    from daneo.embeddings.glove import GloVe
    from daneo.embeddings.neighbour_index import NeighbourIndex
    from daneo.embeddings.neighbour_index_config import NeighbourIndexReport
    from daneo.embeddings.ppmi import PPMI
    from daneo.embeddings.ppmi_weights import ppmi_matrix
    from daneo.embeddings.similarity_sets import SimilarityResult
    from daneo.embeddings.similarity_shares import SimilarityShares, WordPart
    from daneo.embeddings.sparse_vectors import SparseVectors
    from daneo.embeddings.subword_vectors import SubwordVectors
    from daneo.embeddings.word2vec import Word2Vec
    from daneo.embeddings.word_vectors import WordVectors

__all__ = [
    "PPMI",
    "AnalogyResult",
    "AnalogySection",
    "ComparisonReport",
    "CompressionReport",
    "FastText",
    "GloVe",
    "NeighbourIndex",
    "NeighbourIndexReport",
    "SimilarityResult",
    "SimilarityShares",
    "SparseVectors",
    "SubwordVectors",
    "Word2Vec",
    "WordPart",
    "WordVectors",
    "compare",
    "ppmi_matrix",
]

_HOMES = {
    "AnalogyResult": "daneo.embeddings.analogies",
    "AnalogySection": "daneo.embeddings.analogies",
    "ComparisonReport": "daneo.embeddings.comparison",
    "CompressionReport": "daneo.embeddings.compression.cost",
    "FastText": "daneo.embeddings.fasttext",
    "GloVe": "daneo.embeddings.glove",
    "NeighbourIndex": "daneo.embeddings.neighbour_index",
    "NeighbourIndexReport": "daneo.embeddings.neighbour_index_config",
    "PPMI": "daneo.embeddings.ppmi",
    "SimilarityResult": "daneo.embeddings.similarity_sets",
    "SimilarityShares": "daneo.embeddings.similarity_shares",
    "SparseVectors": "daneo.embeddings.sparse_vectors",
    "SubwordVectors": "daneo.embeddings.subword_vectors",
    "Word2Vec": "daneo.embeddings.word2vec",
    "WordPart": "daneo.embeddings.similarity_shares",
    "WordVectors": "daneo.embeddings.word_vectors",
    "compare": "daneo.embeddings.comparison",
    "ppmi_matrix": "daneo.embeddings.ppmi_weights",
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
