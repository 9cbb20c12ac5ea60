"""A table of layers: what each puts out, and how many parameters it has."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn
from torch.nn.parameter import UninitializedParameter

from daneo.layers.layer import Layer

HEADINGS = ("Layer", "Output shape", "Parameters")


class LayerTable(str):
    """Text that an interactive session shows as it is printed."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def layer_table(layers: Sequence[nn.Module], output_shapes: Sequence[tuple[int | None, ...] | None]) -> LayerTable:
    """Draw the table, with the totals below it.

    Parameters
    ----------
    layers : sequence of nn.Module
    output_shapes : sequence of tuple or None
        The shape of each layer's output; None where it is not known.
    """
    rows = [HEADINGS]
    for layer, shape in zip(layers, output_shapes, strict=True):
        rows.append((_title(layer), "?" if shape is None else str(shape), _count_text(layer)))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [f"{row[0]:<{widths[0]}}  {row[1]:<{widths[1]}}  {row[2]:>{widths[2]}}" for row in rows]
    rule = "-" * len(lines[0])
    return LayerTable("\n".join([lines[0], rule, *lines[1:], rule, _totals(layers)]))


def _title(layer: nn.Module) -> str:
    """Name a layer's class, and of a layer around another one both."""
    inner = getattr(layer, "forward_layer", getattr(layer, "layer", None)) if isinstance(layer, Layer) else None
    name = type(layer).__name__
    return name if inner is None else f"{name}({_title(inner)})"


def _count_text(layer: nn.Module) -> str:
    if not _is_built(layer):
        return "not built"
    return f"{sum(weight.numel() for weight in layer.parameters()):,}"


def _totals(layers: Sequence[nn.Module]) -> str:
    """Count the parameters of built layers, each once, however many layers share it."""
    built = [layer for layer in layers if _is_built(layer)]
    weights = {id(weight): weight for layer in built for weight in layer.parameters()}.values()
    total = sum(weight.numel() for weight in weights)
    trainable = sum(weight.numel() for weight in weights if weight.requires_grad)
    size = sum(weight.numel() * weight.element_size() for weight in weights)
    unbuilt = "" if len(built) == len(layers) else ", and those of layers that are not built yet"
    return f"{total:,} parameters ({size / 2**20:.2f} MiB), {trainable:,} trainable{unbuilt}"


def _is_built(module: nn.Module) -> bool:
    return not any(isinstance(weight, UninitializedParameter) for weight in module.parameters())
