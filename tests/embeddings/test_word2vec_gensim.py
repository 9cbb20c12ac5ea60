"""The definitions of the trainers against gensim: the same change of both matrices from the same start.

gensim trains pair after pair where we train blocks; with a tiny learning rate the order does not matter. And it looks
the sigmoid up in a table, which is wrong by up to 0.015: these tests give our definitions that table in place of the
sigmoid (which test_word2vec_reference.py has tested), so that all the rest must agree closely.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from daneo.embeddings import word2vec_reference as reference
from daneo.embeddings.huffman import huffman_paths
from daneo.embeddings.noise import keep_probabilities

models = pytest.importorskip("gensim.models")

SIZE, WINDOW, RATE, NUM_WORDS = 12, 3, 1e-4, 30
# What the order of the pairs and the float32 of gensim leave, of the largest change.
TOLERANCE = 3e-3
SENTENCES = [
    [3, 7, 1, 12, 5, 9, 2, 20, 14, 6, 11],
    [8, 4],
    [15, 16, 3, 17, 3, 18, 19, 29, 21, 22, 23, 24, 25],
    [13],
]


def gensim_model(counts: np.ndarray, rng: np.random.Generator, **settings: Any) -> Any:
    """A model of the words w0, w1, ... with these counts and random matrices; rows are in the order of the words."""
    model = models.Word2Vec(
        vector_size=SIZE, window=WINDOW, min_count=1, sample=0, shrink_windows=False, workers=1, **settings
    )
    model.build_vocab_from_freq({f"w{i}": int(count) for i, count in enumerate(counts)})
    assert model.wv.index_to_key == [f"w{i}" for i in range(len(counts))]
    model.wv.vectors[:] = 0.4 * rng.standard_normal(model.wv.vectors.shape)
    outputs = model.syn1 if settings["hs"] else model.syn1neg
    outputs[:] = 0.4 * rng.standard_normal(outputs.shape)
    return model


def train(model: Any) -> None:
    sentences = [[f"w{i}" for i in sentence] for sentence in SENTENCES]
    model.train(sentences, total_examples=len(sentences), epochs=1, start_alpha=RATE, end_alpha=RATE)


def with_spare_row(matrix: np.ndarray) -> np.ndarray:
    return np.vstack([matrix, np.zeros((1, SIZE))]).astype(np.float64)


@pytest.fixture(autouse=True)
def gensims_sigmoid(monkeypatch: pytest.MonkeyPatch) -> None:
    def block_gradients(
        x: np.ndarray, y: np.ndarray, sign: np.ndarray, weight: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        # 1000 entries from -6 to 6; the place of a score is cut off, and counted in steps of 1/83 where 3/250 is right.
        score = ((x @ y.T + 6) * 83).astype(int) * 12 / 1000 - 6
        by_score = -weight * ((sign > 0) - 1 / (1 + np.exp(-score)))
        return by_score @ y, by_score.T @ x

    monkeypatch.setattr(reference, "block_gradients", block_gradients)


def assert_same_change(got: np.ndarray, want: np.ndarray, before: np.ndarray) -> None:
    change = want - before
    assert_allclose(got - before, change, rtol=0, atol=TOLERANCE * np.abs(change).max())


def text() -> tuple[np.ndarray, np.ndarray]:
    return np.concatenate(SENTENCES).astype(np.int32), np.cumsum([len(sentence) for sentence in SENTENCES])


@pytest.mark.parametrize("negative", [1, 5])
@pytest.mark.parametrize("architecture", ["skipgram", "cbow"])
def test_negative_sampling_changes_what_gensim_changes(architecture: str, negative: int) -> None:
    # w0, which the sentences lack, is so frequent that gensim draws nothing else as noise.
    counts = np.array([10**12, *range(NUM_WORDS, 1, -1)])
    settings = {"sg": int(architecture == "skipgram"), "hs": 0, "negative": negative, "ns_exponent": 1.0}
    model = gensim_model(counts, np.random.default_rng(1), **settings)
    before = with_spare_row(model.wv.vectors), with_spare_row(model.syn1neg)
    vectors, outputs = before[0].copy(), before[1].copy()
    kept, ends = text()
    rows, noise = np.arange(len(vectors)), np.zeros(7, np.int32)
    trainer = getattr(reference, f"{architecture}_negative_sampling")
    trainer(
        kept,
        ends,
        vectors,
        outputs,
        rows,
        rows,
        np.zeros((0, vectors.shape[1])),
        noise,
        4,
        negative,
        WINDOW,
        False,
        RATE,
        np.zeros(2, np.uint64),
    )
    train(model)
    assert_same_change(vectors, with_spare_row(model.wv.vectors), before[0])
    assert_same_change(outputs, with_spare_row(model.syn1neg), before[1])


@pytest.mark.parametrize("architecture", ["skipgram", "cbow"])
def test_hierarchical_softmax_changes_what_gensim_changes(architecture: str) -> None:
    counts = np.sort(np.random.default_rng(2).integers(1, 10**6, NUM_WORDS))[::-1]
    model = gensim_model(counts, np.random.default_rng(1), sg=int(architecture == "skipgram"), hs=1, negative=0)
    # gensim has an inner node more than the tree: its last row stays as it is, as does our spare one.
    before = with_spare_row(model.wv.vectors), model.syn1.astype(np.float64)
    vectors, outputs = before[0].copy(), before[1].copy()
    paths = huffman_paths(counts)
    tree = paths.starts, paths.nodes, paths.signs, paths.longest
    kept, ends = text()
    rows = np.arange(len(vectors))
    trainer = getattr(reference, f"{architecture}_hierarchical_softmax")
    trainer(
        kept,
        ends,
        vectors,
        outputs,
        rows,
        rows,
        np.zeros((0, vectors.shape[1])),
        *tree,
        WINDOW,
        False,
        RATE,
        np.zeros(2, np.uint64),
    )
    train(model)
    assert_same_change(vectors, with_spare_row(model.wv.vectors), before[0])
    assert_same_change(outputs, model.syn1, before[1])


@pytest.mark.parametrize("seed", range(5))
def test_huffman_paths_are_gensims(seed: int) -> None:
    # Counts so far apart that no sum of them equals another: there is one tree only.
    rng = np.random.default_rng(seed)
    counts = np.sort(rng.permutation(10**9 // 200)[:200] * 200 + rng.integers(1, 200))[::-1]
    model = models.Word2Vec(vector_size=2, min_count=1, hs=1, negative=0)
    model.build_vocab_from_freq({f"w{i}": int(count) for i, count in enumerate(counts)})
    paths = huffman_paths(counts.astype(np.int64))
    for word in range(len(counts)):
        path = slice(*paths.starts[word : word + 2])
        assert_array_equal(paths.nodes[path], model.wv.get_vecattr(word, "point"))
        assert_array_equal(paths.signs[path], 1 - 2.0 * model.wv.get_vecattr(word, "code"))


def test_words_are_kept_as_often_as_by_gensim() -> None:
    counts = np.array([100_000, 20_000, 3_000, 400, 50, 6])
    model = models.Word2Vec(vector_size=2, min_count=1, sample=1e-3)
    model.build_vocab_from_freq({f"w{i}": int(count) for i, count in enumerate(counts)})
    limits = np.array([model.wv.get_vecattr(word, "sample_int") for word in range(len(counts))], np.float64)
    # gensim keeps a word while a draw of 32 bits is below its limit.
    assert_allclose(keep_probabilities(counts, 1e-3), np.minimum(limits / 2**32, 1), rtol=1e-6)
