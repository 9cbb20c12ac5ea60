"""The classifier as a user meets it: it learns, answers, refuses, and does the same every time."""

from __future__ import annotations

import re
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import daneo
from daneo.models.fasttext_classifier_config import LOSSES, FastTextClassifierConfig
from daneo.progress import Progress

Texts = tuple[list[str], list[str]]
SMALL: dict[str, Any] = {"vector_size": 10, "epochs": 10, "learning_rate": 0.5, "num_threads": 1}


@pytest.fixture(scope="module")
def model(train_texts: Texts) -> daneo.FastTextClassifier:
    return daneo.FastTextClassifier(**SMALL, word_ngrams=2, min_ngram=2, max_ngram=3).fit(*train_texts)


def rows(model: daneo.FastTextClassifier) -> np.ndarray:
    return np.asarray(model._trained.model.rows)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("ngrams", [{}, {"word_ngrams": 2, "min_ngram": 2, "max_ngram": 3}])
def test_it_learns(loss: str, ngrams: dict[str, int], train_texts: Texts, test_texts: Texts) -> None:
    model = daneo.FastTextClassifier(**SMALL, loss=loss, **ngrams).fit(*train_texts)
    result = model.test(*test_texts)
    # Three words of four speak for the label; the most frequent label alone is right in 43 %.
    assert result.precision > 0.8
    assert result.precision == result.recall
    assert model.losses[-1] < 0.75 * model.losses[0]
    assert model.labels == ["sea", "sky", "fire", "soil"]


def test_predictions_and_probabilities_agree(model: daneo.FastTextClassifier, test_texts: Texts) -> None:
    texts = test_texts[0]
    every = model.probabilities(texts)
    assert_allclose(every.sum(axis=1), 1, rtol=1e-6)
    answers = model.predict(texts, k=-1)
    for row, best in zip(every, answers, strict=True):
        assert dict(best) == dict(zip(model.labels, row.tolist(), strict=True))
        assert [probability for _, probability in best] == sorted(row.tolist(), reverse=True)
    assert model.predict(texts, k=2) == [best[:2] for best in answers]
    assert model.predict(texts, 4, 0.3) == [[pair for pair in best if pair[1] >= 0.3] for best in answers]
    assert [model.predict(text, k=2) for text in texts[:9]] == [best[:2] for best in answers[:9]]


