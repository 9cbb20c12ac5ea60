"""Hangul syllables spelled out in jamo, and back, for any text.

A syllable block of Unicode is a number in base (19, 21, 28): 가 + (lead * 21 + vowel) * 28 + final, the final
0 standing for no final consonant. :func:`decompose` writes those three digits as three letters, the
compatibility jamo that people type and read (ㅎㅏㄴ), with :data:`NO_FINAL` in an empty third place.
"""

from __future__ import annotations

import functools
import re

FIRST_SYLLABLE, LAST_SYLLABLE = "가", "힣"
LEADS = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"
VOWELS = "ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ"

#: Stands in the third place of a syllable without a final consonant. It is a private-use character, so that it
#: can be neither a letter of another script nor something that a text is likely to hold.
NO_FINAL = "\ue000"
FINALS = NO_FINAL + "ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ"

#: Stands before a character that :func:`compose` must leave as it is.
LITERAL = "\ue001"

# A text may hold jamo of its own, as in ㅋㅋㅋ. Only a vowel right after a lead could be taken for part of a
# decomposed syllable, and only that vowel, or a character that means something to us, is marked.
_AMBIGUOUS = re.compile(f"(?<=[{LEADS}])[{VOWELS}]|[{NO_FINAL}{LITERAL}]")
_SPELLED = re.compile(f"{LITERAL}(.)|([{LEADS}])([{VOWELS}])([{FINALS}])", re.DOTALL)


def decompose(text: str) -> str:
    """Spell out each Hangul syllable of `text` in three jamo; every other character stays.

    Parameters
    ----------
    text : str
        Any string.

    Returns
    -------
    str
        ``compose(decompose(text)) == text`` for every string, also for one that holds jamo already.

    Notes
    -----
    Park et al. write ``e`` for the missing final consonant, which collides with the Latin letter; here it is
    :data:`NO_FINAL`. Syllables written in conjoining jamo (Unicode's form NFD) are not touched: normalise such
    a text to NFC first.

    References
    ----------
    Park, Byun, Baek, Cho, Oh (2018), Subword-level Word Vector Representations for Korean, ACL, P18-1226.
    The Unicode Standard, section 3.12, Conjoining Jamo Behavior.

    Examples
    --------
    >>> decompose("한글 ok")
    'ㅎㅏㄴㄱㅡㄹ ok'
    >>> decompose("나") == "ㄴㅏ" + NO_FINAL
    True
    """
    if text.isascii():
        return text
    return _AMBIGUOUS.sub(LITERAL + r"\g<0>", text).translate(_syllables())


def compose(text: str) -> str:
    """Put the syllables back together that :func:`decompose` spelled out; every other character stays.

    Examples
    --------
    >>> compose("ㅎㅏㄴㄱㅡㄹ ok")
    '한글 ok'
    >>> compose(decompose("나 ㅋㅋㅋ ㅎㅏㄴ"))
    '나 ㅋㅋㅋ ㅎㅏㄴ'
    """
    return text if text.isascii() else _SPELLED.sub(_put_together, text)


def _put_together(match: re.Match[str]) -> str:
    literal, lead, vowel, final = match.groups()
    if literal is not None:
        return str(literal)
    number = (LEADS.index(lead) * len(VOWELS) + VOWELS.index(vowel)) * len(FINALS) + FINALS.index(final)
    return chr(ord(FIRST_SYLLABLE) + number)


@functools.cache
def _syllables() -> dict[int, str]:
    spellings = (lead + vowel + final for lead in LEADS for vowel in VOWELS for final in FINALS)
    return dict(enumerate(spellings, start=ord(FIRST_SYLLABLE)))
