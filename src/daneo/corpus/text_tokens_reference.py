"""Text to tokens: the definition, in plain Python. ``text_tokens_kernels`` does the same to blocks of bytes."""

from __future__ import annotations

import unicodedata


def is_inside(character: str, before: bool, lower_cases: bool) -> bool:
    """Say whether a character belongs to a token; `before` says so of the character before it.

    The tokenizer ``words`` lower-cases, ``whitespace`` does not.
    """
    if not lower_cases:
        return not character.isspace()
    if character.isalnum() or character == "_":
        return True
    return before and unicodedata.category(character).startswith("M")


def find_tokens(text: bytes, lower_cases: bool) -> tuple[list[str], list[int]]:
    """List the tokens of a text, and for each newline the number of tokens before it."""
    tokens: list[str] = []
    ends: list[int] = []
    before = False
    for character in text.decode("utf-8", "surrogatepass"):
        inside = is_inside(character, before, lower_cases)
        if inside and not before:
            tokens.append("")
        if inside:
            tokens[-1] += character.lower() if lower_cases else character
        if character == "\n":
            ends.append(len(tokens))
        before = inside
    return tokens, ends


def find_cut(text: bytes, lower_cases: bool) -> int:
    """Last position after 0 of a character in UTF-8 that stands between tokens; 0 if there is none."""
    for position in range(len(text) - 1, 0, -1):
        for width in range(1, 5):
            try:
                character = text[position : position + width].decode()
            except UnicodeDecodeError:
                continue
            # Marks continue tokens: they do not stand between them.
            if len(character) == 1 and not is_inside(character, True, lower_cases):
                return position
            break
    return 0
