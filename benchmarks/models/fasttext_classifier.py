"""The text classifier on NSMC: daneo against fastText, with the same settings on the same files.

Quality: accuracy on the 50,000 test reviews, mean of the seeds; fastText with 10 threads, because with fewer it leaves
a part of its matrix without initial values. Speed: both with --threads threads, in turns: from the file to a trained
model without saving it, the epochs alone (fastText's by its own account), and predictions of the test reviews, ten
times over, a model in memory. fastText predicts with one thread; --fasttext is its program, built with -O3
-march=native, and its package from PyPI predicts too. Seconds of the processor are given beside those of the clock.
Compiling is left out. Writes benchmarks/results/fasttext_classifier.json.

    python benchmarks/models/fasttext_classifier.py --nsmc nsmc/ --fasttext ./fasttext
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from report import machine, spread, versions, write

import daneo
from daneo.progress import Progress

SETTINGS = {"vector_size": 100, "epochs": 5, "learning_rate": 0.1}
KINDS: dict[str, dict[str, Any]] = {
    "words": {},
    "words and pairs of words": {"word_ngrams": 2},
    "words and their parts of 2 to 4 characters": {"min_ngram": 2, "max_ngram": 4},
}
FLAGS = {"word_ngrams": "-wordNgrams", "min_ngram": "-minn", "max_ngram": "-maxn"}
OURS_ALONE = {"words and their parts of jamo": {"subwords": "jamo"}}


def main() -> None:
    """Measure and write the result."""
    options = arguments()
    with tempfile.TemporaryDirectory() as folder:
        train, test = (write_lines(options.nsmc / f"ratings_{part}.txt.xz", Path(folder)) for part in ("train", "test"))
        report: dict[str, Any] = {
            "machine": machine(options.threads),
            "versions": versions("daneo", "fasttext-wheel", "numpy", "numba"),
            "settings": {**SETTINGS, "loss": "softmax"},
        }
        for kind, settings in {**KINDS, **OURS_ALONE}.items():
            trained(train, settings, options.threads, 1, epochs=1)  # compiles
            report[kind] = {"accuracy": quality(train, test, kind, options)}
            if kind in KINDS:
                report[kind] |= speed(train, test, kind, options)
            print(kind, report[kind], file=sys.stderr)
        report["compressed"] = compressed(train, test, options)
    write("fasttext_classifier", report)


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--nsmc", type=Path, required=True, help="folder with ratings_train.txt.xz, ratings_test.txt.xz"
    )
    parser.add_argument("--fasttext", type=Path, required=True, help="binary of fastText")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--seeds", type=int, default=3)
    return parser.parse_args()


def write_lines(source: Path, folder: Path) -> Path:
    """Write reviews as fastText reads them."""
    texts, labels = daneo.read_labelled(source, text_column="document", label_column="label")
    path = folder / f"{source.stem}.lines"
    path.write_text("".join(f"__label__{label} {text}\n" for text, label in zip(texts, labels, strict=True)))
    return path


def trained(
    train: Path, settings: dict[str, Any], threads: int, seed: int, **more: Any
) -> tuple[daneo.FastTextClassifier, float]:
    """Train with daneo; return the model and the seconds that the epochs took."""
    seconds: list[float] = []

    def note(progress: Progress) -> None:
        seconds.append(progress.seconds)

    model = daneo.FastTextClassifier(**{**SETTINGS, **settings, **more}, num_threads=threads, seed=seed)
    return model.fit(train, progress=note), seconds[-1]


def fasttext_flags(kind: str) -> list[str]:
    """The same settings for fastText's program."""
    flags = ["-dim", "100", "-epoch", "5", "-lr", "0.1", "-loss", "softmax"]
    return flags + [part for name, value in KINDS[kind].items() for part in (FLAGS[name], str(value))]


def quality(train: Path, test: Path, kind: str, options: argparse.Namespace) -> dict[str, Any]:
    """Accuracy on the test reviews, for each seed."""
    settings = {**KINDS, **OURS_ALONE}[kind]
    ours, theirs = [], []
    for seed in range(1, options.seeds + 1):
        ours.append(trained(train, settings, options.threads, seed)[0].test(test).precision)
        if kind in KINDS:
            flags = [*fasttext_flags(kind), "-thread", "10", "-seed", str(seed), "-verbose", "0"]
            model = train.with_suffix(".model")
            run([str(options.fasttext), "supervised", "-input", str(train), "-output", str(model), *flags])
            printed = run([str(options.fasttext), "test-label", f"{model}.bin", str(test)])
            theirs.append(accuracy(printed, test))
    figures: dict[str, Any] = {"daneo": spread(ours), "daneo mean": np.mean(ours)}
    if theirs:
        figures |= {"fastText": spread(theirs), "fastText mean": np.mean(theirs)}
        figures["difference of the means, points"] = 100 * (np.mean(ours) - np.mean(theirs))
    return figures


