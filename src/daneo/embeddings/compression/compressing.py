"""Word vectors made smaller: fewer words, fewer n-grams, fewer bytes a number."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from daneo.corpus.vocabulary import Vocabulary
from daneo.embeddings.compression.cost import measure_cost
from daneo.embeddings.compression.model_size import size_of
from daneo.embeddings.compression.pruning import most_frequent, most_useful
from daneo.embeddings.compression.storing import STORAGES, Storage, Storing, best_storing
from daneo.embeddings.rows import ChosenRows
from daneo.embeddings.similarity_sets import read_similarities
from daneo.embeddings.subword_vectors import SubwordVectors
from daneo.embeddings.subwords.ngram_vectors import NgramVectors
from daneo.embeddings.word_vectors import WordVectors

if TYPE_CHECKING:
    from daneo.embeddings.compression.cost import CompressionReport
    from daneo.embeddings.rows import Ids, Rows

_FREQUENCY = 0.5  # a word of rank r has the weight r ** -this where some rows are kept better than others


def compress(
    vectors: WordVectors,
    *,
    num_words: int | None = None,
    num_ngrams: int | None = None,
    storage: Storage | None = None,
    part_size: int | None = None,
    ratio: float | None = None,
    norms: bool = True,
    rotate: bool = True,
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
    storage : {"product_quantization", "int8", "float16", "float32"} or None
        How numbers are kept: `part_size` of them in a byte, one in a byte with a scale for each row, in two bytes each,
        or as they are. ``None`` is product quantisation, unless `ratio` is given.
    part_size : int or None
        Numbers that share a byte in product quantisation. 1 is nearly lossless, 2 (which ``None`` means) is an eighth
        of float32, 3 a tenth or so, and 4 and more are for the smallest.
    ratio : float or None
        Instead of `storage` and `part_size`: take the most exact storage with which the rows need so many times fewer
        bytes than before; in product quantisation parts may then differ by one number in length. What is counted:
        numbers or codes, centroids, lengths, scales, the rotation, and the buckets of n-grams; not the words, which
        take the same bytes before and after.
    norms : bool, default True
        Keep the rows' lengths apart, in one more byte a row, so that long rows do not set the scale for short ones.
    rotate : bool, default True
        Turn rows before they are cut into parts, so that each part holds as much as any other
        (:func:`~daneo.embeddings.compression.turned_rows.learn_rotation`). Facebook's programs cannot read such rows.
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
        A number is out of bounds or not finite, float16 cannot hold it, n-grams are limited where there are none, or
        nothing is as small as `ratio` asks for.

    Notes
    -----
    Cost: some ten seconds of one core for 400,000 rows of 100 numbers, and some twenty for 2,000,000; most of it is
    k-means. Memory beside the smaller vectors: a sample of 65,536 rows, and blocks of rows.

    Frequent words are kept better than rare ones: in product quantisation a word of rank r counts r ** -0.5. Of 100
    numbers by word2vec and by GloVe a tenth of the bytes keeps 99 % of the correlation with WordSim-353, 92 and 94 % of
    the analogies, and 79 and 76 of 100 nearest words (means of five seeds, benchmarks/embeddings/compression.py).

    To fit the kept n-grams anew to the dropped words made words that were never seen worse, and is not done.

    References
    ----------
    Joulin et al.: FastText.zip: Compressing text classification models, 2016, https://arxiv.org/abs/1612.03651
    Ge, He, Ke and Sun: Optimized product quantization, 2014, https://doi.org/10.1109/TPAMI.2013.240

    Examples
    --------
    >>> import daneo
    >>> vectors = daneo.WordVectors(["cat", "dog", "pear"], [[3, 1], [2, 1], [0, 1]])
    >>> smaller, report = compress(vectors, num_words=2, storage="float16")
    >>> smaller, smaller["dog"].tolist(), report.after.num_words
    (<WordVectors: 2 words, 2 dimensions>, [2.0, 1.0], 2)
    """
    judged = [(Path(path).name, read_similarities(Path(path))) for path in similarities]  # errors before the work
    check(vectors, num_words=num_words, num_ngrams=num_ngrams, storage=storage, part_size=part_size, ratio=ratio)
    kept = most_frequent(vectors.vocabulary, num_words)
    vocabulary, rows = _chosen_words(vectors.vocabulary, kept), _chosen_rows(vectors.rows, kept)
    ngrams = _kept_ngrams(vectors, kept, num_ngrams)
    if ratio is None:
        how = Storing(storage=storage or "product_quantization", part_size=part_size or 2, norms=norms, rotate=rotate)
    else:
        shapes, buckets = [rows.shape], 0
        if ngrams is not None:
            shapes, buckets = [*shapes, ngrams.rows.shape], 0 if ngrams.buckets is None else ngrams.buckets.nbytes
        how = best_storing(shapes, size_of(vectors).row_bytes / ratio - buckets, norms=norms, rotate=rotate)
    rows = how.of(rows, weights=_weights(vocabulary), seed=seed, num_threads=num_threads)
    if ngrams is None:
        smaller = WordVectors(vocabulary, rows)
    else:
        stored = how.of(ngrams.rows, seed=seed, num_threads=num_threads)
        ngrams = NgramVectors(ngrams.subwords, stored, ngrams.buckets, count_missing=False)
        smaller = SubwordVectors(vocabulary, rows, ngrams)
    return smaller, measure_cost(vectors, smaller, kept, judged, seed=seed)


