"""Questions that search the whole vocabulary: neighbours, analogies, ranks."""

from __future__ import annotations

import numbers
import operator
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, TypeAlias, TypeGuard, cast, overload

import numpy as np

from daneo.embeddings.nearest import nearest_by_product, nearest_rows
from daneo.embeddings.row_blocks import Doubles, exact_cosines, unit
from daneo.embeddings.rows import Ids
from daneo.embeddings.sieve import Answer
from daneo.embeddings.word_likeness import Item, Vector, WordLikeness

if TYPE_CHECKING:
    from daneo.embeddings.neighbour_index import NeighbourIndex

Neighbours: TypeAlias = list[tuple[str, float]]
"""Words and their scores, best first."""

Weighted: TypeAlias = Item | tuple[Item, float]
"""A word or a vector, or one with its weight."""


class WordNeighbours(WordLikeness):
    """Questions that every row is compared with. :class:`daneo.WordVectors` is the public class."""

    @overload
    def most_similar(
        self,
        query: str | Vector | None = ...,
        *,
        positive: Weighted | Sequence[Weighted] | None = ...,
        negative: Weighted | Sequence[Weighted] | None = ...,
        topn: int = ...,
        restrict_vocab: int | None = ...,
        clip_start: int = ...,
        clip_end: int | None = ...,
        index: NeighbourIndex | None = ...,
    ) -> Neighbours: ...

    @overload
    def most_similar(
        self,
        query: list[str] | list[Vector] | list[Item] | tuple[Item, ...],
        *,
        topn: int = ...,
        restrict_vocab: int | None = ...,
        clip_start: int = ...,
        clip_end: int | None = ...,
        index: NeighbourIndex | None = ...,
    ) -> list[Neighbours]: ...

    def most_similar(
        self,
        query: Item | Sequence[Item] | None = None,
        *,
        positive: Weighted | Sequence[Weighted] | None = None,
        negative: Weighted | Sequence[Weighted] | None = None,
        topn: int = 10,
        restrict_vocab: int | None = None,
        clip_start: int = 0,
        clip_end: int | None = None,
        index: NeighbourIndex | None = None,
    ) -> Neighbours | list[Neighbours]:
        """Find the words with the greatest cosine to a word, to each of many words, or to a sum of words.

        Parameters
        ----------
        query : str, array of shape (D,), or list of these
            One word or vector, or a list: many separate questions, answered in one pass over the matrix. (gensim
            takes a list in this place for `positive`.)
        positive, negative : word, vector, or list of these or of (word or vector, weight)
            One question, instead of `query`: the words are scaled to length 1 and added up, the negative ones with
            weight -1 or the given, negative weight. Vectors are added as they are.
        topn : int, default 10
            How many words to return; fewer come only where there are fewer.
        restrict_vocab : int or None
            Search only the first so many words, which are the most frequent ones.
        clip_start, clip_end : int, int or None
            Search only words with ids from `clip_start` to below `clip_end`.
        index : NeighbourIndex or None
            Ask this index of all the words, which looks at few of them and may miss one; ``None`` is exact.

        Returns
        -------
        list of (word, cosine), or a list of such lists for a list of queries
            Best first, equal ones in the order of the vocabulary. The words of the question are left out.
            Words whose vectors are not finite are never an answer; a zero vector has cosine 0 to everything.

        Raises
        ------
        KeyError
            A word is unknown; the message has the nearest spellings.
        ValueError
            A vector of the question is not finite, an argument is out of range, or the index is of other vectors.
        TypeError
            Both `query` and `positive` or `negative` are given, or nothing is; or an index and a part of the words.

        Notes
        -----
        Answers are those of :mod:`daneo.embeddings.nearest_reference` to the last bit, however many questions are
        asked together. The first question also measures the rows. A batch of 64 costs a few single questions.

        Examples
        --------
        >>> import daneo
        >>> vectors = daneo.WordVectors(
        ...     ["man", "woman", "king", "queen"], [[1, 0, 0], [1, 1, 0], [1, 0, 1], [1, 1, 1]]
        ... )
        >>> [(word, round(score, 2)) for word, score in vectors.most_similar("king", topn=2)]
        [('queen', 0.82), ('man', 0.71)]
        >>> [answers[0][0] for answers in vectors.most_similar(["man", "woman"])]
        ['woman', 'queen']
        >>> vectors.most_similar(positive=["woman", "king"], negative=["man"], topn=1)[0][0]
        'queen'
        """
        topn = checked_topn(topn)
        start, stop = self._range(restrict_vocab, clip_start, clip_end)
        if index is not None and stop - start < len(self):
            raise TypeError("An index searches all words. Leave out restrict_vocab, clip_start and clip_end, or index.")
        if positive is None and negative is None:
            is_batch = isinstance(query, (list, tuple))
            items = cast("Sequence[Item]", query if is_batch else [query])
            if index is None:
                answers = self._nearest_to_each(items, topn, start, stop)
            else:
                answers = self._through(index, self._units(items), [self._named([item]) for item in items], topn)
            return answers if is_batch else answers[0]
        if query is not None:
            raise TypeError("most_similar takes either a query or positive and negative words. Add it to `positive`.")
        added, weights = _with_weights(positive, negative)
        mean, named = unit(self._mean(added, weights)[None]), [self._named(added)]
        if index is not None:
            return self._through(index, mean, named, topn)[0]
        return self._nearest(mean, named, topn, start, stop)[0]

    def similar_by_word(self, word: str, *, topn: int = 10, restrict_vocab: int | None = None) -> Neighbours:
        """:meth:`most_similar` of one word."""
        return self.most_similar(word, topn=topn, restrict_vocab=restrict_vocab)

    def similar_by_vector(self, vector: Vector, *, topn: int = 10, restrict_vocab: int | None = None) -> Neighbours:
        """:meth:`most_similar` of one vector, array of shape (D,)."""
        return self.most_similar(np.asarray(vector), topn=topn, restrict_vocab=restrict_vocab)

    def most_similar_cosmul(
        self,
        positive: Item | Sequence[Item],
        negative: Item | Sequence[Item] = (),
        *,
        topn: int = 10,
        restrict_vocab: int | None = None,
    ) -> Neighbours:
        r"""Find words by multiplying instead of adding (3CosMul), so that no single cosine outweighs the others.

        .. math:: \prod_{p} \frac{1 + \cos(x, p)}{2} \Big/ \Big(\prod_{n} \frac{1 + \cos(x, n)}{2} + 10^{-6}\Big)

        Parameters
        ----------
        positive, negative : word, vector, or list of these
            At least one positive. All are scaled to length 1.
        topn, restrict_vocab
            As for :meth:`most_similar`.

        Returns
        -------
        list of (word, score)
            Best first. Scores are not cosines and can exceed 1.

        References
        ----------
        Levy and Goldberg (2014), "Linguistic Regularities in Sparse and Explicit Word Representations", equation 4,
        https://aclanthology.org/W14-1618.

        Examples
        --------
        >>> import daneo
        >>> vectors = daneo.WordVectors(
        ...     ["man", "woman", "king", "queen"], [[1, 0, 0], [1, 1, 0], [1, 0, 1], [1, 1, 1]]
        ... )
        >>> vectors.most_similar_cosmul(["woman", "king"], ["man"], topn=1)[0][0]
        'queen'
        """
        topn = checked_topn(topn)
        start, stop = self._range(restrict_vocab, 0, None)
        added, removed = _as_list(positive), _as_list(negative)
        if not added:
            raise ValueError("most_similar_cosmul expected at least one positive word, got none.")
        without = self._named([*added, *removed])
        units = self._units(added), self._units(removed)
        answer = nearest_by_product(self._blocks, *units, min(topn + len(without), stop - start), start, stop)
        return self._spelled(answer, without, topn)

    def closer_than(self, a: str, b: str) -> list[str]:
        """Return the words that are more similar to `a` than `b` is, in the order of the vocabulary.

        Examples
        --------
        >>> import daneo
        >>> vectors = daneo.WordVectors(["north", "east", "south"], [[0, 1], [1, 0], [0, -1]])
        >>> vectors.closer_than("north", "south")
        ['east']
        """
        return [self.words[row] for row in self._closer_rows(a, b)]

    def rank(self, a: str, b: str) -> int:
        """Return the place of `b` among the neighbours of `a`: 1 for the nearest, the same for equally near ones."""
        return len(self._closer_rows(a, b)) + 1

    def relative_cosine_similarity(self, a: str, b: str, *, topn: int = 10) -> float:
        """Return the similarity of `a` and `b` as a share of the summed similarities of `a`'s `topn` neighbours.

        Above 1 / topn the two are more alike than an average neighbour, a hint at synonyms.

        Raises
        ------
        ValueError
            The neighbours' similarities add up to 0.

        References
        ----------
        Leeuwenberg et al. (2016), "A Minimally Supervised Approach for Synonym Extraction with Word Embeddings",
        equation 1, https://doi.org/10.1515/pralin-2016-0006.
        """
        total = sum(score for _, score in self.most_similar(a, topn=topn))
        if total == 0:
            raise ValueError(f"The similarities of {a!r} and its neighbours add up to 0, so there are no shares of it.")
        return self.similarity(a, b) / total

    def _closer_rows(self, a: str, b: str) -> Ids:
        (query,) = self._units([a])
        (least,) = self._cosines([b], query)
        if np.isnan(least):
            raise ValueError(f"The vector of {b!r} holds NaN or infinity, so nothing is nearer than it.")
        rows: Ids = np.flatnonzero(self.similarities(a) > least - self._blocks.error)
        rows = rows[exact_cosines(self._rows, rows, query) > least]
        return np.setdiff1d(rows, self._rows_of([a]))

    def _nearest_to_each(self, items: Sequence[Item], topn: int, start: int, stop: int) -> list[Neighbours]:
        return self._nearest(self._units(items), [self._named([item]) for item in items], topn, start, stop)

    def _nearest(self, queries: Doubles, without: list[set[int]], topn: int, start: int, stop: int) -> list[Neighbours]:
        count = topn + max(map(len, without), default=0)
        answers = nearest_rows(self._blocks, queries, min(count, stop - start), start, stop)
        return [self._spelled(answer, own, topn) for answer, own in zip(answers, without, strict=True)]

    def _through(self, index: NeighbourIndex, queries: Doubles, without: list[set[int]], topn: int) -> list[Neighbours]:
        """:meth:`_nearest`, about, by an index of all rows."""
        answers = index.nearest_rows(self._blocks, queries, topn + max(map(len, without), default=0))
        return [self._spelled(answer, own, topn) for answer, own in zip(answers, without, strict=True)]

    def _spelled(self, answer: Answer, without: set[int], topn: int) -> Neighbours:
        words = self.words
        pairs = zip(*(part.tolist() for part in answer), strict=True)
        return [(words[row], score) for row, score in pairs if row not in without][:topn]

    def _named(self, items: Sequence[Item]) -> set[int]:
        """Return the rows of the words among the items; a word that has none is no answer anyway."""
        return set(self._rows_of([item for item in items if isinstance(item, str)]).tolist()) - {-1}

    def _range(self, restrict_vocab: int | None, clip_start: int, clip_end: int | None) -> tuple[int, int]:
        if restrict_vocab is not None:
            if (clip_start, clip_end) != (0, None):
                raise TypeError("Give either restrict_vocab or clip_start and clip_end.")
            if restrict_vocab < 1:
                raise ValueError(f"restrict_vocab expected at least 1 word, got {restrict_vocab}. None means all.")
            return 0, min(restrict_vocab, len(self))
        if len(self) == 0:
            raise ValueError("There are no words to search.")
        stop = len(self) if clip_end is None else clip_end
        if not 0 <= clip_start < stop <= len(self):
            raise ValueError(
                f"Expected 0 <= clip_start < clip_end <= {len(self)}, got clip_start={clip_start}, clip_end={stop}."
            )
        return clip_start, stop


