"""The report: each figure by hand, or from a model whose cost is known."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

import daneo
from daneo.embeddings.compression.compressing import compress
from daneo.embeddings.compression.cost import measure_cost, spearman
from daneo.embeddings.compression.model_size import size_of
from daneo.embeddings.compression.word_samples import misspelt
from daneo.embeddings.subword_vectors import SubwordVectors
from daneo.embeddings.subwords.ngram_vectors import NgramVectors


def plain(matrix: np.ndarray) -> daneo.WordVectors:
    return daneo.WordVectors([f"w{number}" for number in range(len(matrix))], matrix)


def test_nothing_is_lost_where_nothing_changes(with_ngrams: SubwordVectors) -> None:
    _, report = compress(with_ngrams, storage="float32")
    kept, misspelt_words = report.words
    assert (kept.name, kept.num_words, misspelt_words.name) == ("kept words", 600, "misspelt words")
    for one in report.words:
        assert one.cosine == pytest.approx(1, abs=1e-6)
        assert one.pairs == pytest.approx(1, abs=1e-5)
        assert one.neighbours == pytest.approx(1, abs=0.001)


def test_figures_by_hand() -> None:
    old = plain(np.array([[1, 0], [0, 2], [3, 3]], np.float32))
    new = plain(np.array([[2, 0], [0, 1], [-1, 1]], np.float32))  # the third is turned by a right angle
    (kept,) = measure_cost(old, new, np.arange(3)).words
    assert kept.num_words == 3
    assert kept.cosine == pytest.approx(2 / 3)
    # Three words have all others as neighbours, which are the same whatever their order.
    assert kept.neighbours == 1
    # Cosines before: 0, 0.7, 0.7; after: 0, -0.7, 0.7.
    assert -1 < kept.pairs < 0.6


def test_neighbours_by_hand() -> None:
    # Twelve directions on a circle: the ten nearest of each are all but itself and the one across.
    angles = np.linspace(0, 2 * np.pi, 12, endpoint=False) + np.linspace(0, 0.1, 12)
    matrix = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    turned = np.roll(matrix, 3, axis=0)
    (same,), (moved,) = (measure_cost(plain(matrix), plain(other), np.arange(12)).words for other in (matrix, turned))
    assert same.neighbours == 1
    across = [int(np.argmin(matrix @ row)) for row in matrix]
    across_turned = [int(np.argmin(turned @ row)) for row in turned]
    differ = np.mean([one != other for one, other in zip(across, across_turned, strict=True)])
    assert moved.neighbours == pytest.approx(1 - differ / 10)


def test_words_are_compared_with_their_own_rows() -> None:
    rng = np.random.default_rng(0)
    matrix = rng.standard_normal((300, 8)).astype(np.float32)
    vocabulary = daneo.Vocabulary([f"w{number}" for number in range(300)], rng.permutation(300))
    smaller, report = compress(daneo.WordVectors(vocabulary, matrix), num_words=150, storage="float32")
    assert smaller.counts.min() == 150
    assert report.words[0].cosine == pytest.approx(1, abs=1e-6)
    assert report.words[0].neighbours == 1


def test_zero_vectors_are_left_out() -> None:
    old = plain(np.array([[1, 0], [0, 0], [0, 1]], np.float32))
    (kept,) = measure_cost(old, plain(np.array([[1, 0], [5, 5], [0, 1]], np.float32)), np.arange(3)).words
    assert (kept.num_words, kept.cosine) == (2, 1)


def test_fewer_ngrams_cost_more(with_ngrams: SubwordVectors) -> None:
    figures = [compress(with_ngrams, num_words=100, num_ngrams=most)[1].words for most in (1000, 400, 100, 10)]
    for kind in (1, 2):
        found = [[words[kind].cosine, words[kind].pairs, words[kind].neighbours] for words in figures]
        assert found == sorted(found, reverse=True)
    assert [words[1].name for words in figures] == ["dropped words"] * 4
    assert len({words[0] for words in figures}) == 1  # kept words do not depend on n-grams


def test_misspelt_words_are_swaps_that_nobody_knows(with_ngrams: SubwordVectors) -> None:
    found = list(misspelt(with_ngrams, np.random.default_rng(0)))
    sorted_letters = {"".join(sorted(word)) for word in with_ngrams.words}
    assert 300 < len(found) <= 600
    assert all(word not in with_ngrams and "".join(sorted(word)) in sorted_letters for word in found)


def test_similarities_before_and_after(tmp_path: Path, with_ngrams: SubwordVectors) -> None:
    words, rng = with_ngrams.words, np.random.default_rng(0)
    lines = [f"{words[i].upper()}\t{words[j]}\t{rng.uniform():.3f}" for i, j in rng.integers(0, 600, (80, 2)) if i != j]
    lines.append("neverseen\totherword\t0.5")
    path = tmp_path / "pairs.tsv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    smaller, report = compress(with_ngrams, num_words=500, num_ngrams=300, similarities=[str(path)])
    (one,) = report.similarities
    assert (one.name, one.num_pairs, one.num_left_out) == ("pairs.tsv", len(lines), 0)
    for vectors, figure in ((with_ngrams, one.spearman_before), (smaller, one.spearman_after)):
        scores, judged = [], []
        for line in lines:
            a, b, score = line.split("\t")
            a = a.lower() if a.lower() in with_ngrams else a
            scores.append(float(vectors.similarity(a, b)))
            judged.append(float(score))
        assert figure == pytest.approx(spearman(np.array(judged), np.array(scores)), abs=1e-4)
    assert one.share == one.spearman_after / one.spearman_before


def test_similarities_of_plain_vectors_leave_out_dropped_words(tmp_path: Path) -> None:
    path = tmp_path / "pairs.tsv"
    path.write_text("w0 w1 3\nw1 w2 2\nw0 w2 1\nw0 w3 5\nw0 nobody 5\n", encoding="utf-8")
    vectors = plain(np.array([[1, 0], [1, 1], [0, 1], [1, 2]], np.float32))
    (found,) = compress(vectors, num_words=3, storage="float32", similarities=[path])[1].similarities
    assert (found.num_pairs, found.num_left_out) == (3, 2)
    assert found.spearman_before == found.spearman_after
    assert found.spearman_before == pytest.approx(0.8660254)  # cosines 0.7, 0.7, 0: ranks 2.5, 2.5, 1 against 3, 2, 1
    (nothing,) = compress(vectors, num_words=1, storage="float32", similarities=[path])[1].similarities
    assert (nothing.num_pairs, nothing.num_left_out) == (0, 5)
    assert np.isnan(nothing.spearman_before)


def test_spearman_is_scipys_and_says_when_there_is_none() -> None:
    stats = pytest.importorskip("scipy.stats")
    one, other = np.random.default_rng(0).standard_normal((2, 30))
    assert spearman(one, other) == pytest.approx(stats.spearmanr(one, other).statistic)
    assert np.isnan(spearman(one, np.ones(30)))
    assert np.isnan(spearman(one[:1], other[:1]))
    assert np.isnan(spearman(one[:0], other[:0]))


def test_sizes_by_hand(with_ngrams: SubwordVectors) -> None:
    size = size_of(plain(np.zeros((3, 5), np.float32)))
    strings = 3 * sys.getsizeof("w0") + sum(map(sys.getsizeof, range(3)))
    containers = sys.getsizeof(["w0", "w1", "w2"]) + sys.getsizeof({"w0": 0, "w1": 1, "w2": 2})
    assert size.memory_bytes == pytest.approx(3 * 5 * 4 + 3 * 8 + strings + containers, abs=200)
    assert size.file_bytes == 3 * 5 * 4 + len("w0\t0\nw1\t0\nw2\t0\n")
    means = size_of(with_ngrams)  # own rows and n-grams, not what is made of them
    assert means.num_ngrams == len(with_ngrams.ngrams)
    arrays = (600 + means.num_ngrams) * 12 * 4 + means.num_ngrams * 4
    text = sum(len(f"{word}\t{count}\n") for word, count in zip(with_ngrams.words, with_ngrams.counts, strict=True))
    assert (means.row_bytes, means.file_bytes) == (arrays, arrays + text)
    dense = NgramVectors(with_ngrams.ngrams.subwords, np.zeros((3000, 12), np.float32))
    assert size_of(SubwordVectors(["a"], np.zeros((1, 12)), dense)).file_bytes == 3001 * 48 + len("a\t0\n")


def test_the_report_is_a_table(with_ngrams: SubwordVectors, tmp_path: Path) -> None:
    (tmp_path / "pairs.tsv").write_text("a b 1\nb c 2\nc d 3\n", encoding="utf-8")
    _, report = compress(with_ngrams, num_words=300, num_ngrams=400, similarities=[tmp_path / "pairs.tsv"])
    lines = str(report).splitlines()
    assert lines[1].split() == ["words", "600", "300", "50.0%"]
    assert lines[2].split()[:5] == ["rows", "of", "n-grams", f"{len(with_ngrams.ngrams):,}", "400"]
    assert lines[3].split()[:3] == ["bytes", "of", "rows"]
    assert lines[8].split()[:3] == ["kept", "words", "300"]
    assert [line.split()[0] for line in lines[9:11]] == ["dropped", "misspelt"]
    assert lines[13].split()[:2] == ["pairs.tsv", "3"]
    assert max(map(len, lines)) < 80
