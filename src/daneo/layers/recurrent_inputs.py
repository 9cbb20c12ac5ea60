"""What a recurrent layer is called with, checked and brought into shape."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn


def as_tensor(name: str, what: str, given: Any, device: torch.device) -> Tensor:
    """Make a tensor of what the user gave: an array, numbers in lists, a tensor.

    Raises
    ------
    TypeError
        It is none of these.
    """
    if isinstance(given, np.ndarray):  # PyTorch takes neither negative strides nor another machine's byte order
        given = np.ascontiguousarray(given, dtype=given.dtype.newbyteorder("="))
    try:
        tensor: Tensor = torch.as_tensor(given, device=device)
    except (TypeError, ValueError, RuntimeError) as error:
        raise TypeError(f"{name} expected {what} as a tensor or an array, got {type(given).__name__}.") from error
    return tensor


def as_input(name: str, x: Any, like: Tensor) -> Tensor:
    """Bring an array of floating-point numbers to the precision and the device of `like`."""
    tensor = as_tensor(name, "x", x, like.device)
    return tensor.to(like.dtype) if tensor.is_floating_point() else tensor


def check_input(layer: nn.Module, x: Tensor, kernel: Tensor | None, features: int | None) -> None:
    """Raise one clear line if x is not what a layer with such a kernel reads.

    Raises
    ------
    ValueError
        x is not (B, T, features), has no steps, or is not where the weights are.
    TypeError
        x does not have the weights' precision.
    """
    if x.ndim != 3 or (features is not None and x.shape[2] != features):
        wanted, hint = f"{type(layer).__name__} expected x of shape (B, T, {features or 'D'})", ""
        if x.ndim == 2:
            one_sequence = "For one sequence of shape (T, D) call layer(x[None])."
            hint = f" {one_sequence if x.is_floating_point() else 'Ids of words go through an Embedding first.'}"
        raise ValueError(f"{wanted}, got {tuple(x.shape)}.{hint}")
    if kernel is not None and (x.dtype != kernel.dtype or x.device != kernel.device):
        _check_kind(type(layer).__name__, x, kernel)
    if not x.shape[1]:
        raise ValueError(f"{type(layer).__name__} expected at least one step, got x of shape {tuple(x.shape)}.")


def _check_kind(name: str, x: Tensor, kernel: Tensor) -> None:
    mine, its = (str(one.dtype).removeprefix("torch.") for one in (kernel, x))
    if not x.is_floating_point():
        raise TypeError(
            f"{name} expected x of floating-point numbers, got {its}. "
            "Ids of words go through an Embedding first; numbers through x.float()."
        )
    if x.device != kernel.device:
        raise ValueError(f"{name} has its weights on {kernel.device}, but x is on {x.device}: move one of them.")
    if not torch.is_autocast_enabled(x.device.type):
        raise TypeError(f"{name} has {mine} weights, but x is {its}: call x.to(torch.{mine}) or layer.to(x.dtype).")


def as_mask(name: str, x: Tensor, mask: Any, lengths: Any) -> Tensor | None:
    """Return the mask as bool (B, T) on the device of x, made from `lengths` if those are given.

    Raises
    ------
    ValueError
        Both are given, or the shape is wrong, or a length is not between 0 and T.
    TypeError
        They are not whole numbers or truth values.
    """
    if lengths is not None:
        if mask is not None:
            raise ValueError(f"{name} got a mask and lengths: give one of them.")
        return _mask_of_lengths(name, x, lengths)
    there = isinstance(mask, Tensor) and mask.device == x.device
    given: Tensor = mask if there else as_tensor(name, "a mask", mask, x.device)
    if given.shape != x.shape[:2]:
        raise ValueError(f"{name} expected a mask of shape (B, T) = {tuple(x.shape[:2])}, got {tuple(given.shape)}.")
    if given.dtype is torch.bool:
        return given
    if given.is_floating_point() or given.is_complex():
        raise TypeError(f"{name} expected a mask of bool, True where a step counts, got {given.dtype}.")
    return given.ne(0)


def _mask_of_lengths(name: str, x: Tensor, lengths: Any) -> Tensor:
    lengths, (rows, steps) = as_tensor(name, "lengths", lengths, x.device), x.shape[:2]
    if lengths.shape != (rows,):
        raise ValueError(f"{name} expected lengths of shape (B,) = ({rows},), got {tuple(lengths.shape)}.")
    if rows and (lengths.is_floating_point() or lengths.is_complex() or lengths.dtype is torch.bool):
        raise TypeError(f"{name} expected lengths of whole numbers, got {lengths.dtype}.")
    lengths = lengths.to(torch.int64)
    # A compiler knows no values yet.
    if rows and not torch.compiler.is_compiling() and not 0 <= int(lengths.min()) <= int(lengths.max()) <= steps:
        raise ValueError(
            f"{name} expected lengths between 0 and T = {steps}, got {int(lengths.min())} to {int(lengths.max())}."
        )
    counted: Tensor = torch.arange(steps, device=x.device) < lengths[:, None]
    return counted


def as_states(name: str, initial_state: Any, sizes: Sequence[int], x: Tensor) -> list[Tensor]:
    """Return the states that the user gave as a list of tensors (B, U).

    Raises
    ------
    ValueError
        They are too many or too few, or one has the wrong shape.
    TypeError
        One has another precision than x, or is elsewhere.
    """
    given = list(initial_state) if isinstance(initial_state, list | tuple) else [initial_state]
    if len(given) != len(sizes):
        raise ValueError(f"{name} expected {len(sizes)} initial state(s) of shape (B, U), got {len(given)}.")
    states = []
    for number, (state, size) in enumerate(zip(given, sizes, strict=True)):
        if not isinstance(state, Tensor):
            state = as_tensor(name, f"initial_state[{number}]", state, x.device).to(x.dtype)
        if state.shape != (x.shape[0], size):
            raise ValueError(
                f"{name} expected initial_state[{number}] of shape (B, U) = ({len(x)}, {size}), "
                f"got {tuple(state.shape)}."
            )
        if state.device != x.device or state.dtype != x.dtype:
            _check_state_kind(name, number, state, x)
        states.append(state)
    return states


def _check_state_kind(name: str, number: int, state: Tensor, x: Tensor) -> None:
    wanted, got = (f"{one.dtype} on {one.device}" for one in (x, state))
    if state.device != x.device or not torch.is_autocast_enabled(x.device.type):
        raise TypeError(f"{name} expected initial_state[{number}] of {wanted}, as x is; got {got}.")
