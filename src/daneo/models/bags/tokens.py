"""Texts cut into tokens, and their distinct tokens ("types") as numbers."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from daneo.corpus import tokenizers
from daneo.corpus.token_counter import LARGEST_BATCH, lay_out
from daneo.corpus.word_table import LOWER_HALF, SURROGATE_PASS, WordTable

if TYPE_CHECKING:
    from daneo.embeddings.subwords.subwords import Subwords

FASTTEXT = "fasttext"  # the tokenizer of Facebook's program: ASCII whitespace, on bytes
END_OF_LINE = "</s>"  # the token that ends each text
TEXTS_AT_ONCE = 1 << 12  # so that a batch of them stays in the caches from one kernel to the next

Ids = npt.NDArray[np.int32]
Bytes = npt.NDArray[np.uint8]


class CutTexts(NamedTuple):
    """Some texts, cut into T tokens.

    Attributes
    ----------
    folded : uint64 array
        The tokens' bytes, somewhere, and two numbers more.
    edges : int32 array of shape (2 T,)
        Where each token starts and ends in them: start, end, start, end.
    ends : int32 array of shape (N,)
        For each text, the number of tokens up to its end.
    """

    folded: npt.NDArray[np.uint64]
    edges: Ids
    ends: Ids


def cut_lines(data: bytes) -> CutTexts:
    """Cut lines, each of which ends with a newline, as Facebook's program does.

    Raises
    ------
    ValueError
        They are longer than 2 GB.
    """
    from daneo.corpus.text_tokens_kernels import find_tokens
    from daneo.models.bags.tokens_kernels import mark_tokens

    size = len(data)
    if size > LARGEST_BATCH:
        raise ValueError(f"Expected texts of at most {LARGEST_BATCH:,} bytes, got {size:,} in a few of them.")
    folded = np.zeros(size // 8 + 3, dtype=np.uint64)
    letters = folded.view(np.uint8)[:size]
    letters[:] = np.frombuffer(data, dtype=np.uint8)
    ends = np.flatnonzero(letters == ord("\n")).astype(np.int32)
    inside, edges = np.empty(size, dtype=np.uint8), np.empty(size + 2, dtype=np.int32)
    mark_tokens(letters, size, inside)
    num_tokens = int(find_tokens(inside, size, ends, len(ends), edges))
    return CutTexts(folded, edges[: 2 * num_tokens], ends)


def cut(texts: Iterable[str], tokenizer: str) -> Iterator[CutTexts]:
    """Cut texts into tokens, some thousands at a time.

    Parameters
    ----------
    texts : iterable of str
    tokenizer : str
        ``"fasttext"``, or a name that :func:`daneo.corpus.tokenizers.get` knows.
    """
    texts = iter(texts)
    cut_some: Callable[[list[str]], CutTexts] = _cut_at_spaces
    if tokenizer != FASTTEXT:
        tokens_of = tokenizers.get(tokenizer)

        def cut_some(some: list[str]) -> CutTexts:
            tokens = [tokens_of(text) for text in some]
            ends = np.cumsum(np.fromiter(map(len, tokens), dtype=np.int32, count=len(tokens)), dtype=np.int32)
            return CutTexts(*lay_out(list(chain.from_iterable(tokens))), ends)

    while some := list(islice(texts, TEXTS_AT_ONCE)):
        yield cut_some(some)


def _cut_at_spaces(texts: list[str]) -> CutTexts:
    lines = "\n".join(texts)
    if lines.count("\n") != len(texts) - 1:  # a newline in a text is a space like others
        lines = "\n".join([text.replace("\n", " ") for text in texts])
    return cut_lines((lines + "\n").encode("utf-8", SURROGATE_PASS))


class TokenTypes:
    """The distinct tokens of some texts by number, G of them, and the texts as such numbers.

    Parameters
    ----------
    texts : iterable of CutTexts
        Read once.

    Attributes
    ----------
    ids : int32 array of shape (T,)
        The number of each token.
    ends : int64 array of shape (N,)
        For each text, the number of tokens up to its end.
    counts : int64 array of shape (G,)
        How often each type occurs. ``</s>``, which ends each text without being among its tokens, is counted too.
    end_of_line : int
        The number of ``</s>``.

    Examples
    --------
    >>> types = TokenTypes(cut(["to be", "not to be"], FASTTEXT))
    >>> types.ids.tolist(), types.ends.tolist(), types.words([2, types.end_of_line]), types.counts.tolist()
    ([0, 1, 2, 0, 1], [2, 5], ['not', '</s>'], [2, 2, 1, 2])
    """

    def __init__(self, texts: Iterable[CutTexts]) -> None:
        self._table = table = WordTable()
        ids, ends, num_tokens = [np.empty(0, np.int32)], [np.empty(0, np.int64)], 0
        for some in texts:
            num_new = len(some.edges) // 2
            table.count(some.folded, some.edges, num_new, 8 * some.folded.size)
            ids.append(some.edges[:num_new].copy())
            ends.append(some.ends.astype(np.int64) + num_tokens)
            num_tokens += num_new
        self.ids, self.ends = np.concatenate(ids), np.concatenate(ends)
        last = lay_out([END_OF_LINE])
        table.count(*last, 1, 8)
        self.end_of_line = int(last[1][0])
        self._places, self.counts = table.entries()
        self.counts[self.end_of_line] += len(self.ends) - 1

    def __len__(self) -> int:
        return len(self.counts)

    def words(self, numbers: npt.ArrayLike) -> list[str]:
        """Spell types by their numbers, int (N,)."""
        from daneo.models.bags.tokens_kernels import spell_types

        places, arena = self._places[np.asarray(numbers, dtype=np.int64)], self._table.arena
        if not len(places):
            return []
        letters = np.empty(int((arena[places] & LOWER_HALF).sum()) + len(places), dtype=np.uint8)
        spell_types(arena, places, letters)
        words = letters.tobytes().decode("utf-8", SURROGATE_PASS).split("\n")[:-1]
        # A token of a tokenizer of one's own may hold a newline.
        return words if len(words) == len(places) else self._table.spell(places)

    def ngram_buckets(self, subwords: Subwords, num_threads: int | None) -> tuple[npt.NDArray[np.int64], Ids]:
        """Return the buckets of the character n-grams of each type, as :meth:`Subwords.of_words` does."""
        from daneo.models.bags.tokens_kernels import join_types

        arena = self._table.arena
        text = np.empty(int((arena[self._places] & LOWER_HALF).sum()), dtype=np.uint8)
        ends = np.empty(len(self), dtype=np.int64)
        size = join_types(arena, self._places, text, ends)
        return subwords.of_text(text[:size], ends, num_threads=num_threads)

    def selected(self, texts: npt.NDArray[np.bool_]) -> TokenTypes:
        """Return some of the texts, bool (N,), as numbers of the same types; counts stay as they are."""
        kept = np.repeat(texts, np.diff(self.ends, prepend=0))
        chosen = copy.copy(self)
        chosen.ids, chosen.ends = self.ids[kept], np.cumsum(np.diff(self.ends, prepend=0)[texts])
        return chosen

    def hashes(self) -> Ids:
        """Return fastText's hash of each type, int32 (G,)."""
        from daneo.models.bags.tokens_kernels import hash_types

        hashes = np.empty(len(self), dtype=np.int32)
        hash_types(self._table.arena, self._places, hashes)
        return hashes

    def begin_with(self, prefix: str) -> npt.NDArray[np.bool_]:
        """Say which types begin with a prefix, bool (G,)."""
        from daneo.models.bags.tokens_kernels import begin_with

        found = np.empty(len(self), dtype=np.uint8)
        letters = np.frombuffer(prefix.encode("utf-8", SURROGATE_PASS), dtype=np.uint8).copy()
        begin_with(self._table.arena, self._places, letters, found)
        return found.view(np.bool_)

    def found_in(self, known: KnownWords) -> Ids:
        """Return the id of each type among known words, int32 (G,); -1 where it is none of them."""
        from daneo.models.bags.tokens_kernels import find_types

        ids = np.empty(len(self), dtype=np.int32)
        find_types(known.table.slots, known.table.arena, self._table.arena, self._places, ids)
        return ids


class KnownWords:
    """A vocabulary in which types are found without spelling them.

    Parameters
    ----------
    words : sequence of str
        All different; the id of each is its place.
    """

    def __init__(self, words: Sequence[str]) -> None:
        self.table = WordTable()
        folded, edges = lay_out(list(words))
        self.table.count(folded, edges, len(words), 8 * folded.size)
