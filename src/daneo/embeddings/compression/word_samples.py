"""Words drawn by chance, with their vectors before and after."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from daneo.embeddings.rows import Floats, Ids
from daneo.embeddings.subword_vectors import SubwordVectors

if TYPE_CHECKING:
    from daneo.embeddings.word_vectors import WordVectors

NUM_SAMPLED = 5_000


@dataclass(frozen=True, kw_only=True, eq=False)
class WordSample:
    """N words of a kind.

    Attributes
    ----------
    name : str
        What kind.
    old, new : float32 arrays of shape (N, D)
        Their vectors before and after.
    kept_ids : int64 array of shape (N,)
        Their rows among the kept words; -1 for a word that is not kept.
    """

    name: str
    old: Floats
    new: Floats
    kept_ids: Ids


def word_samples(old: WordVectors, new: WordVectors, kept: Ids, rng: np.random.Generator) -> Iterator[WordSample]:
    """Yield at most 5,000 kept words, and where there are n-grams as many dropped and as many misspelt words.

    Parameters
    ----------
    old, new : WordVectors
        Before and after.
    kept : int64 array of shape (V',)
        The rows of `old` that the words of `new` had.
    rng : numpy.random.Generator
    """
    rows = _drawn(np.arange(len(kept)), rng)
    yield WordSample(name="kept words", old=old.rows[kept[rows]], new=new.rows[rows], kept_ids=rows)
    if not isinstance(new, SubwordVectors):
        return
    is_dropped = np.ones(len(old), dtype=bool)
    is_dropped[kept] = False
    for name, words in (
        ("dropped words", [old.words[word] for word in _drawn(np.flatnonzero(is_dropped), rng).tolist()]),
        ("misspelt words", list(misspelt(old, rng))),
    ):
        if words:
            yield WordSample(name=name, old=old[words], new=new[words], kept_ids=np.full(len(words), -1))


def misspelt(vectors: WordVectors, rng: np.random.Generator) -> Iterator[str]:
    """Yield words with two neighbouring letters swapped, if that makes a word that is not there.

    Examples
    --------
    >>> import daneo
    >>> vectors = daneo.WordVectors(["no", "on", "ooo", "sea"], [[1], [2], [3], [4]])
    >>> list(misspelt(vectors, np.random.default_rng(1)))
    ['esa']
    """
    for word in _drawn(np.arange(len(vectors)), rng).tolist():
        letters = list(vectors.words[word])
        if len(letters) > 1:
            place = int(rng.integers(len(letters) - 1))
            letters[place : place + 2] = letters[place + 1], letters[place]
            if (changed := "".join(letters)) not in vectors:
                yield changed


def _drawn(ids: Ids, rng: np.random.Generator) -> Ids:
    return rng.permutation(ids)[:NUM_SAMPLED]
