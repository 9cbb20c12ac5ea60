"""FastText as a user meets it: it learns, equals its definition, knows words never seen, and refuses what cannot be."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from itertools import pairwise, product
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from daneo.corpus import Corpus
from daneo.embeddings import (
    FastText,
    Word2Vec,
    WordVectors,
    fasttext_parts,
    noise,
    subsampling_reference,
    word2vec_reference,
    word_parts_reference,
)
from daneo.embeddings.fasttext_config import FastTextConfig
from daneo.embeddings.huffman import huffman_paths
from daneo.embeddings.noise import keep_probabilities, noise_table
from daneo.embeddings.text_stretches import TextStretches
from daneo.embeddings.word2vec_matrices import initial_vectors, padded_rows
from daneo.embeddings.word2vec_training import num_noise_words, random_states

ALGORITHMS: list[dict[str, Any]] = [
    {"architecture": architecture, "loss": loss}
    for architecture, loss in product(("skipgram", "cbow"), ("negative_sampling", "hierarchical_softmax"))
]
WEIGHTED = [{**algorithm, "position_weights": True} for algorithm in ALGORITHMS if algorithm["architecture"] == "cbow"]


def named(algorithm: dict[str, Any]) -> str:
    return "-".join(str(value) if value is not True else "weights" for value in algorithm.values())


every_algorithm = pytest.mark.parametrize("algorithm", [*ALGORITHMS, *WEIGHTED], ids=named)
SMALL: dict[str, Any] = {"vector_size": 10, "window": 2, "min_count": 1, "epochs": 2, "sample": 0.0, "num_threads": 1}
SMALL["num_buckets"] = 5000

COMPANIONS = {
    "horse": ["hay", "saddle", "barn"],
    "hammer": ["nail", "wood", "anvil"],
    "salmon": ["river", "net", "bear"],
    "castle": ["king", "moat", "tower"],
    "violin": ["bow", "tune", "opera"],
    "engine": ["oil", "fuel", "smoke"],
}
ENDINGS = ["", "s", "ly"]


def forms(stem: str) -> list[str]:
    return [stem + ending for ending in ENDINGS]


def text_of_stems(seed: int, num_documents: int = 300) -> list[list[str]]:
    """Documents each about one stem: its forms and its companions; some words stand in all."""
    rng = np.random.default_rng(seed)
    stems = rng.choice(list(COMPANIONS), num_documents).tolist()
    return [rng.choice([*forms(stem), *COMPANIONS[stem], "the", "a"], 12).tolist() for stem in stems]


def random_text(seed: int, num_words: int = 60, num_documents: int = 150) -> list[list[str]]:
    """Words that share parts, with falling frequencies, in documents of all lengths, 0 and 1 included."""
    rng = np.random.default_rng(seed)
    words = ["".join(rng.choice(["ka", "mi", "새", "ro", "é"], 1 + number % 4)) + f"{number}" for number in range(60)]
    ids = [np.minimum(rng.zipf(1.3, rng.integers(0, 45)) - 1, num_words - 1) for _ in range(num_documents)]
    return [[words[i] for i in document] for document in ids]


@pytest.fixture(scope="module", autouse=True)
def small_noise_table() -> Iterator[None]:
    """Of the time that such small texts take, most would go into a table of 4 million noise words."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(noise, "SMALLEST_TABLE", 1 << 14)
        yield


# ---------------------------------------------------------------------------------------------------- what it learns


@every_algorithm
@pytest.mark.parametrize("num_threads", [1, 2])
def test_unseen_words_lie_where_their_stem_is(algorithm: dict[str, Any], num_threads: int) -> None:
    settings = {**SMALL, "vector_size": 16, "window": 4, "epochs": 6, "num_threads": num_threads, **algorithm}
    vectors = FastText(**settings).fit(text_of_stems(num_threads)).vectors
    for stem, companions in COMPANIONS.items():
        others = [form for other in COMPANIONS if other != stem for form in forms(other)]
        alike = min(vectors.similarity(stem, form) for form in forms(stem))
        assert alike > max(vectors.similarity(stem, other) for other in others) + 0.3
        for unseen in (stem + "ish", stem + "ful", "un" + stem, stem[:2] + stem[3:]):
            assert unseen not in vectors
            found = {word for word, _ in vectors.most_similar(unseen, topn=3)}
            assert found <= {*forms(stem), *companions}, unseen


def test_a_rare_form_learns_from_the_frequent_ones() -> None:
    text = [*text_of_stems(1), ["the", "violinist"]]
    settings = {**SMALL, "vector_size": 16, "window": 4, "epochs": 6}
    with_parts, alone = (FastText(**settings, max_ngram=longest).fit(text).vectors for longest in (6, 0))
    assert with_parts.similarity("violinist", "violin") > 0.9
    assert alone.similarity("violinist", "violin") < 0.6


