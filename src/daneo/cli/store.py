"""``daneo convert`` and ``info``: files of word vectors, ours and other tools'."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from daneo.cli.ask import load_vectors
from daneo.cli.terminal import JsonFlag, print_json, print_note, print_table

if TYPE_CHECKING:
    from daneo.embeddings import WordVectors

Format = Literal["daneo", "word2vec-text", "word2vec-binary", "glove-text"]
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
) -> None:
    """Turn word vectors from one format into another. An OUT that ends in .gz is compressed."""
    chosen = format or _format_of(target)
    vectors = load_vectors(source)
    if str(target) == "-":
        _to_standard_output(vectors, chosen)
        return
    vectors.save(target, format=chosen)
    print_note(f"{len(vectors):,} vectors of {vectors.vector_size} numbers are in {target}, as {chosen}.")


@app.command(
    epilog="""\b
Examples:
  daneo info vectors/
  daneo info glove.6B.50d.txt --json
"""
)
def info(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="Word vectors in any format that we read.")],
    json: JsonFlag = False,
) -> None:
    """Say what a file or directory of word vectors holds and how it came about."""
    from daneo.embeddings import formats
    from daneo.embeddings.formats.daneo_directory import read_config

    format = formats.recognise(path)
    vectors = load_vectors(path)
    config = read_config(path) if format == "daneo" else {}
    files = [one for one in path.rglob("*") if one.is_file()] if path.is_dir() else [path]
    facts: dict[str, Any] = {
        "path": str(path),
        "format": format,
        "words": len(vectors),
        "vector_size": vectors.vector_size,
        "bytes": sum(one.stat().st_size for one in files),
        "first_words": vectors.words[:10],
        **{key: value for key, value in config.items() if key not in ("format", "version", "kind")},
    }
    if json:
        print_json(facts)
    else:
        print_table(["", ""], _flat(facts))


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


def _to_standard_output(vectors: WordVectors, format: Format) -> None:
    if format == "daneo":
        raise typer.BadParameter("daneo's own format is a directory; standard output takes the others")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "vectors"
        vectors.save(path, format=format)
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