def test_batches_and_threads_change_nothing(
    model: daneo.FastTextClassifier, test_texts: Texts, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = model.predict(test_texts[0], k=3)
    monkeypatch.setattr("daneo.models.predictions.TEXTS_AT_ONCE", 7)
    for num_threads in (1, 4):
        assert model.predict(test_texts[0], k=3, num_threads=num_threads) == expected
    assert model.test(*test_texts).num_texts == 300


def test_one_thread_gives_the_same_bits(train_texts: Texts, train_file: Path) -> None:
    one, two = (daneo.FastTextClassifier(**SMALL, word_ngrams=2) for _ in range(2))
    assert_array_equal(rows(one.fit(*train_texts)), rows(two.fit(train_file)))
    assert one.losses == two.losses
    other = daneo.FastTextClassifier(**SMALL, word_ngrams=2, seed=2).fit(*train_texts)
    assert not np.array_equal(rows(one), rows(other))


def test_several_threads_learn_as_well(train_texts: Texts, test_texts: Texts) -> None:
    model = daneo.FastTextClassifier(**{**SMALL, "num_threads": 3}).fit(*train_texts)
    assert model.test(*test_texts).precision > 0.8


def test_texts_with_several_labels() -> None:
    texts = ["ash burn", "ash wave", "wave salt", "burn ash", "salt wave"] * 40
    labels = [["fire"], ["fire", "sea"], ["sea"], ["fire"], ["sea"]] * 40
    model = daneo.FastTextClassifier(**SMALL, loss="one_vs_all").fit(texts, labels)
    both = dict(model.predict("ash wave", k=2))
    assert min(both.values()) > 0.5
    alone = dict(model.predict("salt", k=2))
    assert alone["sea"] > 0.9
    assert alone["fire"] < 0.5
    result = model.test(texts, labels, k=2, threshold=0.5)
    assert (result.precision, result.recall, result.k) == (1.0, 1.0, 2)
    drawn = daneo.FastTextClassifier(**SMALL).fit(texts, labels)
    assert {drawn.predict("ash wave")[0][0]} <= {"fire", "sea"}
    assert drawn.predict("salt")[0][0] == "sea"


def test_a_text_of_which_nothing_is_known(train_texts: Texts) -> None:
    model = daneo.FastTextClassifier(**SMALL).fit(*train_texts)
    # The end of the text is a token, so an empty text has an answer, too.
    assert len(model.predict("")) == 1
    assert model.predict("qqq zzz") == model.predict("") == model.predict(" \t ") == model.predict("__label__sea")
    words = model._trained.model.table.words
    assert (words.words[0], words.counts[0]) == ("</s>", 600)
    without = daneo.FastTextClassifier(**SMALL, min_count=601)
    with pytest.raises(ValueError, match="No word of the texts occurs 601 times"):
        without.fit(*train_texts)


def test_a_text_ends_where_it_says_so(model: daneo.FastTextClassifier) -> None:
    assert model.predict("wave </s> bird") == model.predict("wave")
    assert model.predict("wave\nsalt") == model.predict("wave salt")


def test_nothing_known_at_all(tmp_path: Path, train_texts: Texts) -> None:
    from daneo.models.classifier_compression import compress_classifier

    model = daneo.FastTextClassifier(**SMALL).fit(*train_texts)
    words = model._trained.model.table.words
    assert "</s>" in words
    smaller = compress_classifier(
        model._trained.model, num_rows=1, storage="float32", part_size=1, norms=False, outputs=False, seed=1
    )
    assert smaller.table.words.words == ["</s>"]  # always kept
    from daneo.corpus import Vocabulary

    object.__setattr__(smaller.table, "words", Vocabulary(["other"], [1]))
    model._predictor = type(model._trained)(smaller)
    assert model.predict(["wave", "other"])[0] == []
    assert len(model.predict(["wave", "other"])[1]) == 1
    assert np.isnan(model.probabilities(["wave", "other"])).any(axis=1).tolist() == [True, False]
    result = model.test(["wave", "other"], ["sea", "sky"])
    assert (result.num_texts, result.num_left_out) == (1, 1)


def test_rare_words_have_no_row(train_texts: Texts) -> None:
    texts, labels = [*train_texts[0], "wave hapax"], [*train_texts[1], "sea"]
    model = daneo.FastTextClassifier(**SMALL, min_count=2).fit(texts, labels)
    assert "hapax" not in model.words
    assert model.predict("wave hapax") == model.predict("wave")


def test_rare_labels_are_left_out(train_texts: Texts) -> None:
    texts, labels = [*train_texts[0], "wave once"], [*train_texts[1], "rare"]
    with pytest.warns(UserWarning, match="1 of 601 texts have no label"):
        model = daneo.FastTextClassifier(**SMALL, min_label_count=2).fit(texts, labels)
    assert model.labels == ["sea", "sky", "fire", "soil"]
    assert "once" not in model.words


def test_labels_that_the_model_does_not_know_are_never_found(model: daneo.FastTextClassifier) -> None:
    result = model.test(["wave salt", "wave tide"], ["sea", "lava"])
    assert (result.precision, result.recall) == (0.5, 0.5)
    lava = result.labels[-1]
    assert (lava.label, lava.right, lava.predicted, lava.true) == ("lava", 0, 0, 1)


def test_figures_of_a_result_by_hand(model: daneo.FastTextClassifier, test_texts: Texts) -> None:
    texts, labels = test_texts
    guessed = [[label for label, _ in best] for best in model.predict(texts, k=2)]
    result = model.test(texts, labels, k=2)
    right = sum(label in pair for label, pair in zip(labels, guessed, strict=True))
    assert (result.precision, result.recall) == (right / 600, right / 300)
    for one in result.labels:
        predicted = sum(one.label in pair for pair in guessed)
        hits = sum(label == one.label and label in pair for label, pair in zip(labels, guessed, strict=True))
        assert (one.precision, one.recall) == (hits / predicted, hits / labels.count(one.label))
        assert one.f1 == pytest.approx(2 * one.precision * one.recall / (one.precision + one.recall))
    assert result.macro_f1 == pytest.approx(np.mean([one.f1 for one in result.labels]))
    lines = str(result).splitlines()
    assert [line.split()[0] for line in lines] == ["label", "sea", "sky", "fire", "soil", "all"]


@pytest.mark.parametrize("tokenizer", ["words", "whitespace", "jamo", "characters"])
def test_other_tokenizers(tokenizer: str, train_texts: Texts, test_texts: Texts) -> None:
    shouted = [f"{text.upper()}!" for text in test_texts[0]]
    model = daneo.FastTextClassifier(**SMALL, tokenizer=tokenizer).fit(*train_texts)
    figure = model.test(shouted, test_texts[1]).precision
    assert (figure > 0.8) == (tokenizer in ("words", "jamo"))  # these two lower-case, and cut "!" off


def test_parts_of_jamo_know_a_misspelt_word(train_texts: Texts) -> None:
    model = daneo.FastTextClassifier(**SMALL, subwords="jamo").fit(*train_texts)
    assert "바당" not in model.words
    assert model.predict("바당")[0][0] == "sea"


def test_progress_and_epochs_are_reported(train_texts: Texts) -> None:
    reports: list[Progress] = []
    seen: list[tuple[int, float, str]] = []

    def on_epoch(model: daneo.FastTextClassifier, epoch: int, loss: float) -> None:
        seen.append((epoch, loss, model.predict("wave salt tide")[0][0]))

    model = daneo.FastTextClassifier(**{**SMALL, "epochs": 3})
    model.fit(*train_texts, progress=reports.append, on_epoch=on_epoch)
    assert [epoch for epoch, _, _ in seen] == [1, 2, 3]
    assert [loss for _, loss, _ in seen] == model.losses
    assert seen[-1][2] == "sea"
    assert {(report.stage, report.unit, report.total) for report in reports} == {("training", "texts", 1800)}


def test_predictions_run_while_others_do(model: daneo.FastTextClassifier, test_texts: Texts) -> None:
    answers: list[Any] = []
    threads = [threading.Thread(target=lambda: answers.append(model.predict(test_texts[0]))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [model.predict(test_texts[0])] * 4


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"epochs": 0}, "epochs=...) expected at least 1"),
        ({"loss": "hinge"}, "expected one of softmax, hierarchical_softmax"),
        ({"tokenizer": "bpe"}, "expected one of fasttext, whitespace"),
        ({"word_ngrams": 2, "num_buckets": 0}, "num_buckets=...) expected at least 1"),
        ({"min_ngram": 5, "max_ngram": 3}, "min_ngram=...) expected at most max_ngram"),
        ({"learning_rate": 0}, "expected more than 0"),
    ],
)
def test_settings_that_make_no_sense(settings: Any, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        FastTextClassifierConfig(**settings)


def test_what_cannot_be_learned_or_asked(train_texts: Texts) -> None:
    model = daneo.FastTextClassifier(**SMALL)
    with pytest.raises(RuntimeError, match="call fit"):
        model.predict("x")
    with pytest.raises(ValueError, match="at least two labels that occur 1 times .min_label_count., got 1 of 1"):
        model.fit(["a", "b"], ["x", "x"])
    with pytest.raises(ValueError, match="resume=True goes on from a checkpoint"):
        model.fit(["a", "b"], ["x", "y"], resume=True)
    assert not model.is_trained
    model.fit(["a", "b"], ["x", "y"])
    with pytest.raises(ValueError, match="k of at least 1, or -1"):
        model.predict("a", k=0)
    with pytest.raises(TypeError, match="For one text give"):
        model.probabilities("a")  # type: ignore[arg-type]
    assert repr(model) == "<FastTextClassifier: 2 labels, 3 words, softmax>"
    assert model.predict([]) == []
    assert model.probabilities([]).shape == (0, 2)
