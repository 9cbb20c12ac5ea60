"""fastText's model files are read as Facebook's package reads them, and as they are laid out."""

from __future__ import annotations

import gzip
import os
import struct
import subprocess
import sys
import threading
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from daneo.embeddings.compression.quantized_rows import QuantizedRows
from daneo.embeddings.formats import recognise
from daneo.embeddings.formats.fasttext_file import FastTextFile, read_fasttext

from .facebook_models import TRAINED, loaded, model_bytes, trained

WORDS = [b"sea", b"</s>", "바다".encode(), b"kter\xec"]
INPUTS = np.arange(1, 19, dtype=np.float32).reshape(9, 2)
OUTPUTS = -np.arange(1, 9, dtype=np.float32).reshape(4, 2)


def by_hand(path: Path, **options: object) -> Path:
    path.write_bytes(model_bytes(WORDS, INPUTS, OUTPUTS, num_buckets=5, **options))  # type: ignore[arg-type]
    return path


@pytest.mark.parametrize("version", [12, 11, None])
def test_a_file_made_by_hand(version: int | None, tmp_path: Path) -> None:
    path = by_hand(tmp_path / "x.bin", version=version, min_ngram=9, max_ngram=9)
    model = read_fasttext(path, errors="surrogateescape")
    fields = {name: value for name, value in vars(model).items() if not isinstance(value, np.ndarray)}
    assert fields == {
        "vector_size": 2, "window": 5, "epochs": 6, "min_count": 1, "negative": 7, "word_ngrams": 1,
        "loss": "negative_sampling", "model": "skipgram", "num_buckets": 5, "min_ngram": 9, "max_ngram": 9,
        "lr_update_rate": 100, "sample": 0.25, "version": version,
        "words": ["sea", "</s>", "바다", "kter\udcec"], "labels": [], "num_tokens": 99, "pruned": None,
    }  # fmt: skip
    assert model.counts.tolist() == [4, 3, 2, 1]
    assert model.label_counts.tolist() == []
    assert model.inputs[:].tolist() == INPUTS.tolist()
    assert model.outputs[:].tolist() == OUTPUTS.tolist()
    assert recognise(path) == "fasttext-bin"


@pytest.mark.parametrize(("loss", "name"), list(enumerate(["hierarchical_softmax", "negative_sampling", "softmax"], 1)))
@pytest.mark.parametrize(("model", "architecture"), [(1, "cbow"), (2, "skipgram")])
def test_numbers_of_losses_and_models(loss: int, name: str, model: int, architecture: str, tmp_path: Path) -> None:
    read = read_fasttext(by_hand(tmp_path / "x.bin", loss=loss, model=model), errors="ignore")
    assert (read.loss, read.model) == (name, architecture)


@pytest.mark.parametrize("version", [12, 11, None])
def test_supervised_models_had_no_ngrams_of_characters_before_version_12(version: int | None, tmp_path: Path) -> None:
    data = model_bytes(
        [b"sea"],
        INPUTS[:6],
        OUTPUTS[:2],
        labels=(b"__label__a", b"__label__b"),
        version=version,
        model=3,
        num_buckets=5,
    )
    (tmp_path / "x.bin").write_bytes(data)
    model = read_fasttext(tmp_path / "x.bin")
    assert (model.model, model.max_ngram) == ("supervised", 3 if version == 12 else 0)
    assert (model.words, model.labels) == (["sea"], ["__label__a", "__label__b"])
    assert (model.counts.tolist(), model.label_counts.tolist()) == ([3], [2, 1])


def test_a_label_among_the_entries_of_a_model_that_is_not_supervised(tmp_path: Path) -> None:
    # As in Facebook's wiki.fr.bin: fastText takes the word __label__ for a label, which has no row.
    path = tmp_path / "x.bin"
    path.write_bytes(model_bytes([b"mer", b"ciel"], INPUTS[:7], OUTPUTS[:2], labels=(b"__label__",), num_buckets=5))
    model = read_fasttext(path)
    assert (model.words, model.labels, model.inputs.shape) == (["mer", "ciel"], ["__label__"], (7, 2))


