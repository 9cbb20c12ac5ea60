"""States to outputs: models that answer."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from daneo.models.classification_result import ClassificationResult, LabelResult
    from daneo.models.fasttext_classifier import FastTextClassifier
    from daneo.models.labelled_texts import read_labelled

__all__ = ["ClassificationResult", "FastTextClassifier", "LabelResult", "read_labelled"]

_HOMES = {
    "ClassificationResult": "daneo.models.classification_result",
    "FastTextClassifier": "daneo.models.fasttext_classifier",
    "LabelResult": "daneo.models.classification_result",
    "read_labelled": "daneo.models.labelled_texts",
}


def __getattr__(name: str) -> object:
    """Import a public name from its home when it is first used."""
    if name not in _HOMES:
        raise AttributeError(f"module 'daneo.models' has no attribute {name!r}. It offers: {', '.join(_HOMES)}.")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
