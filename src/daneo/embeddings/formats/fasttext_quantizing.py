"""Vectors quantised anew in the way that fastText's ``.ftz`` holds them: words and n-grams by one quantizer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from daneo.embeddings.compression.quantized_rows import QuantizedRows
from daneo.embeddings.compression.turned_rows import TurnedRows
from daneo.embeddings.formats.fasttext_export import is_quantised_alike
from daneo.embeddings.formats.fasttext_rows import OwnRows
from daneo.embeddings.subword_vectors import SubwordVectors
from daneo.embeddings.subwords.ngram_vectors import NgramVectors
from daneo.embeddings.subwords.word_means import WordMeans, own_rows
from daneo.embeddings.word_vectors import WordVectors

if TYPE_CHECKING:
    from daneo.embeddings.rows import Floats, Rows

_PART_SIZE = 2  # fastText's own, where the vectors are not quantised yet


def must_be_quantised(vectors: WordVectors) -> bool:
    """Whether fastText holds these vectors only as a ``.ftz``, and they are not yet as that needs them.

    So are vectors with n-grams that were quantised otherwise, and those that lack n-grams which do not count.
    """
    if not isinstance(vectors, SubwordVectors):
        rows = vectors.rows
        is_as_it_should = isinstance(rows, QuantizedRows) and rows.quantizer.num_long is None
        return part_size(rows) > 0 and not is_as_it_should
    ngrams = vectors.ngrams
    if ngrams.subwords.kind != "characters" or is_quantised_alike(vectors):
        return False
    is_pruned = ngrams.buckets is not None and 0 < len(ngrams) < ngrams.subwords.num_buckets
    return (is_pruned and not ngrams.count_missing) or any(part_size(rows) for rows in (vectors.rows, ngrams.rows))


def quantised_anew(vectors: WordVectors, *, seed: int = 1) -> WordVectors:
    """Return vectors that answer nearly as these do and have a place in a ``.ftz``.

    Parts are as long as they were, or of two numbers; lengths are kept apart. Where there are n-grams, those without a
    row must not count.
    """
    size = part_size(vectors.rows) or _PART_SIZE
    if not isinstance(vectors, SubwordVectors):
        return WordVectors(vectors.vocabulary, QuantizedRows.learn(vectors.rows, size, norms=True, seed=seed))
    old, num_words = vectors.ngrams, len(vectors)
    own = own_rows(vectors.rows, vectors.words, old) or OwnRows(vectors.rows, vectors.words, old)
    size = part_size(vectors.rows) or part_size(old.rows) or _PART_SIZE
    whole = QuantizedRows.learn(_Chained(own[:], old.rows), size, norms=True, seed=seed)
    rows, of_ngrams = (
        QuantizedRows(whole.codes[part], whole.quantizer, _part(whole.norm_codes, part), whole.norm_quantizer)
        for part in (slice(num_words), slice(num_words, None))
    )
    ngrams = NgramVectors(old.subwords, of_ngrams, old.buckets, count_missing=False)
    return SubwordVectors(vectors.vocabulary, WordMeans(rows, vectors.words, ngrams), ngrams)


def part_size(rows: Rows) -> int:
    """Return how many numbers share a byte; 0 for rows that are not product-quantised."""
    kept = rows.own if isinstance(rows, WordMeans) else rows
    kept = kept.rows if isinstance(kept, TurnedRows) else kept
    return kept.quantizer.part_size if isinstance(kept, QuantizedRows) else 0


def _part(codes: Any, part: slice) -> Any:
    return None if codes is None else codes[part]


class _Chained:
    """An array's rows, and then others."""

    def __init__(self, first: Floats, others: Rows) -> None:
        self._first, self._others = first, others
        self.shape = (len(first) + len(others), int(first.shape[1]))

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: Any) -> Floats:
        numbers = np.arange(len(self))[rows]
        found = np.empty((len(numbers), self.shape[1]), np.float32)
        is_first = numbers < len(self._first)
        found[is_first] = self._first[numbers[is_first]]
        found[~is_first] = self._others[numbers[~is_first] - len(self._first)]
        return found
