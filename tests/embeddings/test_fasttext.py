"""FastText as a user meets it: it learns, equals its definition, knows words never seen, and refuses what cannot be."""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Iterator
from itertools import pairwise, product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from daneo.corpus import Corpus, Vocabulary
from daneo.embeddings import (
    FastText,
    Word2Vec,
    WordVectors,
    fasttext,
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
from daneo.progress import Progress

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
        for unseen in (stem + "ish", stem + "ful", "un" + stem, stem[:3] + stem[2:]):
            assert unseen not in vectors
            found = {word for word, _ in vectors.most_similar(unseen, topn=2)}
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
        shares, own = np.zeros(len(words)), (row_of, word_of, means, before)
        word_parts_reference.give_shares(starts, rows, shares)
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
                    num_words = word_parts_reference.take_means(kept[first:], stops[-1], inputs, starts, rows, *own)
                    loss, num = trainer(
                        kept[first:], stops, means, outputs, row_of, row_of, weights, *specific, *window
                    )
                    total, examples = total + loss, examples + num
                    word_parts_reference.give_changes(num_words, inputs, starts, rows, shares, *own)
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
    monkeypatch.setattr(fasttext, "piece_size", lambda *_: (piece, 1.0))
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
    text, same = (
        text_of_stems(0),
        {**SMALL, **algorithm, "learning_rate": 0.05, "min_learning_rate": 0.01, "ns_exponent": 0.75},
    )
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


# -------------------------------------------------------------------------------------------------- sizes, texts, seeds


@every_algorithm
@pytest.mark.parametrize("vector_size", [1, 16, 17])
def test_any_vector_size(algorithm: dict[str, Any], vector_size: int) -> None:
    model = FastText(**{**SMALL, "vector_size": vector_size}, **algorithm).fit(text_of_stems(0, 40))
    num_words = len(model.vectors)
    num_outputs = num_words - (algorithm["loss"] == "hierarchical_softmax")
    assert (model.vectors.matrix.shape, model.outputs.shape) == ((num_words, vector_size), (num_outputs, vector_size))
    assert model.vectors["unseen"].shape == (vector_size,)
    assert np.isfinite(model.vectors.matrix).all()
    assert np.abs(model.outputs).max(axis=1).min() > 0


@every_algorithm
def test_windows_and_noise_of_any_size(algorithm: dict[str, Any]) -> None:
    text = [[*forms(stem), *companions] * 2 for stem, companions in COMPANIONS.items()] * 15
    for window, negative in ((1, 1), (40, 3), (3, 23)):
        model = FastText(**{**SMALL, "window": window, "negative": negative}, **algorithm).fit(text)
        assert np.isfinite(model.vectors.matrix).all()
        assert model.losses[1] < model.losses[0]


@every_algorithm
@pytest.mark.parametrize(
    "parts",
    [{"num_buckets": 1}, {"num_buckets": 20}, {"min_ngram": 1, "max_ngram": 1}, {"subwords": "jamo", "min_jamo": 1}],
    ids=str,
)
def test_training_does_not_diverge_where_words_share_most_of_their_parts(
    algorithm: dict[str, Any], parts: dict[str, Any]
) -> None:
    # Pieces that are long for such words let the loss grow beyond all bounds.
    rng = np.random.default_rng(1)
    syllables = ["가", "나", "다", "라", "마", "바"] if "subwords" in parts else ["ba", "ka", "ra", "bi", "ki", "ri"]
    words = ["".join(rng.choice(syllables, 4)) for _ in range(300)]
    ids = np.minimum(rng.zipf(1.3, 20_000) - 1, 299)
    text = [[words[i] for i in part] for part in np.split(ids, range(0, len(ids), 25))]
    settings = {**SMALL, "window": 5, "vector_size": 32, **algorithm, **parts}
    model, alone = FastText(**settings).fit(text), FastText(**{**settings, "num_buckets": 0}).fit(text)
    assert model.losses[1] < model.losses[0] < 1.02 * alone.losses[0]


def test_every_kind_of_text_gives_the_same_vectors(tmp_path: Path) -> None:
    documents = text_of_stems(1, 50)
    lines = [" ".join(document) for document in documents]
    (tmp_path / "text.txt").write_text("\n".join(lines) + "\n")
    texts: list[Any] = [documents, lines, (line for line in lines), tmp_path / "text.txt", Corpus(lines, "whitespace")]
    first, *others = [FastText(**SMALL).fit(text).vectors for text in texts]
    for other in others:
        assert other.words == first.words
        assert_array_equal(other.matrix, first.matrix)
        assert_array_equal(other["unseen"], first["unseen"])


@every_algorithm
def test_the_seed_decides_and_fitting_again_begins_anew(algorithm: dict[str, Any]) -> None:
    text, other = text_of_stems(1, 50), text_of_stems(2, 30)
    model = FastText(**SMALL, **algorithm).fit(text)
    once, rows, weights = model.vectors.matrix.copy(), model.vectors.ngrams.rows[:].copy(), model.position_weights
    weights = None if weights is None else weights.copy()
    model.fit(other).continue_training(text)
    assert_array_equal(model.fit(text).vectors.matrix, once)
    assert_array_equal(model.vectors.ngrams.rows, rows)
    if weights is not None:
        assert_array_equal(model.position_weights, weights)
    assert len(model.losses) == SMALL["epochs"]
    assert not np.array_equal(FastText(**SMALL, **algorithm, seed=2).fit(text).vectors.matrix, once)


@every_algorithm
def test_several_threads_learn_as_much_as_one(algorithm: dict[str, Any]) -> None:
    losses = []
    for num_threads in (1, 3):
        settings = {**SMALL, "epochs": 4, "num_threads": num_threads}
        model = FastText(**settings, **algorithm).fit(text_of_stems(3, 600))
        assert np.isfinite(model.vectors.matrix).all()
        losses.append(model.losses[-1])  # the first one depends on when each thread begins
    assert_allclose(losses[1], losses[0], rtol=0.05)


def test_max_size_keeps_the_most_frequent_words() -> None:
    text = [["a"] * 5 + ["b"] * 4 + ["c"] * 3 + ["d"] * 2]
    assert FastText(**SMALL, max_size=3).fit(text).vectors.words == ["a", "b", "c"]


def test_rows_are_kept_for_the_ngrams_of_the_vocabulary_alone() -> None:
    vectors = (
        FastText(**{**SMALL, "min_ngram": 3, "max_ngram": 3, "min_count": 2}).fit(["ab abc", "abc ab", "rare"]).vectors
    )
    subwords = vectors.ngrams.subwords
    used = {bucket for word in ("ab", "abc") for bucket in subwords.buckets(word).tolist()}
    assert vectors.words == ["ab", "abc"]
    assert vectors.ngrams.buckets is not None
    assert vectors.ngrams.buckets.tolist() == sorted(used)
    # Nothing is known of them: zeros, as for a word that has no n-grams.
    assert not np.any([vectors[word] for word in ("xyz", "", "q")])
    # "zab" has one n-gram of three that is known, and the others count, too.
    assert subwords.ngrams("zab") == ["<za", "zab", "ab>"]
    row = vectors.ngrams.rows[vectors.ngrams.rows_of(subwords.buckets("zab")[2:])[0]]
    assert_allclose(vectors["zab"], row / 3, rtol=1e-6)


# ------------------------------------------------------------------------------------------------ a vocabulary is given


@every_algorithm
def test_a_vocabulary_can_be_given(algorithm: dict[str, Any]) -> None:
    given = Vocabulary(["horses", "never", "hay"], [3, 0, 5])
    model = FastText(**SMALL, **algorithm).fit(text_of_stems(0, 40), vocabulary=given)
    assert model.vectors.words == ["horses", "never", "hay"]
    assert_array_equal(model.vocabulary.counts, [3, 0, 5])
    # What the text does not hold stays as it began.
    own = initial_vectors(3 + len(model.vectors.ngrams), 10, 1, scale=1.0)[:3, :10]
    moved = np.any(model.vectors.rows.own != own, axis=1)
    assert moved.tolist() == [True, False, True]


@every_algorithm
def test_a_vocabulary_without_counts_gets_those_of_the_text(algorithm: dict[str, Any]) -> None:
    text, settings = text_of_stems(0, 40), {**SMALL, "sample": 0.01, **algorithm}
    words = [*forms("horse"), "never", *COMPANIONS["horse"]]
    model = FastText(**settings).fit(text, vocabulary=Vocabulary(words))
    flat = [word for document in text for word in document]
    counted = Vocabulary(words, [flat.count(word) for word in words])
    assert model.vocabulary == counted
    assert_array_equal(model.vectors.matrix, FastText(**settings).fit(text, vocabulary=counted).vectors.matrix)


# ---------------------------------------------------------------------------------------------- progress and callbacks


def test_progress_tells_of_reading_and_of_each_epoch() -> None:
    reports: list[Progress] = []
    model = FastText(**{**SMALL, "epochs": 4}).fit(text_of_stems(0), progress=reports.append)
    training = [report for report in reports if report.stage == "training"]
    assert {report.stage for report in reports} >= {"reading", "training"}
    assert [report.epoch for report in training if report.done == report.epoch * 3600] == [1, 2, 3, 4]
    assert [report.loss for report in training if report.done == report.epoch * 3600] == model.losses
    assert (training[-1].done, training[-1].total) == (4 * 3600, 4 * 3600)
    assert training[-1].learning_rate == 0.0


@every_algorithm
def test_callbacks_see_the_vectors_as_they_are(algorithm: dict[str, Any], tmp_path: Path) -> None:
    seen: list[tuple[int, float, np.ndarray, np.ndarray, np.ndarray | None]] = []

    def on_epoch(model: FastText, epoch: int, loss: float) -> None:
        vectors = model.vectors
        seen.append((epoch, loss, vectors.matrix, vectors["unseen horses"], model.position_weights))
        assert model.losses == [entry[1] for entry in seen]
        assert len(vectors.most_similar("horsey", topn=3)) == 3
        model.save(tmp_path / f"epoch {epoch}")
        model.save(tmp_path / f"epoch {epoch}.bin", format="fasttext-bin")

    model = FastText(**{**SMALL, "epochs": 3}, **algorithm).fit(text_of_stems(0, 60), on_epoch=on_epoch)
    assert [(epoch, loss) for epoch, loss, *_ in seen] == list(enumerate(model.losses, 1))
    assert_array_equal(seen[2][2], model.vectors.matrix)
    assert_array_equal(seen[2][3], model.vectors["unseen horses"])
    for place in (2, 3):
        assert not np.array_equal(seen[0][place], seen[1][place])
    if "position_weights" in algorithm:
        assert not np.array_equal(seen[0][4], seen[1][4])
        assert_array_equal(seen[2][4], model.position_weights)
    for epoch, _, matrix, unseen, weights in seen:
        saved = FastText.load(tmp_path / f"epoch {epoch}")
        assert_array_equal(saved.vectors.matrix, matrix)
        assert_array_equal(saved.vectors["unseen horses"], unseen)
        assert saved.outputs.shape == model.outputs.shape
        if weights is not None:
            assert_array_equal(saved.position_weights, weights)
        assert_array_equal(WordVectors.load(tmp_path / f"epoch {epoch}.bin").matrix, matrix)
    assert_array_equal(saved.outputs, model.outputs)


def test_an_error_in_a_callback_is_raised_and_what_was_learned_stays() -> None:
    def on_epoch(model: FastText, epoch: int, loss: float) -> None:
        raise LookupError("stop here")

    model = FastText(**SMALL)
    with pytest.raises(LookupError, match="stop here"):
        model.fit(text_of_stems(0, 60), on_epoch=on_epoch)
    rates = {"epochs": 1, "min_learning_rate": 0.025}
    first = FastText(**{**SMALL, **rates}).fit(text_of_stems(0, 60))
    assert_array_equal(model.vectors.matrix, first.vectors.matrix)
    assert_array_equal(model.vectors["unseen horses"], first.vectors["unseen horses"])


# ------------------------------------------------------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"vector_size": 0}, ValueError, "FastText(vector_size=...) expected at least 1, got 0"),
        ({"subwords": "letters"}, ValueError, "FastText(subwords=...) expected one of characters, jamo; got 'letters'"),
        ({"min_ngram": -1}, ValueError, "FastText(min_ngram=...) expected at least 0, got -1"),
        ({"min_ngram": 2.5}, TypeError, "FastText(min_ngram=...) expected int"),
        ({"min_ngram": 4, "max_ngram": 3}, ValueError, "expected at most max_ngram, 3; got 4"),
        ({"max_ngram": 2}, ValueError, "expected at most max_ngram, 2; got 3"),
        ({"subwords": "jamo", "min_jamo": 6}, ValueError, "expected at most max_jamo, 5; got 6"),
        ({"num_buckets": -1}, ValueError, "FastText(num_buckets=...) expected at least 0, got -1"),
        ({"num_buckets": 2**31}, ValueError, "FastText(num_buckets=...) expected at most 2147483647"),
        ({"position_weights": 1}, TypeError, "FastText(position_weights=...) expected bool"),
        ({"position_weights": True}, ValueError, 'is for architecture="cbow"; skip-gram has no use for it'),
        (
            {"learning_rate": 0.01, "min_learning_rate": 0.02},
            ValueError,
            "expected at most learning_rate, 0.01; got 0.02",
        ),
        ({"bucket": 1000}, TypeError, "FastText has no setting 'bucket'"),
        ({"min_ngrams": 2}, TypeError, "no setting 'min_ngrams'. Did you mean min_ngram?"),
    ],
)
def test_wrong_settings(settings: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=re.escape(message)):
        FastText(**settings)


