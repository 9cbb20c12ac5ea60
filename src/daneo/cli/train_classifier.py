"""``daneo train fasttext-classifier``: labelled texts in, a model's directory out."""

from __future__ import annotations

import dataclasses
import shlex
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from daneo.cli.classify import HeaderFlag, LabelColumn, SeparatorOption, TextColumn, labelled
from daneo.cli.settings_flags import with_flags
from daneo.cli.terminal import JsonFlag, QuietFlag, clock, print_json, print_note, program, shown_progress
from daneo.cli.train import ResumeFlag
from daneo.cli.training_session import check_checkpoint, check_output, clear, stopped_cleanly
from daneo.models.fasttext_classifier_config import FastTextClassifierConfig

if TYPE_CHECKING:
    from daneo.models import FastTextClassifier

app = typer.Typer()


@app.command(
    "fasttext-classifier",
    epilog="""\b
Examples:
  daneo train fasttext-classifier train.txt -o model/      lines of fastText's kind, __label__x some text
  daneo train fasttext-classifier train.tsv -o model/ --validation valid.tsv --epochs 20
  daneo train fasttext-classifier ratings_train.txt.xz -o model/ --text-column document --label-column label
  daneo train fasttext-classifier train.tsv -o model/ --word-ngrams 2 --min-ngram 2 --max-ngram 4
  daneo train fasttext-classifier train.tsv -o model/ --resume      after Ctrl-C, a crash or a power cut
""",
)
@with_flags(FastTextClassifierConfig)
def train_fasttext_classifier(
    texts: Annotated[
        str,
        typer.Argument(
            metavar="FILE", help="Texts with labels: __label__ lines, or a text, a tab, a label; - is standard input."
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="The directory for the model.")],
    validation: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help="Score each epoch by these texts, keep the best one, stop when none is better."
        ),
    ] = None,
    text_column: TextColumn = None,
    label_column: LabelColumn = None,
    header: HeaderFlag = None,
    label_separator: SeparatorOption = None,
    resume: ResumeFlag = False,
    json: JsonFlag = False,
    quiet: QuietFlag = False,
    *,
    settings: FastTextClassifierConfig,
) -> None:
    """Learn to put labels on texts by their words.

    This is fastText's classifier: the mean of the vectors of a text's words and n-grams, and one layer on top.
    """
    import daneo
    from daneo.models.fasttext_classifier_files import DIRECTORY_NAMES

    checkpoint = output.with_name(output.name + ".checkpoint")
    check_checkpoint(checkpoint, resume=resume)
    check_output(output, DIRECTORY_NAMES)
    columns = (text_column, label_column, header, label_separator)
    model = daneo.FastTextClassifier(**dataclasses.asdict(settings))
    started = time.monotonic()
    with stopped_cleanly(model, output, checkpoint), shown_progress(quiet=quiet) as show:
        model.fit(
            *labelled(texts, *columns),
            validation=None if validation is None else labelled(validation, *columns),
            progress=show,
            on_epoch=None if quiet or validation is None else _show_score,
            checkpoint=checkpoint,
            resume=resume,
        )
        model.save(output)
    clear(checkpoint)
    _report(model, output, time.monotonic() - started, as_json=json, quiet=quiet)


def _show_score(model: FastTextClassifier, epoch: int, loss: float) -> None:
    best = "the best so far" if model.best_epoch == epoch else f"the best is that of epoch {model.best_epoch}"
    print_note(f"after epoch {epoch}, loss {loss:.4f}, validation {model.validation_scores[-1]:.4f}, {best}")


def _report(model: FastTextClassifier, output: Path, seconds: float, *, as_json: bool, quiet: bool) -> None:
    losses, scores = model.losses, model.validation_scores
    if as_json:
        facts: dict[str, Any] = {"path": str(output), "labels": len(model.labels), "words": len(model.words)}
        facts |= {"losses": losses, "validation_scores": scores, "best_epoch": model.best_epoch}
        print_json({**facts, "seconds": round(seconds, 3)})
    elif not quiet:
        kept = ""
        if model.best_epoch is not None:
            kept = f" Epoch {model.best_epoch} was the best, {scores[model.best_epoch - 1]:.2%} right."
        where = shlex.quote(str(output))
        print(
            f"{len(model.labels):,} labels, {len(model.words):,} words, learned in {clock(seconds)}, "
            f"loss {losses[0]:.4f} to {losses[-1]:.4f}.{kept} The model is in {output}.\n"
            "Try next:\n"
            f"  {program()} predict {where} 'some text' --top 3\n"
            f"  {program()} test {where} test.tsv"
        )
