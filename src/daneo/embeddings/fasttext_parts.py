"""What FastText's words are made of: rows of their own, and rows of n-grams that they share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from daneo.embeddings.word2vec_matrices import Floats, initial_vectors, padded_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from daneo.embeddings.rows import Rows
    from daneo.embeddings.subwords.subwords import Subwords
    from daneo.embeddings.word2vec_training import Ends, Ids, Piece

LONGEST_PIECE, SHORTEST_PIECE = 512, 16  # words of the text that are trained on between two visits to their parts
_BOLDNESS, _MOST_BOLDNESS = 10.0, 60.0  # of all words together, and of any one: see piece_size
_ROWS_AT_ONCE = 1 << 14


@dataclass(frozen=True)
class Parts:
    """Which input rows each of V words is the mean of. Words' own rows come first, then one for each bucket in use.

    Attributes
    ----------
    starts : int64 array of shape (V + 1,)
        Word w is made of ``rows[starts[w] : starts[w + 1]]``.
    rows : int32 array of shape (total,)
        A word's own row first; an n-gram that comes twice in a word is there twice.
    buckets : int32 array of shape (U,), rising
        The bucket that row V + i is of.
    shares : float32 array of shape (V,)
        What share of a word's change goes to each of its parts: see word_parts_reference.py.
    """

    starts: npt.NDArray[np.int64]
    rows: npt.NDArray[np.int32]
    buckets: npt.NDArray[np.int32]
    shares: npt.NDArray[np.float32]

    @property
    def num_words(self) -> int:
        """V."""
        return len(self.starts) - 1

    @property
    def num_rows(self) -> int:
        """V + U."""
        return self.num_words + len(self.buckets)


def parts_of(
    words: Sequence[str], subwords: Subwords, *, also: npt.NDArray[np.int32] | None = None, num_threads: int | None
) -> Parts:
    """Return the parts of words; the buckets in `also` get rows even if no word has them.

    Examples
    --------
    >>> from daneo.embeddings.subwords.subwords import Subwords
    >>> parts = parts_of(["sea", "a"], Subwords(num_buckets=100, max_ngram=3), num_threads=1)
    >>> parts.buckets.tolist(), parts.starts.tolist(), parts.rows.tolist()
    ([0, 20, 75, 95], [0, 4, 6], [0, 4, 3, 5, 1, 2])
    """
    from daneo.embeddings.word_parts_kernels import give_shares

    starts, used = subwords.of_words(words, num_threads=num_threads)
    buckets, place = np.unique(used, return_inverse=True)
    if also is not None:
        together = np.union1d(also, buckets)
        place = np.searchsorted(together, buckets)[place]
        buckets = together
    starts = starts + np.arange(len(words) + 1)
    if starts[-1] > np.iinfo(np.int32).max:
        raise ValueError(
            f"{len(words)} words have {starts[-1]} parts, more than 32-bit numbers can count. Raise min_count or "
            "min_ngram, or lower max_ngram."
        )
    rows = np.empty(starts[-1], np.int32)
    is_own = np.zeros(len(rows), bool)
    is_own[starts[:-1]] = True
    rows[is_own] = np.arange(len(words))
    rows[~is_own] = place + len(words)
    shares = np.empty(len(words), np.float32)
    give_shares(starts, rows, shares)
    return Parts(starts, rows, buckets.astype(np.int32), shares)


def first_rows(parts: Parts, vector_size: int, seed: int, *, first: int = 0) -> Floats:
    """Return rows to begin with, padded: uniform numbers from -1/D to 1/D, as fastText begins.

    `first` is the number of words that there were before: what is added then draws other numbers than they did.
    """
    # Rows are drawn as if words and n-grams were one list; those that exist already are overwritten.
    return initial_vectors(parts.num_rows, vector_size, seed if not first else hash_seed(seed, first), scale=1.0)


def hash_seed(seed: int, first: int) -> int:
    """Return a seed for rows that are added after the first `first` words."""
    return int(np.random.SeedSequence([seed, first]).generate_state(1, np.uint64)[0])


def grown_rows(
    before: npt.NDArray[np.int32], own: Rows, ngrams: Rows, parts: Parts, vector_size: int, seed: int
) -> Floats:
    """Return padded rows for `parts` in which old words and n-grams have the rows that they had.

    Parameters
    ----------
    before : int32 array of shape (U,)
        The bucket of each row of `ngrams`.
    own, ngrams : Rows of shape (V', D) and (U, D)
        The old words', which are the first of `parts`, and the old n-grams' rows.
    """
    inputs = first_rows(parts, vector_size, seed, first=len(own))
    places = [(np.arange(len(own)), own), (parts.num_words + np.searchsorted(parts.buckets, before), ngrams)]
    for to, rows in places:
        for start in range(0, len(to), _ROWS_AT_ONCE):
            some = slice(start, start + _ROWS_AT_ONCE)
            inputs[to[some], :vector_size] = rows[some]
    return inputs


class PartRows:
    """Rows of words' parts: the inputs of FastText.

    A stretch of text is trained in pieces. For a piece each of its words gets the mean of its parts, which is trained
    as in word2vec, and what it has changed by goes to the parts. A word that comes again in the piece costs no more
    than in word2vec; longer pieces are faster, but words with the same parts learn of each other later.

    Parameters
    ----------
    parts : Parts
        What words are made of.
    rows : float32 array of shape (parts.num_rows + 1, width)
        The rows to begin with, padded.
    position_weights : float32 array of shape (2 * window + 1, width), or None
        Weights of places in the window, padded.
    piece, share : int and float
        Words of the text in a piece, and the share of their changes that goes to parts: see :func:`piece_size`.
    num_threads : int
        How many threads ask for pieces.
    """

    def __init__(
        self,
        parts: Parts,
        rows: Floats,
        position_weights: Floats | None,
        *,
        piece: int,
        share: float = 1.0,
        num_threads: int,
    ) -> None:
        self.parts, self.rows, self.position_weights = parts, rows, position_weights
        self.learned = {} if position_weights is None else {"position_weights": position_weights}
        self._weights = np.zeros((0, rows.shape[1]), np.float32) if position_weights is None else position_weights
        self._piece, self._shares = piece, parts.shares * np.float32(share)
        self._threads = [_Means(piece, parts.num_words, rows.shape[1]) for _ in range(num_threads)]

    def pieces(self, thread: int, kept: Ids, ends: Ends) -> Iterator[Piece]:
        """See `daneo.embeddings.word2vec_training.Inputs`."""
        from daneo.embeddings.word_parts_kernels import give_changes, take_means

        mine, parts = self._threads[thread], (self.rows, self.parts.starts, self.parts.rows)
        arrays = mine.row_of, mine.words, mine.means, mine.before
        for first, stops in pieces_of(ends, self._piece):
            words = kept[first:]
            num_words = take_means(words, stops[-1], *parts, *arrays)
            yield words, stops, mine.means, mine.row_of, mine.row_of, self._weights
            give_changes(num_words, *parts, self._shares, *arrays)


class _Means:
    """What one thread needs for a piece: see word_parts_reference.py."""

    def __init__(self, piece: int, num_words: int, width: int) -> None:
        num_rows = min(piece, num_words)
        self.means, self.before = padded_rows(num_rows, width), padded_rows(num_rows, width)
        self.words = np.zeros(num_rows, np.int32)
        self.row_of = np.full(num_words, num_rows, np.int32)


def piece_size(parts: Parts, kept: npt.NDArray[np.float64], step: float) -> tuple[int, float]:
    """Return how many words of the text may be trained on before what they have learned goes to their parts.

    Where even the shortest piece is too long, only a share of what was learned may go to them, which is returned too.

    Words of a piece that share parts move them without knowing of each other, all in the same direction if they are
    alike. If they are many, the sum of their changes goes too far and training diverges. A word w of the text that is
    changed by 1 changes the mean of another word v by the share s[w] times the sum over their common parts p of
    m[w, p] m[v, p] / N[v]. Over a piece of n words that adds up to n times

        gain[v] = sum over p of m[v, p] / N[v] * (sum over w of f[w] s[w] m[w, p]) - f[v],

    where f[w] is how large a part of the text is w. A piece is safe where n * step times the gain is well below what
    makes texts diverge in which all words are alike, or a few: its mean over the text, and, less strictly, its largest
    value. tests/embeddings/test_fasttext_pieces.py has such texts.

    Parameters
    ----------
    parts : Parts
    kept : float64 array of shape (V,)
        How often each word is trained on.
    step : float
        Learning rate times predictions of a center: what moves a word at one place in the text.
    """
    share = kept / kept.sum()
    counts = np.diff(parts.starts)
    moved = np.bincount(parts.rows, np.repeat(share * parts.shares, counts), parts.num_rows)
    gains = np.add.reduceat(moved[parts.rows], parts.starts[:-1]) / counts - share
    bold = step * max(float(gains @ share) / _BOLDNESS, float(gains.max()) / _MOST_BOLDNESS)
    if bold * LONGEST_PIECE <= 1:
        return LONGEST_PIECE, 1.0
    return max(int(1 / bold), SHORTEST_PIECE), min(1.0, 1 / (bold * SHORTEST_PIECE))


def pieces_of(ends: Ends, size: int) -> Iterator[tuple[int, Ends]]:
    """Cut documents into pieces of up to `size` words, between two documents where there is one to cut at.

    Yields
    ------
    first : int
        Where the piece begins.
    stops : int64 array
        Where its documents end, counted from there.

    Examples
    --------
    >>> [(first, stops.tolist()) for first, stops in pieces_of(np.array([1000, 2500]), 2000)]
    [(0, [1000]), (1000, [1500])]
    >>> [(first, stops.tolist()) for first, stops in pieces_of(np.array([5000]), 2000)]
    [(0, [2000]), (2000, [2000]), (4000, [1000])]
    """
    first, at = 0, 0
    while at < len(ends):
        stop = int(np.searchsorted(ends, first + size, side="right"))
        if stop == at:  # a document that is longer than a piece
            yield first, np.array([size])
            first += size
            continue
        yield first, ends[at:stop] - first
        first, at = int(ends[stop - 1]), stop
