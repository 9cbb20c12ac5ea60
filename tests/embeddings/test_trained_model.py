"""A model of any kind is opened by what lies at its path."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from daneo.embeddings import FastText, Word2Vec, WordVectors, noise
from daneo.embeddings.trained_model import load_model

from .formats.facebook_models import trained

SMALL: dict[str, Any] = {"vector_size": 8, "min_count": 1, "epochs": 1, "sample": 0.0, "num_threads": 1}
TEXT = ["the horses run", "a horse runs"] * 5


@pytest.fixture(scope="module", autouse=True)
def small_noise_table() -> Iterator[None]:
    """Of the time that such small texts take, most would go into a table of 4 million noise words."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(noise, "SMALLEST_TABLE", 1 << 14)
        yield


@pytest.mark.parametrize("kind", [Word2Vec, FastText])
def test_a_directory_says_what_was_trained(kind: type[Word2Vec] | type[FastText], tmp_path: Path) -> None:
    model = kind(**SMALL).fit(TEXT)
    model.save(tmp_path / "model")
    for path in (tmp_path / "model", str(tmp_path / "model")):
        again = load_model(path)
        assert type(again) is kind
        assert again.config == model.config
        assert_array_equal(again.vectors.matrix, model.vectors.matrix)
        assert_array_equal(again.outputs, model.outputs)
    assert load_model(tmp_path / "model").continue_training(["a donkey"]).vectors.words[-1] == "donkey"


def test_a_bin_is_fasttexts(tmp_path: Path) -> None:
    model = FastText(**SMALL, num_buckets=50).fit(TEXT)
    model.save(tmp_path / "model.bin", format="fasttext-bin")
    again = load_model(tmp_path / "model.bin")
    assert isinstance(again, FastText)
    assert_array_equal(again.vectors.matrix, model.vectors.matrix)
    (tmp_path / "theirs.bin").write_bytes(trained("cbow, hierarchical softmax"))
    theirs = load_model(tmp_path / "theirs.bin")
    assert (theirs.config.architecture, theirs.config.loss) == ("cbow", "hierarchical_softmax")


def test_what_cannot_be_trained_further_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        load_model(tmp_path / "nothing")
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match=r"has no config.json"):
        load_model(tmp_path / "empty")
    words = WordVectors(["a", "b"], np.eye(2))
    words.save(tmp_path / "vectors")
    with pytest.raises(ValueError, match="vectors holds word vectors that Word2Vec.save did not write"):
        load_model(tmp_path / "vectors")
    FastText(**SMALL).fit(TEXT).vectors.save(tmp_path / "subwords")
    with pytest.raises(ValueError, match="subwords holds word vectors that Word2Vec.save did not write"):
        load_model(tmp_path / "subwords")
    words.save(tmp_path / "words.vec", format="word2vec-text")
    with pytest.raises(ValueError, match=r"words.vec holds vectors alone"):
        load_model(tmp_path / "words.vec")
    (tmp_path / "classifier.bin").write_bytes(trained("supervised"))
    with pytest.raises(ValueError, match="is a text classifier"):
        load_model(tmp_path / "classifier.bin")
    (tmp_path / "notes.txt").write_text("Dear diary\n")
    with pytest.raises(ValueError, match=r"notes.txt"):
        load_model(tmp_path / "notes.txt")


@pytest.mark.parametrize("training", [None, [], "fasttext", {"algorithm": ["fasttext"]}, {"algorithm": "elmo"}, {}])
def test_a_record_of_another_shape_is_refused(training: Any, tmp_path: Path) -> None:
    FastText(**SMALL).fit(TEXT).save(tmp_path / "model")
    file = tmp_path / "model" / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"training": training}))
    with pytest.raises(ValueError, match="holds word vectors that Word2Vec.save did not write"):
        load_model(tmp_path / "model")
