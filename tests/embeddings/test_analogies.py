"""Analogy files: reading, answering, counting; the same counts as gensim's on the same vectors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from daneo.embeddings import AnalogyResult, AnalogySection, WordVectors, row_blocks

FAMILY = ["man", "woman", "king", "queen", "boy", "girl", "apple", "Queen"]
FAMILY_ROWS = [[1, 0, 0], [1, 1, 0], [1, 0, 1], [1, 1, 1], [1, 0, -1], [1, 1, -1], [-3, 0, 0.1], [1, 1, 0.9]]
QUESTIONS = """\
: family
man woman king queen
MAN woman Boy girl
king queen man apple
# a comment

king queen man uncle
: gram1-made-up
boy girl king QUEEN
: empty
"""


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    path = tmp_path / "questions.txt"
    path.write_text(QUESTIONS, encoding="utf-8")
    return path


def family() -> WordVectors:
    return WordVectors(FAMILY, FAMILY_ROWS)


def counts(section: AnalogySection) -> tuple[str, int, int, int]:
    return section.name, section.correct, section.total, section.left_out


def test_hand_worked(questions: Path) -> None:
    result = family().evaluate_analogies(questions)
    assert [counts(section) for section in result.sections] == [
        ("family", 2, 3, 1),
        ("gram1-made-up", 1, 1, 0),
        ("empty", 0, 0, 0),
    ]
    assert counts(result.semantic) == ("semantic", 2, 3, 1)
    assert counts(result.syntactic) == ("syntactic", 1, 1, 0)
    assert counts(result.total) == ("total", 3, 4, 1)
    assert result.accuracy == result.total.accuracy == 0.75
    assert np.isnan(result.sections[2].accuracy)


def test_table(questions: Path) -> None:
    assert str(family().evaluate_analogies(questions)).splitlines() == [
        "section        accuracy  correct    tried  left out",
        "family            66.7%        2        3         1",
        "gram1-made-up    100.0%        1        1         0",
        "empty                 -        0        0         0",
        "semantic          66.7%        2        3         1",
        "syntactic        100.0%        1        1         0",
        "total             75.0%        3        4         1",
    ]


def test_case_can_matter(questions: Path) -> None:
    result = family().evaluate_analogies(questions, case_insensitive=False)
    assert counts(result.sections[0]) == ("family", 1, 2, 2)
    assert counts(result.sections[1]) == ("gram1-made-up", 0, 0, 1)


def test_restricting_the_words_leaves_questions_out(questions: Path) -> None:
    assert counts(family().evaluate_analogies(questions, restrict_vocab=4).total) == ("total", 1, 1, 4)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("method", ["3cosadd", "3cosmul"])
def test_broken_rows_neither_ask_nor_answer(questions: Path, method: str) -> None:
    table = family()
    table.add_vectors(["hole", "pit", "void"], [[np.nan] * 3, [np.inf, 0, 0], [0, 0, 0]])
    assert table.evaluate_analogies(questions, method=method) == family().evaluate_analogies(questions, method=method)
    table["king"] = [np.nan] * 3
    assert counts(table.evaluate_analogies(questions).total) == ("total", 1, 1, 4)


def test_a_word_like_one_of_the_question_is_no_answer(tmp_path: Path) -> None:
    path = tmp_path / "questions.txt"
    path.write_text(": s\nman woman king queen\n", encoding="utf-8")
    table = WordVectors(
        ["man", "woman", "king", "KING", "King", "queen"], [*FAMILY_ROWS[:3], [1, 1, 1], [1, 1, 1], [1, 1, 0.9]]
    )
    assert table.evaluate_analogies(path).accuracy == 1
    assert table.evaluate_analogies(path, case_insensitive=False).accuracy == 0


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("a b c d\n", r'line 1: expected a section line such as ": family" before the first question'),
        (": s\na b c d\na b c\n", r"line 3: expected four words, got 'a b c'"),
        (": s\na b c d e\n", r"line 2: expected four words"),
        (": s\n", "holds no analogy questions"),
        ("", "holds no analogy questions"),
    ],
)
def test_damaged_files(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "questions.txt"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=complaint):
        family().evaluate_analogies(path)


def test_other_wrong_input(tmp_path: Path) -> None:
    path = tmp_path / "questions.txt"
    path.write_bytes(b": s\n\xff b c d\n")
    with pytest.raises(ValueError, match=r"not UTF-8 \(byte 4\)"):
        family().evaluate_analogies(path)
    with pytest.raises(FileNotFoundError):
        family().evaluate_analogies(tmp_path / "nowhere")
    with pytest.raises(ValueError, match="3cosadd or 3cosmul, got 'cosmul'"):
        family().evaluate_analogies(path, method="cosmul")


def test_bom_and_windows_line_ends(tmp_path: Path, questions: Path) -> None:
    path = tmp_path / "windows.txt"
    path.write_bytes(("\ufeff" + QUESTIONS).replace("\n", "\r\n").encode())
    assert family().evaluate_analogies(path) == family().evaluate_analogies(questions)


def set_words(path: Path) -> list[str]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return sorted({word for line in lines if not line.startswith(":") for word in line.split()})


def spelled_vectors(words: list[str], seed: int) -> WordVectors:
    """A word's vector is the sum of its letters' and noise, so that walk - walking is about talk - talking.

    A tenth of the words is missing, a seventh comes in a second spelling.
    """
    rng = np.random.default_rng(seed)
    kept = [word for word in words if rng.random() < 0.9]
    kept += [word.swapcase() for word in kept[::7] if word.swapcase() != word]
    rng.shuffle(kept)
    letters = {letter: rng.standard_normal(12) for letter in sorted(set("".join(kept)))}
    rows = [sum(letters[letter] for letter in word) + rng.normal(0, 0.3, 12) for word in kept]
    return WordVectors(kept, np.array(rows, dtype=np.float32))


@pytest.mark.parametrize("name", ["questions-words.txt", "word_analogy_korean.txt"])
@pytest.mark.parametrize("method", ["3cosadd", "3cosmul"])
@pytest.mark.filterwarnings("ignore:Call to deprecated")
def test_counts_equal_gensims(
    shared_data: Path, tmp_path: Path, to_gensim, monkeypatch, name: str, method: str
) -> None:
    monkeypatch.setattr(row_blocks, "_CHUNK", 128)
    monkeypatch.setattr(row_blocks, "_SCORE_BYTES", 1)  # blocks of one chunk
    everything = (shared_data / "evaluation" / name).read_text(encoding="utf-8").splitlines()
    path = tmp_path / name
    path.write_text("\n".join(line for i, line in enumerate(everything) if line.startswith(":") or i % 7 == 0), "utf-8")
    table = spelled_vectors(set_words(path), seed=1)
    keyed = to_gensim(table)
    every_option = [{}, {"restrict_vocab": 700}, {"case_insensitive": False}]
    if method == "3cosmul":
        # gensim 4.4 asks most_similar whatever similarity_function says, and its cosmul knows no restriction.
        keyed.most_similar = keyed.most_similar_cosmul
        every_option.remove({"restrict_vocab": 700})
    for options in every_option:
        result = table.evaluate_analogies(path, method=method, **options)
        accuracy, sections = keyed.evaluate_word_analogies(path, **options)
        ours = [(section.name, section.correct, section.total) for section in [*result.sections, result.total]]
        theirs = [
            (one["section"], len(one["correct"]), len(one["correct"]) + len(one["incorrect"])) for one in sections
        ]
        assert ours[:-1] == theirs[:-1]
        assert ours[-1][1:] == theirs[-1][1:]
        assert result.accuracy == accuracy
        assert 0.02 < result.accuracy < 1
        assert result.total.left_out > 0


def test_semantic_and_syntactic_sections_of_both_sets(shared_data: Path) -> None:
    for name, semantic, syntactic in (("questions-words.txt", 8869, 10675), ("word_analogy_korean.txt", 5000, 5000)):
        path = shared_data / "evaluation" / name
        result = spelled_vectors(set_words(path)[:50], 1).evaluate_analogies(path)
        assert isinstance(result, AnalogyResult)
        for part, size in ((result.semantic, semantic), (result.syntactic, syntactic)):
            assert part.total + part.left_out == size
