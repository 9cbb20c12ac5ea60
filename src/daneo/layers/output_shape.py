"""The shape of what a module puts out, without a number computed."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from daneo.layers.layer import Layer, Shape

# Two sizes stand in for one that is not known: what changes from one to the other is not known of the output either.
_STAND_INS = (64, 128)


def output_shape(module: nn.Module, input_shape: Shape) -> tuple[int | None, ...]:
    """Return the shape of a module's output for an input of `input_shape`.

    A daneo layer says it itself. Any other module is run on PyTorch's device "meta", whose tensors have a shape and no
    numbers.

    Parameters
    ----------
    module : nn.Module
    input_shape : sequence of int or None
        None where the size is not known, as in ``(None, None, 100)``.

    Raises
    ------
    ValueError
        The module does not take such an input, does not return one tensor, or looks at numbers.

    Examples
    --------
    >>> output_shape(nn.Linear(100, 3), (None, 5, 100))
    (None, 5, 3)
    """
    try:
        if isinstance(module, Layer):
            return module.compute_output_shape(input_shape)
    except NotImplementedError as error:
        raise ValueError(f"{error} Write its compute_output_shape, or call the model on an input.") from error
    try:
        small, large = (_shape_on_meta(module, input_shape, size) for size in _STAND_INS)
    except (RuntimeError, TypeError, ValueError, LookupError) as error:
        reason = str(error).partition("\n")[0]
        raise ValueError(
            f"{type(module).__name__} does not tell the shape of its output for inputs of shape {tuple(input_shape)} "
            f"({reason}): call the model on an input."
        ) from error
    return tuple(one if one == other else None for one, other in zip(small, large, strict=True))


def _shape_on_meta(module: nn.Module, input_shape: Shape, stand_in: int) -> tuple[int, ...]:
    weights = {name: weight.to("meta") for name, weight in (*module.named_parameters(), *module.named_buffers())}
    like = next((weight.dtype for weight in weights.values() if weight.is_floating_point()), None)
    x = torch.empty(
        [stand_in if size is None else size for size in input_shape],
        dtype=torch.int64 if isinstance(module, nn.Embedding) else like,
        device="meta",
    )
    with torch.no_grad():
        y = torch.func.functional_call(module, weights, (x,))
    if not isinstance(y, Tensor):
        raise TypeError(f"it returns {type(y).__name__}")
    return tuple(y.shape)
