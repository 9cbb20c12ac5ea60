"""The settings of the classifier: names, defaults, bounds and help, in one place."""

from __future__ import annotations

from dataclasses import dataclass

from daneo.embeddings.subwords.subwords import KINDS, LARGEST, Subwords
from daneo.settings import check, opt

LOSSES = ("softmax", "hierarchical_softmax", "one_vs_all", "negative_sampling")
TOKENIZERS = ("fasttext", "whitespace", "words", "characters", "jamo", "korean", "korean-tags")


@dataclass(frozen=True, kw_only=True)
class FastTextClassifierConfig:
    """Settings of :class:`daneo.FastTextClassifier`; ``daneo train fasttext-classifier --help`` prints the same list.

    Raises
    ------
    TypeError, ValueError
        A value has the wrong type or is out of bounds; the message names it.

    Examples
    --------
    >>> FastTextClassifierConfig(max_ngram=5).parts
    Subwords(kind='characters', min_ngram=3, max_ngram=5, num_buckets=2000000, min_jamo=3, max_jamo=5)
    >>> FastTextClassifierConfig(epochs=0)
    Traceback (most recent call last):
        ...
    ValueError: FastTextClassifier(epochs=...) expected at least 1, got 0.
    """

    vector_size: int = opt(100, "numbers in the vector of a text; 10 is often enough", minimum=1)
    epochs: int = opt(5, "passes over the texts", minimum=1)
    learning_rate: float = opt(0.1, "step size at the start; it falls to 0 in a straight line", above=0)
    loss: str = opt("softmax", "how predictions are scored", choices=LOSSES)
    negative: int = opt(5, "with negative sampling, labels that a text is told from", minimum=1)
    word_ngrams: int = opt(1, "longest run of words that has a row of its own; 2 knows word order a little", minimum=1)
    subwords: str = opt("characters", "what a word's parts are made of: jamo is for Korean", choices=KINDS)
    min_ngram: int | None = opt(
        None, "shortest part of a word (none: 3 characters, 1 syllable)", minimum=0, maximum=LARGEST
    )
    max_ngram: int | None = opt(
        None,
        "longest part of a word; 0 makes no such parts (none: 0 characters, 4 syllables)",
        minimum=0,
        maximum=LARGEST,
    )
    min_jamo: int = opt(3, "with jamo, the shortest part that is counted in letters", minimum=0, maximum=LARGEST)
    max_jamo: int = opt(5, "with jamo, the longest part that is counted in letters", minimum=0, maximum=LARGEST)
    num_buckets: int = opt(
        2_000_000, "what runs of words and parts of words are hashed into", minimum=0, maximum=LARGEST
    )
    min_count: int = opt(1, "words that occur less often have no row of their own", minimum=1)
    min_label_count: int = opt(1, "leave out labels that occur less often than this", minimum=1)
    tokenizer: str = opt("fasttext", "how texts are cut; fasttext: at ASCII whitespace", choices=TOKENIZERS)
    label_prefix: str = opt("__label__", "what the labels in a file of fastText's kind begin with")
    patience: int = opt(3, "with validation texts, stop after so many epochs without a better score", minimum=1)
    num_threads: int | None = opt(
        None, "threads (none: one a core); only one thread is reproducible bit for bit", minimum=1
    )
    seed: int = opt(1, "start of every random draw", minimum=0, maximum=2**63 - 1)

    def __post_init__(self) -> None:
        check(self)
        if self.has_ngrams and not self.num_buckets:
            raise ValueError(
                "FastTextClassifier(num_buckets=...) expected at least 1 with word_ngrams or parts of words, got 0."
            )

    @property
    def has_ngrams(self) -> bool:
        """Whether anything is hashed: runs of words, or parts of words."""
        return self.word_ngrams > 1 or self.parts.max_ngram > 0 or self.subwords == "jamo"

    @property
    def parts(self) -> Subwords:
        """Which parts a word has, and how many buckets there are, for runs of words too."""
        shortest, longest = (3, 0) if self.subwords == "characters" else (1, 4)
        return Subwords(
            kind=self.subwords,
            min_ngram=shortest if self.min_ngram is None else self.min_ngram,
            max_ngram=longest if self.max_ngram is None else self.max_ngram,
            num_buckets=self.num_buckets,
            min_jamo=self.min_jamo,
            max_jamo=self.max_jamo,
        )
