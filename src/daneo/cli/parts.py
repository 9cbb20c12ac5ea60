"""``daneo ngrams``: what the parts of words have learned."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from daneo.cli.ask import load_vectors, with_vectors
from daneo.cli.terminal import JsonFlag, print_json, print_table

if TYPE_CHECKING:
    from daneo.embeddings import SubwordVectors
    from daneo.embeddings.similarity_shares import WordPart

app = typer.Typer()


@app.command(
    epilog="""\b
Examples:
  daneo ngrams vectors/ rainbow -n 5           the n-grams whose vectors are nearest to it
  daneo ngrams vectors/ rainbows rainbow       the parts that make the two alike, and how much each adds
  daneo ngrams cc.ko.300.bin 먹었어요 먹었다 --json
"""
)
def ngrams(
    vectors: Annotated[
        Path, typer.Argument(metavar="VECTORS", help="Vectors with n-grams: of `train fasttext`, or fastText's .bin.")
    ],
    word: Annotated[str, typer.Argument(metavar="WORD", help="Any word, seen in training or not.")],
    other: Annotated[
        str | None, typer.Argument(metavar="OTHER", help="Take the similarity of both words apart.")
    ] = None,
    topn: Annotated[int, typer.Option("--topn", "-n", metavar="N", min=1, help="How many parts to print.")] = 10,
    json: JsonFlag = False,
) -> None:
    """Print the n-grams near a word, or what makes two words alike.

    The marks < and > stand where a word begins and ends, and · for the final consonant that a syllable has not. The
    shares of a word's parts add up to the similarity; a share below 0 makes the words less alike.
    """
    store = _with_ngrams(vectors)
    asked = [word] if other is None else [word, other]
    if with_vectors(store, asked) != asked:
        raise typer.Exit(1)
    if other is None:
        found = store.nearest_ngrams(word, topn=topn)
        if json:
            print_json([{"ngram": ngram, "similarity": score} for ngram, score in found])
        else:
            print_table([f"n-grams near {word}", "similarity"], [(_visible(ngram), score) for ngram, score in found])
        return
    shares = store.explain_similarity(word, other)
    parts = {word: shares.of_a(), other: shares.of_b()}
    if json:
        objects = {one: [_as_object(part, share) for part, share in ranked] for one, ranked in parts.items()}
        print_json({"similarity": shares.similarity, "parts": objects})
    else:
        rows = [row for one, ranked in parts.items() for row in _rows(one, ranked, topn)]
        print_table(["word", "part", "share"], [("both", "similarity", shares.similarity), *rows])


def _with_ngrams(path: Path) -> SubwordVectors:
    from daneo.embeddings import SubwordVectors

    store = load_vectors(path)
    if not isinstance(store, SubwordVectors) or not len(store.ngrams):
        raise ValueError(
            f"{path} has no n-grams. `daneo train fasttext` learns them, and fastText's .bin files have them."
        )
    return store


def _rows(word: str, ranked: list[tuple[WordPart, float]], topn: int) -> list[tuple[str, str, float]]:
    rows = [(word, str(part), share) for part, share in ranked[:topn]]
    if rest := ranked[topn:]:
        rows.append((word, f"{len(rest)} {'other' if len(rest) == 1 else 'others'}", sum(share for _, share in rest)))
    return rows


def _as_object(part: WordPart, share: float) -> dict[str, Any]:
    return {"part": part.text, "is_ngram": part.is_ngram, "share": share}


def _visible(part: str) -> str:
    from daneo.corpus.hangul import NO_FINAL

    return part.replace(NO_FINAL, "·")  # no font shows a private symbol
