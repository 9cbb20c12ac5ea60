"""Labelled texts that can be learned, and Facebook's program as the oracle."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Texts = tuple[list[str], list[str]]

WORDS = {
    "sea": ["wave", "salt", "ship", "harbour", "deep", "fish", "tide", "sail", "바다", "파도"],
    "sky": ["cloud", "wing", "high", "bird", "wind", "star", "moon", "fly", "하늘", "구름"],
    "soil": ["root", "seed", "field", "plough", "worm", "clay", "stone", "grow", "땅", "씨앗"],
    "fire": ["smoke", "spark", "burn", "ash", "heat", "flame", "coal", "torch", "불", "연기"],
}
COMMON = ["the", "a", "of", "and", "in", "on", "with", "is", "it", "는", "이", "가"]


def labelled_texts(num_texts: int, seed: int) -> Texts:
    """Texts of common words and of words that mostly belong to their label; some labels come more often."""
    draw = random.Random(seed)
    texts, labels = [], []
    for _ in range(num_texts):
        label = draw.choice(["sea", "sea", "sea", "sky", "sky", "soil", "fire"])
        words = [draw.choice(WORDS[label if draw.random() < 0.8 else draw.choice([*WORDS])]) for _ in range(3)]
        words += draw.choices(COMMON, k=draw.randint(1, 5))
        draw.shuffle(words)
        texts.append(" ".join(words))
        labels.append(label)
    return texts, labels


@pytest.fixture(scope="session")
def train_texts() -> Texts:
    return labelled_texts(600, 1)


@pytest.fixture(scope="session")
def test_texts() -> Texts:
    return labelled_texts(300, 2)


@pytest.fixture(scope="session")
def train_file(train_texts: Texts, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("labelled") / "train.txt"
    lines = [f"__label__{label} {text}\n" for text, label in zip(*train_texts, strict=True)]
    path.write_text("".join(lines), encoding="utf-8")
    return path


class FacebookModel:
    """A supervised model of the fasttext package, whose own `predict` fails with NumPy 2."""

    def __init__(self, model: Any) -> None:
        self.model = model

    def predict(self, text: str, k: int, threshold: float = 0.0) -> list[tuple[str, float]]:
        found = self.model.f.predict(text + "\n", k, threshold, "strict")
        return [(label.removeprefix("__label__"), probability) for probability, label in found]

    def save(self, path: Path) -> Path:
        self.model.save_model(str(path))
        return path


@pytest.fixture(scope="session")
def facebook() -> Callable[..., FacebookModel]:
    """Train or open: ``facebook(path, epoch=5, ...)``, ``facebook(model=path)``."""
    fasttext = pytest.importorskip("fasttext", reason="needs the package fasttext as the oracle")
    fasttext.FastText.eprint = lambda *_: None

    def made(path: Path | None = None, *, model: Path | None = None, **settings: Any) -> FacebookModel:
        if model is not None:
            return FacebookModel(fasttext.load_model(str(model)))
        return FacebookModel(fasttext.train_supervised(input=str(path), thread=1, verbose=0, **settings))

    return made
