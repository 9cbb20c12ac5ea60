"""A corpus cut into stretches: what one thread trains on at a time."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

# step(thread, ids, document ends, learning rate) -> loss summed over the examples, number of examples
Step = Callable[[int, npt.NDArray[np.int32], npt.NDArray[np.int64], float], tuple[float, int]]

SHORTEST, LONGEST, FEWEST = 1_000, 50_000, 64


class Text(Protocol):
    """What can be cut into stretches: an EncodedCorpus, or anything that is ids in a row."""

    num_tokens: int

    @property
    def offsets(self) -> npt.NDArray[np.int64]:
        """Where each document starts, and the number of tokens; int64 (documents + 1,)."""

    def tokens(self, start: int, stop: int) -> npt.NDArray[Any]:
        """Return the ids of a range of tokens."""


class TextStretches:
    """Stretches of about equal length, which end where a document ends.

    A document longer than a stretch is cut, and no word of it is left out: only windows do not reach across the cut.

    Parameters
    ----------
    corpus : Text
        What is cut; it must stay open.

    Examples
    --------
    >>> from daneo.corpus import Corpus
    >>> with Corpus(["a b c", "b a"]).encode(min_count=1) as corpus:
    ...     stretches = TextStretches(corpus)
    ...     ids, ends = stretches.read(0)
    >>> len(stretches), ids.tolist(), ends.tolist()
    (1, [0, 1, 2, 1, 0], [3, 5])
    """

    def __init__(self, corpus: Text) -> None:
        self._corpus = corpus
        # Small texts get shorter stretches, so that the learning rate falls smoothly and every thread has work.
        self.size = min(max(corpus.num_tokens // FEWEST, SHORTEST), LONGEST)

    def __len__(self) -> int:
        return -(-self._corpus.num_tokens // self.size)

    def place(self, number: int) -> int:
        """Return which stretch comes as the number-th: one far from those before it, and each once.

        Texts are sorted, and what comes last would be learned last; steps of the golden ratio spread any few stretches
        over the whole text.
        """
        size = len(self)
        step = round(0.618034 * size)
        while math.gcd(step, size) != 1:
            step += 1
        return number * step % size

    def start(self, number: int) -> int:
        """Position of the first token of a stretch; that of the one after the last is the length of the text."""
        if number >= len(self):
            return self._corpus.num_tokens
        nominal = number * self.size
        offsets = self._corpus.offsets
        aligned = int(offsets[np.searchsorted(offsets, nominal)])
        return aligned if aligned < nominal + self.size else nominal

    def read(self, number: int) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64]]:
        """Return one stretch: its ids (N,), and where its documents end in it (documents,). Both may be empty."""
        start, stop = self.start(number), self.start(number + 1)
        offsets = self._corpus.offsets
        inside = offsets[np.searchsorted(offsets, start, side="right") : np.searchsorted(offsets, stop, side="right")]
        ends = np.unique(np.append(inside, stop)) - start
        return np.array(self._corpus.tokens(start, stop)), ends[ends > 0]


class TextPieces:
    """A text as `daneo.embeddings.training_run.Pieces`: a step for each stretch.

    Parameters
    ----------
    corpus : Text
        The text, as an EncodedCorpus.
    step : callable
        Trains one stretch and must release the GIL; see ``Step``.
    unit : str
        What the ids stand for, in the plural.
    """

    def __init__(self, corpus: Text, step: Step, unit: str = "words") -> None:
        self._stretches, self._step = TextStretches(corpus), step
        self.total, self.unit = corpus.num_tokens, unit

    def __len__(self) -> int:
        return len(self._stretches)

    def train(self, thread: int, epoch: int, number: int, learning_rate: float) -> tuple[float, int, int]:
        """Train the stretch that comes as the number-th; see `TextStretches.place`."""
        ids, ends = self._stretches.read(self._stretches.place(number))
        if len(ids) == 0:  # the last one, when the last document is longer than a stretch
            return 0.0, 0, 0
        return *self._step(thread, ids, ends, learning_rate), len(ids)
