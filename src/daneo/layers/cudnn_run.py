"""SimpleRNN, GRU and LSTM by PyTorch's own operators, which on a GPU are cuDNN's."""

from __future__ import annotations

import torch
from torch import Tensor

from daneo.layers.recurrent_operator import Given, Plan


def run(plan: Plan, given: Given) -> tuple[Tensor, ...]:
    """Return what `recurrent_operator.run` returns, for the plans that cuDNN knows."""
    x, kernel, recurrent_kernel, bias, _, hidden, cell = given[:7]
    assert x is not None
    assert recurrent_kernel is not None
    weights = [_turned(plan, one) for one in (kernel, recurrent_kernel)]
    if bias is not None:
        both = bias if bias.ndim == 2 else torch.stack([bias, torch.zeros_like(bias)])
        weights += [_turned(plan, one) for one in both]
    steps = x.flip(1) if plan.reverse else x
    zeros = x.new_zeros(1, len(x), len(recurrent_kernel))
    state = zeros if hidden is None else hidden[None].contiguous()
    in_training = torch.is_grad_enabled()  # else cuDNN keeps nothing for a gradient
    if plan.kind == 2:
        start = [state, zeros if cell is None else cell[None].contiguous()]
        outputs, *states = torch.lstm(steps, start, weights, bias is not None, 1, 0.0, in_training, False, True)
    else:
        operator = torch.gru if plan.kind == 1 else torch.rnn_tanh
        outputs, *states = operator(steps, state, weights, bias is not None, 1, 0.0, in_training, False, True)
    last = [one[0] for one in states]
    if not plan.sequences:
        return (last[0], *last)
    return (outputs.flip(1) if plan.reverse else outputs, *last)


def _turned(plan: Plan, weight: Tensor | None) -> Tensor:
    """Return a weight (..., G * U) as PyTorch has it: gates in rows, those of the GRU with r ahead of z."""
    assert weight is not None
    if plan.kind == 1:
        z, r, n = weight.chunk(3, dim=-1)
        weight = torch.cat([r, z, n], dim=-1)
    return weight.t().contiguous() if weight.ndim == 2 else weight.contiguous()
