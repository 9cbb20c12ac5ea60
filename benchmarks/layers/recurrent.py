"""SimpleRNN, GRU and LSTM against torch's nn.RNN, nn.GRU and nn.LSTM, and inference against onnxruntime too.

The same weights and the same float32 tensors, batch first, outputs of every step; outputs and the input's gradient
are compared before anything is timed. onnxruntime runs the graph that daneo exports. Writes
benchmarks/results/recurrent.json.

    python benchmarks/layers/recurrent.py
"""

from __future__ import annotations

import argparse
import itertools
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import onnxruntime
import torch
from timing import TORCH_LAYERS, Call, Contender, Shape, assert_same, cell, finish, parsed, parser, random_tensors
from torch import Tensor, nn

from daneo.layers import export_onnx, from_torch


def main() -> None:
    options = parsed(parser(__doc__))
    cells = [
        found
        for shape, name, threads in itertools.product(options.shapes, options.layers, options.threads)
        for found in measure(name, shape, threads, options)
    ]
    finish("recurrent", cells, options, ("torch", "onnxruntime"))


def measure(name: str, shape: Shape, threads: int, options: argparse.Namespace) -> list[dict[str, Any]]:
    """Measure a layer at a shape: inference, then training."""
    torch.set_num_threads(threads)
    torch.manual_seed(1)
    theirs = TORCH_LAYERS[name](shape.features, shape.units, batch_first=True)
    ours = from_torch(theirs)
    x, loss_weights = random_tensors(shape)
    contenders = {"daneo": Contender(ours, x, loss_weights), "torch": Contender(theirs, x, loss_weights)}
    what = {"layer": name, "shape": shape, "threads": threads, "code": str(ours.explain(x))}
    calls = {rival: contender.inference() for rival, contender in contenders.items()}
    with TemporaryDirectory() as folder:
        calls["onnxruntime"] = onnx_inference(ours, x, threads, Path(folder) / "layer.onnx")
    assert_same(calls)
    ratios = [("torch", "daneo"), ("onnxruntime", "daneo")]
    inference = cell(calls, options, ratios=ratios, mode="inference", **what)
    calls = {rival: contender.training() for rival, contender in contenders.items()}
    assert_same(calls, tolerance=1e-4)  # float32 sums over all steps
    return [inference, cell(calls, options, ratios=[("torch", "daneo")], mode="training", **what)]


def onnx_inference(layer: nn.Module, x: Tensor, threads: int, path: Path) -> Call:
    """Return a call that runs the exported layer."""
    export_onnx(layer, path)
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = threads
    # Its threads would otherwise spin through the turns of the others.
    settings.add_session_config_entry("session.intra_op.allow_spinning", "0")
    settings.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, settings, providers=["CPUExecutionProvider"])
    outputs = [session.get_outputs()[0].name]
    inputs = {session.get_inputs()[0].name: x.numpy()}
    return lambda: session.run(outputs, inputs)[0]


if __name__ == "__main__":
    main()
