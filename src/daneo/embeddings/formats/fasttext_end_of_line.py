"""The mark of a line's end in fastText models of 2016, which had n-grams then and has none since version 12."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from daneo.embeddings.subwords.ngram_hashes_reference import END_OF_LINE, fnv1a

if TYPE_CHECKING:
    from daneo.embeddings.rows import Floats, Rows


def mean_with_ngrams(
    inputs: Rows, row: int, num_words: int, num_buckets: int, min_ngram: int, max_ngram: int
) -> Floats:
    """Return the vector of ``</s>`` as the program of 2016 computes it: the mean over its row and its n-grams' rows.

    Parameters
    ----------
    inputs : Rows of shape (V + num_buckets, D)
    row : int
        The own row of ``</s>``.
    num_words : int
        V.
    num_buckets, min_ngram, max_ngram : int
        As the model was trained. No n-grams where `num_buckets` is 0.
    """
    text = b"<" + END_OF_LINE + b">"
    rows = [row]
    for first in range(len(text) if num_buckets else 0):
        for stop in range(first + max(min_ngram, 1), min(first + max_ngram, len(text)) + 1):
            if stop - first > 1 or 0 < first < len(text) - 1:
                rows.append(num_words + fnv1a(text[first:stop]) % num_buckets)
    mean: Floats = inputs[np.array(rows)].mean(axis=0, dtype=np.float64).astype(np.float32)
    return mean
