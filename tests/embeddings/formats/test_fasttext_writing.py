"""What we write, Facebook's package loads and answers from as we do; what we read back is what we wrote."""

from __future__ import annotations

import dataclasses
import io
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from daneo.corpus.vocabulary import Vocabulary
from daneo.embeddings.compression.quantized_rows import HalfRows, QuantizedRows
from daneo.embeddings.formats import load, save
from daneo.embeddings.formats.fasttext_file import FastTextFile, read_fasttext, write_fasttext
from daneo.embeddings.subword_vectors import SubwordVectors
from daneo.embeddings.subwords.ngram_vectors import NgramVectors
from daneo.embeddings.subwords.subwords import Subwords
from daneo.embeddings.subwords.word_means import WordMeans
from daneo.embeddings.word_vectors import WordVectors

from .facebook_models import TRAINED, UNSEEN, loaded, model_bytes, trained

WORDS = ["the", "</s>", "바다", "sea", "é", "seaside", "<unk>", "a\u00a0b"]
NUM_BUCKETS = 97


def some_rows(num_rows: int, seed: int, vector_size: int = 6) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((num_rows, vector_size), dtype=np.float32)


def some_ngrams(kept: float = 0.5, **options: Any) -> NgramVectors:
    """N-grams of which a share has rows."""
    subwords = Subwords(min_ngram=2, max_ngram=4, num_buckets=NUM_BUCKETS)
    buckets = np.flatnonzero(np.random.default_rng(5).random(NUM_BUCKETS) < kept)
    return NgramVectors(subwords, some_rows(len(buckets), 6), buckets, **options)


def check_answers(ours: WordVectors, path: Path) -> None:
    theirs = loaded(path)
    assert theirs.get_words() == ours.words
    assert theirs.get_words(include_freq=True)[1].tolist() == ours.counts.tolist()
    for word in [*ours.words, *(word for word in UNSEEN if word not in ours)]:
        np.testing.assert_allclose(theirs.get_word_vector(word), ours[word], rtol=0, atol=1e-6)
    for word in (ours.words[0], "seasick"):
        if not ours[word].any():  # all words are as near to it
            continue
        expected = ours.most_similar(word, topn=5)
        got = theirs.get_nearest_neighbors(word, k=5)
        assert [name for _, name in got] == [name for name, _ in expected]
        np.testing.assert_allclose([score for score, _ in got], [score for _, score in expected], atol=2e-6)


@pytest.mark.parametrize("counted", [True, False])
@pytest.mark.parametrize("kept", [0.0, 0.5, 1.0])
def test_vectors_whose_own_rows_must_be_recovered(kept: float, counted: bool, tmp_path: Path) -> None:
    vocabulary = Vocabulary(WORDS, range(len(WORDS), 0, -1) if counted else None)
    vectors = SubwordVectors(vocabulary, some_rows(len(WORDS), 1), some_ngrams(kept))
    path = tmp_path / "x.bin"
    vectors.save(path, format="fasttext-bin")
    check_answers(vectors, path)
    again = load(path)
    np.testing.assert_allclose(again.matrix, vectors.matrix, rtol=0, atol=1e-6)
    model = read_fasttext(path)
    present = np.isin(np.arange(NUM_BUCKETS), vectors.ngrams.buckets)
    np.testing.assert_array_equal(model.inputs[len(WORDS) :][present], vectors.ngrams.rows[:])
    assert not model.inputs[len(WORDS) :][~present].any()
    assert not model.outputs[:].any()


def test_vectors_that_are_means_keep_their_own_rows(tmp_path: Path) -> None:
    ngrams, own = some_ngrams(), some_rows(len(WORDS), 2)
    vectors = SubwordVectors(WORDS, WordMeans(own, WORDS, ngrams), ngrams)
    path = tmp_path / "x.bin"
    vectors.save(path, format="fasttext-bin")
    check_answers(vectors, path)
    assert read_fasttext(path).inputs[: len(WORDS)].tolist() == own.tolist()
    assert load(path).matrix.tolist() == vectors.matrix.tolist()


