"""A language model's first two layers on real text: daneo against torch's nn.Embedding and nn.LSTM, training.

The text is cut into as many even stretches as a batch has rows, and each step reads on where the last one stopped, as a
language model does; a step goes forward, and back to the table and to all weights of the LSTM. Tables give dense
gradients, or sparse ones for both. Text in which no word comes twice in a batch would gain nothing: the result says how
many distinct words a batch has. Writes benchmarks/results/embedding_text.json.

    python benchmarks/layers/embedding_text.py --corpus enwiki.txt
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from timing import Call, assert_same, cell, finish, parsed, parser
from torch import Tensor, nn

import daneo
from daneo.layers import Embedding, Sequential, from_torch

BATCH, TIME, FEATURES, UNITS = 64, 100, 300, 256


class TorchLayers(nn.Module):
    """The rival: an embedding and an LSTM that returns every step."""

    def __init__(self, num_words: int, *, sparse: bool) -> None:
        super().__init__()
        self.embedding = nn.Embedding(num_words, FEATURES, sparse=sparse)
        self.lstm = nn.LSTM(FEATURES, UNITS, batch_first=True)

    def forward(self, ids: Tensor) -> Tensor:
        """Return the outputs (B, T, U) of ids (B, T)."""
        return self.lstm(self.embedding(ids))[0]


def main() -> None:
    made = parser(__doc__, layers=False)
    made.add_argument("--corpus", type=Path, required=True, help="plain text, a document a line")
    made.add_argument("--words", type=int, default=50_000, help="size of the vocabulary")
    options = parsed(made)
    ids, num_words = read_ids(options.corpus, options.words)
    cells = [
        measure(ids, num_words, sparse, threads, options)
        for sparse, threads in itertools.product((False, True), options.threads)
    ]
    about = {"batch": BATCH, "time": TIME, "features": FEATURES, "units": UNITS, "words": num_words}
    about["distinct_words_in_a_batch"] = float(np.mean([len(batch.unique()) for batch in ids]))
    finish("embedding_text", cells, options, ("torch",), **about)


def read_ids(corpus: Path, max_size: int) -> tuple[list[Tensor], int]:
    """Return the batches of ids in the order of reading, and the number of words."""
    with daneo.Corpus(corpus).encode(min_count=1, max_size=max_size) as encoded:
        num_words, steps = len(encoded.vocabulary), encoded.num_tokens // (BATCH * TIME)
        if steps == 0:
            raise ValueError(f"{corpus} has {encoded.num_tokens:,} tokens, expected at least {BATCH * TIME:,}.")
        rows = np.array(encoded.tokens(0, steps * BATCH * TIME)).reshape(BATCH, steps, TIME)
    return [torch.from_numpy(rows[:, step].astype(np.int64)) for step in range(min(steps, 200))], num_words


def measure(
    ids: list[Tensor], num_words: int, sparse: bool, threads: int, options: argparse.Namespace
) -> dict[str, Any]:
    """Measure a training step."""
    torch.set_num_threads(threads)
    torch.manual_seed(1)
    theirs = TorchLayers(num_words, sparse=sparse)
    embedding = Embedding(num_words, FEATURES, sparse=sparse)
    ours = Sequential([embedding, from_torch(theirs.lstm)])
    ours.build((None, None))
    with torch.no_grad():
        embedding.weights[0].copy_(theirs.embedding.weight)
    loss_weights = torch.randn(BATCH, TIME, UNITS)
    tables = {"daneo": (ours, embedding.weights[0]), "torch": (theirs, theirs.embedding.weight)}
    calls = {
        name: training(layer, table, itertools.cycle(ids), loss_weights) for name, (layer, table) in tables.items()
    }
    # Sums over all steps in float32; the first batch is the same for both.
    assert_same({name: lambda call=call: call().to_dense() for name, call in calls.items()}, tolerance=1e-4)
    return cell(calls, options, ratios=[("torch", "daneo")], mode="training", sparse=sparse, threads=threads)


def training(layer: nn.Module, table: Tensor, batches: Iterator[Tensor], loss_weights: Tensor) -> Call:
    """Return a call that goes forward and back on the next batch, and gives the gradient of the table."""
    parameters = list(layer.parameters())

    def call() -> Tensor | None:
        for parameter in parameters:
            parameter.grad = None
        (layer(next(batches)) * loss_weights).sum().backward()
        return table.grad

    return call


if __name__ == "__main__":
    main()
