"""``daneo train ...``: text in, a model's directory out."""

from __future__ import annotations

import dataclasses
import time
import warnings
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from daneo.cli.settings_flags import with_flags
from daneo.cli.terminal import JsonFlag, QuietFlag, print_note, shown_progress
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
    learn(daneo.Word2Vec(**dataclasses.asdict(settings)), asked, vectors=vectors, frozen=words_of(freeze))


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

    @property
    def has_read(self) -> bool:
        """Whether the run to resume has read its text, and joined phrases in it."""
        return any((self.checkpoint / name).exists() for name in ("corpus", "pairs"))

    def check(self, counts: Cooccurrences | None = None) -> None:
        """Refuse what cannot end well, before anything is read; `counts` are what the corpus is if it is no text."""
        self.check_text(counts)
        check_checkpoint(self.checkpoint, resume=self.resume)
        check_output(self.output)

    def check_text(self, counts: Cooccurrences | None) -> None:
        """Refuse settings of text where there are counts, and reading twice what can be read once."""
        for flag, default in (("phrases", None), ("tokenizer", "words"), ("errors", "strict")):
            if counts is not None and getattr(self, flag) != default:
                raise typer.BadParameter(f"--{flag} is for text, and the pairs are counted already")
        if counts is not None and not self.quiet:
            sides = "both sides" if counts.symmetric else "the left"
            print_note(f"The pairs were counted in a window of {counts.window} on {sides}, {counts.weighting}.")
        if self.phrases is not None:
            demand_text_twice(self.corpus, "--phrases")
        warn_of_vectors(self.corpus)

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
        if asked.phrases is not None and not asked.has_read:
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
    from daneo.corpus.directory_config import kind_of

    return Cooccurrences.open(path) if kind_of(Path(path)) == "cooccurrences" else None


def warn_of_vectors(corpus: str) -> None:
    """Say so if what is given as text looks like a file of vectors."""
    from daneo.embeddings import formats

    format = None
    with suppress(ValueError, OSError, EOFError, ImportError):  # no vectors; reading it as text says what is wrong
        format = formats.recognise(corpus) if Path(corpus).is_file() else None
    if format is not None:
        warnings.warn(f"{corpus} looks like word vectors ({format}), and is read as text.", stacklevel=2)


def demand_text_twice(corpus: str, who: str) -> None:
    """Refuse standard input where the text is read twice."""
    if corpus == "-":
        raise typer.BadParameter(f"{who} reads the text twice, and standard input can be read only once")


def words_of(path: Path | None) -> list[str]:
    """Read a list of words, one a line; ``None`` has none."""
    return [] if path is None else path.read_text(encoding="utf-8").splitlines()
