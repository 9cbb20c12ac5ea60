"""Writing that never loses what was there: beside the target first, then a rename."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


@contextmanager
def replaced_file(path: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """Open a temporary file beside `path` for writing; on success flush it to disk and rename it to `path`.

    On any error the temporary file is removed and what stood at `path` is untouched.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        # mkstemp makes files that only their owner can read; give this one what open() would have given.
        os.chmod(name, 0o666 & ~_umask())
        os.replace(name, target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


@contextmanager
def replaced_directory(path: str | os.PathLike[str], known: Collection[str]) -> Iterator[Path]:
    """Make an empty directory beside `path`; on success rename it to `path`, whose old content then goes.

    `known` are the names that we write, in directories as ``a/b``: a directory that holds anything else is the user's
    and is refused.

    On any error the new directory is removed and what stood at `path` is untouched. A directory cannot be
    replaced in one system call, so the old one is renamed aside first: a kill between the two renames leaves
    it complete beside `path`, under a name that ends in ``.old``.
    """
    target = Path(path)
    if target.exists() and not target.is_dir():
        raise NotADirectoryError(f"{target} is a file; a directory is written here. Give another path or remove it.")
    strange = sorted(_names(target) - set(known)) if target.exists() else []
    if strange:
        raise FileExistsError(
            f"{target} holds {strange[0]!r}, which daneo did not write, or as part of something else, and which would "
            "be lost. Give a new or empty directory."
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent))
    try:
        yield fresh
        os.chmod(fresh, 0o777 & ~_umask())
        for entry in (*fresh.rglob("*"), fresh):
            _to_disk(entry)
        if target.exists():
            old = fresh.with_suffix(".old")
            os.rename(target, old)
            os.rename(fresh, target)
            shutil.rmtree(old)
        else:
            os.rename(fresh, target)
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise


@contextmanager
def new_directory(path: str | os.PathLike[str] | None, known: Collection[str], temporary_prefix: str) -> Iterator[Path]:
    """Make a directory to write into: one that will stand at `path`, as above, or for ``None`` a temporary one.

    A temporary one stays when all is well, and is the caller's to remove; an error removes it.
    """
    if path is not None:
        with replaced_directory(path, known) as directory:
            yield directory
        return
    directory = Path(tempfile.mkdtemp(prefix=temporary_prefix))
    try:
        yield directory
    except BaseException:
        shutil.rmtree(directory, ignore_errors=True)
        raise


def _names(directory: Path) -> set[str]:
    """Return all that a directory holds, as ``a/b``; of directories only those that hold nothing."""
    return {
        entry.relative_to(directory).as_posix()
        for entry in directory.rglob("*")
        if not entry.is_dir() or entry.is_symlink() or not any(entry.iterdir())
    }


def _to_disk(path: Path) -> None:
    """Wait until a file, or a directory's list of names, would survive a power cut."""
    if os.name == "nt" and path.is_dir():  # Windows has no way to say it for a directory
        return
    handle = os.open(path, os.O_RDONLY if os.name != "nt" else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
