"""Weights as Keras lists them: NumPy arrays in its order, under its names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from daneo.layers.bidirectional import Bidirectional
from daneo.layers.embedding import Embedding
from daneo.layers.formats.layer_names import numbered
from daneo.layers.lstm import LSTM
from daneo.layers.lstm_cell import LSTMCell
from daneo.layers.recurrent_cell import RecurrentCell
from daneo.layers.rnn import RNN
from daneo.layers.sequential import Sequential
from daneo.layers.stacked_rnn_cells import StackedRNNCells
from daneo.layers.time_distributed import TimeDistributed

Array = npt.NDArray[Any]

# Keras itself has no peepholes. TensorFlow Addons has a cell for its RNN, with three more weights of shape (U,).
PEEPHOLE_CELL = "PeepholeLSTMCell"
_PEEPHOLES = ("input_gate_peephole_weights", "forget_gate_peephole_weights", "output_gate_peephole_weights")

# Modules of PyTorch that have no weights and are a layer Activation in Keras.
ACTIVATION_MODULES: dict[type[nn.Module], str] = {
    nn.ReLU: "relu",
    nn.Sigmoid: "sigmoid",
    nn.Tanh: "tanh",
    nn.Softmax: "softmax",
}


@dataclass(frozen=True)
class KerasVariables:
    """The weights that Keras keeps in one place: those of a cell, an Embedding or a Dense layer."""

    path: str  # where, seen from the layer that was asked: "cell", "forward_layer/cell", or "" for itself
    owner: nn.Module

    @property
    def names(self) -> list[str]:
        """What Keras calls the weights, in its order; they need not be built."""
        if isinstance(self.owner, nn.Linear):
            return ["kernel"] if self.owner.bias is None else ["kernel", "bias"]
        own = (name for name, weight in self.owner.named_parameters(recurse=False) if weight is not None)
        return [keras for name in own for keras in (_PEEPHOLES if name == "peephole_kernel" else (name,))]

    @property
    def tensors(self) -> list[Tensor]:
        """Views of the weights, each shaped as Keras has it."""
        if isinstance(self.owner, nn.Linear):
            weight, bias = self.owner.weight, self.owner.bias
            return [weight.t()] if bias is None else [weight.t(), bias]
        own = self.owner.named_parameters(recurse=False)
        return [view for name, weight in own for view in (weight if name == "peephole_kernel" else (weight,))]

    def build(self, kernel_shape: Sequence[int]) -> None:
        """Build the cell that owns the weights, if it is not built, for its first weight (D, G*U).

        Raises
        ------
        ValueError
            It is no first weight of this cell.
        """
        cell = self.owner
        if not isinstance(cell, RecurrentCell) or cell.built:
            return
        columns = len(cell.GATES) * cell.config.units
        if len(kernel_shape) != 2 or kernel_shape[1] != columns:
            raise _wrong_shape(self, "kernel", f"(features, {columns})", tuple(kernel_shape))
        cell.build((None, kernel_shape[0]))


def variables(module: nn.Module, path: str = "") -> Iterator[KerasVariables]:
    """Find the weights of a layer or a model, in the order in which Keras lists them.

    Raises
    ------
    TypeError
        Keras has nothing like a module that has weights.
    """

    def within(name: str) -> str:
        return f"{path}/{name}" if path else name

    if isinstance(module, Sequential):
        for name, layer in zip(numbered(map(keras_class, module)), module, strict=True):
            yield from variables(layer, within(f"layers/{name}"))
    elif isinstance(module, Bidirectional):
        yield from variables(module.forward_layer, within("forward_layer"))
        yield from variables(module.backward_layer, within("backward_layer"))
    elif isinstance(module, RNN):
        yield from variables(module.cell, within("cell"))
    elif isinstance(module, StackedRNNCells):
        for name, cell in zip(numbered(map(keras_class, module.cells)), module.cells, strict=True):
            yield from variables(cell, within(f"cells/{name}"))
    elif isinstance(module, TimeDistributed):
        yield from variables(module.layer, within("layer"))
    elif isinstance(module, Embedding | RecurrentCell | nn.Linear):
        yield KerasVariables(path, module)
    elif any(True for _ in module.parameters()):
        raise TypeError(f"Keras has nothing like {type(module).__name__}, which has weights.")


def keras_class(module: nn.Module) -> str:
    """Return the name of the class that a module is in Keras."""
    if isinstance(module, LSTM | LSTMCell) and module.config.peephole:
        return "RNN" if isinstance(module, LSTM) else PEEPHOLE_CELL
    if isinstance(module, nn.Linear):
        return "Dense"
    return "Activation" if type(module) in ACTIVATION_MODULES else type(module).__name__


def get_weights(layer: nn.Module) -> list[Array]:
    """Copy the weights of a built layer: see :meth:`Layer.get_weights`."""
    return [array for part in variables(layer) for array in arrays_of(part)]


def arrays_of(part: KerasVariables) -> list[Array]:
    """Copy the weights of one place.

    Raises
    ------
    TypeError
        NumPy has no such numbers: bfloat16.
    """
    found = []
    for name, tensor in zip(part.names, part.tensors, strict=True):
        if tensor.dtype is torch.bfloat16:
            raise TypeError(f"NumPy has no bfloat16, which {name} has: convert the layer with .float() first.")
        found.append(tensor.detach().cpu().numpy().copy())
    return found


def set_weights(layer: nn.Module, weights: Sequence[npt.ArrayLike]) -> None:
    """Replace the weights of a layer: see :meth:`Layer.set_weights`."""
    parts = list(variables(layer))
    arrays = [np.asarray(weight) for weight in weights]
    expected = sum(len(part.names) for part in parts)
    if len(arrays) != expected:
        names = ", ".join(_place(part, name) for part in parts for name in part.names) or "none"
        raise ValueError(f"{type(layer).__name__}.set_weights expected {expected} arrays, {names}; got {len(arrays)}.")
    remaining = iter(arrays)
    given = [[next(remaining) for _ in part.names] for part in parts]
    fill(parts, given)


def check(parts: Sequence[KerasVariables], given: Sequence[Sequence[Any]]) -> None:
    """Build what is not built, and see that arrays are what the weights want.

    Raises
    ------
    ValueError
        An array has the wrong shape, or does not hold real numbers.
    """
    for part, arrays in zip(parts, given, strict=True):
        part.build(arrays[0].shape)
    for part, arrays in zip(parts, given, strict=True):
        for name, tensor, array in zip(part.names, part.tensors, arrays, strict=True):
            if array.shape != tuple(tensor.shape):
                raise _wrong_shape(part, name, tuple(tensor.shape), array.shape)
            if array.dtype.kind not in "fiu":
                raise ValueError(f"{_place(part, name)} expected real numbers, got {array.dtype}.")


def fill(parts: Sequence[KerasVariables], given: Sequence[Sequence[Any]]) -> None:
    """Copy arrays into the weights of each place, after all of them have been looked at.

    Parameters
    ----------
    parts : sequence of KerasVariables
    given : sequence of sequence of array
        For each place, one array for each of its names. Anything with ``shape`` and ``dtype`` that NumPy can read: what
        lies in a file is read one after the other.

    Raises
    ------
    ValueError
        As :func:`check`.
    """
    check(parts, given)
    with torch.no_grad():
        for part, arrays in zip(parts, given, strict=True):
            for tensor, array in zip(part.tensors, arrays, strict=True):
                # A copy in this machine's byte order: PyTorch takes no other, nor arrays that must not be written to.
                tensor.copy_(torch.from_numpy(np.array(array[()], dtype=array.dtype.newbyteorder("="))))


def _wrong_shape(part: KerasVariables, name: str, expected: object, got: object) -> ValueError:
    return ValueError(f"{_place(part, name)} expected an array of shape {expected}, got {got}.")


def _place(part: KerasVariables, name: str) -> str:
    return f"{part.path}/{name}" if part.path else name