def test_learning_rates_are_those_of_facebooks_program() -> None:
    assert (FastText().config.first_learning_rate, FastText().config.last_learning_rate) == (0.05, 0.0)
    cbow = FastText(architecture="cbow", learning_rate=0.1).config
    assert_allclose((cbow.first_learning_rate, cbow.last_learning_rate), (0.1, 0.028))
    assert FastText(min_learning_rate=0.01).config.last_learning_rate == 0.01


def test_settings_go_by_name() -> None:
    with pytest.raises(TypeError, match="takes its settings by name, for example vector_size=100"):
        FastText(100)  # type: ignore[misc]
    shown = {name: parameter.default for name, parameter in inspect.signature(FastText).parameters.items()}
    assert shown == {field.name: field.default for field in dataclasses.fields(FastTextConfig)}


def test_an_untrained_model_has_no_words(tmp_path: Path) -> None:
    model = FastText()
    for attribute in ("vocabulary", "vectors", "outputs"):
        with pytest.raises(
            RuntimeError, match=r"FastText has no words yet: call fit\(corpus\) first, or FastText.load"
        ):
            getattr(model, attribute)
    with pytest.raises(RuntimeError, match="no words yet"):
        model.save(tmp_path / "nowhere")
    with pytest.raises(RuntimeError, match="no words yet"):
        model.continue_training(["a b"])
    assert not list(tmp_path.iterdir())
    assert not model.is_trained
    assert repr(model) == "<FastText: not trained, vector_size=100, skipgram>"
    assert repr(FastText(**SMALL).fit(["a b"])) == "<FastText: 2 words, vector_size=10, skipgram>"


