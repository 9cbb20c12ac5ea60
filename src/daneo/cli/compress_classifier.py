"""``daneo compress`` for a classifier: fewer rows, fewer bytes, and what that costs on texts with labels."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from daneo.cli.terminal import print_json, print_note, print_table, program
from daneo.cli.training_session import check_output

if TYPE_CHECKING:
    from daneo.models import FastTextClassifier


def is_classifier(path: Path) -> bool:
    """Say whether a directory holds a classifier; a file of Facebook's could be opened as word vectors, too."""
    from daneo.embeddings.formats.daneo_directory import read_config
    from daneo.models.fasttext_classifier_files import KIND

    return (path / "config.json").is_file() and read_config(path, None).get("kind") == KIND


def compress_classifier(path: Path, output: Path, how: dict[str, Any], test: str | None, *, as_json: bool) -> None:
    """Write a smaller classifier, for Facebook's program if `output` ends in .ftz, and print the cost."""
    from daneo.models.fasttext_classifier_files import DIRECTORY_NAMES
    from daneo.models.model_kinds import load_classifier

    is_file = output.suffix in (".ftz", ".bin")
    if not is_file:
        check_output(output, DIRECTORY_NAMES)
    model = load_classifier(path)
    smaller = model.compressed(**how)
    smaller.save(output, format="fasttext-bin" if is_file else "daneo")
    figures = {
        "bytes": (_bytes(path), _bytes(output)),
        "words": (len(model.words), len(smaller.words)),
        **({} if test is None else _cost(model, smaller, test)),
    }
    if as_json:
        print_json({name: {"before": before, "after": after} for name, (before, after) in figures.items()})
        return
    rows = [(name, before, after, after / before if before else 0.0) for name, (before, after) in figures.items()]
    print_table(["", "before", "after", "share"], rows)
    print_note(f"Saved in {output}. Ask: {program()} predict {output} 'some text'")


def _cost(model: FastTextClassifier, smaller: FastTextClassifier, test: str) -> dict[str, tuple[float, float]]:
    before, after = model.test(test), smaller.test(test)
    return {name: (getattr(before, name), getattr(after, name)) for name in ("precision", "recall", "macro_f1")}


def _bytes(path: Path) -> int:
    files = path.iterdir() if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files)
