"""How long the pieces are that FastText trains on, and that texts whose words are all alike are learned from."""

from __future__ import annotations

import random
import warnings

import numpy as np
import pytest

from daneo.embeddings import FastText
from daneo.embeddings.fasttext_parts import LONGEST_PIECE, SHORTEST_PIECE, parts_of, piece_size, pieces_of
from daneo.embeddings.subwords.subwords import Subwords
from daneo.embeddings.training_run import TrainingRun

WORDS = [f"word{number}" for number in range(50)]


def text(num_documents: int = 150) -> list[str]:
    draw = random.Random(1)
    return [" ".join(draw.choices(WORDS, k=20)) for _ in range(num_documents)]


@pytest.mark.parametrize("loss", ["negative_sampling", "hierarchical_softmax"])
@pytest.mark.parametrize("architecture", ["skipgram", "cbow"])
@pytest.mark.parametrize("ngrams", [(3, 6), (1, 2)])
def test_words_that_share_most_parts_do_not_make_training_diverge(
    architecture: str, loss: str, ngrams: tuple[int, int]
) -> None:
    # Pieces of 256 words make losses of thousands, of 2048 words infinite ones, from the first epoch on.
    model = FastText(
        vector_size=32, min_count=1, epochs=8, num_threads=1, architecture=architecture, loss=loss,
        min_ngram=ngrams[0], max_ngram=ngrams[1],
    ).fit(text())  # fmt: skip
    # The words of the text are drawn, so nothing is to be learned: a coin for each prediction is what is left.
    chance = (1 + 5) * np.log(2) if loss == "negative_sampling" else np.log2(50) * np.log(2)
    assert max(model.losses) < 1.5 * chance
    assert np.abs(model.vectors.matrix).max() < 2


def test_a_piece_is_as_long_as_what_words_share_allows() -> None:
    alike = parts_of(WORDS, Subwords(), num_threads=1)
    different = parts_of([chr(ord("a") + number) * 3 for number in range(26)], Subwords(), num_threads=1)
    assert piece_size(different, np.ones(26), 1.5) == (LONGEST_PIECE, 1)
    size, share = piece_size(alike, np.ones(50), 0.5)
    assert SHORTEST_PIECE < size < 100
    assert share == 1
    assert piece_size(alike, np.ones(50), 0.25)[0] == pytest.approx(2 * size, abs=1)
    # Where even the shortest piece is too long, parts get less.
    size, share = piece_size(alike, np.ones(50), 50.0)
    assert (size, piece_size(alike, np.ones(50), 100.0)[1] / share) == (SHORTEST_PIECE, pytest.approx(0.5))


def test_what_words_share_is_as_defined() -> None:
    # "aab" and "aac" share one part, <aa of <aa, aab, ab> and the own row, four in all. Of two words of the text, drawn
    # with f = (3/4, 1/4), each meets the other, which then changes 1/4 of its parts: (1/4, 3/4) of the time.
    parts = parts_of(["aab", "aac"], Subwords(min_ngram=3, max_ngram=3), num_threads=1)
    assert piece_size(parts, np.array([30.0, 10.0]), 2.0)[0] == int(10 / (2 * 2 * 3 / 4 / 4 / 4))
    # "aaaaa" has aaa three times, in six parts: a share of 6 / (1 + 1 + 9 + 1) = 1/2; "aaaa" twice, 5 / (3 + 4) = 5/7.
    # They also share <aa and aa>: 3 * 2 + 1 + 1 pairs. "aaaaa", so rare, has the larger gain, which alone matters here.
    parts = parts_of(["aaaaa", "aaaa"], Subwords(min_ngram=3, max_ngram=3), num_threads=1)
    np.testing.assert_allclose(parts.shares, [6 / 12, 5 / 7], rtol=1e-6)
    assert piece_size(parts, np.array([1.0, 99.0]), 1.0)[0] == pytest.approx(60 / (0.99 * 5 / 7 * 8 / 6), abs=1)


@pytest.mark.parametrize("share", [0.005, 0.02])
def test_words_that_repeat_a_letter_do_not_make_training_diverge(share: float) -> None:
    rng = np.random.default_rng(1)
    usual = [a + b for a in ("ka", "mo", "ti", "su", "re") for b in ("lan", "por", "dim", "vek")]
    laughs = ["ㅋ" * length for length in range(5, 41)]
    chances = np.concatenate([np.full(20, (1 - share) / 20), np.full(36, share / 36)])
    text = [" ".join(rng.choice(usual + laughs, 20, p=chances)) for _ in range(1500)]
    model = FastText(vector_size=32, min_count=1, epochs=2, sample=0.0, num_threads=1).fit(text)
    assert max(model.losses) < 1.2 * (1 + 5) * np.log(2)
    assert np.linalg.norm(model.vectors.matrix, axis=1).max() < 5


@pytest.mark.parametrize("lengths", [[0], [5], [3, 4, 5], [25], [25, 1, 9, 9, 9, 30]])
def test_pieces_are_all_of_the_text_in_order(lengths: list[int]) -> None:
    ends = np.cumsum(lengths, dtype=np.int64)
    pieces = list(pieces_of(ends, 10))
    assert all(stops[-1] <= 10 for _, stops in pieces)
    cut = [first + stop for first, stops in pieces for stop in stops.tolist()]
    assert set(ends.tolist()) <= set(cut)
    assert cut == sorted(cut)
    assert [first for first, _ in pieces] == [0, *(first + stops[-1] for first, stops in pieces[:-1])]


def test_a_loss_that_is_not_finite_stops_training(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TrainingRun, "_rate_at", lambda self, epoch, number: 1e9)
    with (
        warnings.catch_warnings(),
        pytest.raises(ValueError, match=r"Training has diverged: in epoch 1 the loss is (nan|inf)\. Train anew with a"),
    ):
        warnings.simplefilter("ignore")
        FastText(vector_size=16, min_count=1, epochs=1, num_threads=1).fit(text())
