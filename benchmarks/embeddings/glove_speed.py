"""Speed of GloVe: an epoch of daneo against one of Stanford's program, in turns, on the same pairs and threads.

An epoch's time is the difference between a run of several epochs and a run of one, divided by the epochs more, so that
start, initial numbers and the writing of vectors count for neither. Writes benchmarks/results/glove_speed.json.

    python benchmarks/embeddings/glove_speed.py --corpus enwiki.txt --programs GloVe/build [--faster GloVe/build-Ofast]

Tokens and the program's pairs are kept in --folder, and taken from there if glove_quality.py has left them.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import glove_programs
from report import machine, spread, versions, write
from word2vec import write_tokens

import daneo
from daneo.corpus import Cooccurrences, count_cooccurrences

EPOCHS_MORE = {"daneo": 6, "program": 1}


def main() -> None:
    """Measure and write the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, required=True, help="plain text, a document a line")
    parser.add_argument("--programs", type=Path, required=True, help="built with -O3 -march=native")
    parser.add_argument("--faster", type=Path, help="the same, built with -Ofast -march=native")
    parser.add_argument("--folder", type=Path, required=True, help="for tokens and the program's pairs")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    rivals = {"program": options.programs} | ({"program, -Ofast": options.faster} if options.faster else {})
    seconds: dict[str, list[float]] = {name: [] for name in ("daneo", *rivals)}
    folder, tokens = options.folder, options.folder / "tokens.txt"
    folder.mkdir(exist_ok=True)
    if not tokens.exists():
        write_tokens(options.corpus, tokens)
    if not (folder / "shuffled.bin").exists():
        glove_programs.count_words(options.programs, tokens, folder)
        glove_programs.count_pairs(options.programs, tokens, folder)
    corpus = daneo.Corpus(tokens, tokenizer="whitespace")
    with count_cooccurrences(corpus, window=10, min_count=5) as counts:
        num_pairs = counts.num_pairs
        epoch_of_daneo(counts, options.threads)  # compiles
        for _ in range(options.turns):
            seconds["daneo"].append(epoch_of_daneo(counts, options.threads))
            for rival, programs in rivals.items():
                seconds[rival].append(epoch_of_program(programs, folder, options.threads))
    report: dict[str, Any] = {
        "machine": machine(options.threads),
        "versions": versions("daneo", "numba", "numpy") | {"program": glove_programs.ABOUT},
        "settings": glove_programs.SETTINGS | {"pairs": num_pairs},
        "seconds an epoch": {name: spread(values) for name, values in seconds.items()},
        "times as fast": {
            rival: spread([theirs / ours for theirs, ours in zip(seconds[rival], seconds["daneo"], strict=True)])
            for rival in rivals
        },
    }
    write("glove_speed", report)


def epoch_of_daneo(counts: Cooccurrences, threads: int) -> float:
    """Return the seconds of an epoch after the first."""
    ends: list[float] = []
    settings = {name: glove_programs.SETTINGS[name] for name in ("vector_size", "x_max", "alpha", "learning_rate")}
    model = daneo.GloVe(**settings, epochs=1 + EPOCHS_MORE["daneo"], num_threads=threads)
    model.fit(counts, on_epoch=lambda *_: ends.append(time.perf_counter()))
    return (ends[-1] - ends[0]) / EPOCHS_MORE["daneo"]


def epoch_of_program(programs: Path, folder: Path, threads: int) -> float:
    """Return the seconds of an epoch after the first."""
    more = EPOCHS_MORE["program"]
    one, several = (
        glove_programs.train(programs, folder, folder / "vectors", epochs=epochs, threads=threads, seed=1)
        for epochs in (1, 1 + more)
    )
    return (several - one) / more


if __name__ == "__main__":
    main()
