"""Word vectors made smaller: fewer words, fewer n-grams, fewer bytes a number."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from daneo.corpus.vocabulary import Vocabulary
from daneo.embeddings.compression.cost import measure_cost
from daneo.embeddings.compression.pruning import most_frequent, most_useful
from daneo.embeddings.compression.quantized_rows import HalfRows, QuantizedRows
from daneo.embeddings.rows import ChosenRows
from daneo.embeddings.similarity_sets import read_similarities
from daneo.embeddings.subword_vectors import SubwordVectors
from daneo.embeddings.subwords.ngram_vectors import NgramVectors
from daneo.embeddings.word_vectors import WordVectors

if TYPE_CHECKING:
    from daneo.embeddings.compression.cost import CompressionReport
    from daneo.embeddings.rows import Ids, Rows

Storage = Literal["product_quantization", "float16", "float32"]


def compress(
    vectors: WordVectors,
    *,
    num_words: int | None = None,
    num_ngrams: int | None = None,
    storage: Storage = "product_quantization",
    part_size: int = 2,
    norms: bool = True,
    similarities: Sequence[str | os.PathLike[str]] = (),
    seed: int = 1,
    num_threads: int | None = None,
) -> tuple[WordVectors, CompressionReport]:
    """Make word vectors smaller, and measure what that costs.

    Parameters
    ----------
    vectors : WordVectors or SubwordVectors
        Not changed.
    num_words : int or None
        Most words to keep, the most frequent ones; ``None`` keeps all. Where there are n-grams, words that are
        dropped are answered from theirs, like words that were never seen.
    num_ngrams : int or None
        Most rows of n-grams to keep: those that the vectors of dropped and unseen words would miss most. ``None``
        keeps all, except those of Facebook's table that no word of the vocabulary uses; 0 keeps none, which leaves
        plain word vectors. An n-gram that is dropped does not count in a mean.
    storage : {"product_quantization", "float16", "float32"}, default "product_quantization"
        How numbers are kept: `part_size` of them in a byte, in two bytes each, or as they are.
    part_size : int, default 2
        Numbers that share a byte: 2 is an eighth of float32. 1 is nearly lossless, 4 and more are for the smallest.
    norms : bool, default True
        Keep the rows' lengths apart, in one more byte a row, so that long rows do not set the scale for short ones.
    similarities : sequence of paths
        Files of word pairs with people's judgements, on which to compare the vectors before and after.
    seed : int, default 1
        Draws the rows that centroids are learned from, and the words that the report compares.
    num_threads : int or None
        ``None`` takes every core, 8 at most. The result does not depend on it.

    Returns
    -------
    smaller : WordVectors or SubwordVectors
        Rows of words hold their whole vectors, so known words need no n-grams. To be asked, saved and opened like
        others, but not to be trained on.
    report : CompressionReport
        Sizes before and after, and how near the new vectors are to the old ones; ``str()`` of it is a table.

    Raises
    ------
    ValueError
        A number is out of bounds or not finite, float16 cannot hold it, or n-grams are limited where there are none.

    Notes
    -----
    Cost: some ten seconds of one core for 400,000 rows of 100 numbers, and some twenty for 2,000,000; most of it is
    k-means. Memory beside the smaller vectors: a sample of 65,536 rows, and blocks of rows.

    A rotation that makes the parts independent (OPQ) brought nothing on vectors of ours, and fitting the kept n-grams
    anew to the dropped words made words that were never seen worse; neither is done.

    References
    ----------
    Joulin et al.: FastText.zip: Compressing text classification models, 2016, https://arxiv.org/abs/1612.03651

    Examples
    --------
    >>> import daneo
    >>> vectors = daneo.WordVectors(["cat", "dog", "pear"], [[3, 1], [2, 1], [0, 1]])
    >>> smaller, report = compress(vectors, num_words=2, storage="float16")
    >>> smaller, smaller["dog"].tolist(), report.after.num_words
    (<WordVectors: 2 words, 2 dimensions>, [2.0, 1.0], 2)
    """
    judged = [(Path(path).name, read_similarities(Path(path))) for path in similarities]  # errors before the work
    check(vectors, num_words=num_words, num_ngrams=num_ngrams, storage=storage, part_size=part_size)

    def store(rows: Rows) -> Rows:
        if not len(rows):  # of n-grams there can be none
            return np.empty(rows.shape, np.float32)
        if storage == "product_quantization":
            return QuantizedRows.learn(rows, part_size, norms=norms, seed=seed, num_threads=num_threads)
        return HalfRows.of(rows) if storage == "float16" else np.array(rows[:])

    kept = most_frequent(vectors.vocabulary, num_words)
    vocabulary = _chosen_words(vectors.vocabulary, kept)
    rows = store(_chosen_rows(vectors.rows, kept))
    if isinstance(vectors, SubwordVectors) and num_ngrams != 0:
        old = vectors.ngrams
        chosen = most_useful(old, vectors.words, kept, num_ngrams)
        buckets = chosen if old.buckets is None else old.buckets[chosen]
        ngrams = NgramVectors(old.subwords, store(ChosenRows(old.rows, chosen)), buckets, count_missing=False)
        smaller: WordVectors = SubwordVectors(vocabulary, rows, ngrams)
    else:
        smaller = WordVectors(vocabulary, rows)
    return smaller, measure_cost(vectors, smaller, kept, judged, seed=seed)


def check(vectors: WordVectors, *, num_words: int | None, num_ngrams: int | None, storage: str, part_size: int) -> None:
    """Raise ValueError for what :func:`compress` cannot do."""
    if storage not in get_args(Storage):
        raise ValueError(f"compress expected storage as one of {', '.join(get_args(Storage))}; got {storage!r}.")
    if num_words is not None and num_words < 1:
        raise ValueError(f"compress expected num_words of at least 1, got {num_words}. None keeps all.")
    if num_ngrams is not None and num_ngrams < 0:
        raise ValueError(f"compress expected num_ngrams of at least 0, got {num_ngrams}. None keeps all.")
    if num_ngrams and not isinstance(vectors, SubwordVectors):
        raise ValueError(f"compress got num_ngrams={num_ngrams}, but these vectors have no n-grams. Leave it out.")
    if storage == "product_quantization" and not 1 <= part_size <= vectors.vector_size:
        raise ValueError(
            f"compress expected a part_size from 1 to the vectors' {vectors.vector_size}, got {part_size}."
        )


def _chosen_rows(rows: Rows, kept: Ids) -> Rows:
    is_prefix = kept[-1] == len(kept) - 1  # ids rise
    return ChosenRows(rows, range(len(kept)) if is_prefix else kept)


def _chosen_words(vocabulary: Vocabulary, kept: Ids) -> Vocabulary:
    if len(kept) == len(vocabulary):
        return vocabulary
    words = [vocabulary.words[word] for word in kept.tolist()]
    special = [token for token in vocabulary.special_tokens if token in set(words)]
    return Vocabulary(
        words,
        vocabulary.counts[kept],
        special_tokens=special,
        unknown=vocabulary.unknown if vocabulary.unknown in special else None,
    )
