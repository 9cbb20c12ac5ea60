"""``daneo train ...``: text in, a model's directory out."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from daneo.cli.settings_flags import with_flags
from daneo.cli.terminal import JsonFlag, QuietFlag, shown_progress
from daneo.cli.training_session import (
    Trainer,
    check_checkpoint,
    check_output,
    clear_and_report,
    stopped_cleanly,
    watcher,
)
from daneo.embeddings.fasttext_config import FastTextConfig
from daneo.embeddings.word2vec_config import Word2VecConfig

if TYPE_CHECKING:
    from daneo.corpus import Cooccurrences, Corpus, Phrases

TEXT = "Text: a file (.gz, .bz2, .xz and .zst too), a folder, a glob"
TextArgument = Annotated[str, typer.Argument(metavar="CORPUS", help=f"{TEXT}, or - for standard input.")]
OutputOption = Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="The directory for the vectors.")]
TokenizerOption = Annotated[
    str, typer.Option(metavar="NAME", help="How text becomes words: words, whitespace, characters, jamo, korean.")
]
ErrorsOption = Annotated[Literal["strict", "replace"], typer.Option(help="What to do with bytes that are not UTF-8.")]
PhrasesOption = Annotated[
    float | None,
    typer.Option(
        metavar="THRESHOLD",
        help="First join words that often stand together, as new_york; 100 is usual, less joins more.",
    ),
]
WatchOption = Annotated[
    list[str] | None, typer.Option(metavar="WORD", help="Show this word's neighbours after each epoch; repeatable.")
]
FreezeOption = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Words, one a line, whose vectors stay as they begin.")
]
ResumeFlag = Annotated[bool, typer.Option("--resume", help="Go on from the last checkpoint.")]

app = typer.Typer()


@app.callback()
def train() -> None:
    """Learn a model from text."""


@app.command(
    "word2vec",
    epilog="""\b
Examples:
  daneo train word2vec reviews.txt -o vectors/
  daneo train word2vec 'wiki/*.txt.xz' -o vectors/ --epochs 3 --watch king --watch river
  zcat news.gz | daneo train word2vec - -o vectors/ --vector-size 300 --architecture cbow
  daneo train word2vec reviews.txt -o vectors/ --resume      after Ctrl-C, a crash or a power cut
  daneo train word2vec reviews.txt -o ours/ --init-from glove.6B.100d.txt
""",
)
@with_flags(Word2VecConfig)
def train_word2vec(
    corpus: TextArgument,
    output: OutputOption,
    tokenizer: TokenizerOption = "words",
    errors: ErrorsOption = "strict",
    phrases: PhrasesOption = None,
    watch: WatchOption = None,
    init_from: Annotated[
        Path | None, typer.Option(metavar="VECTORS", help="Start from these vectors, where they have the word.")
    ] = None,
    freeze: FreezeOption = None,
    resume: ResumeFlag = False,
    json: JsonFlag = False,
    quiet: QuietFlag = False,
    *,
    settings: Word2VecConfig,
) -> None:
    """Learn vectors of words.

    A word's vector learns to tell the words around it (skipgram), or they learn to tell it (cbow).
    """
    import daneo

    asked = Asked(corpus, output, tokenizer, errors, phrases, watch or [], resume, json, quiet)
    asked.check()
    vectors = None if init_from is None else daneo.WordVectors.load(init_from)
    learn(daneo.Word2Vec(**dataclasses.asdict(settings)), asked, vectors=vectors, frozen=_words(freeze))


@app.command(
    "fasttext",
    epilog="""\b
Examples:
  daneo train fasttext reviews.txt -o vectors/
  daneo train fasttext wiki-ko.txt.xz -o korean/ --subwords jamo --watch 먹었어요
  daneo train fasttext reviews.txt -o vectors/ --architecture cbow --position-weights --min-ngram 5 --max-ngram 5
  daneo train fasttext reviews.txt -o vectors/ --resume      after Ctrl-C, a crash or a power cut
""",
)
@with_flags(FastTextConfig)
def train_fasttext(
    corpus: TextArgument,
    output: OutputOption,
    tokenizer: TokenizerOption = "words",
    errors: ErrorsOption = "strict",
    phrases: PhrasesOption = None,
    watch: WatchOption = None,
    resume: ResumeFlag = False,
    json: JsonFlag = False,
    quiet: QuietFlag = False,
    *,
    settings: FastTextConfig,
) -> None:
    """Learn vectors of words and of their parts.

    Words that are not in the text get vectors too, from the n-grams that they share with words that are.
    """
    import daneo

    asked = Asked(corpus, output, tokenizer, errors, phrases, watch or [], resume, json, quiet)
    asked.check()
    learn(daneo.FastText(**dataclasses.asdict(settings)), asked)


@app.command(
    "continue",
    epilog="""\b
Examples:
  daneo train continue vectors/ more-reviews.txt -o better/
  daneo train continue cc.en.300.bin reviews.txt -o reviews/ --tokenizer whitespace
  daneo train continue vectors/ more-reviews.txt -o vectors/ --epochs 2 --freeze keep.txt
