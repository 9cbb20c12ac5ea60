"""``daneo train ppmi``: text or counts in, a model's directory out. ``daneo contexts``: what its sparse rows say."""

from __future__ import annotations

import dataclasses
import shlex
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from daneo.cli.ask import TopnFlag, with_vectors
from daneo.cli.settings_flags import with_flags
from daneo.cli.terminal import JsonFlag, QuietFlag, clock, print_json, print_table, program, shown_progress
from daneo.cli.train import (
    TEXT,
    Asked,
    ErrorsOption,
    OutputOption,
    PhrasesOption,
    TokenizerOption,
    counts_at,
)
from daneo.cli.training_session import check_output, stopped_cleanly
from daneo.embeddings.ppmi_config import PPMIConfig

if TYPE_CHECKING:
    from daneo.corpus import Cooccurrences, Corpus
    from daneo.embeddings import PPMI

app = typer.Typer()
contexts_app = typer.Typer()


@app.command(
    "ppmi",
    epilog="""\b
Examples:
  daneo train ppmi reviews.txt -o vectors/
  daneo train ppmi 'wiki/*.txt.xz' -o vectors/ --vector-size 300 --window 5 --memory 4GB
  daneo cooccur reviews.txt -o counts/ && daneo train ppmi counts/ -o vectors/      counts serve many runs
  daneo similar vectors/ king --sparse; daneo contexts vectors/ king               ask the pairs themselves
""",
)
@with_flags(PPMIConfig)
def train_ppmi(
    corpus: Annotated[
        str, typer.Argument(metavar="CORPUS", help=f"{TEXT}, - for standard input; or counts of `daneo cooccur`.")
    ],
    output: OutputOption,
    tokenizer: TokenizerOption = "words",
    errors: ErrorsOption = "strict",
    phrases: PhrasesOption = None,
    json: JsonFlag = False,
    quiet: QuietFlag = False,
    *,
    settings: PPMIConfig,
) -> None:
    """Learn vectors of words by counting their contexts.

    A word's sparse row has a number for each word that stands near it more often than by chance, the positive
    pointwise mutual information; its dense vector is the same in short, by singular value decomposition. Both are kept.
    """
    import daneo

    counts = counts_at(corpus)
    asked = Asked(corpus, output, tokenizer, errors, phrases, [], False, json, quiet)
    asked.check_text(counts)
    check_output(output)
    model = daneo.PPMI(**dataclasses.asdict(settings))
    started = time.monotonic()
    with stopped_cleanly(model, output, None), shown_progress(quiet=quiet) as show:
        text: Corpus | Cooccurrences = counts or asked.text()
        if phrases is not None:
            text = asked.text(daneo.Phrases.learn(asked.text(), threshold=phrases, progress=show))
        model.fit(text, progress=show)
        model.save(output)
    _report(model, output, time.monotonic() - started, as_json=json, quiet=quiet)


@contexts_app.command(
    epilog="""\b
Examples:
  daneo contexts vectors/ king
  daneo contexts vectors/ king queen -n 20 --json
"""
)
def contexts(
    vectors: Annotated[Path, typer.Argument(metavar="VECTORS", help="A directory that `daneo train ppmi` wrote.")],
    words: Annotated[list[str], typer.Argument(metavar="WORD", help="Words.")],
    topn: TopnFlag = 10,
    json: JsonFlag = False,
) -> None:
    """Print what stands near each word more often than by chance.

    The strongest come first. The number is the logarithm of how many times as often.
    """
    import daneo

    store = daneo.SparseVectors.load(vectors)
    asked = list(dict.fromkeys(words))
    known = with_vectors(store, asked)
    answers = {word: store.strongest_contexts(word, topn=topn) for word in known}
    if json:
        print_json(
            {word: [{"context": near, "value": value} for near, value in found] for word, found in answers.items()}
        )
    elif known:
        rows = [(word, *one) for word, found in answers.items() for one in found]
        print_table(["word", "stands near", "value"], rows)
    if known != asked:
        raise typer.Exit(1)


def _report(model: PPMI, output: Path, seconds: float, *, as_json: bool, quiet: bool) -> None:
    """Say where the result is and what to try next."""
    words, size, num_pairs = model.vocabulary.words, model.config.vector_size, model.sparse.rows.num_stored
    if as_json:
        facts = {"path": str(output), "words": len(words), "vector_size": size, "pairs": num_pairs}
        print_json({**facts, "seconds": round(seconds, 3)})
    elif not quiet:
        print(
            f"{len(words):,} words; {num_pairs:,} pairs of a word and a context stand together more often than by "
            f"chance, reduced to vectors of {size} numbers, in {clock(seconds)}. They are in {output}.\n"
            "Try next:"
        )
        where, word = shlex.quote(str(output)), shlex.quote(words[min(100, len(words) - 1)])
        for command in (
            f"similar {where} {word}",
            f"contexts {where} {word}      what it stands near",
            f"similar {where} {word} --sparse      by all that it stands near",
            f"convert {where} {where}.txt      word2vec text, which every other tool opens",
        ):
            print(f"  {program()} {command}")
