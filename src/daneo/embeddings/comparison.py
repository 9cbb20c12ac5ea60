"""Two sets of word vectors side by side: how alike the neighbours of words are, and which words moved most."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from daneo.embeddings.alignment import has_direction, learn_alignment, shared_rows, turned
from daneo.embeddings.nearest import nearest_rows
from daneo.embeddings.row_blocks import Doubles, RowBlocks, unit
from daneo.embeddings.rows import ChosenRows

if TYPE_CHECKING:
    import numpy.typing as npt

    from daneo.embeddings.rows import Ids, Rows
    from daneo.embeddings.word_vectors import WordVectors

NUM_WORDS = 5_000
_PRINTED = 5  # neighbours that str() shows of a word


@dataclass(frozen=True, kw_only=True)
class AlignmentFit:
    """How well a rotation brings the first vectors to the second.

    Attributes
    ----------
    cosine_before, cosine_after : float
        Mean cosine between a word's two vectors, without the rotation and with it.
    found_again : float
        Share of words whose rotated vector has the word's own second vector as its nearest one.
    """

    cosine_before: float
    cosine_after: float
    found_again: float


@dataclass(frozen=True, kw_only=True)
class MovedWord:
    """A word, and where it stands in both sets of vectors.

    Attributes
    ----------
    word : str
    cosine : float
        Between its two vectors, after the first ones were aligned; NaN where they were not.
    overlap : float
        Share of its nearest words in the first vectors that are among those in the second.
    neighbours_a, neighbours_b : tuple of str
        Its nearest words in either, among the words of both, best first.
    """

    word: str
    cosine: float
    overlap: float
    neighbours_a: tuple[str, ...]
    neighbours_b: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ComparisonReport:
    """What :func:`compare` found; ``str()`` of it is a table.

    Attributes
    ----------
    num_words_a, num_words_b, num_shared : int
        Words of the first and of the second vectors, and of both.
    num_compared : int
        Shared words whose neighbours were compared, the most frequent ones.
    topn : int
        Neighbours that were looked at, k.
    overlap : float
        Mean share of a word's k nearest words that both vectors have.
    jaccard : float
        Mean of what both have over what either has, o / (2 - o) for a word's overlap o.
    fit : AlignmentFit or None
        ``None`` where the vectors could not be aligned.
    not_aligned : str or None
        Why they could not.
    moved : tuple of MovedWord
        Words that moved most, those first: of the lowest cosine after alignment; without one, of the lowest overlap.
    """

    num_words_a: int
    num_words_b: int
    num_shared: int
    num_compared: int
    topn: int
    overlap: float
    jaccard: float
    fit: AlignmentFit | None
    not_aligned: str | None
    moved: tuple[MovedWord, ...]

    def facts(self) -> list[tuple[str, int | float]]:
        """Return the figures with their names."""
        found: list[tuple[str, int | float]] = [
            ("words of the first", self.num_words_a),
            ("words of the second", self.num_words_b),
            ("words of both", self.num_shared),
            ("words compared", self.num_compared),
            (f"neighbours in common, of {self.topn}", self.overlap),
            ("neighbours, Jaccard", self.jaccard),
        ]
        if self.fit is not None:
            found += [
                ("cosine before alignment", self.fit.cosine_before),
                ("cosine after alignment", self.fit.cosine_after),
                ("found again after alignment", self.fit.found_again),
            ]
        return found

    def __str__(self) -> str:
        lines = [
            f"{name:32}{value:>12,}" if isinstance(value, int) else f"{name:32}{value:>12.4f}"
            for name, value in self.facts()
        ]
        if self.not_aligned:
            lines.append(f"not aligned: {self.not_aligned}")
        if self.moved:
            lines += ["", f"{'moved most':18}{'cosine':>8}{'overlap':>9}  near it in the first | in the second"]
        lines += [
            f"{one.word:18}{one.cosine:>8.4f}{one.overlap:>9.1%}  "
            f"{', '.join(one.neighbours_a[:_PRINTED])} | {', '.join(one.neighbours_b[:_PRINTED])}"
            for one in self.moved
        ]
        return "\n".join(lines)


def compare(
    a: WordVectors, b: WordVectors, *, topn: int = 10, num_words: int | None = NUM_WORDS, most: int = 20
) -> ComparisonReport:
    """Compare two sets of word vectors by their neighbours, and by their vectors after an alignment.

    Vectors of two trainings, or of two texts, cannot be compared number by number: each training turns the space as it
    likes. Neighbours can; and vectors after one set was rotated onto the other (:meth:`~daneo.WordVectors.aligned_to`).

    Parameters
    ----------
    a, b : WordVectors
        Of any sizes; those of different sizes are not aligned.
    topn : int, default 10
        Neighbours to look at for each word.
    num_words : int or None, default 5000
        Of the words that both have, look at so many, the most frequent ones; ``None`` means all. Neighbours are always
        searched among all words of both, and the alignment is learned from all.
    most : int, default 20
        Words that moved most to name.

    Returns
    -------
    ComparisonReport

    Raises
    ------
    ValueError
        The vectors have fewer than two words in common, or a number is out of range.

    Notes
    -----
    Words without a direction, whose vector is zero or not finite, are left out, as neighbours too.

    Cost: two searches for each word that is compared, in one pass for 256 of them: some seconds for 5,000 words among
    100,000.

    References
    ----------
    Hamilton, Leskovec and Jurafsky 2016, https://aclanthology.org/P16-1141 (alignment, and change as a cosine).
    Gonen et al. 2020, https://aclanthology.org/2020.acl-main.51 (change as few neighbours in common).

    Examples
    --------
    >>> import daneo
    >>> a = daneo.WordVectors(["sea", "sun", "moon"], [[1, 0], [0, 1], [1, 3]])
    >>> b = daneo.WordVectors(["sea", "sun", "moon"], [[0, 2], [-1, 0], [-3, 1]])  # turned by a right angle
    >>> report = compare(a, b, topn=1, most=1)
    >>> report.overlap, round(report.fit.cosine_before, 4), round(report.fit.cosine_after, 4)
    (1.0, 0.0, 1.0)
    """
    for name, value in (("topn", topn), ("num_words", num_words), ("most", most)):
        if value is not None and value < (name != "most"):
            raise ValueError(f"compare expected {name} of at least {int(name != 'most')}, got {value}.")
    rows = shared_rows(a, b)
    rotation, reason = None, None
    try:
        rotation = learn_alignment(a.rows, b.rows, rows)
    except ValueError as error:
        reason = str(error)
    usable = has_direction(a.rows, rows[0]) & has_direction(b.rows, rows[1])
    pair = _Pair(a, b, (rows[0][usable], rows[1][usable]), rotation)
    if len(pair) < 2:
        raise ValueError(
            f"The two sets of vectors share {len(rows[0])} words, {len(pair)} of them with finite vectors other than "
            "0; expected at least two. Are they of the same language and spelling?"
        )
    asked = np.arange(len(pair) if num_words is None else min(num_words, len(pair)))
    near = [pair.nearest(side, asked, topn) for side in (0, 1)]
    common = np.array([len(set(one) & set(other)) for one, other in zip(*near, strict=True)])
    overlap = common / np.array([len(one) for one in near[0]])
    cosines = np.full(len(asked), np.nan) if rotation is None else pair.cosines(asked, aligned=True)
    order = np.argsort(overlap if rotation is None else cosines, kind="stable")[:most]
    return ComparisonReport(
        num_words_a=len(a),
        num_words_b=len(b),
        num_shared=len(rows[0]),
        num_compared=len(asked),
        topn=topn,
        overlap=float(overlap.mean()),
        jaccard=float((overlap / (2 - overlap)).mean()),
        fit=None if rotation is None else pair.fit(asked, cosines),
        not_aligned=reason,
        moved=tuple(
            MovedWord(
                word=pair.spelled([asked[i]])[0],
                cosine=float(cosines[i]),
                overlap=float(overlap[i]),
                neighbours_a=pair.spelled(near[0][i]),
                neighbours_b=pair.spelled(near[1][i]),
            )
            for i in order.tolist()
        ),
    )


class _Pair:
    """The words of both sets that have a direction in both, numbered from the most frequent one on."""

    def __init__(
        self, a: WordVectors, b: WordVectors, rows: tuple[Ids, Ids], rotation: npt.NDArray[np.float32] | None
    ) -> None:
        self._words, self._rows_of_a = a.words, rows[0]
        tables: list[Rows] = [ChosenRows(one.rows, chosen) for one, chosen in zip((a, b), rows, strict=True)]
        self._blocks = [RowBlocks(table) for table in tables]
        self._aligned = None if rotation is None else turned(tables[0], rotation)

    def __len__(self) -> int:
        return len(self._rows_of_a)

    def nearest(self, side: int, asked: Ids, topn: int) -> list[list[int]]:
        """Return the nearest words of each word in one of the sets, without itself."""
        blocks = self._blocks[side]
        num_rows = len(blocks.matrix)
        found = nearest_rows(blocks, unit(blocks.matrix[asked]), min(topn + 1, num_rows), 0, num_rows)
        return [
            [row for row in rows.tolist() if row != own][:topn]
            for own, (rows, _) in zip(asked.tolist(), found, strict=True)
        ]

    def cosines(self, asked: Ids, *, aligned: bool) -> Doubles:
        """Return the cosine between each word's two vectors, float64 (N,)."""
        first = self._aligned if aligned and self._aligned is not None else self._blocks[0].matrix
        cosines: Doubles = np.einsum("nd,nd->n", unit(first[asked]), unit(self._blocks[1].matrix[asked]))
        return cosines

    def fit(self, asked: Ids, cosines: Doubles) -> AlignmentFit:
        """Return how well the alignment fits these words, of which the cosines after it are known."""
        assert self._aligned is not None
        blocks = self._blocks[1]
        nearest = nearest_rows(blocks, unit(self._aligned[asked]), 1, 0, len(blocks.matrix))
        again = [int(rows[0]) == own for own, (rows, _) in zip(asked.tolist(), nearest, strict=True)]
        return AlignmentFit(
            cosine_before=float(self.cosines(asked, aligned=False).mean()),
            cosine_after=float(cosines.mean()),
            found_again=float(np.mean(again)),
        )

    def spelled(self, places: Sequence[int] | Ids) -> tuple[str, ...]:
        """Return the words at these places."""
        return tuple(self._words[row] for row in self._rows_of_a[np.asarray(places, dtype=np.int64)].tolist())
