"""Approximate neighbours against our own exact search: recall at 10, questions a second, time and size of the index.

Give word vectors of your own: random ones have no neighbours worth the name, and every index fails on them. The
figures in benchmarks/results are of 1,000,000 x 300: the most frequent words of two Wikipedias, English and Korean,
as daneo.FastText(vector_size=300, min_count=1, max_size=1_000_000, epochs=1) has them, saved without n-grams.

The index is built in --index if there is none yet (minutes for a million words), and stays for the next run.
Writes benchmarks/results/neighbour_index.json.

    python benchmarks/embeddings/neighbour_index.py --vectors vectors/ --index index/
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from report import machine, spread, versions, write

if TYPE_CHECKING:
    from daneo import NeighbourIndex, WordVectors
    from daneo.embeddings.neighbour_index_recall import Questions

BLAS_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
EXPANSIONS = (16, 24, 32, 48, 64, 96, 128, 192, 256)


def main() -> None:
    options = arguments()
    for name in BLAS_THREADS:  # before NumPy is imported
        os.environ[name] = str(options.threads)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: options.threads])
    from daneo import NeighbourIndex, WordVectors

    vectors = WordVectors.load(options.vectors)
    if not options.index.exists():
        settings = {"recall": options.recall, "storage": options.storage, "num_threads": options.threads}
        NeighbourIndex.build(vectors, **settings).save(options.index)
    index = NeighbourIndex.load(options.index, vectors, num_threads=options.threads)
    measured = {
        "words": len(vectors),
        "vector_size": vectors.vector_size,
        "index": {
            "built_with": vars(index.config),
            "seconds_to_build": index.report.seconds,
            "bytes": index.report.num_bytes,
            "expansion_search": index.report.expansion_search,
            "seconds_to_open": spread([opening(vectors, options) for _ in range(3)]),
        },
        **measure(vectors, index, options),
    }
    found = {"machine": machine(options.threads), "versions": versions("numpy", "usearch", "numkong")}
    write("neighbour_index", {**found, **measured})


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vectors", type=Path, required=True, help="word vectors in any format")
    parser.add_argument("--index", type=Path, required=True, help="where the index lies, or is to lie")
    parser.add_argument("--recall", type=float, default=0.98, help="what an index is built for")
    parser.add_argument("--storage", choices=("int8", "bfloat16"), default="int8", help="what an index is built with")
    parser.add_argument("--batch", type=int, default=64, help="questions asked together")
    parser.add_argument("--questions", type=int, default=2048, help="words that the recall is measured on")
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--threads", type=int, default=2)
    return parser.parse_args()


def opening(vectors: WordVectors, options: argparse.Namespace) -> float:
    """Seconds to check and open the index, from the page cache."""
    from daneo import NeighbourIndex

    return timed(lambda: NeighbourIndex.load(options.index, vectors))


def measure(vectors: WordVectors, index: NeighbourIndex, options: argparse.Namespace) -> dict[str, Any]:
    import numpy as np

    from daneo import NeighbourIndex
    from daneo.embeddings.neighbour_index_recall import ask

    # Not the words that the index was tuned on, which seed 1 drew.
    drawn = np.random.default_rng(2).permutation(np.flatnonzero(vectors.norms > 0))
    questions = ask(vectors._blocks, np.sort(drawn[: options.questions]))
    in_memory = NeighbourIndex.load(options.index, vectors, in_memory=True, num_threads=options.threads)
    chosen = index.report.expansion_search
    kinds: dict[str, Any] = {"exact": None, "index": index, "index, in memory": in_memory}
    return {
        "questions": len(questions.rows),
        "recall_at_10": recall(index, questions, chosen),
        f"batches_of_{options.batch}": rates(vectors, kinds, drawn, options.batch, options.runs, {"exact": 4}, 16),
        "one_by_one": rates(vectors, kinds, drawn, 1, options.runs, {"exact": 8}, 256),
        "by_expansion": [by_expansion(index, questions, expansion) for expansion in sorted({*EXPANSIONS, chosen})],
    }


def recall(index: NeighbourIndex, questions: Questions, expansion: int) -> float:
    shares, _ = questions.hits(index._search.keeping(expansion))
    return float(shares.mean())


def by_expansion(index: NeighbourIndex, questions: Questions, expansion: int) -> dict[str, float]:
    """Recall, and questions a second in batches of 64, for one number of candidates."""
    shares, rate = questions.hits(index._search.keeping(expansion))
    return {"expansion_search": expansion, "recall_at_10": float(shares.mean()), "questions_a_second": rate}


def rates(
    vectors: WordVectors,
    kinds: dict[str, NeighbourIndex | None],
    drawn: Any,
    batch: int,
    runs: int,
    fewer: dict[str, int],
    calls: int,
) -> dict[str, Any]:
    """Words a second through `most_similar`, run by run, the kinds one after the other on the same words."""
    words = [vectors.words[row] for row in drawn[: calls * batch]]
    found: dict[str, list[float]] = {kind: [] for kind in kinds}
    for run in range(runs + 1):
        for kind, index in kinds.items():
            count = fewer.get(kind, calls)
            batches = [words[place * batch : (place + 1) * batch] for place in range(count)]

            def go(batches: list[list[str]] = batches, index: NeighbourIndex | None = index) -> None:
                for one in batches:
                    vectors.most_similar(one, index=index)

            seconds = timed(go)
            if run:  # the first is the warm-up
                found[kind].append(count * batch / seconds)
    return {
        "questions_a_second": {kind: spread(values) for kind, values in found.items()},
        "times_faster": {kind: ratio(found[kind], found["exact"]) for kind in kinds if kind != "exact"},
    }


def ratio(ours: list[float], theirs: list[float]) -> dict[str, float]:
    return spread([one / other for one, other in zip(ours, theirs, strict=True)])


def timed(action: Callable[[], object]) -> float:
    time.sleep(0.3)  # OpenBLAS's threads spin for a while after a product; nobody shall pay for the other's
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
