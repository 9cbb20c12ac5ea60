"""The file config.json of a directory that a pass over a corpus wrote: what it is, and some facts of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

FORMAT, VERSION = "daneo", 1
LARGEST = 1 << 20  # bytes


def kind_of(directory: Path) -> str | None:
    """Return what a directory that daneo wrote says that it is; None for any other directory.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     print(kind_of(Path(folder)))
    None
    """
    path = directory / "config.json"
    if not path.is_file() or path.stat().st_size > LARGEST:
        return None
    try:
        config = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        return None
    return str(config.get("kind")) if isinstance(config, dict) and config.get("format") == FORMAT else None


class DirectoryKind(NamedTuple):
    """A kind of directory: its name in the file, and what errors say.

    Attributes
    ----------
    kind : str
        ``"encoded-corpus"``: what the file says.
    what : str
        ``"an encoded corpus"``.
    writer : str
        What writes such a directory.
    again : str
        What to do when it is damaged.
    """

    kind: str
    what: str
    writer: str
    again: str

    def write(self, directory: Path, facts: Mapping[str, Any]) -> dict[str, Any]:
        """Write config.json and return what it holds."""
        config = {"format": FORMAT, "version": VERSION, "kind": self.kind, **facts}
        (directory / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
        return config

    def read(
        self, directory: Path, counts: Sequence[str], others: Mapping[str, Callable[[Any], bool]]
    ) -> dict[str, Any]:
        """Read config.json.

        Parameters
        ----------
        directory : Path
            Where it is.
        counts : sequence of str
            Facts that must be there, as whole numbers from 0.
        others : mapping of str to callable
            Facts that must be there, and what says whether a value is possible.

        Raises
        ------
        FileNotFoundError
            There is none.
        ValueError
            The directory is of another kind or of a later version, or the file is damaged.
        """
        path = directory / "config.json"
        if not path.is_file():
            raise FileNotFoundError(
                f"{directory} is not {self.what}: it has no config.json. Give a directory that {self.writer} wrote."
            )
        if path.stat().st_size > LARGEST:
            raise ValueError(f"{path} is too large for the config of {self.what}. {self.again}")
        try:
            config = json.loads(path.read_bytes())
        except (ValueError, RecursionError) as error:
            raise ValueError(f"{path} is not JSON ({error}). {self.again}") from None
        if not isinstance(config, dict) or (config.get("format"), config.get("kind")) != (FORMAT, self.kind):
            raise ValueError(f"{directory} is not {self.what}. Give a directory that {self.writer} wrote.")
        if config.get("version") != VERSION:
            raise ValueError(
                f"{path} has version {config.get('version')!r}; this daneo reads version {VERSION}. Update daneo."
            )
        wrong = [name for name in counts if type(config.get(name)) is not int or not 0 <= config[name] < 2**62]
        wrong += [name for name, is_possible in others.items() if not is_possible(config.get(name))]
        if wrong:
            raise ValueError(f"{path} is damaged: {wrong[0]} is missing or wrong. {self.again}")
        return config
