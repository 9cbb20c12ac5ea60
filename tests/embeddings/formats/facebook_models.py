"""Small fastText models: made by Facebook's own package, or byte by byte."""

from __future__ import annotations

import functools
import struct
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

SYLLABLES = ["ka", "mi", "새", "ro", "é", "tun", "바", "x", "lo"]
TRAINED: dict[str, tuple[dict[str, Any], dict[str, Any] | None]] = {
    "skip-gram": ({"model": "skipgram", "minn": 2, "maxn": 4, "bucket": 211}, None),
    "cbow, hierarchical softmax": ({"model": "cbow", "loss": "hs", "minn": 3, "maxn": 3, "bucket": 50}, None),
    "single characters": ({"model": "skipgram", "minn": 1, "maxn": 2, "bucket": 30}, None),
    "no n-grams": ({"model": "skipgram", "maxn": 0, "bucket": 0}, None),
    "supervised": ({"wordNgrams": 2, "minn": 2, "maxn": 3, "bucket": 300}, None),
    "supervised, words alone": ({"loss": "hs"}, None),
    "one against all": ({"loss": "ova", "wordNgrams": 3, "bucket": 90}, None),
    "quantised": ({"wordNgrams": 2, "minn": 2, "maxn": 3, "bucket": 300}, {}),
    "pruned": ({"wordNgrams": 2, "minn": 2, "maxn": 3, "bucket": 300}, {"cutoff": 350, "qnorm": True, "dsub": 3}),
    "pruned to words": ({}, {"cutoff": 260, "dsub": 16}),
    "quantised outputs": ({"minn": 2, "maxn": 3, "bucket": 300, "labels": 300}, {"qout": True, "qnorm": True}),
}
UNSEEN = [
    "",
    "a",
    "ab",
    "unseenword",
    "쀍",
    "바다",
    "król",
    "two words",
    "kaka새ka",
    "é" * 40,
    "</s>",
    "__label__7",
    "\u00a0",
]


def text_of_labels(num_labels: int) -> str:
    """Lines of made-up words, each line with a label."""
    rng = np.random.default_rng(num_labels)
    words = ["".join(rng.choice(SYLLABLES, rng.integers(1, 5))) for _ in range(600)]
    lines = (" ".join(rng.choice(words, 6)) for _ in range(600))
    return "".join(f"__label__{rng.integers(num_labels)} {line}\n" for line in lines)


def package() -> Any:
    """Facebook's package, without what it prints when it loads a model."""
    fasttext = pytest.importorskip("fasttext")
    fasttext.FastText.eprint = lambda *_: None
    return fasttext


@functools.cache
def trained(kind: str) -> bytes:
    """The file of a model that Facebook's package trained: one of `TRAINED`."""
    fasttext = package()
    options, quantisation = TRAINED[kind]
    options = {"dim": 10, "epoch": 1, "thread": 1, "minCount": 1, "verbose": 0, **options}
    with tempfile.TemporaryDirectory() as folder:
        text = Path(folder) / "text.txt"
        content = text_of_labels(options.pop("labels", 3))
        if "model" in options:
            content = content.replace("__label__0", "nothing")  # others stay: words that are counted as labels
        text.write_text(content, encoding="utf-8")
        train = fasttext.train_unsupervised if "model" in options else fasttext.train_supervised
        model = train(str(text), **options)
        if quantisation is not None:
            model.quantize(str(text), **quantisation)
        model.save_model(f"{folder}/model")
        return (Path(folder) / "model").read_bytes()


def loaded(path: Path) -> Any:
    """A file as Facebook's package loads it."""
    return package().load_model(str(path))


def model_bytes(
    words: list[bytes],
    inputs: np.ndarray,
    outputs: np.ndarray,
    *,
    labels: tuple[bytes, ...] = (),
    version: int | None = 12,
    loss: int = 2,
    model: int = 2,
    num_buckets: int = 0,
    min_ngram: int = 2,
    max_ngram: int = 3,
) -> bytes:
    """A model that is not quantised, laid out by hand; counts fall from the number of entries to 1."""
    settings = (inputs.shape[1], 5, 6, 1, 7, 1, loss, model, num_buckets, min_ngram, max_ngram, 100)
    head = struct.pack("<12id", *settings, 0.25)
    size = len(words) + len(labels)
    dictionary = struct.pack("<3iq", size, len(words), len(labels), 99)
    entries = b"".join(
        word + b"\0" + struct.pack("<qb", size - row, row >= len(words)) for row, word in enumerate([*words, *labels])
    )
    dense = [struct.pack("<2q", *rows.shape) + rows.astype("<f4").tobytes() for rows in (inputs, outputs)]
    if version is None:
        return head + dictionary + entries + dense[0] + dense[1]
    signed = struct.pack("<2i", 793712314, version) + head
    return signed + dictionary + struct.pack("<q", -1) + entries + b"\0" + dense[0] + b"\0" + dense[1]
