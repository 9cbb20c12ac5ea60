"""Settings of :class:`daneo.NeighbourIndex`: read by the Python API, the command line and the saved config."""

from __future__ import annotations

from dataclasses import MISSING, dataclass

from daneo.settings import CheckedSettings, opt

STORAGES = ("int8", "bfloat16")
"""How an index may keep directions; :mod:`daneo.embeddings.neighbour_index_storage` says what that means."""


@dataclass(frozen=True, kw_only=True)
class NeighbourIndexConfig(CheckedSettings):
    """Settings of :meth:`daneo.NeighbourIndex.build`; ``daneo index --help`` prints the same list.

    Raises
    ------
    TypeError, ValueError
        A value has the wrong type or is out of bounds; the message names it.

    Examples
    --------
    >>> NeighbourIndexConfig(recall=0.95).connectivity
    16
    """

    recall: float = opt(0.98, "share of the ten nearest words that questions are to find", above=0, maximum=1)
    storage: str = opt("int8", "how directions are kept: one byte a number, or two", choices=STORAGES)
    connectivity: int = opt(
        16, "links of a word in the graph, twice as many on its lowest level", minimum=2, maximum=512
    )
    expansion_add: int = opt(256, "candidates among which a new word finds its links", minimum=1, maximum=65_536)
    expansion_search: int | None = opt(
        None, "candidates that a question looks at (none: the fewest that reach the recall)", minimum=1, maximum=65_536
    )
    num_threads: int | None = opt(
        None, "threads (none: one a core); only one thread is reproducible bit for bit", minimum=1
    )
    seed: int = opt(1, "draws the words whose answers are measured", minimum=0, maximum=2**63 - 1)


@dataclass(frozen=True, kw_only=True)
class NeighbourIndexReport(CheckedSettings):
    """What :meth:`daneo.NeighbourIndex.build` measured; ``str()`` of it is a table.

    Questions are words, drawn evenly; the recall is that of others than those that `expansion_search` was chosen by.
    Rates are questions a second, in batches of 64 and one by one.

    Attributes
    ----------
    num_words : int
        Words in the index; those without a direction (zeros, or not finite) are not.
    vector_size : int
        D.
    num_bytes : int
        Of the index's file.
    seconds : float
        What building took, without measuring.
    expansion_search : int
        Candidates that a question looks at.
    recall : float
        Share of the ten nearest words that answers have, from 0 to 1; words as near as the tenth count, too.
    num_questions : int
        Words that were asked.
    exact_rate, index_rate, exact_single_rate, index_single_rate : float
        Questions a second: exact search and the index, in batches and one by one.
    """

    num_words: int = opt(MISSING, "words in the index", minimum=0)
    vector_size: int = opt(MISSING, "numbers in a vector", minimum=1)
    num_bytes: int = opt(MISSING, "bytes of the index's file", minimum=0)
    seconds: float = opt(MISSING, "what building took", minimum=0)
    expansion_search: int = opt(MISSING, "candidates that a question looks at", minimum=1, maximum=65_536)
    recall: float = opt(MISSING, "share of the ten nearest words that are found", minimum=0, maximum=1)
    num_questions: int = opt(MISSING, "words that were asked", minimum=1)
    exact_rate: float = opt(MISSING, "questions a second in batches, exact search", minimum=0)
    index_rate: float = opt(MISSING, "questions a second in batches, with the index", minimum=0)
    exact_single_rate: float = opt(MISSING, "questions a second one by one, exact search", minimum=0)
    index_single_rate: float = opt(MISSING, "questions a second one by one, with the index", minimum=0)

    def __str__(self) -> str:
        lines = [f"{name:<34}{value:>14}" for name, value in self.facts()]
        lines += ["", f"{'questions a second':<20}{'exact':>12}{'index':>12}{'ratio':>10}"]
        lines += [f"{name:<20}{exact:>12,.0f}{ours:>12,.0f}{ratio:>9.1f}x" for name, exact, ours, ratio in self.rates()]
        return "\n".join(lines)

    def facts(self) -> list[tuple[str, str]]:
        """Return what there is and how well it answers, as text."""
        return [
            ("words", f"{self.num_words:,}"),
            ("numbers in a vector", f"{self.vector_size:,}"),
            ("bytes of the index", f"{self.num_bytes:,}"),
            ("seconds to build", f"{self.seconds:,.1f}"),
            ("candidates a question", f"{self.expansion_search:,}"),
            (f"recall at 10, of {self.num_questions:,} words", f"{self.recall:.4f}"),
        ]

    def rates(self) -> list[tuple[str, float, float, float]]:
        """Return how many questions a second: exact search, the index, and their ratio."""
        pairs = [
            ("in batches of 64", self.exact_rate, self.index_rate),
            ("one by one", self.exact_single_rate, self.index_single_rate),
        ]
        return [(name, exact, ours, ours / exact if exact else 0.0) for name, exact, ours in pairs]
