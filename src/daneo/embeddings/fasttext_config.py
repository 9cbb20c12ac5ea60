"""The settings of FastText: those of word2vec, and how words are cut into parts."""

from __future__ import annotations

from dataclasses import dataclass

from daneo.embeddings.subwords.subwords import KINDS, LARGEST, Subwords
from daneo.embeddings.word2vec_config import Word2VecConfig
from daneo.settings import opt


@dataclass(frozen=True, kw_only=True)
class FastTextConfig(Word2VecConfig):
    """Settings of :class:`daneo.FastText`; ``daneo train fasttext --help`` prints the same list.

    Raises
    ------
    TypeError, ValueError
        A value has the wrong type or is out of bounds; the message names it.

    Examples
    --------
    >>> FastTextConfig().parts
    Subwords(kind='characters', min_ngram=3, max_ngram=6, num_buckets=2000000, min_jamo=3, max_jamo=5)
    >>> FastTextConfig(subwords="jamo", max_jamo=6).parts
    Subwords(kind='jamo', min_ngram=1, max_ngram=4, num_buckets=2000000, min_jamo=3, max_jamo=6)
    """

    ns_exponent: float = opt(0.5, "noise words are drawn with p ~ count**this; 0.5 as in Facebook's program")
    learning_rate: float | None = opt(None, "step size at the start; it falls in a straight line (none: 0.05)", above=0)
    min_learning_rate: float | None = opt(None, "step size at the end (none: 0, for CBOW 0.28 of the start)", minimum=0)
    subwords: str = opt("characters", "what a word's parts are made of: jamo is for Korean", choices=KINDS)
    min_ngram: int | None = opt(
        None, "shortest part, in characters or syllables (none: 3 characters, 1 syllable)", minimum=0, maximum=LARGEST
    )
    max_ngram: int | None = opt(
        None, "longest part; 0 makes no such parts (none: 6 characters, 4 syllables)", minimum=0, maximum=LARGEST
    )
    min_jamo: int = opt(3, "with jamo, the shortest part that is counted in letters", minimum=0, maximum=LARGEST)
    max_jamo: int = opt(5, "with jamo, the longest part that is counted in letters", minimum=0, maximum=LARGEST)
    num_buckets: int = opt(2_000_000, "rows that all parts share by their hash", minimum=0, maximum=LARGEST)
    position_weights: bool = opt(
        False, "with CBOW, learn how much each place in the window counts; best without shrink_windows"
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        try:
            _ = self.parts
        except ValueError as error:  # whose n-grams these are is the user's word for it
            raise ValueError(str(error).replace("Subwords(", "FastText(")) from None
        if self.position_weights and self.architecture != "cbow":
            raise ValueError('FastText(position_weights=True) is for architecture="cbow"; skip-gram has no use for it.')

    @property
    def first_learning_rate(self) -> float:
        """The step size at the start, as in Facebook's program."""
        return 0.05 if self.learning_rate is None else self.learning_rate

    @property
    def last_learning_rate(self) -> float:
        """The step size at the end; benchmarks/embeddings/fasttext_quality.py compares the result with Facebook's."""
        if self.min_learning_rate is not None:
            return self.min_learning_rate
        return 0.0 if self.architecture == "skipgram" else 0.28 * self.first_learning_rate

    @property
    def parts(self) -> Subwords:
        """Which parts a word has."""
        shortest, longest = (3, 6) if self.subwords == "characters" else (1, 4)
        return Subwords(
            kind=self.subwords,
            min_ngram=shortest if self.min_ngram is None else self.min_ngram,
            max_ngram=longest if self.max_ngram is None else self.max_ngram,
            num_buckets=self.num_buckets,
            min_jamo=self.min_jamo,
            max_jamo=self.max_jamo,
        )
