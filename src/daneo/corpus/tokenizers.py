"""Cutting a text into tokens: whitespace, words, characters, Korean morphemes, jamo.

A tokenizer is any object with a ``name`` and a call from a text to a list of tokens; the five here have
names that :func:`get` knows, so that a saved model can say how its text was cut.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, runtime_checkable

from daneo.corpus import hangul
from daneo.extras import require


@runtime_checkable
class Tokenizer(Protocol):
    """What every tokenizer offers."""

    @property
    def name(self) -> str:
        """How saved models call it."""

    def __call__(self, text: str) -> list[str]:
        """Cut one text into tokens."""


@dataclass(frozen=True)
class Whitespace:
    """Tokens are what ``str.split()`` gives: nothing is lower-cased and no punctuation is cut off.

    Right for text that a tokenizer has already been through.

    Examples
    --------
    >>> Whitespace()("What time is it?")
    ['What', 'time', 'is', 'it?']
    """

    name: ClassVar[str] = "whitespace"

    def __call__(self, text: str) -> list[str]:
        """Split at every run of whitespace."""
        return text.split()


@dataclass(frozen=True)
class Words:
    """Unicode words, lower-cased, digits kept, punctuation left out. Works for Hangul as for Latin.

    A word starts with a letter, digit or other character that ``str.isalnum`` accepts, or an underscore, and
    goes on as long as such characters or combining marks (Unicode category M) follow. It is then lower-cased
    one code point at a time, so a Greek capital sigma becomes σ wherever it stands.

    Examples
    --------
    >>> Words()("It's 9 o'clock in 서울!")
    ['it', 's', '9', 'o', 'clock', 'in', '서울']
    """

    name: ClassVar[str] = "words"

    def __call__(self, text: str) -> list[str]:
        """Find the words of `text`, in order."""
        pattern = _ascii_word() if text.isascii() else _word()
        found: list[str] = pattern.findall(_lower(text))
        return found


@dataclass(frozen=True)
class Characters:
    r"""Characters as a reader sees them, case kept, whitespace left out.

    A character is a code point together with what belongs to it: combining marks, the other conjoining jamo
    of its syllable, an emoji's skin tone, what a zero-width joiner ties to it, the second half of a flag.

    Notes
    -----
    These are nearly Unicode's extended grapheme clusters (UAX 29). The difference: prepended marks and Indic
    conjuncts, which UAX 29 ties to the character after them, stay apart here.

    Examples
    --------
    >>> Characters()("Hi 한글")
    ['H', 'i', '한', '글']
    >>> [len(character) for character in Characters()("e\u0301a")]
    [2, 1]
    """

    name: ClassVar[str] = "characters"

    def __call__(self, text: str) -> list[str]:
        """List the characters of `text`, in order."""
        return list(text.replace(" ", "")) if text.isascii() and text.isprintable() else _character().findall(text)


@dataclass(frozen=True)
class Jamo:
    """Words, as :class:`Words` finds them, with each Hangul syllable spelled out in three jamo.

    A syllable without a final consonant gets :data:`daneo.corpus.hangul.NO_FINAL` in its third place, so that
    every syllable has the same length; :func:`daneo.corpus.hangul.compose` turns a token back into the word.

    Examples
    --------
    >>> Jamo()("한글 cafe")
    ['ㅎㅏㄴㄱㅡㄹ', 'cafe']
    >>> [token.replace(hangul.NO_FINAL, "·") for token in Jamo()("나라")]
    ['ㄴㅏ·ㄹㅏ·']
    """

    name: ClassVar[str] = "jamo"

    def __call__(self, text: str) -> list[str]:
        """Find the words of `text` and decompose each."""
        return [hangul.decompose(word) for word in Words()(text)]


@dataclass(frozen=True)
class Korean:
    """Korean morphemes by kiwipiepy (the extra ``korean``), lower-cased; those without a letter or digit left out.

    Parameters
    ----------
    tags : bool, default False
        Write the part of speech after each morpheme, as in ``"가/VV"``, which keeps homonyms apart.

    Notes
    -----
    The model is loaded at the first call, once for the whole process. That takes some seconds and
    some hundred MB of memory; afterwards this is still the slowest tokenizer here by far.

    Raises
    ------
    ImportError
        At the first call, if kiwipiepy is not installed.

    Examples
    --------
    >>> Korean()("나는 학교에 갔다.")  # doctest: +SKIP
    ['나', '는', '학교', '에', '가', '었', '다']
    """

    tags: bool = False

    @property
    def name(self) -> str:
        """``"korean"``, or ``"korean-tags"`` with tags."""
        return "korean-tags" if self.tags else "korean"

    def __call__(self, text: str) -> list[str]:
        """List the morphemes of `text`, in order."""
        # Kiwi fails on lone surrogates, which no morpheme contains.
        text = _SURROGATE.sub("\ufffd", text)
        found = [token for token in _kiwi().tokenize(text) if any(map(str.isalnum, token.form))]
        if self.tags:
            return [f"{_lower(token.form)}/{token.tag}" for token in found]
        return [_lower(token.form) for token in found]


_SURROGATE = re.compile("[\ud800-\udfff]")

_BUILT_IN: tuple[Tokenizer, ...] = (Whitespace(), Words(), Characters(), Korean(), Korean(tags=True), Jamo())


def get(tokenizer: str | Tokenizer) -> Tokenizer:
    """Return the tokenizer that a name stands for, or the object itself if it is one.

    Parameters
    ----------
    tokenizer : str or Tokenizer
        ``"whitespace"``, ``"words"``, ``"characters"``, ``"korean"``, ``"korean-tags"``, ``"jamo"``; or any
        object with ``name`` and ``__call__(text) -> list[str]``.

    Raises
    ------
    ValueError
        No tokenizer has that name.
    TypeError
        The object lacks ``name`` or cannot be called, or is a class where an object of it is wanted.

    Examples
    --------
    >>> get("words")("The end.")
    ['the', 'end']
    """
    if isinstance(tokenizer, str):
        for built_in in _BUILT_IN:
            if built_in.name == tokenizer:
                return built_in
        names = ", ".join(built_in.name for built_in in _BUILT_IN)
        raise ValueError(f"No tokenizer is called {tokenizer!r}. Give one of {names}, or an object of your own.")
    if isinstance(tokenizer, type):
        name = tokenizer.__name__
        raise TypeError(f"Expected a tokenizer object, got the class {name}. Give {name}().")
    if not callable(tokenizer) or not isinstance(getattr(tokenizer, "name", None), str):
        raise TypeError(
            "Expected a tokenizer's name, or an object with .name (a str) and __call__(text) -> list of str; "
            f"got {tokenizer!r} ({type(tokenizer).__name__})."
        )
    return tokenizer


def mark_ranges() -> list[tuple[int, int]]:
    """List the combining marks (Unicode category M) as ranges of code points, both ends included."""
    ranges: list[tuple[int, int]] = []
    # Marks stand in the planes 0, 1 and 14 alone; reading all 1.1 million categories would take ten times as long.
    for first, end in ((0x300, 0x20000), (0xE0000, 0xE1000)):
        for code in range(first, end):
            if unicodedata.category(chr(code))[0] == "M":
                if ranges and ranges[-1][1] == code - 1:
                    ranges[-1] = (ranges[-1][0], code)
                else:
                    ranges.append((code, code))
    return ranges


def _lower(text: str) -> str:
    # Σ is the one letter whose lower case depends on its neighbours, and a token's spelling must not.
    return text.replace("Σ", "σ").lower()


@functools.cache
def _ascii_word() -> re.Pattern[str]:
    return re.compile(r"\w+", re.ASCII)


@functools.cache
def _word() -> re.Pattern[str]:
    # \w is exactly isalnum() or "_". The look-ahead spares most words the long class of marks, the first of
    # which is U+0300; no character changes between word, mark and neither when it is lower-cased.
    marks = _marks_class()
    return re.compile(rf"\w+(?:(?![\0-\u02ff])[{marks}][\w{marks}]*)?")


@functools.cache
def _character() -> re.Pattern[str]:
    after = f"[{_marks_class()}\U0001f3fb-\U0001f3ff]"
    lead, vowel, final = "[\u1100-\u115f\ua960-\ua97c]", "[\u1160-\u11a7\ud7b0-\ud7c6]", "[\u11a8-\u11ff\ud7cb-\ud7fb]"
    syllable = f"(?:{lead}+[가-힣]?|[가-힣]|{vowel}){vowel}*{final}*"
    flag = "[\U0001f1e6-\U0001f1ff]{2}"
    one = rf"(?:{syllable}|{flag}|\S){after}*"
    return re.compile(rf"{one}(?:\u200d{one})*\u200d?")


@functools.cache
def _marks_class() -> str:
    return "".join(f"{chr(first)}-{chr(last)}" for first, last in mark_ranges())


@functools.cache
def _kiwi() -> Any:
    return require("kiwipiepy", extra="korean", purpose="The korean tokenizer").Kiwi()
