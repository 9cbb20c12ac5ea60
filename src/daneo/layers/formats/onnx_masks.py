"""Masks in an ONNX graph: the recurrent operators know only lengths, so other masks are packed to the front.

With valid (B, T) the mask and n its running count, a row's valid steps are moved to the front, the operator runs on
n[T-1] steps of it, and step t then finds its own output at place n[t] - 1. A masked step thereby repeats the output
before it, and a state passes over it untouched: exactly what a mask means to our layers, whatever its pattern.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from daneo.layers.formats.onnx_graph import OnnxGraph


class OnnxMask(Protocol):
    """Which steps of each row of a batch count, as values of a graph; sequences are (B, T, D)."""

    lengths: str  # int32 (B,): how many steps the operator runs
    valid: str  # bool (B, T)

    def pack(self, x: str) -> str:
        """Move the steps that count to the front of their row, in order."""

    def spread(self, outputs: str, last: str, *, go_backwards: bool, zero_output: bool) -> str:
        """Put the operator's outputs, at the places of the packed steps, where the steps came from.

        `last` (B, U) is each row's final output, zeros in rows without any step. What comes back is in the order of
        time, with the outputs of masked steps filled in: zeros with `zero_output`, otherwise the output of the step
        that was processed before. Nothing is taken from places behind a row's last packed step.
        """


class LengthsMask:
    """A right-padded mask: the first ``lengths[b]`` steps of row b count. Nothing needs to be moved."""

    def __init__(self, graph: OnnxGraph, x: str, lengths: str) -> None:
        self._graph = graph
        self.lengths = lengths
        times = graph.node("Range", graph.scalar(0), _number(graph, graph.size(x, 1)), graph.scalar(1))
        row = graph.node("Unsqueeze", times, graph.integers(0))
        column = graph.node("Unsqueeze", graph.cast(lengths, np.int64), graph.integers(1))
        self.valid = graph.node("Less", row, column)

    def pack(self, x: str) -> str:
        """Return x as it is."""
        return x

    def spread(self, outputs: str, last: str, *, go_backwards: bool, zero_output: bool) -> str:
        """Fill in what follows the last step; backwards nothing came before it."""
        graph = self._graph
        zero = zero_output or go_backwards
        filling = graph.zero() if zero else graph.node("Unsqueeze", last, graph.integers(1))
        return graph.node("Where", _last_axis(graph, self.valid), outputs, filling)


class AnyMask:
    """A mask of any pattern, bool (B, T): left padding, holes, empty rows."""

    def __init__(self, graph: OnnxGraph, valid: str) -> None:
        self._graph = graph
        self.valid = valid
        ones = graph.cast(valid, np.int64)
        self._counts = graph.node("CumSum", ones, graph.scalar(1))
        total = graph.node("ReduceSum", ones, graph.integers(1), keepdims=0)
        self._total = graph.node("Unsqueeze", total, graph.integers(1))
        self.lengths = graph.cast(total, np.int32)
        # Sorted by time, with the masked steps behind all others.
        steps = graph.size(valid, 1)
        times = graph.node("Range", graph.scalar(0), _number(graph, steps), graph.scalar(1))
        keys = graph.node("Where", valid, times, graph.node("Add", times, steps))
        self._order = graph.nodes("TopK", keys, steps, num_outputs=2, axis=1, largest=0)[1]

    def pack(self, x: str) -> str:
        """Gather each row's steps in the order of the sorted keys."""
        return self._gather(x, self._order)

    def spread(self, outputs: str, last: str, *, go_backwards: bool, zero_output: bool) -> str:
        """Gather the output of each step's own place or, where it is masked, of the one processed before it."""
        graph = self._graph
        one = graph.integers(1)
        if go_backwards:
            # Backwards, what comes before a masked step is the next valid one: place n[t], one past the places of
            # the steps up to t; there is none behind the last valid step.
            place = graph.node("Sub", self._counts, graph.cast(self.valid, np.int64))
            there = graph.node("Less", place, self._total)
            top = graph.node("Sub", graph.size(outputs, 1), one)
            place = graph.node("Min", place, top)
        else:
            there = graph.node("Greater", self._counts, graph.integers(0))
            place = graph.node("Max", graph.node("Sub", self._counts, one), graph.integers(0))
        shown = self.valid if zero_output else there
        return graph.node("Where", _last_axis(graph, shown), self._gather(outputs, place), graph.zero())

    def _gather(self, sequences: str, places: str) -> str:
        return self._graph.node("GatherND", sequences, _last_axis(self._graph, places), batch_dims=1)


def _number(graph: OnnxGraph, size: str) -> str:
    """A list of one as the plain number that Range wants."""
    return graph.node("Squeeze", size, graph.integers(0))


def _last_axis(graph: OnnxGraph, value: str) -> str:
    return graph.node("Unsqueeze", value, graph.integers(2))
