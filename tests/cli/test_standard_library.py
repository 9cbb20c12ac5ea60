"""The demo's text: read from sources, never imported."""

from __future__ import annotations

import sysconfig
from pathlib import Path

import pytest

from daneo.cli.standard_library import standard_library_text
from daneo.progress import Progress


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(sysconfig, "get_path", lambda name: str(tmp_path) if name == "stdlib" else None)
    return tmp_path


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def test_docstrings_of_everything_by_paragraph(library: Path) -> None:
    functions = 'def f():\n    "A function."\nasync def g():\n    "Async."\nx = "not a docstring"\n'
    write(library / "a.py", '"""The module.\n\n   Second\n   paragraph."""\n' + functions)
    write(
        library / "b.py",
        'raise SystemExit("imported")\nclass B:\n    "A class."\n    def f(self):\n        "A method."',
    )
    write(library / "broken.py", "def (:\n")
    write(library / "site-packages" / "other.py", '"Not of the library."')
    write(library / "test" / "test_x.py", '"Tests are not everywhere."')
    text = standard_library_text()
    ours = text[text.index("The module.") :]
    assert ours == ["The module.", "Second\n   paragraph.", "A function.", "Async.", "A class.", "A method."]
    assert len(text) - len(ours) > 1000  # the language reference


def test_progress_ends_at_the_total(library: Path) -> None:
    write(library / "a.py", '"One."')
    write(library / "b.py", '"Two."')
    reports: list[Progress] = []
    standard_library_text(progress=reports.append)
    assert [(report.done, report.total) for report in reports] == [(6, 12), (12, 12)]


def test_python_without_sources_says_so(library: Path) -> None:
    with pytest.raises(FileNotFoundError, match="holds no Python sources"):
        standard_library_text()
