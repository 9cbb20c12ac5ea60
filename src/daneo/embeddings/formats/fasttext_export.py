"""A fastText model made of word vectors, so that Facebook's programs can open them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from daneo.embeddings.formats.fasttext_file import FastTextFile
from daneo.embeddings.formats.fasttext_rows import DenseInputs, OwnRows

if TYPE_CHECKING:
    from daneo.embeddings.rows import Rows
    from daneo.embeddings.subword_vectors import SubwordVectors
    from daneo.embeddings.subwords.ngram_vectors import NgramVectors
    from daneo.embeddings.word_vectors import WordVectors


def model_of(vectors: WordVectors) -> FastTextFile:
    """Return a fastText model that answers as these vectors do.

    Its outputs are zeros, as before training, and its settings are fastText's own, for vectors do not hold theirs.
    Vectors without n-grams become a model without them.

    Raises
    ------
    ValueError
        fastText has no such model: n-grams are of jamo, or some were dropped from rows that are not quantised.
    """
    from daneo.embeddings.subword_vectors import SubwordVectors
    from daneo.embeddings.subwords.word_means import own_rows

    own = None
    if isinstance(vectors, SubwordVectors):
        own = own_rows(vectors.rows, vectors.words, vectors.ngrams)
    parts = _Parts(vectors.rows if own is None else own)
    if isinstance(vectors, SubwordVectors) and _has_ngrams(vectors.ngrams):
        parts = _quantised_parts(own, vectors.ngrams) or _dense_parts(own, vectors)
    return FastTextFile(
        vector_size=vectors.vector_size, window=5, epochs=5, min_count=1, negative=5, word_ngrams=1,
        loss="negative_sampling", model="skipgram", sample=1e-4,
        words=vectors.words, counts=vectors.counts, labels=[], label_counts=np.zeros(0, np.int64),
        num_tokens=int(vectors.counts.sum()),
        outputs=np.broadcast_to(np.zeros((1, 1), np.float32), (len(vectors), vectors.vector_size)),
        **parts._asdict(),
    )  # fmt: skip


def is_quantised_alike(vectors: SubwordVectors) -> bool:
    """Whether words and n-grams are of one quantizer, so that they are written as a ``.ftz`` without a loss."""
    from daneo.embeddings.subwords.word_means import own_rows

    own = own_rows(vectors.rows, vectors.words, vectors.ngrams)
    return _quantised_parts(own, vectors.ngrams) is not None


class _Parts(NamedTuple):
    """What of a model depends on how its rows are kept."""

    inputs: Rows
    pruned: npt.NDArray[np.int32] | None = None
    num_buckets: int = 0
    min_ngram: int = 0
    max_ngram: int = 0


def _has_ngrams(ngrams: NgramVectors) -> bool:
    """Whether some word can have n-grams that count."""
    subwords = ngrams.subwords
    if subwords.kind != "characters":
        raise ValueError(
            f"fastText has n-grams of characters only, these vectors have n-grams of {subwords.kind}. format='daneo' "
            "keeps them; format='fasttext-vec' or 'word2vec-binary' writes the vectors of the words alone."
        )
    is_empty = not len(ngrams) and not ngrams.count_missing
    return bool(subwords.num_buckets and subwords.max_ngram) and not is_empty


def _dense_parts(own: Rows | None, vectors: SubwordVectors) -> _Parts:
    """Return a row for every bucket, made when they are written."""
    ngrams, subwords = vectors.ngrams, vectors.ngrams.subwords
    if len(ngrams) < subwords.num_buckets and not ngrams.count_missing:
        raise ValueError(
            "fastText reads models with dropped n-grams only where the words' own rows and the n-grams' rows are "
            "quantised by one quantizer. format='daneo' keeps these vectors as they are; `daneo convert` quantises "
            "them anew."
        )
    if own is None:
        own = OwnRows(vectors.rows, vectors.words, ngrams)
    inputs = DenseInputs(own, ngrams.rows, ngrams.buckets, subwords.num_buckets)
    return _Parts(inputs, None, subwords.num_buckets, subwords.min_ngram, subwords.max_ngram)


def _quantised_parts(own: Rows | None, ngrams: NgramVectors) -> _Parts | None:
    """Return the codes of words and n-grams as one matrix; None where they are not of one quantizer."""
    from daneo.embeddings.compression.quantized_rows import QuantizedRows

    rows, subwords = ngrams.rows, ngrams.subwords
    if not (isinstance(own, QuantizedRows) and isinstance(rows, QuantizedRows)):
        return None
    if own.quantizer != rows.quantizer or own.norm_quantizer != rows.norm_quantizer:
        return None
    if own.quantizer.num_long is not None:
        return None  # fastText's parts are of one size, but for the last
    pruned = None
    if ngrams.buckets is not None:
        if ngrams.count_missing:
            return None  # fastText would leave n-grams without a row out of the mean
        pruned = np.stack([ngrams.buckets, np.arange(len(rows), dtype=np.int32)], axis=1)
    norm_codes = None
    if own.norm_codes is not None and rows.norm_codes is not None:
        norm_codes = np.concatenate([own.norm_codes, rows.norm_codes])
    codes = np.concatenate([own.codes, rows.codes])
    inputs = QuantizedRows(codes, own.quantizer, norm_codes, own.norm_quantizer)
    return _Parts(inputs, pruned, subwords.num_buckets, subwords.min_ngram, subwords.max_ngram)
