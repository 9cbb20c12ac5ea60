"""The file that a writer writes to: beside its target first, compressed if the target's name ends in ``.gz``."""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from daneo.files import replaced_file


@contextmanager
def output_file(path: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """Open a file for writing that takes the place of `path` when all is written; on any error nothing changes."""
    with replaced_file(path) as file:
        if Path(path).suffix != ".gz":
            yield file
            return
        # No name and no time, so that the same vectors make the same file.
        with gzip.GzipFile(filename="", fileobj=file, mode="wb", compresslevel=6, mtime=0) as compressed:
            yield cast("IO[bytes]", compressed)
