"""Analogies, "a is to b as c is to ?": the share of a file's questions that vectors answer right."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from daneo.embeddings.analogy_answers import answer_analogies
from daneo.embeddings.evaluation_files import KnownWords, numbered_lines
from daneo.embeddings.row_blocks import RowBlocks

_SYNTACTIC = ("gram", "syn")  # how the English and the Korean set name their sections of grammar


@dataclass(frozen=True, kw_only=True)
class AnalogySection:
    """How many questions of a section were answered right.

    Attributes
    ----------
    name : str
    correct : int
        Right answers.
    total : int
        Questions that were tried.
    left_out : int
        Questions with a word that is unknown, or whose vector is not finite; they are not in `total`.
    """

    name: str
    correct: int
    total: int
    left_out: int

    @property
    def accuracy(self) -> float:
        """`correct` by `total`; NaN if no question was tried."""
        return self.correct / self.total if self.total else float("nan")


@dataclass(frozen=True, kw_only=True)
class AnalogyResult:
    """What :meth:`daneo.WordVectors.evaluate_analogies` found; ``str()`` of it is a table.

    Attributes
    ----------
    sections : tuple of AnalogySection
        In the order of the file.
    """

    sections: tuple[AnalogySection, ...]

    @property
    def semantic(self) -> AnalogySection:
        """The sum of the sections that are about meaning."""
        return _sum("semantic", (one for one in self.sections if not one.name.startswith(_SYNTACTIC)))

    @property
    def syntactic(self) -> AnalogySection:
        """The sum of the sections that are about grammar: those whose names begin with "gram" or "syn"."""
        return _sum("syntactic", (one for one in self.sections if one.name.startswith(_SYNTACTIC)))

    @property
    def total(self) -> AnalogySection:
        """The sum of all sections."""
        return _sum("total", self.sections)

    @property
    def accuracy(self) -> float:
        """The share of right answers among all questions that were tried."""
        return self.total.accuracy

    def __str__(self) -> str:
        rows = [*self.sections, self.semantic, self.syntactic, self.total]
        width = max(len(row.name) for row in rows)
        lines = [f"{'section':<{width}}  accuracy  correct    tried  left out"]
        for row in rows:
            accuracy = f"{row.accuracy:.1%}" if row.total else "-"
            lines.append(f"{row.name:<{width}}  {accuracy:>8}  {row.correct:>7}  {row.total:>7}  {row.left_out:>8}")
        return "\n".join(lines)


def _sum(name: str, sections: Iterable[AnalogySection]) -> AnalogySection:
    counts = np.array([(one.correct, one.total, one.left_out) for one in sections], dtype=np.int64).reshape(-1, 3)
    correct, total, left_out = counts.sum(axis=0).tolist()
    return AnalogySection(name=name, correct=correct, total=total, left_out=left_out)


def evaluate_analogies(
    path: Path,
    words: Sequence[str],
    blocks: RowBlocks,
    limit: int,
    *,
    case_insensitive: bool,
    method: Literal["3cosadd", "3cosmul"],
) -> AnalogyResult:
    """See :meth:`daneo.WordVectors.evaluate_analogies`; `words` (V,), `blocks` over (V, D), ids below `limit`."""
    if method not in ("3cosadd", "3cosmul"):
        raise ValueError(f"evaluate_analogies expected method 3cosadd or 3cosmul, got {method!r}.")
    names, section, questions = read_analogies(path)
    known = KnownWords(words, limit, case_insensitive=case_insensitive)
    ids = np.array([[_or_none(known.find(word)) for word in question] for question in questions], dtype=np.int64)
    ids = ids.reshape(-1, 4)
    has_direction = ~np.isnan(blocks.lengths(0, limit))
    tried: npt.NDArray[np.bool_] = np.all(ids >= 0, axis=1)
    tried[tried] = np.all(has_direction[ids[tried]], axis=1)
    asked = ids[tried]
    same_word = np.array(known.representatives())
    answers = answer_analogies(blocks, asked[:, :3], same_word, multiply=method == "3cosmul")
    right: npt.NDArray[np.bool_] = np.zeros(len(ids), dtype=bool)
    right[tried] = (answers >= 0) & (same_word[answers] == asked[:, 3])
    numbers = np.array(section, dtype=np.int64)
    correct, total, every = (
        np.bincount(numbers[mask], minlength=len(names)).tolist() for mask in (right, tried, np.ones_like(tried))
    )
    return AnalogyResult(
        sections=tuple(
            AnalogySection(name=names[i], correct=correct[i], total=total[i], left_out=every[i] - total[i])
            for i in range(len(names))
        )
    )


def read_analogies(path: Path) -> tuple[list[str], list[int], list[tuple[str, ...]]]:
    """Read the sections' names, and each question's section number and four words.

    Raises
    ------
    ValueError
        A line is neither a section's name nor four words, or a question stands before the first section.
    """
    names: list[str] = []
    section: list[int] = []
    questions: list[tuple[str, ...]] = []
    for number, line in numbered_lines(path):
        if line.startswith(":"):
            names.append(line.removeprefix(":").strip())
            continue
        question = tuple(line.split())
        if len(question) != 4 or not names:
            expected = "four words" if names else 'a section line such as ": family" before the first question'
            raise ValueError(f"{path}, line {number}: expected {expected}, got {line[:80]!r}.")
        section.append(len(names) - 1)
        questions.append(question)
    if not questions:
        raise ValueError(f"{path} holds no analogy questions: sections of lines with four words.")
    return names, section, questions


def _or_none(found: int | None) -> int:
    return -1 if found is None else found