@every_algorithm
def test_the_loss_falls(algorithm: dict[str, Any]) -> None:
    model = FastText(**{**SMALL, "epochs": 6}, **algorithm).fit(text_of_stems(0))
    assert len(model.losses) == 6
    assert model.losses[-1] < 0.9 * model.losses[0]


def test_jamo_know_conjugated_forms_and_typing_errors() -> None:
    verbs = {"먹": ["밥", "국수", "과일"], "놀": ["공원", "친구", "휴일"], "읽": ["소설", "신문", "도서관"]}
    endings = ["었다", "는다", "습니다", "어요"]
    rng, text = np.random.default_rng(1), []
    for verb in rng.choice(list(verbs), 300).tolist():
        text.append(rng.choice([*(verb + ending for ending in endings), *verbs[verb], "그리고"], 10).tolist())
    settings = {**SMALL, "vector_size": 16, "window": 4, "epochs": 6, "subwords": "jamo"}
    vectors = FastText(**settings).fit(text).vectors
    # Other forms of the verbs; then what is typed wrong: a letter beside another, or a word as one hears it.
    unseen = {"먹": ["먹었습니다", "먹더라", "머겄다"], "놀": ["놀았다", "놀더라"], "읽": ["읽었습니다", "일거요"]}
    for verb, words in unseen.items():
        for word in words:
            near = {found for found, _ in vectors.most_similar(word, topn=2)}
            assert near <= {*(verb + ending for ending in endings), *verbs[verb]}, word
    for wrong, right in (("도서간", "도서관"), ("고원", "공원"), ("신뭉", "신문")):
        assert vectors.most_similar(wrong, topn=1)[0][0] == right


def test_position_weights_learn_which_places_tell_most() -> None:
    # What stands beside a word tells it, what stands two words away is chance; and the center has no place of its own.
    rng = np.random.default_rng(3)
    pairs = [f"{first}{second}" for first, second in zip("abcdefgh", "stuvwxyz", strict=True)]
    text = [[part for pair in rng.choice(pairs, 20) for part in pair] for _ in range(150)]
    settings = {**SMALL, "architecture": "cbow", "shrink_windows": False, "epochs": 8}
    model = FastText(**settings, position_weights=True).fit(text)
    weights = model.position_weights
    assert weights is not None
    assert weights.shape == (5, 10)
    assert_array_equal(weights[2], 1)
    far, near = np.abs(weights[[0, 4]]).mean(), np.abs(weights[[1, 3]]).mean()
    assert near > 1.1 * far
    plain = FastText(**settings).fit(text)
    assert plain.position_weights is None
    assert model.losses[-1] < plain.losses[-1]


# --------------------------------------------------------------------------------------------------- its definition


def parts_by_definition(config: FastTextConfig, words: list[str]) -> tuple[np.ndarray, np.ndarray, list[int]]:
    """Where each word's rows start, its rows, and the buckets that have rows."""
    own = [config.parts.buckets(word).tolist() for word in words]
    used = sorted({bucket for buckets in own for bucket in buckets})
    row_of = {bucket: len(words) + place for place, bucket in enumerate(used)}
    rows = [[word, *(row_of[bucket] for bucket in buckets)] for word, buckets in enumerate(own)]
    return np.cumsum([0, *map(len, rows)]), np.concatenate(rows), used


def pieces_by_definition(ends: np.ndarray, piece: int) -> Iterator[tuple[int, np.ndarray]]:
    """As many whole documents as `piece` words hold; a longer one by itself, cut."""
    cuts, start = list[tuple[int, int]](), 0  # documents, or parts of one that is too long
    for end in ends.tolist():
        long = end - start > piece
        cuts += [(first, min(first + piece, end)) for first in range(start, end, piece)] if long else [(start, end)]
        start = end
    while cuts:
        first, stops = cuts[0][0], list[int]()
        while cuts and cuts[0][1] <= first + piece:
            stops.append(cuts.pop(0)[1] - first)
        yield first, np.array(stops)


