"""``daneo train ...``: text in, a model's directory out."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path
from typing import Annotated, Literal

import typer

from daneo.cli.settings_flags import with_flags
from daneo.cli.terminal import JsonFlag, QuietFlag, shown_progress
from daneo.cli.training_session import check_checkpoint, check_output, clear_and_report, stopped_cleanly, watcher
from daneo.embeddings.word2vec_config import Word2VecConfig

TEXT = "Text: a file (.gz, .bz2, .xz and .zst too), a folder, a glob"
OutputOption = Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="The directory for the vectors.")]
TokenizerOption = Annotated[
    str, typer.Option(metavar="NAME", help="How text becomes words: words, whitespace, characters, jamo, korean.")
]
ErrorsOption = Annotated[Literal["strict", "replace"], typer.Option(help="What to do with bytes that are not UTF-8.")]
WatchOption = Annotated[
    list[str] | None, typer.Option(metavar="WORD", help="Show this word's neighbours after each epoch; repeatable.")
]
FreezeOption = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Words, one a line, whose vectors stay as they begin.")
]

app = typer.Typer()


@app.callback()
def train() -> None:
    """Learn a model from text."""


@app.command(
    "word2vec",
    epilog="""\b
Examples:
  daneo train word2vec reviews.txt -o vectors/
  daneo train word2vec 'wiki/*.txt.xz' -o vectors/ --epochs 3 --watch king --watch river
  zcat news.gz | daneo train word2vec - -o vectors/ --vector-size 300 --architecture cbow
  daneo train word2vec reviews.txt -o vectors/ --resume      after Ctrl-C, a crash or a power cut
  daneo train word2vec reviews.txt -o ours/ --init-from glove.6B.100d.txt
""",
)
@with_flags(Word2VecConfig)
def train_word2vec(
    corpus: Annotated[str, typer.Argument(metavar="CORPUS", help=f"{TEXT}, or - for standard input.")],
    output: OutputOption,
    tokenizer: TokenizerOption = "words",
    errors: ErrorsOption = "strict",
    phrases: Annotated[
        float | None,
        typer.Option(
            metavar="THRESHOLD",
            help="First join words that often stand together, as new_york; 100 is usual, less joins more.",
        ),
    ] = None,
    watch: WatchOption = None,
    init_from: Annotated[
        Path | None, typer.Option(metavar="VECTORS", help="Start from these vectors, where they have the word.")
    ] = None,
    freeze: FreezeOption = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the last checkpoint.")] = False,
    json: JsonFlag = False,
    quiet: QuietFlag = False,
    *,
    settings: Word2VecConfig,
) -> None:
    """Learn word vectors from text with word2vec."""
    import daneo

    if phrases is not None:
        _demand_text_twice(corpus, "--phrases")
    checkpoint = output.with_name(output.name + ".checkpoint")
    check_checkpoint(checkpoint, resume=resume)
    check_output(output)
    text = daneo.Corpus(corpus, tokenizer=tokenizer, errors=errors)
    vectors = None if init_from is None else daneo.WordVectors.load(init_from)
    model = daneo.Word2Vec(**dataclasses.asdict(settings))
    started = time.monotonic()
    with stopped_cleanly(model, output, checkpoint), shown_progress(quiet=quiet) as show:
        if phrases is not None and not (checkpoint / "corpus").exists():  # where the ids of a resumed run are, joined
            joined = daneo.Phrases.learn(text, threshold=phrases, progress=show)
            text = daneo.Corpus(corpus, tokenizer=tokenizer, errors=errors, phrases=joined)
        model.fit(
            text,
            vectors=vectors,
            frozen=_words(freeze),
            progress=show,
            on_epoch=watcher(watch or [], quiet=quiet),
            checkpoint=checkpoint,
            resume=resume,
        )
        model.save(output)
    clear_and_report(model, output, checkpoint, time.monotonic() - started, as_json=json, quiet=quiet)


@app.command(
    "continue",
    epilog="""\b
Examples:
  daneo train continue vectors/ more-reviews.txt -o better/
  daneo train continue vectors/ more-reviews.txt -o vectors/ --epochs 2 --freeze keep.txt
""",
)
def train_on(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="A directory that `daneo train` wrote.")],
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
    """Go on with a trained model on more text: its words keep their rows, new words are added.

    The settings are the model's own. MODEL and the output may be the same directory.
    """
    import daneo

    _demand_text_twice(corpus, "train continue")
    check_output(output)
    text = daneo.Corpus(corpus, tokenizer=tokenizer, errors=errors)
    trained = daneo.Word2Vec.load(model)
    started = time.monotonic()
    with stopped_cleanly(trained, output, None), shown_progress(quiet=quiet) as show:
        trained.continue_training(
            text, epochs=epochs, frozen=_words(freeze), progress=show, on_epoch=watcher(watch or [], quiet=quiet)
        )
        trained.save(output)
    clear_and_report(trained, output, None, time.monotonic() - started, as_json=json, quiet=quiet)


def _demand_text_twice(corpus: str, who: str) -> None:
    if corpus == "-":
        raise typer.BadParameter(f"{who} reads the text twice, and standard input can be read only once")


def _words(path: Path | None) -> list[str]:
    return [] if path is None else path.read_text(encoding="utf-8").splitlines()
