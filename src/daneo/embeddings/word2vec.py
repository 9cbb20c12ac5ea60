"""word2vec: word vectors that predict their neighbours, or are predicted by them."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from daneo.embeddings.word2vec_config import Word2VecConfig
from daneo.embeddings.word2vec_files import read_model, write_model
from daneo.embeddings.word2vec_matrices import Floats, check_size, copy_rows, initial_vectors, updated_rows
from daneo.embeddings.word_trainer import WordTrainer
from daneo.embeddings.word_vectors import WordVectors
from daneo.progress import ProgressCallback
from daneo.settings import configured

if TYPE_CHECKING:
    import numpy.typing as npt

    from daneo.corpus import Vocabulary
    from daneo.embeddings.word2vec_training import Ends, Ids, Piece, Text
    from daneo.embeddings.word_trainer import EpochCallback


class Word2Vec(WordTrainer):
    r"""Learn word vectors from text by skip-gram or CBOW.

    Skip-gram asks each context word v (a row of ``vectors``) to predict the center word u (a row of ``outputs``); CBOW
    asks the mean of all context words. With negative sampling the loss of one prediction is

    .. math:: -\log\sigma(u \cdot v) - \sum_{k=1}^{K} \log\sigma(-n_k \cdot v)

    for K noise words n; with hierarchical softmax it is the same sum over the inner nodes on the center's path through
    a Huffman tree.

    Parameters
    ----------
    **settings
        The fields of :class:`Word2VecConfig`: ``vector_size=100, window=5, min_count=5, epochs=5, learning_rate=None,
        architecture="skipgram" | "cbow", loss="negative_sampling" | "hierarchical_softmax", negative=5, sample=1e-3,
        num_threads=None, seed=1`` and others. ``daneo train word2vec --help`` explains each.

    Attributes
    ----------
    config : Word2VecConfig
        The settings.
    vectors : WordVectors
        The result, (V, vector_size). During training (in `on_epoch`) a copy of the state so far.
    losses : list of float
        Mean loss of a prediction, for each epoch; those of continued training follow.

    Notes
    -----
    Cost: O(tokens * window * negative * vector_size) for each epoch; memory two matrices of V rows, the vocabulary and
    a constant, whatever the length of the text. One thread with a seed gives the same bits every time on one kind of
    machine; several threads write to the same rows without a lock (Hogwild), so each run ends a little differently.

    Differences from word2vec.c and gensim: four neighbouring centers share a set of noise words, weighed so that the
    expected update is the same, and are updated together; in skip-gram, noise that equals one of the four is left out
    for all of them; windows end at documents, whose length has no limit; the learning rate ends at 0.28 of its start.
    As there, the gradient of CBOW's mean goes undivided to each context word. With several threads on a long text, each
    trains a copy of the Huffman tree's top nodes, and the copies are averaged.

    References
    ----------
    Mikolov et al. 2013a, arXiv:1301.3781; Mikolov et al. 2013b, arXiv:1310.4546, equation 4.
    Ji et al. 2016, arXiv:1604.04661 (noise shared by a window); Rengasamy et al. 2017 (by several windows).

    Examples
    --------
    >>> text = ["the sun is hot", "the sun is bright", "the moon is cold"] * 50
    >>> model = Word2Vec(vector_size=16, epochs=2, num_threads=1).fit(text)
    >>> model.vectors.matrix.shape, len(model.losses)
    ((7, 16), 2)
    >>> "moon" in model.vectors
    True
    """

    config: Word2VecConfig

    @configured(Word2VecConfig)
    def __init__(self, config: Word2VecConfig) -> None:
        super().__init__(config)

    @property
    def vectors(self) -> WordVectors:
        """The word vectors; during training a copy of them as they are."""
        words = self.vocabulary
        assert self._inputs is not None
        if self._training:
            return WordVectors(words, self._inputs[: len(words), : self.config.vector_size].copy())
        return WordVectors(words, self._inputs)

    def fit(
        self,
        corpus: Text,
        *,
        vocabulary: Vocabulary | None = None,
        vectors: WordVectors | None = None,
        frozen: Sequence[str] = (),
        progress: ProgressCallback | None = None,
        on_epoch: EpochCallback | None = None,
        checkpoint: str | os.PathLike[str] | None = None,
        checkpoint_seconds: float = 60.0,
        resume: bool = False,
    ) -> Word2Vec:
        """Learn from a corpus, from the beginning.

        Parameters
        ----------
        corpus : Corpus, or anything that Corpus takes
            The text. It is read once.
        vocabulary : Vocabulary or None
            The words to learn; None makes one by `min_count` and `max_size`. One without counts gets those of the text.
        vectors : WordVectors or None
            Start from these where they have the word; words that only they have are left out.
        frozen : sequence of str
            Words whose vectors stay as they begin.
        progress : callable or None
            Gets a `daneo.progress.Progress` now and then, while reading and while training.
        on_epoch : callable or None
            Called as on_epoch(model, epoch, loss) after each epoch, from 1.
        checkpoint : path or None
            A directory to go on from after a crash. It stays when training ends; remove it then.
        checkpoint_seconds : float
            Time between two checkpoints.
        resume : bool
            Go on from `checkpoint`, which must have been made by the same call.

        Returns
        -------
        Word2Vec
            The model itself.

        Raises
        ------
        KeyboardInterrupt
            Training was stopped with Ctrl-C. `vectors` holds what was learned, and a checkpoint has been written.
        ValueError
            No word is frequent enough; `vectors` are of another size; the checkpoint is of another run.
        KeyError
            A frozen word is not in the vocabulary.
        """
        if vectors is not None:
            check_size(vectors, self.config.vector_size)

        def begin(words: Vocabulary) -> WordRows:
            inputs = initial_vectors(len(words), self.config.vector_size, self.config.seed)
            if vectors is not None:
                copy_rows(vectors, words, inputs, self.config.vector_size)
            return WordRows(inputs, words, frozen)

        asked = {"task": "fit", "frozen": list(frozen)}
        self._fit(corpus, vocabulary, begin, asked, progress, on_epoch, checkpoint, checkpoint_seconds, resume)
        return self

    def continue_training(
        self,
        corpus: Text,
        *,
        epochs: int | None = None,
        frozen: Sequence[str] = (),
        progress: ProgressCallback | None = None,
        on_epoch: EpochCallback | None = None,
    ) -> Word2Vec:
        """Learn from more text: every word keeps its row and its vector as a start, new words get rows after them.

        Parameters
        ----------
        corpus : Corpus, or anything that Corpus takes
            The new text, read twice: no one-time iterator. The model's words are used in it however rare they are.
        epochs : int or None
            Passes over the new text; None as in the settings. The learning rate starts anew.
        frozen, progress, on_epoch
            As in `fit`.

        Notes
        -----
        With hierarchical softmax new counts make a new Huffman tree, so the output matrix begins anew from zeros.

        Examples
        --------
        >>> model = Word2Vec(vector_size=16, min_count=1, sample=0.0, num_threads=1).fit(["a b c", "b c a"])
        >>> model.continue_training(["a b d", "d b a"]).vectors.words
        ['a', 'b', 'c', 'd']
        """
        self._continue(corpus, epochs, frozen, progress, on_epoch)
        return self

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a directory that `WordVectors.load` opens, and `Word2Vec.load` with all that further training needs.

        Raises
        ------
        FileExistsError
            The directory holds files that daneo did not write.
        """
        write_model(path, self.config, self.vectors, self.outputs, self.losses, self._num_tokens)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Word2Vec:
        """Open a model that `save` wrote.

        Raises
        ------
        FileNotFoundError
            There is no such directory, or a file of it is missing.
        ValueError
            It is damaged, or holds word vectors of another origin.
        """
        saved = read_model(path)
        model = cls(**dataclasses.asdict(saved.config))
        model._vocabulary, model._inputs, model._outputs = saved.vocabulary, saved.inputs, saved.outputs
        model.losses, model._num_tokens = saved.losses, saved.num_tokens
        return model

    def _extended(self, old: Vocabulary, extended: Vocabulary, frozen: Sequence[str]) -> WordRows:
        assert self._inputs is not None
        inputs = initial_vectors(len(extended), self.config.vector_size, self.config.seed, first=len(old))
        inputs[: len(old), : self.config.vector_size] = self._inputs
        return WordRows(inputs, extended, frozen)

    def _num_rows(self) -> int:
        return len(self.vocabulary)


class WordRows:
    """A row for each word: the inputs of word2vec.

    Parameters
    ----------
    rows : float32 array of shape (V + 1, width)
        The rows to begin with, padded.
    words : Vocabulary
        V words.
    frozen : sequence of str
        Words whose rows stay.
    """

    def __init__(self, rows: Floats, words: Vocabulary, frozen: Sequence[str]) -> None:
        self.rows = rows
        self.learned: dict[str, npt.NDArray[Any]] = {}
        self._read = np.arange(len(words), dtype=np.int32)
        self._changed = updated_rows(words, frozen)
        self._no_weights = np.zeros((0, rows.shape[1]), np.float32)

    def pieces(self, thread: int, kept: Ids, ends: Ends) -> Iterator[Piece]:
        """Give the whole stretch: see `daneo.embeddings.word2vec_training.Inputs`."""
        yield kept, ends, self.rows, self._read, self._changed, self._no_weights
