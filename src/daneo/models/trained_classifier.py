"""All that a trained bag-of-n-grams classifier consists of."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from daneo.corpus.vocabulary import Vocabulary
from daneo.models.bags.row_table import RowTable
from daneo.models.label_tree import LabelTree, label_tree

if TYPE_CHECKING:
    from daneo.embeddings.rows import Rows

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False, kw_only=True)
class TrainedClassifier:
    """A classifier, however it came about: trained, opened from a directory, read from a file of fastText's.

    Attributes
    ----------
    table : RowTable
        Which rows the words and n-grams of a text stand for.
    rows : Rows of shape (C, D)
        Those rows.
    labels : Vocabulary
        The L labels with their counts, most frequent first.
    outputs : Rows of shape (L, D)
        The row of each label; for hierarchical softmax of each inner node of the tree, the last row being nobody's.
    loss : str
        What the scores mean: ``"softmax"``, ``"hierarchical_softmax"``, ``"one_vs_all"``, ``"negative_sampling"``.
    tokenizer : str
        How texts are cut.
    row_texts : int32 array of shape (C,), or None
        How many training texts have each row, where that is known.
    """

    table: RowTable
    rows: Rows
    labels: Vocabulary
    outputs: Rows
    loss: str
    tokenizer: str
    row_texts: npt.NDArray[np.int32] | None = None

    @functools.cached_property
    def tree(self) -> LabelTree:
        """The tree of hierarchical softmax."""
        return label_tree(self.labels.counts)
