"""``daneo cooccur``: how often words stand near each other."""

from __future__ import annotations

import dataclasses
import shlex
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from daneo.cli.settings_flags import with_flags
from daneo.cli.terminal import (
    JsonFlag,
    QuietFlag,
    clock,
    print_json,
    print_note,
    print_table,
    program,
    shown_progress,
)
from daneo.cli.train import ErrorsOption, TextArgument, TokenizerOption, warn_of_vectors
from daneo.cli.training_session import INTERRUPTED, check_output
from daneo.corpus.cooccurrence_config import CooccurrencesConfig

if TYPE_CHECKING:
    from daneo.corpus import Cooccurrences

app = typer.Typer()


@app.command(
    epilog="""\b
Examples:
  daneo cooccur reviews.txt -o counts/
  daneo cooccur 'wiki/*.txt.xz' -o counts/ --window 15 --max-size 100000 --memory 4GB
  daneo cooccur reviews.txt -o left/ --no-symmetric --weighting flat      what stands on a word's left
  zcat news.gz | daneo cooccur - -o counts/ --json
"""
)
@with_flags(CooccurrencesConfig)
def cooccur(
    corpus: TextArgument,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="The directory for the counts.")],
    tokenizer: TokenizerOption = "words",
    errors: ErrorsOption = "strict",
    json: JsonFlag = False,
    quiet: QuietFlag = False,
    *,
    settings: CooccurrencesConfig,
) -> None:
    """Count how often words stand near each other.

    The counts are what `train glove` and `train ppmi` learn from; in Python, daneo.Cooccurrences.open(DIR).matrix() is
    a sparse matrix. What does not fit the memory goes to disk in between, beside DIR. DIR is written whole or not at
    all.
    """
    import daneo
    from daneo.corpus import count_cooccurrences
    from daneo.corpus.cooccurrences import FILES

    warn_of_vectors(corpus)
    check_output(output, known=FILES)
    text = daneo.Corpus(corpus, tokenizer=tokenizer, errors=errors)
    started = time.monotonic()
    try:
        with shown_progress(quiet=quiet) as show:
            pairs = count_cooccurrences(text, path=output, progress=show, **dataclasses.asdict(settings))
    except KeyboardInterrupt:
        print_note("Stopped. Nothing was written.")
        raise typer.Exit(INTERRUPTED) from None
    seconds = time.monotonic() - started
    if json:
        print_json({"path": str(output), **facts(pairs), "seconds": round(seconds, 3)})
    elif not quiet:
        _report(pairs, output, seconds)


def facts(pairs: Cooccurrences) -> dict[str, Any]:
    """What a directory of counts holds, for `daneo info`, too."""
    return {
        "words": len(pairs.vocabulary),
        "pairs": pairs.num_stored,
        "nonzeros": pairs.num_pairs,
        "tokens": pairs.num_tokens,
        "settings": {"window": pairs.window, "weighting": pairs.weighting, "symmetric": pairs.symmetric},
        "most_frequent": [list(pair) for pair in pairs.most_frequent(5)],
    }


def _report(pairs: Cooccurrences, output: Path, seconds: float) -> None:
    """Say what was counted, where it is and what to try next."""
    how = "apart" if pairs.symmetric else "to the left"
    print(
        f"{pairs.num_stored:,} different pairs of {len(pairs.vocabulary):,} words that stand at most {pairs.window} "
        f"{how}, in a text of {pairs.num_tokens:,}, counted in {clock(seconds)}. They are in {output}.\n"
        "The most frequent:"
    )
    print_table(["word", "context", "count"], pairs.most_frequent(5))
    where = shlex.quote(str(output))
    print("Try next:")
    for command in (f"train glove {where} -o vectors/", f"train ppmi {where} -o vectors/", f"info {where}"):
        print(f"  {program()} {command}")
