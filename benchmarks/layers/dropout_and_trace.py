"""Recurrent dropout and the trace of the gates, against the plain layer.

Training with ``recurrent_dropout=0.2`` against training without, and ``layer.trace(x)``, which returns every gate and
state at every step, against ``layer(x)``, which returns the outputs alone. Writes
benchmarks/results/dropout_and_trace.json.

    python benchmarks/layers/dropout_and_trace.py
"""

from __future__ import annotations

import argparse
import itertools
from typing import Any

import torch
from timing import Contender, Shape, cell, finish, parsed, parser, random_tensors

from daneo import layers

RATE = 0.2


def main() -> None:
    options = parsed(parser(__doc__))
    cells = [
        found
        for shape, name, threads in itertools.product(options.shapes, options.layers, options.threads)
        for found in measure(name, shape, threads, options)
    ]
    finish("dropout_and_trace", cells, options, ("torch",), rate=RATE)


def measure(name: str, shape: Shape, threads: int, options: argparse.Namespace) -> list[dict[str, Any]]:
    """Measure a layer at a shape: dropout in training, the trace in inference."""
    torch.set_num_threads(threads)
    torch.manual_seed(1)
    make = getattr(layers, name)
    x, loss_weights = random_tensors(shape)
    plain = make(shape.units, return_sequences=True)
    dropping = make(shape.units, return_sequences=True, recurrent_dropout=RATE)
    for layer in (plain, dropping):
        layer.build((None, None, shape.features))
    training = {
        "recurrent dropout": Contender(dropping, x, loss_weights).training(),
        "plain": Contender(plain, x, loss_weights).training(),
    }
    inference = {
        "trace": Contender(plain, x, loss_weights, plain.trace).inference(),
        "plain": Contender(plain, x, loss_weights).inference(),
    }
    what = {"layer": name, "shape": shape, "threads": threads}
    return [
        cell(calls, options, ratios=[(variant, "plain")], mode=mode, **what)
        for mode, variant, calls in (
            ("training", "recurrent dropout", training),
            ("inference", "trace", inference),
        )
    ]


if __name__ == "__main__":
    main()
