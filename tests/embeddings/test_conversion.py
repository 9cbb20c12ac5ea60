"""Every format into every other: what survives, and a line for each thing that does not."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import daneo
from daneo import SubwordVectors, Vocabulary, WordVectors
from daneo.embeddings.conversion import TARGETS, Conversion, convert, convert_vectors, vocabulary_beside
from daneo.embeddings.formats.fasttext_file import read_fasttext
from daneo.embeddings.formats.fasttext_quantizing import quantised_anew
from daneo.embeddings.formats.glove_binary import read_glove_binary

TEXT = ["the sun is hot", "the sun is bright", "the moon is cold", "a bright cold night"] * 12
SETTINGS: dict[str, Any] = {"vector_size": 6, "min_count": 1, "num_threads": 1, "seed": 3}
# Frequent words first, as every file lists them, and more of them than an orthonormal matrix needs.
WORDS = [f"w{number}" for number in range(400)]
MATRIX = np.random.default_rng(0).standard_normal((400, 6)).astype(np.float32)


def trained(kind: str) -> Any:
    if kind == "word2vec":
        return daneo.Word2Vec(**SETTINGS, epochs=2).fit(TEXT)
    if kind == "glove":
        return daneo.GloVe(**SETTINGS, epochs=2).fit(TEXT)
    if kind == "ppmi":
        return daneo.PPMI(vector_size=6, min_count=1).fit(TEXT)
    if kind == "ppmi, sparse alone":
        return daneo.PPMI(vector_size=None, min_count=1).fit(TEXT)
    options: dict[str, Any] = {
        "fasttext": {"num_buckets": 300},
        "fasttext, jamo": {"subwords": "jamo", "num_buckets": 300},
        "fasttext, places": {"architecture": "cbow", "position_weights": True, "num_buckets": 300},
    }[kind]
    return daneo.FastText(**SETTINGS, epochs=1, **options).fit(TEXT)


def compressed(**options: Any) -> WordVectors:
    return WordVectors(WORDS, MATRIX).compressed(**options)[0]


def special() -> WordVectors:
    vocabulary = Vocabulary(["sea", "sun"], [7, 5], special_tokens=["<pad>"], unknown="<unk>")
    return WordVectors(vocabulary, np.arange(8).reshape(4, 2))


def with_index(path: Path) -> None:
    WordVectors(WORDS, MATRIX).save(path)
    (path / "neighbours").mkdir()
    (path / "neighbours" / "config.json").write_text("{}", encoding="utf-8")


def saved(vectors: WordVectors, format: str = "daneo") -> Callable[[Path], None]:
    return lambda path: vectors.save(path, format=format)


SOURCES: dict[str, Callable[[Path], Any]] = {
    **{
        kind: lambda path, kind=kind: trained(kind).save(path)
        for kind in (
            "word2vec",
            "fasttext",
            "fasttext, jamo",
            "fasttext, places",
            "glove",
            "ppmi",
            "ppmi, sparse alone",
        )
    },
    "fasttext's .bin": lambda path: trained("fasttext").save(path, format="fasttext-bin"),
    "a .ftz": lambda path: quantised_anew(trained("fasttext").vectors.compressed(num_words=9)[0]).save(
        path, format="fasttext-bin"
    ),
    "glove's .bin": lambda path: convert(_made("glove", path.with_name("model")), path, format="glove-binary"),
    "vectors": lambda path: WordVectors(WORDS, MATRIX).save(path),
    "special tokens": lambda path: special().save(path),
    "an index": with_index,
    "int8": lambda path: compressed(storage="int8").save(path),
    "float16": lambda path: compressed(storage="float16").save(path),
    "quantised": lambda path: compressed(rotate=False).save(path),
    "turned": lambda path: compressed().save(path),
    "fewer n-grams": lambda path: trained("fasttext").vectors.compressed(num_words=5, num_ngrams=40)[0].save(path),
    "fewer n-grams, float16": lambda path: (
        trained("fasttext").vectors.compressed(num_words=5, num_ngrams=40, storage="float16")[0].save(path)
    ),
    **{
        format: lambda path, format=format: WordVectors(WORDS, MATRIX).save(path, format=format)
        for format in ("word2vec-text", "word2vec-binary", "glove-text", "fasttext-vec")
    },
}

COUNTS = "how often each word occurred. daneo and fasttext-bin keep it."
NGRAMS = "rows of n-grams: words that were never seen have no vectors there. daneo and fasttext-bin keep them."
DIGITS = "all but five digits of each number. word2vec-text keeps them."
HOW = "how the vectors were trained: the settings and the losses of {} epoch"
NO_GLOVE = ValueError, "glove-binary holds vectors of words and of contexts with their biases"
JAMO = ValueError, "fastText has n-grams of characters only"
OUTPUTS = "the rows that predict and the settings of the training. daneo and fasttext-bin keep them."
ANEW = "so they were quantised anew. The mean cosine to the vectors before is "


def training(*names: str) -> str:
    return f"what further training needs ({', '.join(names)}). daneo keeps it."


def storage(name: str, before: int, after: int) -> str:
    return f"that the rows are compressed ({name}): their {before:,} bytes become {after:,} of float32. daneo keeps it."


INDEX = "the index of neighbours. `daneo index` builds it again."
SPECIAL = "that <pad>, <unk> are special tokens: they become words like others. daneo keeps it."
LOSSES = "the losses of {} epoch"
PPMI = [
    *(COUNTS, "the sparse rows that the vectors were made of. daneo keeps them.", "the singular values. daneo keeps"),
    "how the vectors were trained: the settings. daneo keeps it.",
]
APART = "the vectors of words and of contexts, whose sum was taken, and their biases. daneo keeps them."
SPARSE = ValueError, r"holds sparse rows of 9 numbers, which .* cannot hold; daneo can"
GLOVE = training("context_biases", "contexts", "word_biases", "words")
CODES = 400 * 4 + 1024 * 7  # three codes and a length for each row, and the centroids of both

# What is lost of each source in each format. "words" are the formats that hold words and vectors and nothing else;
# fasttext-vec loses digits too. An error is what a format cannot hold at all.
Lost = list[str] | tuple[type[Exception], str]
EXPECTED: dict[str, dict[str, Lost]] = {
    "word2vec": {
        "words": [COUNTS, training("outputs"), HOW.format(2)],
        "fasttext-bin": ["learning_rate 0.025, min_learning_rate 0.007, num_threads 1, seed 3", LOSSES.format(2)],
    },
    "fasttext": {
        "words": [NGRAMS, COUNTS, training("outputs", "own"), HOW.format(1)],
        "fasttext-bin": ["settings that Facebook's program does not have: num_threads 1, seed 3", LOSSES.format(1)],
    },
    "fasttext, jamo": {
        "words": [NGRAMS, COUNTS, training("outputs", "own"), HOW.format(1)],
        "fasttext-bin": JAMO,
    },
    "fasttext, places": {
        "words": [NGRAMS, COUNTS, training("outputs", "own", "position_weights"), HOW.format(1)],
        "fasttext-bin": [
            "the weights of the places in the window. daneo keeps them.",
            *("num_threads 1, seed 3", LOSSES.format(1)),
        ],
    },
    "glove": {
        "words": [COUNTS, GLOVE, HOW.format(2)],
        "fasttext-bin": [GLOVE, HOW.format(2)],
        "glove-binary": [HOW.format(2)],
    },
    "glove's .bin": {
        "words": [COUNTS, APART],
        "fasttext-bin": [APART],
        "glove-binary": (ValueError, "is a glove-binary already"),
    },
    "ppmi": {"words": PPMI, "fasttext-bin": PPMI[1:]},
    "ppmi, sparse alone": {"words": SPARSE, "fasttext-bin": SPARSE, "glove-binary": SPARSE},
    "fasttext's .bin": {"words": [NGRAMS, COUNTS, OUTPUTS], "fasttext-bin": []},
    "a .ftz": {
        "words": [NGRAMS, COUNTS, "that the rows are compressed (product_quantization)"],
        "fasttext-bin": [],
    },
    "vectors": {"words": [], "fasttext-bin": []},
    "special tokens": {"words": [COUNTS, SPECIAL], "fasttext-bin": [SPECIAL]},
    "an index": {"words": [INDEX], "fasttext-bin": [INDEX]},
    "int8": {"words": [storage("int8", 4000, 9600)], "fasttext-bin": [storage("int8", 4000, 9600)]},
    "float16": {"words": [storage("float16", 4800, 9600)], "fasttext-bin": [storage("float16", 4800, 9600)]},
    "quantised": {"words": [storage("product_quantization", CODES, 9600)], "fasttext-bin": []},
    "turned": {"words": [storage("product_quantization", CODES + 144, 9600)], "fasttext-bin": [ANEW]},
    "fewer n-grams": {
        "words": [NGRAMS, COUNTS, "that the rows are compressed (product_quantization)"],
        "fasttext-bin": [ANEW],
    },
    "fewer n-grams, float16": {
        "words": [NGRAMS, COUNTS, "that the rows are compressed (float16)"],
        "fasttext-bin": [ANEW],
    },
    **{
        format: {"words": [], "fasttext-bin": []}
        for format in ("word2vec-text", "word2vec-binary", "glove-text", "fasttext-vec")
    },
}

_MADE: dict[str, Path] = {}


def _made(source: str, path: Path) -> Path:
    """A source, made once."""
    if source not in _MADE:
        SOURCES[source](path)
        _MADE[source] = path
    return _MADE[source]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    _MADE.clear()
    return lambda source: _made(source, tmp_path_factory.mktemp("sources") / "source")


def options_of(source: str, path: Path) -> dict[str, Any]:
    return {"vocabulary": vocabulary_beside(path)} if source == "glove's .bin" else {}


def opened(source: str, path: Path) -> WordVectors:
    if source == "glove's .bin":
        return daneo.GloVe.load(path, vocabulary=vocabulary_beside(path)).vectors
    return WordVectors.load(path)


def expected(source: str, format: str) -> Lost:
    table = {"daneo": [], "glove-binary": NO_GLOVE, **EXPECTED[source]}
    lost = table.get(format, table["words"])
    return [*lost, DIGITS] if format == "fasttext-vec" and isinstance(lost, list) else lost


def assert_lines(found: tuple[str, ...], wanted: list[str]) -> None:
    for line in wanted:
        assert sum(line in one for one in found) == 1, (line, found)
    assert len(found) == len(wanted), found
    for line in found:
        assert "\n" not in line
        assert line.endswith(".")


def test_the_table_is_whole() -> None:
    assert EXPECTED.keys() == SOURCES.keys()


@pytest.mark.parametrize("format", TARGETS)
@pytest.mark.parametrize("source", SOURCES)
def test_every_format_into_every_other(source: str, format: str, made: Callable[[str], Path], tmp_path: Path) -> None:
    path, target, lost = made(source), tmp_path / "target", expected(source, format)
    options = options_of(source, path)
    if isinstance(lost, tuple):
        with pytest.raises(lost[0], match=lost[1]) as caught:
            convert(path, target, format=format, **options)
        assert "\n" not in str(caught.value)
        assert list(tmp_path.iterdir()) == []
        return
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = convert(path, target, format=format, **options)
    assert_lines(found.lost, lost)
    assert found == Conversion(
        format=format, num_words=found.num_words, vector_size=found.vector_size, lost=found.lost, remarks=()
    )
    if source == "ppmi, sparse alone":
        assert (daneo.SparseVectors.load(target).matrix != daneo.SparseVectors.load(path).matrix).nnz == 0
        return
    before = opened(source, path)
    after = opened("glove's .bin" if format == "glove-binary" else "", target)
    assert (found.num_words, found.vector_size) == (len(before), before.vector_size)
    assert after.words == before.words
    if ANEW in lost:
        near = (after.matrix * before.matrix).sum(axis=1) / after.norms / before.norms
        assert near.mean() > 0.95
    else:
        # Of a word whose own row is computed from its vector, the vector is computed from the own row again.
        digits = {"fasttext-vec": 6e-5}.get(format, 2e-6)
        assert_allclose(after.matrix, before.matrix, rtol=digits, atol=1e-6 if "fasttext" in source + format else 0)
    if COUNTS not in lost:
        assert_array_equal(after.counts, before.counts)
    if isinstance(before, SubwordVectors) and NGRAMS not in lost:
        unseen = ["sunny", "brighter", "nightly"]
        assert_allclose(after[unseen], before[unseen], rtol=0, atol=0.2 if ANEW in lost else 1e-6)


FILES = {"a .ftz", "glove's .bin", "fasttext's .bin", *TARGETS}


@pytest.mark.parametrize("source", [one for one in SOURCES if one not in FILES])
def test_a_directory_is_copied_whole(source: str, made: Callable[[str], Path], tmp_path: Path) -> None:
    path = made(source)
    assert convert(path, tmp_path / "copy").lost == ()
    files = [one.relative_to(path) for one in path.rglob("*") if one.is_file()]
    assert {one.relative_to(tmp_path / "copy") for one in (tmp_path / "copy").rglob("*") if one.is_file()} == {*files}
    for file in files:
        assert (tmp_path / "copy" / file).read_bytes() == (path / file).read_bytes()


def test_fasttext_goes_to_facebook_and_back_with_all_that_trains_it(tmp_path: Path) -> None:
    model = trained("fasttext")
    model.save(tmp_path / "model")
    convert(tmp_path / "model", tmp_path / "model.bin", format="fasttext-bin")
    assert convert(tmp_path / "model.bin", tmp_path / "again").lost == ()
    again = daneo.FastText.load(tmp_path / "again")
    assert_array_equal(again.outputs, model.outputs)
    assert (again.config.window, again.config.epochs, again.config.num_buckets) == (5, 1, 300)
    assert_array_equal(again.vectors.matrix, model.vectors.matrix)
    convert(tmp_path / "again", tmp_path / "again.bin", format="fasttext-bin")
    assert (tmp_path / "again.bin").read_bytes() == (tmp_path / "model.bin").read_bytes()


@pytest.mark.parametrize("loss", ["negative_sampling", "hierarchical_softmax"])
def test_word2vec_becomes_a_bin_with_its_outputs(loss: str, tmp_path: Path) -> None:
    model = daneo.Word2Vec(**SETTINGS, epochs=1, window=3, loss=loss, architecture="cbow").fit(TEXT)
    model.save(tmp_path / "model")
    convert(tmp_path / "model", tmp_path / "model.bin", format="fasttext-bin")
    file = read_fasttext(tmp_path / "model.bin")
    assert (file.model, file.loss, file.window, file.max_ngram, file.num_buckets) == ("cbow", loss, 3, 0, 0)
    again = daneo.FastText.load(tmp_path / "model.bin")
    assert_array_equal(again.vectors.matrix, model.vectors.matrix)
    assert_array_equal(again.outputs, model.outputs)
    assert_array_equal(again.vocabulary.counts, model.vocabulary.counts)
    theirs = pytest.importorskip("fasttext").load_model(str(tmp_path / "model.bin"))
    assert_array_equal(theirs.get_word_vector("sun"), model.vectors["sun"])


def test_glove_goes_to_stanfords_file_and_back(made: Callable[[str], Path], tmp_path: Path) -> None:
    model = daneo.GloVe.load(made("glove"))
    convert(made("glove"), tmp_path / "g.bin", format="glove-binary")
    assert (tmp_path / "g.vocab.txt").read_text().splitlines()[0] == "is 36"
    _, words, contexts, word_biases, context_biases = read_glove_binary(tmp_path / "g.bin", tmp_path / "g.vocab.txt")
    found = model.parameters
    for one, other in ((words, found.words), (contexts, found.contexts), (word_biases, found.word_biases)):
        assert_array_equal(one, other)
    convert(tmp_path / "g.bin", tmp_path / "again", vocabulary=tmp_path / "g.vocab.txt")
    assert_array_equal(daneo.GloVe.load(tmp_path / "again").parameters.context_biases, context_biases)


@pytest.mark.parametrize("kind", ["supervised", "skipgram"])
def test_facebooks_files_become_facebooks_files(kind: str, tmp_path: Path) -> None:
    fasttext = pytest.importorskip("fasttext", reason="makes the models")
    lines = ["__label__up a fine film", "__label__down a dull film"] * 20
    (tmp_path / "text").write_text("\n".join(lines) + "\n", encoding="utf-8")
    options = {"dim": 4, "bucket": 50, "epoch": 1, "thread": 1, "verbose": 0, "minCount": 1}
    if kind == "supervised":
        model = fasttext.train_supervised(str(tmp_path / "text"), **options)
    else:
        model = fasttext.train_unsupervised(str(tmp_path / "text"), **options)
    model.save_model(str(tmp_path / "a.bin"))
    assert convert(tmp_path / "a.bin", tmp_path / "b.bin.gz", format="fasttext-bin").lost == ()
    convert(tmp_path / "b.bin.gz", tmp_path / "c.bin", format="fasttext-bin")
    assert (tmp_path / "c.bin").read_bytes() == (tmp_path / "a.bin").read_bytes()
    if kind == "supervised":
        found = convert(tmp_path / "a.bin", tmp_path / "words.txt", format="word2vec-text").lost
        assert_lines(found, [COUNTS, "2 labels, so it is a classifier no more.", OUTPUTS])


def test_models_that_cannot_be_trained_further_say_why(tmp_path: Path) -> None:
    model = trained("fasttext")
    model.save(tmp_path / "a.bin", format="fasttext-bin")
    data = (tmp_path / "a.bin").read_bytes()
    softmax = data[:32] + (3).to_bytes(4, "little") + data[36:]  # a loss that daneo does not train with
    (tmp_path / "b.bin").write_bytes(softmax)
    assert read_fasttext(tmp_path / "b.bin").loss == "softmax"
    found = convert(tmp_path / "b.bin", tmp_path / "b").lost
    assert_lines(
        found,
        [
            "the rows that predict and the settings of the training. fasttext-bin keeps them.",
            "that it could be trained further: ",
        ],
    )
    assert_array_equal(WordVectors.load(tmp_path / "b").matrix, model.vectors.matrix)


@pytest.mark.parametrize("source", ["word2vec", "fasttext", "glove", "fasttext's .bin", "glove's .bin", "ppmi"])
def test_vectors_only(source: str, made: Callable[[str], Path], tmp_path: Path) -> None:
    path = made(source)
    found = convert(path, tmp_path / "v", vectors_only=True, **options_of(source, path))
    assert found.lost
    assert not any((tmp_path / "v" / name).exists() for name in ("training.safetensors", "sparse.safetensors"))
    assert set(json.loads((tmp_path / "v" / "config.json").read_text())) <= {"format", "version", "kind", "subwords"}
    assert_allclose(WordVectors.load(tmp_path / "v").matrix, opened(source, path).matrix, rtol=1e-6)


def test_words_with_spaces_are_a_remark(tmp_path: Path) -> None:
    vectors = WordVectors(["New York", "sea"], np.eye(2))
    found = convert_vectors(vectors, tmp_path / "v.txt", format="word2vec-text")
    assert found.lost == ()
    assert found.remarks[0].startswith("1 of 2 words hold spaces, the first of them 'New York'.")
    for format in ("word2vec-binary", "fasttext-bin"):
        with pytest.raises(ValueError, match="New York"):
            convert_vectors(vectors, tmp_path / "v.bin", format=format)


def test_a_ftz_goes_through_a_directory_to_the_byte(made: Callable[[str], Path], tmp_path: Path) -> None:
    convert(made("a .ftz"), tmp_path / "v")
    assert_array_equal(WordVectors.load(tmp_path / "v").matrix, WordVectors.load(made("a .ftz")).matrix)
    size = (tmp_path / "v" / "vectors.safetensors").stat().st_size
    assert size < made("a .ftz").stat().st_size + 8000  # a header, and the centroids twice
    convert(tmp_path / "v", tmp_path / "again.ftz", format="fasttext-bin")
    assert (tmp_path / "again.ftz").read_bytes() == made("a .ftz").read_bytes()


def test_vectors_do_not_take_the_place_of_a_model(made: Callable[[str], Path], tmp_path: Path) -> None:
    for source, what in (("word2vec", "what further training needs"), ("ppmi", "sparse rows")):
        convert(made(source), tmp_path / source)
        with pytest.raises(FileExistsError, match=f"holds a trained model with {what} .* Give another directory"):
            daneo.WordVectors.load(tmp_path / source).save(tmp_path / source)
        with pytest.raises(FileExistsError, match="holds a trained model"):
            convert(made("vectors"), tmp_path / source)
        convert(made("glove"), tmp_path / source)  # but another model may
        assert (tmp_path / source / "training.safetensors").is_file()


def test_unknown_formats_and_sources(tmp_path: Path) -> None:
    with pytest.raises(
        ValueError, match=r"convert\(format=...\) expected one of daneo, .*, glove-binary; got 'pickle'"
    ):
        convert(tmp_path / "a", tmp_path / "b", format="pickle")
    with pytest.raises(FileNotFoundError):
        convert(tmp_path / "a", tmp_path / "b")
