"""``daneo convert``: from any file of word vectors to any other, and what is lost on the way."""

from __future__ import annotations

import shutil
import sys
import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from daneo.cli.ask import load_vectors
from daneo.cli.terminal import print_note

if TYPE_CHECKING:
    from collections.abc import Callable

    from daneo.embeddings.conversion import Conversion

Format = Literal[
    "daneo", "word2vec-text", "word2vec-binary", "glove-text", "fasttext-bin", "fasttext-vec", "glove-binary"
]
Errors = Literal["strict", "replace", "ignore", "surrogateescape"]
FORMAT_OF_SUFFIX: dict[str, Format] = {
    "": "daneo",
    ".txt": "word2vec-text",
    ".vec": "word2vec-text",
    ".bin": "word2vec-binary",
    ".ftz": "fasttext-bin",
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
  daneo convert cc.ko.300.bin korean/                            words, n-grams, and what trains them further
  daneo convert korean/ korean.bin                               fastText's format again
  daneo convert small/ small.ftz                                 what `daneo compress` made, for Facebook's program
  daneo convert vectors.bin glove/ --vocabulary vocab.txt        all that Stanford's GloVe learned
  daneo convert model/ vectors/ --vectors-only                   to give away
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
        Format | None,
        typer.Option(help="What to write; otherwise the ending of OUT says it: .txt, .vec, .bin, .ftz, none."),
    ] = None,
    vocabulary: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The vocab.txt that belongs to a .bin of Stanford's GloVe.")
    ] = None,
    errors: Annotated[
        Errors, typer.Option(help="What to do with words that are not UTF-8; surrogateescape keeps their bytes.")
    ] = "strict",
    vectors_only: Annotated[
        bool, typer.Option("--vectors-only", help="Leave out what further training needs, also from our own format.")
    ] = False,
) -> None:
    """Turn a model or vectors from one format into another. An OUT that ends in .gz is compressed.

    What both formats can hold is kept; for each thing that is lost there is a line. Vectors with n-grams of characters
    become fastText's .bin, all others word2vec's, unless --format says which.
    """
    chosen = format or _format_of(target)
    fits_any_bin = format is None and chosen == "word2vec-binary"
    if vocabulary is None and str(source) != "-":
        if fits_any_bin and _fits_fasttext(source):
            chosen = "fasttext-bin"
        if not vectors_only and _converted_classifier(source, target, chosen):
            return

    from daneo.embeddings import SubwordVectors
    from daneo.embeddings.conversion import convert as convert_file
    from daneo.embeddings.conversion import convert_vectors, vocabulary_beside

    def converted(path: Path) -> Conversion:
        if str(source) != "-":
            return convert_file(
                source, path, format=chosen, vocabulary=vocabulary, errors=errors, vectors_only=vectors_only
            )
        vectors = load_vectors(source, errors=errors)
        is_fasttext = fits_any_bin and isinstance(vectors, SubwordVectors)
        return convert_vectors(vectors, path, format="fasttext-bin" if is_fasttext else chosen)

    if str(target) == "-":
        _to_standard_output(converted, chosen)
        return
    conversion = converted(target)
    _say(conversion, str(target))
    if conversion.format == "fasttext-bin" and target.suffix == ".ftz" and not _is_quantised(target):
        warnings.warn(
            f"{target} is not quantised, whatever its name says; `daneo compress` makes it small.", stacklevel=2
        )
    beside = f", their words in {vocabulary_beside(target)}" if conversion.format == "glove-binary" else ""
    print_note(
        f"{conversion.num_words:,} vectors of {conversion.vector_size} numbers are in {target}, as "
        f"{conversion.format}{beside}."
    )


def _say(conversion: Conversion, where: str) -> None:
    """Print what was lost, and what else there is to be said of the file."""
    for line in conversion.lost:
        print_note(f"Lost: {line}")
    for remark in conversion.remarks:
        warnings.warn(f"{where}: {remark}", stacklevel=2)


def _to_standard_output(converted: Callable[[Path], Conversion], format: Format) -> None:
    if format in ("daneo", "glove-binary"):
        what = "daneo's own format is a directory" if format == "daneo" else "glove-binary is two files"
        raise typer.BadParameter(f"{what}; standard output takes the other formats")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "vectors"
        _say(converted(path), "standard output")
        with path.open("rb") as file:
            shutil.copyfileobj(file, sys.stdout.buffer)


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


def _fits_fasttext(source: Path) -> bool:
    """Whether there are n-grams of characters, or labels, for which only fastText's .bin has a place."""
    from daneo.embeddings import formats
    from daneo.embeddings.formats.daneo_directory import read_config

    if not source.is_dir():
        return source.is_file() and formats.recognise(source) == "fasttext-bin"
    config = read_config(source, None)
    subwords = config.get("subwords")
    return _is_classifier(source) or (isinstance(subwords, dict) and subwords.get("kind") == "characters")


def _is_classifier(directory: Path) -> bool:
    from daneo.embeddings.formats.daneo_directory import read_config
    from daneo.models.fasttext_classifier_files import KIND

    return read_config(directory, None).get("kind") == KIND


def _converted_classifier(source: Path, target: Path, format: Format) -> bool:
    """Convert a classifier and return True; False if the source is none, or holds vectors to be converted."""
    if source.is_dir():
        if not _is_classifier(source):
            return False
        if format not in ("daneo", "fasttext-bin"):
            raise ValueError(f"{source} is a classifier, which {format} cannot hold; daneo and fasttext-bin can.")
    elif format != "daneo" or not _is_supervised(source):
        return False
    from daneo.models import FastTextClassifier

    model = FastTextClassifier.load(source)
    model.save(target, format=format)
    if format == "fasttext-bin" and model.losses:
        print_note("Lost: the losses and validation scores of the training. daneo keeps them.")
    print_note(
        f"A classifier of {len(model.words):,} words and {len(model.labels):,} labels is in {target}, as {format}."
    )
    return True


def _is_quantised(path: Path) -> bool:
    from daneo.embeddings.compression.quantized_rows import QuantizedRows
    from daneo.embeddings.formats.fasttext_file import read_fasttext

    return isinstance(read_fasttext(path, errors="surrogateescape").inputs, QuantizedRows)


def _is_supervised(source: Path) -> bool:
    from daneo.embeddings import formats
    from daneo.embeddings.formats.fasttext_file import read_fasttext

    if not source.is_file() or formats.recognise(source) != "fasttext-bin":
        return False
    model = read_fasttext(source, errors="surrogateescape")
    return model.model == "supervised" and bool(model.labels)
