"""``daneo index``: approximate neighbours for large vocabularies, and what they miss."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from daneo.cli.ask import load_vectors
from daneo.cli.settings_flags import with_flags
from daneo.cli.terminal import JsonFlag, QuietFlag, print_json, print_note, print_table, program, shown_progress
from daneo.cli.training_session import INTERRUPTED, check_output
from daneo.embeddings.neighbour_index_config import NeighbourIndexConfig

if TYPE_CHECKING:
    from daneo.embeddings import NeighbourIndexReport

app = typer.Typer()


@app.command(
    epilog="""\b
Examples:
  daneo index vectors/                                  into vectors/neighbours/
  daneo index cc.en.300.bin --recall 0.99               into cc.en.300.bin.neighbours/
  daneo index vectors/ --num-threads 1                  the same file every time
  daneo similar vectors/ - --approximate < words.txt    asks it
"""
)
@with_flags(NeighbourIndexConfig)
def index(
    settings: NeighbourIndexConfig,
    vectors: Annotated[
        Path, typer.Argument(metavar="VECTORS", help="Word vectors: a directory of ours, or a file of another tool's.")
    ],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="DIR", help="Where to; otherwise with the vectors.")
    ] = None,
    quiet: QuietFlag = False,
    json: JsonFlag = False,
) -> None:
    """Build an index for approximate neighbours, and measure it.

    A question is compared with a few hundred words instead of all. How many is chosen so that the recall is reached:
    the share of the ten nearest words that answers have. That, and the speed, is printed. Exact search stays what
    `daneo similar` does by itself.
    """
    from daneo.embeddings import NeighbourIndex
    from daneo.embeddings.neighbour_index_files import FILE_NAMES

    if output is None and str(vectors) == "-":
        raise typer.BadParameter("vectors from standard input have no place for an index; say where with --output DIR")
    target = output or NeighbourIndex.path_for(vectors)
    if not vectors.exists() and str(vectors) != "-":
        raise FileNotFoundError(f"{vectors} does not exist.")
    check_output(target, FILE_NAMES)
    store = load_vectors(vectors)
    try:
        with shown_progress(quiet=quiet) as progress:
            built = NeighbourIndex.build(store, **dataclasses.asdict(settings), progress=progress)
    except KeyboardInterrupt:
        print_note("Stopped. Nothing was written.")
        raise typer.Exit(INTERRUPTED) from None
    built.save(target)
    if json:
        print_json({"path": str(target), **dataclasses.asdict(built.report)})
    else:
        print_report(built.report)
    if quiet:
        return
    if settings.expansion_search is None and built.report.recall < settings.recall:
        print_note(
            f"daneo: the recall is {built.report.recall:.4f}, less than {settings.recall}. "
            "A greater --expansion-add or --connectivity finds more."
        )
    where = "--approximate" if output is None else f"--index {output}"
    print_note(f"Saved in {target}. Ask: {program()} similar {vectors} {store.words[0]} {where}")


def print_report(report: NeighbourIndexReport) -> None:
    """Print a report's tables."""
    print_table(["", ""], report.facts())
    rates = [(name, round(exact), round(index), ratio) for name, exact, index, ratio in report.rates()]
    print_table(["questions a second", "exact", "index", "ratio"], rates)
