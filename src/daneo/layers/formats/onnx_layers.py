"""Recurrent layers in an ONNX graph: what stands around the operators, so that the outputs are those of our layers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from daneo.layers.any_cell import state_sizes
from daneo.layers.bidirectional import Bidirectional
from daneo.layers.formats import onnx_recurrence
from daneo.layers.formats.onnx_graph import OnnxGraph
from daneo.layers.formats.onnx_masks import AnyMask, OnnxMask
from daneo.layers.formats.onnx_recurrence import Pass
from daneo.layers.rnn import RNN
from daneo.layers.stacked_rnn_cells import StackedRNNCells


@dataclass(frozen=True)
class Produced:
    """What a layer puts out, as values of the graph."""

    outputs: list[str]  # two of a Bidirectional that does not merge, otherwise one
    mask: OnnxMask | None  # what the layer after it reads under
    states: list[str] = field(default_factory=list)  # (B, U) each, as the layer lists them
    returns_state: bool = False


def cells_of(layer: RNN) -> list[Any]:
    """List the cells of a layer, from the input on."""
    return list(layer.cell.cells) if isinstance(layer.cell, StackedRNNCells) else [layer.cell]


def recurrent(
    graph: OnnxGraph, layer: RNN, x: str, mask: OnnxMask | None, initial: Sequence[str], name: str
) -> Produced:
    """Add a layer that reads x (B, T, D); `initial` has its states (B, U), or nothing."""
    cells, remaining, states = cells_of(layer), list(initial), []
    for cell in cells:
        onnx_recurrence.check_cell(cell, name)
    for k, cell in enumerate(cells):
        # Of several cells only the first meets the steps in the order of time.
        backwards = layer.config.go_backwards and k == 0
        own = [remaining.pop(0) for _ in state_sizes(cell)] if initial else []
        top = k == len(cells) - 1
        sequences = layer.config.return_sequences or not top
        done = onnx_recurrence.run(
            graph, [cell], x, mask, [own] if own else [], reverse=backwards, return_sequences=sequences
        )[0]
        states += done.states
        zero = layer.config.zero_output_for_mask and top
        if sequences:
            x = _spread(graph, done, mask, go_backwards=backwards, zero_output=zero)
            x = _flipped(graph, x) if backwards else x
        else:
            x = _last(graph, done, mask, go_backwards=backwards, zero_output=zero)
        if mask is not None and backwards:
            mask = AnyMask(graph, _flipped(graph, mask.valid))
    return Produced([x], mask if layer.config.return_sequences else None, states)


def bidirectional(
    graph: OnnxGraph, layer: Bidirectional, x: str, mask: OnnxMask | None, initial: Sequence[str], name: str
) -> Produced:
    """Add both directions, as one operator if their cells are alike, and merge what they put out."""
    ahead, back = layer.forward_layer, layer.backward_layer
    cells = [*cells_of(ahead), *cells_of(back)]
    for cell in cells:
        onnx_recurrence.check_cell(cell, name)
    middle = len(state_sizes(ahead.cell))
    halves = [initial[:middle], initial[middle:]] if initial else []
    if len(cells) == 2 and back.config.go_backwards and onnx_recurrence.alike(cells):
        sequences = layer.return_sequences
        done = onnx_recurrence.run(graph, cells, x, mask, halves, reverse=False, return_sequences=sequences)
        states = done[0].states + done[1].states
        if sequences:
            outputs = [_spread(graph, one, mask, go_backwards=k == 1, zero_output=True) for k, one in enumerate(done)]
        else:
            outputs = [one.last for one in done]
    else:
        first, second = (
            recurrent(graph, one, x, mask, halves[k] if halves else [], name) for k, one in enumerate((ahead, back))
        )
        states = first.states + second.states
        turned = _flipped(graph, second.outputs[0]) if layer.return_sequences else second.outputs[0]
        outputs = [first.outputs[0], turned]
    return Produced(_merged(graph, layer.merge_mode, outputs), mask if layer.return_sequences else None, states)


def _merged(graph: OnnxGraph, mode: str | None, outputs: list[str]) -> list[str]:
    match mode:
        case "concat":
            return [graph.node("Concat", *outputs, axis=-1)]
        case "sum":
            return [graph.node("Add", *outputs)]
        case "mul":
            return [graph.node("Mul", *outputs)]
        case "ave":
            return [graph.node("Mul", graph.node("Add", *outputs), graph.constant(0.5, "half"))]
    return outputs


def _spread(graph: OnnxGraph, done: Pass, mask: OnnxMask | None, *, go_backwards: bool, zero_output: bool) -> str:
    if mask is None:
        return done.sequence
    return mask.spread(done.sequence, done.last, go_backwards=go_backwards, zero_output=zero_output)


def _last(graph: OnnxGraph, done: Pass, mask: OnnxMask | None, *, go_backwards: bool, zero_output: bool) -> str:
    """The output of the step that is processed last, which is the last valid one's unless masked steps show zeros."""
    if mask is None or not zero_output:
        return done.last
    index = graph.scalar(0 if go_backwards else -1)
    shown = graph.node("Unsqueeze", graph.node("Gather", mask.valid, index, axis=1), graph.integers(1))
    return graph.node("Where", shown, done.last, graph.zero())


def _flipped(graph: OnnxGraph, value: str) -> str:
    """Turn the axis of time round: (B, T, ...)."""
    first, beyond, one, back = (graph.integers(k) for k in (-1, np.iinfo(np.int64).min + 1, 1, -1))
    return graph.node("Slice", value, first, beyond, one, back)
