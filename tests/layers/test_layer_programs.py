"""Small programs, as a newcomer writes them, run as they stand."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import torch
from daneo import layers

some_words = torch.tensor([[3, 57, 35]])
embedding = layers.Embedding(input_dim=64, output_dim=100)
print(embedding(some_words).shape, embedding.weights[0].shape)

words = {"is": 0, "it": 1, "What": 2, "time": 3, "?": 4}
ids = torch.tensor([[words[w] for w in "What time is it ?".split()]])
x = layers.Embedding(input_dim=len(words), output_dim=100)(ids)
every = layers.SimpleRNN(units=64, return_sequences=True, use_bias=False)
last = layers.SimpleRNN(units=64, use_bias=False)
print(every(x).shape, every.weights[0].shape, last(x).shape)
every = layers.LSTM(units=64, return_sequences=True, use_bias=False)
last = layers.LSTM(units=64, use_bias=False)
print(every(x).shape, every.weights[0].shape, last(x).shape)
both = layers.Bidirectional(layers.SimpleRNN(units=64, use_bias=False, return_sequences=True))
print(both(x).shape)
"""

PRINTS = [
    [(1, 3, 100), (64, 100)],
    [(1, 5, 64), (100, 64), (1, 64)],
    [(1, 5, 64), (100, 256), (1, 64)],
    [(1, 5, 128)],
]


def printed(program: str) -> str:
    done = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return done.stdout


def as_torch_prints(lines: list[list[tuple[int, ...]]]) -> str:
    return "".join(" ".join(f"torch.Size({list(shape)})" for shape in line) + "\n" for line in lines)


def test_tensors() -> None:
    assert printed(PROGRAM) == as_torch_prints(PRINTS)


def test_numpy_arrays() -> None:
    program = PROGRAM.replace("import torch", "import numpy").replace("torch.tensor(", "numpy.array(")
    program = program.replace("output_dim=100)(ids)", "output_dim=100)(ids).detach().numpy()")
    assert "torch" not in program
    assert printed(program) == as_torch_prints(PRINTS)
