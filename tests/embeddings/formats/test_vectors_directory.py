"""Vectors with n-grams, and compressed ones, in daneo's directory; strangers' directories; formats without n-grams."""

from __future__ import annotations

import json
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from daneo.corpus.vocabulary import Vocabulary
from daneo.embeddings import SubwordVectors, WordVectors
from daneo.embeddings.compression.quantized_rows import HalfRows, QuantizedRows
from daneo.embeddings.formats.daneo_directory import DIRECTORY_NAMES, read_config, read_directory
from daneo.embeddings.formats.tensors import map_tensors, write_tensors
from daneo.embeddings.formats.vectors_directory import open_directory, write_vectors
from daneo.embeddings.rows import Rows
from daneo.embeddings.subwords.ngram_vectors import NgramVectors
from daneo.embeddings.subwords.subwords import Subwords
from daneo.embeddings.subwords.word_means import WordMeans
from daneo.files import replaced_directory

WORDS = ["the", "나무", "singing", "sea", "</s>"]
VOCABULARY = Vocabulary(WORDS, [9, 5, 3, 2, 1])
UNSEEN = ["sings", "나무는", "", "seas"]
SUBWORDS = Subwords(min_ngram=3, max_ngram=4, num_buckets=300)
JAMO = Subwords(kind="jamo", min_ngram=1, max_ngram=3, min_jamo=2, max_jamo=4, num_buckets=300)


def rows(count: int) -> np.ndarray[Any, Any]:
    return np.random.default_rng(count).standard_normal((count, 4)).astype(np.float32)


def made(subwords: Subwords = SUBWORDS, *, dense: bool = True, count_missing: bool = True) -> SubwordVectors:
    buckets = None if dense else np.unique(subwords.of_words(WORDS)[1])[::2]
    ngrams = NgramVectors(
        subwords, rows(300 if buckets is None else len(buckets)), buckets, count_missing=count_missing
    )
    return SubwordVectors(VOCABULARY, WordMeans(rows(5), WORDS, ngrams), ngrams)


@pytest.mark.parametrize("subwords", [SUBWORDS, JAMO])
@pytest.mark.parametrize(("dense", "count_missing"), [(True, True), (False, True), (False, False)])
def test_round_trip(subwords: Subwords, dense: bool, count_missing: bool, tmp_path: Path) -> None:
    vectors = made(subwords, dense=dense, count_missing=count_missing)
    for _ in range(2):
        vectors.save(tmp_path / "x")
        again = WordVectors.load(tmp_path / "x")
        assert isinstance(again, SubwordVectors)
        assert again.vocabulary == VOCABULARY
        assert_array_equal(again.matrix, vectors.matrix)
        assert_array_equal(again[UNSEEN], vectors[UNSEEN])
        assert again.ngrams.subwords == subwords
        assert again.ngrams.count_missing == count_missing
        assert (again.ngrams.buckets is None) == dense
        assert again.most_similar("sings") == vectors.most_similar("sings")
        assert isinstance(again.ngrams.rows, np.ndarray)
        assert not again.ngrams.rows.flags.owndata  # mapped
        vectors = again  # and once more from what was mapped, over itself
    few = WordVectors.load(tmp_path / "x", limit=2)
    assert (few.words, few["sings"].tolist()) == (WORDS[:2], vectors["sings"].tolist())
    card = (tmp_path / "x" / "README.md").read_text(encoding="utf-8")
    assert "5 words, 4 numbers each" in card
    assert "`ngrams`" in card


def test_who_knows_nothing_of_ngrams_reads_the_words(tmp_path: Path) -> None:
    vectors = made(dense=False)
    vectors.save(tmp_path / "x")
    vocabulary, matrix, config = read_directory(tmp_path / "x")
    assert vocabulary == VOCABULARY
    assert_array_equal(matrix, vectors.matrix)
    assert config["subwords"] == {
        "kind": "characters",
        "min_ngram": 3,
        "max_ngram": 4,
        "num_buckets": 300,
        "min_jamo": 3,
        "max_jamo": 5,
        "count_missing": True,
    }


