"""Stretches: every word in exactly one, and no window across two documents."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from daneo.corpus import Corpus
from daneo.embeddings import text_stretches
from daneo.embeddings.text_stretches import TextStretches


class Documents:
    """Stands for an EncodedCorpus whose n-th word has the id n."""

    def __init__(self, lengths: list[int]) -> None:
        self.num_tokens = sum(lengths)
        self.offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)

    def tokens(self, start: int, stop: int) -> np.ndarray:
        assert 0 <= start <= stop <= self.num_tokens
        return np.arange(start, stop, dtype=np.int32)


# Empty ones, short ones, and ones that are longer than many stretches.
lengths = st.lists(st.one_of(st.integers(0, 3), st.integers(0, 30), st.integers(100, 400)), min_size=1, max_size=30)


@given(lengths.filter(sum))
@settings(deadline=None)
def test_every_word_is_in_one_stretch_and_documents_end_where_they_end(lengths: list[int]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_stretches, "SHORTEST", 20)
        patch.setattr(text_stretches, "LONGEST", 50)
        corpus = Documents(lengths)
        stretches = TextStretches(corpus)
    assert 20 <= stretches.size <= 50
    pieces = [stretches.read(number) for number in range(len(stretches))]
    assert_array_equal(np.concatenate([ids for ids, _ in pieces]), np.arange(corpus.num_tokens))

    document_ends = set(corpus.offsets[1:].tolist())
    cuts = set()
    for number, (ids, ends) in enumerate(pieces):
        start = stretches.start(number)
        assert len(ids) < 2 * stretches.size
        assert ends.dtype == np.int64
        assert ends.tolist() == sorted(set(ends.tolist()))
        if len(ids):
            assert (ids[0], ends[0] > 0, ends[-1]) == (start, True, len(ids))
        inside = {end for end in document_ends if start < end <= start + len(ids)}
        ended = {int(end) + start for end in ends}
        assert inside <= ended
        cuts |= ended - inside
    # Only documents longer than a stretch are ever cut.
    for first, last in pairwise(corpus.offsets.tolist()):
        assert last - first > stretches.size or not any(first < cut < last for cut in cuts)


def test_the_end_of_the_last_stretch_is_the_end_of_the_text() -> None:
    stretches = TextStretches(Documents([2500, 700]))
    assert [stretches.start(number) for number in range(len(stretches) + 2)] == [0, 1000, 2500, 3200, 3200, 3200]


@pytest.mark.parametrize(
    ("num_tokens", "size"), [(1, 1000), (64_000, 1000), (640_000, 10_000), (3_200_000, 50_000), (10**9, 50_000)]
)
def test_sizes(num_tokens: int, size: int) -> None:
    class Long(Documents):
        def __init__(self) -> None:
            self.num_tokens, self.offsets = num_tokens, np.array([0, num_tokens])

    assert TextStretches(Long()).size == size


def test_a_corpus_on_disk_is_read_through_its_stretches() -> None:
    rng = np.random.default_rng(0)
    documents = [[f"w{word}" for word in rng.integers(0, 50, length)] for length in rng.integers(0, 400, 60)]
    with Corpus(documents).encode(min_count=1) as corpus:
        stretches = TextStretches(corpus)
        assert len(stretches) > 5
        words = corpus.vocabulary.words
        got = []
        for number in range(len(stretches)):
            ids, ends = stretches.read(number)
            got += [[words[i] for i in part] for part in np.split(ids, ends[:-1]) if len(part)]
    assert got == [document for document in documents if document]


@pytest.mark.parametrize("num_tokens", [1, 1_000, 1_001, 2_000, 5_999, 64_000, 1_234_567])
def test_every_stretch_comes_once_and_neighbours_far_apart(num_tokens: int) -> None:
    with Corpus([["a"] * num_tokens]).encode(min_count=1) as encoded:
        stretches = TextStretches(encoded)
    order = [stretches.place(number) for number in range(len(stretches))]
    assert sorted(order) == list(range(len(stretches)))
    if len(stretches) > 10:
        assert np.abs(np.diff(order)).min() >= len(stretches) // 4
