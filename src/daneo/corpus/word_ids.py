"""Words by id and ids by word; a word as a one-hot row."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from daneo.corpus.spelling import nearest_spellings
from daneo.corpus.vocabulary_checks import checked_ids

if TYPE_CHECKING:
    import scipy.sparse


class WordIds:
    """Words in a fixed order; a word's id is its position. :class:`daneo.Vocabulary` adds the counts.

    Parameters
    ----------
    words : list of str, length V
        The words, without repeats.
    unknown : str or None
        The one among `words` that :meth:`encode` puts in place of a word that is not among them.
    """

    def __init__(self, words: list[str], unknown: str | None = None) -> None:
        self.words = words
        self.unknown = unknown

    @functools.cached_property
    def index(self) -> dict[str, int]:
        """The id of each word, as a dict; built when first asked for."""
        return dict(zip(self.words, range(len(self.words)), strict=True))

    def id(self, word: str) -> int:
        """Return a word's id.

        Raises
        ------
        KeyError
            The vocabulary does not hold the word; the message has the nearest spellings.

        Examples
        --------
        >>> WordIds(["time", "is"]).id("tiem")
        Traceback (most recent call last):
        ...
        KeyError: "'tiem' is not among the 2 words of the vocabulary. Nearest spellings: time."
        """
        found = self.index.get(word)
        if found is None:
            raise KeyError(self._missing(word))
        return found

    def encode(self, tokens: Iterable[str], *, skip_unknown: bool = False) -> npt.NDArray[np.int32]:
        """Turn tokens into ids.

        Parameters
        ----------
        tokens : iterable of str, length T
            One text's tokens.
        skip_unknown : bool, default False
            Leave out the words that the vocabulary does not hold, also when it has an `unknown` token.

        Returns
        -------
        int32 array of shape (T,), or shorter with `skip_unknown`

        Raises
        ------
        KeyError
            A word is not in the vocabulary, which has no `unknown` token, and `skip_unknown` is not set.
        TypeError
            `tokens` is a str, whose letters would be taken for words.
        """
        if isinstance(tokens, str):
            raise TypeError(f"encode expected a list of tokens, got the str {tokens[:40]!r}. Tokenize it first.")
        tokens = list(tokens)
        missing = -1 if self.unknown is None or skip_unknown else self.id(self.unknown)
        index = self.index
        ids = np.fromiter((index.get(token, missing) for token in tokens), dtype=np.int32, count=len(tokens))
        if missing < 0 and ids.size and ids.min() < 0:
            if not skip_unknown:
                word = tokens[int(ids.argmin())]
                raise KeyError(f"{self._missing(word)} skip_unknown=True leaves such words out.")
            ids = ids[ids >= 0]
        return ids

    def decode(self, ids: npt.ArrayLike) -> list[str]:
        """Turn ids into words.

        Parameters
        ----------
        ids : array-like of int, shape (N,)
            Ids from 0 to V - 1.

        Raises
        ------
        IndexError
            An id is outside the vocabulary.
        """
        return list(map(self.words.__getitem__, checked_ids(ids, len(self)).tolist()))

    def one_hot(self, ids: npt.ArrayLike) -> scipy.sparse.csr_array:
        """Write each id as a row of V numbers, a one in its column and zeros elsewhere.

        ``one_hot(ids) @ matrix`` is therefore ``matrix[ids]``: the product with a one-hot row looks a row up.

        Parameters
        ----------
        ids : array-like of int, shape (N,)
            Ids from 0 to V - 1.

        Returns
        -------
        scipy.sparse.csr_array of shape (N, V), float32

        Raises
        ------
        IndexError
            An id is outside the vocabulary.

        Examples
        --------
        >>> WordIds(["what", "time", "is", "it"]).one_hot([1, 3]).toarray()
        array([[0., 1., 0., 0.],
               [0., 0., 0., 1.]], dtype=float32)
        """
        from scipy.sparse import csr_array

        columns = checked_ids(ids, len(self))
        ones = np.ones(len(columns), dtype=np.float32)
        return csr_array((ones, columns, np.arange(len(columns) + 1)), shape=(len(columns), len(self)))

    def __len__(self) -> int:
        return len(self.words)

    def __contains__(self, word: object) -> bool:
        return word in self.index

    def __iter__(self) -> Iterator[str]:
        return iter(self.words)

    def __repr__(self) -> str:
        first = ", ".join(map(repr, self.words[:3])) + (", ..." if len(self) > 3 else "")
        return f"<{type(self).__name__} of {len(self):,} words: {first}>"

    def _missing(self, word: str) -> str:
        near = nearest_spellings(word, self.words, self.index) if isinstance(word, str) else []
        hint = f" Nearest spellings: {', '.join(near)}." if near else ""
        return f"{word!r} is not among the {len(self):,} words of the vocabulary.{hint}"
