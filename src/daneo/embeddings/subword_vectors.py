"""Word vectors that know the parts of words, and so have a vector for every word."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy.typing as npt

from daneo.corpus.vocabulary import Vocabulary
from daneo.embeddings.word_likeness import Item
from daneo.embeddings.word_neighbours import checked_topn
from daneo.embeddings.word_vectors import WordVectors

if TYPE_CHECKING:
    from daneo.embeddings.nearest_ngrams import UsedNgrams
    from daneo.embeddings.rows import Floats, Rows
    from daneo.embeddings.similarity_sets import SimilarityResult
    from daneo.embeddings.similarity_shares import SimilarityShares
    from daneo.embeddings.subwords.ngram_vectors import NgramVectors


class SubwordVectors(WordVectors):
    """Word vectors with n-grams: words that were never seen have vectors too.

    Parameters
    ----------
    vocabulary : Vocabulary or sequence of str
        V words that were seen; a word's id is its row.
    rows : array-like of shape (V, D), or Rows
        Their vectors, as for :class:`daneo.WordVectors`.
    ngrams : NgramVectors
        What makes the vector of a word that is not among them.

    Raises
    ------
    ValueError
        There are not as many rows as words, or their sizes differ from the n-grams'.

    Notes
    -----
    ``"word" in vectors`` says whether a word was seen. Everything that takes a word takes any: there is no KeyError.
    A word without n-grams (shorter than the shortest, or empty) has a zero vector, as in fastText, and similarity 0
    to everything. Answers to a search are always words that were seen.

    Words that :meth:`restricted` leaves out count as unseen: all n-grams stay. Vectors that are changed or added are
    those of seen words; n-grams are never changed, by :meth:`unit_normalize_all` neither.

    Examples
    --------
    >>> import numpy as np
    >>> from daneo.embeddings.subwords.ngram_vectors import NgramVectors
    >>> from daneo.embeddings.subwords.subwords import Subwords
    >>> rows = np.array([[1, 1], [3, 0], [1, 0], [0, 1]], dtype=np.float32)
    >>> subwords = Subwords(min_ngram=3, max_ngram=3, num_buckets=100)
    >>> ngrams = NgramVectors(subwords, rows, [0, 7, 41, 47])  # of "ng>", "ing", "sin" and "<si"
    >>> vectors = SubwordVectors(["sing", "tree"], [[2, 1], [0, 2]], ngrams)
    >>> "ring" in vectors, vectors["ring"]
    (False, array([1.  , 0.25], dtype=float32))
    >>> vectors.most_similar("ring", topn=1)
    [('sing', 0.9761870503425598)]
    """

    def __init__(
        self, vocabulary: Vocabulary | Sequence[str], rows: npt.ArrayLike | Rows, ngrams: NgramVectors
    ) -> None:
        super().__init__(vocabulary, rows)
        if ngrams.vector_size != self.vector_size:
            raise ValueError(
                f"SubwordVectors expected n-grams of {self.vector_size} numbers, as many as the words have; "
                f"got {ngrams.vector_size}."
            )
        self._ngrams = ngrams
        self._used: UsedNgrams | None = None

    @property
    def ngrams(self) -> NgramVectors:
        """The rows of n-grams."""
        return self._ngrams

    def nearest_ngrams(self, item: Item, *, topn: int = 10) -> list[tuple[str, float]]:
        """Find the n-grams of the vocabulary's words whose rows have the greatest cosine to a word or vector.

        Parameters
        ----------
        item : str or array of shape (D,)
            A word, seen or not, or a vector.
        topn : int, default 10
            How many n-grams to return; fewer come only where there are fewer.

        Returns
        -------
        list of (n-gram, cosine)
            Best first; ``<`` and ``>`` stand where a word begins and ends. The word's own n-grams are among them.

        Notes
        -----
        N-grams that were hashed into one bucket share its row, which is named after the n-gram of the most frequent
        word that uses it. Rows that no word of the vocabulary uses were never trained and are not searched.

        The first question finds out which rows are used, and measures them.

        Examples
        --------
        >>> import numpy as np
        >>> from daneo.embeddings.subwords.ngram_vectors import NgramVectors
        >>> from daneo.embeddings.subwords.subwords import Subwords
        >>> rows = np.array([[1, 1], [3, 0], [1, 0], [0, 1]], dtype=np.float32)
        >>> subwords = Subwords(min_ngram=3, max_ngram=3, num_buckets=100)
        >>> ngrams = NgramVectors(subwords, rows, [0, 7, 41, 47])  # of "ng>", "ing", "sin" and "<si"
        >>> vectors = SubwordVectors(["sing", "tree"], [[2, 1], [0, 2]], ngrams)
        >>> vectors.nearest_ngrams("sing", topn=2)
        [('ng>', 0.9486833214759827), ('ing', 0.8944271802902222)]
        """
        from daneo.embeddings.nearest_ngrams import UsedNgrams

        topn = checked_topn(topn)
        (query,) = self._units([item])
        if self._used is None or self._used.words is not self.words:
            self._used = UsedNgrams(self._ngrams, self.words)
        return self._used.nearest(query, topn)

    def explain_similarity(self, a: str, b: str) -> SimilarityShares:
        """Show which parts of two words, seen or not, drive their similarity.

        Parameters
        ----------
        a, b : str
            Two words.

        Returns
        -------
        SimilarityShares
            For each pair of a part of `a` and a part of `b` its share of the cosine; all shares add up to it.
            ``str()`` of it is a table.

        Raises
        ------
        ValueError
            A vector holds NaN or infinity.

        Notes
        -----
        What the n-grams do not explain of a seen word's vector is the share of the word itself. Shares are exact: they
        differ from :meth:`similarity` by rounding only, a few units of the seventh digit.

        Examples
        --------
        >>> import numpy as np
        >>> from daneo.embeddings.subwords.ngram_vectors import NgramVectors
        >>> from daneo.embeddings.subwords.subwords import Subwords
        >>> rows = np.array([[1, 1], [3, 0], [1, 0], [0, 1]], dtype=np.float32)
        >>> subwords = Subwords(min_ngram=3, max_ngram=3, num_buckets=100)
        >>> ngrams = NgramVectors(subwords, rows, [0, 7, 41, 47])  # of "ng>", "ing", "sin" and "<si"
        >>> vectors = SubwordVectors(["sing", "tree"], [[2, 1], [0, 2]], ngrams)
        >>> shares = vectors.explain_similarity("sing", "ring")
        >>> round(shares.similarity, 4), [(part.text, round(share, 4)) for part, share in shares.of_b()]
        (0.9762, [('ing', 0.6508), ('ng>', 0.3254)])
        """
        from daneo.embeddings.similarity_shares import explain_similarity

        return explain_similarity(self, a, b)

    def evaluate_similarities(
        self,
        path: str | os.PathLike[str],
        *,
        restrict_vocab: int | None = 300_000,
        case_insensitive: bool = True,
        unseen: bool = False,
    ) -> SimilarityResult:
        """Compare the cosines of word pairs with people's judgements in a file.

        Parameters
        ----------
        path, restrict_vocab, case_insensitive
            As for :meth:`daneo.WordVectors.evaluate_similarities`.
        unseen : bool, default False
            Compare pairs with unseen words too, by the vectors of their n-grams as the file spells them. False leaves
            them out, as for vectors without n-grams, so that both are measured by the same pairs.

        Returns
        -------
        SimilarityResult
            It says how many of the pairs have an unseen word.

        Raises
        ------
        ValueError
            A line is not a pair, or fewer than two pairs are compared.
        """
        from daneo.embeddings.similarity_sets import evaluate_similarities

        return evaluate_similarities(
            Path(path), self.words, self._blocks.matrix, self._range(restrict_vocab, 0, None)[1],
            case_insensitive=case_insensitive, unseen=self._ngrams.vector if unseen else None,
        )  # fmt: skip

    def _unseen(self, words: Sequence[str]) -> Floats:
        for word in words:
            if not isinstance(word, str):
                raise TypeError(f"Expected a word (str), got {word!r} ({type(word).__name__}).")
        return self._ngrams.vectors(words)

    def _of_fewer(self, vocabulary: Vocabulary, rows: Rows) -> Self:
        return type(self)(vocabulary, rows, self._ngrams)

    def _turned(self, rotation: Floats) -> Self:
        from daneo.embeddings.alignment import turned
        from daneo.embeddings.subwords.ngram_vectors import NgramVectors

        old = self._ngrams
        rows = turned(old.rows, rotation)
        ngrams = NgramVectors(old.subwords, rows, old.buckets, count_missing=old.count_missing)
        return type(self)(self.vocabulary, turned(self.rows, rotation), ngrams)

    def __repr__(self) -> str:
        return f"{super().__repr__()[:-1]}, {len(self.ngrams):,} rows of n-grams>"
