"""Traces: every gate, candidate and state of a recurrent layer at every step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor

from daneo.layers import recurrent_operator
from daneo.layers.inside.trace_figures import all_units, one_unit
from daneo.layers.inside.visible_steps import STATE_NAMES, prepared, shown, visible_steps
from daneo.layers.recurrent_paths import CAST
from daneo.layers.recurrent_run import operands, widened

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from daneo.layers.rnn import RNN

CLOSED, OPEN = 0.1, 0.9  # below the one and above the other a gate is saturated


class Saturation(NamedTuple):
    """How often the units of a gate are all but closed, and all but open.

    Attributes
    ----------
    closed : Tensor of shape (U,)
        The share of steps at which each unit is below 0.1.
    open : Tensor of shape (U,)
        The share of steps at which it is above 0.9.
    """

    closed: Tensor
    open: Tensor


@dataclass(frozen=True, eq=False, repr=False)
class Trace:
    """What ``layer.trace(x)`` saw: one tensor (B, T, U) for each gate, candidate and state.

    Each is an attribute of its own:

    ==========  ==================================================================================================
    layer       attributes
    ==========  ==================================================================================================
    LSTM        ``input_gate``, ``forget_gate``, ``candidate``, ``output_gate``, ``cell_state``, ``hidden_state``
    GRU         ``update_gate``, ``reset_gate``, ``candidate``, ``hidden_state``
    SimpleRNN   ``hidden_state``
    ==========  ==================================================================================================

    Attributes
    ----------
    layer : str
        The kind of layer: "LSTM".
    internals : mapping of str to Tensor of shape (B, T, U)
        All of them by name, after the layer's activations. Step t is the step of ``x[:, t]``, also if the layer reads
        backwards, and a state is the one after the step. At masked steps gates and candidates are NaN, because nothing
        is computed there, and states are what is carried over. With `projection_size`, ``hidden_state`` is (B, T, P).
    output : Tensor of shape (B, T, U), or (B, U) without `return_sequences`
        What a call returns as output, in its own order.
    states : tuple of Tensor of shape (B, U)
        What a call with `return_state` returns after it: the states at the end.
    mask : Tensor of bool of shape (B, T), or None
        True where a step counts.

    Examples
    --------
    >>> from daneo.layers import GRU
    >>> trace = GRU(64).trace(torch.randn(2, 5, 100), lengths=[5, 3])
    >>> trace
    Trace of GRU, (B, T, U) = (2, 5, 64): update_gate, reset_gate, candidate, hidden_state
    >>> trace.update_gate[1, :, 0].isnan().tolist()
    [False, False, False, True, True]
    >>> torch.equal(trace.hidden_state[1, 4], trace.hidden_state[1, 2])
    True
    """

    layer: str
    internals: Mapping[str, Tensor]
    output: Tensor
    states: tuple[Tensor, ...]
    mask: Tensor | None

    def __getattr__(self, name: str) -> Tensor:
        internals: Mapping[str, Tensor] = self.__dict__.get("internals", {})
        if name not in internals:
            raise AttributeError(f"This trace has no {name!r}. It has: {', '.join(internals)}.")
        return internals[name]

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self.internals})

    def __repr__(self) -> str:
        shape = tuple(next(iter(self.internals.values())).shape)
        return f"Trace of {self.layer}, (B, T, U) = {shape}: {', '.join(self.internals)}"

    @property
    def gates(self) -> dict[str, Tensor]:
        """The gates alone, by name; none of a SimpleRNN."""
        return {name: values for name, values in self.internals.items() if name.endswith("_gate")}

    def saturation(self) -> dict[str, Saturation]:
        """Measure how often each gate is all but closed, below 0.1, and all but open, above 0.9.

        A unit whose forget gate is open nearly always remembers for long; one whose forget gate is closed nearly always
        looks at the present step alone.

        Returns
        -------
        dict of str to Saturation
            For each gate the two shares of the steps that count, for each unit; NaN if no step counts.

        References
        ----------
        Karpathy, Johnson and Fei-Fei 2015, arXiv:1506.02078, section 4.2.

        Examples
        --------
        >>> from daneo.layers import LSTM
        >>> trace = LSTM(3, kernel_initializer="zeros", recurrent_initializer="zeros").trace(torch.ones(1, 4, 2))
        >>> trace.saturation()["forget_gate"].open  # sigmoid(1) = 0.73: neither open nor closed
        tensor([0., 0., 0.])
        """
        return {
            name: Saturation(self._share(values < CLOSED), self._share(values > OPEN))
            for name, values in self.gates.items()
        }

    def _share(self, is_so: Tensor) -> Tensor:
        """Return the share of the steps that count in which it is so (B, T, U); at others it never is."""
        steps = is_so.shape[0] * is_so.shape[1] if self.mask is None else self.mask.sum()
        return is_so.sum((0, 1)) / steps

    def plot(self, words: Sequence[str] | None = None, *, row: int = 0, unit: int | None = None) -> Figure:
        """Draw one sequence: a heat map of each gate, candidate and state, or the curves of one unit.

        Parameters
        ----------
        words : sequence of str or None
            What to write below the steps: as many as there are steps, or steps up to the last that counts. None writes
            their numbers.
        row : int, default 0
            Which of the B sequences.
        unit : int or None, default None
            Draw this unit alone, as curves: the gates above, from 0 to 1, candidate and states below. None draws all
            units as heat maps: gates first, from white at 0 to dark at 1, then what has a sign, from blue to red.

        Returns
        -------
        matplotlib.figure.Figure
            Needs no display: ``figure.savefig("gates.svg")``. A notebook shows it.

        Raises
        ------
        ImportError
            matplotlib is not installed.
        ValueError, IndexError
            There are too few or too many words, or no such row or unit.

        Notes
        -----
        Steps after the last that counts are left out; other masked steps are grey, or gaps in the curves. Projected
        hidden states belong to no unit, and are left out where `unit` is given. Words in a script that the usual font
        lacks, such as Hangul, are written in an installed font that has it; where there is none, the steps are
        numbered.
        """
        steps = self._steps_to_draw(row)
        if words is not None and len(words) != steps:
            if len(words) != self.internals["hidden_state"].shape[1]:
                raise ValueError(f"Row {row} has {steps} steps to draw, got {len(words)} words: give one for each.")
            words = words[:steps]
        drawn = {name: values[row, :steps].detach().cpu().double().numpy() for name, values in self.internals.items()}
        title = self.layer if len(self.output) == 1 else f"{self.layer}, row {row}"
        if unit is None:
            return all_units(drawn, words, title)
        units = next(iter(drawn.values())).shape[1]
        if not 0 <= unit < units:
            raise IndexError(f"This {self.layer} has units 0 to {units - 1}, got unit={unit}.")
        curves = {name: values[:, unit] for name, values in drawn.items() if values.shape[1] == units}
        return one_unit(curves, words, f"{title}, unit {unit}")

    def _steps_to_draw(self, row: int) -> int:
        """Return the number of steps up to the last one of a row that counts."""
        rows, steps = self.internals["hidden_state"].shape[:2]
        if not 0 <= row < rows:
            raise IndexError(f"This trace has rows 0 to {rows - 1}, got row={row}.")
        if self.mask is None:
            return steps
        counted = self.mask[row].nonzero()
        if not len(counted):
            raise ValueError(f"All steps of row {row} are masked: there is nothing to draw.")
        return int(counted[-1]) + 1


def trace(layer: RNN, x: Any, initial_state: Any = None, mask: Any = None, lengths: Any = None) -> Trace:
    """Run a layer as a call does, and keep everything; see :meth:`daneo.layers.RecurrentLayer.trace`."""
    with torch.no_grad():
        x, states, mask = prepared(layer, x, initial_state, mask, lengths)
        values, last_states = internals(layer, x, states, mask)
        output = shown(layer, values["hidden_state"], mask)
    return Trace(type(layer).__name__, values, output, tuple(last_states), mask)


def internals(
    layer: RNN, x: Tensor, states: list[Tensor], mask: Tensor | None
) -> tuple[dict[str, Tensor], list[Tensor]]:
    """Run a layer over x (B, T, D) and return what its cell's INTERNALS name, (B, T, U) each, and the last states.

    In the order of time; at masked steps states are carried over, and all else is NaN.
    """
    plan = layer.plan()
    if isinstance(plan, str) or layer.explain(x, mask).name != "compiled":
        return _internals_step_by_step(layer, x, states, mask)
    input_masks, recurrent_masks = layer.cell.dropout_masks(len(x))
    given = operands(layer.cell, x, states, mask, input_masks, recurrent_masks)
    if x.dtype in CAST:
        kept, last = recurrent_operator.internals(plan, widened(given))
        kept, last = {name: one.to(x.dtype) for name, one in kept.items()}, [one.to(x.dtype) for one in last]
    else:
        kept, last = recurrent_operator.internals(plan, given)
    if mask is not None and "gates" in kept:
        kept["gates"].masked_fill_(~mask[..., None, None], torch.nan)
    values = [*kept["gates"].unbind(2)] if "gates" in kept else []
    values += [kept[name] for name in layer.cell.INTERNALS if name in STATE_NAMES]
    return dict(zip(layer.cell.INTERNALS, values, strict=True)), last


def _internals_step_by_step(
    layer: RNN, x: Tensor, states: list[Tensor], mask: Tensor | None
) -> tuple[dict[str, Tensor], list[Tensor]]:
    steps = visible_steps(layer, x, states, mask)
    found: dict[str, Tensor] = {}
    for number, name in enumerate(layer.cell.INTERNALS):
        if name in STATE_NAMES:
            found[name] = torch.stack([step.states[STATE_NAMES.index(name)] for step in steps], 1)
            continue
        found[name] = torch.stack([step.internals[number] for step in steps], 1)
        if mask is not None:
            found[name] = torch.where(mask[..., None], found[name], torch.nan)
    return found, steps[0 if layer.config.go_backwards else -1].states
