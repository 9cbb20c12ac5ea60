"""``daneo train continue``: a trained model and more text in, a model's directory out."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from daneo.cli.terminal import JsonFlag, QuietFlag, shown_progress
from daneo.cli.train import (
    TEXT,
    ErrorsOption,
    FreezeOption,
    OutputOption,
    TokenizerOption,
    WatchOption,
    demand_text_twice,
    warn_of_vectors,
    words_of,
)
from daneo.cli.training_session import check_output, clear_and_report, stopped_cleanly, watcher

app = typer.Typer()


@app.command(
    "continue",
    epilog="""\b
Examples:
  daneo train continue vectors/ more-reviews.txt -o better/
  daneo train continue cc.en.300.bin reviews.txt -o reviews/ --tokenizer whitespace
  daneo train continue vectors/ more-reviews.txt -o vectors/ --epochs 2 --freeze keep.txt
""",
)
def train_on(
    model: Annotated[
        Path, typer.Argument(metavar="MODEL", help="A directory that `daneo train` wrote, or fastText's .bin.")
    ],
    corpus: Annotated[str, typer.Argument(metavar="CORPUS", help=f"{TEXT}.")],
    output: OutputOption,
    tokenizer: TokenizerOption = "words",
    errors: ErrorsOption = "strict",
    watch: WatchOption = None,
    freeze: FreezeOption = None,
    epochs: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Passes over the text; otherwise as many as before.")
    ] = None,
    json: JsonFlag = False,
    quiet: QuietFlag = False,
) -> None:
    """Go on with a trained model on more text.

    Its words keep their rows as a start, and new words are added. The settings are the model's own, but for the
    tokenizer: give the one that the model was trained with. Facebook's program splits text at spaces: --tokenizer
    whitespace. MODEL and the output may be the same directory.
    """
    import daneo
    from daneo.embeddings.trained_model import load_model

    demand_text_twice(corpus, "train continue")
    warn_of_vectors(corpus)
    check_output(output)
    text = daneo.Corpus(corpus, tokenizer=tokenizer, errors=errors)
    _demand_model(model)
    trained = load_model(model)
    frozen: dict[str, Any] = {}
    if freeze is not None:
        if not isinstance(trained, daneo.Word2Vec):
            raise typer.BadParameter("--freeze is for word2vec: with FastText words share the rows of their n-grams")
        frozen = {"frozen": words_of(freeze)}
    started = time.monotonic()
    with stopped_cleanly(trained, output, None), shown_progress(quiet=quiet) as show:
        trained.continue_training(
            text, epochs=epochs, progress=show, on_epoch=watcher(watch or [], quiet=quiet), **frozen
        )
        trained.save(output)
    clear_and_report(trained, output, None, time.monotonic() - started, as_json=json, quiet=quiet)


def _demand_model(path: Path) -> None:
    from daneo.embeddings import formats

    format = formats.recognise(path)
    if format not in ("daneo", "fasttext-bin"):
        raise ValueError(
            f"{path} is {format}: vectors without what training them further needs. Start from them with "
            f"`daneo train word2vec CORPUS -o DIR --init-from {path}`."
        )
