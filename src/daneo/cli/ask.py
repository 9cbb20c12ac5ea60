"""``daneo similar``, ``analogy`` and ``evaluate``: ask vectors what they know."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from daneo.cli.terminal import JsonFlag, print_json, print_note, print_table

if TYPE_CHECKING:
    from daneo.embeddings import AnalogyResult, NeighbourIndex, SimilarityResult, SparseVectors, WordVectors

VectorsArgument = Annotated[
    Path, typer.Argument(metavar="VECTORS", help="Word vectors: a directory of ours, or a file of another tool's.")
]
TopnFlag = Annotated[int, typer.Option("--topn", "-n", metavar="N", min=1, help="How many words to print.")]
SparseFlag = Annotated[
    bool, typer.Option("--sparse", help="Ask the sparse rows of a directory that `daneo train ppmi` wrote.")
]

app = typer.Typer()


@app.command(
    epilog="""\b
Examples:
  daneo similar vectors/ king
  daneo similar vectors/ king queen -n 3 --json
  cut -f1 words.tsv | daneo similar GoogleNews-vectors-negative300.bin.gz -
  daneo similar cc.ko.300.bin 재밌써요           a word never seen, from its n-grams
  daneo similar vectors/ king --sparse           by all that it stands near, if `daneo train ppmi` made them
  daneo similar vectors/ - --approximate < words.txt      with the index of `daneo index vectors/`
"""
)
def similar(
    vectors: VectorsArgument,
    words: Annotated[
        list[str], typer.Argument(metavar="WORD", help="Words; - reads them from standard input, one a line.")
    ],
    topn: TopnFlag = 10,
    sparse: SparseFlag = False,
    approximate: Annotated[
        bool, typer.Option("--approximate", help="Ask the index of `daneo index`, which may miss a word.")
    ] = False,
    index: Annotated[
        Path | None, typer.Option("--index", metavar="DIR", help="The same, where the index lies elsewhere.")
    ] = None,
    json: JsonFlag = False,
) -> None:
    """Print the words nearest to each word.

    Vectors with n-grams answer for words that they never saw, and say on standard error that they did not.

    An index is checked before it is asked, about a second for a gigabyte: it pays for many words, not for one.
    """
    if sparse and (approximate or index):
        raise typer.BadParameter("an index is of dense vectors; leave out --sparse, or --approximate and --index")
    store = _opened(vectors, sparse=sparse)
    opened = _open_index(index, vectors, store) if approximate or index else None
    asked = list(dict.fromkeys(sys.stdin.read().splitlines() if words == ["-"] else words))
    known = with_vectors(store, asked)
    answers = dict(zip(known, store.most_similar(known, topn=topn, index=opened), strict=True)) if known else {}
    if json:
        print_json({word: _as_objects(near) for word, near in answers.items()})
    elif known:
        rows = [(word, *one) for word, near in answers.items() for one in near]
        print_table(["word", "near it", "similarity"], rows)
    if known != asked:
        raise typer.Exit(1)


@app.command(
    epilog="""\b
Examples:
  daneo analogy vectors/ man king woman          what king - man + woman comes near to
  daneo analogy vectors/ paris france tokyo -n 3 --json
"""
)
def analogy(
    vectors: VectorsArgument,
    a: Annotated[str, typer.Argument(metavar="A", help="The word that stands to B ...")],
    b: Annotated[str, typer.Argument(metavar="B", help="... as")],
    c: Annotated[str, typer.Argument(metavar="C", help="this word stands to the answer.")],
    topn: TopnFlag = 5,
    sparse: SparseFlag = False,
    json: JsonFlag = False,
) -> None:
    """Answer "A is to B as C is to ?"."""
    store = _opened(vectors, sparse=sparse)
    if len(with_vectors(store, [a, b, c])) < 3:
        raise typer.Exit(1)
    near = store.most_similar(positive=[b, c], negative=[a], topn=topn)
    if json:
        print_json(_as_objects(near))
    else:
        print_table([f"{a} is to {b} as {c} is to", "similarity"], near)


@app.command(
    epilog="""\b
Examples:
  daneo evaluate vectors/ --analogies questions-words.txt --similarities wordsim353.tsv
  daneo evaluate glove.6B.300d.txt --similarities wordsim353.tsv --similarities simlex999.txt --json
  daneo evaluate cc.ko.300.bin --similarities WS353_korean.csv --unseen
