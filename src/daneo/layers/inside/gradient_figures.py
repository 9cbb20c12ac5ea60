"""Figures of a gradient flow: norms over the steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from daneo.layers.inside.figure_words import label_steps, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def norms_over_steps(
    lines: Mapping[str, npt.NDArray[np.float64]], words: Sequence[str] | None, axes: Axes | None, label: str
) -> Figure:
    """Draw a line for each kind of state, with one colour for all of a layer, on a logarithmic scale.

    Parameters
    ----------
    lines : mapping of str to array of shape (T,)
        The norms at "hidden_state" and, dashed, at "cell_state".
    words : sequence of str or None
    axes : Axes or None
        Where to draw; None makes a figure.
    label : str
        What to call the layer.
    """
    steps = len(next(iter(lines.values())))
    if axes is None:
        axes = new_figure(width=min(4 + 0.25 * steps, 10), height=4).subplots()
    colour = None
    for name, norms in lines.items():
        (line,) = axes.plot(
            norms,
            marker="." if steps <= 40 else None,
            linestyle="--" if name == "cell_state" else "-",
            color=colour,
            label=f"{label}, {name.replace('_', ' ')}",
        )
        colour = line.get_color()
    axes.set_yscale("log", nonpositive="mask")
    axes.set_ylabel("norm of the gradient")
    axes.grid(axis="y", color="0.9")
    axes.legend(frameon=False)
    label_steps(axes, words, steps)
    figure: Figure = axes.figure  # type: ignore[assignment]
    return figure
