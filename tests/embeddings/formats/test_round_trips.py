"""What is saved opens as it was, in every format: any Unicode words, any float32."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from daneo.corpus.vocabulary import Vocabulary
from daneo.embeddings.formats import FORMATS, load, recognise, save
from daneo.embeddings.word_vectors import WordVectors

FLOATS = st.one_of(st.floats(width=32), st.floats(-1, 1, width=32))
EVERYTHING = st.text(st.characters(exclude_categories=[]), max_size=12)
NO_NEWLINES = st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"]), min_size=1, max_size=12)
NO_SPACES = st.text(st.characters(exclude_characters="\n ", exclude_categories=["Cs"]), min_size=1, max_size=12)
WORDS = {
    "daneo": EVERYTHING.filter(bool),
    "word2vec-text": NO_NEWLINES,
    "word2vec-binary": NO_SPACES,
    "glove-text": NO_NEWLINES,
    "fasttext-bin": st.text(
        st.characters(exclude_characters="\0 \t\n\v\f\r", exclude_categories=["Cs"]), min_size=1, max_size=12
    ),
}
EXACT = [format for format in FORMATS if format != "fasttext-vec"]  # which keeps five digits


@st.composite
def tables(draw: st.DrawFn, words: st.SearchStrategy[str]) -> WordVectors:
    vector_size = draw(st.integers(1, 5))
    unique = draw(st.lists(words, min_size=1, max_size=6, unique=True))
    size = len(unique) * vector_size
    numbers = draw(st.lists(FLOATS, min_size=size, max_size=size))
    return WordVectors(unique, np.array(numbers, np.float32).reshape(-1, vector_size))


def bits(vectors: WordVectors) -> list[list[int]]:
    """The numbers exactly; but one NaN is as good as another."""
    return np.where(np.isnan(vectors.matrix), np.float32(np.nan), vectors.matrix).view(np.uint32).tolist()


def reopened(path: Path, **options: object) -> WordVectors:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return load(path, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize("format", EXACT)
def test_any_words_and_numbers(format: str, suffix: str, tmp_path: Path) -> None:
    if format == "daneo" and suffix:
        pytest.skip("a directory is not compressed")
    path = tmp_path / f"vectors{suffix}"

    @given(tables(WORDS[format]))
    @settings(deadline=None, max_examples=120, suppress_health_check=[HealthCheck.too_slow])
    def check(vectors: WordVectors) -> None:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)
                save(vectors, path, format=format)
        except ValueError as error:
            # Too many words that end in numbers: the one thing that only the file as a whole can tell.
            assume("would be read as" not in str(error))
            raise
        assert recognise(path) == format
        again = reopened(path)
        assert again.words == vectors.words
        if format == "fasttext-bin":  # a mean of one row, as fastText takes it: of a zero the sign is lost
            np.testing.assert_array_equal(again.matrix, vectors.matrix)
        else:
            assert bits(again) == bits(vectors)

    check()


def some_vectors(num_words: int = 5000, vector_size: int = 7) -> WordVectors:
    rng = np.random.default_rng(3)
    matrix = (rng.standard_normal((num_words, vector_size)) * 10.0 ** rng.integers(-9, 9)).astype(np.float32)
    return WordVectors([f"낱말{row}" for row in range(num_words)], matrix)


@pytest.mark.parametrize("num_threads", [1, 2, 5])
@pytest.mark.parametrize("format", ["word2vec-text", "glove-text", "word2vec-binary"])
def test_many_blocks(format: str, num_threads: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Blocks of a few rows, and rows that are longer than a block.
    monkeypatch.setattr("daneo.embeddings.formats.text_reading.BLOCK_BYTES", 300)
    monkeypatch.setattr("daneo.embeddings.formats.word2vec_binary._BLOCK_BYTES", 300)
    monkeypatch.setattr("daneo.embeddings.formats.text_writing._BLOCK_NUMBERS", 100)
    for vectors in (some_vectors(), some_vectors(40, 200)):
        save(vectors, tmp_path / "vectors", format=format)
        again = load(tmp_path / "vectors", num_threads=num_threads)
        assert again.words == vectors.words
        assert bits(again) == bits(vectors)


@pytest.mark.parametrize("limit", [1, 3, 4999, 5000, 9999])
@pytest.mark.parametrize("format", EXACT)
def test_limit_takes_the_first_rows(format: str, limit: int, tmp_path: Path) -> None:
    vectors = some_vectors()
    save(vectors, tmp_path / "vectors", format=format)
    some = load(tmp_path / "vectors", limit=limit)
    assert some.words == vectors.words[:limit]
    assert bits(some) == bits(vectors)[:limit]


def zstd(data: bytes) -> bytes:
    if sys.version_info >= (3, 14):
        from compression import zstd as library
    else:
        library = pytest.importorskip("backports.zstd")
    return library.compress(data)


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, lzma.compress, zstd])
@pytest.mark.parametrize("format", ["word2vec-text", "glove-text", "word2vec-binary"])
def test_compressed_files_are_told_by_their_content(
    format: str, compress: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    vectors = some_vectors(100)
    save(vectors, tmp_path / "plain", format=format)
    path = tmp_path / "vectors.txt"
    path.write_bytes(compress((tmp_path / "plain").read_bytes()))
    assert recognise(path) == format
    assert bits(load(path)) == bits(vectors)


def test_gzip_in_several_members(tmp_path: Path) -> None:
    vectors = some_vectors(100)
    save(vectors, tmp_path / "plain", format="glove-text")
    data = (tmp_path / "plain").read_bytes()
    (tmp_path / "two.gz").write_bytes(gzip.compress(data[:777]) + gzip.compress(data[777:]))
    assert bits(load(tmp_path / "two.gz")) == bits(vectors)


def test_the_same_vectors_make_the_same_gzip_file(tmp_path: Path) -> None:
    for name in ("one.gz", "another.gz"):
        save(some_vectors(10), tmp_path / name, format="word2vec-text")
    assert (tmp_path / "one.gz").read_bytes() == (tmp_path / "another.gz").read_bytes()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
@pytest.mark.parametrize("format", ["word2vec-text", "glove-text", "word2vec-binary"])
def test_a_pipe_is_read_once(format: str, tmp_path: Path) -> None:
    import threading

    vectors = some_vectors()
    save(vectors, tmp_path / "plain", format=format)
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=lambda: (tmp_path / "pipe").write_bytes((tmp_path / "plain").read_bytes()))
    writer.start()
    again = load(tmp_path / "pipe")
    writer.join()
    assert bits(again) == bits(vectors)


def test_words_with_spaces_are_counted(tmp_path: Path) -> None:
    vectors = WordVectors(["sea", "New York", ". . .", "\ta"], np.eye(4, dtype=np.float32))
    for format in ("word2vec-text", "glove-text"):
        with pytest.warns(UserWarning, match="3 of 4 words hold spaces, the first of them 'New York'"):
            save(vectors, tmp_path / "vectors", format=format)
        assert load(tmp_path / "vectors").words == vectors.words


@pytest.mark.parametrize(
    ("format", "word", "reason"),
    [
        ("word2vec-text", "", "Row 2 has the word ''"),
        ("word2vec-text", "two\nlines", "Row 2 has the word 'two\\\\nlines'"),
        ("glove-text", "two\nlines", "Row 2 has the word"),
        ("word2vec-binary", "New York", "Row 2 has the word 'New York'.*format='daneo' can"),
        ("word2vec-binary", "\n", "Row 2 has the word"),
        ("word2vec-text", "a\ud800", "half a surrogate pair"),
        ("word2vec-binary", "a\ud800", "half a surrogate pair"),
    ],
)
def test_words_that_a_format_cannot_hold(format: str, word: str, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "vectors"
    path.write_text("what was here")
    vectors = WordVectors(["sea", word], np.zeros((2, 3), np.float32))
    with pytest.raises(ValueError, match=reason) as caught:
        save(vectors, path, format=format)
    assert "\n" not in str(caught.value)
    assert path.read_text() == "what was here"
    assert list(tmp_path.iterdir()) == [path]


def test_words_that_end_in_numbers_need_a_header(tmp_path: Path) -> None:
    vectors = WordVectors(["10 000", "20 000", "sea"], np.ones((3, 2), np.float32))
    with pytest.raises(ValueError, match="vectors of 3 numbers instead of 2, such as '10 000'. Save them as word2vec"):
        save(vectors, tmp_path / "vectors", format="glove-text")
    with pytest.warns(UserWarning, match="2 of 3 words hold spaces"):
        save(vectors, tmp_path / "vectors", format="word2vec-text")
    with pytest.warns(UserWarning, match="2 of 3 rows have more than 2 numbers"):
        assert load(tmp_path / "vectors").words == vectors.words
    # A few of them are no harm.
    more = WordVectors(["10 000", "sea", "sun"], np.ones((3, 2), np.float32))
    with pytest.warns(UserWarning, match="1 of 3 words"):
        save(more, tmp_path / "vectors", format="glove-text")
    with pytest.warns(UserWarning, match="1 of 3 rows have more than 2 numbers"):
        assert load(tmp_path / "vectors").words == more.words


def test_counts_and_special_tokens_survive_in_daneos_format(tmp_path: Path) -> None:
    vocabulary = Vocabulary(["sea", "sun"], [7, 3], special_tokens=["<pad>"], unknown="<unk>")
    save(WordVectors(vocabulary, np.eye(4, dtype=np.float32)), tmp_path / "vectors", card="# Mine\n")
    assert load(tmp_path / "vectors").vocabulary == vocabulary
    assert load(tmp_path / "vectors", limit=3).vocabulary.special_tokens == ("<pad>", "<unk>")
    assert (tmp_path / "vectors" / "README.md").read_text() == "# Mine\n"


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"format": "word2vec"}, "save\\(format=...\\) expected one of daneo, word2vec-text.*; got 'word2vec'"),
        ({"format": "glove-text", "card": "x"}, "glove-text has no place for a card"),
    ],
)
def test_bad_options_of_save(options: dict[str, str], reason: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=reason):
        save(some_vectors(2), tmp_path / "vectors", **options)  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "reason"),
    [({"limit": 0}, "expected at least 1, or None"), ({"errors": "ascii"}, "expected one of strict, rep")],
)
def test_bad_options_of_load(options: dict[str, object], reason: str, tmp_path: Path) -> None:
    save(some_vectors(2), tmp_path / "vectors")
    with pytest.raises(ValueError, match=reason):
        load(tmp_path / "vectors", **options)  # type: ignore[arg-type]


def test_files_and_directories_do_not_replace_each_other(tmp_path: Path) -> None:
    save(some_vectors(2), tmp_path / "directory")
    save(some_vectors(2), tmp_path / "file", format="word2vec-binary")
    with pytest.raises(IsADirectoryError, match="is a directory; glove-text is one file"):
        save(some_vectors(3), tmp_path / "directory", format="glove-text")
    with pytest.raises(NotADirectoryError, match="is a file"):
        save(some_vectors(3), tmp_path / "file")
    assert [len(load(tmp_path / name)) for name in ("directory", "file")] == [2, 2]


def test_a_transposed_matrix_is_written_as_it_looks(tmp_path: Path) -> None:
    matrix = np.arange(6, dtype=np.float32).reshape(2, 3).T
    for format in FORMATS:
        save(WordVectors(["a", "b", "c"], matrix), tmp_path / format, format=format)
        assert load(tmp_path / format).matrix.tolist() == [[0, 3], [1, 4], [2, 5]]