"""
)
def evaluate(
    vectors: VectorsArgument,
    analogies: Annotated[
        list[Path] | None, typer.Option(metavar="FILE", help="Lines of four words, in sections; repeatable.")
    ] = None,
    similarities: Annotated[
        list[Path] | None, typer.Option(metavar="FILE", help="Lines of two words and a judgement; repeatable.")
    ] = None,
    restrict_vocab: Annotated[
        int | None, typer.Option(min=1, help="Use the first words only; others are left out and counted.")
    ] = 300_000,
    case_sensitive: Annotated[
        bool, typer.Option("--case-sensitive", help="Tell words apart that differ in case only.")
    ] = False,
    unseen: Annotated[
        bool, typer.Option("--unseen", help="Compare pairs with words never seen too, by their n-grams.")
    ] = False,
    sparse: SparseFlag = False,
    json: JsonFlag = False,
) -> None:
    """Measure vectors on analogies and on judged similarities."""
    if not analogies and not similarities:
        raise typer.BadParameter("nothing to measure; give --analogies FILE, --similarities FILE, or both")
    store = _opened(vectors, sparse=sparse)
    options: dict[str, Any] = {"restrict_vocab": restrict_vocab, "case_insensitive": not case_sensitive}
    answered = {path: store.evaluate_analogies(path, **options) for path in analogies or []}
    if unseen:
        options["unseen"] = _demand_ngrams(store, vectors)
    compared = [store.evaluate_similarities(path, **options) for path in similarities or []]
    if json:
        found = {path.name: _analogies_as_object(result) for path, result in answered.items()}
        print_json({"analogies": found, "similarities": {one.name: _similarity_as_object(one) for one in compared}})
        return
    for path, result in answered.items():
        parts = [*result.sections, result.semantic, result.syntactic, result.total]
        rows = [(path.name, one.name, one.accuracy, one.correct, one.total, one.left_out) for one in parts]
        print_table(["analogies", "section", "accuracy", "correct", "tried", "left out"], rows)
    if compared:
        print_table(
            ["similarities", "Spearman", "Pearson", "pairs", "left out"],
            [(one.name, one.spearman, one.pearson, one.num_pairs, one.num_left_out) for one in compared],
        )


def _opened(path: Path, *, sparse: bool) -> WordVectors | SparseVectors:
    import daneo

    return daneo.SparseVectors.load(path) if sparse else load_vectors(path)


def load_vectors(path: Path, *, errors: str = "strict") -> WordVectors:
    """Open word vectors; ``-`` is standard input. `errors` says what to do with words that are not UTF-8."""
    import daneo

    return daneo.WordVectors.load("/dev/stdin" if str(path) == "-" else path, errors=errors)


def _open_index(path: Path | None, vectors: Path, store: WordVectors | SparseVectors) -> NeighbourIndex:
    """Open the index at `path`, or the one that lies with the vectors."""
    from daneo.embeddings import NeighbourIndex, WordVectors

    assert isinstance(store, WordVectors)
    return NeighbourIndex.load(path or NeighbourIndex.path_for(vectors), store)


def _demand_ngrams(store: WordVectors | SparseVectors, path: Path) -> bool:
    from daneo.embeddings import SubwordVectors

    if not isinstance(store, SubwordVectors):
        raise typer.BadParameter(f"--unseen needs vectors with n-grams; {path} has vectors of whole words only")
    return True


def has_vector(store: WordVectors | SparseVectors, word: str) -> bool:
    """Whether there is something to answer from: the word was seen, or an n-gram of it."""
    from daneo.embeddings import SubwordVectors

    return word in store or (isinstance(store, SubwordVectors) and bool(store[word].any()))


def with_vectors(store: WordVectors | SparseVectors, words: Sequence[str]) -> list[str]:
    """Return the words that have a vector; say on standard error which have none, and which were never seen."""
    from daneo.embeddings import SubwordVectors

    known = []
    for word in words:
        if has_vector(store, word):
            known.append(word)
            if word not in store:
                print_note(f"daneo: {word!r} was not seen in training; its vector is made of its n-grams.")
        elif isinstance(store, SubwordVectors):
            print_note(f"daneo: {word!r} was not seen in training, and neither was any n-gram of it.")
        else:
            print_note(f"daneo: {_missing(store, word)}")
    return known


def _missing(store: WordVectors | SparseVectors, word: str) -> str:
    try:
        store.vocabulary.id(word)
    except KeyError as error:
        return str(error.args[0])
    raise AssertionError(f"{word!r} is in the vocabulary")


def _as_objects(near: list[tuple[str, float]]) -> list[dict[str, Any]]:
    return [{"word": word, "similarity": similarity} for word, similarity in near]


def _analogies_as_object(result: AnalogyResult) -> dict[str, Any]:
    parts = {one.name: one for one in [*result.sections, result.semantic, result.syntactic, result.total]}
    return {
        name: {
            "accuracy": _number_or_none(one.accuracy),
            "correct": one.correct,
            "tried": one.total,
            "left_out": one.left_out,
        }
        for name, one in parts.items()
    }


def _similarity_as_object(result: SimilarityResult) -> dict[str, Any]:
    return {
        "spearman": _number_or_none(result.spearman),
        "pearson": _number_or_none(result.pearson),
        "pairs": result.num_pairs,
        "left_out": result.num_left_out,
    }


def _number_or_none(value: float) -> float | None:
    return None if math.isnan(value) else value  # JSON has no NaN