""",
)
def train_on(
    model: Annotated[
        Path, typer.Argument(metavar="MODEL", help="A directory that `daneo train` wrote, or fastText's .bin.")
    ],
    corpus: Annotated[str, typer.Argument(metavar="CORPUS", help=f"{TEXT}.")],
    output: OutputOption,
    tokenizer: TokenizerOption = "words",
    errors: ErrorsOption = "strict",
    watch: WatchOption = None,
    freeze: FreezeOption = None,
    epochs: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Passes over the text; otherwise as many as before.")
    ] = None,
    json: JsonFlag = False,
    quiet: QuietFlag = False,
) -> None:
    """Go on with a trained model on more text.

    Its words keep their rows as a start, and new words are added. The settings are the model's own, but for the
    tokenizer: give the one that the model was trained with. Facebook's program splits text at spaces: --tokenizer
    whitespace. MODEL and the output may be the same directory.
    """
    import daneo
    from daneo.embeddings.trained_model import load_model

    demand_text_twice(corpus, "train continue")
    check_output(output)
    text = daneo.Corpus(corpus, tokenizer=tokenizer, errors=errors)
    _demand_model(model)
    trained = load_model(model)
    frozen: dict[str, Any] = {}
    if freeze is not None:
        if not isinstance(trained, daneo.Word2Vec):
            raise typer.BadParameter("--freeze is for word2vec: with FastText words share the rows of their n-grams")
        frozen = {"frozen": _words(freeze)}
    started = time.monotonic()
    with stopped_cleanly(trained, output, None), shown_progress(quiet=quiet) as show:
        trained.continue_training(
            text, epochs=epochs, progress=show, on_epoch=watcher(watch or [], quiet=quiet), **frozen
        )
        trained.save(output)
    clear_and_report(trained, output, None, time.monotonic() - started, as_json=json, quiet=quiet)


@dataclasses.dataclass(frozen=True)
class Asked:
    """What the command line says to every trainer of word vectors, beside the trainer's own settings."""

    corpus: str
    output: Path
    tokenizer: str
    errors: Literal["strict", "replace"]
    phrases: float | None
    watch: list[str]
    resume: bool
    json: bool
    quiet: bool

    @property
    def checkpoint(self) -> Path:
        """Beside the output, so that the same command finds it again."""
        return self.output.with_name(self.output.name + ".checkpoint")

    def check(self) -> None:
        """Refuse what cannot end well, before anything is read."""
        if self.phrases is not None:
            demand_text_twice(self.corpus, "--phrases")
        check_checkpoint(self.checkpoint, resume=self.resume)
        check_output(self.output)

    def text(self, phrases: Phrases | None = None) -> Corpus:
        """Return what to read."""
        from daneo.corpus import Corpus

        return Corpus(self.corpus, tokenizer=self.tokenizer, errors=self.errors, phrases=phrases)


def learn(model: Trainer, asked: Asked, *, counts: Cooccurrences | None = None, **start: Any) -> None:
    """Train a model on what was asked, from the beginning or from its checkpoint; save it and say so."""
    import daneo

    text: Corpus | Cooccurrences = counts or asked.text()
    started = time.monotonic()
    with stopped_cleanly(model, asked.output, asked.checkpoint), shown_progress(quiet=asked.quiet) as show:
        if asked.phrases is not None and not (asked.checkpoint / "corpus").exists():  # else its ids are joined already
            joined = daneo.Phrases.learn(asked.text(), threshold=asked.phrases, progress=show)
            text = asked.text(joined)
        model.fit(
            text,
            progress=show,
            on_epoch=watcher(asked.watch, quiet=asked.quiet),
            checkpoint=asked.checkpoint,
            resume=asked.resume,
            **start,
        )
        model.save(asked.output)
    seconds = time.monotonic() - started
    clear_and_report(model, asked.output, asked.checkpoint, seconds, as_json=asked.json, quiet=asked.quiet)


def counts_at(path: str) -> Cooccurrences | None:
    """Open the counts that `daneo cooccur` wrote; None if something else is there."""
    from daneo.corpus import Cooccurrences

    return Cooccurrences.open(path) if (Path(path) / "contexts.npy").is_file() else None


def demand_text_twice(corpus: str, who: str) -> None:
    """Refuse standard input where the text is read twice."""
    if corpus == "-":
        raise typer.BadParameter(f"{who} reads the text twice, and standard input can be read only once")


def _demand_model(path: Path) -> None:
    from daneo.embeddings import formats

    format = formats.recognise(path)
    if format not in ("daneo", "fasttext-bin"):
        raise ValueError(
            f"{path} is {format}: vectors without what training them further needs. Start from them with "
            f"`daneo train word2vec CORPUS -o DIR --init-from {path}`."
        )


def _words(path: Path | None) -> list[str]:
    return [] if path is None else path.read_text(encoding="utf-8").splitlines()
