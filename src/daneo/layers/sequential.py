"""Layers one after the other, with the mask handed on from each to the next."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Self, overload

import numpy.typing as npt
import torch
from torch import Tensor, nn

from daneo.layers.embedding import Embedding
from daneo.layers.layer import Layer, Shape
from daneo.layers.layer_descriptions import deserialize, serialize
from daneo.layers.layer_table import LayerTable, layer_table
from daneo.layers.output_shape import output_shape
from daneo.layers.recurrent_inputs import as_input, as_mask
from daneo.layers.sequential_stages import mask_after, run_stage, stages


class Sequential(Layer):
    """Apply layers one after the other, and hand the mask on.

    Parameters
    ----------
    layers : iterable of nn.Module
        Layers of daneo, and any other modules with one input and one output, such as ``nn.Linear`` and ``nn.Dropout``.

    Attributes
    ----------
    layers : list of nn.Module
        The layers; also ``model[0]``, ``model[-1]``, ``model[:2]`` (a Sequential of the same layers), ``len(model)``.

    Raises
    ------
    TypeError
        One of them is no layer.

    Notes
    -----
    A mask begins at an ``Embedding(mask_zero=True)`` or with the call, goes to each layer that takes one, and changes
    as :meth:`Layer.compute_mask` of each layer says. A module that is not daneo's hands it on. Where an output does not
    begin with the mask's (B, T) any more, the mask ends.

    The last layer may return states after its output; what it returns is returned.

    In a ``state_dict`` the layers are numbered, as in ``torch.nn.Sequential``.

    Examples
    --------
    >>> from daneo.layers import LSTM
    >>> model = Sequential([Embedding(64, 100, mask_zero=True), LSTM(64), nn.Linear(64, 1)])
    >>> model([[3, 57, 35, 0]]).shape
    torch.Size([1, 1])
    >>> model.summary()
    Layer      Output shape    Parameters
    -------------------------------------
    Embedding  (None, 4, 100)       6,400
    LSTM       (None, 64)          42,240
    Linear     (None, 1)               65
    -------------------------------------
    48,705 parameters (0.19 MiB), 48,705 trainable
    """

    takes_mask: ClassVar[bool] = True
    takes_custom_objects: ClassVar[bool] = True

    def __init__(self, layers: Iterable[nn.Module] = ()) -> None:
        super().__init__()
        self._input_shape: tuple[int | None, ...] | None = None
        if not isinstance(layers, Iterable):
            raise TypeError(f"Sequential expected a list of layers, got {type(layers).__name__}: Sequential([...]).")
        for layer in layers:
            self.add(layer)

    # -------------------------------------------------------------------------------------------------------- layers

    @property
    def layers(self) -> list[nn.Module]:
        """The layers, in the order of the data."""
        return [layer for layer in self._modules.values() if layer is not None]

    def add(self, layer: nn.Module) -> None:
        """Append a layer.

        Raises
        ------
        TypeError
            It is no layer.
        """
        if not isinstance(layer, nn.Module):
            hint = f" Write {layer.__name__}(...)." if isinstance(layer, type) else ""
            raise TypeError(f"Sequential expected layers, got {layer!r}.{hint}")
        self.add_module(str(len(self)), layer)

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[nn.Module]:
        return iter(self.layers)

    @overload
    def __getitem__(self, index: int) -> nn.Module: ...

    @overload
    def __getitem__(self, index: slice) -> Sequential: ...

    def __getitem__(self, index: int | slice) -> nn.Module | Sequential:
        if isinstance(index, slice):
            return Sequential(self.layers[index])
        if not -len(self) <= index < len(self):
            raise IndexError(f"This Sequential has {len(self)} layers: there is no layer {index}.")
        return self.layers[index]

    # ------------------------------------------------------------------------------------------------------ building

    @property
    def built(self) -> bool:
        """Whether all layers are built."""
        return all(getattr(layer, "built", True) for layer in self)

    def build(self, input_shape: Shape) -> None:
        """Build every layer for what the one before puts out.

        Parameters
        ----------
        input_shape : sequence of int or None
            Of the first layer's input: ``(None, None)`` for ids, ``(None, None, 100)`` for vectors.

        Raises
        ------
        ValueError
            A module that is not daneo's does not tell the shape of its output: call the model on an input instead.
        """
        super().build(input_shape)
        self._input_shape = tuple(input_shape)

    def make_weights(self, input_shape: Shape) -> None:
        """Build every layer that is not built."""
        for number, layer in enumerate(self, 1):
            if isinstance(layer, Layer):
                layer.build(input_shape)
            if number < len(self):
                input_shape = output_shape(layer, input_shape)

    # ------------------------------------------------------------------------------------------------------- calling

    def forward(
        self,
        inputs: Tensor | npt.ArrayLike,
        mask: Tensor | None = None,
        lengths: Tensor | Sequence[int] | None = None,
    ) -> Any:
        """Apply the layers.

        Parameters
        ----------
        inputs : Tensor or array
            What the first layer takes: ids (B, T) or vectors (B, T, D).
        mask : Tensor of bool of shape (B, T), or None
            True where a step counts.
        lengths : integers of shape (B,), or None
            Instead of `mask`: how many steps count.

        Returns
        -------
        Tensor, or what else the last layer returns

        Raises
        ------
        TypeError
            A layer that is not the last returns more than one tensor.
        """
        x = inputs if isinstance(inputs, Tensor) else self._as_tensor(inputs)
        if mask is not None or lengths is not None:
            mask = as_mask("Sequential", x, mask, lengths)
        shape = x.shape
        for stage in stages(self.layers):
            if not isinstance(x, Tensor):
                raise TypeError(
                    f"Sequential hands one tensor from layer to layer, but {type(stage[0]).__name__} would get a "
                    f"{type(x).__name__}: only the last layer may return states, or two outputs."
                )
            x, mask = run_stage(stage, x, mask)
        if self._input_shape is None and not torch.compiler.is_compiling():
            self._input_shape = (None, *shape[1:])
        return x

    def _as_tensor(self, inputs: npt.ArrayLike) -> Tensor:
        """Bring arrays and lists to where the weights are; ids stay integers."""
        first = next(iter(self), None)
        if isinstance(first, Embedding):
            return first.as_ids(inputs)
        return as_input("Sequential", inputs, next(self.parameters(), torch.empty(0)))

    def reset_state(self) -> None:
        """Let all stateful layers forget: the next call begins with zeros."""
        layer: Any
        for layer in self:
            if hasattr(layer, "reset_state"):
                layer.reset_state()

    # --------------------------------------------------------------------------------------------------- as in Keras

    def compute_mask(self, inputs: Any, mask: Tensor | None = None) -> Tensor | None:
        """Return the mask that the last layer hands on. It is asked for before anything is computed.

        Raises
        ------
        TypeError
            An ``Embedding(mask_zero=True)`` is not the first layer.
        """
        for number, layer in enumerate(self):
            if number and isinstance(layer, Embedding) and layer.config.mask_zero:
                raise TypeError(
                    "An Embedding(mask_zero=True) inside an inner Sequential must be its first layer: "
                    "the mask is asked for before the ids of a later one are known."
                )
            mask = mask_after(layer, inputs, mask)
            inputs = None
        return mask

    def compute_output_shape(self, input_shape: Shape) -> tuple[int | None, ...]:
        """Return the shape of the last layer's output."""
        for layer in self:
            input_shape = output_shape(layer, input_shape)
        return tuple(input_shape)

    def summary(self) -> LayerTable:
        """Return a table of the layers: what each puts out, and how many parameters it has.

        Returns
        -------
        LayerTable
            A ``str``. A script prints it with ``print(model.summary())``; an interactive session shows it by itself.

        Notes
        -----
        Shapes are those of the first call, or of :meth:`build`, for a batch of any size; ``?`` where one is not known.
        """
        shapes: list[tuple[int | None, ...] | None] = []
        shape: Shape | None = self._input_shape
        for layer in self:
            try:
                shape = None if shape is None else output_shape(layer, shape)
            except ValueError:
                shape = None
            shapes.append(None if shape is None else tuple(shape))
        return layer_table(self.layers, shapes)

    def get_config(self) -> dict[str, Any]:
        """Return a description of every layer, as JSON can hold it.

        Raises
        ------
        TypeError
            A module that is not daneo's has no ``get_config``.
        """
        return {"layers": [serialize(layer) for layer in self]}

    @classmethod
    def from_config(
        cls, config: Mapping[str, Any], custom_objects: Mapping[str, type[nn.Module]] | None = None
    ) -> Self:
        """Make the layers again, with fresh weights."""
        return cls(deserialize(layer, custom_objects) for layer in config["layers"])

    def __repr__(self) -> str:
        lines = [f"{number}: {layer!r}".replace("\n", "\n  ") for number, layer in enumerate(self)]
        return "\n  ".join([f"Sequential of {len(self)} layer{'s' * (len(self) != 1)}", *lines])
