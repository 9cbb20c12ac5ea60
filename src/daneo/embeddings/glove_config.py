"""The settings of GloVe: those of counting, and how vectors are learned from the counts."""

from __future__ import annotations

from dataclasses import dataclass

from daneo.corpus.cooccurrence_config import CooccurrencesConfig
from daneo.settings import opt

SMALL_TEXT = 100_000_000  # words
VECTORS = ("sum", "words", "contexts")


@dataclass(frozen=True, kw_only=True)
class GloVeConfig(CooccurrencesConfig):
    """Settings of :class:`daneo.GloVe`; ``daneo train glove --help`` prints the same list.

    Raises
    ------
    TypeError, ValueError
        A value has the wrong type or is out of bounds; the message names it.

    Examples
    --------
    >>> GloVeConfig(x_max=10).x_max
    10
    >>> GloVeConfig(alpha=0)
    Traceback (most recent call last):
        ...
    ValueError: GloVe(alpha=...) expected more than 0, got 0.
    """

    vector_size: int = opt(100, "numbers in a word's vector", minimum=1)
    x_max: float | None = opt(
        None, "pairs that count less than this weigh less (none: 100, below a hundred million words 10)", above=0
    )
    alpha: float = opt(0.75, "how much less: their weight is (count / x_max)**this", above=0)
    epochs: int = opt(25, "passes over the pairs", minimum=1)
    learning_rate: float = opt(0.05, "first step size, which AdaGrad lowers number by number", above=0)
    vectors: str = opt("sum", "which vectors a word gets: word plus context, or one of them", choices=VECTORS)
    num_threads: int | None = opt(None, "threads (none: one a core); the result does not depend on it", minimum=1)
    seed: int = opt(1, "start of every random draw", minimum=0, maximum=2**63 - 1)

    def weighs_fully(self, num_tokens: int) -> float:
        """Return the count from which a pair weighs 1: `x_max`, or what suits a text of this many words.

        The paper's 100 is for billions of words; in sixteen million, 10 answers 28 % of analogies rightly where 100
        answers 20 %.

        Examples
        --------
        >>> GloVeConfig().weighs_fully(16_000_000), GloVeConfig().weighs_fully(6_000_000_000)
        (10.0, 100.0)
        """
        if self.x_max is not None:
            return self.x_max
        return 10.0 if num_tokens < SMALL_TEXT else 100.0