def check(
    vectors: WordVectors,
    *,
    num_words: int | None,
    num_ngrams: int | None,
    storage: str | None,
    part_size: int | None,
    ratio: float | None,
) -> None:
    """Raise ValueError for what :func:`compress` cannot do."""
    if storage not in (None, *STORAGES):
        raise ValueError(f"compress expected storage as one of {', '.join(STORAGES)}; got {storage!r}.")
    if num_words is not None and num_words < 1:
        raise ValueError(f"compress expected num_words of at least 1, got {num_words}. None keeps all.")
    if num_ngrams is not None and num_ngrams < 0:
        raise ValueError(f"compress expected num_ngrams of at least 0, got {num_ngrams}. None keeps all.")
    if num_ngrams and not isinstance(vectors, SubwordVectors):
        raise ValueError(f"compress got num_ngrams={num_ngrams}, but these vectors have no n-grams. Leave it out.")
    if part_size is not None and storage not in (None, "product_quantization"):
        raise ValueError(f"compress got part_size={part_size}, but {storage} has no parts. Leave it out.")
    if part_size is not None and not 1 <= part_size <= vectors.vector_size:
        raise ValueError(
            f"compress expected a part_size from 1 to the vectors' {vectors.vector_size}, got {part_size}."
        )
    if ratio is not None and (storage, part_size) != (None, None):
        raise ValueError("compress chooses storage and part_size by ratio. Give either ratio or these.")
    if ratio is not None and not 1 <= ratio < np.inf:
        raise ValueError(f"compress expected a ratio of at least 1, got {ratio}.")


def _weights(vocabulary: Vocabulary) -> npt.NDArray[np.float64]:
    """Return what words count, (V,): by the rank of their count, or where nobody counted by their place."""
    weights = np.empty(len(vocabulary))
    weights[np.argsort(-vocabulary.counts, kind="stable")] = np.arange(1, len(vocabulary) + 1) ** -_FREQUENCY
    return weights


def _kept_ngrams(vectors: WordVectors, kept: Ids, num_ngrams: int | None) -> NgramVectors | None:
    """Return the n-grams that are kept, their rows as they were; None without any."""
    if not isinstance(vectors, SubwordVectors) or num_ngrams == 0:
        return None
    old = vectors.ngrams
    chosen = most_useful(old, vectors.words, kept, num_ngrams)
    buckets = chosen if old.buckets is None else old.buckets[chosen]
    return NgramVectors(old.subwords, ChosenRows(old.rows, chosen), buckets, count_missing=False)


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
