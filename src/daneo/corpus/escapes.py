r"""Writing any word on one line of a file whose fields are divided by tabs.

Tab, newline, carriage return and backslash are written ``\t``, ``\n``, ``\r`` and ``\\``, and a lone surrogate, which
UTF-8 cannot hold, as in ``\udc80``; everything else stands as it is.
"""

from __future__ import annotations

import re

_ESCAPED = re.compile("[\\\\\t\n\r\ud800-\udfff]")
_ESCAPE = re.compile(r"\\(?:u(d[89a-f][0-9a-f]{2})|([tnr\\])|)")
_LETTERS = {"\t": "t", "\n": "n", "\r": "r", "\\": "\\"}
_CHARACTERS = {letter: character for character, letter in _LETTERS.items()}


def needs_escape(text: str) -> bool:
    """Say whether :func:`escape` changes a text."""
    return _ESCAPED.search(text) is not None


def escape(word: str) -> str:
    r"""Spell a word so that it fits in a field of one line.

    Examples
    --------
    >>> print(escape("two\tfields"), escape("one"))
    two\tfields one
    """
    return _ESCAPED.sub(_escaped, word)


def unescape(field: str) -> str:
    r"""Undo :func:`escape`.

    Raises
    ------
    ValueError
        A backslash stands before something that :func:`escape` does not write.

    Examples
    --------
    >>> unescape(escape("two\tfields")) == "two\tfields"
    True
    """
    return _ESCAPE.sub(_character, field) if "\\" in field else field


def _escaped(match: re.Match[str]) -> str:
    character = match[0]
    return "\\" + (_LETTERS.get(character) or f"u{ord(character):04x}")


def _character(match: re.Match[str]) -> str:
    surrogate, letter = match.groups()
    if surrogate is None and letter is None:
        raise ValueError("a backslash in a word is written \\\\; after it may stand t, n, r or ud800 to udfff")
    return chr(int(surrogate, 16)) if surrogate else _CHARACTERS[letter]