def by_definition(
    config: FastTextConfig, text: list[list[str]], piece: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[float]]:
    """Train with the references, on one thread; return inputs, outputs, position weights and losses."""
    losses = []
    with Corpus(text).encode(min_count=config.min_count) as encoded:
        words, counts, stretches = encoded.vocabulary.words, encoded.vocabulary.counts, TextStretches(encoded)
        assert len(stretches) > 2
        table, keep = noise_table(counts, config.ns_exponent, config.seed), keep_probabilities(counts, config.sample)
        specific: tuple[Any, ...] = (table, num_noise_words(config), config.negative)
        if config.loss == "hierarchical_softmax":
            paths = huffman_paths(counts)
            specific = (paths.starts, paths.nodes, paths.signs, paths.longest)
        random = random_states(config.seed, 1, len(table))[0]
        starts, rows, buckets = parts_by_definition(config, words)
        size = config.vector_size
        inputs = initial_vectors(len(words) + len(buckets), size, config.seed, scale=1.0).astype(np.float64)
        outputs = padded_rows(len(words), size).astype(np.float64)
        weights = np.ones((2 * config.window + 1 if config.position_weights else 0, inputs.shape[1]))
        means, before = np.zeros((2, len(words) + 1, inputs.shape[1]))
        row_of, word_of = np.full(len(words), len(words)), np.zeros(len(words), int)
        held = inputs, starts, rows, row_of, word_of, means, before
        trainer = getattr(word2vec_reference, f"{config.architecture}_{config.loss}")
        for epoch in range(config.epochs):
            total, examples = 0.0, 0
            for number in range(len(stretches)):
                ids, ends = stretches.read(stretches.place(number))
                kept, kept_ends = np.empty(len(ids), np.int32), np.empty_like(ends)
                subsampling_reference.subsample(ids, ends, keep, random, kept, kept_ends)
                share = (epoch + number / len(stretches)) / config.epochs
                rate = config.first_learning_rate * (1 - share) + config.last_learning_rate * share
                window = (config.window, config.shrink_windows, rate, random)
                for first, stops in pieces_by_definition(kept_ends, piece):
                    num_words = word_parts_reference.take_means(kept[first:], stops[-1], *held)
                    loss, num = trainer(
                        kept[first:], stops, means, outputs, row_of, row_of, weights, *specific, *window
                    )
                    total, examples = total + loss, examples + num
                    word_parts_reference.give_changes(num_words, *held)
            losses.append(total / examples)
    return inputs, outputs, weights, losses


@every_algorithm
@pytest.mark.parametrize(
    ("parts", "piece"),
    [({}, 100), ({"max_ngram": 3, "num_buckets": 100}, 300), ({"subwords": "jamo"}, 9)],
    ids=["characters", "few buckets", "jamo"],
)
def test_training_is_what_its_definition_says(
    monkeypatch: pytest.MonkeyPatch, algorithm: dict[str, Any], parts: dict[str, Any], piece: int
) -> None:
    monkeypatch.setattr(fasttext_parts, "PIECE", piece)
    config = FastTextConfig(**{**SMALL, "sample": 0.01, "min_count": 2, "seed": 5, **algorithm, **parts})
    text = random_text(7)
    model = FastText(**dataclasses.asdict(config)).fit(text)
    inputs, outputs, weights, losses = by_definition(config, text, piece)
    vectors = model.vectors
    got = np.vstack([vectors.rows.own, vectors.ngrams.rows])
    # Float64 all the way: what 6000 words of float32 leave.
    assert_allclose(model.losses, losses, rtol=1e-5)
    assert_allclose(got, inputs[:-1, :10], rtol=0, atol=1e-4 * np.abs(inputs).max())
    assert_allclose(model.outputs, outputs[: len(model.outputs), :10], rtol=0, atol=1e-4 * np.abs(outputs).max())
    if config.position_weights:
        assert_allclose(model.position_weights, weights[:, :10], rtol=0, atol=1e-5)
        assert np.abs(weights[:, :10] - 1).max() > 1e-3
    # A word's vector is the mean of its parts, in the order of the definition.
    starts, rows, _ = parts_by_definition(config, vectors.words)
    means = [inputs[rows[first:last], :10].mean(axis=0) for first, last in pairwise(starts)]
    assert_allclose(vectors.matrix, means, rtol=0, atol=1e-4 * np.abs(inputs).max())


@pytest.mark.parametrize("algorithm", ALGORITHMS, ids=named)
@pytest.mark.parametrize("no_parts", [{"max_ngram": 0}, {"num_buckets": 0}], ids=str)
def test_words_without_parts_learn_as_in_word2vec(algorithm: dict[str, Any], no_parts: dict[str, int]) -> None:
    text, same = text_of_stems(0), {**SMALL, **algorithm, "learning_rate": 0.05, "min_learning_rate": 0.01}
    model = FastText(**{**same, **no_parts}).fit(text)
    assert len(model.vectors.ngrams) == 0
    assert not model.vectors["unseen"].any()
    words = model.vectors.words
    start = WordVectors(words, initial_vectors(len(words), 10, 1, scale=1.0)[:-1, :10])
    word2vec = Word2Vec(**{name: same[name] for name in same if name != "num_buckets"}).fit(text, vectors=start)
    assert word2vec.vectors.words == words
    assert_allclose(model.losses, word2vec.losses, rtol=1e-6)
    assert_allclose(model.vectors.matrix, word2vec.vectors.matrix, rtol=0, atol=1e-5)
    assert_allclose(model.outputs, word2vec.outputs, rtol=0, atol=1e-5)