def test_a_trainer_adds_its_own(tmp_path: Path) -> None:
    vectors = made()
    config, found = {"settings": {"window": 5}}, {}
    for _ in range(2):
        with replaced_directory(tmp_path / "x", known=DIRECTORY_NAMES) as fresh:
            write_vectors(fresh, vectors, config=config | found, card="# Mine\n", tensors={"norms": vectors.norms})
            write_tensors(fresh / "training.safetensors", {"outputs": rows(5)})
        found = read_config(tmp_path / "x")  # a config can be written again as it was read
    assert found["settings"] == config["settings"]
    assert (tmp_path / "x" / "README.md").read_text() == "# Mine\n"
    assert_array_equal(open_directory(tmp_path / "x")["sings"], vectors["sings"])
    assert_array_equal(map_tensors(tmp_path / "x" / "vectors.safetensors")["norms"], vectors.norms)
    for options, complaint in (
        ({"config": {"subwords": {}}}, "'subwords' is the format's own"),
        ({"tensors": {"ngrams": rows(3)}}, "'ngrams' is the n-grams' own"),
        ({"tensors": {"vectors": rows(3)}}, "'vectors' is the matrix itself"),
    ):
        with pytest.raises(ValueError, match=complaint):
            write_vectors(tmp_path, vectors, **options)  # type: ignore[arg-type]


def compressed(kind: str, matrix: Rows) -> Rows:
    return HalfRows.of(matrix) if kind == "half" else QuantizedRows.learn(matrix, 2, norms=kind == "norms")


@pytest.mark.parametrize("kind", ["half", "quantized", "norms"])
def test_compressed_rows_stay_compressed(kind: str, tmp_path: Path) -> None:
    plain = made(dense=False)
    ngrams = NgramVectors(SUBWORDS, compressed(kind, plain.ngrams.rows), plain.ngrams.buckets)
    words = compressed(kind, plain.matrix)
    for vectors in (
        SubwordVectors(VOCABULARY, words, ngrams),
        SubwordVectors(VOCABULARY, plain.matrix, ngrams),
        SubwordVectors(VOCABULARY, words, plain.ngrams),
        WordVectors(VOCABULARY, words),
    ):
        vectors.save(tmp_path / "x")
        again = WordVectors.load(tmp_path / "x")
        assert type(again) is type(vectors)
        assert type(again.rows) is type(vectors.rows)
        assert_array_equal(again.matrix, vectors.matrix)
        assert again.most_similar("sea") == vectors.most_similar("sea")
        if isinstance(vectors, SubwordVectors) and isinstance(again, SubwordVectors):
            assert type(again.ngrams.rows) is type(vectors.ngrams.rows)
            assert_array_equal(again[UNSEEN], vectors[UNSEEN])
        if vectors.rows is words:  # what knows nothing of compression refuses it
            with pytest.raises(ValueError, match="expected a tensor 'vectors', float32 of shape"):
                read_directory(tmp_path / "x")


@pytest.mark.parametrize("kind", ["half", "quantized", "norms"])
def test_compressed_own_rows_stay_what_means_are_made_of(kind: str, tmp_path: Path) -> None:
    plain = made(dense=False)
    ngrams = NgramVectors(SUBWORDS, compressed(kind, plain.ngrams.rows), plain.ngrams.buckets)
    own = compressed(kind, plain.matrix)
    vectors = SubwordVectors(VOCABULARY, WordMeans(own, VOCABULARY.words, ngrams), ngrams)
    vectors.save(tmp_path / "x")
    again = WordVectors.load(tmp_path / "x")
    assert isinstance(again, SubwordVectors)
    assert isinstance(again.rows, WordMeans)
    assert type(again.rows.own) is type(own)
    asked = [*WORDS, *UNSEEN]
    assert_array_equal(again[asked], vectors[asked])
    again.save(tmp_path / "y")
    assert (tmp_path / "y" / "vectors.safetensors").read_bytes() == (
        tmp_path / "x" / "vectors.safetensors"
    ).read_bytes()
    assert "tensor `own`" in (tmp_path / "x" / "README.md").read_text()
    # Own rows that are not compressed are not kept: whoever knows nothing of n-grams reads the vectors.
    SubwordVectors(VOCABULARY, WordMeans(plain.matrix, VOCABULARY.words, ngrams), ngrams).save(tmp_path / "z")
    assert "vectors" in map_tensors(tmp_path / "z" / "vectors.safetensors")


