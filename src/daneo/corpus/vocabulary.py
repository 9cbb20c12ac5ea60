"""The words that a model knows, each with an id and a count; a word as a one-hot row."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from daneo.corpus.spelling import nearest_spellings
from daneo.corpus.vocabulary_checks import checked_counts, checked_ids, checked_words
from daneo.corpus.vocabulary_file import read_vocabulary, write_vocabulary
from daneo.progress import ProgressCallback

if TYPE_CHECKING:
    import scipy.sparse

    from daneo.corpus import Corpus


class Vocabulary:
    """Words in a fixed order; a word's id is its position.

    Parameters
    ----------
    words : sequence of str
        The words, without repeats.
    counts : array-like of int, one for each of `words`, or None
        How often each occurs; ``None`` means zeros.
    special_tokens : sequence of str, default ()
        Tokens with a meaning of their own, such as ``"<pad>"``. They take the first ids, in this order, whether
        or not they are among `words`.
    unknown : str or None
        The token that :meth:`encode` puts in place of a word that is not in the vocabulary. It is a special
        token, the last one if `special_tokens` does not list it. ``None`` means that there is none.

    Attributes
    ----------
    words : list of str, length V
        All words by id, special tokens included.
    counts : int64 array of shape (V,), read-only
        How often each occurs.
    special_tokens : tuple of str
    unknown : str or None

    Raises
    ------
    ValueError
        A word occurs twice; the counts are not as many as the words, or below 0, or absurdly large.
    TypeError
        A word is not a str.

    Examples
    --------
    >>> vocabulary = Vocabulary(["time", "is", "it"], [5, 3, 2], unknown="<unk>")
    >>> vocabulary.words
    ['<unk>', 'time', 'is', 'it']
    >>> vocabulary.encode(["what", "time", "is", "it"])
    array([0, 1, 2, 3], dtype=int32)
    >>> vocabulary.decode([1, 3])
    ['time', 'it']
    """

    def __init__(
        self,
        words: Sequence[str],
        counts: npt.ArrayLike | None = None,
        *,
        special_tokens: Sequence[str] = (),
        unknown: str | None = None,
    ) -> None:
        words = checked_words(words)
        values = checked_counts(counts, len(words))
        special = tuple(checked_words(special_tokens, "special token"))
        if unknown is not None and unknown not in special:
            special = tuple(checked_words([*special, unknown], "special token"))
        if tuple(words[: len(special)]) != special:
            words, values = _specials_first(words, values, special)
        values.flags.writeable = False
        self.words: list[str] = words
        self.counts: npt.NDArray[np.int64] = values
        self.special_tokens: tuple[str, ...] = special
        self.unknown: str | None = unknown

    @classmethod
    def build(
        cls,
        corpus: Corpus | str | os.PathLike[str] | Iterable[Any],
        *,
        min_count: int = 5,
        max_size: int | None = None,
        special_tokens: Sequence[str] = (),
        unknown: str | None = None,
        num_threads: int | None = None,
        progress: ProgressCallback | None = None,
    ) -> Vocabulary:
        """Count the words of a corpus and keep the frequent ones.

        Parameters
        ----------
        corpus : Corpus, or what Corpus takes
            Read once, from beginning to end.
        min_count : int, default 5
            Rarer words are left out.
        max_size : int or None
            The most entries to keep, special tokens included; the rarest words go. ``None`` keeps all.
        special_tokens, unknown
            As for :class:`Vocabulary`.
        num_threads : int or None
            Threads that read a file; ``None`` takes every core. The result does not depend on it.
        progress : callable or None
            Gets a :class:`daneo.progress.Progress` now and then.

        Raises
        ------
        ValueError
            No word is left.

        Examples
        --------
        >>> Vocabulary.build(["what time is it", "it is time"], min_count=2).words
        ['is', 'it', 'time']
        """
        from daneo.corpus import Corpus

        corpus = corpus if isinstance(corpus, Corpus) else Corpus(corpus)
        words, counts = corpus.count(num_threads=num_threads, progress=progress)
        return cls.from_counts(
            words, counts, min_count=min_count, max_size=max_size, special_tokens=special_tokens, unknown=unknown
        )

    @classmethod
    def from_counts(
        cls,
        words: Sequence[str],
        counts: npt.ArrayLike,
        *,
        min_count: int = 5,
        max_size: int | None = None,
        special_tokens: Sequence[str] = (),
        unknown: str | None = None,
    ) -> Vocabulary:
        """Keep the frequent ones of words that are counted already: by falling count, equal ones by spelling.

        A special token keeps its id and gets the count of the equal word. The words that are left out count
        for `unknown`, if there is one.

        Parameters
        ----------
        words : sequence of str
            Words in any order, without repeats.
        counts : array-like of int, one for each word
            How often each occurs.
        min_count, max_size, special_tokens, unknown
            As for :meth:`build`.

        Raises
        ------
        ValueError
            No word is left.

        Examples
        --------
        >>> Vocabulary.from_counts(["b", "c", "a"], [2, 1, 2], min_count=1, max_size=2).words
        ['a', 'b']
        """
        every = cls(words, counts, special_tokens=special_tokens, unknown=unknown)
        num_special = len(every.special_tokens)
        if min_count < 1:
            raise ValueError(f"Vocabulary expected min_count of at least 1, got {min_count}. 1 keeps every word.")
        if max_size is not None and max_size <= num_special:
            raise ValueError(f"Vocabulary expected max_size above its {num_special} special tokens, got {max_size}.")
        frequent = np.flatnonzero(every.counts[num_special:] >= min_count) + num_special
        spelled = np.array(sorted(frequent.tolist(), key=every.words.__getitem__), dtype=np.int64)
        ordered = spelled[np.argsort(-every.counts[spelled], kind="stable")]
        if max_size is not None:
            ordered = ordered[: max_size - num_special]
        if ordered.size == 0:
            raise ValueError(_nothing_left(every.counts[num_special:], min_count))
        kept = np.concatenate([np.arange(num_special), ordered])
        totals = every.counts[kept]
        if unknown is not None:
            totals[every.special_tokens.index(unknown)] += every.counts.sum() - totals.sum()
        return cls([every.words[i] for i in kept], totals, special_tokens=every.special_tokens, unknown=unknown)

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
        >>> Vocabulary(["time", "is"]).id("tiem")
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
        >>> Vocabulary(["what", "time", "is", "it"]).one_hot([1, 3]).toarray()
        array([[0., 1., 0., 0.],
               [0., 0., 0., 1.]], dtype=float32)
        """
        from scipy.sparse import csr_array

        columns = checked_ids(ids, len(self))
        ones = np.ones(len(columns), dtype=np.float32)
        return csr_array((ones, columns, np.arange(len(columns) + 1)), shape=(len(columns), len(self)))

    def extended(self, words: Sequence[str], counts: npt.ArrayLike) -> Vocabulary:
        """Return a vocabulary with more words: old ids stay, new words follow, counts of old words are added up.

        Parameters
        ----------
        words : sequence of str
            New and old words, in the order in which the new ones are to follow.
        counts : array-like of int, one for each of `words`
            How often each occurs in the new text.

        Examples
        --------
        >>> more = Vocabulary(["a", "b"], [3, 1]).extended(["b", "c"], [4, 2])
        >>> more.words, more.counts.tolist()
        (['a', 'b', 'c'], [3, 5, 2])
        """
        words = checked_words(words)
        added = checked_counts(counts, len(words))
        index = self.index
        new = np.array([word not in index for word in words], dtype=bool)
        old_ids = np.array([index[word] for word in words if word in index], dtype=np.int64)
        totals = np.concatenate([self.counts, added[new]])
        totals[old_ids] += added[~new]
        every = [*self.words, *(word for word in words if word not in index)]
        return Vocabulary(every, totals, special_tokens=self.special_tokens, unknown=self.unknown)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a readable text file, ``word TAB count`` a line; any word survives, spaces and newlines too."""
        kinds = ["unknown" if token == self.unknown else "special" for token in self.special_tokens]
        write_vocabulary(path, self.words, self.counts, kinds)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Vocabulary:
        """Read the file that :meth:`save` wrote.

        Raises
        ------
        ValueError
            The file is damaged; the message names the line.
        """
        words, counts, kinds = read_vocabulary(path)
        if kinds.count("unknown") > 1:
            raise ValueError(f"{path}: {kinds.count('unknown')} tokens are marked unknown; there can be one.")
        vocabulary = cls.__new__(cls)  # the reader has checked everything that __init__ checks
        counts.flags.writeable = False
        vocabulary.words, vocabulary.counts = words, counts
        vocabulary.special_tokens = tuple(words[: len(kinds)])
        vocabulary.unknown = words[kinds.index("unknown")] if "unknown" in kinds else None
        return vocabulary

    def __len__(self) -> int:
        return len(self.words)

    def __contains__(self, word: object) -> bool:
        return word in self.index

    def __iter__(self) -> Iterator[str]:
        return iter(self.words)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Vocabulary):
            return NotImplemented
        same_tokens = (self.special_tokens, self.unknown) == (other.special_tokens, other.unknown)
        return same_tokens and self.words == other.words and np.array_equal(self.counts, other.counts)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        first = ", ".join(map(repr, self.words[:3])) + (", ..." if len(self) > 3 else "")
        return f"<Vocabulary of {len(self):,} words: {first}>"

    def _missing(self, word: str) -> str:
        near = nearest_spellings(word, self.words, self.index) if isinstance(word, str) else []
        hint = f" Nearest spellings: {', '.join(near)}." if near else ""
        return f"{word!r} is not among the {len(self):,} words of the vocabulary.{hint}"


def _specials_first(
    words: list[str], counts: npt.NDArray[np.int64], special: tuple[str, ...]
) -> tuple[list[str], npt.NDArray[np.int64]]:
    index = {word: i for i, word in enumerate(words) if word in special}
    first = [counts[index[token]] if token in index else 0 for token in special]
    rest = np.ones(len(words), dtype=bool)
    rest[list(index.values())] = False
    kept = [word for word in words if word not in index]
    return [*special, *kept], np.concatenate([np.array(first, dtype=np.int64), counts[rest]])


def _nothing_left(counts: npt.NDArray[np.int64], min_count: int) -> str:
    if counts.size == 0:
        return "The corpus holds no words. Check its path, and that the tokenizer suits its text."
    return (
        f"No word occurs {min_count} times (min_count): the most frequent of {counts.size:,} words "
        f"occurs {counts.max():,} times. Give a smaller min_count or more text."
    )