def accuracy(printed: str, test: Path) -> float:
    """The share of right ones, in more digits than `fasttext test` prints: recalls times the labels' counts."""
    recalls = {label: float(recall) for recall, label in re.findall(r"Recall : ([\d.]+)\s+__label__(\S+)", printed)}
    labels = [line.split(" ", 1)[0].removeprefix("__label__") for line in test.read_text().splitlines()]
    return sum(recalls[label] * labels.count(label) for label in recalls) / len(labels)


def speed(train: Path, test: Path, kind: str, options: argparse.Namespace) -> dict[str, Any]:
    """Training and prediction in turns: seconds of each, and how many times faster daneo is."""
    ours: dict[str, list[float]] = {}
    theirs: dict[str, list[float]] = {}
    for _ in range(options.runs):
        for figures, measure in ((ours, our_times), (theirs, their_times)):
            measured = measure(train, test, kind, options)
            for name, seconds in measured.items():
                figures.setdefault(name, []).append(seconds)
    found: dict[str, Any] = {"seconds": {"daneo": {n: spread(v) for n, v in ours.items()}}}
    found["seconds"]["fastText"] = {name: spread(values) for name, values in theirs.items()}
    found["times faster"] = {
        name: spread([b / a for a, b in zip(ours[name], theirs[name], strict=True)]) for name in ours if name in theirs
    }
    program = theirs["predict, one thread"]
    found["times faster"]["predict, all threads"] = spread(
        [b / a for a, b in zip(ours["predict, all threads"], program, strict=True)]
    )
    return found


def our_times(train: Path, test: Path, kind: str, options: argparse.Namespace) -> dict[str, float]:
    """Train and predict with daneo."""
    processor, clock = time.process_time(), time.perf_counter()
    model, epochs = trained(train, KINDS[kind], options.threads, 1)
    seconds = time.perf_counter() - clock
    found = {"train": seconds, "train, processor": time.process_time() - processor, "epochs": epochs}
    texts = [line.split(" ", 1)[-1] for line in test.read_text().splitlines()] * 10
    model.predict(texts[:1000])
    for name, threads in (("predict, one thread", 1), ("predict, all threads", options.threads)):
        found[name] = timed(lambda threads=threads: model.predict(texts, num_threads=threads))
    return found


def their_times(train: Path, test: Path, kind: str, options: argparse.Namespace) -> dict[str, float]:
    """Train and predict with fastText's program, and predict with its package."""
    import fasttext

    model = train.with_suffix(".model")
    flags = [*fasttext_flags(kind), "-thread", str(options.threads), "-verbose", "2"]
    command = [str(options.fasttext), "supervised", "-input", str(train), "-output", str(model), *flags]
    before = os.times()
    clock, trained_at, printed = time.perf_counter(), 0.0, b""
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
        assert process.stderr is not None
        while some := os.read(process.stderr.fileno(), 1 << 16):
            printed += some
            trained_at = time.perf_counter()  # the last that it says comes before the model is saved
    after = os.times()
    rate = float(re.findall(rb"words/sec/thread: +(\d+)", printed)[-1])
    num_tokens = sum(line.count(" ") + 2 for line in train.read_text().splitlines())
    found = {
        "train": trained_at - clock,
        "train, processor": after.children_user - before.children_user,  # saving included
        "epochs": num_tokens * SETTINGS["epochs"] / (rate * options.threads),
    }
    many, empty = test.with_suffix(".many"), test.with_suffix(".empty")
    many.write_text(test.read_text() * 10)
    empty.write_text("")
    predict = [str(options.fasttext), "predict", f"{model}.bin"]
    loading = timed(lambda: run([*predict, str(empty)]))
    found["predict, one thread"] = timed(lambda: run([*predict, str(many)])) - loading
    lines = [line.split(" ", 1)[-1] + "\n" for line in test.read_text().splitlines()] * 10
    package = fasttext.load_model(f"{model}.bin").f
    found["predict, package"] = timed(lambda: package.multilinePredict(lines, 1, 0.0, "strict"))
    return found


def compressed(train: Path, test: Path, options: argparse.Namespace) -> dict[str, Any]:
    """What smaller models cost: bytes on disk and accuracy, of words and their parts."""
    settings = KINDS["words and their parts of 2 to 4 characters"]
    model, _ = trained(train, settings, options.threads, 1)
    found: dict[str, Any] = {}
    for num_rows in (None, 100_000, 20_000, 5_000):
        smaller = model if num_rows is None else model.compressed(num_rows=num_rows)
        path = train.with_suffix(f".{num_rows}")
        smaller.save(path)
        size = sum(file.stat().st_size for file in path.iterdir())
        found["all rows, float32" if num_rows is None else f"{num_rows:,} rows"] = {
            "MB": size / 1e6,
            "accuracy": smaller.test(test).precision,
        }
    return found


def timed(action: Callable[[], object]) -> float:
    """Seconds that something takes."""
    clock = time.perf_counter()
    action()
    return time.perf_counter() - clock


def run(command: list[str]) -> str:
    """Run a program and return what it prints."""
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


if __name__ == "__main__":
    main()
