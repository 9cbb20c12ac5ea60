"""A model on disk: round trips, and files that have been damaged."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import daneo
from daneo.embeddings import PPMI, SparseVectors, WordVectors
from daneo.embeddings.formats.tensors import map_tensors, write_tensors

TEXT = ["the sun is hot", "the sun is bright", "the moon is cold", "a moon and a sun"] * 5


@pytest.fixture(scope="module")
def model() -> PPMI:
    return PPMI(vector_size=4, window=3, min_count=2, shift=0.9).fit(TEXT)


@pytest.fixture
def saved(model: PPMI, tmp_path: Path) -> Path:
    model.save(tmp_path / "model")
    return tmp_path / "model"


def test_everything_comes_back(model: PPMI, saved: Path) -> None:
    again = PPMI.load(saved)
    assert again.config == model.config
    assert again.vocabulary == model.vocabulary
    assert_array_equal(again.vectors.matrix, model.vectors.matrix)
    assert_array_equal(again.sparse.matrix.toarray(), model.sparse.matrix.toarray())
    assert again.singular_values is not None
    assert_array_equal(again.singular_values, model.singular_values)
    assert not again.vectors.matrix.flags.writeable
    again.save(saved)  # onto what it is mapped from
    assert_array_equal(PPMI.load(saved).vectors.matrix, model.vectors.matrix)


def test_either_half_opens_alone(model: PPMI, saved: Path) -> None:
    assert WordVectors.load(saved).most_similar("sun") == model.vectors.most_similar("sun")
    assert SparseVectors.load(saved).most_similar("sun") == model.sparse.most_similar("sun")


def test_the_card_and_the_config_tell_how_it_came_about(saved: Path) -> None:
    card = (saved / "README.md").read_text()
    assert "Word vectors by PPMI" in card
    assert "| shift | 0.9 |" in card
    record = json.loads((saved / "config.json").read_text())
    assert record["settings"]["window"] == 3
    assert (record["kind"], record["training"]["algorithm"]) == ("word-vectors", "ppmi")
    code = card.split("```python\n")[1].split("```")[0].replace('"."', repr(str(saved)))
    exec(code, {})


def test_sparse_rows_alone(tmp_path: Path) -> None:
    model = PPMI(vector_size=None).fit(TEXT)
    model.save(tmp_path / "model")
    again = PPMI.load(tmp_path / "model")
    assert again.config.vector_size is None
    assert_array_equal(again.sparse.matrix.toarray(), model.sparse.matrix.toarray())
    assert SparseVectors.load(tmp_path / "model").words == model.vocabulary.words
    with pytest.raises(ValueError, match="expected kind 'word-vectors', got 'sparse-vectors'"):
        WordVectors.load(tmp_path / "model")
    assert not (tmp_path / "model" / "vectors.safetensors").exists()


def test_vectors_alone_do_not_replace_a_model(model: PPMI, saved: Path) -> None:
    with pytest.raises(FileExistsError, match=r"holds a trained model with sparse rows \(sparse\.safetensors\)"):
        model.vectors.save(saved)
    assert PPMI.load(saved).sparse.rows.num_stored == model.sparse.rows.num_stored


def test_models_of_another_origin(tmp_path: Path, model: PPMI) -> None:
    daneo.Word2Vec(vector_size=4, epochs=1, sample=0.0, num_threads=1).fit(TEXT).save(tmp_path / "w2v")
    with pytest.raises(ValueError, match=r"PPMI\.save did not write"):
        PPMI.load(tmp_path / "w2v")
    model.save(tmp_path / "ppmi")
    with pytest.raises(ValueError, match=r"Word2Vec\.save did not write"):
        daneo.Word2Vec.load(tmp_path / "ppmi")
    for load in (PPMI.load, SparseVectors.load):
        with pytest.raises(FileNotFoundError, match="nowhere"):
            load(tmp_path / "nowhere")


def changed_config(**changes: Any) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        record = json.loads((path / "config.json").read_text())
        for key, value in changes.items():
            part, _, name = key.rpartition("__")
            (record[part] if part else record)[name] = value
        (path / "config.json").write_text(json.dumps(record))

    return change


def changed_tensors(name: str, **changes: Any) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        tensors = {key: np.array(value) for key, value in map_tensors(path / name).items()}
        write_tensors(path / name, {key: value for key, value in {**tensors, **changes}.items() if value is not None})

    return change


@pytest.mark.parametrize(
    ("damage", "error", "message"),
    [
        (changed_config(settings__alpha=7), ValueError, "alpha"),
        (changed_config(settings=None), ValueError, "settings are not those of PPMI"),
        (changed_config(settings__x=1), ValueError, "settings are not those of PPMI"),
        (changed_config(settings__vector_size=None), ValueError, "settings.vector_size disagree"),
        (changed_config(kind="sparse-vectors"), ValueError, "settings.vector_size disagree"),
        (changed_config(kind="tea"), ValueError, "disagree"),
        (changed_config(settings__vector_size=3), ValueError, "expected float32 of shape"),
        (changed_config(training__num_tokens=-1), ValueError, "num_tokens"),
        (changed_config(training="ppmi"), ValueError, "did not write"),
        (changed_tensors("vectors.safetensors", singular_values=None), ValueError, "singular_values"),
        (changed_tensors("vectors.safetensors", singular_values=np.zeros(4)), ValueError, "singular_values"),
        (changed_tensors("sparse.safetensors", values=None), ValueError, "values is missing"),
        (changed_tensors("sparse.safetensors", starts=np.zeros(3, np.int64)), ValueError, "do not fit each other"),
        (
            changed_tensors(
                "sparse.safetensors",
                starts=np.zeros(3, np.int64),
                columns=np.zeros(0, np.int32),
                values=np.zeros(0, np.float32),
            ),
            ValueError,
            "has 2 rows; expected as many",
        ),
        (lambda path: (path / "sparse.safetensors").unlink(), FileNotFoundError, "sparse"),
        (lambda path: (path / "vocabulary.txt").unlink(), FileNotFoundError, "vocabulary"),
        (lambda path: shutil.copy(path / "README.md", path / "sparse.safetensors"), ValueError, "safetensors"),
    ],
)
def test_damage_that_is_seen_at_once(
    damage: Callable[[Path], Any], error: type[Exception], message: str, saved: Path
) -> None:
    damage(saved)
    with pytest.raises(error, match=message):
        PPMI.load(saved)


def test_columns_that_are_not_there_are_seen_before_they_are_used(saved: Path) -> None:
    columns = np.array(map_tensors(saved / "sparse.safetensors")["columns"])
    columns[-1] = 1 << 30
    changed_tensors("sparse.safetensors", columns=columns)(saved)
    vectors = SparseVectors.load(saved)
    for question in (vectors.most_similar, vectors.similarities):
        with pytest.raises(ValueError, match=r"sparse\.safetensors is damaged"):
            question("sun")


@pytest.mark.parametrize("name", ["config.json", "sparse.safetensors", "vectors.safetensors", "vocabulary.txt"])
def test_mutated_files_are_opened_or_refused(name: str, saved: Path) -> None:
    sound = (saved / name).read_bytes()
    rng = np.random.default_rng(len(name))
    refused = 0
    for round_ in range(120):
        content = bytearray(sound)
        if round_ % 4 == 0:
            content = content[: rng.integers(0, len(content))]
        else:
            for place in rng.integers(0, len(content), rng.integers(1, 4)):
                content[place] = rng.integers(0, 256)
        (saved / name).write_bytes(content)
        try:
            model = PPMI.load(saved)
            word = model.vocabulary.words[0]
            model.sparse.most_similar(word, topn=3)
            model.sparse.strongest_contexts(word)
            model.vectors.most_similar(word, topn=3)
        except (ValueError, KeyError, FileNotFoundError, EOFError):
            refused += 1
    assert refused > 20
