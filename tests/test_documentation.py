"""The README and every page of docs/ work as written: their code runs, in order, in a folder of its own.

A ``python`` block runs in the namespace of its page; if a ``text`` block follows, that is what it prints ("..." stands
for anything). Of a ``console`` block the lines that start with ``$ daneo`` run; make, pip and git are for the reader.
"""

from __future__ import annotations

import contextlib
import doctest
import io
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
PAGES = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md"))]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its text, and the line of the page where the text begins."""

    language: str
    text: str
    line: int


def blocks(page: str) -> list[Block]:
    return [Block(found[1], found[2], page.count("\n", 0, found.start(2)) + 1) for found in FENCE.finditer(page)]


def run_page(path: Path) -> None:
    namespace: dict[str, object] = {"__name__": "__main__"}
    printed: str | None = None
    for block in blocks(path.read_text(encoding="utf-8")):
        if block.language == "text" and printed is not None:
            assert_printed(printed, block.text, where=f"{path.name}:{block.line}")
        printed = None
        if block.language == "python":
            code = compile("\n" * (block.line - 1) + block.text, str(path), "exec")
            with contextlib.redirect_stdout(io.StringIO()) as output:
                exec(code, namespace)
            printed = output.getvalue()
        elif block.language == "console":
            for command in re.findall(r"^\$ (daneo .*)$", block.text, re.MULTILINE):
                run_command(command, where=f"{path.name}:{block.line}")


def assert_printed(got: str, wanted: str, where: str) -> None:
    same = doctest.OutputChecker().check_output(wanted, got, doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    assert same, f"{where}: the page says\n{wanted}\nthe code prints\n{got}"


def run_command(command: str, where: str) -> None:
    function = f'daneo() {{ "{sys.executable}" -m daneo.cli "$@"; }}\nset -o pipefail\n'
    path = os.pathsep.join([str(REPOSITORY / "src"), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(
        ["bash", "-c", function + command],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
        stdin=subprocess.DEVNULL,
        check=False,
    )
    assert done.returncode == 0, f"{where}: $ {command}\n{done.stdout}{done.stderr}"


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_page_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run_page(page)


@pytest.mark.parametrize(
    "page", [*PAGES, REPOSITORY / "CONTRIBUTING.md"], ids=lambda path: str(path.relative_to(REPOSITORY))
)
def test_links_to_files_lead_somewhere(page: Path) -> None:
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    targets = [target for target in re.findall(r"\]\(([^)#]+)[^)]*\)", text) if "://" not in target]
    assert [target for target in targets if not (page.parent / target).exists()] == []


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("```python\n1 / 0\n```\n", ZeroDivisionError),
        ("```python\nx = 1\n```\nthen\n```python\nassert x == 2\n```\n", AssertionError),
        ("```python\nprint(1)\n```\n```text\n2\n```\n", AssertionError),
        ("```console\n$ daneo no-such-command\n```\n", AssertionError),
    ],
)
def test_a_wrong_page_fails(text: str, error: type[Exception], tmp_path: Path) -> None:
    (tmp_path / "page.md").write_text(text, encoding="utf-8")
    with pytest.raises(error):
        run_page(tmp_path / "page.md")


def test_a_right_page_passes(tmp_path: Path) -> None:
    code = "```python\nx = 1\nprint(x, 2.71828)\n```\nprints\n```text\n1 2.7...\n```\n"
    commands = "```console\n$ false\n$ daneo --help | head -n 3\n```\n"
    (tmp_path / "page.md").write_text(code + commands, encoding="utf-8")
    run_page(tmp_path / "page.md")
