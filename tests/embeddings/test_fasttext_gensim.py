"""The definitions of FastText against gensim's: the same change of all matrices from the same start.

As for word2vec, test_word2vec_gensim.py: with a tiny learning rate the order of the steps does not matter, and our
definitions get gensim's table in place of the sigmoid. Two more things are otherwise in gensim: its skip-gram divides
the sum over a word and its n-grams by the number of n-grams alone, and its CBOW takes the mean of all parts in the
window at once, as Facebook's program does; that is the mean of the words' means where all have as many parts.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from daneo.embeddings import word2vec_reference, word_parts_reference
from daneo.embeddings.fasttext_parts import parts_of
from daneo.embeddings.huffman import huffman_paths
from daneo.embeddings.subwords.subwords import Subwords

from .test_word2vec_gensim import (
    NUM_WORDS,
    SENTENCES,
    SIZE,
    WINDOW,
    text,
    with_spare_row,
)

models = pytest.importorskip("gensim.models")
NUM_BUCKETS = 3000
RATE = 7e-5
# What the order of the pairs and gensim's float32 leave, of the largest change: parts take part in many pairs.
TOLERANCE = 8e-3


@pytest.fixture(autouse=True)
def gensims_sigmoid(monkeypatch: pytest.MonkeyPatch) -> None:
    def block_gradients(
        x: np.ndarray, y: np.ndarray, sign: np.ndarray, weight: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        score = np.floor((x @ y.T + 8) * 32) / 32 - 8  # 512 entries from -8 to 8: another table than word2vec has
        by_score = -weight * ((sign > 0) - 1 / (1 + np.exp(-score)))
        return by_score @ y, by_score.T @ x

    monkeypatch.setattr(word2vec_reference, "block_gradients", block_gradients)


def assert_same_change(got: np.ndarray, want: np.ndarray, before: np.ndarray) -> None:
    change = want - before
    np.testing.assert_allclose(got - before, change, rtol=0, atol=TOLERANCE * np.abs(change).max())


def some_words(architecture: str) -> list[str]:
    """Words of one length for CBOW, of all lengths for skip-gram."""
    rng = np.random.default_rng(3)
    lengths = rng.integers(1, 8, NUM_WORDS + 1) if architecture == "skipgram" else np.full(NUM_WORDS + 1, 4)
    words = ["".join(rng.choice(list("abcdefghijklmé"), length)) for length in lengths]
    return [f"{word}{chr(ord('A') + number)}" for number, word in enumerate(words)]


def gensim_model(words: list[str], counts: np.ndarray, **settings: Any) -> Any:
    """gensim's FastText with random matrices; rows are in the order of the words."""
    model = models.FastText(
        vector_size=SIZE, window=WINDOW, min_count=1, sample=0, shrink_windows=False, workers=1, min_n=2, max_n=3,
        bucket=NUM_BUCKETS, **settings,
    )  # fmt: skip
    model.build_vocab_from_freq({word: int(count) for word, count in zip(words, counts, strict=True)})
    assert model.wv.index_to_key == words
    rng = np.random.default_rng(1)
    outputs = model.syn1 if settings["hs"] else model.syn1neg
    for matrix in (model.wv.vectors_vocab, model.wv.vectors_ngrams, outputs):
        matrix[:] = 0.4 * rng.standard_normal(matrix.shape)
    return model


def check_changes(model: Any, outputs_before: np.ndarray, loss: str, specific: tuple[Any, ...]) -> None:
    """Train with our definitions and with gensim, and compare."""
    wv, architecture = model.wv, "skipgram" if model.sg else "cbow"
    subwords = Subwords(min_ngram=2, max_ngram=3, num_buckets=NUM_BUCKETS)
    parts = parts_of(wv.index_to_key, subwords, also=np.arange(NUM_BUCKETS, dtype=np.int32), num_threads=1)
    before = with_spare_row(np.vstack([wv.vectors_vocab, wv.vectors_ngrams]))
    inputs, outputs = before.copy(), outputs_before.copy()
    num_words, counts = len(wv), np.diff(parts.starts)
    means, begun = np.zeros((2, num_words + 1, SIZE))
    row_of, words = np.full(num_words, num_words), np.zeros(num_words, int)
    kept, ends = text()
    own = row_of, words, means, begun
    num = word_parts_reference.take_means(kept, len(kept), inputs, parts.starts, parts.rows, *own)
    if architecture == "skipgram":
        assert counts[words[:num]].min() > 1
        for matrix in (means, begun):
            matrix[:num] *= (counts / (counts - 1))[words[:num], None]
    trainer = getattr(word2vec_reference, f"{architecture}_{loss}")
    arguments = (row_of, row_of, np.zeros((0, SIZE)), *specific, WINDOW, False, RATE, np.zeros(2, np.uint64))
    trainer(kept, ends, means, outputs, *arguments)
    # gensim gives each part the whole change as often as the word has it.
    word_parts_reference.give_changes(num, inputs, parts.starts, parts.rows, np.ones(num_words), *own)
    sentences = [[wv.index_to_key[word] for word in sentence] for sentence in SENTENCES]
    model.train(sentences, total_examples=len(sentences), epochs=1, start_alpha=RATE, end_alpha=RATE)
    assert_same_change(inputs, with_spare_row(np.vstack([wv.vectors_vocab, wv.vectors_ngrams])), before)
    changed = model.syn1 if loss == "hierarchical_softmax" else with_spare_row(model.syn1neg)
    assert_same_change(outputs, changed, outputs_before)


@pytest.mark.parametrize("negative", [1, 5])
@pytest.mark.parametrize("architecture", ["skipgram", "cbow"])
def test_negative_sampling_changes_what_gensim_changes(architecture: str, negative: int) -> None:
    # The first word, which the sentences lack, is so frequent that gensim draws nothing else as noise.
    counts = np.array([10**12, *range(NUM_WORDS + 1, 1, -1)])
    settings = {"sg": int(architecture == "skipgram"), "hs": 0, "negative": negative, "ns_exponent": 1.0}
    model = gensim_model(some_words(architecture), counts, **settings)
    noise = np.zeros(7, np.int32)
    check_changes(model, with_spare_row(model.syn1neg), "negative_sampling", (noise, 4, negative))


@pytest.mark.parametrize("architecture", ["skipgram", "cbow"])
def test_hierarchical_softmax_changes_what_gensim_changes(architecture: str) -> None:
    counts = np.sort(np.random.default_rng(2).integers(1, 10**6, NUM_WORDS + 1))[::-1]
    settings = {"sg": int(architecture == "skipgram"), "hs": 1, "negative": 0}
    model = gensim_model(some_words(architecture), counts, **settings)
    paths = huffman_paths(counts)
    tree = paths.starts, paths.nodes, paths.signs, paths.longest
    # gensim has an inner node more than the tree: its last row stays as it is, as does our spare one.
    check_changes(model, model.syn1.astype(np.float64), "hierarchical_softmax", tree)


def test_ngrams_and_their_buckets_are_gensims() -> None:
    words = some_words("skipgram")
    model = gensim_model(words, np.arange(len(words) + 1, 1, -1), sg=1, hs=0, negative=1)
    subwords = Subwords(min_ngram=2, max_ngram=3, num_buckets=NUM_BUCKETS)
    for row, word in enumerate(words):
        # gensim lists them in another order, by their length first.
        assert sorted(model.wv.buckets_word[row].tolist()) == sorted(subwords.buckets(word).tolist())
