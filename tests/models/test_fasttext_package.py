"""Facebook's program as the oracle: its models answer here as there, and ours there as here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

import daneo
from daneo.models.bags.tokens_reference import hash_types

Texts = tuple[list[str], list[str]]
Facebook = Callable[..., Any]

KINDS: dict[str, dict[str, Any]] = {
    "words": {},
    "word n-grams": {"wordNgrams": 3, "bucket": 997},
    "character n-grams": {"minn": 2, "maxn": 4, "bucket": 997},
    "both": {"wordNgrams": 2, "minn": 1, "maxn": 3, "bucket": 997},
}
LOSSES = {"softmax": "softmax", "hs": "hierarchical_softmax", "ova": "one_vs_all", "ns": "negative_sampling"}
ODD = [
    "",
    " ",
    "</s>",
    "wave </s> bird",
    "unknown words only",
    "__label__sea wave",
    "\u3000",
    "wave\u00a0salt",
    "x" * 2000,
]


def of_table(probability: float) -> list[float]:
    """What fastText makes of a logistic probability: the left edge of the 32nd of a score that it falls in.

    Several, if float32's roundings may push it over an edge.
    """
    scores = [np.log(p) - np.log1p(-p) for p in (probability - 1e-6, probability, probability + 1e-6)]
    return [float(1 / (1 + np.exp(-np.floor(score * 32) / 32))) for score in scores]


def demand_same_answers(ours: daneo.FastTextClassifier, theirs: Any, texts: list[str], loss: str) -> None:
    every, probabilities = ours.predict(texts, k=3), ours.probabilities(texts)
    for text, best, row in zip(texts, every, probabilities, strict=True):
        expected = theirs.predict(text, 3)
        if loss in ("ova", "ns"):  # theirs are steps, which tie: compare label by label
            exact = dict(zip(ours.labels, row.tolist(), strict=True))
            for label, probability in expected:
                if 0.01 < exact[label] < 0.99:
                    assert min(abs(one + 1e-5 - probability) for one in of_table(exact[label])) < 2e-6
                else:  # a step is a 32nd of 0.01 * 0.99 at most, and where the table ends a score has come to 0.9997
                    assert abs(exact[label] - probability) < 4e-4
            continue
        if loss == "hs":  # there it adds 0.00001 to every branch on the way, which turns the order of unlikely labels
            exact = dict(zip(ours.labels, row.tolist(), strict=True))
            assert best[0][0] == expected[0][0] or exact[best[0][0]] - exact[expected[0][0]] < 1e-4
            for label, probability in expected:
                assert abs(exact[label] - probability) < 5e-5
            continue
        assert [label for label, _ in best] == [label for label, _ in expected]
        assert_allclose([p + 1e-5 for _, p in best], [p for _, p in expected], rtol=2e-6, atol=2e-6)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("loss", LOSSES)
def test_both_ways(
    kind: str, loss: str, facebook: Facebook, train_file: Path, test_texts: Texts, tmp_path: Path
) -> None:
    texts = [*test_texts[0][:60], *ODD]
    theirs = facebook(train_file, dim=11, epoch=6, lr=0.5, loss=loss, **KINDS[kind])
    ours = daneo.FastTextClassifier.load(theirs.save(tmp_path / "theirs.bin"))
    assert ours.config.loss == LOSSES[loss]
    demand_same_answers(ours, theirs, texts, loss)

    settings = {"wordNgrams": "word_ngrams", "minn": "min_ngram", "maxn": "max_ngram", "bucket": "num_buckets"}
    own = daneo.FastTextClassifier(
        vector_size=11, epochs=6, learning_rate=0.5, num_threads=1, loss=LOSSES[loss],
        **{settings[name]: value for name, value in KINDS[kind].items()},
    ).fit(train_file)  # fmt: skip
    own.save(tmp_path / "ours.bin", format="fasttext-bin")
    demand_same_answers(own, facebook(model=tmp_path / "ours.bin"), texts, loss)
    again = daneo.FastTextClassifier.load(tmp_path / "ours.bin")
    assert_allclose(again.probabilities(texts), own.probabilities(texts), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("norms", [False, True])
def test_quantised_models(
    kind: str, norms: bool, facebook: Facebook, train_file: Path, test_texts: Texts, tmp_path: Path
) -> None:
    texts = [*test_texts[0][:60], *ODD]
    theirs = facebook(train_file, dim=8, epoch=6, lr=0.5, **{**KINDS[kind], "bucket": 2000})
    if kind == "words":  # fastText quantises no fewer than 256 rows
        theirs = facebook(train_file, dim=8, epoch=6, lr=0.5, wordNgrams=2, bucket=2000)
    theirs.model.quantize(input=str(train_file), qnorm=norms, cutoff=300, dsub=2)
    ours = daneo.FastTextClassifier.load(theirs.save(tmp_path / "theirs.ftz"))
    demand_same_answers(ours, theirs, texts, "softmax")

    settings = {"wordNgrams": "word_ngrams", "minn": "min_ngram", "maxn": "max_ngram", "bucket": "num_buckets"}
    own = daneo.FastTextClassifier(
        vector_size=8, epochs=6, learning_rate=0.5, num_threads=1,
        **{settings[name]: value for name, value in KINDS[kind].items()},
    ).fit(train_file)  # fmt: skip
    small = own.compressed(num_rows=300, norms=norms)
    small.save(tmp_path / "ours.ftz", format="fasttext-bin")
    demand_same_answers(small, facebook(model=tmp_path / "ours.ftz"), texts, "softmax")


def test_figures_are_those_of_fasttext(facebook: Facebook, train_file: Path, tmp_path: Path, test_texts: Texts) -> None:
    theirs = facebook(train_file, dim=10, epoch=5, lr=0.5)
    ours = daneo.FastTextClassifier.load(theirs.save(tmp_path / "theirs.bin"))
    path = tmp_path / "test.txt"
    path.write_text(
        "".join(f"__label__{label} {text}\n" for text, label in zip(*test_texts, strict=True)), encoding="utf-8"
    )
    for k in (1, 2):
        num_texts, precision, recall = theirs.model.f.test(str(path), k, 0.0)
        for result in (ours.test(path, k=k), ours.test(*test_texts, k=k)):
            assert (result.num_texts, result.precision, result.recall) == (num_texts, precision, recall)


def test_it_learns_as_well_as_fasttext(facebook: Facebook, train_file: Path, test_texts: Texts) -> None:
    for loss in LOSSES:
        theirs = facebook(train_file, dim=10, epoch=5, lr=0.3, loss=loss, minn=0, maxn=0)
        right = [theirs.predict(text, 1)[0][0] == label for text, label in zip(*test_texts, strict=True)]
        ours = daneo.FastTextClassifier(
            vector_size=10, epochs=5, learning_rate=0.3, num_threads=1, loss=LOSSES[loss]
        ).fit(train_file)
        # 300 texts, about 90 % right: the standard deviation of a share is 1.7 points, much of it common to both.
        assert ours.test(*test_texts).precision > np.mean(right) - 0.03


def test_words_hash_as_in_fasttext(facebook: Facebook, train_file: Path) -> None:
    theirs = facebook(train_file, dim=2, epoch=1, minn=2, maxn=2, bucket=1_000_003)
    num_words = len(theirs.model.f.getVocab("strict")[0])
    for word in ("a", "wave", "나라", "é", "\U0001f600"):
        (value,) = hash_types([word.encode()])
        assert theirs.model.get_subword_id(word) - num_words == value % 2**32 % 1_000_003


def test_labels_with_another_prefix(facebook: Facebook, tmp_path: Path) -> None:
    path = tmp_path / "texts"
    path.write_text("#up good fun\n#down bad fun\n" * 50, encoding="utf-8")
    theirs = facebook(path, dim=4, epoch=20, lr=1.0, label="#")
    ours = daneo.FastTextClassifier.load(theirs.save(tmp_path / "m.bin"))
    assert sorted(ours.labels) == ["#down", "#up"]
    assert ours.predict("good")[0][0] == "#up"
    own = daneo.FastTextClassifier(vector_size=4, epochs=20, learning_rate=1.0, label_prefix="#").fit(path)
    assert sorted(own.labels) == ["down", "up"]
    own.save(tmp_path / "own.bin", format="fasttext-bin")
    assert facebook(model=tmp_path / "own.bin").predict("good", 1)[0][0] == "#up"


def test_a_model_of_another_library(shared_data: Path, facebook: Facebook) -> None:
    path = shared_data / "interop" / "fasttext-dl4j" / "supervised.model.bin"
    texts = (path.parent / "labeled_data.txt").read_text(encoding="utf-8").splitlines()[:200]
    ours, theirs = daneo.FastTextClassifier.load(path), facebook(model=path)
    for text, best in zip(texts, ours.predict(texts, k=2), strict=True):
        expected = theirs.predict(text, 2)
        assert [label for label, _ in best] == [label for label, _ in expected]
        assert_allclose([p for _, p in best], [p - 1e-5 for _, p in expected], atol=2e-6)


def test_word_vectors_are_no_classifier(facebook: Facebook, shared_data: Path) -> None:
    path = shared_data / "interop" / "gensim-test-data" / "lee_fasttext_new.bin"
    with pytest.raises(ValueError, match="holds word vectors, not a classifier"):
        daneo.FastTextClassifier.load(path)


@pytest.mark.parametrize(
    ("settings", "labels", "message"),
    [
        ({"tokenizer": "words"}, ["a", "b"], "tokenizer 'words'"),
        ({"subwords": "jamo"}, ["a", "b"], "n-grams of jamo"),
        ({}, ["a", "b c"], "cannot hold '__label__b c' among its labels"),
    ],
)
def test_what_fasttext_does_not_have(settings: Any, labels: list[str], message: str, tmp_path: Path) -> None:
    model = daneo.FastTextClassifier(vector_size=4, epochs=1, **settings).fit(["x y", "z"], labels)
    with pytest.raises(ValueError, match=message):
        model.save(tmp_path / "m.bin", format="fasttext-bin")
    assert not (tmp_path / "m.bin").exists()
    with pytest.raises(ValueError, match="expected format daneo or fasttext-bin"):
        model.save(tmp_path / "m.bin", format="bin")