@pytest.mark.parametrize(
    ("tensors", "complaint"),
    [
        ({"own": None}, "Expected either a tensor 'own' or a tensor 'own.codes', got none"),
        ({"own": rows(4).astype(np.float16)}, "has 5 words, vectors.safetensors has 4 rows"),
        ({"own": rows(5)[:, :3].astype(np.float16)}, "as long as the n-grams' rows; got .5, 3."),
        ({"own": rows(5).ravel().astype(np.float16)}, "Tensor 'own': expected float32, float16 or int8 of shape"),
    ],
)
def test_own_rows_that_do_not_fit(tensors: dict[str, Any], complaint: str, tmp_path: Path) -> None:
    plain = made(dense=False)
    own = WordMeans(HalfRows.of(plain.matrix), VOCABULARY.words, plain.ngrams)
    SubwordVectors(VOCABULARY, own, plain.ngrams).save(tmp_path / "x")
    changed(tmp_path / "x", None, tensors)
    with pytest.raises(ValueError, match=complaint) as caught:
        WordVectors.load(tmp_path / "x")
    assert str(caught.value).startswith(str(tmp_path / "x"))


def test_whoever_wants_ngrams_is_told_that_there_are_none(tmp_path: Path) -> None:
    made().save(tmp_path / "x")
    assert SubwordVectors.load(tmp_path / "x", limit=3).words == WORDS[:3]
    WordVectors(VOCABULARY, rows(5)).save(tmp_path / "x")
    with pytest.raises(ValueError, match="holds vectors without n-grams. Open it with WordVectors.load"):
        SubwordVectors.load(tmp_path / "x")


def changed(path: Path, config: dict[str, Any] | None = None, tensors: dict[str, Any] | None = None) -> None:
    """Write the directory's config and tensors with some changed; None takes one away."""
    old = json.loads((path / "config.json").read_text(encoding="utf-8"))
    if config is not None:
        old["subwords"] = {key: value for key, value in (old["subwords"] | config).items() if value is not None}
        (path / "config.json").write_text(json.dumps(old))
    if tensors is not None:
        arrays = {name: np.array(array) for name, array in map_tensors(path / "vectors.safetensors").items()} | tensors
        kept = {name: array for name, array in arrays.items() if array is not None}
        write_tensors(path / "vectors.safetensors", kept)


BUCKETS = np.arange(3, dtype=np.int32)


