"""Word pairs with people's judgements of their similarity, such as WordSim-353: how well the cosines agree."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from daneo.embeddings.evaluation_files import KnownWords, numbered_lines
from daneo.embeddings.row_blocks import Doubles, unit
from daneo.embeddings.rows import Floats, Rows

_NUMBERS_AT_ONCE = 1 << 20  # of the pairs' vectors: rows may be as long as the vocabulary


@dataclass(frozen=True, kw_only=True)
class SimilarityResult:
    """What :meth:`daneo.WordVectors.evaluate_similarities` found; ``str()`` of it is one line.

    Attributes
    ----------
    name : str
        The file's name.
    spearman, pearson : float
        Correlation of the cosines with the judgements, by rank and by value; NaN if either side is constant.
    spearman_pvalue, pearson_pvalue : float
        Two-sided: how likely a correlation this far from 0 is by chance.
    num_pairs : int
        Pairs that were compared.
    num_left_out : int
        Pairs with a word that is unknown, or whose vector is not finite.
    num_unseen : int
        Pairs among `num_pairs` with a word that was never seen, whose n-grams stand for it.
    """

    name: str
    spearman: float
    spearman_pvalue: float
    pearson: float
    pearson_pvalue: float
    num_pairs: int
    num_left_out: int
    num_unseen: int = 0

    def __str__(self) -> str:
        return (
            f"{self.name}: Spearman {self.spearman:.4f} (p = {self.spearman_pvalue:.2g}), "
            f"Pearson {self.pearson:.4f} (p = {self.pearson_pvalue:.2g}), "
            f"{self.num_pairs} pairs, "
            + (f"{self.num_unseen} of them with unseen words, " if self.num_unseen else "")
            + f"{self.num_left_out} left out"
        )


def evaluate_similarities(
    path: Path,
    words: Sequence[str],
    matrix: Rows,
    limit: int,
    *,
    case_insensitive: bool,
    unseen: Callable[[str], Floats] | None = None,
) -> SimilarityResult:
    """See :meth:`daneo.WordVectors.evaluate_similarities`; `words` (V,), `matrix` (V, D), ids below `limit`.

    `unseen` makes the vector (D,) of a word that is not found; without it the pair is left out.
    """
    pairs = read_similarities(path)
    known = KnownWords(words, limit, case_insensitive=case_insensitive)
    found = [(known.find(one), known.find(other)) for one, other, _ in pairs]
    asked = [i for i, both in enumerate(found) if unseen is not None or None not in both]
    cosines = np.empty(len(asked))
    step = max(1, _NUMBERS_AT_ONCE // matrix.shape[1])
    for first in range(0, len(asked), step):
        part = asked[first : first + step]
        one, other = (
            _vectors([str(pairs[i][side]) for i in part], [found[i][side] for i in part], matrix, unseen)
            for side in (0, 1)
        )
        cosines[first : first + step] = np.einsum("nd,nd->n", unit(one), unit(other))
    is_finite = np.isfinite(cosines)
    cosines = cosines[is_finite]
    compared = [i for i, is_good in zip(asked, is_finite.tolist(), strict=True) if is_good]
    judged = np.array([pairs[i][2] for i in compared])
    if len(judged) < 2:
        raise ValueError(
            f"{path}: the vectors know both words of {len(judged)} of its {len(pairs)} pairs; a correlation needs 2. "
            "Are the file and the vectors of the same language?"
        )
    return SimilarityResult(
        **_correlations(judged, cosines),
        name=path.name,
        num_pairs=len(judged),
        num_left_out=len(pairs) - len(judged),
        num_unseen=sum(None in found[i] for i in compared),
    )


def _vectors(words: list[str], found: list[int | None], matrix: Rows, unseen: Callable[[str], Floats] | None) -> Floats:
    """Return the vectors of words, (N, D), of which some are found in the matrix."""
    rows = np.array([-1 if row is None else row for row in found], dtype=np.int64)
    vectors = np.empty((len(words), matrix.shape[1]), dtype=np.float32)
    vectors[rows >= 0] = matrix[rows[rows >= 0]]
    if unseen is not None:
        for place in np.flatnonzero(rows < 0).tolist():
            vectors[place] = unseen(words[place])
    return vectors


def _correlations(judged: Doubles, cosines: Doubles) -> dict[str, float]:
    if np.ptp(judged) == 0 or np.ptp(cosines) == 0:
        return dict.fromkeys(("spearman", "spearman_pvalue", "pearson", "pearson_pvalue"), float("nan"))
    from scipy import stats

    by_rank, by_value = stats.spearmanr(judged, cosines), stats.pearsonr(judged, cosines)
    return {
        "spearman": float(by_rank.statistic),
        "spearman_pvalue": float(by_rank.pvalue),
        "pearson": float(by_value.statistic),
        "pearson_pvalue": float(by_value.pvalue),
    }


def read_similarities(path: Path) -> list[tuple[str, str, float]]:
    """Read pairs of words and their scores; columns after the third are not looked at.

    The separator is the tab if the first line with three columns has one, else the comma, else white space.

    Raises
    ------
    ValueError
        A line after the header is not two words and a number.
    """
    pairs: list[tuple[str, str, float]] = []
    separator: str | None = None
    for place, (number, line) in enumerate(numbered_lines(path)):
        if place == 0:
            separator = next((mark for mark in "\t," if line.count(mark) >= 2), None)
        columns = [column.strip() for column in line.split(separator)]
        score = _number(columns[2]) if len(columns) >= 3 else None
        if score is not None and columns[0] and columns[1]:
            pairs.append((columns[0], columns[1], score))
        elif place > 0:  # the first line may be a header
            raise ValueError(f"{path}, line {number}: expected two words and a number, got {line[:80]!r}.")
    if not pairs:
        raise ValueError(f"{path} holds no pairs: lines of two words and a number.")
    return pairs


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if np.isfinite(value) else None
