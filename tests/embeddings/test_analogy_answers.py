"""Answers to analogy questions against the definition, with ties, words alike, and rows that are not finite."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daneo.embeddings import row_blocks
from daneo.embeddings.analogy_answers import answer_analogies
from daneo.embeddings.row_blocks import RowBlocks

# Along the axes every cosine is -1, 0 or 1, in float32 as on paper, so that ties are ties.
AXES = [[1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -2, 0], [0, 0, 3], [0, 0, 0]]
BROKEN = [[np.nan, 0, 0], [0, np.inf, 0]]


def definition(matrix: np.ndarray, question: list[int], same_word: list[int], multiply: bool) -> int:
    """The first row of the greatest score among those that are finite and not like a word of the question."""
    best, answer = -np.inf, -1
    for row, vector in enumerate(matrix):
        if same_word[row] in question or not np.isfinite(vector).all():
            continue
        length = max(np.linalg.norm(vector), 1e-9)
        a, b, c = (vector @ matrix[term] / length / max(np.linalg.norm(matrix[term]), 1e-9) for term in question)
        score = (1 + b) * (1 + c) / 4 / ((1 + a) / 2 + 1e-6) if multiply else b - a + c
        if score > best + 1e-9 and not (multiply and score == 0):
            best, answer = score, row
    return answer


@st.composite
def question_sets(draw):
    rows = draw(st.lists(st.sampled_from(AXES + BROKEN), min_size=1, max_size=30))
    same_word = [row if draw(st.booleans()) else draw(st.integers(0, row)) for row in range(len(rows))]
    same_word = [same_word[first] if same_word[first] == first else row for row, first in enumerate(same_word)]
    askable = [row for row in range(len(rows)) if same_word[row] == row and np.isfinite(rows[row]).all()]
    one = st.lists(st.sampled_from(askable), min_size=3, max_size=3) if askable else st.nothing()
    questions = draw(st.lists(one, max_size=8)) if askable else []
    return np.array(rows, dtype=np.float32), questions, same_word


@given(question_sets(), st.booleans())
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.filterwarnings("error")
def test_answers_are_those_of_the_definition(monkeypatch: pytest.MonkeyPatch, asked, multiply: bool) -> None:
    monkeypatch.setattr(row_blocks, "_CHUNK", 4)
    monkeypatch.setattr(row_blocks, "_SCORE_BYTES", 1)
    matrix, questions, same_word = asked
    numbers = np.array(questions, dtype=np.int64).reshape(-1, 3)
    got = answer_analogies(RowBlocks(matrix), numbers, np.array(same_word), multiply=multiply)
    assert got.tolist() == [definition(matrix, question, same_word, multiply) for question in questions]


def test_nothing_asked() -> None:
    blocks = RowBlocks(np.ones((3, 2), dtype=np.float32))
    assert answer_analogies(blocks, np.empty((0, 3), dtype=np.int64), np.arange(3), multiply=False).tolist() == []
