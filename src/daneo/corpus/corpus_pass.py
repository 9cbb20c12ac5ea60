"""One pass over a corpus: its tokens counted, and written as ids.

While a corpus is read nobody knows yet which words are frequent, so each token gets a provisional id, the next one
free, and these are written to disk. Then the words are put in their order and the file is gone through once more, each
id replaced by the final one. That is much faster than tokenizing the text twice, and works for what can be read only
once.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from daneo.corpus.array_files import ArrayFile
from daneo.corpus.counted_types import CountedBlock, CountedTypes
from daneo.corpus.encoded import DIRECTORY, FILES, EncodedCorpus
from daneo.corpus.ordered_threads import ordered
from daneo.corpus.phrases import Phrases
from daneo.corpus.progress_reports import ProgressReports
from daneo.corpus.sources import Errors, Reading
from daneo.corpus.text_counter import TextCounter, is_compiled
from daneo.corpus.token_counter import TokenCounter
from daneo.corpus.tokenizers import Tokenizer
from daneo.corpus.vocabulary import Vocabulary
from daneo.files import new_directory
from daneo.progress import ProgressCallback


class Pass(NamedTuple):
    """A source that is about to be read, and how."""

    reading: Reading
    tokenizer: Tokenizer
    errors: Errors
    phrases: Phrases | None
    num_threads: int
    progress: ProgressCallback | None

    def documents(self) -> Iterator[Sequence[str]]:
        """Yield the tokens of each document, cut in Python; a list of the source is yielded itself."""
        documents: Iterator[Sequence[str]] = self.reading.token_lists()
        if self.reading.is_text:
            documents = map(self.tokenizer, self.reading.texts(self.errors))
        return documents if self.phrases is None else map(self.phrases, documents)

    def blocks(self) -> tuple[Generator[CountedBlock], Callable[[], CountedTypes]]:
        """Return the counted blocks, and what gives all types after the last one."""
        if self.reading.is_text and self.phrases is None and is_compiled(self.tokenizer):
            text_counter = TextCounter(self.tokenizer, self.errors, self.num_threads)
            return text_counter.blocks(self.reading), text_counter.types
        token_counter = TokenCounter(self.num_threads)
        return token_counter.blocks(self.documents()), token_counter.types


def count(corpus: Pass) -> tuple[list[str], npt.NDArray[np.int64]]:
    """Count all tokens: the distinct ones, by falling count and then by spelling, and how often each occurs."""
    blocks, types_of = corpus.blocks()
    for _ in _reported(blocks, corpus):
        pass
    types = types_of()
    numbers = types.sort(np.arange(len(types.counts)))
    return types.spelled(numbers), types.counts[numbers]


def encode(
    corpus: Pass,
    vocabulary: Vocabulary | None,
    min_count: int,
    max_size: int | None,
    path: str | os.PathLike[str] | None,
) -> EncodedCorpus:
    """Write a corpus as ids; ``Corpus.encode`` documents the arguments."""
    with new_directory(path, FILES, "daneo-corpus-") as directory:
        with (
            ArrayFile(directory / "ids.npy", np.int32) as ids,
            ArrayFile(directory / "offsets.npy", np.int64) as offsets,
        ):
            types, parts, num_replaced = _write_provisional(corpus, ids, offsets)
            choice = _choose(types, vocabulary, min_count, max_size)
            finals = [choice.final[numbers] for numbers in types.numbers]
            del types  # all words and their spelling, of which the rest needs nothing
            num_tokens = _write_final(corpus, ids, offsets, parts, finals)
        choice.vocabulary.save(directory / "vocabulary.txt")
        config = DIRECTORY.write(
            directory,
            {
                "tokenizer": corpus.tokenizer.name,
                "num_tokens": num_tokens,
                "num_documents": sum(part.num_documents for part in parts),
                "num_dropped": choice.num_dropped,
                "num_unknown": choice.num_unknown,
                "num_replaced": num_replaced,
            },
        )
    return EncodedCorpus(directory if path is None else Path(path), config, choice.vocabulary, temporary=path is None)


class _Part(NamedTuple):
    """A piece of both files: which table its provisional ids come from, and how many values it has in each."""

    table: int
    num_ids: int
    num_documents: int


class _Choice(NamedTuple):
    """The vocabulary; the final id, or -1, of each type's number; and what became of the words outside it."""

    vocabulary: Vocabulary
    final: npt.NDArray[np.int32]
    num_dropped: int
    num_unknown: int


def _write_provisional(corpus: Pass, ids: ArrayFile, offsets: ArrayFile) -> tuple[CountedTypes, list[_Part], int]:
    parts = []
    num_replaced = 0
    offsets.write(np.zeros(1))
    blocks, types_of = corpus.blocks()
    for block in _reported(blocks, corpus):
        ids.write(block.ids)
        offsets.write(block.ends)
        parts.append(_Part(block.table, len(block.ids), len(block.ends)))
        num_replaced += block.num_replaced
    return types_of(), parts, num_replaced + corpus.reading.num_replaced


def _choose(types: CountedTypes, vocabulary: Vocabulary | None, min_count: int, max_size: int | None) -> _Choice:
    if vocabulary is None:
        vocabulary, final = types.frequent(min_count, max_size)
        return _Choice(vocabulary, final, int(types.counts[final < 0].sum()), 0)
    final = types.matched(vocabulary)
    num_missing = int(types.counts[final < 0].sum())
    if vocabulary.unknown is None:
        return _Choice(vocabulary, final, num_missing, 0)
    final[final < 0] = vocabulary.id(vocabulary.unknown)
    return _Choice(vocabulary, final, 0, num_missing)


def _write_final(
    corpus: Pass, ids: ArrayFile, offsets: ArrayFile, parts: list[_Part], finals: list[npt.NDArray[np.int32]]
) -> int:
    """Replace the provisional ids by the final ones, and the ends in each part by offsets in the whole corpus."""
    from daneo.corpus.word_table_kernels import remap

    def remapped(
        piece: tuple[npt.NDArray[np.int32], npt.NDArray[np.int64], int],
    ) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64]]:
        values, ends, table = piece
        return values[: remap(values, ends, finals[table])], ends

    offsets.read(1)
    offsets.rewind()
    offsets.write(np.zeros(1))
    ids.rewind()
    pieces = ((ids.read(part.num_ids), offsets.read(part.num_documents), part.table) for part in parts)
    reports = ProgressReports(corpus.progress, "writing", "words", sum(part.num_ids for part in parts))
    num_done = num_kept = 0
    with closing(ordered(remapped, pieces, corpus.num_threads)) as done:
        for part, (kept, ends) in zip(parts, done, strict=True):
            ids.write(kept)
            offsets.write(ends + num_kept)
            num_kept += len(kept)
            num_done += part.num_ids
            reports.report(num_done)
    if reports.num_reports:  # else it took no time that anybody would want to know of
        reports.report(num_done, finished=True)
    ids.finish()
    offsets.finish()
    return num_kept


def _reported(blocks: Generator[CountedBlock], corpus: Pass) -> Iterator[CountedBlock]:
    """Pass the blocks on, advance the reading and report its progress."""
    reading = corpus.reading
    reports = ProgressReports(corpus.progress, "reading", reading.unit, reading.total)
    with closing(blocks):
        for block in blocks:
            yield block
            reading.advance(len(block.ids))
            reports.report(reading.done)
    reports.report(reading.done, finished=True)
