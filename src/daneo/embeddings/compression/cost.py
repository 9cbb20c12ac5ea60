"""What making vectors smaller costs: how near the new ones are to the old ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from daneo.embeddings.compression.model_size import ModelSize, size_of
from daneo.embeddings.compression.word_samples import NUM_SAMPLED, WordSample, word_samples
from daneo.embeddings.evaluation_files import KnownWords
from daneo.embeddings.nearest import nearest_rows
from daneo.embeddings.row_blocks import Doubles, RowBlocks, unit
from daneo.embeddings.rows import ChosenRows
from daneo.embeddings.subword_vectors import SubwordVectors

if TYPE_CHECKING:
    from daneo.embeddings.rows import Ids, Rows
    from daneo.embeddings.word_vectors import WordVectors

Judged = tuple[str, str, float]
"""Two words and how alike people find them."""

NUM_PAIRS = 20_000
NUM_NEIGHBOURS = 10
NUM_QUERIES = 200


@dataclass(frozen=True, kw_only=True)
class WordCost:
    """How near the vectors of some words are to what they were.

    Attributes
    ----------
    name : {"kept words", "dropped words", "misspelt words"}
        Misspelt ones are words of the vocabulary with two letters swapped, which it does not hold.
    num_words : int
        How many were compared, drawn by chance. Those that had a zero vector are left out.
    cosine : float
        Mean cosine between the old and the new vector.
    pairs : float
        Spearman's correlation of the old and the new cosines of 20,000 random pairs; NaN if there are no two words.
    neighbours : float
        Share of the ten nearest kept words that are the same, over 200 of the words; NaN if there are none.
    """

    name: str
    num_words: int
    cosine: float
    pairs: float
    neighbours: float


@dataclass(frozen=True, kw_only=True)
class SimilarityCost:
    """How well cosines agree with people's judgements, before and after; both over the same pairs.

    Attributes
    ----------
    name : str
        The file's name.
    spearman_before, spearman_after : float
        Spearman's correlation; NaN if there are no two pairs.
    num_pairs, num_left_out : int
        Pairs that were compared; those that the old or the new vectors have no vector for.
    """

    name: str
    spearman_before: float
    spearman_after: float
    num_pairs: int
    num_left_out: int

    @property
    def share(self) -> float:
        """What is left of the correlation; NaN if there was none."""
        return self.spearman_after / self.spearman_before if self.spearman_before else float("nan")


@dataclass(frozen=True, kw_only=True)
class CompressionReport:
    """What :func:`~daneo.embeddings.compression.compressing.compress` saved and what it cost; ``str()`` is a table.

    Attributes
    ----------
    before, after : ModelSize
    words : tuple of WordCost
        Kept words; where there are n-grams also words that were dropped, and misspelt ones.
    similarities : tuple of SimilarityCost
        One for each file that was given.
    """

    before: ModelSize
    after: ModelSize
    words: tuple[WordCost, ...]
    similarities: tuple[SimilarityCost, ...]

    def __str__(self) -> str:
        lines = [f"{'':22}{'before':>14}{'after':>14}{'share':>9}"]
        lines += [f"{name:22}{old:>14,}{new:>14,}{new / old if old else 1:>9.1%}" for name, old, new in self.sizes()]
        lines += ["", f"{'near to before':22}{'words':>8}{'cosine':>10}{'pairs':>10}{'neighbours':>12}"]
        lines += [
            f"{one.name:22}{one.num_words:>8,}{one.cosine:>10.4f}{one.pairs:>10.4f}{one.neighbours:>12.1%}"
            for one in self.words
        ]
        if self.similarities:
            lines += ["", f"{'Spearman':22}{'pairs':>8}{'before':>10}{'after':>10}{'share':>12}"]
        lines += [
            f"{one.name:22}{one.num_pairs:>8,}{one.spearman_before:>10.4f}{one.spearman_after:>10.4f}{one.share:>12.1%}"
            for one in self.similarities
        ]
        return "\n".join(lines)

    def sizes(self) -> list[tuple[str, int, int]]:
        """Return what there is, before and after: words, rows of n-grams, and bytes of rows, in memory and in files."""
        return [
            ("words", self.before.num_words, self.after.num_words),
            ("rows of n-grams", self.before.num_ngrams, self.after.num_ngrams),
            ("bytes of rows", self.before.row_bytes, self.after.row_bytes),
            ("bytes in memory", self.before.memory_bytes, self.after.memory_bytes),
            ("bytes in files", self.before.file_bytes, self.after.file_bytes),
        ]


def measure_cost(
    old: WordVectors,
    new: WordVectors,
    kept: Ids,
    similarities: Sequence[tuple[str, list[Judged]]] = (),
    *,
    seed: int = 1,
) -> CompressionReport:
    """Compare vectors with what they were.

    Parameters
    ----------
    old, new : WordVectors
        Before and after; a word of `new` is one of `old`.
    kept : int64 array of shape (V',)
        The rows of `old` that the words of `new` had.
    similarities : sequence of pairs
        Names, and the word pairs that :func:`~daneo.embeddings.similarity_sets.read_similarities` read.
    seed : int, default 1
        Draws the words and pairs.
    """
    rng = np.random.default_rng(seed)
    blocks = RowBlocks(ChosenRows(old.rows, kept)), RowBlocks(new.rows)
    return CompressionReport(
        before=size_of(old),
        after=size_of(new),
        words=tuple(_word_cost(sample, blocks, rng) for sample in word_samples(old, new, kept, rng)),
        similarities=tuple(_similarity_cost(*one, old, new) for one in similarities),
    )


def mean_cosine(old: Rows, new: Rows) -> float:
    """Return the mean cosine between old and new vectors, (V, D) each, of the first 5,000 that are no zero vectors."""
    before, after = (unit(rows[:NUM_SAMPLED]) for rows in (old, new))
    usable = np.isfinite(before).all(axis=1) & before.any(axis=1)
    return float((before * after).sum(axis=1)[usable].mean()) if usable.any() else float("nan")


def _word_cost(sample: WordSample, blocks: tuple[RowBlocks, RowBlocks], rng: np.random.Generator) -> WordCost:
    before, after = unit(sample.old), unit(sample.new)
    usable = np.isfinite(before).all(axis=1) & before.any(axis=1)
    before, after, ids = before[usable], after[usable], sample.kept_ids[usable]
    one, other = rng.integers(0, max(1, len(before)), (2, NUM_PAIRS))
    distinct = (one != other) & (len(before) > 0)
    one, other = one[distinct], other[distinct]
    return WordCost(
        name=sample.name,
        num_words=len(before),
        cosine=float((before * after).sum(axis=1).mean()) if len(before) else float("nan"),
        pairs=spearman((before[one] * before[other]).sum(axis=1), (after[one] * after[other]).sum(axis=1)),
        neighbours=_same_neighbours(blocks, before[:NUM_QUERIES], after[:NUM_QUERIES], ids[:NUM_QUERIES]),
    )


def _same_neighbours(blocks: tuple[RowBlocks, RowBlocks], before: Doubles, after: Doubles, ids: Ids) -> float:
    """Return the share of neighbours that are the same; `ids` (Q,) are the words' own rows, not to be counted."""
    num_rows = len(blocks[0].matrix)
    count = min(NUM_NEIGHBOURS + 1, num_rows)  # one more, for the word itself
    found = [nearest_rows(*one, count, 0, num_rows) for one in zip(blocks, (before, after), strict=True)]
    shares = []
    for own, (old, _), (new, _) in zip(ids.tolist(), *found, strict=True):
        near = [[row for row in rows.tolist() if row != own][:NUM_NEIGHBOURS] for rows in (old, new)]
        if near[0]:
            shares.append(len(set(near[0]) & set(near[1])) / len(near[0]))
    return float(np.mean(shares)) if shares else float("nan")


def _similarity_cost(name: str, pairs: list[Judged], old: WordVectors, new: WordVectors) -> SimilarityCost:
    known = KnownWords(old.words, len(old), case_insensitive=True)

    def spelled(word: str) -> str | None:
        """The word as the vectors before and after can both be asked for it."""
        number = known.find(word)
        found = word if number is None else old.words[number]
        has_any = isinstance(new, SubwordVectors)  # and so has the old one
        return found if has_any or found in new else None

    found = [(spelled(one), spelled(other), score) for one, other, score in pairs]
    both = [(one, other, score) for one, other, score in found if one is not None and other is not None]
    judged = np.array([score for *_, score in both])
    agreements = [spearman(judged, _cosines(vectors, [pair[:2] for pair in both])) for vectors in (old, new)]
    return SimilarityCost(
        name=name,
        spearman_before=agreements[0],
        spearman_after=agreements[1],
        num_pairs=len(both),
        num_left_out=len(pairs) - len(both),
    )


def _cosines(vectors: WordVectors, pairs: list[tuple[str, str]]) -> Doubles:
    if not pairs:
        return np.empty(0)
    ones, others = (unit(vectors[list(words)]) for words in zip(*pairs, strict=True))
    cosines: Doubles = (ones * others).sum(axis=1)
    return cosines


def spearman(one: Doubles, other: Doubles) -> float:
    """Return Spearman's rank correlation of float64 arrays (N,); NaN where one is constant or N is below 2."""
    if len(one) < 2 or np.ptp(one) == 0 or np.ptp(other) == 0:
        return float("nan")
    from scipy import stats

    return float(stats.spearmanr(one, other).statistic)
