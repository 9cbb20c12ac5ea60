"""The compiled recurrences as operators of PyTorch: one for a whole layer, with gradients of any order."""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn.utils import parametrize

from daneo.layers import plain_loop
from daneo.layers.recurrences.recurrent_calls import Call, Inputs, OutputGradients, Saved
from daneo.layers.recurrent_cell import RecurrentCell

KINDS = ("simple_rnn", "gru", "lstm")
SMALL = 8e6  # floating-point operations that one thread does sooner than two can share them


class Plan(NamedTuple):
    """What a compiled layer does, whatever it is called with; see `Call` for the settings.

    Attributes
    ----------
    kind : int
        Place in KINDS.
    """

    kind: int
    activation: int
    recurrent_activation: int
    variant: bool
    reverse: bool
    sequences: bool
    zero_output: bool


# What an operator is given, in the order of `Inputs`: x, kernel, recurrent_kernel, bias, peephole, hidden, cell, mask,
# recurrent_masks, tokens. Those from mask on carry no gradient.
Given = tuple[Tensor | None, ...]
NUM_GIVEN, NUM_DIFFERENTIABLE = 10, 7


def passes_of(kind: int) -> ModuleType:
    """Import the passes of a kind: Numba comes with the first call, not with the package."""
    if kind == 0:
        from daneo.layers.recurrences import simple_rnn_passes

        return simple_rnn_passes
    if kind == 1:
        from daneo.layers.recurrences import gru_passes

        return gru_passes
    from daneo.layers.recurrences import lstm_passes

    return lstm_passes


def _call(plan: Plan, given: Inputs, states: bool, keep: bool) -> Call:
    work = 2.0 * given.num_sequences * given.num_steps * given.recurrent_kernel.size * (2 if keep else 1)
    return Call(*plan[1:], states, keep, 1 if work < SMALL else torch.get_num_threads())


def _arrays(given: Sequence[Tensor | None]) -> Inputs:
    # force: without a gradient, and with a minus sign that PyTorch has put off
    return Inputs(*(None if one is None else one.numpy(force=True) for one in given))  # type: ignore[arg-type]


def run(plan: Plan, cell: RecurrentCell, given: Given, *, states: bool = True) -> tuple[Tensor, ...]:
    """Return (outputs, hidden) or (outputs, hidden, cell), or without `states` (outputs,): see the forward passes.

    `cell` is the layer's; its plain steps serve gradients of gradients.
    """
    if torch.compiler.is_compiling():
        return tuple(_recurrence(list(plan), *given)[: 2 + (plan.kind == 2)])
    if torch.is_grad_enabled() and any(one is not None and one.requires_grad for one in given[:NUM_DIFFERENTIABLE]):
        results: tuple[Tensor, ...] = _Recurrence.apply(plan, cell, states, *given)  # type: ignore[no-untyped-call]
        return results
    inputs = _arrays(given)
    outputs, last, _ = passes_of(plan.kind).forward(_call(plan, inputs, states, keep=False), inputs)
    return (torch.from_numpy(outputs), *map(torch.from_numpy, last))


def internals(plan: Plan, given: Given) -> tuple[dict[str, Tensor], list[Tensor]]:
    """Run without gradients and return all that the kernels keep, as views, and the final states.

    "gates" (B, T, G, U), not of SimpleRNN, and "hidden_state" and "cell_state" (B, T, U) after each step, in the order
    of time. Gates of masked steps are zeros.
    """
    inputs = _arrays(given)
    _, states, saved = passes_of(plan.kind).forward(_call(plan, inputs, states=True, keep=True), inputs)
    size, steps, units = inputs.num_sequences, inputs.num_steps, inputs.units
    kept = {}
    if len(saved.gates):
        gates = saved.gates.reshape(size, steps, 2 + plan.kind, -1)  # three gates of a GRU, four of an LSTM
        kept["gates"] = torch.from_numpy(gates[..., :units])
    for name, slots in zip(
        ("hidden_state", "cell_state"), (saved.hidden, saved.more)[: 1 + (plan.kind == 2)], strict=False
    ):
        states_after = slots.reshape(size, steps + 1, -1)[:, :, :units]
        kept[name] = torch.from_numpy(states_after[:, :-1] if plan.reverse else states_after[:, 1:])
    return kept, [torch.from_numpy(state) for state in states]


