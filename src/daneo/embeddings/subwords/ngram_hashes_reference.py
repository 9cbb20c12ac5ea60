"""The n-grams of a word and their hashes: the definition, in plain Python. ``ngram_hashes_kernels`` is the fast copy.

Everything is bytes of UTF-8. A *letter* is a byte and the continuation bytes (0b10xxxxxx) that follow it: a code point
wherever the text is valid. A word is read as ``<word>``.

Two kinds of n-grams, in the order of their first letter, the shorter ones first:

1. of letters: every run of `min_letters` to `max_letters` letters of ``<word>``, but not a lone ``<`` or ``>``;
2. of syllables: every run of `min_syllables` to `max_syllables` syllables of the word that is longer than `max_letters`
   letters, because the shorter ones are among the first kind already. They hold neither ``<`` nor ``>``.

Where `spelled_in_jamo` holds, each Hangul syllable is three letters: lead, vowel and final consonant, with
``NO_FINAL`` in the place of a final consonant that is not there. A letter that belongs to no such syllable (Latin, a
digit, a jamo that stands alone) counts as a syllable of its own. Conjoining jamo are written as the others.
"""

from __future__ import annotations

import re
from itertools import accumulate

BEGIN, END = b"<", b">"
END_OF_LINE = b"</s>"  # fastText's mark for a line's end, which has no n-grams

FIRST_SYLLABLE, LAST_SYLLABLE = 0xAC00, 0xD7A3
FIRST_CONJOINING = (0x1100, 0x1161, 0x11A8)  # lead, vowel, final: those jamo in the order below
LEADS = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"
VOWELS = "ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ"
NO_FINAL = "\ue000"
FINALS = NO_FINAL + "ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ"

LETTER = re.compile(rb"[^\x80-\xbf][\x80-\xbf]*")


def fnv1a(text: bytes) -> int:
    """FNV-1a in 32 bits, but of signed bytes: the sign of a negative one fills the upper bits."""
    value = 2166136261
    for byte in memoryview(text).cast("b"):
        value = (value ^ byte) * 16777619 & 0xFFFFFFFF
    return value


def jamo_of(letter: bytes) -> list[bytes]:
    """The three jamo of a Hangul syllable, the ordinary jamo of a conjoining one, and any other letter as it is."""
    character = letter.decode("utf-8", "surrogateescape")
    if len(character) != 1:
        return [letter]
    code = ord(character)
    if FIRST_SYLLABLE <= code <= LAST_SYLLABLE:
        number, final = divmod(code - FIRST_SYLLABLE, len(FINALS))
        lead, vowel = divmod(number, len(VOWELS))
        return [jamo.encode() for jamo in (LEADS[lead], VOWELS[vowel], FINALS[final])]
    for first, jamo in zip(FIRST_CONJOINING, (LEADS, VOWELS, FINALS[1:]), strict=True):
        if 0 <= code - first < len(jamo):
            return [jamo[code - first].encode()]
    return [letter]


def spell(word: bytes, spelled_in_jamo: bool) -> tuple[list[bytes], list[int]]:
    """The letters of ``<word>``, and which of them start a syllable of the word, with that of ``>`` as the last."""
    _, *syllables = groups = [
        jamo_of(letter) if spelled_in_jamo else [letter] for letter in LETTER.findall(BEGIN + word + END)
    ]
    starts = list(accumulate(map(len, syllables[:-1]), initial=1))
    return [letter for group in groups for letter in group], starts


def ngrams(
    word: bytes, spelled_in_jamo: bool, min_letters: int, max_letters: int, min_syllables: int, max_syllables: int
) -> list[bytes]:
    """All n-grams of a word, repeats kept."""
    if word == END_OF_LINE:
        return []
    letters, starts = spell(word, spelled_in_jamo)
    numbers = {start: number for number, start in enumerate(starts)}
    found = []
    for first in range(len(letters)):
        for stop in range(first + max(min_letters, 1), min(first + max_letters, len(letters)) + 1):
            if stop - first > 1 or 0 < first < len(letters) - 1:
                found.append(b"".join(letters[first:stop]))
        if first in numbers:
            number = numbers[first]
            for stop in starts[number + max(min_syllables, 1) : number + max_syllables + 1]:
                if stop - first > max_letters:
                    found.append(b"".join(letters[first:stop]))
    return found


def hash_ngrams(
    words: list[bytes],
    num_buckets: int,
    spelled_in_jamo: bool,
    min_letters: int,
    max_letters: int,
    min_syllables: int,
    max_syllables: int,
) -> list[list[int]]:
    """The buckets of the n-grams of each word: their hashes modulo `num_buckets`."""
    lengths = (spelled_in_jamo, min_letters, max_letters, min_syllables, max_syllables)
    return [[fnv1a(ngram) % num_buckets for ngram in ngrams(word, *lengths)] for word in words]
