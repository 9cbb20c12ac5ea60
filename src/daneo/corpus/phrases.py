"""Words that stand together oftener than chance would have it, joined to one token: "new york" to new_york."""

from __future__ import annotations

import functools
import os
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt

from daneo.corpus.phrase_counts import MAX_BETWEEN, MAX_CONNECTORS, count_candidates
from daneo.corpus.phrases_file import read_phrases, write_phrases
from daneo.progress import ProgressCallback

if TYPE_CHECKING:
    from daneo.corpus import Corpus

# By the next token: the joined phrase that ends there, or, after a connector word, what may follow that.
_Node = dict[str, "str | _Node"]

THRESHOLDS = {"word2phrase": 100.0, "npmi": 0.5}


@dataclass(frozen=True)
class Phrases:
    """Phrases, and a call that joins them in a text; made by :meth:`learn`, or by hand.

    Parameters
    ----------
    scores : mapping of tuple of str to float
        The words of each phrase, and its score. Connector words in its midst are part of it.
    delimiter : str, default "_"
        What stands between the words of a joined phrase.
    connector_words : collection of str, default ()
        Words that a phrase may hold in its midst, but cannot start or end with: ``["of", "the"]`` for
        bank_of_america. 255 at most, of which 7 in a row.

    Raises
    ------
    ValueError
        A phrase is not two words, or two words with connector words between them.

    Examples
    --------
    >>> phrases = Phrases({("new", "york"): 25.0, ("bank", "of", "america"): 31.0}, connector_words=["of"])
    >>> phrases(["the", "new", "york", "branch", "of", "bank", "of", "america"])
    ['the', 'new_york', 'branch', 'of', 'bank_of_america']
    """

    scores: Mapping[tuple[str, ...], float]
    delimiter: str = field(default="_", kw_only=True)
    connector_words: Collection[str] = field(default=(), kw_only=True)

    def __post_init__(self) -> None:
        """Check the phrases."""
        connectors = _checked_connectors(self.connector_words)
        for phrase in self.scores:
            ends, between = {*phrase[:1], *phrase[-1:]}, phrase[1:-1]
            if len(phrase) < 2 or len(between) > MAX_BETWEEN or connectors & ends or not connectors.issuperset(between):
                raise ValueError(
                    "Phrases expected two words, between which only connector words may stand, "
                    f"{MAX_BETWEEN} at most; got {phrase!r}."
                )
        object.__setattr__(self, "scores", dict(self.scores))
        object.__setattr__(self, "connector_words", connectors)

    @classmethod
    def learn(
        cls,
        corpus: Corpus | str | os.PathLike[str] | Iterable[Any],
        *,
        min_count: int = 5,
        threshold: float | None = None,
        scoring: str = "word2phrase",
        delimiter: str = "_",
        connector_words: Collection[str] = (),
        num_threads: int | None = None,
        progress: ProgressCallback | None = None,
    ) -> Phrases:
        r"""Find the phrases of a corpus.

        The score of a followed by b, which occur :math:`n_a` and :math:`n_b` times among N tokens, and
        :math:`n_{ab}` times together, is with :math:`p = n / N` and :math:`m` for `min_count`

        .. math:: \frac{n_{ab} - m}{n_a n_b} N \quad\text{for word2phrase,}\qquad
                  \log \frac{p_{ab}}{p_a p_b} \Big/ -\log p_{ab} \quad\text{for npmi.}

        Parameters
        ----------
        corpus : Corpus, or what Corpus takes
            Read once. A Corpus with `phrases` gives phrases of phrases; join them with
            ``Corpus(corpus, phrases=...)``, which joins twice.
        min_count : int, default 5
            Phrases that occur less often are left alone.
        threshold : float or None
            The score must be above this: 0 or more for word2phrase, from -1 to 1 for npmi. Higher means fewer
            phrases. ``None`` takes 100 for word2phrase, 0.5 for npmi.
        scoring : "word2phrase" or "npmi"
            The formula.
        delimiter, connector_words
            As for :class:`Phrases`.
        num_threads, progress
            As for ``Corpus.encode``.

        Returns
        -------
        Phrases
            Ordered by falling score.

        Raises
        ------
        ValueError
            A setting is out of its range, or the corpus is empty.

        Notes
        -----
        The counts are exact, and counting takes 200 MB at most: a corpus with more candidates than that holds is
        gone through once more for the rest. gensim's default score has the number of different words and candidates
        in place of N, so that equal thresholds give other phrases there; its npmi is this one.

        References
        ----------
        Mikolov, Sutskever, Chen, Corrado, Dean (2013), Distributed Representations of Words and Phrases and their
        Compositionality, arXiv:1310.4546, equation 6.
        Bouma (2009), Normalized (Pointwise) Mutual Information in Collocation Extraction.

        Examples
        --------
        >>> texts = ["we saw new york", "new york is big", "they like new york", "is it new", "we like it"]
        >>> Phrases.learn(texts, min_count=1, threshold=2).scores
        {('new', 'york'): 3.0}
        """
        from daneo.corpus import Corpus

        threshold = _checked_threshold(threshold, scoring, min_count)
        connectors = _checked_connectors(connector_words)
        corpus = corpus if isinstance(corpus, Corpus) else Corpus(corpus)
        with corpus.encode(min_count=1, num_threads=num_threads, progress=progress) as encoded:
            candidates = count_candidates(encoded, min_count, connectors, progress)
            vocabulary, num_tokens = encoded.vocabulary, encoded.num_tokens
        firsts, lasts = vocabulary.counts[candidates.firsts], vocabulary.counts[candidates.lasts]
        scores = _scores(scoring, candidates.counts, firsts, lasts, min_count, num_tokens)
        found = []
        for i in np.flatnonzero(scores > threshold).tolist():
            first, last = vocabulary.decode([candidates.firsts[i], candidates.lasts[i]])
            found.append(((first, *candidates.between(i), last), float(scores[i])))
        found.sort(key=lambda pair: (-pair[1], pair[0]))
        return cls(dict(found), delimiter=delimiter, connector_words=connectors)

    def __call__(self, tokens: Iterable[str]) -> list[str]:
        """Join the phrases in a text, from left to right; a token belongs to one phrase at most.

        Examples
        --------
        >>> Phrases({("a", "b"): 1.0, ("b", "c"): 9.0})(["a", "b", "c", "d"])
        ['a_b', 'c', 'd']
        """
        starts = self._starts
        result: list[str] = []
        node: _Node | None = None  # what may follow the last `depth` tokens of the result
        depth = 0
        for token in tokens:
            if node is not None and (found := node.get(token)) is not None:
                if isinstance(found, str):
                    result[-depth:] = [found]
                    node = None
                else:
                    result.append(token)
                    node = found
                    depth += 1
            else:
                result.append(token)
                node = starts.get(token)
                depth = 1
        return result

    def __len__(self) -> int:
        return len(self.scores)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a readable text file: the settings, then a phrase a line with its score."""
        write_phrases(path, self.scores, self.delimiter, self.connector_words)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Phrases:
        """Read the file that :meth:`save` wrote.

        Raises
        ------
        ValueError
            The file is damaged, or of another kind.
        """
        scores, delimiter, connector_words = read_phrases(path)
        return cls(scores, delimiter=delimiter, connector_words=connector_words)

    @functools.cached_property
    def _starts(self) -> dict[str, _Node]:
        starts: dict[str, _Node] = {}
        for phrase in self.scores:
            node = starts.setdefault(phrase[0], {})
            for connector in phrase[1:-1]:
                node = cast("_Node", node.setdefault(connector, {}))
            node[phrase[-1]] = self.delimiter.join(phrase)
        return starts


def _scores(
    scoring: str,
    counts: npt.NDArray[np.int64],
    firsts: npt.NDArray[np.int64],
    lasts: npt.NDArray[np.int64],
    min_count: int,
    num_tokens: int,
) -> npt.NDArray[np.float64]:
    # In float64 from the start: the product of two counts can be too large for int64.
    if scoring == "word2phrase":
        return (counts - min_count) / (firsts.astype(np.float64) * lasts) * num_tokens
    together = counts / num_tokens
    return np.log(together / ((firsts / num_tokens) * (lasts / num_tokens))) / -np.log(together)


def _checked_threshold(threshold: float | None, scoring: str, min_count: int) -> float:
    if scoring not in THRESHOLDS:
        raise ValueError(f"Phrases.learn expected scoring to be one of {', '.join(THRESHOLDS)}; got {scoring!r}.")
    if min_count < 1:
        raise ValueError(f"Phrases.learn expected min_count of at least 1, got {min_count}.")
    value = THRESHOLDS[scoring] if threshold is None else float(threshold)
    if scoring == "word2phrase" and not value >= 0:
        raise ValueError(f"Phrases.learn expected a threshold of 0 or more for word2phrase, got {value}.")
    if scoring == "npmi" and not -1 <= value <= 1:
        raise ValueError(f"Phrases.learn expected a threshold from -1 to 1 for npmi, got {value}.")
    return value


def _checked_connectors(connector_words: Collection[str]) -> frozenset[str]:
    if isinstance(connector_words, str):
        raise TypeError(f"Phrases expected a list of connector words, got the str {connector_words!r}.")
    connectors = frozenset(connector_words)
    if len(connectors) > MAX_CONNECTORS:
        raise ValueError(f"Phrases expected at most {MAX_CONNECTORS} connector words, got {len(connectors)}.")
    return connectors
