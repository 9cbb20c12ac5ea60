"""``daneo similar``, ``analogy``, ``evaluate``: ask vectors what they know."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from daneo.cli.terminal import JsonFlag, print_json, print_note, print_table

if TYPE_CHECKING:
    from daneo.embeddings import WordVectors

VectorsArgument = Annotated[Path, typer.Argument(help="Vectors in any format that `daneo convert` reads.")]
NumFlag = Annotated[int, typer.Option("-n", "--topn", min=1, help="How many words to print.")]

app = typer.Typer()


@app.command(
    epilog="""\b
Examples:
  daneo similar vectors/ king
  daneo similar vectors/ king queen -n 3 --json
  cut -f1 words.tsv | daneo similar GoogleNews-vectors-negative300.bin.gz -
"""
)
def similar(
    vectors: VectorsArgument,
    words: Annotated[list[str], typer.Argument(help="Words, or - to read them from standard input, one a line.")],
    n: NumFlag = 10,
    json: JsonFlag = False,
) -> None:
    """Print the words nearest to each WORD, with their cosine similarity."""
    store = _load(vectors)
    asked = sys.stdin.read().splitlines() if words == ["-"] else words
    known = [word for word in asked if word in store]
    answers = dict(zip(known, store.most_similar(known, topn=n), strict=True)) if known else {}
    if json:
        print_json({word: [{"word": near, "similarity": s} for near, s in found] for word, found in answers.items()})
    else:
        print_table(
            ["word", "near it", "similarity"], [(word, *one) for word, found in answers.items() for one in found]
        )
    _complain(store, [word for word in asked if word not in store])


def _load(path: Path) -> WordVectors:
    import daneo

    return daneo.WordVectors.load(path)


def _complain(store: WordVectors, unknown: list[str]) -> None:
    for word in unknown:
        try:
            store.vocabulary.id(word)
        except KeyError as error:
            print_note(f"daneo: {error.args[0]}")
    if unknown:
        raise typer.Exit(1)
