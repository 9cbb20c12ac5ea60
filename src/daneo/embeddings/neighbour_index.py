"""Approximate neighbours: an index that looks at a few hundred words instead of all, and says what that misses."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self, overload

import numpy as np

from daneo.corpus.progress_reports import ProgressReports
from daneo.embeddings.neighbour_index_candidates import CandidateGraph
from daneo.embeddings.neighbour_index_config import NeighbourIndexConfig, NeighbourIndexReport
from daneo.embeddings.neighbour_index_recall import ask, drawn_rows, exact_search, fewest_candidates, single_rate
from daneo.embeddings.neighbour_index_search import CandidateSearch
from daneo.embeddings.row_blocks import Doubles, RowBlocks
from daneo.embeddings.sieve import Answer
from daneo.threads import available_cores

if TYPE_CHECKING:
    from collections.abc import Sequence

    from daneo.embeddings.word_likeness import Item, Vector
    from daneo.embeddings.word_neighbours import Neighbours, Weighted
    from daneo.embeddings.word_vectors import WordVectors
    from daneo.progress import ProgressCallback

_MOST_CANDIDATES = 2048  # that are tried for the sake of the recall


class NeighbourIndex:
    """Approximate neighbours of word vectors, for vocabularies where an exact search takes too long.

    Made by :meth:`build` and :meth:`load`. Exact search stays what ``vectors.most_similar(...)`` does; with
    ``index=index``, or through :meth:`most_similar`, the question walks through a graph of neighbours (HNSW, from
    usearch) and is compared with a few hundred words. Needs ``pip install 'daneo[index]'``.

    Attributes
    ----------
    vectors : WordVectors
        What the index is of.
    config : NeighbourIndexConfig
        The settings.
    report : NeighbourIndexReport
        What building measured: the recall above all. ``str()`` of it is a table.

    Notes
    -----
    Cosines and their order are those of exact search, to the last bit; what can go wrong is that a word is missing.
    Questions that ask for so many words that nearly all would be candidates, and those of a zero vector, are answered
    by exact search.

    Words without a direction are not in the index: a zero vector, whose cosine to everything is 0, can be among the
    answers of exact search only.

    Cost: building takes O(V log V) comparisons, about a minute for 200,000 words of 300 numbers on 2 cores; the index
    takes D + 150 bytes a word (2 D + 150 with ``storage="bfloat16"``), memory-mapped when it is loaded. Built by one
    thread, the same vectors make the same file; several threads add words in an order that is never the same.

    A changed vector, or an added word, makes an index useless: it refuses to answer, and has to be built again.

    Several threads may ask one index; one question, or batch, is answered after the other.

    References
    ----------
    Malkov and Yashunin (2018), "Efficient and Robust Approximate Nearest Neighbor Search Using Hierarchical Navigable
    Small World Graphs", https://arxiv.org/abs/1603.09320. usearch: https://github.com/unum-cloud/usearch.

    Examples
    --------
    >>> import daneo
    >>> rng = np.random.default_rng(1)
    >>> vectors = daneo.WordVectors([f"word{i}" for i in range(500)], rng.standard_normal((500, 8)))
    >>> index = daneo.NeighbourIndex.build(vectors, recall=0.99)
    >>> index
    <NeighbourIndex: 500 words, recall at 10 ...>
    >>> index.most_similar("word7", topn=3) == vectors.most_similar("word7", topn=3)
    True
    """

    def __init__(
        self,
        vectors: WordVectors,
        graph: CandidateGraph,
        config: NeighbourIndexConfig,
        report: NeighbourIndexReport,
        *,
        num_threads: int | None = None,
    ) -> None:
        self.vectors = vectors
        self.config = config
        self.report = report
        self._graph = graph
        self._blocks = vectors._blocks
        self._search = CandidateSearch(self._blocks, graph, num_threads or available_cores())
        self._num_changes = self._blocks.num_changes

    @classmethod
    def build(
        cls,
        vectors: WordVectors,
        *,
        recall: float = 0.98,
        storage: str = "int8",
        connectivity: int = 16,
        expansion_add: int = 256,
        expansion_search: int | None = None,
        num_threads: int | None = None,
        seed: int = 1,
        progress: ProgressCallback | None = None,
    ) -> Self:
        """Build an index, choose how far its walks go, and measure its recall and speed.

        Parameters
        ----------
        vectors : WordVectors
            Compressed ones and ones with n-grams, too. They are kept, not copied.
        recall : float, default 0.98
            Share of the ten nearest words that answers shall have: `expansion_search` is chosen for it, on 2,048
            words, and the report tells what came of it on 2,048 others.
        storage : "int8" or "bfloat16", default "int8"
            How the index keeps directions: one byte a number, which is enough to find candidates, or two, for vectors
            in which a few numbers outweigh all others.
        connectivity : int, default 16
            Links of a word in the graph; twice as many on its lowest level. More make the file larger and both
            building and asking slower, and find more.
        expansion_add : int, default 256
            Candidates among which a new word finds its links: more make building slower, and better links.
        expansion_search : int or None
            Candidates that a question looks at; ``None`` means as few as `recall` allows.
        num_threads : int or None
            ``None`` means one a core. Only one thread is reproducible bit for bit.
        seed : int, default 1
            Draws the words that are measured.
        progress : callable or None
            Gets a :class:`daneo.progress.Progress` now and then.

        Raises
        ------
        ImportError
            usearch is not installed; the message names the command to run.
        ValueError
            A setting is out of bounds, or fewer than two words have a direction.

        Notes
        -----
        Where even 2,048 candidates do not reach the recall, the index keeps those 2,048. A greater `expansion_add` or
        `connectivity` helps then. A recall of 1 is out of reach of most: a few words have no links that lead to them.
        """
        config = NeighbourIndexConfig(
            recall=recall, storage=storage, connectivity=connectivity, expansion_add=expansion_add,
            expansion_search=expansion_search, num_threads=num_threads, seed=seed,
        )  # fmt: skip
        chosen_by, reported = drawn_rows(vectors._blocks, np.random.default_rng(seed))
        began = time.perf_counter()
        graph = CandidateGraph.of_rows(vectors.rows, config, progress)
        seconds = time.perf_counter() - began
        search = CandidateSearch(vectors._blocks, graph, num_threads or available_cores())
        if expansion_search is None:
            reports = ProgressReports(progress, "choosing", "words", len(chosen_by))
            questions = ask(vectors._blocks, chosen_by, reports.report)
            most = min(_MOST_CANDIDATES, len(graph))
            expansion_search = fewest_candidates(questions, search.keeping, recall, most)
            reports.report(len(chosen_by), finished=True)
        reports = ProgressReports(progress, "measuring", "words", len(reported))
        questions, chosen = ask(vectors._blocks, reported, reports.report), search.keeping(expansion_search)
        shares, rate = questions.hits(chosen)
        report = NeighbourIndexReport(
            num_words=len(graph),
            vector_size=vectors.vector_size,
            num_bytes=graph.num_bytes,
            seconds=seconds,
            expansion_search=expansion_search,
            recall=float(shares.mean()),
            num_questions=len(reported),
            exact_rate=questions.rate,
            index_rate=rate,
            exact_single_rate=single_rate(exact_search(vectors._blocks), questions.units),
            index_single_rate=single_rate(chosen, questions.units),
        )
        reports.report(len(reported), finished=True)
        return cls(vectors, graph, config, report, num_threads=num_threads)

    @overload
    def most_similar(
        self,
        query: str | Vector | None = ...,
        *,
        positive: Weighted | Sequence[Weighted] | None = ...,
        negative: Weighted | Sequence[Weighted] | None = ...,
        topn: int = ...,
    ) -> Neighbours: ...

    @overload
    def most_similar(
        self, query: list[str] | list[Vector] | list[Item] | tuple[Item, ...], *, topn: int = ...
    ) -> list[Neighbours]: ...

    def most_similar(self, query=None, *, positive=None, negative=None, topn=10):  # type: ignore[no-untyped-def]
        """Find words near a word, each of many words, or a sum of words: :meth:`daneo.WordVectors.most_similar`.

        Raises
        ------
        ValueError
            The vectors have changed since the index was built.
        """
        return self.vectors.most_similar(query, positive=positive, negative=negative, topn=topn, index=self)

    def nearest_rows(self, blocks: RowBlocks, queries: Doubles, count: int) -> list[Answer]:
        """Return, for each query, about the `count` rows with the greatest cosine.

        Parameters and result are those of :func:`daneo.embeddings.nearest.nearest_rows`; `blocks` must be those of the
        vectors that the index was made of.
        """
        self._check_unchanged(blocks)
        return self._search.keeping(self.report.expansion_search)(queries, count)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the index into a directory of its own; what stood there is replaced only when all is written.

        Parameters
        ----------
        path : path
            :meth:`path_for` of the vectors' path is where ``daneo similar --approximate`` looks.

        Raises
        ------
        ValueError
            The vectors have changed since the index was built.
        FileExistsError
            `path` is a directory with files in it that daneo did not write.
        """
        from daneo.embeddings.neighbour_index_files import write_index

        self._check_unchanged(self.vectors._blocks)
        write_index(path, self._graph, self.vectors, self.config, self.report)

    @classmethod
    def load(
        cls,
        path: str | os.PathLike[str],
        vectors: WordVectors,
        *,
        in_memory: bool = False,
        num_threads: int | None = None,
    ) -> Self:
        """Open an index of these vectors.

        Parameters
        ----------
        path : path
            The directory that :meth:`save` wrote.
        vectors : WordVectors
            The vectors that it was built of, from whatever file.
        in_memory : bool, default False
            Read the file into memory instead of mapping it. Answers come about a fifth sooner, and nobody can change
            the file under them; a mapped one takes no memory of its own, and several processes share it.
        num_threads : int or None
            Threads that answer a batch; ``None`` means one a core.

        Raises
        ------
        FileNotFoundError
            There is no index at `path`.
        ValueError
            It is of other vectors, was damaged, or is of a kind that this version does not know.
        ImportError
            usearch is not installed; the message names the command to run.

        Notes
        -----
        All of both is read once, the vectors and the index, about a gigabyte a second: digests tell whether they
        belong together and are whole. Then every link of the graph is checked, so that a file made to do harm can
        give bad answers and nothing worse. A mapped file that is changed or cut off while it is open is beyond that.
        """
        from daneo.embeddings.neighbour_index_files import read_index

        graph, config, report = read_index(path, vectors, in_memory=in_memory)
        return cls(vectors, graph, config, report, num_threads=num_threads)

    @staticmethod
    def path_for(vectors: str | os.PathLike[str]) -> Path:
        """Return where the index of some vectors is looked for: in their directory, or beside their file.

        Examples
        --------
        >>> NeighbourIndex.path_for("cc.en.300.bin").as_posix()
        'cc.en.300.bin.neighbours'
        """
        from daneo.embeddings.neighbour_index_files import INDEX_NAME

        path = Path(vectors)
        return path / INDEX_NAME if path.is_dir() else path.with_name(f"{path.name}.{INDEX_NAME}")

    def __len__(self) -> int:
        return len(self._graph)

    def __repr__(self) -> str:
        return f"<NeighbourIndex: {len(self):,} words, recall at 10 {self.report.recall:.4f}>"

    def _check_unchanged(self, blocks: RowBlocks) -> None:
        if blocks is not self._blocks or blocks.num_changes != self._num_changes:
            raise ValueError(
                "The index is of other vectors, or they have changed since. Build one of these vectors with "
                "NeighbourIndex.build(vectors), or open theirs with NeighbourIndex.load(path, vectors)."
            )
