"""What evaluation sets have in common: text lines, and words that may differ from the vocabulary's in case."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path


def numbered_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the lines of a UTF-8 file that are neither empty nor comments (``#``), with their numbers from 1.

    A byte order mark is dropped.

    Raises
    ------
    ValueError
        The file is not UTF-8.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not UTF-8 (byte {error.start}). Save it as UTF-8.") from error
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip() and not line.startswith("#"):
            yield number, line.strip("\r")


class KnownWords:
    """Find words among the first `limit` of a vocabulary, if asked to without regard to case.

    Parameters
    ----------
    words : sequence of str, length V
    limit : int
        Ids from here on are not found.
    case_insensitive : bool
        Compare in upper case, as gensim and word2vec's ``compute-accuracy`` do.
    """

    def __init__(self, words: Sequence[str], limit: int, *, case_insensitive: bool) -> None:
        self._fold = str.upper if case_insensitive else str
        folded = list(map(self._fold, words[:limit]))
        # Backwards, so that of words alike the first, most frequent one stays.
        self._ids = dict(zip(reversed(folded), range(len(folded) - 1, -1, -1), strict=True))
        self._folded = folded

    def find(self, word: str) -> int | None:
        """Return the id of the first word that is like `word`, or None."""
        return self._ids.get(self._fold(word))

    def representatives(self) -> list[int]:
        """Return, for each id, the first id whose word is like its own."""
        return [self._ids[word] for word in self._folded]