@pytest.mark.parametrize(
    ("config", "tensors", "complaint"),
    [
        ({"count_missing": None}, None, "config.json: expected .*count_missing true or false"),
        ({"count_missing": 1}, None, "count_missing true or false"),
        ({"colour": 1}, None, "config.json: Subwords has no setting 'colour'"),
        ({"min_ngram": "3"}, None, "config.json: .*min_ngram"),
        ({"max_ngram": True}, None, "config.json: .*max_ngram"),
        ({"num_buckets": -1}, None, "config.json: .*num_buckets"),
        ({"num_buckets": 2**31}, None, "config.json: .*num_buckets"),
        ({"kind": "letters"}, None, "config.json: .*kind"),
        ({"num_buckets": 301}, None, "vectors.safetensors: .* a row for each of 301 buckets, got 300"),
        (None, {"ngrams": None}, "vectors.safetensors: .*'ngrams'"),
        (None, {"ngrams": rows(299)}, "vectors.safetensors: .* each of 300 buckets, got 299"),
        (None, {"ngrams": rows(300)[:, :3].copy()}, "vectors.safetensors: .*n-grams of 4 numbers.*got 3"),
        (None, {"ngrams": rows(300).astype(np.float64)}, "vectors.safetensors: .*'ngrams'.*float64"),
        (None, {"ngrams": rows(300).ravel()}, r"vectors.safetensors: .*'ngrams'.*\(1200,\)"),
        (None, {"ngrams": rows(3), "ngram_buckets": BUCKETS[:2]}, r"vectors.safetensors: .*shape \(3,\)"),
        (None, {"ngrams": rows(3), "ngram_buckets": BUCKETS[:, None]}, r"vectors.safetensors: .*shape \(3,\)"),
        (None, {"ngrams": rows(3), "ngram_buckets": BUCKETS * 0.5}, "vectors.safetensors: .*got float64"),
        (None, {"ngrams": rows(3), "ngram_buckets": BUCKETS[::-1].copy()}, "vectors.safetensors: .*that rise"),
        (None, {"ngrams": rows(3), "ngram_buckets": BUCKETS // 2}, "vectors.safetensors: .*that rise"),
        (None, {"ngrams": rows(3), "ngram_buckets": BUCKETS - 1}, "vectors.safetensors: .*from 0 to 299"),
        (None, {"ngrams": rows(3), "ngram_buckets": BUCKETS + 298}, "vectors.safetensors: .*from 0 to 299"),
        (None, {"vectors": rows(4)}, "has 5 words, vectors.safetensors has 4 rows"),
        (None, {"vectors": rows(5)[:, :0]}, "vectors.safetensors: Tensor 'vectors'"),
    ],
)
def test_directories_that_do_not_fit_together(
    config: dict[str, Any] | None, tensors: dict[str, Any] | None, complaint: str, tmp_path: Path
) -> None:
    made().save(tmp_path / "x")
    changed(tmp_path / "x", config, tensors)
    with pytest.raises(ValueError, match=complaint) as caught:
        WordVectors.load(tmp_path / "x")
    assert str(caught.value).startswith(str(tmp_path / "x"))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("settings", [[], 5, "3 to 6", None])
def test_settings_that_are_no_object(settings: object, tmp_path: Path) -> None:
    made().save(tmp_path / "x")
    record = json.loads((tmp_path / "x" / "config.json").read_text()) | {"subwords": settings}
    (tmp_path / "x" / "config.json").write_text(json.dumps(record))
    with pytest.raises(ValueError, match='expected "subwords" to be an object of settings'):
        WordVectors.load(tmp_path / "x")


def test_absurd_settings_cost_nothing(tmp_path: Path) -> None:
    made(dense=False).save(tmp_path / "x")
    changed(tmp_path / "x", {"max_ngram": 10**9, "max_jamo": 10**9, "num_buckets": 2**31 - 1})
    start = time.perf_counter()
    vectors = WordVectors.load(tmp_path / "x")
    assert vectors["sings"].shape == (4,)
    assert isinstance(vectors, SubwordVectors)
    vectors.ngrams.rows_of(np.zeros(20_000, np.int32))
    assert time.perf_counter() - start < 5


def outcome(path: Path) -> str:
    """``"read"``, and then it answers, or ``"refused"`` in one line that names it; anything else fails the test."""
    complaint = None
    try:
        vectors = WordVectors.load(path)
    except ValueError as error:
        complaint = str(error)
    if complaint is not None:
        assert complaint.startswith(str(path)), complaint
        assert "\n" not in complaint
        return "refused"
    assert vectors[["the", "sea"]].shape == (2, vectors.vector_size)
    if isinstance(vectors, SubwordVectors):
        assert vectors["sings"].shape == (vectors.vector_size,)
    return "read"


def test_mutants(tmp_path: Path) -> None:
    vectors = made(dense=False)
    vectors.save(tmp_path / "x")
    rng = np.random.default_rng(5)
    outcomes: Counter[str] = Counter()
    for name in ("config.json", "vectors.safetensors"):
        path = tmp_path / "x" / name
        data = path.read_bytes()
        start = data.find(b"subwords") if name == "config.json" else 0
        # Settings, or the header of the tensors: what is behind it are numbers.
        stop = len(data) if name == "config.json" else 8 + int.from_bytes(data[:8], "little")
        for _ in range(700):
            mutant = bytearray(data)
            place = int(rng.integers(start, stop))
            mutant[place] = int(rng.choice(list(b'0123456789-."{}[]truefalsn \xff')))
            if rng.random() < 0.2:
                del mutant[place : place + int(rng.integers(1, 20))]
            path.unlink()
            path.write_bytes(mutant)
            outcomes[outcome(tmp_path / "x")] += 1
        path.write_bytes(data)
    assert min(outcomes["read"], outcomes["refused"]) > 50, outcomes


@pytest.mark.parametrize("format", ["word2vec-text", "word2vec-binary", "glove-text", "fasttext-vec"])
def test_formats_of_words_alone(format: str, tmp_path: Path) -> None:
    vectors = made()
    with pytest.warns(UserWarning, match=f"300 rows of n-grams were left out, for {format} holds words alone"):
        vectors.save(tmp_path / "x", format=format)
    again = WordVectors.load(tmp_path / "x")
    assert type(again) is WordVectors
    assert again.words == WORDS
    # fastText writes five digits.
    assert_allclose(again.matrix, vectors.matrix, rtol=5e-5 if format == "fasttext-vec" else 0)


@pytest.mark.filterwarnings("error")
def test_nothing_is_left_out_where_there_are_no_ngrams(tmp_path: Path) -> None:
    none = NgramVectors(Subwords(num_buckets=0), np.empty((0, 4), np.float32))
    vectors = SubwordVectors(VOCABULARY, rows(5), none)
    vectors.save(tmp_path / "text", format="word2vec-text")
    vectors.save(tmp_path / "x")
    again = WordVectors.load(tmp_path / "x")
    assert isinstance(again, SubwordVectors)
    assert again["unseen"].tolist() == [0, 0, 0, 0]
    made().save(tmp_path / "model.bin", format="fasttext-bin")  # has a place for them
