"""GloVe: word vectors from counts of pairs."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import numpy as np

from daneo.corpus.cooccurrence_config import CooccurrencesConfig
from daneo.corpus.cooccurrence_memory import resident_memory
from daneo.embeddings.checkpoint import Checkpoint, TrainingState
from daneo.embeddings.counts_settings import with_counts_settings
from daneo.embeddings.glove_config import GloVeConfig
from daneo.embeddings.glove_files import Parameters, read_model, write_model
from daneo.embeddings.glove_pairs import GlovePairs
from daneo.embeddings.glove_pairs_writing import BUFFER, write_pairs
from daneo.embeddings.glove_training import TilePieces, initial_rows, learned
from daneo.embeddings.training_run import Position, TrainingRun
from daneo.embeddings.word2vec_training import as_corpus
from daneo.embeddings.word_vectors import WordVectors
from daneo.progress import ProgressCallback
from daneo.settings import configured, subset
from daneo.threads import available_cores

if TYPE_CHECKING:
    from daneo.corpus import Cooccurrences, Vocabulary
    from daneo.embeddings.word2vec_training import Text

    EpochCallback = Callable[["GloVe", int, float], None]


class GloVe:
    r"""Learns a vector for each word, such that two words' product tells how often they stand near each other.

    For each pair of words with the count :math:`X_{ij}`, a weighted square is made smaller by AdaGrad:

    .. math:: J = \sum_{ij} f(X_{ij}) (w_i \cdot c_j + b_i + b_j - \log X_{ij})^2 / 2,
              \quad f(X) = \min(1, (X / x_{max})^\alpha)

    Parameters
    ----------
    vector_size, window, min_count, ... : see :class:`daneo.embeddings.glove_config.GloVeConfig`
        By name. ``help(daneo.GloVe)`` shows all with their defaults.

    Attributes
    ----------
    config : GloVeConfig
        The settings.
    losses : list of float
        Mean loss of a pair, for each epoch.

    Notes
    -----
    Time and memory: the pairs lie in files and are gone through in tiles, 8 bytes a pair; in memory are two matrices of
    twice the vectors' size, for the vectors and for AdaGrad.

    Differences from Stanford's program: pairs are shuffled within tiles, and tiles are trained in rounds of which no
    two have a word in common, so the result is the same for any number of threads; numbers are float32, as there
    only on paper; gradients are not clipped: a run that would need it has diverged, and ends with an error; no vector
    for unknown words is made up. Biases take steps of 1, vectors of the learning rate, as there.

    References
    ----------
    Pennington, Socher and Manning 2014, https://aclanthology.org/D14-1162, equation 8. Duchi, Hazan and Singer 2011
    (AdaGrad). Gemulla et al. 2011, https://doi.org/10.1145/2020408.2020426 (rounds of tiles).

    Examples
    --------
    >>> text = ["the sun is hot", "the sun is bright", "the moon is cold"] * 50
    >>> model = GloVe(vector_size=16, epochs=3).fit(text)
    >>> model.vectors.matrix.shape, len(model.losses)
    ((7, 16), 3)
    >>> model.losses[-1] < model.losses[0]
    True
    """

    config: GloVeConfig

    @configured(GloVeConfig)
    def __init__(self, config: GloVeConfig) -> None:
        self.config = self._given = config  # counts bring settings of their own, for one run
        self.losses: list[float] = []
        self._num_tokens = 0
        self._vocabulary: Vocabulary | None = None
        self._parameters: Parameters | None = None
        self._state: TrainingState | None = None  # while training

    @property
    def vocabulary(self) -> Vocabulary:
        """The words, in the order of the rows."""
        if self._vocabulary is None:
            raise RuntimeError("GloVe has no words yet: call fit(corpus) first, or GloVe.load(path).")
        return self._vocabulary

    @property
    def is_trained(self) -> bool:
        """Whether there are vectors, finished or not."""
        return self._vocabulary is not None

    @property
    def parameters(self) -> Parameters:
        """All that was learned: vectors of words and of contexts, and their biases; during training a copy."""
        _ = self.vocabulary
        if self._state is not None:
            return self._learned(self._state)
        assert self._parameters is not None
        return self._parameters

    @property
    def vectors(self) -> WordVectors:
        """The word vectors that the setting `vectors` asks for; during training a copy of them as they are."""
        return WordVectors(self.vocabulary, self.parameters.vectors(self.config.vectors))

    def fit(
        self,
        corpus: Text | Cooccurrences,
        *,
        vocabulary: Vocabulary | None = None,
        progress: ProgressCallback | None = None,
        on_epoch: EpochCallback | None = None,
        checkpoint: str | os.PathLike[str] | None = None,
        checkpoint_seconds: float = 60.0,
        resume: bool = False,
    ) -> GloVe:
        """Learn from a corpus, or from counts that were made before.

        Parameters
        ----------
        corpus : Corpus, anything that Corpus takes, or Cooccurrences
            The text, read once; or counts, which bring the settings that they were made with.
        vocabulary : Vocabulary or None
            The words to learn from a text; None makes one by `min_count` and `max_size`.
        progress : callable or None
            Gets a `daneo.progress.Progress` now and then, while reading, counting and training.
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
        GloVe
            The model itself.

        Raises
        ------
        KeyboardInterrupt
            Training was stopped with Ctrl-C. `vectors` holds what was learned, and a checkpoint has been written.
        ValueError
            No word is frequent enough; no two words stand side by side; counts were made with other settings; the
            checkpoint is of another run; training has diverged.
        """
        from daneo.corpus import Cooccurrences

        if resume and checkpoint is None:
            raise ValueError("resume=True goes on from a checkpoint: say which with checkpoint=path.")
        if isinstance(corpus, Cooccurrences) and vocabulary is not None:
            raise ValueError("GloVe.fit got counts and a vocabulary; counts bring their own. Leave vocabulary out.")
        self.config = self._given
        if isinstance(corpus, Cooccurrences):
            self.config = with_counts_settings(self._given, corpus)
        num_threads = self.config.num_threads or available_cores()
        saved = None
        if checkpoint is not None:
            settings = {**dataclasses.asdict(self.config), "num_threads": num_threads}
            saved = Checkpoint(checkpoint, {"task": "fit glove", **settings, **_source(corpus)}, resume=resume)
        with self._pairs(corpus, vocabulary, saved, progress) as pairs:
            self._train(pairs, num_threads, saved, progress, on_epoch, checkpoint_seconds)
        return self

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a directory that `WordVectors.load` opens, and `GloVe.load` with all that was learned.

        Raises
        ------
        FileExistsError
            The directory holds files that daneo did not write.
        """
        parameters = self.parameters
        vectors = WordVectors(self.vocabulary, parameters.vectors(self.config.vectors))
        write_model(path, self.config, vectors, parameters, self.losses, self._num_tokens)

    @classmethod
    def load(
        cls,
        path: str | os.PathLike[str],
        *,
        vocabulary: str | os.PathLike[str] | None = None,
        vector_size: int | None = None,
        errors: str = "strict",
    ) -> GloVe:
        """Open a model that `save` wrote, or all that Stanford's program learned.

        Parameters
        ----------
        path : path
            A directory; a text file that Stanford's program wrote with ``-model 0``; or with `vocabulary` one that it
            wrote with ``-binary 1``.
        vocabulary : path or None
            The ``vocab.txt`` that Stanford's program was trained with.
        vector_size : int or None
            Of a text file without a header, which does not say it.
        errors : {"strict", "replace", "ignore", "surrogateescape"}, default "strict"
            What to do with words of its files that are not UTF-8, as in ``bytes.decode``.

        Raises
        ------
        FileNotFoundError
            There is no such directory or file, or a file of it is missing.
        ValueError
            It is damaged, or holds word vectors of another origin.
        """
        if vocabulary is not None or os.path.isfile(path):
            from daneo.embeddings.formats.glove_binary import read_glove_binary
            from daneo.embeddings.formats.glove_parameters import read_glove_parameters

            if vocabulary is None:
                words, *arrays = read_glove_parameters(path, vector_size=vector_size, errors=errors)
            else:
                words, *arrays = read_glove_binary(path, vocabulary, errors=errors)
            model = cls(vector_size=arrays[0].shape[1])
            model._vocabulary = words
            model._parameters = Parameters(*(np.array(array, np.float32) for array in arrays))
            return model
        config, words, parameters, losses, num_tokens = read_model(path)
        model = cls(**dataclasses.asdict(config))
        model._vocabulary, model._parameters, model.losses, model._num_tokens = words, parameters, losses, num_tokens
        return model

    def __repr__(self) -> str:
        state = f"{len(self.vocabulary)} words" if self.is_trained else "not trained"
        return f"<GloVe: {state}, vector_size={self.config.vector_size}>"

    def _pairs(
        self,
        corpus: Text | Cooccurrences,
        vocabulary: Vocabulary | None,
        saved: Checkpoint | None,
        progress: ProgressCallback | None,
    ) -> GlovePairs:
        """Return the pairs to train on: those of the unfinished run if there is one."""
        from daneo.corpus import Cooccurrences, count_cooccurrences

        path = None if saved is None else saved.path / "pairs"
        if path is not None and path.exists():
            return GlovePairs.open(path)
        with ExitStack() as stack:
            counts = corpus
            if not isinstance(counts, Cooccurrences):
                counts = stack.enter_context(
                    count_cooccurrences(
                        as_corpus(counts),
                        vocabulary,
                        **subset(CooccurrencesConfig, self.config),
                        progress=progress,
                    )
                )
            if counts.num_pairs == 0:
                raise ValueError(
                    "The text has no two words side by side in one document, so there is nothing to learn from. "
                    "Give more text or lower min_count."
                )
            return write_pairs(
                counts,
                path,
                seed=self.config.seed,
                buffer=BUFFER if self.config.memory is None else max(self.config.memory - resident_memory(), 1),
                num_threads=self.config.num_threads,
                progress=progress,
            )

    def _train(
        self,
        pairs: GlovePairs,
        num_threads: int,
        saved: Checkpoint | None,
        progress: ProgressCallback | None,
        on_epoch: EpochCallback | None,
        checkpoint_seconds: float,
    ) -> None:
        config, num_words = self.config, len(pairs.vocabulary)
        size = config.vector_size
        position = Position(np.zeros(num_threads), np.zeros(num_threads))
        state = TrainingState(
            initial_rows(num_words, size, config.seed, bias=size),
            initial_rows(num_words, size, config.seed, bias=size + 1),
            np.zeros(0, np.uint64),
            position,
        )
        if saved is not None and (before := saved.load()) is not None:
            state.restore(before)
        begun = position.epoch * pairs.num_blocks**2 + position.stretch
        self._vocabulary, self._state = pairs.vocabulary, state
        self.losses, self._num_tokens = position.losses, pairs.num_tokens
        try:
            TrainingRun(
                TilePieces(config, pairs, state.inputs, state.outputs, begun),
                position,
                epochs=config.epochs,
                learning_rate=config.learning_rate,
                min_learning_rate=config.learning_rate,
                progress=progress,
                on_epoch=None if on_epoch is None else lambda epoch, loss: on_epoch(self, epoch, loss),
                save=None if saved is None else lambda: saved.save(state.tensors()),
                checkpoint_seconds=checkpoint_seconds,
            ).run()
        finally:  # also when interrupted: what was learned is kept
            self._parameters, self._state = self._learned(state), None

    def _learned(self, state: TrainingState) -> Parameters:
        size = self.config.vector_size
        words, word_biases = learned(state.inputs, size, bias=size)
        contexts, context_biases = learned(state.outputs, size, bias=size + 1)
        return Parameters(words, contexts, word_biases, context_biases)


def _source(corpus: Any) -> dict[str, Any]:
    """Return what a resumed run must have been given again: text cut the same way, or counts of as many pairs."""
    from daneo.corpus import Cooccurrences

    if isinstance(corpus, Cooccurrences):
        return {"counted pairs": corpus.num_pairs}
    return {"tokenizer": as_corpus(corpus).tokenizer.name}