@every_algorithm
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ([], "The corpus holds no words"),
        (["", " ", "..."], "The corpus holds no words"),
        (["a", "b", "a", "b"], "no two words side by side in one document"),
    ],
)
def test_nothing_to_learn_from(algorithm: dict[str, Any], text: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        FastText(**SMALL, **algorithm).fit(text)


def test_words_that_are_too_rare_or_too_few() -> None:
    with pytest.raises(ValueError, match="min_count"):
        FastText(**{**SMALL, "min_count": 5}).fit(["a b c"])
    with pytest.raises(ValueError, match="No word of the text is in the vocabulary"):
        FastText(**SMALL).fit(["a b c"], vocabulary=Vocabulary(["x", "y"], [1, 1]))
    with pytest.raises(ValueError, match="needs at least two words, got 1"):
        FastText(**SMALL, loss="hierarchical_softmax").fit(["a a a"])
    # One word can be learned about by negative sampling, if there is little to learn.
    assert FastText(**SMALL).fit(["a a a"]).vectors.words == ["a"]


@pytest.mark.parametrize("algorithm", WEIGHTED, ids=named)
def test_a_call_that_fails_leaves_the_model_as_it_was(algorithm: dict[str, Any], tmp_path: Path) -> None:
    model = FastText(**SMALL, **algorithm).fit(text_of_stems(0, 40))
    words, matrix, losses = model.vectors.words, model.vectors.matrix.copy(), list(model.losses)
    unseen, weights, outputs = model.vectors["horsing"], model.position_weights.copy(), model.outputs.copy()
    other = [["x", "y", "z"], ["z", "y"]]
    with pytest.raises(ValueError, match="epochs of at least 1, got 0"):
        model.continue_training(other, epochs=0)
    with pytest.raises(ValueError, match="read only once"):
        model.continue_training(iter(["x y z"]))
    with pytest.raises(ValueError, match="resume=True goes on from a checkpoint: say which"):
        model.fit(other, resume=True)
    with pytest.raises(ValueError, match="No word of the text is in the vocabulary"):
        model.fit(other, vocabulary=Vocabulary(["p"], [1]))
    if algorithm["loss"] == "hierarchical_softmax":
        with pytest.raises(ValueError, match="needs at least two words, got 1"):
            model.fit(["x x x"])
    with pytest.raises(FileNotFoundError, match="nothing to resume"):
        model.fit(other, checkpoint=tmp_path / "none", resume=True)
    damaged = tmp_path / "damaged"
    FastText(**SMALL, **algorithm).fit(other, checkpoint=damaged)
    (damaged / "state.safetensors").write_bytes(b"nothing")
    with pytest.raises(ValueError, match="not a sound safetensors file"):
        model.fit(other, checkpoint=damaged, resume=True)
    assert model.vectors.words == words
    assert_array_equal(model.vectors.matrix, matrix)
    assert_array_equal(model.vectors["horsing"], unseen)
    assert_array_equal(model.position_weights, weights)
    assert_array_equal(model.outputs, outputs)
    assert model.losses == losses
    model.save(tmp_path / "model")
    assert_array_equal(FastText.load(tmp_path / "model").vectors.matrix, matrix)
