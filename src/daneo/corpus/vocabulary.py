"""The words that a model knows, each with an id and a count; a word as a one-hot row."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from daneo.corpus.vocabulary_checks import checked_counts, checked_words, specials_first
from daneo.corpus.vocabulary_file import read_vocabulary, write_vocabulary
from daneo.corpus.vocabulary_selection import frequent_ids
from daneo.corpus.word_ids import WordIds
from daneo.progress import ProgressCallback

if TYPE_CHECKING:
    from daneo.corpus import Corpus


class Vocabulary(WordIds):
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
            words, values = specials_first(words, values, special)
        super().__init__(words, unknown)
        values.flags.writeable = False
        self.counts: npt.NDArray[np.int64] = values
        self.special_tokens: tuple[str, ...] = special

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
        ordered = frequent_ids(every.words, every.counts, num_special, min_count, max_size)
        kept = np.concatenate([np.arange(num_special), ordered])
        totals = every.counts[kept]
        if unknown is not None:
            totals[every.special_tokens.index(unknown)] += every.counts.sum() - totals.sum()
        return cls([every.words[i] for i in kept], totals, special_tokens=every.special_tokens, unknown=unknown)

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

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Vocabulary):
            return NotImplemented
        same_tokens = (self.special_tokens, self.unknown) == (other.special_tokens, other.unknown)
        return same_tokens and self.words == other.words and np.array_equal(self.counts, other.counts)

    __hash__ = None  # type: ignore[assignment]
