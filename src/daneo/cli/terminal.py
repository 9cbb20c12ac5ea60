"""What the commands print: tables and bars for people, plain lines for pipes, JSON for machines."""

from __future__ import annotations

import json
import math
import shlex
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from daneo.progress import Progress, ProgressCallback

JsonFlag = Annotated[bool, typer.Option("--json", help="Print one JSON document, for machines.")]
QuietFlag = Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")]
SECONDS_BETWEEN_LINES = 5.0


def print_json(value: Any) -> None:
    """Print one JSON document on one line; text stays readable, lone surrogates are escaped."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    print(text.encode("utf-8", errors="backslashreplace").decode("utf-8"))


def without_nan(value: Any) -> Any:
    """Put None in place of NaN, which JSON has not."""
    if isinstance(value, dict):
        return {key: without_nan(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [without_nan(inner) for inner in value]
    return None if isinstance(value, float) and math.isnan(value) else value


def print_note(text: str) -> None:
    """Say something about the run on standard error, where it does not mix with results."""
    print(text, file=sys.stderr, flush=True)


def print_table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Print rows: aligned under their headings on a terminal, tab-separated without headings in a pipe.

    Floats are shown with four digits, whole numbers with thousands marks on a terminal only.
    """
    if not sys.stdout.isatty():
        for row in rows:
            print(*(str(cell) if isinstance(cell, int) else readable(cell) for cell in row), sep="\t")
        return
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    has_headings = any(columns)
    table = Table(box=box.SIMPLE_HEAD if has_headings else None, show_header=has_headings, pad_edge=False)
    for column, cell in zip(columns, rows[0] if rows else columns, strict=True):
        table.add_column(Text(column), justify="right" if isinstance(cell, int | float) else "left")
    before = None
    for row in rows:
        # A group's name stands once. Text, because words may look like rich's markup: [red].
        table.add_row("" if row[0] == before else Text(readable(row[0])), *(Text(readable(cell)) for cell in row[1:]))
        before = row[0]
    Console().print(table)


def readable(cell: Any) -> str:
    """A cell as people read it: 0.8125, 12,345, text without control characters."""
    if isinstance(cell, float):
        return "-" if math.isnan(cell) else f"{cell:.4g}" if 0 < abs(cell) < 0.001 else f"{cell:.4f}"
    return f"{cell:,}" if isinstance(cell, int) else one_line(cell)


def one_line(cell: Any) -> str:
    """Escape what would break a line or a terminal: tabs, newlines, control characters."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in str(cell))


def clock(seconds: float) -> str:
    """75.2 -> ``1:15``; an hour more -> ``1:01:15``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def describe(progress: Progress) -> str:
    """The facts of a progress report: epoch, rate, loss, learning rate, time."""
    facts = []
    if progress.epochs:
        facts.append(f"epoch {progress.epoch}/{progress.epochs}")
    size, unit, digits = (1e6, "MB", 1) if progress.unit == "bytes" else (1, progress.unit, 0)
    if progress.total is None:
        facts.append(f"{progress.done / size:,.{digits}f} {unit} in {clock(progress.seconds)}")
    facts.append(f"{progress.rate / size:,.{digits}f} {unit}/s")
    if progress.loss is not None:
        facts.append(f"loss {progress.loss:.4f}")
    if progress.learning_rate is not None:
        facts.append(f"learning rate {progress.learning_rate:.4f}")
    if progress.done == progress.total:
        facts.append(f"took {clock(progress.seconds)}")
    elif progress.seconds_left is not None:
        facts.append(f"{clock(progress.seconds_left)} left")
    return "  ".join(facts)


@contextmanager
def shown_progress(*, quiet: bool = False) -> Iterator[ProgressCallback | None]:
    """Show what a long computation reports, on standard error: bars on a terminal, a line now and then elsewhere."""
    if quiet:
        yield None
    elif sys.stderr.isatty():
        with _bars() as show:
            yield show
    else:
        yield _Lines()


class _Lines:
    """A plain line at each stage's start and end and every few seconds between."""

    def __init__(self) -> None:
        self._stage = ""
        self._next = 0.0
        self._last = ""

    def __call__(self, progress: Progress) -> None:
        now = time.monotonic()
        at_end = progress.total is not None and progress.done >= progress.total
        if progress.stage == self._stage and not at_end and now < self._next:
            return
        self._stage, self._next = progress.stage, now + SECONDS_BETWEEN_LINES
        share = f" {progress.done / progress.total:4.0%}" if progress.total else ""
        line = f"{progress.stage}{share}  {describe(progress)}"
        if line != self._last:  # a stage may report its end twice
            print_note(line)
        self._last = line


@contextmanager
def _bars() -> Iterator[ProgressCallback]:
    from rich.console import Console
    from rich.progress import BarColumn, TaskID, TaskProgressColumn, TextColumn
    from rich.progress import Progress as Bars

    columns = [
        TextColumn("{task.description:9}"),
        BarColumn(20),
        TaskProgressColumn(),
        TextColumn("{task.fields[facts]}"),
    ]
    with Bars(*columns, console=Console(stderr=True)) as bars:
        tasks: dict[str, TaskID] = {}

        def show(progress: Progress) -> None:
            if progress.stage not in tasks:
                tasks[progress.stage] = bars.add_task(progress.stage, total=progress.total, facts="")
            bars.update(tasks[progress.stage], completed=progress.done, total=progress.total, facts=describe(progress))

        yield show


def program() -> str:
    """How to call us again: ``daneo`` where the shell finds it, or the way that the user took."""
    if Path(sys.argv[0]).name == "__main__.py":
        return f"{shlex.quote(sys.executable)} -m daneo.cli"
    return "daneo" if shutil.which("daneo") else shlex.quote(sys.argv[0])
