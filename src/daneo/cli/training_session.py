"""Around a training run: what is refused before it, shown during it, kept when it is stopped, said at its end."""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import typer

from daneo.cli.ask import has_vector
from daneo.cli.terminal import clock, print_json, print_note, program

if TYPE_CHECKING:
    from daneo.embeddings import WordVectors

INTERRUPTED = 130  # what a shell reports for a program that Ctrl-C ended


class Model(Protocol):
    """What is trained and saved."""

    @property
    def is_trained(self) -> bool:
        """Whether there is anything to save."""

    def save(self, path: Path, /) -> None:
        """Write it."""


class Trainer(Model, Protocol):
    """What learns word vectors: Word2Vec, FastText, GloVe."""

    losses: list[float]

    @property
    def vectors(self) -> WordVectors:
        """The word vectors."""

    @property
    def fit(self) -> Callable[..., Any]:
        """What learns from a corpus."""


def check_checkpoint(checkpoint: Path, *, resume: bool) -> None:
    """Refuse to resume what is not there, and to begin where an unfinished run would be lost."""
    if resume and not checkpoint.exists():
        raise ValueError(f"Nothing to resume: {checkpoint} does not exist. Run the command without --resume.")
    if checkpoint.exists() and not resume:
        raise FileExistsError(
            f"{checkpoint} holds an unfinished run. Go on with it by adding --resume, or remove it to start afresh."
        )


def check_output(output: Path, known: Collection[str] | None = None) -> None:
    """Refuse what would fail after an hour of training, before it: foreign files, a missing permission."""
    from daneo.embeddings.formats.daneo_directory import DIRECTORY_NAMES
    from daneo.files import replaced_directory

    class Rehearsed(Exception):
        pass

    # Begin to write as at the end, and give up.
    with suppress(Rehearsed), replaced_directory(output, known=known or DIRECTORY_NAMES):
        raise Rehearsed


def watcher(words: Sequence[str], *, quiet: bool) -> Callable[[Trainer, int, float], None] | None:
    """Return what shows the neighbours of `words` after each epoch; ``None`` if there is nothing to show."""
    if quiet or not words:
        return None

    def show(model: Trainer, epoch: int, loss: float) -> None:
        vectors = model.vectors
        print_note(f"after epoch {epoch}, loss {loss:.4f}")
        for word in words:
            near = [other for other, _ in vectors.most_similar(word, topn=8)] if has_vector(vectors, word) else []
            unseen = " (not in the vocabulary)" if near and word not in vectors else ""
            print_note(f"  {word}{unseen}: {', '.join(near) or 'not in the vocabulary'}")

    return show


@contextmanager
def stopped_cleanly(model: Model, output: Path, checkpoint: Path | None) -> Iterator[None]:
    """Turn Ctrl-C into a model that can be used, a word on how to go on, and exit status 130."""
    was_there = checkpoint is not None and checkpoint.exists()
    try:
        yield
    except BaseException as error:
        # Without a state there is nothing to go on from, and the next run would be refused because of it.
        if checkpoint is not None and not was_there and not (checkpoint / "state.safetensors").exists():
            shutil.rmtree(checkpoint, ignore_errors=True)
        if not isinstance(error, KeyboardInterrupt):
            raise
        print_note(_keep(model, output, checkpoint))
        raise typer.Exit(INTERRUPTED) from None


def _keep(model: Model, output: Path, checkpoint: Path | None) -> str:
    """Save what a stopped model has learned, and say where and how to go on."""
    if checkpoint is not None and not (checkpoint / "state.safetensors").exists():
        return "Stopped before anything was learned."
    again = shlex.join(argument for argument in sys.argv[1:] if argument != "--resume")
    how = f" Go on with:\n  {program()} {again} --resume" if checkpoint else ""
    if not model.is_trained:  # stopped before it went on from the checkpoint, which still is as it was
        return (
            f"Stopped. The unfinished run is as it was, in {checkpoint}.{how}"
            if checkpoint
            else "Stopped. Nothing was written."
        )
    where = output
    if output.exists():
        # A finished model stands there: it is worth more than what was just stopped.
        where = checkpoint or output.with_name(output.name + ".stopped")
    if where != checkpoint:
        model.save(where)
    return f"Stopped. What was learned so far is in {where}.{how}"


def clear(checkpoint: Path) -> None:
    """Remove the checkpoint of a model that has been saved."""
    # Renamed first: a kill in the middle of removing it must not leave half a checkpoint under its name.
    rest = checkpoint.rename(checkpoint.with_name(f".{checkpoint.name}.part"))
    shutil.rmtree(rest, ignore_errors=True)


def clear_and_report(
    model: Trainer, output: Path, checkpoint: Path | None, seconds: float, *, as_json: bool, quiet: bool
) -> None:
    """Clear the checkpoint of a saved model away, and say where the result is and what to try next."""
    if checkpoint is not None:
        clear(checkpoint)
    vectors, losses = model.vectors, model.losses
    if as_json:
        facts = {"path": str(output), "words": len(vectors), "vector_size": vectors.vector_size}
        print_json({**facts, "losses": losses, "seconds": round(seconds, 3)})
    elif not quiet:
        print(
            f"{len(vectors):,} vectors of {vectors.vector_size} numbers, learned in {clock(seconds)}, "
            f"loss {losses[0]:.4f} to {losses[-1]:.4f}. They are in {output}.\n"
            "Try next:"
        )
        for command in _what_next(vectors, output):
            print(f"  {program()} {command}")


def _what_next(vectors: WordVectors, output: Path) -> list[str]:
    from daneo.embeddings import SubwordVectors

    example = vectors.words[min(100, len(vectors) - 1)]
    where, word = shlex.quote(str(output)), shlex.quote(example)
    commands = [f"similar {where} {word}", f"info {where}"]
    if isinstance(vectors, SubwordVectors):
        commands.append(f"ngrams {where} {word}      the parts of words that are nearest to it")
    if isinstance(vectors, SubwordVectors) and vectors.ngrams.subwords.kind == "characters":
        commands.append(f"convert {where} {where}.bin      fastText's format, n-grams included")
    else:
        commands.append(f"convert {where} {where}.txt      word2vec text, which every other tool opens")
    return commands
