"""Which parts of two words drive their similarity: the cosine, taken apart into shares that add up to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from daneo.corpus.hangul import NO_FINAL
from daneo.embeddings.row_blocks import ZERO_LENGTH, Doubles

if TYPE_CHECKING:
    from daneo.embeddings.subword_vectors import SubwordVectors

_LINES = 10  # of each list that is printed


class WordPart(NamedTuple):
    """A part of a word that has a row of its own.

    Attributes
    ----------
    text : str
        An n-gram, with ``<`` and ``>`` where the word begins and ends, or the word itself.
    is_ngram : bool
        False for the word itself, whose row only words that were seen have.
    """

    text: str
    is_ngram: bool

    def __str__(self) -> str:
        text = self.text.replace(NO_FINAL, "·")  # of n-grams of jamo: where a syllable has no final consonant
        return text if self.is_ngram else f"{text} (whole word)"


@dataclass(frozen=True, kw_only=True, eq=False)
class SimilarityShares:
    r"""The cosine of two words as a sum over pairs of their parts; ``str()`` of it is a table.

    A word's vector is a sum of parts, :math:`a = \sum_i p_i` and :math:`b = \sum_j q_j`, so that

    .. math:: \cos(a, b) = \sum_{ij} \frac{p_i \cdot q_j}{|a| |b|}

    A share can be below 0: such parts make the words less alike.

    Attributes
    ----------
    a, b : str
        The words.
    parts_of_a, parts_of_b : tuple of WordPart, lengths A and B
        First the word itself, if it was seen, then its n-grams from left to right, each once. N-grams without a row
        are left out: their share is 0.
    shares : float64 array of shape (A, B)
        The share of each pair of parts.
    """

    a: str
    b: str
    parts_of_a: tuple[WordPart, ...]
    parts_of_b: tuple[WordPart, ...]
    shares: Doubles

    @property
    def similarity(self) -> float:
        """The sum of all shares: the cosine of the two words."""
        return float(self.shares.sum())

    def of_a(self) -> list[tuple[WordPart, float]]:
        """Return the share of each part of `a`, with all of `b`, greatest first. They add up to the similarity."""
        return _ranked(self.parts_of_a, self.shares.sum(axis=1))

    def of_b(self) -> list[tuple[WordPart, float]]:
        """Return the share of each part of `b`, with all of `a`, greatest first. They add up to the similarity."""
        return _ranked(self.parts_of_b, self.shares.sum(axis=0))

    def pairs(self) -> list[tuple[WordPart, WordPart, float]]:
        """Return the share of each pair of parts, greatest first. They add up to the similarity."""
        order = np.argsort(-self.shares, axis=None, kind="stable")
        places = zip(*(axis.tolist() for axis in np.unravel_index(order, self.shares.shape)), strict=True)
        return [(self.parts_of_a[i], self.parts_of_b[j], float(self.shares[i, j])) for i, j in places]

    def __str__(self) -> str:
        lists = [
            (f"parts of {self.a}", [(str(part), share) for part, share in self.of_a()]),
            (f"parts of {self.b}", [(str(part), share) for part, share in self.of_b()]),
            ("pairs of parts", [(f"{one}  {other}", share) for one, other, share in self.pairs()]),
        ]
        tables = ["\n".join(_table(title, rows)) for title, rows in lists]
        return "\n\n".join([f"similarity of {self.a} and {self.b}: {self.similarity:.4f}", *tables])


def explain_similarity(vectors: SubwordVectors, a: str, b: str) -> SimilarityShares:
    """See :meth:`daneo.SubwordVectors.explain_similarity`."""
    parts_of_a, rows_of_a = _parts(vectors, a)
    parts_of_b, rows_of_b = _parts(vectors, b)
    return SimilarityShares(
        a=a,
        b=b,
        parts_of_a=parts_of_a,
        parts_of_b=parts_of_b,
        shares=_of_length_1(rows_of_a) @ _of_length_1(rows_of_b).T,
    )


def _parts(vectors: SubwordVectors, word: str) -> tuple[tuple[WordPart, ...], Doubles]:
    """Return a word's parts, and what each adds to its vector: (A, D), whose sum is the vector."""
    ngrams = vectors.ngrams
    vector = vectors[word].astype(np.float64)
    if not np.isfinite(vector).all():
        raise ValueError(f"The vector of {word!r} holds NaN or infinity, so it has no direction.")
    is_seen = word in vectors
    rows = ngrams.rows_of(ngrams.subwords.buckets(word))
    there, count = ngrams.rows_in_mean(word)
    spelt = [text for text, row in zip(ngrams.subwords.ngrams(word), rows.tolist(), strict=True) if row >= 0]
    texts = list(dict.fromkeys(spelt))
    places = [texts.index(text) for text in spelt]
    added = np.zeros((len(texts), ngrams.vector_size))
    if count + is_seen:
        np.add.at(added, places, ngrams.rows[there].astype(np.float64) / (count + is_seen))
    parts = tuple(WordPart(text, is_ngram=True) for text in texts)
    if not is_seen:
        return parts, added
    # The row of the word itself is not kept: it is what the n-grams leave of the vector.
    own = vector - added.sum(axis=0)
    return (WordPart(word, is_ngram=False), *parts), np.concatenate([own[None], added])


def _of_length_1(rows: Doubles) -> Doubles:
    """Divide all rows by the length of their sum; zeros if that is 0."""
    length = np.linalg.norm(rows.sum(axis=0))
    return rows / length if length > ZERO_LENGTH else np.zeros_like(rows)


def _ranked(parts: tuple[WordPart, ...], shares: Doubles) -> list[tuple[WordPart, float]]:
    return [(parts[i], float(shares[i])) for i in np.argsort(-shares, kind="stable").tolist()]


def _table(title: str, rows: list[tuple[str, float]]) -> list[str]:
    lines = ["  share  " + title, *(f"{share:7.4f}  {name}" for name, share in rows[:_LINES])]
    if rest := rows[_LINES:]:
        lines.append(f"{sum(share for _, share in rest):7.4f}  {len(rest)} other{'s' * (len(rest) > 1)}")
    return lines
