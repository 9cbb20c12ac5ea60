"""``daneo train ...``: text in, a model's directory out; stops cleanly and can be resumed."""

from __future__ import annotations

import dataclasses
import shlex
import shutil
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from daneo.cli.settings_flags import with_flags
from daneo.cli.terminal import JsonFlag, QuietFlag, clock, print_json, print_note, program, shown_progress
from daneo.embeddings.word2vec_config import Word2VecConfig

if TYPE_CHECKING:
    from daneo.embeddings import Word2Vec

INTERRUPTED = 130
EXAMPLES = """\b
Examples:
  daneo train word2vec reviews.txt -o vectors/
  daneo train word2vec 'wiki/*.txt.xz' -o vectors/ --epochs 3 --watch king --watch river
  zcat news.gz | daneo train word2vec - -o vectors/ --vector-size 300 --architecture cbow
  daneo train word2vec new.txt -o more/ --init-from vectors/ --freeze keep.txt
  daneo train word2vec reviews.txt -o vectors/ --resume     after Ctrl-C, a crash or a power cut
"""

app = typer.Typer(help="Learn a model from text.", rich_markup_mode=None)


@app.callback()
def train() -> None:
    """Learn a model from text."""


@app.command("word2vec", epilog=EXAMPLES)
@with_flags(Word2VecConfig)
def train_word2vec(
    corpus: Annotated[
        str,
        typer.Argument(help="Text: a file (.gz, .bz2, .xz and .zst too), a folder, a glob, or - for standard input."),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="The directory for the vectors.")],
    tokenizer: Annotated[
        str, typer.Option(help="How text becomes words: words, whitespace, characters, jamo, korean.")
    ] = "words",
    errors: Annotated[
        Literal["strict", "replace"], typer.Option(help="What to do with bytes that are not UTF-8.")
    ] = "strict",
    phrases: Annotated[
        float | None,
        typer.Option(
            metavar="THRESHOLD",
            help="First join words that often stand together, as new_york; 100 is usual, less joins more.",
        ),
    ] = None,
    watch: Annotated[
        list[str] | None, typer.Option(metavar="WORD", help="Show this word's neighbours after each epoch; repeatable.")
    ] = None,
    init_from: Annotated[
        Path | None, typer.Option(help="Start from these vectors; words that they lack are added.")
    ] = None,
    freeze: Annotated[
        Path | None, typer.Option(help="A file of words, one a line, whose vectors stay as --init-from gives them.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the last checkpoint.")] = False,
    json: JsonFlag = False,
    quiet: QuietFlag = False,
    *,
    settings: Word2VecConfig,
) -> None:
    """Learn word vectors from text with word2vec."""
    import daneo

    if phrases is not None and corpus == "-":
        raise typer.BadParameter("--phrases reads the text twice, and standard input can be read only once")
    checkpoint = output.with_name(output.name + ".checkpoint")
    _check_output(output, checkpoint, resume)
    text = daneo.Corpus(corpus, tokenizer=tokenizer, errors=errors)
    vectors = None if init_from is None else daneo.WordVectors.load(init_from)
    frozen = [] if freeze is None else freeze.read_text(encoding="utf-8").splitlines()
    model = daneo.Word2Vec(**dataclasses.asdict(settings))
    on_epoch = _watcher(watch or [], quiet=quiet)
    started = time.monotonic()
    try:
        with shown_progress(quiet=quiet) as show:
            if phrases is not None:
                joined = daneo.Phrases.learn(text, threshold=phrases, progress=show)
                text = daneo.Corpus(corpus, tokenizer=tokenizer, errors=errors, phrases=joined)
            model.fit(
                text,
                vectors=vectors,
                frozen=frozen,
                progress=show,
                on_epoch=on_epoch,
                checkpoint=checkpoint,
                resume=resume,
            )
    except KeyboardInterrupt:
        print_note(_how_to_go_on(model, output, checkpoint))
        raise typer.Exit(INTERRUPTED) from None
    model.save(output)
    shutil.rmtree(checkpoint, ignore_errors=True)
    _report(model, output, time.monotonic() - started, as_json=json, quiet=quiet)


def _check_output(output: Path, checkpoint: Path, resume: bool) -> None:
    """Refuse what would fail after an hour of training, before it."""
    from daneo.embeddings.formats.daneo_directory import DIRECTORY_NAMES
    from daneo.files import replaced_directory

    if resume and not checkpoint.exists():
        raise ValueError(f"Nothing to resume: {checkpoint} does not exist. Run the command without --resume.")
    if checkpoint.exists() and not resume:
        raise FileExistsError(
            f"{checkpoint} holds an unfinished run. Go on with it by adding --resume, or remove it to start afresh."
        )

    class Rehearsed(Exception):
        pass

    # Begin to write as at the end, and give up: this finds foreign files, a missing permission, a full disk.
    with suppress(Rehearsed), replaced_directory(output, known=DIRECTORY_NAMES):
        raise Rehearsed


def _watcher(words: Sequence[str], *, quiet: bool) -> Any:
    if quiet or not words:
        return None

    def show(model: Word2Vec, epoch: int, loss: float) -> None:
        print_note(f"after epoch {epoch}, loss {loss:.4f}")
        for word in words:
            known = word in model.vectors
            near = ", ".join(other for other, _ in model.vectors.most_similar(word, topn=8)) if known else None
            print_note(f"  {word}: {near or 'not in the vocabulary'}")

    return show


def _how_to_go_on(model: Word2Vec, output: Path, checkpoint: Path) -> str:
    if not checkpoint.exists():
        return "Stopped before anything was learned; nothing was written."
    kept = f"The run so far is in {checkpoint}."
    if not output.exists():
        model.save(output)
        kept = f"The vectors so far are in {output}, ready for use."
    again = shlex.join(argument for argument in sys.argv[1:] if argument != "--resume")
    return f"Stopped. {kept} Go on with:\n  {program()} {again} --resume"


def _report(model: Word2Vec, output: Path, seconds: float, *, as_json: bool, quiet: bool) -> None:
    vectors, losses = model.vectors, model.losses
    if as_json:
        facts = {"path": str(output), "words": len(vectors), "vector_size": vectors.vector_size}
        print_json({**facts, "losses": losses, "seconds": round(seconds, 3)})
    elif not quiet:
        example = shlex.quote(vectors.words[min(100, len(vectors) - 1)])
        where = shlex.quote(str(output))
        print(
            f"{len(vectors):,} vectors of {vectors.vector_size} numbers, learned in {clock(seconds)}, "
            f"loss {losses[0]:.4f} to {losses[-1]:.4f}. They are in {output}.\n"
            "Try next:\n"
            f"  {program()} similar {where} {example}\n"
            f"  {program()} info {where}\n"
            f"  {program()} convert {where} {where}.txt      word2vec text, which every other tool opens"
        )
