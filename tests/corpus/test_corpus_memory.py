from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

MEASURE = """
import pathlib, re, sys
import numpy as np
from daneo import Corpus

path, tokenizer = sys.argv[1:]
source = path if tokenizer != "items" else (line for line in open(path, encoding="utf-8"))
with Corpus(source, "words" if tokenizer == "items" else tokenizer).encode(min_count=1, num_threads=2) as encoded:
    total = 0
    for start in range(0, encoded.num_tokens, 100_000):
        total += int(encoded.tokens(start, min(start + 100_000, encoded.num_tokens)).sum(dtype=np.int64))
    for start in range(0, encoded.num_documents, 10_000):
        total += int(encoded.offsets[start : start + 10_000].sum())
# getrusage would report the memory of the process that started this one, if that is more.
print(int(re.search(r"VmHWM:\\s+(\\d+)", pathlib.Path("/proc/self/status").read_text())[1]) // 1024)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak of memory from /proc")
@pytest.mark.parametrize("tokenizer", ["words", "items"])
def test_memory_does_not_grow_with_the_corpus(tmp_path, tokenizer):
    rng = np.random.default_rng(1)
    words = np.array([f"word{i}" for i in range(5000)])
    text = "\n".join(" ".join(words[rng.zipf(1.2, 20) % 5000]) for _ in range(40_000)) + "\n"
    peaks = []
    for times in (1, 5):
        path = tmp_path / f"{times}.txt"
        with open(path, "w", encoding="utf-8") as file:
            for _ in range(times):
                file.write(text)
        done = subprocess.run(
            [sys.executable, "-c", MEASURE, path, tokenizer], capture_output=True, text=True, check=True
        )
        peaks.append(int(done.stdout))
    # The longer text has 19 MB more of ids and of text alone.
    assert peaks[1] - peaks[0] < 12
