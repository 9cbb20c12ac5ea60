"""Files that other tools wrote, compared with gensim's reader; and our files, read by gensim and as word2vec.c does."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

from daneo.embeddings.formats import load, recognise, save
from daneo.embeddings.word_vectors import WordVectors

FILES = {
    "fasttext-dl4j/cbow.model.vec": "word2vec-text",
    "fasttext-dl4j/skipgram.model.vec": "word2vec-text",
    "fasttext-dl4j/supervised.model.vec": "word2vec-text",
    "gensim-test-data/crime-and-punishment.vec": "word2vec-text",
    "gensim-test-data/euclidean_vectors.bin": "word2vec-binary",
    "gensim-test-data/high_precision.kv.bin": "word2vec-binary",
    "gensim-test-data/high_precision.kv.txt": "word2vec-text",
    "gensim-test-data/lee_fasttext.vec": "word2vec-text",
    "gensim-test-data/poincare_vectors.bin": "word2vec-binary",
    "gensim-test-data/test_glove.txt": "glove-text",
    "gensim-test-data/toy-model.vec": "word2vec-text",
    "glove-allennlp/fake_embeddings.5d.txt": "glove-text",
    "glove-allennlp/glove.6B.100d.sample.txt.gz": "glove-text",
    "glove-allennlp/glove.6B.300d.sample.txt.gz": "glove-text",
    "word2vec-dl4j/google_news_30.bin.gz": "word2vec-binary",
    "word2vec-dl4j/google_news_30.txt": "word2vec-text",
    "word2vec-dl4j/raw_sentence_word2vec.bin.gz": "word2vec-binary",
    "word2vec-dl4j/raw_sentence_word2vec.txt": "word2vec-text",
    "word2vec-dl4j/sample_vec.bin": "word2vec-binary",
    "word2vec-dl4j/sample_vec.txt": "glove-text",  # its header is gone
}


def gensim_load(path: Path, format: str, **options: Any) -> Any:
    keyed = pytest.importorskip("gensim.models").KeyedVectors
    flags = {"binary": format == "word2vec-binary", "no_header": format == "glove-text"}
    return keyed.load_word2vec_format(str(path), **flags, **options)


def bits(matrix: Any) -> list[list[int]]:
    return np.ascontiguousarray(matrix, np.float32).view(np.uint32).tolist()


@pytest.mark.parametrize("name", FILES)
def test_other_tools_files_are_what_gensim_reads(name: str, shared_data: Path) -> None:
    path, format = shared_data / "interop" / name, FILES[name]
    assert recognise(path) == format
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ours = load(path)
    theirs = gensim_load(path, format)
    assert ours.words == theirs.index_to_key
    assert bits(ours.matrix) == bits(theirs.vectors)


@pytest.mark.parametrize(
    ("binary", "text"),
    [("google_news_30.bin.gz", "google_news_30.txt"), ("raw_sentence_word2vec.bin.gz", "raw_sentence_word2vec.txt")],
)
def test_a_binary_file_equals_its_text_twin(binary: str, text: str, shared_data: Path) -> None:
    folder = shared_data / "interop" / "word2vec-dl4j"
    one, other = load(folder / binary), load(folder / text)
    # The texts have six decimals (half a unit of the last is 5e-7), read as float32 (off by up to 6e-8 below 2).
    assert sorted(one.words) == sorted(other.words)
    assert_allclose(one[other.words], other.matrix, rtol=0, atol=5.6e-7)


def test_the_beginning_of_a_file_that_was_cut_off(shared_data: Path) -> None:
    path = shared_data / "interop" / "word2vec-dl4j" / "fast_text.vec"
    with pytest.raises(EOFError, match="promises 999994 rows of 300 numbers.*cut off or its header is wrong"):
        load(path)
    some = load(path, limit=50)
    theirs = gensim_load(path, "word2vec-text", limit=50)
    assert some.words == theirs.index_to_key
    assert bits(some.matrix) == bits(theirs.vectors)


@pytest.mark.parametrize("errors", ["ignore", "replace"])
def test_broken_utf8_is_repaired_as_gensim_does(errors: str, shared_data: Path) -> None:
    path = shared_data / "interop" / "gensim-test-data" / "pang_lee_polarity_fasttext.vec"
    with pytest.raises(ValueError, match=r"row 149 \(byte 155978\): the word b'\\x97' is not UTF-8. errors='replace'"):
        load(path)
    ours = load(path, errors=errors)
    theirs = gensim_load(path, "word2vec-text", unicode_errors=errors)
    assert ours.words == theirs.index_to_key
    assert bits(ours.matrix) == bits(theirs.vectors)


def some_vectors() -> WordVectors:
    rng = np.random.default_rng(5)
    matrix = (rng.standard_normal((200, 30)) * 10.0 ** rng.integers(-40, 38, (200, 30))).astype(np.float32)
    words = [*(f"w{row}" for row in range(196)), "낱말", "a\u00a0b", "\u3000", "é" * 80]
    return WordVectors(words, matrix)


@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize("format", ["word2vec-text", "word2vec-binary", "glove-text"])
def test_gensim_reads_what_we_write(format: str, suffix: str, tmp_path: Path) -> None:
    vectors = some_vectors()
    save(vectors, tmp_path / f"vectors{suffix}", format=format)
    theirs = gensim_load(tmp_path / f"vectors{suffix}", format)
    assert theirs.index_to_key == vectors.words
    assert bits(theirs.vectors) == bits(vectors.matrix)


@pytest.mark.parametrize("binary", [False, True])
@pytest.mark.parametrize("header", [False, True])
def test_we_read_what_gensim_writes(binary: bool, header: bool, tmp_path: Path) -> None:
    if binary and not header:
        pytest.skip("without its header nobody can read a binary file")
    vectors = some_vectors()
    theirs = pytest.importorskip("gensim.models").KeyedVectors(30)
    theirs.add_vectors(vectors.words, vectors.matrix)
    theirs.save_word2vec_format(str(tmp_path / "vectors"), binary=binary, write_header=header, sort_attr=None)
    ours = load(tmp_path / "vectors")
    assert ours.words == vectors.words
    assert bits(ours.matrix) == bits(vectors.matrix)


def test_gensims_own_files_are_refused(tmp_path: Path) -> None:
    keyed = pytest.importorskip("gensim.models").KeyedVectors(30)
    keyed.add_vectors(["sea"], np.ones((1, 30), np.float32))
    keyed.save(str(tmp_path / "vectors.kv"))
    with pytest.raises(ValueError, match="is a Python pickle.*save_word2vec_format"):
        load(tmp_path / "vectors.kv")


def read_as_word2vec_c(file: io.BytesIO) -> dict[bytes, np.ndarray[Any, Any]]:
    """What distance.c does: two numbers, then for each row letters up to a space, newlines left out, and D floats."""
    num_rows, vector_size = map(int, file.readline().split())
    vectors = {}
    for _ in range(num_rows):
        word = b""
        while (letter := file.read(1)) != b" ":
            assert letter, "word2vec.c would read on beyond the end"
            word += letter if letter != b"\n" else b""
        vectors[word] = np.frombuffer(file.read(4 * vector_size), "<f4")
    return vectors


def test_word2vecs_own_tools_read_what_we_write(tmp_path: Path) -> None:
    vectors = some_vectors()
    save(vectors, tmp_path / "vectors", format="word2vec-binary")
    data = (tmp_path / "vectors").read_bytes()
    theirs = read_as_word2vec_c(io.BytesIO(data))
    assert [word.decode() for word in theirs] == vectors.words
    assert bits(list(theirs.values())) == bits(vectors.matrix)
    assert data.endswith(b"\n")


def test_safetensors_own_reader_reads_what_we_write(tmp_path: Path) -> None:
    from safetensors.numpy import load_file

    vectors = some_vectors()
    save(vectors, tmp_path / "vectors")
    theirs = load_file(tmp_path / "vectors" / "vectors.safetensors")
    assert list(theirs) == ["vectors"]
    assert bits(theirs["vectors"]) == bits(vectors.matrix)
