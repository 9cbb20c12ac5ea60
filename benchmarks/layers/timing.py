"""Contenders run in turns on the same tensors: the shapes, a training step, the clock, and the cells of a result.

A run of a cell goes through all its contenders, so that whatever else the machine does meets each of them. A sample is
one call, or as many calls as fill ten milliseconds; a short call is woken by one that is not timed, for its threads
and caches, and waits until the threads of the contender before it have stopped spinning. Ratios are taken run by run.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import torch
from report import machine, spread, versions, write
from torch import Tensor, nn

Call = Callable[[], Any]
TORCH_LAYERS = {"SimpleRNN": nn.RNN, "GRU": nn.GRU, "LSTM": nn.LSTM}
SAMPLE = 0.01  # seconds that a sample lasts at least
PAUSE = 0.01  # OpenMP's threads spin for some milliseconds after their work


class Shape(NamedTuple):
    """What a cell computes: x (batch, time, features) to states of so many units."""

    batch: int
    time: int
    features: int
    units: int


SHAPES = (
    Shape(1, 5, 100, 64),
    Shape(1, 100, 100, 128),
    Shape(8, 50, 100, 128),
    Shape(32, 100, 100, 128),
    Shape(64, 100, 300, 256),
    Shape(64, 200, 300, 512),
)


def parser(description: str | None, *, layers: bool = True) -> argparse.ArgumentParser:
    """Make the command line that the scripts share."""
    made = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    if layers:
        made.add_argument("--layers", nargs="+", choices=TORCH_LAYERS, default=list(TORCH_LAYERS))
    made.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    made.add_argument("--seconds", type=float, default=0.5, help="time a contender gets in each cell")
    made.add_argument("--runs", type=int, default=9, help="runs of each cell at least")
    made.add_argument("--quick", action="store_true", help="two runs of two small shapes; prints and writes nothing")
    return made


def parsed(made: argparse.ArgumentParser) -> argparse.Namespace:
    """Read the command line; --quick makes everything small."""
    options = made.parse_args()
    options.shapes = SHAPES[:2] if options.quick else SHAPES
    if options.quick:
        options.seconds, options.runs = 0.0, 2
    return options


@dataclass(frozen=True)
class Contender:
    """A layer, what it reads, and the weights (B, T, U) whose sum of products with the outputs is the loss.

    A loss over every step gives every step a gradient of its own. `forward` is for layers that want more than x.
    """

    layer: nn.Module
    x: Tensor
    loss_weights: Tensor
    forward: Callable[[Tensor], Any] | None = None

    def inference(self) -> Call:
        """Return a call that gives the outputs."""
        forward = self.forward or self.layer

        def call() -> Tensor:
            with torch.inference_mode():
                return sequence(forward(self.x))

        return call

    def training(self) -> Call:
        """Return a call that goes forward and back, to every parameter and to x, and gives the gradient of x."""
        forward = self.forward or self.layer
        x = self.x.detach().clone().requires_grad_()
        leaves = [x, *self.layer.parameters()]

        def call() -> Tensor | None:
            for leaf in leaves:
                leaf.grad = None
            (sequence(forward(x)) * self.loss_weights).sum().backward()
            return x.grad

        return call


def sequence(result: Any) -> Tensor:
    """Return the outputs of every step; torch's layers put the last states behind them."""
    return result[0] if isinstance(result, tuple) else result


def random_tensors(shape: Shape) -> tuple[Tensor, Tensor]:
    """Return x and the weights of the loss, the same ones every time."""
    generator = torch.Generator().manual_seed(1)
    batch, time, features, units = shape
    return torch.randn(batch, time, features, generator=generator), torch.randn(batch, time, units, generator=generator)


def assert_same(contenders: Mapping[str, Call], *, tolerance: float = 1e-5, where: Any = ...) -> None:
    """Fail if contenders do not compute the same, relative to the largest value: then their times mean nothing."""
    values = {name: np.asarray(call())[where] for name, call in contenders.items()}
    first, *others = values
    scale = max(1.0, float(np.abs(values[first]).max()))
    for name in others:
        difference = float(np.abs(values[name] - values[first]).max())
        if difference > tolerance * scale:
            raise ValueError(
                f"{name} and {first} differ by {difference:.2g}, expected at most {tolerance * scale:.2g}."
            )


def in_turns(contenders: Mapping[str, Call], options: argparse.Namespace) -> dict[str, list[float]]:
    """Return seconds a call of each contender, run by run; what compiles has compiled before."""
    calls = {name: calls_in_a_sample(call) for name, call in contenders.items()}
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    runs, spent = 0, 0.0
    while runs < options.runs or spent < options.seconds * len(contenders):
        for name, call in contenders.items():
            seconds[name].append(sample(call, calls[name]))
            spent += seconds[name][-1] * calls[name]
        runs += 1
    return seconds


def calls_in_a_sample(call: Call) -> int:
    """Warm up, and count the calls that fill a sample."""
    for _ in range(2):
        call()
    once = min(sample(call, 1) for _ in range(2))
    return max(1, round(SAMPLE / once))


def sample(call: Call, calls: int) -> float:
    """Return seconds a call."""
    time.sleep(PAUSE)
    if calls > 1:
        call()
    start = time.perf_counter()
    for _ in range(calls):
        call()
    return (time.perf_counter() - start) / calls


def cell(
    contenders: Mapping[str, Call],
    options: argparse.Namespace,
    *,
    ratios: Sequence[tuple[str, str]],
    **what: Any,
) -> dict[str, Any]:
    """Measure a cell, say so, and return it; each ratio is the time of the first name over that of the second."""
    seconds = in_turns(contenders, options)
    found: dict[str, Any] = {
        **{name: value._asdict() if isinstance(value, Shape) else value for name, value in what.items()},
        "milliseconds": {name: spread([1e3 * value for value in values]) for name, values in seconds.items()},
        "ratio": {
            f"{over} / {under}": spread([a / b for a, b in zip(seconds[over], seconds[under], strict=True)])
            for over, under in ratios
        },
    }
    words = [
        f"{key} {' x '.join(map(str, value)) if isinstance(value, Shape) else value}" for key, value in what.items()
    ]
    times = [f"{name} {value['median']:.3f} ms" for name, value in found["milliseconds"].items()]
    against = [f"{name} = {value['median']:.2f}" for name, value in found["ratio"].items()]
    print(", ".join(words), "|", ", ".join(times), "|", ", ".join(against), file=sys.stderr, flush=True)
    return found


def finish(
    name: str, cells: Sequence[Mapping[str, Any]], options: argparse.Namespace, rivals: Sequence[str], **more: Any
) -> None:
    """Write the result, unless it is a quick look; `rivals` are the packages of the others."""
    if not options.quick:
        about = {"machine": machine(max(options.threads)), "versions": versions("daneo", *rivals, "numba", "numpy")}
        write(name, {**about, **more, "cells": cells})
