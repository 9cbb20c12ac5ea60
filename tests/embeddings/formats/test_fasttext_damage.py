"""Damaged and hostile models: one line that names the field and its byte; no crash, and no memory on a file's word."""

from __future__ import annotations

import gzip
import io
import struct
import tracemalloc
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from daneo.embeddings.formats import load, recognise
from daneo.embeddings.formats.byte_source import ByteSource
from daneo.embeddings.formats.fasttext_file import FastTextFile, read_fasttext
from daneo.embeddings.formats.fasttext_vectors import read_vectors

from .facebook_models import model_bytes, trained

INPUTS = np.arange(1, 17, dtype=np.float32).reshape(8, 2)
PLAIN = model_bytes(
    [b"sea", "바다".encode(), b"</s>"], INPUTS, INPUTS[:3], labels=(b"__label__a",), num_buckets=5, version=12
)
OLD = model_bytes([b"sea", "바다".encode(), b"</s>"], INPUTS, INPUTS[:3], num_buckets=5, version=None)
HEAD = 8 + 48 + 8  # magic number and version, twelve settings, sample
ENTRIES = HEAD + 12 + 8 + 8
MARK = PLAIN.index(struct.pack("<?2q", False, 8, 2))


def tiny_quantised_model() -> bytes:
    """Two words and two n-grams of four, in codes of two parts and of lengths; outputs quantised too."""
    settings = struct.pack("<2i12id", 793712314, 12, 3, 5, 5, 1, 5, 2, 3, 3, 4, 2, 3, 100, 1e-4)
    entries = b"".join(
        word + b"\0" + struct.pack("<qb", 2, kind) for word, kind in ((b"sea", 0), (b"sun", 0), (b"__label__a", 1))
    )
    dictionary = struct.pack("<3i2q", 3, 2, 1, 9, 2) + entries + struct.pack("<4i", 3, 0, 1, 1)
    centroids = np.arange(3 * 256, dtype="<f4").tobytes()
    quantizer = struct.pack("<4i", 3, 2, 2, 1) + centroids
    lengths = struct.pack("<4i", 1, 1, 1, 1) + centroids[:1024]
    inputs = struct.pack("<?2qi", True, 4, 3, 8) + bytes(range(8)) + quantizer + bytes(range(4)) + lengths
    outputs = struct.pack("<?2qi", False, 1, 3, 2) + bytes(2) + quantizer
    return settings + dictionary + b"\1" + inputs + b"\1" + outputs


QUANTISED = tiny_quantised_model()
TINY = {"plain": PLAIN, "old": OLD, "quantised": QUANTISED}


def read_bytes(data: bytes) -> FastTextFile:
    """Read a model from memory, under the name x.bin."""
    from daneo.embeddings.formats.fasttext_fields import Fields
    from daneo.embeddings.formats.fasttext_reading import read_fields

    return read_fields(Fields(bytearray(data), "x.bin"), "surrogateescape")


def ask(data: bytes) -> None:
    """Open the vectors of a model in memory and use all of its parts."""
    source = ByteSource(io.BytesIO(data), "x.bin")
    vectors, _ = read_vectors(source, "x.bin", limit=None, errors="replace")
    with np.errstate(all="ignore"):
        for word in (*vectors.words[:3], "seas", ""):
            assert vectors[word].shape == (vectors.vector_size,)
        assert vectors.matrix.nbytes == 4 * len(vectors) * vectors.vector_size


def outcome(data: bytes) -> str:
    """``"read"`` or ``"refused"``, and then with one line that names the file; anything else fails the test."""
    message = ""
    try:
        model = read_bytes(data)
    except UnicodeError:
        raise
    except (EOFError, ValueError) as error:
        message = str(error)
    else:
        for rows in (model.inputs, model.outputs):
            assert rows[0:1].shape[1] == model.vector_size
            assert rows[len(rows) - 1 :].dtype == np.float32
    if message:
        assert message.startswith("x.bin: "), message
        assert "\n" not in message
        assert len(message) < 400
        return "refused"
    if model.words:
        ask(data)
    return "read"


