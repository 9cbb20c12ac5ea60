"""How alike two words, or a few, are: cosines, means, and the word that does not fit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from daneo.embeddings.row_blocks import Doubles, exact_cosines_of, rounded, unit
from daneo.embeddings.rows import Floats
from daneo.embeddings.word_table import WordTable, as_numbers

_NUMBERS_AT_ONCE = 1 << 22  # of the words' vectors: rows may be as long as the vocabulary

Vector: TypeAlias = npt.NDArray[Any]
"""A vector given by the user: numbers of shape (D,)."""

Item: TypeAlias = str | Vector
"""What a question is about: a word, or a vector in its place."""


class WordLikeness(WordTable):
    """Questions about words that the asker names. :class:`daneo.WordVectors` is the public class.

    Likeness is the cosine of the angle between two vectors: 1 for the same direction, 0 where either is a zero
    vector. It is computed in double precision and rounded to multiples of 2^-24, so that equal pairs tie exactly.
    """

    def similarity(self, a: Item, b: Item) -> float:
        """Return the cosine between two words (or vectors), from -1 to 1.

        Raises
        ------
        KeyError
            A word is unknown; the message has the nearest spellings.
        ValueError
            A vector holds NaN or infinity.

        Examples
        --------
        >>> import daneo
        >>> vectors = daneo.WordVectors(["north", "east", "south"], [[0, 1], [1, 0], [0, -3]])
        >>> vectors.similarity("north", "south"), vectors.similarity("north", "east")
        (-1.0, 0.0)
        """
        return _cosine(*self._units([a, b]))

    def distance(self, a: Item, b: Item) -> float:
        """Return 1 - :meth:`similarity`, from 0 to 2."""
        return 1 - self.similarity(a, b)

    def similarities(self, item: Item, other_words: Sequence[str] | None = None) -> Floats:
        """Return the cosines between one word (or vector) and many.

        Parameters
        ----------
        item : str or array of shape (D,)
        other_words : sequence of str, length N, or None
            ``None`` means all V words.

        Returns
        -------
        float32 array of shape (N,) or (V,)
            NaN for a word whose vector holds NaN or infinity. For all words this is a float32 product, whose last
            digits can differ from :meth:`similarity`.

        Raises
        ------
        KeyError
            A word is unknown.

        Examples
        --------
        >>> import daneo
        >>> vectors = daneo.WordVectors(["north", "east", "south"], [[0, 1], [1, 0], [0, -3]])
        >>> vectors.similarities("north")
        array([ 1.,  0., -1.], dtype=float32)
        """
        query = self._units([item])
        if other_words is not None:
            return self._cosines(other_words, query[0])
        every = np.empty(len(self), dtype=np.float32)
        for first, scores, broken in self._blocks.cosines(query.astype(np.float32), 0, len(self)):
            scores[0, broken] = np.nan
            every[first : first + scores.shape[1]] = scores[0]
        return every

    def distances(self, item: Item, other_words: Sequence[str] | None = None) -> Floats:
        """Return 1 - :meth:`similarities`."""
        return 1 - self.similarities(item, other_words)

    def n_similarity(self, a: Sequence[Item], b: Sequence[Item]) -> float:
        """Return the cosine between the means of two sets of words, whose vectors keep their lengths.

        Raises
        ------
        KeyError
            A word is unknown. (gensim leaves unknown words out without a word.)
        ValueError
            A set is empty.
        """
        means = [self._mean(items, np.ones(len(items)), pre_normalize=False) for items in (a, b)]
        return _cosine(*unit(means))

    def most_similar_to_given(self, item: Item, words: Sequence[str]) -> str:
        """Return the one of `words` that is most similar to `item`; of equal ones, the first.

        Examples
        --------
        >>> import daneo
        >>> vectors = daneo.WordVectors(["north", "east", "south"], [[0, 1], [1, 0], [0, -1]])
        >>> vectors.most_similar_to_given("north", ["south", "east"])
        'east'
        """
        scores = self.similarities(item, words)
        if not (scores == scores).any():
            raise ValueError("most_similar_to_given expected at least one word with a finite vector to choose from.")
        return words[int(np.nanargmax(scores))]

    def rank_by_centrality(self, words: Sequence[str]) -> list[tuple[str, float]]:
        """Order words by their cosine with the mean of all of them, best first; equal ones as they were given.

        Returns
        -------
        list of (word, cosine)
        """
        mean = unit(self._mean(words, np.ones(len(words)))[None])[0]
        scores = self._cosines(words, mean)
        order = np.argsort(-scores, kind="stable")
        return [(words[i], float(scores[i])) for i in order]

    def doesnt_match(self, words: Sequence[str]) -> str:
        """Return the word that fits the others least: whose cosine with the mean of all is the lowest.

        Raises
        ------
        KeyError
            A word is unknown.
        ValueError
            There are fewer than three words: of two, each fits the other as badly.

        Examples
        --------
        >>> import daneo
        >>> vectors = daneo.WordVectors(["cat", "dog", "pear"], [[3, 1], [2, 1], [0, 1]])
        >>> vectors.doesnt_match(["cat", "pear", "dog"])
        'pear'
        """
        if len(words) < 3:
            raise ValueError(f"doesnt_match expected at least three words, got {len(words)}.")
        return self.rank_by_centrality(words)[-1][0]

    def get_mean_vector(
        self,
        items: Sequence[Item],
        *,
        weights: npt.ArrayLike | None = None,
        pre_normalize: bool = True,
        post_normalize: bool = False,
        ignore_missing: bool = False,
    ) -> Floats:
        """Return the weighted mean of words and vectors: sum(w v) / sum(|w|).

        Parameters
        ----------
        items : sequence of str and arrays of shape (D,), length N
            Words and vectors.
        weights : array-like of float, shape (N,), or None
            May be negative; ``None`` means 1 for each.
        pre_normalize : bool, default True
            Scale the words' vectors to length 1 first. Vectors among `items` are taken as they are.
        post_normalize : bool, default False
            Scale the mean to length 1.
        ignore_missing : bool, default False
            Leave unknown words out. Unlike gensim, daneo does so only on request. Vectors with n-grams then leave
            out the words that were never seen, which they would have vectors for.

        Returns
        -------
        float32 array of shape (D,)

        Raises
        ------
        KeyError
            A word is unknown (with `ignore_missing`: every word is).
        ValueError
            There are no items, their vectors are not finite, or the weights are not as many.

        Examples
        --------
        >>> import daneo
        >>> vectors = daneo.WordVectors(["north", "east"], [[0, 2], [3, 0]])
        >>> vectors.get_mean_vector(["north", "east"], weights=[1, 3])
        array([0.75, 0.25], dtype=float32)
        """
        scales = np.ones(len(items)) if weights is None else np.asarray(weights, dtype=np.float64)
        if scales.shape != (len(items),):
            raise ValueError(f"get_mean_vector expected {len(items)} weights, one an item, got shape {scales.shape}.")
        if ignore_missing:
            known = [not isinstance(item, str) or item in self for item in items]
            if items and not any(known):
                raise KeyError(f"None of the {len(items)} words is in the vocabulary, so they have no mean.")
            items, scales = [item for item, is_known in zip(items, known, strict=True) if is_known], scales[known]
        mean = self._mean(items, scales, pre_normalize=pre_normalize)
        return (unit(mean[None])[0] if post_normalize else mean).astype(np.float32)

    def _vector(self, item: Item) -> Doubles:
        """Return a word's or the given vector, float64 (D,), finite."""
        if isinstance(item, str):
            vector = self[item].astype(np.float64)
        elif isinstance(item, np.ndarray):
            vector = as_numbers("A vector", item, np.float64)
        else:
            raise TypeError(f"Expected a word (str) or a vector (array), got {item!r} ({type(item).__name__}).")
        if vector.shape != (self.vector_size,):
            raise ValueError(f"Expected a vector of shape ({self.vector_size},), got {vector.shape}.")
        if not np.isfinite(vector).all():
            name = f"The vector of {item!r}" if isinstance(item, str) else "The vector"
            raise ValueError(f"{name} holds NaN or infinity, so it has no direction. Expected finite numbers.")
        return vector

    def _cosines(self, words: Sequence[str], query: Doubles) -> Floats:
        """Return the cosine of each word with a query of length 1 or 0, float32 (N,); NaN where it is not finite."""
        scores = np.empty(len(words), dtype=np.float32)
        step = max(1, _NUMBERS_AT_ONCE // self.vector_size)
        for first in range(0, len(words), step):
            part = slice(first, first + step)
            scores[part] = exact_cosines_of(self[words[part]], query)
        return scores

    def _units(self, items: Sequence[Item]) -> Doubles:
        """Return the directions of words and vectors, float64 (N, D)."""
        return unit(np.array([self._vector(item) for item in items]).reshape(len(items), self.vector_size))

    def _mean(self, items: Sequence[Item], weights: Doubles, *, pre_normalize: bool = True) -> Doubles:
        """Return sum(w v) / sum(|w|); the words' vectors, not the given ones, are scaled to length 1 first."""
        total = np.abs(weights).sum()
        if not (0 < total < np.inf):
            raise ValueError("A mean needs at least one word or vector whose weight is not 0; all must be finite.")
        scaled = [
            self._units([item])[0] if pre_normalize and isinstance(item, str) else self._vector(item) for item in items
        ]
        mean: Doubles = weights @ np.array(scaled) / total
        return mean


def _cosine(x: Doubles, y: Doubles) -> float:
    return float(rounded(np.einsum("d,d->", x, y)))
