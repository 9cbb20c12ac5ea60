from __future__ import annotations

import unicodedata

from daneo.corpus.code_points import (
    FOLDED,
    INSIDE,
    MARK,
    NUM_CODE_POINTS,
    RESIZED,
    SEPARATOR,
    whitespace_code_points,
    word_code_points,
)


def kind_in_words(character: str) -> int:
    if character.isalnum() or character == "_":
        lower = character.lower()
        if lower == character:
            return INSIDE
        same_size = len(lower.encode("utf-8", "surrogatepass")) == len(character.encode("utf-8", "surrogatepass"))
        return FOLDED if same_size else RESIZED
    return MARK if unicodedata.category(character)[0] == "M" else SEPARATOR


def test_words_of_every_code_point():
    points = word_code_points()
    wrong = [code for code in range(NUM_CODE_POINTS) if points.kinds[code] != kind_in_words(chr(code))]
    assert wrong == []
    for code in range(NUM_CODE_POINTS):
        if points.kinds[code] in (FOLDED, RESIZED):
            lower = chr(code).lower().encode()
            assert int(points.lower[code]).to_bytes(4, "little").rstrip(b"\0") == lower
            # What respell_tokens has room for: half as many bytes again.
            assert len(lower) <= 1.5 * len(chr(code).encode())
    assert (points.kinds == RESIZED).sum() > 20


def test_a_lower_case_is_of_its_letters_kind():
    # Else it would matter whether a text is lower-cased before or after it is cut into words.
    kinds = word_code_points().kinds
    for code in range(NUM_CODE_POINTS):
        if kinds[code] in (FOLDED, RESIZED):
            first, *rest = chr(code).lower()
            assert kinds[ord(first)] == INSIDE
            assert all(kinds[ord(character)] in (INSIDE, MARK) for character in rest)


def test_whitespace_of_every_code_point():
    kinds = whitespace_code_points().kinds
    assert [code for code in range(NUM_CODE_POINTS) if (kinds[code] == SEPARATOR) != chr(code).isspace()] == []
