"""Word vectors of a fastText model: the words, and what makes a vector of a word that was never seen."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from daneo.corpus.vocabulary import Vocabulary
from daneo.corpus.vocabulary_file import has_repeats
from daneo.embeddings.formats.byte_source import ByteSource
from daneo.embeddings.formats.fasttext_reading import read_source

if TYPE_CHECKING:
    from daneo.embeddings.formats.fasttext_file import FastTextFile
    from daneo.embeddings.rows import Rows
    from daneo.embeddings.subword_vectors import SubwordVectors
    from daneo.embeddings.subwords.ngram_vectors import NgramVectors


def read_vectors(
    source: ByteSource, path: str | os.PathLike[str], *, limit: int | None, errors: str
) -> tuple[SubwordVectors, list[str]]:
    """Open the word vectors of a model; return them and what the user should be told, a sentence each.

    Parameters
    ----------
    source : ByteSource
        Stands at the first byte of the file at `path`.
    limit : int or None
        Take the first words only; the others count as never seen.
    errors : str
        What to do with words that are not UTF-8, as in ``bytes.decode``. Vectors do not depend on it: n-grams are
        always made of the bytes in the file.
    """
    from daneo.embeddings.rows import ChosenRows
    from daneo.embeddings.subword_vectors import SubwordVectors
    from daneo.embeddings.subwords.word_means import WordMeans

    exact = read_source(source, path, errors if errors == "strict" else "surrogateescape")
    words = exact.words[:limit]
    names = words if errors in ("strict", "surrogateescape") else _respelt(words, errors)
    if not words:
        raise ValueError(f"{source.name} has labels only, and so no word vectors.")
    ngrams = ngram_vectors(exact)
    rows: Rows = WordMeans(_part(exact.inputs, slice(len(words))), words, ngrams)
    counts, remarks = exact.counts[: len(words)], []
    if has_repeats(names):
        first = dict(zip(reversed(names), range(len(names) - 1, -1, -1), strict=True))
        repeated = next(name for row, name in enumerate(names) if first[name] != row)
        remarks.append(
            f"{len(names) - len(first)} of {len(names)} words repeat another, the first of them {repeated!r}. "
            "Of each the first was kept."
        )
        kept = np.sort(np.fromiter(first.values(), np.int64, len(first)))
        names, counts, rows = [names[row] for row in kept], counts[kept], ChosenRows(rows, kept)
    return SubwordVectors(Vocabulary(names, counts), rows, ngrams), remarks


def _respelt(words: list[str], errors: str) -> list[str]:
    """Return words in which bytes that are not UTF-8 stand as surrogates with `errors` done to these bytes."""
    return "\0".join(words).encode("utf-8", "surrogateescape").decode("utf-8", errors).split("\0") if words else []


def ngram_vectors(model: FastTextFile) -> NgramVectors:
    """Return the rows of the n-grams of words; none where only n-grams of several words have rows."""
    from daneo.embeddings.subwords.ngram_vectors import NgramVectors
    from daneo.embeddings.subwords.subwords import Subwords

    num_words = len(model.words)
    if not (model.num_buckets and 0 < model.max_ngram >= model.min_ngram):
        subwords = Subwords(min_ngram=0, max_ngram=0, num_buckets=0)
        return NgramVectors(subwords, np.empty((0, model.vector_size), np.float32))
    subwords = Subwords(min_ngram=model.min_ngram, max_ngram=model.max_ngram, num_buckets=model.num_buckets)
    if model.pruned is None:
        return NgramVectors(subwords, _part(model.inputs, slice(num_words, None)))
    buckets, rows = model.pruned[np.argsort(model.pruned[:, 0])].T
    # fastText leaves n-grams that were dropped out of the mean.
    return NgramVectors(subwords, _part(model.inputs, num_words + rows.astype(np.int64)), buckets, count_missing=False)


def _part(rows: Rows, chosen: slice | npt.NDArray[np.int64]) -> Rows:
    """Return some rows: a view where they lie side by side, of quantised ones otherwise their codes."""
    from daneo.embeddings.compression.quantized_rows import QuantizedRows

    if not isinstance(rows, QuantizedRows):
        return rows[chosen]
    norm_codes = None if rows.norm_codes is None else rows.norm_codes[chosen]
    return QuantizedRows(rows.codes[chosen], rows.quantizer, norm_codes, rows.norm_quantizer)
