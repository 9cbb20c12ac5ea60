"""SimpleRNN, GRU and LSTM as the ONNX operators RNN, GRU and LSTM."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from torch import Tensor

from daneo.layers.formats.onnx_graph import OnnxGraph
from daneo.layers.formats.onnx_masks import OnnxMask
from daneo.layers.gru_cell import GRUCell
from daneo.layers.lstm_cell import LSTMCell
from daneo.layers.simple_rnn_cell import SimpleRNNCell

Array = npt.NDArray[Any]
Cell = SimpleRNNCell | GRUCell | LSTMCell

# The operator, and our block of U columns for each of its blocks of U rows: the LSTM operator's order is i, o, f, c.
_OPERATORS: dict[type[Any], tuple[str, tuple[int, ...]]] = {
    SimpleRNNCell: ("RNN", (0,)),
    GRUCell: ("GRU", (0, 1, 2)),
    LSTMCell: ("LSTM", (0, 3, 1, 2)),
}
_PEEPHOLES = (0, 2, 1)  # i, o, f
# The operators' names, with the slope and the offset of those that have them.
_ACTIVATIONS: dict[str | None, tuple[str, tuple[float, ...]]] = {
    "tanh": ("Tanh", ()),
    "sigmoid": ("Sigmoid", ()),
    "relu": ("Relu", ()),
    "hard_sigmoid": ("HardSigmoid", (1 / 6, 0.5)),
    "elu": ("Elu", (1.0,)),
    "softplus": ("Softplus", ()),
    "softsign": ("Softsign", ()),
    "linear": ("Affine", (1.0, 0.0)),
    None: ("Affine", (1.0, 0.0)),
}
# Settings of cells that the operators have no word for.
_UNKNOWN = ("projection_size", "cell_clip", "layer_norm", "zoneout")


@dataclass(frozen=True)
class Pass:
    """What one direction of an operator leaves, as values of the graph."""

    sequence: str  # (B, T, U), in the order of time, packed as the mask packed the input; "" if it was not wanted
    last: str  # (B, U): zeros in rows without any step
    states: list[str]  # (B, U) each: the initial ones in rows without any step


def check_cell(cell: Any, name: str) -> None:
    """Raise a ValueError if the operators cannot say what a cell does."""
    if type(cell) not in _OPERATORS:
        raise ValueError(
            f"{name} runs a {type(cell).__name__}; ONNX has operators for SimpleRNNCell, GRUCell and LSTMCell only."
        )
    for setting in _UNKNOWN:
        if value := getattr(cell.config, setting, None):
            raise ValueError(f"ONNX's {_OPERATORS[type(cell)][0]} has no {setting}; {name} has {setting}={value!r}.")
    for activation in _activations(cell):
        if not isinstance(activation, str | None) or activation not in _ACTIVATIONS:
            known = ", ".join(filter(None, _ACTIVATIONS))
            raise ValueError(
                f"ONNX's recurrent operators have no activation {activation!r}, as {name} has. They have: {known}."
            )


def alike(cells: Sequence[Cell]) -> bool:
    """Tell whether cells can be the directions of one operator."""
    return len({(type(cell), cell.config.units, *_switches(cell).values()) for cell in cells}) == 1


def run(
    graph: OnnxGraph,
    cells: Sequence[Cell],
    x: str,
    mask: OnnxMask | None,
    initial: Sequence[Sequence[str]],
    *,
    reverse: bool,
    return_sequences: bool,
) -> list[Pass]:
    """Add an operator that reads x (B, T, D) with one cell, or with two of which the second reads in reverse.

    `initial` has the states (B, U) of each cell, or nothing; `reverse` is for one cell alone.
    """
    operator, order = _OPERATORS[type(cells[0])]
    biased = any(cell.bias is not None for cell in cells)
    num_states = 2 if operator == "LSTM" else 1
    inputs = [
        graph.node("Transpose", x if mask is None else mask.pack(x), perm=[1, 0, 2]),
        graph.constant(np.stack([_rows(_array(cell.kernel), order) for cell in cells]), "kernel"),
        graph.constant(np.stack([_rows(_array(cell.recurrent_kernel), order) for cell in cells]), "recurrent_kernel"),
        graph.constant(np.stack([_biases(cell, order) for cell in cells]), "bias") if biased else "",
        "" if mask is None else mask.lengths,
        *(_stacked(graph, [states[k] for states in initial]) if initial else "" for k in range(num_states)),
    ]
    if operator == "LSTM" and any(cell.peephole_kernel is not None for cell in cells):
        inputs.append(graph.constant(np.stack([_peepholes(cell) for cell in cells]), "peephole_kernel"))
    sequences, *states = graph.nodes(
        operator,
        *inputs,
        num_outputs=1 + num_states,
        unused=0 if return_sequences else 1,
        hidden_size=cells[0].config.units,
        direction="bidirectional" if len(cells) == 2 else "reverse" if reverse else "forward",
        **_activation_attributes(cells),
        **_switches(cells[0]),
    )
    if return_sequences:
        sequences = graph.node("Transpose", sequences, perm=[1, 2, 0, 3])
    return [_pass(graph, k, sequences, states, mask, initial) for k in range(len(cells))]


def _pass(
    graph: OnnxGraph,
    direction: int,
    sequences: str,
    states: Sequence[str],
    mask: OnnxMask | None,
    initial: Sequence[Sequence[str]],
) -> Pass:
    own = [graph.node("Gather", state, graph.scalar(direction), axis=0) for state in states]
    last = own[0]
    if mask is not None:
        # Runtimes leave zeros, or nothing that can be relied on, where a row has no step at all. To us its states stay
        # what they were, and its output is zero.
        lengths = graph.node("Unsqueeze", graph.cast(mask.lengths, np.int64), graph.integers(1))
        read = graph.node("Greater", lengths, graph.integers(0))
        before = initial[direction] if initial else [graph.zero()] * len(own)
        last = graph.node("Where", read, last, graph.zero())
        own = [graph.node("Where", read, after, first) for after, first in zip(own, before, strict=True)]
    sequence = sequences and graph.node("Gather", sequences, graph.scalar(direction), axis=0)
    return Pass(sequence, last, own)


def _rows(columns: Array, order: Sequence[int]) -> Array:
    """(D, G*U) in our order of blocks -> (G*U, D) in the operator's."""
    blocks = np.split(columns, len(order), axis=1)
    return np.concatenate([blocks[k] for k in order], axis=1).T