class _Recurrence(torch.autograd.Function):
    """The operator as autograd runs it step by step, without the detour over the dispatcher."""

    @staticmethod
    def forward(ctx: Any, plan: Plan, cell: RecurrentCell, states: bool, *given: Tensor | None) -> tuple[Tensor, ...]:
        inputs = _arrays(given)
        outputs, last, saved = passes_of(plan.kind).forward(_call(plan, inputs, states, keep=True), inputs)
        shown = torch.from_numpy(outputs)
        ctx.plan, ctx.cell, ctx.is_used_up = plan, cell, False
        # All outputs without a mask are the kept states themselves: saving them notices if somebody writes to them.
        kept = shown if plan.sequences and inputs.mask is None else None
        ctx.save_for_backward(*given, *map(torch.from_numpy, saved), kept)
        ctx.set_materialize_grads(False)
        return (shown, *map(torch.from_numpy, last))

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor | None) -> tuple[Tensor | None, ...]:
        given, kept = ctx.saved_tensors[:NUM_GIVEN], ctx.saved_tensors[NUM_GIVEN:-1]
        needs = ctx.needs_input_grad[-NUM_GIVEN:]
        if torch.is_grad_enabled():  # create_graph=True: somebody wants to differentiate what comes out
            return (None, None, None, *_differentiable(ctx.plan, ctx.cell, given, gradients, needs))
        saved = None if ctx.is_used_up else Saved(*(one.numpy() for one in kept))
        ctx.is_used_up = True
        return (None, None, None, *_backward(ctx.plan, given, saved, gradients, needs))


def _backward(
    plan: Plan, given: Given, saved: Saved | None, gradients: Sequence[Tensor | None], needs: Sequence[bool]
) -> list[Tensor | None]:
    passes, inputs = passes_of(plan.kind), _arrays(given)
    call = _call(plan, inputs, states=True, keep=True)
    if saved is None:  # retain_graph=True, the second time: the first has used it up
        saved = passes.forward(call, inputs)[2]
    arrays = [None if one is None else one.numpy(force=True) for one in (*gradients, None, None)[:3]]
    made = passes.backward(call, inputs, saved, OutputGradients(*arrays), needs[0])
    found = [
        torch.from_numpy(one) if need and one is not None else None for one, need in zip(made, needs, strict=False)
    ]
    return [*found, *[None] * (NUM_GIVEN - len(found))]


def _differentiable(
    plan: Plan, cell: RecurrentCell, given: Given, gradients: Sequence[Tensor | None], needs: Sequence[bool]
) -> list[Tensor | None]:
    """Gradients that can be differentiated again, from the plain loop."""
    # Views: what one of them has been computed from may be another of them, and must not be counted twice.
    given = tuple(one.view_as(one) if need and one is not None else one for one, need in zip(given, needs, strict=True))
    needed = [one for one, need in zip(given, needs, strict=True) if need and one is not None]
    results = plainly(plan, cell, given)
    pairs = [(one, gradient) for one, gradient in zip(results, gradients, strict=False) if gradient is not None]
    found = iter(
        torch.autograd.grad(
            [one for one, _ in pairs], needed, [gradient for _, gradient in pairs], create_graph=True, allow_unused=True
        )
        if pairs
        else [None] * len(needed)
    )
    return [next(found) if need else None for need in needs]


def plainly(plan: Plan, cell: RecurrentCell, given: Given) -> tuple[Tensor, ...]:
    """Run the same recurrence, with the same results, step by step in PyTorch's own operations."""
    x, kernel, recurrent_kernel, bias, peephole, hidden, cell_state, mask, recurrent_masks, tokens = given
    assert x is not None
    assert recurrent_kernel is not None
    kind: Any = parametrize.type_before_parametrizations(cell)  # the weights have been through them
    twin = kind.__new__(kind)
    twin.__dict__.update(cell.__dict__)
    weights = {"kernel": kernel, "recurrent_kernel": recurrent_kernel, "bias": bias, "peephole_kernel": peephole}
    twin.__dict__["_parameters"] = {**dict.fromkeys(cell._parameters), **weights}
    for name in weights:
        twin.__dict__.pop(name, None)
    zeros = recurrent_kernel.new_zeros(len(x if tokens is None else tokens), len(recurrent_kernel))
    states = [zeros if one is None else one for one in (hidden, cell_state)[: 1 + (plan.kind == 2)]]
    output, states = plain_loop.run(
        twin,
        x if tokens is None else x[tokens],
        states,
        mask,
        None,
        recurrent_masks,
        projected=kernel is None,
        return_sequences=plan.sequences,
        go_backwards=plan.reverse,
        zero_output_for_mask=plan.zero_output,
    )
    return (output.flip(1) if plan.reverse and plan.sequences else output, *states)


# ----------------------------------------------------------------------------- the same operator for torch.compile


