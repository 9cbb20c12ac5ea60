"""Opening a fastText model of 1 GB and asking for the vector of a word never seen: daneo, gensim, the fasttext package.

Makes a model with random rows in a temporary folder, 250,000 words and 2,000,000 buckets of 100 numbers for the
default, which then lies in the page cache. Every opening is a process of its own; its time is from the start of the
process to the vector, with all imports, its memory the most that was resident, mapped pages of the file included. Runs
on Linux. Writes benchmarks/results/open_bin.json.

    python benchmarks/embeddings/open_bin.py --runs 5
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from report import machine, spread, versions, write

from daneo.embeddings.formats.fasttext_file import FastTextFile, write_fasttext

WORD = "unseenword"
ASK = {
    "daneo": "import daneo; vector = daneo.WordVectors.load(path)[word]",
    "daneo, a word seen": "import daneo; vectors = daneo.WordVectors.load(path); vector = vectors[vectors.words[-1]]",
    "fasttext": "import fasttext; vector = fasttext.load_model(path).get_word_vector(word)",
    "gensim": "from gensim.models.fasttext import load_facebook_vectors; vector = load_facebook_vectors(path)[word]",
}
MEASURE = """
import sys, time
path, word, started = sys.argv[1], sys.argv[2], float(sys.argv[3])
{ask}
seconds = time.time() - started
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
print(seconds, int(status["VmHWM"].split()[0]) * 1024, float(vector[0]))
"""


class RandomRows:
    """Rows that repeat after a while, so that a file of any size takes little memory to write."""

    def __init__(self, num_rows: int, vector_size: int) -> None:
        self.shape = (num_rows, vector_size)
        self._some = np.random.default_rng(1).standard_normal((4096, vector_size), dtype=np.float32)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: slice) -> np.ndarray:
        start, stop, _ = rows.indices(len(self))
        return self._some[np.arange(start, stop) % len(self._some)]


def main() -> None:
    """Measure and write the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--words", type=int, default=250_000)
    parser.add_argument("--buckets", type=int, default=2_000_000)
    parser.add_argument("--size", type=int, default=100, help="numbers in a vector")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--folder", type=Path, help="where to make the temporary folder, with room for 1 GB")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as temporary:
        path = Path(temporary) / "model.bin"
        make_model(path, options.words, options.buckets, options.size)
        report = {
            "machine": machine(1),
            "versions": versions("daneo", "numpy", "gensim", "fasttext-wheel"),
            "file": {
                "MB": path.stat().st_size / 1e6,
                "words": options.words,
                "buckets": options.buckets,
                "vector_size": options.size,
            },
            "opened and asked for one vector": {name: opened(name, path, options.runs) for name in ASK},
        }
    write("open_bin", report)


def make_model(path: Path, num_words: int, num_buckets: int, vector_size: int) -> None:
    """Write a skip-gram model of random words, 4 to 13 letters each, and random rows."""
    rng = np.random.default_rng(2)
    letters = rng.choice(list("etaoinshrdlucmfwypvbgkjqxz"), (num_words, 13))
    words = [
        f"{''.join(row[:length])}{number:x}"
        for number, (row, length) in enumerate(zip(letters, rng.integers(2, 9, num_words), strict=True))
    ]
    counts = np.sort(rng.zipf(1.5, num_words).clip(max=10**6))[::-1].astype(np.int64)
    model = FastTextFile(
        vector_size=vector_size, window=5, epochs=5, min_count=1, negative=5, word_ngrams=1,
        loss="negative_sampling", model="skipgram", num_buckets=num_buckets, min_ngram=3, max_ngram=6, sample=1e-4,
        words=words, counts=counts, labels=[], label_counts=np.zeros(0, np.int64), num_tokens=int(counts.sum()),
        pruned=None, inputs=RandomRows(num_words + num_buckets, vector_size),
        outputs=RandomRows(num_words, vector_size),
    )  # fmt: skip
    write_fasttext(path, model)


def opened(name: str, path: Path, runs: int) -> dict[str, dict[str, float]]:
    """Open the file in processes of their own; the first is not counted."""
    code = MEASURE.format(ask=ASK[name])
    seconds, resident = [], []
    for _ in range(runs + 1):
        command = [sys.executable, "-W", "ignore", "-c", code, str(path), WORD, str(time.time())]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        taken, memory, _ = map(float, done.stdout.split())
        seconds.append(taken)
        resident.append(memory / 1e6)
    return {"seconds": spread(seconds[1:]), "resident MB": spread(resident[1:])}


if __name__ == "__main__":
    main()
