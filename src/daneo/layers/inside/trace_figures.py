"""Figures of a trace: heat maps of all units, or the curves of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from daneo.layers.inside.figure_words import label_steps, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Values = npt.NDArray[np.float64]

_MASKED = "0.85"
_COLOURS = {
    "input_gate": "tab:green",
    "forget_gate": "tab:purple",
    "output_gate": "tab:orange",
    "update_gate": "tab:purple",
    "reset_gate": "tab:orange",
    "candidate": "tab:green",
    "cell_state": "tab:red",
    "hidden_state": "tab:blue",
}


def all_units(values: Mapping[str, Values], words: Sequence[str] | None, title: str) -> Figure:
    """Draw a heat map of each of the values (T, U): steps from left to right, units from top to bottom.

    Gates have one colour bar from 0 to 1 in common; what has a sign has one of its own, with 0 in the middle.
    """
    gates, signed = _gates_first(values)
    steps, units = next(iter(values.values())).shape
    figure = new_figure(
        width=min(3 + 0.25 * steps, 14),
        height=1.2 + len(values) * min(0.6 + 0.08 * units, 1.8),
    )
    axes: Any = figure.subplots(len(values), 1, sharex=True, squeeze=False)[:, 0]
    for position, name in enumerate([*gates, *signed]):
        largest = None if name in gates else float(np.nanmax(np.abs(values[name]))) or 1.0
        picture = axes[position].imshow(
            values[name].T,
            aspect="auto",
            interpolation="nearest",
            cmap="Blues" if largest is None else "RdBu_r",
            vmin=0 if largest is None else -largest,
            vmax=1 if largest is None else largest,
        )
        axes[position].set_facecolor(_MASKED)
        axes[position].set_title(name.replace("_", " "), loc="left", fontsize="medium")
        axes[position].set_ylabel("unit")
        axes[position].yaxis.get_major_locator().set_params(integer=True)
        if largest is not None:
            figure.colorbar(picture, ax=axes[position], pad=0.02)
        elif position == 0:
            figure.colorbar(picture, ax=axes[: len(gates)].tolist(), pad=0.02)
    label_steps(axes[-1], words, steps)
    figure.suptitle(title)
    return figure


def one_unit(values: Mapping[str, Values], words: Sequence[str] | None, title: str) -> Figure:
    """Draw curves over the steps, of values (T,): the gates above, from 0 to 1, and below what has a sign."""
    gates, signed = _gates_first(values)
    parts = [names for names in (gates, signed) if names]
    steps = len(next(iter(values.values())))
    figure = new_figure(width=min(4 + 0.25 * steps, 14), height=1 + 2 * len(parts))
    axes: list[Axes] = figure.subplots(len(parts), 1, sharex=True, squeeze=False)[:, 0].tolist()
    for one, names in zip(axes, parts, strict=True):
        for name in names:
            one.plot(values[name], marker=".", color=_COLOURS[name], label=name.replace("_", " "))
        one.grid(axis="x", color="0.9")
        one.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
    if gates:
        axes[0].set_ylim(-0.05, 1.05)
    axes[-1].axhline(0, color="0.6", linewidth=0.8)
    label_steps(axes[-1], words, steps)
    figure.suptitle(title)
    return figure


def _gates_first(values: Mapping[str, Values]) -> tuple[list[str], list[str]]:
    """Return the names of the gates, and those of the other values."""
    gates = [name for name in values if name.endswith("_gate")]
    return gates, [name for name in values if name not in gates]