@pytest.mark.parametrize("kind", ["skip-gram", "no n-grams", "single characters", "supervised"])
def test_vectors_of_a_model_that_was_read(kind: str, tmp_path: Path) -> None:
    (tmp_path / "theirs.bin").write_bytes(trained(kind))
    vectors = load(tmp_path / "theirs.bin")
    vectors.save(tmp_path / "ours.bin", format="fasttext-bin")
    again, model = load(tmp_path / "ours.bin"), read_fasttext(tmp_path / "ours.bin")
    assert model.inputs[:].tolist() == read_fasttext(tmp_path / "theirs.bin").inputs[: len(model.inputs)].tolist()
    assert again.words == vectors.words
    assert again.matrix.tolist() == vectors.matrix.tolist()
    check_answers(vectors, tmp_path / "ours.bin")
    some = vectors.restricted(["새kax", *vectors.words[3:9]])
    some.save(tmp_path / "some.bin", format="fasttext-bin")
    np.testing.assert_allclose(load(tmp_path / "some.bin").matrix, some.matrix, rtol=0, atol=1e-6)


def test_vectors_after_a_change(tmp_path: Path) -> None:
    ngrams = some_ngrams()
    vectors = SubwordVectors(WORDS, WordMeans(some_rows(len(WORDS), 2), WORDS, ngrams), ngrams)
    vectors.add_vectors(["sea", "ship"], some_rows(2, 9), replace=True)
    vectors.save(tmp_path / "x.bin", format="fasttext-bin")
    check_answers(vectors, tmp_path / "x.bin")


def test_words_that_were_respelt_keep_their_vectors(tmp_path: Path) -> None:
    words = [b"kter\xec", b"\xf8eka", b"sea"]
    inputs = some_rows(3 + 40, 3)
    (tmp_path / "x.bin").write_bytes(model_bytes(words, inputs, inputs[:3], num_buckets=40))
    exact = load(tmp_path / "x.bin", errors="surrogateescape")
    exact.save(tmp_path / "exact.bin", format="fasttext-bin")
    again = read_fasttext(tmp_path / "exact.bin", errors="surrogateescape")
    assert [word.encode(errors="surrogateescape") for word in again.words] == words
    assert again.inputs[:].tolist() == inputs.tolist()
    respelt = load(tmp_path / "x.bin", errors="replace")
    respelt.save(tmp_path / "respelt.bin", format="fasttext-bin")
    check_answers(respelt, tmp_path / "respelt.bin")
    np.testing.assert_allclose(respelt.matrix, exact.matrix, rtol=0, atol=1e-6)


def test_vectors_without_ngrams(tmp_path: Path) -> None:
    vectors = WordVectors(Vocabulary(WORDS, [9] * len(WORDS)), some_rows(len(WORDS), 4))
    vectors.save(tmp_path / "x.bin", format="fasttext-bin")
    again = load(tmp_path / "x.bin")
    assert again.matrix.tolist() == vectors.matrix.tolist()
    check_answers(again, tmp_path / "x.bin")


def test_half_precision_rows(tmp_path: Path) -> None:
    subwords = Subwords(min_ngram=2, max_ngram=4, num_buckets=NUM_BUCKETS)
    ngrams = NgramVectors(subwords, HalfRows.of(some_rows(NUM_BUCKETS, 6)))
    own = HalfRows.of(some_rows(len(WORDS), 2))
    vectors = SubwordVectors(WORDS, WordMeans(own, WORDS, ngrams), ngrams)
    vectors.save(tmp_path / "x.bin", format="fasttext-bin")
    check_answers(vectors, tmp_path / "x.bin")


def quantised_vectors(*, pruned: bool, norms: bool) -> SubwordVectors:
    """Words and n-grams whose rows one quantizer codes."""
    ngrams = some_ngrams(0.5 if pruned else 1.0)
    rows = QuantizedRows.learn(np.concatenate([some_rows(len(WORDS), 1), ngrams.rows[:]]), part_size=4, norms=norms)

    def part(chosen: slice) -> QuantizedRows:
        norm_codes = None if rows.norm_codes is None else rows.norm_codes[chosen]
        return QuantizedRows(rows.codes[chosen], rows.quantizer, norm_codes, rows.norm_quantizer)

    buckets = ngrams.buckets if pruned else None
    kept = NgramVectors(ngrams.subwords, part(slice(len(WORDS), None)), buckets, count_missing=not pruned)
    return SubwordVectors(WORDS, WordMeans(part(slice(len(WORDS))), WORDS, kept), kept)


