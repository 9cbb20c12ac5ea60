"""Labelled texts as numbers: what a classifier is trained on, and tested with."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import TypeGuard

import numpy as np
import numpy.typing as npt

from daneo.corpus.sources import FilesReading, find_files, is_one_shot, undecodable
from daneo.corpus.text_files import TextFile
from daneo.models.bags.tokens import FASTTEXT, CutTexts, TokenTypes, cut, cut_lines
from daneo.models.labelled_texts import read_labelled

BLOCK = 1 << 20  # bytes that are read at a time

Labels = Sequence[str] | Sequence[Sequence[str]]


@dataclass(frozen=True, eq=False)
class LabelledTypes:
    """N texts with any number of labels each.

    Attributes
    ----------
    types : TokenTypes
        The texts.
    names : list of str
        The different labels, L of them.
    starts : int64 array of shape (N + 1,)
        The labels of text i are ``labels[starts[i]:starts[i + 1]]``.
    labels : int32 array
        Numbers from 0 to L - 1.
    """

    types: TokenTypes
    names: list[str]
    starts: npt.NDArray[np.int64]
    labels: npt.NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.starts) - 1

    def renumbered(self, known: Sequence[str]) -> LabelledTypes:
        """Return the same with other numbers for the labels: the places of those in `known`, then all others."""
        names = [*known, *sorted(set(self.names) - set(known))]
        index = {name: number for number, name in enumerate(names)}
        numbers = np.array([index[name] for name in self.names], dtype=np.int32)
        return replace(self, names=names, labels=numbers[self.labels])

    def without_others(self, num_labels: int) -> LabelledTypes:
        """Return the same texts without the labels whose numbers are not below `num_labels`."""
        kept = self.labels < num_labels
        before = np.concatenate([[0], np.cumsum(kept)])
        return replace(self, names=self.names[:num_labels], starts=before[self.starts], labels=self.labels[kept])

    def with_labels_only(self) -> LabelledTypes:
        """Return the texts that have a label; a warning says how many have none."""
        counts = np.diff(self.starts)
        if counts.all():
            return self
        kept = counts > 0
        warnings.warn(f"{int((~kept).sum()):,} of {len(self):,} texts have no label and are left out.", stacklevel=4)
        starts = np.concatenate([[0], np.cumsum(counts[kept])])
        return replace(self, types=self.types.selected(kept), starts=starts)


def labelled_types(
    source: Sequence[str] | str | os.PathLike[str], labels: Labels | None, tokenizer: str, label_prefix: str
) -> LabelledTypes:
    """Cut labelled texts into tokens.

    Parameters
    ----------
    source : path, or sequence of str
        A file that :func:`read_labelled` knows without being told about its columns; or texts.
    labels : sequence of str, or of sequences of str; or None
        The labels of the texts; None for a file.
    tokenizer, label_prefix : str

    Raises
    ------
    TypeError, ValueError
        Texts or labels are no strings, or not as many as the others; or the file is not as it should be.
    """
    if isinstance(source, (str, os.PathLike)):
        if labels is not None:
            raise TypeError(f"Expected a list of texts beside labels, got {os.fspath(source)[:80]!r}.")
        if tokenizer == FASTTEXT and label_prefix and _begins_with(source, label_prefix):
            return _lines_with_labels(source, label_prefix)
        source, labels = read_labelled(source, label_prefix=label_prefix, multilabel=True)
    if labels is None:
        raise TypeError("Expected labels beside the texts, or the path of a file that has both.")
    texts = checked_texts(source)
    if len(texts) != len(labels):
        raise ValueError(f"Expected as many labels as texts, got {len(labels):,} labels and {len(texts):,} texts.")
    every, counts = _flat(labels)
    index: dict[str, int] = {}
    numbers = np.array([index.setdefault(label, len(index)) for label in every], dtype=np.int32)
    if any(not isinstance(label, str) for label in index):
        wrong = next(label for label in index if not isinstance(label, str))
        raise TypeError(f"Expected labels as str, got {wrong!r} ({type(wrong).__name__}).")
    starts = np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])
    return LabelledTypes(TokenTypes(cut(texts, tokenizer)), list(index), starts, numbers)


def checked_texts(texts: Sequence[str]) -> list[str]:
    """Return texts as a list of str."""
    if isinstance(texts, str):
        raise TypeError(f"Expected a list of texts, got the str {texts[:40]!r}. For one text give [text].")
    texts = list(texts)
    if set(map(type, texts)) - {str}:
        wrong = next((text for text in texts if not isinstance(text, str)), None)
        if wrong is not None:
            raise TypeError(f"Expected texts as str, got {wrong!r:.80} ({type(wrong).__name__}).")
    return texts


def _flat(labels: Labels) -> tuple[Sequence[str], npt.NDArray[np.int64]]:
    """All labels behind one another, and how many each text has."""
    if isinstance(labels, str):
        raise TypeError(f"Expected a list of labels, got the str {labels[:40]!r}.")
    if _is_one_each(labels):
        return labels, np.ones(len(labels), dtype=np.int64)
    wrong = next((own for own in labels if isinstance(own, str) or not isinstance(own, Sequence)), None)
    if wrong is not None:
        raise TypeError(f"Expected labels as a str for each text, or a list of str for each; got {wrong!r:.80}.")
    each = [list(dict.fromkeys(own)) for own in labels]
    return list(chain.from_iterable(each)), np.fromiter(map(len, each), dtype=np.int64, count=len(each))


def _is_one_each(labels: Labels) -> TypeGuard[Sequence[str]]:
    return all(isinstance(label, str) for label in labels)


def _begins_with(path: str | os.PathLike[str], prefix: str) -> bool:
    """Say whether the first line that is not blank begins with a prefix; False for what can be read only once."""
    files = find_files(path)
    if is_one_shot(files):
        return False
    wanted = prefix.encode()
    for stream in FilesReading(files).streams():
        for line in stream.lines():
            if line.strip():
                return line.startswith(wanted)
    return False


def _lines_with_labels(path: str | os.PathLike[str], prefix: str) -> LabelledTypes:
    """Read a file of fastText's kind: compiled, and without a string for each line."""
    files = find_files(path)
    types = TokenTypes(_cut_files(files))
    numbers = np.flatnonzero(types.begin_with(prefix))
    names = [word.removeprefix(prefix) for word in types.words(numbers)]
    if "" in names:
        raise ValueError(f"{os.fspath(path)}: a label has no name: a token is {prefix!r} and nothing else.")
    label_of = np.full(len(types), -1, dtype=np.int32)
    label_of[numbers] = np.arange(len(numbers), dtype=np.int32)
    labels = label_of[types.ids]
    places = np.flatnonzero(labels >= 0)
    starts = np.searchsorted(places, np.concatenate([[0], types.ends]))
    is_blank = np.diff(types.ends, prepend=0) == 0
    found = LabelledTypes(types, names, starts, labels[places])
    if not is_blank.any():
        return found
    return replace(found, types=types.selected(~is_blank), starts=starts[np.append(True, ~is_blank)])


def _cut_files(files: list[str]) -> Iterator[CutTexts]:
    for stream in FilesReading(files).streams():
        line = 1
        for block in _blocks_of_lines(stream):
            try:
                block.decode()
            except UnicodeDecodeError as error:
                raise undecodable(stream.name, line + block.count(b"\n", 0, error.start), error) from None
            yield (lines := cut_lines(block))
            line += len(lines.ends)


def _blocks_of_lines(stream: TextFile) -> Iterator[bytes]:
    room, rest = bytearray(BLOCK), b""
    while size := stream.readinto(memoryview(room)):
        data = rest + room[:size]
        end = data.rfind(b"\n") + 1
        if end:
            yield bytes(data[:end])
        rest = bytes(data[end:])
    if rest:
        yield rest + b"\n"
