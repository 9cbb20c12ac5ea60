"""Training speed of word2vec: daneo against gensim, word2vec.c and fastText, in turns on the same tokens.

Rates are words of the text a second, the pass over the vocabulary left out for all. word2vec.c and fastText are run
where their binaries are given (built with -O3 -march=native), on the first quarter of the text; their rates are their
own account. Compiling is left out too: see word2vec_start_and_memory.py. Writes benchmarks/results/word2vec.json.

    python benchmarks/embeddings/word2vec.py --corpus enwiki.txt --word2vec ./word2vec --fasttext ./fasttext
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from gensim.models import Word2Vec as GensimWord2Vec
from report import machine, spread, versions, write

import daneo
from daneo.progress import Progress

SETTINGS = {"min_count": 5, "vector_size": 100, "window": 5, "sample": 1e-3}
KINDS = {
    "skip-gram, negative sampling": ("skipgram", "negative_sampling"),
    "CBOW, negative sampling": ("cbow", "negative_sampling"),
    "skip-gram, hierarchical softmax": ("skipgram", "hierarchical_softmax"),
    "CBOW, hierarchical softmax": ("cbow", "hierarchical_softmax"),
}


def main() -> None:
    """Measure and write the result."""
    options = arguments()
    with tempfile.TemporaryDirectory() as folder:
        tokens = Path(folder) / "tokens.txt"
        num_words = write_tokens(options.corpus, tokens)
        report: dict[str, Any] = {
            "machine": machine(options.threads),
            "versions": versions("daneo", "gensim", "numpy", "numba"),
            "settings": SETTINGS | {"negative": 5},
            "words": num_words,
        }
        for kind in KINDS:
            daneo_rate(tokens, num_words, kind, 1, warm_up=True)
        for kind in KINDS:
            report[kind] = compare(tokens, num_words, kind, options)
        report["thread scaling, 1 to 2"] = {kind: scaling(tokens, num_words, kind, options.runs) for kind in KINDS}
        report["C programs"] = c_programs(tokens, num_words, options)
    ours = report["skip-gram, negative sampling"]["daneo"]["median"]
    report["C programs, ratio"] = {name: ours / rates["median"] for name, rates in report["C programs"].items()}
    write("word2vec", report)


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, required=True, help="plain text, a document a line")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--word2vec", type=Path, help="binary of word2vec.c")
    parser.add_argument("--fasttext", type=Path, help="binary of fastText")
    return parser.parse_args()


def write_tokens(corpus: Path, tokens: Path) -> int:
    """Tokenize once, so that everybody gets the same tokens; return their number."""
    num_words = 0
    with tokens.open("w", encoding="utf-8") as file:
        for document in daneo.Corpus(corpus):
            num_words += len(document)
            if document:
                file.write(" ".join(document) + "\n")
    return num_words


def compare(tokens: Path, num_words: int, kind: str, options: argparse.Namespace) -> dict[str, Any]:
    """Train an epoch with daneo and with gensim in turns."""
    ours, theirs = [], []
    for _ in range(options.runs):
        ours.append(daneo_rate(tokens, num_words, kind, options.threads))
        theirs.append(gensim_rate(tokens, num_words, kind, options.threads))
    ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
    return {"daneo": spread(ours), "gensim": spread(theirs), "ratio": spread(ratios)}


def daneo_rate(tokens: Path, num_words: int, kind: str, threads: int, *, warm_up: bool = False) -> float:
    """Train one epoch, or only enough of one to compile; return words a second."""
    architecture, loss = KINDS[kind]
    seconds = []

    def note(progress: Progress) -> None:
        if progress.stage == "training":
            seconds.append(progress.seconds)

    text: Any = daneo.Corpus(tokens, tokenizer="whitespace")
    if warm_up:
        text = ["a b c d e f g"] * 1000
    settings = SETTINGS | {"sample": 0.0} if warm_up else SETTINGS
    model = daneo.Word2Vec(**settings, architecture=architecture, loss=loss, epochs=1, num_threads=threads)
    model.fit(text, progress=note)
    return num_words / seconds[-1]


def gensim_rate(tokens: Path, num_words: int, kind: str, threads: int) -> float:
    """Train one epoch with gensim, from the file as it does fastest; return words a second."""
    architecture, loss = KINDS[kind]
    trees = loss == "hierarchical_softmax"
    model = GensimWord2Vec(
        **SETTINGS, sg=int(architecture == "skipgram"), hs=int(trees), negative=0 if trees else 5, workers=threads
    )
    model.build_vocab(corpus_file=str(tokens))
    start = time.perf_counter()
    model.train(
        corpus_file=str(tokens), total_words=model.corpus_total_words, total_examples=model.corpus_count, epochs=1
    )
    return num_words / (time.perf_counter() - start)


def scaling(tokens: Path, num_words: int, kind: str, runs: int) -> dict[str, float]:
    """Return how much faster two threads are than one."""
    ratios = []
    for _ in range(runs):
        one, two = (daneo_rate(tokens, num_words, kind, threads) for threads in (1, 2))
        ratios.append(two / one)
    return spread(ratios)


def c_programs(tokens: Path, num_words: int, options: argparse.Namespace) -> dict[str, Any]:
    """Run the C programs on a quarter of the text and read the rate that they report."""
    part = tokens.with_suffix(".part")
    with tokens.open(encoding="utf-8") as source, part.open("w", encoding="utf-8") as target:
        left = num_words // 4
        for line in source:
            left -= line.count(" ") + 1
            target.write(line)
            if left <= 0:
                break
    common = f"-threads {options.threads} -size 100 -window 5 -sample 1e-3 -negative 5 -min-count 5 -iter 1 -cbow 0"
    fast = f"-thread {options.threads} -dim 100 -ws 5 -t 1e-3 -neg 5 -minCount 5 -epoch 1 -minn 0 -maxn 0 -verbose 2"
    commands = {
        "word2vec.c": (options.word2vec, f"-train {part} -output {part}.out -binary 1 {common}", r"sec: +([\d.]+)k"),
        "fastText": (options.fasttext, f"skipgram -input {part} -output {part}.out {fast}", r"thread: +([\d.]+)"),
    }
    found = {}
    for name, (binary, flags, pattern) in commands.items():
        if binary is not None:
            scale = 1000 if name == "word2vec.c" else 1
            rates = [
                float(re.findall(pattern, run_program(binary, flags))[-1]) * scale * options.threads
                for _ in range(options.runs)
            ]
            found[name] = spread(rates)
    return found


def run_program(binary: Path, flags: str) -> str:
    """Run a program and return all that it prints."""
    done = subprocess.run([str(binary.resolve()), *flags.split()], capture_output=True, text=True, check=True)
    return done.stdout + done.stderr


if __name__ == "__main__":
    main()