@torch.library.custom_op("daneo::recurrence", mutates_args=())
def _recurrence(
    plan: list[int],
    x: Tensor,
    kernel: Tensor | None,
    recurrent_kernel: Tensor,
    bias: Tensor | None,
    peephole: Tensor | None,
    hidden: Tensor | None,
    cell: Tensor | None,
    mask: Tensor | None,
    recurrent_masks: Tensor | None,
    tokens: Tensor | None,
) -> list[Tensor]:
    """Return outputs, final states, and what the backward operator takes: gates, states, cells or candidates."""
    given = (x, kernel, recurrent_kernel, bias, peephole, hidden, cell, mask, recurrent_masks, tokens)
    inputs = _arrays(given)
    outputs, states, saved = passes_of(plan[0]).forward(_call(_plan(plan), inputs, states=True, keep=True), inputs)
    # An operator's results must not share memory.
    return [torch.from_numpy(one) for one in (outputs.copy(), *states, *saved)]


def _plan(numbers: Sequence[int]) -> Plan:
    kind, activation, recurrent_activation, *switches = numbers
    return Plan(kind, activation, recurrent_activation, *(bool(switch) for switch in switches))


@_recurrence.register_fake
def _shapes(
    plan: list[int],
    x: Tensor,
    kernel: Tensor | None,
    recurrent_kernel: Tensor,
    bias: Tensor | None,
    peephole: Tensor | None,
    hidden: Tensor | None,
    cell: Tensor | None,
    mask: Tensor | None,
    recurrent_masks: Tensor | None,
    tokens: Tensor | None,
) -> list[Tensor]:
    kind, sequences = plan[0], plan[5]
    (size, steps), units = (x if tokens is None else tokens).shape[:2], recurrent_kernel.shape[0]
    width = -(-units * x.element_size() // 64) * 64 // x.element_size()
    gates = (0, 3, 4)[kind]
    slots = size * (steps + 1)
    shown = x.new_empty((size, steps, units) if sequences else (size, units))
    states = [x.new_empty((size, units)) for _ in range(1 + (kind == 2))]
    kept = x.new_empty((size * steps, gates * width) if gates else (0, 64 // x.element_size()))
    more = ((0, 64 // x.element_size()), (size * steps, width), (slots, width))[kind]
    return [shown, *states, kept, x.new_empty((slots, width)), x.new_empty(more)]


@torch.library.custom_op("daneo::recurrence_backward", mutates_args=())
def _recurrence_backward(
    plan: list[int], needs_x: bool, given: list[Tensor], places: list[int], gradients: list[Tensor], saved: list[Tensor]
) -> list[Tensor]:
    """Return the gradients of what `places` says is given, from x on; of x no numbers unless they are needed."""
    inputs = _given(given, places)
    needs = [one is not None for one in inputs[:NUM_DIFFERENTIABLE]]
    arrays = Saved(*(one.numpy().copy() for one in saved))  # the pass writes to them
    needed = [needs_x, *needs[1:], False, False, False]
    made = _backward(_plan(plan), inputs, arrays, gradients, needed)
    found = [one for one, need in zip(made, needs, strict=False) if need]
    return [given[0].new_empty(0) if one is None else one.contiguous().clone() for one in found]


def _given(given: Sequence[Tensor], places: Sequence[int]) -> Given:
    inputs: list[Tensor | None] = [None] * NUM_GIVEN
    for one, place in zip(given, places, strict=True):
        inputs[place] = one
    return tuple(inputs)


@_recurrence_backward.register_fake
def _gradient_shapes(
    plan: list[int], needs_x: bool, given: list[Tensor], places: list[int], gradients: list[Tensor], saved: list[Tensor]
) -> list[Tensor]:
    shapes = [one.shape for one, place in zip(given, places, strict=True) if place < NUM_DIFFERENTIABLE]
    return [given[0].new_empty(0 if not n and not needs_x else shape) for n, shape in enumerate(shapes)]


def _save(ctx: Any, inputs: tuple[Any, ...], output: list[Tensor]) -> None:
    plan, *given = inputs
    places = [place for place, one in enumerate(given) if one is not None]
    ctx.plan, ctx.places = plan, places
    ctx.save_for_backward(*(given[place] for place in places), *output[-3:])


def _differentiate(ctx: Any, gradients: list[Tensor]) -> tuple[Any, ...]:
    given, saved = list(ctx.saved_tensors[: len(ctx.places)]), list(ctx.saved_tensors[len(ctx.places) :])
    plan, places = ctx.plan, ctx.places
    made = torch.ops.daneo.recurrence_backward(
        plan, ctx.needs_input_grad[1], given, places, list(gradients[: 2 + (plan[0] == 2)]), saved
    )
    found: list[Tensor | None] = [None] * NUM_GIVEN
    for one, place in zip(made, places, strict=False):
        if place < NUM_DIFFERENTIABLE and ctx.needs_input_grad[1 + place]:
            found[place] = one
    return (None, *found)


_recurrence.register_autograd(_differentiate, setup_context=_save)
