"""Layers as an ONNX file, to be run without Python: by onnxruntime on servers, phones and in browsers."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator, Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from daneo.files import replaced_file
from daneo.layers.any_cell import state_sizes
from daneo.layers.bidirectional import Bidirectional
from daneo.layers.embedding import Embedding
from daneo.layers.formats import onnx_layers, onnx_recurrence
from daneo.layers.formats.input_features import input_features
from daneo.layers.formats.layer_names import numbered
from daneo.layers.formats.onnx_graph import OnnxGraph, Shape
from daneo.layers.formats.onnx_layers import Produced
from daneo.layers.formats.onnx_masks import AnyMask, LengthsMask, OnnxMask
from daneo.layers.layer import Layer
from daneo.layers.rnn import RNN
from daneo.layers.sequential import Sequential
from daneo.layers.time_distributed import TimeDistributed

_LARGEST = 2_000_000_000  # bytes of weights; a protocol buffer takes 2 GiB, names and all
_TYPES: dict[torch.dtype, type[Any]] = {torch.float16: np.float16, torch.float32: np.float32, torch.float64: np.float64}
# Modules of PyTorch that are one operator; Softmax has an axis, and Dropout and Identity are nothing when predicting.
_ELEMENTWISE: dict[type[nn.Module], str] = {nn.ReLU: "Relu", nn.Sigmoid: "Sigmoid", nn.Tanh: "Tanh"}


def export_onnx(
    model: nn.Module,
    path: str | os.PathLike[str],
    *,
    mask: Literal["lengths", "any"] | None = None,
    states: bool = False,
) -> None:
    """Write a layer, or a Sequential of layers, as an ONNX model.

    Parameters
    ----------
    model : nn.Module
        Embedding, SimpleRNN, GRU, LSTM, RNN over their cells, Bidirectional, ``nn.Linear``, also TimeDistributed, or
        a Sequential of these and of ``nn.Dropout``, ``nn.ReLU``, ``nn.Sigmoid``, ``nn.Tanh``, ``nn.Softmax(-1)``.
        Built. It is written as it predicts: dropout does nothing.
    path : path
        The file; what stood there is replaced when all is written.
    mask : {"lengths", "any"} or None
        Give the model a further input that says which steps count: ``lengths``, int64 (B,), how many of each row
        from the first, -1 for all; or ``mask``, bool (B, T), of any pattern. The caller may leave it out: then all
        steps count.
    states : bool, default False
        Give the model each recurrent layer's initial states as inputs, which the caller may leave out (zeros), and
        its last states as outputs. Feeding these back runs a long text piece by piece.

    Raises
    ------
    ValueError
        A layer has an option that ONNX has no words for; the message names both.
    TypeError
        A module of a kind that is not listed above.
    RuntimeError
        A layer is not built.
    ImportError
        The extra ``onnx`` is not installed.

    Notes
    -----
    The graph is written down layer by layer and not traced, so batch and time may have any size when it runs. Its
    first input is ``ids``, int64 (B, T), or ``x`` (B, T, D); its first output is ``output``, followed by the states
    of a last layer with ``return_state``: ``hidden_state`` and ``cell_state``, with ``forward_`` and ``backward_``
    before them for a Bidirectional. With `states` and in a Sequential, names begin with the layer's: ``lstm_1_...``.

    Masks mean what they mean to the layers: those of ``Embedding(mask_zero=True)`` and those of the input. For lengths
    the operators run no longer than they must; other masks are packed to the front by a sort of the steps. Inputs
    that may be left out have their default in the file, and onnxruntime remarks once on opening that they are no
    constants.

    Recurrent layers become the operators RNN, GRU and LSTM, with peepholes (P), coupled gates (``input_forget``) and
    ``linear_before_reset``. ONNX's ``clip`` cuts what enters the activations, not the cell state: it is no
    ``cell_clip``. There are no words for projections, layer normalisation and zoneout, and states can be handed in
    and out but not kept, so ``stateful`` needs `states`. Numbers are of the weights' type; onnxruntime runs
    recurrent operators in float32 alone. An id that is not in the table is an error there too, except that ids from
    -V to -1 count from its end.

    References
    ----------
    ONNX operators, opset 17: https://onnx.ai/onnx/operators/

    Examples
    --------
    >>> import tempfile, torch
    >>> from daneo.layers import LSTM, Embedding, Sequential
    >>> model = Sequential([Embedding(1000, 8, mask_zero=True), LSTM(4, peephole=True)])
    >>> model(torch.tensor([[3, 57, 35]])).shape
    torch.Size([1, 4])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     export_onnx(model, f"{folder}/model.onnx")
    ...     os.path.getsize(f"{folder}/model.onnx") > 32_000
    True
    """
    modules = list(_flat(model))
    if not modules:
        raise ValueError("A Sequential without layers has nothing to export.")
    for module in modules:
        if isinstance(module, Layer):
            module.require_built("export_onnx")
    weights = list(model.parameters())
    size = sum(weight.numel() * weight.element_size() for weight in weights)
    if size > _LARGEST:
        raise ValueError(
            f"The weights take {size:,} bytes, more than an ONNX file holds. Export the layers one by one."
        )
    export = _Export(_dtype(weights), mask, states)
    export.run(modules)
    content = export.graph.model(type(model).__name__).SerializeToString()
    with replaced_file(path) as file:
        file.write(content)


class _Export:
    """One export: the graph, and what every layer has to know of it."""

    def __init__(self, dtype: np.dtype[Any], mask: str | None, states: bool) -> None:
        if mask not in (None, "lengths", "any"):
            raise ValueError(f"export_onnx expected mask 'lengths', 'any' or None, got {mask!r}.")
        self.graph = OnnxGraph(dtype)
        self._mask = mask
        self._states = states
        self._batch = ""  # the number of rows when the model runs
        self._finals: list[tuple[str, str, int]] = []  # the name, the value and the size of each final state

    def run(self, modules: Sequence[nn.Module]) -> None:
        """Add the inputs, the layers and the outputs."""
        graph = self.graph
        shape: Shape = ("batch", "time")
        if isinstance(modules[0], Embedding):
            value = graph.input("ids", np.int64, shape)
        else:
            if isinstance(modules[0], RNN):
                onnx_recurrence.check_cell(onnx_layers.cells_of(modules[0])[0], type(modules[0]).__name__)
            shape = (*shape, input_features(modules[0]))
            value = graph.input("x", graph.dtype, shape)
        self._batch = graph.size(value, 0)
        given = Produced([value], self._mask_input(value))
        names = [""] if len(modules) == 1 else list(numbered(type(module).__name__ for module in modules))
        for k, (module, name) in enumerate(zip(modules, names, strict=True), 1):
            given = self._added(module, name, given)
            shape = _output_shape(module, shape)
            if k < len(modules) and (len(given.outputs) > 1 or given.returns_state):
                raise ValueError(f"Only the last layer may return more than one output, and {name} does.")
        several = ("forward_output", "backward_output")
        for output, name in zip(given.outputs, several if len(given.outputs) > 1 else ("output",), strict=True):
            graph.output(output, name, graph.dtype, shape)
        for name, state, size in self._finals:
            graph.output(state, name, graph.dtype, ("batch", size))

    def _mask_input(self, value: str) -> OnnxMask | None:
        """Add the input that tells which steps count. Its default, all of them, does not know the sizes yet."""
        graph = self.graph
        if self._mask == "lengths":
            lengths = graph.input("lengths", np.int64, ("rows",), default=[-1])
            all_steps = graph.node("Equal", lengths, graph.integers(-1))
            lengths = graph.node("Where", all_steps, graph.size(value, 1), lengths)
            return LengthsMask(graph, value, graph.cast(graph.node("Expand", lengths, self._batch), np.int32))
        if self._mask == "any":
            valid = graph.input("mask", np.bool_, ("rows", "steps"), default=[[True]])
            sizes = graph.node("Concat", self._batch, graph.size(value, 1), axis=0)
            return AnyMask(graph, graph.node("Expand", valid, sizes))
        return None

    def _added(self, module: nn.Module, name: str, given: Produced) -> Produced:
        """Add one layer to the graph."""
        graph, value, mask = self.graph, given.outputs[0], given.mask
        if isinstance(module, RNN | Bidirectional):
            return self._recurrent(module, name, value, mask)
        if isinstance(module, Embedding):
            table = graph.constant(_array(module.weights[0]), "embeddings")
            if module.config.mask_zero:
                words = graph.node("Not", graph.node("Equal", value, graph.integers(0)))
                mask = AnyMask(graph, words if mask is None else graph.node("And", words, mask.valid))
            return Produced([graph.node("Gather", table, value)], mask)
        if isinstance(module, TimeDistributed) and not isinstance(module.layer, Layer):
            return self._added(module.layer, name, given)
        if isinstance(module, nn.Linear):
            value = graph.node("MatMul", value, graph.constant(_array(module.weight).T, "kernel"))
            if module.bias is not None:
                value = graph.node("Add", value, graph.constant(_array(module.bias), "bias"))
        elif isinstance(module, nn.Softmax) and module.dim == -1:
            value = graph.node("Softmax", value, axis=-1)
        elif type(module) in _ELEMENTWISE:
            value = graph.node(_ELEMENTWISE[type(module)], value)
        elif not isinstance(module, nn.Dropout | nn.Identity):
            others = ", ".join(f"nn.{known.__name__}" for known in _ELEMENTWISE)
            raise TypeError(
                f"export_onnx cannot write {module!r}. It writes Embedding, recurrent layers, nn.Linear, also "
                f"TimeDistributed, nn.Dropout, nn.Softmax(-1), {others}."
            )
        return Produced([value], mask)

    def _recurrent(self, module: RNN | Bidirectional, name: str, value: str, mask: OnnxMask | None) -> Produced:
        graph, kind = self.graph, name or type(module).__name__
        directions = [module.forward_layer, module.backward_layer] if isinstance(module, Bidirectional) else [module]
        config = directions[0].config
        if config.stateful and not self._states:
            raise ValueError(
                f"{kind} is stateful, and an ONNX model keeps nothing between calls. Export it with states=True, "
                "and feed the states that come out back in."
            )
        sizes = dict(_state_sizes(module, f"{name}_" if name else ""))
        initial = [self._initial_state(state, size) for state, size in sizes.items()] if self._states else []
        if isinstance(module, Bidirectional):
            given = onnx_layers.bidirectional(graph, module, value, mask, initial, kind)
        else:
            given = onnx_layers.recurrent(graph, module, value, mask, initial, kind)
        if self._states or config.return_state:
            values = zip(sizes.items(), given.states, strict=True)
            self._finals += [(state, value, size) for (state, size), value in values]
        return dataclasses.replace(given, returns_state=config.return_state)

    def _initial_state(self, name: str, size: int) -> str:
        graph = self.graph
        given = graph.input(f"initial_{name}", graph.dtype, ("rows", size), default=np.zeros((1, size)))
        return graph.node("Expand", given, graph.node("Concat", self._batch, graph.integers(size), axis=0))


def _flat(module: nn.Module) -> Iterator[nn.Module]:
    """List the layers within a Sequential, and within those that are within it."""
    if isinstance(module, Sequential):
        for inner in module:
            yield from _flat(inner)
    else:
        yield module


def _output_shape(module: nn.Module, shape: Shape) -> Shape:
    if isinstance(module, nn.Linear):
        return (*shape[:-1], module.out_features)
    if isinstance(module, TimeDistributed):
        return _output_shape(module.layer, shape)
    if isinstance(module, Embedding):
        return (*shape, module.config.output_dim)
    if isinstance(module, RNN | Bidirectional):
        *kept, features = module.compute_output_shape((None,) * len(shape))
        return (*shape[: len(kept)], int(features or 0))
    return shape


def _state_sizes(module: RNN | Bidirectional, prefix: str) -> Iterator[tuple[str, int]]:
    """Name each state, in the order in which the layer lists them, and give its size."""
    if isinstance(module, Bidirectional):
        yield from _state_sizes(module.forward_layer, f"{prefix}forward_")
        yield from _state_sizes(module.backward_layer, f"{prefix}backward_")
        return
    cells = onnx_layers.cells_of(module)
    for k, cell in enumerate(cells):
        which = f"{prefix}cell{k}_" if len(cells) > 1 else prefix
        yield from zip((f"{which}hidden_state", f"{which}cell_state"), state_sizes(cell), strict=False)


def _dtype(weights: Sequence[Tensor]) -> np.dtype[Any]:
    found = {weight.dtype for weight in weights}
    if len(found) > 1 or not found <= _TYPES.keys():
        got = ", ".join(sorted(str(dtype).removeprefix("torch.") for dtype in found))
        raise ValueError(f"export_onnx writes weights of one type, float16, float32 or float64; got {got}.")
    return np.dtype(_TYPES[found.pop()] if found else np.float32)


def _array(weight: Tensor) -> npt.NDArray[Any]:
    array: npt.NDArray[Any] = weight.detach().cpu().numpy()
    return array
