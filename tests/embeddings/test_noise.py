"""How often words are drawn as noise, and kept in the text."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from daneo.embeddings import noise
from daneo.embeddings.noise import keep_probabilities, noise_table


@pytest.fixture(autouse=True)
def small_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(noise, "SMALLEST_TABLE", 1000)


@given(
    counts=st.lists(st.integers(0, 10**9), min_size=1, max_size=500).filter(any),
    exponent=st.sampled_from([0.0, 0.5, 0.75, 1.0, -0.5, 3.0]),
)
@settings(deadline=None, max_examples=50)
def test_each_word_has_its_share_of_the_table(counts: list[int], exponent: float) -> None:
    table = noise_table(np.array(counts), exponent, seed=1)
    share = np.array([float(count) ** exponent if count else 0.0 for count in counts])
    expected = share / share.sum() * len(table)
    got = np.bincount(table, minlength=len(counts))
    assert np.abs(got - expected).max() <= 1 + 1e-6
    assert not got[np.array(counts) == 0].any()
    assert len(table) >= 4 * len(counts)
    assert table.dtype == np.int32


@pytest.mark.parametrize("exponent", [1000.0, -1000.0])
def test_any_exponent_makes_a_table(exponent: float) -> None:
    table = noise_table(np.array([0, 10**12, 7, 3, 3]), exponent, seed=1)
    counts = np.bincount(table, minlength=5)
    assert counts.tolist() == ([0, 1000, 0, 0, 0] if exponent > 0 else [0, 0, 0, 500, 500])


def test_the_order_comes_from_the_seed() -> None:
    counts = np.arange(1, 50)
    tables = [noise_table(counts, 0.75, seed) for seed in (1, 1, 2)]
    assert_array_equal(tables[0], tables[1])
    assert (tables[0] != tables[2]).mean() > 0.9
    assert_array_equal(np.sort(tables[0]), np.sort(tables[2]))


def test_the_table_is_shuffled() -> None:
    # Two words in turn or in blocks: of 999 neighbours in random order half differ, give or take 4 * 16.
    table = noise_table(np.array([1, 1]), 1.0, seed=1)
    assert abs(np.count_nonzero(np.diff(table)) - 500) < 64


def test_keep_probabilities_by_hand() -> None:
    # Shares 0.9, 0.09 and 0.01 at sample 0.01: 1/90 + sqrt(1/90), 1/9 + 1/3, and 2, which is 1.
    got = keep_probabilities(np.array([900, 90, 10]), 0.01)
    assert_allclose(got, [1 / 90 + (1 / 90) ** 0.5, 1 / 9 + 1 / 3, 1], rtol=1e-6)
    assert got.dtype == np.float32


def test_sample_0_keeps_all_and_so_does_a_word_without_a_count() -> None:
    assert keep_probabilities(np.array([900, 0]), 0.0).tolist() == [1, 1]
    assert keep_probabilities(np.array([10**9, 0]), 1e-9)[1] == 1
