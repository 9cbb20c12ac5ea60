"""Text to ids: corpora, tokenizers, vocabularies, phrases, counts of word pairs.

The names below load what they need when they are first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from daneo.corpus import hangul, tokenizers
    from daneo.corpus.cooccurrence_counting import cooccurrence, count_cooccurrences
    from daneo.corpus.cooccurrences import Cooccurrences
    from daneo.corpus.corpus import Corpus
    from daneo.corpus.encoded import EncodedCorpus
    from daneo.corpus.phrases import Phrases
    from daneo.corpus.vocabulary import Vocabulary

__all__ = [
    "Cooccurrences",
    "Corpus",
    "EncodedCorpus",
    "Phrases",
    "Vocabulary",
    "cooccurrence",
    "count_cooccurrences",
    "hangul",
    "tokenizers",
]

_HOMES = {
    "Cooccurrences": "daneo.corpus.cooccurrences",
    "Corpus": "daneo.corpus.corpus",
    "EncodedCorpus": "daneo.corpus.encoded",
    "Phrases": "daneo.corpus.phrases",
    "Vocabulary": "daneo.corpus.vocabulary",
    "cooccurrence": "daneo.corpus.cooccurrence_counting",
    "count_cooccurrences": "daneo.corpus.cooccurrence_counting",
}
_MODULES = ("hangul", "tokenizers")


def __getattr__(name: str) -> object:
    """Import a public name from its home when it is first used."""
    if name in _MODULES:
        return importlib.import_module(f"daneo.corpus.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module 'daneo.corpus' has no attribute {name!r}. It offers: {', '.join(__all__)}.")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
