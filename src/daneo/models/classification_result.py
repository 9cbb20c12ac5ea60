"""How well labels were predicted: precision, recall and F1, of all and of each label."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, kw_only=True)
class LabelResult:
    """How well one label was predicted, or all together.

    Attributes
    ----------
    label : str
    right : int
        How often it was predicted and is one of the text's labels.
    predicted : int
        How often it was predicted.
    true : int
        How often it is one of a text's labels.
    """

    label: str
    right: int
    predicted: int
    true: int

    @property
    def precision(self) -> float:
        """The share of right ones among those predicted; NaN if it never was."""
        return self.right / self.predicted if self.predicted else float("nan")

    @property
    def recall(self) -> float:
        """The share of those found among the true ones; NaN if there are none."""
        return self.right / self.true if self.true else float("nan")

    @property
    def f1(self) -> float:
        """The harmonic mean of both, 2 right / (predicted + true); NaN if it was neither predicted nor true."""
        total = self.predicted + self.true
        return 2 * self.right / total if total else float("nan")


@dataclass(frozen=True, kw_only=True)
class ClassificationResult:
    """What :meth:`daneo.FastTextClassifier.test` found; ``str()`` of it is a table.

    Attributes
    ----------
    k : int
        How many labels were predicted for each text, at most.
    num_texts : int
        Texts with a label, and with anything in them that the model knows.
    num_left_out : int
        Other texts, which are in none of the figures.
    labels : tuple of LabelResult
        Each label, in the model's order, then those that only the texts have.

    Examples
    --------
    >>> good = LabelResult(label="good", right=3, predicted=4, true=3)
    >>> bad = LabelResult(label="bad", right=1, predicted=1, true=2)
    >>> result = ClassificationResult(k=1, num_texts=5, num_left_out=0, labels=(good, bad))
    >>> result.precision, result.recall
    (0.8, 0.8)
    >>> print(result)
    label  precision  recall      F1  predicted  true
    good       0.750   1.000   0.857          4     3
    bad        1.000   0.500   0.667          1     2
    all        0.800   0.800   0.800          5     5
    """

    k: int
    num_texts: int
    num_left_out: int
    labels: tuple[LabelResult, ...]

    @property
    def total(self) -> LabelResult:
        """All labels together, each prediction counting once."""
        right, predicted, true = (
            sum(getattr(one, name) for one in self.labels) for name in ("right", "predicted", "true")
        )
        return LabelResult(label="all", right=right, predicted=predicted, true=true)

    @property
    def precision(self) -> float:
        """Precision at k: the share of right ones among all predicted labels; with one label a text, the accuracy."""
        return self.total.precision

    @property
    def recall(self) -> float:
        """Recall at k: the share of all true labels that were predicted."""
        return self.total.recall

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall."""
        return self.total.f1

    @property
    def macro_f1(self) -> float:
        """The mean of the labels' F1, so that a rare label weighs as much as a frequent one."""
        return float(np.nanmean([one.f1 for one in self.labels]))

    def __str__(self) -> str:
        rows = [*self.labels, self.total]
        width = max(len("label"), *(len(row.label) for row in rows))
        lines = [f"{'label':<{width}}  precision  recall      F1  predicted  true"]
        for row in rows:
            shares = [f"{share:.3f}" if share == share else "-" for share in (row.precision, row.recall, row.f1)]
            figures = f"{shares[0]:>9}  {shares[1]:>6}  {shares[2]:>6}  {row.predicted:>9}  {row.true:>4}"
            lines.append(f"{row.label:<{width}}  {figures}")
        return "\n".join(lines)


def classification_result(
    predicted: npt.NDArray[np.int32],
    sizes: npt.NDArray[np.int32],
    starts: npt.NDArray[np.int64],
    labels: npt.NDArray[np.int32],
    names: list[str],
) -> ClassificationResult:
    """Compare predictions with the truth.

    Parameters
    ----------
    predicted : int32 array of shape (N, k)
        Numbers of labels, each once in a row; -1 where there are fewer.
    sizes : int32 array of shape (N,)
        How many words and n-grams of each text the model knows.
    starts, labels : int64 array of shape (N + 1,), int32 array
        The labels of text i are ``labels[starts[i]:starts[i + 1]]``.
    names : list of str
        All labels.
    """
    counts = np.diff(starts)
    known = (counts > 0) & (sizes > 0)
    texts = np.repeat(np.arange(len(counts)), counts)
    true = labels[known[texts]]
    found = (predicted[texts] == labels[:, None]).any(axis=1) & known[texts]
    guessed = predicted[known]
    totals = (
        np.bincount(numbers, minlength=len(names)).tolist() for numbers in (labels[found], guessed[guessed >= 0], true)
    )
    rows = zip(names, *totals, strict=True)
    return ClassificationResult(
        k=predicted.shape[1],
        num_texts=int(known.sum()),
        num_left_out=int((~known).sum()),
        labels=tuple(LabelResult(label=name, right=r, predicted=p, true=t) for name, r, p, t in rows),
    )
