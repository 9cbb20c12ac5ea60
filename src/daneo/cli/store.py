"""``daneo info``: what a file or directory holds, ours or another tool's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from daneo.cli.ask import load_vectors
from daneo.cli.terminal import JsonFlag, print_json, print_table

app = typer.Typer()


@app.command(
    epilog="""\b
Examples:
  daneo info vectors/
  daneo info glove.6B.50d.txt --json
"""
)
def info(
    path: Annotated[
        Path, typer.Argument(metavar="PATH", help="Word vectors or a classifier in any format that we read, or counts.")
    ],
    json: JsonFlag = False,
) -> None:
    """Say what a model holds and how it came about."""
    from daneo.embeddings import formats

    kind = _kind(path) if path.is_dir() else None
    format = "daneo" if kind in _FACTS_OF_KIND else formats.recognise(path)
    files = [one for one in path.rglob("*") if one.is_file()] if path.is_dir() else [path]
    facts = {"path": str(path), "format": format, "bytes": sum(one.stat().st_size for one in files)}
    if kind in _FACTS_OF_KIND:
        facts |= _FACTS_OF_KIND[kind](path)
    else:
        facts |= _facts_of_model(path) if format == "fasttext-bin" else _facts_of_vectors(path, format)
    if json:
        print_json(facts)
    else:
        print_table(["", ""], _flat(facts))


def _kind(path: Path) -> str | None:
    """What a directory of ours says that it is."""
    from daneo.embeddings.formats.daneo_directory import read_config

    return read_config(path, None).get("kind")


def _facts_of_counts(path: Path) -> dict[str, Any]:
    """What a directory of counted pairs holds."""
    from daneo.cli.cooccur import facts
    from daneo.corpus import Cooccurrences

    return {"kind": "cooccurrences", **facts(Cooccurrences.open(path))}


def _facts_of_classifier(path: Path) -> dict[str, Any]:
    """What a directory of a classifier holds."""
    from daneo.embeddings.formats.daneo_directory import read_config
    from daneo.models import FastTextClassifier

    model, config = FastTextClassifier.load(path), read_config(path, None)
    return {
        "kind": config["kind"],
        "words": len(model.words),
        "first_words": model.words[:10],
        "labels": len(model.labels),
        "first_labels": model.labels[:10],
        **{key: config[key] for key in ("settings", "training") if key in config},
    }


def _facts_of_sparse(path: Path) -> dict[str, Any]:
    """What a directory of sparse rows alone holds."""
    from daneo.embeddings import SparseVectors
    from daneo.embeddings.formats.daneo_directory import read_config

    vectors, config = SparseVectors.load(path), read_config(path, None)
    return {
        "kind": config["kind"],
        "words": len(vectors),
        "numbers": vectors.rows.num_stored,
        "first_words": vectors.words[:10],
        **{key: config[key] for key in ("settings", "training") if key in config},
    }


def _facts_of_index(path: Path) -> dict[str, Any]:
    """What the directory of an index says of it; whether it is of certain vectors is checked when they ask it."""
    from daneo.embeddings.formats.daneo_directory import read_config

    config = read_config(path, None)
    return {key: config[key] for key in ("kind", "settings", "measured") if key in config}


_FACTS_OF_KIND: dict[str | None, Callable[[Path], dict[str, Any]]] = {
    "fasttext-classifier": _facts_of_classifier,
    "cooccurrences": _facts_of_counts,
    "sparse-vectors": _facts_of_sparse,
    "neighbour-index": _facts_of_index,
}


def _facts_of_vectors(path: Path, format: str) -> dict[str, Any]:
    """What word vectors say of themselves; a directory also says how they came about."""
    from daneo.embeddings.conversion_losses import storage_of
    from daneo.embeddings.formats.daneo_directory import read_config

    vectors = load_vectors(path)
    config = read_config(path) if format == "daneo" else {}
    return {
        "words": len(vectors),
        "vector_size": vectors.vector_size,
        "storage": storage_of(vectors.rows),
        "first_words": vectors.words[:10],
        **{key: value for key, value in config.items() if key not in ("format", "version", "kind")},
    }


def _facts_of_model(path: Path) -> dict[str, Any]:
    """What a model file of fastText's holds: its settings, and labels where it is a classifier."""
    from daneo.embeddings.conversion_losses import storage_of
    from daneo.embeddings.formats.fasttext_file import read_fasttext

    model = read_fasttext(path, errors="replace")
    labels = {"labels": len(model.labels), "first_labels": model.labels[:10]} if model.labels else {}
    pruned = {} if model.pruned is None else {"kept": len(model.pruned)}
    return {
        "words": len(model.words),
        "vector_size": model.vector_size,
        "storage": storage_of(model.inputs),
        "first_words": model.words[:10],
        **labels,
        "file_version": model.version or "of 2016, without a number",
        "settings": {
            "architecture": model.model,
            **{
                name: getattr(model, name)
                for name in ("loss", "window", "min_count", "negative", "sample", "epochs", "word_ngrams")
            },
        },
        "subwords": {
            "kind": "characters",
            **{name: getattr(model, name) for name in ("min_ngram", "max_ngram", "num_buckets")},
            **pruned,
        },
        "training": {"num_tokens": model.num_tokens},
    }


def _flat(facts: dict[str, Any]) -> list[tuple[str, str | int]]:
    """Spread nested settings over lines: ``settings: {window: 5}`` -> ``("settings.window", 5)``."""
    rows: list[tuple[str, str | int]] = []
    for name, value in facts.items():
        if isinstance(value, dict):
            rows += _flat({f"{name}.{key}": inner for key, inner in value.items()})
        else:
            rows.append((name, _short(value)))
    return rows


def _short(value: Any) -> str | int:
    if isinstance(value, list):
        between = "; " if any(isinstance(one, list) for one in value) else ", "
        return between.join(str(_short(one)) for one in value)
    if isinstance(value, float):
        return f"{value:.5g}"
    return value if isinstance(value, int) and not isinstance(value, bool) else str(value)
