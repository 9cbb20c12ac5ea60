"""Text that every Python installation carries: the standard library's docstrings and the language reference."""

from __future__ import annotations

import ast
import re
import sysconfig
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

from daneo.progress import Progress, ProgressCallback

# Not the standard library, or tables rather than prose. Some distributions leave the tests out, so nobody gets them.
SKIPPED_FOLDERS = {
    "site-packages",
    "dist-packages",
    "test",
    "tests",
    "idle_test",
    "lib2to3",
    "encodings",
    "__pycache__",
}
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def standard_library_text(progress: ProgressCallback | None = None) -> list[str]:
    """Return the paragraphs of the standard library's docstrings and of the language reference.

    The sources are read, never imported, so nothing of them runs; ``pydoc_data.topics``, one dict of text, is the
    exception. The result depends on the Python version alone.

    Raises
    ------
    FileNotFoundError
        This Python carries no sources of its standard library.
    """
    root = Path(sysconfig.get_path("stdlib"))
    paths = sorted(path for path in root.rglob("*.py") if not SKIPPED_FOLDERS & set(path.relative_to(root).parts))
    if not paths:
        raise FileNotFoundError(f"{root} holds no Python sources, so there is no text to learn from in this Python.")
    texts = list(_language_reference())
    done, total, started = 0, sum(path.stat().st_size for path in paths), time.monotonic()
    for path in paths:
        texts += _docstrings(path)
        done += path.stat().st_size
        if progress is not None:
            progress(_report(done, total, time.monotonic() - started))
    return [paragraph.strip() for text in texts for paragraph in re.split(r"\n\s*\n", text) if paragraph.strip()]


def _language_reference() -> Iterator[str]:
    from pydoc_data.topics import topics

    yield from (topics[name] for name in sorted(topics))


def _docstrings(path: Path) -> Iterator[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a stray backslash in somebody's docstring is not our user's concern
        try:
            tree = ast.parse(path.read_bytes())
        except (SyntaxError, ValueError):  # templates and tests of the parser, not modules
            return
    # ast.walk would go into every expression, and take longer than the parser.
    nodes: list[ast.AST] = [tree]
    for node in nodes:
        for block in ("body", "orelse", "handlers", "finalbody"):
            nodes += getattr(node, block, ())
        if isinstance(node, DOCUMENTED):
            yield ast.get_docstring(node, clean=False) or ""


def _report(done: int, total: int, seconds: float) -> Progress:
    rate = done / max(seconds, 1e-9)
    left = (total - done) / rate if done else None
    return Progress(
        stage="collecting", done=done, total=total, unit="bytes", seconds=seconds, rate=rate, seconds_left=left
    )
