"""Masks against the same work without them, and against torch's packed sequences.

Half of all steps are valid: in rows of uneven length (uniform, so that the longest are about as long as the batch is
wide), given as a mask, as lengths, or anywhere in the rows. The same work is a dense batch of half as many steps;
a mask of ones has the whole batch for its measure. The time of packed sequences holds packing and unpacking, with the
rows sorted by length and unsorted (``enforce_sorted=False``). Where a step is not valid, daneo repeats the last output
and torch gives zeros: the loss leaves those steps out. Writes benchmarks/results/masks.json.

    python benchmarks/layers/masks.py
"""

from __future__ import annotations

import argparse
import itertools
from typing import Any

import torch
from timing import TORCH_LAYERS, Contender, Shape, assert_same, cell, finish, parsed, parser, random_tensors
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from daneo.layers import from_torch

RATIOS = (
    ("mask of ones", "dense"),
    ("mask", "dense of half the steps"),
    ("lengths", "dense of half the steps"),
    ("mask with holes", "dense of half the steps"),
    ("mask", "dense"),
    ("mask with holes", "dense"),
    ("packed, unsorted", "mask"),
    ("packed, sorted", "mask"),
)


def main() -> None:
    options = parsed(parser(__doc__))
    cells = [
        found
        for shape, name, threads in itertools.product(options.shapes, options.layers, options.threads)
        for found in measure(name, shape, threads, options)
    ]
    finish("masks", cells, options, ("torch",))


def measure(name: str, shape: Shape, threads: int, options: argparse.Namespace) -> list[dict[str, Any]]:
    """Measure a layer at a shape: inference, then training."""
    torch.set_num_threads(threads)
    torch.manual_seed(1)
    half = shape.time // 2
    lengths = uneven_lengths(shape.batch, shape.time, total=shape.batch * half)
    contenders = make_contenders(name, shape, half, lengths)
    valid = (torch.arange(shape.time) < lengths[:, None]).numpy()
    cells = []
    for mode, tolerance in (("inference", 1e-5), ("training", 1e-4)):
        calls = {key: getattr(contender, mode)() for key, contender in contenders.items()}
        assert_same({key: calls[key] for key in ("dense", "mask of ones")}, tolerance=tolerance)
        same = {key: calls[key] for key in ("packed, unsorted", "mask", "lengths")}
        assert_same(same, tolerance=tolerance, where=valid)
        what = {"layer": name, "shape": shape, "threads": threads, "valid_steps": int(lengths.sum())}
        cells.append(cell(calls, options, ratios=RATIOS, mode=mode, **what))
    return cells


def make_contenders(name: str, shape: Shape, half: int, lengths: Tensor) -> dict[str, Contender]:
    """Return all contenders, with the same weights."""
    theirs = TORCH_LAYERS[name](shape.features, shape.units, batch_first=True)
    ours = from_torch(theirs)
    x, loss_weights = random_tensors(shape)
    steps = torch.arange(shape.time)
    ones = torch.ones(shape.batch, shape.time, dtype=torch.bool)
    valid = steps < lengths[:, None]
    holes = torch.rand(shape.batch, shape.time).argsort(dim=1) < half
    longest_first = lengths.argsort(descending=True)
    return {
        "dense": Contender(ours, x, loss_weights),
        "mask of ones": Contender(ours, x, loss_weights, lambda x: ours(x, mask=ones)),
        "dense of half the steps": Contender(ours, x[:, :half].clone(), loss_weights[:, :half].clone()),
        "mask": Contender(ours, x, loss_weights * valid[..., None], lambda x: ours(x, mask=valid)),
        "lengths": Contender(ours, x, loss_weights * valid[..., None], lambda x: ours(x, lengths=lengths)),
        "mask with holes": Contender(ours, x, loss_weights * holes[..., None], lambda x: ours(x, mask=holes)),
        "packed, unsorted": packed(theirs, x, loss_weights, lengths, is_sorted=False),
        "packed, sorted": packed(
            theirs, x[longest_first], loss_weights[longest_first], lengths[longest_first], is_sorted=True
        ),
    }


def uneven_lengths(batch: int, time: int, total: int) -> Tensor:
    """Draw lengths from 1 to `time`, and nudge them until they add up to `total`."""
    lengths = torch.randint(1, time + 1, (batch,))
    while (gap := total - int(lengths.sum())) != 0:
        row = int(torch.randint(batch, ()))
        lengths[row] = (lengths[row] + (1 if gap > 0 else -1)).clamp(1, time)
    return lengths


def packed(layer: nn.Module, x: Tensor, loss_weights: Tensor, lengths: Tensor, *, is_sorted: bool) -> Contender:
    """Return torch's layer on packed sequences."""
    time = x.shape[1]

    def forward(x: Tensor) -> Tensor:
        sequences = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=is_sorted)
        return pad_packed_sequence(layer(sequences)[0], batch_first=True, total_length=time)[0]

    valid = torch.arange(time) < lengths[:, None]
    return Contender(layer, x, loss_weights * valid[..., None], forward)


if __name__ == "__main__":
    main()
