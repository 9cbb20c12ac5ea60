"""``daneo predict`` and ``daneo test``: labels for texts, and how often they are right."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from daneo.cli.terminal import JsonFlag, print_json, print_table

if TYPE_CHECKING:
    from daneo.models import ClassificationResult

TEXTS_AT_ONCE = 1 << 14

ModelArgument = Annotated[
    Path, typer.Argument(metavar="MODEL", help="A directory that `daneo train` wrote, or fastText's .bin or .ftz.")
]
TopFlag = Annotated[
    int, typer.Option("--top", "-k", metavar="K", min=1, help="The most likely labels to print for each text.")
]
ThresholdFlag = Annotated[
    float, typer.Option(metavar="P", min=0.0, help="Leave out labels that are less likely than this.")
]
TextColumn = Annotated[
    str | None,
    typer.Option(metavar="COLUMN", help="Where the text is: a name in the header line, or a number from 1. Default 1."),
]
LabelColumn = Annotated[
    str | None, typer.Option(metavar="COLUMN", help="Where the label is, likewise. Default 2.", show_default=False)
]
HeaderFlag = Annotated[
    bool | None,
    typer.Option(
        "--header/--no-header", help="Whether the first line is a header; with names it is.", show_default=False
    ),
]
SeparatorOption = Annotated[
    str | None, typer.Option(metavar="TEXT", help="What stands between several labels in a column.")
]

app = typer.Typer()


@app.command(
    epilog="""\b
Examples:
  daneo predict model/ "a film that I will watch again"
  daneo predict model/ "정말 재미있어요" "지루해요" --top 2
  cut -f1 reviews.tsv | daneo predict model/ - > labels.tsv
  daneo predict lid.176.ftz "Wie spät ist es?" --json
"""
)
def predict(
    model: ModelArgument,
    texts: Annotated[
        list[str], typer.Argument(metavar="TEXT", help="Texts; - reads them from standard input, one a line.")
    ],
    top: TopFlag = 1,
    threshold: ThresholdFlag = 0.0,
    json: JsonFlag = False,
) -> None:
    """Print the most likely labels of texts, and how likely they are.

    A text in which the model knows nothing has no label.
    """
    from daneo.models.model_kinds import load_classifier

    classifier = load_classifier(model)
    lines = (line.rstrip("\r\n") for line in sys.stdin) if texts == ["-"] else iter(texts)
    objects = []
    for some in _groups(lines):
        answers = zip(some, classifier.predict(some, top, threshold), strict=True)
        if json:
            objects += [_as_object(text, best) for text, best in answers]
        else:
            print_table(
                ["text", "label", "probability"],
                [(text, *pair) for text, best in answers for pair in best or [("-", math.nan)]],
            )
    if json:
        print_json(objects)


@app.command(
    "test",
    epilog="""\b
Examples:
  daneo test model/ test.txt                       lines of fastText's kind, __label__x some text
  daneo test model/ test.tsv --top 3               a text, a tab, a label
  daneo test model/ ratings_test.txt --text-column document --label-column label --json
""",
)
def measure(
    model: ModelArgument,
    texts: Annotated[
        str, typer.Argument(metavar="FILE", help="Texts with labels; .gz, .bz2, .xz and .zst too, - is standard input.")
    ],
    top: TopFlag = 1,
    threshold: ThresholdFlag = 0.0,
    text_column: TextColumn = None,
    label_column: LabelColumn = None,
    header: HeaderFlag = None,
    label_separator: SeparatorOption = None,
    json: JsonFlag = False,
) -> None:
    """Compare predicted labels with the true ones.

    Printed are precision, recall and F1, of each label and of all.
    """
    from daneo.models.model_kinds import load_classifier

    classifier = load_classifier(model)
    source, labels = labelled(texts, text_column, label_column, header, label_separator)
    result = classifier.test(source, labels, top, threshold)
    if json:
        print_json(result_as_object(result))
        return
    rows = [
        (one.label, one.precision, one.recall, one.f1, one.predicted, one.true)
        for one in (*result.labels, result.total)
    ]
    print_table(["label", "precision", "recall", "F1", "predicted", "true"], rows)


def labelled(
    path: str, text_column: str | None, label_column: str | None, header: bool | None, label_separator: str | None
) -> tuple[str | list[str], list[list[str]] | None]:
    """Return what `fit` and `test` take for a file: its path and None, or the texts and labels of its columns."""
    if text_column is None and label_column is None and header is None and label_separator is None:
        return path, None
    from daneo.models import read_labelled

    return read_labelled(
        path,
        text_column=_column("--text-column", text_column),
        label_column=_column("--label-column", label_column),
        header=header,
        label_separator=label_separator,
        label_prefix="",
        multilabel=True,
    )


def result_as_object(result: ClassificationResult) -> dict[str, Any]:
    """What JSON says of a result."""

    def shares(one: Any) -> dict[str, float | None]:
        values = {"precision": one.precision, "recall": one.recall, "f1": one.f1}
        return {name: None if math.isnan(value) else value for name, value in values.items()}

    labels = {
        one.label: {**shares(one), "right": one.right, "predicted": one.predicted, "true": one.true}
        for one in result.labels
    }
    facts = {"top": result.k, "texts": result.num_texts, "left_out": result.num_left_out}
    return {**facts, **shares(result), "labels": labels}


def _column(flag: str, column: str | None) -> int | str | None:
    if column is None or not (column.isascii() and column.isdecimal()):
        return column
    if int(column) == 0:
        raise typer.BadParameter(f"{flag} counts columns from 1, got 0")
    return int(column) - 1


def _groups(lines: Iterable[str]) -> Iterator[list[str]]:
    lines = iter(lines)
    while some := list(islice(lines, TEXTS_AT_ONCE)):
        yield some


def _as_object(text: str, best: list[tuple[str, float]]) -> dict[str, Any]:
    return {"text": text, "labels": [{"label": label, "probability": probability} for label, probability in best]}
