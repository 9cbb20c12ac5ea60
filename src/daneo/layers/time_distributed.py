"""One layer, applied to every step by itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import torch
from torch import Tensor, nn

from daneo.layers.layer import Layer, Shape
from daneo.layers.layer_descriptions import deserialize, serialize
from daneo.layers.output_shape import output_shape
from daneo.layers.recurrent_inputs import as_input


class TimeDistributed(Layer):
    r"""Apply a layer to every step of a sequence, with the same weights.

    .. math:: y_t = \mathrm{layer}(x_t) \qquad t = 1, \dots, T

    Parameters
    ----------
    layer : nn.Module
        Takes inputs (B, ...) and returns outputs (B, ...): a daneo layer, ``nn.Linear``, ``nn.Conv1d`` and so on. Used
        as it is.

    Raises
    ------
    TypeError
        `layer` is no module.
    ValueError
        `layer` is stateful: the steps are the rows of one batch, and none of them comes before another.

    Notes
    -----
    Inputs (B, T, ...) go through the layer as one batch of B * T rows: one call, not T of them as in Keras. For a layer
    that looks at its whole batch, such as batch normalisation in training, that is another batch than Keras's.

    A mask (B, T) is handed on. A mask with more axes, such as (B, T, C) of the letters of words, goes to the layer, row
    by row; what is handed on is then the layer's own mask, or if it has none, the steps where anything counts.

    Examples
    --------
    >>> import torch
    >>> from daneo.layers import LSTM
    >>> words = torch.ones(2, 5, 7, 16)  # 5 words of 7 letters
    >>> TimeDistributed(LSTM(32))(words).shape
    torch.Size([2, 5, 32])
    >>> TimeDistributed(torch.nn.Linear(16, 3))(words[:, 0]).shape
    torch.Size([2, 7, 3])
    """

    takes_mask: ClassVar[bool] = True
    takes_custom_objects: ClassVar[bool] = True

    layer: Any

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        if not isinstance(layer, nn.Module):
            raise TypeError(f"TimeDistributed expected a layer such as nn.Linear(16, 3), got {layer!r}.")
        if getattr(layer, "stateful", False):
            raise ValueError(
                f"TimeDistributed applies a layer to each step by itself, but this {type(layer).__name__} is stateful: "
                "make it with stateful=False."
            )
        self.layer = layer

    @property
    def built(self) -> bool:
        """Whether the layer is built."""
        return bool(getattr(self.layer, "built", True))

    def make_weights(self, input_shape: Shape) -> None:
        """Build the layer for one step."""
        self.layer.build(_step_shape(input_shape))

    def forward(self, x: Tensor | Any, mask: Tensor | None = None) -> Tensor:
        """Apply the layer to all steps.

        Parameters
        ----------
        x : Tensor of shape (B, T, ...)
        mask : Tensor of bool of shape (B, T) or (B, T, ...), or None
            The layer gets it only if it has more than two axes.

        Returns
        -------
        Tensor of shape (B, T, ...)

        Raises
        ------
        ValueError
            x has fewer than three axes, or the mask does not fit it.
        TypeError
            The layer does not return one tensor.
        """
        x = self._as_tensor(x)
        _step_shape(x.shape)
        options = {}
        if mask is not None:
            mask = torch.as_tensor(mask, device=x.device)
            if mask.ndim < 2 or mask.shape[:2] != x.shape[:2]:
                raise ValueError(
                    f"TimeDistributed expected a mask that begins with (B, T) = {tuple(x.shape[:2])}, "
                    f"got {tuple(mask.shape)}."
                )
            if mask.ndim > 2 and getattr(self.layer, "takes_mask", False):
                options["mask"] = mask.flatten(0, 1)
        y = self.layer(x.flatten(0, 1), **options)
        if not isinstance(y, Tensor):
            raise TypeError(
                f"TimeDistributed expected one tensor of its {type(self.layer).__name__}, got a {type(y).__name__}: "
                "make the layer without return_state."
            )
        return y.reshape(*x.shape[:2], *y.shape[1:])

    def _as_tensor(self, x: Any) -> Tensor:
        if isinstance(x, Tensor):
            return x
        return as_input("TimeDistributed", x, next(self.parameters(), torch.empty(0)))

    # --------------------------------------------------------------------------------------------------- as in Keras

    def compute_mask(self, inputs: Any, mask: Tensor | None = None) -> Tensor | None:
        """Return the mask of the output; see the notes above."""
        if not hasattr(self.layer, "compute_mask"):
            return mask
        inputs = None if inputs is None else self._as_tensor(inputs)
        is_deep = mask is not None and mask.ndim > 2
        rows = None if inputs is None else inputs.flatten(0, 1)
        inner: Tensor | None = self.layer.compute_mask(
            rows, mask.flatten(0, 1) if mask is not None and is_deep else None
        )
        if inner is None:
            return mask.flatten(2).any(2) if mask is not None and is_deep else mask
        steps = inputs.shape[:2] if mask is None else mask.shape[:2]
        inner = inner.reshape(*steps, *inner.shape[1:])
        return inner if mask is None or is_deep else inner & mask.view(*steps, *[1] * (inner.ndim - 2))

    def compute_output_shape(self, input_shape: Shape) -> tuple[int | None, ...]:
        """Return B, T and what the layer puts out for one step."""
        return (*input_shape[:2], *output_shape(self.layer, _step_shape(input_shape))[1:])

    def get_config(self) -> dict[str, Any]:
        """Return a description of the layer, as JSON can hold it."""
        return {"layer": serialize(self.layer)}

    @classmethod
    def from_config(
        cls, config: Mapping[str, Any], custom_objects: Mapping[str, type[nn.Module]] | None = None
    ) -> Self:
        """Make the layer again, with fresh weights."""
        return cls(deserialize(config["layer"], custom_objects))

    def settings_text(self) -> str:
        """Return the layer, as ``LSTM(units=64)``."""
        layer = self.layer
        return f"{type(layer).__name__}({layer.settings_text()})" if isinstance(layer, Layer) else repr(layer)

    def sizes_text(self) -> str:
        """Return what goes in and comes out of the layer, as ``" 100 -> 64"``."""
        return self.layer.sizes_text() if isinstance(self.layer, Layer) else ""


def _step_shape(shape: Shape) -> tuple[int | None, ...]:
    """Return the shape of one step of (B, T, ...)."""
    if len(shape) < 3:
        raise ValueError(f"TimeDistributed expected an input of shape (B, T, ...), got {tuple(shape)}.")
    return (shape[0], *shape[2:])
