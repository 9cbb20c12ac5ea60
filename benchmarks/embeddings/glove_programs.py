"""Stanford's GloVe programs as a rival: built by the reader, run on the same tokens."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

ABOUT = "GloVe of github.com/stanfordnlp/GloVe, master at 52f7dbc (its last release is 1.2)"
SETTINGS = {"vector_size": 100, "window": 10, "min_count": 5, "x_max": 100, "alpha": 0.75, "learning_rate": 0.05}


def run(programs: Path, name: str, *options: object, source: Path | None = None, target: Path | None = None) -> float:
    """Run one of the programs and return the seconds that it took."""
    began = time.perf_counter()
    with (
        open(source or "/dev/null", "rb") as stdin,
        open(target or "/dev/null", "wb") as stdout,
    ):
        subprocess.run(
            [programs / name, *map(str, options)], stdin=stdin, stdout=stdout, stderr=subprocess.DEVNULL, check=True
        )
    return time.perf_counter() - began


def count_words(programs: Path, tokens: Path, folder: Path) -> None:
    """Write vocab.txt."""
    run(programs, "vocab_count", "-min-count", 5, "-verbose", 0, source=tokens, target=folder / "vocab.txt")


def count_pairs(programs: Path, tokens: Path, folder: Path) -> tuple[float, float]:
    """Write shuffled.bin from tokens and vocab.txt; return the seconds of cooccur and of shuffle."""
    common = ("-memory", 4, "-verbose", 0)
    counted, shuffled = folder / "counted.bin", folder / "shuffled.bin"
    files = ("-vocab-file", folder / "vocab.txt", "-overflow-file", folder / "overflow")
    counting = run(programs, "cooccur", *common, "-window-size", 10, *files, source=tokens, target=counted)
    shuffle = ("-seed", 1, "-temp-file", folder / "shuffling")
    shuffling = run(programs, "shuffle", *common, *shuffle, source=counted, target=shuffled)
    counted.unlink()
    return counting, shuffling


def train(programs: Path, folder: Path, output: Path, *, epochs: int, threads: int, seed: int) -> float:
    """Write vectors, `output` plus .txt, words plus contexts as by default; return the seconds."""
    files = ("-input-file", folder / "shuffled.bin", "-vocab-file", folder / "vocab.txt", "-save-file", output)
    size = ("-vector-size", 100, "-iter", epochs, "-threads", threads, "-seed", seed)
    return run(programs, "glove", *files, *size, "-verbose", 0)
