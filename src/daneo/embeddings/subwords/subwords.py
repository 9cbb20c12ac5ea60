"""Which n-grams a word has, and into which buckets they are hashed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from daneo.corpus.ordered_threads import checked_threads, ordered
from daneo.embeddings.subwords import ngram_hashes_reference as reference
from daneo.settings import check, opt

# NumPy is imported where it is used: the command line reads these settings to show its help, and needs nothing else.
if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

KINDS = ("characters", "jamo")
LARGEST = 2**31 - 1  # what fastText's files can say
WORDS_AT_ONCE = 1 << 14


@dataclass(frozen=True, kw_only=True)
class Subwords:
    """Which n-grams a word has, and into which buckets they are hashed.

    A word is read as ``<word>``, so that its beginning and its end show. With ``kind="characters"`` its n-grams are all
    runs of `min_ngram` to `max_ngram` characters, but not a lone ``<`` or ``>``: exactly those of fastText.

    With ``kind="jamo"`` each Hangul syllable is first written as three letters, its lead, its vowel and its final
    consonant, where :data:`daneo.corpus.hangul.NO_FINAL` stands for one that is not there. The n-grams are then all
    runs of `min_jamo` to `max_jamo` letters, also across syllables and with ``<`` and ``>``, and all runs of
    `min_ngram` to `max_ngram` whole syllables that are longer than `max_jamo` letters, without ``<`` and ``>``.

    Parameters
    ----------
    kind : {"characters", "jamo"}
        What n-grams are made of.
    min_ngram, max_ngram : int, default 3 and 6
        Shortest and longest n-gram, in characters; for jamo, in syllables, where Park et al. take 1 and 4, as
        :class:`daneo.FastText` does. A `max_ngram` of 0 means none of these.
    num_buckets : int, default 2,000,000
        An n-gram's bucket is its hash modulo this. 0 means no n-grams at all.
    min_jamo, max_jamo : int, default 3 and 5
        Shortest and longest n-gram of letters, for ``kind="jamo"`` alone. A `max_jamo` of 0 means none of these.

    Raises
    ------
    TypeError, ValueError
        A value has the wrong type or is out of bounds, or a shortest n-gram is longer than the longest.

    Notes
    -----
    The hash is fastText's: FNV-1a in 32 bits over UTF-8, in which a byte above 127 counts as a negative number and
    fills the upper bits with its sign. ``</s>``, fastText's mark for the end of a line, has no n-grams. A shortest
    n-gram of 0 means 1, as in fastText.

    A character is a code point. Bytes that were no UTF-8 when a word was read, and so are lone surrogates in it
    (``errors="surrogateescape"``), are themselves again, and continue a character where such bytes do in UTF-8. Any
    other lone surrogate is written with the three bytes that UTF-8 would have for it.

    Differences from the program of Park et al., which is about words that are Hangul throughout:

    - It wants a text in which each syllable is spelled out already, with the Latin letter ``e`` for a missing final
      consonant, which is then one with a real ``e``. Here words stay words, and the mark is a private character; so the
      hashes of n-grams with this mark are others, and models of that program cannot be used.
    - It looks at the byte before the word's first, which may be anything; if it is a letter, all n-grams of syllables
      start in the wrong place.
    - Where a syllable starts it finds by counting to three. A Latin letter counts as three, but not ``e``, nor a digit,
      punctuation or any other letter: after the ``3`` of ``3월달`` its n-grams start inside of syllables. Here each
      character that is no Hangul syllable counts as one, also a jamo that stands alone, as in ``ㅋㅋ``.
    - The lengths of its n-grams of syllables are multiples of three letters, also where a Latin letter is among them,
      so that they end inside of syllables. Here they are whole, always.
    - A jamo that stands alone it writes as three letters, ``ㅋee``. Here it stays one letter, so that ``ㅎㅏㄴ``, typed
      letter by letter, has the n-grams of ``한``.
    - It ignores the shortest length of n-grams of syllables, which is a `min_ngram` of 1 here.

    Conjoining jamo, as the ``korean`` tokenizer writes the ending ``ᆫ다``, count as the jamo that people type. Bring a
    text in Unicode's form NFD, which is made of them, to NFC all the same: here they make no syllables.

    References
    ----------
    Bojanowski, Grave, Joulin, Mikolov (2017), Enriching Word Vectors with Subword Information, TACL 5, section 3.2.
    Park, Byun, Baek, Cho, Oh (2018), Subword-level Word Vector Representations for Korean, ACL, P18-1226, section 3.

    Examples
    --------
    >>> subwords = Subwords(min_ngram=3, max_ngram=4, num_buckets=1000)
    >>> subwords.ngrams("where")
    ['<wh', '<whe', 'whe', 'wher', 'her', 'here', 'ere', 'ere>', 're>']
    >>> subwords.buckets("where").tolist()
    [652, 715, 941, 621, 420, 811, 33, 469, 498]
    >>> Subwords(kind="jamo", min_ngram=1, min_jamo=5).ngrams("3월달")
    ['<3ㅇㅝㄹ', '3ㅇㅝㄹㄷ', '3ㅇㅝㄹㄷㅏㄹ', 'ㅇㅝㄹㄷㅏ', 'ㅇㅝㄹㄷㅏㄹ', 'ㅝㄹㄷㅏㄹ', 'ㄹㄷㅏㄹ>']
    """

    kind: str = opt("characters", "what n-grams are made of", choices=KINDS)
    min_ngram: int = opt(3, "shortest n-gram, in characters (jamo: in syllables)", minimum=0, maximum=LARGEST)
    max_ngram: int = opt(6, "longest n-gram, in characters (jamo: in syllables); 0: none", minimum=0, maximum=LARGEST)
    num_buckets: int = opt(2_000_000, "rows that n-grams are hashed into; 0: no n-grams", minimum=0, maximum=LARGEST)
    min_jamo: int = opt(3, "shortest n-gram of jamo, in jamo", minimum=0, maximum=LARGEST)
    max_jamo: int = opt(5, "longest n-gram of jamo, in jamo; 0: none", minimum=0, maximum=LARGEST)

    def __post_init__(self) -> None:
        check(self)
        for shortest, longest in (("min_ngram", "max_ngram"), ("min_jamo", "max_jamo")):
            low, high = getattr(self, shortest), getattr(self, longest)
            if low > high > 0:
                raise ValueError(
                    f"Subwords({shortest}=...) expected at most {longest}, {high}; got {low}. "
                    f"{longest}=0 means no such n-grams."
                )

    def ngrams(self, word: str) -> list[str]:
        """Return the n-grams of a word.

        Parameters
        ----------
        word : str
            Any string.

        Returns
        -------
        list of str
            In fastText's order, by their first letter and then by length, with the repeats. Those of jamo are spelled
            out; :func:`daneo.corpus.hangul.compose` puts their whole syllables together.
        """
        return [text.decode("utf-8", "surrogateescape") for text in self._ngrams(word)]

    def buckets(self, word: str) -> npt.NDArray[np.int32]:
        """Return the bucket of each n-gram of a word, int32 (N,), as :meth:`ngrams` lists them.

        This is for a word now and then: :meth:`of_words` is a hundred times as fast, once it is compiled.
        """
        import numpy as np

        return np.array([reference.fnv1a(text) % self.num_buckets for text in self._ngrams(word)], dtype=np.int32)

    def of_words(
        self, words: Sequence[str], *, num_threads: int | None = None
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]:
        """Return the buckets of many words' n-grams.

        Parameters
        ----------
        words : sequence of str of length V
            Any strings.
        num_threads : int or None, default None
            Threads; ``None`` means one a core, 8 at most. The result does not depend on them.

        Returns
        -------
        starts : int64 array of shape (V + 1,)
            The buckets of word i are ``buckets[starts[i]:starts[i + 1]]``.
        buckets : int32 array of shape (total,)
            The buckets of each word, as :meth:`buckets` gives them.

        Examples
        --------
        >>> starts, buckets = Subwords(num_buckets=100, max_ngram=3).of_words(["sea", "</s>", "a"])
        >>> starts.tolist(), buckets.tolist()
        ([0, 3, 3, 4], [75, 20, 95, 0])
        """
        import numpy as np

        encoded = [as_bytes(word) for word in words] if self.num_buckets else [b""] * len(words)
        ends = np.cumsum(np.fromiter(map(len, encoded), dtype=np.int64, count=len(words)))
        return self.of_text(np.frombuffer(b"".join(encoded), dtype=np.uint8), ends, num_threads=num_threads)

    def of_text(
        self, text: npt.NDArray[np.uint8], ends: npt.NDArray[np.int64], *, num_threads: int | None = None
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]:
        """Return the buckets of the n-grams of words that are bytes already, as :meth:`of_words` does.

        Parameters
        ----------
        text : uint8 array
            All words, one after the other, in UTF-8.
        ends : int64 array of shape (V,)
            Where each ends.
        num_threads : int or None, default None
            As for :meth:`of_words`.
        """
        import numpy as np

        num_words, num_threads = len(ends), checked_threads(num_threads)
        starts, empty = np.zeros(num_words + 1, dtype=np.int64), np.empty(0, dtype=np.int32)
        if not self.num_buckets:
            return starts, empty
        from daneo.embeddings.subwords.ngram_hashes_kernels import hash_ngrams

        text = text.view()
        text.flags.writeable = False  # for Numba another type than an array that can be written to

        def hash_into(buckets: npt.NDArray[np.int32]) -> None:
            def hash_some(first: int) -> None:
                stop = min(first + WORDS_AT_ONCE, num_words)
                hash_ngrams(text, ends, first, stop, self.num_buckets, *self._lengths(), starts, buckets)

            for _ in ordered(hash_some, range(0, num_words, WORDS_AT_ONCE), num_threads):
                pass

        hash_into(empty)  # only counts them
        np.cumsum(starts, out=starts)
        buckets = np.empty(starts[-1], dtype=np.int32)
        if buckets.size:
            hash_into(buckets)
        return starts, buckets

    def ngrams_in(self, buckets: npt.ArrayLike, words: Sequence[str]) -> Iterator[tuple[int, str]]:
        """Yield which n-grams of some words fall into some buckets: what a bucket's row stands for.

        Parameters
        ----------
        buckets : int array of shape (N,)
            The buckets asked for, in any order.
        words : sequence of str
            Such as a vocabulary, most frequent words first.

        Yields
        ------
        bucket : int
        ngram : str
            As :meth:`ngrams` spells it. Each comes once, in the order of the words; different ones may share a bucket.

        Notes
        -----
        All words are hashed, compiled, some thousands at a time, so memory does not grow with the vocabulary: it holds
        what was yielded. Then those words are spelled that have an n-gram in a bucket asked for, in plain Python.

        Examples
        --------
        >>> list(Subwords(num_buckets=100, max_ngram=3).ngrams_in([95, 20], ["sea", "tea"]))
        [(20, 'sea'), (95, 'ea>')]
        """
        import numpy as np

        wanted, seen = np.unique(np.asarray(buckets, dtype=np.int64)), set[bytes]()
        for first in range(0, len(words), WORDS_AT_ONCE):
            some = words[first : first + WORDS_AT_ONCE]
            starts, found = self.of_words(some)
            places = np.flatnonzero(np.isin(found, wanted))
            owners = np.searchsorted(starts, places, side="right") - 1
            spelled, owner = list[bytes](), -1
            for place, number in zip(places.tolist(), owners.tolist(), strict=True):
                if number != owner:
                    spelled, owner = self._ngrams(some[number]), number
                ngram = spelled[place - int(starts[number])]
                if ngram not in seen:
                    seen.add(ngram)
                    yield int(found[place]), ngram.decode("utf-8", "surrogateescape")

    def _ngrams(self, word: str) -> list[bytes]:
        return reference.ngrams(as_bytes(word), *self._lengths()) if self.num_buckets else []

    def _lengths(self) -> tuple[bool, int, int, int, int]:
        """What the reference and the kernels are told: is it jamo, then the lengths of letters and of syllables."""
        if self.kind == "jamo":
            return True, self.min_jamo, self.max_jamo, self.min_ngram, self.max_ngram
        return False, self.min_ngram, self.max_ngram, 0, 0


def as_bytes(word: str) -> bytes:
    """Return a word as UTF-8; bytes that were no UTF-8 when it was read are themselves again."""
    try:
        return word.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        # A lone surrogate that stands for no byte, as only a Python string can hold.
        return b"".join(
            character.encode("utf-8", "surrogateescape" if "\udc80" <= character <= "\udcff" else "surrogatepass")
            for character in word
        )
