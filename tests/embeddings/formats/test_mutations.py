"""Ten thousand mutated files a reader: each loads or is refused with one line; nothing crashes, hangs or grows."""

from __future__ import annotations

import gzip
import io
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from daneo.embeddings.formats import glove_text, word2vec_binary, word2vec_text
from daneo.embeddings.formats.byte_source import ByteSource, decompressed
from daneo.embeddings.formats.collected_rows import Rows
from daneo.embeddings.formats.daneo_directory import read_directory, write_directory
from daneo.embeddings.formats.recognition import recognise_source

NUM_MUTANTS = 10_000
READERS = {"word2vec-text": word2vec_text, "word2vec-binary": word2vec_binary, "glove-text": glove_text}
WORDS = ["sea", "바다", "New York", "10", ". . .", "é", "\u3000", "sun"]
NUMBERS = [
    b"0",
    b"-1",
    b"nan",
    b"1e99",
    b"99999999999999999999",
    b"2",
    b"1099511627776",
    b"-9223372036854775808",
    b"1e-9",
]


def healthy_file(format: str) -> bytes:
    rng = np.random.default_rng(7)
    words = [word.replace(" ", "_") for word in WORDS] if format == "word2vec-binary" else WORDS
    file = io.BytesIO()
    READERS[format].write(file, words, rng.standard_normal((len(words), 3)).astype(np.float32))
    return file.getvalue()


def mutants(data: bytes, seed: int, count: int = NUM_MUTANTS) -> Iterator[bytes]:
    """Bits flipped, bytes replaced, stretches cut out, doubled, moved or filled, ends cut off, numbers exchanged."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        mutant = bytearray(data)
        for _ in range(rng.integers(1, 4)):
            start, stop = sorted(rng.integers(0, len(mutant) + 1, 2).tolist())
            short = slice(start, min(stop, start + int(rng.integers(1, 9))))
            match rng.integers(0, 9):
                case 0 | 1 if mutant:
                    mutant[rng.integers(len(mutant))] ^= 1 << int(rng.integers(8))
                case 2 if mutant:
                    mutant[rng.integers(len(mutant))] = rng.choice(list(b"\n \t\r\0.e-9\xff\xed"))
                case 3:
                    del mutant[stop:]
                case 4:
                    del mutant[short]
                case 5:
                    mutant[start:start] = mutant[start:stop]
                case 6:
                    mutant[start:start] = rng.bytes(int(rng.integers(1, 9)))
                case 7:
                    mutant[short] = bytes([int(rng.integers(256))]) * len(mutant[short])
                case 8:
                    fields = bytes(mutant).split(b" ")
                    # Mostly in the header, where it hurts most.
                    field = 0 if rng.random() < 0.6 else int(rng.integers(len(fields)))
                    head, newline, tail = fields[field].partition(b"\n")
                    value = NUMBERS[rng.integers(len(NUMBERS))]
                    fields[field] = value + newline + tail if rng.random() < 0.5 else head + newline + value
                    mutant = bytearray(b" ".join(fields))
        yield bytes(mutant)


def outcome(read: Callable[[], object], name: str = "x.txt") -> str:
    """``"read"`` or ``"refused"``, and then with one line that names the file; anything else fails the test."""
    message = None
    try:
        read()
    except UnicodeError:
        raise
    except (ValueError, EOFError) as error:
        message = str(error)
    if message is None:
        return "read"
    assert message.startswith(name), message
    assert "\n" not in message
    assert len(message) < 500
    return "refused"


def check_rows(rows: Rows, size: int, bytes_a_number: int) -> None:
    """No word twice, and no more numbers than there is room for in a file of `size` bytes."""
    assert len(set(rows.words)) == len(rows.words) == len(rows.matrix) > 0
    assert rows.matrix.size * bytes_a_number <= size


@pytest.mark.parametrize("format", READERS)
def test_readers(format: str) -> None:
    reader, bytes_a_number = READERS[format], 4 if format == "word2vec-binary" else 2
    outcomes = Counter(
        outcome(
            lambda data=mutant: check_rows(
                reader.read(ByteSource.of_bytes(data, "x.txt"), num_threads=1), len(data), bytes_a_number
            )
        )
        for mutant in mutants(healthy_file(format), seed=11)
    )
    # Both happen a lot: neither is everything refused nor everything taken.
    assert outcomes.total() == NUM_MUTANTS
    assert min(outcomes["read"], outcomes["refused"]) > NUM_MUTANTS // 20


def read_any(data: bytes) -> Rows:
    """Decompress, recognise and read, as `load` does."""
    source = decompressed(io.BytesIO(data), "x.txt", len(data))
    return READERS[recognise_source(source)].read(source, num_threads=1, errors="replace")


@pytest.mark.parametrize("format", READERS)
def test_recognition_sends_mutants_to_a_reader_that_takes_or_refuses_them(format: str) -> None:
    mutated = mutants(healthy_file(format), seed=13, count=NUM_MUTANTS // 3)
    outcomes = Counter(outcome(lambda data=mutant: read_any(data)) for mutant in mutated)
    assert min(outcomes["read"], outcomes["refused"]) > 100


@pytest.mark.parametrize("format", READERS)
def test_gzip_files(format: str) -> None:
    data = healthy_file(format)
    damaged = mutants(gzip.compress(data, mtime=0), seed=19, count=NUM_MUTANTS // 2)
    hostile = (gzip.compress(mutant, 1, mtime=0) for mutant in mutants(data, seed=23, count=NUM_MUTANTS // 2))
    # Hardly any damage escapes gzip's checksum; what was compressed after the damage does.
    for mutated, some in ((damaged, 1), (hostile, 500)):
        outcomes = Counter(outcome(lambda data=mutant: read_any(data)) for mutant in mutated)
        assert outcomes.total() == NUM_MUTANTS // 2
        assert min(outcomes["read"], outcomes["refused"]) >= some


@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.parametrize("format", READERS)
def test_memory_stays_near_the_size_of_the_file(format: str, compress: bool) -> None:
    data = healthy_file(format)
    read_any(data)  # what is imported and compiled takes memory of its own
    for mutant in mutants(data, seed=17, count=200):
        file = gzip.compress(mutant, 1) if compress else mutant
        tracemalloc.start()
        outcome(lambda data=file: read_any(data))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        # Buffers of fixed size; the matrix of a lying header would take terabytes.
        assert peak < 4 << 20, mutant


@pytest.mark.parametrize("name", ["vectors.safetensors", "config.json", "vocabulary.txt"])
def test_daneos_directory(name: str, tmp_path: Path) -> None:
    path = tmp_path / "vectors"
    path.mkdir()
    write_directory(path, WORDS, np.random.default_rng(7).standard_normal((len(WORDS), 3)))
    data = (path / name).read_bytes()

    def read() -> None:
        vocabulary, matrix, _ = read_directory(path)
        assert len(vocabulary) == len(matrix) == len(WORDS)
        assert matrix.dtype == np.float32
        # Every byte of the map is there, and no more are promised.
        assert len(matrix.tobytes()) <= (path / "vectors.safetensors").stat().st_size

    outcomes: Counter[str] = Counter()
    for mutant in mutants(data, seed=29, count=NUM_MUTANTS // 3 + 1):
        (path / name).unlink()  # a file that is written over is flushed to disk by some systems
        (path / name).write_bytes(mutant)
        outcomes[outcome(read, str(path))] += 1
    assert min(outcomes["read"], outcomes["refused"]) > 30
