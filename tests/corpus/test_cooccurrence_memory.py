"""Counting stays within the memory that it was given, however long the text is."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from daneo.corpus import Corpus
from daneo.corpus.cooccurrence_memory import BLOCK, MemoryPlan, plan_memory, resident_memory
from daneo.corpus.cooccurrence_rows import RowBlock, RowWriter
from daneo.corpus.cooccurrence_runs import Merge, Run

COMPILED = os.environ.get("NUMBA_DISABLE_JIT") != "1"

MEASURE = """
import pathlib, re, sys
from daneo.corpus import EncodedCorpus, count_cooccurrences
from daneo.corpus.cooccurrence_memory import resident_memory

count_cooccurrences(["a b a b a"], min_count=1).close()  # whatever must be loaded, has been
encoded, stages = EncodedCorpus.open(sys.argv[1]), set()
encoded.vocabulary
memory = resident_memory() + int(sys.argv[2])
count_cooccurrences(encoded, memory=memory, num_threads=2, progress=lambda report: stages.add(report.stage)).close()
# getrusage would report the memory of the process that started this one, if that is more.
peak = int(re.search(r"VmHWM:\\s+(\\d+)", pathlib.Path("/proc/self/status").read_text())[1]) * 1024
print(peak, memory, "merging" in stages)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak of memory from /proc")
@pytest.mark.skipif(not COMPILED, reason="too many pairs for uncompiled kernels")
def test_peak_is_within_what_was_allowed_and_no_higher_for_a_longer_text(tmp_path):
    draw = np.random.default_rng(1)
    text = "\n".join(" ".join(f"w{i}" for i in draw.zipf(1.2, 20) % 5000) for _ in range(40_000)) + "\n"
    peaks = []
    for times in (1, 5):
        (tmp_path / "text.txt").write_text(text * times)
        Corpus(tmp_path / "text.txt").encode(path=tmp_path / str(times)).close()
        command = [sys.executable, "-c", MEASURE, str(tmp_path / str(times)), str(54_000_000)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        peak, memory, merged = done.stdout.split()
        assert merged == "True"
        assert int(peak) <= int(memory)
        peaks.append(int(peak))
    # The longer text has 13 MB more of ids, and would take 42 MB more if it were counted at once.
    assert peaks[1] - peaks[0] < 6_000_000


@settings(deadline=None, max_examples=200)
@given(
    # Each power of ten as often as another: else most plans are refused, or count all at once.
    room=st.integers(6, 11).flatmap(lambda digits: st.integers(0, 10**digits)),
    num_words=st.integers(0, 7).flatmap(lambda digits: st.integers(0, 10**digits)),
    num_tokens=st.integers(0, 11).flatmap(lambda digits: st.integers(0, 10**digits)),
    window=st.integers(1, 65_535),
    num_threads=st.integers(1, 64),
)
# Rows of two runs may be longer together than what is merged at a time otherwise.
@example(room=2 * 10**9, num_words=600_000, num_tokens=10**9, window=10, num_threads=2)
def test_plans_are_possible_or_refused(room, num_words, num_tokens, window, num_threads):
    try:
        plan = plan_memory(10**8 + room, num_words, num_tokens, window, num_threads, 10**8)
    except ValueError:
        with pytest.raises(
            ValueError, match=f"{num_words:,} words on .* got {100 + room / 10**6:,.6g} MB[.] Allow more"
        ):
            plan_memory(10**8 + room, num_words, num_tokens, window, num_threads, 10**8)
        return
    assert min(num_tokens, num_words, 1 << 17) <= plan.chunk <= num_tokens
    assert plan.chunk + 2 * window < 2**31
    assert plan.block >= num_words
    if plan.chunk < num_tokens:
        assert plan.merged >= max(2 * num_words, BLOCK)
    in_flight = num_threads + 3
    tables = num_words * 20 * num_threads
    assert plan.chunk * 13 + plan.block * 16 * in_flight + tables <= room
    if plan.chunk < num_tokens:
        assert plan.merged * (12 * num_threads + 16 * in_flight) + tables <= room


def test_plans_for_known_sizes():
    # 72,188 words and 16 million tokens, as in the first 100 MB of English Wikipedia; two threads.
    assert plan_memory(None, 72_188, 16_218_486, 10, 2, 0) == MemoryPlan(2, 16_218_486, BLOCK, 1 << 20)
    with pytest.raises(ValueError, match="expected memory of at least 208 MB, of which this process holds 150 already"):
        plan_memory(200 * 10**6, 72_188, 16_218_486, 10, 2, 150 * 10**6)


def test_two_long_rows_are_merged(tmp_path):
    num_words = 600_000
    runs = []
    for number in range(2):
        directory = tmp_path / str(number)
        directory.mkdir()
        with RowWriter(directory, None) as writer:
            starts, contexts = np.zeros(num_words + 1, np.int64), np.arange(num_words, dtype=np.int32)
            starts[1:] = num_words  # all pairs are of the first word
            totals = np.ones(num_words, np.int64)
            writer.write(RowBlock(0, num_words, starts, contexts, totals, np.empty(0, np.float32)))
            writer.finish()
        runs.append(Run(directory, num_words))
    plan = plan_memory(2 * 10**9, num_words, 10**9, 10, 2, 0)
    # One group, else merging never comes to an end.
    assert list(Merge(tmp_path, num_words, plan, None)._groups(runs)) == [runs]


def test_resident_memory_sees_an_array():
    before = resident_memory()
    array = np.ones(8_000_000)
    assert array.nbytes * 0.9 < resident_memory() - before < array.nbytes * 1.5
