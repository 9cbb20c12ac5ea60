"""Models that put labels on texts, opened by what they are."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from daneo.embeddings.formats.daneo_directory import read_config

if TYPE_CHECKING:
    from daneo.models.fasttext_classifier import FastTextClassifier


def load_classifier(path: str | os.PathLike[str]) -> FastTextClassifier:
    """Open a classifier: a directory, by the kind that its config.json says; or a file of Facebook's program.

    Raises
    ------
    FileNotFoundError
        There is nothing at `path`, or a file of the directory is missing.
    ValueError
        It is damaged, or holds something that predicts no labels.
    """
    from daneo.models.fasttext_classifier import FastTextClassifier
    from daneo.models.fasttext_classifier_files import KIND

    if os.path.isdir(path):
        kind = read_config(path, None).get("kind")
        if kind != KIND:
            raise ValueError(
                f"{os.fspath(path)} holds {kind!r}, which predicts no labels. Expected a model that "
                "`daneo train fasttext-classifier` wrote."
            )
    return FastTextClassifier.load(path)
