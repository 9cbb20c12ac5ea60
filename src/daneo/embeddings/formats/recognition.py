"""Which format a file has, by its first bytes and lines. The suffix is never asked."""

from __future__ import annotations

import struct

import numpy as np

from daneo.embeddings.formats.byte_source import ByteSource
from daneo.embeddings.formats.fasttext_fields import MAGIC
from daneo.embeddings.formats.glove_text import SAMPLE_BYTES, count_numbers, find_vector_size
from daneo.embeddings.formats.text_reading import LONGEST_LINE
from daneo.embeddings.formats.word2vec_header import LARGEST_SIZE, LONGEST_HEADER, header_of

# No text begins like any of these.
_PICKLE = (
    "a Python pickle, as gensim's own files are. Opening one can run any code, so daneo never does. "
    "In gensim, save_word2vec_format(path, binary=True) writes a file that can be opened"
)
_STRANGERS = {
    **{bytes([0x80, protocol]): _PICKLE for protocol in (2, 3, 4, 5)},
    b"\x93NUMPY": "a NumPy array, which has no words",
    b"PK\x03\x04": "a zip archive (.npz and PyTorch files are archives too). Unpack it first",
    b"7z\xbc\xaf\x27\x1c": "a 7-Zip archive. Unpack it first",
    b"\x89HDF\r\n\x1a\n": "an HDF5 file",
    b"SQLite format 3\0": "an SQLite database, as .magnitude files are",
    b"FiFu\0\0\0\0": "a finalfusion file",
}


def recognise_source(source: ByteSource) -> str:
    """Return the name of the format of a file, and leave the source where it stands.

    Returns
    -------
    str
        ``"word2vec-text"``, ``"word2vec-binary"``, ``"glove-text"`` or ``"fasttext-bin"``.

    Raises
    ------
    ValueError
        It is none of these; the message says what it looks like.
    """
    start = source.peek(LONGEST_HEADER)
    if not start:
        raise ValueError(f"{source.name} is empty; expected word vectors.")
    for beginning, what in _STRANGERS.items():
        if start.startswith(beginning):
            raise ValueError(f"{source.name} is {what}.")
    if start.startswith(MAGIC.to_bytes(4, "little")) or _is_old_fasttext(start):
        return "fasttext-bin"
    if start[8:10] == b'{"':
        raise ValueError(f"{source.name} is a safetensors file. Give the directory that it lies in.")
    header = header_of(start)
    if header is not None:
        return "word2vec-text" if _has_text_rows(source, header[1]) else "word2vec-binary"
    if _is_glove_binary(start, source.size):
        raise ValueError(
            f"{source.name} looks like the .bin of Stanford's GloVe, which holds no words. Open it together with its "
            "vocab.txt: daneo.GloVe.load(path, vocabulary=...), or daneo convert --vocabulary."
        )
    if find_vector_size(source.first_lines(SAMPLE_BYTES, LONGEST_LINE)) > 0:
        return "glove-text"
    raise ValueError(
        f"{source.name} begins with {start[:20]!r}, which is none of the formats that daneo knows: its own directory, "
        "word2vec text (also fastText's .vec) and binary, GloVe text, fastText's .bin and .ftz, and each compressed."
    )


def _is_glove_binary(start: bytes, size: int | None) -> bool:
    """Whether a file can be two rows a word of float64 numbers: as weights and squared gradients are, not large."""
    if size is None or size % 16 or len(start) % 8:
        return False
    numbers = np.abs(np.frombuffer(start, "<f8"))
    # In text and in float32 the exponents of doubles are far out of this range.
    return bool(((numbers < 1e6) & ((numbers > 1e-12) | (numbers == 0))).all() and numbers.any())


def _has_text_rows(source: ByteSource, vector_size: int) -> bool:
    """Whether most of the lines after the header end in numbers that are spelt in digits."""
    sample = source.peek(SAMPLE_BYTES)
    rows = [line for line in sample.split(b"\n")[1:] if line.strip()]
    if len(sample) == SAMPLE_BYTES and rows:
        rows[-1] = rows[-1].rpartition(b" ")[0]  # its last field may be cut off
    # In a binary file, what lies between two bytes of value 10 hardly ever ends in a space and a digit, never in two.
    good = sum(count_numbers(line) >= min(vector_size, 2) for line in rows)
    return 2 * good >= len(rows)


def _is_old_fasttext(start: bytes) -> bool:
    """Whether this is a model of 2016, which begins with its twelve settings and no magic number."""
    if len(start) < 48:
        return False
    settings = struct.unpack("<12i", start[:48])
    # The size of the vectors; the loss and the model, of which there were three each; the other settings. Where a file
    # begins with digits, as word2vec's do, the first four bytes make a far larger number.
    return 0 < settings[0] <= LARGEST_SIZE and {settings[6], settings[7]} <= {1, 2, 3} and min(settings) >= 0