def checked_topn(topn: int) -> int:
    """Return how many answers are asked for."""
    try:
        number = operator.index(topn)
    except TypeError as error:
        raise TypeError(
            f"topn expected a whole number, got {topn!r}. similarities() returns the scores of all words."
        ) from error
    if number < 1:
        raise ValueError(f"topn expected at least 1, got {topn}.")
    return number


def _as_list(items: Item | Sequence[Item]) -> list[Item]:
    return [items] if isinstance(items, (str, np.ndarray)) else list(items)


def _with_weights(
    positive: Weighted | Sequence[Weighted] | None, negative: Weighted | Sequence[Weighted] | None
) -> tuple[list[Item], Doubles]:
    pairs = [*_weighted(positive, 1.0), *_weighted(negative, -1.0)]
    return [item for item, _ in pairs], np.array([weight for _, weight in pairs], dtype=np.float64)


def _weighted(given: Weighted | Sequence[Weighted] | None, default: float) -> Iterator[tuple[Item, float]]:
    if given is None:
        return
    is_one = isinstance(given, (str, np.ndarray)) or _is_weighted(given)
    for item in cast("Sequence[Weighted]", [given] if is_one else given):
        word, weight = item if _is_weighted(item) else (cast("Item", item), default)
        if default < 0 < weight:
            raise ValueError(f"The weight of a negative word is itself negative, got {weight} for {word!r}.")
        yield word, weight


def _is_weighted(item: object) -> TypeGuard[tuple[Item, float]]:
    return isinstance(item, tuple) and len(item) == 2 and isinstance(item[1], numbers.Real)
