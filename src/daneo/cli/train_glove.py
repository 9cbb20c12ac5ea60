"""``daneo train glove``: text or counts in, a model's directory out."""

from __future__ import annotations

import dataclasses
from typing import Annotated

import typer

from daneo.cli.settings_flags import with_flags
from daneo.cli.terminal import JsonFlag, QuietFlag
from daneo.cli.train import (
    TEXT,
    Asked,
    ErrorsOption,
    OutputOption,
    PhrasesOption,
    ResumeFlag,
    TokenizerOption,
    WatchOption,
    counts_at,
    learn,
)
from daneo.embeddings.glove_config import GloVeConfig

app = typer.Typer()


@app.command(
    "glove",
    epilog="""\b
Examples:
  daneo train glove reviews.txt -o vectors/
  daneo train glove 'wiki/*.txt.xz' -o vectors/ --vector-size 300 --epochs 50 --x-max 100 --memory 4GB --watch king
  daneo cooccur reviews.txt -o counts/ && daneo train glove counts/ -o vectors/      counts serve many runs
  daneo train glove reviews.txt -o vectors/ --resume      after Ctrl-C, a crash or a power cut
""",
)
@with_flags(GloVeConfig)
def train_glove(
    corpus: Annotated[
        str, typer.Argument(metavar="CORPUS", help=f"{TEXT}, - for standard input; or counts of `daneo cooccur`.")
    ],
    output: OutputOption,
    tokenizer: TokenizerOption = "words",
    errors: ErrorsOption = "strict",
    phrases: PhrasesOption = None,
    watch: WatchOption = None,
    resume: ResumeFlag = False,
    json: JsonFlag = False,
    quiet: QuietFlag = False,
    *,
    settings: GloVeConfig,
) -> None:
    """Learn vectors of words from counts of pairs.

    Two words' vectors learn to tell how often the words stand near each other in the whole text.
    """
    import daneo

    counts = counts_at(corpus)
    asked = Asked(corpus, output, tokenizer, errors, phrases, watch or [], resume, json, quiet)
    asked.check(counts)
    learn(daneo.GloVe(**dataclasses.asdict(settings)), asked, counts=counts)
