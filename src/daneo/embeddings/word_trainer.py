"""What every trainer that predicts words from their neighbours does around its kernel."""

from __future__ import annotations

import dataclasses
import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

from daneo.embeddings.checkpoint import Checkpoint, TrainingState
from daneo.embeddings.text_stretches import TextPieces
from daneo.embeddings.training_run import TrainingRun
from daneo.embeddings.word2vec_config import Word2VecConfig
from daneo.embeddings.word2vec_matrices import Floats, num_outputs, without_padding
from daneo.embeddings.word2vec_training import Inputs, as_corpus, counted_vocabulary, encoded_corpus, start
from daneo.embeddings.word_vectors import WordVectors
from daneo.progress import ProgressCallback
from daneo.threads import available_cores

if TYPE_CHECKING:
    from daneo.corpus import EncodedCorpus, Vocabulary
    from daneo.embeddings.text_stretches import Step
    from daneo.embeddings.word2vec_training import Text

    EpochCallback = Callable[[Any, int, float], None]


class WordTrainer(ABC):
    """Reads a corpus, trains on it, goes on with another one. A subclass says what its rows are and begin as.

    Attributes
    ----------
    config : Word2VecConfig
        The settings.
    losses : list of float
        Mean loss of a prediction, for each epoch; those of continued training follow.
    """

    def __init__(self, config: Word2VecConfig) -> None:
        self.config = config
        self.losses: list[float] = []
        self._num_tokens = 0
        self._vocabulary: Vocabulary | None = None
        self._inputs: Floats | None = None  # (rows, D); while training padded to (rows + 1, width)
        self._outputs: Floats | None = None  # (V, D) or, for a Huffman tree, (V - 1, D)
        self._training = False

    @property
    def vocabulary(self) -> Vocabulary:
        """The words, in the order of the rows."""
        if self._vocabulary is None:
            name = type(self).__name__
            raise RuntimeError(f"{name} has no words yet: call fit(corpus) first, or {name}.load(path).")
        return self._vocabulary

    @property
    def is_trained(self) -> bool:
        """Whether there are vectors, finished or not."""
        return self._vocabulary is not None

    @property
    @abstractmethod
    def vectors(self) -> WordVectors:
        """The word vectors; during training a copy of them as they are."""

    @property
    def outputs(self) -> Floats:
        """The output matrix: a row for each word (V, D), or for each inner node of the Huffman tree (V - 1, D)."""
        words = self.vocabulary
        assert self._outputs is not None
        if self._training:
            return self._outputs[: num_outputs(self.config, words), : self.config.vector_size].copy()
        return self._outputs

    @abstractmethod
    def save(self, path: str | os.PathLike[str]) -> None:
        """Write what was learned."""

    @classmethod
    @abstractmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Open what `save` wrote."""

    @abstractmethod
    def _extended(self, old: Vocabulary, extended: Vocabulary, frozen: Sequence[str]) -> Inputs:
        """Return what training on more text begins with: the rows that there are, and new ones."""

    @abstractmethod
    def _num_rows(self) -> int:
        """Return the number of input rows, without the spare one."""

    def _keep(self, inputs: Floats) -> None:
        """Take over the rows that were learned, (rows, D), when training ends."""
        self._inputs = inputs

    def __repr__(self) -> str:
        state = f"{len(self.vocabulary)} words" if self.is_trained else "not trained"
        about = f"vector_size={self.config.vector_size}, {self.config.architecture}"
        return f"<{type(self).__name__}: {state}, {about}>"

    def _fit(
        self,
        corpus: Text,
        vocabulary: Vocabulary | None,
        begin: Callable[[Vocabulary], Inputs],
        asked: Mapping[str, Any],
        progress: ProgressCallback | None,
        on_epoch: EpochCallback | None,
        checkpoint: str | os.PathLike[str] | None,
        checkpoint_seconds: float,
        resume: bool,
    ) -> None:
        """Learn from a corpus; `begin` makes the rows to begin with, `asked` is what else a resumed run must repeat."""
        if resume and checkpoint is None:
            raise ValueError("resume=True goes on from a checkpoint: say which with checkpoint=path.")
        num_threads = self.config.num_threads or available_cores()
        settings = {**dataclasses.asdict(self.config), "num_threads": num_threads}
        saved = None if checkpoint is None else Checkpoint(checkpoint, {**settings, **asked}, resume=resume)
        with encoded_corpus(self.config, corpus, vocabulary, saved, progress) as encoded:
            words = counted_vocabulary(encoded)
            step, state = start(self.config, words, encoded, begin(words), None)
            if saved is not None and (before := saved.load()) is not None:
                state.restore(before)
            self._vocabulary = words
            self._train(encoded, step, state, self.config.epochs, progress, on_epoch, saved, checkpoint_seconds)

    def _continue(
        self,
        corpus: Text,
        epochs: int | None,
        frozen: Sequence[str],
        progress: ProgressCallback | None,
        on_epoch: EpochCallback | None,
    ) -> None:
        """Learn from more text, with new words after the old ones."""
        old = self.vocabulary
        epochs = self.config.epochs if epochs is None else epochs
        if epochs < 1:
            raise ValueError(f"{type(self).__name__}.continue_training expected epochs of at least 1, got {epochs}.")
        corpus = as_corpus(corpus)
        words, counts = corpus.count(num_threads=self.config.num_threads, progress=progress)
        known = [at for at, word in enumerate(words) if word in old or counts[at] >= self.config.min_count]
        extended = old.extended([words[at] for at in known], counts[known])
        losses, num_tokens, before = self.losses, self._num_tokens, dict(vars(self))
        with encoded_corpus(self.config, corpus, extended, None, progress) as encoded:
            inputs = self._extended(old, extended, frozen)
            outputs = None if self.config.loss == "hierarchical_softmax" else self._outputs
            step, state = start(self.config, extended, encoded, inputs, outputs)
            self._vocabulary = extended
            try:
                self._train(encoded, step, state, epochs, progress, on_epoch)
            except Exception:  # there was nothing to learn, or it went wrong: the model is as it was
                vars(self).update(before)
                raise
            finally:
                if self.losses is not losses:
                    self.losses, self._num_tokens = losses + self.losses, num_tokens + self._num_tokens

    def _train(
        self,
        encoded: EncodedCorpus,
        step: Step,
        state: TrainingState,
        epochs: int,
        progress: ProgressCallback | None,
        on_epoch: EpochCallback | None,
        saved: Checkpoint | None = None,
        checkpoint_seconds: float = 60.0,
    ) -> None:
        words, size = self.vocabulary, self.config.vector_size
        self._inputs, self._outputs, self._training = state.inputs, state.outputs, True
        self.losses, self._num_tokens = state.position.losses, encoded.num_tokens
        try:
            TrainingRun(
                TextPieces(encoded, step),
                state.position,
                epochs=epochs,
                learning_rate=self.config.first_learning_rate,
                min_learning_rate=self.config.last_learning_rate,
                progress=progress,
                on_epoch=None if on_epoch is None else lambda epoch, loss: on_epoch(self, epoch, loss),
                save=None if saved is None else lambda: saved.save(state.tensors()),
                checkpoint_seconds=checkpoint_seconds,
            ).run()
        finally:  # also when interrupted: what was learned is kept
            self._training = False
            self._keep(without_padding(state.inputs, self._num_rows(), size))
            self._outputs = without_padding(state.outputs, num_outputs(self.config, words), size)