@pytest.mark.parametrize("norms", [False, True])
@pytest.mark.parametrize("pruned", [False, True])
def test_quantised_vectors_become_a_quantised_model(pruned: bool, norms: bool, tmp_path: Path) -> None:
    # Facebook's program quantises supervised models only, but loads others too.
    vectors = quantised_vectors(pruned=pruned, norms=norms)
    path = tmp_path / "x.ftz"
    vectors.save(path, format="fasttext-bin")
    assert loaded(path).is_quantized()
    check_answers(vectors, path)
    again = load(path)
    assert isinstance(read_fasttext(path).inputs, QuantizedRows)
    assert again.matrix.tolist() == vectors.matrix.tolist()
    assert again["never seen"].tolist() == vectors["never seen"].tolist()


def test_quantised_vectors_without_ngrams(tmp_path: Path) -> None:
    rows = QuantizedRows.learn(some_rows(len(WORDS), 1), part_size=2)
    none = NgramVectors(Subwords(num_buckets=0), some_rows(0, 1))
    for vectors in (WordVectors(WORDS, rows), SubwordVectors(WORDS, WordMeans(rows, WORDS, none), none)):
        vectors.save(tmp_path / "x.ftz", format="fasttext-bin")
        assert loaded(tmp_path / "x.ftz").is_quantized()
        again = load(tmp_path / "x.ftz")
        check_answers(again, tmp_path / "x.ftz")
        assert again.matrix.tolist() == vectors.matrix.tolist()


