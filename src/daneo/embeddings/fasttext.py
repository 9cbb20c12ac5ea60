"""FastText: word vectors made of the vectors of words' parts, so that words never seen have vectors too."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np

from daneo.embeddings.fasttext_config import FastTextConfig
from daneo.embeddings.fasttext_files import SavedFastText, read_bin, read_directory, write_bin, write_directory
from daneo.embeddings.fasttext_parts import PartRows, Parts, first_rows, grown_rows, parts_of, piece_size
from daneo.embeddings.noise import keep_probabilities
from daneo.embeddings.subword_vectors import SubwordVectors
from daneo.embeddings.subwords.ngram_vectors import NgramVectors
from daneo.embeddings.subwords.word_means import WordMeans
from daneo.embeddings.word2vec_matrices import Floats
from daneo.embeddings.word_trainer import WordTrainer
from daneo.progress import ProgressCallback
from daneo.settings import configured
from daneo.threads import available_cores

if TYPE_CHECKING:
    import numpy.typing as npt

    from daneo.corpus import Vocabulary
    from daneo.embeddings.rows import Rows
    from daneo.embeddings.word2vec_training import Text
    from daneo.embeddings.word_trainer import EpochCallback


class FastText(WordTrainer):
    r"""Learn vectors of words and of their parts from text, by skip-gram or CBOW.

    The input vector of a word is the mean over its parts P, a row of its own and one for each of its n-grams:

    .. math:: v = \frac{1}{|P|} \sum_{p \in P} z_p

    and v predicts, or helps to predict, as in :class:`Word2Vec`. N-grams share `num_buckets` rows by their hash, which
    is Facebook's, so that models move both ways.

    Parameters
    ----------
    **settings
        The fields of :class:`FastTextConfig`: those of word2vec, and ``subwords="characters" | "jamo", min_ngram=None,
        max_ngram=None, min_jamo=3, max_jamo=5, num_buckets=2_000_000, position_weights=False``.
        ``daneo train fasttext --help`` explains each.

    Attributes
    ----------
    config : FastTextConfig
        The settings.
    vectors : SubwordVectors
        The result: (V, vector_size), and a vector for every other word. During training a copy of the state so far.
    losses : list of float
        Mean loss of a prediction, for each epoch; those of continued training follow.

    Notes
    -----
    Cost: that of word2vec, and for each word of the text one pass over its parts, about twenty rows in English. Memory:
    a row for each word and each bucket that a word of the vocabulary uses, and one for each word's outputs.
    Threads, seeds and windows are as for :class:`Word2Vec`.

    Differences from Facebook's program: those of :class:`Word2Vec` from word2vec.c; for up to five hundred words of
    the text each word's mean is taken once, trained as a row of its own, and what it has changed by goes to its parts;
    CBOW takes the mean of the context words' vectors, not of all their parts; a part that comes twice in a word moves
    less each time; lines end without a word ``</s>``; buckets that no word uses have no row, which counts as zeros
    where theirs holds the numbers that it began with;
    `position_weights` were used for Facebook's published vectors but never released; here they learn from the mean.

    References
    ----------
    Bojanowski et al. 2017, arXiv:1607.04606. Mikolov et al. 2018, arXiv:1712.09405, section 2.2 (position weights).
    Park et al. 2018, P18-1226 (jamo).

    Examples
    --------
    >>> text = ["the sun is hot", "the sun is bright", "the moon is cold"] * 50
    >>> model = FastText(vector_size=16, epochs=2, num_threads=1).fit(text)
    >>> vectors = model.vectors
    >>> "brighter" in vectors, vectors["brighter"].shape
    (False, (16,))
    >>> vectors.similarity("brighter", "bright") > vectors.similarity("brighter", "moon")
    True
    """

    config: FastTextConfig

    @configured(FastTextConfig)
    def __init__(self, config: FastTextConfig) -> None:
        super().__init__(config)
        self._running: PartRows | None = None  # while training
        self._own: Rows | None = None  # (V, D), and below (U, D): after training
        self._ngrams: Rows | None = None
        self._buckets: npt.NDArray[np.int32] | None = None
        self._weights: Floats | None = None  # of positions, (2 * window + 1, D)
        self._means: WordMeans | None = None

    @property
    def vectors(self) -> SubwordVectors:
        """The word vectors; during training a copy of them as they are."""
        words, size = self.vocabulary, self.config.vector_size
        own, rows, buckets, means = self._own, self._ngrams, self._buckets, self._means
        if self._training:
            assert self._running is not None
            parts, inputs = self._running.parts, self._running.rows
            own, buckets, means = inputs[: len(words), :size].copy(), parts.buckets, None
            rows = inputs[len(words) : parts.num_rows, :size].copy()
        if means is None:
            assert own is not None
            assert rows is not None
            assert buckets is not None
            subwords = self.config.parts
            ngrams = NgramVectors(subwords, rows, None if len(buckets) == subwords.num_buckets else buckets)
            means = WordMeans(own, words.words, ngrams)
        if not self._training:
            self._means = means  # so that what one search has computed is there for the next
        return SubwordVectors(words, means, means.ngrams)

    @property
    def position_weights(self) -> Floats | None:
        """What each place from -window to window is multiplied by, (2 * window + 1, D); None without this setting."""
        if self._training:
            assert self._running is not None
            return _without_padding(self._running.position_weights, self.config)
        return self._weights

    def fit(
        self,
        corpus: Text,
        *,
        vocabulary: Vocabulary | None = None,
        progress: ProgressCallback | None = None,
        on_epoch: EpochCallback | None = None,
        checkpoint: str | os.PathLike[str] | None = None,
        checkpoint_seconds: float = 60.0,
        resume: bool = False,
    ) -> FastText:
        """Learn from a corpus, from the beginning.

        Parameters
        ----------
        corpus : Corpus, or anything that Corpus takes
            The text. It is read once.
        vocabulary, progress, on_epoch, checkpoint, checkpoint_seconds, resume
            As for :meth:`Word2Vec.fit`.

        Returns
        -------
        FastText
            The model itself.

        Raises
        ------
        KeyboardInterrupt
            Training was stopped with Ctrl-C. `vectors` holds what was learned, and a checkpoint has been written.
        ValueError
            No word is frequent enough; the checkpoint is of another run.
        """
        config = self.config

        def begin(words: Vocabulary) -> PartRows:
            parts = parts_of(words.words, config.parts, num_threads=config.num_threads)
            equal = np.ones((2 * config.window + 1, config.vector_size), np.float32)
            rows = first_rows(parts, config.vector_size, config.seed)
            return self._part_rows(parts, rows, equal if config.position_weights else None, words)

        asked = {"task": "fit"}
        self._fit(corpus, vocabulary, begin, asked, progress, on_epoch, checkpoint, checkpoint_seconds, resume)
        return self

    def continue_training(
        self,
        corpus: Text,
        *,
        epochs: int | None = None,
        progress: ProgressCallback | None = None,
        on_epoch: EpochCallback | None = None,
    ) -> FastText:
        """Learn from more text; words and n-grams keep their rows as a start, new ones get rows of their own.

        Parameters
        ----------
        corpus : Corpus, or anything that Corpus takes
            The new text, read twice: no one-time iterator. The model's words are used in it however rare they are.
        epochs : int or None
            Passes over the new text; None as in the settings. The learning rate starts anew.
        progress, on_epoch
            As in `fit`.

        Notes
        -----
        With hierarchical softmax new counts make a new Huffman tree, so the output matrix begins anew from zeros.

        Examples
        --------
        >>> model = FastText(vector_size=16, min_count=1, sample=0.0, num_threads=1).fit(["a b c", "b c a"])
        >>> model.continue_training(["a b d", "d b a"]).vectors.words
        ['a', 'b', 'c', 'd']
        """
        self._continue(corpus, epochs, (), progress, on_epoch)
        return self

    def save(self, path: str | os.PathLike[str], *, format: Literal["daneo", "fasttext-bin"] = "daneo") -> None:
        """Write a directory that `WordVectors.load` opens, and `FastText.load` with all that further training needs.

        Parameters
        ----------
        path : path
        format : {"daneo", "fasttext-bin"}, default "daneo"
            Or a .bin that Facebook's program opens and answers from identically. It has a row for every bucket, and no
            position weights.

        Raises
        ------
        FileExistsError
            The directory holds files that daneo did not write.
        ValueError
            The format is not known, or cannot hold this model.
        """
        if format not in ("daneo", "fasttext-bin"):
            raise ValueError(f"FastText.save(format=...) expected daneo or fasttext-bin; got {format!r}.")
        vectors = self.vectors
        means, buckets = vectors.rows, vectors.ngrams.buckets
        assert isinstance(means, WordMeans)
        model = SavedFastText(
            config=self.config, vocabulary=self.vocabulary, own=means.own, ngrams=vectors.ngrams.rows,
            buckets=np.arange(len(vectors.ngrams), dtype=np.int32) if buckets is None else buckets,
            outputs=self.outputs, position_weights=self.position_weights, losses=self.losses,
            num_tokens=self._num_tokens,
        )  # fmt: skip
        if format == "daneo":
            write_directory(path, model, vectors)
        else:
            write_bin(path, model)

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, errors: str = "strict") -> FastText:
        """Open a model that `save` wrote, or a .bin of Facebook's program, to train it further.

        Parameters
        ----------
        path : path
        errors : {"strict", "surrogateescape"}, default "strict"
            What to do with words of a .bin that are not UTF-8: raise, or keep their bytes as lone surrogates.

        Raises
        ------
        FileNotFoundError
            There is nothing at `path`, or a file of it is missing.
        ValueError
            It is damaged, or holds vectors that cannot be trained further; the message says what to do.
        """
        saved = read_directory(path) if os.path.isdir(path) else read_bin(path, errors)
        config = saved.config
        model = cls(**dataclasses.asdict(config))
        model._vocabulary, model._outputs = saved.vocabulary, saved.outputs
        model._own, model._ngrams, model._buckets = saved.own, saved.ngrams, saved.buckets
        model._weights = saved.position_weights
        model.losses, model._num_tokens = list(saved.losses), saved.num_tokens
        return model

    def _part_rows(self, parts: Parts, rows: Floats, weights: Floats | None, words: Vocabulary) -> PartRows:
        config = self.config
        kept = words.counts.astype(np.float64) * keep_probabilities(words.counts, config.sample)
        predictions = config.negative + 1 if config.loss == "negative_sampling" else 1 + int(np.log2(len(words)))
        contexts = config.window if config.shrink_windows else 2 * config.window
        step = config.first_learning_rate * contexts * predictions
        piece, share = piece_size(parts, kept, step)
        num_threads = config.num_threads or available_cores()
        padded = None if weights is None else np.zeros((len(weights), rows.shape[1]), np.float32)
        if padded is not None:
            padded[:, : config.vector_size] = weights
        self._running = PartRows(parts, rows, padded, piece=piece, share=share, num_threads=num_threads)
        return self._running

    def _extended(self, old: Vocabulary, extended: Vocabulary, frozen: Sequence[str]) -> PartRows:
        config, buckets = self.config, self._buckets
        assert buckets is not None
        assert self._own is not None
        assert self._ngrams is not None
        parts = parts_of(extended.words, config.parts, also=buckets, num_threads=config.num_threads)
        rows = grown_rows(buckets, self._own, self._ngrams, parts, config.vector_size, config.seed)
        return self._part_rows(parts, rows, self._weights, extended)

    def _num_rows(self) -> int:
        assert self._running is not None
        return self._running.parts.num_rows

    def _keep(self, inputs: Floats) -> None:
        assert self._running is not None
        parts = self._running.parts
        self._own, self._ngrams, self._buckets = inputs[: parts.num_words], inputs[parts.num_words :], parts.buckets
        self._weights = _without_padding(self._running.position_weights, self.config)
        self._inputs, self._running, self._means = None, None, None


def _without_padding(weights: Floats | None, config: FastTextConfig) -> Floats | None:
    """Return a copy of the numbers that count."""
    return None if weights is None else weights[:, : config.vector_size].copy()
