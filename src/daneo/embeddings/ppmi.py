"""PPMI: word vectors that are counted, not predicted."""

from __future__ import annotations

import dataclasses
import os
from typing import TYPE_CHECKING

from daneo.corpus.cooccurrence_config import CooccurrencesConfig
from daneo.embeddings.counts_settings import with_counts_settings
from daneo.embeddings.ppmi_config import PPMIConfig
from daneo.embeddings.ppmi_files import read_model, write_model
from daneo.embeddings.sparse_rows import SparseRows
from daneo.embeddings.sparse_vectors import SparseVectors
from daneo.embeddings.word2vec_training import as_corpus
from daneo.embeddings.word_vectors import WordVectors
from daneo.progress import ProgressCallback
from daneo.settings import configured, subset
from daneo.threads import available_cores

if TYPE_CHECKING:
    from daneo.corpus import Cooccurrences, Vocabulary
    from daneo.embeddings.rows import Floats
    from daneo.embeddings.word2vec_training import Text


class PPMI:
    r"""Learn word vectors by counting: positive pointwise mutual information, and its truncated SVD.

    How much more often than by chance does word w stand near word c? The sparse row of w has for each c

    .. math:: \max\Big(0, \log\frac{P(w, c)}{P(w)\,P_\alpha(c)} - \log k\Big),
              \quad P_\alpha(c) = \frac{\#(c)^\alpha}{\sum_{c'} \#(c')^\alpha}

    and the dense rows are :math:`U_d S_d^p` of its singular value decomposition :math:`U S V^T`, cut to d columns.

    Parameters
    ----------
    **settings
        The fields of :class:`PPMIConfig`: ``vector_size=100, window=10, min_count=5, weighting="harmonic" | "flat",
        symmetric=True, alpha=0.75, shift=1, power=0.25, num_threads=None, seed=1`` and others, with k for `shift` and
        p for `power`. ``daneo train ppmi --help`` explains each. ``vector_size=None`` keeps the sparse rows alone.

    Attributes
    ----------
    config : PPMIConfig
        The settings.
    sparse : SparseVectors
        The sparse rows: the same questions, and which contexts a word's numbers stand for.
    vectors : WordVectors
        The dense rows, (V, vector_size).
    singular_values : float32 array of shape (vector_size,) or None
        S, falling.

    Notes
    -----
    Memory: 8 bytes for each pair of a word and a context that was seen, in place of which come the sparse rows; for the
    decomposition about 8 vector_size V float32 numbers: 0.8 GB for 48 million pairs of 72,188 words. `memory` is for
    counting alone. Time: counting, two passes over the pairs, and for each column some seven products with them. The
    result is the same, bit for bit, for any number of threads and any `memory`; another `seed` changes its rounding.

    Differences from the paper: counts fall with distance as 1/d ("harmonic") where the paper has flat ones or
    word2vec's linear ones; no pair is left out at random, and contexts' vectors are not added to words': that made
    similarity sets a point better and analogies three points worse. The paper tries p of 0, 0.5 and 1; 0.25 lies
    between what is best for similarity (0) and for analogies (0.5).

    On 16 million words, among the first 30,000, the dense rows answer 38 % of the analogies (semantic ones 35 %), the
    sparse ones 34 % (45 %); WordSim-353 66 and 64, SimLex-999 26 and 28. A `shift` of 0.5, which keeps pairs that stand
    together somewhat less often than by chance, makes the dense rows a point better and the sparse ones worse; smaller
    windows make both worse but for SimLex-999 of the sparse ones (benchmarks/embeddings/ppmi_quality.py).

    References
    ----------
    Levy, Goldberg and Dagan (2015), "Improving Distributional Similarity with Lessons Learned from Word Embeddings",
    https://doi.org/10.1162/tacl_a_00134, sections 2 and 3.

    Examples
    --------
    >>> text = ["the sun is hot", "the sun is bright", "the moon is cold"] * 5
    >>> model = PPMI(vector_size=3, window=2).fit(text)
    >>> model.vectors.matrix.shape, "moon" in model.vectors
    ((7, 3), True)
    >>> model.sparse.most_similar("bright", topn=1)[0][0], model.sparse.strongest_contexts("moon", topn=1)[0][0]
    ('hot', 'cold')
    """

    config: PPMIConfig

    @configured(PPMIConfig)
    def __init__(self, config: PPMIConfig) -> None:
        self.config = self._given = config  # counts bring settings of their own, for one run
        self._num_tokens = 0
        self._sparse: SparseVectors | None = None
        self._dense: WordVectors | None = None
        self.singular_values: Floats | None = None

    @property
    def is_trained(self) -> bool:
        """Whether there are vectors."""
        return self._sparse is not None

    @property
    def sparse(self) -> SparseVectors:
        """The sparse rows, (V, V)."""
        if self._sparse is None:
            raise RuntimeError("PPMI has no words yet: call fit(corpus) first, or PPMI.load(path).")
        return self._sparse

    @property
    def vectors(self) -> WordVectors:
        """The dense rows, (V, vector_size)."""
        _ = self.sparse
        if self._dense is None:
            raise RuntimeError("PPMI(vector_size=None) makes no dense vectors: ask model.sparse, or give a size.")
        return self._dense

    @property
    def vocabulary(self) -> Vocabulary:
        """The words, in the order of the rows."""
        return self.sparse.vocabulary

    def fit(
        self,
        corpus: Text | Cooccurrences,
        *,
        vocabulary: Vocabulary | None = None,
        progress: ProgressCallback | None = None,
    ) -> PPMI:
        """Learn from a corpus, or from counts that were made before.

        Parameters
        ----------
        corpus : Corpus, anything that Corpus takes, or Cooccurrences
            The text, read once; or counts, which bring the settings of counting: `config` then has theirs.
        vocabulary : Vocabulary or None
            The words to learn from a text; None makes one by `min_count` and `max_size`.
        progress : callable or None
            Gets a `daneo.progress.Progress` now and then, while reading, counting, weighing and reducing.

        Returns
        -------
        PPMI
            The model itself.

        Raises
        ------
        ValueError
            No word is frequent enough; no pair stands together more often than by chance; a setting of counting is
            neither the default nor that of the counts.
        """
        from daneo.corpus import Cooccurrences, count_cooccurrences

        if isinstance(corpus, Cooccurrences):
            if vocabulary is not None:
                raise ValueError("PPMI.fit got counts and a vocabulary; counts bring their own. Leave vocabulary out.")
            self._learn(corpus, with_counts_settings(self._given, corpus), progress)
            return self
        settings = subset(CooccurrencesConfig, self._given)
        with count_cooccurrences(as_corpus(corpus), vocabulary, **settings, progress=progress) as counts:
            self._learn(counts, self._given, progress)
        return self

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a directory, which `WordVectors.load` and `SparseVectors.load` open too: dense rows, sparse rows.

        Raises
        ------
        FileExistsError
            The directory holds files that daneo did not write.
        """
        write_model(path, self.config, self.sparse, self._dense, self.singular_values, self._num_tokens)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> PPMI:
        """Open a model that `save` wrote; its rows are memory-mapped.

        Raises
        ------
        FileNotFoundError
            There is no such directory, or a file of it is missing.
        ValueError
            It is damaged, or holds word vectors of another origin.
        """
        saved = read_model(path)
        model = cls(**dataclasses.asdict(saved.config))
        model._sparse, model._dense = saved.sparse, saved.dense
        model.singular_values, model._num_tokens = saved.singular_values, saved.num_tokens
        return model

    def __repr__(self) -> str:
        state = f"{len(self.vocabulary)} words" if self.is_trained else "not trained"
        return f"<PPMI: {state}, vector_size={self.config.vector_size}>"

    def _learn(self, counts: Cooccurrences, config: PPMIConfig, progress: ProgressCallback | None) -> None:
        from daneo.embeddings.ppmi_reduction import reduce
        from daneo.embeddings.ppmi_weights import weigh

        words, num_tokens = counts.vocabulary, counts.num_tokens
        rows = weigh(SparseRows.of(counts.matrix()), config.alpha, config.shift, progress)
        if rows.num_stored == 0:
            raise ValueError(
                "No two words stand together more often than by chance, so there is nothing to learn from. "
                "Give more text, or lower min_count or shift."
            )
        dense = singular_values = None
        if config.vector_size is not None:
            num_threads = config.num_threads or available_cores()
            matrix, singular_values = reduce(rows, config.vector_size, config.power, config.seed, num_threads, progress)
            dense = WordVectors(words, matrix)
        self.config, self._num_tokens, self._sparse = config, num_tokens, SparseVectors(words, rows)
        self._dense, self.singular_values = dense, singular_values