def test_the_end_of_a_line_had_ngrams_in_2016(tmp_path: Path) -> None:
    # Buckets of the n-grams of <</s>> by gensim, which gives this word n-grams still.
    hashes = pytest.importorskip("gensim.models.fasttext").ft_ngram_hashes("</s>", 2, 3, 5)
    means = {}
    for version in (12, None):
        path = by_hand(tmp_path / f"{version}.bin", version=version)
        means[version] = read_fasttext(path, errors="ignore").inputs[1]
    assert means[12].tolist() == INPUTS[1].tolist()
    rows = [1, *(4 + int(bucket) for bucket in hashes)]
    np.testing.assert_allclose(means[None], INPUTS[rows].mean(axis=0), rtol=1e-6)
    assert len(rows) == 1 + 5 + 4
    # The file itself stays as it is.
    assert (tmp_path / "None.bin").read_bytes() == model_bytes(WORDS, INPUTS, OUTPUTS, version=None, num_buckets=5)


def test_words_that_are_not_utf8(tmp_path: Path) -> None:
    path = by_hand(tmp_path / "x.bin")
    with pytest.raises(
        ValueError, match=r"x.bin: word 4 \(byte 135\), b'kter\\xec', is not UTF-8. er.*'surr"
    ) as caught:
        read_fasttext(path)
    assert "\n" not in str(caught.value)
    assert path.read_bytes()[135:140] == b"kter\xec"
    expected = {"replace": "kter\ufffd", "ignore": "kter", "surrogateescape": "kter\udcec"}
    assert {errors: read_fasttext(path, errors=errors).words[3] for errors in expected} == expected
    with pytest.raises(ValueError, match="errors expected one of strict, replace, ignore, surrogateesc.*got 'ascii'"):
        read_fasttext(path, errors="ascii")


def test_labels_that_are_not_utf8(tmp_path: Path) -> None:
    path = tmp_path / "x.bin"
    path.write_bytes(model_bytes([b"sea"], INPUTS[:1], OUTPUTS[:1], labels=(b"__label__\xe9",), model=3))
    with pytest.raises(ValueError, match=r"label 1 \(byte .*\), b'__label__\\xe9', is not UTF-8"):
        read_fasttext(path)
    assert read_fasttext(path, errors="surrogateescape").labels == ["__label__\udce9"]


