"""FastText against Facebook's program: both go on from one model, and change it alike.

With hierarchical softmax, windows of one word, no sub-sampling and one size of step, nothing is left to chance in
Facebook's program. What differs is the order of the steps, and that we take a word's mean once for many words of the
text: with small steps neither matters. And Facebook's looks the sigmoid up in a table of 512 entries.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np

from daneo.embeddings import FastText
from daneo.embeddings.formats.fasttext_file import read_fasttext

from .formats.facebook_models import package

RATE = 0.005
# Of the largest change; the table of the sigmoid is wrong by up to a sixty-fourth.
TOLERANCE = 0.02
WORDS = ["walking", "walked", "talks", "baker", "sea"]


def theirs(folder: Path, text: str, rate: float, architecture: str) -> Path:
    """Facebook's model after one epoch in which all steps have the same size."""
    (folder / "text.txt").write_text(text)
    num_tokens = len(text.split()) + text.count("\n")
    model = package().train_unsupervised(
        str(folder / "text.txt"), model=architecture, loss="hs", lr=rate, epoch=1, dim=8, ws=1, t=1, minCount=1,
        minn=3, maxn=4, bucket=3000, thread=1, lrUpdateRate=num_tokens - 1, verbose=0,
    )  # fmt: skip
    model.save_model(str(folder / f"{rate}.bin"))
    return folder / f"{rate}.bin"


def check_changes(folder: Path, text: str, documents: list[list[str]], architecture: str) -> None:
    start, end = (theirs(folder, text, rate, architecture) for rate in (1e-30, RATE))
    before, after = read_fasttext(start), read_fasttext(end)
    assert before.words == after.words
    model = FastText.load(start)
    settings: dict[str, Any] = {"learning_rate": RATE, "min_learning_rate": RATE, "sample": 0.0, "num_threads": 1}
    model.config = dataclasses.replace(model.config, **settings)
    vectors = model.continue_training(documents, epochs=1).vectors
    ours = np.vstack([vectors.rows.own, vectors.ngrams.rows])
    change = np.asarray(after.inputs) - before.inputs
    assert (np.abs(change).max(axis=1) > 0).sum() > 20
    np.testing.assert_allclose(ours - before.inputs, change, rtol=0, atol=TOLERANCE * np.abs(change).max())
    # At an inner node we ask for the other child: signs are turned around. Their last row is nobody's.
    outputs = -np.asarray(after.outputs)[:-1]
    np.testing.assert_allclose(model.outputs, outputs, rtol=0, atol=TOLERANCE * np.abs(outputs).max())


def test_skipgram_learns_as_facebooks(tmp_path: Path) -> None:
    # Counts so far apart that there is one Huffman tree only, that of the end of line included.
    rng = np.random.default_rng(1)
    words = rng.permutation(np.repeat(WORDS, [300, 40, 16, 7, 3])).tolist()
    documents = [words[start : start + 183] for start in range(0, 366, 183)]
    check_changes(
        tmp_path, "".join(" ".join(words) + "\n" for words in documents), [[*words, "</s>"] for words in documents],
        "skipgram",
    )  # fmt: skip


def test_cbow_learns_as_facebooks(tmp_path: Path) -> None:
    # Facebook's mean is over all parts of all contexts; it is the mean of their means where all have as many parts.
    rng = np.random.default_rng(2)
    words = ["".join(rng.choice(list("abcdefg"), 4)) for _ in range(5)]
    text = rng.permutation(np.repeat(words, [300, 40, 16, 7, 3])).tolist()
    check_changes(tmp_path, " ".join(text), [text], "cbow")  # no end of line
