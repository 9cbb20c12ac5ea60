"""What people, pipes and machines are shown."""

from __future__ import annotations

import json

import pytest

from daneo.cli import terminal
from daneo.progress import Progress


def report(**changes: object) -> Progress:
    facts = {"stage": "training", "done": 50, "total": 100, "unit": "words", "seconds": 1.0, "rate": 1234567.8}
    return Progress(**{**facts, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "0:00"), (0.4, "0:00"), (59.6, "1:00"), (75.2, "1:15"), (3599.4, "59:59"), (3661, "1:01:01")],
)
def test_clock(seconds: float, shown: str) -> None:
    assert terminal.clock(seconds) == shown


def test_describe_says_what_is_known() -> None:
    full = report(epoch=2, epochs=5, loss=2.34567, learning_rate=0.01875, seconds_left=75.2)
    assert terminal.describe(full) == "epoch 2/5  1,234,568 words/s  loss 2.3457  learning rate 0.0187  1:15 left"
    assert terminal.describe(report(unit="bytes", rate=12.34e6)) == "12.3 MB/s"
    assert terminal.describe(report(done=100, seconds=75.2, seconds_left=0.0)) == "1,234,568 words/s  took 1:15"
    endless = report(unit="bytes", done=34_560_000, total=None, seconds=75.2, rate=12.34e6)
    assert terminal.describe(endless) == "34.6 MB in 1:15  12.3 MB/s"
    assert terminal.describe(report(done=5_000, total=None, rate=7.0)) == "5,000 words in 0:01  7 words/s"


def test_lines_in_a_pipe(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    reports = [(10, 1, 0.0), (20, 1, 1.0), (30, 1, 6.0), (60, 2, 6.5), (80, 2, 7.0), (100, 2, 7.1)]
    times = iter(time for _, _, time in reports)
    monkeypatch.setattr(terminal.time, "monotonic", lambda: next(times))
    with terminal.shown_progress() as show:
        assert show is not None
        for done, epoch, _ in reports:
            show(report(done=done, epoch=epoch, epochs=2))
    output, errors = capsys.readouterr()
    assert output == ""
    assert [line.split()[1] for line in errors.splitlines()] == ["10%", "30%", "100%"]


def test_quiet_shows_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with terminal.shown_progress(quiet=True) as show:
        assert show is None
    assert capsys.readouterr() == ("", "")


def test_table_in_a_pipe_is_tab_separated(capsys: pytest.CaptureFixture[str]) -> None:
    terminal.print_table(["word", "similarity", "count"], [("new\tyork\n", 0.98765, 12345), ("[red]", 1.0, 0)])
    assert capsys.readouterr().out == "new\\tyork\\n\t0.9877\t12345\n[red]\t1.0000\t0\n"


def test_table_on_a_terminal_is_aligned(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("TERM", "dumb")
    terminal.print_table(["word", "count"], [("[red]", 12345), ("단어", 7)])
    lines = [line.strip() for line in capsys.readouterr().out.splitlines() if line.strip(" ─")]
    assert lines == ["word     count", "[red]   12,345", "단어         7"]


def test_json_is_one_readable_line(capsys: pytest.CaptureFixture[str]) -> None:
    value = {"단어": [1, 0.5, None, "two\nlines"], "lone": "\ud800"}
    terminal.print_json(value)
    line = capsys.readouterr().out
    assert line.startswith('{"단어": [1, 0.5, null, "two\\nlines"]')
    assert line.count("\n") == 1
    assert json.loads(line) == value