@pytest.mark.parametrize("kind", TRAINED)
def test_everything_is_as_facebooks_package_has_it(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "model.bin"
    path.write_bytes(trained(kind))
    ours, theirs = read_fasttext(path), loaded(path)
    words, counts = theirs.get_words(include_freq=True)
    assert (ours.words, ours.counts.tolist()) == (words, counts.tolist())
    if ours.model == "supervised":
        labels, counts = theirs.get_labels(include_freq=True)
        assert (ours.labels, ours.label_counts.tolist()) == (labels, counts.tolist())
    else:
        assert set(ours.labels) == {"__label__1", "__label__2"}
    settings = theirs.f.getArgs()
    for name, value in {
        "dim": ours.vector_size, "ws": ours.window, "epoch": ours.epochs, "minCount": ours.min_count,
        "neg": ours.negative, "wordNgrams": ours.word_ngrams, "bucket": ours.num_buckets, "minn": ours.min_ngram,
        "maxn": ours.max_ngram, "t": ours.sample,
    }.items():  # fmt: skip
        assert getattr(settings, name) == value
    check_rows(ours, theirs)


def check_rows(ours: FastTextFile, theirs: Any) -> None:
    """Compare every row; of a quantised model the package hands out inputs one by one, and no outputs."""
    if theirs.is_quantized():
        assert isinstance(ours.inputs, QuantizedRows)
        expected = [theirs.get_input_vector(row) for row in range(len(ours.inputs))]
        np.testing.assert_array_equal(ours.inputs[:], expected)
    else:
        np.testing.assert_array_equal(ours.inputs[:], theirs.get_input_matrix())
        np.testing.assert_array_equal(ours.outputs[:], theirs.get_output_matrix())


def test_what_quantising_and_pruning_leave() -> None:
    found = {}
    for kind in ("quantised", "pruned", "pruned to words", "quantised outputs"):
        model = read_bytes(trained(kind))
        codes = model.inputs.codes.shape[1], model.inputs.norm_codes is not None  # type: ignore[attr-defined]
        kept = None if model.pruned is None else len(model.pruned) > 0
        found[kind] = *codes, kept, isinstance(model.outputs, QuantizedRows)
    assert found == {
        "quantised": (5, False, None, False),
        "pruned": (4, True, True, False),
        "pruned to words": (1, False, False, False),
        "quantised outputs": (5, True, None, True),
    }


def read_bytes(data: bytes) -> FastTextFile:
    from daneo.embeddings.formats.fasttext_fields import Fields
    from daneo.embeddings.formats.fasttext_reading import read_fields

    return read_fields(Fields(bytearray(data), "x.bin"), "strict")


def test_the_matrices_are_maps_of_the_file_that_cannot_be_written_to(tmp_path: Path) -> None:
    model = read_fasttext(by_hand(tmp_path / "x.bin"), errors="ignore")
    for rows in (model.inputs, model.outputs):
        assert isinstance(rows, np.ndarray)
        assert not rows.flags.owndata
        with pytest.raises(ValueError, match="read-only"):
            rows[0] = 0


def test_opening_takes_memory_for_the_dictionary_alone(tmp_path: Path) -> None:
    # A file of 16 GB that takes a few kilobytes of the disk: what was never written reads as zeros.
    path, num_buckets, vector_size = tmp_path / "x.bin", 20_000_000, 200
    one = np.ones((1, vector_size), np.float32)
    data = model_bytes([b"sea"], one, one, num_buckets=num_buckets)
    start = data.index(struct.pack("<2q", 1, vector_size))
    with path.open("wb") as file:
        file.write(data[:start] + struct.pack("<2q", 1 + num_buckets, vector_size) + one.tobytes())
        file.seek(4 * vector_size * num_buckets, os.SEEK_CUR)
        file.write(data[start + 16 + one.nbytes :])
    read_fasttext(path)  # imports take memory of their own
    tracemalloc.start()
    model = read_fasttext(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3 << 20  # two buffers of a megabyte each
    assert model.inputs.shape == (1 + num_buckets, vector_size)
    assert model.inputs[[0, num_buckets]].sum(axis=1).tolist() == [vector_size, 0]
    assert path.stat().st_size > 16e9


def test_asking_for_vectors_loads_nothing_heavy(tmp_path: Path) -> None:
    path = by_hand(tmp_path / "x.bin", loss=3)
    code = f"""
import daneo, sys
vectors = daneo.WordVectors.load({str(path)!r}, errors="replace")
vectors["sea"], vectors["never seen"]
print([name for name in ("numba", "torch", "scipy", "safetensors") if name in sys.modules])"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("version", [12, None])
def test_compressed_files_and_pipes(version: int | None, tmp_path: Path) -> None:
    plain = by_hand(tmp_path / "x.bin", version=version)
    expected = read_fasttext(plain, errors="replace")
    (tmp_path / "x.gz").write_bytes(gzip.compress(plain.read_bytes()))
    paths = [tmp_path / "x.gz"]
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
        paths.append(tmp_path / "pipe")
        threading.Thread(target=lambda: (tmp_path / "pipe").write_bytes(plain.read_bytes()), daemon=True).start()
    for path in paths:
        model = read_fasttext(path, errors="replace")
        assert model.words == expected.words
        assert model.inputs[:].tolist() == expected.inputs[:].tolist()
        assert model.outputs[:].tolist() == expected.outputs[:].tolist()
