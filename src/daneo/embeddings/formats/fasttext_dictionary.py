"""The dictionary of a fastText model: words and labels with their counts, and which n-grams were kept."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from daneo.corpus.vocabulary_file import MAX_COUNT
from daneo.embeddings.formats.fasttext_fields import Fields

_ENTRY_TAIL = 10  # bytes after a word: the zero that ends it, its count, and whether it is a label


class Dictionary(NamedTuple):
    """What stands between the settings of a model and its matrices."""

    words: list[str]
    counts: npt.NDArray[np.int64]
    labels: list[str]
    label_counts: npt.NDArray[np.int64]
    num_tokens: int
    pruned: npt.NDArray[np.int32] | None


def read_dictionary(fields: Fields, errors: str, *, has_pruning: bool) -> Dictionary:
    """Take a dictionary.

    Parameters
    ----------
    fields : Fields
        Stands at the dictionary.
    errors : str
        What to do with what is not UTF-8, as in ``bytes.decode``.
    has_pruning : bool
        Whether the layout has room for pruned n-grams, as it has since version 11.

    Raises
    ------
    EOFError, ValueError
        A field is cut off or impossible; the message names it and its byte.
    """
    num_words, num_labels, num_tokens, num_pruned = read_sizes(fields, has_pruning=has_pruning)
    entries, counts = _read_entries(fields, num_words, num_labels, errors)
    pruned = None if num_pruned == -1 else fields.array("<i4", (num_pruned, 2), "the kept n-grams")
    return Dictionary(
        entries[:num_words], counts[:num_words], entries[num_words:], counts[num_words:], num_tokens, pruned
    )


def read_sizes(fields: Fields, *, has_pruning: bool) -> tuple[int, int, int, int]:
    """Take what a dictionary begins with: the numbers of words, labels, tokens, and kept n-grams (-1: of all)."""
    start = fields.position
    size, num_words, num_labels, num_tokens = fields.numbers("3iq", "the dictionary's size")
    (num_pruned,) = fields.numbers("q", "the number of kept n-grams") if has_pruning else (-1,)
    if min(num_words, num_labels) < 0 or size < 1 or size != num_words + num_labels:
        raise ValueError(
            f"{fields.name}: the dictionary (byte {start}) has {size} entries, {num_words} words and {num_labels} "
            "labels; expected one entry at least, and as many as words and labels. "
            "The file is damaged, or no fastText model."
        )
    if num_tokens < 0:
        raise ValueError(
            f"{fields.name}: the number of tokens (byte {start + 12}) is {num_tokens}; expected 0 or more."
        )
    if num_pruned < -1:
        raise fields.wrong("the number of kept n-grams", num_pruned, "-1, 0 or more", 8)
    return num_words, num_labels, num_tokens, num_pruned


def _read_entries(
    fields: Fields, num_words: int, num_labels: int, errors: str
) -> tuple[list[str], npt.NDArray[np.int64]]:
    """Take words and labels; return them decoded, and their counts."""
    size, first = num_words + num_labels, fields.position
    fields.expect(size * _ENTRY_TAIL, f"the dictionary of {size} entries")
    ends = _find_ends(fields, size)
    fields.position = int(ends[-1]) + _ENTRY_TAIL
    raw = np.frombuffer(fields.data[first : fields.position], np.uint8)
    ends -= first
    counts = np.zeros(size, np.int64)
    kept = np.ones(len(raw), bool)
    for byte in range(8):
        counts |= raw[ends + 1 + byte].astype(np.int64) << 8 * byte
        kept[ends + 1 + byte] = False
    kept[ends + _ENTRY_TAIL - 1] = False
    kinds = raw[ends + _ENTRY_TAIL - 1]
    _check_entries(fields, first + ends, counts, kinds, num_words)
    # No word holds a zero byte, so all are decoded at once.
    packed = raw[kept].tobytes()[:-1]
    try:
        return packed.decode("utf-8", errors).split("\0"), counts
    except UnicodeDecodeError as found:
        row = packed.count(b"\0", 0, found.start)
        word = packed.split(b"\0")[row]
        what = f"word {row + 1}" if row < num_words else f"label {row - num_words + 1}"
        raise ValueError(
            f"{fields.name}: {what} (byte {first + int(ends[row]) - len(word)}), {word[:40]!r}, is not UTF-8. "
            "errors='surrogateescape' keeps its bytes; errors='replace' or errors='ignore' reads it nevertheless."
        ) from None


def _find_ends(fields: Fields, size: int) -> npt.NDArray[np.int64]:
    """Return where each word ends: the position of its zero byte."""
    find, start, ends = fields.data.find, fields.position, []
    for _ in range(size):
        end = find(b"\0", start)
        if end < 0:
            break
        ends.append(end)
        start = end + _ENTRY_TAIL
    if len(ends) < size or start > fields.size:
        raise EOFError(
            f"{fields.name}: the dictionary (byte {fields.position}) has {size} entries, the file ends in number "
            f"{min(len(ends) + 1, size)}. It is cut off or damaged; copy or download it again."
        )
    return np.array(ends, np.int64)


def _check_entries(
    fields: Fields,
    ends: npt.NDArray[np.int64],
    counts: npt.NDArray[np.int64],
    kinds: npt.NDArray[np.uint8],
    num_words: int,
) -> None:
    """Check that counts are possible, and that the words come first and then the labels."""
    impossible = (counts < 0) | (counts > MAX_COUNT)
    if impossible.any():
        row = int(impossible.argmax())
        fields.position = int(ends[row]) + 1
        raise fields.wrong(f"the count of entry {row + 1}", counts[row], f"0 to {MAX_COUNT:,}")
    expected = np.arange(len(kinds)) >= num_words
    if (kinds != expected).any():
        row = int((kinds != expected).argmax())
        fields.position = int(ends[row]) + _ENTRY_TAIL - 1
        raise fields.wrong(f"the kind of entry {row + 1}", kinds[row], f"{int(expected[row])}, words before labels")
