"""Texts with labels: fastText's ``__label__`` files, and columns of tab-separated ones."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from itertools import chain, islice
from typing import Literal, NamedTuple, overload

from daneo.corpus.sources import Errors, FilesReading, find_files, undecodable

LABEL_PREFIX = "__label__"
_SPACES = r" \t\n\v\f\r\0"  # where fastText cuts


class _Line(NamedTuple):
    """A line of a file that is not blank."""

    name: str
    number: int
    text: str

    def wrong(self, what: str) -> ValueError:
        return ValueError(f"{self.name}, line {self.number}: {what}")


@overload
def read_labelled(
    path: str | os.PathLike[str],
    *,
    text_column: int | str | None = ...,
    label_column: int | str | None = ...,
    header: bool | None = ...,
    label_separator: str | None = ...,
    label_prefix: str = ...,
    multilabel: Literal[False] = ...,
    errors: Errors = ...,
) -> tuple[list[str], list[str]]: ...
@overload
def read_labelled(
    path: str | os.PathLike[str],
    *,
    text_column: int | str | None = ...,
    label_column: int | str | None = ...,
    header: bool | None = ...,
    label_separator: str | None = ...,
    label_prefix: str = ...,
    multilabel: Literal[True],
    errors: Errors = ...,
) -> tuple[list[str], list[list[str]]]: ...
def read_labelled(
    path: str | os.PathLike[str],
    *,
    text_column: int | str | None = None,
    label_column: int | str | None = None,
    header: bool | None = None,
    label_separator: str | None = None,
    label_prefix: str = LABEL_PREFIX,
    multilabel: bool = False,
    errors: Errors = "strict",
) -> tuple[list[str], list[str]] | tuple[list[str], list[list[str]]]:
    r"""Read texts and their labels.

    If the first line that is not blank begins with `label_prefix`, and no column is asked for, the file is of
    fastText's kind: in each line, the tokens that begin with the prefix are labels, wherever they stand, and the rest
    is the text. Otherwise it has columns divided by tabs: two of them, a text and its label, or those that
    `text_column` and `label_column` name. Quotes mean nothing in it.

    Parameters
    ----------
    path : path
        A file, also ``.gz``, ``.bz2``, ``.xz`` or ``.zst``; a folder, a glob, or ``"-"`` for standard input.
    text_column, label_column : int, str or None
        The column's number, from 0, or its name in the first line, which then is a header. None: 0 and 1.
    header : bool or None
        Whether the first line is a header and no text. None: it is one if a column is asked for by name.
    label_separator : str or None
        What divides several labels in a column; they need ``multilabel=True``.
    label_prefix : str, default "__label__"
        ``""``: the file has columns.
    multilabel : bool, default False
        Return a list of labels for each text, which may be empty. Without it, each text must have one.
    errors : "strict" or "replace"
        What to do with bytes that are not UTF-8.

    Returns
    -------
    texts : list of str
    labels : list of str, or of lists of str
        Without the prefix. Blank lines are left out; a text between tabs may be empty.

    Raises
    ------
    FileNotFoundError
        There is nothing at `path`.
    ValueError
        A line has no label, several, or too few columns; the message has its number. Or the two columns seem to be
        the other way round, or the first line to be a header, while nothing was said about them.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "reviews.tsv"
    ...     _ = path.write_text("id\tdocument\tlabel\n7\tgood fun\t1\n8\t\t0\n")
    ...     read_labelled(path, text_column="document", label_column="label")
    (['good fun', ''], ['1', '0'])
    """
    lines = _lines(path, errors)
    first = next(lines, None)
    if first is None:
        raise ValueError(f"{os.fspath(path)} holds no lines. Expected texts with labels.")
    lines, guess = chain([first], lines), text_column is None and label_column is None
    has_columns = not (label_prefix and guess and first.text.startswith(label_prefix))
    parse = _tokens_parser(label_prefix)
    if has_columns:
        columns = _Columns(first, text_column, label_column, header, label_separator)
        parse, lines = columns.parse, islice(lines, int(columns.header), None)
    texts, labels = [], []
    for line in lines:
        text, own = parse(line)
        if not multilabel and len(own) != 1:
            many = f"{len(own)} labels; multilabel=True reads a list of them for each text" if own else "no label"
            raise line.wrong(f"expected one label, got {many}.")
        if "" in own:
            raise line.wrong(f"a label has no name: {line.text[:80]!r}.")
        texts.append(text)
        labels.append(own)
    if has_columns and guess:
        _demand_order(os.fspath(path), texts, labels)
    return (texts, labels) if multilabel else (texts, [own[0] for own in labels])


def _lines(path: str | os.PathLike[str], errors: Errors) -> Iterator[_Line]:
    for stream in FilesReading(find_files(path)).streams():
        for number, data in enumerate(stream.lines(), start=1):
            try:
                text = data.decode("utf-8", errors).removesuffix("\r")
            except UnicodeDecodeError as error:
                raise undecodable(stream.name, number, error) from None
            if text and not text.isspace():
                yield _Line(stream.name, number, text)


def _tokens_parser(prefix: str) -> Callable[[_Line], tuple[str, list[str]]]:
    label = re.compile(rf"(?<![^{_SPACES}]){re.escape(prefix)}([^{_SPACES}]*)[{_SPACES}]*")

    def parse_tokens(line: _Line) -> tuple[str, list[str]]:
        return label.sub("", line.text), label.findall(line.text)

    return parse_tokens


class _Columns:
    """Where the text and the label stand in a line."""

    def __init__(
        self,
        first: _Line,
        text_column: int | str | None,
        label_column: int | str | None,
        header: bool | None,
        label_separator: str | None,
    ) -> None:
        names = first.text.split("\t")
        asked = [0 if text_column is None else text_column, 1 if label_column is None else label_column]
        self._any_number = text_column is not None or label_column is not None
        self._separator = label_separator
        by_name = any(isinstance(column, str) for column in asked)
        if by_name and header is False:
            raise ValueError("read_labelled finds a column by name in the header: header=False contradicts it.")
        self.header = by_name or bool(header)
        self._text, self._label = (_column(first, names, column) for column in asked)
        if header is None and not by_name and len(names) > self._label and names[self._label].lower() == "label":
            raise first.wrong(
                "this looks like a header, because its label is 'label'. header=True skips it, header=False keeps it."
            )

    def parse(self, line: _Line) -> tuple[str, list[str]]:
        fields = line.text.split("\t")
        if len(fields) <= max(self._text, self._label) or (len(fields) != 2 and not self._any_number):
            needed = f"at least {max(self._text, self._label) + 1}" if self._any_number else "2, a text and its label"
            raise line.wrong(
                f"expected columns divided by tabs, {needed}; got {len(fields)}: {line.text[:60]!r}. "
                "text_column= and label_column= say which to read."
            )
        label = fields[self._label]
        if self._separator is None:
            return fields[self._text], [label]
        return fields[self._text], label.split(self._separator) if label else []


def _column(first: _Line, names: list[str], column: int | str) -> int:
    if isinstance(column, str):
        if column not in names:
            raise first.wrong(f"no column is called {column!r}; the header names {', '.join(map(repr, names))}.")
        return names.index(column)
    if isinstance(column, bool) or not isinstance(column, int) or column < 0:
        raise ValueError(f"read_labelled expected a column's number, from 0, or its name; got {column!r}.")
    return column


def _demand_order(path: str, texts: list[str], labels: list[list[str]]) -> None:
    """Refuse a file whose columns nobody named, and whose labels are more various than its texts."""
    num_texts, num_labels = len(set(texts)), len({label for own in labels for label in own})
    if num_labels > num_texts:
        raise ValueError(
            f"{path}: the second column, read as labels, has {num_labels:,} different values, but the first, read as "
            f"texts, only {num_texts:,}. Say text_column=1, label_column=0, or the other way round if it is right."
        )