def changed(data: bytes, position: int, layout: str, *values: float) -> bytes:
    """The same bytes but for some numbers."""
    new = bytearray(data)
    struct.pack_into(layout, new, position, *values)
    return bytes(new)


def test_the_tiny_models_are_sound() -> None:
    for data in TINY.values():
        assert outcome(data) == "read"
    model = read_bytes(QUANTISED)
    # Part 1 has two numbers a centroid, part 2 one; row 0 has the codes 0 and 1 and the length 0.
    assert model.inputs[:].tolist() == [[0, 0, 0], [4, 5, 515], [16, 18, 1034], [36, 39, 1557]]


@pytest.mark.parametrize("name", TINY)
def test_every_beginning_of_a_model_is_refused(name: str) -> None:
    data = TINY[name]
    for length in range(len(data)):
        with pytest.raises(EOFError, match=r"^x.bin: .*byte \d+.*(bytes, \d+ follow|ends in number)"):
            read_bytes(data[:length])


def test_an_empty_word_is_none_of_our_business() -> None:
    # fastText writes none, but loads one.
    data = model_bytes([b"sea", b"", b"sun"], INPUTS, INPUTS[:3], num_buckets=5)
    assert outcome(data) == "read"
    assert read_bytes(data).words == ["sea", "", "sun"]


@pytest.mark.parametrize("name", TINY)
def test_what_follows_a_model_is_refused(name: str) -> None:
    size = len(TINY[name])
    with pytest.raises(ValueError, match=rf"x.bin: 1 bytes follow the output matrix \(byte {size}\); expected none"):
        read_bytes(TINY[name] + b"\0")


