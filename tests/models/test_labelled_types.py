"""Labelled texts as numbers: files read by the kernels and lists of strings give the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daneo.models import labelled_types as module
from daneo.models.labelled_texts import read_labelled
from daneo.models.labelled_types import LabelledTypes, labelled_types


def spelled(found: LabelledTypes) -> list[tuple[list[str], list[str]]]:
    words = found.types.words(np.arange(len(found.types)))
    edges = np.append(0, found.types.ends)
    return [
        (
            [
                words[number]
                for number in found.types.ids[edges[i] : edges[i + 1]]
                if not words[number].startswith("__l")
            ],
            [found.names[number] for number in found.labels[found.starts[i] : found.starts[i + 1]]],
        )
        for i in range(len(found))
    ]


LINES = st.lists(
    st.lists(st.sampled_from(["__label__a", "__label__b", "x", "나라", "_"]), max_size=5).map(" ".join), max_size=9
)


@settings(max_examples=60, deadline=None)
@given(lines=LINES, ends_with_newline=st.booleans(), block=st.integers(3, 40))
def test_a_file_gives_the_same_by_kernels_and_by_strings(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str], ends_with_newline: bool, block: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "labelled.txt"
    text = "__label__a first\n" + "\n".join(lines) + "\n" * ends_with_newline
    path.write_text(text, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "BLOCK", block)  # so that lines are cut
        fast = labelled_types(path, None, "fasttext", "__label__")
    slow = labelled_types(*read_labelled(path, multilabel=True), "fasttext", "__label__")
    unique = [(words, list(dict.fromkeys(labels))) for words, labels in spelled(fast)]
    assert unique == spelled(slow)


def test_the_line_of_a_byte_that_is_not_utf8(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BLOCK", 20)
    path = tmp_path / "texts"
    path.write_bytes(b"__label__a good\n" * 7 + b"__label__b caf\xe9\n")
    with pytest.raises(ValueError, match="texts, line 8: the bytes e9 are not UTF-8"):
        labelled_types(path, None, "fasttext", "__label__")


def test_labels_are_renumbered_and_left_out() -> None:
    found = labelled_types(["x", "y", "z"], [["b"], ["a", "c"], []], "fasttext", "__label__")
    again = found.renumbered(["c", "b"])
    assert again.names == ["c", "b", "a"]
    assert [labels for _, labels in spelled(again)] == [["b"], ["a", "c"], []]
    fewer = again.without_others(2)
    assert [labels for _, labels in spelled(fewer)] == [["b"], ["c"], []]
    with pytest.warns(UserWarning, match="1 of 3 texts have no label and are left out"):
        kept = fewer.with_labels_only()
    assert spelled(kept) == [(["x"], ["b"]), (["y"], ["c"])]
    assert kept.with_labels_only() is kept


@pytest.mark.parametrize(
    ("texts", "labels", "message"),
    [
        (["a"], None, "Expected labels beside the texts"),
        (["a", "b"], ["x"], "got 1 labels and 2 texts"),
        (["a"], "x", "Expected a list of labels, got the str 'x'"),
        (["a"], [1], "Expected labels as a str for each text, or a list of str for each; got 1"),
        (["a"], [[1]], "Expected labels as str, got 1 .int."),
        (["a", "b"], ["x", ["y"]], "got 'x'"),
        ([b"a"], ["x"], "Expected texts as str, got b'a'"),
        ("path", ["x"], "Expected a list of texts beside labels, got 'path'"),
    ],
)
def test_what_is_no_labelled_text(texts: Any, labels: Any, message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        labelled_types(texts, labels, "fasttext", "__label__")


def test_a_label_without_a_name(tmp_path: Path) -> None:
    path = tmp_path / "texts"
    path.write_text("__label__a x\n__label__ y\n", encoding="utf-8")
    with pytest.raises(ValueError, match="a label has no name"):
        labelled_types(path, None, "fasttext", "__label__")
