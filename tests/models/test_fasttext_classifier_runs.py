"""Training that ends early, is stopped, is killed and goes on."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import daneo

Texts = tuple[list[str], list[str]]
SMALL: dict[str, Any] = {"vector_size": 10, "epochs": 6, "learning_rate": 0.5, "num_threads": 1, "word_ngrams": 2}


def rows(model: daneo.FastTextClassifier) -> tuple[np.ndarray, np.ndarray]:
    trained = model._trained.model
    return np.asarray(trained.rows), np.asarray(trained.outputs)


def demand_equal(one: daneo.FastTextClassifier, other: daneo.FastTextClassifier) -> None:
    for mine, yours in zip(rows(one), rows(other), strict=True):
        assert_array_equal(mine, yours)
    assert (one.losses, one.validation_scores, one.best_epoch) == (
        other.losses,
        other.validation_scores,
        other.best_epoch,
    )


def test_the_best_epoch_is_kept(train_texts: Texts, test_texts: Texts) -> None:
    kept: dict[int, tuple[np.ndarray, np.ndarray]] = {}

    def on_epoch(model: daneo.FastTextClassifier, epoch: int, loss: float) -> None:
        kept[epoch] = rows(model)
        assert model.validation_scores[-1] == model.test(*test_texts).precision
        assert len(model.validation_scores) == epoch

    model = daneo.FastTextClassifier(**{**SMALL, "epochs": 30, "patience": 4, "learning_rate": 2.0})
    model.fit(*train_texts, validation=test_texts, on_epoch=on_epoch)
    best, scores = model.best_epoch, model.validation_scores
    assert best is not None
    assert scores[best - 1] == max(scores)
    assert scores.index(max(scores)) == best - 1  # of equal ones the first
    assert len(scores) == best + 4 < 30
    for mine, yours in zip(rows(model), kept[best], strict=True):
        assert_array_equal(mine, yours)
    assert model.test(*test_texts).precision == max(scores)


def test_patience_that_does_not_end(train_texts: Texts, test_texts: Texts) -> None:
    model = daneo.FastTextClassifier(**SMALL, patience=6).fit(*train_texts, validation=test_texts)
    assert len(model.validation_scores) == len(model.losses) == 6


def test_validation_from_a_file(train_texts: Texts, test_texts: Texts, tmp_path: Path) -> None:
    path = tmp_path / "valid.tsv"
    path.write_text("".join(f"{text}\t{label}\n" for text, label in zip(*test_texts, strict=True)), encoding="utf-8")
    one = daneo.FastTextClassifier(**SMALL).fit(*train_texts, validation=path)
    demand_equal(one, daneo.FastTextClassifier(**SMALL).fit(*train_texts, validation=test_texts))


def test_validation_texts_without_a_known_label_are_wrong(train_texts: Texts) -> None:
    model = daneo.FastTextClassifier(**SMALL)
    model.fit(*train_texts, validation=(["wave", "wave salt"], ["sea", "lava"]))
    assert max(model.validation_scores) == 0.5
    none = pytest.raises(ValueError, match="No validation text has a label")
    with none, pytest.warns(UserWarning, match="1 of 1 texts have no label"):
        model.fit(*train_texts, validation=(["wave"], [[]]))


def test_steps_that_are_too_large_are_an_error(train_texts: Texts) -> None:
    model = daneo.FastTextClassifier(**{**SMALL, "learning_rate": 1e38})
    with np.errstate(all="ignore"), pytest.raises(ValueError, match="diverged: in epoch 1 .* learning_rate than 1e.38"):
        model.fit(*train_texts)


@pytest.mark.parametrize("with_validation", [False, True])
@pytest.mark.parametrize("epoch", [1, 4])
def test_ctrl_c_keeps_what_was_learned_and_a_resumed_run_ends_as_a_whole_one(
    with_validation: bool, epoch: int, train_texts: Texts, test_texts: Texts, tmp_path: Path
) -> None:
    validation = test_texts if with_validation else None
    whole = daneo.FastTextClassifier(**SMALL).fit(*train_texts, validation=validation)

    def stop(model: daneo.FastTextClassifier, at: int, loss: float) -> None:
        if at == epoch:
            raise KeyboardInterrupt

    model = daneo.FastTextClassifier(**SMALL)
    with pytest.raises(KeyboardInterrupt):
        model.fit(*train_texts, validation=validation, on_epoch=stop, checkpoint=tmp_path / "c")
    assert model.is_trained
    assert model.losses == whole.losses[:epoch]
    assert model.validation_scores == whole.validation_scores[:epoch]
    model.save(tmp_path / "stopped")
    resumed = daneo.FastTextClassifier(**SMALL)
    resumed.fit(*train_texts, validation=validation, checkpoint=tmp_path / "c", resume=True)
    demand_equal(resumed, whole)


def test_an_epoch_that_was_not_scored_yet_is_scored_when_resumed(
    train_texts: Texts, test_texts: Texts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from daneo.models.early_stopping import EarlyStopping

    whole = daneo.FastTextClassifier(**SMALL).fit(*train_texts, validation=test_texts)
    score = EarlyStopping.score

    def stop(self: EarlyStopping, epoch: int) -> None:
        if epoch == 3:
            raise KeyboardInterrupt
        score(self, epoch)

    model = daneo.FastTextClassifier(**SMALL)
    with monkeypatch.context() as patch:
        patch.setattr(EarlyStopping, "score", stop)
        with pytest.raises(KeyboardInterrupt):
            model.fit(*train_texts, validation=test_texts, checkpoint=tmp_path / "c")
    assert len(model.validation_scores) == 2
    model.fit(*train_texts, validation=test_texts, checkpoint=tmp_path / "c", resume=True)
    demand_equal(model, whole)


def test_a_run_that_had_ended_early_ends_at_once_when_resumed(
    train_texts: Texts, test_texts: Texts, tmp_path: Path
) -> None:
    settings = {**SMALL, "epochs": 30, "patience": 2, "learning_rate": 2.0}
    model = daneo.FastTextClassifier(**settings)
    model.fit(*train_texts, validation=test_texts, checkpoint=tmp_path / "c")
    assert len(model.losses) < 30
    again = daneo.FastTextClassifier(**settings)
    again.fit(*train_texts, validation=test_texts, checkpoint=tmp_path / "c", resume=True)
    demand_equal(again, model)


def test_a_checkpoint_belongs_to_its_texts(train_texts: Texts, test_texts: Texts, tmp_path: Path) -> None:
    def stop(*_: Any) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        daneo.FastTextClassifier(**SMALL).fit(*train_texts, on_epoch=stop, checkpoint=tmp_path / "c")
    texts, labels = train_texts
    others = [*labels[:-1], "sky" if labels[-1] != "sky" else "sea"]
    model = daneo.FastTextClassifier(**SMALL)
    with pytest.raises(ValueError, match="has texts="):
        model.fit([*texts[:-1], "wave"], labels, checkpoint=tmp_path / "c", resume=True)
    with pytest.raises(ValueError, match="has texts="):
        model.fit(texts, others, checkpoint=tmp_path / "c", resume=True)
    with pytest.raises(ValueError, match="has validation="):
        model.fit(*train_texts, validation=test_texts, checkpoint=tmp_path / "c", resume=True)
    with pytest.raises(ValueError, match="has epochs=6, asked for is 5"):
        daneo.FastTextClassifier(**{**SMALL, "epochs": 5}).fit(*train_texts, checkpoint=tmp_path / "c", resume=True)
    with pytest.raises(FileExistsError, match="holds an unfinished run"):
        model.fit(*train_texts, checkpoint=tmp_path / "c")


SCRIPT = """
import sys
import daneo
from pathlib import Path
lines = Path(sys.argv[1]).read_text(encoding="utf-8").splitlines()
model = daneo.FastTextClassifier(vector_size=10, epochs=400, learning_rate=0.5, num_threads=1)
model.fit(sys.argv[1], checkpoint=sys.argv[2], checkpoint_seconds=0.0, resume=Path(sys.argv[2]).exists(),
          on_epoch=lambda *_: print("epoch", flush=True))
model.save(sys.argv[3])
"""


def test_killed_and_resumed(train_file: Path, tmp_path: Path) -> None:
    settings = {"vector_size": 10, "epochs": 400, "learning_rate": 0.5, "num_threads": 1}
    whole = daneo.FastTextClassifier(**settings).fit(train_file)  # type: ignore[arg-type]
    arguments = [sys.executable, "-c", SCRIPT, *map(str, (train_file, tmp_path / "c", tmp_path / "m"))]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(0.2)
        process.kill()
    assert not (tmp_path / "m").exists()
    subprocess.run(arguments, check=True, stdout=subprocess.DEVNULL)
    demand_equal(daneo.FastTextClassifier.load(tmp_path / "m"), whole)
    shutil.rmtree(tmp_path / "c")