CODES = QUANTISED.index(struct.pack("<?2qi", True, 4, 3, 8))
CASES = {
    "version": (changed(PLAIN, 4, "<i", 13), r"the version \(byte 4\) is 13; expected 11 or 12"),
    "vector_size 0": (changed(PLAIN, 8, "<i", 0), r"vector_size \(byte 8\) is 0; expected 1 to 1048576"),
    "vector_size": (changed(PLAIN, 8, "<i", 2**31 - 1), r"vector_size \(byte 8\) is 2147483647; expected 1 to"),
    "window": (changed(PLAIN, 12, "<i", -5), r"window \(byte 12\) is -5; expected 0 or more"),
    "loss": (changed(PLAIN, 32, "<i", 5), r"loss \(byte 32\) is 5; expected 1 to 4"),
    "model": (changed(PLAIN, 36, "<i", 0), r"model \(byte 36\) is 0; expected 1 to 3"),
    "buckets": (changed(PLAIN, 40, "<i", -1), r"num_buckets \(byte 40\) is -1; expected 0 or more"),
    "more buckets": (
        changed(PLAIN, 40, "<i", 2**31 - 1),
        r"the shape of the input matrix .* is \(8, 2\); expected \(2147483650, 2\) by its settings",
    ),
    "sample": (changed(PLAIN, 56, "<d", float("nan")), r"sample \(byte 56\) is nan; expected 0 or more"),
    "no entries": (changed(PLAIN, HEAD, "<3i", 0, 0, 0), r"the dictionary \(byte 64\) has 0 entries"),
    "fewer entries": (changed(PLAIN, HEAD, "<i", 3), "has 3 entries, 3 words and 1 labels"),
    "negative entries": (changed(PLAIN, HEAD, "<3i", 4, 5, -1), "has 4 entries, 5 words and -1 labels"),
    "too many entries": (
        changed(PLAIN, HEAD, "<3i", 2**31 - 1, 2**31 - 2, 1),
        r"the dictionary of 2147483647 entries \(byte 92\): expected 21474836470 bytes, 185 follow",
    ),
    "tokens": (changed(PLAIN, HEAD + 12, "<q", -1), r"the number of tokens \(byte 76\) is -1; expected 0 or more"),
    "kept n-grams": (changed(PLAIN, HEAD + 20, "<q", -2), r"the number of kept n-grams \(byte 84\) is -2"),
    "more kept n-grams": (
        changed(PLAIN, HEAD + 20, "<q", 1 << 60),
        r"the kept n-grams \(byte 155\): expected 9223372036854775808 bytes, 122 follow",
    ),
    "count": (changed(PLAIN, ENTRIES + 4, "<q", -7), r"the count of entry 1 \(byte 96\) is -7; expected 0 to"),
    "more counted": (changed(PLAIN, ENTRIES + 4, "<q", 2**63 - 1), r"the count of entry 1 \(byte 96\) is 92233"),
    "kind": (changed(PLAIN, ENTRIES + 12, "<b", 1), r"the kind of entry 1 \(byte 104\) is 1; expected 0, words before"),
    "kind of a label": (changed(PLAIN, MARK - 1, "<b", 0), r"the kind of entry 4 \(byte 154\) is 0; expected 1"),
    "mark": (changed(PLAIN, MARK, "<b", 2), r"the mark of quantised inputs \(byte 155\) is 2; expected 0 or 1"),
    "dropped n-grams, not quantised": (
        changed(PLAIN, HEAD + 20, "<q", 1)[:MARK] + struct.pack("<2i", 0, 0) + PLAIN[MARK:],
        "n-grams were dropped, but the input matrix .* is not quantised",
    ),
    "rows": (
        changed(PLAIN, MARK + 1, "<q", 7),
        r"the shape of the input matrix \(byte 156\) is \(7, 2\); expected \(8",
    ),
    "negative rows": (changed(PLAIN, MARK + 1, "<2q", -8, -2), r"is \(-8, -2\); expected \(8, 2\)"),
    "rows of outputs": (changed(PLAIN, MARK + 82, "<q", 4), r"the shape of the output matrix \(byte 237\) is \(4, 2\)"),
    "bucket": (changed(QUANTISED, CODES - 17, "<i", 4), "kept n-gram 1 has bucket 4; expected 0 to 3"),
    "row": (changed(QUANTISED, CODES - 13, "<i", 2), "kept n-gram 1 has row 2; expected 0 to 1"),
    "bucket twice": (changed(QUANTISED, CODES - 9, "<i", 3), "a bucket occurs twice among the kept n-grams"),
    "mark of lengths": (QUANTISED[:CODES] + b"\2" + QUANTISED[CODES + 1 :], "the mark of lengths in the input matrix"),
    "number of codes": (
        changed(QUANTISED, CODES + 17, "<i", 9),
        "the number of codes .* is 9; expected 1 to 3 for",
    ),
    "no codes": (changed(QUANTISED, CODES + 17, "<i", 0), r"the number of codes .* is 0; expected 1 to 3"),
    "codes": (changed(QUANTISED, CODES + 17, "<i", -8), r"the number of codes .* is -8; expected 1 to 3"),
    "quantizer": (
        changed(QUANTISED, CODES + 29, "<4i", 3, 2, 0, 1),
        r"the quantizer .* is \(3, 2, 0, 1\); expected",
    ),
    "another quantizer": (
        changed(QUANTISED, CODES + 29, "<4i", 3, 3, 1, 1),
        r"is \(3, 3, 1, 1\); expected 3",
    ),
    "last part": (changed(QUANTISED, CODES + 41, "<i", 2), r"is \(3, 2, 2, 2\); expected"),
}


@pytest.mark.parametrize("name", CASES)
def test_one_clear_error(name: str, tmp_path: Path) -> None:
    data, reason = CASES[name]
    with pytest.raises((ValueError, EOFError), match=reason):
        read_bytes(data)
    assert outcome(data) == "refused"
    (tmp_path / "x.bin").write_bytes(data)
    with pytest.raises((ValueError, EOFError), match=reason) as caught:
        read_fasttext(tmp_path / "x.bin")
    assert str(caught.value).startswith(str(tmp_path / "x.bin"))


