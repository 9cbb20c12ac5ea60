"""Which n-grams a word has, and into which buckets they are hashed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from daneo.embeddings.subwords import ngram_hashes_reference as reference
from daneo.settings import check, opt

KINDS = ("characters", "jamo")


@dataclass(frozen=True, kw_only=True)
class Subwords:
    """Which n-grams a word has, and their buckets.

    Examples
    --------
    >>> subwords = Subwords(min_ngram=3, max_ngram=4, num_buckets=1000)
    >>> subwords.ngrams("where")
    ['<wh', '<whe', 'whe', 'wher', 'her', 'here', 'ere', 'ere>', 're>']
    >>> subwords.buckets("where").tolist()
    [652, 715, 941, 621, 420, 811, 33, 469, 498]
    """

    kind: str = opt("characters", "what n-grams are made of", choices=KINDS)
    min_ngram: int = opt(3, "shortest n-gram, in characters (jamo: in syllables)", minimum=0)
    max_ngram: int = opt(6, "longest n-gram, in characters (jamo: in syllables); 0: none", minimum=0)
    num_buckets: int = opt(2_000_000, "rows that n-grams are hashed into; 0: no n-grams", minimum=0, maximum=2**31 - 1)
    min_jamo: int = opt(3, "shortest n-gram of jamo, in jamo", minimum=0)
    max_jamo: int = opt(5, "longest n-gram of jamo, in jamo; 0: none", minimum=0)

    def __post_init__(self) -> None:
        check(self)

    def ngrams(self, word: str) -> list[str]:
        """Return the n-grams of a word."""
        if not self.num_buckets:
            return []
        return [text.decode("utf-8", "surrogateescape") for text in reference.ngrams(as_bytes(word), *self._lengths())]

    def buckets(self, word: str) -> npt.NDArray[np.int32]:
        """Return the buckets of a word's n-grams."""
        if not self.num_buckets:
            return np.empty(0, dtype=np.int32)
        found = reference.buckets(as_bytes(word), self.num_buckets, *self._lengths())
        return np.array(found, dtype=np.int32)

    def of_words(self, words: Sequence[str]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]:
        """Return the buckets of many words, one after the other, and where each word's start."""
        found = [self.buckets(word) for word in words]
        starts = np.concatenate([[0], np.cumsum([len(one) for one in found])]).astype(np.int64)
        return starts, np.concatenate([np.empty(0, dtype=np.int32), *found])

    def _lengths(self) -> tuple[bool, int, int, int, int]:
        if self.kind == "jamo":
            return True, self.min_jamo, self.max_jamo, self.min_ngram, self.max_ngram
        return False, self.min_ngram, self.max_ngram, 0, 0


def as_bytes(word: str) -> bytes:
    """Return a word as UTF-8; bytes that were no UTF-8 when it was read are themselves again."""
    try:
        return word.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        # A lone surrogate that stands for no byte; only a Python string can hold one.
        return b"".join(
            character.encode("utf-8", "surrogateescape" if "\udc80" <= character <= "\udcff" else "surrogatepass")
            for character in word
        )
