"""``daneo convert`` and ``info``: files of word vectors, ours and other tools'."""

from __future__ import annotations

import shutil
import sys
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from daneo.cli.ask import load_vectors
from daneo.cli.terminal import JsonFlag, print_json, print_note, print_table

if TYPE_CHECKING:
    from daneo.embeddings import FastText, WordVectors
    from daneo.embeddings.rows import Rows

Format = Literal["daneo", "word2vec-text", "word2vec-binary", "glove-text", "fasttext-bin", "fasttext-vec"]
FORMAT_OF_SUFFIX: dict[str, Format] = {
    "": "daneo",
    ".txt": "word2vec-text",
    ".vec": "word2vec-text",
    ".bin": "word2vec-binary",
}

app = typer.Typer()


@app.command(
    epilog="""\b
Examples:
  daneo convert vectors/ vectors.bin
  daneo convert GoogleNews-vectors-negative300.bin.gz google/      opens in a blink from then on
  daneo convert vectors/ glove.txt.gz --format glove-text
  zcat cc.ko.300.vec.gz | daneo convert - korean/
  daneo convert vectors/ - | head -n 3
  daneo convert cc.ko.300.bin korean/                            words and n-grams
  daneo convert korean/ korean.bin                               fastText's format again
"""
)
def convert(
    source: Annotated[
        Path, typer.Argument(metavar="IN", help="Word vectors in any format, known by content; - is standard input.")
    ],
    target: Annotated[
        Path, typer.Argument(metavar="OUT", help="A directory for our own format, or a file; - is standard output.")
    ],
    format: Annotated[
        Format | None, typer.Option(help="What to write; otherwise the ending of OUT says it: .txt, .vec, .bin, none.")
    ] = None,
    errors: Annotated[
        Literal["strict", "replace", "ignore", "surrogateescape"],
        typer.Option(help="What to do with words that are not UTF-8; surrogateescape keeps their bytes."),
    ] = "strict",
) -> None:
    """Turn word vectors from one format into another. An OUT that ends in .gz is compressed.

    Vectors with n-grams of characters become fastText's .bin, all others word2vec's, unless --format says which.
    """
    chosen = format or _format_of(target)
    vectors = load_vectors(source, errors=errors)
    if format is None and chosen == "word2vec-binary" and _fits_fasttext(vectors):
        chosen = "fasttext-bin"
    # A trained model has more to give to fastText than its vectors: outputs and settings.
    owner: Any = (_trained_fasttext(source) if chosen == "fasttext-bin" else None) or vectors
    if str(target) == "-":
        _to_standard_output(owner, chosen)
        return
    owner.save(target, format=chosen)
    print_note(f"{len(vectors):,} vectors of {vectors.vector_size} numbers are in {target}, as {chosen}.")


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


_FACTS_OF_KIND: dict[str | None, Callable[[Path], dict[str, Any]]] = {
    "fasttext-classifier": _facts_of_classifier,
    "cooccurrences": _facts_of_counts,
    "sparse-vectors": _facts_of_sparse,
}


def _facts_of_vectors(path: Path, format: str) -> dict[str, Any]:
    """What word vectors say of themselves; a directory also says how they came about."""
    from daneo.embeddings.formats.daneo_directory import read_config

    vectors = load_vectors(path)
    config = read_config(path) if format == "daneo" else {}
    return {
        "words": len(vectors),
        "vector_size": vectors.vector_size,
        "storage": _storage(vectors.rows),
        "first_words": vectors.words[:10],
        **{key: value for key, value in config.items() if key not in ("format", "version", "kind")},
    }


def _facts_of_model(path: Path) -> dict[str, Any]:
    """What a model file of fastText's holds: its settings, and labels where it is a classifier."""
    from daneo.embeddings.formats.fasttext_file import read_fasttext

    model = read_fasttext(path, errors="replace")
    labels = {"labels": len(model.labels), "first_labels": model.labels[:10]} if model.labels else {}
    pruned = {} if model.pruned is None else {"kept": len(model.pruned)}
    return {
        "words": len(model.words),
        "vector_size": model.vector_size,
        "storage": _storage(model.inputs),
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


def _storage(rows: Rows) -> str:
    """How numbers are kept, as `daneo compress --storage` says it."""
    from daneo.embeddings.compression.int8_rows import Int8Rows
    from daneo.embeddings.compression.quantized_rows import HalfRows, QuantizedRows
    from daneo.embeddings.compression.turned_rows import TurnedRows

    kept = rows.rows if isinstance(rows, TurnedRows) else rows
    names = {QuantizedRows: "product_quantization", Int8Rows: "int8", HalfRows: "float16"}
    return names.get(type(kept), "float32")


def _format_of(target: Path) -> Format:
    if str(target) == "-":
        return "word2vec-text"
    if target.is_dir():
        return "daneo"
    suffix = Path(target.stem).suffix if target.suffix == ".gz" else target.suffix
    if suffix not in FORMAT_OF_SUFFIX or (target.name.endswith(".gz") and not suffix):  # a directory is not compressed
        known = ", ".join(one for one in FORMAT_OF_SUFFIX if one)
        raise typer.BadParameter(
            f"{target}: its ending says no format. Give --format, or end it in {known} or nothing."
        )
    return FORMAT_OF_SUFFIX[suffix]


def _fits_fasttext(vectors: WordVectors) -> bool:
    from daneo.embeddings import SubwordVectors

    return isinstance(vectors, SubwordVectors) and vectors.ngrams.subwords.kind == "characters"


def _trained_fasttext(source: Path) -> FastText | None:
    """Open what `FastText.save` wrote; None if it is something else."""
    from daneo.embeddings import FastText
    from daneo.embeddings.formats.daneo_directory import read_config

    training = read_config(source).get("training") if source.is_dir() else None
    return FastText.load(source) if isinstance(training, dict) and training.get("algorithm") == "fasttext" else None


def _to_standard_output(owner: Any, format: Format) -> None:
    if format == "daneo":
        raise typer.BadParameter("daneo's own format is a directory; standard output takes the others")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "vectors"
        with warnings.catch_warnings(record=True) as caught:
            owner.save(path, format=format)
        for warning in caught:  # of a file that nobody knows
            warnings.warn(str(warning.message).replace(str(path), "standard output"), stacklevel=2)
        with path.open("rb") as file:
            shutil.copyfileobj(file, sys.stdout.buffer)


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
        return ", ".join(str(_short(one)) for one in value)
    if isinstance(value, float):
        return f"{value:.5g}"
    return value if isinstance(value, int) and not isinstance(value, bool) else str(value)
