"""``daneo demo``: from nothing to word vectors, on text that is already on the machine."""

from __future__ import annotations

import platform
import shlex
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from daneo.cli.standard_library import standard_library_text
from daneo.cli.terminal import QuietFlag, clock, print_note, print_table, program, shown_progress

# The text is small, so it is read often; with one thread everybody with the same Python sees the same neighbours.
SETTINGS: dict[str, Any] = {"min_count": 8, "epochs": 30, "negative": 10, "sample": 3e-4, "num_threads": 1, "seed": 1}
WORDS = ("red", "year", "button", "socket", "lock", "bytes")

app = typer.Typer()


@app.command(
    epilog="""\b
Examples:
  daneo demo
  daneo demo -o /tmp/python-vectors
"""
)
def demo(
    output: Annotated[Path, typer.Option("--output", "-o", help="The directory for the vectors.")] = Path("daneo-demo"),
    quiet: QuietFlag = False,
) -> None:
    """Learn word vectors from Python's own documentation, in seconds."""
    import daneo

    started = time.monotonic()
    if not quiet:
        print_note(f"The text: docstrings and language reference of Python {platform.python_version()}.")
    with shown_progress(quiet=quiet) as show:
        text = standard_library_text(progress=show)
        model = daneo.Word2Vec(**SETTINGS).fit(daneo.Corpus(text), progress=show)
    model.save(output)
    if quiet:
        return
    vectors, here = model.vectors, shlex.quote(str(output))
    known = [word for word in WORDS if word in vectors]
    answers = vectors.most_similar(known, topn=5)
    print_table(
        ["word", "words in its company"],
        [(word, ", ".join(near for near, _ in found)) for word, found in zip(known, answers, strict=True)],
    )
    print(
        f"{len(vectors):,} words got {vectors.vector_size} numbers each in {clock(time.monotonic() - started)}. "
        f"They are in {output}.\n"
        "Try next:\n"
        f"  {program()} similar {here} thread -n 5\n"
        f"  {program()} info {here}\n"
        f"  {program()} train word2vec YOUR-TEXT.txt -o vectors\n"
        f"  {program()} train --help      other kinds of vectors: fasttext, glove, ppmi"
    )