@pytest.mark.parametrize(
    ("beginning", "reason"),
    [
        (struct.pack("<2i", 793712314, 12), "vector_size .byte 8. is 0; expected 1 to"),
        (PLAIN, "promise [0-9]+ bytes at most, and more follow"),
        (OLD, "promise [0-9]+ bytes at most, and more follow"),
        (QUANTISED, "promise [0-9]+ bytes at most, and more follow"),
    ],
    ids=["zeros", "plain", "old", "quantised"],
)
def test_zeros_that_were_compressed_are_not_all_read(beginning: bytes, reason: str, tmp_path: Path) -> None:
    with gzip.open(tmp_path / "bomb.bin.gz", "wb", compresslevel=1) as file:
        file.write(beginning)
        for _ in range(100):
            file.write(bytes(1 << 20))
    tracemalloc.start()
    with pytest.raises(ValueError, match=reason) as caught:
        load(tmp_path / "bomb.bin.gz")
    assert "\n" not in str(caught.value)
    assert tracemalloc.get_traced_memory()[1] < 20e6
    tracemalloc.stop()


def test_a_cut_file_on_the_disk_and_in_gzip(tmp_path: Path) -> None:
    for data in (PLAIN, OLD):
        (tmp_path / "cut.bin").write_bytes(data[:-9])
        (tmp_path / "cut.gz").write_bytes(gzip.compress(data[:-9]))
        for name in ("cut.bin", "cut.gz"):
            assert recognise(tmp_path / name) == "fasttext-bin"
            with pytest.raises(EOFError, match=rf"{name}: the output matrix \(byte \d+\): expected 24 bytes, 15 f"):
                load(tmp_path / name)
    (tmp_path / "empty").write_bytes(b"")
    with pytest.raises(EOFError, match=r"the settings \(byte 0\): expected 8 bytes, 0 follow"):
        read_fasttext(tmp_path / "empty")


MUTATED = {**TINY, "skip-gram": None, "pruned": None}


def small_model(name: str) -> bytes:
    return TINY[name] if name in TINY else trained(name)


@st.composite
def mutants(draw: st.DrawFn, data: bytes) -> bytes:
    """Some bytes replaced, numbers set to extremes, stretches cut out, doubled or filled, ends cut off."""
    new = bytearray(data)
    for _ in range(draw(st.integers(1, 3))):
        # What lies in front says how long everything is.
        position = draw(st.integers(0, len(new)) | st.integers(0, min(200, len(new))))
        length = draw(st.integers(1, 24))
        match draw(st.sampled_from(["byte", "number", "cut", "double", "fill", "end", "insert"])):
            case "byte" if position < len(new):
                new[position] = draw(st.integers(0, 255))
            case "number":
                layout = draw(st.sampled_from(["<i", "<q"]))
                bits = 8 * struct.calcsize(layout) - 1
                value = draw(st.sampled_from([-1, 0, 1, 2, 2**bits - 1, -(2**bits), 2 ** (bits // 2), 1000]))
                if position + struct.calcsize(layout) <= len(new):
                    struct.pack_into(layout, new, position, value)
            case "cut":
                del new[position : position + length]
            case "double":
                new[position:position] = new[position : position + length]
            case "fill":
                new[position : position + length] = bytes(len(new[position : position + length]))
            case "end":
                del new[position:]
            case "insert":
                new[position:position] = draw(st.binary(min_size=1, max_size=9))
    return bytes(new)


@pytest.mark.parametrize("name", MUTATED)
def test_mutated_models_are_read_or_refused_within_the_memory_that_they_take(name: str) -> None:
    data = small_model(name)
    outcome(data)  # imports take memory of their own
    outcomes: Counter[str] = Counter()

    @given(mutants(data))
    @example(data)
    @example(data[:-1])
    @settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
    def check(mutant: bytes) -> None:
        tracemalloc.start()
        try:
            outcomes[outcome(mutant)] += 1
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert peak < (2 << 20) + 40 * len(mutant)

    check()
    assert min(outcomes["read"], outcomes["refused"]) > 0
