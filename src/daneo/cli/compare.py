"""``daneo compare``: two sets of word vectors side by side."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated

import typer

from daneo.cli.ask import load_vectors
from daneo.cli.terminal import JsonFlag, print_json, print_note, print_table, without_nan

_PRINTED = 5  # neighbours of a word that a table shows

app = typer.Typer()


@app.command(
    epilog="""\b
Examples:
  daneo compare vectors-2000/ vectors-2020/                 which words changed
  daneo compare seed1/ seed2/ --words 20000 --most 0        how much chance there is in neighbours
  daneo compare glove.6B.100d.txt vectors/ -n 25 --json
"""
)
def compare(
    a: Annotated[Path, typer.Argument(metavar="A", help="Word vectors, in any format.")],
    b: Annotated[Path, typer.Argument(metavar="B", help="Others, whose words are spelt alike.")],
    topn: Annotated[int, typer.Option("--topn", "-n", metavar="N", min=1, help="Neighbours of each word.")] = 10,
    words: Annotated[
        int,
        typer.Option(metavar="N", min=0, help="Compare the N most frequent of the words of both; 0 compares all."),
    ] = 5_000,
    most: Annotated[int, typer.Option(metavar="N", min=0, help="How many of the words that moved to print.")] = 20,
    json: JsonFlag = False,
) -> None:
    """Say how alike two sets of vectors are, and which words moved.

    Alike are those in which words have the same neighbours, among the words of both. To say how far a word moved, A is
    rotated onto B, which brings their words as near together as a rotation can; the cosine is that between the word's
    two vectors then. Vectors of different sizes cannot be rotated onto each other: words that moved are then those with
    other neighbours.
    """
    from daneo.embeddings import compare as compare_vectors

    report = compare_vectors(load_vectors(a), load_vectors(b), topn=topn, num_words=words or None, most=most)
    if json:
        print_json(without_nan(dataclasses.asdict(report)))
        return
    print_table(["", ""], report.facts())
    if report.not_aligned:
        print_note(f"Not aligned: {report.not_aligned}")
    if report.moved:
        rows = [
            (one.word, one.cosine, one.overlap, _joined(one.neighbours_a), _joined(one.neighbours_b))
            for one in report.moved
        ]
        print_table(["moved most", "cosine", "overlap", f"near it in {a}", f"in {b}"], rows)


def _joined(neighbours: tuple[str, ...]) -> str:
    return ", ".join(neighbours[:_PRINTED])
