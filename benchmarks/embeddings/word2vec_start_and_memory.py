"""How soon ``daneo train`` shows progress when nothing is compiled yet, and the most memory that training takes.

Memory is the peak of the whole process for the text and for the same text five times over; of it are subtracted the two
matrices. Writes benchmarks/results/word2vec_start_and_memory.json.

    python benchmarks/embeddings/word2vec_start_and_memory.py --corpus enwiki.txt
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from report import machine, spread, versions, write

TRAIN = """
import resource, sys, daneo
model = daneo.Word2Vec(epochs=1, num_threads=int(sys.argv[2])).fit(daneo.Corpus(sys.argv[1]))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, model.vectors.matrix.nbytes + model.outputs.nbytes)
"""


def main() -> None:
    """Measure and write the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, required=True, help="plain text, a document a line")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    starts = [cold_start(options.corpus) for _ in range(options.runs)]
    with tempfile.TemporaryDirectory() as folder:
        longer = Path(folder) / "five.txt"
        with longer.open("wb") as file:
            for _ in range(5):
                file.write(options.corpus.read_bytes())
        memory = {name: peak_memory(path, options.threads) for name, path in (("1", options.corpus), ("5", longer))}
    report = {
        "machine": machine(options.threads),
        "versions": versions("daneo", "numpy", "numba"),
        "seconds to the first progress line": spread([first for first, _ in starts]),
        "seconds to the first line of training": spread([training for _, training in starts]),
        "peak memory, MB, for times the text": memory,
    }
    write("word2vec_start_and_memory", report)


def cold_start(corpus: Path) -> tuple[float, float]:
    """Run the command with an empty cache of compiled code; return when its first lines came."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "daneo.cli", "train", "word2vec", str(corpus), "-o", f"{folder}/vectors"]
        environment = os.environ | {"NUMBA_CACHE_DIR": f"{folder}/cache"}
        start, first = time.perf_counter(), None
        process = subprocess.Popen(
            command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, env=environment
        )
        assert process.stderr is not None
        for line in process.stderr:
            now = time.perf_counter() - start
            first = first or now
            if "training" in line.lower():
                process.kill()
                process.wait()
                return first, now
    raise RuntimeError("The command printed no line of training.")


def peak_memory(corpus: Path, threads: int) -> dict[str, float]:
    """Train in a process of its own; return its peak and what is left of it without the two matrices."""
    command = [sys.executable, "-c", TRAIN, str(corpus), str(threads)]
    peak, matrices = map(int, subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())
    return {"peak": peak / 1e6, "matrices": matrices / 1e6, "rest": (peak - matrices) / 1e6}


if __name__ == "__main__":
    main()
