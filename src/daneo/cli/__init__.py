"""The command ``daneo``: one app, split by what the commands do.

Commands import what they need inside, so that ``daneo --help`` answers at once. Results go to standard output, progress
and errors to standard error.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Sequence
from typing import Any

import typer
from typer.core import TyperGroup

from daneo.cli import (
    ask,
    classify,
    compare,
    compress,
    convert,
    cooccur,
    demo,
    index,
    parts,
    store,
    train,
    train_classifier,
    train_continue,
    train_glove,
    train_ppmi,
)

BAD_INPUT, BAD_USAGE, INTERRUPTED, BROKEN_PIPE = 1, 2, 130, 141
# click's base of every "you typed it wrong"; typer does not export it.
UsageError = typer.BadParameter.__mro__[1]


class CutOffFile(ValueError):
    """A file ended too early."""


class Commands(TyperGroup):
    """The root of all commands. To click an EOFError is a person's Ctrl-D at a prompt; to us a file was cut off."""

    def invoke(self, ctx: Any) -> Any:
        """Run what the command line says."""
        try:
            return super().invoke(ctx)
        except EOFError as error:
            raise CutOffFile(str(error)) from error


app = typer.Typer(
    name="daneo",
    cls=Commands,
    help="Raw text in, word vectors out.",
    epilog="Start with `daneo demo`. Each command shows examples: `daneo train word2vec --help`.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
app.add_typer(train.app, name="train")
train.app.add_typer(train_glove.app)
train.app.add_typer(train_ppmi.app)
train.app.add_typer(train_continue.app)
train.app.add_typer(train_classifier.app)
app.add_typer(cooccur.app)
app.add_typer(ask.app)
app.add_typer(parts.app)
app.add_typer(train_ppmi.contexts_app)
app.add_typer(convert.app)
app.add_typer(store.app)
app.add_typer(compare.app)
app.add_typer(compress.app)
app.add_typer(index.app)
app.add_typer(classify.app)
app.add_typer(demo.app)


@app.callback()
def root() -> None:
    """Raw text in, word vectors out."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status: 0, 1 bad input, 2 bad usage, 130 stopped by Ctrl-C.

    An error is one line on standard error. With the environment variable ``DANEO_DEBUG`` set, the traceback comes too.
    """
    arguments = list(sys.argv[1:] if arguments is None else arguments) or ["--help"]
    for stream in (sys.stdout, sys.stderr):
        # Words may hold what a terminal cannot show, lone surrogates above all; print them escaped.
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    warnings.showwarning = _show_warning
    warnings.simplefilter("always", UserWarning)  # what is said of a file is said of the next one too
    try:
        status = typer.main.get_command(app).main(arguments, prog_name="daneo", standalone_mode=False)
        sys.stdout.flush()
        return int(status or 0)
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    except (BrokenPipeError, SystemExit):
        # The reader has gone, as in `daneo similar ... | head`; inside a command click turns that into SystemExit.
        # Python would flush, and complain, once more while it exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except Exception as error:
        if os.environ.get("DANEO_DEBUG"):
            raise
        print(f"daneo: {in_one_line(error)}", file=sys.stderr)
        return BAD_USAGE if isinstance(error, UsageError) else BAD_INPUT


def _show_warning(message: Warning | str, *_: object, **__: object) -> None:
    print(f"daneo: warning: {message}", file=sys.stderr, flush=True)


def in_one_line(error: Exception) -> str:
    """Say what an exception says, without the decoration that str() gives some of them."""
    if isinstance(error, UsageError):
        # Where there is a parameter to name, the text goes on: Invalid value for '--topn': ...
        message = error.format_message().removeprefix("Invalid value: ")  # type: ignore[attr-defined]
        command = error.ctx.command_path if getattr(error, "ctx", None) else "daneo"  # type: ignore[attr-defined]
        message += f"{'' if message.endswith(('.', '?')) else '.'} See: {command} --help"
    elif isinstance(error, OSError) and error.strerror and error.filename is not None:
        message = f"{error.filename}: {error.strerror}."
    elif isinstance(error, KeyError) and error.args:
        message = str(error.args[0])  # str() would show the repr
    else:
        message = str(error)
    expected = isinstance(error, (UsageError, OSError, ValueError, TypeError, KeyError, EOFError, ImportError))
    if not expected or " " not in message:  # one word is a key or a name from inside, not a message to a user
        message = f"{type(error).__name__}: {message} (with DANEO_DEBUG=1 the traceback is shown)"
    return " ".join(message.split())