@pytest.mark.parametrize("kind", [kind for kind in TRAINED if kind != "pruned to words"])
def test_a_model_that_is_written_again_is_the_same_file(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "model.bin"
    path.write_bytes(trained(kind))
    file = io.BytesIO()
    write_fasttext(file, read_fasttext(path))
    assert file.getvalue() == trained(kind)
    write_fasttext(tmp_path / "again.bin", read_fasttext(path))
    assert (tmp_path / "again.bin").read_bytes() == trained(kind)
    # Over the file that the matrices are mapped from: it is written beside it, and then renamed.
    write_fasttext(path, read_fasttext(path))
    assert path.read_bytes() == trained(kind)


def test_a_part_that_is_longer_than_the_vector_is_written_as_long_as_the_vector(tmp_path: Path) -> None:
    (tmp_path / "theirs.ftz").write_bytes(trained("pruned to words"))
    vectors = load(tmp_path / "theirs.ftz")
    write_fasttext(tmp_path / "ours.ftz", read_fasttext(tmp_path / "theirs.ftz"))
    check_answers(vectors, tmp_path / "ours.ftz")
    assert load(tmp_path / "ours.ftz").matrix.tolist() == vectors.matrix.tolist()


def test_predictions_of_a_model_that_is_written_again(tmp_path: Path) -> None:
    for version in (11, 12):
        data = trained("supervised, words alone")
        (tmp_path / "theirs.bin").write_bytes(data[:4] + version.to_bytes(4, "little") + data[8:])
        write_fasttext(tmp_path / "ours.bin", read_fasttext(tmp_path / "theirs.bin"))
        ours, theirs = loaded(tmp_path / "ours.bin"), loaded(tmp_path / "theirs.bin")
        for text in ("kami 새ro", "바", "nothing of this"):
            assert ours.f.predict(text, 3, 0.0, "strict") == theirs.f.predict(text, 3, 0.0, "strict")


def test_gensim_opens_what_we_write(tmp_path: Path) -> None:
    gensim = pytest.importorskip("gensim.models.fasttext")
    words = [word for word in WORDS if word != "</s>"]  # to which gensim gives n-grams
    vectors = SubwordVectors(Vocabulary(words, range(9, 9 - len(words), -1)), some_rows(len(words), 1), some_ngrams())
    vectors.save(tmp_path / "x.bin", format="fasttext-bin")
    theirs = gensim.load_facebook_vectors(str(tmp_path / "x.bin"))
    for word in [*words, "never", "seen"]:
        np.testing.assert_allclose(theirs[word], vectors[word], rtol=0, atol=1e-6)
    model = gensim.load_facebook_model(str(tmp_path / "x.bin"))
    assert (model.sg, model.negative, model.window, model.epochs) == (1, 5, 5, 5)


@pytest.mark.parametrize("block", [1, 7, 40, 1 << 20])
def test_blocks_of_any_size_make_the_same_file(block: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = SubwordVectors(WORDS, some_rows(len(WORDS), 1), some_ngrams())
    vectors.save(tmp_path / "one.bin", format="fasttext-bin")
    monkeypatch.setattr("daneo.embeddings.formats.fasttext_writing._BLOCK_NUMBERS", block)
    monkeypatch.setattr("daneo.embeddings.formats.fasttext_rows._BLOCK_NUMBERS", max(block, 6))
    vectors.save(tmp_path / "many.bin", format="fasttext-bin")
    assert read_fasttext(tmp_path / "many.bin").inputs[len(WORDS) :].tolist() == (
        read_fasttext(tmp_path / "one.bin").inputs[len(WORDS) :].tolist()
    )
    np.testing.assert_allclose(load(tmp_path / "many.bin").matrix, vectors.matrix, rtol=0, atol=1e-6)


def plain_model(**changes: Any) -> FastTextFile:
    model = read_model(model_bytes([b"sea", b"sun", b"sky"], some_rows(8, 1), some_rows(3, 2), num_buckets=5))
    return dataclasses.replace(model, **changes)


def read_model(data: bytes) -> FastTextFile:
    from daneo.embeddings.formats.fasttext_fields import Fields
    from daneo.embeddings.formats.fasttext_reading import read_fields

    return read_fields(Fields(bytearray(data), "x.bin"), "strict")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"words": ["sea", "sun"]}, r"expected inputs of shape \(7, 6\), got \(8, 6\)"),
        ({"outputs": some_rows(2, 1)}, r"expected outputs of shape \(3, 6\), got \(2, 6\)"),
        ({"model": "supervised"}, r"expected outputs of shape \(0, 6\), got \(3, 6\)"),
        ({"words": ["sea", "", "sky"]}, "cannot hold '' among its words.*format='daneo' can"),
        ({"words": ["sea", "sun light", "sky"]}, "cannot hold 'sun light' among its words"),
        ({"words": ["sea", "sun\n", "sky"]}, r"cannot hold 'sun\\n' among its words"),
        ({"words": ["sea", "\0", "sky"]}, r"cannot hold '\\x00' among its words"),
        ({"words": ["sea", "sea", "sky"]}, "every word and label once"),
        ({"labels": ["__label__ a"], "label_counts": np.ones(1, int)}, "cannot hold '__label__ a' among its labels"),
        ({"labels": ["sea"], "label_counts": np.ones(1, int)}, "every word and label once"),
        ({"counts": np.array([1, 2])}, "a count from 0 to 1,000,000,000,000,000 for each of 3 words"),
        ({"counts": np.array([2, 1, -1])}, "a count from 0 to .* for each of 3 words"),
        ({"loss": "hierarchical_softmax", "counts": np.array([1, 2, 3])}, "from counts that fall"),
        ({"pruned": np.zeros((5, 2), np.int32)}, "only where the inputs are quantised"),
        ({"num_buckets": 0, "inputs": some_rows(3, 1)}, "cannot hash n-grams into no buckets"),
        ({"window": -1}, "expected window from 0 to 2147483647, got -1"),
        ({"epochs": 1 << 31}, "expected epochs from 0 to 2147483647, got 2147483648"),
        ({"sample": float("nan")}, "expected sample of 0 or more, got nan"),
    ],
)
def test_models_that_fasttext_could_not_read(changes: dict[str, Any], reason: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=reason) as caught:
        write_fasttext(tmp_path / "x.bin", plain_model(**changes))
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_vectors_that_fasttext_has_no_place_for(tmp_path: Path) -> None:
    jamo = NgramVectors(Subwords(kind="jamo", num_buckets=7), some_rows(7, 1))
    pruned = some_ngrams(count_missing=False)
    for words, ngrams, reason in (
        (WORDS, jamo, "n-grams of jamo. format='daneo' keeps them; format='fasttext-vec'"),
        (WORDS, pruned, "only where the words' own rows .* quantised by one quantizer. format='daneo' keeps"),
        (["New York"], some_ngrams(), "cannot hold 'New York' among its words"),
    ):
        vectors = SubwordVectors(words, some_rows(len(words), 1), ngrams)
        with pytest.raises(ValueError, match=reason):
            vectors.save(tmp_path / "x.bin", format="fasttext-bin")
        vectors.save(tmp_path / "vectors")  # as the message says
    assert [path.name for path in tmp_path.iterdir()] == ["vectors"]


