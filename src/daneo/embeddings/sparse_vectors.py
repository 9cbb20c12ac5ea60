"""Sparse word vectors: a column for each word that stands near, and most of them zeros."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from daneo.embeddings.row_blocks import Doubles
from daneo.embeddings.sieve import Sieve
from daneo.embeddings.sparse_blocks import SparseBlocks
from daneo.embeddings.sparse_rows import SparseRows
from daneo.embeddings.word_likeness import Item
from daneo.embeddings.word_neighbours import Neighbours, WordNeighbours, checked_topn

if TYPE_CHECKING:
    from scipy import sparse

    from daneo.corpus.vocabulary import Vocabulary
    from daneo.embeddings.analogies import AnalogyResult
    from daneo.embeddings.similarity_sets import SimilarityResult

_QUESTIONS_AT_ONCE = 64  # each takes a dense row while it is asked


class SparseVectors(WordNeighbours):
    """Words and sparse vectors, one number for each word of the vocabulary: the questions of WordVectors.

    What a word is alike is all in the picture: its row says which words stand near it, and how much more often than by
    chance (:meth:`strongest_contexts`). :class:`daneo.PPMI` makes such rows from text.

    Parameters
    ----------
    vocabulary : Vocabulary or sequence of str
        V words; a word's id is its row, and the column of what is said of it as a context.
    matrix : scipy.sparse matrix of shape (V, V), or SparseRows
        Kept without a copy where it is CSR, sorted, float32 and stores no zeros; not to be changed afterwards.

    Raises
    ------
    ValueError
        The matrix is not of shape (V, V).
    TypeError
        It is not sparse.

    Notes
    -----
    Answers are those that :class:`daneo.WordVectors` of the dense matrix would give, to the last bit; but to the
    rounding of a float32 sum where that is what they are: :attr:`norms`, :meth:`similarities` and :meth:`distances` to
    all words, and analogies. ``vectors[word]`` is a dense row, float32 (V,); :attr:`matrix` is sparse. Vectors
    cannot be changed.

    Cost: a question is a product with all stored numbers, for 34 million of them some hundredths of a second; many at
    once are 64 dense columns at a time. Evaluating analogies takes memory for a dense row of each word they are made
    of.

    Examples
    --------
    >>> import daneo
    >>> from scipy import sparse
    >>> counts = sparse.csr_array([[0, 2, 1, 0], [2, 0, 0, 0], [1, 0, 0, 3], [0, 0, 3, 0]])
    >>> vectors = daneo.SparseVectors(["eat", "apple", "drink", "water"], counts)
    >>> vectors
    <SparseVectors: 4 words, 6 numbers other than 0>
    >>> vectors["drink"]
    array([1., 0., 0., 3.], dtype=float32)
    >>> vectors.strongest_contexts("drink")
    [('water', 3.0), ('eat', 1.0)]
    >>> vectors.most_similar("apple", topn=1)
    [('drink', 0.3162277936935425)]
    """

    _rows: SparseRows
    _blocks: SparseBlocks

    def __init__(
        self, vocabulary: Vocabulary | Sequence[str], matrix: sparse.sparray | sparse.spmatrix | SparseRows
    ) -> None:
        rows = matrix if isinstance(matrix, SparseRows) else SparseRows.of(matrix)
        super().__init__(vocabulary, rows)
        if rows.shape[1] != len(self):
            raise ValueError(
                f"SparseVectors expected a matrix of shape ({len(self)}, {len(self)}), a row and a column a word, "
                f"got shape {rows.shape}."
            )
        self._blocks = SparseBlocks(rows)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> SparseVectors:
        """Open a directory that :meth:`save` or ``PPMI.save`` wrote; the rows are memory-mapped.

        Raises
        ------
        FileNotFoundError
            There is no such directory, or a file of it is missing.
        ValueError
            It is damaged, or holds no sparse rows.
        """
        from daneo.embeddings.sparse_vectors_files import open_sparse

        return cls(*open_sparse(path))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a directory; what stood at `path` is replaced only when all is written.

        Raises
        ------
        FileExistsError
            `path` is a directory with files in it that daneo did not write.

        Examples
        --------
        >>> import daneo, tempfile
        >>> from scipy import sparse
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     daneo.SparseVectors(["sea", "sun"], sparse.csr_array([[0, 3], [3, 0]])).save(f"{folder}/rows")
        ...     daneo.SparseVectors.load(f"{folder}/rows")["sea"]
        array([0., 3.], dtype=float32)
        """
        from daneo.embeddings.sparse_vectors_files import save_sparse

        save_sparse(path, self.vocabulary, self._rows)

    @property
    def matrix(self) -> sparse.csr_array:
        """All rows, scipy.sparse float32 (V, V), over the same memory: to be read only."""
        return self._rows.block(0, len(self))

    @property
    def rows(self) -> SparseRows:
        """The rows as they are kept."""
        return self._rows

    def strongest_contexts(self, word: str, *, topn: int = 10) -> Neighbours:
        """Return the words that the largest numbers of a word's row stand for.

        Parameters
        ----------
        word : str
        topn : int, default 10
            How many; fewer come only where the row has fewer numbers other than 0.

        Returns
        -------
        list of (word, number)
            The largest first, equal ones in the order of the vocabulary.

        Raises
        ------
        KeyError
            The word is unknown; the message has the nearest spellings.
        """
        topn = checked_topn(topn)
        columns, values = self._rows.row(self.vocabulary.id(word))
        order = np.argsort(-values, kind="stable")[:topn]
        words = self.words
        return [(words[columns[i]], float(values[i])) for i in order]

    def evaluate_analogies(
        self,
        path: str | os.PathLike[str],
        *,
        restrict_vocab: int | None = 300_000,
        case_insensitive: bool = True,
        method: Literal["3cosadd", "3cosmul"] = "3cosadd",
    ) -> AnalogyResult:
        """Answer the questions of a file: as :meth:`daneo.WordVectors.evaluate_analogies`."""
        from daneo.embeddings.analogies import evaluate_analogies

        return evaluate_analogies(
            Path(path), self.words, self._blocks, self._range(restrict_vocab, 0, None)[1],
            case_insensitive=case_insensitive, method=method,
        )  # fmt: skip

    def evaluate_similarities(
        self,
        path: str | os.PathLike[str],
        *,
        restrict_vocab: int | None = 300_000,
        case_insensitive: bool = True,
    ) -> SimilarityResult:
        """Compare cosines with people's judgements: as :meth:`daneo.WordVectors.evaluate_similarities`."""
        from daneo.embeddings.similarity_sets import evaluate_similarities

        return evaluate_similarities(
            Path(path), self.words, self._rows, self._range(restrict_vocab, 0, None)[1],
            case_insensitive=case_insensitive,
        )  # fmt: skip

    def _nearest_to_each(self, items: Sequence[Item], topn: int, start: int, stop: int) -> list[Neighbours]:
        answers: list[Neighbours] = []
        for first in range(0, len(items), _QUESTIONS_AT_ONCE):
            answers += super()._nearest_to_each(items[first : first + _QUESTIONS_AT_ONCE], topn, start, stop)
        return answers

    def _nearest(self, queries: Doubles, without: list[set[int]], topn: int, start: int, stop: int) -> list[Neighbours]:
        count = min(topn + max(map(len, without), default=0), stop - start)
        sieve = Sieve(self._rows, queries, count, self._blocks.error)
        for first, scores, broken in self._blocks.cosines(queries.astype(np.float32), start, stop):
            scores[:, broken] = -np.inf
            sieve.add_block(first, scores)
        return [self._spelled(answer, own, topn) for answer, own in zip(sieve.answers(), without, strict=True)]

    def __repr__(self) -> str:
        return f"<SparseVectors: {len(self):,} words, {self._rows.num_stored:,} numbers other than 0>"
