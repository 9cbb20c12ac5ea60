r"""The file vocabulary.txt: a word, a tab and its count on each line, in the order of the ids.

Special tokens come first and have a third field, ``special`` or ``unknown``::

    <pad>	0	special
    <unk>	120	unknown
    the	1000
    of	593

Words are spelled as :mod:`daneo.corpus.escapes` says; the file is UTF-8.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from daneo.corpus.escapes import escape, needs_escape, unescape
from daneo.files import replaced_file

MAX_COUNT = 10**15  # more than any corpus holds, and small enough that sums stay far from overflowing int64
MAX_BYTES = 4 * 2**30

_NOT_SEPARATORS = bytes(set(range(256)) - set(b"\t\n"))


def write_vocabulary(
    path: str | os.PathLike[str], words: Sequence[str], counts: npt.NDArray[np.int64], kinds: Sequence[str]
) -> None:
    """Write words of any spelling and their counts.

    Parameters
    ----------
    path : path
        The file to write; what stood there is replaced at the end, by a rename.
    words : sequence of str, length V
        The words, by id.
    counts : int64 array of shape (V,)
        How often each occurs.
    kinds : sequence of str, length at most V
        ``"special"`` or ``"unknown"`` for each of the first words.
    """
    spelled = [escape(word) for word in words] if needs_escape("".join(words)) else words
    lines = [f"{word}\t{count}\n" for word, count in zip(spelled, counts.tolist(), strict=True)]
    lines[: len(kinds)] = [f"{line[:-1]}\t{kind}\n" for line, kind in zip(lines, kinds, strict=False)]
    with replaced_file(path) as file:
        file.write("".join(lines).encode())


def read_vocabulary(path: str | os.PathLike[str]) -> tuple[list[str], npt.NDArray[np.int64], list[str]]:
    """Read what :func:`write_vocabulary` wrote: the words, the counts and the kinds of the first words.

    Raises
    ------
    ValueError
        The file is damaged; the message names the line.
    """
    file = Path(path)
    if not file.is_file():
        raise FileNotFoundError(f"{file} is not a file. Expected a vocabulary.txt.")
    if file.stat().st_size > MAX_BYTES:
        raise ValueError(f"{file} has {file.stat().st_size:,} bytes; no vocabulary is larger than {MAX_BYTES:,}.")
    text = _decoded(file)
    head, start = _special_lines(file, text)
    words, counts = _bulk(text[start:] if start else text)
    if words is None or counts is None:
        raise _first_error(file, text, len(head))
    words[:0] = [word for word, _, _ in head]
    counts = np.concatenate([np.array([count for _, count, _ in head], dtype=np.int64), counts])
    if "\\" in text:
        words = _unescaped(file, words)
    if has_repeats(words):
        number, first = _first_repeat(words)
        raise ValueError(f"{file}, line {number}: the word {words[number - 1]!r} already stands on line {first}.")
    return words, counts, [kind for _, _, kind in head]


def has_repeats(words: Sequence[str]) -> bool:
    """Say whether a word occurs twice, in half the time that building a set takes."""
    hashes = np.sort(np.fromiter(map(hash, words), dtype=np.int64, count=len(words)))
    return bool((hashes[1:] == hashes[:-1]).any()) and len(set(words)) < len(words)


def _decoded(file: Path) -> str:
    data = file.read_bytes()
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ValueError(f"{file}, line {line}: the bytes {data[error.start : error.end]!r} are not UTF-8.") from None
    if "\r" in text:  # a carriage return inside a word is escaped, so these come from an editor on Windows
        text = text.replace("\r\n", "\n")
    if text and text[-1] != "\n":
        raise ValueError(f"{file}, line {text.count(chr(10)) + 1}: no newline at its end, so the file was cut short.")
    return text


def _special_lines(file: Path, text: str) -> tuple[list[tuple[str, int, str]], int]:
    """Read the lines with three fields that the file starts with, and say where the others begin."""
    found: list[tuple[str, int, str]] = []
    start = 0
    while True:
        end = text.find("\n", start)
        fields = text[start : max(end, start)].split("\t")
        if len(fields) != 3:
            return found, start
        if fields[2] not in ("special", "unknown"):
            raise ValueError(
                f"{file}, line {len(found) + 1}: expected 'special' or 'unknown' after the count, got {fields[2]!r}."
            )
        found.append((fields[0], _count(file, len(found) + 1, fields[1]), fields[2]))
        start = end + 1


def _bulk(text: str) -> tuple[list[str], npt.NDArray[np.int64]] | tuple[None, None]:
    """Read lines of two fields, a million in a fraction of a second; None if any line is not as it should be."""
    fields = text.replace("\n", "\t").split("\t")
    del fields[-1]  # what follows the last newline
    num_lines = len(fields) // 2
    if text.encode().translate(None, _NOT_SEPARATORS) != b"\t\n" * num_lines:
        return None, None
    digits = " ".join(fields[1::2]).encode()
    if digits.translate(None, b"0123456789") != b" " * max(0, num_lines - 1):
        return None, None
    counts = np.fromstring(digits, dtype=np.int64, sep=" ")  # a number too large becomes the largest int64
    if len(counts) != num_lines or (counts > MAX_COUNT).any():
        return None, None
    return fields[0::2], counts


def _first_error(file: Path, text: str, num_special: int) -> ValueError:
    for number, line in enumerate(text.split("\n")[num_special:-1], start=num_special + 1):
        fields = line.split("\t")
        if len(fields) == 3 and fields[2] in ("special", "unknown"):
            return ValueError(f"{file}, line {number}: special tokens must stand before all other words.")
        if len(fields) != 2:
            return ValueError(f"{file}, line {number}: expected a word, a tab and a count, got {_short(line)}.")
        try:
            _count(file, number, fields[1])
        except ValueError as error:
            return error
    raise AssertionError(f"{file} has no wrong line")


def _count(file: Path, number: int, field: str) -> int:
    if not (field.isascii() and field.isdecimal()) or len(field) > 16 or int(field) > MAX_COUNT:
        raise ValueError(
            f"{file}, line {number}: expected a count from 0 to {MAX_COUNT:,} after the tab, got {_short(field)}."
        )
    return int(field)


def _short(text: str) -> str:
    return repr(text) if len(text) <= 40 else f"{text[:40]!r}..."


def _unescaped(file: Path, words: list[str]) -> list[str]:
    result = []
    for number, word in enumerate(words, start=1):
        try:
            result.append(unescape(word))
        except ValueError as error:
            raise ValueError(f"{file}, line {number}: {error}; got {_short(word)}.") from None
    return result


def _first_repeat(words: list[str]) -> tuple[int, int]:
    """Line numbers of the first word that repeats one before it, and of that one."""
    lines: dict[str, int] = {}
    for number, word in enumerate(words, start=1):
        if word in lines:
            return number, lines[word]
        lines[word] = number
    raise AssertionError("no word is repeated")
