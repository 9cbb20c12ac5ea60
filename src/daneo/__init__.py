"""Raw text in, word vectors out.

The names below load what they need when they are first used, so that ``import daneo`` costs next to nothing.

Examples
--------
>>> import daneo
>>> corpus = daneo.Corpus(["a cat sat", "a dog sat"])
>>> [len(document) for document in corpus]
[3, 3]
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from daneo.corpus import Cooccurrences, Corpus, Phrases, Vocabulary, cooccurrence
    from daneo.embeddings import (
        PPMI,
        FastText,
        GloVe,
        NeighbourIndex,
        SparseVectors,
        SubwordVectors,
        Word2Vec,
        WordVectors,
    )
    from daneo.models import FastTextClassifier, read_labelled

__version__ = "0.1.0"
__all__ = [
    "PPMI",
    "Cooccurrences",
    "Corpus",
    "FastText",
    "FastTextClassifier",
    "GloVe",
    "NeighbourIndex",
    "Phrases",
    "SparseVectors",
    "SubwordVectors",
    "Vocabulary",
    "Word2Vec",
    "WordVectors",
    "__version__",
    "cooccurrence",
    "read_labelled",
]

_HOMES = {
    "Cooccurrences": "daneo.corpus",
    "Corpus": "daneo.corpus",
    "FastText": "daneo.embeddings",
    "FastTextClassifier": "daneo.models",
    "GloVe": "daneo.embeddings",
    "NeighbourIndex": "daneo.embeddings",
    "PPMI": "daneo.embeddings",
    "Phrases": "daneo.corpus",
    "SparseVectors": "daneo.embeddings",
    "SubwordVectors": "daneo.embeddings",
    "Vocabulary": "daneo.corpus",
    "Word2Vec": "daneo.embeddings",
    "WordVectors": "daneo.embeddings",
    "cooccurrence": "daneo.corpus",
    "read_labelled": "daneo.models",
}


def __getattr__(name: str) -> object:
    """Import a public name from its home when it is first used."""
    if name not in _HOMES:
        raise AttributeError(f"module 'daneo' has no attribute {name!r}. It offers: {', '.join(_HOMES)}.")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
