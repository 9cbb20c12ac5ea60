"""Vectors that several tests ask, and the same ones as gensim holds them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from daneo.embeddings import WordVectors


@pytest.fixture(scope="session")
def to_gensim() -> Callable[[WordVectors], Any]:
    return as_gensim


def as_gensim(vectors: WordVectors) -> Any:
    """gensim's KeyedVectors with the same words and rows."""
    keyed = pytest.importorskip("gensim.models").KeyedVectors(vectors.vector_size)
    keyed.add_vectors(vectors.words, np.array(vectors.matrix))
    return keyed


@pytest.fixture(scope="module")
def vectors() -> WordVectors:
    """500 words `w0` to `w499` with random vectors of different lengths."""
    rng = np.random.default_rng(0)
    matrix = rng.standard_normal((500, 20)) * rng.uniform(0.2, 5, (500, 1))
    return WordVectors([f"w{i}" for i in range(500)], matrix)


@pytest.fixture(scope="module")
def keyed(vectors: WordVectors) -> Any:
    return as_gensim(vectors)
