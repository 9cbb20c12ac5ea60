"""A stretch of a text in memory, its places sorted by word: what pairs are counted from."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import closing

import numpy as np

from daneo.corpus.cooccurrence_config import CooccurrencesConfig
from daneo.corpus.cooccurrence_memory import TOKENS_AT_ONCE, MemoryPlan
from daneo.corpus.cooccurrence_rows import Output, RowBlock, RowThreads, Tables, rows_that_fit
from daneo.corpus.encoded import EncodedCorpus
from daneo.corpus.ordered_threads import ordered

MOST_VISITS = 1 << 23  # words that a kernel looks at in one call: Ctrl-C waits for it


class Chunk:
    """A stretch of a text.

    The words within the window before and after it are read, too. Each place of the stretch is visited with all that
    stands around it, so that every pair is counted in one chunk, wherever the text is cut.

    Parameters
    ----------
    encoded : EncodedCorpus
        The text.
    config : CooccurrencesConfig
    plan : MemoryPlan
        How long a chunk may be, and how many threads there are.
    """

    def __init__(self, encoded: EncodedCorpus, config: CooccurrencesConfig, plan: MemoryPlan) -> None:
        self._encoded, self._plan = encoded, plan
        self._window, self._symmetric = config.window, config.symmetric
        self._weights = np.array(config.weights(encoded.num_tokens), dtype=np.int64)
        num_words = len(encoded.vocabulary)
        longest = min(plan.chunk + 2 * config.window, encoded.num_tokens)
        self._text = np.empty(longest, dtype=np.int32)
        self._is_start = np.empty(longest + 1, dtype=np.uint8)
        self._places = np.empty(plan.chunk, dtype=np.int64)
        self._nexts = np.empty((plan.num_threads, num_words), dtype=np.int64)
        self._place_starts = np.zeros(num_words + 1, dtype=np.int64)
        self._threads = RowThreads(plan.num_threads, num_words, plan.block)

    def read(self, first: int, last: int) -> None:
        """Read the tokens `first` to `last` and sort their places."""
        from daneo.corpus.cooccurrence_kernels import count_words, sort_places

        begin = max(0, first - self._window)
        end = min(self._encoded.num_tokens, last + self._window)
        text, is_start = self._text[: end - begin], self._is_start[: end - begin + 1]

        def copy(start: int, stop: int, _: int) -> None:
            text[start - begin : stop - begin] = self._encoded.tokens(start, stop)
            is_start[start - begin : stop - begin] = 0
            self._mark_starts(is_start, begin, start, stop)

        def count(start: int, stop: int, part: int) -> None:
            count_words(text, start - begin, stop - begin, self._nexts[part])

        def sort(start: int, stop: int, part: int) -> None:
            nexts, places = self._nexts[part], self._places
            sort_places(text, is_start, start - begin, stop - begin, self._window, self._symmetric, nexts, places)

        self._in_parts(copy, begin, end)
        is_start[0] = is_start[-1] = 1
        self._nexts[:] = 0
        self._in_parts(count, first, last)
        np.cumsum(self._nexts.sum(axis=0), out=self._place_starts[1:])
        # Each part's places of a word stand behind those of the parts before.
        following = self._place_starts[:-1].copy()
        for nexts in self._nexts:
            following += nexts
            np.subtract(following, nexts, out=nexts)
        self._in_parts(sort, first, last)
        self._text_size, self._num_places = len(text), last - first

    def blocks(self, unit: int | None) -> Generator[RowBlock]:
        """Count the pairs, block by block; with a unit, as numbers."""
        from daneo.corpus.cooccurrence_kernels import count_rows

        text, places, place_starts = self._text[: self._text_size], self._places[: self._num_places], self._place_starts
        visits = max(1, MOST_VISITS // (2 * self._window))

        def count(rows: tuple[int, int], tables: Tables, output: Output) -> RowBlock:
            row, last_row = rows
            first, last = int(place_starts[row]), int(place_starts[last_row])
            num_touched = 0
            for place in range(first, max(last, first + 1), visits):
                if self._threads.stopped:
                    break
                num_touched = count_rows(
                    *(text, places, place_starts, self._window, self._weights, self._symmetric),
                    *(row, last_row, place, min(place + visits, last), num_touched),
                    *tables,
                    *(output.starts, output.contexts, output.totals),
                )
            return output.block(row, last_row, unit)

        return self._threads.blocks(self._ranges(visits), count)

    def num_places(self, block: RowBlock) -> int:
        """Return how many tokens of the text were visited for a block."""
        return int(self._place_starts[block.last_row] - self._place_starts[block.row])

    def _ranges(self, visits: int) -> Generator[tuple[int, int]]:
        """Divide the rows so that neither what a block may hold nor what one call may visit is exceeded."""
        occurrences = np.diff(self._place_starts)
        # How many different contexts a row can have: as many as it has places for, and as there are words.
        most = occurrences * (self._window * (2 if self._symmetric else 1))
        np.minimum(most, np.arange(1, len(most) + 1) if self._symmetric else len(most), out=most)
        # A share of both limits, in one number.
        share = most / self._plan.block + occurrences / visits
        return rows_that_fit(np.ceil(share * (1 << 30)).astype(np.int64), 1 << 30)

    def _mark_starts(self, is_start: np.ndarray, begin: int, start: int, stop: int) -> None:
        """Mark where documents start among the tokens `start` to `stop`; `begin` is the token of is_start[0]."""
        first, last = np.searchsorted(self._encoded.offsets, (start, stop)).tolist()
        for at in range(first, last, TOKENS_AT_ONCE):  # empty documents may be many
            offsets = np.array(self._encoded.offsets[at : min(at + TOKENS_AT_ONCE, last)])
            # A damaged file's offsets need not rise.
            is_start[offsets[(offsets >= start) & (offsets < stop)] - begin] = 1

    def _in_parts(self, work: Callable[[int, int, int], None], first: int, last: int) -> None:
        """Do some work for all tokens from `first` to `last`: each thread has a part of them, and goes step by step."""
        size = -(-(last - first) // self._plan.num_threads)

        def work_through(part: int) -> None:
            stop = min(first + (part + 1) * size, last)
            for start in range(first + part * size, stop, TOKENS_AT_ONCE):
                if not self._threads.stopped:
                    work(start, min(start + TOKENS_AT_ONCE, stop), part)

        with closing(ordered(work_through, range(self._plan.num_threads), self._plan.num_threads)) as parts:
            try:
                for _ in parts:
                    pass
            except BaseException:
                self._threads.stopped = True
                raise
