"""``daneo compress``: word vectors in a tenth of the bytes, and what that costs."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from daneo.cli.ask import load_vectors
from daneo.cli.compress_classifier import compress_classifier, is_classifier
from daneo.cli.terminal import JsonFlag, print_json, print_note, print_table, program, without_nan
from daneo.cli.training_session import check_output

if TYPE_CHECKING:
    from daneo.embeddings.compression.cost import CompressionReport

app = typer.Typer()


@app.command(
    epilog="""\b
Examples:
  daneo compress vectors/ -o small/                                   an eighth of the bytes
  daneo compress vectors/ -o small/ --ratio 10                        a tenth
  daneo compress cc.en.300.bin -o small/ --words 100000 --ngrams 100000
  daneo compress vectors/ -o small/ --words 50000 --similarities wordsim353.tsv
  daneo compress vectors/ -o half/ --storage float16                  hardly a difference
  daneo compress glove.6B.300d.txt -o small/ --part-size 3
  daneo compress model/ -o small/ --rows 20000 --test test.tsv        a classifier, and what it costs
  daneo compress model/ -o small.ftz --rows 20000                     the same for Facebook's program
"""
)
def compress(
    vectors: Annotated[
        Path,
        typer.Argument(metavar="VECTORS", help="Word vectors in any format, with n-grams or without; or a classifier."),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="The directory for the smaller ones.")],
    words: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Most words to keep, the most frequent ones; otherwise all.")
    ] = None,
    ngrams: Annotated[
        int | None, typer.Option(metavar="N", min=0, help="Most n-grams to keep, the most useful ones; otherwise all.")
    ] = None,
    ratio: Annotated[
        float | None,
        typer.Option(metavar="N", min=1, help="So many times fewer bytes, words not counted: the most exact storage."),
    ] = None,
    storage: Annotated[
        Literal["product_quantization", "int8", "float16", "float32"] | None,
        typer.Option(help="Several numbers to a byte (the default), a byte or two each, or numbers as they are."),
    ] = None,
    part_size: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="Numbers to a byte: 1 is nearly exact, 4 is for the smallest; else 2."),
    ] = None,
    norms: Annotated[
        bool, typer.Option("--norms/--no-norms", help="Keep lengths apart, in one more byte a row.")
    ] = True,
    rotate: Annotated[
        bool, typer.Option("--rotate/--no-rotate", help="Turn rows first, so that all parts hold as much.")
    ] = True,
    similarities: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="Lines of two words and a judgement, to compare on; repeatable."),
    ] = None,
    rows: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="Of a classifier, most words and n-grams to keep; otherwise all."),
    ] = None,
    test: Annotated[
        str | None, typer.Option(metavar="FILE", help="For a classifier, texts with labels to compare on.")
    ] = None,
    retrain: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Train what is kept of a classifier again on these texts with labels."),
    ] = None,
    seed: Annotated[int, typer.Option(metavar="N", min=0, help="Draws what is learned from, and compared.")] = 1,
    num_threads: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Threads that compute; otherwise one a core.")
    ] = None,
    json: JsonFlag = False,
) -> None:
    """Make vectors or a classifier smaller, and print what it costs.

    Words that are dropped are answered from their n-grams, if the vectors have n-grams. For kept, dropped and misspelt
    words the tables show the mean cosine between a word's old and new vector, the rank correlation between the old and
    new cosines of random pairs, and the share of the ten nearest words that are the same.
    """
    if any(one is not None for one in (rows, test, retrain)) or is_classifier(vectors):
        if any(one is not None for one in (words, ngrams, ratio)) or similarities:
            raise typer.BadParameter(
                "--words, --ngrams, --ratio and --similarities are for word vectors; a classifier has --rows"
            )
        how: dict[str, Any] = {"num_rows": rows, "storage": storage or "product_quantization", "norms": norms}
        how["part_size"] = part_size or 2
        how |= {"seed": seed, "retrain": retrain}
        compress_classifier(vectors, output, how, test, as_json=json)
        return
    from daneo.embeddings.compression.compressing import compress as make_smaller
    from daneo.embeddings.formats.daneo_directory import refuse_to_lose_training

    refuse_to_lose_training(output)
    check_output(output)
    smaller, report = make_smaller(
        load_vectors(vectors),
        num_words=words, num_ngrams=ngrams, storage=storage, part_size=part_size, ratio=ratio, norms=norms,
        rotate=rotate, similarities=similarities or [], seed=seed, num_threads=num_threads,
    )  # fmt: skip
    smaller.save(output, card=card(report))
    if json:
        print_json(without_nan(dataclasses.asdict(report)))
        return
    print_report(report)
    print_note(f"Saved in {output}. Ask: {program()} similar {output} {smaller.words[0]}")


def print_report(report: CompressionReport) -> None:
    """Print a report's tables; in a pipe each line says what it is of."""
    sizes = [(name, old, new, new / old if old else math.nan) for name, old, new in report.sizes()]
    print_table(["", "before", "after", "share"], sizes)
    near = [(one.name, one.num_words, one.cosine, one.pairs, one.neighbours) for one in report.words]
    print_table(["near to before", "words", "cosine", "pairs", "neighbours"], near)
    if report.similarities:
        judged = [
            (one.name, one.num_pairs, one.spearman_before, one.spearman_after, one.share) for one in report.similarities
        ]
        print_table(["similarities", "pairs", "before", "after", "share"], judged)


def card(report: CompressionReport) -> str:
    """Return the README.md of the smaller vectors."""
    return f"""# Compressed word vectors

{report.after.num_words:,} words and {report.after.num_ngrams:,} rows of n-grams. Saved by daneo.

```python
import daneo

vectors = daneo.WordVectors.load(".")  # this directory
vectors.most_similar(vectors.words[0])
```

What compression saved and what it cost: the mean cosine between a word's old and new vector, the rank correlation
between the old and new cosines of random pairs, and the share of the ten nearest words that are the same.

```
{report}
```
"""
