"""Word vectors: what a trainer returns and what a file of vectors opens as."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self

from daneo.embeddings.dense_table import DenseTable
from daneo.embeddings.word_neighbours import WordNeighbours

if TYPE_CHECKING:
    from collections.abc import Sequence

    from daneo.embeddings.analogies import AnalogyResult
    from daneo.embeddings.compression.cost import CompressionReport
    from daneo.embeddings.rows import Floats
    from daneo.embeddings.similarity_sets import SimilarityResult


class WordVectors(WordNeighbours, DenseTable):
    """Words and their vectors: lookup, likeness, neighbours, analogies, evaluation, files.

    Parameters
    ----------
    vocabulary : Vocabulary or sequence of str
        V words; a word's id is its row.
    matrix : array-like of shape (V, D), or Rows
        Converted to float32 if it is not; otherwise kept without a copy, and not to be changed afterwards by whoever
        made it. It may be memory-mapped, or :class:`daneo.embeddings.rows.Rows` that lie nowhere as a whole:
        compressed ones, or ones that are computed when asked for.

    Raises
    ------
    ValueError
        The matrix is not two-dimensional, or its rows are not as many as the words.

    Notes
    -----
    Methods have the names of gensim's ``KeyedVectors``. Where they differ: a list given to :meth:`most_similar` is a
    list of separate questions; an unknown word is always a KeyError, with the nearest spellings; options are given
    by name; a zero vector has similarity 0 to everything; equal scores come in the order of the vocabulary.

    Vectors are changed through ``vectors[word] = vector``, :meth:`add_vectors` and :meth:`unit_normalize_all`. The
    first change copies the matrix: files and arrays that it came from are never written to. All else only reads, and
    may be called from several threads.

    Searches hold no normalised copy: beside the matrix they need the rows' lengths, measured by the first search.

    Examples
    --------
    >>> import daneo
    >>> vectors = daneo.WordVectors(["cat", "dog", "pear"], [[3, 1], [2, 1], [0, 1]])
    >>> vectors
    <WordVectors: 3 words, 2 dimensions>
    >>> vectors["dog"]
    array([2., 1.], dtype=float32)
    >>> "cow" in vectors, len(vectors), vectors[["pear", "cat"]].shape
    (False, 3, (2, 2))
    >>> vectors.most_similar("cat", topn=1)
    [('dog', 0.9899494647979736)]
    """

    @classmethod
    def load(
        cls,
        path: str | os.PathLike[str],
        *,
        limit: int | None = None,
        errors: str = "strict",
        num_threads: int | None = None,
    ) -> Self:
        """Open a file or directory of word vectors; its format is recognised by its content.

        Parameters
        ----------
        path : path
            What :meth:`save` or another tool wrote. A directory of daneo's and a model of fastText's are
            memory-mapped.
        limit : int or None
            Take the first rows only, which in most files are the most frequent words.
        errors : {"strict", "replace", "ignore", "surrogateescape"}, default "strict"
            What to do with a word that is not UTF-8, as in ``bytes.decode``.
        num_threads : int or None
            Threads that parse text; ``None`` means one a core, 8 at most.

        Returns
        -------
        WordVectors, or SubwordVectors if the file has n-grams

        Raises
        ------
        FileNotFoundError
            There is nothing at `path`.
        EOFError
            The file is cut off.
        ValueError
            The format is not known, or the file is damaged. ``SubwordVectors.load``: it has no n-grams.

        See Also
        --------
        daneo.embeddings.formats.load : The formats, and what is warned about.
        """
        from daneo.embeddings import formats

        vectors = formats.load(path, limit=limit, errors=errors, num_threads=num_threads)
        if not isinstance(vectors, cls):
            raise ValueError(f"{os.fspath(path)} holds vectors without n-grams. Open it with WordVectors.load.")
        return vectors

    def save(self, path: str | os.PathLike[str], *, format: str = "daneo", card: str | None = None) -> None:
        """Write the vectors; what stood at `path` is replaced only when all is written.

        Parameters
        ----------
        path : path
            A directory for ``"daneo"``, otherwise a file, compressed if its name ends in ``.gz``.
        format : str, default "daneo"
            Or ``"word2vec-text"``, ``"word2vec-binary"``, ``"glove-text"``, ``"fasttext-bin"``, ``"fasttext-vec"``.
            Only ``"daneo"`` holds special tokens, only it and ``"fasttext-bin"`` hold counts and n-grams.
        card : str or None
            The README.md of daneo's directory; ``None`` means a short one.

        Raises
        ------
        ValueError
            The format is not known, or cannot hold one of the words.
        FileExistsError
            `path` is a directory with files in it that daneo did not write.

        Examples
        --------
        >>> import daneo, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     daneo.WordVectors(["cat"], [[3, 1]]).save(f"{folder}/cat.bin", format="word2vec-binary")
        ...     daneo.WordVectors.load(f"{folder}/cat.bin")["cat"]
        array([3., 1.], dtype=float32)

        See Also
        --------
        daneo.embeddings.formats.save : The formats, and what is warned about.
        """
        from daneo.embeddings import formats

        formats.save(self, path, format=format, card=card)

    def evaluate_analogies(
        self,
        path: str | os.PathLike[str],
        *,
        restrict_vocab: int | None = 300_000,
        case_insensitive: bool = True,
        method: Literal["3cosadd", "3cosmul"] = "3cosadd",
    ) -> AnalogyResult:
        """Answer the questions "a is to b as c is to ?" of a file, and count the right answers.

        Parameters
        ----------
        path : path
            UTF-8 text: four words a line, in sections that begin with ``: name``.
        restrict_vocab : int or None, default 300000
            Use only the first so many words; questions with other words are left out and counted.
        case_insensitive : bool, default True
            Compare words in upper case. Of words that differ in case alone, the first one's vector is used.
        method : {"3cosadd", "3cosmul"}, default "3cosadd"
            The answer is the word, other than a, b and c, with the greatest cos(x, b) - cos(x, a) + cos(x, c), as
            gensim finds it, or the greatest product as in :meth:`most_similar_cosmul`.

        Returns
        -------
        AnalogyResult
            Per section, semantic, syntactic and in total; ``str()`` of it is a table.

        Raises
        ------
        ValueError
            A line is not a question, or stands before the first section.
        """
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
        """Compare the cosines of word pairs with people's judgements in a file.

        Parameters
        ----------
        path : path
            UTF-8 text: two words and a number a line, between tabs, commas or spaces. A header line, and comments
            that begin with ``#``, are skipped.
        restrict_vocab, case_insensitive
            As for :meth:`evaluate_analogies`.

        Returns
        -------
        SimilarityResult
            Spearman's and Pearson's correlation with their p-values, and how many pairs were left out.

        Raises
        ------
        ValueError
            A line is not a pair, or fewer than two pairs are known.
        """
        from daneo.embeddings.similarity_sets import evaluate_similarities

        return evaluate_similarities(
            Path(path), self.words, self._blocks.matrix, self._range(restrict_vocab, 0, None)[1],
            case_insensitive=case_insensitive,
        )  # fmt: skip

    def compressed(
        self,
        *,
        num_words: int | None = None,
        num_ngrams: int | None = None,
        storage: Literal["product_quantization", "int8", "float16", "float32"] | None = None,
        part_size: int | None = None,
        ratio: float | None = None,
        norms: bool = True,
        rotate: bool = True,
        similarities: Sequence[str | os.PathLike[str]] = (),
        seed: int = 1,
        num_threads: int | None = None,
    ) -> tuple[WordVectors, CompressionReport]:
        """Return smaller vectors, and a report of what they cost in similarity; ``str()`` of it is a table.

        Parameters
        ----------
        num_words, num_ngrams, storage, part_size, ratio, norms, rotate, similarities, seed, num_threads
            As for :func:`daneo.embeddings.compression.compressing.compress`, which this calls.

        Examples
        --------
        >>> import daneo
        >>> vectors = daneo.WordVectors(["cat", "dog", "pear"], [[3, 1], [2, 1], [0, 1]])
        >>> smaller, report = vectors.compressed(part_size=1)
        >>> smaller["dog"].tolist(), report.words[0].cosine
        ([2.0, 1.0], 1.0)
        """
        from daneo.embeddings.compression.compressing import compress

        return compress(
            self, num_words=num_words, num_ngrams=num_ngrams, storage=storage, part_size=part_size, ratio=ratio,
            norms=norms, rotate=rotate, similarities=similarities, seed=seed, num_threads=num_threads,
        )  # fmt: skip

    def aligned_to(
        self,
        other: WordVectors,
        *,
        words: Sequence[str] | None = None,
        unit_rows: bool = True,
        center: bool = False,
    ) -> Self:
        """Return these vectors rotated so that the words of both come as near to those of `other` as they can.

        A rotation keeps lengths and angles: all questions to these vectors have the same answers as before, and now
        their words can be compared with those of `other`, as :func:`daneo.embeddings.compare` does.

        Parameters
        ----------
        other : WordVectors
            Of the same size.
        words : sequence of str or None
            Words to learn the rotation from; ``None`` means all that both have.
        unit_rows : bool, default True
            Let each word count the same, whatever the length of its vectors: the mean cosine becomes as large as it
            can. False makes the sum of squared distances as small as it can, so that long vectors count more.
        center : bool, default False
            Learn the rotation from vectors less their mean. It is a rotation about 0 nevertheless.

        Raises
        ------
        ValueError
            The sizes differ, or fewer words are shared than a vector has numbers.
        KeyError
            One of the `words` is not in both.

        References
        ----------
        Schönemann 1966, https://doi.org/10.1007/BF02289451 (the solution). Xing et al. 2015,
        https://aclanthology.org/N15-1104 (rows of length 1). Artetxe, Labaka and Agirre 2016,
        https://aclanthology.org/D16-1250 (centring).

        Examples
        --------
        >>> import daneo
        >>> vectors = daneo.WordVectors(["north", "east"], [[0, 1], [1, 0]])
        >>> other = daneo.WordVectors(["east", "north"], [[0, -3], [3, 0]])  # a compass turned by a right angle
        >>> vectors.aligned_to(other).matrix.round(3).tolist()
        [[1.0, 0.0], [0.0, -1.0]]
        """
        from daneo.embeddings.alignment import learn_alignment, rows_of, shared_rows

        rows = shared_rows(self, other) if words is None else rows_of(words, self, other)
        return self._turned(learn_alignment(self.rows, other.rows, rows, unit_rows=unit_rows, center=center))

    def _turned(self, rotation: Floats) -> Self:
        """Return these vectors times an orthonormal matrix (D, D)."""
        from daneo.embeddings.alignment import turned

        return self._of_fewer(self.vocabulary, turned(self.rows, rotation))

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {len(self):,} words, {self.vector_size} dimensions>"
