"""The settings of word2vec: names, defaults, bounds and help, in one place."""

from __future__ import annotations

from dataclasses import dataclass

from daneo.settings import check, opt

ARCHITECTURES = ("skipgram", "cbow")
LOSSES = ("negative_sampling", "hierarchical_softmax")


@dataclass(frozen=True, kw_only=True)
class Word2VecConfig:
    """Settings of :class:`daneo.Word2Vec`; ``daneo train word2vec --help`` prints the same list.

    Raises
    ------
    TypeError, ValueError
        A value has the wrong type or is out of bounds; the message names it.

    Examples
    --------
    >>> Word2VecConfig(window=3).window
    3
    >>> Word2VecConfig(window=0)
    Traceback (most recent call last):
        ...
    ValueError: Word2Vec(window=...) expected at least 1, got 0.
    """

    vector_size: int = opt(100, "numbers in a word's vector", minimum=1)
    window: int = opt(5, "largest distance from center to context, in words", minimum=1, maximum=100_000)
    min_count: int = opt(5, "leave out words that occur less often than this", minimum=1)
    max_size: int | None = opt(None, "keep at most so many words, the most frequent ones (none: all)", minimum=1)
    architecture: str = opt("skipgram", "what predicts what", choices=ARCHITECTURES)
    loss: str = opt("negative_sampling", "how the prediction is scored", choices=LOSSES)
    negative: int = opt(5, "noise that each center word meets, in words", minimum=1, maximum=10_000)
    ns_exponent: float = opt(0.75, "noise words are drawn with p ~ count**this")
    sample: float = opt(
        1e-3, "words above this share of the text are dropped at random; 0 keeps all", minimum=0, maximum=1
    )
    shrink_windows: bool = opt(True, "draw each window's size from 1 to window, so that near words weigh more")
    epochs: int = opt(5, "passes over the text", minimum=1)
    learning_rate: float | None = opt(
        None, "step size at the start; it falls in a straight line (none: 0.025, for CBOW 0.05)", above=0
    )
    min_learning_rate: float | None = opt(None, "step size at the end (none: 0.28 of the start)", minimum=0)
    num_threads: int | None = opt(
        None, "threads (none: one a core); only one thread is reproducible bit for bit", minimum=1
    )
    seed: int = opt(1, "start of every random draw", minimum=0, maximum=2**63 - 1)

    def __post_init__(self) -> None:
        check(self)
        if self.last_learning_rate > self.first_learning_rate:
            raise ValueError(
                f"Word2Vec(min_learning_rate=...) expected at most learning_rate, {self.first_learning_rate}; "
                f"got {self.last_learning_rate}."
            )

    @property
    def first_learning_rate(self) -> float:
        """The step size at the start; as in word2vec.c, CBOW takes steps of twice the size."""
        if self.learning_rate is not None:
            return self.learning_rate
        return 0.025 if self.architecture == "skipgram" else 0.05

    @property
    def last_learning_rate(self) -> float:
        """The step size at the end.

        Falling to nothing, as word2vec.c does, gives better analogies and worse similarity sets; 0.28 of the start is a
        middle way that benchmarks/embeddings/word2vec_quality.py compares with gensim.
        """
        return 0.28 * self.first_learning_rate if self.min_learning_rate is None else self.min_learning_rate