def _biases(cell: Cell, order: Sequence[int]) -> Array:
    """The input's bias, then the recurrent one: zeros for cells that have one bias or none."""
    columns = len(order) * cell.config.units
    both = np.zeros((2, columns), _array(cell.kernel).dtype)
    if cell.bias is not None:
        bias = _array(cell.bias)
        both[: 1 if bias.ndim == 1 else 2] = bias
    return np.concatenate([_rows(row[None], order)[:, 0] for row in both])


def _peepholes(cell: Any) -> Array:
    if cell.peephole_kernel is None:
        return np.zeros(3 * cell.config.units, _array(cell.kernel).dtype)
    return _array(cell.peephole_kernel)[list(_PEEPHOLES)].reshape(-1)


def _stacked(graph: OnnxGraph, states: Sequence[str]) -> str:
    """States (B, U) of each direction as (directions, B, U)."""
    return graph.node("Concat", *(graph.node("Unsqueeze", state, graph.integers(0)) for state in states), axis=0)


def _switches(cell: Cell) -> dict[str, int]:
    """The attributes that both directions of an operator share."""
    if isinstance(cell, GRUCell):
        return {"linear_before_reset": int(cell.config.reset_after)}
    if isinstance(cell, LSTMCell):
        return {"input_forget": int(cell.config.coupled)}
    return {}


def _activations(cell: Cell) -> list[Any]:
    if isinstance(cell, SimpleRNNCell):
        return [cell.config.activation]
    gates, candidate = cell.config.recurrent_activation, cell.config.activation
    return [gates, candidate, candidate] if isinstance(cell, LSTMCell) else [gates, candidate]


def _activation_attributes(cells: Sequence[Cell]) -> dict[str, Any]:
    found = [_ACTIVATIONS[activation] for cell in cells for activation in _activations(cell)]
    slopes = [numbers[0] for _, numbers in found if numbers]
    offsets = [numbers[1] for _, numbers in found if len(numbers) == 2]
    attributes: dict[str, Any] = {"activations": [name for name, _ in found]}
    if slopes:
        attributes["activation_alpha"] = slopes
    if offsets:
        attributes["activation_beta"] = offsets
    return attributes


def _array(weight: Tensor) -> Array:
    array: Array = weight.detach().cpu().numpy()
    return array
