r"""The file of phrases: a line of JSON with the settings, then on each line a score and the words of a phrase.

Tabs stand between them::

    {"format": "daneo-phrases", "version": 1, "delimiter": "_", "connector_words": ["of"]}
    412.5	new	york
    318.25	bank	of	america

Words are spelled as :mod:`daneo.corpus.escapes` says; the file is UTF-8.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Collection, Mapping
from pathlib import Path

from daneo.corpus.escapes import escape, unescape
from daneo.files import replaced_file

MAX_BYTES = 2**30


def write_phrases(
    path: str | os.PathLike[str],
    scores: Mapping[tuple[str, ...], float],
    delimiter: str,
    connector_words: Collection[str],
) -> None:
    """Write phrases; what stood at `path` is replaced at the end, by a rename."""
    header = {
        "format": "daneo-phrases",
        "version": 1,
        "delimiter": delimiter,
        "connector_words": sorted(connector_words),
    }
    # JSON spells lone surrogates as escapes only when it keeps to ASCII.
    readable = json.dumps(header, ensure_ascii=False)
    lines = [readable if readable.isprintable() else json.dumps(header)]
    lines += ["\t".join([repr(float(score)), *map(escape, phrase)]) for phrase, score in scores.items()]
    with replaced_file(path) as file:
        file.write("".join(f"{line}\n" for line in lines).encode())


def read_phrases(path: str | os.PathLike[str]) -> tuple[dict[tuple[str, ...], float], str, list[str]]:
    """Read what :func:`write_phrases` wrote: the scores, the delimiter and the connector words.

    Raises
    ------
    ValueError
        The file is damaged, or of another kind; the message names the line.
    """
    file = Path(path)
    if not file.is_file():
        raise FileNotFoundError(f"{file} is not a file. Expected phrases that daneo saved.")
    if file.stat().st_size > MAX_BYTES:
        raise ValueError(f"{file} has {file.stat().st_size:,} bytes; no file of phrases is larger than {MAX_BYTES:,}.")
    data = file.read_bytes()
    try:
        text = data.decode().replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ValueError(f"{file}, line {line}: the bytes {data[error.start : error.end]!r} are not UTF-8.") from None
    header, *lines = text.split("\n")
    delimiter, connector_words = _header(file, header)
    if not lines or lines.pop():
        raise ValueError(f"{file}: no newline at its end, so the file was cut short.")
    scores: dict[tuple[str, ...], float] = {}
    for number, content in enumerate(lines, start=2):
        try:
            phrase, score = _phrase(content)
        except ValueError as error:
            raise ValueError(f"{file}, line {number}: {error}.") from None
        if phrase in scores:
            raise ValueError(f"{file}, line {number}: the phrase {' '.join(phrase)!r} is there already.")
        scores[phrase] = score
    return scores, delimiter, connector_words


def _header(file: Path, line: str) -> tuple[str, list[str]]:
    try:
        header = json.loads(line)
    except (ValueError, RecursionError):
        header = None
    if not isinstance(header, dict) or header.get("format") != "daneo-phrases":
        raise ValueError(
            f'{file} does not start with {{"format": "daneo-phrases", ...}}: these are no phrases of daneo\'s.'
        )
    if header.get("version") != 1:
        raise ValueError(f"{file} has version {header.get('version')!r} of the format; this daneo reads version 1.")
    delimiter, connector_words = header.get("delimiter"), header.get("connector_words", ())
    strings = isinstance(connector_words, list) and all(isinstance(one, str) for one in [delimiter, *connector_words])
    if not strings:
        raise ValueError(f"{file}, line 1: expected a string as delimiter and a list of strings as connector_words.")
    return str(delimiter), list(connector_words)


def _phrase(line: str) -> tuple[tuple[str, ...], float]:
    first, *fields = line.split("\t")
    if len(fields) < 2:
        raise ValueError(f"expected a score and two words or more between tabs, got {line[:40]!r}")
    try:
        score = float(first)
    except ValueError:
        score = math.nan
    if not math.isfinite(score):
        raise ValueError(f"expected a number as the score, got {first[:40]!r}")
    return tuple(map(unescape, fields)), score