def test_where_nothing_is_missing_it_does_not_matter_how_that_counts(tmp_path: Path) -> None:
    vectors = SubwordVectors(WORDS, some_rows(len(WORDS), 1), some_ngrams(kept=1.0, count_missing=False))
    vectors.save(tmp_path / "x.bin", format="fasttext-bin")
    check_answers(vectors, tmp_path / "x.bin")


def test_pruned_to_no_ngrams_at_all(tmp_path: Path) -> None:
    subwords = Subwords(min_ngram=2, max_ngram=4, num_buckets=NUM_BUCKETS)
    none = NgramVectors(subwords, some_rows(0, 1), np.zeros(0, np.int32), count_missing=False)
    vectors = SubwordVectors(WORDS, some_rows(len(WORDS), 1), none)
    vectors.save(tmp_path / "x.bin", format="fasttext-bin")
    check_answers(vectors, tmp_path / "x.bin")


@pytest.mark.parametrize("name", ["crime-and-punishment", "lee_fasttext", "pang_lee_polarity_fasttext", "toy-model"])
def test_vec_files_are_facebooks_to_the_byte(name: str, shared_data: Path, tmp_path: Path) -> None:
    path = shared_data / "interop" / "gensim-test-data" / name
    vectors = load(path.with_suffix(".bin"), errors="surrogateescape")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".* rows of n-grams were left out")
        vectors.save(tmp_path / "x.vec", format="fasttext-vec")
    assert (tmp_path / "x.vec").read_bytes() == path.with_suffix(".vec").read_bytes()


@pytest.mark.parametrize("format", ["daneo", "word2vec-text", "word2vec-binary", "fasttext-vec", "fasttext-bin"])
def test_words_with_odd_spaces_and_broken_bytes_go_through_every_format(format: str, tmp_path: Path) -> None:
    words = [b"kter\xec", b"\xff\xed\xa0\x80", "a\u00a0b".encode(), "\u2003".encode(), "바다".encode()]
    inputs = some_rows(5 + 40, 3)
    (tmp_path / "x.bin").write_bytes(model_bytes(words, inputs, inputs[:5], num_buckets=40))
    vectors = load(tmp_path / "x.bin", errors="surrogateescape")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".* rows of n-grams were left out")
        vectors.save(tmp_path / "y", format=format)
    again = load(tmp_path / "y", errors="surrogateescape")
    assert [word.encode(errors="surrogateescape") for word in again.words] == words
    np.testing.assert_allclose(again.matrix, vectors.matrix, rtol=1e-4 if format == "fasttext-vec" else 1e-7)
    if format != "daneo":
        with pytest.raises(ValueError, match="is not UTF-8"):
            load(tmp_path / "y")


def test_vec_files_of_any_vectors(tmp_path: Path) -> None:
    vectors = WordVectors(["sea", "New York"], [[1 / 3, -2e-9], [1e20, 123456.7]])
    with pytest.warns(UserWarning, match="1 of 2 words hold spaces"):
        vectors.save(tmp_path / "x.vec", format="fasttext-vec")
    assert (tmp_path / "x.vec").read_text() == "2 2\nsea 0.33333 -2e-09 \nNew York 1e+20 1.2346e+05 \n"
    with pytest.raises(ValueError, match="Row 1 has the word"):
        save(WordVectors(["a\nb"], [[1]]), tmp_path / "y.vec", format="fasttext-vec")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert load(tmp_path / "x.vec").words == ["sea", "New York"]
