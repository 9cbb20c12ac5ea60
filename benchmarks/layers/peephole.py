"""A peephole LSTM against our plain LSTM and against a loop in torch, which is all that torch has for it.

The same weights and float32 tensors for the first and the last, outputs of every step. Writes
benchmarks/results/peephole.json.

    python benchmarks/layers/peephole.py
"""

from __future__ import annotations

import argparse
import itertools
from typing import Any

import torch
from timing import Contender, Shape, assert_same, cell, finish, parsed, parser, random_tensors
from torch import Tensor, nn

from daneo.layers import LSTM


class PeepholeLoop(nn.Module):
    """The rival; weights as Keras lays them out, gates in the order i, f, c, o.

    Fair to the loop: the input products of all steps are one product, time first so that a step is one block of
    memory, the bias and the recurrent product come in the same call, and additions are fused with multiplications.
    Joining the two gates that see the old cell state was tried, and is slower.
    """

    def __init__(self, kernel: Tensor, recurrent_kernel: Tensor, bias: Tensor, peephole_kernel: Tensor) -> None:
        super().__init__()
        self.kernel = nn.Parameter(kernel.detach().clone())  # (D, 4U)
        self.recurrent_kernel = nn.Parameter(recurrent_kernel.detach().clone())  # (U, 4U)
        self.bias = nn.Parameter(bias.detach().clone())  # (4U,)
        self.peephole_kernel = nn.Parameter(peephole_kernel.detach().clone())  # (3, U): i, f, o

    def forward(self, x: Tensor) -> Tensor:
        """Return the outputs (B, T, U) of x (B, T, D)."""
        batch, time, features = x.shape
        rows = x.transpose(0, 1).reshape(time * batch, features)
        products = torch.addmm(self.bias, rows, self.kernel).view(time, batch, -1)
        hidden = cell = x.new_zeros(batch, self.recurrent_kernel.shape[0])
        into_input, into_forget, into_output = self.peephole_kernel
        outputs = []
        for product in products.unbind(0):
            i, f, c, o = torch.addmm(product, hidden, self.recurrent_kernel).chunk(4, dim=1)
            i = torch.addcmul(i, into_input, cell).sigmoid()
            f = torch.addcmul(f, into_forget, cell).sigmoid()
            cell = torch.addcmul(f * cell, i, c.tanh())
            o = torch.addcmul(o, into_output, cell).sigmoid()
            hidden = o * cell.tanh()
            outputs.append(hidden)
        return torch.stack(outputs, dim=1)


def main() -> None:
    options = parsed(parser(__doc__, layers=False))
    cells = [
        found
        for shape, threads in itertools.product(options.shapes, options.threads)
        for found in measure(shape, threads, options)
    ]
    finish("peephole", cells, options, ("torch",))


def measure(shape: Shape, threads: int, options: argparse.Namespace) -> list[dict[str, Any]]:
    """Measure a shape: inference, then training."""
    torch.set_num_threads(threads)
    torch.manual_seed(1)
    layers = {
        name: LSTM(shape.units, return_sequences=True, peephole=name == "peephole") for name in ("peephole", "plain")
    }
    for layer in layers.values():
        layer.build((None, None, shape.features))
    layers["torch loop"] = PeepholeLoop(*layers["peephole"].weights)
    contenders = {name: Contender(layer, *random_tensors(shape)) for name, layer in layers.items()}
    cells = []
    for mode, tolerance in (("inference", 1e-5), ("training", 1e-4)):
        calls = {name: getattr(contender, mode)() for name, contender in contenders.items()}
        assert_same({name: calls[name] for name in ("torch loop", "peephole")}, tolerance=tolerance)
        ratios = [("peephole", "plain"), ("torch loop", "peephole")]
        cells.append(cell(calls, options, ratios=ratios, mode=mode, shape=shape, threads=threads))
    return cells


if __name__ == "__main__":
    main()
